//! Hands the streams of a subscription from the connection to whoever reads them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ach_engine_net::FrameSource;
use ach_engine_wire::Code;
use thiserror::Error;
use tokio::sync::Notify;

/// Why a subscription came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the node refused to be followed: {code}: {detail}")]
pub struct SubscriptionRefused {
    /// Why.
    pub code: Code,
    /// In its words.
    pub detail: String,
}

#[derive(Debug, Default)]
struct Content {
    source: Option<FrameSource>,
    refused: Option<SubscriptionRefused>,
    is_closed: bool,
}

/// Room for one stream: that of the newest connection. It resumes after what was read, so whatever
/// is left unread in an older one comes again in it, and the older one may go.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceSlot(Arc<(Mutex<Content>, Notify)>);

impl SourceSlot {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the stream of a new connection in the place of an older one.
    pub(crate) fn put(&self, source: FrameSource) {
        self.lock().source = Some(source);
        self.0.1.notify_one();
    }

    /// There will be no stream.
    pub(crate) fn refuse(&self, refused: SubscriptionRefused) {
        self.lock().refused.get_or_insert(refused);
        self.0.1.notify_one();
    }

    /// There will be no further stream, by the reader's own wish.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.0.1.notify_one();
    }

    /// Why there will be no stream.
    pub(crate) fn refused(&self) -> Option<SubscriptionRefused> {
        self.lock().refused.clone()
    }

    /// The newest stream, once there is one; `None` when there will be none. May be cancelled.
    pub(crate) async fn take(&self) -> Option<FrameSource> {
        loop {
            {
                let mut content = self.lock();
                if let Some(source) = content.source.take() {
                    return Some(source);
                }
                if content.refused.is_some() || content.is_closed {
                    return None;
                }
            }
            self.0.1.notified().await;
        }
    }
}
