//! A door: enough to know forced from opened.
//!
//! Position, lock, grants and requests to exit are independent facts, each with its own order by
//! the time it was observed. An opening is covered by a pass (a grant or a request to exit) that
//! was valid when it opened, or by a lock that was drawn back; without either it is forced, and
//! alarms at once. Reports overtake each other: leave that arrives after the opening it covers ends
//! the alarm.
//!
//! The first word of a door is taken for a happening: a fire exit that nobody ever used tells of
//! itself for the first time when it is forced. That a door stands open may be said again and
//! again; if it was not said for long, the door was closed meanwhile and that was lost.

use ach_actors_model::{
    AlarmNotice, AlarmReason, DoorRef, Event, EventKind, NS_PER_S, Place, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::leave::Leave;
use crate::recall::Recall;
use crate::{Arrival, DeadlineKind, Effect, Outbox, Turn, Verdict};

/// A door that is said to have opened while it is believed open, this long after it last said so,
/// has been closed: a controller that repeats what stands does so every few minutes, and an opening
/// at night must be judged though the closing of the afternoon was lost.
const SAME_OPENING_NS: u64 = 600 * NS_PER_S;

/// The state of one door: independent facts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Door {
    position: Switch,
    lock: Switch,
    leave: Leave,
    /// When it opened, the latest time.
    opened_at: Option<Timestamp>,
    episodes: Episodes,
}

/// A contact with two states.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Switch {
    /// Open or drawn back, closed or thrown; `None` before the first report.
    is_open: Option<bool>,
    /// When the latest report happened.
    reported_at: Timestamp,
    recall: Recall,
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
    /// Takes a report: duplicate if it is sent again, late if it is older than the latest.
    fn report(&mut self, is_open: bool, arrival: &Arrival) -> Verdict {
        if self.recall.is_repeated(is_open, arrival) {
            return Verdict::Duplicate;
        }
        let happened_at = arrival.happened_at();
        if self.is_open.is_some() && happened_at < self.reported_at {
            return Verdict::Late;
        }
        self.is_open = Some(is_open);
        self.reported_at = happened_at;
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
                self.turn_lock(me, false, &arrival, kind, turn, out)
            }
            DoorInput::Unlocked(arrival) => {
                let kind = EventKind::DoorUnlocked { door: me };
                self.turn_lock(me, true, &arrival, kind, turn, out)
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
        let Switch { is_open: was_open, reported_at, .. } = self.position;
        let verdict = self.position.report(true, arrival);
        match verdict {
            Verdict::Duplicate | Verdict::Refused => return verdict,
            Verdict::Accepted if was_open == Some(true) => {
                if opened_at.since_ns(reported_at) <= SAME_OPENING_NS {
                    return verdict;
                }
                // It was closed meanwhile, and that was lost.
                self.end(AlarmReason::ConditionEnded, turn, out);
            }
            Verdict::Late if self.is_within_known_opening(opened_at) => return verdict,
            Verdict::Accepted | Verdict::Late => {}
        }
        self.opened_at = self.opened_at.max(Some(opened_at));
        let is_forced = !self.leave.covers(opened_at);
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
            && self.opened_at.is_some_and(|known_at| known_at < opened_at)
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
        let verdict = self.position.report(false, arrival);
        if verdict == Verdict::Accepted && !was_closed {
            let kind = EventKind::DoorClosed { door: me };
            out.effects.push(Effect::Event(Event { at: turn.now, kind }));
            self.end(AlarmReason::ConditionEnded, turn, out);
        }
        verdict
    }

    fn turn_lock(
        &mut self,
        me: DoorRef,
        is_drawn_back: bool,
        arrival: &Arrival,
        kind: EventKind,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let was = self.lock.is_open;
        let verdict = self.lock.report(is_drawn_back, arrival);
        if verdict == Verdict::Duplicate {
            return verdict;
        }
        self.leave.turn_lock(is_drawn_back, arrival.happened_at());
        if verdict == Verdict::Accepted && was != Some(is_drawn_back) {
            out.effects.push(Effect::Event(Event { at: turn.now, kind }));
        }
        self.end_covered(me, turn, out);
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
        let verdict = self.leave.give(arrival.happened_at(), valid_ms);
        if verdict != Verdict::Duplicate {
            self.end_covered(me, turn, out);
        }
        verdict
    }

    /// Ends the alarm of an opening for which there was leave after all.
    fn end_covered(&mut self, me: DoorRef, turn: &Turn<'_>, out: &mut Outbox) {
        let (place, leave) = (Place::Door(me), &self.leave);
        let reason = |notice: &AlarmNotice| {
            let is_covered = notice.place == place && leave.covers(notice.observed_at);
            is_covered.then_some(AlarmReason::ConditionEnded)
        };
        self.episodes.end_where(reason, turn, out);
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
