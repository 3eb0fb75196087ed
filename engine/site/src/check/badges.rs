//! Badges: each is one person's, and nobody has a handful of them.

use std::collections::BTreeMap;

use ach_actors_model::Name;

use super::{Check, Item};
use crate::finding::FindingKind;

/// Badges of one person: a card, a fob, a phone, one for the car park, and spare.
pub(crate) const BADGES_MAX: usize = 8;

pub(super) fn check(check: &Check<'_>) {
    let mut holder_by_badge: BTreeMap<&Name, &Name> = BTreeMap::new();
    for (number, person) in check.directory.people.iter().enumerate() {
        let origin = check.origin(Item::Person(number));
        if person.badges.len() > BADGES_MAX {
            let problem =
                format!("`{}` has {} badges, at most {BADGES_MAX}", person.id, person.badges.len());
            let remedy = "take away those that open no door any more";
            check.report.error(FindingKind::TooLarge, &origin, &problem, remedy);
        }
        for (place, badge) in (1..).zip(&person.badges) {
            if let Some(holder) = holder_by_badge.insert(badge, &person.id) {
                // Whoever reads along needs no number that opens doors.
                let problem = format!(
                    "the badge in place {place} of `{}` is already `{holder}`'s",
                    person.id
                );
                let remedy = "take it away from one of them";
                check.report.error(FindingKind::DuplicateBadge, &origin, &problem, remedy);
            }
        }
    }
}
