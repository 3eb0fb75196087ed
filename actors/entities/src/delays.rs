//! What of an actor's alarms waits: conditions that are to hold for a while before anybody is told, and alarms that end
//! only once their condition has been over for a while (on-delay and off-delay of ISA-18.2).
//!
//! Moments are kept as when the wait began, so that a rule whose delay is changed meanwhile is judged by its new one.

use ach_actors_model::{AlarmNotice, EntityRef, Place, RuleRef, SubjectRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call_back::CallBack;
use crate::site::{RuleCondition, RulePlan};
use crate::{DeadlineKind, Outbox, Turn};

/// What tells one alarm of an actor from another that is open.
pub(crate) type WaitKey = (Option<RuleRef>, Place, Option<SubjectRef>);

/// All that waits. Most actors never have any, so owners keep it boxed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Delays {
    /// Open, and told to nobody yet; and since when the condition holds. As many as are open at most.
    beginning: Vec<(WaitKey, Timestamp)>,
    /// Told, and over; and since when. Bounded as what is open: one of a rule, a place and a subject.
    pub(crate) ending: Vec<(AlarmNotice, Timestamp)>,
    call: CallBack,
}

pub(crate) fn key_of(notice: &AlarmNotice) -> WaitKey {
    (notice.rule, notice.place, notice.subject)
}

impl Delays {
    /// Whether nothing waits, and nobody is called: a call that is under way serves what waits next, so that whatever comes
    /// and goes orders one in its time, and no more.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_any() && self.call.is_idle()
    }

    pub(crate) fn has_any(&self) -> bool {
        !(self.beginning.is_empty() && self.ending.is_empty())
    }

    pub(crate) fn begin(&mut self, key: WaitKey, since: Timestamp) {
        self.beginning.push((key, since));
    }

    /// Nobody is to be told of it any more. Whether nobody was.
    pub(crate) fn give_up(&mut self, notice: &AlarmNotice) -> bool {
        let (key, before) = (key_of(notice), self.beginning.len());
        self.beginning.retain(|&(of, _)| of != key);
        self.beginning.len() < before
    }

    pub(crate) fn end(&mut self, notice: AlarmNotice, since: Timestamp) {
        self.ending.push((notice, since));
    }

    pub(crate) fn is_beginning(&self, key: WaitKey) -> bool {
        self.beginning.iter().any(|&(of, _)| of == key)
    }

    pub(crate) fn is_ending(&self, key: WaitKey) -> bool {
        self.ending.iter().any(|(notice, _)| key_of(notice) == key)
    }

    /// The condition of one that was to end holds again: the alarm, and whether it has been over for long enough, though
    /// nobody was told yet.
    pub(crate) fn take_back(
        &mut self,
        key: WaitKey,
        turn: &Turn<'_>,
    ) -> Option<(AlarmNotice, bool)> {
        let at = self.ending.iter().position(|(notice, _)| key_of(notice) == key)?;
        let (notice, since) = self.ending.remove(at);
        let is_over = ends_at(&notice, since, turn).is_none_or(|due_at| due_at <= turn.now);
        Some((notice, is_over))
    }

    /// Whether this is the call that was ordered; it is then over.
    pub(crate) fn take_call(&mut self, due_at: Timestamp) -> bool {
        self.call.take(due_at)
    }

    /// What has waited for long enough by then, and waits no more: what is to be told, and what is over.
    pub(crate) fn take_due(
        &mut self,
        judged_at: Timestamp,
        turn: &Turn<'_>,
    ) -> (Vec<WaitKey>, Vec<AlarmNotice>) {
        let begun = self.beginning.extract_if(.., |(key, since)| {
            begins_at(key.0, *since, turn).is_none_or(|due_at| due_at <= judged_at)
        });
        let begun = begun.map(|(key, _)| key).collect();
        let over = self.ending.extract_if(.., |(notice, since)| {
            ends_at(notice, *since, turn).is_none_or(|due_at| due_at <= judged_at)
        });
        (begun, over.map(|(notice, _)| notice).collect())
    }

    /// When the next has waited for long enough; at once for one whose rule is gone.
    pub(crate) fn next_due(&self, turn: &Turn<'_>) -> Option<Timestamp> {
        let begins = self.beginning.iter().map(|&((rule, ..), since)| begins_at(rule, since, turn));
        let ends = self.ending.iter().map(|(notice, since)| ends_at(notice, *since, turn));
        begins.chain(ends).map(Option::unwrap_or_default).min()
    }

    /// Orders a call for when the next has waited for long enough.
    pub(crate) fn order(&mut self, turn: &Turn<'_>, out: &mut Outbox) {
        self.call.forget_past(turn.now);
        let begins = self.beginning.iter().filter_map(|&((rule, place, subject), since)| {
            Some((begins_at(rule, since, turn)?, owner(rule, place, subject, turn)?))
        });
        let ends = self.ending.iter().filter_map(|(notice, since)| {
            let (rule, place, subject) = key_of(notice);
            Some((ends_at(notice, *since, turn)?, owner(rule, place, subject, turn)?))
        });
        if let Some((due_at, who)) = begins.chain(ends).min() {
            self.call.order_for(DeadlineKind::Delay, Some(due_at), who, out);
        }
    }
}

fn plan_of<'a>(rule: Option<RuleRef>, turn: &Turn<'a>) -> Option<&'a RulePlan> {
    turn.site.rule(rule?)
}

/// For how long a rule's condition must hold before anybody is told; 0 without a rule.
pub(crate) fn on_ns(rule: Option<RuleRef>, turn: &Turn<'_>) -> u64 {
    plan_of(rule, turn).map_or(0, |plan| plan.answer.delays.on_ns)
}

/// For how long it must be over before its alarm is; 0 without a rule.
pub(crate) fn off_ns(rule: Option<RuleRef>, turn: &Turn<'_>) -> u64 {
    plan_of(rule, turn).map_or(0, |plan| plan.answer.delays.off_ns)
}

fn begins_at(rule: Option<RuleRef>, since: Timestamp, turn: &Turn<'_>) -> Option<Timestamp> {
    Some(since.plus_ns(plan_of(rule, turn)?.answer.delays.on_ns))
}

fn ends_at(notice: &AlarmNotice, since: Timestamp, turn: &Turn<'_>) -> Option<Timestamp> {
    Some(since.plus_ns(plan_of(notice.rule, turn)?.answer.delays.off_ns))
}

/// Whose alarm it is, of the rules that wait.
fn owner(
    rule: Option<RuleRef>,
    place: Place,
    subject: Option<SubjectRef>,
    turn: &Turn<'_>,
) -> Option<EntityRef> {
    let is_zones = plan_of(rule, turn).map(|plan| plan.condition);
    match place {
        Place::Tag(tag) => Some(EntityRef::Tag(tag)),
        Place::Door(door) => Some(EntityRef::Door(door)),
        Place::Zone(zone) if is_zones.is_some_and(RuleCondition::is_judged_by_zones) => {
            Some(EntityRef::Zone(zone))
        }
        _ => subject.map(EntityRef::Subject),
    }
}
