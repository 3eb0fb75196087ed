//! Records of those who do not have the log: a command that enrols somebody while a node runs lays its
//! record down beside the log, and who has the log takes it in.
//!
//! A record is laid down as a file of its own, `<16 hex digits of its time>-<16 random>.in`, synced
//! before it has that name. It is removed when it is in the log, so a crash in between puts it there
//! twice, with the same request number.

use std::io;

use ach_actors_model::Timestamp;
use ach_engine_journal::{Disk, DiskFile};

use crate::errors::{AppendError, CommitError};
use crate::log::Log;
use crate::record::{RECORD_BYTES_MAX, Record};

const SUFFIX: &str = ".in";

/// What is refused is kept under this ending, for whoever wants to know.
const REFUSED_SUFFIX: &str = ".refused";

/// Records taken in at once; the rest comes with the next call.
const COLLECTED_MAX: usize = 256;

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Records that are now in the log.
    pub count: usize,
    /// Files that hold no record. They were set aside.
    pub refused: usize,
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
    /// See [`CommitError`]; what was not taken in stays.
    pub fn collect(&mut self, at: Timestamp) -> Result<Collected, CommitError> {
        let listed = self.disk().list();
        let mut names = listed.map_err(|source| CommitError::Disk { verb: "list", source })?;
        names.retain(|name| name.ends_with(SUFFIX));
        names.sort();
        names.truncate(COLLECTED_MAX);
        let mut collected = Collected::default();
        let mut taken = Vec::new();
        for name in names {
            if let Some(bytes) = read(self.disk(), &name) {
                if self.take_in(&bytes, at)? {
                    taken.push(name);
                }
            } else {
                // One that cannot be set aside is met again, and said again.
                drop(self.disk().rename(&name, &format!("{name}{REFUSED_SUFFIX}")));
                collected.refused += 1;
            }
        }
        self.commit(at)?;
        collected.count = taken.len();
        for name in &taken {
            // One that stays is taken in twice, which is known from its request number.
            drop(self.disk().remove(name));
        }
        if !taken.is_empty() {
            drop(self.disk().sync_dir());
        }
        Ok(collected)
    }

    /// False when it must wait for the next call.
    fn take_in(&mut self, bytes: &[u8], at: Timestamp) -> Result<bool, CommitError> {
        let mut appended = self.append_bytes(bytes);
        if appended == Err(AppendError::GroupFull) {
            self.commit(at)?;
            appended = self.append_bytes(bytes);
        }
        match appended {
            Err(AppendError::Dead { verb }) => Err(CommitError::Dead { verb }),
            appended => Ok(appended.is_ok()),
        }
    }
}

/// The bytes of a record that was laid down; none when the file holds none.
fn read<D: Disk>(disk: &D, name: &str) -> Option<Vec<u8>> {
    let limit_bytes = u64::try_from(RECORD_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    disk.open_reading(name).ok()?.read_all(&mut bytes, limit_bytes).ok()?;
    Record::from_bytes(&bytes).is_ok().then_some(bytes)
}
