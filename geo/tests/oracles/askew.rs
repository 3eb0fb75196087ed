//! Buildings that stand askew to the site's axes: boxes are cut along their walls, and must answer as
//! the gates do that know of no walls.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};
use std::sync::Arc;

use ach_geo::{
    Confirm, Floor, Gates, Height, Line, Lookup, Observation, Occupancy, Outline, Position, Region,
    Watch,
};

use crate::dice::Dice;
use crate::gates_model::GatesModel;
use crate::world::{self, SECOND_NS};

const ROOM_MM: (i32, i32) = (4_000, 3_000);
const COLUMNS: i32 = 4;
const ROWS: i32 = 3;

/// Where a building stands.
#[derive(Debug, Clone, Copy)]
struct Ground {
    angle: f64,
    origin: (i32, i32),
}

impl Ground {
    /// To the nearest millimetre, as surveyors do.
    fn place(self, (x, y): (i32, i32)) -> (i32, i32) {
        let (sin, cos) = self.angle.sin_cos();
        let (x, y) = (f64::from(x), f64::from(y));
        #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "small")]
        let whole = |value: f64| value.round() as i32;
        (self.origin.0 + whole(cos * x - sin * y), self.origin.1 + whole(sin * x + cos * y))
    }

    fn outline(self, corners: &[(i32, i32)], dice: &mut Dice, sloppy_mm: i32) -> Outline {
        let mut corner = |at: (i32, i32)| {
            let (x, y) = self.place(at);
            (x + dice.mm(-sloppy_mm, sloppy_mm), y + dice.mm(-sloppy_mm, sloppy_mm))
        };
        let outer_mm = corners.iter().map(|at| corner(*at)).collect();
        Outline::Polygon { outer_mm, holes_mm: vec![] }
    }
}

fn corners(x: i32, y: i32, width: i32, depth: i32) -> [(i32, i32); 4] {
    [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)]
}

/// Rows of rooms, the building round them, and some things that lie otherwise.
fn outlines(ground: Ground, sloppy_mm: i32, dice: &mut Dice) -> Vec<Outline> {
    let mut outlines = vec![];
    for at in 0..COLUMNS * ROWS {
        let (x, y) = (at % COLUMNS * ROOM_MM.0, at / COLUMNS * ROOM_MM.1);
        let room = corners(x, y, ROOM_MM.0, ROOM_MM.1);
        outlines.push(ground.outline(&room, dice, sloppy_mm));
        if dice.once_in(4) {
            let cupboard = corners(x + 700, y + 500, dice.mm(200, 1_500), dice.mm(200, 1_500));
            outlines.push(ground.outline(&cupboard, dice, sloppy_mm));
        }
    }
    let all = corners(0, 0, ROOM_MM.0 * COLUMNS, ROOM_MM.1 * ROWS);
    outlines.push(ground.outline(&all, dice, 0));
    let (x, y) = ground.place((dice.mm(0, 12_000), dice.mm(0, 9_000)));
    match dice.next() % 6 {
        0 => outlines.push(world::rectangle(x, y, dice.mm(10, 9_000), dice.mm(10, 9_000))),
        1 => outlines.push(Outline::Circle { center_mm: (x, y), radius_mm: 2_500 }),
        2 => outlines.push(Outline::Circle { center_mm: (x, y), radius_mm: 60_000 }),
        3 => outlines.push(world::moved(world::outline(dice, 6_000), x, y)),
        4 => {
            // An L along the walls, with a vertex in the middle of one.
            let ell = [(0, 0), (9_000, 0), (9_000, 900), (4_000, 900), (900, 900), (900, 7_000)];
            outlines.push(ground.outline(&ell, dice, 0));
        }
        _ => {}
    }
    outlines
}

struct Street {
    ground: Ground,
    watches: Vec<Watch>,
    lines: Vec<Line>,
}

fn street(dice: &mut Dice, gates: impl Fn(&mut Dice) -> Gates) -> Street {
    let tilt = f64::from(dice.mm(-3_150, 3_150)) / 1_000.0;
    let angle = dice.pick(&[tilt, tilt, 0.643_501_108_793, FRAC_PI_4, 0.000_3, FRAC_PI_2]);
    let far = dice.pick(&[0, 0, 60_000, 990_000_000]);
    let ground = Ground { angle, origin: (dice.pick(&[-far, far]), dice.pick(&[-far, far])) };
    let sloppy_mm = dice.pick(&[0, 0, 3, 40]);
    let mut watches = vec![];
    for outline in outlines(ground, sloppy_mm, dice) {
        let floor = dice.pick(&[Some(Floor(0)), Some(Floor(0)), Some(Floor(0)), None]);
        let height =
            if dice.once_in(9) { Some(Height { low_mm: 0, high_mm: 2_000 }) } else { None };
        let Ok(region) = Region::new(outline, floor, height) else { continue };
        let key = 10 * (1 + u32::try_from(watches.len()).unwrap());
        watches.push(Watch { key, region: Arc::new(region), gates: gates(dice) });
    }
    let line = |key: u32, from: (i32, i32), to: (i32, i32)| Line {
        key,
        floor: Floor(0),
        from_mm: ground.place(from),
        to_mm: ground.place(to),
    };
    let lines = vec![
        line(1, (0, 0), (0, 9_000)),
        line(2, (3_000, 2_000), (5_000 + dice.mm(0, 900), 2_500)),
    ];
    Street { ground, watches, lines }
}

/// Somebody who paces about in the building's own frame, often along a wall.
struct Pacer {
    at: (i32, i32),
    seen: Observation,
}

impl Pacer {
    fn new() -> Pacer {
        let position = Position { x_mm: 0, y_mm: 0, z_mm: None, floor: Some(Floor(0)) };
        let (observed_at_ns, received_at_ns) = (100 * SECOND_NS, 100 * SECOND_NS);
        let seen = Observation { position, accuracy_mm: 0, observed_at_ns, received_at_ns };
        Pacer { at: (0, 0), seen }
    }

    fn step(&mut self, ground: Ground, dice: &mut Dice) -> Observation {
        let stride = dice.pick(&[1, 20, 150, 500]);
        self.at.0 = (self.at.0 + dice.mm(-stride, stride)).clamp(-4_000, 20_000);
        self.at.1 = (self.at.1 + dice.mm(-stride, stride)).clamp(-4_000, 13_000);
        if dice.once_in(25) {
            // On a wall, or within a hand of one.
            let near = dice.pick(&[0, 0, 1, 5, 90]);
            self.at.0 = dice.mm(0, COLUMNS) * ROOM_MM.0 + dice.mm(-near, near);
        }
        if dice.once_in(25) {
            self.at.1 = dice.mm(0, ROWS) * ROOM_MM.1;
        }
        let seen = &mut self.seen;
        (seen.position.x_mm, seen.position.y_mm) = ground.place(self.at);
        if dice.once_in(20) {
            seen.position.z_mm = dice.pick(&[None, Some(0), Some(2_000), Some(2_001)]);
        }
        if dice.once_in(30) {
            seen.position.floor = dice.pick(&[None, Some(Floor(0)), Some(Floor(100))]);
        }
        if dice.once_in(2) {
            seen.accuracy_mm = dice.pick(&[0, 100, 300, 350, 2_000]);
        }
        seen.received_at_ns += dice.pick(&[0, SECOND_NS / 4, SECOND_NS]);
        seen.observed_at_ns = seen.received_at_ns;
        *seen
    }
}

fn family(crossing: &ach_geo::Crossing) -> u8 {
    use ach_geo::CrossingKind as K;
    match crossing.kind {
        K::Exited | K::ExitSuspected | K::ExitDropped => 0,
        K::Entered | K::EntrySuspected | K::EntryDropped => 1,
        K::Dwelled => 2,
    }
}

#[test]
fn at_whatever_angle_a_building_stands_the_box_answers_as_the_model() {
    let mut dice = Dice::seeded("askew", 23);
    let (mut boxed_count, mut step_count, mut crossing_count) = (0, 0, 0);
    for world in 0..250 {
        let Street { ground, watches, lines } = street(&mut dice, world::gates);
        let index = world::index(&watches, &lines);
        let mut models: Vec<_> = watches.into_iter().map(GatesModel::new).collect();
        let (mut boxed, mut exact) = (Occupancy::default(), Occupancy::default());
        let mut pacer = Pacer::new();
        pacer.at = (dice.mm(0, 16_000), dice.mm(0, 9_000));
        let mut before: Option<Position> = None;
        for step in 0..160 {
            let seen = pacer.step(ground, &mut dice);
            let place = || format!("world {world}, {ground:?}, step {step}, {seen:?}");
            let now = seen.received_at_ns;
            let mut expected: Vec<_> = models.iter_mut().flat_map(|it| it.expire(now)).collect();
            expected.sort_by_key(|crossing| (crossing.at_ns, family(crossing), crossing.watch));
            let mut fresh: Vec<_> = models.iter_mut().flat_map(|it| it.observe(&seen)).collect();
            fresh.sort_by_key(|crossing| (family(crossing), crossing.watch));
            expected.extend(fresh);
            let mut out = vec![];
            let lookup = boxed.observe(&index, &seen, &mut out);
            assert_eq!(out, expected, "with the box, {}", place());
            out.clear();
            exact.observe_exact(&index, &seen, &mut out);
            assert_eq!(out, expected, "without the box, {}", place());
            let due = models.iter().map(GatesModel::next_due).min().unwrap();
            assert_eq!(boxed.next_due_ns().unwrap_or(u64::MAX), due, "{}", place());
            step_count += 1;
            crossing_count += expected.len();
            if lookup == Lookup::SafeBox {
                boxed_count += 1;
                let (mut crossed, path) = (vec![], (before.unwrap(), seen.position));
                index.lines_crossed(&path.0, &path.1, &mut crossed);
                assert_eq!(crossed, [], "{}", place());
            }
            before = Some(seen.position);
        }
    }
    println!("{boxed_count} of {step_count} answered by the box, {crossing_count} crossings");
    assert!(boxed_count * 2 > step_count && crossing_count > 5_000, "the walks saw little");
}

/// Lines that are crossed are those that are crossed without an index, whichever frame it has.
#[test]
fn what_a_turned_index_finds_is_what_brute_force_finds() {
    let mut dice = Dice::seeded("turned index", 29);
    let (mut found_count, mut crossed_count) = (0, 0);
    for world in 0..60 {
        let Street { ground, watches, lines } = street(&mut dice, |_| Gates::default());
        let index = world::index(&watches, &lines);
        let apart: Vec<_> = lines.iter().map(|line| world::index(&[], &[*line])).collect();
        let mut pacer = Pacer::new();
        let mut before = pacer.step(ground, &mut dice).position;
        for step in 0..200 {
            pacer.at = (dice.mm(-1_000, 17_000), dice.mm(-1_000, 10_000));
            let position = pacer.step(ground, &mut dice).position;
            let mut found = vec![];
            index.watches_at(&position, |watch| found.push(watch.key));
            found.sort_unstable();
            let holds = |watch: &&Watch| {
                watch.region.matches(&position)
                    && watch.region.contains(position.x_mm, position.y_mm)
            };
            let expected: Vec<u32> = watches.iter().filter(holds).map(|it| it.key).collect();
            assert_eq!(found, expected, "world {world}, {ground:?}, step {step}, {position:?}");
            found_count += found.len();
            let (mut together, mut one_by_one) = (vec![], vec![]);
            index.lines_crossed(&before, &position, &mut together);
            for index in &apart {
                index.lines_crossed(&before, &position, &mut one_by_one);
            }
            together.sort_by_key(|crossing| crossing.line);
            assert_eq!(together, one_by_one, "world {world}, step {step}");
            crossed_count += together.len();
            before = position;
        }
    }
    assert!(found_count > 10_000 && crossed_count > 500, "{found_count}, {crossed_count}");
}

/// The same walk in the same building, straight and askew.
#[test]
fn boxes_answer_as_often_in_a_building_that_stands_askew() {
    let mut dice = Dice::seeded("askew share", 31);
    let tolerant = Gates { exit_tolerance_mm: 300, ..Gates::default() };
    let confirmed = Gates { confirm: Confirm { needed: 2, of: 3 }, ..tolerant };
    for gates in [Gates::default(), tolerant, confirmed] {
        let mut share = |angle: f64| {
            let ground = Ground { angle, origin: (0, 0) };
            let rooms = (0..COLUMNS * ROWS).map(|at| {
                let (x, y) = (at % COLUMNS * ROOM_MM.0, at / COLUMNS * ROOM_MM.1);
                ground.outline(&corners(x, y, ROOM_MM.0, ROOM_MM.1), &mut dice, 0)
            });
            let watch = |(key, outline)| {
                let region = Arc::new(Region::new(outline, Some(Floor(0)), None).unwrap());
                Watch { key, region, gates }
            };
            let watches: Vec<Watch> = (0..).zip(rooms).map(watch).collect();
            let index = world::index(&watches, &[]);
            let (mut occupancy, mut pacer) = (Occupancy::default(), Pacer::new());
            let mut steps = Dice::seeded("paces", 37);
            let answered = (0..5_000).map(|_| {
                let seen = pacer.step(ground, &mut steps);
                occupancy.observe(&index, &seen, &mut vec![])
            });
            answered.filter(|lookup| *lookup == Lookup::SafeBox).count()
        };
        let straight = share(0.0);
        for angle in [0.3, 0.643_5, FRAC_PI_4, 1.2, -2.5] {
            let turned = share(angle);
            assert!(turned * 20 > straight * 19, "{turned} at {angle}, {straight} straight");
        }
    }
}
