//! Somebody who walks about a zone: rests, strolls, keeps to the wall, goes out and comes back.
//!
//! Where he is, is the truth: whole millimetres, once a second. He crosses the outline only where he means to;
//! on any other way that would touch it he stops.

use std::collections::VecDeque;
use std::sync::Arc;

use ach_actors_model::SubjectClass;

use crate::chance::Chance;
use crate::ground::{BODY_MM, Edge, Ground, Side, WAY_IN_MM, WAY_OUT_MM};
use crate::number::{point, whole};

/// How near to a wall one keeps who keeps to it.
const AT_WALL_MM: (f64, f64) = (300.0, 1_000.0);
/// How far one goes to and fro along it.
const PACE_MM: (f64, f64) = (1_000.0, 4_000.0);
/// How far one goes in or out who crosses the outline.
const IN_MM: (f64, f64) = (1_500.0, 3_000.0);
/// See above.
const OUT_MM: (f64, f64) = (1_500.0, 5_000.0);
/// Who has stopped, or knows nowhere to go, waits so long.
const STUCK_S: u32 = 5;
/// One who stands shifts about that often.
const SHIFT: f64 = 1.0 / 15.0;
/// And so far.
const SHIFT_MM: f64 = 150.0;

/// What comes next.
#[derive(Debug, Clone, Copy)]
enum Leg {
    Go { to_mm: (i32, i32), keep: Option<Side> },
    Stand { seconds: u32 },
}

/// A walker.
#[derive(Debug)]
pub(crate) struct Walker {
    ground: Arc<Ground>,
    chance: Chance,
    class: SubjectClass,
    at_mm: (i32, i32),
    speed_mm_s: f64,
    /// At most a dozen: what one decision makes.
    legs: VecDeque<Leg>,
    way: Option<Edge>,
}

/// Speeds of classes on foot, as in the demo's hospital.
fn speeds_mm_s(class: SubjectClass) -> (f64, f64) {
    match class {
        SubjectClass::Patient => (500.0, 1_000.0),
        SubjectClass::Staff => (1_100.0, 1_600.0),
        SubjectClass::Visitor => (800.0, 1_300.0),
        SubjectClass::Asset => (800.0, 1_200.0),
    }
}

impl Walker {
    /// One who stands inside.
    pub(crate) fn new(ground: Arc<Ground>, class: SubjectClass, mut chance: Chance) -> Walker {
        let at_mm = ground.start_mm();
        let legs = VecDeque::from([Leg::Stand { seconds: chance.whole(20, 90) }]);
        Walker { ground, chance, class, at_mm, speed_mm_s: 0.0, legs, way: None }
    }

    /// Where he is after one more second.
    pub(crate) fn step(&mut self) -> (i32, i32) {
        if self.legs.is_empty() {
            self.decide();
        }
        match self.legs.front().copied() {
            None => {}
            Some(Leg::Stand { seconds }) => {
                self.shift();
                self.legs.pop_front();
                if seconds > 1 {
                    self.legs.push_front(Leg::Stand { seconds: seconds - 1 });
                }
            }
            Some(Leg::Go { to_mm, keep }) => self.go(to_mm, keep),
        }
        self.at_mm
    }

    fn go(&mut self, to_mm: (i32, i32), keep: Option<Side>) {
        let (from, to) = (point(self.at_mm), point(to_mm));
        let far_mm = (to.0 - from.0).hypot(to.1 - from.1);
        let is_there = far_mm <= self.speed_mm_s;
        let next_mm = if is_there {
            to_mm
        } else {
            let share = self.speed_mm_s / far_mm;
            whole((from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share))
        };
        if keep.is_some_and(|side| !self.ground.is_clear(next_mm, side, BODY_MM)) {
            self.legs.clear();
            self.stand(STUCK_S, STUCK_S + 1);
            return;
        }
        self.at_mm = next_mm;
        if is_there {
            self.legs.pop_front();
        }
    }

    fn shift(&mut self) {
        let is_now = self.chance.happens(SHIFT);
        let (x_mm, y_mm) = point(self.at_mm);
        let by =
            (self.chance.between(-SHIFT_MM, SHIFT_MM), self.chance.between(-SHIFT_MM, SHIFT_MM));
        let next_mm = whole((x_mm + by.0, y_mm + by.1));
        let side = self.ground.side(self.at_mm);
        if is_now && self.ground.is_clear(next_mm, side, BODY_MM) {
            self.at_mm = next_mm;
        }
    }

    fn decide(&mut self) {
        let (slow, fast) = speeds_mm_s(self.class);
        self.speed_mm_s = self.chance.between(slow, fast);
        let percent = self.chance.whole(0, 100);
        match (self.ground.side(self.at_mm), percent) {
            (Side::In, 0..30) => self.stand(30, 300),
            (Side::In, 30..55) => self.stroll(Side::In),
            (Side::In, 55..85) => self.keep_to_the_wall(Side::In),
            (Side::In, _) => self.leave(),
            (Side::Out, 0..25) => self.stand(10, 90),
            (Side::Out, 25..45) => self.stroll(Side::Out),
            (Side::Out, 45..70) => self.keep_to_the_wall(Side::Out),
            (Side::Out, _) => self.come_back(),
        }
        if self.legs.is_empty() {
            self.stand(STUCK_S, STUCK_S + 1);
        }
    }

    fn stand(&mut self, low_s: u32, high_s: u32) {
        let seconds = self.chance.whole(low_s, high_s);
        self.legs.push_back(Leg::Stand { seconds });
    }

    fn walk(&mut self, to_mm: (i32, i32), keep: Option<Side>) {
        self.legs.push_back(Leg::Go { to_mm, keep });
    }

    fn stroll(&mut self, side: Side) {
        if let Some(place) = self.ground.place_near(self.at_mm, side, &mut self.chance) {
            self.walk(place, Some(side));
            self.stand(5, 60);
        }
    }

    /// Stands at the wall, or goes to and fro along it.
    fn keep_to_the_wall(&mut self, side: Side) {
        let Some(edge) = self.ground.edge_near(self.at_mm, &mut self.chance) else { return };
        let off_mm = self.chance.between(AT_WALL_MM.0, AT_WALL_MM.1);
        let beside = |edge: Edge| match side {
            Side::In => edge.within(off_mm),
            Side::Out => edge.beyond(off_mm),
        };
        self.walk(beside(edge), Some(side));
        if self.chance.happens(0.5) {
            return self.stand(20, 120);
        }
        let pace_mm = self.chance.between(PACE_MM.0, PACE_MM.1);
        let there = beside(edge.along(if self.chance.happens(0.5) { pace_mm } else { -pace_mm }));
        for _ in 0..self.chance.whole(1, 5) {
            self.walk(there, Some(side));
            self.walk(beside(edge), Some(side));
        }
    }

    fn leave(&mut self) {
        let Some(way) = self.ground.way(self.at_mm, &mut self.chance) else { return };
        self.way = Some(way);
        let far_mm = self.chance.between(OUT_MM.0, OUT_MM.1);
        let is_far = self.ground.is_clear(way.beyond(far_mm), Side::Out, 1_000);
        self.walk(way.within(WAY_IN_MM), Some(Side::In));
        self.walk(way.beyond(if is_far { far_mm } else { WAY_OUT_MM }), None);
        self.stand(5, 30);
    }

    fn come_back(&mut self) {
        let known = self.way.take();
        let way = known.or_else(|| self.ground.way(self.at_mm, &mut self.chance));
        let Some(way) = way else { return };
        let far_mm = self.chance.between(IN_MM.0, IN_MM.1);
        let is_far = self.ground.is_clear(way.within(far_mm), Side::In, BODY_MM);
        self.walk(way.beyond(WAY_OUT_MM), Some(Side::Out));
        self.walk(way.within(if is_far { far_mm } else { WAY_IN_MM }), None);
        self.stand(5, 30);
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{DoorConfig, Name, ZoneConfig};
    use ach_geo::{Floor, Gates, Outline};

    use super::*;

    const HOURS: u32 = 8;

    fn zone(outline: Outline) -> ZoneConfig {
        ZoneConfig {
            id: Name::new("zone").unwrap(),
            labels: vec![],
            floor: Some(Floor(0)),
            outline,
            height: None,
            capacity: None,
            motion_source: None,
            gates: Gates::default(),
        }
    }

    fn polygon(corners_m: &[(i32, i32)]) -> Outline {
        let outer_mm = corners_m.iter().map(|(x, y)| (x * 1_000, y * 1_000)).collect();
        Outline::Polygon { outer_mm, holes_mm: vec![] }
    }

    fn door(a: (i32, i32), b: (i32, i32)) -> DoorConfig {
        DoorConfig {
            id: Name::new("door").unwrap(),
            labels: vec![],
            source: None,
            floor: Floor(0),
            sill_mm: (a, b),
            control: None,
        }
    }

    /// Where the outline was crossed in some hours; nobody hurries, and nobody goes astray.
    #[track_caller]
    fn crossings(outline: Outline, doors: &[DoorConfig]) -> Vec<(i32, i32)> {
        let mut chance = Chance::new(3, 0);
        let ground = Ground::new(&zone(outline), doors, Floor(0), &mut chance).unwrap();
        let mut walker = Walker::new(Arc::clone(&ground), SubjectClass::Visitor, chance);
        let (mut before_mm, mut crossed) = (ground.start_mm(), Vec::new());
        let mut near_wall_s = 0;
        for _ in 0..HOURS * 3_600 {
            let at_mm = walker.step();
            let (from, to) = (point(before_mm), point(at_mm));
            let far_mm = (to.0 - from.0).hypot(to.1 - from.1);
            assert!(far_mm <= 1_301.0, "{before_mm:?} to {at_mm:?}");
            let wall = ground.wall(at_mm);
            assert!(wall.distance_mm < 30_000.0, "{at_mm:?}");
            near_wall_s += u32::from(wall.distance_mm < 1_000.0);
            if ground.side(before_mm) != ground.side(at_mm) {
                crossed.push(at_mm);
            }
            before_mm = at_mm;
        }
        // Much of the time is spent where it is hard to tell.
        assert!(near_wall_s > HOURS * 300, "{near_wall_s} s at walls");
        crossed
    }

    #[test]
    fn a_walker_goes_out_and_in_at_the_doors_and_nowhere_else() {
        let room = polygon(&[(0, 0), (8, 0), (8, 5), (0, 5)]);
        let doors = [door((3_500, 0), (4_500, 0)), door((8_100, 2_000), (8_100, 3_000))];
        let crossed = crossings(room.clone(), &doors);
        assert!(crossed.len() > 40, "{} crossings", crossed.len());
        let at_door = |(x_mm, y_mm): &(i32, i32), door: (i32, i32)| {
            x_mm.abs_diff(door.0) <= 1_400 && y_mm.abs_diff(door.1) <= 1_400
        };
        let (first, second): (Vec<_>, Vec<_>) =
            crossed.iter().partition(|at| at_door(at, (4_000, 0)));
        assert!(second.iter().all(|at| at_door(at, (8_000, 2_500))), "{second:?}");
        assert!(!first.is_empty() && !second.is_empty());
        // A door of somewhere else is none of it.
        assert!(crossings(room, &[door((30_000, 0), (31_000, 0))]).len() > 40);
    }

    #[test]
    fn zones_of_any_shape_are_walked_about() {
        let angle = polygon(&[(0, 0), (20, 0), (20, 4), (4, 4), (4, 20), (0, 20)]);
        assert!(crossings(angle, &[]).len() > 20);
        let circle = Outline::Circle { center_mm: (0, 0), radius_mm: 6_000 };
        assert!(crossings(circle, &[]).len() > 20);
    }

    #[test]
    fn a_zone_that_is_nowhere_a_metre_deep_is_no_ground() {
        let narrow = zone(polygon(&[(0, 0), (30, 0), (30, 1), (0, 1)]));
        assert!(Ground::new(&narrow, &[], Floor(0), &mut Chance::new(3, 0)).is_none());
    }
}
