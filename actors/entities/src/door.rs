//! A door: enough to know forced from opened.
//!
//! Position, lock, grants and requests to exit are independent facts, each with its own order by
//! the time it was observed. An opening is covered by a pass (a grant or a request to exit) that
//! was valid when it opened; without one it is forced, and alarms at once. Reports overtake each
//! other: a pass that arrives after the opening it covers ends the alarm.

use ach_actors_model::{
    AlarmNotice, AlarmReason, DoorRef, Event, EventKind, NS_PER_MS, Place, Timestamp,
};
use smallvec::SmallVec;

use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::{Arrival, DeadlineKind, Effect, Outbox, Turn, Verdict};

/// How much later than the opening a pass may be stamped and still cover it: reader and position
/// switch are stamped by different boards of one controller, some tens of milliseconds apart, and
/// nobody opens a door and shows his card within that time.
const PASS_SKEW_NS: u64 = 100 * NS_PER_MS;
/// Passes remembered, the latest: more are not valid at once at one door.
const PASS_COUNT_MAX: usize = 4;
/// Openings remembered to know repeated ones, the latest.
const OPENING_COUNT_MAX: usize = 4;

/// The state of one door: independent facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Door {
    position: Switch,
    lock: Switch,
    /// Ascending by time of observation.
    passes: SmallVec<[Pass; PASS_COUNT_MAX]>,
    /// When it opened, the latest times, ascending.
    openings: SmallVec<[Timestamp; OPENING_COUNT_MAX]>,
    episodes: Episodes,
}

/// A contact with two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Switch {
    /// Open or drawn back, closed or thrown; `None` before the first report.
    is_open: Option<bool>,
    /// When the latest report happened.
    reported_at: Timestamp,
}

/// Leave to open the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pass {
    from: Timestamp,
    until: Timestamp,
}

/// What a door can be told.
#[derive(Debug, Clone, Copy)]
pub enum DoorInput {
    /// The position switch opened.
    Opened(Arrival),
    /// The position switch closed.
    Closed(Arrival),
    /// The lock has thrown.
    Locked(Arrival),
    /// The lock has drawn back.
    Unlocked(Arrival),
    /// The reader granted access.
    AccessGranted {
        /// When.
        arrival: Arrival,
        /// How long the door may be opened on it.
        valid_ms: u32,
    },
    /// Somebody asked to leave.
    ExitRequested {
        /// When.
        arrival: Arrival,
        /// How long the door may be opened on it.
        valid_ms: u32,
    },
    /// One of its deadlines is due.
    Due {
        /// What for.
        kind: DeadlineKind,
        /// When it was due.
        due_at: Timestamp,
    },
    /// Another version of the site is in force: it is `turn.site`.
    SiteChanged,
}

impl Switch {
    /// Takes a report: late if it is older than the latest, duplicate if it says nothing new.
    fn report(&mut self, is_open: bool, happened_at: Timestamp) -> Verdict {
        if self.is_open.is_some() && happened_at < self.reported_at {
            return Verdict::Late;
        }
        if self.is_open == Some(is_open) && happened_at == self.reported_at {
            return Verdict::Duplicate;
        }
        *self = Switch { is_open: Some(is_open), reported_at: happened_at };
        Verdict::Accepted
    }
}

impl Door {
    /// Takes one input.
    pub fn step(
        &mut self,
        me: DoorRef,
        input: DoorInput,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        if matches!(input, DoorInput::SiteChanged) {
            self.change_site(me, turn, out);
            return Verdict::Accepted;
        }
        if turn.site.door_plan(me).is_none() {
            return Verdict::Refused;
        }
        match input {
            DoorInput::Opened(arrival) => self.open(me, &arrival, turn, out),
            DoorInput::Closed(arrival) => self.close(me, &arrival, turn, out),
            DoorInput::Locked(arrival) => {
                let kind = EventKind::DoorLocked { door: me };
                self.turn_lock(false, &arrival, kind, turn, out)
            }
            DoorInput::Unlocked(arrival) => {
                let kind = EventKind::DoorUnlocked { door: me };
                self.turn_lock(true, &arrival, kind, turn, out)
            }
            DoorInput::AccessGranted { arrival, valid_ms }
            | DoorInput::ExitRequested { arrival, valid_ms } => {
                self.let_pass(me, &arrival, valid_ms, turn, out)
            }
            DoorInput::Due { .. } | DoorInput::SiteChanged => Verdict::Accepted,
        }
    }

    /// Whether it is open; `None` before it has told.
    pub fn is_open(&self) -> Option<bool> {
        self.position.is_open
    }

    /// Whether its lock is thrown; `None` before it has told.
    pub fn is_locked(&self) -> Option<bool> {
        self.lock.is_open.map(|is_drawn_back| !is_drawn_back)
    }

    fn open(
        &mut self,
        me: DoorRef,
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let opened_at = arrival.happened_at();
        if self.openings.contains(&opened_at) {
            return Verdict::Duplicate;
        }
        let was_open = self.position.is_open == Some(true);
        let verdict = self.position.report(true, opened_at);
        if verdict == Verdict::Duplicate || (was_open && verdict == Verdict::Accepted) {
            return verdict;
        }
        if verdict == Verdict::Late && self.is_within_known_opening(opened_at) {
            return verdict;
        }
        self.remember(opened_at);
        let is_forced = !self.passes.iter().any(|pass| pass.covers(opened_at));
        let kind = EventKind::DoorOpened { door: me, is_forced };
        out.effects.push(Effect::Event(Event { at: turn.now, kind }));
        if is_forced {
            let is_late = verdict == Verdict::Late;
            let evidence = Evidence::of_arrival(arrival);
            let evidence = Evidence { is_late: evidence.is_late || is_late, ..evidence };
            self.raise(me, &evidence, turn, out);
        }
        if self.position.is_open != Some(true) {
            // It was told late, and the door has been closed since.
            self.end(AlarmReason::ConditionEnded, turn, out);
        }
        verdict
    }

    /// Whether a late opening falls into a time in which the door is known to have been open.
    fn is_within_known_opening(&self, opened_at: Timestamp) -> bool {
        self.position.is_open == Some(true)
            && self.openings.last().is_some_and(|&known_at| known_at < opened_at)
    }

    fn remember(&mut self, opened_at: Timestamp) {
        if self.openings.len() == OPENING_COUNT_MAX {
            self.openings.remove(0);
        }
        let place = self.openings.partition_point(|&known_at| known_at < opened_at);
        self.openings.insert(place, opened_at);
    }

    fn raise(&mut self, me: DoorRef, evidence: &Evidence, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(door) = turn.site.door_plan(me) else { return };
        for &rule in &door.forced_rules {
            let Some(plan) = turn.site.rule(rule) else { continue };
            if turn.site.is_in_force(plan, turn.now) {
                let opening = Opening::by_rule(rule, plan, None, Place::Door(me), *evidence);
                self.episodes.open(&opening, turn, out);
            }
        }
    }

    fn close(
        &mut self,
        me: DoorRef,
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let was_closed = self.position.is_open == Some(false);
        let verdict = self.position.report(false, arrival.happened_at());
        if verdict == Verdict::Accepted && !was_closed {
            let kind = EventKind::DoorClosed { door: me };
            out.effects.push(Effect::Event(Event { at: turn.now, kind }));
            self.end(AlarmReason::ConditionEnded, turn, out);
        }
        verdict
    }

    fn turn_lock(
        &mut self,
        is_drawn_back: bool,
        arrival: &Arrival,
        kind: EventKind,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let was = self.lock.is_open;
        let verdict = self.lock.report(is_drawn_back, arrival.happened_at());
        if verdict == Verdict::Accepted && was != Some(is_drawn_back) {
            out.effects.push(Effect::Event(Event { at: turn.now, kind }));
        }
        verdict
    }

    fn let_pass(
        &mut self,
        me: DoorRef,
        arrival: &Arrival,
        valid_ms: u32,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let from = arrival.happened_at();
        let pass = Pass { from, until: from.plus_ns(u64::from(valid_ms) * NS_PER_MS) };
        let Err(place) = self.passes.binary_search(&pass) else { return Verdict::Duplicate };
        let is_late = place < self.passes.len();
        if self.passes.len() < PASS_COUNT_MAX {
            self.passes.insert(place, pass);
        } else if place > 0 {
            self.passes.remove(0);
            self.passes.insert(place - 1, pass);
        }
        let covers = |notice: &AlarmNotice| pass.covers(notice.observed_at);
        let place = Place::Door(me);
        self.episodes.end_where(
            |notice| {
                let is_covered = notice.place == place && covers(notice);
                is_covered.then_some(AlarmReason::ConditionEnded)
            },
            turn,
            out,
        );
        if is_late { Verdict::Late } else { Verdict::Accepted }
    }

    fn end(&mut self, reason: AlarmReason, turn: &Turn<'_>, out: &mut Outbox) {
        self.episodes.end_where(|_| Some(reason), turn, out);
    }

    fn change_site(&mut self, me: DoorRef, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(door) = turn.site.door_plan(me) else {
            self.end(AlarmReason::RuleRemoved, turn, out);
            let episodes = std::mem::take(&mut self.episodes);
            *self = Door { episodes, ..Door::default() };
            return;
        };
        self.episodes.end_where(
            |notice| {
                let rule = notice.rule?;
                let holds = door.forced_rules.contains(&rule);
                (!holds).then_some(AlarmReason::RuleRemoved)
            },
            turn,
            out,
        );
    }
}

impl Pass {
    /// Whether a door that opened at this moment was opened with leave.
    fn covers(&self, opened_at: Timestamp) -> bool {
        self.from <= opened_at.plus_ns(PASS_SKEW_NS) && opened_at <= self.until
    }
}
