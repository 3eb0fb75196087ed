//! Follows a site: alarms, events, positions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ach_engine_net::FrameSource;
use ach_engine_wire::limits::{ECHO_BYTES_MAX, SUBSCRIPTIONS_MAX};
use ach_engine_wire::{
    Cursor, Echo, Filter, Frame, Padding, Preamble, Subscribe, Topic, Unsubscribe,
};
use quinn::VarInt;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::alarm_stream::AlarmStream;
use crate::client::Connector;
use crate::clock::chance;
use crate::note_stream::{EventStream, PositionStream};
use crate::session::{Session, next_frame, push, unexpected};
use crate::{Backoff, ConnectError};

/// Wishes that wait to be sent.
const WISHES_MAX: usize = 4_096;

/// Streams a subscription may have waiting: the one in use and that of the next connection.
const SOURCES_MAX: usize = 4;

/// Why a subscription did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SubscriberError {
    /// There are as many as may be.
    #[error("a subscriber has at most {SUBSCRIPTIONS_MAX} streams, drop one or connect again")]
    TooMany,
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
}

/// A subscription that is to live over all connections.
#[derive(Debug)]
pub(crate) struct Wanted {
    subscription: u32,
    topic: Topic,
    filter: Filter,
    resume: SharedCursor,
    sources: mpsc::Sender<FrameSource>,
}

/// The last durable note of a stream, which the next connection resumes after.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedCursor(Arc<Mutex<Option<Cursor>>>);

impl SharedCursor {
    pub(crate) fn get(&self) -> Option<Cursor> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, cursor: Option<Cursor>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cursor;
    }
}

/// One end of a subscription: the streams that come for it, one after the other.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) subscription: u32,
    pub(crate) resume: SharedCursor,
    pub(crate) sources: mpsc::Receiver<FrameSource>,
    requests: mpsc::Sender<Request>,
    _task: Arc<Task>,
}

impl Incoming {
    pub(crate) fn prober(&self) -> Prober {
        Prober { subscription: self.subscription, requests: self.requests.clone() }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // A full queue only means that the node goes on sending what is thrown away here until
        // the connection ends.
        let _ = self.requests.try_send(Request::Remove(self.subscription));
    }
}

/// Sends probes whose answers come back within a stream of notes.
#[derive(Debug, Clone)]
pub struct Prober {
    subscription: u32,
    requests: mpsc::Sender<Request>,
}

impl Prober {
    /// Sends a probe; its answer, of at least `reply_bytes` bytes, comes on the same stream as the
    /// notes do.
    ///
    /// # Errors
    ///
    /// The stream or its subscriber has been dropped.
    pub async fn send(&self, nonce: u64, reply_bytes: u32) -> Result<(), SubscriberError> {
        let echo = Echo {
            nonce,
            subscription: Some(self.subscription),
            reply_bytes: reply_bytes.min(ECHO_BYTES_MAX),
            padding: Padding::default(),
        };
        self.requests.send(Request::Echo(echo)).await.map_err(|_| SubscriberError::Closed)
    }
}

#[derive(Debug)]
struct Task(JoinHandle<()>);

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
    task: Arc<Task>,
}

impl Subscriber {
    pub(crate) fn start(connector: Connector, session: Session) -> Subscriber {
        let (requests, queue) = mpsc::channel(WISHES_MAX);
        let (connected, is_connected) = watch::channel(true);
        let task = tokio::spawn(follow_forever(connector, session, queue, connected));
        Subscriber { requests, next_subscription: 0, is_connected, task: Arc::new(Task(task)) }
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
    /// Too many streams.
    pub async fn alarms(
        &mut self,
        filter: Filter,
        resume_after: Option<Cursor>,
    ) -> Result<AlarmStream, SubscriberError> {
        Ok(AlarmStream::new(self.add(Topic::Alarms, filter, resume_after).await?))
    }

    /// Follows events.
    ///
    /// # Errors
    ///
    /// Too many streams.
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
    /// Too many streams.
    pub async fn positions(&mut self, filter: Filter) -> Result<PositionStream, SubscriberError> {
        Ok(PositionStream::new(self.add(Topic::Positions, filter, None).await?))
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
        self.next_subscription = subscription.saturating_add(1);
        let resume = SharedCursor::default();
        resume.set(resume_after);
        let (sources, incoming) = mpsc::channel(SOURCES_MAX);
        let wanted = Wanted { subscription, topic, filter, resume: resume.clone(), sources };
        self.requests.send(Request::Add(wanted)).await.map_err(|_| SubscriberError::Closed)?;
        Ok(Incoming {
            subscription,
            resume,
            sources: incoming,
            requests: self.requests.clone(),
            _task: Arc::clone(&self.task),
        })
    }
}

async fn follow_forever(
    connector: Connector,
    first: Session,
    mut requests: mpsc::Receiver<Request>,
    connected: watch::Sender<bool>,
) {
    let mut wanted = BTreeMap::new();
    let mut session = Some(first);
    let mut backoff = Backoff::default();
    loop {
        let opened = match session.take() {
            Some(session) => Ok(session),
            None => Session::open(&connector, Vec::new()).await,
        };
        let error = match opened {
            Ok(session) => {
                backoff.reset();
                connected.send_replace(true);
                follow(session, &mut requests, &mut wanted).await
            }
            Err(error) => error,
        };
        connected.send_replace(false);
        tracing::debug!(%error, "subscriber lost its connection");
        sleep(backoff.next_wait(chance())).await;
    }
}

/// Follows over one connection until it breaks.
async fn follow(
    session: Session,
    requests: &mut mpsc::Receiver<Request>,
    wanted: &mut BTreeMap<u32, Wanted>,
) -> ConnectError {
    let Session { connection, mut sink, mut source, welcome: _ } = session;
    let mut openings = JoinSet::new();
    let hear = async {
        loop {
            match next_frame(&mut source).await {
                Ok(Some(Frame::Refused(refused))) => {
                    tracing::warn!(code = %refused.code, detail = %refused.detail, "refused");
                }
                Ok(Some(Frame::Heartbeat(_) | Frame::EchoReply(_))) => {}
                Ok(Some(other)) => return unexpected(other, "notes on their own streams"),
                Ok(None) => {
                    return ConnectError::Protocol { found: "an end", wanted: "a goodbye" };
                }
                Err(error) => return error,
            }
        }
    };
    tokio::pin!(hear);
    let mut asked: Vec<Frame> = wanted.values().map(|wanted| subscribe(wanted).into()).collect();
    let error = loop {
        let sent = async {
            for frame in asked.drain(..) {
                push(&mut sink, &frame)?;
            }
            sink.flush().await.map_err(ConnectError::from)
        };
        if let Err(error) = sent.await {
            break error;
        }
        tokio::select! {
            biased;
            error = &mut hear => break error,
            stream = connection.accept_uni() => match stream {
                Ok(stream) => {
                    openings.spawn(FrameSource::open(stream));
                }
                Err(error) => break error.into(),
            },
            Some(opened) = openings.join_next() => {
                if let Ok(Ok((Preamble::Subscription { subscription, .. }, source))) = opened
                    && let Some(wanted) = wanted.get(&subscription)
                {
                    // A stream that nobody takes any more is dropped, which stops it.
                    let _ = wanted.sources.try_send(source);
                }
            }
            request = requests.recv() => match request {
                Some(request) => {
                    asked.extend(on_request(request, wanted));
                    while let Ok(request) = requests.try_recv() {
                        asked.extend(on_request(request, wanted));
                    }
                }
                // All streams and the subscriber are being dropped, and this task with them.
                None => std::future::pending().await,
            }
        }
    };
    connection.close(VarInt::from_u32(0), b"");
    match connection.close_reason() {
        Some(quinn::ConnectionError::LocallyClosed) | None => error,
        Some(reason) => reason.into(),
    }
}

fn on_request(request: Request, wanted: &mut BTreeMap<u32, Wanted>) -> Option<Frame> {
    match request {
        Request::Add(added) => {
            let frame = subscribe(&added).into();
            wanted.insert(added.subscription, added);
            Some(frame)
        }
        Request::Remove(subscription) => {
            wanted.remove(&subscription)?;
            Some(Unsubscribe { subscription }.into())
        }
        Request::Echo(echo) => Some(echo.into()),
    }
}

fn subscribe(wanted: &Wanted) -> Subscribe {
    Subscribe {
        subscription: wanted.subscription,
        topic: wanted.topic,
        filter: wanted.filter.clone(),
        resume_after: wanted.resume.get(),
    }
}
