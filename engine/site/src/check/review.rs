//! What sound rules say together: which contradict each other, which say nothing, and where they leave a
//! hole. All of it is warned of, none of it keeps a site from being used.
//!
//! Rules are compared as sets of people, places and hours, not person by person and hour by hour.

mod cover;
mod gaps;
mod guard;
mod holes;
mod idle;
mod narrow;
mod orders;
mod pairs;
mod people;
mod tags;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ach_geo::Gates;

use self::people::People;
use super::{Check, Item};
use crate::catalogue::Catalogue;
use crate::census::Census;
use crate::finding::FindingKind;
use crate::hours::Hours;
use crate::text::Origin;
use crate::{RulePlan, What, WherePlan};

/// Most steps of each kind of comparing, as of pairs of rules and places of a pair. As many rules as a site
/// takes, each about a ward or a patient of its own, need a tenth of it; a step takes some hundred nanoseconds.
const STEPS_MAX: u64 = 2_000_000;
/// Most places of all rules together, as a node takes (12 bytes each there, 4 here).
const PLACES_MAX: usize = 4 << 20;

/// A step that may be taken.
#[derive(Debug)]
struct Steps(Cell<u64>);

impl Steps {
    fn new() -> Steps {
        Steps(Cell::new(0))
    }

    /// Takes so many; false once there are too many.
    fn take(&self, count: usize) -> bool {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.0.set(self.0.get().saturating_add(count));
        self.0.get() <= STEPS_MAX
    }
}

/// A rule, as sets.
struct Reviewed<'a> {
    number: usize,
    plan: &'a RulePlan,
    people: People<'a>,
    hours: Hours,
    places: Rc<Places>,
}

/// The places of a rule, each list ascending. Rules that say the same share them.
#[derive(Debug, Default)]
struct Places {
    /// Counts up: rules with the same number watch the same.
    number: usize,
    zones: Vec<u32>,
    doors: Vec<u32>,
    lines: Vec<u32>,
}

impl Places {
    fn count(&self) -> usize {
        self.zones.len() + self.doors.len() + self.lines.len()
    }
}

/// What the review needs at hand.
struct Review<'a> {
    check: &'a Check<'a>,
    catalogue: &'a Catalogue<'a>,
    census: &'a Census<'a>,
    rules: Vec<Reviewed<'a>>,
    steps: Steps,
    /// Of looking whom rules are about: holes are told though pairs were too many.
    guard_steps: Steps,
    /// Of looking for whom zones are guarded at which hours.
    gap_steps: Steps,
    /// Of looking how wide zones are.
    width_steps: Steps,
}

/// Looks at all rules together. Returns the steps that took.
pub(super) fn review(check: &Check<'_>, catalogue: &Catalogue<'_>, census: &Census<'_>) -> u64 {
    if check.directory.rules.is_empty() {
        return 0;
    }
    let Some(rules) = reviewed(check, catalogue) else {
        tell_not_compared(check, "they watch too many places together");
        return 0;
    };
    let review = Review::new(check, catalogue, census, rules);
    idle::review(&review);
    orders::review(&review);
    let mut is_whole = narrow::review(&review);
    is_whole &= pairs::review(&review);
    is_whole &= gaps::review(&review);
    if !(holes::review(&review) && tags::review(&review) && is_whole) {
        tell_not_compared(check, "too many of them are about the same people and places");
    }
    let all = [&review.steps, &review.guard_steps, &review.gap_steps, &review.width_steps];
    all.into_iter().map(|steps| steps.0.get()).fold(0, u64::saturating_add)
}

fn reviewed<'a>(check: &Check<'a>, catalogue: &Catalogue<'_>) -> Option<Vec<Reviewed<'a>>> {
    let mut known: BTreeMap<&WherePlan, Rc<Places>> = BTreeMap::new();
    let mut count = 0;
    let has_holidays = !check.directory.holidays.is_empty();
    let mut rules = Vec::with_capacity(check.directory.rules.len());
    for (number, plan) in check.directory.rules.iter().enumerate() {
        let next = known.len();
        let places = known.entry(&plan.place).or_insert_with(|| {
            let zones = catalogue.zones_of(&plan.place);
            let (doors, lines) = (catalogue.doors_of(&plan.place), catalogue.lines_of(&plan.place));
            let places = Places { number: next, zones, doors, lines };
            count += places.count();
            Rc::new(places)
        });
        let places = Rc::clone(places);
        if count > PLACES_MAX {
            return None;
        }
        let people = People::of(&plan.who);
        let hours = Hours::of(&plan.when, has_holidays);
        rules.push(Reviewed { number, plan, people, hours, places });
    }
    Some(rules)
}

fn tell_not_compared(check: &Check<'_>, why: &str) {
    let problem = format!("not all rules were held against each other: {why}");
    let remedy = "let fewer rules watch the same people and places, or select by labels";
    check.report.warning(FindingKind::RulesNotCompared, &rule_file(), &problem, remedy);
}

/// Where something is said of rules that no single one of them says.
fn rule_file() -> Origin {
    Origin::new(&std::sync::Arc::from("rules.toml"), None, "")
}

impl<'a> Review<'a> {
    fn new(
        check: &'a Check<'a>,
        catalogue: &'a Catalogue<'a>,
        census: &'a Census<'a>,
        rules: Vec<Reviewed<'a>>,
    ) -> Review<'a> {
        Review {
            check,
            catalogue,
            census,
            rules,
            steps: Steps::new(),
            guard_steps: Steps::new(),
            gap_steps: Steps::new(),
            width_steps: Steps::new(),
        }
    }
}

impl Review<'_> {
    fn warn(&self, rule: &Reviewed<'_>, kind: FindingKind, problem: &str, remedy: &str) {
        let origin = self.check.origin(Item::Rule(rule.number));
        self.check.report.warning(kind, &origin, problem, remedy);
    }

    /// The gates a rule judges a zone by.
    fn gates_of(&self, plan: &RulePlan, zone: u32) -> Gates {
        let of_zone = || self.catalogue.zone(zone).and_then(|zone| zone.gates);
        plan.gates.or_else(of_zone).unwrap_or(self.check.directory.gates)
    }

    /// Rules that raise an elopement when somebody leaves a place.
    fn exit_rules(&self) -> impl Iterator<Item = &Reviewed<'_>> {
        self.rules.iter().filter(|rule| {
            rule.plan.what == What::Leaves
                && rule.plan.alarm == ach_actors_model::AlarmKind::Elopement
        })
    }
}

/// `a`, `a and b`, `a, b and 3 more`.
fn listed(words: &[String]) -> String {
    const TOLD_MAX: usize = 3;
    let told = words.get(..TOLD_MAX).unwrap_or(words);
    match (words.len() - told.len(), told.split_last()) {
        (_, None) => String::new(),
        (0, Some((last, []))) => last.clone(),
        (0, Some((last, first))) => format!("{} and {last}", first.join(", ")),
        (more, Some(_)) => format!("{} and {more} more", told.join(", ")),
    }
}
