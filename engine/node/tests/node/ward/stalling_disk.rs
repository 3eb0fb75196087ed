//! A disk that can be made not to answer, for as long as a test wants.

use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex};

use ach_engine_journal::{Disk, DiskFile, SimDisk};

/// Whether the disk answers.
#[derive(Default)]
struct Gate {
    is_stalled: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let is_stalled = self.is_stalled.lock().unwrap();
        drop(self.changed.wait_while(is_stalled, |is_stalled| *is_stalled).unwrap());
    }

    fn set(&self, is_stalled: bool) {
        *self.is_stalled.lock().unwrap() = is_stalled;
        self.changed.notify_all();
    }
}

/// A simulated disk whose syncs wait while it is stalled. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct StallingDisk {
    disk: SimDisk,
    gate: Arc<Gate>,
}

impl StallingDisk {
    pub(crate) fn new(disk: SimDisk) -> StallingDisk {
        StallingDisk { disk, gate: Arc::default() }
    }

    /// From now on no sync returns.
    pub(crate) fn stall(&self) {
        self.gate.set(true);
    }

    /// All syncs return, and go on as before.
    pub(crate) fn go_on(&self) {
        self.gate.set(false);
    }

    fn file(&self, file: <SimDisk as Disk>::File) -> StallingFile {
        StallingFile { file, gate: self.gate.clone() }
    }
}

impl fmt::Debug for StallingDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StallingDisk").finish_non_exhaustive()
    }
}

impl Disk for StallingDisk {
    type File = StallingFile;
    type Lock = <SimDisk as Disk>::Lock;

    fn lock(&self) -> io::Result<Self::Lock> {
        self.disk.lock()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str, len_bytes: u64) -> io::Result<Self::File> {
        self.disk.create(name, len_bytes).map(|file| self.file(file))
    }

    fn open(&self, name: &str) -> io::Result<Self::File> {
        self.disk.open(name).map(|file| self.file(file))
    }

    fn open_reading(&self, name: &str) -> io::Result<Self::File> {
        self.disk.open_reading(name).map(|file| self.file(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.gate.pass();
        self.disk.sync_dir()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }
}

/// A file of a [`StallingDisk`].
pub(crate) struct StallingFile {
    file: <SimDisk as Disk>::File,
    gate: Arc<Gate>,
}

impl fmt::Debug for StallingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StallingFile").finish_non_exhaustive()
    }
}

impl DiskFile for StallingFile {
    fn len_bytes(&self) -> io::Result<u64> {
        self.file.len_bytes()
    }

    fn set_len(&self, len_bytes: u64) -> io::Result<()> {
        self.file.set_len(len_bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.gate.pass();
        self.file.sync()
    }
}
