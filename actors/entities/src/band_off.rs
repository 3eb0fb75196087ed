//! A band that is off with somebody's knowledge: changed, washed under, taken off for an examination.
//! That it is cut or silent is told once its time is over, if it still is. `docs/specs/bands.md` has
//! the tables.

use ach_actors_model::{AlarmNotice, AlarmReason, EntityRef, TagRef, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call_back::CallBack;
use crate::evidence::Evidence;
use crate::site::RuleCondition;
use crate::tag_cases::condition;
use crate::tag_watch::{Seen, TagWatch, listened_ns, under, with_place};
use crate::{DeadlineKind, Outbox, Turn};

/// Until when a band may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct BandOff {
    until: Timestamp,
    call: CallBack,
    /// Whether it was heard before, or told to be silent: a tag that nobody wears yet is not.
    was_expected: bool,
}

/// Whether a rule watches what somebody who takes a band off does to it.
fn is_of_a_band(condition: RuleCondition) -> bool {
    matches!(condition, RuleCondition::BandCut | RuleCondition::TagSilent { .. })
}

impl TagWatch {
    /// Whether a rule says nothing of the tag because its band is off.
    pub(crate) fn is_excused(&self, condition: RuleCondition, now: Timestamp) -> bool {
        let off = self.rare.as_ref().and_then(|rare| rare.off);
        off.is_some_and(|off| now < off.until) && is_of_a_band(condition)
    }

    /// Whether the tag is to be heard: it was, or is told not to be.
    fn is_expected(&self, at: Seen, turn: &Turn<'_>) -> bool {
        let is_of_silence = |notice: &AlarmNotice| {
            matches!(condition(notice, turn), Some(RuleCondition::TagSilent { .. }))
        };
        let is_told = self.rare.as_ref().is_some_and(|rare| {
            rare.off.is_some_and(|off| off.was_expected)
                || rare.episodes.open_notices().iter().any(is_of_silence)
        });
        is_told || self.has_spoken() || at.is_some()
    }

    /// Somebody says that the band may be off until then.
    pub(crate) fn take_off(
        &mut self,
        me: TagRef,
        until: Timestamp,
        at: Seen,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let was_expected = self.is_expected(at, turn);
        let mut call = CallBack::default();
        call.order_for(DeadlineKind::Pass, Some(until), EntityRef::Tag(me), out);
        let rare = self.rare.get_or_insert_default();
        rare.off = Some(BandOff { until, call, was_expected });
        let reason = |notice: &AlarmNotice| {
            condition(notice, turn).is_some_and(is_of_a_band).then_some(AlarmReason::Authorised)
        };
        rare.episodes.end_where(reason, turn, out);
    }

    /// Somebody says that the band is on: a tag that was never heard is expected from now on.
    pub(crate) fn put_on(&mut self, me: TagRef, at: Seen, turn: &Turn<'_>, out: &mut Outbox) {
        let was_expected = self.is_expected(at, turn);
        if let Some(rare) = &mut self.rare {
            rare.off = None;
        }
        let Some((plan, rules)) = under(me, turn) else { return };
        if !was_expected {
            self.heard_ns = listened_ns(plan, turn);
        }
        let evidence = with_place(Evidence::of_site_change(turn), me, at);
        self.judge_silence(me, plan, rules, &evidence, turn.now, turn, out);
        self.judge_states(me, rules, &evidence, turn.now, turn, out);
    }

    /// The call that a band which is off has ordered: what is wrong with it still is told now.
    pub(crate) fn end_off(
        &mut self,
        me: TagRef,
        due_at: Timestamp,
        at: Seen,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let off = self.rare.as_mut().and_then(|rare| rare.off.as_mut());
        if !off.is_some_and(|off| off.call.take(due_at)) {
            return;
        }
        let was_expected = self.is_expected(at, turn);
        if let Some(rare) = &mut self.rare {
            rare.off = None;
        }
        let Some((plan, rules)) = under(me, turn) else { return };
        let evidence = with_place(Evidence::of_deadline(due_at, turn), me, at);
        if was_expected {
            self.judge_silence(me, plan, rules, &evidence, due_at, turn, out);
        }
        self.judge_states(me, rules, &evidence, due_at, turn, out);
    }
}
