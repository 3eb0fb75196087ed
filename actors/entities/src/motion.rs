//! What moves in a zone in which nobody is, by its rules about that.
//!
//! Each rule keeps the last time in which nobody was in who would account for motion. What moves is nobody's
//! only if it lies in that time, and no nearer to either end than the rule's `after`: tags tell of people later
//! than detectors do.

use ach_actors_model::{AlarmReason, Cause, EntityRef, NS_PER_S, Place, RuleRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::absence::UNSEEN_RECHECK_NS;
use crate::call_back::CallBack;
use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::site::{RuleCondition, RulePlan};
use crate::zone_bench::{Stir, ZoneBench};
use crate::{Arrival, DeadlineKind, Outbox, Turn};

/// An alarm stands for so long after the last motion: motion is a moment, and has no end that could be seen.
const STANDS_NS: u64 = 600 * NS_PER_S;

/// Of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct MotionWatch {
    /// The version of the site that who is in was counted by.
    counted_version: u32,
    /// By rule, ascending. Bounded by the zone's rules.
    rows: Vec<Row>,
    /// The latest motion that was told of, whoever was in.
    moved: Option<Motion>,
    term_call: CallBack,
}

/// Of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    rule: RuleRef,
    /// How many of those in account for motion.
    company: u32,
    /// The last time in which there was none: from when, and until when if it is over.
    empty_since: Timestamp,
    filled_at: Option<Timestamp>,
    /// The first motion in it that nobody has accounted for yet.
    waits: Option<Motion>,
    /// The alarm, if there is one.
    stands: Option<Standing>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    /// The motion that it was raised for.
    moved_at: Timestamp,
    until: Timestamp,
}

/// Something moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Motion {
    at: Timestamp,
    received_at: Timestamp,
    cause: Cause,
}

impl Motion {
    fn of(arrival: &Arrival) -> Motion {
        let Arrival { received_at, cause, .. } = *arrival;
        Motion { at: arrival.happened_at(), received_at, cause }
    }

    fn evidence(&self) -> Evidence {
        let Motion { at: observed_at, received_at, cause } = *self;
        Evidence::of_arrival(&Arrival { observed_at, received_at, cause })
    }
}

impl Row {
    /// Of a rule that begins to watch.
    fn new(rule: RuleRef, empty_since: Timestamp) -> Row {
        let (filled_at, waits, stands) = (None, None, None);
        Row { rule, company: 0, empty_since, filled_at, waits, stands }
    }

    /// Counts who is in. Whoever comes first accounts for what waits.
    fn count(&mut self, company: u32, at: Timestamp) {
        match (self.company, company) {
            (0, 1..) => {
                self.filled_at = Some(at.max(self.empty_since));
                self.waits = None;
            }
            (1.., 0) => {
                self.empty_since = at;
                self.filled_at = None;
            }
            _ => {}
        }
        self.company = company;
    }

    /// Whoever was in when it moved, and is known to have been only now, accounts for the alarm.
    fn account(&mut self, after_ns: u64, turn: &Turn<'_>) {
        let Some(filled_at) = self.filled_at else { return };
        if let Some(stands) = &mut self.stands
            && filled_at < stands.moved_at.plus_ns(after_ns)
        {
            stands.until = turn.now;
        }
    }

    /// Takes what moved, if nobody accounts for it so far.
    fn take(&mut self, motion: Motion, after_ns: u64, turn: &Turn<'_>) {
        let is_after = motion.at >= self.empty_since.plus_ns(after_ns);
        let is_before = self.filled_at.is_none_or(|it| motion.at.plus_ns(after_ns) <= it);
        if !is_after || !is_before {
            return;
        }
        if let Some(stands) = &mut self.stands {
            stands.until = turn.now.plus_ns(STANDS_NS);
        } else if self.waits.is_none_or(|waits| motion.at < waits.at) {
            self.waits = Some(motion);
        }
    }
}

impl MotionWatch {
    /// Whether this is the call that was ordered; it is then over.
    pub(crate) fn take_call(&mut self, due_at: Timestamp) -> bool {
        self.term_call.take(due_at)
    }

    /// Something moved.
    pub(crate) fn see(&mut self, arrival: &Arrival, bench: &ZoneBench<'_>) {
        let always = Timestamp::default();
        self.count_anew_if_changed(always, always, bench);
        let motion = Motion::of(arrival);
        for row in &mut self.rows {
            let Some((plan, after_ns)) = motion_rule(row.rule, bench) else { continue };
            if bench.turn.site.is_in_force(plan, motion.at) {
                row.take(motion, after_ns, bench.turn);
            }
        }
        self.moved = self.moved.filter(|moved| moved.at > motion.at).or(Some(motion));
    }

    /// Counts who came and went.
    pub(crate) fn stir(&mut self, stir: Stir, bench: &ZoneBench<'_>) {
        let Stir::Moved { subject, is_in, at } = stir else {
            let now = bench.turn.now;
            return self.count_anew_if_changed(now, now, bench);
        };
        if self.counted_version != bench.turn.site.version() {
            let since = if is_in { Timestamp::default() } else { at };
            return self.count_anew_if_changed(since, at, bench);
        }
        for row in &mut self.rows {
            if !bench.is_company(row.rule, subject) {
                continue;
            }
            let company =
                if is_in { row.company.saturating_add(1) } else { row.company.saturating_sub(1) };
            row.count(company, at);
            let Some((plan, after_ns)) = motion_rule(row.rule, bench) else { continue };
            if is_in {
                row.account(after_ns, bench.turn);
            } else if let Some(moved) = self.moved.filter(|_| company == 0)
                && bench.turn.site.is_in_force(plan, moved.at)
            {
                // He left earlier than was told, and what moved in between was put down to him.
                row.take(moved, after_ns, bench.turn);
            }
        }
    }

    /// Counts who is in, once for every version of the site. For a rule that was not there nobody was in from `since`
    /// until `at`.
    fn count_anew_if_changed(&mut self, since: Timestamp, at: Timestamp, bench: &ZoneBench<'_>) {
        if self.counted_version == bench.turn.site.version() {
            return;
        }
        self.counted_version = bench.turn.site.version();
        let before = std::mem::take(&mut self.rows);
        let row = |&rule: &RuleRef| {
            let known = before.iter().find(|row| row.rule == rule).cloned();
            let (mut row, at) = match known {
                Some(row) => (row, bench.turn.now),
                None => (Row::new(rule, since), at),
            };
            row.count(bench.company_of(rule), at);
            row
        };
        self.rows = bench.plan.motion_rules.iter().map(row).collect();
        // It moved before.
        self.moved = None;
    }

    /// Raises what nobody has accounted for in time, ends what stands no more, and orders a call for the next.
    pub(crate) fn judge(
        &mut self,
        bench: &ZoneBench<'_>,
        episodes: &mut Episodes,
        out: &mut Outbox,
    ) {
        let mut next_at: Option<Timestamp> = None;
        for row in &mut self.rows {
            let look_at = row.raise(bench, episodes, out);
            let place = Place::Zone(bench.me);
            if row.stands.take_if(|stands| stands.until <= bench.judged_at).is_some() {
                episodes.end(Some(row.rule), place, AlarmReason::ConditionEnded, bench.turn, out);
            }
            let ends_at = row.stands.as_ref().map(|stands| stands.until);
            next_at = [next_at, look_at, ends_at].into_iter().flatten().min();
        }
        let entity = EntityRef::Zone(bench.me);
        self.term_call.order_for(DeadlineKind::Term, next_at, entity, out);
    }
}

impl Row {
    /// Raises what has waited for long enough; when to look again, if something waits.
    fn raise(
        &mut self,
        bench: &ZoneBench<'_>,
        episodes: &mut Episodes,
        out: &mut Outbox,
    ) -> Option<Timestamp> {
        let (motion, turn) = (self.waits?, bench.turn);
        let (plan, after_ns) = motion_rule(self.rule, bench)?;
        let due_at = motion.at.plus_ns(after_ns);
        // What is over is known; what is not, when its time is over.
        if self.filled_at.is_none() && due_at > bench.judged_at {
            return Some(due_at);
        }
        // Somebody may have come, and nobody could tell.
        let told_at = turn.health.back_at(due_at).map(|at| at.plus_ns(UNSEEN_RECHECK_NS));
        if let Some(told_at) = told_at.filter(|&told_at| turn.now < told_at) {
            return Some(told_at);
        }
        if bench.evidence.is_too_soon() || turn.is_blind(bench.me) {
            return Some(turn.now.plus_ns(UNSEEN_RECHECK_NS));
        }
        self.waits = None;
        self.stands = Some(Standing { moved_at: motion.at, until: turn.now.plus_ns(STANDS_NS) });
        let evidence = motion.evidence();
        let is_late = evidence.is_late || Evidence::of_deadline(due_at, turn).is_late;
        let evidence = Evidence { is_late, ..evidence };
        let opening = Opening::by_rule(self.rule, plan, None, Place::Zone(bench.me), evidence);
        episodes.open(&opening, turn, out);
        None
    }
}

/// A rule about motion, and its time.
fn motion_rule<'a>(rule: RuleRef, bench: &ZoneBench<'a>) -> Option<(&'a RulePlan, u64)> {
    let plan = bench.turn.site.rule(rule)?;
    let RuleCondition::Motion { after_ns } = plan.condition else { return None };
    Some((plan, after_ns))
}
