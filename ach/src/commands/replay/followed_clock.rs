//! A clock that is moved by hand: the time of a recording.

use std::sync::atomic::{AtomicU64, Ordering};

use ach_actors_model::Timestamp;
use ach_engine_node::Clock;

/// The clock. Both of its faces go together, so shard time is the recording's time.
#[derive(Debug)]
pub(super) struct FollowedClock {
    now_ns: AtomicU64,
}

impl FollowedClock {
    /// Stands at `at`.
    pub(super) fn at(at: Timestamp) -> FollowedClock {
        FollowedClock { now_ns: AtomicU64::new(at.0) }
    }

    /// Goes on to `at`; never goes back.
    pub(super) fn follow(&self, at: Timestamp) {
        self.now_ns.fetch_max(at.0, Ordering::Release);
    }
}

impl Clock for FollowedClock {
    fn monotonic_ns(&self) -> u64 {
        self.now_ns.load(Ordering::Acquire)
    }

    fn utc(&self) -> Timestamp {
        Timestamp(self.now_ns.load(Ordering::Acquire))
    }

    fn runs_by_itself(&self) -> bool {
        false
    }
}
