//! The journal as its owner, its readers, its disk and its key see it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test may fail, and its numbers are small"
)]

mod beside;
mod damage;
mod faults;
mod full_disk;
mod later;
mod model;
mod planted;
mod power_cut;
mod support;
