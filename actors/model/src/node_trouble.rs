//! What may be wrong with a node itself, and is an alarm while it is.

use serde::{Deserialize, Serialize};

use crate::AlarmKind;

/// What may be wrong with a node itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeTrouble {
    /// Its audit log is not written, or was changed.
    AuditLog,
    /// Its time and the clock of its machine differ by more than they should.
    Clock,
    /// Its daily self-test failed or was missed.
    Selftest,
}

impl NodeTrouble {
    /// All of them.
    pub const ALL: [NodeTrouble; 3] =
        [NodeTrouble::AuditLog, NodeTrouble::Clock, NodeTrouble::Selftest];

    /// The kind of alarm it is.
    pub const fn alarm_kind(self) -> AlarmKind {
        match self {
            NodeTrouble::AuditLog => AlarmKind::AuditTrouble,
            NodeTrouble::Clock => AlarmKind::NodeClockOff,
            NodeTrouble::Selftest => AlarmKind::SelftestFailed,
        }
    }
}
