//! What a publisher does behind the scenes: sends what waits, takes acks, connects again.

use std::sync::Arc;

use ach_actors_model::Lane;
use ach_engine_net::{FrameSink, FrameSource};
use ach_engine_wire::{Frame, Preamble, Refusal, Welcome};
use quinn::Connection;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::client::Connector;
use crate::outboxes::{BeginError, PendingReport};
use crate::session::{
    Session, batch_pings_max, batch_reports_max, cause, leave, next_frame, push, unexpected,
};
use crate::shared::Shared;
use crate::{Backoff, ConnectError, LaneOutbox, PublishError, PublisherNotice};

/// Bytes of pings that are made ready at once: as many as a packet train of the kernel holds, and 40 µs of work,
/// for so long no report leaves. What is ready counts as sent: it can no longer give way to something newer.
const PING_BYTES_AHEAD: usize = 64 * 1024;

/// A lane's priority on the sender's side; greater goes first.
const fn priority(lane: Lane) -> i32 {
    match lane {
        Lane::Duress => 2,
        Lane::Door => 1,
        Lane::Ping | Lane::Audit | Lane::Console => 0,
    }
}

/// Tells everybody who waits, however the session's task ends: closed, dropped or failed.
struct EndNote(Arc<Shared>);

impl Drop for EndNote {
    fn drop(&mut self) {
        self.0.end(PublishError::Closed);
    }
}

/// Keeps a session up until the publisher is closed.
pub(crate) async fn publish_forever(
    connector: Connector,
    first: Session,
    shared: Arc<Shared>,
    mut control: mpsc::Receiver<Frame>,
) {
    let _end_note = EndNote(Arc::clone(&shared));
    let mut session = Some(first);
    let mut backoff = Backoff::default();
    let mut may_resume = true;
    loop {
        let opening = async {
            if let Some(session) = session.take() {
                return Ok(session);
            }
            let resume = if may_resume { shared.lock().resume() } else { Vec::new() };
            Session::open(&connector, resume).await
        };
        let opened = tokio::select! {
            // A session that is there already is used, so that it ends with a goodbye.
            biased;
            opened = opening => opened,
            () = shared.leaving() => return,
        };
        let error = match opened {
            Ok(session) => match begin(&shared, &session.welcome) {
                Ok(()) => {
                    may_resume = true;
                    match run(&shared, session, &mut control, &mut backoff).await {
                        Ok(()) => return,
                        Err(error) => error,
                    }
                }
                Err(error) => {
                    may_resume = false;
                    session.close().await;
                    not_begun(&shared, error)
                }
            },
            Err(error) => error,
        };
        shared.show_progress(|progress| progress.is_connected = false);
        tracing::debug!(%error, "publisher lost its connection");
        shared.tell(PublisherNotice::Disconnected { reason: error.to_string() });
        if error.is_taken_over() {
            return shared.end(PublishError::TakenOver);
        }
        tokio::select! {
            biased;
            () = shared.leaving() => return,
            () = sleep(backoff.wait_after(&error, connector.config.surroundings.chance())) => {}
        }
    }
}

/// Says what a welcome lacks; that a node has lost what was safe is for people to know.
fn not_begun(shared: &Shared, error: BeginError) -> ConnectError {
    match error {
        BeginError::NodeIsBehind { lane } => {
            let durable_through = shared.progress.borrow().lane(lane).durable_through;
            tracing::error!(?lane, durable_through, "the node has lost what it had acknowledged");
            shared.tell(PublisherNotice::NodeForgot { lane, durable_through });
            // Connect again soon: what is still here must get to the node.
            ConnectError::Refused {
                code: ach_engine_wire::Code::WrongEpoch,
                detail: "the node has forgotten inputs it had acknowledged".to_owned(),
            }
        }
        BeginError::TooManyHandles => ConnectError::Protocol {
            found: "room for fewer handles than are in use",
            wanted: "room for all of them",
        },
    }
}

fn begin(shared: &Shared, welcome: &Welcome) -> Result<(), BeginError> {
    shared.lock().on_welcome(welcome)?;
    shared.handles_confirmed.send_replace(0);
    shared.show_progress(|progress| {
        progress.is_connected = true;
        progress.is_storing = welcome.is_storing;
    });
    shared.room.notify_waiters();
    let epoch = welcome.lanes.first().map_or(0, |lane| lane.epoch);
    shared.tell(PublisherNotice::Connected { epoch });
    Ok(())
}

/// Works over one connection. Ends well only after a goodbye.
async fn run(
    shared: &Shared,
    session: Session,
    control: &mut mpsc::Receiver<Frame>,
    backoff: &mut Backoff,
) -> Result<(), ConnectError> {
    let Session { connection, mut sink, mut source, welcome } = session;
    let (pings_max, reports_max) = (batch_pings_max(&welcome), batch_reports_max(&welcome));
    // Whichever ends first ends the session. The most urgent lane is looked at first.
    let ended = tokio::select! {
        biased;
        error = hear_all(shared, &connection, &mut source, backoff) => Err(error),
        Err(error) = send_reports(shared, &connection, Lane::Duress, reports_max) => Err(error),
        Err(error) = send_reports(shared, &connection, Lane::Door, reports_max) => Err(error),
        Err(error) = say(shared, &mut sink, control) => Err(error),
        Err(error) = send_pings(shared, &connection, pings_max) => Err(error),
        () = shared.leaving() => Ok(()),
    };
    match ended {
        Ok(()) => {
            leave(sink, &connection).await;
            Ok(())
        }
        Err(error) => {
            let error = cause(&connection, error);
            connection.close(quinn::VarInt::from_u32(0), b"");
            Err(error)
        }
    }
}

async fn hear_all(
    shared: &Shared,
    connection: &Connection,
    source: &mut FrameSource,
    backoff: &mut Backoff,
) -> ConnectError {
    loop {
        match next_frame(source).await {
            Ok(Some(frame)) => {
                // A node that says more than its welcome is at work; one that only ever welcomes
                // is met again more and more seldom.
                if matches!(frame, Frame::Ack(_) | Frame::Interned(_)) {
                    backoff.reset();
                }
                if let Err(error) = hear(shared, frame) {
                    return error;
                }
            }
            Ok(None) => {
                let found = "the end of the control stream";
                return cause(connection, ConnectError::Protocol { found, wanted: "acks" });
            }
            Err(error) => return error,
        }
    }
}

/// Sends questions for handles and probes.
async fn say(
    shared: &Shared,
    sink: &mut FrameSink,
    control: &mut mpsc::Receiver<Frame>,
) -> Result<(), ConnectError> {
    loop {
        loop {
            let question = shared.lock().handles.next_question();
            match question {
                Some(question) => push(sink, &Frame::Intern(question))?,
                None => break,
            }
        }
        sink.flush().await?;
        tokio::select! {
            // Handles are looked at above in any case, so whoever asks for them without a pause
            // keeps no probe waiting.
            biased;
            frame = control.recv() => match frame {
                Some(frame) => push(sink, &frame)?,
                // The publisher is being dropped, and this task with it.
                None => std::future::pending().await,
            },
            () = shared.handle_work.notified() => {}
        }
    }
}

fn hear(shared: &Shared, frame: Frame) -> Result<(), ConnectError> {
    match frame {
        Frame::Ack(ack) => {
            let failure = {
                let mut outboxes = shared.lock();
                outboxes.on_ack(&ack);
                outboxes.spool_failure()
            };
            if let Some(reason) = failure {
                tracing::error!(%reason, "inputs are no longer kept on this machine's disk");
                shared.tell(PublisherNotice::NotKept { reason });
            }
            shared.show_progress(|_| {});
            shared.work(ack.lane).notify_one();
            shared.room.notify_waiters();
        }
        Frame::Interned(answer) => {
            let confirmed = {
                let mut outboxes = shared.lock();
                outboxes.handles.on_answer(&answer);
                outboxes.handles.confirmed_count()
            };
            shared.handles_confirmed.send_replace(confirmed);
            // There may be more to ask, and what waited for its handle may go.
            shared.handle_work.notify_one();
            for lane in crate::session::VENDOR_LANES {
                shared.work(lane).notify_one();
            }
        }
        Frame::Refusal(refusal) => on_refusal(shared, &refusal),
        Frame::Refused(refused) => shared.tell(PublisherNotice::Complaint {
            code: refused.code,
            detail: refused.detail.to_string(),
        }),
        Frame::ClockOffset(clock) => {
            shared.progress.send_modify(|progress| progress.clock_offset_ns = clock.offset_ns);
            shared.tell(PublisherNotice::ClockOffset { offset_ns: clock.offset_ns });
        }
        Frame::EchoReply(reply) => shared.tell(PublisherNotice::EchoReply { nonce: reply.nonce }),
        Frame::CertificateEnds(certificate) => {
            tracing::warn!(ends_at = certificate.ends_at.0, "this program's certificate ends soon");
            shared.tell(PublisherNotice::CertificateEnds { ends_at: certificate.ends_at });
        }
        Frame::DoorOrder(order) => shared.orders.take(order),
        Frame::Heartbeat(_) => {}
        other => return Err(unexpected(other, "acks")),
    }
    Ok(())
}

fn on_refusal(shared: &Shared, refusal: &Refusal) {
    let notice = {
        let mut outboxes = shared.lock();
        outboxes.on_refusal(refusal);
        PublisherNotice::Refused {
            lane: refusal.lane,
            first_number: outboxes.ticket_of(refusal.lane, refusal.epoch, refusal.first_seq),
            count: refusal.count,
            code: refusal.code,
            thing: refusal.handle.and_then(|handle| outboxes.handles.item(handle)).cloned(),
        }
    };
    shared.tell(notice);
}

async fn open_lane(
    connection: &Connection,
    lane: Lane,
    epoch: u32,
) -> Result<FrameSink, ConnectError> {
    let stream = connection.open_uni().await?;
    let sink = FrameSink::with_preamble(stream, Preamble::Lane { lane, epoch });
    sink.set_priority(priority(lane));
    Ok(sink)
}

/// Sends pings as they come: one when one has come, all that gathered while the line was busy.
async fn send_pings(
    shared: &Shared,
    connection: &Connection,
    batch_max: usize,
) -> Result<(), ConnectError> {
    let epoch = shared.lock().ping.progress().epoch;
    let mut sink = open_lane(connection, Lane::Ping, epoch).await?;
    let mut batch = Vec::with_capacity(batch_max);
    loop {
        while sink.pending_bytes() < PING_BYTES_AHEAD {
            batch.clear();
            let first_seq = {
                let mut outboxes = shared.lock();
                let known = outboxes.handles.confirmed_count();
                outboxes.ping.take(batch_max, |ping| ping.handle() < known, &mut batch)
            };
            match first_seq {
                Some(first_seq) => {
                    sink.push_pings(first_seq, &batch)
                        .map_err(|error| ConnectError::Stream(error.into()))?;
                }
                None => break,
            }
        }
        if sink.pending_bytes() > 0 {
            sink.flush().await?;
        } else {
            shared.work(Lane::Ping).notified().await;
        }
    }
}

async fn send_reports(
    shared: &Shared,
    connection: &Connection,
    lane: Lane,
    batch_max: usize,
) -> Result<(), ConnectError> {
    let epoch = reports(shared, lane, |outbox, _| outbox.progress().epoch);
    let mut sink = open_lane(connection, lane, epoch).await?;
    let mut batch: Vec<PendingReport> = Vec::new();
    loop {
        while !sink.is_full() {
            batch.clear();
            let first_seq = reports(shared, lane, |outbox, known| {
                outbox.take(batch_max, |report| report.is_known(known), &mut batch)
            });
            let Some(first_seq) = first_seq else { break };
            let numbered =
                batch.iter().zip(first_seq..).map(|(report, seq)| report.wire(seq)).collect();
            push(&mut sink, &Frame::Reports(numbered))?;
        }
        if sink.pending_bytes() > 0 {
            sink.flush().await?;
        } else {
            shared.work(lane).notified().await;
        }
    }
}

fn reports<T>(
    shared: &Shared,
    lane: Lane,
    act: impl FnOnce(&mut LaneOutbox<PendingReport>, u32) -> T,
) -> T {
    let mut outboxes = shared.lock();
    let known = outboxes.handles.confirmed_count();
    let outboxes = &mut *outboxes;
    act(if lane == Lane::Duress { &mut outboxes.duress } else { &mut outboxes.door }, known)
}
