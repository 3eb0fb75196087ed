//! A ping as history keeps it.

use ach_actors_model::{NS_PER_MS, Ping, Timestamp};
use ach_geo::Position;

/// How exactly it is kept when a ping was received: to a hundredth of a second. The exact moment is in
/// the entry.
pub(super) const RECEIVED_NS: u64 = 10 * NS_PER_MS;

/// One position report of one tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeptPing {
    /// When it was measured, at most when it was received, rounded down to the millisecond: no
    /// locating system measures more finely, and the noise below would take a third of the room.
    pub observed_at: Timestamp,
    /// When it was received, rounded down to a hundredth of a second.
    pub received_at: Timestamp,
    /// Where.
    pub position: Position,
    /// Radius of the circle that holds the tag, in millimetres; 0 is unknown.
    pub accuracy_mm: u32,
    /// Charge of the tag's battery, if it was reported.
    pub battery_percent: Option<u8>,
}

impl KeptPing {
    /// What is kept of a ping that was received then.
    pub fn of(ping: &Ping, received_at: Timestamp) -> KeptPing {
        let observed = ping.observed_at.min(received_at);
        KeptPing {
            observed_at: Timestamp(observed.0 - observed.0 % NS_PER_MS),
            received_at: Timestamp(received_at.0 - received_at.0 % RECEIVED_NS),
            position: ping.position,
            accuracy_mm: ping.accuracy_mm,
            battery_percent: ping.battery_percent,
        }
    }

    /// The latest moment at which it can have been measured: who bore the tag then was there, however late
    /// the ping came.
    pub fn observed_by(&self) -> Timestamp {
        self.observed_at.plus_ns(NS_PER_MS - 1)
    }

    /// Hundredths of a second from the one that holds `observed_at` to `received_at`.
    pub(super) fn lag_units(&self) -> u64 {
        (self.received_at.0 / RECEIVED_NS).saturating_sub(self.observed_at.0 / RECEIVED_NS)
    }
}
