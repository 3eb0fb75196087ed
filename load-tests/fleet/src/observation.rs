//! What a locating system or door controller would send.

use ach_actors_model::{ReportKind, Timestamp};
use ach_geo::Position;

/// One thing to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// When it is meant to leave; latency counts from here.
    pub send_at: Timestamp,
    /// When it was measured, by the device's clock.
    pub observed_at: Timestamp,
    /// Index of the feed that sends it.
    pub source: u32,
    /// What was observed.
    pub what: Observed,
}

/// What was observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// A position.
    Ping {
        /// Index of the tag.
        tag: u32,
        /// Where it seemed to be.
        position: Position,
        /// Radius that holds the tag in 95 of 100 cases, in millimetres.
        accuracy_mm: u32,
        /// Charge of its battery, now and then.
        battery_percent: Option<u8>,
    },
    /// A button, band or door; its refs are indexes into the site's lists.
    Report(ReportKind),
}
