//! The shard: what it may be asked.

use ach_actors_entities::Effect;
use ach_actors_model::{AlarmNotice, Fix, Lane, SourceRef, TagRef, Timestamp};

use crate::Entry;

/// The logic this build decides by.
pub const LOGIC_VERSION: u16 = 1;

/// How far a source has come on one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneState {
    /// The epoch in force; 0 before the first.
    pub epoch: u32,
    /// Every sequence number up to this one has been decided on; numbers start at 1.
    pub accepted_through: u64,
}

/// A set of actors with one order.
#[derive(Debug, Default)]
pub struct Shard {}

impl Shard {
    /// A shard that has heard nothing.
    pub fn new() -> Shard {
        Shard {}
    }

    /// Decides one entry, appends its effects, and returns their hash.
    pub fn step(&mut self, _entry: &Entry, _effects: &mut Vec<Effect>) -> u64 {
        0
    }

    /// When the next deadline is due, if any.
    pub fn next_due(&mut self) -> Option<Timestamp> {
        None
    }

    /// How far a source has come on a lane.
    pub fn lane_state(&self, _source: SourceRef, _lane: Lane) -> LaneState {
        LaneState::default()
    }

    /// The tag's latest fix.
    pub fn fix(&self, _tag: TagRef) -> Option<Fix> {
        None
    }

    /// Alarms that are raised and neither cleared nor retracted, with their latest notice.
    pub fn open_alarms(&self) -> Vec<AlarmNotice> {
        Vec::new()
    }
}
