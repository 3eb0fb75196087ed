//! Who went through a door, in which of its openings, and for whom of them there was leave.
//!
//! A pass, a grant or a request to exit, lets one through: in the opening in which it is valid, or in the
//! next if nobody made use of it. Whoever goes back through the sill in the same opening has not gone
//! through, so neither jitter about the sill nor holding the door open for others counts.
//!
//! Positions and doors come by two feeds with delays of their own. What is told of either within
//! [`TOGETHER_NS`] of the other is put together by when it happened.

use ach_actors_model::{Fix, NS_PER_MS, NS_PER_S, RuleRef, SubjectRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::leave::{Leave, is_good};

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
    /// When rules came that found others here: they count from the next opening on.
    counts_from: Vec<(RuleRef, Timestamp)>,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OnePass {
    until: Timestamp,
    from: Timestamp,
    /// By which rules' count somebody used it in an opening that is forgotten.
    used_by: Vec<RuleRef>,
}

/// What somebody who went through is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traveller {
    /// One of those it is about.
    Counted,
    /// One who makes use of leave besides.
    Beside,
}

/// Who asks for whom there was leave.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The rules that ask.
    pub(crate) rules: &'a [RuleRef],
    /// What else is known of leave.
    pub(crate) leave: &'a Leave,
    /// What somebody is to a rule.
    pub(crate) who: &'a dyn Fn(RuleRef, SubjectRef) -> Option<Traveller>,
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
        let place = self.passes.partition_point(|known| (known.until, known.from) < (until, from));
        self.passes.insert(place, OnePass { until, from, used_by: Vec::new() });
        if self.passes.len() > PASS_COUNT_MAX {
            let first = self.passes.remove(0);
            for opening in self.openings.iter_mut().filter(|opening| opening.from <= first.until) {
                opening.is_crowded = true;
            }
        }
    }

    /// Other rules ask than before.
    pub(crate) fn change_rules(&mut self, old: &[RuleRef], new: &[RuleRef], now: Timestamp) {
        self.counts_from.retain(|(rule, _)| new.contains(rule));
        let came = new.iter().filter(|rule| !old.contains(rule));
        self.counts_from.extend(came.map(|&rule| (rule, now)));
        for pass in &mut self.passes {
            pass.used_by.retain(|rule| new.contains(rule));
        }
    }

    /// The door opened, and was closed again where that is known. Tells which of its openings it is.
    pub(crate) fn open(
        &mut self,
        from: Timestamp,
        until: Option<Timestamp>,
        asked: &Asked<'_>,
        now: Timestamp,
    ) -> usize {
        let (people, is_crowded) = (Vec::new(), false);
        let opening = DoorOpening { from, until, told_at: now, people, is_crowded };
        if self.openings.len() >= OPENING_COUNT_MAX {
            self.forget_first(asked);
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

    /// Forgets the first opening, but for the passes that were used in it.
    fn forget_first(&mut self, asked: &Asked<'_>) {
        let first = self.openings.remove(0);
        for &rule in asked.rules {
            let mut is_used = self.used_by(rule);
            first.match_up(&self.passes, &mut is_used, rule, asked);
            for (pass, is_used) in self.passes.iter_mut().zip(is_used) {
                if is_used && !pass.used_by.contains(&rule) {
                    pass.used_by.push(rule);
                }
            }
        }
    }

    /// Which of the passes were used in openings that are forgotten, as a rule counts.
    fn used_by(&self, rule: RuleRef) -> Vec<bool> {
        self.passes.iter().map(|pass| pass.used_by.contains(&rule)).collect()
    }

    /// The opening that a passage falls into: of those that it may, the one that went on for longest between
    /// its two positions, and of equals the latest.
    pub(crate) fn find(&self, passage: &Passage, now: Timestamp) -> Option<usize> {
        let fitting = self.openings.iter().enumerate().filter(|(_, opening)| {
            let is_timely = opening.until.is_none() || now.since_ns(opening.told_at) <= TOGETHER_NS;
            let is_before =
                opening.until.is_some_and(|until| passage.since > until.plus_ns(CLOCKS_NS));
            let is_after = passage.fix.observed_at.plus_ns(CLOCKS_NS) < opening.from;
            is_timely && !is_before && !is_after
        });
        fitting.max_by_key(|(_, opening)| opening.went_on_ns(passage)).map(|(which, _)| which)
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

    /// Who of an opening was one too many, by each rule; `None` where more went through than are counted.
    ///
    /// In the order in which they were through each takes the pass that ends first of those that were given
    /// by then. Where none is left and the one is no one whom the rule is about, it takes that of the last of
    /// these: whom the door was opened for needs no leave of another, whoever went first.
    pub(crate) fn too_many(
        &self,
        which: usize,
        asked: &Asked<'_>,
    ) -> Option<Vec<(RuleRef, Passage)>> {
        let opening = self.openings.get(which).filter(|opening| !opening.is_crowded)?;
        let mut found = Vec::new();
        for &rule in asked.rules.iter().filter(|&&rule| self.counts(rule, opening)) {
            let mut is_used = self.used_by(rule);
            for earlier in self.openings.iter().take(which) {
                earlier.match_up(&self.passes, &mut is_used, rule, asked);
            }
            let too_many = opening.match_up(&self.passes, &mut is_used, rule, asked);
            found.extend(too_many.into_iter().map(|passage| (rule, passage)));
        }
        Some(found)
    }

    /// Whether a rule was here when an opening began.
    fn counts(&self, rule: RuleRef, opening: &DoorOpening) -> bool {
        self.counts_from.iter().all(|&(newer, from)| newer != rule || from <= opening.from)
    }
}

impl DoorOpening {
    /// For how long it went on between the two positions of a passage.
    fn went_on_ns(&self, passage: &Passage) -> u64 {
        let at = passage.fix.observed_at;
        let until = self.until.map_or(at, |until| until.min(at));
        until.since_ns(self.from.max(passage.since))
    }

    /// Takes passes for its people from those that are not used; tells for whom there was none.
    fn match_up(
        &self,
        passes: &[OnePass],
        is_used: &mut [bool],
        rule: RuleRef,
        asked: &Asked<'_>,
    ) -> Vec<Passage> {
        let mut let_through: Vec<Passage> = Vec::new();
        let mut too_many = Vec::new();
        for passage in &self.people {
            let Some(traveller) = (asked.who)(rule, passage.subject) else { continue };
            let at = passage.fix.observed_at;
            if passage.is_told_unlocked || asked.leave.is_free_at(self.from, (passage.since, at)) {
                continue;
            }
            let mut unused =
                passes.iter().zip(is_used.iter_mut()).filter(|(_, is_used)| !**is_used);
            let pass = unused.find(|(pass, _)| is_good((pass.from, pass.until), self.from, at));
            let has_pass = pass.is_some();
            if let Some((_, is_used)) = pass {
                *is_used = true;
            }
            match (traveller, has_pass) {
                (Traveller::Counted, true) => let_through.push(*passage),
                (Traveller::Counted, false) => too_many.push(*passage),
                (Traveller::Beside, true) => {}
                (Traveller::Beside, false) => too_many.extend(let_through.pop()),
            }
        }
        too_many
    }
}

#[cfg(test)]
mod tests;
