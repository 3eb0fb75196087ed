//! A box round a position within which no answer can change.

use crate::bounds::Bounds;
use crate::frame::Frame;
use crate::{Floor, Observation, Position};

/// Where a height is not known. Known heights are cut off above it.
const HEIGHT_UNKNOWN: i16 = i16::MIN;
/// Heights above the slab from which a box can be made. A storey is a few metres high.
const HEIGHTS_MM: std::ops::RangeInclusive<i32> = -32_000..=32_000;

/// The box, for one floor: an area, a band of heights and a range of accuracies. 28 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SafeBox {
    /// Whose `u` and `v` the area is in.
    frame: Frame,
    u_low: i32,
    v_low: i32,
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
    pub(crate) frame: Frame,
    pub(crate) bounds: Bounds,
    /// Lowest and greatest height; `None` if the height makes no difference. If the position that
    /// the box is made for has no height, others must not have one either.
    pub(crate) heights_mm: Option<(i32, i32)>,
    /// Least and greatest accuracy; `None` if it makes no difference.
    pub(crate) accuracies_mm: Option<(u32, u32)>,
}

impl Default for SafeBox {
    fn default() -> SafeBox {
        SafeBox::NONE
    }
}

impl SafeBox {
    /// Holds nothing.
    pub(crate) const NONE: SafeBox = SafeBox {
        frame: Frame::SITE,
        u_low: 0,
        v_low: 0,
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
        let (u, v) = limits.frame.place((x_mm, y_mm));
        if !limits.bounds.contains(u, v) {
            return SafeBox::NONE;
        }
        // What is wider than can be said is cut off about the position.
        let half_mm = i32::from(u16::MAX / 2);
        let bounds = limits.bounds.shared(&Bounds::around(u, v, half_mm));
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
            frame: limits.frame,
            u_low: bounds.x_low,
            v_low: bounds.y_low,
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
        let (u, v) = self.frame.wide_place((x_mm, y_mm));
        // A point to the west or south comes out far to the east or north.
        let (east, north) = (u - i64::from(self.u_low), v - i64::from(self.v_low));
        let is_over = (east.cast_unsigned() <= u64::from(self.east_mm))
            & (north.cast_unsigned() <= u64::from(self.north_mm));
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
        Some(z_mm) => {
            i16::try_from(z_mm.clamp(-i32::from(i16::MAX), i32::from(i16::MAX))).unwrap_or(i16::MAX)
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(x_mm: i32, z_mm: Option<i32>, accuracy_mm: u32) -> Observation {
        let position = Position { x_mm, y_mm: 0, z_mm, floor: Some(Floor(100)) };
        Observation { position, accuracy_mm, observed_at_ns: 0, received_at_ns: 0 }
    }

    fn limits(x_low: i32, x_high: i32) -> Limits {
        let bounds = Bounds { x_low, y_low: -10, x_high, y_high: 10 };
        Limits { frame: Frame::SITE, bounds, heights_mm: None, accuracies_mm: None }
    }

    #[test]
    fn a_box_holds_what_lies_between_its_ends_and_nothing_from_the_other_end_of_the_world() {
        let safe_box = SafeBox::new(&seen(5, None, 0), &limits(-20, 30));
        for (x_mm, expected) in [
            (-21, false),
            (-20, true),
            (30, true),
            (31, false),
            (i32::MIN, false),
            (i32::MAX, false),
        ] {
            assert_eq!(safe_box.holds(&seen(x_mm, None, 0)), expected, "{x_mm}");
        }
        let elsewhere = Position { floor: Some(Floor(0)), ..seen(5, None, 0).position };
        assert!(!safe_box.holds(&Observation { position: elsewhere, ..seen(5, None, 0) }));
        let nowhere = Position { floor: None, ..elsewhere };
        assert!(!safe_box.holds(&Observation { position: nowhere, ..seen(5, None, 0) }));
        assert!(!SafeBox::NONE.holds(&seen(0, None, 0)));
    }

    #[test]
    fn a_hall_too_wide_to_be_said_is_cut_off_about_the_position() {
        let limits = limits(-1_000_000_000, 1_000_000_000);
        let safe_box = SafeBox::new(&seen(700_000, None, 0), &limits);
        for (x_mm, expected) in [(700_000, true), (720_000, true), (680_000, true), (0, false)] {
            assert_eq!(safe_box.holds(&seen(x_mm, None, 0)), expected, "{x_mm}");
        }
        let limits = Limits { bounds: Bounds::around(i32::MAX, 0, 9), ..limits };
        let at_the_end = SafeBox::new(&seen(i32::MAX, None, 0), &limits);
        assert!(at_the_end.holds(&seen(i32::MAX, None, 0)));
        assert!(!at_the_end.holds(&seen(i32::MIN, None, 0)));
    }

    #[test]
    fn heights_and_accuracies_count_only_where_they_make_a_difference() {
        let check = |limits: Limits, made_at: Observation, table: &[(Option<i32>, u32, bool)]| {
            let safe_box = SafeBox::new(&made_at, &limits);
            for &(z_mm, accuracy_mm, expected) in table {
                let holds = safe_box.holds(&seen(0, z_mm, accuracy_mm));
                assert_eq!(holds, expected, "{limits:?}: {z_mm:?}, {accuracy_mm}");
            }
        };
        let any = limits(-9, 9);
        let all = [(None, 0, true), (Some(i32::MIN), 0, true), (Some(i32::MAX), u32::MAX, true)];
        check(any, seen(0, Some(40_000), 90_000), &all);
        let low = Limits { heights_mm: Some((0, 2_000)), ..any };
        let band = [(Some(0), 7, true), (Some(2_000), 7, true), (Some(2_001), 7, false)];
        check(low, seen(0, Some(900), 7), &band);
        check(low, seen(0, Some(900), 7), &[(Some(-1), 7, false), (None, 7, false)]);
        check(low, seen(0, None, 7), &[(None, 7, true), (Some(900), 7, false)]);
        let above = Limits { heights_mm: Some((2_001, i32::MAX)), ..any };
        let high = [(Some(2_001), 7, true), (Some(32_000), 7, true), (Some(50_000), 7, false)];
        check(above, seen(0, Some(3_000), 7), &high);
        check(above, seen(0, Some(50_000), 7), &[(Some(50_000), 7, false)]);
        let sharp = Limits { accuracies_mm: Some((100, 300)), ..any };
        let range = [(None, 99, false), (None, 100, true), (None, 300, true), (None, 301, false)];
        check(sharp, seen(0, None, 200), &range);
        let blunt = Limits { accuracies_mm: Some((100, u32::MAX)), ..any };
        check(blunt, seen(0, None, 200), &[(None, 65_534, true), (None, 65_535, false)]);
        check(blunt, seen(0, None, 70_000), &[(None, 70_000, false)]);
    }
}
