//! The log on disks that fail: what is on disk stays, and what is wrong is found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

mod deposits;
mod evidence;
mod faults;
mod moody_disk;
mod opening;
mod room;
mod scene;
