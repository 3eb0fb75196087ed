//! Doors that are moved, and whether anybody hears when one does not do as it is told.

use std::collections::BTreeSet;

use super::{Review, rule_file};
use crate::What;
use crate::finding::FindingKind;

/// Warns of the first moved door that no rule watches, and of how many there are.
pub(super) fn review(review: &Review<'_>) {
    let catalogue = review.catalogue;
    let is_watching = |rule: &&crate::RulePlan| matches!(rule.what, What::DoorNotFollowing { .. });
    let rules = review.check.directory.rules.iter().filter(is_watching);
    let watched: BTreeSet<u32> = rules.flat_map(|rule| catalogue.doors_of(&rule.place)).collect();
    let floors = review.check.directory.floors.iter();
    let doors = (0..).zip(floors.flat_map(|plan| &plan.doors));
    let unwatched = doors.filter(|(at, door)| door.control.is_some() && !watched.contains(at));
    let mut unwatched = unwatched.map(|(_, door)| &door.id);
    let Some(first) = unwatched.next() else { return };
    let problem = match unwatched.count() {
        0 => {
            format!("door `{first}` is moved, and no rule tells when it does not do as it is told")
        }
        1 => format!(
            "door `{first}` and another one are moved, and no rule tells when one does not do as it \
             is told"
        ),
        more => format!(
            "door `{first}` and {more} others are moved, and no rule tells when one does not do as \
             it is told"
        ),
    };
    let remedy = "add a rule with what = \"door_not_following\" and after = \"10s\" for them";
    review.check.report.warning(FindingKind::UnwatchedOrders, &rule_file(), &problem, remedy);
}
