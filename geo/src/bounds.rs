//! Axis-parallel boxes in whole millimetres, both ends included.

use crate::edge::Edge;

/// A box in the plane. Empty if a low end lies above its high end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) x_low: i32,
    pub(crate) y_low: i32,
    pub(crate) x_high: i32,
    pub(crate) y_high: i32,
}

impl Bounds {
    /// Holds nothing.
    pub(crate) const EMPTY: Bounds = Bounds { x_low: 1, y_low: 1, x_high: 0, y_high: 0 };

    /// Holds nothing and meets no box, however large.
    pub(crate) const NOWHERE: Bounds =
        Bounds { x_low: i32::MAX, y_low: i32::MAX, x_high: i32::MIN, y_high: i32::MIN };

    /// The box spanned by two points.
    pub(crate) fn spanned(a: (i32, i32), b: (i32, i32)) -> Bounds {
        Bounds {
            x_low: a.0.min(b.0),
            y_low: a.1.min(b.1),
            x_high: a.0.max(b.0),
            y_high: a.1.max(b.1),
        }
    }

    /// The square of `reach_mm` to each side of a point, cut off at the ends of `i32`.
    pub(crate) fn around(x_mm: i32, y_mm: i32, reach_mm: i32) -> Bounds {
        Bounds {
            x_low: x_mm.saturating_sub(reach_mm),
            y_low: y_mm.saturating_sub(reach_mm),
            x_high: x_mm.saturating_add(reach_mm),
            y_high: y_mm.saturating_add(reach_mm),
        }
    }

    /// Whether the point lies in the box, or outside by at most `margin_mm`.
    pub(crate) fn is_within(&self, x_mm: i32, y_mm: i32, margin_mm: u64) -> bool {
        let (gap_x, gap_y) = self.gap_mm(x_mm, y_mm);
        gap_x <= margin_mm
            && gap_y <= margin_mm
            && (gap_x == 0 || gap_y == 0 || square(gap_x) + square(gap_y) <= square(margin_mm))
    }

    /// Whether the point lies in the box, at least `margin_mm` from its sides.
    pub(crate) fn is_deep_inside(&self, x_mm: i32, y_mm: i32, margin_mm: u64) -> bool {
        self.contains(x_mm, y_mm) && margin_mm <= self.depth_mm(x_mm, y_mm)
    }

    /// How far a point of the box is from the nearest side.
    pub(crate) fn depth_mm(&self, x_mm: i32, y_mm: i32) -> u64 {
        let (west, east) = (x_mm.abs_diff(self.x_low), x_mm.abs_diff(self.x_high));
        let (south, north) = (y_mm.abs_diff(self.y_low), y_mm.abs_diff(self.y_high));
        west.min(east).min(south).min(north).into()
    }

    /// The box, smaller by so much to each side.
    #[inline]
    pub(crate) fn shrunk(&self, by_mm: u64) -> Bounds {
        let by_mm = u32::try_from(by_mm).unwrap_or(u32::MAX);
        Bounds {
            x_low: self.x_low.saturating_add_unsigned(by_mm),
            y_low: self.y_low.saturating_add_unsigned(by_mm),
            x_high: self.x_high.saturating_sub_unsigned(by_mm),
            y_high: self.y_high.saturating_sub_unsigned(by_mm),
        }
    }

    /// The box, larger by so much to the west and east, and to the south and north.
    #[inline]
    pub(crate) fn grown(&self, to_x: u64, to_y: u64) -> Bounds {
        let narrow = |mm: u64| u32::try_from(mm).unwrap_or(u32::MAX);
        let (to_x, to_y) = (narrow(to_x), narrow(to_y));
        Bounds {
            x_low: self.x_low.saturating_sub_unsigned(to_x),
            y_low: self.y_low.saturating_sub_unsigned(to_y),
            x_high: self.x_high.saturating_add_unsigned(to_x),
            y_high: self.y_high.saturating_add_unsigned(to_y),
        }
    }

    /// The smallest box that holds both.
    pub(crate) fn joined(self, other: Bounds) -> Bounds {
        Bounds {
            x_low: self.x_low.min(other.x_low),
            y_low: self.y_low.min(other.y_low),
            x_high: self.x_high.max(other.x_high),
            y_high: self.y_high.max(other.y_high),
        }
    }

    /// What both hold.
    pub(crate) fn shared(&self, other: &Bounds) -> Bounds {
        Bounds {
            x_low: self.x_low.max(other.x_low),
            y_low: self.y_low.max(other.y_low),
            x_high: self.x_high.min(other.x_high),
            y_high: self.y_high.min(other.y_high),
        }
    }

    /// Whether the point lies in the box.
    #[inline]
    #[expect(clippy::needless_bitwise_bool, reason = "asked of many boxes in turn: no branches")]
    pub(crate) fn contains(&self, x_mm: i32, y_mm: i32) -> bool {
        (self.x_low <= x_mm) & (x_mm <= self.x_high) & (self.y_low <= y_mm) & (y_mm <= self.y_high)
    }

    /// Whether the other box lies in this one.
    #[inline]
    pub(crate) fn holds(&self, other: &Bounds) -> bool {
        self.contains(other.x_low, other.y_low) && self.contains(other.x_high, other.y_high)
    }

    /// Whether the boxes share a point.
    #[inline]
    #[expect(clippy::needless_bitwise_bool, reason = "asked of many boxes in turn: no branches")]
    pub(crate) fn meets(&self, other: &Bounds) -> bool {
        (self.x_low <= other.x_high)
            & (other.x_low <= self.x_high)
            & (self.y_low <= other.y_high)
            & (other.y_low <= self.y_high)
    }

    /// How far the point lies outside, along x and along y; zero within.
    pub(crate) fn gap_mm(&self, x_mm: i32, y_mm: i32) -> (u64, u64) {
        (gap(self.x_low, x_mm, self.x_high), gap(self.y_low, y_mm, self.y_high))
    }

    /// The four corners.
    pub(crate) fn corners(&self) -> [(i32, i32); 4] {
        let Bounds { x_low, y_low, x_high, y_high } = *self;
        [(x_low, y_low), (x_high, y_low), (x_high, y_high), (x_low, y_high)]
    }

    /// The four sides, as edges.
    pub(crate) fn sides(&self) -> [Edge; 4] {
        let [a, b, c, d] = self.corners();
        [Edge { a, b }, Edge { a: b, b: c }, Edge { a: c, b: d }, Edge { a: d, b: a }]
    }

    /// Width times height, each at least 1 so that thin boxes compare by their length.
    pub(crate) fn room(&self) -> i64 {
        let width = i64::from(self.x_high) - i64::from(self.x_low);
        let height = i64::from(self.y_high) - i64::from(self.y_low);
        if width < 0 || height < 0 { -1 } else { (width + 1).saturating_mul(height + 1) }
    }
}

pub(crate) fn square(length: u64) -> u128 {
    u128::from(length) * u128::from(length)
}

fn gap(low: i32, value: i32, high: i32) -> u64 {
    if value < low {
        u64::from(low.abs_diff(value))
    } else if high < value {
        u64::from(value.abs_diff(high))
    } else {
        0
    }
}
