//! What speaks for an alarm.

use ach_actors_model::{Cause, NS_PER_S, TagRef, Timestamp};
use ach_geo::Position;

use crate::{Arrival, Turn};

/// An input this much older than its arrival is called late, and so is a deadline that fires this
/// long after it was due: whoever answers must know that it happened a while ago. Networks take
/// milliseconds, a vendor's retry some seconds.
pub(crate) const LATE_AFTER_NS: u64 = 10 * NS_PER_S;

/// Whether an input came late.
pub(crate) fn is_late(observed_at: Timestamp, received_at: Timestamp) -> bool {
    received_at.since_ns(observed_at) > LATE_AFTER_NS
}

/// What speaks for an alarm, and where and when it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) cause: Cause,
    pub(crate) observed_at: Timestamp,
    pub(crate) received_at: Timestamp,
    pub(crate) is_late: bool,
    pub(crate) tag: Option<TagRef>,
    pub(crate) position: Option<Position>,
    pub(crate) accuracy_mm: u32,
    pub(crate) gates_passed: u16,
}

impl Evidence {
    /// Of an input from outside.
    pub(crate) fn of_arrival(arrival: &Arrival) -> Evidence {
        let observed_at = arrival.happened_at();
        let received_at = arrival.received_at;
        let is_late = is_late(observed_at, received_at);
        Evidence { is_late, ..Evidence::bare(arrival.cause, observed_at, received_at) }
    }

    /// Of a deadline: late if the node was away when it was due, or if it fires long after it was
    /// due, as one does that was held for an actor that was set aside.
    pub(crate) fn of_deadline(due_at: Timestamp, turn: &Turn<'_>) -> Evidence {
        let is_late = turn.health.was_away_at(due_at) || turn.now.since_ns(due_at) > LATE_AFTER_NS;
        Evidence { is_late, ..Evidence::bare(Cause::Deadline { due_at }, due_at, due_at) }
    }

    /// Of a change of the site.
    pub(crate) fn of_site_change(turn: &Turn<'_>) -> Evidence {
        Evidence::bare(Cause::SiteChange, turn.now, turn.now)
    }

    /// Whether it is a deadline that says less than it seems to: the node was away when it was due, or it is
    /// late, and what ended meanwhile is told only after it.
    pub(crate) fn is_too_soon(&self) -> bool {
        self.is_late && matches!(self.cause, Cause::Deadline { .. })
    }

    fn bare(cause: Cause, observed_at: Timestamp, received_at: Timestamp) -> Evidence {
        Evidence {
            cause,
            observed_at,
            received_at,
            is_late: false,
            tag: None,
            position: None,
            accuracy_mm: 0,
            gates_passed: 0,
        }
    }
}
