//! Alarms as they come, each change once.

use std::collections::VecDeque;

use ach_engine_net::FrameSource;
use ach_engine_wire::{Cursor, Frame};
use futures_util::Stream;

use crate::subscriber::{Incoming, Prober};
use crate::{AlarmBook, AlarmUpdate};

/// A stream of alarms over all connections of a [`Subscriber`](crate::Subscriber).
///
/// Notes are read from the connection when [`AlarmStream::next`] is polled, with no task between:
/// nothing is lost and nothing piles up while it is not. Do not let it wait for long, or the node
/// tells of a gap and sends the open alarms again.
#[derive(Debug)]
pub struct AlarmStream {
    incoming: Incoming,
    current: Option<FrameSource>,
    book: AlarmBook,
    news: VecDeque<AlarmUpdate>,
}

impl AlarmStream {
    pub(crate) fn new(incoming: Incoming) -> AlarmStream {
        AlarmStream { incoming, current: None, book: AlarmBook::new(), news: VecDeque::new() }
    }

    /// The last durable note that was heard, to resume after in another process.
    pub fn cursor(&self) -> Option<Cursor> {
        self.book.cursor().max(self.incoming.resume.get())
    }

    /// Sends probes whose answers come as [`AlarmUpdate::EchoReply`].
    pub fn prober(&self) -> Prober {
        self.incoming.prober()
    }

    /// The next news; `None` never comes while the process lives. May be cancelled.
    pub async fn next(&mut self) -> Option<AlarmUpdate> {
        loop {
            if let Some(news) = self.news.pop_front() {
                return Some(news);
            }
            let Some(source) = &mut self.current else {
                self.current = Some(self.incoming.sources.recv().await?);
                self.book.begin();
                continue;
            };
            let Ok(Some(raw)) = source.next().await else {
                self.current = None;
                return Some(AlarmUpdate::Disconnected);
            };
            match Frame::decode(raw) {
                Ok(Some(frame)) => {
                    self.news.extend(self.book.take(frame));
                    self.incoming.resume.set(self.cursor());
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a node sent what is not understood");
                    source.stop(error.code());
                    self.current = None;
                    return Some(AlarmUpdate::Disconnected);
                }
            }
        }
    }

    /// As a [`Stream`].
    pub fn into_stream(self) -> impl Stream<Item = AlarmUpdate> + Send {
        futures_util::stream::unfold(self, |mut alarms| async move {
            let update = alarms.next().await?;
            Some((update, alarms))
        })
    }
}
