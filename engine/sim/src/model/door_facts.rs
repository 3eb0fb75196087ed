//! Doors: which of their words count, and what they raise.

use ach_actors_model::{NS_PER_MS, NS_PER_S, ReportKind, Timestamp};

use super::devices::{Told, Words};
use super::episode::{Moment, Place};
use crate::site::HELD_NS;

/// A pass or a lock may be stamped so much later than the opening it covers.
const SKEW_NS: u64 = 100 * NS_PER_MS;

/// A door that says once more that it opened, after so long, was closed meanwhile.
const SAME_OPENING_NS: u64 = 600 * NS_PER_S;

/// What a word is among those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Repeated,
    Late,
    New,
}

/// What tells one of two states.
#[derive(Debug, Default)]
struct Contact {
    words: Words,
    is_on: Option<bool>,
    told_at: Timestamp,
}

impl Contact {
    fn take(&mut self, is_on: bool, told: &Told<'_>) -> Order {
        if self.words.is_repeated(is_on, told) {
            return Order::Repeated;
        }
        if self.is_on.is_some() && told.happened_at < self.told_at {
            return Order::Late;
        }
        self.is_on = Some(is_on);
        self.told_at = told.happened_at;
        Order::New
    }
}

/// A door.
#[derive(Debug, Default)]
pub(super) struct DoorFacts {
    position: Contact,
    opened_at: Option<Timestamp>,
    /// When the opening was that the alarm of a forced door is about.
    forced_at: Option<Timestamp>,
    passes: Vec<(Timestamp, Timestamp)>,
    lock: Contact,
    thrown_at: Option<Timestamp>,
    /// When the lock was drawn back or thrown, in order.
    lock_turns: Vec<(Timestamp, bool)>,
    housing: Contact,
    /// On while it is said to be lost.
    loss: Contact,
    /// How often it was said to be lost.
    pub loss_count: u32,
    /// When it was heard, by the time of entries.
    pub heard: Vec<Timestamp>,
}

impl DoorFacts {
    pub(super) fn take(&mut self, door: u32, kind: ReportKind, told: &mut Told<'_>) {
        let place = Place::Door(door);
        if matches!(kind, ReportKind::DoorLost { .. }) {
            if self.loss.take(true, told) == Order::New {
                self.loss_count = self.loss_count.saturating_add(1);
                told.raise("lost", None, place);
            }
            return;
        }
        let order = match kind {
            ReportKind::DoorOpened { .. } => self.open(place, told),
            ReportKind::DoorClosed { .. } => self.close(place, told),
            ReportKind::DoorUnlocked { .. } => self.turn_lock(true, place, told),
            ReportKind::DoorLocked { .. } => self.turn_lock(false, place, told),
            ReportKind::AccessGranted { valid_ms, .. } => self.grant(valid_ms, place, told),
            ReportKind::DoorTampered { .. } => {
                let order = self.housing.take(true, told);
                if order != Order::Repeated {
                    told.raise("pried", None, place);
                }
                order
            }
            ReportKind::DoorUntampered { .. } => self.housing.take(false, told),
            ReportKind::DoorAlive { .. } => self.loss.take(false, told),
            _ => Order::Repeated,
        };
        if order == Order::Repeated {
            return;
        }
        self.heard.push(told.now);
        if self.loss.told_at <= told.happened_at {
            self.loss.told_at = told.happened_at;
            self.loss.is_on = Some(false);
        }
        if self.loss.is_on != Some(true) {
            told.end("lost", None, place);
        }
        if self.housing.is_on != Some(true) {
            told.end("pried", None, place);
        }
        match self.held_due(place, told) {
            None => told.end("held", None, place),
            Some(due_at) if due_at <= told.now => told.raise("held", None, place),
            Some(_) => {}
        }
    }

    /// Since when it is held open by the time of an entry, before anything is heard in it.
    pub(super) fn fall_due(&self, door: u32, told: &mut Told<'_>) {
        let place = Place::Door(door);
        if let Some(since) = self.held_due(place, told).filter(|due_at| *due_at <= told.now) {
            let moment = Moment { index: told.index, since, input: None };
            told.episodes.raise("held", None, place, moment, told.notices);
        }
    }

    /// When it is held open, if it stays as it is.
    fn held_due(&self, place: Place, told: &Told<'_>) -> Option<Timestamp> {
        let is_open = self.position.is_on == Some(true);
        let is_unlocked = self.lock.is_on == Some(true);
        if !is_open || is_unlocked || told.episodes.is_open("forced", None, place) {
            return None;
        }
        Some(self.opened_at.max(self.thrown_at)?.plus_ns(HELD_NS))
    }

    fn is_covered(&self, at: Timestamp) -> bool {
        let latest = at.plus_ns(SKEW_NS);
        let is_over = |(from, until): &(Timestamp, Timestamp)| *from <= latest && at <= *until;
        let ends = self.lock_turns.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
        let mut turns = self.lock_turns.iter().zip(ends);
        self.passes.iter().any(is_over)
            || turns.any(|((from, is_drawn_back), end)| {
                *is_drawn_back && *from <= latest && end.is_none_or(|end| at <= end)
            })
    }

    fn end_if_covered(&mut self, place: Place, told: &mut Told<'_>) {
        if self.forced_at.is_some_and(|at| self.is_covered(at)) {
            told.end("forced", None, place);
        }
    }

    fn grant(&mut self, valid_ms: u32, place: Place, told: &mut Told<'_>) -> Order {
        let from = told.happened_at;
        let pass = (from, from.plus_ns(u64::from(valid_ms) * NS_PER_MS));
        if self.passes.contains(&pass) {
            return Order::Repeated;
        }
        self.passes.push(pass);
        self.end_if_covered(place, told);
        Order::New
    }

    fn turn_lock(&mut self, is_drawn_back: bool, place: Place, told: &mut Told<'_>) -> Order {
        let was = self.lock.is_on;
        let order = self.lock.take(is_drawn_back, told);
        if order == Order::Repeated {
            return order;
        }
        let at = told.happened_at;
        self.lock_turns.push((at, is_drawn_back));
        self.lock_turns.sort_by_key(|(at, _)| *at);
        if order == Order::New && was == Some(true) && !is_drawn_back {
            self.thrown_at = Some(at);
        }
        self.end_if_covered(place, told);
        order
    }

    fn close(&mut self, place: Place, told: &mut Told<'_>) -> Order {
        let was = self.position.is_on;
        let order = self.position.take(false, told);
        if order == Order::New && was != Some(false) {
            told.end("forced", None, place);
            told.end("held", None, place);
        }
        order
    }

    fn open(&mut self, place: Place, told: &mut Told<'_>) -> Order {
        let happened_at = told.happened_at;
        let (was_open, before_at) = (self.position.is_on == Some(true), self.position.told_at);
        let order = self.position.take(true, told);
        match order {
            Order::Repeated => return order,
            Order::Late => {
                let is_known = self.opened_at.is_some_and(|known_at| known_at < happened_at);
                if was_open && is_known {
                    return order;
                }
            }
            Order::New if was_open => {
                if happened_at.since_ns(before_at) <= SAME_OPENING_NS {
                    return order;
                }
                told.end("forced", None, place);
                told.end("held", None, place);
            }
            Order::New => {}
        }
        self.opened_at = self.opened_at.max(Some(happened_at));
        if !self.is_covered(happened_at) {
            if !told.episodes.is_open("forced", None, place) {
                self.forced_at = Some(happened_at);
            }
            told.raise("forced", None, place);
        }
        if self.position.is_on != Some(true) {
            told.end("forced", None, place);
            told.end("held", None, place);
        }
        order
    }
}
