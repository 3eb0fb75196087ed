//! What a publisher does behind the scenes: sends what waits, takes acks, connects again.

use std::sync::Arc;

use ach_actors_model::Lane;
use ach_engine_net::FrameSink;
use ach_engine_wire::limits::{BATCH_PINGS_MAX, BATCH_REPORTS_MAX};
use ach_engine_wire::{Ack, Frame, LaneResume, Preamble, Refusal, Welcome};
use quinn::Connection;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::client::Connector;
use crate::clock::chance;
use crate::publisher::{PendingReport, Shared};
use crate::session::{Session, next_frame, push, unexpected};
use crate::{Backoff, ConnectError, LaneOutbox, OutboxError, PublisherNotice};

/// Lanes of a vendor, most urgent first, with their priority on the sender's side.
const LANES: [(Lane, i32); 3] = [(Lane::Duress, 2), (Lane::Door, 1), (Lane::Ping, 0)];

/// Whether to go on.
enum Ended {
    /// The caller said goodbye.
    Closed,
    /// The connection broke.
    Broken(ConnectError),
}

/// Keeps a session up until the publisher is closed.
pub(crate) async fn publish_forever(
    connector: Connector,
    first: Session,
    shared: Arc<Shared>,
    mut control: mpsc::Receiver<Frame>,
) {
    let mut session = Some(first);
    let mut backoff = Backoff::default();
    let mut may_resume = true;
    loop {
        let opened = if let Some(session) = session.take() {
            Ok(session)
        } else {
            let resume = if may_resume { resume_points(&shared) } else { Vec::new() };
            Session::open(&connector, resume).await
        };
        let ended = match opened {
            Ok(session) => match begin(&shared, &session.welcome) {
                Ok(()) => {
                    may_resume = true;
                    backoff.reset();
                    run(&shared, session, &mut control).await
                }
                Err(OutboxError::NodeIsBehind | OutboxError::Full { .. }) => {
                    may_resume = false;
                    session.close().await;
                    continue;
                }
            },
            Err(error) => Ended::Broken(error),
        };
        shared.show_progress(|progress| progress.is_connected = false);
        let Ended::Broken(error) = ended else { return };
        tracing::debug!(%error, "publisher lost its connection");
        shared.tell(PublisherNotice::Disconnected { reason: error.to_string() });
        sleep(backoff.next_wait(chance())).await;
    }
}

fn resume_points(shared: &Shared) -> Vec<LaneResume> {
    let outboxes = shared.lock();
    let points = [outboxes.duress.resume(), outboxes.door.resume(), outboxes.ping.resume()];
    LANES
        .iter()
        .zip(points)
        .filter_map(|((lane, _), point)| {
            point.map(|(epoch, last_seq)| LaneResume { lane: *lane, epoch, last_seq })
        })
        .collect()
}

fn begin(shared: &Shared, welcome: &Welcome) -> Result<(), OutboxError> {
    let mut ping_epoch = 0;
    {
        let mut outboxes = shared.lock();
        outboxes.handles.on_connected();
        outboxes.duress.on_storing(welcome.is_storing);
        outboxes.door.on_storing(welcome.is_storing);
        outboxes.ping.on_storing(welcome.is_storing);
        for lane in &welcome.lanes {
            match lane.lane {
                Lane::Duress => outboxes.duress.on_welcome(lane)?,
                Lane::Door => outboxes.door.on_welcome(lane)?,
                Lane::Ping => {
                    ping_epoch = lane.epoch;
                    outboxes.ping.on_welcome(lane)?;
                }
                Lane::Audit | Lane::Console => {}
            }
        }
    }
    shared.handles_confirmed.send_replace(0);
    shared.show_progress(|progress| {
        progress.is_connected = true;
        progress.is_storing = welcome.is_storing;
    });
    shared.room.notify_waiters();
    shared.tell(PublisherNotice::Connected { epoch: ping_epoch });
    Ok(())
}

async fn run(shared: &Shared, session: Session, control: &mut mpsc::Receiver<Frame>) -> Ended {
    let Session { connection, mut sink, mut source, welcome: _ } = session;
    let is_goodbye = {
        let hear = async {
            loop {
                match next_frame(&mut source).await {
                    Ok(Some(frame)) => hear(shared, frame)?,
                    Ok(None) => return Err::<(), _>(ended_by_node(&connection)),
                    Err(error) => return Err(error),
                }
            }
        };
        // Whichever ends first ends the session. The most urgent lane is looked at first.
        tokio::select! {
            biased;
            Err(error) = hear => Err(error),
            Err(error) = send_reports(shared, &connection, Lane::Duress) => Err(error),
            Err(error) = send_reports(shared, &connection, Lane::Door) => Err(error),
            said = say(shared, &mut sink, control) => said,
            Err(error) = send_pings(shared, &connection) => Err(error),
        }
    };
    match is_goodbye {
        Ok(()) => {
            // Whoever says goodbye does not care why the other end is gone already.
            let _ = sink.finish().await;
            connection.close(quinn::VarInt::from_u32(0), b"");
            Ended::Closed
        }
        Err(error) => {
            connection.close(quinn::VarInt::from_u32(0), b"");
            Ended::Broken(connection_error(&connection, error))
        }
    }
}

/// Why the connection closed says more than what the stream felt of it.
fn connection_error(connection: &Connection, error: ConnectError) -> ConnectError {
    match connection.close_reason() {
        Some(quinn::ConnectionError::LocallyClosed) | None => error,
        Some(reason) => ConnectError::Connection(reason),
    }
}

fn ended_by_node(connection: &Connection) -> ConnectError {
    connection.close_reason().map_or(
        ConnectError::Protocol { found: "the end of the control stream", wanted: "acks" },
        ConnectError::Connection,
    )
}

/// Sends questions for handles and what the caller wants said; ends after a goodbye.
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
            () = shared.handle_work.notified() => {}
            frame = control.recv() => match frame {
                Some(frame) => {
                    push(sink, &frame)?;
                    if matches!(frame, Frame::Goodbye(_)) {
                        return Ok(sink.flush().await?);
                    }
                }
                // The publisher is being dropped, and this task with it.
                None => std::future::pending().await,
            }
        }
    }
}

fn hear(shared: &Shared, frame: Frame) -> Result<(), ConnectError> {
    match frame {
        Frame::Ack(ack) => on_ack(shared, &ack),
        Frame::Interned(answer) => {
            let confirmed = {
                let mut outboxes = shared.lock();
                outboxes.handles.on_answer(&answer);
                outboxes.handles.confirmed_count()
            };
            shared.handles_confirmed.send_replace(confirmed);
            // There may be more to ask, and what waited for its handle may go.
            shared.handle_work.notify_one();
            for (lane, _) in LANES {
                shared.work(lane).notify_one();
            }
        }
        Frame::Refusal(refusal) => on_refusal(shared, &refusal),
        Frame::Refused(refused) => shared.tell(PublisherNotice::Complaint {
            code: refused.code,
            detail: refused.detail.as_str().to_owned(),
        }),
        Frame::ClockOffset(clock) => {
            shared.progress.send_modify(|progress| progress.clock_offset_ns = clock.offset_ns);
            shared.tell(PublisherNotice::ClockOffset { offset_ns: clock.offset_ns });
        }
        Frame::EchoReply(reply) => shared.tell(PublisherNotice::EchoReply { nonce: reply.nonce }),
        Frame::Heartbeat(_) => {}
        other => return Err(unexpected(other, "acks")),
    }
    Ok(())
}

fn on_ack(shared: &Shared, ack: &Ack) {
    {
        let mut outboxes = shared.lock();
        match ack.lane {
            Lane::Duress => outboxes.duress.on_ack(ack),
            Lane::Door => outboxes.door.on_ack(ack),
            Lane::Ping => outboxes.ping.on_ack(ack),
            Lane::Audit | Lane::Console => {}
        }
    }
    shared.show_progress(|_| {});
    shared.work(ack.lane).notify_one();
    shared.room.notify_waiters();
}

fn on_refusal(shared: &Shared, refusal: &Refusal) {
    let notice = {
        let outboxes = shared.lock();
        let first_number = match refusal.lane {
            Lane::Duress => outboxes.duress.ticket_of(refusal.epoch, refusal.first_seq),
            Lane::Door => outboxes.door.ticket_of(refusal.epoch, refusal.first_seq),
            _ => outboxes.ping.ticket_of(refusal.epoch, refusal.first_seq),
        };
        PublisherNotice::Refused {
            lane: refusal.lane,
            first_number,
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
    let priority = LANES.iter().find(|(known, _)| *known == lane).map_or(0, |(_, value)| *value);
    sink.set_priority(priority);
    Ok(sink)
}

/// Sends pings as they come: one when one has come, all that gathered while the line was busy.
async fn send_pings(shared: &Shared, connection: &Connection) -> Result<(), ConnectError> {
    let epoch = shared.lock().ping.progress().epoch;
    let mut sink = open_lane(connection, Lane::Ping, epoch).await?;
    let mut batch = Vec::with_capacity(BATCH_PINGS_MAX);
    loop {
        while !sink.is_full() {
            batch.clear();
            let first_seq = {
                let mut outboxes = shared.lock();
                let known = outboxes.handles.confirmed_count();
                outboxes.ping.take(BATCH_PINGS_MAX, |ping| ping.handle() < known, &mut batch)
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
            shared.ping_work.notified().await;
        }
    }
}

async fn send_reports(
    shared: &Shared,
    connection: &Connection,
    lane: Lane,
) -> Result<(), ConnectError> {
    let epoch = reports(shared, lane, |outbox, _| outbox.progress().epoch);
    let mut sink = open_lane(connection, lane, epoch).await?;
    let mut batch: Vec<PendingReport> = Vec::new();
    loop {
        while !sink.is_full() {
            batch.clear();
            let first_seq = reports(shared, lane, |outbox, known| {
                outbox.take(BATCH_REPORTS_MAX, |report| report.handle() < known, &mut batch)
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
