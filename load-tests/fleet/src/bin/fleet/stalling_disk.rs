//! A disk whose syncs can be made to wait, as a drive's do while it relocates a block or flushes its cache.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use ach_engine_journal::{Disk, DiskFile};

/// Whether the disk answers.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_stalled: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    /// From now on no sync returns, or all do.
    pub(crate) fn set(&self, is_stalled: bool) {
        *self.is_stalled.lock().unwrap_or_else(PoisonError::into_inner) = is_stalled;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let is_stalled = self.is_stalled.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = self.changed.wait_while(is_stalled, |is_stalled| *is_stalled);
        drop(passed.unwrap_or_else(PoisonError::into_inner));
    }
}

/// A disk behind a gate. Clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct StallingDisk<D> {
    disk: D,
    gate: Arc<Gate>,
}

/// A file on it.
#[derive(Debug)]
pub(crate) struct StallingFile<F> {
    file: F,
    gate: Arc<Gate>,
}

impl<D: Disk> StallingDisk<D> {
    /// A disk that answers as long as the gate is open.
    pub(crate) fn new(disk: D, gate: Arc<Gate>) -> StallingDisk<D> {
        StallingDisk { disk, gate }
    }

    fn file(&self, file: D::File) -> StallingFile<D::File> {
        StallingFile { file, gate: Arc::clone(&self.gate) }
    }
}

impl<D: Disk> Disk for StallingDisk<D> {
    type File = StallingFile<D::File>;
    type Lock = D::Lock;

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

impl<F: DiskFile> DiskFile for StallingFile<F> {
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{TryRecvError, channel};

    use ach_engine_journal::SimDisk;

    use super::*;

    #[test]
    fn a_sync_waits_until_the_gate_is_open_and_writes_do_not() {
        let gate = Arc::new(Gate::default());
        let disk = StallingDisk::new(SimDisk::new(1, 1 << 20), Arc::clone(&gate));
        let file = disk.create("it", 4_096).expect("a file");
        gate.set(true);
        file.write_at(0, b"written").expect("writes go on");
        let (done, is_done) = channel();
        let syncing = std::thread::spawn(move || {
            file.sync().expect("synced");
            done.send(()).expect("somebody waits");
        });
        assert_eq!(is_done.try_recv(), Err(TryRecvError::Empty));
        gate.set(false);
        is_done.recv().expect("it returns once the gate is open");
        syncing.join().expect("a thread");
    }
}
