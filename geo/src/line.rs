//! Straight pieces of perimeter lines and door sills, and the paths that cross them.

use std::cmp::Ordering;

use crate::bounds::Bounds;
use crate::edge::{Edge, difference};
use crate::{Floor, Position};

/// A straight piece of a line that movers are seen to cross. A longer line is several pieces with
/// one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The owner's name for the line; need not be unique.
    pub key: u32,
    /// The floor it lies on.
    pub floor: Floor,
    /// One end.
    pub from_mm: (i32, i32),
    /// The other end. Left and right are meant as seen when going from one end to the other.
    pub to_mm: (i32, i32),
}

/// Which way a line was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the left side to the right: outward, where the inside is on the left.
    LeftToRight,
    /// From the right side to the left.
    RightToLeft,
}

/// A line was crossed on the straight path between two positions.
///
/// The rule: every position is taken to lie an infinitely small step to the east of where it was
/// reported, and a still smaller one to the north. Then no path touches an end of a line, no
/// position lies on a line and no path runs along one, so nothing is left to chance: a line that
/// closes round an area is crossed outward exactly once more than inward when the area was left,
/// whatever vertices were hit and wherever the path was cut into steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineCrossing {
    /// The line.
    pub line: u32,
    /// Which way.
    pub direction: Direction,
    /// One of the two positions did not tell its floor: not enough, alone, to say that a person
    /// has gone.
    pub is_floor_unknown: bool,
    along: Along,
}

/// How far along the path, as an exact fraction from 0 to 1, and by how much the small step east
/// and the smaller one north would add to `part`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Along {
    part: u128,
    whole: u128,
    east: i64,
    north: i64,
}

impl LineCrossing {
    /// Whether the path from one position to the other crosses the line.
    ///
    /// A position that knows its floor crosses lines of that floor only; one that does not crosses
    /// lines of every floor.
    pub(crate) fn of(line: &Line, from: &Position, to: &Position) -> Option<LineCrossing> {
        let agrees = |position: &Position| position.floor.is_none_or(|floor| floor == line.floor);
        if !agrees(from) || !agrees(to) {
            return None;
        }
        let wall = Edge { a: line.from_mm, b: line.to_mm };
        let path = Edge { a: (from.x_mm, from.y_mm), b: (to.x_mm, to.y_mm) };
        if path.a == path.b || !wall.bounds().meets(&path.bounds()) {
            return None;
        }
        let (before, after) = (wall.side(path.a), wall.side(path.b));
        let was_left = is_left(before, &wall);
        if was_left == is_left(after, &wall) {
            return None;
        }
        if is_path_left(&path, wall.a) == is_path_left(&path, wall.b) {
            return None;
        }
        let (part, rest) = (before.unsigned_abs(), after.unsigned_abs());
        let (abx, aby) = difference(wall.a, wall.b);
        // What is left behind shrinks on a path to the right and grows on a path to the left.
        let (direction, east, north) = if was_left {
            (Direction::LeftToRight, -aby, abx)
        } else {
            (Direction::RightToLeft, aby, -abx)
        };
        let is_floor_unknown = from.floor.is_none() || to.floor.is_none();
        let along = Along { part, whole: part + rest, east, north };
        Some(LineCrossing { line: line.key, direction, is_floor_unknown, along })
    }

    /// Orders crossings of one path: first come first, then by line and direction.
    pub(crate) fn order(&self, other: &LineCrossing) -> Ordering {
        let (one, two) = (&self.along, &other.along);
        // Parts are below 1.3e19 and wholes below 1.8e19, so the products stay below 2^128.
        let order = (one.part * two.whole).cmp(&(two.part * one.whole));
        if order.is_ne() {
            return order;
        }
        let step = |ours: i64, theirs: i64| {
            let ours = i128::from(ours).saturating_mul(signed(two.whole));
            ours.cmp(&i128::from(theirs).saturating_mul(signed(one.whole)))
        };
        step(one.east, two.east)
            .then_with(|| step(one.north, two.north))
            .then(self.line.cmp(&other.line))
            .then(self.direction.cmp(&other.direction))
    }
}

/// Wholes are below 2^65.
fn signed(whole: u128) -> i128 {
    i128::try_from(whole).unwrap_or(i128::MAX)
}

/// The box of the path between two positions.
pub(crate) fn path_bounds(from: &Position, to: &Position) -> Bounds {
    Bounds::spanned((from.x_mm, from.y_mm), (to.x_mm, to.y_mm))
}

/// Whether a position with this `side` of the wall lies left of it. A step east changes the side by
/// -(b - a).y, a step north by (b - a).x.
fn is_left(side: i128, wall: &Edge) -> bool {
    let (abx, aby) = difference(wall.a, wall.b);
    match side.cmp(&0) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => aby < 0 || (aby == 0 && abx > 0),
    }
}

/// Whether a fixed point lies left of the path, whose both ends are moved by the small step: as if
/// the point moved the other way.
fn is_path_left(path: &Edge, point: (i32, i32)) -> bool {
    let (abx, aby) = difference(path.a, path.b);
    match path.side(point).cmp(&0) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => aby > 0 || (aby == 0 && abx < 0),
    }
}
