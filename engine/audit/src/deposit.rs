//! Records of those who do not have the log: a command that enrols somebody while a node runs lays its
//! record down beside the log, and who has the log takes it in.
//!
//! A record is laid down as a file of its own, `<16 hex digits of its time>-<16 random>.in`, synced
//! before it has that name. It is removed when it is in the log, so a crash in between puts it there
//! twice, with the same request number. One that cannot be read stays: what is in it is not known.

use std::io;

use ach_actors_model::Timestamp;
use ach_engine_journal::{Disk, DiskFile};

use crate::errors::{AppendError, CollectError, CommitError};
use crate::log::Log;
use crate::record::{RECORD_BYTES_MAX, Record, RecordError};

const SUFFIX: &str = ".in";

/// What is refused is kept under this ending, for whoever wants to know.
const REFUSED_SUFFIX: &str = ".refused";

/// Records taken in at once; the rest comes with the next call.
const COLLECTED_MAX: usize = 256;

/// Files looked at in one call. Beyond that somebody floods the folder, and what lies in front must be
/// taken away first.
const LOOKED_AT_MAX: usize = 4_096;

/// What was taken in.
#[derive(Debug, Default)]
pub struct Collected {
    /// Records that are now in the log.
    pub count: usize,
    /// Files that hold no record. They were set aside.
    pub refused: usize,
    /// Files that could not be read, or that a later version of this program wrote. They stay.
    pub left: usize,
    /// Why the first of them could not be read.
    pub why_left: Option<io::Error>,
}

/// Why a file was not taken in.
enum NotTaken {
    /// It holds no record.
    NoRecord,
    /// What it holds is not known.
    Unread(io::Error),
}

/// Lays a record down in the folder of a log. Returns once it survives a power cut.
///
/// # Errors
///
/// What the disk says, or that it is no record that can be kept.
pub fn deposit<D: Disk>(disk: &D, record: &Record) -> io::Result<()> {
    let bytes = record.to_bytes().map_err(io::Error::other)?;
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(io::Error::other)?;
    let name = format!("{:016x}-{:016x}", record.at.0, u64::from_le_bytes(random));
    let new = format!("{name}.new");
    let file = disk.create(&new, 0)?;
    file.write_at(0, &bytes)?;
    file.sync()?;
    disk.rename(&new, &format!("{name}{SUFFIX}"))?;
    disk.sync_dir()
}

impl<D: Disk> Log<D> {
    /// Takes in what was laid down beside the log, oldest first, and commits it.
    ///
    /// # Errors
    ///
    /// See [`CollectError`]; what was not taken in stays.
    pub fn collect(&mut self, at: Timestamp) -> Result<Collected, CollectError> {
        // What could not be written the last time first: nothing is taken in twice.
        self.commit(at)?;
        let mut collected = Collected { count: self.remove_taken(), ..Collected::default() };
        let mut names = self.disk().list().map_err(CollectError::List)?;
        names.retain(|name| name.ends_with(SUFFIX) && !self.taken.contains(name));
        names.sort();
        names.truncate(LOOKED_AT_MAX);
        let mut tried = 0;
        for name in names {
            if tried >= COLLECTED_MAX {
                break;
            }
            match read(self.disk(), &name) {
                Ok(bytes) => {
                    tried += 1;
                    self.take_in(name, &bytes, at)?;
                }
                Err(NotTaken::NoRecord) => {
                    // One that cannot be set aside is met again, and said again.
                    drop(self.disk().rename(&name, &format!("{name}{REFUSED_SUFFIX}")));
                    collected.refused += 1;
                }
                Err(NotTaken::Unread(why)) => {
                    collected.left += 1;
                    collected.why_left.get_or_insert(why);
                }
            }
        }
        self.commit(at)?;
        collected.count += self.remove_taken();
        Ok(collected)
    }

    /// Appends a record, to the next group when this one is full.
    fn take_in(&mut self, name: String, bytes: &[u8], at: Timestamp) -> Result<(), CommitError> {
        let mut appended = self.append_bytes(bytes);
        if appended == Err(AppendError::GroupFull) {
            self.commit(at)?;
            appended = self.append_bytes(bytes);
        }
        match appended {
            Err(AppendError::Dead { verb }) => Err(CommitError::Dead { verb }),
            Ok(_) => {
                self.in_group.push(name);
                Ok(())
            }
            // It waits for the next call.
            Err(AppendError::GroupFull | AppendError::Record(_)) => Ok(()),
        }
    }

    /// Removes the files of what is on disk, and says how many came there since the last call. One
    /// that cannot be removed is remembered, so that it is not taken in again.
    fn remove_taken(&mut self) -> usize {
        let mut left = std::mem::take(&mut self.taken);
        let before = left.len();
        left.retain(|name| match self.disk().remove(name) {
            Ok(()) => false,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        });
        if left.len() < before {
            // If the names come back with the power, they are there twice, with one request number.
            drop(self.disk().sync_dir());
        }
        self.taken = left;
        std::mem::take(&mut self.taken_count)
    }
}

/// The bytes of a record that was laid down.
fn read<D: Disk>(disk: &D, name: &str) -> Result<Vec<u8>, NotTaken> {
    let limit_bytes = u64::try_from(RECORD_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = disk.open_reading(name).and_then(|file| file.read_all(&mut bytes, limit_bytes));
    match read.map(|()| Record::from_bytes(&bytes).err()) {
        Ok(None) => Ok(bytes),
        // There will not be 256 versions: that is something else.
        Ok(Some(newer @ RecordError::Newer)) if bytes.get(1) == Some(&0) => {
            Err(NotTaken::Unread(io::Error::other(newer)))
        }
        Ok(Some(_)) => Err(NotTaken::NoRecord),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(NotTaken::NoRecord),
        Err(error) => Err(NotTaken::Unread(error)),
    }
}
