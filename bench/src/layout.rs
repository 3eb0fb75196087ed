//! What the zones of a campus look like, and how sure one must be of them.

use ach_geo::{Confirm, Floor, Gates, Height, Outline, Position};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Campus, SEED};

const SECOND_NS: u64 = 1_000_000_000;
/// Zones a floor, as of [`Campus`].
const FLOOR_ZONES: usize = 100;
/// The part of a floor that random zones lie in.
const FLOOR_MM: (i32, i32) = (125_000, 36_000);

/// One zone to watch.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Its outline.
    pub outline: Outline,
    /// Its floor.
    pub floor: Floor,
    /// Its heights.
    pub height: Option<Height>,
    /// How sure one must be.
    pub gates: Gates,
}

/// Kinds of campus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Rooms along corridors, plain gates.
    Rooms,
    /// The same with a tolerance of 300 mm.
    Tolerant,
    /// The same with a margin, a tolerance that ends, an exit delay and two of three positions.
    Gated,
    /// The same with the circle of accuracy and a fence timeout.
    Blurred,
    /// The same in heights from the floor to 2.2 m.
    Heights,
    /// The same in a building that stands askew to the site's axes.
    Turned,
    /// Askew, with a tolerance of 300 mm.
    TurnedTolerant,
    /// Outlines of 24 slanted edges, where the rooms are.
    Jagged,
    /// Rooms with a bed each, in wards, in storeys.
    Nested,
    /// Rectangles of 2 to 12 m anywhere.
    Overlapping,
}

impl Layout {
    /// All of them.
    pub const ALL: [Layout; 10] = [
        Layout::Rooms,
        Layout::Tolerant,
        Layout::Gated,
        Layout::Blurred,
        Layout::Heights,
        Layout::Turned,
        Layout::TurnedTolerant,
        Layout::Jagged,
        Layout::Nested,
        Layout::Overlapping,
    ];

    /// That many zones.
    pub fn zones(self, count: usize) -> Vec<Zone> {
        let rooms = Campus::new(count).rooms;
        let plain = |(outline, floor)| Zone { outline, floor, height: None, gates: self.gates() };
        match self {
            Layout::Rooms | Layout::Tolerant | Layout::Gated | Layout::Blurred => {
                rooms.into_iter().map(plain).collect()
            }
            Layout::Heights => {
                let height = Some(Height { low_mm: 0, high_mm: 2_200 });
                rooms.into_iter().map(plain).map(|zone| Zone { height, ..zone }).collect()
            }
            Layout::Turned | Layout::TurnedTolerant => {
                let askew = |outline| polygon(ring(&outline).iter().copied().map(turned).collect());
                let turn = |(outline, floor)| plain((askew(outline), floor));
                rooms.into_iter().map(turn).collect()
            }
            Layout::Jagged => {
                let mut chance = ChaCha8Rng::seed_from_u64(SEED);
                let jag = |(outline, floor)| plain((jagged(&outline, &mut chance), floor));
                rooms.into_iter().map(jag).collect()
            }
            Layout::Nested => nested(rooms).into_iter().map(plain).collect(),
            Layout::Overlapping => {
                let mut chance = ChaCha8Rng::seed_from_u64(SEED);
                let place = |(_, floor)| plain((anywhere(&mut chance), floor));
                rooms.into_iter().map(place).collect()
            }
        }
    }

    /// Where a tag is that would be at `position` among plain rooms.
    pub fn placed(self, position: Position) -> Position {
        match self {
            Layout::Turned | Layout::TurnedTolerant => {
                let (x_mm, y_mm) = turned((position.x_mm, position.y_mm));
                Position { x_mm, y_mm, ..position }
            }
            Layout::Heights => {
                // At the belt, give or take the noise of a height.
                let z_mm = Some(900 + (position.y_mm & 0xFF));
                Position { z_mm, ..position }
            }
            _ => position,
        }
    }

    /// Whether a tag is in exactly the zones that hold its latest position.
    pub fn is_plain(self) -> bool {
        self.gates() == Gates::default()
    }

    /// How sure one must be.
    fn gates(self) -> Gates {
        match self {
            Layout::Tolerant | Layout::TurnedTolerant => {
                Gates { exit_tolerance_mm: 300, ..Gates::default() }
            }
            Layout::Gated => Gates {
                entry_margin_mm: 300,
                exit_tolerance_mm: 800,
                tolerance_timeout_ns: Some(20 * SECOND_NS),
                exit_delay_ns: 5 * SECOND_NS,
                confirm: Confirm { needed: 2, of: 3 },
                ..Gates::default()
            },
            Layout::Blurred => Gates {
                error_circle: true,
                fence_timeout_ns: Some(60 * SECOND_NS),
                ..Gates::default()
            },
            _ => Gates::default(),
        }
    }
}

fn polygon(outer_mm: Vec<(i32, i32)>) -> Outline {
    Outline::Polygon { outer_mm, holes_mm: Vec::new() }
}

fn rectangle(x: i32, y: i32, wide: i32, deep: i32) -> Outline {
    polygon(vec![(x, y), (x + wide, y), (x + wide, y + deep), (x, y + deep)])
}

fn ring(outline: &Outline) -> &[(i32, i32)] {
    match outline {
        Outline::Polygon { outer_mm, .. } => outer_mm,
        Outline::Circle { .. } => &[],
    }
}

/// Turned by the angle whose tangent is 3/4, about the origin.
fn turned((x, y): (i32, i32)) -> (i32, i32) {
    ((4 * x - 3 * y) / 5, (3 * x + 4 * y) / 5)
}

/// Where a room is: 24 vertices on rays from its middle, from six to ten tenths of the way to its
/// walls.
fn jagged(outline: &Outline, chance: &mut ChaCha8Rng) -> Outline {
    let corners = ring(outline);
    let (Some(low), Some(high)) = (corners.first(), corners.get(2)) else {
        return outline.clone();
    };
    let middle = (low.0.midpoint(high.0), low.1.midpoint(high.1));
    let half = (f64::from(high.0 - low.0) / 2.0, f64::from(high.1 - low.1) / 2.0);
    let vertex = |place: i32| {
        let angle = f64::from(place) * std::f64::consts::TAU / 24.0;
        let reach = chance.random_range(0.6..1.0);
        let (x, y) = (half.0 * reach * angle.cos(), half.1 * reach * angle.sin());
        (middle.0 + crate::campus::round_mm(x), middle.1 + crate::campus::round_mm(y))
    };
    polygon((0..24).map(vertex).collect())
}

/// Of each floor's zones: 43 rooms, a bed in each, twelve wards, the corridor and the storey.
fn nested(rooms: Vec<(Outline, Floor)>) -> Vec<(Outline, Floor)> {
    let shape = |place: usize, room: &Outline| match place {
        0..43 => room.clone(),
        43..86 => bed(room),
        86..98 => ward(place - 86),
        98 => rectangle(0, 0, FLOOR_MM.0, FLOOR_MM.1 / 2),
        _ => rectangle(0, 0, FLOOR_MM.0, FLOOR_MM.1),
    };
    let outlines: Vec<Outline> = (0..rooms.len())
        .filter_map(|at| {
            let place = at % FLOOR_ZONES;
            let room = if (43..86).contains(&place) { at - 43 } else { at };
            rooms.get(room).map(|(outline, _)| shape(place, outline))
        })
        .collect();
    outlines.into_iter().zip(rooms).map(|(outline, (_, floor))| (outline, floor)).collect()
}

/// Two metres by one, in the corner of a room.
fn bed(room: &Outline) -> Outline {
    let (x, y) = ring(room).first().copied().unwrap_or_default();
    rectangle(x + 500, y + 1_000, 1_000, 2_000)
}

/// Four by three wards cover a floor.
fn ward(number: usize) -> Outline {
    let number = i32::try_from(number).unwrap_or(0);
    let (wide, deep) = (FLOOR_MM.0 / 4, FLOOR_MM.1 / 3);
    rectangle(number % 4 * wide, number / 4 * deep, wide, deep)
}

fn anywhere(chance: &mut ChaCha8Rng) -> Outline {
    let (wide, deep) = (chance.random_range(2_000..12_000), chance.random_range(2_000..12_000));
    let x = chance.random_range(0..FLOOR_MM.0 - wide);
    let y = chance.random_range(0..FLOOR_MM.1 - deep);
    rectangle(x, y, wide, deep)
}
