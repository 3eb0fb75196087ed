//! The wall clock, read in this one place: certificates have dates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since 1970, for the dates in certificates.
#[expect(clippy::disallowed_methods, reason = "certificates are dated by the wall clock")]
pub(crate) fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
