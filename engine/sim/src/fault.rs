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
    /// A writing of history fails; it may be there all the same.
    HistoryFails,
    /// There is no room for history, told or not.
    HistoryFull,
    /// A writing of history takes some seconds.
    HistoryStall,
    /// The node is killed, or its power goes, in the middle of a writing of history.
    HistoryCut,
    /// History is found damaged at the next start.
    HistoryDamaged,
    /// History is gone at the next start.
    HistoryLost,
    /// The node is started without history for a while, and lets its journal go meanwhile.
    HistoryOff,
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

/// The same for history. They have a chance of their own, so that a world without them is the same one.
const OF_HISTORY: [(Fault, u64); 7] = [
    (Fault::HistoryFails, 250),
    (Fault::HistoryFull, 150),
    (Fault::HistoryStall, 250),
    (Fault::HistoryCut, 200),
    (Fault::HistoryDamaged, 120),
    (Fault::HistoryLost, 100),
    (Fault::HistoryOff, 150),
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
            Fault::HistoryFails => "history write fails",
            Fault::HistoryFull => "history full",
            Fault::HistoryStall => "history stall",
            Fault::HistoryCut => "history cut short",
            Fault::HistoryDamaged => "history damaged",
            Fault::HistoryLost => "history lost",
            Fault::HistoryOff => "history off",
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

    /// Whether it is of history and leaves everything else as it is.
    pub(crate) fn is_of_history_alone(self) -> bool {
        matches!(self, Fault::HistoryFails | Fault::HistoryFull | Fault::HistoryStall)
    }

    /// All of them, with how many runs of a thousand have each.
    pub fn probabilities() -> impl Iterator<Item = (Fault, u64)> {
        PROBABILITIES.into_iter().chain(OF_HISTORY)
    }
}

/// The faults of a run and when each comes, in milliseconds, in order.
pub(crate) fn draw(chance: &mut Chance, until_ms: u64) -> Vec<(u64, Fault)> {
    draw_of(&PROBABILITIES, chance, until_ms)
}

/// The same of those of history.
pub(crate) fn draw_of_history(chance: &mut Chance, until_ms: u64) -> Vec<(u64, Fault)> {
    draw_of(&OF_HISTORY, chance, until_ms)
}

/// When a stall of history comes in a run that has one to see whether anybody waits: early enough for a writing
/// to follow.
pub(crate) fn draw_stall(chance: &mut Chance) -> u64 {
    chance.between(1_000, 12_000)
}

fn draw_of(from: &[(Fault, u64)], chance: &mut Chance, until_ms: u64) -> Vec<(u64, Fault)> {
    let mut drawn = Vec::new();
    for &(fault, permille) in from {
        if chance.happens(permille) {
            for _ in 0..chance.between(1, TIMES_MAX) {
                drawn.push((chance.between(1_000, until_ms), fault));
            }
        }
    }
    drawn.sort();
    drawn
}
