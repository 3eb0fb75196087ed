//! Events and positions as they come.

use ach_engine_net::FrameSource;
use ach_engine_wire::{Cursor, EventNote, Frame, Gap, PositionNote, Storage};
use futures_util::Stream;

use crate::subscriber::{Incoming, Prober};

/// News of a stream of notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteUpdate<T> {
    /// A note.
    Note(T),
    /// Notes were left out.
    Gap(Gap),
    /// A probe came back.
    EchoReply {
        /// Its number.
        nonce: u64,
    },
    /// The connection broke; the stream connects again.
    Disconnected,
}

#[derive(Debug)]
struct Notes {
    incoming: Incoming,
    current: Option<FrameSource>,
}

impl Notes {
    /// The next frame; `Err` when the connection broke, `None` when there will be no other.
    async fn next(&mut self) -> Option<Result<Frame, ()>> {
        loop {
            let Some(source) = &mut self.current else {
                self.current = Some(self.incoming.sources.recv().await?);
                continue;
            };
            let Ok(Some(raw)) = source.next().await else {
                self.current = None;
                return Some(Err(()));
            };
            match Frame::decode(raw) {
                Ok(Some(frame)) => return Some(Ok(frame)),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a node sent what is not understood");
                    source.stop(error.code());
                    self.current = None;
                    return Some(Err(()));
                }
            }
        }
    }
}

/// A stream of events over all connections of a [`Subscriber`](crate::Subscriber). Events that a
/// reconnect brings again are left out.
#[derive(Debug)]
pub struct EventStream {
    notes: Notes,
    heard_through: Option<Cursor>,
}

impl EventStream {
    pub(crate) fn new(incoming: Incoming) -> EventStream {
        let heard_through = incoming.resume.get();
        EventStream { notes: Notes { incoming, current: None }, heard_through }
    }

    /// The last durable event that was heard, to resume after.
    pub fn cursor(&self) -> Option<Cursor> {
        self.notes.incoming.resume.get()
    }

    /// Sends probes whose answers come as [`NoteUpdate::EchoReply`].
    pub fn prober(&self) -> Prober {
        self.notes.incoming.prober()
    }

    /// The next news. May be cancelled.
    pub async fn next(&mut self) -> Option<NoteUpdate<EventNote>> {
        loop {
            return Some(match self.notes.next().await? {
                Ok(Frame::EventNote(note)) => {
                    if note.storage == Storage::Durable {
                        self.notes.incoming.resume.set(self.cursor().max(Some(note.cursor)));
                    }
                    if self.heard_through >= Some(note.cursor) {
                        continue;
                    }
                    self.heard_through = Some(note.cursor);
                    NoteUpdate::Note(note)
                }
                Ok(Frame::Gap(gap)) => NoteUpdate::Gap(gap),
                Ok(Frame::EchoReply(reply)) => NoteUpdate::EchoReply { nonce: reply.nonce },
                Ok(_) => continue,
                Err(()) => NoteUpdate::Disconnected,
            });
        }
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
    notes: Notes,
}

impl PositionStream {
    pub(crate) fn new(incoming: Incoming) -> PositionStream {
        PositionStream { notes: Notes { incoming, current: None } }
    }

    /// The next news. May be cancelled.
    pub async fn next(&mut self) -> Option<NoteUpdate<PositionNote>> {
        loop {
            return Some(match self.notes.next().await? {
                Ok(Frame::PositionNote(note)) => NoteUpdate::Note(note),
                Ok(Frame::Gap(gap)) => NoteUpdate::Gap(gap),
                Ok(Frame::EchoReply(reply)) => NoteUpdate::EchoReply { nonce: reply.nonce },
                Ok(_) => continue,
                Err(()) => NoteUpdate::Disconnected,
            });
        }
    }

    /// As a [`Stream`].
    pub fn into_stream(self) -> impl Stream<Item = NoteUpdate<PositionNote>> + Send {
        futures_util::stream::unfold(self, |mut positions| async move {
            let update = positions.next().await?;
            Some((update, positions))
        })
    }
}
