//! An input from outside, and what a machine made of it.

use ach_actors_model::{Cause, Timestamp};

/// When and through what an input from outside came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arrival {
    /// When it happened, by the device's clock; machines clamp it to `received_at`.
    pub observed_at: Timestamp,
    /// When the session had decoded it, by shard time.
    pub received_at: Timestamp,
    /// Which input it was.
    pub cause: Cause,
}

impl Arrival {
    /// When it happened, as far as that can be believed: never after it arrived.
    pub fn happened_at(&self) -> Timestamp {
        self.observed_at.min(self.received_at)
    }
}

/// What a machine made of an input. The shard counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It was new. Inputs from within the shard always are.
    Accepted,
    /// It was seen before and changed nothing.
    Duplicate,
    /// It is older than what was already known. It never moves a state backwards, but a late
    /// duress, cut band or forced door still alarms.
    Late,
    /// What it is about does not exist in the site in force.
    Refused,
}
