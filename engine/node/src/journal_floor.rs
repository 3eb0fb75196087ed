//! From where on the journal is still wanted, and where an entry lies in it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// From which record on the journal is wanted. What lies before may be given up, a segment at a time.
///
/// Two have a say: checkpoints, which a start needs the journal after, and an archive, which wants
/// what it does not have yet. Without an archive only checkpoints count.
#[derive(Debug)]
pub(crate) struct JournalFloor {
    checkpoint_lsn: AtomicU64,
    archive_lsn: AtomicU64,
}

impl JournalFloor {
    /// Everything is wanted.
    pub(crate) fn new() -> JournalFloor {
        JournalFloor { checkpoint_lsn: AtomicU64::new(0), archive_lsn: AtomicU64::new(u64::MAX) }
    }

    /// Everything is wanted for ever, whatever checkpoints there are.
    pub(crate) fn keep_all(&self) {
        self.archive_lsn.store(0, Ordering::Release);
    }

    /// The older of the two checkpoints that are kept follows this record.
    pub(crate) fn raise(&self, lsn: u64) {
        self.checkpoint_lsn.fetch_max(lsn, Ordering::AcqRel);
    }

    /// The first record that is still wanted.
    pub(crate) fn lsn(&self) -> u64 {
        let checkpoint = self.checkpoint_lsn.load(Ordering::Acquire);
        checkpoint.min(self.archive_lsn.load(Ordering::Acquire))
    }
}

/// Where an entry lies in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The entry.
    pub index: u64,
    /// Its record.
    pub lsn: u64,
    /// The hash of its bytes.
    pub entry_hash: u128,
    /// The chain of all entries up to it.
    pub chain: u128,
}

/// How long a wait for a position lasts before it is asked whether there is any use in waiting.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The position of the last entry a checkpoint asked for, once it is on disk.
#[derive(Debug, Default)]
pub(crate) struct Pin {
    position: Mutex<Option<Position>>,
    changed: Condvar,
}

impl Pin {
    /// That entry is on disk.
    pub(crate) fn set(&self, position: Position) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = Some(position);
        self.changed.notify_all();
    }

    /// Where that entry lies, if it was asked for last and is on disk.
    pub(crate) fn find(&self, index: u64) -> Option<Position> {
        let position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        position.filter(|found| found.index == index)
    }

    /// Waits until an entry is on disk; `None` when `is_hopeless` says that it never will be.
    pub(crate) fn wait(&self, index: u64, is_hopeless: impl Fn() -> bool) -> Option<Position> {
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = position.filter(|found| found.index == index) {
                return Some(found);
            }
            if is_hopeless() {
                return None;
            }
            let waited = self.changed.wait_timeout(position, LOOK_AGAIN);
            position = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
