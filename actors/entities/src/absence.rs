//! Subjects that are outside all the zones they belong to, and since when.
//!
//! Only positions tell that something is back or gone: one that is not heard stays where it was last
//! seen, and its time goes on. While nobody could see it come back, nothing is said.

use ach_actors_model::{
    AlarmNotice, AlarmReason, EntityRef, NS_PER_S, Place, RuleRef, Timestamp, ZoneRef,
};
use ach_geo::{Crossing, CrossingKind, Occupancy, gate};
use serde::{Deserialize, Serialize};

use crate::cases::Cases;
use crate::docket::{Bench, Docket};
use crate::site::{RuleCondition, RulePlan};
use crate::{DeadlineKind, Outbox};

/// How much later it is looked at again what could not be seen when its time was over: soon enough for what
/// is counted in minutes, seldom enough for thousands that a silent feed hides.
pub(crate) const UNSEEN_RECHECK_NS: u64 = 60 * NS_PER_S;

/// An absence is looked at once after this long, and only what is away then is called when its time is over. A call
/// cannot be taken back: without it whoever was seen outside once, as all are that are heard for the first time, kept
/// its cases for the hours that a rule gives.
const SETTLED_NS: u64 = 60 * NS_PER_S;

/// Outside every zone of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Absence {
    pub(crate) rule: RuleRef,
    /// The zone it left last; the rule's first if it was never seen to leave one.
    pub(crate) zone: ZoneRef,
    since: Timestamp,
}

impl Docket {
    /// Positions, or another version of the site, may say that the subject is back where it belongs, or that
    /// it has left: looks at each rule about that. `crossings` are what the positions came to.
    pub(crate) fn look_home(
        &mut self,
        crossings: &[Crossing],
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let own = bench.turn.site.subject_rules(bench.me);
        let Some(own) = own.filter(|own| !own.away.is_empty()) else { return };
        for &rule in &own.away {
            let Some(plan) = bench.plan(rule) else { continue };
            if is_home(plan, occupancy, bench) {
                if let Some(cases) = &mut self.cases
                    && cases.is_away(rule)
                {
                    cases.come_home(rule, bench, out);
                }
                continue;
            }
            let cases = self.cases.get_or_insert_default();
            if cases.absences.iter().all(|absence| absence.rule != rule) {
                cases.absences.extend(absence(rule, plan, crossings, bench));
            }
        }
        if let Some(cases) = &mut self.cases
            && !cases.absences.is_empty()
        {
            cases.judge_absences(bench, out);
        }
    }

    /// The time that a rule gives may be over.
    pub(crate) fn come_to_term(&mut self, due_at: Timestamp, bench: &Bench<'_>, out: &mut Outbox) {
        let Some(cases) = &mut self.cases else { return };
        if cases.absence_call.take(due_at) {
            cases.judge_absences(bench, out);
        }
    }
}

impl Cases {
    /// Whether it is away, or an alarm says so.
    fn is_away(&self, rule: RuleRef) -> bool {
        self.absences.iter().any(|absence| absence.rule == rule)
            || self.episodes.open_notices().iter().any(|notice| notice.rule == Some(rule))
    }

    fn come_home(&mut self, rule: RuleRef, bench: &Bench<'_>, out: &mut Outbox) {
        self.absences.retain(|absence| absence.rule != rule);
        let reason = |notice: &AlarmNotice| {
            (notice.rule == Some(rule)).then_some(AlarmReason::ConditionEnded)
        };
        self.episodes.end_where(reason, bench.turn, out);
    }

    /// Alarms about every absence that has lasted too long, and orders a call for the next that may.
    pub(crate) fn judge_absences(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        let mut next_at: Option<Timestamp> = None;
        let mut call_at =
            |at: Timestamp| next_at = next_at.map_or(Some(at), |next| Some(next.min(at)));
        for absence in std::mem::take(&mut self.absences) {
            let Some(plan) = bench.plan(absence.rule) else { continue };
            let RuleCondition::Away { after_ns } = plan.condition else { continue };
            self.absences.push(absence);
            let place = Place::Zone(absence.zone);
            let due_at = absence.since.plus_ns(after_ns);
            let is_due = due_at <= bench.judged_at;
            if is_due {
                let entity = EntityRef::Subject(bench.me);
                self.window_call.order(bench.next_change(plan), entity, out);
            } else {
                let settled_at = absence.since.plus_ns(SETTLED_NS).min(due_at);
                let is_new = self.absence_call.is_idle() && settled_at > bench.judged_at;
                call_at(if is_new { settled_at } else { due_at });
            }
            if !bench.is_in_force(plan) {
                let reason = AlarmReason::RuleRemoved;
                self.episodes.end(Some(absence.rule), place, reason, bench.turn, out);
            } else if !is_due {
                self.episodes.end_not_yet(absence.rule, place, bench.turn, out);
            } else if self.episodes.get(Some(absence.rule), place).is_none() {
                if is_unseen(plan, bench) {
                    call_at(bench.turn.now.plus_ns(UNSEEN_RECHECK_NS));
                } else {
                    self.open(&bench.opening(absence.rule, plan, place, gate::DWELL), bench, out);
                }
            }
        }
        let entity = EntityRef::Subject(bench.me);
        self.absence_call.order_for(DeadlineKind::Term, next_at, entity, out);
    }
}

fn is_home(plan: &RulePlan, occupancy: &Occupancy, bench: &Bench<'_>) -> bool {
    let site = bench.turn.site;
    occupancy.presences(site.index()).filter(|presence| presence.is_in).any(|presence| {
        let watch = site.watch(presence.watch);
        watch.is_some_and(|watch| plan.watch_of(watch.zone) == Some(presence.watch))
    })
}

/// From when on it is away: from the last of the zones it left, or from when it was first seen outside.
fn absence(
    rule: RuleRef,
    plan: &RulePlan,
    crossings: &[Crossing],
    bench: &Bench<'_>,
) -> Option<Absence> {
    let left = crossings.iter().rev().find_map(|crossing| {
        let zone = bench.turn.site.watch(crossing.watch)?.zone;
        let is_left =
            crossing.kind == CrossingKind::Exited && plan.watch_of(zone) == Some(crossing.watch);
        is_left.then_some((zone, Timestamp(crossing.at_ns)))
    });
    let first = || Some((plan.zones.first()?.0, bench.evidence.observed_at));
    let (zone, since) = left.or_else(first)?;
    Some(Absence { rule, zone, since: since.min(bench.turn.now) })
}

/// Whether it may have come back and nobody could tell: its feed is silent, a zone it belongs to is blind,
/// or the node was away and has not heard it since.
fn is_unseen(plan: &RulePlan, bench: &Bench<'_>) -> bool {
    let turn = bench.turn;
    let source = bench.evidence.tag.and_then(|tag| turn.site.tag_source(tag));
    bench.evidence.is_too_soon()
        || source.is_some_and(|source| turn.health.is_silent(source))
        || (turn.may_be_blind() && plan.zones.iter().any(|&(zone, _)| turn.is_blind(zone)))
}
