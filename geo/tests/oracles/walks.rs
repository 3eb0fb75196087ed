//! Occupancy against the model of the gates, along random walks.

use ach_geo::{Crossing, CrossingKind, Occupancy};

use crate::dice::Dice;
use crate::gates_model::GatesModel;
use crate::world::{self, SECOND_NS, Walker};

/// Many worlds with walks of some minutes find more than few with long ones, in less time: the model
/// goes through all its history on every step.
const WORLDS: u64 = 200;
/// Steps in each world, 105,000 together; `ACH_STEPS` asks for another number.
const STEPS: u64 = 525;
const SIZE_MM: i32 = 24_000;

fn family(crossing: &Crossing) -> u8 {
    match crossing.kind {
        CrossingKind::Exited | CrossingKind::ExitSuspected | CrossingKind::ExitDropped => 0,
        CrossingKind::Entered | CrossingKind::EntrySuspected | CrossingKind::EntryDropped => 1,
        CrossingKind::Dwelled => 2,
    }
}

fn model_expire(models: &mut [GatesModel], now: u64) -> Vec<Crossing> {
    let mut out: Vec<Crossing> = models.iter_mut().flat_map(|model| model.expire(now)).collect();
    out.sort_by_key(|crossing| (crossing.at_ns, family(crossing), crossing.watch));
    out
}

#[test]
fn occupancy_agrees_with_the_model_on_every_step_with_and_without_the_box() {
    let mut dice = Dice::seeded("walks", 42);
    let steps = std::env::var("ACH_STEPS").ok().and_then(|it| it.parse().ok()).unwrap_or(STEPS);
    println!("ACH_STEPS={steps} in each of {WORLDS} worlds");
    let mut counts = [0_u64; 7];
    let (mut unknown_count, mut rest_count) = (0, 0);
    let kinds = [
        CrossingKind::Exited,
        CrossingKind::ExitSuspected,
        CrossingKind::ExitDropped,
        CrossingKind::Entered,
        CrossingKind::EntrySuspected,
        CrossingKind::EntryDropped,
        CrossingKind::Dwelled,
    ];
    for world in 0..WORLDS {
        let watches = world::watches(&mut dice, 14, SIZE_MM);
        let lines = world::lines(&mut dice, 6, SIZE_MM);
        let index = world::index(&watches, &lines);
        let mut walker = Walker::new(dice.clone(), SIZE_MM);
        dice.next();
        let mut models: Vec<_> = watches.into_iter().map(GatesModel::new).collect();
        let (mut boxed, mut exact) = (Occupancy::default(), Occupancy::default());
        // Put to rest and woken whenever it can be.
        let mut rested = Occupancy::default();
        for step in 0..steps {
            let seen = walker.step();
            let place = || format!("world {world}, step {step}, {seen:?}");
            let due = models.iter().map(GatesModel::next_due).min().unwrap();
            assert_eq!(boxed.next_due_ns().unwrap_or(u64::MAX), due, "next due before {}", place());
            // At times only the observation itself tells that deadlines have passed.
            if !dice.once_in(3) {
                let now = seen.received_at_ns.min(due.saturating_add(dice.next() % SECOND_NS));
                let expected = model_expire(&mut models, now);
                for occupancy in [&mut boxed, &mut exact, &mut rested] {
                    let mut out = vec![];
                    occupancy.expire(&index, now, &mut out);
                    assert_eq!(out, expected, "expiry at {now} before {}", place());
                }
            }
            let mut expected = model_expire(&mut models, seen.received_at_ns);
            let mut fresh: Vec<_> = models.iter_mut().flat_map(|m| m.observe(&seen)).collect();
            fresh.sort_by_key(|crossing| (family(crossing), crossing.watch));
            expected.extend(fresh);
            let mut out = vec![];
            boxed.observe(&index, &seen, &mut out);
            assert_eq!(out, expected, "with the box, {}", place());
            if let Some(settled) = rested.settled() {
                rested = Occupancy::wake(&settled, rested.heard_ns());
                rest_count += u64::from(rested.presences(&index).next().is_some());
            }
            out.clear();
            rested.observe(&index, &seen, &mut out);
            assert_eq!(out, expected, "after a rest, {}", place());
            assert!(rested.presences(&index).eq(boxed.presences(&index)), "{}", place());
            out.clear();
            exact.observe_exact(&index, &seen, &mut out);
            assert_eq!(out, expected, "without the box, {}", place());
            for crossing in &out {
                counts[kinds.binary_search(&crossing.kind).unwrap()] += 1;
                unknown_count += u64::from(crossing.is_floor_unknown);
            }
        }
    }
    println!(
        "crossings by kind {counts:?}, with an unknown floor {unknown_count}, {rest_count} rests"
    );
    assert!(rest_count > 1_000, "hardly ever at rest within a watch");
    assert!(counts.iter().all(|count| *count > 100) && unknown_count > 100, "the walks saw little");
}
