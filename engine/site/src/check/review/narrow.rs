//! Zones that nobody can be in by the gates of a rule: nowhere as deep inside as the gates want.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use ach_geo::{Gates, Outline};

use super::{Review, Reviewed, listed};
use crate::finding::FindingKind;

/// Sides of an outline that are tried for the direction in which it is narrowest; rooms have four.
const SIDES_MAX: usize = 64;

/// Reviews them; false when it took too many steps.
pub(super) fn review(review: &Review<'_>) -> bool {
    let mut widths: BTreeMap<u32, f64> = BTreeMap::new();
    // Rules that judge the same places by the same gates are one.
    let mut known: HashMap<(usize, Option<Gates>), Option<String>> = HashMap::new();
    for rule in review.rules.iter().filter(|rule| rule.plan.what.has_gates()) {
        let problem = match known.entry((rule.places.number, rule.plan.gates)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                if !review.width_steps.take(rule.places.zones.len()) {
                    return false;
                }
                unknown.insert(narrow_words(review, rule, &mut widths))
            }
        };
        let remedy = "lower `entry_margin_m`, or draw the zone wider";
        if let Some(problem) = problem {
            review.warn(rule, FindingKind::NarrowZone, problem, remedy);
        }
    }
    true
}

/// The zones of a rule that nobody can be in, in words, if there are any.
fn narrow_words(
    review: &Review<'_>,
    rule: &Reviewed<'_>,
    widths: &mut BTreeMap<u32, f64>,
) -> Option<String> {
    let mut narrow: Vec<String> = Vec::new();
    let mut margin_mm = 0;
    for &number in &rule.places.zones {
        let gates = review.gates_of(rule.plan, number);
        let Some(zone) = review.catalogue.zone(number).filter(|_| gates.entry_margin_mm > 0) else {
            continue;
        };
        let width_mm = *widths.entry(number).or_insert_with(|| width_mm(&zone.outline));
        if 2.0 * f64::from(gates.entry_margin_mm) > width_mm {
            narrow.push(format!("`{}`", zone.id));
            margin_mm = gates.entry_margin_mm;
        }
    }
    (!narrow.is_empty()).then(|| {
        format!(
            "nobody can ever be in {}: no place in it is {} m from its outline, as `entry_margin_m` wants",
            listed(&narrow),
            crate::text::metres_text(i64::from(margin_mm)),
        )
    })
}

/// How wide an outline is at most across its narrowest direction; no circle in it is wider. Holes and
/// bends make it narrower still, which is left out.
fn width_mm(outline: &Outline) -> f64 {
    let points = match outline {
        Outline::Circle { radius_mm, .. } => return 2.0 * f64::from(*radius_mm),
        Outline::Polygon { outer_mm, .. } => outer_mm,
    };
    let next = points.iter().cycle().skip(1);
    let sides = points.iter().zip(next).filter(|(from, to)| from != to).take(SIDES_MAX);
    let across = |&(from, to): &(&(i32, i32), &(i32, i32))| {
        let (along_x, along_y) =
            (f64::from(to.0) - f64::from(from.0), f64::from(to.1) - f64::from(from.1));
        let length = along_x.hypot(along_y);
        let offsets = points
            .iter()
            .map(|point| (f64::from(point.1) * along_x - f64::from(point.0) * along_y) / length);
        let (low, high) = offsets
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), offset| {
                (low.min(offset), high.max(offset))
            });
        high - low
    };
    // Half a millimetre for what dividing loses.
    sides.map(|side| across(&side)).fold(f64::INFINITY, f64::min) + 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_is_as_wide_as_across_its_narrowest_direction() {
        let check = |points: &[(i32, i32)], expected: f64| {
            let outline = Outline::Polygon { outer_mm: points.to_vec(), holes_mm: Vec::new() };
            let width = width_mm(&outline);
            assert!((width - expected).abs() < 1.0, "{points:?}: {width}");
        };
        check(&[(0, 0), (20_000, 0), (20_000, 2_000), (0, 2_000)], 2_000.0);
        // The same, turned by 45 degrees, and closed.
        check(&[(0, 0), (14_142, 14_142), (12_728, 15_556), (-1_414, 1_414), (0, 0)], 2_000.0);
        check(&[(0, 0), (3_000, 0), (0, 4_000)], 2_400.0);
        let circle = Outline::Circle { center_mm: (0, 0), radius_mm: 500 };
        assert!((width_mm(&circle) - 1_000.0).abs() < 0.1);
    }
}
