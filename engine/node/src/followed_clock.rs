//! A clock that is moved by hand: the time of a recording, or of a use case that is played.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Clock;
use ach_actors_model::Timestamp;

/// The clock. Both of its faces go together, so shard time is the time it is moved to. Whoever moves it calls
/// [`Running::tick`](crate::Running::tick) after.
#[derive(Debug)]
pub struct FollowedClock {
    now_ns: AtomicU64,
}

impl FollowedClock {
    /// Stands at `at`.
    pub fn at(at: Timestamp) -> FollowedClock {
        FollowedClock { now_ns: AtomicU64::new(at.0) }
    }

    /// Goes on to `at`; never goes back.
    pub fn follow(&self, at: Timestamp) {
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
