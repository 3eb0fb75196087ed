//! The wall clock, and chance for the backoff.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use ach_actors_model::Timestamp;

/// What time it is, by this machine's clock.
#[expect(clippy::disallowed_methods, reason = "a client runs in the real world")]
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX))
}

/// A number nobody can foresee.
pub(crate) fn chance() -> u64 {
    RandomState::new().hash_one(0)
}
