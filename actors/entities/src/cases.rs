//! What of a subject is open, and what waits for more evidence.

use ach_actors_model::{
    AlarmKind, AlarmNotice, AlarmReason, Fix, LineRef, Place, RuleRef, SubjectRef, ZoneRef,
};
use ach_geo::{Occupancy, gate};
use serde::{Deserialize, Serialize};

use crate::absence::Absence;
use crate::badge_case::BadgeCase;
use crate::call_back::CallBack;
use crate::docket::Bench;
use crate::episodes::{Episodes, Opening};
use crate::line_return::LineReturn;
use crate::line_side::{LineSide, side_of};
use crate::meeting::{Meeting, judge_of};
use crate::pass_case::{ExcusedExit, PassCase};
use crate::site::{RuleCondition, RulePlan};
use crate::{Outbox, Site};

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Cases {
    pub(crate) episodes: Episodes,
    pub(crate) window_call: CallBack,
    /// Bounded by the pairs of rule and zone.
    pub(crate) unsure_exits: Vec<UnsureExit>,
    /// Bounded by the pairs of rule and line.
    pub(crate) line_trials: Vec<LineTrial>,
    /// Bounded by the pairs of rule and zone or line.
    pub(crate) unsure_returns: Vec<UnsureReturn>,
    /// Bounded by the pairs of rule and line: one for an open alarm about it, or for one that ended
    /// for positions alone.
    pub(crate) line_returns: Vec<LineReturn>,
    /// Bounded by the rules about what is away, one each.
    pub(crate) absences: Vec<Absence>,
    pub(crate) absence_call: CallBack,
    /// Bounded by a limit of their own.
    pub(crate) meetings: Vec<Meeting>,
    pub(crate) meeting_call: CallBack,
    /// Leave that it has.
    pub(crate) pass: Option<Box<PassCase>>,
    /// Left under it, and not come back to. Bounded by the pairs of rule and zone or line.
    pub(crate) excused: Vec<ExcusedExit>,
    /// Who has leave only while this one is with them. Bounded by how many may have one escort.
    pub(crate) wards: Vec<SubjectRef>,
    /// Grants to its badges.
    pub(crate) badges: Option<Box<BadgeCase>>,
}

/// A zone was left, as far as positions of unknown floor tell: waits for one that knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct UnsureExit {
    pub(crate) rule: RuleRef,
    pub(crate) zone: ZoneRef,
    pub(crate) gates_passed: u16,
}

/// A zone was entered, or a line crossed inward, as far as positions of unknown floor tell, while an
/// alarm about having left is open: waits for one that knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct UnsureReturn {
    pub(crate) rule: RuleRef,
    pub(crate) place: Place,
}

/// A line was crossed outward: waits for a position of known floor beyond the rule's tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct LineTrial {
    pub(crate) rule: RuleRef,
    pub(crate) line: LineRef,
}

impl Cases {
    /// Whether a position must be looked at, whatever it crosses.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.meetings.is_empty()
            || self.badges.as_deref().is_some_and(BadgeCase::is_waiting)
            || self.want_evidence()
    }

    pub(crate) fn want_evidence(&self) -> bool {
        !self.unsure_exits.is_empty()
            || !self.line_trials.is_empty()
            || !self.unsure_returns.is_empty()
            || !self.line_returns.is_empty()
            || self.has_left_by_line()
            || self.pass.as_ref().is_some_and(|case| case.pass.escort.is_some())
            || !self.wards.is_empty()
    }

    pub(crate) fn open(&mut self, opening: &Opening, bench: &Bench<'_>, out: &mut Outbox) {
        self.episodes.open(opening, bench.turn, out);
    }

    /// Past a line, beyond doubt. Whoever goes out while the alarm about it is still open has come
    /// back unseen: that alarm is over, and this is another.
    pub(crate) fn leave_by_line(
        &mut self,
        trial: LineTrial,
        plan: &RulePlan,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let place = Place::Line(trial.line);
        self.line_returns.retain(|back| !back.is_about(trial.rule, place));
        let open = self.episodes.get(Some(trial.rule), place);
        if open.is_some_and(|notice| !notice.is_tentative) {
            self.episodes.end_now(trial.rule, place, bench.turn, out);
        }
        self.leave(&bench.opening(trial.rule, plan, place, line_gates(plan)), bench, out);
    }

    /// Not past a line after all: a tentative alarm about it is retracted. One that was upheld
    /// before stands until more than one position says that he is back.
    pub(crate) fn end_line(&mut self, trial: LineTrial, bench: &Bench<'_>, out: &mut Outbox) {
        let reason = |notice: &AlarmNotice| {
            let is_about_it =
                notice.rule == Some(trial.rule) && notice.place == Place::Line(trial.line);
            (is_about_it && notice.is_tentative).then_some(AlarmReason::CameBack)
        };
        self.episodes.end_where(reason, bench.turn, out);
    }

    /// Whether an alarm about having left is open, or held back by leave, that a return would end:
    /// about the zone, or about any line of the rule.
    pub(crate) fn has_left(&self, rule: RuleRef, place: Place) -> bool {
        let is_it = |of: Option<RuleRef>, left: Place| {
            of == Some(rule) && (left == place || matches!(left, Place::Line(_)))
        };
        self.episodes.open_notices().iter().any(|notice| is_it(notice.rule, notice.place))
            || self.excused.iter().any(|exit| is_it(Some(exit.rule), exit.place))
    }

    /// Seen to return by positions that know no floor.
    pub(crate) fn note_return(&mut self, rule: RuleRef, place: Place) {
        let unsure = UnsureReturn { rule, place };
        if !self.unsure_returns.contains(&unsure) {
            self.unsure_returns.push(unsure);
        }
    }

    /// Ends alarms about having left of whoever is back, now that the floor is known.
    pub(crate) fn look_for_returns(
        &mut self,
        fix: &Fix,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let site = bench.turn.site;
        for UnsureReturn { rule, place } in std::mem::take(&mut self.unsure_returns) {
            let Some(plan) = bench.plan(rule) else { continue };
            match place {
                Place::Zone(zone) => {
                    let watch = plan.watch_of(zone);
                    if watch.is_some_and(|watch| occupancy.is_in(site.index(), watch)) {
                        self.return_to(rule, zone, bench, out);
                    }
                }
                Place::Line(line) => {
                    let Some(line_plan) = site.line_plan(line) else { continue };
                    if fix.position.floor != Some(line_plan.floor) {
                        continue;
                    }
                    // Past an end nothing is clear but for a tolerance above 0.
                    let tolerance_mm = plan.line_tolerance_mm.max(1);
                    match side_of(&line_plan.points_mm, &fix.position, tolerance_mm) {
                        LineSide::Inside => self.come_in(rule, bench, out),
                        LineSide::Unclear => self.note_return(rule, place),
                        LineSide::Outside => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// Gone again.
    pub(crate) fn forget_return(&mut self, rule: RuleRef, place: Place) {
        self.unsure_returns.retain(|unsure| *unsure != UnsureReturn { rule, place });
        self.line_returns.retain(|back| !back.is_about(rule, place));
    }

    /// Back in a zone of a rule about leaving: the alarm about that zone is over, and so are those
    /// about the rule's lines, wherever it came in.
    pub(crate) fn return_to(
        &mut self,
        rule: RuleRef,
        zone: ZoneRef,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        self.unsure_exits.retain(|exit| exit.rule != rule || exit.zone != zone);
        let reason = AlarmReason::ConditionEnded;
        self.episodes.end(Some(rule), Place::Zone(zone), reason, bench.turn, out);
        self.excused.retain(|exit| exit.rule != rule || exit.place != Place::Zone(zone));
        self.come_in(rule, bench, out);
    }

    pub(crate) fn come_in(&mut self, rule: RuleRef, bench: &Bench<'_>, out: &mut Outbox) {
        self.line_trials.retain(|trial| trial.rule != rule);
        self.unsure_returns.retain(|unsure| unsure.rule != rule);
        self.line_returns.retain(|back| back.rule != rule);
        self.excused.retain(|exit| exit.rule != rule || !matches!(exit.place, Place::Line(_)));
        let reason = |notice: &AlarmNotice| {
            let is_line = notice.rule == Some(rule) && matches!(notice.place, Place::Line(_));
            is_line.then(|| return_reason(notice))
        };
        self.episodes.end_where(reason, bench.turn, out);
    }

    /// Another version of the site is in force: ends what its rules no longer say. A rule that was
    /// made another by an edit, one about leaving of one about being inside, says nothing of what
    /// it said before.
    pub(crate) fn change_site(
        &mut self,
        old: &Site,
        occupancy: &Occupancy,
        bench: &Bench<'_>,
        out: &mut Outbox,
    ) {
        let site = bench.turn.site;
        let own = site.subject_rules(bench.me);
        let still_says = |rule: RuleRef, place: Place| {
            let kind = |plan: &RulePlan| std::mem::discriminant(&plan.condition);
            let plan = bench.plan(rule).filter(|_| own.is_some_and(|own| own.contains(rule)));
            let plan = plan.filter(|plan| old.rule(rule).map(kind) == Some(kind(plan)));
            plan.is_some_and(|plan| match place {
                Place::Zone(zone) => {
                    !plan.condition.is_about_tags()
                        && plan.watch_of(zone).is_some_and(|watch| site.watch(watch).is_some())
                }
                Place::Line(line) => plan.lines.binary_search(&line).is_ok(),
                Place::Subject(other) => judge_of(site, rule, bench.me, other) == Some(bench.me),
                Place::Door(door) => plan.doors.binary_search(&door).is_ok(),
                _ => false,
            })
        };
        let reason = |notice: &AlarmNotice| {
            let holds = notice.rule.is_some_and(|rule| still_says(rule, notice.place));
            (!holds && notice.kind != AlarmKind::LeaveEndsSoon).then_some(AlarmReason::RuleRemoved)
        };
        self.episodes.end_where(reason, bench.turn, out);
        self.unsure_exits.retain(|exit| still_says(exit.rule, Place::Zone(exit.zone)));
        self.line_trials.retain(|trial| still_says(trial.rule, Place::Line(trial.line)));
        self.unsure_returns.retain(|unsure| still_says(unsure.rule, unsure.place));
        self.line_returns.retain(|back| still_says(back.rule, Place::Line(back.line)));
        self.absences.retain(|absence| still_says(absence.rule, Place::Zone(absence.zone)));
        self.meetings.retain(|meeting| still_says(meeting.rule, Place::Subject(meeting.other)));
        let mut is_back = false;
        self.excused.retain(|exit| {
            // Whoever is in a zone that was redrawn is back without a crossing.
            let watch = match exit.place {
                Place::Zone(zone) => bench.plan(exit.rule).and_then(|plan| plan.watch_of(zone)),
                _ => None,
            };
            let is_in = watch.is_some_and(|watch| occupancy.is_in(site.index(), watch));
            is_back |= is_in;
            still_says(exit.rule, exit.place) && !is_in
        });
        self.end_out_of_hours(bench, out);
        self.end_unfounded(occupancy, bench, out);
        self.raise_anew(bench, out);
        self.stay_out(is_back, bench, out);
        self.change_badges(bench, out);
        self.episodes.settle(bench.turn.now, &bench.evidence, bench.turn, out);
    }

    /// Ends alarms about what lasts, of rules that do not hold at this hour.
    pub(crate) fn end_out_of_hours(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        let reason = |notice: &AlarmNotice| {
            let plan = bench.plan(notice.rule?)?;
            let is_over = plan.condition.is_state() && !bench.is_in_force(plan);
            is_over.then_some(AlarmReason::RuleRemoved)
        };
        self.episodes.end_where(reason, bench.turn, out);
    }

    /// Alarms of rules that were edited to raise another kind: ends them and raises that kind.
    fn raise_anew(&mut self, bench: &Bench<'_>, out: &mut Outbox) {
        let is_other = |notice: &AlarmNotice| {
            let plan = notice.rule.and_then(|rule| bench.plan(rule));
            plan.is_some_and(|plan| plan.alarm != notice.kind)
        };
        let others = self.episodes.open_notices().iter().filter(|notice| is_other(notice));
        let others: Vec<AlarmNotice> = others.cloned().collect();
        let reason = |notice: &AlarmNotice| is_other(notice).then_some(AlarmReason::RuleRemoved);
        self.episodes.end_where(reason, bench.turn, out);
        for notice in others {
            let Some(rule) = notice.rule else { continue };
            let Some(plan) = bench.plan(rule) else { continue };
            let opening = bench.opening(rule, plan, notice.place, notice.gates_passed);
            let is_tentative = notice.is_tentative;
            self.open(&Opening { is_tentative, ..opening }, bench, out);
        }
    }

    /// Ends alarms about being in a zone the subject is no longer taken to be in, because the
    /// change of the site took it out, and tentative ones whose evidence it took away.
    fn end_unfounded(&mut self, occupancy: &Occupancy, bench: &Bench<'_>, out: &mut Outbox) {
        let site = bench.turn.site;
        let reason = |notice: &AlarmNotice| {
            let plan = bench.plan(notice.rule?)?;
            let Place::Zone(zone) = notice.place else { return None };
            let watch = plan.watch_of(zone)?;
            let presence =
                occupancy.presences(site.index()).find(|presence| presence.watch == watch);
            let is_founded = match plan.condition {
                RuleCondition::Leaves => {
                    !notice.is_tentative || presence.is_some_and(|presence| presence.is_suspected)
                }
                // Looked at by itself, once this is done.
                RuleCondition::Away { .. } => true,
                _ if notice.is_tentative => presence.is_some(),
                _ => presence.is_some_and(|presence| presence.is_in),
            };
            (!is_founded).then_some(AlarmReason::RuleRemoved)
        };
        // What waits to be over has no more ground, and waits all the same.
        self.episodes.end_open_where(reason, bench.turn, out);
    }
}

/// Why the alarm about somebody who is back ends.
fn return_reason(notice: &AlarmNotice) -> AlarmReason {
    if notice.is_tentative { AlarmReason::CameBack } else { AlarmReason::ConditionEnded }
}

/// Gates passed by one who is beyond a line.
fn line_gates(plan: &RulePlan) -> u16 {
    if plan.line_tolerance_mm > 0 { gate::CROSSED | gate::EXIT_TOLERANCE } else { gate::CROSSED }
}
