//! The safe box against its definition: wherever it answers, no other answer was possible.

use ach_geo::{Gates, Lookup, Occupancy};

use crate::dice::Dice;
use crate::world::{self, Walker};

/// Plain gates and every shape: the box answers often, and must answer as the regions do.
#[test]
fn where_the_box_answers_every_region_and_line_agrees() {
    let mut dice = Dice::seeded("boxes", 7);
    let (mut boxed_count, mut step_count) = (0, 0);
    for _ in 0..40 {
        let mut watches = world::watches(&mut dice, 40, 60_000);
        for watch in &mut watches {
            watch.gates = Gates { exit_tolerance_mm: 300, ..Gates::default() };
        }
        let lines = world::lines(&mut dice, 20, 60_000);
        let index = world::index(&watches, &lines);
        let mut walker = Walker::new(dice.clone(), 60_000);
        dice.next();
        let mut occupancy = Occupancy::default();
        let mut before = None;
        for _ in 0..1_000 {
            let seen = walker.step();
            let mut out = vec![];
            let lookup = occupancy.observe(&index, &seen, &mut out);
            step_count += 1;
            if lookup == Lookup::SafeBox {
                boxed_count += 1;
                assert_eq!(out, [], "{seen:?}");
                let is_in: Vec<u32> = occupancy.presences(&index).map(|one| one.watch).collect();
                let position = seen.position;
                let expected: Vec<u32> = watches
                    .iter()
                    .filter(|watch| watch.region.matches(&position))
                    .filter(|watch| watch.region.contains(position.x_mm, position.y_mm))
                    .map(|watch| watch.key)
                    .collect();
                assert_eq!(is_in, expected, "{seen:?}");
                let mut crossed = vec![];
                index.lines_crossed(&before.unwrap(), &position, &mut crossed);
                assert_eq!(crossed, [], "{seen:?}");
            }
            before = Some(seen.position);
        }
    }
    println!("{boxed_count} of {step_count} positions answered by the box");
    assert!(boxed_count * 4 > step_count, "the box hardly ever answers");
}

#[test]
fn an_occupancy_stays_small() {
    assert!(size_of::<Occupancy>() <= 160, "{} bytes", size_of::<Occupancy>());
}
