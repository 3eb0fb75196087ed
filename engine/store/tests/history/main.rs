//! History beside brute force: a real shard decides random walks, and what the store answers is
//! compared with lists in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

mod damage;
mod days;
mod full_disk;
mod gaps;
mod hospital;
mod oracle;
mod positions;
mod random;
mod restart;
