//! Bugs that are planted to see that they are found: a test of the tests.
//!
//! A build without debug assertions has none of this: [`is_planted`] is `false` there, and what hangs
//! on it is left out.

#[cfg(debug_assertions)]
use std::cell::Cell;

/// A bug that can be planted. What each does is said in `docs/specs/faults.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlantedBug {
    /// Entries count as on disk before they are synced.
    AckedBeforeSynced,
    /// A sync that failed counts as done.
    FailedSyncIgnored,
    /// Now and then a report is decided on and its entry not stored.
    EntryNotStored,
    /// The outage is not told to the shard after a restart.
    OutageNotTold,
    /// After a restart time begins at UTC, whatever was logged.
    TimeGoesBack,
    /// The open set is told without its last alarm.
    OpenSetCutShort,
    /// An alarm that is on disk is not told to be.
    DurableNotTold,
    /// Alarms are told under ids made of when their input arrived.
    IdFromTime,
    /// What was decided on is acknowledged as if it were on disk.
    AcceptedSaidDurable,
    /// What is refused is not counted.
    RefusedNotCounted,
    /// A failed writing of history counts as written.
    FailedHistoryCounts,
    /// When history catches up it is handed every fifth entry without what was heard with it.
    HistoryEntryEmptied,
    /// When history catches up it leaves out every fifth entry, and nobody looks for it.
    HistoryGapSkipped,
    /// The journal is given up without asking what history has.
    HistoryNotAsked,
    /// A history that is begun anew begins after the newest checkpoint.
    HistoryBeginsLate,
    /// History is handed pings without what they tell beside a place.
    HistoryBlursPings,
    /// History is handed alarms without what caused them.
    HistoryForgetsCauses,
    /// The shard waits while a writing of history takes its time.
    ShardWaitsForHistory,
}

impl PlantedBug {
    /// All of them.
    pub const ALL: [PlantedBug; 18] = [
        PlantedBug::AckedBeforeSynced,
        PlantedBug::FailedSyncIgnored,
        PlantedBug::EntryNotStored,
        PlantedBug::OutageNotTold,
        PlantedBug::TimeGoesBack,
        PlantedBug::OpenSetCutShort,
        PlantedBug::DurableNotTold,
        PlantedBug::IdFromTime,
        PlantedBug::AcceptedSaidDurable,
        PlantedBug::RefusedNotCounted,
        PlantedBug::FailedHistoryCounts,
        PlantedBug::HistoryEntryEmptied,
        PlantedBug::HistoryGapSkipped,
        PlantedBug::HistoryNotAsked,
        PlantedBug::HistoryBeginsLate,
        PlantedBug::HistoryBlursPings,
        PlantedBug::HistoryForgetsCauses,
        PlantedBug::ShardWaitsForHistory,
    ];
}

#[cfg(debug_assertions)]
thread_local! {
    static PLANTED: Cell<Option<PlantedBug>> = const { Cell::new(None) };
}

/// Plants a bug in all nodes that run on this thread, or digs it up. A build without debug
/// assertions does not have it.
#[cfg(debug_assertions)]
pub fn plant(bug: Option<PlantedBug>) {
    PLANTED.set(bug);
}

/// Whether the bug is planted.
#[inline]
pub(crate) fn is_planted(bug: PlantedBug) -> bool {
    #[cfg(debug_assertions)]
    let is_planted = PLANTED.get() == Some(bug);
    #[cfg(not(debug_assertions))]
    let is_planted = {
        let _ = bug;
        false
    };
    is_planted
}
