//! Responses: what rules name must be there, doors must be moved, and no alarm may come back to itself.

mod cycles;

use std::collections::BTreeSet;

use ach_actors_model::Name;

use super::rules::{DOORS, check_known};
use super::things::{EXITS, check_unique};
use super::{Check, Item};
use crate::catalogue::Catalogue;
use crate::finding::FindingKind;
use crate::response_plan::{LOCKED_DOORS_MAX, RESPONSES_OF_RULE_MAX, TOLD_MAX};
use crate::text::{Origin, nearest};
use crate::{DoorPlan, ResponsePlan, RulePlan};

pub(super) fn check(check: &Check<'_>, catalogue: &Catalogue<'_>) {
    let plans = &check.directory.responses;
    let ids = plans.iter().enumerate();
    check_unique(check, "response", ids.map(|(at, plan)| (&plan.id, Item::Response(at))));
    let named: BTreeSet<&Name> =
        check.directory.rules.iter().flat_map(|rule| &rule.responses).collect();
    for (number, plan) in plans.iter().enumerate() {
        let origin = check.origin(Item::Response(number));
        check_doors(check, catalogue, plan, &origin);
        if !named.contains(&plan.id) {
            let problem = "no rule names it: nothing ever comes of it";
            let remedy = format!("name it in a rule: responses = [\"{}\"]", plan.id);
            check.report.warning(FindingKind::UnusedResponse, &origin, problem, &remedy);
        }
    }
    for (number, rule) in check.directory.rules.iter().enumerate() {
        check_named(check, catalogue, rule, &check.origin(Item::Rule(number)));
    }
    cycles::check(check, catalogue);
}

/// What a response locks is there, is moved, and is no way out unless that is meant.
fn check_doors(check: &Check<'_>, catalogue: &Catalogue<'_>, plan: &ResponsePlan, origin: &Origin) {
    let report = check.report;
    check_known(check, origin, &DOORS, &catalogue.doors, &plan.doors);
    for label in plan.doors_labelled.iter().filter(|label| !catalogue.doors.has_label(label)) {
        let problem = format!("no door carries the label `{label}`");
        let remedy = match nearest(label.as_str(), catalogue.doors.labels()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "label a door with it or remove it here".to_owned(),
        };
        report.warning(FindingKind::EmptySelection, origin, &problem, &remedy);
    }
    let all = catalogue.doors.select(&plan.doors, &plan.doors_labelled);
    let has_unknown = plan.doors.iter().any(|id| catalogue.doors.index(id).is_none());
    if all.is_empty() && plan.tell.is_empty() && !has_unknown {
        let remedy = "name doors under `lock`, or ids under `tell`";
        let problem = "it locks nothing and tells nobody";
        report.error(FindingKind::EmptySelection, origin, problem, remedy);
    }
    if all.len() > LOCKED_DOORS_MAX {
        let problem = format!("it locks {} doors, at most {LOCKED_DOORS_MAX}", all.len());
        let remedy = "lock the doors nearby; for a whole site an operator declares a lockdown";
        report.error(FindingKind::BadValue, origin, &problem, remedy);
    }
    let doors: Vec<&DoorPlan> = all.iter().filter_map(|&door| catalogue.door(door)).collect();
    let unmoved = doors.iter().filter(|door| door.control.is_none());
    if let Some(words) = door_words(unmoved.copied()) {
        let problem = format!("it cannot lock {words}: no `control` is named there");
        let remedy = "add \"control\" to each such door, or leave it out of `lock`";
        report.warning(FindingKind::UnwiredDoor, origin, &problem, remedy);
    }
    let is_exit = |door: &&&DoorPlan| door.labels.iter().any(|at| EXITS.contains(&at.as_str()));
    let exits = doors.iter().filter(|door| door.control.is_some()).filter(is_exit);
    if let Some(words) = door_words(exits.copied().filter(|_| !plan.also_exits)) {
        let problem = format!("it locks {words}, by which people get out");
        let remedy = "say also_exits = true if that is meant, who may leave is let out all the same; \
                      or leave such doors out of `lock`";
        report.warning(FindingKind::LockedExit, origin, &problem, remedy);
    }
}

/// `door `a` and 2 others`; nothing of none.
fn door_words<'a>(mut doors: impl Iterator<Item = &'a DoorPlan>) -> Option<String> {
    let first = doors.next()?;
    let id = &first.id;
    Some(match doors.count() {
        0 => format!("door `{id}`"),
        1 => format!("door `{id}` and another one"),
        more => format!("door `{id}` and {more} others"),
    })
}

/// What a rule names is there, each once, and together no more than a node takes.
fn check_named(check: &Check<'_>, catalogue: &Catalogue<'_>, rule: &RulePlan, origin: &Origin) {
    let plans = &check.directory.responses;
    let mut seen = BTreeSet::new();
    let (mut door_count, mut told_count) = (0, 0);
    for id in &rule.responses {
        if !seen.insert(id) {
            let problem = format!("it names the response `{id}` twice");
            check.report.error(FindingKind::BadValue, origin, &problem, "remove one");
            continue;
        }
        if let Some(plan) = plans.iter().find(|plan| plan.id == *id) {
            door_count += plan.moved_doors(catalogue).len();
            told_count += plan.tell.len();
        } else {
            let problem = format!("there is no response `{id}`");
            let remedy = match nearest(id.as_str(), plans.iter().map(|plan| plan.id.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add [[response]] id = \"{id}\" to this file"),
            };
            check.report.error(FindingKind::UnknownResponse, origin, &problem, &remedy);
        }
    }
    for (what, count, most) in [
        ("responses", rule.responses.len(), RESPONSES_OF_RULE_MAX),
        ("doors that its responses lock", door_count, LOCKED_DOORS_MAX),
        ("names that its responses tell", told_count, TOLD_MAX),
    ] {
        if count > most {
            let problem = format!("it has {count} {what}, at most {most}");
            check.report.error(FindingKind::BadValue, origin, &problem, "leave some out");
        }
    }
}
