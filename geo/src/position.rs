//! Where a thing is, without saying when.

use serde::{Deserialize, Serialize};

/// A point of the site.
///
/// Millimetres in the site frame: `x` grows to the east, `y` to the north. `i32` millimetres span
/// 4 294 km, and UWB accuracy is about 100 mm, so nothing is lost by rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Millimetres east of the site origin.
    pub x_mm: i32,
    /// Millimetres north of the site origin.
    pub y_mm: i32,
    /// Millimetres above the floor's slab, if the locating system measures height.
    pub z_mm: Option<i32>,
    /// The floor, if the locating system knows it. An unknown floor matches every floor.
    pub floor: Option<Floor>,
}

/// A storey in hundredths: 0 is the ground floor, 150 the mezzanine above the first, negative
/// numbers lie below ground (omlox hub API 2.0.0, `floor` is a decimal number).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub struct Floor(pub i16);
