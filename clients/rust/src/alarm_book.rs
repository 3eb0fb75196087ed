//! What a receiver knows of alarms, so that it is told each change once. Pure.
//!
//! The wire tells at least once: over a reconnect the open alarms come again. A change is known by
//! (id, transition). What was provisional and is neither among the open ones that a node sends
//! again nor among what became durable meanwhile is withdrawn.

use std::collections::{BTreeMap, VecDeque};

use ach_actors_model::{AlarmId, AlarmTransition};
use ach_engine_wire::{AlarmNote, AlarmSettled, Cursor, Frame, Gap, OpenSetEnd, Storage};

/// Ended episodes that are remembered, so that a late repetition of them is known as one.
const ENDED_REMEMBERED: usize = 65_536;

/// News of alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmUpdate {
    /// A change that was not known.
    Note(Box<AlarmNote>),
    /// A change that was told as provisional is durable.
    Durable {
        /// The episode.
        id: AlarmId,
        /// Which change.
        transition: AlarmTransition,
        /// Its cursor, if it was told.
        cursor: Option<Cursor>,
    },
    /// A change that was told as provisional never came to be stored.
    Withdrawn {
        /// The episode.
        id: AlarmId,
        /// Which change.
        transition: AlarmTransition,
    },
    /// Notes were left out; the open alarms are complete again after the next
    /// [`AlarmUpdate::OpenSetComplete`].
    Gap(Gap),
    /// All open alarms have been told since the connection came about.
    OpenSetComplete {
        /// How many there are.
        open_count: u32,
    },
    /// A probe came back.
    EchoReply {
        /// Its number.
        nonce: u64,
    },
    /// The connection broke; the stream connects again.
    Disconnected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Provisional { seen_in: u64 },
    Durable,
}

#[derive(Debug, Default)]
struct Episode {
    changes: BTreeMap<AlarmTransition, Change>,
}

/// Once the cursor is reached, or anything newer is heard, what is doubtful is withdrawn.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    until: Cursor,
    older_than: u64,
}

/// What is known of alarms.
#[derive(Debug, Default)]
pub struct AlarmBook {
    episodes: BTreeMap<AlarmId, Episode>,
    ended: VecDeque<AlarmId>,
    /// Counts the streams; what a stream has told carries its number.
    stream: u64,
    cursor: Option<Cursor>,
    doubt: Option<Doubt>,
}

impl AlarmBook {
    /// A book with nothing in it.
    pub fn new() -> AlarmBook {
        AlarmBook::default()
    }

    /// The last durable note, to resume after.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// A new stream begins; its open alarms come first.
    pub fn begin(&mut self) {
        self.stream = self.stream.saturating_add(1);
        self.doubt = None;
    }

    /// Takes a frame and gives the news in it, which may be none.
    pub fn take(&mut self, frame: Frame) -> Vec<AlarmUpdate> {
        let mut news = Vec::new();
        match frame {
            Frame::AlarmNote(note) => self.take_note(note, &mut news),
            Frame::AlarmSettled(settled) => self.take_settled(&settled, &mut news),
            Frame::OpenSetEnd(end) => self.take_end(&end, &mut news),
            Frame::Gap(gap) => {
                // What is sent again after this replaces what was missed.
                self.stream = self
                    .stream
                    .saturating_add(u64::from(gap.code == ach_engine_wire::Code::TooSlow));
                news.push(AlarmUpdate::Gap(gap));
            }
            Frame::EchoReply(reply) => news.push(AlarmUpdate::EchoReply { nonce: reply.nonce }),
            _ => {}
        }
        news
    }

    fn take_note(&mut self, note: AlarmNote, news: &mut Vec<AlarmUpdate>) {
        let (id, transition) = (note.id, note.transition);
        let is_live = !note.is_resent && note.cursor.is_none();
        let stream = self.stream;
        let episode = self.episodes.entry(id).or_default();
        let change = match note.storage {
            Storage::Durable => Change::Durable,
            Storage::Provisional(_) => Change::Provisional { seen_in: stream },
            Storage::Withdrawn => {
                if episode.changes.remove(&transition).is_some() {
                    news.push(AlarmUpdate::Withdrawn { id, transition });
                }
                return;
            }
        };
        match (episode.changes.get(&transition), change) {
            (None, _) => {
                episode.changes.insert(transition, change);
                let cursor = note.cursor;
                news.push(AlarmUpdate::Note(Box::new(note)));
                self.after_change(id, transition, cursor, news);
            }
            (Some(Change::Provisional { .. }), Change::Durable) => {
                episode.changes.insert(transition, change);
                news.push(AlarmUpdate::Durable { id, transition, cursor: note.cursor });
                self.after_change(id, transition, note.cursor, news);
            }
            (Some(Change::Provisional { .. }), Change::Provisional { .. }) => {
                episode.changes.insert(transition, change);
                self.mark_earlier(id, transition);
            }
            (Some(Change::Durable), _) => self.after_change(id, transition, note.cursor, news),
        }
        if is_live {
            self.end_doubt(news);
        }
    }

    fn take_settled(&mut self, settled: &AlarmSettled, news: &mut Vec<AlarmUpdate>) {
        let (id, transition) = (settled.id, settled.transition);
        let Some(episode) = self.episodes.get_mut(&id) else { return };
        if settled.storage == Storage::Withdrawn {
            if let Some(Change::Provisional { .. }) = episode.changes.get(&transition) {
                episode.changes.remove(&transition);
                news.push(AlarmUpdate::Withdrawn { id, transition });
            }
            return;
        }
        if let Some(Change::Provisional { .. }) = episode.changes.get(&transition) {
            episode.changes.insert(transition, Change::Durable);
            news.push(AlarmUpdate::Durable { id, transition, cursor: settled.cursor });
        }
        self.after_change(id, transition, settled.cursor, news);
    }

    /// A later change of an episode shows that the earlier ones stand as well.
    fn after_change(
        &mut self,
        id: AlarmId,
        transition: AlarmTransition,
        cursor: Option<Cursor>,
        news: &mut Vec<AlarmUpdate>,
    ) {
        self.cursor = self.cursor.max(cursor);
        self.mark_earlier(id, transition);
        if cursor.is_some()
            && let Some(episode) = self.episodes.get_mut(&id)
        {
            for (earlier, change) in episode.changes.range_mut(..transition) {
                if *change != Change::Durable {
                    *change = Change::Durable;
                    news.push(AlarmUpdate::Durable { id, transition: *earlier, cursor: None });
                }
            }
        }
        if matches!(transition, AlarmTransition::Retracted | AlarmTransition::Cleared) {
            self.remember_ended(id);
        }
        if let (Some(cursor), Some(doubt)) = (cursor, self.doubt)
            && cursor >= doubt.until
        {
            self.end_doubt(news);
        }
    }

    fn mark_earlier(&mut self, id: AlarmId, transition: AlarmTransition) {
        let stream = self.stream;
        if let Some(episode) = self.episodes.get_mut(&id) {
            for (_, change) in episode.changes.range_mut(..transition) {
                if let Change::Provisional { seen_in } = change {
                    *seen_in = stream;
                }
            }
        }
    }

    fn remember_ended(&mut self, id: AlarmId) {
        if self.ended.back() == Some(&id) {
            return;
        }
        self.ended.push_back(id);
        if self.ended.len() > ENDED_REMEMBERED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.episodes.remove(&oldest);
        }
    }

    fn take_end(&mut self, end: &OpenSetEnd, news: &mut Vec<AlarmUpdate>) {
        let doubt = Doubt { until: end.cursor.unwrap_or_default(), older_than: self.stream };
        self.doubt = Some(doubt);
        // What became durable since our cursor is still to come, and may settle the doubt.
        if end.cursor <= self.cursor {
            self.end_doubt(news);
        }
        news.push(AlarmUpdate::OpenSetComplete { open_count: end.open_count });
    }

    fn end_doubt(&mut self, news: &mut Vec<AlarmUpdate>) {
        let Some(doubt) = self.doubt.take() else { return };
        for (id, episode) in &mut self.episodes {
            episode.changes.retain(|transition, change| {
                let is_lost =
                    matches!(change, Change::Provisional { seen_in } if *seen_in < doubt.older_than);
                if is_lost {
                    news.push(AlarmUpdate::Withdrawn { id: *id, transition: *transition });
                }
                !is_lost
            });
        }
        self.episodes.retain(|_, episode| !episode.changes.is_empty());
    }
}

#[cfg(test)]
mod tests;
