//! What a receiver knows of alarms, so that it is told each change once. Pure.
//!
//! The wire tells at least once: over a reconnect the open alarms come again. What a condition says is
//! known by (id, transition), what people and timers did by (id, revision). A stream begins with what was missed and the open alarms, and then a mark: who
//! has come to the mark has been told of everything up to its cursor. So at the mark, what was
//! provisional and has not been told again is withdrawn, and what was open and has not been told
//! again is so no more.

use std::collections::{BTreeMap, VecDeque};

use ach_actors_model::{AlarmId, AlarmTransition};
use ach_engine_wire::{
    AlarmNote, AlarmSettled, Code, Cursor, Frame, Gap, LifeNote, OpenSetEnd, ProvisionalReason,
    Storage, WireError,
};

/// Ended episodes that are remembered, so that a late repetition of them is known as one. Open ones
/// are as many as the node has.
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
    /// A change that was told as provisional still is, now for another reason: the node stores no
    /// longer, for one.
    StillProvisional {
        /// The episode.
        id: AlarmId,
        /// Which change.
        transition: AlarmTransition,
        /// Why it is not durable.
        reason: ProvisionalReason,
    },
    /// A change that was told as provisional never came to be stored.
    Withdrawn {
        /// The episode.
        id: AlarmId,
        /// Which change.
        transition: AlarmTransition,
    },
    /// An alarm is open no more. How it ended was among what could not be told: notes were left
    /// out, or its end does not pass the filter. If it was provisional it may also have been
    /// withdrawn.
    Gone {
        /// The episode.
        id: AlarmId,
    },
    /// Notes were left out; the open alarms are complete again after the next
    /// [`AlarmUpdate::OpenSetComplete`].
    Gap(Gap),
    /// The node told something in words of a later version, of which nothing is known here.
    Unreadable(WireError),
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
    Provisional { reason: ProvisionalReason, seen_in: u64 },
    Durable,
}

#[derive(Debug, Default)]
struct Episode {
    changes: BTreeMap<AlarmTransition, Change>,
    /// What people and timers did with it, as far as is known.
    life: Option<Box<LifeNote>>,
    /// What it was over with.
    over_by: Option<AlarmTransition>,
    /// The last stream that told of it.
    seen_in: u64,
    /// It stands in the list of those that have ended.
    is_listed: bool,
    /// It ended unheard.
    is_gone: bool,
}

impl Episode {
    /// Something of it was provisional, and what became of that was not told. It is over, for it is
    /// not among the open ones; nothing more is expected of it.
    fn settle_unheard(&mut self) -> bool {
        let is_provisional = |change: &Change| matches!(change, Change::Provisional { .. });
        let is_unsettled = self.changes.values().any(is_provisional);
        if is_unsettled {
            self.is_gone = true;
            for change in self.changes.values_mut() {
                *change = Change::Durable;
            }
        }
        is_unsettled
    }

    /// Takes what was done with it. Returns whether that is news: more than was known; or, on an open alarm,
    /// something else, because acts were lost with what was not stored.
    fn take_life(&mut self, note: &AlarmNote) -> bool {
        let revision = |life: Option<&LifeNote>| life.map_or(0, |life| life.revision);
        let (known, told) = (revision(self.life.as_deref()), revision(note.life.as_deref()));
        let is_same = told == known && (known == 0 || note.life == self.life);
        let are_lost = note.is_resent && told <= known && !is_same;
        if are_lost && note.state.is_retained() {
            self.over_by = None;
        }
        let is_news = told > known || are_lost;
        if is_news {
            self.life.clone_from(&note.life);
        }
        is_news
    }

    fn is_open(&self) -> bool {
        // An end may be withdrawn.
        let stands =
            |by: AlarmTransition| !by.is_of_the_condition() || self.changes.contains_key(&by);
        !self.is_gone && !self.over_by.is_some_and(stands)
    }
}

/// What is known of alarms.
#[derive(Debug, Default)]
pub struct AlarmBook {
    episodes: BTreeMap<AlarmId, Episode>,
    ended: VecDeque<AlarmId>,
    /// Counts the streams, and the open sets within one; what was told since carries its number.
    stream: u64,
    /// A note since then could not be read.
    has_skipped: bool,
    /// Not all that happened before the next mark is told: what is missing may have become durable
    /// and ended.
    is_gapped: bool,
    cursor: Option<Cursor>,
}

impl AlarmBook {
    /// A book with nothing in it.
    pub fn new() -> AlarmBook {
        AlarmBook::default()
    }

    /// A book with nothing in it, of a receiver that was told everything durable up to `cursor`
    /// before.
    pub fn resumed_after(cursor: Option<Cursor>) -> AlarmBook {
        AlarmBook { cursor, ..AlarmBook::default() }
    }

    /// Everything durable up to here has been told; resume after it. Nothing once the node has refused
    /// it with a gap, until the next mark.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// A new stream begins; what was missed and the open alarms come first. Without a cursor there is
    /// nothing to resume after, and only the open alarms come.
    pub fn begin(&mut self) {
        self.begin_set(self.cursor.is_none());
    }

    fn begin_set(&mut self, is_gapped: bool) {
        self.stream = self.stream.saturating_add(1);
        self.has_skipped = false;
        self.is_gapped = is_gapped;
    }

    /// A note came that this version cannot read. It may have told of any alarm, so the next mark says
    /// of none that it was not told.
    pub fn skip(&mut self) {
        self.has_skipped = true;
    }

    /// Takes a frame and gives the news in it, which may be none.
    pub fn take(&mut self, frame: Frame) -> Vec<AlarmUpdate> {
        let mut news = Vec::new();
        match frame {
            Frame::AlarmNote(note) => self.take_note(note, &mut news),
            Frame::AlarmSettled(settled) => self.take_settled(&settled, &mut news),
            Frame::OpenSetEnd(end) => self.take_end(&end, &mut news),
            Frame::Gap(gap) => {
                match gap.code {
                    // The open alarms come again, and count from here.
                    Code::TooSlow => self.begin_set(true),
                    // What lies before it is none of this node's, and what follows may lie before it.
                    Code::CursorOutOfRange => {
                        self.cursor = None;
                        self.is_gapped = true;
                    }
                    _ => {}
                }
                news.push(AlarmUpdate::Gap(gap));
            }
            Frame::EchoReply(reply) => news.push(AlarmUpdate::EchoReply { nonce: reply.nonce }),
            _ => {}
        }
        news
    }

    fn take_note(&mut self, note: AlarmNote, news: &mut Vec<AlarmUpdate>) {
        let (id, transition, cursor) = (note.id, note.transition, note.cursor);
        // The open set comes in no order: only news, and what was missed, say how far it has got.
        let reached = cursor.filter(|_| !note.is_resent);
        let reason = match note.storage {
            Storage::Durable => None,
            Storage::Provisional(reason) => Some(reason),
            Storage::Withdrawn => return self.withdraw(id, transition, news),
        };
        let seen_in = self.stream;
        let borne_out = borne_out_by(&note);
        let change = match reason {
            Some(reason) => Change::Provisional { reason, seen_in },
            None => Change::Durable,
        };
        let is_end = !note.state.is_retained();
        let episode = self.episodes.entry(id).or_default();
        episode.seen_in = seen_in;
        if !is_end && std::mem::take(&mut episode.is_gone) {
            // Told to be over by a node that had lost it, and told again by one that has it back: it
            // is news.
            (episode.changes, episode.is_listed) = (BTreeMap::new(), false);
            (episode.life, episode.over_by) = (None, None);
            self.ended.retain(|ended| *ended != id);
        }
        let is_acted_on = episode.take_life(&note);
        if is_end {
            episode.over_by.get_or_insert(transition);
        }
        let known = episode.changes.get(&transition).copied();
        match (known, reason) {
            // What people and timers did is told once it is stored, or cannot be.
            _ if !transition.is_of_the_condition() => {
                news.extend(is_acted_on.then(|| AlarmUpdate::Note(Box::new(note))));
            }
            (None, _) => {
                episode.changes.insert(transition, change);
                news.push(AlarmUpdate::Note(Box::new(note)));
            }
            // What was done with it meanwhile is news.
            (Some(Change::Durable), _) => {
                news.extend(is_acted_on.then(|| AlarmUpdate::Note(Box::new(note))));
            }
            (Some(Change::Provisional { .. }), None) => {
                episode.changes.insert(transition, change);
                news.push(AlarmUpdate::Durable { id, transition, cursor });
                news.extend(is_acted_on.then(|| AlarmUpdate::Note(Box::new(note))));
            }
            (Some(Change::Provisional { .. }), Some(_)) if is_acted_on => {
                episode.changes.insert(transition, change);
                news.push(AlarmUpdate::Note(Box::new(note)));
            }
            (Some(Change::Provisional { reason: before, .. }), Some(reason)) => {
                episode.changes.insert(transition, change);
                // Without a reason it is on its way to a disk that is there again.
                if before != reason && reason != ProvisionalReason::None {
                    news.push(AlarmUpdate::StillProvisional { id, transition, reason });
                }
            }
        }
        self.bear_out_earlier(id, borne_out, reason.is_none(), news);
        self.cursor = self.cursor.max(reached);
    }

    fn take_settled(&mut self, settled: &AlarmSettled, news: &mut Vec<AlarmUpdate>) {
        let (id, transition) = (settled.id, settled.transition);
        if settled.storage == Storage::Withdrawn {
            return self.withdraw(id, transition, news);
        }
        if settled.storage != Storage::Durable {
            return;
        }
        self.cursor = self.cursor.max(settled.cursor);
        let seen_in = self.stream;
        let Some(episode) = self.episodes.get_mut(&id) else { return };
        episode.seen_in = seen_in;
        if let Some(change @ Change::Provisional { .. }) = episode.changes.get_mut(&transition) {
            *change = Change::Durable;
            news.push(AlarmUpdate::Durable { id, transition, cursor: settled.cursor });
        }
        self.bear_out_earlier(id, transition, true, news);
    }

    fn withdraw(&mut self, id: AlarmId, transition: AlarmTransition, news: &mut Vec<AlarmUpdate>) {
        let Some(episode) = self.episodes.get_mut(&id) else { return };
        if let Some(Change::Provisional { .. }) = episode.changes.get(&transition) {
            episode.changes.remove(&transition);
            news.push(AlarmUpdate::Withdrawn { id, transition });
        }
        if episode.changes.is_empty() && !episode.is_listed {
            self.episodes.remove(&id);
        }
    }

    /// A later change of an episode shows that the earlier ones stand as well.
    fn bear_out_earlier(
        &mut self,
        id: AlarmId,
        transition: AlarmTransition,
        is_durable: bool,
        news: &mut Vec<AlarmUpdate>,
    ) {
        let stream = self.stream;
        let Some(episode) = self.episodes.get_mut(&id) else { return };
        for (earlier, change) in episode.changes.range_mut(..transition) {
            match change {
                Change::Provisional { .. } if is_durable => {
                    *change = Change::Durable;
                    news.push(AlarmUpdate::Durable { id, transition: *earlier, cursor: None });
                }
                Change::Provisional { seen_in, .. } => *seen_in = stream,
                Change::Durable => {}
            }
        }
        if !episode.is_open() {
            self.remember_ended(id);
        }
    }

    fn remember_ended(&mut self, id: AlarmId) {
        if let Some(episode) = self.episodes.get_mut(&id)
            && !std::mem::replace(&mut episode.is_listed, true)
        {
            self.ended.push_back(id);
        }
        if self.ended.len() > ENDED_REMEMBERED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.episodes.remove(&oldest);
        }
    }

    /// Everything up to the mark has been told: what was not told again is not so any more.
    fn take_end(&mut self, end: &OpenSetEnd, news: &mut Vec<AlarmUpdate>) {
        if !std::mem::take(&mut self.has_skipped) {
            self.judge(news);
        }
        self.cursor = self.cursor.max(end.cursor);
        news.push(AlarmUpdate::OpenSetComplete { open_count: end.open_count });
    }

    fn judge(&mut self, news: &mut Vec<AlarmUpdate>) {
        let stream = self.stream;
        let is_gapped = std::mem::take(&mut self.is_gapped);
        let mut gone = Vec::new();
        for (id, episode) in &mut self.episodes {
            if is_gapped && episode.seen_in < stream && episode.settle_unheard() {
                gone.push(*id);
                news.push(AlarmUpdate::Gone { id: *id });
                continue;
            }
            episode.changes.retain(|transition, change| {
                let is_lost =
                    matches!(change, Change::Provisional { seen_in, .. } if *seen_in < stream);
                if is_lost {
                    news.push(AlarmUpdate::Withdrawn { id: *id, transition: *transition });
                }
                !is_lost
            });
            let is_known = !episode.changes.is_empty();
            if is_known && episode.seen_in < stream && episode.is_open() {
                episode.is_gone = true;
                gone.push(*id);
                news.push(AlarmUpdate::Gone { id: *id });
            }
        }
        self.episodes.retain(|_, episode| !episode.changes.is_empty() || episode.is_listed);
        for id in gone {
            self.remember_ended(id);
        }
    }
}

/// The change before which all of an alarm stands if this note does. What was done with it shows that it was
/// raised, and upheld if it is tentative no more; that its condition has ended only the condition shows.
fn borne_out_by(note: &AlarmNote) -> AlarmTransition {
    match note.transition {
        of_the_condition if of_the_condition.is_of_the_condition() => of_the_condition,
        _ if note.is_tentative => AlarmTransition::Upheld,
        _ => AlarmTransition::Retracted,
    }
}

#[cfg(test)]
mod tests;
