//! One mover, one nursery, in words. The nursery is 10 m square with its west wall at x = 0; the
//! mover walks along the middle. Each line is a time in seconds, then `x` and what follows, or
//! `tick` for time alone, or `gone` for a position on another floor.

use std::sync::Arc;

use ach_geo::{
    Confirm, CrossingKind, Floor, Gates, Observation, Occupancy, Position, Region, RegionError,
    Watch, WatchIndex,
};

use crate::world::{SECOND_NS, rectangle};

fn nursery(key: u32, gates: Gates) -> WatchIndex {
    let region = Region::new(rectangle(0, 0, 10_000, 10_000), Some(Floor(0)), None).unwrap();
    WatchIndex::build(vec![Watch { key, region: Arc::new(region), gates }], vec![]).unwrap()
}

fn at(x_mm: i32, at_s: u64) -> Observation {
    let position = Position { x_mm, y_mm: 5_000, z_mm: None, floor: Some(Floor(0)) };
    let now_ns = at_s * SECOND_NS;
    Observation { position, accuracy_mm: 400, observed_at_ns: now_ns, received_at_ns: now_ns }
}

fn word(kind: CrossingKind) -> &'static str {
    match kind {
        CrossingKind::Entered => "in",
        CrossingKind::Exited => "out",
        CrossingKind::EntrySuspected => "in?",
        CrossingKind::EntryDropped => "in-no",
        CrossingKind::ExitSuspected => "out?",
        CrossingKind::ExitDropped => "out-no",
        CrossingKind::Dwelled => "stays",
    }
}

#[track_caller]
fn check(gates: Gates, story: &str) {
    let index = nursery(1, gates);
    let mut occupancy = Occupancy::default();
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let at_s: u64 = words.next().unwrap().parse().unwrap();
        let place = words.next().unwrap();
        let mut out = vec![];
        match place {
            "tick" => occupancy.expire(&index, at_s * SECOND_NS, &mut out),
            "gone" => {
                let mut seen = at(5_000, at_s);
                seen.position.floor = Some(Floor(200));
                occupancy.observe(&index, &seen, &mut out);
            }
            x_mm => {
                occupancy.observe(&index, &at(x_mm.parse().unwrap(), at_s), &mut out);
            }
        }
        let said: Vec<String> = out
            .iter()
            .map(|crossing| format!("{}@{}", word(crossing.kind), crossing.at_ns / SECOND_NS))
            .collect();
        let expected: Vec<&str> = words.filter(|word| *word != ".").collect();
        assert_eq!(said, expected, "in line `{line}`");
    }
}

#[test]
fn without_gates_the_line_decides() {
    check(
        Gates::default(),
        "0 -1 .\n 1 0 in@1\n 2 5000 .\n 3 -1 out@3\n 4 5000 in@4\n 5 gone out@5",
    );
}

#[test]
fn jitter_within_the_tolerance_is_no_exit() {
    let gates = Gates { exit_tolerance_mm: 500, ..Gates::default() };
    check(gates, "0 100 in@0\n 1 -200 .\n 2 100 .\n 3 -500 .\n 9999 tick .\n 10000 -501 out@10000");
}

#[test]
fn the_tolerance_timeout_ends_a_stay_just_outside_without_a_further_position() {
    let gates = Gates {
        exit_tolerance_mm: 500,
        tolerance_timeout_ns: Some(10 * SECOND_NS),
        ..Gates::default()
    };
    check(
        gates,
        "0 100 in@0\n 5 -200 out?@5\n 9 100 out-no@9\n 20 -200 out?@20\n 29 tick .\n 40 tick out@30",
    );
}

#[test]
fn an_unset_tolerance_timeout_takes_the_fence_timeout() {
    let gates = Gates {
        exit_tolerance_mm: 500,
        fence_timeout_ns: Some(10 * SECOND_NS),
        ..Gates::default()
    };
    check(gates, "0 100 in@0\n 4 -200 out?@4\n 9 -200 .\n 14 tick out@14");
    check(gates, "0 100 in@0\n 6 100 .\n 15 tick .\n 16 tick out@16");
}

#[test]
fn the_exit_delay_waits_for_those_who_come_back() {
    let gates = Gates { exit_delay_ns: 10 * SECOND_NS, ..Gates::default() };
    check(
        gates,
        "0 100 in@0\n 1 -900 out?@1\n 9 100 out-no@9\n 20 -900 out?@20\n 31 100 out@30 in@31",
    );
}

#[test]
fn two_of_three_positions_must_agree() {
    let gates = Gates { confirm: Confirm { needed: 2, of: 3 }, ..Gates::default() };
    check(gates, "0 1 in?@0\n 1 -1 .\n 2 -1 .\n 3 -1 in-no@3\n 4 1 in?@4\n 5 -1 .\n 6 1 in@6");
    check(gates, "0 1 in?@0\n 1 1 in@1\n 2 -9 out?@2\n 3 1 .\n 4 -9 out@4");
}

#[test]
fn a_stay_is_reported_once_and_a_new_stay_anew() {
    let gates = Gates { dwell_ns: Some(60 * SECOND_NS), ..Gates::default() };
    check(
        gates,
        "0 1 in@0\n 59 tick .\n 61 tick stays@60\n 999 5 .\n 1000 -1 out@1000\n 1001 1 in@1001\n 1060 -1 out@1060\n 1061 tick .",
    );
}

#[test]
fn the_whole_error_circle_must_be_in_or_out() {
    let gates = Gates { error_circle: true, ..Gates::default() };
    check(gates, "0 399 .\n 1 400 in@1\n 2 -400 .\n 3 -401 out@3");
}

#[test]
fn a_ping_heard_late_has_already_waited() {
    let index = nursery(1, Gates { exit_delay_ns: 10 * SECOND_NS, ..Gates::default() });
    for (lag_s, due_s) in [(0, 110), (4, 106), (10, 100), (30, 100)] {
        let (mut occupancy, mut out) = (Occupancy::default(), vec![]);
        occupancy.observe(&index, &at(5_000, 50), &mut out);
        let mut late = at(-900, 100);
        late.observed_at_ns -= lag_s * SECOND_NS;
        occupancy.observe(&index, &late, &mut out);
        let due_ns = occupancy.next_due_ns().unwrap_or(late.received_at_ns);
        assert_eq!(due_ns, due_s * SECOND_NS, "heard {lag_s} s late");
        assert_eq!(occupancy.next_due_ns().is_none(), lag_s >= 10);
    }
}

#[test]
fn a_changed_site_invents_no_crossing() {
    let gates = Gates { exit_delay_ns: 10 * SECOND_NS, ..Gates::default() };
    let (old, new) = (nursery(1, gates), nursery(8, gates));
    let (mut occupancy, mut out, mut dropped) = (Occupancy::default(), vec![], vec![]);
    occupancy.observe(&old, &at(5_000, 0), &mut out);
    occupancy.observe(&old, &at(-900, 1), &mut out);
    let mut gone = occupancy.clone();
    occupancy.rebase(&old, &new, &[(1, 8)], &mut dropped);
    assert!(occupancy.is_in(&new, 8) && dropped.is_empty());
    assert_eq!(occupancy.next_due_ns(), Some(11 * SECOND_NS));
    out.clear();
    occupancy.expire(&new, 20 * SECOND_NS, &mut out);
    let said: Vec<_> = out.iter().map(|crossing| (crossing.watch, crossing.kind)).collect();
    assert_eq!(said, [(8, CrossingKind::Exited)]);
    gone.rebase(&old, &new, &[], &mut dropped);
    assert_eq!((dropped, gone.next_due_ns()), (vec![1], None));
    assert_eq!(gone.presences(&new).count(), 0);
}

/// While the tolerance had no end, being within it said nothing; now it takes two positions.
#[test]
fn positions_from_before_a_tolerance_was_limited_are_no_evidence_against_anybody() {
    let confirm = Confirm { needed: 2, of: 3 };
    let endless = Gates { exit_tolerance_mm: 500, confirm, ..Gates::default() };
    let limited = Gates { tolerance_timeout_ns: Some(10 * SECOND_NS), ..endless };
    let (old, new) = (nursery(1, endless), nursery(1, limited));
    let (mut occupancy, mut out) = (Occupancy::default(), vec![]);
    for (x_mm, at_s) in [(100, 0), (100, 1), (-200, 2)] {
        occupancy.observe(&old, &at(x_mm, at_s), &mut out);
    }
    occupancy.rebase(&old, &new, &[(1, 1)], &mut vec![]);
    out.clear();
    occupancy.observe(&new, &at(-200, 5), &mut out);
    occupancy.expire(&new, 20 * SECOND_NS, &mut out);
    let said: Vec<_> = out.iter().map(|crossing| word(crossing.kind)).collect();
    assert_eq!(said, ["out?"]);
    occupancy.observe(&new, &at(-200, 21), &mut out);
    assert_eq!(out.last().map(|crossing| word(crossing.kind)), Some("out"));
}

#[test]
fn two_watches_may_have_one_heir() {
    let region = Arc::new(Region::new(rectangle(0, 0, 10_000, 10_000), None, None).unwrap());
    let watch = |key| Watch { key, region: Arc::clone(&region), gates: Gates::default() };
    let old = WatchIndex::build(vec![watch(1), watch(2)], vec![]).unwrap();
    let new = WatchIndex::build(vec![watch(3)], vec![]).unwrap();
    let (mut occupancy, mut out, mut dropped) = (Occupancy::default(), vec![], vec![]);
    occupancy.observe(&old, &at(5_000, 0), &mut out);
    occupancy.rebase(&old, &new, &[(1, 3), (2, 3)], &mut dropped);
    assert!(occupancy.is_in(&new, 3) && dropped.is_empty());
    assert_eq!(occupancy.presences(&new).count(), 1);
}

/// A watch may split in two, and the stay in it becomes a longer one.
#[test]
fn every_heir_goes_on_from_its_ancestor() {
    let dwells = |key, seconds: u64| {
        nursery(key, Gates { dwell_ns: Some(seconds * SECOND_NS), ..Gates::default() })
    };
    let (mut occupancy, mut out, mut dropped) = (Occupancy::default(), vec![], vec![]);
    let (old, longer) = (dwells(1, 10), dwells(2, 25));
    occupancy.observe(&old, &at(5_000, 100), &mut out);
    occupancy.observe(&old, &at(5_000, 104), &mut out);
    let mut rested = occupancy.clone();
    rested.expire(&old, 110 * SECOND_NS, &mut out);
    for (mut occupancy, due_s) in [(occupancy, 125), (rested, 119)] {
        occupancy.rebase(&old, &longer, &[(1, 2), (1, 3), (9, 2)], &mut dropped);
        assert!(occupancy.is_in(&longer, 2) && dropped.is_empty());
        assert_eq!(occupancy.next_due_ns(), Some(due_s * SECOND_NS));
    }
}

#[test]
fn unsound_outlines_are_refused_with_the_place() {
    use RegionError as E;
    let check = |outer_mm: &[(i32, i32)], holes: &[&[(i32, i32)]], expected: Option<E>| {
        let holes_mm = holes.iter().map(|hole| hole.to_vec()).collect();
        let outline = ach_geo::Outline::Polygon { outer_mm: outer_mm.to_vec(), holes_mm };
        assert_eq!(Region::new(outline, None, None).err(), expected, "{outer_mm:?} {holes:?}");
    };
    let square = [(0, 0), (9, 0), (9, 9), (0, 9)];
    let meets = |ring, edge, other_edge, from_mm| {
        Some(E::SelfIntersecting { ring, edge, other_edge, from_mm })
    };
    check(&[(0, 0), (9, 0), (9, 9), (0, 9), (0, 0)], &[], None);
    check(&[(0, 0), (0, 0), (5, 5)], &[], Some(E::TooFewVertices { ring: 0, count: 2 }));
    check(&[(0, 0), (3, 3), (9, 9)], &[], Some(E::NoArea { ring: 0 }));
    check(&[(0, 0), (9, 9), (9, 0), (0, 8)], &[], meets(0, 0, 2, (0, 0)));
    check(&[(0, 0), (9, 0), (5, 0), (5, 5)], &[], meets(0, 0, 1, (0, 0)));
    check(&[(0, 0), (9, 0), (9, 9), (5, 0), (0, 9)], &[], meets(0, 0, 3, (0, 0)));
    check(&square, &[&[(0, 0), (5, 3), (3, 5)]], None);
    check(&square, &[&[(20, 20), (25, 20), (20, 25)]], Some(E::HoleMisplaced { ring: 1 }));
    let (wide, inner) = ([(1, 1), (8, 1), (1, 8)], [(2, 2), (4, 2), (2, 4)]);
    check(&square, &[&wide, &inner], Some(E::HoleMisplaced { ring: 2 }));
    let crossing = [(5, 5), (15, 5), (5, 7)];
    let cross = E::RingsCross { ring: 0, edge: 1, other_ring: 1, other_edge: 0, from_mm: (9, 0) };
    check(&square, &[&crossing], Some(cross));
    let far = ach_geo::RANGE_MM + 1;
    let range = E::OutOfRange { x_mm: i64::from(far), y_mm: 0 };
    check(&[(0, 0), (far, 0), (0, 9)], &[], Some(range));
    let many = vec![(0, 0); 4_098];
    check(&many, &[], Some(E::TooManyVertices { ring: 0, count: 4_098, limit: 4_096 }));
    check(&square, &[&inner[..]; 65], Some(E::TooManyHoles { count: 65, limit: 64 }));
    for (radius_mm, expected) in [(0, Some(E::NoRadius)), (1, None)] {
        let outline = ach_geo::Outline::Circle { center_mm: (5, 5), radius_mm };
        assert_eq!(Region::new(outline, None, None).err(), expected);
    }
    let huge = ach_geo::Outline::Circle { center_mm: (5, 5), radius_mm: u32::MAX };
    assert!(matches!(Region::new(huge, None, None), Err(E::OutOfRange { .. })));
}
