//! The simulator's own plane geometry, in floating point and written apart from `ach-geo`, so that
//! the judge does not repeat a mistake of the judged.

use ach_actors_model::ZoneConfig;
use ach_geo::{Floor, Outline};

/// A true place: where something is, without noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruePlace {
    /// Millimetres east.
    pub x_mm: f64,
    /// Millimetres north.
    pub y_mm: f64,
    /// The storey.
    pub floor: Floor,
}

impl TruePlace {
    /// Plane distance, whatever the floors.
    pub fn distance_mm(&self, other: &TruePlace) -> f64 {
        (self.x_mm - other.x_mm).hypot(self.y_mm - other.y_mm)
    }

    /// The place a share of the way to `other`; the floor changes halfway.
    #[must_use]
    pub fn toward(&self, other: &TruePlace, share: f64) -> TruePlace {
        TruePlace {
            x_mm: self.x_mm + (other.x_mm - self.x_mm) * share,
            y_mm: self.y_mm + (other.y_mm - self.y_mm) * share,
            floor: if share < 0.5 { self.floor } else { other.floor },
        }
    }
}

/// How deep inside the zone a place is; negative is how far outside. Infinitely far on another
/// floor.
pub(crate) fn depth_mm(zone: &ZoneConfig, place: &TruePlace) -> f64 {
    if zone.floor.is_some_and(|floor| floor != place.floor) {
        return f64::NEG_INFINITY;
    }
    match &zone.outline {
        Outline::Circle { center_mm, radius_mm } => {
            let (x_mm, y_mm) = whole(*center_mm);
            f64::from(*radius_mm) - (place.x_mm - x_mm).hypot(place.y_mm - y_mm)
        }
        Outline::Polygon { outer_mm, holes_mm } => {
            let mut is_inside = false;
            let mut nearest_mm = f64::INFINITY;
            for ring in std::iter::once(outer_mm).chain(holes_mm) {
                for (from, to) in sides(ring) {
                    let (from, to) = (whole(from), whole(to));
                    is_inside ^= is_crossed_by_ray(place, from, to);
                    nearest_mm = nearest_mm.min(distance_to_side_mm(place, from, to));
                }
            }
            if is_inside { nearest_mm } else { -nearest_mm }
        }
    }
}

/// Area of the zone in square millimetres, holes left out.
pub(crate) fn area_mm2(zone: &ZoneConfig) -> f64 {
    match &zone.outline {
        Outline::Circle { radius_mm, .. } => {
            std::f64::consts::PI * f64::from(*radius_mm) * f64::from(*radius_mm)
        }
        Outline::Polygon { outer_mm, .. } => {
            let twice: f64 = sides(outer_mm)
                .map(|(from, to)| {
                    let ((ax, ay), (bx, by)) = (whole(from), whole(to));
                    ax * by - bx * ay
                })
                .sum();
            twice.abs() / 2.0
        }
    }
}

/// Where on the way from `from` to `to` (0 to 1) the segment is met, if it is.
///
/// With it comes whether the way goes from the left of the segment to its right.
pub(crate) fn meets(
    from: &TruePlace,
    to: &TruePlace,
    segment: ((i32, i32), (i32, i32)),
) -> Option<(f64, bool)> {
    let ((ax, ay), (bx, by)) = (whole(segment.0), whole(segment.1));
    let side = |place: &TruePlace| (bx - ax) * (place.y_mm - ay) - (by - ay) * (place.x_mm - ax);
    let (start, end) = (side(from), side(to));
    if (start > 0.0) == (end > 0.0) {
        return None;
    }
    let share = start / (start - end);
    let at = from.toward(to, share);
    let along = (at.x_mm - ax) * (bx - ax) + (at.y_mm - ay) * (by - ay);
    let length2 = (bx - ax).mul_add(bx - ax, (by - ay) * (by - ay));
    (0.0..=length2).contains(&along).then_some((share, start > 0.0))
}

/// Consecutive vertices of a closed ring.
pub(crate) fn sides(ring: &[(i32, i32)]) -> impl Iterator<Item = ((i32, i32), (i32, i32))> + '_ {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

/// Whole millimetres; places lie within a few kilometres of the origin, far within `i32`.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(crate) fn round_mm(value_mm: f64) -> i32 {
    value_mm.round() as i32
}

/// Whole nanoseconds; negative and not-a-number become 0.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates"
)]
pub(crate) fn round_ns(value_ns: f64) -> u64 {
    value_ns.round() as u64
}

/// Nanoseconds as a float; runs are hours long, far within 2^53.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "far within 2^53")]
pub(crate) fn float_ns(value_ns: u64) -> f64 {
    value_ns as f64
}

fn whole((x_mm, y_mm): (i32, i32)) -> (f64, f64) {
    (f64::from(x_mm), f64::from(y_mm))
}

fn is_crossed_by_ray(place: &TruePlace, from: (f64, f64), to: (f64, f64)) -> bool {
    (from.1 > place.y_mm) != (to.1 > place.y_mm)
        && place.x_mm < (to.0 - from.0) * (place.y_mm - from.1) / (to.1 - from.1) + from.0
}

fn distance_to_side_mm(place: &TruePlace, from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length2 = dx * dx + dy * dy;
    let share = if length2 > 0.0 {
        (((place.x_mm - from.0) * dx + (place.y_mm - from.1) * dy) / length2).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (from.0 + share * dx - place.x_mm).hypot(from.1 + share * dy - place.y_mm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ach_actors_model::Name;
    use ach_geo::Gates;

    fn yard() -> ZoneConfig {
        ZoneConfig {
            id: Name::new("yard").expect("a name"),
            labels: Vec::new(),
            floor: Some(Floor(0)),
            outline: Outline::Polygon {
                outer_mm: vec![(0, 0), (10_000, 0), (10_000, 10_000), (0, 10_000)],
                holes_mm: vec![vec![
                    (4_000, 4_000),
                    (6_000, 4_000),
                    (6_000, 6_000),
                    (4_000, 6_000),
                ]],
            },
            height: None,
            capacity: None,
            motion_source: None,
            gates: Gates::default(),
        }
    }

    #[track_caller]
    fn check(x_mm: f64, y_mm: f64, floor: i16, expected_mm: f64) {
        let place = TruePlace { x_mm, y_mm, floor: Floor(floor) };
        let depth = depth_mm(&yard(), &place);
        assert!(
            (depth - expected_mm).abs() < 1e-6 || depth.total_cmp(&expected_mm).is_eq(),
            "{depth}"
        );
    }

    #[test]
    fn depth_counts_to_the_nearest_wall_and_holes_are_outside() {
        check(1_000.0, 5_000.0, 0, 1_000.0);
        check(3_500.0, 5_000.0, 0, 500.0);
        check(5_000.0, 5_000.0, 0, -1_000.0);
        check(-3_000.0, -4_000.0, 0, -5_000.0);
        check(1_000.0, 5_000.0, 1, f64::NEG_INFINITY);
    }

    #[test]
    fn a_segment_is_met_once_and_the_side_is_told() {
        let at = |x_mm: f64, y_mm: f64| TruePlace { x_mm, y_mm, floor: Floor(0) };
        let north = ((0, 0), (0, 1_000));
        assert_eq!(meets(&at(-500.0, 500.0), &at(500.0, 500.0), north), Some((0.5, true)));
        assert_eq!(meets(&at(500.0, 500.0), &at(-500.0, 500.0), north), Some((0.5, false)));
        assert_eq!(meets(&at(-500.0, 1_500.0), &at(500.0, 1_500.0), north), None);
        assert_eq!(meets(&at(-500.0, 500.0), &at(-100.0, 500.0), north), None);
    }
}
