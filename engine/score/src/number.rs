//! Whole numbers and floats, one made of the other.

/// Whole millimetres; places lie within a thousand kilometres, far within `i32`.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(crate) fn round_mm(value_mm: f64) -> i32 {
    value_mm.round() as i32
}

/// A whole number as a float.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts stay within 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// A count as `u64`.
pub(crate) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// A point in floats.
pub(crate) fn point((x_mm, y_mm): (i32, i32)) -> (f64, f64) {
    (f64::from(x_mm), f64::from(y_mm))
}

/// A point in whole millimetres.
pub(crate) fn whole((x_mm, y_mm): (f64, f64)) -> (i32, i32) {
    (round_mm(x_mm), round_mm(y_mm))
}
