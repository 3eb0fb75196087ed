//! Alarms as they come, each change once.

use std::collections::VecDeque;

use ach_engine_wire::Cursor;
use futures_util::Stream;

use crate::incoming::{Arrival, Incoming, Prober};
use crate::shown::Shown;
use crate::{AlarmBook, AlarmUpdate, SubscriberError, SubscriptionRefused};

/// A stream of alarms over all connections of a [`Subscriber`](crate::Subscriber).
///
/// Notes are read from the connection when [`AlarmStream::next`] is polled, with no task between:
/// nothing is lost and nothing piles up while it is not. Do not let it wait for long, or the node
/// tells of a gap and sends the open alarms again.
#[derive(Debug)]
pub struct AlarmStream {
    incoming: Incoming,
    book: AlarmBook,
    news: VecDeque<AlarmUpdate>,
    shown: Shown,
}

impl AlarmStream {
    pub(crate) fn new(incoming: Incoming) -> AlarmStream {
        let book = AlarmBook::resumed_after(incoming.resume.get());
        AlarmStream { incoming, book, news: VecDeque::new(), shown: Shown::default() }
    }

    /// Where to resume in another process: after everything that [`AlarmStream::next`] has given.
    pub fn cursor(&self) -> Option<Cursor> {
        self.incoming.resume.get()
    }

    /// Why the stream has ended, if the node refused it.
    pub fn refused(&self) -> Option<SubscriptionRefused> {
        self.incoming.refused()
    }

    /// Sends probes whose answers come as [`AlarmUpdate::EchoReply`].
    pub fn prober(&self) -> Prober {
        self.incoming.prober()
    }

    /// Tells the node that people could see all that [`AlarmStream::next`] has given: to be called by
    /// a program that shows alarms, within two seconds of showing one, and by no other. Costs nothing
    /// when there is nothing to tell. A node counts, and complains about, alarms that nobody shows.
    ///
    /// # Errors
    ///
    /// The subscriber was closed.
    pub async fn displayed(&mut self) -> Result<(), SubscriberError> {
        let subscription = self.incoming.subscription();
        for displayed in self.shown.news(subscription, self.incoming.resume.get()) {
            self.incoming.displayed(displayed).await?;
        }
        Ok(())
    }

    /// The next news; `None` only when the node refused the subscription, see
    /// [`AlarmStream::refused`], or the subscriber was closed. May be cancelled.
    pub async fn next(&mut self) -> Option<AlarmUpdate> {
        let update = self.next_update().await?;
        self.shown.give(&update);
        Some(update)
    }

    async fn next_update(&mut self) -> Option<AlarmUpdate> {
        loop {
            let news = self.news.pop_front();
            if self.news.is_empty() {
                // All that was heard has been given, so it need not come again.
                self.incoming.resume.set(self.book.cursor());
            }
            if news.is_some() {
                return news;
            }
            match self.incoming.next().await? {
                Arrival::Begun => self.book.begin(),
                Arrival::Frame(frame) => self.news.extend(self.book.take(*frame)),
                Arrival::Unreadable(error) => {
                    self.book.skip();
                    return Some(AlarmUpdate::Unreadable(error));
                }
                Arrival::Broken => return Some(AlarmUpdate::Disconnected),
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
