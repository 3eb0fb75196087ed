//! How long something takes.

use ach_engine_node::{Clock, SystemClock};

/// A watch that was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch {
    from_ns: u64,
}

impl Stopwatch {
    /// Starts it.
    pub(crate) fn start() -> Stopwatch {
        Stopwatch { from_ns: SystemClock::default().monotonic_ns() }
    }

    /// Nanoseconds since then.
    pub(crate) fn ns(self) -> u64 {
        SystemClock::default().monotonic_ns().saturating_sub(self.from_ns)
    }
}
