//! The index against brute force, and what it refuses.

use std::sync::Arc;

use ach_geo::{
    Confirm, Floor, Gates, Line, Occupancy, Position, RANGE_MM, Region, Watch, WatchIndex,
    WatchIndexError,
};

use crate::dice::Dice;
use crate::regions::star;
use crate::world;

#[test]
fn the_index_finds_what_brute_force_finds() {
    let mut dice = Dice::seeded("indexes", 3);
    for count in [0, 1, 5, 6, 7, 40, 300] {
        let watches = world::watches(&mut dice, count, 50_000);
        let index = world::index(&watches, &[]);
        for _ in 0..500 {
            let position = Position {
                x_mm: dice.mm(-1_000, 60_000),
                y_mm: dice.mm(-1_000, 60_000),
                z_mm: dice.pick(&[None, Some(500), Some(9_000)]),
                floor: dice.pick(&[None, Some(Floor(0)), Some(Floor(100)), Some(Floor(-300))]),
            };
            let mut found = vec![];
            index.watches_at(&position, |watch| found.push(watch.key));
            found.sort_unstable();
            let expected: Vec<u32> = watches
                .iter()
                .filter(|watch| watch.region.matches(&position))
                .filter(|watch| watch.region.contains(position.x_mm, position.y_mm))
                .map(|watch| watch.key)
                .collect();
            assert_eq!(found, expected, "{count} watches, {position:?}");
        }
    }
}

/// Stars of few and of many edges, small and far larger than a cell, in one another's way: the edges
/// that a cell keeps must tell what all edges tell.
#[test]
fn what_a_cell_keeps_of_slanted_outlines_tells_who_is_inside() {
    let mut dice = Dice::seeded("slanted", 17);
    let mut found_count = 0;
    for round in 0..30 {
        let radius = dice.pick(&[900, 6_000, 60_000]);
        let watches: Vec<Watch> = (0..40)
            .filter_map(|key| {
                let center = (dice.mm(0, 40_000), dice.mm(0, 40_000));
                let mut outer_mm = star(&mut dice, center, radius, 1);
                if dice.once_in(3) {
                    // Every edge in sixteen pieces, far more of them than a cell keeps.
                    let ends: Vec<_> =
                        outer_mm.iter().copied().cycle().skip(1).take(outer_mm.len()).collect();
                    let piece = |a: i32, b: i32, part: i32| a + (b - a) / 16 * part;
                    outer_mm = (0..outer_mm.len())
                        .flat_map(|at| (0..16).map(move |part| (at, part)))
                        .map(|(at, part)| {
                            let ((ax, ay), (bx, by)) = (outer_mm[at], ends[at]);
                            (piece(ax, bx, part), piece(ay, by, part))
                        })
                        .collect();
                }
                let outline = ach_geo::Outline::Polygon { outer_mm, holes_mm: vec![] };
                let region = Region::new(outline, Some(Floor(0)), None).ok()?;
                Some(Watch { key, region: Arc::new(region), gates: Gates::default() })
            })
            .collect();
        assert!(watches.len() > 10);
        let index = world::index(&watches, &[]);
        for _ in 0..600 {
            let (x_mm, y_mm) = (dice.mm(-2_000, 42_000), dice.mm(-2_000, 42_000));
            let position = Position { x_mm, y_mm, z_mm: None, floor: Some(Floor(0)) };
            let mut found = vec![];
            index.watches_at(&position, |watch| found.push(watch.key));
            found.sort_unstable();
            let holds = |watch: &&Watch| watch.region.contains(x_mm, y_mm);
            let expected: Vec<u32> = watches.iter().filter(holds).map(|watch| watch.key).collect();
            found_count += found.len();
            assert_eq!(found, expected, "round {round}: {x_mm}, {y_mm}");
        }
    }
    assert!(found_count > 10_000, "{found_count} found");
}

/// As many rules as one likes may watch one building, each with gates of its own.
#[test]
fn hundreds_of_watches_over_one_place_are_told_apart() {
    let mut dice = Dice::seeded("one place", 19);
    let watches: Vec<Watch> = (0..300)
        .map(|key| {
            let outline = world::rectangle(0, 0, 10_000, 10_000 + dice.mm(0, 2) * 1_000);
            let region = Arc::new(Region::new(outline, None, None).unwrap());
            Watch { key, region, gates: world::gates(&mut dice) }
        })
        .collect();
    let index = world::index(&watches, &[]);
    let mut walker = world::Walker::new(dice, 12_000);
    let (mut boxed, mut exact) = (Occupancy::default(), Occupancy::default());
    let mut crossing_count = 0;
    for _ in 0..400 {
        let seen = walker.step();
        let (mut out, mut expected) = (vec![], vec![]);
        boxed.observe(&index, &seen, &mut out);
        exact.observe_exact(&index, &seen, &mut expected);
        assert_eq!(out, expected, "{seen:?}");
        assert!(boxed.presences(&index).eq(exact.presences(&index)), "{seen:?}");
        crossing_count += out.len();
    }
    assert!(crossing_count > 1_000, "{crossing_count} crossings");
}

#[test]
fn the_ends_of_the_range_are_found() {
    let far = 2 * RANGE_MM - 1;
    let outlines = [
        world::rectangle(-RANGE_MM, -RANGE_MM, far, far),
        world::rectangle(RANGE_MM - 10, RANGE_MM - 10, 10, 10),
        world::rectangle(-RANGE_MM, RANGE_MM - 10, 10, 10),
    ];
    let watches: Vec<Watch> = (0..)
        .zip(outlines.into_iter().cycle().take(50))
        .map(|(key, outline)| {
            let region = Arc::new(Region::new(outline, None, None).unwrap());
            Watch { key, region, gates: Gates::default() }
        })
        .collect();
    let index = world::index(&watches, &[]);
    for (x_mm, y_mm, expected) in [
        (RANGE_MM, RANGE_MM, 17),
        (-RANGE_MM, RANGE_MM, 16),
        (-RANGE_MM, -RANGE_MM, 17),
        (i32::MAX, i32::MAX, 0),
        (i32::MIN, i32::MIN, 0),
    ] {
        let position = Position { x_mm, y_mm, z_mm: None, floor: None };
        let mut count = 0;
        index.watches_at(&position, |_| count += 1);
        assert_eq!(count, expected, "{x_mm}, {y_mm}");
        let seen = ach_geo::Observation {
            position,
            accuracy_mm: u32::MAX,
            observed_at_ns: 1,
            received_at_ns: u64::MAX,
        };
        let mut out = vec![];
        Occupancy::default().observe(&index, &seen, &mut out);
        assert_eq!(out.len(), expected);
    }
}

#[test]
fn unsound_watches_and_lines_are_refused() {
    let region = Arc::new(Region::new(world::rectangle(0, 0, 9, 9), None, None).unwrap());
    let watch = |key, needed, of| {
        let gates = Gates { confirm: Confirm { needed, of }, ..Gates::default() };
        Watch { key, region: Arc::clone(&region), gates }
    };
    let line = |from_mm, to_mm| Line { key: 4, floor: Floor(0), from_mm, to_mm };
    let check = |watches: Vec<Watch>, lines: Vec<Line>, expected: WatchIndexError| {
        assert_eq!(WatchIndex::build(watches, lines).unwrap_err(), expected);
    };
    let duplicate = WatchIndexError::DuplicateKey { key: 7 };
    check(vec![watch(7, 1, 1), watch(1, 1, 1), watch(7, 1, 1)], vec![], duplicate);
    for (needed, of) in [(0, 1), (2, 1), (1, 9), (9, 9), (0, 0)] {
        let expected = WatchIndexError::ConfirmOutOfRange { key: 1, needed, of };
        check(vec![watch(1, needed, of)], vec![], expected);
    }
    let lengthless = WatchIndexError::LineWithoutLength { key: 4 };
    check(vec![], vec![line((5, 5), (5, 5))], lengthless);
    let far = WatchIndexError::LineOutOfRange { key: 4 };
    check(vec![], vec![line((0, 0), (RANGE_MM + 1, 0))], far);
}
