//! What is judged of a door for as long as it lasts: that it is held open, tampered with, low on
//! battery or lost.
//!
//! A door is held open when it has stood open for as long as a rule lets it, with or without leave. An
//! opening about which a forced door is alarmed is not held besides: one condition, one alarm. While its
//! lock is drawn back a door may stand open, and the time counts from when the lock throws, unless the
//! rule says otherwise. The moment is absolute: one that came while the node was away is told late.

use ach_actors_model::{AlarmKind, AlarmReason, DoorRef, EntityRef, Place, RuleRef, Timestamp};

use crate::door::Door;
use crate::door_control::DoorControl;
use crate::episodes::Opening;
use crate::evidence::Evidence;
use crate::site::{RuleCondition, RulePlan};
use crate::tag_watch::BATTERY_HYSTERESIS_PERCENT;
use crate::{Arrival, DeadlineKind, Outbox, Turn, Verdict};

/// What a rule makes of a door as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    /// What it watches is so.
    Holds,
    /// It is not so.
    Over,
    /// It is not so before this moment.
    NotBefore(Timestamp),
    /// It is not so before the door has said nothing for this much longer.
    SilentFor(u64),
    /// It is neither so nor plainly over.
    Doubtful,
}

impl Door {
    /// Judges all that lasts as it is now, by the hours and times of `judged_at`.
    pub(crate) fn judge(
        &mut self,
        me: DoorRef,
        judged_at: Timestamp,
        evidence: &Evidence,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(door) = turn.site.door_plan(me) else { return };
        let (who, place) = (EntityRef::Door(me), Place::Door(me));
        let mut left_ns = u64::MAX;
        for &rule in &door.state_rules {
            let Some(plan) = turn.site.rule(rule) else { continue };
            let judgement = self.judgement(me, plan, judged_at, turn);
            let is_in_force = turn.site.is_in_force(plan, judged_at);
            match judgement {
                Judgement::Holds if is_in_force => {
                    let opening = Opening::by_rule(rule, plan, None, place, *evidence)
                        .at_drill(self.is_drilled());
                    self.episodes.open(&opening, turn, out);
                }
                Judgement::Over => {
                    let reason = AlarmReason::ConditionEnded;
                    self.episodes.end(Some(rule), place, reason, turn, out);
                }
                Judgement::NotBefore(due_at) => self.call.order(Some(due_at), who, out),
                Judgement::SilentFor(rule_left_ns) => {
                    left_ns = left_ns.min(rule_left_ns);
                    let reason = AlarmReason::ConditionEnded;
                    self.episodes.end(Some(rule), place, reason, turn, out);
                }
                // What waits to be told must hold all the while.
                Judgement::Doubtful => self.episodes.give_up_waiting(rule, Place::Door(me)),
                Judgement::Holds => {}
            }
            if !is_in_force {
                self.episodes.end(Some(rule), place, AlarmReason::RuleRemoved, turn, out);
            }
            if judgement == Judgement::Holds && !plan.windows.is_empty() {
                self.call.order(turn.site.next_change(plan, judged_at), who, out);
            }
        }
        self.life.look_in(me, left_ns, turn, out);
    }

    /// Whether it is told what to do for a drill: what is wrong with it may be of that.
    pub(crate) fn is_drilled(&self) -> bool {
        let order = self.control.as_deref().and_then(DoorControl::order);
        order.is_some_and(|order| order.is_drill)
    }

    /// It gave a sign of life. Before what it tells ends what waits, that is told if it has waited for long enough.
    pub(crate) fn hear_life(
        &mut self,
        me: DoorRef,
        seen_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        self.life.hear(me, seen_at, turn);
        self.episodes.mark_waiting(self.is_drilled());
        self.episodes.catch_up(seen_at, turn, out);
    }

    /// A deadline is due; it may have been for what the door is told.
    pub(crate) fn fall_due(
        &mut self,
        me: DoorRef,
        (kind, due_at): (DeadlineKind, Timestamp),
        is_settled: bool,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let evidence = Evidence::of_deadline(due_at, turn);
        let is_wanted = is_settled
            | match kind {
                DeadlineKind::Silence => self.life.take_look(due_at),
                DeadlineKind::Window => self.call.take(due_at),
                DeadlineKind::Delay => {
                    self.episodes.mark_waiting(self.is_drilled());
                    self.episodes.fall_due(due_at, &evidence, turn, out);
                    false
                }
                DeadlineKind::Gate | DeadlineKind::Term | DeadlineKind::Pass => false,
            };
        if is_wanted {
            self.judge(me, due_at, &evidence, turn, out);
        }
    }

    /// Tells of tampering at once, also where it is told late and is over.
    pub(crate) fn tell_tampering(
        &mut self,
        me: DoorRef,
        watches: RuleCondition,
        verdict: Verdict,
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(door) = turn.site.door_plan(me).filter(|_| verdict == Verdict::Late) else {
            return;
        };
        let evidence = Evidence { is_late: true, ..Evidence::of_arrival(arrival) };
        for &rule in &door.state_rules {
            let Some(plan) = turn.site.rule(rule) else { continue };
            if plan.condition == watches && turn.site.is_in_force(plan, turn.now) {
                let opening = Opening::by_rule(rule, plan, None, Place::Door(me), evidence)
                    .at_drill(self.is_drilled());
                self.episodes.open(&opening, turn, out);
            }
        }
    }

    /// Ends what another version of the site lets last for longer, which it has not yet.
    pub(crate) fn end_not_yet(&mut self, me: DoorRef, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(door) = turn.site.door_plan(me) else { return };
        let is_not_yet = |rule: &RuleRef| {
            let judgement =
                turn.site.rule(*rule).map(|plan| self.judgement(me, plan, turn.now, turn));
            matches!(judgement, Some(Judgement::NotBefore(_) | Judgement::SilentFor(_)))
        };
        let not_yet: Vec<RuleRef> = door.state_rules.iter().copied().filter(is_not_yet).collect();
        for rule in not_yet {
            self.episodes.end_not_yet(rule, Place::Door(me), turn, out);
        }
    }

    fn judgement(
        &self,
        me: DoorRef,
        plan: &RulePlan,
        judged_at: Timestamp,
        turn: &Turn<'_>,
    ) -> Judgement {
        let so = |is_so: bool| if is_so { Judgement::Holds } else { Judgement::Over };
        match plan.condition {
            RuleCondition::DoorHeld { after_ns, also_unlocked } => {
                self.held(after_ns, also_unlocked, judged_at)
            }
            RuleCondition::DoorTampered => so(self.housing.is_on() == Some(true)),
            RuleCondition::ReaderTampered => so(self.reader.is_on() == Some(true)),
            RuleCondition::DoorLost { after_ns } => match self.life.left_ns(me, after_ns, turn) {
                None => Judgement::Holds,
                Some(left_ns) => Judgement::SilentFor(left_ns),
            },
            RuleCondition::DoorBatteryLow { percent: limit } => {
                let charged = limit.saturating_add(BATTERY_HYSTERESIS_PERCENT).min(100);
                match self.battery.percent() {
                    Some(percent) if percent <= limit => Judgement::Holds,
                    Some(percent) if percent < charged => Judgement::Doubtful,
                    Some(_) | None => Judgement::Over,
                }
            }
            RuleCondition::DoorNotFollowing { after_ns } => self.not_following(after_ns, judged_at),
            _ => Judgement::Doubtful,
        }
    }

    fn not_following(&self, after_ns: u64, judged_at: Timestamp) -> Judgement {
        if self.control.as_deref().is_some_and(DoorControl::is_refused) {
            return Judgement::Holds;
        }
        // Of a door that was never heard nothing is expected, as of its silence.
        let since = self.deviates_since().filter(|_| self.life.was_heard());
        let Some(since) = since else { return Judgement::Over };
        // Who has leave may draw the lock back for as long as the leave lasts.
        let since = self.leave.ends_after(since).unwrap_or(since);
        let due_at = since.plus_ns(after_ns);
        if due_at <= judged_at { Judgement::Holds } else { Judgement::NotBefore(due_at) }
    }

    fn held(&self, after_ns: u64, also_unlocked: bool, judged_at: Timestamp) -> Judgement {
        let mut open_notices = self.episodes.open_notices().iter();
        let is_forced = open_notices.any(|notice| notice.kind == AlarmKind::DoorForced);
        let may_stand_open = !also_unlocked && self.lock.is_on() == Some(true);
        let opened_at = self.opened_at.filter(|_| self.position.is_on() == Some(true));
        let Some(opened_at) = opened_at.filter(|_| !is_forced && !may_stand_open) else {
            return Judgement::Over;
        };
        let since = if also_unlocked {
            opened_at
        } else {
            opened_at.max(self.thrown_at.unwrap_or(opened_at))
        };
        let due_at = since.plus_ns(after_ns);
        if due_at <= judged_at { Judgement::Holds } else { Judgement::NotBefore(due_at) }
    }
}
