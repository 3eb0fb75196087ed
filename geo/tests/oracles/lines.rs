//! Crossings of lines against the registry's `geo` crate and against the area they enclose.

use ach_geo::{Direction, Floor, Line, LineCrossing, Position};
use geo::line_intersection::{LineIntersection, line_intersection};

use crate::dice::Dice;
use crate::world;

fn at(x_mm: i32, y_mm: i32) -> Position {
    Position { x_mm, y_mm, z_mm: None, floor: Some(Floor(0)) }
}

fn piece(key: u32, from_mm: (i32, i32), to_mm: (i32, i32)) -> Line {
    Line { key, floor: Floor(0), from_mm, to_mm }
}

fn crossed(lines: &[Line], from: Position, to: Position) -> Vec<LineCrossing> {
    let mut out = vec![];
    world::index(&[], lines).lines_crossed(&from, &to, &mut out);
    out
}

fn coordinate(point: (i32, i32)) -> geo::Coord<f64> {
    geo::Coord { x: f64::from(point.0), y: f64::from(point.1) }
}

#[test]
fn proper_crossings_and_misses_agree_with_the_registry() {
    let mut dice = Dice::seeded("lines", 11);
    let mut proper_count = 0;
    for round in 0..40_000 {
        let size = dice.pick(&[6, 100, 20_000, 900_000_000]);
        let mut point = || (dice.mm(-size, size), dice.mm(-size, size));
        let (a, b, from, to) = (point(), point(), point(), point());
        if a == b {
            continue;
        }
        let wall = geo::Line::new(coordinate(a), coordinate(b));
        let path = geo::Line::new(coordinate(from), coordinate(to));
        let found = crossed(&[piece(1, a, b)], at(from.0, from.1), at(to.0, to.1));
        match line_intersection(wall, path) {
            None => assert_eq!(found, [], "round {round}: {a:?} {b:?} {from:?} {to:?}"),
            Some(LineIntersection::SinglePoint { is_proper: true, .. }) => {
                proper_count += 1;
                assert_eq!(found.len(), 1, "round {round}: {a:?} {b:?} {from:?} {to:?}");
            }
            Some(LineIntersection::Collinear { .. }) => {
                assert_eq!(found, [], "round {round}: {a:?} {b:?} {from:?} {to:?}");
            }
            // Touching an end is a matter of the rule: see the test below.
            Some(LineIntersection::SinglePoint { .. }) => {}
        }
    }
    assert!(proper_count > 2_000, "only {proper_count} crossings");
}

/// On a coarse grid, where paths hit vertices, stop on edges and run along them all the time, the
/// crossings of a closed line still tell exactly who is inside.
#[test]
fn a_closed_line_never_loses_count() {
    let mut dice = Dice::seeded("closed line", 5);
    // Wound to the left, so that the inside is on the left: a star with level and slanted edges.
    let ring = [(2, 2), (6, 2), (6, 4), (9, 2), (9, 9), (6, 6), (4, 9), (4, 6), (2, 6), (3, 4)];
    let lines: Vec<Line> = (0..)
        .zip(ring)
        .zip(ring.into_iter().cycle().skip(1))
        .map(|((key, a), b)| piece(key, a, b))
        .collect();
    let index = world::index(&[], &lines);
    let (mut inside, mut place, mut crossing_count) = (0, at(0, 0), 0);
    for step in 0..20_000 {
        let next = at(dice.mm(0, 11), dice.mm(0, 11));
        let mut out = vec![];
        index.lines_crossed(&place, &next, &mut out);
        for crossing in &out {
            crossing_count += 1;
            inside += match crossing.direction {
                Direction::RightToLeft => 1,
                Direction::LeftToRight => -1,
            };
            assert!(inside == 0 || inside == 1, "step {step}: out of order from {place:?} {out:?}");
        }
        place = next;
        // Even-odd for the place moved by the small step: a hundredth east, less to the north.
        let (x, y) = (f64::from(place.x_mm) + 1e-2, f64::from(place.y_mm) + 1e-5);
        let is_inside = ring.iter().zip(ring.iter().cycle().skip(1)).fold(false, |odd, (a, b)| {
            let (a, b) = (coordinate(*a), coordinate(*b));
            odd ^ ((a.y > y) != (b.y > y) && x < a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y))
        });
        assert_eq!(inside == 1, is_inside, "step {step}: at {place:?}");
    }
    assert!(crossing_count > 10_000);
}

#[test]
fn crossings_come_in_the_order_of_the_path_with_their_direction() {
    let lines = [
        piece(3, (100, 50), (100, -50)),
        piece(1, (300, -50), (300, 50)),
        piece(2, (201, 50), (200, -50)),
        piece(0, (300, -60), (300, 60)),
    ];
    let there = crossed(&lines, at(0, 0), at(1_000, 0));
    let said: Vec<_> = there.iter().map(|crossing| (crossing.line, crossing.direction)).collect();
    let (out, back) = (Direction::LeftToRight, Direction::RightToLeft);
    assert_eq!(said, [(3, back), (2, back), (0, out), (1, out)]);
    let home = crossed(&lines, at(1_000, 0), at(0, 0));
    let said: Vec<_> = home.iter().map(|crossing| (crossing.line, crossing.direction)).collect();
    assert_eq!(said, [(0, back), (1, back), (2, out), (3, out)]);
}

#[test]
fn a_line_is_crossed_only_on_its_floor() {
    let line = [piece(1, (0, -50), (0, 50))];
    let on = |x_mm, floor: Option<i16>| Position { floor: floor.map(Floor), ..at(x_mm, 0) };
    for (from, to, expected) in [
        (Some(0), Some(0), Some(false)),
        (Some(0), None, Some(true)),
        (None, Some(0), Some(true)),
        (None, None, Some(true)),
        (Some(0), Some(100), None),
        (Some(100), Some(100), None),
        (None, Some(100), None),
    ] {
        let found = crossed(&line, on(-9, from), on(9, to));
        let unknown = found.first().map(|crossing| crossing.is_floor_unknown);
        assert_eq!(unknown, expected, "{from:?} to {to:?}");
    }
}

#[test]
fn the_longest_paths_are_ordered_without_overflow() {
    let r = ach_geo::RANGE_MM;
    let lines = [piece(2, (0, r), (r, 0)), piece(1, (-r, 0), (0, -r)), piece(3, (1, r), (r, 1))];
    let found = crossed(&lines, at(i32::MIN, i32::MIN), at(i32::MAX, i32::MAX));
    let keys: Vec<u32> = found.iter().map(|crossing| crossing.line).collect();
    assert_eq!(keys, [1, 2, 3]);
}
