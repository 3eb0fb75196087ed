//! High-risk zones: each wants a rule that raises an elopement when it is left, at every hour.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::Name;

use super::{Item, Places, Review};
use crate::finding::FindingKind;
use crate::hours::Hours;

/// The label of zones that nobody may leave unnoticed.
pub(super) const HIGH_RISK: &str = "high-risk";
/// Most zones that are told: the remedy is the same for all.
const TOLD_MAX: usize = 20;

pub(super) fn review(review: &Review<'_>) {
    let high_risk: BTreeSet<u32> = Name::new(HIGH_RISK)
        .map(|label| review.catalogue.zones.select(&[], &[label]))
        .unwrap_or_default()
        .into_iter()
        .collect();
    if high_risk.is_empty() {
        return;
    }
    // Rules that watch the same are one, so that a site costs its places and not each rule's.
    let mut by_places: BTreeMap<usize, (&Places, Vec<&Hours>)> = BTreeMap::new();
    for rule in review.exit_rules() {
        let alike = by_places.entry(rule.places.number);
        alike.or_insert_with(|| (&rule.places, Vec::new())).1.push(&rule.hours);
    }
    let by_places: Vec<(&Places, Hours)> = by_places
        .into_values()
        .map(|(places, hours)| (places, Hours::union(hours.into_iter())))
        .collect();
    let mut by_zone: BTreeMap<u32, Vec<&Hours>> = BTreeMap::new();
    for (places, hours) in &by_places {
        for &zone in places.zones.iter().filter(|zone| high_risk.contains(zone)) {
            by_zone.entry(zone).or_default().push(hours);
        }
    }
    let items = review
        .check
        .directory
        .floors
        .iter()
        .enumerate()
        .flat_map(|(floor, plan)| (0..plan.zones.len()).map(move |at| Item::Zone(floor, at)));
    let wanting = (0..).zip(items).filter(|(zone, _)| high_risk.contains(zone));
    let told = wanting.filter(|(zone, item)| {
        let hours = by_zone.get(zone).map_or(&[][..], Vec::as_slice);
        tell(review, *item, hours)
    });
    // Told one by one, as many as are asked for.
    told.take(TOLD_MAX).for_each(drop);
}

/// Tells what is missing, if something is.
fn tell(review: &Review<'_>, item: Item, hours: &[&Hours]) -> bool {
    let open = Hours::union(hours.iter().copied());
    let report = review.check.report;
    let origin = review.check.origin(item);
    if open.is_never() {
        let problem = "the zone is high-risk, and no rule raises `elopement` when it is left";
        let remedy = "add a rule with what = \"leaves\" and alarm = \"elopement\" that names it";
        report.warning(FindingKind::UnguardedZone, &origin, problem, remedy);
    } else if !open.is_always() {
        let problem = format!(
            "the zone is high-risk, and no rule raises `elopement` when it is left {}",
            open.rest().words()
        );
        let remedy = "widen `when` of a rule about leaving it, or take `when` out";
        report.warning(FindingKind::UnguardedHours, &origin, &problem, remedy);
    }
    !open.is_always()
}
