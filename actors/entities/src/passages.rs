//! Who went through a door, in which of its openings, and for whom of them there was leave.
//!
//! A pass, a grant or a request to exit, lets one through: in the opening in which it is valid, or in the
//! next if nobody made use of it. Whoever goes back through the sill in the same opening has not gone
//! through, so neither jitter about the sill nor holding the door open for others counts.
//!
//! Positions and doors come by two feeds with delays of their own. What is told of either within
//! [`TOGETHER_NS`] of the other is put together by when it happened.

use ach_actors_model::{Fix, NS_PER_MS, NS_PER_S, SubjectRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::leave::{Leave, SKEW_NS};

/// So long after a door told that it was closed a passage may be told that fell into the opening, and so
/// long after a passage an opening. Positions come within seconds; a feed that is further behind tells of
/// a past in which nobody can be stopped any more.
const TOGETHER_NS: u64 = 30 * NS_PER_S;
/// How far the clocks of the two feeds may differ: what is not told as a clock that is off.
const CLOCKS_NS: u64 = 500 * NS_PER_MS;
/// Openings remembered, the latest: a pass that one left unused is good for the next.
const OPENING_COUNT_MAX: usize = 4;
/// People of one opening, and passes of one door: a ward on its way out. Of an opening with more of either
/// nothing is said any more.
const PEOPLE_COUNT_MAX: usize = 64;
const PASS_COUNT_MAX: usize = 64;
/// Passages that wait for their opening: more do not go through one door in half a minute.
const LOOSE_COUNT_MAX: usize = 32;

/// What is known of who went through one door.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Passages {
    /// Ascending; the last may go on.
    openings: Vec<DoorOpening>,
    /// Of no opening that is known yet.
    loose: Vec<Passage>,
    /// Those that end first come first.
    passes: Vec<OnePass>,
}

/// One time that the door stood open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct DoorOpening {
    from: Timestamp,
    until: Option<Timestamp>,
    /// When the latest of the two was told, by shard time.
    told_at: Timestamp,
    /// By when they were through, then as they were told.
    people: Vec<Passage>,
    /// Whether there were more people or passes than are remembered.
    is_crowded: bool,
}

/// Somebody who went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Passage {
    pub(crate) subject: SubjectRef,
    /// The latest position before the sill.
    pub(crate) since: Timestamp,
    /// The first behind it.
    pub(crate) fix: Fix,
    /// Which way: to the left of the sill.
    pub(crate) is_leftward: bool,
    /// When it was told, by shard time.
    pub(crate) told_at: Timestamp,
    /// Whether the node told the door to be unlocked then.
    pub(crate) is_told_unlocked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct OnePass {
    until: Timestamp,
    from: Timestamp,
}

/// What somebody who went through is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traveller {
    /// One of those it is about.
    Counted,
    /// One who makes use of leave besides.
    Beside,
}

impl Passages {
    /// With passes that were given before anything was counted.
    pub(crate) fn new(leave: &Leave) -> Passages {
        let mut passages = Passages::default();
        for (from, until) in leave.passes() {
            passages.give(from, until);
        }
        passages
    }

    /// A pass was given.
    pub(crate) fn give(&mut self, from: Timestamp, until: Timestamp) {
        let pass = OnePass { until, from };
        let place = self.passes.partition_point(|known| *known < pass);
        self.passes.insert(place, pass);
        if self.passes.len() > PASS_COUNT_MAX {
            let first = self.passes.remove(0);
            for opening in self.openings.iter_mut().filter(|opening| opening.from <= first.until) {
                opening.is_crowded = true;
            }
        }
    }

    /// The door opened, and was closed again where that is known. Tells which of its openings it is.
    pub(crate) fn open(
        &mut self,
        from: Timestamp,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> usize {
        let (people, is_crowded) = (Vec::new(), false);
        let opening = DoorOpening { from, until, told_at: now, people, is_crowded };
        if self.openings.len() >= OPENING_COUNT_MAX {
            self.openings.remove(0);
        }
        let place = self.openings.partition_point(|known| known.from <= from);
        self.openings.insert(place, opening);
        let mut waited = std::mem::take(&mut self.loose);
        waited.retain(|passage| now.since_ns(passage.told_at) <= TOGETHER_NS);
        waited.sort_by_key(|passage| passage.told_at);
        for passage in waited {
            match self.find(&passage, now) {
                Some(which) => self.add(which, passage),
                None => self.loose.push(passage),
            }
        }
        place
    }

    /// The door was closed.
    pub(crate) fn close(&mut self, at: Timestamp, now: Timestamp) {
        if let Some(last) = self.openings.last_mut().filter(|last| last.until.is_none()) {
            last.until = Some(at.max(last.from));
            last.told_at = now;
        }
    }

    /// The opening that goes on.
    pub(crate) fn current(&self) -> Option<usize> {
        let last = self.openings.len().checked_sub(1)?;
        self.is_open(last).then_some(last)
    }

    /// Whether an opening goes on.
    pub(crate) fn is_open(&self, which: usize) -> bool {
        self.openings.get(which).is_some_and(|opening| opening.until.is_none())
    }

    /// The latest opening that a passage may fall into.
    pub(crate) fn find(&self, passage: &Passage, now: Timestamp) -> Option<usize> {
        self.openings.iter().rposition(|opening| {
            let is_timely = opening.until.is_none() || now.since_ns(opening.told_at) <= TOGETHER_NS;
            let is_before =
                opening.until.is_some_and(|until| passage.since > until.plus_ns(CLOCKS_NS));
            let is_after = passage.fix.observed_at.plus_ns(CLOCKS_NS) < opening.from;
            is_timely && !is_before && !is_after
        })
    }

    /// Somebody went through while no opening is known that it falls into.
    pub(crate) fn keep_loose(&mut self, passage: Passage, now: Timestamp) {
        self.loose.retain(|known| now.since_ns(known.told_at) <= TOGETHER_NS);
        if self.loose.len() >= LOOSE_COUNT_MAX {
            self.loose.remove(0);
        }
        self.loose.push(passage);
    }

    /// Somebody went through in an opening, or back.
    pub(crate) fn add(&mut self, which: usize, passage: Passage) {
        let Some(opening) = self.openings.get_mut(which) else { return };
        let people = &mut opening.people;
        let known = people.iter().position(|known| known.subject == passage.subject);
        if let Some(known) = known {
            if people.get(known).is_some_and(|known| known.is_leftward != passage.is_leftward) {
                people.remove(known);
            }
            return;
        }
        if people.len() >= PEOPLE_COUNT_MAX {
            opening.is_crowded = true;
            return;
        }
        let at = passage.fix.observed_at;
        let place = people.partition_point(|known| known.fix.observed_at <= at);
        people.insert(place, passage);
    }

    /// Who of an opening was one too many, by a rule; `None` where more went through than are counted.
    ///
    /// In the order in which they were through each takes the pass that ends first of those that were given
    /// by then. Where none is left and the one is no one whom the rule is about, it takes that of the last of
    /// these: whom the door was opened for needs no leave of another, whoever went first.
    pub(crate) fn too_many(
        &self,
        which: usize,
        leave: &Leave,
        who: impl Fn(SubjectRef) -> Option<Traveller>,
    ) -> Option<Vec<Passage>> {
        let mut left = self.passes.clone();
        for (number, opening) in self.openings.iter().enumerate().take(which + 1) {
            let too_many = opening.match_up(&mut left, leave, &who);
            if number == which {
                return (!opening.is_crowded).then_some(too_many);
            }
        }
        None
    }
}

impl DoorOpening {
    /// Takes passes for its people from those that are left; tells for whom there was none.
    fn match_up(
        &self,
        left: &mut Vec<OnePass>,
        leave: &Leave,
        who: &impl Fn(SubjectRef) -> Option<Traveller>,
    ) -> Vec<Passage> {
        let mut let_through: Vec<Passage> = Vec::new();
        let mut too_many = Vec::new();
        for passage in &self.people {
            let Some(traveller) = who(passage.subject) else { continue };
            let at = passage.fix.observed_at;
            if passage.is_told_unlocked || leave.is_free_at(self.from, (passage.since, at)) {
                continue;
            }
            let is_valid =
                |pass: &OnePass| pass.until >= self.from && pass.from <= at.plus_ns(SKEW_NS);
            let pass = left.iter().position(is_valid);
            if let Some(pass) = pass {
                left.remove(pass);
            }
            match (traveller, pass) {
                (Traveller::Counted, Some(_)) => let_through.push(*passage),
                (Traveller::Counted, None) => too_many.push(*passage),
                (Traveller::Beside, Some(_)) => {}
                (Traveller::Beside, None) => too_many.extend(let_through.pop()),
            }
        }
        too_many
    }
}

#[cfg(test)]
mod tests;
