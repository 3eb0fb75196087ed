//! What history must remember, by `docs/specs/store.md`: who was where and when, and every ping.

use std::collections::BTreeMap;

use ach_actors_model::{NS_PER_MS, Ping, Timestamp};
use ach_engine_store::KeptPing;

/// How exactly it is remembered when a ping was received.
const RECEIVED_NS: u64 = 10 * NS_PER_MS;

/// A stay in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stay {
    pub zone: u32,
    pub tag: u32,
    /// The entry that began it, and when that was made.
    pub entered: (u64, Timestamp),
    /// The same of the one that ended it.
    pub exited: Option<(u64, Timestamp)>,
}

/// A ping as it is remembered, and the entry with which it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub index: u64,
    pub kept: KeptPing,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    pub stays: Vec<Stay>,
    /// By tag, in the order in which they came.
    pub pings: BTreeMap<u32, Vec<Seen>>,
}

impl Diary {
    pub(super) fn enter(&mut self, zone: u32, tag: u32, entered: (u64, Timestamp)) {
        self.stays.push(Stay { zone, tag, entered, exited: None });
    }

    pub(super) fn exit(&mut self, zone: u32, tag: u32, exited: (u64, Timestamp)) {
        let mut stays = self.stays.iter_mut().rev();
        let open = stays.find(|stay| (stay.zone, stay.tag, stay.exited) == (zone, tag, None));
        if let Some(stay) = open {
            stay.exited = Some(exited);
        }
    }

    pub(super) fn see(&mut self, ping: &Ping, received_at: Timestamp, index: u64) {
        let observed_ns = ping.observed_at.min(received_at).0;
        let kept = KeptPing {
            observed_at: Timestamp(observed_ns - observed_ns % NS_PER_MS),
            received_at: Timestamp(received_at.0 - received_at.0 % RECEIVED_NS),
            position: ping.position,
            accuracy_mm: ping.accuracy_mm,
            battery_percent: ping.battery_percent,
        };
        self.pings.entry(ping.tag.0).or_default().push(Seen { index, kept });
    }
}
