//! A simulated disk that refuses what it is told to refuse, in ways that need another user or a quota on a
//! real one.

use std::io;
use std::sync::{Arc, Mutex};

use ach_engine_journal::{Disk, DiskFile, SimDisk, SimFile, SimLock};

/// What it refuses.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mood {
    /// What others have laid down may not be read.
    pub(crate) is_blind: bool,
    /// The folder cannot be listed.
    pub(crate) is_unlisted: bool,
    /// What was taken in cannot be removed.
    pub(crate) keeps_all: bool,
    /// The quota ends so many bytes into each write.
    pub(crate) quota_bytes: Option<usize>,
}

/// The disk.
#[derive(Debug, Clone)]
pub(crate) struct MoodyDisk {
    disk: SimDisk,
    mood: Arc<Mutex<Mood>>,
}

/// A file of it.
#[derive(Debug)]
pub(crate) struct MoodyFile {
    file: SimFile,
    mood: Arc<Mutex<Mood>>,
}

impl MoodyDisk {
    pub(crate) fn over(disk: &SimDisk) -> MoodyDisk {
        MoodyDisk { disk: disk.clone(), mood: Arc::default() }
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    fn file(&self, file: SimFile) -> MoodyFile {
        MoodyFile { file, mood: self.mood.clone() }
    }
}

fn denied() -> io::Error {
    io::Error::from(io::ErrorKind::PermissionDenied)
}

impl Disk for MoodyDisk {
    type File = MoodyFile;
    type Lock = SimLock;

    fn lock(&self) -> io::Result<SimLock> {
        self.disk.lock()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        if self.mood().is_unlisted {
            Err(io::Error::other("too many files"))
        } else {
            self.disk.list()
        }
    }

    fn create(&self, name: &str, len_bytes: u64) -> io::Result<MoodyFile> {
        self.disk.create(name, len_bytes).map(|file| self.file(file))
    }

    fn open(&self, name: &str) -> io::Result<MoodyFile> {
        self.disk.open(name).map(|file| self.file(file))
    }

    fn open_reading(&self, name: &str) -> io::Result<MoodyFile> {
        if self.mood().is_blind && name.strip_suffix(".in").is_some() {
            return Err(denied());
        }
        self.disk.open_reading(name).map(|file| self.file(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        if self.mood().keeps_all { Err(denied()) } else { self.disk.remove(name) }
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }
}

impl DiskFile for MoodyFile {
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
        match self.mood.lock().unwrap().quota_bytes {
            Some(quota) if bytes.len() > quota => {
                self.file.write_at(offset, &bytes[..quota])?;
                Err(io::Error::from(io::ErrorKind::QuotaExceeded))
            }
            _ => self.file.write_at(offset, bytes),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}
