//! How far the node has come with a vendor's inputs.

use ach_actors_model::Lane;

use crate::tlv::message;

message! {
    /// Totals of one lane in one epoch. Their sum is the number of inputs decided on.
    #[derive(Copy, Default, serde::Serialize, serde::Deserialize)]
    pub struct LaneTotals {
        /// New inputs.
        1 => accepted: u64,
        /// Inputs seen before.
        2 => duplicate: u64,
        /// Inputs older than what was known of their tag.
        3 => late: u64,
        /// Inputs refused.
        4 => refused: u64,
        /// Inputs that gave way to newer ones of their tag.
        5 => conflated: u64,
    }
}

impl LaneTotals {
    /// How many inputs were decided on.
    pub fn sum(&self) -> u64 {
        [self.duplicate, self.late, self.refused, self.conflated]
            .iter()
            .fold(self.accepted, |sum, count| sum.saturating_add(*count))
    }
}

message! {
    /// Both cursors of a lane and its credit; each replaces the one before.
    #[derive(Copy)]
    pub struct Ack {
        /// Which lane.
        1 => lane: Lane,
        /// In which epoch.
        2 => epoch: u32,
        /// Every number up to this one has been decided on.
        3 => accepted_through: u64,
        /// Every number up to this one is on disk (on a quorum); the vendor may forget them.
        4 => durable_through: u64,
        /// Numbers up to this one may be sent.
        5 => credit_through: u64,
        /// What became of them.
        6 => totals: LaneTotals,
    }
}
