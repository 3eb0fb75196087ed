//! The reader's end of a subscription: frame after frame, over all connections.

use std::sync::{Arc, Mutex, PoisonError};

use ach_engine_net::FrameSource;
use ach_engine_wire::limits::ECHO_BYTES_MAX;
use ach_engine_wire::{Cursor, Displayed, Echo, Frame, Padding, WireError};
use tokio::sync::mpsc;

use crate::SubscriberError;
use crate::source_slot::{SourceSlot, SubscriptionRefused};
use crate::subscriber::{Request, Task};

/// Where the next connection resumes.
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

/// What comes next.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// The stream of a new connection.
    Begun,
    /// A frame.
    Frame(Box<Frame>),
    /// A frame that this version cannot read; those after it may be.
    Unreadable(WireError),
    /// The connection broke.
    Broken,
}

/// One end of a subscription.
#[derive(Debug)]
pub(crate) struct Incoming {
    subscription: u32,
    pub(crate) resume: SharedCursor,
    slot: SourceSlot,
    current: Option<FrameSource>,
    requests: mpsc::Sender<Request>,
    _task: Arc<Task>,
}

impl Incoming {
    pub(crate) fn new(
        subscription: u32,
        resume: SharedCursor,
        slot: SourceSlot,
        requests: mpsc::Sender<Request>,
        task: Arc<Task>,
    ) -> Incoming {
        Incoming { subscription, resume, slot, current: None, requests, _task: task }
    }

    /// What comes next; `None` when the node refused the subscription, or the
    /// subscriber was closed. May be cancelled.
    pub(crate) async fn next(&mut self) -> Option<Arrival> {
        loop {
            let Some(source) = &mut self.current else {
                self.current = Some(self.slot.take().await?);
                return Some(Arrival::Begun);
            };
            let Ok(Some(raw)) = source.next().await else {
                self.current = None;
                return Some(Arrival::Broken);
            };
            match Frame::decode(raw) {
                Ok(Some(frame)) => return Some(Arrival::Frame(Box::new(frame))),
                Ok(None) => {}
                // Its length was right, so what follows can be read.
                Err(error) => {
                    tracing::warn!(%error, "a node sent what is not understood");
                    return Some(Arrival::Unreadable(error));
                }
            }
        }
    }

    /// Why there will be nothing.
    pub(crate) fn refused(&self) -> Option<SubscriptionRefused> {
        self.slot.refused()
    }

    /// Tells the node what people could see of this subscription.
    pub(crate) async fn displayed(&self, displayed: Displayed) -> Result<(), SubscriberError> {
        let sent = self.requests.send(Request::Displayed(displayed)).await;
        sent.map_err(|_| SubscriberError::Closed)
    }

    /// Its number on every connection.
    pub(crate) fn subscription(&self) -> u32 {
        self.subscription
    }

    pub(crate) fn prober(&self) -> Prober {
        Prober { subscription: self.subscription, requests: self.requests.clone() }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Should the queue be full, the node finds the stream stopped and ends it all the same.
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
