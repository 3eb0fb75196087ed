//! The journal's disk, which keeps for the model what the node gives up, with what history and
//! checkpoints had at that moment.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ach_engine_checkpoint::Shelf;
use ach_engine_journal::{Disk, SimDisk, SimFile, SimLock};
use ach_engine_store::{SimTables, Store};

/// How the names of segments end.
const SEGMENT_SUFFIX: &str = ".seg";

/// Why history has no say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// It is off.
    Off,
    /// The disk is full.
    Full,
}

/// A segment that was given up.
#[derive(Debug, Clone)]
pub(crate) struct GivenUp {
    pub name: String,
    pub bytes: Vec<u8>,
    /// History had everything up to this entry on its disk; 0 if it could not be read.
    pub history_through: u64,
    /// The checkpoints there were, by their entries.
    pub checkpoints: Vec<u64>,
    /// Why history had no say in it, if it had none.
    pub unasked: Option<Unasked>,
}

/// The disk. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct JournalDisk {
    /// What it is.
    pub sim: SimDisk,
    history: SimTables,
    is_history_off: Arc<AtomicBool>,
    /// Every time a segment was given up, on this medium or on one before it.
    given_up: Arc<Mutex<Vec<GivenUp>>>,
    /// What this medium says is given up. The journal notes that before it removes a file: one that a power cut
    /// brings back is read no more, and removed by the next start.
    gone: Arc<Mutex<BTreeSet<String>>>,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl JournalDisk {
    /// An empty one; history lies in these tables.
    pub(crate) fn new(sim: SimDisk, history: SimTables) -> JournalDisk {
        JournalDisk {
            sim,
            history,
            is_history_off: Arc::default(),
            given_up: Arc::default(),
            gone: Arc::default(),
        }
    }

    /// The same after a restart.
    pub(crate) fn with(&self, sim: SimDisk) -> JournalDisk {
        JournalDisk { sim, ..self.clone() }
    }

    /// Whether a node that works on it writes history.
    pub(crate) fn set_history_on(&self, is_on: bool) {
        self.is_history_off.store(!is_on, Ordering::SeqCst);
    }

    /// A copy of the medium as it is, to be put in its place one day.
    pub(crate) fn backup(&self, seed: u64) -> JournalDisk {
        let gone = locked(&self.gone).clone();
        JournalDisk { sim: self.sim.fork(seed), gone: Arc::new(Mutex::new(gone)), ..self.clone() }
    }

    /// Every time a segment was given up, in order.
    pub(crate) fn all_given_up(&self) -> Vec<GivenUp> {
        locked(&self.given_up).clone()
    }

    /// What was given up of the journal that is there, each segment once: those before its first.
    pub(crate) fn given_up(&self) -> Vec<GivenUp> {
        let names = self.sim.fork(0).list().unwrap_or_default();
        let first = names.into_iter().find(|name| name.ends_with(SEGMENT_SUFFIX));
        // Of one that was given up again after a backup was put back the last is of this journal.
        let by_name: BTreeMap<String, GivenUp> =
            self.all_given_up().into_iter().map(|it| (it.name.clone(), it)).collect();
        let mut given_up: Vec<GivenUp> = by_name.into_values().collect();
        given_up.retain(|it| first.as_ref().is_none_or(|on| it.name < *on));
        given_up
    }

    /// Changes what was kept of a segment.
    pub(crate) fn mend_given_up(&self, name: &str, mend: impl Fn(&mut Vec<u8>)) {
        let mut given_up = locked(&self.given_up);
        given_up.iter_mut().filter(|it| it.name == name).for_each(|it| mend(&mut it.bytes));
    }

    fn unasked(&self) -> Option<Unasked> {
        if self.sim.free_bytes().is_ok_and(|free_bytes| free_bytes == 0) {
            Some(Unasked::Full)
        } else {
            self.is_history_off.load(Ordering::SeqCst).then_some(Unasked::Off)
        }
    }

    fn note(&self, name: &str) {
        let names = self.sim.list().unwrap_or_default();
        // The last one is not given up but was begun and never used.
        let is_followed =
            names.iter().any(|other| other.as_str() > name && other.ends_with(SEGMENT_SUFFIX));
        let bytes = self.sim.contents(name);
        if !is_followed || bytes.is_empty() || !locked(&self.gone).insert(name.to_owned()) {
            return;
        }
        let through = Store::open_simulated(&self.history.fork()).and_then(|it| it.through());
        let shelved = Shelf::new(self.sim.clone()).list().unwrap_or_default();
        locked(&self.given_up).push(GivenUp {
            name: name.to_owned(),
            bytes,
            history_through: through.unwrap_or(0),
            checkpoints: shelved.iter().map(|one| one.index).collect(),
            unasked: self.unasked(),
        });
    }
}

impl Disk for JournalDisk {
    type File = SimFile;
    type Lock = SimLock;

    fn lock(&self) -> io::Result<SimLock> {
        self.sim.lock()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.sim.list()
    }

    fn create(&self, name: &str, len_bytes: u64) -> io::Result<SimFile> {
        self.sim.create(name, len_bytes)
    }

    fn open(&self, name: &str) -> io::Result<SimFile> {
        self.sim.open(name)
    }

    fn open_reading(&self, name: &str) -> io::Result<SimFile> {
        self.sim.open_reading(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.sim.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        // Before it is tried: a power cut in the middle may have removed it.
        if name.ends_with(SEGMENT_SUFFIX) {
            self.note(name);
        }
        self.sim.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.sim.sync_dir()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.sim.free_bytes()
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Timestamp;
    use ach_engine_shard::{Entry, Input};
    use ach_engine_store::HistoryWriter;

    use super::*;

    const FIRST: &str = "000001.seg";

    fn write(disk: &JournalDisk, name: &str) {
        disk.create(name, 64).unwrap();
        disk.sync_dir().unwrap();
    }

    /// Three entries in history.
    fn remember(tables: &SimTables) {
        let mut writer = HistoryWriter::open(Store::open_simulated(tables).unwrap()).unwrap();
        for index in 1..=3 {
            let (at, inputs) = (Timestamp(index), vec![Input::Tick]);
            let entry =
                Entry { index, at, site_version: 0, logic_version: 1, inputs, effects_hash: 0 };
            writer.take(&entry, &[], None).unwrap();
        }
        writer.flush().unwrap();
    }

    fn notes(disk: &JournalDisk) -> Vec<(String, u64)> {
        let notes = disk.all_given_up();
        notes.into_iter().map(|it| (it.name, it.history_through)).collect()
    }

    /// A disk with two segments, of which the first was given up with three entries in history, and a
    /// backup from before.
    fn given_up() -> (JournalDisk, JournalDisk, SimTables) {
        let tables = SimTables::default();
        let disk = JournalDisk::new(SimDisk::new(1, 1 << 20), tables.clone());
        write(&disk, FIRST);
        write(&disk, "000002.seg");
        remember(&tables);
        let backup = disk.backup(2);
        disk.remove(FIRST).unwrap();
        assert_eq!(notes(&disk), [(FIRST.to_owned(), 3)]);
        (disk, backup, tables)
    }

    #[test]
    fn a_segment_that_a_backup_brings_back_is_given_up_a_second_time() {
        let (_, disk, tables) = given_up();
        tables.lose();
        disk.remove(FIRST).unwrap();
        assert_eq!(notes(&disk), [(FIRST.to_owned(), 3), (FIRST.to_owned(), 0)]);
        assert_eq!(disk.given_up().len(), 1, "its entries are there once");
    }

    #[test]
    fn one_that_a_power_cut_brings_back_was_given_up_before() {
        let (disk, _, tables) = given_up();
        disk.sim.cut_power();
        let disk = disk.with(disk.sim.power_on());
        if disk.sim.contents(FIRST).is_empty() {
            write(&disk, FIRST);
        }
        tables.lose();
        disk.remove(FIRST).unwrap();
        assert_eq!(notes(&disk), [(FIRST.to_owned(), 3)]);
    }

    #[test]
    fn a_damaged_history_has_nothing() {
        let (_, disk, tables) = given_up();
        tables.damage();
        disk.remove(FIRST).unwrap();
        assert_eq!(notes(&disk).last(), Some(&(FIRST.to_owned(), 0)));
    }

    #[test]
    fn the_last_segment_is_not_given_up() {
        let (disk, _, _) = given_up();
        disk.remove("000002.seg").unwrap();
        assert_eq!(notes(&disk).len(), 1);
    }
}
