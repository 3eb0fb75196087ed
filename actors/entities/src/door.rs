//! A door: forced or opened, and what its supervision tells: held open, tampered with, lost, low on
//! battery.
//!
//! Position, lock, grants, requests to exit, tamper contacts, battery and signs of life are independent
//! facts, each with its own order by the time it was observed. An opening is covered by a pass (a grant or a request to exit) that
//! was valid when it opened, or by a lock that was drawn back; without either it is forced, and
//! alarms at once. Reports overtake each other: leave that arrives after the opening it covers ends
//! the alarm.
//!
//! The first word of a door is taken for a happening: a fire exit that nobody ever used tells of
//! itself for the first time when it is forced. That a door stands open may be said again and
//! again; if it was not said for long, the door was closed meanwhile and that was lost.
//!
//! What lasts for a while is judged in one place, after every input (`door_watch.rs`).

use std::sync::Arc;

use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmReason, BadgeRef, DoorAnswer, DoorMode, DoorRef, DoorStanding,
    Event, EventKind, NS_PER_S, Place, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::badge_case::tell_holder;
use crate::call_back::CallBack;
use crate::door_battery::DoorBattery;
use crate::door_control::{DoorControl, DoorHand, DoorHold};
use crate::door_life::DoorLife;
use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::leave::{Leave, PassGiven};
use crate::passages::Passages;
use crate::site::RuleCondition;
use crate::switch::Switch;
use crate::tailgating::DoorPassage;
use crate::{Arrival, DeadlineKind, Effect, Outbox, Site, Turn, Verdict};

/// A door that is said to have opened while it is believed open, this long after it last said so,
/// has been closed: a controller that repeats what stands does so every few minutes, and an opening
/// at night must be judged though the closing of the afternoon was lost.
const SAME_OPENING_NS: u64 = 600 * NS_PER_S;

/// The state of one door: independent facts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Door {
    /// On while it is open.
    pub(crate) position: Switch,
    /// On while it is drawn back.
    pub(crate) lock: Switch,
    pub(crate) leave: Leave,
    /// When it opened, the latest time.
    pub(crate) opened_at: Option<Timestamp>,
    /// When its lock threw after it was drawn back, the latest time.
    pub(crate) thrown_at: Option<Timestamp>,
    /// On while its housing is tampered with.
    pub(crate) housing: Switch,
    /// On while its reader is tampered with.
    pub(crate) reader: Switch,
    pub(crate) battery: DoorBattery,
    pub(crate) life: DoorLife,
    /// For the hours of its rules, and for when it has stood open for too long.
    pub(crate) call: CallBack,
    pub(crate) episodes: Episodes,
    /// When its lock drew back after it was thrown, the latest time.
    pub(crate) drawn_at: Option<Timestamp>,
    /// Of a door that the node moves.
    pub(crate) control: Option<Box<DoorControl>>,
    /// Whether its fire input is on.
    pub(crate) is_fire_told: bool,
    /// Who went through, if rules ask.
    pub(crate) passages: Option<Box<Passages>>,
}

/// What a door can be told.
#[derive(Debug, Clone, Copy)]
pub enum DoorInput<'a> {
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
        /// The badge it was given to, if that is known.
        badge: Option<BadgeRef>,
    },
    /// Somebody asked to leave.
    ExitRequested {
        /// When.
        arrival: Arrival,
        /// How long the door may be opened on it.
        valid_ms: u32,
    },
    /// Its housing, or that of its controller, was opened or torn off.
    Tampered(Arrival),
    /// Its housing is whole again.
    Untampered(Arrival),
    /// Its reader was opened or torn off.
    ReaderTampered(Arrival),
    /// Its reader is whole again.
    ReaderUntampered(Arrival),
    /// It works, and there is nothing else to say.
    Alive(Arrival),
    /// Its system has lost it.
    Lost(Arrival),
    /// How full its battery is.
    Battery {
        /// When.
        arrival: Arrival,
        /// Percent.
        percent: u8,
    },
    /// Its controller has carried out an order.
    OrderDone {
        /// When.
        arrival: Arrival,
        /// Which.
        number: u64,
    },
    /// Its controller has refused an order.
    OrderRefused {
        /// When.
        arrival: Arrival,
        /// Which.
        number: u64,
    },
    /// Its fire input is on, or off again. The shard lets people out; here it is known to whoever asks.
    Fire {
        /// When.
        arrival: Arrival,
        /// Whether it is on.
        is_on: bool,
    },
    /// Its controller may have been told an order that is not known here.
    Renewed {
        /// With this number.
        above: u64,
    },
    /// A key switch at the door was turned.
    LocalOverride {
        /// When.
        arrival: Arrival,
        /// What the door does by it; nothing if it was given back.
        mode: Option<DoorMode>,
    },
    /// Somebody was seen to go through.
    Passed(DoorPassage<'a>),
    /// Somebody wishes something of it.
    Wished(DoorHand<'a>),
    /// Fires, lockdowns and evacuations are for it as told here.
    Held(&'a DoorHold),
    /// One of its deadlines is due.
    Due {
        /// What for.
        kind: DeadlineKind,
        /// When it was due.
        due_at: Timestamp,
    },
    /// Another version of the site is in force: it is `turn.site`.
    SiteChanged {
        /// The one before.
        old: &'a Site,
    },
}

impl Door {
    /// Takes one input.
    pub fn step(
        &mut self,
        me: DoorRef,
        input: DoorInput<'_>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let before = self.standing(me);
        let verdict = self.take(me, input, turn, out);
        let after = self.standing(me);
        if after != before {
            out.effects.push(Effect::Door(after));
        }
        verdict
    }

    /// All that is known of it just now.
    pub fn standing(&self, me: DoorRef) -> DoorStanding {
        let is_locked = self.is_locked();
        let control = self.control.as_deref();
        let answer = control.map_or(DoorAnswer::NoOrders, |control| control.answer(is_locked));
        let order = control.and_then(DoorControl::order).copied();
        DoorStanding {
            door: me,
            is_open: self.is_open(),
            is_locked,
            order,
            answer,
            is_fire_told: self.is_fire_told,
        }
    }

    fn take(
        &mut self,
        me: DoorRef,
        input: DoorInput<'_>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        if let DoorInput::SiteChanged { old } = input {
            self.change_site(me, old, turn, out);
            return Verdict::Accepted;
        }
        if turn.site.door_plan(me).is_none() {
            return Verdict::Refused;
        }
        let (verdict, arrival) = match input {
            DoorInput::Opened(arrival) => (self.open(me, &arrival, turn, out), arrival),
            DoorInput::Closed(arrival) => (self.close(me, &arrival, turn, out), arrival),
            DoorInput::Locked(arrival) => (self.turn_lock(me, false, &arrival, turn, out), arrival),
            DoorInput::Unlocked(arrival) => {
                (self.turn_lock(me, true, &arrival, turn, out), arrival)
            }
            DoorInput::AccessGranted { arrival, valid_ms, badge } => {
                (self.let_pass(me, &arrival, PassGiven::grant(valid_ms, badge), turn, out), arrival)
            }
            DoorInput::ExitRequested { arrival, valid_ms } => {
                (self.let_pass(me, &arrival, PassGiven::request(valid_ms), turn, out), arrival)
            }
            DoorInput::Tampered(arrival) => {
                let verdict = self.housing.report(true, &arrival);
                self.tell_tampering(me, RuleCondition::DoorTampered, verdict, &arrival, turn, out);
                (verdict, arrival)
            }
            DoorInput::Untampered(arrival) => (self.housing.report(false, &arrival), arrival),
            DoorInput::ReaderTampered(arrival) => {
                let verdict = self.reader.report(true, &arrival);
                let watches = RuleCondition::ReaderTampered;
                self.tell_tampering(me, watches, verdict, &arrival, turn, out);
                (verdict, arrival)
            }
            DoorInput::ReaderUntampered(arrival) => (self.reader.report(false, &arrival), arrival),
            DoorInput::Alive(arrival) => (self.life.report_alive(&arrival), arrival),
            DoorInput::Lost(arrival) => {
                let verdict = self.life.report_lost(&arrival);
                if verdict == Verdict::Accepted {
                    self.judge(me, turn.now, &Evidence::of_arrival(&arrival), turn, out);
                }
                return verdict;
            }
            DoorInput::Battery { arrival, percent } => {
                (self.battery.report(percent, &arrival), arrival)
            }
            DoorInput::Fire { arrival, is_on } => {
                self.is_fire_told = is_on;
                (self.life.report_alive(&arrival), arrival)
            }
            DoorInput::Renewed { .. }
            | DoorInput::OrderDone { .. }
            | DoorInput::OrderRefused { .. }
            | DoorInput::LocalOverride { .. }
            | DoorInput::Wished(_)
            | DoorInput::Held(_) => return self.take_control(me, &input, turn, out),
            DoorInput::Due { kind, due_at } => {
                let is_settled = self.settle(me, turn, out, Some(due_at));
                self.fall_due(me, (kind, due_at), is_settled, turn, out);
                return Verdict::Accepted;
            }
            DoorInput::Passed(passage) => {
                self.see_passage(me, passage, turn, out);
                return Verdict::Accepted;
            }
            DoorInput::SiteChanged { .. } => return Verdict::Accepted,
        };
        if verdict != Verdict::Duplicate {
            self.hear_life(me, arrival.happened_at(), turn, out);
            self.judge(me, turn.now, &told_by(&arrival, verdict), turn, out);
        }
        verdict
    }

    /// Whether it is open; `None` before it has told.
    pub fn is_open(&self) -> Option<bool> {
        self.position.is_on()
    }

    /// Whether its lock is thrown; `None` before it has told.
    pub fn is_locked(&self) -> Option<bool> {
        self.lock.is_on().map(|is_drawn_back| !is_drawn_back)
    }

    fn open(
        &mut self,
        me: DoorRef,
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let opened_at = arrival.happened_at();
        let (was_open, reported_at) = (self.position.is_on(), self.position.reported_at());
        let verdict = self.position.report(true, arrival);
        match verdict {
            Verdict::Duplicate | Verdict::Refused => return verdict,
            Verdict::Accepted if was_open == Some(true) => {
                if opened_at.since_ns(reported_at) <= SAME_OPENING_NS {
                    return verdict;
                }
                // It was closed meanwhile, and that was lost.
                self.end_opening(reported_at, turn, out);
            }
            Verdict::Late if self.is_within_known_opening(opened_at) => return verdict,
            Verdict::Accepted | Verdict::Late => {}
        }
        let closed_at = match verdict {
            Verdict::Accepted => None,
            _ if self.position.is_on() == Some(true) => self.opened_at,
            _ => Some(self.position.reported_at()),
        };
        self.opened_at = self.opened_at.max(Some(opened_at));
        let is_told_open =
            self.control.as_deref().is_some_and(|control| control.is_unlocked_at(opened_at));
        let is_forced = !is_told_open && !self.leave.covers(opened_at);
        let kind = EventKind::DoorOpened { door: me, is_forced };
        out.effects.push(Effect::Event(Event { at: turn.now, kind }));
        if is_forced {
            self.raise(me, &told_by(arrival, verdict), turn, out);
        }
        self.begin_passages(me, closed_at, arrival, turn, out);
        if self.position.is_on() != Some(true) {
            // It was told late, and the door has been closed since.
            self.end_opening(self.position.reported_at(), turn, out);
        }
        verdict
    }

    /// Whether a late opening falls into a time in which the door is known to have been open.
    fn is_within_known_opening(&self, opened_at: Timestamp) -> bool {
        self.position.is_on() == Some(true)
            && self.opened_at.is_some_and(|known_at| known_at < opened_at)
    }

    fn raise(&mut self, me: DoorRef, evidence: &Evidence, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(door) = turn.site.door_plan(me) else { return };
        for &rule in &door.forced_rules {
            let Some(plan) = turn.site.rule(rule) else { continue };
            if turn.site.is_in_force(plan, turn.now) {
                let opening = Opening::by_rule(rule, plan, None, Place::Door(me), *evidence)
                    .at_drill(self.is_drilled());
                let told_from = out.effects.len();
                self.episodes.open(&opening, turn, out);
                let known = self.leave.evidence(evidence.observed_at, turn.site);
                for effect in out.effects.iter_mut().skip(told_from) {
                    if let Effect::Alarm(notice) = effect {
                        notice.door = Some(Arc::new(known.clone()));
                    }
                }
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
        let was_closed = self.position.is_on() == Some(false);
        let verdict = self.position.report(false, arrival);
        if verdict == Verdict::Accepted && !was_closed {
            let kind = EventKind::DoorClosed { door: me };
            out.effects.push(Effect::Event(Event { at: turn.now, kind }));
            self.end_opening(arrival.happened_at(), turn, out);
        }
        verdict
    }

    fn turn_lock(
        &mut self,
        me: DoorRef,
        is_drawn_back: bool,
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let was = self.lock.is_on();
        let verdict = self.lock.report(is_drawn_back, arrival);
        if verdict == Verdict::Duplicate {
            return verdict;
        }
        self.leave.turn_lock(is_drawn_back, arrival.happened_at());
        if verdict == Verdict::Accepted && was != Some(is_drawn_back) {
            let turned_at = was.map(|_| arrival.happened_at());
            if is_drawn_back {
                self.drawn_at = turned_at;
            } else if turned_at.is_some() {
                self.thrown_at = turned_at;
            }
            let kind = if is_drawn_back {
                EventKind::DoorUnlocked { door: me }
            } else {
                EventKind::DoorLocked { door: me }
            };
            out.effects.push(Effect::Event(Event { at: turn.now, kind }));
        }
        self.end_covered(me, turn, out);
        self.recount(me, arrival, turn, out);
        verdict
    }

    fn let_pass(
        &mut self,
        me: DoorRef,
        arrival: &Arrival,
        pass: PassGiven,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let given_at = arrival.happened_at();
        let verdict = self.leave.give(given_at, pass);
        if verdict != Verdict::Duplicate {
            self.end_covered(me, turn, out);
            self.count_pass(me, given_at, Leave::end_of(given_at, pass.valid_ms), turn.site);
            self.recount(me, arrival, turn, out);
            tell_holder(me, pass.badge, arrival, turn, out);
        }
        verdict
    }

    /// Ends the alarm of an opening for which there was leave after all.
    fn end_covered(&mut self, me: DoorRef, turn: &Turn<'_>, out: &mut Outbox) {
        let (place, leave) = (Place::Door(me), &self.leave);
        let reason = |notice: &AlarmNotice| {
            let is_covered = notice.kind == AlarmKind::DoorForced
                && notice.place == place
                && leave.covers(notice.observed_at);
            is_covered.then_some(AlarmReason::ConditionEnded)
        };
        self.episodes.end_where(reason, turn, out);
    }

    /// Ends what is said of an opening that is over.
    fn end_opening(&mut self, closed_at: Timestamp, turn: &Turn<'_>, out: &mut Outbox) {
        if let Some(passages) = self.passages.as_deref_mut() {
            passages.close(closed_at, turn.now);
        }
        let reason = |notice: &AlarmNotice| {
            let is_about = matches!(
                notice.kind,
                AlarmKind::DoorForced | AlarmKind::DoorHeld | AlarmKind::Tailgating
            );
            is_about.then_some(AlarmReason::ConditionEnded)
        };
        self.episodes.end_where(reason, turn, out);
    }

    fn change_site(&mut self, me: DoorRef, old: &Site, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(door) = turn.site.door_plan(me) else {
            self.episodes.end_where(|_| Some(AlarmReason::RuleRemoved), turn, out);
            let episodes = std::mem::take(&mut self.episodes);
            *self = Door { episodes, ..Door::default() };
            return;
        };
        self.change_control(me, old, turn);
        self.settle(me, turn, out, None);
        let reason = |notice: &AlarmNotice| {
            let rule = notice.rule?;
            let is_said = turn.site.rule(rule).is_some_and(|plan| plan.alarm == notice.kind);
            let holds = is_said
                && (door.forced_rules.contains(&rule)
                    || door.passage_rules.contains(&rule)
                    || door.state_rules.contains(&rule));
            (!holds).then_some(AlarmReason::RuleRemoved)
        };
        self.episodes.end_where(reason, turn, out);
        self.change_passages(me, old, turn, out);
        self.life.change_site(me, old, turn);
        self.end_not_yet(me, turn, out);
        let evidence = Evidence::of_site_change(turn);
        self.judge(me, turn.now, &evidence, turn, out);
        self.episodes.mark_waiting(self.is_drilled());
        self.episodes.settle(turn.now, &evidence, turn, out);
    }
}

/// What a report says for an alarm.
fn told_by(arrival: &Arrival, verdict: Verdict) -> Evidence {
    let evidence = Evidence::of_arrival(arrival);
    Evidence { is_late: evidence.is_late || verdict == Verdict::Late, ..evidence }
}
