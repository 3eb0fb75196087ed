//! The journal's disk, which keeps for the model what the node gives up, with what history and
//! checkpoints had at that moment.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ach_engine_checkpoint::Shelf;
use ach_engine_journal::{Disk, SimDisk, SimFile, SimLock};
use ach_engine_store::{SimTables, Store};

/// How the names of segments end.
const SEGMENT_SUFFIX: &str = ".seg";

/// A segment that was given up.
#[derive(Debug, Clone)]
pub(crate) struct GivenUp {
    pub name: String,
    pub bytes: Vec<u8>,
    /// History had everything up to this entry on its disk.
    pub history_through: u64,
    /// The checkpoints there were, by their entries.
    pub checkpoints: Vec<u64>,
}

/// The disk. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct JournalDisk {
    /// What it is.
    pub sim: SimDisk,
    history: SimTables,
    given_up: Arc<Mutex<Vec<GivenUp>>>,
}

impl JournalDisk {
    /// An empty one; history lies in these tables.
    pub(crate) fn new(sim: SimDisk, history: SimTables) -> JournalDisk {
        JournalDisk { sim, history, given_up: Arc::default() }
    }

    /// The same with another medium, or after a restart.
    pub(crate) fn with(&self, sim: SimDisk) -> JournalDisk {
        JournalDisk { sim, ..self.clone() }
    }

    /// What was given up, in order, each segment once: those before the first that is there. Others were
    /// begun and never used, or came back with a power cut.
    pub(crate) fn given_up(&self) -> Vec<GivenUp> {
        let names = self.sim.fork(0).list().unwrap_or_default();
        let first = names.into_iter().find(|name| name.ends_with(SEGMENT_SUFFIX));
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner).clone();
        given_up.retain(|it| !it.bytes.is_empty() && first.as_ref().is_none_or(|on| it.name < *on));
        given_up.sort_by(|one, other| one.name.cmp(&other.name));
        given_up.dedup_by(|later, first| later.name == first.name);
        given_up
    }

    /// Changes what was kept of a segment.
    pub(crate) fn mend_given_up(&self, name: &str, mend: impl Fn(&mut Vec<u8>)) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.iter_mut().filter(|it| it.name == name).for_each(|it| mend(&mut it.bytes));
    }

    fn note(&self, name: &str) {
        let bytes = self.sim.contents(name);
        let through = Store::open_simulated(&self.history.fork()).and_then(|it| it.through());
        let shelved = Shelf::new(self.sim.clone()).list().unwrap_or_default();
        let given_up = GivenUp {
            name: name.to_owned(),
            bytes,
            history_through: through.unwrap_or(0),
            checkpoints: shelved.iter().map(|one| one.index).collect(),
        };
        let mut all = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        // One of that name with other contents was begun by an earlier start and never used.
        all.retain(|it| it.name != given_up.name || it.bytes == given_up.bytes);
        all.push(given_up);
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
