//! Cuts a box down, obstacle by obstacle, each time on the side that leaves most room.

use crate::bounds::Bounds;
use crate::edge::{Edge, difference};
use crate::frame::Frame;
use crate::safe_box::{Limits, SafeBox};
use crate::{Height, Observation, RANGE_MM};

/// How far a box reaches at most where there is no cell to say so.
pub(crate) const REACH_MM: i32 = 4_000;
/// An edge no wider than this is kept off by its box alone.
const THIN_MM: u32 = 16;

/// A box in the making: what must not change is how the observation it begins with was answered.
#[derive(Debug)]
pub(crate) struct BoxCutter {
    pub(crate) seen: Observation,
    /// Whose `u` and `v` the box and the place are in.
    pub(crate) frame: Frame,
    place: (i32, i32),
    pub(crate) bounds: Bounds,
    heights_mm: Option<(i32, i32)>,
    accuracies_mm: Option<(u32, u32)>,
}

impl BoxCutter {
    /// Begins with a window of a frame about the position, or all within reach; with nothing where
    /// coordinates are out of range.
    #[inline]
    pub(crate) fn new(
        seen: &Observation,
        frame: Frame,
        place: (i32, i32),
        window: Option<Bounds>,
    ) -> BoxCutter {
        let (x_mm, y_mm) = (seen.position.x_mm, seen.position.y_mm);
        let limit = RANGE_MM.unsigned_abs();
        let bounds = if x_mm.unsigned_abs() > limit || y_mm.unsigned_abs() > limit {
            Bounds::EMPTY
        } else {
            window.unwrap_or_else(|| Bounds::around(place.0, place.1, REACH_MM))
        };
        BoxCutter { seen: *seen, frame, place, bounds, heights_mm: None, accuracies_mm: None }
    }

    /// What is left.
    #[inline]
    pub(crate) fn finish(&self) -> SafeBox {
        let BoxCutter { frame, bounds, heights_mm, accuracies_mm, .. } = *self;
        SafeBox::new(&self.seen, &Limits { frame, bounds, heights_mm, accuracies_mm })
    }

    /// Leaves nothing.
    pub(crate) fn give_up(&mut self) {
        self.bounds = Bounds::EMPTY;
    }

    /// Whether nothing is left.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.bounds.x_high < self.bounds.x_low || self.bounds.y_high < self.bounds.y_low
    }

    /// Where the position lies in the frame.
    #[inline]
    pub(crate) fn place(&self) -> (i32, i32) {
        self.place
    }

    /// Where the position lies in the site's frame.
    #[inline]
    pub(crate) fn point(&self) -> (i32, i32) {
        (self.seen.position.x_mm, self.seen.position.y_mm)
    }

    /// Stays in a band of heights that the position lies in; with no height, without one.
    pub(crate) fn stay_in_height(&mut self, height: Height) {
        let (low, high) = self.heights_mm.unwrap_or((i32::MIN, i32::MAX));
        self.heights_mm = Some((low.max(height.low_mm), high.min(height.high_mm)));
    }

    /// Stays below or above a band of heights that the position does not lie in.
    pub(crate) fn stay_off_height(&mut self, height: Height) {
        let Some(z_mm) = self.seen.position.z_mm else { return self.give_up() };
        let (low, high) = self.heights_mm.unwrap_or((i32::MIN, i32::MAX));
        self.heights_mm = Some(if z_mm < height.low_mm {
            (low, high.min(height.low_mm.saturating_sub(1)))
        } else {
            (low.max(height.high_mm.saturating_add(1)), high)
        });
    }

    /// Keeps the accuracy at `least_mm` or above.
    pub(crate) fn demand_accuracy_of(&mut self, least_mm: u32) {
        let (low, high) = self.accuracies_mm.unwrap_or((0, u32::MAX));
        self.accuracies_mm = Some((low.max(least_mm), high));
    }

    /// Keeps the accuracy at `most_mm` or below.
    pub(crate) fn limit_accuracy_to(&mut self, most_mm: u32) {
        let (low, high) = self.accuracies_mm.unwrap_or((0, u32::MAX));
        self.accuracies_mm = Some((low, high.min(most_mm)));
    }

    /// Stays within `reach_mm` of the position.
    pub(crate) fn stay_about(&mut self, reach_mm: i32) {
        self.bounds = self.bounds.shared(&Bounds::around(self.place.0, self.place.1, reach_mm));
    }

    /// Whether what is left meets an obstacle.
    #[inline]
    pub(crate) fn meets(&self, obstacle: &Bounds) -> bool {
        self.bounds.meets(obstacle)
    }

    /// Stays within a rectangle.
    #[inline]
    pub(crate) fn stay_within(&mut self, rectangle: &Bounds) {
        self.bounds = self.bounds.shared(rectangle);
    }

    /// Stays beside a rectangle; leaves nothing if the position is in it.
    #[inline]
    pub(crate) fn stay_beside(&mut self, rectangle: &Bounds) {
        if self.bounds.meets(rectangle) {
            self.bounds = self.beside(rectangle);
        }
    }

    /// Stays within the roomiest of several boxes.
    pub(crate) fn stay_within_one(&mut self, boxes: &[Bounds]) {
        let parts = boxes.iter().map(|part| self.bounds.shared(part));
        let best = parts.filter(|part| part.contains(self.place.0, self.place.1));
        self.bounds = best.max_by_key(Bounds::room).unwrap_or(Bounds::EMPTY);
    }

    /// Keeps off one straight piece.
    pub(crate) fn keep_off_edge(&mut self, edge: &Edge) {
        let obstacle = self.frame.bounds_of(edge);
        if self.is_empty() || !obstacle.meets(&self.bounds) {
            return;
        }
        let is_beside = !obstacle.contains(self.place.0, self.place.1);
        let (width_mm, height_mm) =
            (obstacle.x_low.abs_diff(obstacle.x_high), obstacle.y_low.abs_diff(obstacle.y_high));
        let thickness_mm = width_mm.min(height_mm);
        if thickness_mm == 0 || (is_beside && thickness_mm <= THIN_MM) {
            self.bounds = self.beside(&obstacle);
            return;
        }
        let slanted = self.beside_slanted(edge).unwrap_or(Bounds::EMPTY);
        if is_beside && slanted != self.bounds {
            let straight = self.beside(&obstacle);
            self.bounds = if slanted.room() < straight.room() { straight } else { slanted };
        } else {
            self.bounds = slanted;
        }
    }

    /// The most roomy part of the box that lies beside an obstacle; empty if the position is in it.
    /// Both parts are made up, without branches: which it will be is anybody's guess.
    #[inline]
    fn beside(&self, obstacle: &Bounds) -> Bounds {
        let ((x, y), old) = (self.place, &self.bounds);
        let (is_west, is_east) = (x < obstacle.x_low, obstacle.x_high < x);
        let (is_south, is_north) = (y < obstacle.y_low, obstacle.y_high < y);
        let most = |at: i32, is_so: bool| if is_so { at.saturating_sub(1) } else { i32::MAX };
        let least = |at: i32, is_so: bool| if is_so { at.saturating_add(1) } else { i32::MIN };
        let along_x = Bounds {
            x_low: old.x_low.max(least(obstacle.x_high, is_east)),
            x_high: old.x_high.min(most(obstacle.x_low, is_west)),
            ..*old
        };
        let along_y = Bounds {
            y_low: old.y_low.max(least(obstacle.y_high, is_north)),
            y_high: old.y_high.min(most(obstacle.y_low, is_south)),
            ..*old
        };
        let room_x = if is_west | is_east { along_x.room() } else { -1 };
        let room_y = if is_south | is_north { along_y.room() } else { -1 };
        if room_x.max(room_y) < 0 {
            Bounds::EMPTY
        } else if room_x < room_y {
            along_y
        } else {
            along_x
        }
    }

    /// The most roomy part of the box that lies on the position's side of a slanted line; `None`
    /// if the position lies on it.
    ///
    /// With `n` across the line towards the position and `s = n . (position - a) > 0`, a box that
    /// reaches `ex`, `ey` towards the line stays off it if `|nx| ex + |ny| ey < s`.
    fn beside_slanted(&self, edge: &Edge) -> Option<Bounds> {
        let (abx, aby) = difference(edge.a, edge.b);
        let (apx, apy) = difference(edge.a, self.point());
        // In range, so each product is below 4e18 and the difference below 8e18.
        let side = abx * apy - aby * apx;
        if side == 0 {
            return None;
        }
        let is_left = side > 0;
        let normal = if is_left { (-aby, abx) } else { (aby, -abx) };
        let ((normal_x, normal_y), slack) = self.frame.slanted(normal, side.abs());
        // Where the normal points east, the line lies to the west.
        let reach_x = if normal_x > 0 {
            i64::from(self.place.0) - i64::from(self.bounds.x_low)
        } else {
            i64::from(self.bounds.x_high) - i64::from(self.place.0)
        };
        let reach_y = if normal_y > 0 {
            i64::from(self.place.1) - i64::from(self.bounds.y_low)
        } else {
            i64::from(self.bounds.y_high) - i64::from(self.place.1)
        };
        if reach_x < 0 || reach_y < 0 || slack < 0 {
            return Some(Bounds::EMPTY);
        }
        let (width, height) = (normal_x.abs(), normal_y.abs());
        if width * reach_x + height * reach_y <= slack {
            return Some(self.bounds);
        }
        // Half the slack to each side leaves room on both; what one side cannot use, the other may.
        let left_mm = (slack - (height * reach_y).min(slack)) / width;
        let to_x = (slack / 2 / width).max(left_mm).min(reach_x);
        let to_y = ((slack - width * to_x) / height).min(reach_y);
        Some(self.limited((to_x, normal_x > 0), (to_y, normal_y > 0)))
    }

    /// The box with its reach limited along x to the west or east and along y to the south or north.
    fn limited(&self, x: (i64, bool), y: (i64, bool)) -> Bounds {
        let mut bounds = self.bounds;
        let reach = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        if x.1 {
            bounds.x_low = bounds.x_low.max(self.place.0.saturating_sub(reach(x.0)));
        } else {
            bounds.x_high = bounds.x_high.min(self.place.0.saturating_add(reach(x.0)));
        }
        if y.1 {
            bounds.y_low = bounds.y_low.max(self.place.1.saturating_sub(reach(y.0)));
        } else {
            bounds.y_high = bounds.y_high.min(self.place.1.saturating_add(reach(y.0)));
        }
        bounds
    }
}
