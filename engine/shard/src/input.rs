//! All that a shard can hear.

use ach_actors_model::{Command, PingBatch, Report, SiteConfig, SourceRef, Timestamp};
use serde::{Deserialize, Serialize};

/// One input. Closed: what is not here cannot change a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Positions.
    Pings(PingBatch),
    /// A door, button, band or anchor.
    Report(Report),
    /// A wish of an operator.
    Command(Command),
    /// A new version of the site. The first entry of a shard holds one.
    SiteChange(Box<SiteConfig>),
    /// A source begins to count anew. Greater than every epoch the source had.
    OpenEpoch {
        /// The feed.
        source: SourceRef,
        /// The epoch.
        epoch: u32,
    },
    /// The node is back after an outage: silence within it is nobody's fault.
    Resumed {
        /// When the node last logged anything.
        away_since: Timestamp,
    },
    /// A source's clock was compared with the node's.
    ClockCompared {
        /// The feed.
        source: SourceRef,
        /// Its clock less the node's.
        offset_ns: i64,
        /// When, by shard time.
        received_at: Timestamp,
    },
    /// Nothing but time: a deadline is due.
    Tick,
}

/// What is ordered, journaled and replicated.
///
/// `Shard::step` is a function of the entries before it and this one, less `effects_hash`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts up by one from 1.
    pub index: u64,
    /// Shard time; never less than that of the entry before.
    pub at: Timestamp,
    /// The version of the site that is in force before the entry.
    pub site_version: u32,
    /// The logic that decides it.
    pub logic_version: u16,
    /// What was heard, in order.
    pub inputs: Vec<Input>,
    /// Hash of the effects it had; 0 until it was stepped.
    pub effects_hash: u64,
}
