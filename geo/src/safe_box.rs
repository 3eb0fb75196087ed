//! A box round a position within which no answer can change.
//!
//! A mover that is settled (in some regions, plainly inside each; in no other; nothing pending)
//! changes its answers only by touching an outline, for any gates and any accuracy: as long as it
//! is inside what it is in, no exit begins, however small the tolerance and however large or small
//! the error circle; as long as it is outside what it is not in, no entry begins, however small the
//! margin. So the box needs to keep off outlines and lines only. Where that does not hold (inside
//! the outline but not in, because of a margin, an error circle or a height) there is no box.

use crate::bounds::Bounds;
use crate::edge::{Edge, difference};
use crate::{Floor, Position, RANGE_MM, Region};

/// How far a box reaches at most where there is no cell to say so.
pub(crate) const REACH_MM: i32 = 4_000;

/// The box, for one floor. 20 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SafeBox {
    bounds: Bounds,
    floor: Option<Floor>,
}

impl SafeBox {
    /// Holds nothing.
    pub(crate) const NONE: SafeBox = SafeBox { bounds: Bounds::EMPTY, floor: None };

    /// Whether there is a position it holds.
    #[inline]
    pub(crate) fn holds_any(&self) -> bool {
        self.bounds.x_low <= self.bounds.x_high
    }

    /// Whether the answers for a position are those for the position the box was made for.
    #[inline]
    pub(crate) fn holds(&self, position: &Position) -> bool {
        self.bounds.contains(position.x_mm, position.y_mm) && self.floor == position.floor
    }
}

/// Cuts a box down, obstacle by obstacle, each time on the side that leaves most room.
#[derive(Debug)]
pub(crate) struct BoxCutter {
    x_mm: i32,
    y_mm: i32,
    floor: Option<Floor>,
    bounds: Bounds,
    is_given_up: bool,
    /// The bounds are all there can be, however the obstacles beyond lie.
    is_final: bool,
}

impl BoxCutter {
    /// Begins with a window about the position.
    #[inline]
    pub(crate) fn new(position: &Position, window: Bounds) -> BoxCutter {
        let Position { x_mm, y_mm, floor, .. } = *position;
        BoxCutter { x_mm, y_mm, floor, bounds: window, is_given_up: false, is_final: false }
    }

    /// Begins with all within reach; with nothing where coordinates are out of range.
    pub(crate) fn reaching(position: &Position) -> BoxCutter {
        let Position { x_mm, y_mm, .. } = *position;
        let limit = RANGE_MM.unsigned_abs();
        let is_in_range = x_mm.unsigned_abs() <= limit && y_mm.unsigned_abs() <= limit;
        let bounds = if is_in_range { Bounds::around(x_mm, y_mm, REACH_MM) } else { Bounds::EMPTY };
        BoxCutter::new(position, bounds)
    }

    /// What is left.
    #[inline]
    pub(crate) fn finish(self) -> SafeBox {
        if !self.is_given_up && self.bounds.contains(self.x_mm, self.y_mm) {
            SafeBox { bounds: self.bounds, floor: self.floor }
        } else {
            SafeBox::NONE
        }
    }

    /// What is left so far.
    pub(crate) fn window(&self) -> Bounds {
        self.bounds
    }

    /// Leaves nothing.
    pub(crate) fn give_up(&mut self) {
        self.is_given_up = true;
    }

    /// Whether obstacles that do not hold the position can change what is left.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.is_given_up || self.is_final
    }

    /// Takes all the inside of a rectangle that holds the position and is crossed by nothing.
    #[inline]
    pub(crate) fn fill(&mut self, rectangle: &Bounds) {
        let inside = rectangle.interior();
        if inside.contains(self.x_mm, self.y_mm) {
            self.bounds = inside;
            self.is_final = true;
        } else {
            self.stay_within(rectangle);
        }
    }

    /// Whether what is left meets an obstacle.
    #[inline]
    pub(crate) fn meets(&self, obstacle: &Bounds) -> bool {
        self.bounds.meets(obstacle)
    }

    /// Stays within a rectangle that holds the position, off its outline.
    #[inline]
    pub(crate) fn stay_within(&mut self, rectangle: &Bounds) {
        self.bounds = self.bounds.shared(&rectangle.interior());
    }

    /// Stays beside a rectangle that what is left meets, if the position is not in it.
    #[inline]
    pub(crate) fn stay_beside(&mut self, rectangle: &Bounds) {
        if !rectangle.contains(self.x_mm, self.y_mm) {
            self.bounds = self.beside(rectangle);
        }
    }

    /// Keeps off the outline of a rectangle: within it if the position is, else beside it.
    fn keep_off_rectangle(&mut self, rectangle: &Bounds) {
        if rectangle.contains(self.x_mm, self.y_mm) {
            self.stay_within(rectangle);
        } else if self.bounds.meets(rectangle) {
            self.bounds = self.beside(rectangle);
        }
    }

    /// Keeps off the outline of any region.
    pub(crate) fn keep_off(&mut self, region: &Region) {
        let bounds = region.bounds();
        let is_near = bounds.contains(self.x_mm, self.y_mm);
        if region.is_rectangle() || !is_near {
            // Beside its box there is room enough, and no need to go through its edges.
            self.keep_off_rectangle(&bounds);
        } else if let Some((center_mm, radius_mm)) = region.circle() {
            self.keep_off_circle(center_mm, radius_mm, &bounds);
        } else if bounds.meets(&self.bounds) {
            for edge in region.edges() {
                self.keep_off_edge(edge);
            }
        }
    }

    /// Keeps off one straight piece.
    pub(crate) fn keep_off_edge(&mut self, edge: &Edge) {
        let obstacle = edge.bounds();
        if !obstacle.meets(&self.bounds) || self.bounds.room() < 0 {
            return;
        }
        if edge.a.0 == edge.b.0 || edge.a.1 == edge.b.1 {
            self.bounds = self.beside(&obstacle);
            return;
        }
        if let Some(slanted) = self.beside_slanted(edge) {
            let straight = self.beside(&obstacle);
            self.bounds = if slanted.room() < straight.room() { straight } else { slanted };
        } else {
            self.bounds = self.beside(&obstacle);
        }
    }

    fn keep_off_circle(&mut self, center_mm: (i32, i32), radius_mm: u32, around: &Bounds) {
        if !around.meets(&self.bounds) || self.bounds.room() < 0 {
            return;
        }
        let beside = self.beside(around);
        // The square whose corners are as far away as the circle: 7/10 is a little less than the
        // half of the root of two.
        let (across, along) = difference(center_mm, (self.x_mm, self.y_mm));
        let squares = across.unsigned_abs().pow(2).saturating_add(along.unsigned_abs().pow(2));
        let from_center_mm = squares.isqrt();
        // The root is rounded down, so the true distance is less than one more.
        let free_mm = if from_center_mm < u64::from(radius_mm) {
            u64::from(radius_mm) - from_center_mm - 1
        } else {
            from_center_mm.saturating_sub(u64::from(radius_mm))
        };
        let half_mm = i32::try_from(free_mm.saturating_sub(1) * 7 / 10).unwrap_or(REACH_MM);
        let square = if free_mm == 0 {
            Bounds::EMPTY
        } else {
            self.bounds.shared(&Bounds::around(self.x_mm, self.y_mm, half_mm))
        };
        self.bounds = if square.room() < beside.room() { beside } else { square };
    }

    /// The most roomy part of the box that lies beside an obstacle; empty if the position is in it.
    fn beside(&self, obstacle: &Bounds) -> Bounds {
        let mut best = Bounds::EMPTY;
        let mut offer = |candidate: Bounds| {
            if best.room() < candidate.room() {
                best = candidate;
            }
        };
        if self.x_mm < obstacle.x_low {
            let x_high = self.bounds.x_high.min(obstacle.x_low - 1);
            offer(Bounds { x_high, ..self.bounds });
        } else if obstacle.x_high < self.x_mm {
            let x_low = self.bounds.x_low.max(obstacle.x_high + 1);
            offer(Bounds { x_low, ..self.bounds });
        }
        if self.y_mm < obstacle.y_low {
            let y_high = self.bounds.y_high.min(obstacle.y_low - 1);
            offer(Bounds { y_high, ..self.bounds });
        } else if obstacle.y_high < self.y_mm {
            let y_low = self.bounds.y_low.max(obstacle.y_high + 1);
            offer(Bounds { y_low, ..self.bounds });
        }
        best
    }

    /// The most roomy part of the box that lies on the position's side of a slanted line; `None`
    /// if the position lies on it.
    ///
    /// With `n` across the line towards the position and `s = n . (position - a) > 0`, a box that
    /// reaches `ex`, `ey` towards the line stays off it if `|nx| ex + |ny| ey < s`.
    fn beside_slanted(&self, edge: &Edge) -> Option<Bounds> {
        let (abx, aby) = difference(edge.a, edge.b);
        let (apx, apy) = difference(edge.a, (self.x_mm, self.y_mm));
        // In range, so each product is below 4e18 and the difference below 8e18.
        let side = abx * apy - aby * apx;
        if side == 0 {
            return None;
        }
        let is_left = side > 0;
        let (normal_x, normal_y) = if is_left { (-aby, abx) } else { (aby, -abx) };
        let slack = side.abs() - 1;
        // Where the normal points east, the line lies to the west.
        let reach_x = if normal_x > 0 {
            i64::from(self.x_mm) - i64::from(self.bounds.x_low)
        } else {
            i64::from(self.bounds.x_high) - i64::from(self.x_mm)
        };
        let reach_y = if normal_y > 0 {
            i64::from(self.y_mm) - i64::from(self.bounds.y_low)
        } else {
            i64::from(self.bounds.y_high) - i64::from(self.y_mm)
        };
        if reach_x < 0 || reach_y < 0 {
            return Some(Bounds::EMPTY);
        }
        let (width, height) = (normal_x.abs(), normal_y.abs());
        if width * reach_x + height * reach_y <= slack {
            return Some(self.bounds);
        }
        let mut best = Bounds::EMPTY;
        let candidates = [
            (reach_x, slack.saturating_sub(width * reach_x).div_euclid(height)),
            (slack.saturating_sub(height * reach_y).div_euclid(width), reach_y),
            (slack / 2 / width, slack / 2 / height),
        ];
        for (to_x, to_y) in candidates {
            if to_x < 0 || to_y < 0 {
                continue;
            }
            let candidate = self.limited((to_x, normal_x > 0), (to_y, normal_y > 0));
            if best.room() < candidate.room() {
                best = candidate;
            }
        }
        Some(best)
    }

    /// The box with its reach limited along x to the west or east and along y to the south or north.
    fn limited(&self, x: (i64, bool), y: (i64, bool)) -> Bounds {
        let mut bounds = self.bounds;
        let reach = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        if x.1 {
            bounds.x_low = bounds.x_low.max(self.x_mm.saturating_sub(reach(x.0)));
        } else {
            bounds.x_high = bounds.x_high.min(self.x_mm.saturating_add(reach(x.0)));
        }
        if y.1 {
            bounds.y_low = bounds.y_low.max(self.y_mm.saturating_sub(reach(y.0)));
        } else {
            bounds.y_high = bounds.y_high.min(self.y_mm.saturating_add(reach(y.0)));
        }
        bounds
    }
}
