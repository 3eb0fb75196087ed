//! A campus of rooms along corridors, and people who move in it.

use ach_geo::{Floor, Outline, Position};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A room is 5 m by 6 m with 3 m of corridor before it.
const ROOM_MM: (i32, i32) = (5_000, 6_000);
const ROW_MM: i32 = 9_000;
/// Rooms in a row.
const COLUMNS: i32 = 25;
/// Rooms on a floor: four rows of 25, as a large hospital has them.
const FLOOR_ROOMS: i32 = 100;
/// A step at one ping a second: an adult who walks slowly.
const STEP_MM: f64 = 500.0;

/// Rooms, on as many floors as it takes.
#[derive(Debug, Clone)]
pub struct Campus {
    /// Each room's outline and floor.
    pub rooms: Vec<(Outline, Floor)>,
    floor_count: i32,
}

/// How positions follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// Anywhere on the campus each time: no memory helps.
    Random,
    /// Half a metre on from where the tag was, turning now and then: what tags do.
    Walks,
}

impl Campus {
    /// A campus of that many rooms.
    pub fn new(room_count: usize) -> Campus {
        let count = i32::try_from(room_count).unwrap_or(i32::MAX);
        let rooms = (0..count)
            .map(|room| {
                let (floor, place) = (room / FLOOR_ROOMS, room % FLOOR_ROOMS);
                let (x, y) = (place % COLUMNS * ROOM_MM.0, place / COLUMNS * ROW_MM);
                let outer_mm = vec![
                    (x, y),
                    (x + ROOM_MM.0, y),
                    (x + ROOM_MM.0, y + ROOM_MM.1),
                    (x, y + ROOM_MM.1),
                ];
                (Outline::Polygon { outer_mm, holes_mm: Vec::new() }, storey(floor))
            })
            .collect();
        Campus { rooms, floor_count: count.div_euclid(FLOOR_ROOMS).max(1) }
    }

    /// `rounds` positions of each of `tag_count` tags, round by round in the order of tags.
    pub fn positions(
        &self,
        moves: Moves,
        tag_count: usize,
        rounds: usize,
        seed: u64,
    ) -> Vec<Position> {
        let mut crowd = self.crowd(moves, tag_count, seed);
        let mut positions = Vec::with_capacity(tag_count * rounds);
        for _ in 0..rounds {
            crowd.step(&mut positions);
        }
        positions
    }

    /// That many tags, ready to move.
    pub fn crowd(&self, moves: Moves, tag_count: usize, seed: u64) -> Crowd {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let tags =
            (0..tag_count).map(|_| Walker::anywhere(self.floor_count, &mut chance)).collect();
        Crowd { moves, floor_count: self.floor_count, chance, tags }
    }

    fn extent_mm() -> (f64, f64) {
        (f64::from(COLUMNS * ROOM_MM.0), f64::from(FLOOR_ROOMS / COLUMNS * ROW_MM))
    }
}

/// A floor's number in hundredths. The largest campus here has 1,000 floors, more than an `i16` of
/// hundredths holds, so they are spaced by ten.
fn storey(floor: i32) -> Floor {
    Floor(i16::try_from(floor * 10).unwrap_or(i16::MAX))
}

/// Tags that move.
#[derive(Debug)]
pub struct Crowd {
    moves: Moves,
    floor_count: i32,
    chance: ChaCha8Rng,
    tags: Vec<Walker>,
}

impl Crowd {
    /// Moves every tag once and appends its position, in the order of tags.
    pub fn step(&mut self, positions: &mut Vec<Position>) {
        for tag in &mut self.tags {
            match self.moves {
                Moves::Random => *tag = Walker::anywhere(self.floor_count, &mut self.chance),
                Moves::Walks => tag.step(&mut self.chance),
            }
            positions.push(tag.position());
        }
    }
}

#[derive(Debug)]
struct Walker {
    x_mm: f64,
    y_mm: f64,
    heading: f64,
    floor: i32,
}

impl Walker {
    fn anywhere(floor_count: i32, chance: &mut ChaCha8Rng) -> Walker {
        let (wide_mm, deep_mm) = Campus::extent_mm();
        Walker {
            x_mm: chance.random::<f64>() * wide_mm,
            y_mm: chance.random::<f64>() * deep_mm,
            heading: chance.random::<f64>() * std::f64::consts::TAU,
            floor: chance.random_range(0..floor_count),
        }
    }

    fn step(&mut self, chance: &mut ChaCha8Rng) {
        let (wide_mm, deep_mm) = Campus::extent_mm();
        self.heading += chance.random_range(-0.4..0.4);
        self.x_mm += STEP_MM * self.heading.cos();
        self.y_mm += STEP_MM * self.heading.sin();
        if !(0.0..wide_mm).contains(&self.x_mm) || !(0.0..deep_mm).contains(&self.y_mm) {
            self.x_mm = self.x_mm.clamp(0.0, wide_mm);
            self.y_mm = self.y_mm.clamp(0.0, deep_mm);
            self.heading += std::f64::consts::PI;
        }
    }

    fn position(&self) -> Position {
        let floor = Some(storey(self.floor));
        Position { x_mm: round_mm(self.x_mm), y_mm: round_mm(self.y_mm), z_mm: None, floor }
    }
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(crate) fn round_mm(value_mm: f64) -> i32 {
    value_mm.round() as i32
}
