//! Rehearses rules against what was recorded.
//!
//! Two shards begin alike and hear the same entries. One decides them as they were decided, and its effects
//! must be those that were journaled; the other has other rules. What each of them raised is then held
//! against the other's, alarm by alarm. Nothing here reads a clock or a disk: whoever has the entries steps
//! them through a [`Rehearsal`], and [`compare`]s what came of it.
//!
//! How two alarms are found to be one is in `docs/specs/rehearsal.md`.

mod comparison;
mod pairing;
mod rehearsal;
mod run;
mod score;

pub use comparison::{Comparison, compare};
pub use pairing::{Difference, MOVED_NS_MIN, Pair, SAME_NS_MAX};
pub use rehearsal::{Rehearsal, RehearsalError, Rehearsed};
pub use score::Score;
