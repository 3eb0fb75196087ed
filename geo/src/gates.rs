//! What must hold before a position counts as a crossing.

use serde::{Deserialize, Serialize};

/// The gates of one watch: how sure we must be before a mover has entered or left.
///
/// All times are nanoseconds. The default is the plain test: in on the line, out on the line.
/// Names follow the omlox hub API 2.0.0 (`exit_tolerance`, `tolerance_timeout`, `exit_delay`,
/// `timeout`) where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub struct Gates {
    /// How far inside the outline a position must lie to count as in.
    pub entry_margin_mm: u32,
    /// How far outside a mover that is in may be and still count as in.
    pub exit_tolerance_mm: u32,
    /// How long a mover may stay outside but within the tolerance; `None` is for ever, unless
    /// `fence_timeout_ns` ends it.
    pub tolerance_timeout_ns: Option<u64>,
    /// How long a mover beyond the tolerance still counts as in; 0 is leave at once.
    pub exit_delay_ns: u64,
    /// A mover not heard for this long has left; `None` is never.
    pub fence_timeout_ns: Option<u64>,
    /// How many of the latest positions must agree before an entry or an exit counts.
    pub confirm: Confirm,
    /// Report the mover once it has been in for this long; `None` is never.
    pub dwell_ns: Option<u64>,
    /// Demand that the whole circle of accuracy lies inside (to enter) or outside (to leave).
    pub error_circle: bool,
}

/// `needed` of the latest `of` positions must agree. 1 of 1 is the plain test; `of` is at most 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Confirm {
    /// How many positions must agree.
    pub needed: u8,
    /// Among how many of the latest.
    pub of: u8,
}

impl Default for Confirm {
    fn default() -> Confirm {
        Confirm { needed: 1, of: 1 }
    }
}
