//! The order of importance in which everything is carried.

use serde::{Deserialize, Serialize};

/// A lane: what is carried before what. P0 to P2 are never shed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lane {
    /// P0: duress, cut bands, evacuation.
    Duress,
    /// P1: doors and alarms.
    Door,
    /// P2: audit.
    Audit,
    /// P3: pings.
    Ping,
    /// P4: console and queries.
    Console,
}
