//! Patients who carry a protected label and whom no rule protects, and exits that may be forced.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{Name, SubjectClass};

use super::guard::Guard;
use super::{Item, Places, Review, Reviewed, listed};
use crate::census::has_traits;
use crate::finding::FindingKind;
use crate::{DoorPlan, What};

/// The label of doors that lead out.
const EXIT: &str = "exit";
/// The label of doors that people go in and out by as they like.
const ENTRANCE: &str = "entrance";

/// Reviews them; false when it took too many steps.
pub(super) fn review(review: &Review<'_>) -> bool {
    doors(review);
    people(review)
}

/// A label that an exit rule protects is a promise to all who carry it. Exceptions are meant; that
/// a rule wants class, label and id at once is often not.
fn people(review: &Review<'_>) -> bool {
    let mut protected: BTreeMap<&Name, &Reviewed<'_>> = BTreeMap::new();
    for rule in review.exit_rules() {
        for &label in &rule.people.labels {
            protected.entry(label).or_insert(rule);
        }
    }
    if protected.is_empty() {
        return true;
    }
    let guard = Guard::of(review.exit_rules());
    let mut unguarded: BTreeMap<&Name, usize> = BTreeMap::new();
    for cohort in review.census.cohorts() {
        let Some(example) = cohort.example() else { continue };
        let carried = example.labels.iter().filter(|label| protected.contains_key(label));
        let carried: BTreeSet<&Name> = carried.collect();
        if carried.is_empty() || example.class != SubjectClass::Patient {
            continue;
        }
        let steps = &review.guard_steps;
        let Some(count) = guard.count(cohort, |_| true, has_traits, steps) else { return false };
        for label in carried {
            *unguarded.entry(label).or_default() += count.all - count.guarded;
        }
    }
    for (label, count) in unguarded.into_iter().filter(|(_, count)| *count > 0) {
        let Some(rule) = protected.get(label) else { continue };
        let carriers = if count == 1 {
            "1 patient carries".to_owned()
        } else {
            format!("{count} patients carry")
        };
        let problem = format!(
            "{carriers} the label `{label}`, which it protects, and no such rule is about them"
        );
        let remedy = "`who` takes only those for whom all its fields are true: take `classes` or \
                      `subjects` out, or add a rule";
        review.warn(rule, FindingKind::UnguardedPeople, &problem, remedy);
    }
    true
}

/// Exits that a feed reports and no rule about forced doors watches, in one finding a floor.
fn doors(review: &Review<'_>) {
    let rules = review.rules.iter().filter(|rule| rule.plan.what == What::DoorForced);
    let places: BTreeMap<usize, &Places> =
        rules.map(|rule| (rule.places.number, &*rule.places)).collect();
    let watched: BTreeSet<u32> =
        places.into_values().flat_map(|places| places.doors.iter().copied()).collect();
    let mut number = 0;
    for (floor, plan) in review.check.directory.floors.iter().enumerate() {
        let mut unwatched = Vec::new();
        let mut first = None;
        for (at, door) in plan.doors.iter().enumerate() {
            if is_guarded_exit(door) && !watched.contains(&number) {
                unwatched.push(format!("`{}`", door.id));
                first.get_or_insert(Item::Door(floor, at));
            }
            number += 1;
        }
        let Some(first) = first else { continue };
        let problem = format!("no rule is about forced doors at the exit {}", listed(&unwatched));
        let remedy = "name it in a rule with what = \"door_forced\", or label it `entrance` if \
                      people go in and out by it as they like";
        let origin = review.check.origin(first);
        review.check.report.warning(FindingKind::UnguardedDoor, &origin, &problem, remedy);
    }
}

fn is_guarded_exit(door: &DoorPlan) -> bool {
    let has = |word: &str| door.labels.iter().any(|label| label.as_str() == word);
    has(EXIT) && !has(ENTRANCE) && door.feed.is_some()
}
