//! Leave of one subject, as its rules see it: what they say nothing of meanwhile, who must go along,
//! and when it is over. `docs/specs/leave.md` has the tables.
//!
//! A place that is left under it is remembered, for nobody sees the subject leave once more when it
//! ends.

use std::sync::Arc;

use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmPriority, AlarmReason, EntityRef, Fix, NS_PER_S, Pass, PassEnd,
    Place, RuleRef, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::call_back::CallBack;
use crate::cases::Cases;
use crate::docket::Bench;
use crate::episodes::Opening;
use crate::site::RuleCondition;
use crate::{DeadlineKind, Outbox};

/// So long before its end it is told of whoever is not back: time to fetch somebody from the garden.
/// Of leave that is shorter than twice as long, half of it.
const WARNING_NS: u64 = 300 * NS_PER_S;

/// Leave that a subject has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PassCase {
    pub(crate) pass: Arc<Pass>,
    /// For when it ends soon, or is over.
    call: CallBack,
    /// For when its escort has been missed for too long. Apart from the other, for a deadline cannot be taken
    /// back: ordered anew whenever an escort comes and goes, that one would be there many times.
    gap_call: CallBack,
    /// Whether the subject was out under it when that was looked at last.
    is_out: bool,
    /// Where its escort is.
    escort_fix: Option<Fix>,
    /// The latest moment at which both were near each other; 0 before the first.
    together_at: Timestamp,
}

/// A place that was left under leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ExcusedExit {
    pub(crate) rule: RuleRef,
    pub(crate) place: Place,
    pub(crate) gates_passed: u16,
}

impl PassCase {
    pub(crate) fn new(pass: Arc<Pass>) -> PassCase {
        PassCase {
            pass,
            call: CallBack::default(),
            gap_call: CallBack::default(),
            is_out: false,
            escort_fix: None,
            together_at: Timestamp(0),
        }
    }

    /// Whether it is about what a rule says of a place, whoever is with the subject.
    fn is_about(&self, condition: RuleCondition, place: Place) -> bool {
        let is_named = self.pass.places.binary_search(&place).is_ok();
        match condition {
            RuleCondition::Leaves => is_named || self.pass.places.is_empty(),
            // Leave to be out is no leave to go where nobody may, unless somebody said where.
            RuleCondition::Inside => is_named,
            // What is wrong with a body, a band, a tag or a door is wrong on leave as well.
            _ => false,
        }
    }

    /// Whether a rule says nothing of a place now.
    pub(crate) fn covers(&self, condition: RuleCondition, place: Place, now: Timestamp) -> bool {
        now < self.pass.until && self.is_accompanied(now) && self.is_about(condition, place)
    }

    pub(crate) fn is_accompanied(&self, now: Timestamp) -> bool {
        let escort = self.pass.escort;
        escort.is_none_or(|escort| now.since_ns(self.together_at) < escort.gap_ns)
    }

    /// Why an alarm ends that it covers.
    fn reason(&self) -> AlarmReason {
        match self.pass.escort {
            None => AlarmReason::Authorised,
            Some(_) => AlarmReason::Escorted,
        }
    }

    fn warns_at(&self) -> Timestamp {
        let length_ns = self.pass.until.since_ns(self.pass.given_at);
        Timestamp(self.pass.until.0.saturating_sub(WARNING_NS.min(length_ns / 2)))
    }

    /// Takes note of where its escort is.
    pub(crate) fn see_escort(&mut self, fix: &Fix) {
        self.escort_fix = Some(*fix);
    }

    /// Takes it that both are together now.
    pub(crate) fn see_together(&mut self, now: Timestamp) {
        self.together_at = now;
    }

    /// Looks whether both are near each other. What is older of both positions says when that was so.
    pub(crate) fn look_for_escort(&mut self, own: Option<&Fix>) {
        let (Some(escort), Some(own), Some(other)) = (self.pass.escort, own, self.escort_fix)
        else {
            return;
        };
        let is_same_floor = own.position.floor.is_some_and(|it| other.position.floor == Some(it));
        let apart_mm = |a: i32, b: i32| i128::from(a) - i128::from(b);
        let (x_mm, y_mm) = (
            apart_mm(own.position.x_mm, other.position.x_mm),
            apart_mm(own.position.y_mm, other.position.y_mm),
        );
        let within_mm = i128::from(escort.within_mm);
        if is_same_floor && x_mm * x_mm + y_mm * y_mm <= within_mm * within_mm {
            self.together_at = self.together_at.max(own.observed_at.min(other.observed_at));
        }
    }

    /// Orders a call for when something follows from time alone.
    fn order(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        let now = bench.turn.now;
        let (warns_at, until) = (self.warns_at(), self.pass.until);
        let next = if now < warns_at { warns_at } else { until };
        let (kind, me) = (DeadlineKind::Pass, EntityRef::Subject(bench.me));
        self.call.order_for(kind, Some(next), me, out);
        if let Some(escort) = self.pass.escort.filter(|_| self.is_accompanied(now)) {
            let missed_at = self.together_at.plus_ns(escort.gap_ns);
            self.gap_call.order_for(kind, Some(missed_at), me, out);
        }
    }

    /// Orders a call for when it is over.
    pub(crate) fn order_end(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        let (until, me) = (Some(self.pass.until), EntityRef::Subject(bench.me));
        self.call.order_for(DeadlineKind::Pass, until, me, out);
    }

    /// Whether this is the call that was ordered.
    pub(crate) fn take_call(&mut self, due_at: Timestamp) -> bool {
        // Both may be due at once.
        self.call.take(due_at) | self.gap_call.take(due_at)
    }
}

impl Cases {
    /// Whether leave covers what a rule would say of a place.
    pub(crate) fn is_covered(
        &self,
        condition: RuleCondition,
        place: Place,
        bench: &Bench<'_>,
    ) -> bool {
        let pass = self.pass.as_ref();
        pass.is_some_and(|case| case.covers(condition, place, bench.turn.now))
    }

    /// A place was left, beyond doubt: an alarm, or remembered if leave covers it.
    pub(crate) fn leave(&mut self, opening: &Opening, bench: &Bench<'_>, out: &mut Outbox) {
        let now = bench.turn.now;
        let pass = self.pass.as_ref();
        let pass = pass.filter(|case| case.covers(RuleCondition::Leaves, opening.place, now));
        let (Some(reason), Some(rule)) = (pass.map(|case| case.reason()), opening.rule) else {
            return self.open(opening, bench, out);
        };
        // It may have been raised, tentatively, before leave was given or the escort was there.
        self.episodes.end(Some(rule), opening.place, reason, bench.turn, out);
        let gates_passed = opening.evidence.gates_passed;
        self.excuse(ExcusedExit { rule, place: opening.place, gates_passed });
    }

    fn excuse(&mut self, exit: ExcusedExit) {
        if !self.excused.iter().any(|it| it.rule == exit.rule && it.place == exit.place) {
            self.excused.push(exit);
        }
    }

    /// Ends alarms that leave covers by now, and raises what it covers no more.
    pub(crate) fn weigh(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        let now = bench.turn.now;
        if let Some(case) = &self.pass {
            let is_covered = |notice: &AlarmNotice| {
                let plan = bench.plan(notice.rule?)?;
                let is_covered = case.covers(plan.condition, notice.place, now);
                is_covered.then_some((plan.condition, case.reason()))
            };
            let left = self.episodes.open_notices().iter().filter_map(|notice| {
                let (condition, _) = is_covered(notice)?;
                let has_left = condition == RuleCondition::Leaves && !notice.is_tentative;
                let (rule, gates_passed) = (notice.rule?, notice.gates_passed);
                has_left.then_some(ExcusedExit { rule, place: notice.place, gates_passed })
            });
            let left: Vec<ExcusedExit> = left.collect();
            let reason = |notice: &AlarmNotice| is_covered(notice).map(|(_, reason)| reason);
            self.episodes.end_where(reason, bench.turn, out);
            for exit in left {
                self.excuse(exit);
            }
        }
        let mut exits = std::mem::take(&mut self.excused);
        exits.retain(|exit| {
            let Some(plan) = bench.plan(exit.rule) else { return false };
            if self.is_covered(RuleCondition::Leaves, exit.place, bench) {
                return true;
            }
            if !bench.is_in_force(plan) {
                // Not at this hour; and he is out all the same.
                return self.pass.is_some();
            }
            let opening = bench.opening(exit.rule, plan, exit.place, exit.gates_passed);
            self.open(&opening, bench, out);
            false
        });
        self.excused = exits;
    }

    /// Whether a place that leave is about was left, and not come back to.
    fn is_out(&self, bench: &Bench<'_>) -> bool {
        let Some(case) = &self.pass else { return false };
        let is_gone = |notice: &AlarmNotice| {
            let plan = notice.rule.and_then(|rule| bench.plan(rule));
            let has_left = plan.is_some_and(|plan| plan.condition == RuleCondition::Leaves);
            has_left && !notice.is_tentative && case.is_about(RuleCondition::Leaves, notice.place)
        };
        !self.excused.is_empty() || self.episodes.open_notices().iter().any(is_gone)
    }

    /// Another version of the site is in force: whoever was out by a rule that is gone has not come back.
    /// `is_back` is whether a zone was redrawn round the subject.
    pub(crate) fn stay_out(&mut self, is_back: bool, bench: &Bench<'_>, out: &mut Outbox) {
        let is_out = is_back || self.is_out(bench);
        let Some(case) = &mut self.pass else { return };
        if case.is_out && !is_out {
            case.is_out = false;
            self.episodes.end(None, Place::Site, AlarmReason::RuleRemoved, bench.turn, out);
        }
    }

    /// Looks what became of leave: who is back, who is to be fetched soon. Tells why it is over, if
    /// it is.
    pub(crate) fn follow_pass(&mut self, bench: &Bench<'_>, out: &mut Outbox) -> Option<PassEnd> {
        let is_out = self.is_out(bench);
        let case = self.pass.as_mut()?;
        let is_back = std::mem::replace(&mut case.is_out, is_out) && !is_out;
        let now = bench.turn.now;
        if is_back {
            let reason = AlarmReason::ConditionEnded;
            self.episodes.end(None, Place::Site, reason, bench.turn, out);
            if case.pass.is_until_back {
                return Some(PassEnd::CameBack);
            }
        }
        if now >= case.pass.until {
            return Some(PassEnd::TimeOver);
        }
        if is_out && now >= case.warns_at() {
            let opening = Opening {
                rule: None,
                kind: AlarmKind::LeaveEndsSoon,
                priority: AlarmPriority::Low,
                subject: Some(bench.me),
                place: Place::Site,
                is_tentative: false,
                is_drill: false,
                evidence: bench.evidence,
            };
            self.episodes.open(&opening, bench.turn, out);
        }
        case.order(bench, out);
        None
    }
}
