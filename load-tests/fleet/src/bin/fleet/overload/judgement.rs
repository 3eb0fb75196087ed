//! What an overload must show, held against what it did.

use serde::Serialize;

use super::pair::{Carried, Step};
use super::phase::PhaseOutcome;
use crate::outcome::{Totals, float};

/// Resident memory at three times the load over that at half of it.
const MEMORY_RATIO_MAX: f64 = 1.5;
/// Alarm latency at the median, likewise.
const LATENCY_RATIO_MAX: f64 = 2.0;
/// A load that was less than this part of what was planned shows nothing.
const OFFERED_PART_MIN: f64 = 0.95;
/// Nor does an alarm's latency of which the load itself took more than this part, at the median.
const LATE_PART_MAX: f64 = 0.1;

/// Something that must be so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// What must be so.
    pub(crate) what: String,
    /// What was found.
    pub(crate) found: String,
    /// Whether it is so.
    pub(crate) is_held: bool,
    /// Whether it is a matter of speed, which a busy machine may spoil.
    pub(crate) is_timing: bool,
    /// Whether the load was such that this could be seen. What is not shown is not held.
    pub(crate) is_shown: bool,
}

impl Finding {
    /// As people read it.
    pub(crate) fn line(&self, is_timing_judged: bool) -> String {
        let is_told_only = self.is_timing && !is_timing_judged;
        let held = match (self.is_held, self.is_shown, is_told_only) {
            (true, true, _) => "held",
            (_, false, true) => "not shown, not judged",
            (_, false, false) => "NOT SHOWN",
            (false, true, true) => "not held, not judged",
            (false, true, false) => "NOT HELD",
        };
        format!("{:<62} {}: {held}", self.what, self.found)
    }
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Judgement {
    pub(crate) findings: Vec<Finding>,
    /// Whether findings about speed count.
    pub(crate) is_timing_judged: bool,
    pub(crate) is_held: bool,
}

impl Judgement {
    /// Judges half the load and three times the load, of what a ramp found.
    pub(crate) fn of(
        ramp: &Carried,
        half: &PhaseOutcome,
        triple: &PhaseOutcome,
        is_timing_judged: bool,
    ) -> Judgement {
        let mut findings = Vec::new();
        for (load, phase) in [("half", half), ("triple", triple)] {
            findings.extend(kept(load, phase));
        }
        findings.extend(compared(ramp, half, triple));
        let is_held = findings
            .iter()
            .all(|finding| finding.is_held || (finding.is_timing && !is_timing_judged));
        Judgement { findings, is_timing_judged, is_held }
    }

    /// In a word. Where the load was not what it was to be, and all that it showed was held, the node is not to
    /// blame.
    pub(crate) fn verdict(&self) -> &'static str {
        let is_judged = |finding: &&Finding| self.is_timing_judged || !finding.is_timing;
        let mut broken = self.findings.iter().filter(is_judged).filter(|it| !it.is_held);
        match (self.is_held, broken.any(|finding| finding.is_shown)) {
            (true, _) => "HELD",
            (false, true) => "NOT HELD",
            (false, false) => {
                "VOID: the load was not what it was to be, so it says nothing of the node"
            }
        }
    }
}

/// What must be so under any load.
pub(super) fn kept(load: &str, phase: &PhaseOutcome) -> Vec<Finding> {
    let finding = |what: &str, found: String, is_held: bool| Finding {
        what: format!("{load}: {what}"),
        found,
        is_held,
        is_timing: false,
        is_shown: true,
    };
    let mut findings = Vec::new();
    for (name, lane) in ["duress", "door"].into_iter().zip(&phase.lanes) {
        let all = Totals { accepted: lane.published, ..Totals::default() };
        let found = format!("{} of {}", lane.totals.accepted, lane.published);
        let is_held = lane.totals == all && lane.published > 0;
        findings.push(finding(&format!("every {name} report was accepted"), found, is_held));
        let found = format!("{} of {}", lane.alarms_heard, lane.alarms_due);
        let is_held = lane.alarms_heard == lane.alarms_due && lane.alarms_due > 0;
        findings.push(finding(&format!("every {name} alarm arrived, once"), found, is_held));
    }
    let unqueued = phase.reports_unqueued;
    findings.push(finding("every report found room", format!("{unqueued} did not"), unqueued == 0));
    let unasked = phase.alarms_unasked;
    let found = format!("{unasked} alarms");
    findings.push(finding("no alarm came that nothing asked for", found, unasked == 0));
    let shed = phase.shed_of_never_shed();
    let found = format!("{shed}");
    findings.push(finding("nothing of P0 to P2 gave way or was left out", found, shed <= 0.0));
    let (written, lost) = (phase.audit_written, phase.audit_lost);
    let found = format!("{written} records written, {lost} lost");
    let is_held = lost <= 0.0 && written >= float(phase.console_answered);
    findings.push(finding("every visit of the console is in the audit log", found, is_held));
    let (asked, answered) = (phase.console_asked, phase.console_answered);
    let found = format!("{answered} of {asked}");
    findings.push(finding("the console was answered", found, answered == asked && asked > 0));
    let found = format!("{} published, {:?}", phase.pings_published, phase.totals);
    let is_counted = phase.totals.sum() == phase.pings_published && phase.pings_published > 0;
    findings.push(finding("every ping that was sent is counted", found, is_counted));
    let (conflated, unqueued) = (phase.pings_conflated_in_client, phase.pings_unqueued);
    let found = format!(
        "{} offered, {} published, {conflated} gave way in the client, {unqueued} without room",
        phase.pings_offered, phase.pings_published
    );
    let is_counted = phase.pings_published + conflated + unqueued == phase.pings_offered;
    findings.push(finding("every ping that was offered is counted", found, is_counted));
    let gaps = phase.gaps;
    findings.push(finding("the receiver's stream is whole", format!("{gaps} gaps"), gaps == 0));
    let found = if phase.is_storing { "yes" } else { "no" };
    findings.push(finding("the node stores", found.to_owned(), phase.is_storing));
    findings
}

/// What is so only of one against the other.
fn compared(ramp: &Carried, half: &PhaseOutcome, triple: &PhaseOutcome) -> Vec<Finding> {
    let memory = ratio(triple.resident_max_mib, half.resident_max_mib);
    let mut findings = the_load(ramp, half, triple);
    let is_as_planned = findings.iter().all(|finding| finding.is_held);
    let latency = ratio(triple.alarm_latency_us.p50, half.alarm_latency_us.p50);
    findings.push(Finding {
        what: format!("resident memory, triple over half, at most {MEMORY_RATIO_MAX}"),
        found: said(memory),
        is_held: within(memory, MEMORY_RATIO_MAX),
        is_timing: false,
        is_shown: true,
    });
    findings.push(Finding {
        what: format!("alarm latency p50, triple over half, at most {LATENCY_RATIO_MAX}"),
        found: said(latency),
        is_held: is_as_planned && within(latency, LATENCY_RATIO_MAX),
        is_timing: true,
        is_shown: is_as_planned,
    });
    findings
}

/// Whether the load was what it was to be. If not, latencies under it say nothing of the node.
fn the_load(ramp: &Carried, half: &PhaseOutcome, triple: &PhaseOutcome) -> Vec<Finding> {
    let thinned = |phase: &PhaseOutcome| {
        phase.totals.conflated + phase.pings_conflated_in_client + phase.pings_unqueued
    };
    let (gave_way, held_back) = (thinned(half), thinned(triple));
    let phases = [half, triple];
    let is_offered = phases.iter().all(|phase| phase.offered_part() >= OFFERED_PART_MIN);
    let is_punctual = phases.iter().all(|phase| within(phase.late_part(), LATE_PART_MAX));
    // Not shown rather than not held: each speaks of the load and the machine.
    let finding = |what: &str, found: String, is_held: bool| Finding {
        what: what.to_owned(),
        found,
        is_held,
        is_timing: true,
        is_shown: is_held,
    };
    vec![
        finding(
            "the ramp was ended by the node, whose core was full",
            ramp.steps.last().map_or("no ramp", Step::verdict).to_owned(),
            ramp.is_of_node(),
        ),
        finding(
            "the load was as planned",
            format!("{:.2} and {:.2} of it", half.offered_part(), triple.offered_part()),
            is_offered,
        ),
        finding(
            "the load took little of alarms' latency itself, by p50",
            format!("{} and {} of it", said(half.late_part()), said(triple.late_part())),
            is_punctual,
        ),
        finding(
            "half: the node carried it whole",
            format!("{gave_way} pings gave way or found no room"),
            gave_way == 0,
        ),
        finding(
            "triple: it was more than the node could carry",
            format!("{held_back} pings gave way or found no room"),
            held_back > 0,
        ),
    ]
}

fn ratio(of: Option<f64>, over: Option<f64>) -> Option<f64> {
    Some(of? / over?)
}

fn said(value: Option<f64>) -> String {
    value.map_or("not measured".to_owned(), |it| format!("{it:.2}"))
}

fn within(value: Option<f64>, most: f64) -> bool {
    value.is_some_and(|value| value <= most)
}

#[cfg(test)]
mod tests {
    use ach_load_tests_fleet::Percentiles;

    use super::*;
    use crate::overload::phase::LaneOutcome;

    fn phase(mib: f64, p50: f64, conflated: u64) -> PhaseOutcome {
        let lane = LaneOutcome {
            published: 10,
            totals: Totals { accepted: 10, ..Totals::default() },
            alarms_due: 5,
            alarms_heard: 5,
            ..LaneOutcome::default()
        };
        let counts = ["duress", "door", "audit", "ping"]
            .map(|lane| (format!("ach_inputs_conflated_total{{lane=\"{lane}\"}}"), 0.0));
        PhaseOutcome {
            seconds: 1.0,
            pings_per_s_planned: 100,
            pings_offered: 100,
            pings_published: 100,
            totals: Totals { accepted: 100 - conflated, conflated, ..Totals::default() },
            lanes: [lane.clone(), lane],
            alarm_latency_us: Percentiles { p50: Some(p50), ..Percentiles::default() },
            send_lateness_us: Percentiles { p50: Some(10.0), ..Percentiles::default() },
            resident_max_mib: Some(mib),
            node_counts: counts.into_iter().collect(),
            audit_written: 4.0,
            is_storing: true,
            console_asked: 2,
            console_answered: 2,
            ..PhaseOutcome::default()
        }
    }

    /// A ramp that ended at what the node carries.
    fn ramp(node_core_part: f64) -> Carried {
        let step = Step {
            offered_per_s: 100,
            accepted_per_s: 80.0,
            conflated: 0,
            conflated_in_client: 20,
            unqueued: 0,
            history_lag_s: 0.0,
            node_core_part,
            offered_part: 1.0,
            is_carried: false,
        };
        Carried { carried: 80, steps: vec![step] }
    }

    #[track_caller]
    fn check(change: fn(&mut PhaseOutcome), held: bool, held_without_timing: bool) {
        let half = phase(100.0, 200.0, 0);
        let mut triple = phase(140.0, 390.0, 40);
        change(&mut triple);
        assert_eq!(Judgement::of(&ramp(0.97), &half, &triple, true).is_held, held);
        let untimed = Judgement::of(&ramp(0.97), &half, &triple, false);
        assert_eq!(untimed.is_held, held_without_timing);
    }

    /// What is said of latencies that are too high, under a load that was changed so.
    #[track_caller]
    fn check_verdict(
        node_core_part: f64,
        change: fn(&mut PhaseOutcome),
        latency: &str,
        verdict: &str,
    ) {
        let half = phase(100.0, 200.0, 0);
        let mut triple = phase(140.0, 401.0, 40);
        change(&mut triple);
        let judged = Judgement::of(&ramp(node_core_part), &half, &triple, true);
        let line = judged.findings.last().expect("the latency").line(true);
        assert!(line.ends_with(latency), "{line}");
        let said = judged.verdict();
        assert!(said.starts_with(verdict) && !judged.is_held, "{said}");
    }

    #[test]
    fn a_load_that_was_not_what_it_was_to_be_does_not_blame_the_node() {
        check_verdict(0.97, |_| {}, ": NOT HELD", "NOT HELD");
        check_verdict(0.6, |_| {}, ": NOT SHOWN", "VOID");
        let short = |it: &mut PhaseOutcome| {
            (it.pings_offered, it.pings_published) = (90, 90);
            it.totals = Totals { accepted: 50, conflated: 40, ..Totals::default() };
        };
        check_verdict(0.97, short, ": NOT SHOWN", "VOID");
        let late = |it: &mut PhaseOutcome| it.send_lateness_us.p50 = Some(41.0);
        check_verdict(0.97, late, ": NOT SHOWN", "VOID");
        let unmeasured = |it: &mut PhaseOutcome| it.send_lateness_us.p50 = None;
        check_verdict(0.97, unmeasured, ": NOT SHOWN", "VOID");
        let grown = |it: &mut PhaseOutcome| {
            (it.send_lateness_us.p50, it.resident_max_mib) = (Some(41.0), Some(200.0));
        };
        check_verdict(0.97, grown, ": NOT SHOWN", "NOT HELD");
    }

    #[test]
    fn an_overload_is_held_only_if_all_of_it_is() {
        check(|_| {}, true, true);
        check(|it| it.lanes[0].alarms_heard = 4, false, false);
        check(|it| it.lanes[1].totals.accepted = 9, false, false);
        check(|it| it.reports_unqueued = 1, false, false);
        check(|it| it.alarms_unasked = 1, false, false);
        check(|it| it.totals.conflated -= 1, false, false);
        check(|it| it.pings_offered += 1, false, false);
        check(|it| it.resident_max_mib = Some(151.0), false, false);
        check(|it| it.resident_max_mib = None, false, false);
        check(|it| it.audit_lost = 1.0, false, false);
        check(|it| it.console_answered = 1, false, false);
        check(|it| it.gaps = 1, false, false);
        check(|it| it.is_storing = false, false, false);
        let gives_way = |it: &mut PhaseOutcome| {
            it.node_counts.insert("ach_inputs_conflated_total{lane=\"audit\"}".to_owned(), 1.0);
        };
        check(gives_way, false, false);
    }

    #[test]
    fn what_a_busy_machine_spoils_may_be_left_to_be_reported() {
        check(|it| it.alarm_latency_us.p50 = Some(401.0), false, true);
        let is_short_of_load = |it: &mut PhaseOutcome| {
            (it.pings_offered, it.pings_published) = (90, 90);
            it.totals = Totals { accepted: 50, conflated: 40, ..Totals::default() };
        };
        check(is_short_of_load, false, true);
        check(|it| it.totals = Totals { accepted: 100, ..Totals::default() }, false, true);
    }
}
