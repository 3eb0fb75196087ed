//! How far the node has come with what was published.

use ach_actors_model::Lane;
use ach_engine_wire::LaneTotals;

/// What was published: the n-th thing on its lane since the publisher began.
///
/// In the publisher's first epoch its number is the sequence number on the wire; a later epoch
/// counts on the wire from 1 again, tickets go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// The lane.
    pub lane: Lane,
    /// Its number, from 1.
    pub number: u64,
}

/// How far one lane has come; numbers are those of tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneProgress {
    /// The epoch in force.
    pub epoch: u32,
    /// The last ticket given out.
    pub published_through: u64,
    /// Everything up to this one has been decided on. Goes back when a node comes back from a crash
    /// and has to be told again.
    pub accepted_through: u64,
    /// Everything up to this one is on disk, but for what `unkept_count` counts.
    pub durable_through: u64,
    /// How often something was sent, repetitions included.
    pub sent_count: u64,
    /// How often something was sent again.
    pub resent_count: u64,
    /// Inputs that were decided on by a node that could not store, and given up to make room.
    pub unkept_count: u64,
    /// Pings that gave way here to a newer one of their tag, for want of room, before either was sent. They
    /// had no number on the wire, so the node counts none of them.
    pub gave_way_count: u64,
    /// What became of the inputs, over all epochs of this publisher; if it went on with an epoch of
    /// an earlier life, that life's included.
    pub totals: LaneTotals,
}

/// How far all lanes have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Buttons and bands.
    pub duress: LaneProgress,
    /// Doors and anchors.
    pub door: LaneProgress,
    /// Pings.
    pub ping: LaneProgress,
    /// Whether a connection stands.
    pub is_connected: bool,
    /// Whether the node stores; if not, nothing becomes durable.
    pub is_storing: bool,
    /// This machine's clock less the node's, as the node saw it last; 0 before.
    pub clock_offset_ns: i64,
}

impl Progress {
    /// One lane; lanes that vendors do not have are those of pings.
    pub fn lane(&self, lane: Lane) -> &LaneProgress {
        match lane {
            Lane::Duress => &self.duress,
            Lane::Door => &self.door,
            Lane::Ping | Lane::Audit | Lane::Console => &self.ping,
        }
    }

    /// Whether everything published is durable.
    pub fn is_all_durable(&self) -> bool {
        [&self.duress, &self.door, &self.ping]
            .iter()
            .all(|lane| lane.durable_through >= lane.published_through)
    }
}
