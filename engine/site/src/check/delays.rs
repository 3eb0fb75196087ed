//! Rules that wait before they tell, or before they say that it is over: only what lasts can, and nothing a life may
//! hang on.

use ach_actors_model::{AlarmKind, NS_PER_S};

use super::Check;
use crate::finding::FindingKind;
use crate::text::{Origin, span_text};
use crate::{RulePlan, What};

/// Who is gone for longer than this when it is told is ten metres further, at a walk: out of sight of the door.
const ELOPEMENT_DELAY_NS: u64 = 5 * NS_PER_S;

pub(super) fn check(check: &Check<'_>, rule: &RulePlan, origin: &Origin) {
    let delays = rule.answer.delays;
    let unfit = |problem: &str, remedy: &str| {
        check.report.error(FindingKind::UnfitRule, origin, problem, remedy);
    };
    for (word, ns) in [("on_delay", delays.on_ns), ("off_delay", delays.off_ns)] {
        if ns == 0 {
            continue;
        }
        let remedy = format!("remove `{word}`");
        if rule.what == What::TagsContradict {
            let problem = format!("it has `{word}`, but such a rule waits by itself");
            unfit(&problem, &remedy);
        } else if is_moment(rule.what) {
            let problem = format!("it has `{word}`, but what it watches happens in a moment");
            unfit(&problem, &remedy);
        } else if rule.answer.is_life_safety {
            let problem = format!("it has `{word}`, but a life may hang on its alarms");
            unfit(&problem, &format!("remove `{word}` or `life_safety`"));
        }
    }
    if delays.on_ns == 0 || is_moment(rule.what) {
        return;
    }
    if matches!(rule.what, What::DoorTampered | What::ReaderTampered) {
        let problem = "it has `on_delay`, but whoever opens a housing is done by then";
        unfit(problem, "remove `on_delay`, or say `off_delay`");
    }
    if let Some(field) = own_time(rule) {
        let problem = "it has `on_delay`, but such a rule has a time of its own";
        unfit(problem, &format!("remove `on_delay` and say so in {field}"));
    }
    if rule.is_tentative {
        let problem =
            "it is tentative, to be told on first evidence, and has `on_delay`, to be told late";
        unfit(problem, "remove `tentative` or `on_delay`");
    }
    if rule.alarm == AlarmKind::Elopement && delays.on_ns > ELOPEMENT_DELAY_NS {
        let problem = format!(
            "who leaves has been gone for {} before anybody is told",
            span_text(delays.on_ns)
        );
        let remedy = format!(
            "take `on_delay` down to {}, or say in `gates` what it is to wait for",
            span_text(ELOPEMENT_DELAY_NS)
        );
        check.report.warning(FindingKind::LateAlarm, origin, &problem, &remedy);
    }
}

/// Whether it neither lasts nor ends by itself after it has.
fn is_moment(what: What) -> bool {
    matches!(
        what,
        What::BandCut
            | What::ButtonPressed
            | What::DoorForced
            | What::TagsContradict
            | What::Tailgating
            | What::BadgeElsewhere { .. }
            | What::Motion { .. }
    )
}

/// Where a rule says already how long what it watches must last.
fn own_time(rule: &RulePlan) -> Option<&'static str> {
    match rule.what {
        what if what.after_ns().is_some() => Some("`after`"),
        What::Inside => rule.gates.and_then(|gates| gates.dwell_ns).map(|_| "`dwell` of `gates`"),
        _ => None,
    }
}
