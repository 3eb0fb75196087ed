//! From where on the journal is still wanted, and where an entry lies in it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::checkpoint_store::Good;
use crate::planted::{PlantedBug, is_planted};

/// Places of checkpoints that are remembered while archives still want the journal before them: 128 GiB of it
/// at the default distance. Beyond that more is kept than must be.
const PLACES_MAX: usize = 4_096;

/// So many of the oldest checkpoints stay while history has nothing: it begins after the oldest of which the journal
/// has all that follows. Two may be older than that, the one that a history went on from which is lost, and after a
/// crash the one before: they go only when the next checkpoint is made.
const BEGINNINGS_KEPT: usize = 3;

/// From which record on the journal is wanted. What lies before may be given up, a segment at a time.
///
/// Three have a say. A start needs the journal after the older of its two checkpoints. History needs it
/// after a checkpoint that lies there, before what it has written, so that it can go on after a crash. Archives
/// need what they do not have yet, and no checkpoint. The floor is always the place of a checkpoint. When the
/// journal is about to take the room that it keeps for itself, only a start has a say.
#[derive(Debug)]
pub(crate) struct JournalFloor {
    lsn: AtomicU64,
    wants: Mutex<Wants>,
    /// Whether history and archives have lost their say for want of room.
    gives_way: AtomicBool,
}

#[derive(Debug, Default)]
struct Wants {
    is_all_kept: bool,
    /// Whether it is not yet known who has a say.
    is_undecided: bool,
    gives_way: bool,
    /// Checkpoints that lie there, by their entry.
    good: Vec<Good>,
    /// Places of those that lay there once too, by their entry: those from which archives may be wanted.
    places: Vec<Good>,
    /// The older of the two that a start uses.
    start: Option<Good>,
    /// What history has written; `None` if the node writes none.
    written_index: Option<u64>,
    /// What is archived; `None` if nothing is to be.
    archived_index: Option<u64>,
}

/// The place of the last of these at or before an entry; without one everything is wanted.
fn place_before(places: &[Good], index: u64) -> u64 {
    places.iter().rfind(|good| good.index <= index).map_or(0, |good| good.lsn)
}

impl Wants {
    fn lsn(&mut self) -> u64 {
        let Some(start) = self.start.filter(|_| !self.is_all_kept && !self.is_undecided) else {
            return 0;
        };
        let has_say = |_: &u64| !self.gives_way;
        let written = self.written_index.filter(has_say);
        let written = written.filter(|_| !is_planted(PlantedBug::HistoryNotAsked));
        let written_lsn = written.map(|index| place_before(&self.good, index));
        let archived_lsn = self.archived_index.filter(has_say);
        let archived_lsn = archived_lsn.map(|index| place_before(&self.places, index));
        let floor = [written_lsn, archived_lsn].into_iter().flatten().fold(start.lsn, u64::min);
        self.places.retain(|place| place.lsn >= floor);
        floor
    }
}

impl JournalFloor {
    /// Everything is wanted.
    pub(crate) fn new() -> JournalFloor {
        JournalFloor {
            lsn: AtomicU64::new(0),
            wants: Mutex::default(),
            gives_way: AtomicBool::new(false),
        }
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

    /// Whether history and archives have no say for now, because the journal has no room but its own. Said by
    /// whoever writes the journal.
    pub(crate) fn give_way(&self, gives_way: bool) {
        if self.gives_way.swap(gives_way, Ordering::AcqRel) == gives_way {
            return;
        }
        let is_wanted = self.look(|wants| {
            !wants.is_all_kept && wants.written_index.or(wants.archived_index).is_some()
        });
        if gives_way && is_wanted {
            tracing::error!(
                "the journal's disk is nearly full: the journal goes before history and archives have it, so \
                 that storing goes on; make room"
            );
        }
        self.change(|wants| wants.gives_way = gives_way);
    }

    /// Whether they have none.
    pub(crate) fn has_given_way(&self) -> bool {
        self.gives_way.load(Ordering::Acquire)
    }

    /// These are the good checkpoints now, the newest first.
    pub(crate) fn raise(&self, good: &[Good]) {
        self.change(|wants| {
            for list in [&mut wants.good, &mut wants.places] {
                let new: Vec<Good> = good.iter().filter(|it| !list.contains(it)).copied().collect();
                list.extend(new);
                list.sort_unstable_by_key(|good| good.index);
            }
            if wants.places.len() > PLACES_MAX {
                wants.places.remove(1);
            }
            wants.start = good.get(1).copied().or(wants.start);
        });
    }

    /// Adds to the checkpoints that are `kept` the one of those that lie there, the newest first, from which
    /// history goes on; in the same moment history cannot rely on the others any more, for they will be removed.
    pub(crate) fn shelve(&self, shelved: &[u64], kept: &mut Vec<u64>) {
        self.change(|wants| {
            if let Some(written_index) = wants.written_index.filter(|_| !wants.gives_way) {
                if let Some(before) = shelved.iter().find(|&&index| index <= written_index) {
                    kept.push(*before);
                } else {
                    // History has not said what it has, or is to begin where nobody has what was before.
                    let oldest = shelved.iter().rev().take(BEGINNINGS_KEPT);
                    let more: Vec<u64> =
                        oldest.filter(|index| !kept.contains(index)).copied().collect();
                    kept.extend(more);
                }
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

    /// An archivist reads records where they lie and needs no checkpoint: one that is slower than checkpoints
    /// are made lets what it has go all the same.
    #[test]
    fn a_late_archivist_needs_the_places_of_checkpoints_and_not_themselves() {
        let floor = JournalFloor::new();
        floor.history_has(57);
        floor.archives_have(31);
        floor.raise(&[good(62), good(31)]);
        floor.raise(&[good(93), good(62)]);
        floor.history_has(130);
        floor.shelve(&[124, 93, 62, 31], &mut vec![124, 93]);
        floor.raise(&[good(124), good(93)]);
        assert_eq!(floor.lsn(), 310, "archives have no more");
        floor.archives_have(62);
        assert_eq!(floor.lsn(), 620, "although the checkpoint of entry 62 is gone");
        floor.archives_have(124);
        assert_eq!(floor.lsn(), 930, "a start needs what is after entry 93");
    }

    #[test]
    fn places_are_few_however_late_archives_are() {
        let floor = JournalFloor::new();
        floor.archives_have(0);
        for index in 1..=2 * 4_096 {
            floor.raise(&[good(index), good(index - 1)]);
            floor.shelve(&[], &mut vec![index, index - 1]);
        }
        assert_eq!(floor.look(|wants| (wants.places.len(), wants.good.len())), (PLACES_MAX, 2));
        floor.archives_have(2 * 4_096);
        assert_eq!(floor.lsn(), (2 * 4_096 - 1) * 10);
    }

    #[test]
    fn history_and_archives_have_no_say_while_the_journal_has_no_room() {
        let floor = JournalFloor::new();
        floor.history_has(0);
        floor.archives_have(0);
        floor.raise(&[good(9), good(5)]);
        assert_eq!(floor.lsn(), 0);
        floor.give_way(true);
        assert_eq!(floor.lsn(), 50, "what a start needs stays");
        let mut kept = vec![9, 5];
        floor.shelve(&[9, 5, 2], &mut kept);
        assert_eq!(kept, [9, 5], "nothing is kept for who has no say");
        floor.give_way(false);
        floor.raise(&[good(14), good(9)]);
        assert_eq!(floor.lsn(), 50, "they have it again");
        floor.archives_have(14);
        floor.history_has(9);
        assert_eq!(floor.lsn(), 90);
        let floor = JournalFloor::new();
        floor.keep_all();
        floor.raise(&[good(9), good(5)]);
        floor.give_way(true);
        assert_eq!(floor.lsn(), 0, "a journal that is kept is kept");
    }

    #[test]
    fn while_history_has_nothing_the_checkpoint_it_may_begin_after_stays() {
        let floor = JournalFloor::new();
        floor.history_has(0);
        let mut kept = vec![155, 124];
        floor.shelve(&[155, 124, 93, 62, 31], &mut kept);
        assert_eq!(kept, [155, 124, 31, 62, 93], "the journal may begin after any of them");
        let mut kept = vec![62, 31];
        floor.shelve(&[62, 31], &mut kept);
        assert_eq!(kept, [62, 31]);
        floor.history_has(70);
        let mut kept = vec![155, 124];
        floor.shelve(&[155, 124, 93, 62, 31], &mut kept);
        assert_eq!(kept, [155, 124, 62]);
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
