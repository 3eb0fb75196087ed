//! Containment and distance against the registry's `geo` crate and plain arithmetic.

#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the oracle calculates in floating point"
)]

use ach_geo::{Outline, RANGE_MM, Region};
use geo::CoordinatePosition;
use geo::coordinate_position::CoordPos;

use crate::dice::Dice;

type Ring = Vec<(i32, i32)>;

/// The registry calculates in `i64` here only to be exact on small numbers; above, in `f64` with
/// robust predicates.
fn oracle(outer: &Ring, holes: &[Ring]) -> geo::Polygon<f64> {
    let ring = |ring: &Ring| {
        ring.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect::<geo::LineString<f64>>()
    };
    geo::Polygon::new(ring(outer), holes.iter().map(ring).collect())
}

/// A simple star round a centre: vertices by angle, radii at random, some of them collinear.
pub(crate) fn star(dice: &mut Dice, center: (i32, i32), radius: i32, flatness: i32) -> Ring {
    let count = dice.between(3, 24);
    let mut ring: Ring = (0..count)
        .map(|at| {
            let angle = std::f64::consts::TAU * (at as f64) / (count as f64);
            let reach = f64::from(dice.mm(radius / 4, radius));
            let x = center.0 + (reach * angle.cos()) as i32;
            (x, center.1 + (reach * angle.sin()) as i32 / flatness)
        })
        .collect();
    if dice.once_in(3) {
        // Vertices in the middle of edges, exactly where the edge is even.
        let middle = |a: i32, b: i32| a + (b - a) / 2;
        let ends: Ring = ring.iter().copied().cycle().skip(1).take(ring.len()).collect();
        ring = ring
            .iter()
            .zip(ends)
            .flat_map(|(a, b)| [*a, (middle(a.0, b.0), middle(a.1, b.1))])
            .collect();
    }
    if dice.once_in(2) {
        ring.reverse();
    }
    ring
}

#[test]
fn containment_agrees_with_the_registry_on_stars_needles_and_holes() {
    let mut dice = Dice::seeded("regions", 1);
    let (mut shape_count, mut boundary_count, mut inside_count) = (0, 0, 0);
    for _ in 0..3_000 {
        let radius = dice.pick(&[8, 60, 5_000, 400_000_000]);
        let flatness = dice.pick(&[1, 1, 7, 100]);
        let center = (dice.mm(-radius, radius), dice.mm(-radius, radius));
        let outer = star(&mut dice, center, radius, flatness);
        let mut holes = vec![];
        if dice.once_in(2) {
            holes.push(star(&mut dice, center, radius / 5, flatness));
        }
        let outline = Outline::Polygon { outer_mm: outer.clone(), holes_mm: holes.clone() };
        // Rounding makes some stars unsound: they are the business of other tests.
        let Ok(region) = Region::new(outline, None, None) else { continue };
        shape_count += 1;
        let oracle = oracle(&outer, &holes);
        let vertices: Ring = outer.iter().chain(holes.iter().flatten()).copied().collect();
        for _ in 0..40 {
            // At random, at a vertex, level with one, or beside one.
            let vertex = dice.pick(&vertices);
            let random = (dice.mm(-2 * radius, 2 * radius), dice.mm(-2 * radius, 2 * radius));
            let beside = (vertex.0 + dice.mm(-1, 1), vertex.1 + dice.mm(-1, 1));
            let (x, y) = dice.pick(&[random, vertex, (random.0, vertex.1), beside]);
            let place = geo::Coord { x: f64::from(x), y: f64::from(y) };
            let position = oracle.coordinate_position(&place);
            boundary_count += u32::from(position == CoordPos::OnBoundary);
            inside_count += u32::from(position == CoordPos::Inside);
            let expected = position != CoordPos::Outside;
            assert_eq!(region.contains(x, y), expected, "{x}, {y} in {outer:?} less {holes:?}");
            assert_eq!(region.is_within(x, y, 0), expected, "{x}, {y} within {outer:?}");
            assert_eq!(region.is_deep_inside(x, y, 0), expected, "{x}, {y} deep in {outer:?}");
        }
    }
    println!(
        "{shape_count} shapes, {boundary_count} points on the boundary, {inside_count} inside"
    );
    assert!(shape_count > 1_500 && boundary_count > 5_000 && inside_count > 5_000);
}

/// Combs whose teeth stand upright or lie level: every strip is full, or every edge is in one.
#[test]
fn containment_agrees_with_the_registry_on_combs() {
    let mut dice = Dice::seeded("combs", 6);
    for teeth in [3, 60, 1_000] {
        for is_upright in [true, false] {
            let turn = |(x, y): (i32, i32)| if is_upright { (x, y) } else { (y, x) };
            let mut outer: Ring = (0..teeth)
                .flat_map(|at| {
                    let height = 5_000 + dice.mm(0, 3_000);
                    [(at * 20, 0), (at * 20 + 5, height), (at * 20 + 9, height), (at * 20 + 14, 0)]
                })
                .collect();
            outer.extend([(teeth * 20, -100), (-1, -100)]);
            let outer: Ring = outer.into_iter().map(turn).collect();
            let outline = Outline::Polygon { outer_mm: outer.clone(), holes_mm: vec![] };
            let region = Region::new(outline, None, None).unwrap();
            let oracle = oracle(&outer, &[]);
            let (mut inside_count, mut outside_count) = (0, 0);
            for _ in 0..400 {
                let vertex = dice.pick(&outer);
                let random = turn((dice.mm(-50, teeth * 20 + 50), dice.mm(-150, 9_000)));
                let beside = (vertex.0 + dice.mm(-3, 3), random.1);
                let (x, y) = dice.pick(&[random, vertex, beside]);
                let place = geo::Coord { x: f64::from(x), y: f64::from(y) };
                let expected = oracle.coordinate_position(&place) != CoordPos::Outside;
                assert_eq!(region.contains(x, y), expected, "{teeth} teeth, {x}, {y}");
                inside_count += u32::from(expected);
                outside_count += u32::from(!expected);
            }
            assert!(inside_count > 50 && outside_count > 50, "{inside_count}, {outside_count}");
        }
    }
}

/// Distance by looking at every point of the plane near the outline: only for small shapes.
#[test]
fn margins_agree_with_the_nearest_points_in_floating_point() {
    let mut dice = Dice::seeded("margins", 2);
    let mut decided_count = 0;
    for _ in 0..2_000 {
        let radius = dice.pick(&[50, 5_000, 100_000_000]);
        let outer = star(&mut dice, (0, 0), radius, 1);
        let outline = Outline::Polygon { outer_mm: outer.clone(), holes_mm: vec![] };
        let Ok(region) = Region::new(outline, None, None) else { continue };
        for _ in 0..20 {
            let (x, y) = (dice.mm(-2 * radius, 2 * radius), dice.mm(-2 * radius, 2 * radius));
            let margin = u64::try_from(dice.mm(0, radius)).unwrap();
            let distance = outer
                .iter()
                .zip(outer.iter().cycle().skip(1))
                .map(|(a, b)| {
                    let (ax, ay) = (f64::from(a.0), f64::from(a.1));
                    let (bx, by) = (f64::from(b.0) - ax, f64::from(b.1) - ay);
                    let (px, py) = (f64::from(x) - ax, f64::from(y) - ay);
                    let along = ((px * bx + py * by) / (bx * bx + by * by)).clamp(0.0, 1.0);
                    (px - along * bx).hypot(py - along * by)
                })
                .fold(f64::INFINITY, f64::min);
            if (distance - margin as f64).abs() < 1e-3 {
                continue;
            }
            decided_count += 1;
            let is_near = distance < margin as f64;
            let is_inside = region.contains(x, y);
            assert_eq!(region.is_within(x, y, margin), is_inside || is_near, "{x}, {y}, {margin}");
            assert_eq!(region.is_deep_inside(x, y, margin), is_inside && !is_near);
        }
    }
    assert!(decided_count > 20_000);
}

#[test]
fn margins_are_exact_to_the_millimetre() {
    let l_shape =
        vec![(0, 0), (10_000, 0), (10_000, 5_000), (5_000, 5_000), (5_000, 10_000), (0, 10_000)];
    let polygon = |outer_mm| Outline::Polygon { outer_mm, holes_mm: vec![] };
    let corridor = Region::new(polygon(l_shape), None, None).unwrap();
    let square = vec![(0, 0), (10_000, 0), (10_000, 10_000), (0, 10_000)];
    let room = Region::new(polygon(square), None, None).unwrap();
    let circle = Outline::Circle { center_mm: (0, 0), radius_mm: 5_000 };
    let circle = Region::new(circle, None, None).unwrap();
    for (region, x, y, margin, is_within, is_deep) in [
        (&corridor, -500, 2_000, 500, true, false),
        (&corridor, -501, 2_000, 500, false, false),
        (&corridor, -300, -400, 500, true, false),
        (&corridor, -300, -401, 500, false, false),
        (&corridor, 9_000, 9_000, 0, false, false),
        (&corridor, 4_500, 8_000, 500, true, true),
        (&corridor, 4_501, 8_000, 500, true, false),
        (&corridor, 4_700, 4_600, 500, true, true),
        (&corridor, 4_701, 4_601, 500, true, false),
        (&room, -300, -400, 500, true, false),
        (&room, -300, -401, 500, false, false),
        (&room, 500, 9_500, 500, true, true),
        (&room, 499, 9_500, 500, true, false),
        (&circle, 3_000, 4_000, 0, true, true),
        (&circle, 3_000, 4_001, 0, false, false),
        (&circle, 3_300, 4_400, 500, true, false),
        (&circle, 3_300, 4_401, 500, false, false),
        (&circle, 2_700, 3_600, 500, true, true),
        (&circle, 2_700, 3_601, 500, true, false),
        (&circle, 0, 0, 5_001, true, false),
    ] {
        assert_eq!(region.is_within(x, y, margin), is_within, "{x}, {y} within {margin}");
        assert_eq!(region.is_deep_inside(x, y, margin), is_deep, "{x}, {y} deeper than {margin}");
    }
}

#[test]
fn the_ends_of_the_range_do_not_overflow() {
    let r = RANGE_MM;
    let outer_mm = vec![(-r, -r), (r, -r + 1), (r - 1, r), (-r + 1, r - 1)];
    let outline = Outline::Polygon { outer_mm, holes_mm: vec![] };
    let region = Region::new(outline, None, None).unwrap();
    for x in [i32::MIN, -r, -1, 0, 1, r, i32::MAX] {
        for y in [i32::MIN, -r, -1, 0, 1, r, i32::MAX] {
            for margin in [0, 1, u64::from(u32::MAX), 2 * u64::from(u32::MAX), u64::MAX] {
                let is_inside = region.contains(x, y);
                assert!(!is_inside || region.is_within(x, y, margin));
                assert!(is_inside || !region.is_deep_inside(x, y, margin));
                assert!(margin < 1 << 33 || region.is_within(x, y, margin), "{x}, {y}, {margin}");
            }
        }
    }
}
