//! One subject under its rules: judges what happens to it, case by case.

use ach_actors_model::{
    AlarmReason, EntityRef, Fix, LineRef, Place, RuleRef, SubjectRef, Timestamp,
};
use ach_geo::{Crossing, CrossingKind, Occupancy, gate};
use serde::{Deserialize, Serialize};

use crate::case_box::CaseBox;
use crate::cases::{Cases, LineTrial, UnsureExit};
use crate::episodes::Opening;
use crate::evidence::Evidence;
use crate::line_side::{LineSide, side_of};
use crate::site::{RuleCondition, RulePlan, WatchPlan};
use crate::{Outbox, Site, Turn};

/// The cases. One word; most subjects have none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Docket {
    pub(crate) cases: Option<CaseBox>,
}

/// What a case is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bench<'a> {
    pub(crate) me: SubjectRef,
    pub(crate) turn: &'a Turn<'a>,
    /// The moment by which a rule's hours are judged: shard time for inputs, so that it agrees with
    /// the calls at the windows' edges, and when it was due for a deadline.
    pub(crate) judged_at: Timestamp,
    pub(crate) evidence: Evidence,
}

impl Bench<'_> {
    pub(crate) fn plan(&self, rule: RuleRef) -> Option<&RulePlan> {
        self.turn.site.rule(rule)
    }

    /// Rules that judge by a watch and that the subject is under. Looks through the shorter list.
    fn rules_at(&self, watch: u32) -> impl Iterator<Item = RuleRef> + '_ {
        let by_watch = self.turn.site.watch_rules(watch);
        let own = self.turn.site.subject_rules(self.me).map_or(&[][..], |rules| &rules.rules);
        let (few, many) =
            if by_watch.len() <= own.len() { (by_watch, own) } else { (own, by_watch) };
        few.iter().copied().filter(|rule| many.binary_search(rule).is_ok())
    }

    pub(crate) fn is_in_force(&self, plan: &RulePlan) -> bool {
        self.turn.site.is_in_force(plan, self.judged_at)
    }

    pub(crate) fn next_change(&self, plan: &RulePlan) -> Option<Timestamp> {
        self.turn.site.next_change(plan, self.judged_at)
    }

    pub(crate) fn opening(
        &self,
        rule: RuleRef,
        plan: &RulePlan,
        place: Place,
        gates_passed: u16,
    ) -> Opening {
        let gates_passed = self.evidence.gates_passed | gates_passed;
        let evidence = Evidence { gates_passed, ..self.evidence };
        Opening::by_rule(rule, plan, Some(self.me), place, evidence)
    }
}

impl Docket {
    /// Whether a position must be looked at even if it crosses nothing. Between inputs.
    pub(crate) fn is_waiting(&self) -> bool {
        self.cases.as_ref().is_some_and(CaseBox::is_waiting)
    }

    /// The cases, unless it is known without a look at them, which are far away, that none looks at positions.
    pub(crate) fn stirring(&self) -> Option<&Cases> {
        self.cases.as_ref().filter(|cases| cases.may_stir()).map(|cases| &**cases)
    }

    /// The input is over.
    pub(crate) fn end_input(&mut self) {
        if let Some(cases) = &mut self.cases {
            cases.end_input();
        }
    }

    /// Gives the cases up that hold nothing: a look at who is near may leave none.
    pub(crate) fn close_empty(&mut self) {
        if self.cases.as_deref() == Some(&Cases::default()) {
            self.cases = None;
        }
    }

    fn wants_evidence(&self) -> bool {
        self.stirring().is_some_and(Cases::want_evidence)
    }

    /// Whether somebody gave it leave that holds now.
    pub(crate) fn has_leave(&self, now: Timestamp) -> bool {
        let case = self.cases.as_ref().and_then(|cases| cases.pass.as_ref());
        case.is_some_and(|case| now < case.pass.until && case.is_accompanied(now))
    }

    /// Whether there never was a case.
    pub(crate) fn is_empty(&self) -> bool {
        self.cases.is_none()
    }

    /// Whether an alarm is open or evidence awaited.
    pub(crate) fn is_restless(&self) -> bool {
        let cases = self.cases.as_ref();
        cases.is_some_and(|cases| cases.want_evidence() || cases.episodes.has_open())
    }

    /// Judges one crossing of a watch by every rule that looks at it.
    pub(crate) fn judge(
        &mut self,
        crossing: &Crossing,
        watch: &WatchPlan,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        for rule in bench.rules_at(crossing.watch) {
            let Some(plan) = bench.plan(rule) else { continue };
            match plan.condition {
                RuleCondition::Inside if watch.gates.dwell_ns.is_none() => {
                    self.judge_inside(rule, plan, watch, crossing, bench, out);
                }
                RuleCondition::Inside | RuleCondition::Stays => {
                    self.judge_stay(rule, plan, watch, crossing, bench, out);
                }
                RuleCondition::Leaves => {
                    self.judge_exit(rule, plan, watch, crossing, bench, out);
                }
                _ => {}
            }
        }
    }

    fn judge_inside(
        &mut self,
        rule: RuleRef,
        plan: &RulePlan,
        watch: &WatchPlan,
        crossing: &Crossing,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let place = Place::Zone(watch.zone);
        match crossing.kind {
            CrossingKind::Entered => {
                self.hold(rule, plan, place, crossing.gates_passed, bench, out);
            }
            CrossingKind::EntrySuspected if plan.is_tentative && bench.is_in_force(plan) => {
                let opening = bench.opening(rule, plan, place, crossing.gates_passed);
                let cases = self.cases.get_or_insert_default();
                if !cases.is_covered(plan.condition, place, bench) {
                    cases.open(&Opening { is_tentative: true, ..opening }, bench, out);
                }
                let entity = EntityRef::Subject(bench.me);
                cases.window_call.order(bench.next_change(plan), entity, out);
            }
            CrossingKind::EntryDropped => self.end(rule, place, AlarmReason::CameBack, bench, out),
            CrossingKind::Exited => self.end(rule, place, AlarmReason::ConditionEnded, bench, out),
            _ => {}
        }
    }

    /// A stay is judged when its time is over; a tentative alarm on every entry would be noise.
    fn judge_stay(
        &mut self,
        rule: RuleRef,
        plan: &RulePlan,
        watch: &WatchPlan,
        crossing: &Crossing,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let place = Place::Zone(watch.zone);
        match crossing.kind {
            CrossingKind::Dwelled => {
                self.hold(rule, plan, place, crossing.gates_passed, bench, out);
            }
            CrossingKind::Exited => self.end(rule, place, AlarmReason::ConditionEnded, bench, out),
            _ => {}
        }
    }

    fn judge_exit(
        &mut self,
        rule: RuleRef,
        plan: &RulePlan,
        watch: &WatchPlan,
        crossing: &Crossing,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let zone = watch.zone;
        let place = Place::Zone(zone);
        let gates_passed = crossing.gates_passed;
        match crossing.kind {
            CrossingKind::ExitSuspected
                if plan.is_tentative && bench.is_in_force(plan) && !crossing.is_floor_unknown =>
            {
                let opening = bench.opening(rule, plan, place, gates_passed);
                let cases = self.cases.get_or_insert_default();
                if !cases.is_covered(plan.condition, place, bench) {
                    cases.open(&Opening { is_tentative: true, ..opening }, bench, out);
                }
            }
            CrossingKind::ExitDropped => self.end(rule, place, AlarmReason::CameBack, bench, out),
            CrossingKind::Exited => {
                let cases = self.cases.get_or_insert_default();
                cases.forget_return(rule, place);
                let is_open = cases.episodes.get(Some(rule), place).is_some();
                if !is_open && !bench.is_in_force(plan) {
                    return;
                }
                if crossing.is_floor_unknown && !is_open {
                    cases.unsure_exits.retain(|exit| exit.rule != rule || exit.zone != zone);
                    cases.unsure_exits.push(UnsureExit { rule, zone, gates_passed });
                } else {
                    cases.leave(&bench.opening(rule, plan, place, gates_passed), bench, out);
                }
            }
            CrossingKind::Entered => {
                let Some(cases) = &mut self.cases else { return };
                if crossing.is_floor_unknown && cases.has_left(rule, place) {
                    cases.note_return(rule, place);
                } else {
                    cases.return_to(rule, zone, bench, out);
                }
            }
            _ => {}
        }
    }

    /// Looks at what waits for evidence, with the newest position.
    pub(crate) fn look_again(
        &mut self,
        fix: &Fix,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        if !self.wants_evidence() || fix.position.floor.is_none() {
            return;
        }
        let Some(cases) = &mut self.cases else { return };
        let site = bench.turn.site;
        for UnsureExit { rule, zone, gates_passed } in std::mem::take(&mut cases.unsure_exits) {
            let Some(plan) = bench.plan(rule) else { continue };
            let watch = plan.watch_of(zone);
            if watch.is_some_and(|watch| !occupancy.is_in(site.index(), watch)) {
                let opening = bench.opening(rule, plan, Place::Zone(zone), gates_passed);
                cases.leave(&opening, bench, out);
            }
        }
        for trial in std::mem::take(&mut cases.line_trials) {
            let (Some(plan), Some(line)) = (bench.plan(trial.rule), site.line_plan(trial.line))
            else {
                continue;
            };
            if fix.position.floor != Some(line.floor) {
                // By the stairs beside the line, as it turns out.
                cases.end_line(trial, bench, out);
                continue;
            }
            match side_of(&line.points_mm, &fix.position, plan.line_tolerance_mm) {
                LineSide::Outside => cases.leave_by_line(trial, plan, bench, out),
                LineSide::Unclear => cases.line_trials.push(trial),
                LineSide::Inside => cases.end_line(trial, bench, out),
            }
        }
        cases.look_for_returns(fix, occupancy, bench, out);
        cases.look_within_lines(fix, bench, out);
    }

    /// The subject was not heard for so long that it may have crossed any line unseen.
    pub(crate) fn lose_sight(&mut self) {
        if let Some(cases) = &mut self.cases {
            cases.lose_sight();
        }
    }
}

/// What happens besides crossings of watches.
impl Docket {
    /// A line was crossed outward. A rule with a tolerance waits until the subject is beyond it;
    /// a tentative one says so meanwhile.
    pub(crate) fn cross_outward(
        &mut self,
        line: LineRef,
        is_floor_unknown: bool,
        fix: &Fix,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let site = bench.turn.site;
        let (Some(line_plan), Some(own)) = (site.line_plan(line), site.subject_rules(bench.me))
        else {
            return;
        };
        for &rule in line_plan.rules.iter().filter(|&&rule| own.contains(rule)) {
            let Some(plan) = bench.plan(rule).filter(|plan| bench.is_in_force(plan)) else {
                continue;
            };
            let cases = self.cases.get_or_insert_default();
            cases.forget_return(rule, Place::Line(line));
            let trial = LineTrial { rule, line };
            // With no tolerance the crossing itself says so, wherever it ends.
            let is_out = plan.line_tolerance_mm == 0
                || side_of(&line_plan.points_mm, &fix.position, plan.line_tolerance_mm)
                    == LineSide::Outside;
            if is_out && !is_floor_unknown {
                cases.line_trials.retain(|waiting| *waiting != trial);
                cases.leave_by_line(trial, plan, bench, out);
                continue;
            }
            let is_covered = cases.is_covered(plan.condition, Place::Line(line), bench);
            if plan.is_tentative && !is_floor_unknown && !is_covered {
                let opening = bench.opening(rule, plan, Place::Line(line), gate::CROSSED);
                cases.open(&Opening { is_tentative: true, ..opening }, bench, out);
            }
            if !cases.line_trials.contains(&trial) {
                cases.line_trials.push(trial);
            }
        }
    }

    /// A line was crossed inward: the subject is back, for every rule that watches the line, if the
    /// floor was known.
    pub(crate) fn cross_inward(
        &mut self,
        line: LineRef,
        is_floor_unknown: bool,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let (Some(cases), Some(plan)) = (&mut self.cases, bench.turn.site.line_plan(line)) else {
            return;
        };
        for &rule in &plan.rules {
            if is_floor_unknown && cases.has_left(rule, Place::Line(line)) {
                cases.note_return(rule, Place::Line(line));
            } else {
                cases.come_in(rule, bench, out);
            }
        }
    }

    /// The windows of rules may have opened or closed: ends what no longer holds at this hour and
    /// judges anew where the subject is.
    pub(crate) fn change_hours(
        &mut self,
        due_at: Timestamp,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let Some(cases) = &mut self.cases else { return };
        if !cases.window_call.take(due_at) {
            return;
        }
        cases.end_out_of_hours(bench, out);
        cases.judge_absences(bench, out);
        let mine = bench.turn.health.whereabouts().sighting(bench.me);
        cases.judge_meetings(mine, bench, out);
        self.judge_whereabouts(occupancy, bench, out);
    }

    /// Another version of the site is in force: ends what its rules no longer say and judges anew
    /// where the subject is.
    pub(crate) fn change_site(
        &mut self,
        old: &Site,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        if let Some(cases) = &mut self.cases {
            cases.change_site(old, occupancy, bench, out);
        }
        self.judge_whereabouts(occupancy, bench, out);
    }

    /// Something that a rule has wait has waited for long enough.
    pub(crate) fn end_delay(
        &mut self,
        due_at: Timestamp,
        evidence: &Evidence,
        turn: &Turn<'_>,
        out: &mut Outbox,
    ) {
        if let Some(cases) = &mut self.cases {
            cases.episodes.fall_due(due_at, evidence, turn, out);
        }
    }

    /// Before what was seen ends what waits.
    pub(crate) fn catch_up(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        if let Some(cases) = &mut self.cases {
            cases.episodes.catch_up(bench.evidence.observed_at, bench.turn, out);
        }
    }

    /// The subject has no tags any more, or is no more: nobody can tell where it is.
    pub(crate) fn close(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        self.drop_pass(bench, out);
        let Some(cases) = &mut self.cases else { return };
        let reason = AlarmReason::TagRemoved;
        cases.episodes.end_where(|_| Some(reason), bench.turn, out);
        let Cases { episodes, wards, .. } = std::mem::take(&mut **cases);
        // An escort who gets another tag is one still.
        **cases = Cases { episodes, wards, ..Cases::default() };
    }

    /// Judges every watch the subject is in, as if it had just entered or dwelled.
    pub(crate) fn judge_whereabouts(
        &mut self,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let site = bench.turn.site;
        for presence in occupancy.presences(site.index()).filter(|presence| presence.is_in) {
            let Some(watch) = site.watch(presence.watch) else { continue };
            for rule in bench.rules_at(presence.watch) {
                let Some(plan) = bench.plan(rule) else { continue };
                let holds = match plan.condition {
                    RuleCondition::Inside => watch.gates.dwell_ns.is_none() || presence.has_dwelled,
                    RuleCondition::Stays => presence.has_dwelled,
                    _ => false,
                };
                if holds {
                    self.hold(rule, plan, Place::Zone(watch.zone), gate::LINE, bench, out);
                }
            }
        }
    }

    /// A condition that lasts has begun: an alarm, if it is the hour, and a call at the next change
    /// of the hour.
    fn hold(
        &mut self,
        rule: RuleRef,
        plan: &RulePlan,
        place: Place,
        gates_passed: u16,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let is_in_force = bench.is_in_force(plan);
        if !is_in_force && plan.windows.is_empty() {
            return;
        }
        let cases = self.cases.get_or_insert_default();
        if is_in_force && cases.is_covered(plan.condition, place, bench) {
            // Somebody said that the subject may be there.
        } else if is_in_force {
            cases.open(&bench.opening(rule, plan, place, gates_passed), bench, out);
        } else {
            // It may have begun, tentatively, when it still was the hour.
            cases.episodes.end(Some(rule), place, AlarmReason::RuleRemoved, bench.turn, out);
        }
        let entity = EntityRef::Subject(bench.me);
        cases.window_call.order(bench.next_change(plan), entity, out);
    }

    fn end(
        &mut self,
        rule: RuleRef,
        place: Place,
        reason: AlarmReason,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        if let Some(cases) = &mut self.cases
            && cases.episodes.get(Some(rule), place).is_some()
        {
            cases.episodes.end(Some(rule), place, reason, bench.turn, out);
        }
    }
}
