//! The simulation itself, tried: it does the same twice, says how to repeat a failure, and finds bugs
//! that are planted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test may fail, and its numbers are small"
)]

mod again;
mod planted;
