//! What a shard has counted, for operators.

use std::collections::BTreeMap;

use ach_actors_entities::Accepted;
use ach_actors_model::{AlarmKind, EntityRef, Lane, Timestamp};
use serde::{Deserialize, Serialize};

/// Counts since the shard's first entry. Part of no decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardStatus {
    /// Index of the last entry.
    pub entry_index: u64,
    /// Shard time of the last entry.
    pub entry_at: Timestamp,
    /// Version of the site in force; 0 before the first.
    pub site_version: u32,
    /// What became of pings.
    pub pings: Verdicts,
    /// What became of reports.
    pub reports: Verdicts,
    /// Inputs that were dropped because the actor they are for is set aside. They are counted as
    /// accepted too.
    pub set_aside_input_count: u64,
    /// Messages between actors that were dropped for the same reason.
    pub set_aside_message_count: u64,
    /// Alarms raised, by kind.
    pub alarms_raised: BTreeMap<AlarmKind, u64>,
    /// Alarms open now.
    pub alarm_open_count: usize,
    /// Conditions, places and rules that are shelved, muted or out of service.
    pub quiet_count: usize,
    /// Lockdowns and evacuations that run, drills and exercises among them.
    pub emergency_count: usize,
    /// Doors whose fire input is on.
    pub fire_count: usize,
    /// What alarms said to doors that was dropped, because there were too many such words.
    pub door_words_dropped_count: u64,
    /// Subjects that have leave.
    pub pass_count: usize,
    /// Actors set aside now.
    pub quarantined: Vec<EntityRef>,
    /// Actors ready for an input.
    pub hot_cell_count: usize,
    /// Compacted actors.
    pub cold_cell_count: usize,
    /// Bytes reserved for actors and deadlines, without what actors keep on the heap.
    pub reserved_bytes: usize,
    /// Deadlines waiting.
    pub deadline_count: usize,
}

/// How many inputs had which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Verdicts {
    /// New.
    pub accepted_count: u64,
    /// Seen before.
    pub duplicate_count: u64,
    /// Older than what was known.
    pub late_count: u64,
    /// Refused by the session or the shard.
    pub refused_count: u64,
    /// Gave way to newer ones.
    pub conflated_count: u64,
}

impl Verdicts {
    /// All together: the number of inputs.
    pub fn sum(&self) -> u64 {
        self.accepted_count
            + self.duplicate_count
            + self.late_count
            + self.refused_count
            + self.conflated_count
    }

    fn add(&mut self, row: &Accepted) {
        self.accepted_count += u64::from(row.accepted_count);
        self.duplicate_count += u64::from(row.duplicate_count);
        self.late_count += u64::from(row.late_count);
        self.refused_count += u64::from(row.refused_count);
        self.conflated_count += u64::from(row.conflated_count);
    }
}

/// Sums of all entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) pings: Verdicts,
    pub(crate) reports: Verdicts,
}

impl Totals {
    pub(crate) fn add(&mut self, row: &Accepted) {
        match row.lane {
            Lane::Ping => self.pings.add(row),
            Lane::Duress | Lane::Door | Lane::Audit | Lane::Console => self.reports.add(row),
        }
    }
}
