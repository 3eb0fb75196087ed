//! The walkway of the sample hospital, held exactly against its geometry.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test panics"
)]

use std::collections::BTreeSet;

use ach_actors_model::SubjectClass;
use ach_engine_site::{
    ClassSet, NodeKind, Passage, RoomUse, SampleHospital, WalkEdge, WalkNode, ZoneKind, ZonePlan,
    sample_hospital,
};
use ach_geo::{Floor, Outline};

type Point = (i64, i64);

/// The areas one can be in: all but those that hold others.
fn areas(hospital: &SampleHospital) -> Vec<(u32, Floor, &ZonePlan)> {
    let zones = hospital
        .directory
        .floors
        .iter()
        .flat_map(|floor| floor.zones.iter().map(move |zone| (floor.floor, zone)));
    let is_area = |kind| {
        !matches!(kind, ZoneKind::Building | ZoneKind::Floor | ZoneKind::Ward | ZoneKind::Zone)
    };
    (0..)
        .zip(zones)
        .filter(|(_, (_, zone))| is_area(zone.kind))
        .map(|(number, (floor, zone))| (number, floor, zone))
        .collect()
}

fn ring(zone: &ZonePlan) -> Vec<Point> {
    match &zone.outline {
        Outline::Polygon { outer_mm, holes_mm } => {
            assert!(holes_mm.is_empty());
            outer_mm.iter().map(|&(x, y)| (i64::from(x), i64::from(y))).collect()
        }
        Outline::Circle { .. } => panic!("the sample has no circles"),
    }
}

fn walls(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    (0..ring.len()).map(|index| (ring[index], ring[(index + 1) % ring.len()]))
}

fn turn(a: Point, b: Point, c: Point) -> i64 {
    ((b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)).signum()
}

fn is_on(p: Point, (a, b): (Point, Point)) -> bool {
    turn(a, b, p) == 0
        && (a.0.min(b.0)..=a.0.max(b.0)).contains(&p.0)
        && (a.1.min(b.1)..=a.1.max(b.1)).contains(&p.1)
}

/// Whether two closed segments share a point.
fn meet((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let crosses = turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0;
    crosses || is_on(c, (a, b)) || is_on(d, (a, b)) || is_on(a, (c, d)) || is_on(b, (c, d))
}

fn is_inside_or_on(p: Point, ring: &[Point]) -> bool {
    if walls(ring).any(|wall| is_on(p, wall)) {
        return true;
    }
    let is_crossed = |(a, b): (Point, Point)| {
        let (low, high) = if a.1 < b.1 { (a, b) } else { (b, a) };
        low.1 <= p.1 && p.1 < high.1 && turn(low, high, p) > 0
    };
    walls(ring).filter(|&wall| is_crossed(wall)).count() % 2 == 1
}

fn point(node: &WalkNode) -> Point {
    (i64::from(node.x_mm), i64::from(node.y_mm))
}

fn ends<'a>(hospital: &'a SampleHospital, edge: &WalkEdge) -> (&'a WalkNode, &'a WalkNode) {
    let nodes = hospital.walkway.nodes();
    (&nodes[edge.a], &nodes[edge.b])
}

#[test]
fn a_level_edge_stays_in_one_area_and_meets_walls_at_its_door_alone() {
    let hospital = sample_hospital();
    let areas = areas(&hospital);
    for edge in hospital.walkway.edges().iter().filter(|edge| edge.passage == Passage::Level) {
        let (a, b) = ends(&hospital, edge);
        assert_eq!(a.floor, b.floor);
        let segment = (point(a), point(b));
        let mut holders = 0;
        for (_, floor, zone) in &areas {
            if *floor != a.floor {
                continue;
            }
            let ring = ring(zone);
            if is_inside_or_on(segment.0, &ring) && is_inside_or_on(segment.1, &ring) {
                holders += 1;
            }
            for wall in walls(&ring).filter(|&wall| meet(segment, wall)) {
                let is_at_door = [a, b].into_iter().any(|end| {
                    let other = if point(end) == segment.0 { segment.1 } else { segment.0 };
                    matches!(end.kind, NodeKind::Door(_))
                        && is_on(point(end), wall)
                        && !is_on(other, wall)
                });
                assert!(is_at_door, "{edge:?} meets a wall of {:?} beside its door", zone.id);
            }
        }
        assert_eq!(holders, 1, "{edge:?} from {a:?} to {b:?} lies in one area");
    }
}

#[test]
fn edges_between_floors_stand_upright_in_a_shaft() {
    let hospital = sample_hospital();
    let mut count = 0;
    for edge in hospital.walkway.edges().iter().filter(|edge| edge.passage != Passage::Level) {
        let (a, b) = ends(&hospital, edge);
        assert_eq!((a.x_mm, a.y_mm), (b.x_mm, b.y_mm));
        assert_eq!(a.floor.0.abs_diff(b.floor.0), 100);
        assert_eq!(a.room_use, b.room_use);
        let is_shaft = matches!(a.room_use, RoomUse::Stairs | RoomUse::Lift | RoomUse::Escape);
        assert!(is_shaft, "{a:?}");
        count += 1;
    }
    assert_eq!(count, 6 * 5, "six shafts through six storeys");
}

#[test]
fn a_door_node_is_the_middle_of_its_sill_and_joins_the_two_sides_of_a_wall() {
    let hospital = sample_hospital();
    let areas = areas(&hospital);
    let doors: Vec<_> = hospital
        .directory
        .floors
        .iter()
        .flat_map(|floor| floor.doors.iter().map(move |door| (floor.floor, door)))
        .collect();
    for (number, (floor, door)) in (0..).zip(&doors) {
        let node = hospital.walkway.door_node(number).expect("a node for every door");
        let at = hospital.walkway.nodes()[node];
        assert_eq!(at.floor, *floor, "{:?}", door.id);
        let (a, b) = door.sill_mm;
        let (a, b) = ((i64::from(a.0), i64::from(a.1)), (i64::from(b.0), i64::from(b.1)));
        let middle = point(&at);
        assert_eq!((a.0 + b.0, a.1 + b.1), (middle.0 * 2, middle.1 * 2), "{:?}", door.id);
        let sides: BTreeSet<u32> = areas
            .iter()
            .filter(|(_, area_floor, zone)| {
                let is_wall_of = |wall| is_on(a, wall) && is_on(b, wall);
                area_floor == floor && walls(&ring(zone)).any(is_wall_of)
            })
            .map(|(zone, _, _)| *zone)
            .collect();
        assert_eq!(sides.len(), 2, "{:?} lies in a wall between two areas", door.id);
        assert!(sides.contains(&at.zone), "{:?}", door.id);
        assert_eq!(hospital.walkway.edges_at(node).count(), 2, "{:?}", door.id);
    }
}

#[test]
fn rooms_do_not_overlap() {
    let hospital = sample_hospital();
    let areas = areas(&hospital);
    let bounds = |zone: &ZonePlan| {
        let ring = ring(zone);
        let xs = || ring.iter().map(|p| p.0);
        let ys = || ring.iter().map(|p| p.1);
        (xs().min(), xs().max(), ys().min(), ys().max())
    };
    for (index, (_, floor, zone)) in areas.iter().enumerate() {
        for (_, other_floor, other) in &areas[..index] {
            // The hall is no rectangle; its own corners are tested against the others instead.
            if floor != other_floor {
                continue;
            }
            let (this, that) = (bounds(zone), bounds(other));
            let overlaps = this.0 < that.1 && that.0 < this.1 && this.2 < that.3 && that.2 < this.3;
            let is_hall = |zone: &ZonePlan| ring(zone).len() > 4;
            if overlaps && (is_hall(zone) || is_hall(other)) {
                let (hall, room) = if is_hall(zone) { (zone, other) } else { (other, zone) };
                let (hall, room) = (ring(hall), ring(room));
                let center =
                    (i64::midpoint(room[0].0, room[2].0), i64::midpoint(room[0].1, room[2].1));
                assert!(!is_inside_or_on(center, &hall), "{:?} {:?}", zone.id, other.id);
                let crosses = |(a, b), (c, d)| {
                    turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0
                };
                let is_crossed =
                    walls(&room).any(|wall| walls(&hall).any(|other| crosses(wall, other)));
                assert!(!is_crossed, "{:?} {:?}", zone.id, other.id);
            } else {
                assert!(!overlaps, "{:?} overlaps {:?}", zone.id, other.id);
            }
        }
    }
}

#[test]
fn every_area_can_be_reached_and_staff_reach_every_room_of_right() {
    let hospital = sample_hospital();
    let start = hospital.walkway.door_node(door_number(&hospital, "main-entrance")).unwrap();
    let reach = |allowed: &dyn Fn(&WalkEdge) -> bool| {
        let mut seen = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            for (edge, next) in hospital.walkway.edges_at(node) {
                if allowed(edge) && seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    assert_eq!(reach(&|_| true).len(), hospital.walkway.nodes().len());
    let by_staff = reach(&|edge| edge.classes.contains(SubjectClass::Staff));
    for (number, node) in hospital.walkway.nodes().iter().enumerate() {
        let is_escape = node.room_use == RoomUse::Escape || node.room_use == RoomUse::Outdoors;
        assert!(is_escape || by_staff.contains(&number), "staff cannot reach {node:?}");
    }
    let zones: BTreeSet<u32> = hospital.walkway.nodes().iter().map(|node| node.zone).collect();
    for (zone, _, plan) in areas(&hospital) {
        assert!(zones.contains(&zone), "{:?} has no node", plan.id);
    }
}

#[test]
fn everybody_begins_at_a_target_and_every_target_can_be_reached_of_right() {
    let hospital = sample_hospital();
    let subjects: Vec<_> = hospital.directory.subjects().collect();
    assert_eq!(subjects.len(), hospital.residents.len());
    let mut asked = BTreeSet::new();
    for (subject, resident) in subjects.iter().zip(&hospital.residents) {
        let targets = hospital.walkway.targets(subject.class, resident.ward);
        assert!(targets.contains(&resident.home), "{:?} begins away from home", subject.id);
        if !asked.insert((subject.class, resident.ward)) {
            continue;
        }
        for &target in &targets {
            let way = hospital
                .walkway
                .route(resident.home, target, |edge| edge.classes.contains(subject.class));
            assert!(way.is_some(), "{:?} cannot go to {target}", subject.id);
        }
    }
}

#[test]
fn patients_of_locked_wards_stay_metres_from_the_wards_doors() {
    let hospital = sample_hospital();
    let number = |id: &str| {
        let mut zones = hospital.directory.floors.iter().flat_map(|floor| &floor.zones);
        u32::try_from(zones.position(|zone| zone.id.as_str() == id).unwrap()).unwrap()
    };
    for ward in ["dementia-ward", "maternity-ward", "psychiatric-ward", "icu"] {
        let door =
            hospital.walkway.door_node(door_number(&hospital, &format!("door-{ward}"))).unwrap();
        let door = hospital.walkway.nodes()[door];
        for target in hospital.walkway.targets(SubjectClass::Patient, Some(number(ward))) {
            let node = hospital.walkway.nodes()[target];
            assert!(node.x_mm.abs_diff(door.x_mm) > 4_000, "{ward}: {node:?}");
        }
    }
}

#[test]
fn nobody_walks_an_escape_of_right() {
    let hospital = sample_hospital();
    let escape = hospital.walkway.door_node(door_number(&hospital, "fire-exit-west")).unwrap();
    for (edge, _) in hospital.walkway.edges_at(escape) {
        assert_eq!(edge.classes, ClassSet::NONE);
    }
}

fn door_number(hospital: &SampleHospital, id: &str) -> u32 {
    let mut doors = hospital.directory.floors.iter().flat_map(|floor| &floor.doors);
    u32::try_from(doors.position(|door| door.id.as_str() == id).expect(id)).unwrap()
}
