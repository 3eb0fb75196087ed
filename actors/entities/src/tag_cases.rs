//! The alarms of one tag: what few tags ever have, so it is boxed.

use serde::{Deserialize, Serialize};
use std::mem::discriminant;

use ach_actors_model::{AlarmNotice, AlarmReason, EntityRef, TagRef, Timestamp};

use crate::band_off::BandOff;
use crate::call_back::CallBack;
use crate::episodes::Episodes;
use crate::site::{RuleCondition, RulePlan, RuleSet, TagPlan};
use crate::tag_reports::TagReports;
use crate::{Outbox, Site, Turn};

/// What few tags ever have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct TagCases {
    pub(crate) reports: TagReports,
    pub(crate) window_call: CallBack,
    pub(crate) episodes: Episodes,
    /// Its band is off with somebody's knowledge.
    pub(crate) off: Option<BandOff>,
}

/// What the end of an open alarm is judged by when the site changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SiteChange<'a> {
    pub(crate) old: &'a Site,
    pub(crate) plan: &'a TagPlan,
    pub(crate) rules: &'a RuleSet,
    /// How long the tag has been silent, if that is measured as before.
    pub(crate) silent_ns: Option<u64>,
}

impl TagCases {
    /// Ends what is open by rules of a condition that has ended.
    pub(crate) fn end_of(&mut self, over: RuleCondition, turn: &Turn<'_>, out: &mut Outbox) {
        let reason = |notice: &AlarmNotice| {
            let is_over = condition(notice, turn) == Some(over);
            is_over.then_some(AlarmReason::ConditionEnded)
        };
        self.episodes.end_where(reason, turn, out);
    }

    /// Ends what another version of the site no longer says: what another bearer did, what the
    /// rule does not watch any more or calls otherwise, and a silence shorter than its new limit.
    pub(crate) fn end_unfounded(
        &mut self,
        change: &SiteChange<'_>,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let SiteChange { old, plan, rules, silent_ns, .. } = *change;
        let subject = plan.subject();
        let reason = |notice: &AlarmNotice| {
            let rule = notice.rule?;
            if notice.subject != subject {
                return Some(AlarmReason::TagRemoved);
            }
            let is_said = |plan: &RulePlan| {
                let was = old.rule(rule).map(|old| discriminant(&old.condition));
                was == Some(discriminant(&plan.condition)) && notice.kind == plan.alarm
            };
            let holds = rules.contains(rule) && turn.site.rule(rule).is_some_and(is_said);
            (!holds).then_some(AlarmReason::RuleRemoved)
        };
        self.episodes.end_where(reason, turn, out);
        // What waits to be over is heard again, and is not silent for long enough by any rule.
        let is_too_short = |notice: &AlarmNotice| {
            let plan = turn.site.rule(notice.rule?)?;
            let RuleCondition::TagSilent { after_ns } = plan.condition else { return None };
            silent_ns.filter(|&silent_ns| silent_ns < after_ns).map(|_| AlarmReason::RuleRemoved)
        };
        self.episodes.end_open_where(is_too_short, turn, out);
    }

    /// Ends what no longer holds at this hour, and orders a call for when that changes for what
    /// stays open.
    pub(crate) fn end_out_of_hours(
        &mut self,
        me: TagRef,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let reason = |notice: &AlarmNotice| {
            let plan = turn.site.rule(notice.rule?)?;
            let is_over = plan.condition.is_state() && !turn.site.is_in_force(plan, judged_at);
            is_over.then_some(AlarmReason::RuleRemoved)
        };
        self.episodes.end_where(reason, turn, out);
        for notice in self.episodes.open_notices() {
            let Some(plan) = notice.rule.and_then(|rule| turn.site.rule(rule)) else { continue };
            if plan.condition.is_state() {
                let change_at = turn.site.next_change(plan, judged_at);
                self.window_call.order(change_at, EntityRef::Tag(me), out);
            }
        }
    }
}

/// What the rule that says so watches.
pub(crate) fn condition(notice: &AlarmNotice, turn: &Turn<'_>) -> Option<RuleCondition> {
    turn.site.rule(notice.rule?).map(|plan| plan.condition)
}
