//! From where on the journal is still wanted, and where an entry lies in it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::checkpoint_store::Good;
use crate::planted::{PlantedBug, is_planted};

/// Checkpoints whose place is remembered while something else still wants the journal before them: 128
/// GiB of it at the default distance. Beyond that more is kept than must be.
const GOOD_MAX: usize = 4_096;

/// From which record on the journal is wanted. What lies before may be given up, a segment at a time.
///
/// Three have a say. A start needs the journal after the older of its two checkpoints. History needs it
/// after a checkpoint before what it has written, so that it can go on after a crash. Archives need what
/// they do not have yet. The floor is always the place of a checkpoint.
#[derive(Debug)]
pub(crate) struct JournalFloor {
    lsn: AtomicU64,
    wants: Mutex<Wants>,
}

#[derive(Debug, Default)]
struct Wants {
    is_all_kept: bool,
    /// Whether it is not yet known who has a say.
    is_undecided: bool,
    /// Checkpoints that were good, by their entry.
    good: Vec<Good>,
    /// The older of the two that a start uses.
    start: Option<Good>,
    /// What history has written; `None` if the node writes none.
    written_index: Option<u64>,
    /// What is archived; `None` if nothing is to be.
    archived_index: Option<u64>,
}

impl Wants {
    fn lsn(&mut self) -> u64 {
        let Some(start) = self.start.filter(|_| !self.is_all_kept && !self.is_undecided) else {
            return 0;
        };
        let written_index = self.written_index.filter(|_| !is_planted(PlantedBug::HistoryNotAsked));
        let wanted = [written_index, self.archived_index].into_iter().flatten();
        let index = wanted.fold(start.index, u64::min);
        let Some(floor) = self.good.iter().rfind(|good| good.index <= index).copied() else {
            return 0;
        };
        self.good.retain(|good| good.index >= floor.index);
        floor.lsn
    }
}

impl JournalFloor {
    /// Everything is wanted.
    pub(crate) fn new() -> JournalFloor {
        JournalFloor { lsn: AtomicU64::new(0), wants: Mutex::default() }
    }

    /// The same at a start: nothing is given up before everybody who has a say was asked, until
    /// [`JournalFloor::decide`].
    pub(crate) fn undecided() -> JournalFloor {
        let floor = JournalFloor::new();
        floor.change(|wants| wants.is_undecided = true);
        floor
    }

    /// Whoever has a say has said that he has.
    pub(crate) fn decide(&self) {
        self.change(|wants| wants.is_undecided = false);
    }

    fn change(&self, change: impl FnOnce(&mut Wants)) {
        let mut wants = self.wants.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut wants);
        // What was given up does not come back.
        self.lsn.fetch_max(wants.lsn(), Ordering::AcqRel);
    }

    fn look<T>(&self, look: impl FnOnce(&Wants) -> T) -> T {
        look(&self.wants.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything is wanted for ever, whatever checkpoints there are.
    pub(crate) fn keep_all(&self) {
        self.change(|wants| wants.is_all_kept = true);
    }

    /// History has written everything up to this entry.
    pub(crate) fn history_has(&self, index: u64) {
        self.change(|wants| wants.written_index = Some(index));
    }

    /// Everything up to this entry is archived.
    pub(crate) fn archives_have(&self, index: u64) {
        self.change(|wants| wants.archived_index = Some(index));
    }

    /// These are the good checkpoints now, the newest first.
    pub(crate) fn raise(&self, good: &[Good]) {
        self.change(|wants| {
            wants.good.extend(
                good.iter().filter(|it| !wants.good.contains(it)).copied().collect::<Vec<_>>(),
            );
            wants.good.sort_unstable_by_key(|good| good.index);
            if wants.good.len() > GOOD_MAX {
                wants.good.remove(1);
            }
            wants.start = good.get(1).copied().or(wants.start);
        });
    }

    /// Adds to the checkpoints that are `kept` the one of those that lie there, the newest first, from which
    /// history goes on; in the same moment the others are of no more use, for they will be removed.
    pub(crate) fn shelve(&self, shelved: &[u64], kept: &mut Vec<u64>) {
        self.change(|wants| {
            if let Some(written_index) = wants.written_index {
                // The oldest, while history has not said what it has, and for one that is to begin where
                // nobody has what was before.
                let before = shelved.iter().find(|&&index| index <= written_index);
                kept.extend(before.or(shelved.last()));
            }
            wants.good.retain(|good| kept.contains(&good.index));
        });
    }

    /// What history has written, if the node writes any.
    pub(crate) fn written_index(&self) -> Option<u64> {
        self.look(|wants| wants.written_index)
    }

    /// The checkpoint up to which no start needs the journal: what may be archived.
    pub(crate) fn archivable(&self) -> Option<Good> {
        self.look(|wants| wants.start)
    }

    /// The first record that is still wanted.
    pub(crate) fn lsn(&self) -> u64 {
        self.lsn.load(Ordering::Acquire)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn good(index: u64) -> Good {
        Good { index, lsn: index * 10 }
    }

    #[test]
    fn a_start_alone_needs_the_journal_after_its_older_checkpoint() {
        let floor = JournalFloor::new();
        floor.raise(&[good(5)]);
        assert_eq!(floor.lsn(), 0, "there is no older one");
        floor.raise(&[good(9), good(5)]);
        assert_eq!((floor.lsn(), floor.archivable()), (50, Some(good(5))));
    }

    #[test]
    fn what_history_and_archives_do_not_have_is_wanted_from_a_checkpoint_on() {
        let floor = JournalFloor::new();
        floor.history_has(0);
        floor.archives_have(0);
        for index in [5, 9, 14, 20] {
            floor.raise(&[good(index), good(index.saturating_sub(5))]);
        }
        assert_eq!(floor.lsn(), 0);
        floor.history_has(13);
        assert_eq!(floor.lsn(), 0, "nothing is archived");
        floor.archives_have(15);
        assert_eq!(floor.lsn(), 90, "history goes on from the checkpoint of entry 9");
        floor.history_has(40);
        assert_eq!(floor.lsn(), 150, "a start needs what is after entry 15");
        // A history that begins anew wants back nothing that is gone, and nothing more goes.
        floor.history_has(0);
        floor.raise(&[good(30), good(20)]);
        assert_eq!(floor.lsn(), 150);
    }

    #[test]
    fn a_checkpoint_that_was_removed_is_no_floor() {
        let floor = JournalFloor::new();
        floor.history_has(57);
        floor.raise(&[good(62), good(31)]);
        let mut kept = vec![124, 93];
        floor.shelve(&[124, 93, 62, 31], &mut kept);
        assert_eq!(kept, [124, 93, 31]);
        floor.raise(&[good(124), good(93)]);
        floor.history_has(65);
        assert_eq!(floor.lsn(), 310, "history can go on from the checkpoint of entry 31 alone");
        floor.history_has(100);
        assert_eq!(floor.lsn(), 930);
    }

    #[test]
    fn a_start_gives_up_nothing_before_history_was_asked() {
        let floor = JournalFloor::undecided();
        floor.raise(&[good(9), good(5)]);
        floor.history_has(0);
        floor.decide();
        assert_eq!(floor.lsn(), 0, "history has nothing yet");
        floor.history_has(7);
        assert_eq!(floor.lsn(), 50);
        let floor = JournalFloor::undecided();
        floor.raise(&[good(9), good(5)]);
        assert_eq!(floor.lsn(), 0);
        floor.decide();
        assert_eq!(floor.lsn(), 50, "there is neither history nor archive");
    }

    #[test]
    fn a_journal_that_is_kept_has_no_floor() {
        let floor = JournalFloor::new();
        floor.keep_all();
        floor.raise(&[good(9), good(5)]);
        assert_eq!(floor.lsn(), 0);
    }
}
