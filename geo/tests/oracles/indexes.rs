//! The index against brute force, and what it refuses.

use std::sync::Arc;

use ach_geo::{
    Confirm, Floor, Gates, Line, Occupancy, Position, RANGE_MM, Region, Watch, WatchIndex,
    WatchIndexError,
};

use crate::dice::Dice;
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
