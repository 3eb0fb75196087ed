//! Follows a site: alarms, events, positions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ach_actors_model::Timestamp;
use ach_engine_net::{FrameSink, FrameSource};
use ach_engine_wire::limits::SUBSCRIPTIONS_MAX;
use ach_engine_wire::{
    Cursor, Displayed, Echo, Filter, Frame, Padding, Preamble, Refused, Subscribe, Topic,
    Unsubscribe, WireError,
};
use quinn::{Connection, VarInt};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, sleep, timeout};

use crate::alarm_stream::AlarmStream;
use crate::client::Connector;
use crate::incoming::{Incoming, SharedCursor};
use crate::note_stream::{EventStream, PositionStream};
use crate::session::{GOODBYE_WITHIN, Session, cause, leave, next_frame, push, unexpected};
use crate::silence::{DEAD_AFTER, Silence, TICK};
use crate::source_slot::{SourceSlot, SubscriptionRefused};
use crate::{Backoff, ConnectError};

/// How long [`Subscriber::close`] waits. Longer than a goodbye may take to arrive, which ends the wait
/// in better order.
const CLOSE_WITHIN: Duration = GOODBYE_WITHIN.saturating_add(Duration::from_secs(1));

/// Wishes that wait to be sent.
const WISHES_MAX: usize = 4_096;

/// Why a subscription did not come about.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubscriberError {
    /// There are as many as may be.
    #[error("a subscriber has at most {SUBSCRIPTIONS_MAX} streams, drop one or connect again")]
    TooMany,
    /// What to follow does not fit into a frame.
    #[error("the filter is too long: {0}")]
    Filter(WireError),
    /// The subscriber has been dropped.
    #[error("the subscriber is closed, connect again")]
    Closed,
}

/// What the session is asked to do.
#[derive(Debug)]
pub(crate) enum Request {
    Add(Wanted),
    Remove(u32),
    Echo(Echo),
    Displayed(Displayed),
}

/// A subscription that is to live over all connections.
#[derive(Debug)]
pub(crate) struct Wanted {
    subscription: u32,
    topic: Topic,
    filter: Filter,
    resume: SharedCursor,
    slot: SourceSlot,
}

impl Wanted {
    fn subscribe(&self) -> Frame {
        Frame::Subscribe(Subscribe {
            subscription: self.subscription,
            topic: self.topic,
            filter: self.filter.clone(),
            resume_after: self.resume.get(),
        })
    }
}

/// The task that keeps the connection up, for as long as anybody holds it.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Follows a site over one connection, which it renews whenever it breaks. Streams live on after
/// the subscriber is dropped.
#[derive(Debug)]
pub struct Subscriber {
    requests: mpsc::Sender<Request>,
    next_subscription: u32,
    is_connected: watch::Receiver<bool>,
    trouble: watch::Receiver<Option<Arc<ConnectError>>>,
    certificate_ends: watch::Receiver<Option<Timestamp>>,
    leave: watch::Sender<bool>,
    task: Arc<Task>,
}

impl Subscriber {
    pub(crate) fn start(connector: Connector, session: Session) -> Subscriber {
        let (requests, queue) = mpsc::channel(WISHES_MAX);
        let (connected, is_connected) = watch::channel(true);
        let (troubles, trouble) = watch::channel(None);
        let (leave, leaving) = watch::channel(false);
        let (ends, certificate_ends) = watch::channel(None);
        let following = Following {
            connector,
            requests: queue,
            leaving,
            wanted: BTreeMap::new(),
            certificate_ends: ends,
            connection: None,
        };
        let task = tokio::spawn(following.run(session, connected, troubles));
        let task = Arc::new(Task(task));
        let next_subscription = 0;
        Subscriber {
            requests,
            next_subscription,
            is_connected,
            trouble,
            certificate_ends,
            leave,
            task,
        }
    }

    /// Why no connection stands, or why the last one broke; nothing once one stands. A certificate
    /// that has expired is told here, for one.
    pub fn trouble(&self) -> watch::Receiver<Option<Arc<ConnectError>>> {
        self.trouble.clone()
    }

    /// When this program's certificate ends, once the node has said that it does so soon.
    pub fn certificate_ends(&self) -> watch::Receiver<Option<Timestamp>> {
        self.certificate_ends.clone()
    }

    /// Whether a connection stands; watch it for changes.
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.is_connected.clone()
    }

    /// Follows alarms. With `resume_after` it goes on from an earlier stream's
    /// [`AlarmStream::cursor`].
    ///
    /// # Errors
    ///
    /// Too many streams, or too long a filter.
    pub async fn alarms(
        &mut self,
        filter: Filter,
        resume_after: Option<Cursor>,
    ) -> Result<AlarmStream, SubscriberError> {
        Ok(AlarmStream::new(self.add(Topic::Alarms, filter, resume_after).await?))
    }

    /// Follows events. They are not kept: with `resume_after` the stream begins with a gap.
    ///
    /// # Errors
    ///
    /// Too many streams, or too long a filter.
    pub async fn events(
        &mut self,
        filter: Filter,
        resume_after: Option<Cursor>,
    ) -> Result<EventStream, SubscriberError> {
        Ok(EventStream::new(self.add(Topic::Events, filter, resume_after).await?))
    }

    /// Follows positions.
    ///
    /// # Errors
    ///
    /// Too many streams, or too long a filter.
    pub async fn positions(&mut self, filter: Filter) -> Result<PositionStream, SubscriberError> {
        Ok(PositionStream::new(self.add(Topic::Positions, filter, None).await?))
    }

    /// Says goodbye, so that the node knows at once that nobody reads any more, and ends every stream:
    /// what a stream has not given by now it may not give, and then it gives `None`. Waits up to two
    /// seconds for the goodbye to arrive, and up to a second more for the connection to end.
    pub async fn close(self) {
        self.close_within(CLOSE_WITHIN).await;
    }

    /// As [`Subscriber::close`], but waits no longer than this. It is closed in any case: after that
    /// the connection is dropped without a goodbye, and every stream ends.
    pub async fn close_within(self, within: Duration) {
        self.leave.send_replace(true);
        let mut is_connected = self.is_connected.clone();
        let ended = async { while is_connected.changed().await.is_ok() {} };
        // Streams hold the task too, and must not keep it from ending.
        if timeout(within, ended).await.is_err() {
            self.task.0.abort();
        }
    }

    async fn add(
        &mut self,
        topic: Topic,
        filter: Filter,
        resume_after: Option<Cursor>,
    ) -> Result<Incoming, SubscriberError> {
        // Streams hold the task as well; those that were dropped do not count.
        if Arc::strong_count(&self.task) > SUBSCRIPTIONS_MAX {
            return Err(SubscriberError::TooMany);
        }
        let subscription = self.next_subscription;
        let resume = SharedCursor::default();
        resume.set(resume_after);
        let slot = SourceSlot::default();
        let wanted =
            Wanted { subscription, topic, filter, resume: resume.clone(), slot: slot.clone() };
        // Once it is wanted it is sent on every connection, so it must be one that can be sent.
        wanted.subscribe().encode(&mut Vec::new()).map_err(SubscriberError::Filter)?;
        self.next_subscription = subscription.saturating_add(1);
        self.requests.send(Request::Add(wanted)).await.map_err(|_| SubscriberError::Closed)?;
        let (requests, task) = (self.requests.clone(), Arc::clone(&self.task));
        Ok(Incoming::new(subscription, resume, slot, requests, task))
    }
}

/// What the task works with.
struct Following {
    connector: Connector,
    requests: mpsc::Receiver<Request>,
    leaving: watch::Receiver<bool>,
    wanted: BTreeMap<u32, Wanted>,
    certificate_ends: watch::Sender<Option<Timestamp>>,
    /// The one that stands, or the last. Whoever still reads a stream keeps it alive until it is
    /// closed.
    connection: Option<Connection>,
}

/// However the task ends, the connection does, and all streams, those too whose wish has not been
/// looked at.
impl Drop for Following {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close(VarInt::from_u32(0), b"");
        }
        self.requests.close();
        while let Ok(request) = self.requests.try_recv() {
            if let Request::Add(added) = request {
                added.slot.close();
            }
        }
        for wanted in self.wanted.values() {
            wanted.slot.close();
        }
    }
}

impl Following {
    async fn run(
        mut self,
        first: Session,
        connected: watch::Sender<bool>,
        troubles: watch::Sender<Option<Arc<ConnectError>>>,
    ) {
        let mut session = Some(first);
        let mut backoff = Backoff::default();
        loop {
            let opened = if let Some(session) = session.take() {
                Ok(session)
            } else {
                tokio::select! {
                    biased;
                    () = left(&mut self.leaving) => break,
                    opened = Session::open(&self.connector, Vec::new()) => opened,
                }
            };
            let error = match opened {
                Ok(session) => {
                    connected.send_replace(true);
                    troubles.send_replace(None);
                    match self.follow(session, &mut backoff).await {
                        Some(error) => error,
                        None => break,
                    }
                }
                Err(error) => error,
            };
            tracing::debug!(%error, "subscriber lost its connection");
            let chance = self.connector.config.surroundings.chance();
            let wait = backoff.wait_after(&error, chance);
            // Said before streams feel it, so that whoever is told by one can look why.
            troubles.send_replace(Some(Arc::new(error)));
            connected.send_replace(false);
            if let Some(connection) = &self.connection {
                connection.close(VarInt::from_u32(0), b"");
            }
            tokio::select! {
                biased;
                () = left(&mut self.leaving) => break,
                () = sleep(wait) => {}
            }
        }
        drop(self);
        connected.send_replace(false);
    }

    /// Follows over one connection until it breaks; `None` when the subscriber was closed.
    async fn follow(&mut self, session: Session, backoff: &mut Backoff) -> Option<ConnectError> {
        let Session { connection, mut sink, mut source, welcome: _ } = session;
        self.connection = Some(connection.clone());
        let silent =
            ConnectError::NoAnswer { address: self.connector.config.addr, within: DEAD_AFTER };
        let Following { requests, leaving, wanted, certificate_ends, .. } = self;
        let mut silence = Silence::default();
        let mut ticks = tokio::time::interval_at(Instant::now() + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut openings = JoinSet::new();
        let mut following = wanted.values().try_for_each(|it| push(&mut sink, &it.subscribe()));
        while following.is_ok() {
            following = tokio::select! {
                biased;
                () = left(leaving) => {
                    leave(sink, &connection).await;
                    return None;
                }
                frame = next_frame(&mut source) => {
                    silence.hear();
                    frame.and_then(|frame| hear(frame, wanted, certificate_ends))
                }
                flushed = sink.flush(), if sink.pending_bytes() > 0 => flushed.map_err(Into::into),
                // Behind the frames: a program that was busy hears what has come before it judges.
                _ = ticks.tick() => {
                    if silence.is_dead_at_tick() {
                        break;
                    }
                    push(&mut sink, &probe())
                }
                stream = connection.accept_uni() => stream.map_err(Into::into).map(|stream| {
                    // Bounded by the streams that the transport lets a node open.
                    openings.spawn(FrameSource::open(stream));
                }),
                Some(opened) = openings.join_next() => {
                    if let Ok(Ok((Preamble::Subscription { subscription, .. }, notes))) = opened
                        // A stream that nobody wants any more is dropped, which stops it.
                        && let Some(wanted) = wanted.get(&subscription)
                    {
                        wanted.slot.put(notes);
                        // A node that opens what was asked for is at work.
                        backoff.reset();
                    }
                    Ok(())
                }
                request = requests.recv(), if !sink.is_full() => match request {
                    Some(request) => on_request(request, wanted, &mut sink),
                    // All streams and the subscriber are being dropped, and this task with them.
                    None => std::future::pending().await,
                }
            };
        }
        // The loop was left while all was well: the node has been silent.
        Some(cause(&connection, following.err().unwrap_or(silent)))
    }
}

/// A question whose answer shows that the node is there. One that hangs and one that cannot be
/// reached answer nothing, while the connection itself stands for some time.
fn probe() -> Frame {
    let padding = Padding::default();
    Frame::Echo(Echo { nonce: 0, subscription: None, reply_bytes: 0, padding })
}

/// Returns when the subscriber is closed. One that is dropped is not: its streams live on.
async fn left(leaving: &mut watch::Receiver<bool>) {
    if leaving.wait_for(|is_leaving| *is_leaving).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Takes what the node says on the control stream.
fn hear(
    frame: Option<Frame>,
    wanted: &mut BTreeMap<u32, Wanted>,
    certificate_ends: &watch::Sender<Option<Timestamp>>,
) -> Result<(), ConnectError> {
    match frame {
        Some(Frame::Refused(Refused { code, detail, subscription, .. })) => {
            tracing::warn!(%code, %detail, "refused");
            if let Some(refused) = subscription.and_then(|it| wanted.remove(&it)) {
                refused.slot.refuse(SubscriptionRefused { code, detail: detail.to_string() });
            }
            Ok(())
        }
        Some(Frame::CertificateEnds(certificate)) => {
            tracing::warn!(ends_at = certificate.ends_at.0, "this program's certificate ends soon");
            certificate_ends.send_replace(Some(certificate.ends_at));
            Ok(())
        }
        Some(Frame::Heartbeat(_) | Frame::EchoReply(_)) => Ok(()),
        Some(other) => Err(unexpected(other, "notes on their own streams")),
        None => Err(ConnectError::Protocol { found: "an end", wanted: "a goodbye" }),
    }
}

fn on_request(
    request: Request,
    wanted: &mut BTreeMap<u32, Wanted>,
    sink: &mut FrameSink,
) -> Result<(), ConnectError> {
    match request {
        Request::Add(added) => {
            push(sink, &added.subscribe())?;
            wanted.insert(added.subscription, added);
            Ok(())
        }
        Request::Remove(subscription) => match wanted.remove(&subscription) {
            Some(_) => push(sink, &Unsubscribe { subscription }.into()),
            None => Ok(()),
        },
        Request::Echo(echo) => push(sink, &echo.into()),
        Request::Displayed(displayed) => push(sink, &displayed.into()),
    }
}
