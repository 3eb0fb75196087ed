//! Events and positions as they come.

use ach_engine_wire::{Cursor, EventNote, Frame, Gap, PositionNote, WireError};
use futures_util::Stream;

use crate::SubscriptionRefused;
use crate::incoming::{Arrival, Incoming, Prober};

/// News of a stream of notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteUpdate<T> {
    /// A note.
    Note(T),
    /// Notes were left out, or may have been.
    Gap(Gap),
    /// The node told something in words of a later version, of which nothing is known here.
    Unreadable(WireError),
    /// A probe came back.
    EchoReply {
        /// Its number.
        nonce: u64,
    },
    /// The connection broke; the stream connects again.
    Disconnected,
}

/// The next news, of notes that `note` knows.
async fn next<T>(
    incoming: &mut Incoming,
    note: impl Fn(Frame) -> Option<T>,
) -> Option<NoteUpdate<T>> {
    loop {
        return Some(match incoming.next().await? {
            Arrival::Begun => continue,
            Arrival::Frame(frame) => match *frame {
                Frame::Gap(gap) => NoteUpdate::Gap(gap),
                Frame::EchoReply(reply) => NoteUpdate::EchoReply { nonce: reply.nonce },
                other => match note(other) {
                    Some(note) => NoteUpdate::Note(note),
                    None => continue,
                },
            },
            Arrival::Unreadable(error) => NoteUpdate::Unreadable(error),
            Arrival::Broken => NoteUpdate::Disconnected,
        });
    }
}

/// A stream of events over all connections of a [`Subscriber`](crate::Subscriber). Nodes do not keep
/// events: over a reconnect some are missing, which a [`NoteUpdate::Gap`] says.
#[derive(Debug)]
pub struct EventStream {
    incoming: Incoming,
}

impl EventStream {
    pub(crate) fn new(incoming: Incoming) -> EventStream {
        EventStream { incoming }
    }

    /// The last event that was heard. A stream that is asked to go on after it begins with a gap.
    pub fn cursor(&self) -> Option<Cursor> {
        self.incoming.resume.get()
    }

    /// Why the stream has ended, if the node refused it.
    pub fn refused(&self) -> Option<SubscriptionRefused> {
        self.incoming.refused()
    }

    /// Sends probes whose answers come as [`NoteUpdate::EchoReply`].
    pub fn prober(&self) -> Prober {
        self.incoming.prober()
    }

    /// The next news; `None` only when the node refused the subscription, or the subscriber was closed.
    /// May be cancelled.
    pub async fn next(&mut self) -> Option<NoteUpdate<EventNote>> {
        let event = |frame| match frame {
            Frame::EventNote(note) => Some(note),
            _ => None,
        };
        let news = next(&mut self.incoming, event).await;
        if let Some(NoteUpdate::Note(note)) = &news {
            self.incoming.resume.set(Some(note.cursor));
        }
        news
    }

    /// As a [`Stream`].
    pub fn into_stream(self) -> impl Stream<Item = NoteUpdate<EventNote>> + Send {
        futures_util::stream::unfold(self, |mut events| async move {
            let update = events.next().await?;
            Some((update, events))
        })
    }
}

/// A stream of positions over all connections of a [`Subscriber`](crate::Subscriber). What was
/// missed is not sent again: the next position of a tag is better.
#[derive(Debug)]
pub struct PositionStream {
    incoming: Incoming,
}

impl PositionStream {
    pub(crate) fn new(incoming: Incoming) -> PositionStream {
        PositionStream { incoming }
    }

    /// Why the stream has ended, if the node refused it.
    pub fn refused(&self) -> Option<SubscriptionRefused> {
        self.incoming.refused()
    }

    /// The next news; `None` only when the node refused the subscription, or the subscriber was closed.
    /// May be cancelled.
    pub async fn next(&mut self) -> Option<NoteUpdate<PositionNote>> {
        let position = |frame| match frame {
            Frame::PositionNote(note) => Some(note),
            _ => None,
        };
        next(&mut self.incoming, position).await
    }

    /// As a [`Stream`].
    pub fn into_stream(self) -> impl Stream<Item = NoteUpdate<PositionNote>> + Send {
        futures_util::stream::unfold(self, |mut positions| async move {
            let update = positions.next().await?;
            Some((update, positions))
        })
    }
}
