//! The faults: their names, how probable each is, and what is done.

use crate::chance::Chance;

/// What may go wrong. `docs/specs/faults.md` says what is expected of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Of a thousand packets so many are lost, for some seconds.
    LostPackets,
    /// A bit of some packets is wrong.
    BentPackets,
    /// Every packet takes a fifth of a second longer.
    SlowNetwork,
    /// Packets overtake each other.
    ReorderedPackets,
    /// Vendor and node do not hear each other, for less time than a connection lives.
    Partition,
    /// The node does not hear the vendor, who hears the node.
    OneWayPartition,
    /// Vendor and node do not hear each other for so long that the connection breaks, wherever in a
    /// frame it is.
    ConnectionCut,
    /// The receiver reads nothing for some seconds.
    SlowReceiver,
    /// The node's process is killed.
    NodeKilled,
    /// The node's machine loses power: pages that were not synced are kept, lost or torn.
    PowerLost,
    /// The power goes in the middle of a write or sync.
    TornWrite,
    /// A bit on the node's disk is wrong when it starts again; a backup is put back if it must be.
    FlippedBit,
    /// A write or sync fails.
    DiskError,
    /// The disk is full.
    DiskFull,
    /// The disk does not answer for a second.
    DiskStall,
    /// The node's clock is set an hour forward or back.
    ClockJump,
    /// The machines sleep for half a minute.
    Suspend,
    /// The vendor's process dies and comes back.
    VendorKilled,
    /// The vendor sends again what it sent, and what is long over, under new numbers.
    DuplicateInputs,
}

/// A fault, and how many runs of a thousand have it.
const PROBABILITIES: [(Fault, u64); 19] = [
    (Fault::LostPackets, 350),
    (Fault::BentPackets, 200),
    (Fault::SlowNetwork, 200),
    (Fault::ReorderedPackets, 250),
    (Fault::Partition, 250),
    (Fault::OneWayPartition, 150),
    (Fault::ConnectionCut, 200),
    (Fault::SlowReceiver, 200),
    (Fault::NodeKilled, 400),
    (Fault::PowerLost, 400),
    (Fault::TornWrite, 300),
    (Fault::FlippedBit, 80),
    (Fault::DiskError, 120),
    (Fault::DiskFull, 80),
    (Fault::DiskStall, 250),
    (Fault::ClockJump, 200),
    (Fault::Suspend, 120),
    (Fault::VendorKilled, 250),
    (Fault::DuplicateInputs, 300),
];

/// Most times a fault that a run has comes.
const TIMES_MAX: u64 = 2;

impl Fault {
    /// Its name, as tables and reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Fault::LostPackets => "lost packets",
            Fault::BentPackets => "bent packets",
            Fault::SlowNetwork => "slow network",
            Fault::ReorderedPackets => "reordered packets",
            Fault::Partition => "partition",
            Fault::OneWayPartition => "one-way partition",
            Fault::ConnectionCut => "connection cut",
            Fault::SlowReceiver => "slow receiver",
            Fault::NodeKilled => "node killed",
            Fault::PowerLost => "power lost",
            Fault::TornWrite => "torn write",
            Fault::FlippedBit => "flipped bit",
            Fault::DiskError => "disk error",
            Fault::DiskFull => "disk full",
            Fault::DiskStall => "disk stall",
            Fault::ClockJump => "clock jump",
            Fault::Suspend => "suspend",
            Fault::VendorKilled => "vendor killed",
            Fault::DuplicateInputs => "duplicate inputs",
        }
    }

    /// Whether it is of the node's disk, where it may wait for an operation to strike.
    pub(crate) fn is_of_disk(self) -> bool {
        matches!(
            self,
            Fault::TornWrite
                | Fault::FlippedBit
                | Fault::DiskError
                | Fault::DiskFull
                | Fault::DiskStall
        )
    }

    /// All of them, with how many runs of a thousand have each.
    pub fn probabilities() -> impl Iterator<Item = (Fault, u64)> {
        PROBABILITIES.into_iter()
    }
}

/// The faults of a run and when each comes, in milliseconds, in order.
pub(crate) fn draw(chance: &mut Chance, until_ms: u64) -> Vec<(u64, Fault)> {
    let mut drawn = Vec::new();
    for (fault, permille) in PROBABILITIES {
        if chance.happens(permille) {
            for _ in 0..chance.between(1, TIMES_MAX) {
                drawn.push((chance.between(1_000, until_ms), fault));
            }
        }
    }
    drawn.sort();
    drawn
}
