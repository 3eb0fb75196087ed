//! What a tag alarms about itself: silence, battery, band and button.
//!
//! Silence costs a tag nothing while it is heard: one deadline is under way, and when it is due it
//! looks at when the tag was last heard, on the listening clock of its feed
//! ([`Health`](crate::Health)). It starts anew while the zone the tag was last in is blind.

use ach_actors_model::{
    AlarmNotice, AlarmReason, EntityRef, Event, EventKind, Place, RuleRef, TagRef, Timestamp,
};
use ach_geo::Position;
use serde::{Deserialize, Serialize};

use crate::call_back::CallBack;
use crate::episodes::Opening;
use crate::evidence::Evidence;
use crate::site::{RuleCondition, RuleSet, TagPlan};
use crate::tag_cases::{SiteChange, TagCases, condition};
use crate::{
    Arrival, Deadline, DeadlineKind, Effect, Outbox, SILENCE_RECHECK_NS, Site, Turn, Verdict,
};

/// A battery is charged when it is this much above the limit: what is reported wanders by a few
/// points with temperature and load.
pub(crate) const BATTERY_HYSTERESIS_PERCENT: u8 = 5;

/// Where the tag was last seen, and how exact that is.
pub(crate) type Seen = Option<(Position, u32)>;

/// Battery, band, button and silence of one tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct TagWatch {
    /// Its feed's listening clock when it was last heard.
    pub(crate) heard_ns: u64,
    /// Low half of the moment the deadline under way is due, made odd; 0 if there is none.
    pub(crate) silence_mark: u32,
    /// The charge that was last reported, in percent and one; 0 before the first.
    pub(crate) battery_mark: u8,
    pub(crate) rare: Option<Box<TagCases>>,
}

impl TagWatch {
    /// Whether there is something that must not be put to sleep.
    pub(crate) fn is_restless(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.episodes.has_open())
    }

    /// A ping arrived that is older than what is known, or is stamped by a clock that was set back:
    /// whatever it is worth, the tag lives.
    pub(crate) fn hear_late(
        &mut self,
        me: TagRef,
        plan: &TagPlan,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(rules) = turn.site.rule_set(plan.rule_set) else { return };
        self.note_heard(me, plan, rules, turn, out);
    }

    /// A ping arrived.
    #[expect(clippy::too_many_arguments, reason = "one call on the hot path, all of it needed")]
    pub(crate) fn hear(
        &mut self,
        me: TagRef,
        plan: &TagPlan,
        battery_percent: Option<u8>,
        arrival: &Arrival,
        at: Seen,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(rules) = turn.site.rule_set(plan.rule_set) else { return };
        self.note_heard(me, plan, rules, turn, out);
        let Some(percent) = battery_percent else { return };
        let mark = percent.min(100) + 1;
        if mark != self.battery_mark {
            self.battery_mark = mark;
            let evidence = with_place(Evidence::of_arrival(arrival), me, at);
            self.judge_battery(me, rules, &evidence, turn.now, turn, out);
        }
    }

    /// The button was pressed.
    pub(crate) fn press(
        &mut self,
        me: TagRef,
        arrival: &Arrival,
        at: Seen,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let Some((plan, rules)) = under(me, turn) else { return Verdict::Refused };
        let verdict = self.rare.get_or_insert_default().reports.press(arrival);
        if verdict == Verdict::Duplicate {
            return verdict;
        }
        self.note_heard(me, plan, rules, turn, out);
        let evidence = report_evidence(me, arrival, verdict, at);
        self.raise(me, &rules.button, &evidence, turn.now, turn, out);
        if let Some(rare) = self.rare.as_mut().filter(|rare| rare.reports.is_reset()) {
            // It was told late, and the button has been reset since.
            rare.end_of(RuleCondition::ButtonPressed, turn, out);
        }
        verdict
    }

    /// The button was reset.
    pub(crate) fn reset(
        &mut self,
        me: TagRef,
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let Some((plan, rules)) = under(me, turn) else { return Verdict::Refused };
        let rare = self.rare.get_or_insert_default();
        let verdict = rare.reports.reset(arrival);
        if verdict == Verdict::Duplicate {
            return verdict;
        }
        if rare.reports.is_reset_by(arrival.happened_at()) {
            rare.end_of(RuleCondition::ButtonPressed, turn, out);
        }
        self.note_heard(me, plan, rules, turn, out);
        verdict
    }

    /// The band was cut.
    pub(crate) fn cut(
        &mut self,
        me: TagRef,
        arrival: &Arrival,
        at: Seen,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let Some((plan, rules)) = under(me, turn) else { return Verdict::Refused };
        let verdict = self.rare.get_or_insert_default().reports.cut(arrival);
        if verdict == Verdict::Duplicate {
            return verdict;
        }
        self.note_heard(me, plan, rules, turn, out);
        let evidence = report_evidence(me, arrival, verdict, at);
        self.raise(me, &rules.band, &evidence, turn.now, turn, out);
        self.end_bands_if_whole(turn, out);
        verdict
    }

    /// The band is whole.
    pub(crate) fn mend(
        &mut self,
        me: TagRef,
        arrival: &Arrival,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let Some((plan, rules)) = under(me, turn) else { return Verdict::Refused };
        let verdict = self.rare.get_or_insert_default().reports.mend(arrival);
        if verdict == Verdict::Duplicate {
            return verdict;
        }
        self.note_heard(me, plan, rules, turn, out);
        self.end_bands_if_whole(turn, out);
        verdict
    }

    /// A deadline is due.
    pub(crate) fn fall_due(
        &mut self,
        me: TagRef,
        kind: DeadlineKind,
        due_at: Timestamp,
        at: Seen,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some((plan, rules)) = under(me, turn) else { return };
        let evidence = with_place(Evidence::of_deadline(due_at, turn), me, at);
        match kind {
            DeadlineKind::Silence if self.silence_mark == mark_of(due_at) => {
                self.silence_mark = 0;
                if Self::is_blind(at, turn) {
                    self.heard_ns = listened_ns(plan, turn);
                }
                self.judge_silence(me, plan, rules, &evidence, due_at, turn, out);
            }
            DeadlineKind::Window => {
                let rare = self.rare.get_or_insert_default();
                if rare.window_call.take(due_at) {
                    self.judge_windows(me, plan, rules, &evidence, due_at, turn, out);
                }
            }
            DeadlineKind::Pass => self.end_off(me, due_at, at, turn, out),
            DeadlineKind::Delay => {
                if let Some(rare) = &mut self.rare {
                    rare.episodes.fall_due(due_at, &evidence, turn, out);
                }
            }
            DeadlineKind::Silence | DeadlineKind::Gate | DeadlineKind::Term => {}
        }
    }

    /// Another version of the site is in force instead of `old`.
    pub(crate) fn change_site(
        &mut self,
        me: TagRef,
        old: &Site,
        at: Seen,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some((plan, rules)) = under(me, turn) else {
            self.end_all(AlarmReason::TagRemoved, turn, out);
            let episodes = self.rare.take().map(|rare| rare.episodes);
            *self = TagWatch::default();
            if let Some(episodes) = episodes.filter(|episodes| !episodes.is_empty()) {
                self.rare = Some(Box::new(TagCases { episodes, ..TagCases::default() }));
            }
            return;
        };
        let has_spoken = self.has_spoken() || at.is_some();
        let silent_ns = self.follow_clock(me, old, turn);
        if let Some(rare) = &mut self.rare {
            if old.tag_subject(me) != plan.subject() {
                // What the former bearer did with the band is not the new one's doing.
                rare.reports.forget_band();
                rare.off = None;
            }
            rare.window_call = CallBack::default();
            rare.end_unfounded(&SiteChange { old, plan, rules, silent_ns }, turn, out);
            rare.end_out_of_hours(me, turn.now, turn, out);
        }
        let evidence = with_place(Evidence::of_site_change(turn), me, at);
        if has_spoken {
            self.judge_silence(me, plan, rules, &evidence, turn.now, turn, out);
        }
        self.judge_states(me, rules, &evidence, turn.now, turn, out);
        if let Some(rare) = &mut self.rare {
            rare.episodes.settle(turn.now, &evidence, turn, out);
        }
    }

    /// Whether it has ever been heard, as far as that is remembered.
    pub(crate) fn has_spoken(&self) -> bool {
        self.silence_mark != 0 || self.rare.as_ref().is_some_and(|rare| rare.reports.has_any())
    }

    /// Goes on with the silence so far and returns it if it is measured as before; else silence
    /// counts from now: the clock of another feed, or of one that is watched only now, cannot be
    /// compared with the old one, and under no rule nothing was measured. The deadline under way
    /// is kept as long as it cannot come too late.
    fn follow_clock(&mut self, me: TagRef, old: &Site, turn: &Turn<'_>) -> Option<u64> {
        let (plan, rules) = under(me, turn)?;
        let clock = |site: &Site, plan: &TagPlan| {
            let source = plan.source()?;
            Some((source, site.source_plan(source)?.silence_ns.is_some()))
        };
        let former = old.tag_plan(me).and_then(|plan| Some((plan, old.rule_set(plan.rule_set)?)));
        let former_rules = former
            .filter(|(former, _)| clock(old, former) == clock(turn.site, plan))
            .map(|(_, former_rules)| former_rules)
            .filter(|former_rules| former_rules.shortest_silence_ns.is_some());
        if former_rules.is_none_or(|former_rules| former_rules.silent != rules.silent) {
            self.silence_mark = 0;
        }
        let listened_ns = listened_ns(plan, turn);
        if former_rules.is_none() {
            self.heard_ns = listened_ns;
            return None;
        }
        Some(listened_ns.saturating_sub(self.heard_ns))
    }

    fn end_all(&mut self, reason: AlarmReason, turn: &Turn<'_>, out: &mut Outbox) {
        if let Some(rare) = &mut self.rare {
            rare.episodes.end_where(|_| Some(reason), turn, out);
        }
    }
}

impl TagWatch {
    /// The tag was heard: its silence is over, and the next begins.
    fn note_heard(
        &mut self,
        me: TagRef,
        plan: &TagPlan,
        rules: &RuleSet,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(silence_ns) = rules.shortest_silence_ns else { return };
        let heard_before_ns = std::mem::replace(&mut self.heard_ns, listened_ns(plan, turn));
        if self.heard_ns.saturating_sub(heard_before_ns) >= silence_ns {
            // The shortest limit has been reached and judged: what is under way may be a longer
            // one's, and the next silence must not wait for that.
            self.silence_mark = 0;
        }
        if let Some(rare) = &mut self.rare
            && rare.episodes.has_open()
        {
            let is_silence = |notice: &AlarmNotice| {
                matches!(condition(notice, turn), Some(RuleCondition::TagSilent { .. }))
            };
            if rare.episodes.open_notices().iter().any(is_silence) {
                let reason = |notice: &AlarmNotice| {
                    is_silence(notice).then_some(AlarmReason::ConditionEnded)
                };
                rare.episodes.end_where(reason, turn, out);
                let kind = EventKind::TagHeard { tag: me };
                out.effects.push(Effect::Event(Event { at: turn.now, kind }));
            }
        }
        if self.silence_mark == 0 {
            self.call_for_silence(me, silence_ns, turn, out);
        }
    }

    fn call_for_silence(&mut self, me: TagRef, in_ns: u64, turn: &Turn<'_>, out: &mut Outbox) {
        let due_at = turn.now.plus_ns(in_ns);
        self.silence_mark = mark_of(due_at);
        let (entity, kind) = (EntityRef::Tag(me), DeadlineKind::Silence);
        out.deadlines.push(Deadline { due_at, entity, kind });
    }

    /// Alarms by every rule whose silence is over, and looks again when the next may be.
    #[expect(clippy::too_many_arguments, reason = "what was looked up is handed on")]
    pub(crate) fn judge_silence(
        &mut self,
        me: TagRef,
        plan: &TagPlan,
        rules: &RuleSet,
        evidence: &Evidence,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let silent_ns = listened_ns(plan, turn).saturating_sub(self.heard_ns);
        let mut next_ns: Option<u64> = None;
        for &(rule, after_ns) in &rules.silent {
            if silent_ns < after_ns {
                let left_ns = after_ns - silent_ns;
                next_ns = Some(next_ns.map_or(left_ns, |next_ns| next_ns.min(left_ns)));
            } else {
                self.raise(me, &[rule], evidence, judged_at, turn, out);
            }
        }
        if let Some(next_ns) = next_ns
            && self.silence_mark == 0
        {
            // The clock of a feed that is watched goes on when it is heard: soon, if it was just now,
            // and the later the longer it has said nothing.
            let gap_ns = plan.source().map_or(0, |source| turn.unheard_ns(source));
            let least_ns = gap_ns.min(SILENCE_RECHECK_NS);
            self.call_for_silence(me, next_ns.max(least_ns), turn, out);
        }
    }

    /// Whether the tag was last seen in a zone that is blind now.
    fn is_blind(at: Seen, turn: &Turn<'_>) -> bool {
        let Some((position, _)) = at.filter(|_| turn.may_be_blind()) else {
            return false;
        };
        let mut is_blind = false;
        turn.site.index().watches_at(&position, |watch| {
            let zone = turn.site.watch(watch.key).map(|plan| plan.zone);
            is_blind |= zone.is_some_and(|zone| turn.is_blind(zone));
        });
        is_blind
    }

    fn judge_battery(
        &mut self,
        me: TagRef,
        rules: &RuleSet,
        evidence: &Evidence,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let Some(percent) = self.battery_mark.checked_sub(1) else { return };
        if let Some(rare) = &mut self.rare {
            rare.episodes.catch_up(evidence.observed_at, turn, out);
        }
        for &(rule, limit) in &rules.battery {
            if percent <= limit {
                self.raise(me, &[rule], evidence, judged_at, turn, out);
            } else if let Some(rare) = &mut self.rare {
                let place = Place::Tag(me);
                if percent >= limit.saturating_add(BATTERY_HYSTERESIS_PERCENT).min(100) {
                    let reason = AlarmReason::ConditionEnded;
                    rare.episodes.end(Some(rule), place, reason, turn, out);
                } else {
                    // What waits to be told must hold all the while.
                    rare.episodes.give_up_waiting(rule, place);
                }
            }
        }
    }

    /// Judges what holds until it ends: the band and the battery. A pressed button is judged when
    /// it is pressed.
    pub(crate) fn judge_states(
        &mut self,
        me: TagRef,
        rules: &RuleSet,
        evidence: &Evidence,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        self.judge_battery(me, rules, evidence, judged_at, turn, out);
        if self.rare.as_ref().is_some_and(|rare| rare.reports.is_cut()) {
            self.raise(me, &rules.band, evidence, judged_at, turn, out);
        }
    }

    /// A window opened or closed: ends what no longer holds at this hour and judges the rest anew.
    /// A duress outlives its window: only a person ends it.
    #[expect(clippy::too_many_arguments, reason = "what was looked up is handed on")]
    fn judge_windows(
        &mut self,
        me: TagRef,
        plan: &TagPlan,
        rules: &RuleSet,
        evidence: &Evidence,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        if let Some(rare) = &mut self.rare {
            rare.end_out_of_hours(me, judged_at, turn, out);
        }
        self.judge_silence(me, plan, rules, evidence, judged_at, turn, out);
        self.judge_states(me, rules, evidence, judged_at, turn, out);
    }

    /// Opens an episode by each rule that holds at this hour, and orders a call for the next change
    /// of those that have hours.
    fn raise(
        &mut self,
        me: TagRef,
        by: &[RuleRef],
        evidence: &Evidence,
        judged_at: Timestamp,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        let subject = turn.site.tag_subject(me);
        for &rule in by {
            let Some(plan) = turn.site.rule(rule) else { continue };
            let is_excused = self.is_excused(plan.condition, turn.now);
            let rare = self.rare.get_or_insert_default();
            if turn.site.is_in_force(plan, judged_at) && !is_excused {
                let opening = Opening::by_rule(rule, plan, subject, Place::Tag(me), *evidence);
                rare.episodes.open(&opening, turn, out);
            }
            if plan.condition.is_state() && !plan.windows.is_empty() {
                let change_at = turn.site.next_change(plan, judged_at);
                rare.window_call.order(change_at, EntityRef::Tag(me), out);
            }
        }
    }

    fn end_bands_if_whole(&mut self, turn: &Turn<'_>, out: &mut Outbox) {
        let Some(rare) = self.rare.as_mut().filter(|rare| !rare.reports.is_cut()) else { return };
        rare.end_of(RuleCondition::BandCut, turn, out);
    }
}

/// The plan of a tag and the rules it is under; `None` if it was removed.
pub(crate) fn under<'a>(me: TagRef, turn: &Turn<'a>) -> Option<(&'a TagPlan, &'a RuleSet)> {
    let plan = turn.site.tag_plan(me)?;
    Some((plan, turn.site.rule_set(plan.rule_set)?))
}

pub(crate) fn listened_ns(plan: &TagPlan, turn: &Turn<'_>) -> u64 {
    plan.source().and_then(|source| turn.listened_ns(source)).unwrap_or(0)
}

pub(crate) fn with_place(evidence: Evidence, me: TagRef, at: Seen) -> Evidence {
    let (position, accuracy_mm) = at.map_or((None, 0), |(position, mm)| (Some(position), mm));
    Evidence { tag: Some(me), position, accuracy_mm, ..evidence }
}

fn report_evidence(me: TagRef, arrival: &Arrival, verdict: Verdict, at: Seen) -> Evidence {
    let evidence = with_place(Evidence::of_arrival(arrival), me, at);
    Evidence { is_late: evidence.is_late || verdict == Verdict::Late, ..evidence }
}

/// Tells a deadline from former ones; never 0.
fn mark_of(due_at: Timestamp) -> u32 {
    u32::try_from(due_at.0 & 0xffff_ffff).unwrap_or(u32::MAX) | 1
}
