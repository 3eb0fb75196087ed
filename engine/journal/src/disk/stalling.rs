//! A disk whose syncs can be made to wait, as a drive's do while it relocates a block or flushes its cache.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::{Disk, DiskFile};

/// Whether a disk answers. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Stall(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_stalled: Mutex<bool>,
    changed: Condvar,
}

impl Stall {
    /// From now on no sync returns.
    pub fn begin(&self) {
        self.set(true);
    }

    /// All syncs return, and go on as before.
    pub fn end(&self) {
        self.set(false);
    }

    fn set(&self, is_stalled: bool) {
        *self.0.is_stalled.lock().unwrap_or_else(PoisonError::into_inner) = is_stalled;
        self.0.changed.notify_all();
    }

    fn pass(&self) {
        let is_stalled = self.0.is_stalled.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = self.0.changed.wait_while(is_stalled, |is_stalled| *is_stalled);
        drop(passed.unwrap_or_else(PoisonError::into_inner));
    }
}

/// A disk that can be made not to answer: for tests and measurements. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct StallingDisk<D> {
    disk: D,
    stall: Stall,
}

/// A file on it.
#[derive(Debug)]
pub struct StallingFile<F> {
    file: F,
    stall: Stall,
}

impl<D: Disk> StallingDisk<D> {
    /// A disk that answers unless it is stalled.
    pub fn new(disk: D) -> StallingDisk<D> {
        StallingDisk::behind(disk, Stall::default())
    }

    /// A disk that stalls together with whatever else `stall` stalls.
    pub fn behind(disk: D, stall: Stall) -> StallingDisk<D> {
        StallingDisk { disk, stall }
    }

    /// From now on no sync returns.
    pub fn stall(&self) {
        self.stall.begin();
    }

    /// All syncs return, and go on as before.
    pub fn go_on(&self) {
        self.stall.end();
    }

    fn file(&self, file: D::File) -> StallingFile<D::File> {
        StallingFile { file, stall: self.stall.clone() }
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
        self.stall.pass();
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
        self.stall.pass();
        self.file.sync()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{TryRecvError, channel};

    use super::*;
    use crate::SimDisk;

    #[test]
    fn a_sync_waits_until_the_stall_is_over_and_writes_do_not() {
        let disk = StallingDisk::new(SimDisk::new(1, 1 << 20));
        let file = disk.create("it", 4_096).unwrap();
        disk.stall();
        file.write_at(0, b"written").unwrap();
        let (done, is_done) = channel();
        let syncing = std::thread::spawn(move || {
            file.sync().unwrap();
            done.send(()).unwrap();
        });
        assert_eq!(is_done.try_recv(), Err(TryRecvError::Empty));
        disk.go_on();
        is_done.recv().unwrap();
        syncing.join().unwrap();
    }

    #[test]
    fn it_is_a_disk_as_any_other() {
        crate::suite::run(|| (StallingDisk::new(SimDisk::new(1, 1 << 20)), ())).unwrap();
    }
}
