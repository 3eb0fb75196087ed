//! The clocks of a simulated world.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use ach_actors_model::Timestamp;
use ach_engine_node::Clock;
use tokio::time::Instant;

use crate::chance::Chance;

/// When worlds begin: a Wednesday in November 2026, at noon or so.
const NOON_NS: u64 = 1_795_000_000_000_000_000;

/// Shortly before the midnight that follows, so that a day of history ends while everybody walks about.
const NEARLY_MIDNIGHT_NS: u64 = 1_795_046_385_000_000_000;

/// Of a thousand worlds so many begin then.
const MIDNIGHT_PERMILLE: u64 = 250;

/// Time that everybody has in common. A suspend of the node's machine is a time in which nobody did
/// anything, so it is left out of the timers and added here.
#[derive(Debug)]
pub(crate) struct WorldTime {
    begun_at: Instant,
    begins_at_ns: u64,
    skipped_ns: AtomicU64,
}

impl WorldTime {
    /// Begins now, at a time of day by chance.
    pub(crate) fn begin(mut chance: Chance) -> Arc<WorldTime> {
        let is_late = chance.happens(MIDNIGHT_PERMILLE);
        Arc::new(WorldTime {
            begun_at: Instant::now(),
            begins_at_ns: if is_late { NEARLY_MIDNIGHT_NS } else { NOON_NS },
            skipped_ns: AtomicU64::new(0),
        })
    }

    /// Nothing happens for so long.
    pub(crate) fn skip_ns(&self, ns: u64) {
        self.skipped_ns.fetch_add(ns, Ordering::SeqCst);
    }

    fn passed_ns(&self) -> u64 {
        let passed_ns = u64::try_from(self.begun_at.elapsed().as_nanos()).unwrap_or(u64::MAX);
        passed_ns.saturating_add(self.skipped_ns.load(Ordering::SeqCst))
    }
}

/// The clocks of one machine.
#[derive(Debug)]
pub(crate) struct MachineClock {
    time: Arc<WorldTime>,
    utc_offset_ns: AtomicI64,
}

impl MachineClock {
    /// Clocks that are right.
    pub(crate) fn new(time: Arc<WorldTime>) -> Arc<MachineClock> {
        Arc::new(MachineClock { time, utc_offset_ns: AtomicI64::new(0) })
    }

    /// Somebody sets UTC.
    pub(crate) fn jump_ns(&self, ns: i64) {
        self.utc_offset_ns.fetch_add(ns, Ordering::SeqCst);
    }
}

impl Clock for MachineClock {
    fn monotonic_ns(&self) -> u64 {
        self.time.passed_ns()
    }

    fn utc(&self) -> Timestamp {
        let at_ns = self.time.begins_at_ns.saturating_add(self.time.passed_ns());
        Timestamp(at_ns.saturating_add_signed(self.utc_offset_ns.load(Ordering::SeqCst)))
    }
}
