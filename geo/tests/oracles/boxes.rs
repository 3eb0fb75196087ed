//! The safe box against its definition: wherever it answers, no other answer was possible.

use std::sync::Arc;

use ach_geo::{Floor, Gates, Lookup, Occupancy, Outline, Region, Watch};

use crate::dice::Dice;
use crate::world::{self, SECOND_NS, Walker};

/// Plain gates and every shape: the box answers often, and must answer as the regions do.
#[test]
fn where_the_box_answers_every_region_and_line_agrees() {
    let mut dice = Dice::seeded("boxes", 7);
    let (mut boxed_count, mut step_count) = (0, 0);
    for _ in 0..40 {
        let mut watches = world::watches(&mut dice, 40, 60_000);
        for watch in &mut watches {
            watch.gates = Gates::default();
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
    assert!(boxed_count * 2 > step_count, "the box hardly ever answers");
}

/// One watch with every combination of gates and shape, and a mover who paces about its outline in
/// small steps, at heights and with accuracies that change: the places where a box is likeliest to be
/// too large. Whatever the box answers, the tree and the exact test must answer too, and both must
/// have the same deadline.
#[test]
fn about_an_outline_the_box_answers_as_the_exact_test_for_all_gates_and_shapes() {
    let mut dice = Dice::seeded("outlines", 13);
    let (mut boxed_count, mut counted_count, mut step_count) = (0, 0, 0);
    for world in 0..1_500 {
        let watches = world::watches(&mut dice, 2, 9_000);
        let index = world::index(&watches, &[]);
        let (low, high) = watches[0].region.bounding_box_mm();
        let (mut boxed, mut exact) = (Occupancy::default(), Occupancy::default());
        let mut seen = Walker::new(dice.clone(), 9_000).step();
        // Beside the outline: on a side of the box round it, or in the middle.
        seen.position.x_mm = dice.pick(&[low.0, high.0, dice.clone().mm(low.0, high.0)]);
        seen.position.y_mm = dice.pick(&[low.1, high.1, dice.clone().mm(low.1, high.1)]);
        for _ in 0..150 {
            let stride = dice.pick(&[1, 20, 100, 400]);
            seen.position.x_mm += dice.mm(-stride, stride);
            seen.position.y_mm += dice.mm(-stride, stride);
            if dice.once_in(10) {
                seen.position.z_mm =
                    dice.pick(&[None, Some(0), Some(2_000), Some(2_001), Some(-1)]);
            }
            if dice.once_in(15) {
                seen.position.floor = dice.pick(&[None, Some(Floor(0)), Some(Floor(100))]);
            }
            if dice.once_in(2) {
                seen.accuracy_mm = dice.pick(&[0, 250, 300, 350, 400, 2_000, 70_000]);
            }
            seen.received_at_ns += dice.pick(&[0, SECOND_NS / 4, SECOND_NS]);
            seen.observed_at_ns = seen.received_at_ns;
            let (mut out, mut expected) = (vec![], vec![]);
            let lookup = boxed.observe(&index, &seen, &mut out);
            exact.observe_exact(&index, &seen, &mut expected);
            assert_eq!(out, expected, "world {world}: {watches:?} {seen:?}");
            assert_eq!(boxed.next_due_ns(), exact.next_due_ns(), "world {world}: {seen:?}");
            assert!(boxed.presences(&index).eq(exact.presences(&index)), "world {world}: {seen:?}");
            step_count += 1;
            if lookup == Lookup::SafeBox {
                boxed_count += 1;
                counted_count += usize::from(!out.is_empty());
            }
        }
    }
    println!("{boxed_count} of {step_count} answered by the box, {counted_count} with a crossing");
    assert!(boxed_count * 5 > step_count * 2, "the box hardly ever answers");
    assert!(counted_count > 500, "positions are hardly ever counted within a box");
}

/// Small rooms in clusters that lie near or far apart, with and without areas far larger: cells of
/// every size, and none.
#[test]
fn however_sparse_the_site_is_the_box_and_the_tree_say_the_same() {
    let mut dice = Dice::seeded("sparse", 11);
    let mut boxed_count = 0;
    for spread_mm in [0, 100_000, 700_000, 3_000_000, 20_000_000, 900_000_000] {
        let mut watches = vec![];
        let clusters: Vec<(i32, i32)> = (0..4)
            .map(|_| (dice.mm(-spread_mm, spread_mm), dice.mm(-spread_mm, spread_mm)))
            .collect();
        let mut outlines: Vec<_> = (0..160)
            .map(|at| {
                let (x, y) = clusters[at % clusters.len()];
                world::moved(world::outline(&mut dice, 30_000), x, y)
            })
            .collect();
        outlines.push(world::rectangle(-400_000, -400_000, 800_000, 790_000));
        outlines.push(Outline::Circle { center_mm: (50, 70), radius_mm: 5_000_000 });
        for (key, outline) in (0..).zip(outlines) {
            let floor = dice.pick(&[None, Some(Floor(0))]);
            let Ok(region) = Region::new(outline, floor, None) else { continue };
            watches.push(Watch { key, region: Arc::new(region), gates: Gates::default() });
        }
        let index = world::index(&watches, &world::lines(&mut dice, 20, 30_000));
        let mut walker = Walker::new(dice.clone(), 30_000);
        dice.next();
        let (mut boxed, mut exact) = (Occupancy::default(), Occupancy::default());
        let mut cluster = clusters[0];
        for _ in 0..1_500 {
            if dice.once_in(50) {
                cluster = dice.pick(&clusters);
            }
            let mut seen = walker.step();
            seen.position.x_mm += cluster.0;
            seen.position.y_mm += cluster.1;
            let (mut out, mut expected) = (vec![], vec![]);
            let lookup = boxed.observe(&index, &seen, &mut out);
            boxed_count += i32::from(lookup == Lookup::SafeBox);
            exact.observe_exact(&index, &seen, &mut expected);
            assert_eq!(out, expected, "{spread_mm} mm apart, {seen:?}");
            let mut found = vec![];
            index.watches_at(&seen.position, |watch| found.push(watch.key));
            found.sort_unstable();
            let is_in: Vec<u32> = exact.presences(&index).map(|one| one.watch).collect();
            assert_eq!(found, is_in, "{spread_mm} mm apart, {seen:?}");
        }
    }
    println!("{boxed_count} positions answered by the box");
    assert!(boxed_count > 2_000, "the box hardly ever answers");
}

/// Rooms in a ward in a building, a cupboard in some rooms and a sill across others: what is clear
/// is one box, and what is not must not be.
#[test]
fn nested_zones_are_answered_as_by_the_tree() {
    let mut dice = Dice::seeded("nested", 5);
    let mut outlines =
        vec![world::rectangle(0, 0, 24_000, 24_000), world::rectangle(0, 0, 24_000, 12_000)];
    let mut lines = vec![];
    for at in 0..24 {
        let (x, y) = (at % 6 * 4_000, at / 6 * 6_000);
        outlines.push(world::rectangle(x, y, 4_000, 4_000));
        match dice.next() % 3 {
            0 => outlines.push(world::rectangle(x + 1_000, y + 1_500, 800, 600)),
            1 => lines.push(ach_geo::Line {
                key: 1,
                floor: Floor(0),
                from_mm: (x + 900, y + 2_000),
                to_mm: (x + 2_500, y + 2_300),
            }),
            _ => {}
        }
    }
    let watches: Vec<Watch> = (0..)
        .zip(outlines)
        .map(|(key, outline)| {
            let region = Arc::new(Region::new(outline, Some(Floor(0)), None).unwrap());
            Watch { key, region, gates: Gates::default() }
        })
        .collect();
    let index = world::index(&watches, &lines);
    let mut walker = Walker::new(dice.clone(), 24_000);
    let (mut boxed, mut exact) = (Occupancy::default(), Occupancy::default());
    let mut before = None;
    let mut boxed_count = 0;
    for _ in 0..20_000 {
        let seen = walker.step();
        let (mut out, mut expected, mut crossed) = (vec![], vec![], vec![]);
        let lookup = boxed.observe(&index, &seen, &mut out);
        exact.observe_exact(&index, &seen, &mut expected);
        assert_eq!(out, expected, "{seen:?}");
        if lookup == Lookup::SafeBox {
            boxed_count += 1;
            index.lines_crossed(&before.unwrap(), &seen.position, &mut crossed);
            assert_eq!(crossed, [], "{seen:?}");
        }
        before = Some(seen.position);
    }
    println!("{boxed_count} positions answered by the box");
    assert!(boxed_count > 8_000, "the box hardly ever answers");
}

#[test]
fn an_occupancy_stays_small() {
    assert!(size_of::<Occupancy>() <= 168, "{} bytes", size_of::<Occupancy>());
}
