//! A box round a position within which no answer can change.

use crate::bounds::Bounds;
use crate::{Floor, Observation, Position};

/// Where a height is not known. Known heights are cut off above it.
const HEIGHT_UNKNOWN: i16 = i16::MIN;
/// Heights above the slab from which a box can be made. A storey is a few metres high.
const HEIGHTS_MM: std::ops::RangeInclusive<i32> = -32_000..=32_000;

/// The box, for one floor: an area, a band of heights and a range of accuracies. 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SafeBox {
    x_low: i32,
    y_low: i32,
    /// How far it reaches east and north of there.
    east_mm: u16,
    north_mm: u16,
    floor: Floor,
    has_floor: bool,
    /// Some member counts positions, however alike.
    is_restless: bool,
    height_low: i16,
    height_high: i16,
    /// Reversed if the box holds nothing.
    accuracy_low: u16,
    accuracy_high: u16,
}

/// The limits of a box, before it is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) bounds: Bounds,
    /// Lowest and greatest height; `None` if the height makes no difference. If the position that
    /// the box is made for has no height, others must not have one either.
    pub(crate) heights_mm: Option<(i32, i32)>,
    /// Least and greatest accuracy; `None` if it makes no difference.
    pub(crate) accuracies_mm: Option<(u32, u32)>,
}

impl SafeBox {
    /// Holds nothing.
    pub(crate) const NONE: SafeBox = SafeBox {
        x_low: 0,
        y_low: 0,
        east_mm: 0,
        north_mm: 0,
        floor: Floor(0),
        has_floor: false,
        is_restless: false,
        height_low: 0,
        height_high: 0,
        accuracy_low: 1,
        accuracy_high: 0,
    };

    /// The box that an observation lies in; holds nothing if the observation is beyond the limits or
    /// they cannot be packed.
    #[inline]
    pub(crate) fn new(seen: &Observation, limits: &Limits) -> SafeBox {
        let Position { x_mm, y_mm, z_mm, floor } = seen.position;
        if !limits.bounds.contains(x_mm, y_mm) {
            return SafeBox::NONE;
        }
        // What is wider than can be said is cut off about the position.
        let half_mm = i32::from(u16::MAX / 2);
        let bounds = limits.bounds.shared(&Bounds::around(x_mm, y_mm, half_mm));
        let extent = |low: i32, high: i32| u16::try_from(low.abs_diff(high)).unwrap_or(0);
        let heights = match (limits.heights_mm, z_mm) {
            (None, _) => Some((HEIGHT_UNKNOWN, i16::MAX)),
            (Some(_), None) => Some((HEIGHT_UNKNOWN, HEIGHT_UNKNOWN)),
            (Some((low, high)), Some(z_mm)) if low <= z_mm && z_mm <= high => {
                packed_heights(low, high, z_mm)
            }
            (Some(_), Some(_)) => None,
        };
        let accuracies = match limits.accuracies_mm {
            None => Some((0, u16::MAX)),
            Some((low, high)) => packed_accuracies(low, high, seen.accuracy_mm),
        };
        let (Some(heights), Some(accuracies)) = (heights, accuracies) else {
            return SafeBox::NONE;
        };
        SafeBox {
            x_low: bounds.x_low,
            y_low: bounds.y_low,
            east_mm: extent(bounds.x_low, bounds.x_high),
            north_mm: extent(bounds.y_low, bounds.y_high),
            floor: floor.unwrap_or_default(),
            has_floor: floor.is_some(),
            is_restless: false,
            height_low: heights.0,
            height_high: heights.1,
            accuracy_low: accuracies.0,
            accuracy_high: accuracies.1,
        }
    }

    /// The same box for members that count positions or do not.
    pub(crate) fn marked(self, is_restless: bool) -> SafeBox {
        SafeBox { is_restless, ..self }
    }

    /// Whether some member counts positions, however alike.
    #[inline]
    pub(crate) fn is_restless(&self) -> bool {
        self.is_restless
    }

    /// Whether the answers for an observation are those for the one the box was made for.
    #[inline]
    #[expect(clippy::needless_bitwise_bool, reason = "asked for every ping: few branches")]
    pub(crate) fn holds(&self, seen: &Observation) -> bool {
        let Position { x_mm, y_mm, z_mm, floor } = seen.position;
        // A point to the west or south comes out far to the east or north.
        let is_over = (x_mm.wrapping_sub(self.x_low).cast_unsigned() <= u32::from(self.east_mm))
            & (y_mm.wrapping_sub(self.y_low).cast_unsigned() <= u32::from(self.north_mm));
        let height = packed_height(z_mm);
        let accuracy = u16::try_from(seen.accuracy_mm).unwrap_or(u16::MAX);
        is_over
            && self.has_floor == floor.is_some()
            && self.floor == floor.unwrap_or_default()
            && (self.height_low <= height) & (height <= self.height_high)
            && (self.accuracy_low <= accuracy) & (accuracy <= self.accuracy_high)
    }
}

#[inline]
fn packed_height(z_mm: Option<i32>) -> i16 {
    match z_mm {
        None => HEIGHT_UNKNOWN,
        Some(z_mm) => i16::try_from(z_mm.clamp(-i32::from(i16::MAX), i32::from(i16::MAX)))
            .unwrap_or(i16::MAX),
    }
}

fn packed_heights(low_mm: i32, high_mm: i32, z_mm: i32) -> Option<(i16, i16)> {
    let (first, last) = (*HEIGHTS_MM.start(), *HEIGHTS_MM.end());
    let pack = |mm: i32| i16::try_from(mm.clamp(first, last)).ok();
    if HEIGHTS_MM.contains(&z_mm) { Some((pack(low_mm)?, pack(high_mm)?)) } else { None }
}

fn packed_accuracies(low_mm: u32, high_mm: u32, accuracy_mm: u32) -> Option<(u16, u16)> {
    // The greatest number stands for all that are greater.
    let limit = u32::from(u16::MAX) - 1;
    if accuracy_mm > limit || accuracy_mm < low_mm || high_mm < accuracy_mm {
        return None;
    }
    Some((u16::try_from(low_mm).ok()?, u16::try_from(high_mm.min(limit)).ok()?))
}
