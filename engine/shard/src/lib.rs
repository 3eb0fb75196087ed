//! The unit of order: entries in, effects out, deterministic.
//!
//! A [`Shard`] is a plain struct on one thread. Same entries, same effects, byte for byte, on a
//! leader, a follower, in recovery, rehearsal and simulation; the effects hash proves it.

mod input;
mod shard;

pub use input::{Entry, Input};
pub use shard::{LOGIC_VERSION, LaneState, Shard};
