//! High-risk zones: each wants a rule that raises an elopement when it is left, at every hour.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{Name, SubjectClass};

use super::people::People;
use super::{Item, Places, Review, Reviewed, rule_file};
use crate::finding::FindingKind;
use crate::hours::Hours;

/// The label of zones that nobody may leave unnoticed.
pub(super) const HIGH_RISK: &str = "high-risk";
/// Most zones that are told: the remedy is the same for all.
const TOLD_MAX: usize = 20;

/// Rules that watch the same places are one, so that a site costs its places and not each rule's.
struct Watch<'r> {
    places: &'r Places,
    rules: Vec<(&'r People<'r>, &'r Hours)>,
    /// When one of them or another holds.
    hours: Hours,
    /// One of them holds at every hour.
    has_constant: bool,
}

/// What a zone lacks.
enum Gap {
    /// No rule at all.
    Rule,
    /// A rule at other hours than these.
    Hours(Hours),
    /// The same people at every hour: it is guarded for some now, for others then.
    People,
}

/// It takes too many steps to say.
struct TooMany;

/// Reviews them; false when it took too many steps.
pub(super) fn review(review: &Review<'_>) -> bool {
    let high_risk: BTreeSet<u32> = Name::new(HIGH_RISK)
        .map(|label| review.catalogue.zones.select(&[], &[label]))
        .unwrap_or_default()
        .into_iter()
        .collect();
    if high_risk.is_empty() {
        return true;
    }
    let watches = watches(review);
    let mut by_zone: BTreeMap<u32, Vec<&Watch<'_>>> = BTreeMap::new();
    for watch in &watches {
        for &zone in watch.places.zones.iter().filter(|zone| high_risk.contains(zone)) {
            by_zone.entry(zone).or_default().push(watch);
        }
    }
    let floors = review.check.directory.floors.iter().enumerate();
    let items =
        floors.flat_map(|(floor, plan)| (0..plan.zones.len()).map(move |at| Item::Zone(floor, at)));
    let mut lacking = 0;
    for (zone, item) in (0..).zip(items).filter(|(zone, _)| high_risk.contains(zone)) {
        let watches = by_zone.get(&zone).map_or(&[][..], Vec::as_slice);
        let Ok(gap) = gap(review, watches) else { return false };
        let Some(gap) = gap else { continue };
        if lacking < TOLD_MAX {
            tell(review, item, &gap);
        }
        lacking += 1;
    }
    if lacking > TOLD_MAX {
        let more = lacking - TOLD_MAX;
        let problem = format!("{more} more zones are high-risk and lack such rules");
        let remedy = "let one rule about leaving name them all, as by `zones_labelled`";
        review.check.report.warning(FindingKind::UnguardedZone, &rule_file(), &problem, remedy);
    }
    true
}

fn watches<'r>(review: &'r Review<'_>) -> Vec<Watch<'r>> {
    let mut by_places: BTreeMap<usize, Vec<&Reviewed<'_>>> = BTreeMap::new();
    for rule in review.exit_rules().filter(|rule| guards_patients(review, rule)) {
        by_places.entry(rule.places.number).or_default().push(rule);
    }
    let watch = |rules: Vec<&'r Reviewed<'_>>| {
        let hours = Hours::union(rules.iter().map(|rule| &rule.hours));
        let has_constant = rules.iter().any(|rule| rule.hours.is_always());
        let places = &*rules.first()?.places;
        let rules = rules.into_iter().map(|rule| (&rule.people, &rule.hours)).collect();
        Some(Watch { places, rules, hours, has_constant })
    };
    by_places.into_values().filter_map(watch).collect()
}

/// Whether a rule is about a patient who can be heard. One about nobody today is for whoever is admitted
/// tomorrow, and is told of elsewhere.
fn guards_patients(review: &Review<'_>, rule: &Reviewed<'_>) -> bool {
    let count = review.census.count(&rule.plan.who);
    rule.people.has_class(SubjectClass::Patient) && (count.tagged_patients > 0 || count.all == 0)
}

/// What a zone lacks that is watched by these, if anything.
fn gap(review: &Review<'_>, watches: &[&Watch<'_>]) -> Result<Option<Gap>, TooMany> {
    let hours = Hours::union(watches.iter().map(|watch| &watch.hours));
    if hours.is_never() {
        return Ok(Some(Gap::Rule));
    }
    if !hours.is_always() {
        return Ok(Some(Gap::Hours(hours)));
    }
    if watches.iter().any(|watch| watch.has_constant) {
        return Ok(None);
    }
    let rules: Vec<_> = watches.iter().flat_map(|watch| &watch.rules).collect();
    for (people, _) in &rules {
        // Each is looked at with all names.
        if !review.gap_steps.take(rules.len().saturating_mul(1 + people.subjects.len())) {
            return Err(TooMany);
        }
        let of_them = rules.iter().filter(|(others, _)| people.are_among(others));
        if Hours::union(of_them.map(|(_, hours)| *hours)).is_always() {
            return Ok(None);
        }
    }
    Ok(Some(Gap::People))
}

fn tell(review: &Review<'_>, item: Item, gap: &Gap) {
    let about =
        "the zone is high-risk, and no rule raises `elopement` when a patient with a tag leaves it";
    let (kind, problem, remedy) = match gap {
        Gap::Rule => (
            FindingKind::UnguardedZone,
            about.to_owned(),
            "add a rule with what = \"leaves\" and alarm = \"elopement\" that names it",
        ),
        Gap::Hours(hours) => (
            FindingKind::UnguardedHours,
            format!("{about} {}", hours.rest().words()),
            "widen `when` of a rule about leaving it, or take `when` out",
        ),
        Gap::People => (
            FindingKind::UnguardedHours,
            "the zone is high-risk, and rules raise `elopement` for some people now and for others then: \
             nobody is watched at every hour"
                .to_owned(),
            "widen `when` of the rules about leaving it, or take `when` out of one",
        ),
    };
    let origin = review.check.origin(item);
    review.check.report.warning(kind, &origin, &problem, remedy);
}
