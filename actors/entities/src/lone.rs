//! Who is alone in a zone, by its rules about that, and since when.
//!
//! A zone counts the company of each rule. Without any, everybody the rule is about is alone; if there is one
//! only, that one is, if the rule is about him too; if there are more, nobody is. So coming and going costs a
//! look at all who are in only where that changes who is alone.

use ach_actors_model::{
    AlarmNotice, AlarmReason, EntityRef, Place, RuleRef, SubjectRef, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::absence::UNSEEN_RECHECK_NS;
use crate::call_back::CallBack;
use crate::episodes::{Episodes, Opening};
use crate::evidence::Evidence;
use crate::site::{RuleCondition, RulePlan};
use crate::zone_bench::{Stir, ZoneBench};
use crate::{DeadlineKind, Outbox};

/// Company that is as good as any more of it.
const COMPANY_ENOUGH: u32 = 2;

/// Of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct LoneWatch {
    /// How many of those in are company, by the zone's rules about who is alone.
    company: Vec<u32>,
    /// The version of the site they were counted by.
    counted_version: u32,
    /// Ascending. Bounded by those in and the zone's rules.
    loners: Vec<Loner>,
    term_call: CallBack,
}

/// Somebody who is alone by a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Loner {
    rule: RuleRef,
    subject: SubjectRef,
    since: Timestamp,
}

impl LoneWatch {
    /// Whether this is the call that was ordered; it is then over.
    pub(crate) fn take_call(&mut self, due_at: Timestamp) -> bool {
        self.term_call.take(due_at)
    }

    /// Finds who is alone now. Whoever was before goes on to be so from when he was.
    pub(crate) fn stir(&mut self, stir: Stir, bench: &ZoneBench<'_>) {
        let rules = &bench.plan.lone_rules;
        if self.counted_version != bench.turn.site.version() {
            self.counted_version = bench.turn.site.version();
            self.company = rules.iter().map(|&rule| bench.company_of(rule)).collect();
            self.loners.retain(|loner| rules.contains(&loner.rule));
            let at = match stir {
                Stir::Moved { at, .. } => at,
                Stir::Time => bench.turn.now,
            };
            rules.iter().zip(self.company.clone()).for_each(|(&rule, company)| {
                self.find(rule, company, at, bench);
            });
            return;
        }
        let Stir::Moved { subject, is_in, at } = stir else { return };
        for (place, &rule) in rules.iter().enumerate() {
            let is_company = bench.is_company(rule, subject);
            let Some(company) = self.company.get_mut(place) else { continue };
            let before = (*company).min(COMPANY_ENOUGH);
            *company = match (is_company, is_in) {
                (false, _) => *company,
                (true, true) => company.saturating_add(1),
                (true, false) => company.saturating_sub(1),
            };
            let company = *company;
            if company.min(COMPANY_ENOUGH) != before {
                self.find(rule, company, at, bench);
            } else if company == 0 && is_in && bench.is_about(rule, subject) {
                self.put(Loner { rule, subject, since: at });
            } else if !is_in {
                self.loners.retain(|loner| loner.rule != rule || loner.subject != subject);
            }
        }
    }

    /// Looks through all who are in for those who are alone by a rule.
    fn find(&mut self, rule: RuleRef, company: u32, at: Timestamp, bench: &ZoneBench<'_>) {
        let is_alone = |subject: SubjectRef| {
            bench.is_about(rule, subject)
                && match company {
                    0 => true,
                    1 => bench.is_company(rule, subject),
                    _ => false,
                }
        };
        let is_in = |subject: SubjectRef| bench.occupants.binary_search(&subject).is_ok();
        self.loners.retain(|loner| {
            loner.rule != rule || (is_in(loner.subject) && is_alone(loner.subject))
        });
        if company >= COMPANY_ENOUGH {
            return;
        }
        for &subject in bench.occupants.iter().filter(|&&subject| is_alone(subject)) {
            self.put(Loner { rule, subject, since: at });
        }
    }

    /// Adds one, unless he is alone already.
    fn put(&mut self, loner: Loner) {
        let key = |loner: &Loner| (loner.rule, loner.subject);
        if let Err(place) = self.loners.binary_search_by_key(&key(&loner), key) {
            self.loners.insert(place, loner);
        }
    }

    fn is_alone(&self, rule: RuleRef, subject: SubjectRef) -> bool {
        let key = |loner: &Loner| (loner.rule, loner.subject);
        self.loners.binary_search_by_key(&(rule, subject), key).is_ok()
    }

    /// Ends the alarms of those who are alone no more, alarms about those who have been so for too long, and
    /// orders a call for the next who may.
    pub(crate) fn judge(
        &mut self,
        bench: &ZoneBench<'_>,
        episodes: &mut Episodes,
        window_call: &mut CallBack,
        out: &mut Outbox,
    ) {
        let is_over = |notice: &AlarmNotice| {
            let (rule, subject) = (notice.rule?, notice.subject?);
            // With a change of the site, of whom the rule is no longer about.
            let reason = if bench.is_about(rule, subject) {
                AlarmReason::ConditionEnded
            } else {
                AlarmReason::RuleRemoved
            };
            (!self.is_alone(rule, subject)).then_some(reason)
        };
        episodes.end_where(is_over, bench.turn, out);
        let mut next_at: Option<Timestamp> = None;
        for loner in &self.loners {
            let Some(plan) = bench.turn.site.rule(loner.rule) else { continue };
            let RuleCondition::Alone { after_ns } = plan.condition else { continue };
            let due_at = loner.since.plus_ns(after_ns);
            let look_at = if due_at > bench.judged_at {
                episodes.end_open_where(removed(loner), bench.turn, out);
                Some(due_at)
            } else {
                let change_at = bench.turn.site.next_change(plan, bench.judged_at);
                window_call.order(change_at, EntityRef::Zone(bench.me), out);
                judge_one(loner, plan, bench, episodes, out)
            };
            next_at = [next_at, look_at].into_iter().flatten().min();
        }
        let entity = EntityRef::Zone(bench.me);
        self.term_call.order_for(DeadlineKind::Term, next_at, entity, out);
    }
}

/// Judges one who has been alone for long enough; when to look again, if nobody can tell.
fn judge_one(
    loner: &Loner,
    plan: &RulePlan,
    bench: &ZoneBench<'_>,
    episodes: &mut Episodes,
    out: &mut Outbox,
) -> Option<Timestamp> {
    let Loner { rule, subject, .. } = *loner;
    let RuleCondition::Alone { after_ns } = plan.condition else { return None };
    if !bench.turn.site.is_in_force(plan, bench.judged_at) {
        episodes.end_where(removed(loner), bench.turn, out);
        return None;
    }
    let is_open =
        |notice: &AlarmNotice| notice.rule == Some(rule) && notice.subject == Some(subject);
    if episodes.open_notices().iter().any(is_open) {
        return None;
    }
    // Company may have come, or he may have gone, and nobody could tell. What others do says nothing of that.
    let due_at = loner.since.plus_ns(after_ns);
    let told_at = bench.turn.health.back_at(due_at).map(|at| at.plus_ns(UNSEEN_RECHECK_NS));
    if let Some(told_at) = told_at.filter(|&told_at| bench.turn.now < told_at) {
        return Some(told_at);
    }
    if bench.evidence.is_too_soon() || bench.turn.is_blind(bench.me) {
        return Some(bench.turn.now.plus_ns(UNSEEN_RECHECK_NS));
    }
    // By what somebody else did, or left undone: no tag and no position of his.
    let evidence = Evidence { tag: None, ..*bench.evidence };
    let place = Place::Zone(bench.me);
    let opening = Opening::by_rule(rule, plan, Some(subject), place, evidence);
    episodes.open_about_one(&opening, bench.turn, out);
    None
}

/// Of the alarm about one that does not hold by its rule.
fn removed(loner: &Loner) -> impl Fn(&AlarmNotice) -> Option<AlarmReason> {
    let (rule, subject) = (Some(loner.rule), Some(loner.subject));
    move |notice| {
        ((notice.rule, notice.subject) == (rule, subject)).then_some(AlarmReason::RuleRemoved)
    }
}
