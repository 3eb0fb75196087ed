//! One report of a tag, and the accepted estimate made of it.

use ach_geo::Position;
use serde::{Deserialize, Serialize};

use crate::{SourceRef, TagRef, Timestamp};

/// A position report as the session decoded it: the tag is known and belongs to the source, the
/// coordinates are local and in range. Called `Location` in omlox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ping {
    /// The tag.
    pub tag: TagRef,
    /// Sequence number less the batch's `first_seq`.
    pub seq_offset: u32,
    /// When the locating system measured it, by its own clock.
    pub observed_at: Timestamp,
    /// Where.
    pub position: Position,
    /// Radius of the circle that holds the tag, in millimetres; 0 is unknown.
    pub accuracy_mm: u32,
    /// Charge of the tag's battery, if it was reported.
    pub battery_percent: Option<u8>,
}

/// Consecutive pings of one source on its ping lane.
///
/// It stands for all of `first_seq..=last_seq`: each is one of `pings`, or was refused by the
/// session, or gave way to a newer ping of its tag (conflated).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PingBatch {
    /// The vendor's feed.
    pub source: SourceRef,
    /// The epoch its sequence numbers belong to.
    pub epoch: u32,
    /// Sequence number of the first ping the batch stands for.
    pub first_seq: u64,
    /// Sequence number of the last.
    pub last_seq: u64,
    /// When the session had decoded it, by shard time.
    pub received_at: Timestamp,
    /// How many gave way to a newer ping of the same tag.
    pub conflated_count: u32,
    /// How many the session refused.
    pub refused_count: u32,
    /// The pings to decide on, by sequence.
    pub pings: Vec<Ping>,
}

/// An accepted, ordered estimate of where a tag was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fix {
    /// The tag.
    pub tag: TagRef,
    /// Where it was.
    pub position: Position,
    /// Radius of the circle that holds the tag, in millimetres; 0 is unknown.
    pub accuracy_mm: u32,
    /// When it was measured, at most `received_at`.
    pub observed_at: Timestamp,
    /// When our ingest accepted it.
    pub received_at: Timestamp,
}
