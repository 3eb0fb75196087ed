//! Entries decided once more, for a history that has not taken them: after a crash, when it could not keep
//! up, when it is derived anew.
//!
//! A shard is restored from the nearest checkpoint before what is missing, beside the journal or beside the
//! archives, and decides what archives and journal have after it; its effects must be those that were
//! journaled. Nothing is locked, so a running node may be writing at the time.

mod following;
mod reading;
mod standing;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ach_actors_entities::Effect;
use ach_actors_model::Timestamp;
use ach_engine_checkpoint::{Shelf, read as read_checkpoint};
use ach_engine_journal::{
    Disk, FileDisk, Kek, KekRefused, Lsn, ReadError, Reader, Record, RecordKind,
};
use ach_engine_shard::{Entry, Shard};
use ach_engine_store::{ArchiveError, HistoryWriter, WriteError, archives};
use ach_engine_wire::{EntryError, decode_entry, entry_time};
use thiserror::Error;

pub use self::following::{Place, Standing};
use self::reading::{Cursor, ReadEnd};
use crate::planted::{PlantedBug, is_planted};

/// What the secret under which archives are wrapped is for.
pub(crate) const ARCHIVE_PURPOSE: &str = "archives of the journal";

/// Why entries could not be decided once more.
#[derive(Debug, Error)]
pub enum RereadError {
    /// History was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The journal could not be read.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The journal is damaged; what is before the damage was taken.
    #[error("the journal is damaged: {detail}; what follows is not told")]
    Damaged {
        /// Where and how.
        detail: String,
    },
    /// An entry cannot be decoded.
    #[error("entry {index} cannot be decoded ({source}); use the program that wrote it")]
    Undecodable {
        /// Which.
        index: u64,
        /// Why.
        source: EntryError,
    },
    /// Neither journal nor archives have what is next.
    #[error(
        "entry {expected} is next and neither the journal nor an archive has it, nor is there a checkpoint \
         behind it; put the archives back from your backup, or move the history away to begin a new one (and \
         remove the link, where `history` in the data directory is one)"
    )]
    Missing {
        /// The entry that is next.
        expected: u64,
    },
    /// This program decides an entry differently.
    #[error("entry {index} is decided differently by this program; use the one that runs the node")]
    Diverged {
        /// Which.
        index: u64,
    },
    /// An archive that is needed cannot be read.
    #[error("{}: {source}", file.display())]
    Archive {
        /// Which.
        file: PathBuf,
        /// Why.
        source: ArchiveError,
    },
    /// The checkpoints cannot be listed.
    #[error("the checkpoints cannot be listed: {0}")]
    Checkpoints(std::io::Error),
    /// A checkpoint cannot be read for now.
    #[error("the checkpoint of entry {index} cannot be read: {detail}; history waits for it")]
    Checkpoint {
        /// Of which entry.
        index: u64,
        /// Why.
        detail: String,
    },
    /// The library of cryptography refused.
    #[error("the cryptography failed; try again")]
    Cipher(#[from] KekRefused),
}

/// How often a reading may be overtaken by a node that archives and gives up meanwhile: each time it has
/// come further.
const OVERTAKEN_MAX: usize = 8;

/// Reads what a history has not taken.
#[derive(Debug)]
pub struct Rereading<D> {
    disk: D,
    kek: Kek,
    archives: PathBuf,
    at: Option<At>,
}

/// A shard somewhere in the past.
#[derive(Debug)]
struct At {
    shard: Shard,
    effects: Vec<Effect>,
    /// The record in the journal that was read last; none while archives are to be read first.
    lsn: Lsn,
}

/// Where a journal ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEnd {
    /// The last entry that can be read; 0 if there is none.
    pub index: u64,
    /// When that was made.
    pub at: Timestamp,
    /// What is wrong behind it: there were more.
    pub damage: Option<String>,
}

impl<D: Disk + Clone> Rereading<D> {
    /// Reads the journal and checkpoints on `disk`, and what is archived in a folder that need not exist.
    pub fn new(disk: D, kek: Kek, archives: &Path) -> Rereading<D> {
        Rereading { disk, kek, archives: archives.to_owned(), at: None }
    }

    /// The key under which journal and archives are.
    pub(crate) fn kek(&self) -> &Kek {
        &self.kek
    }

    /// Lets go of the shard it decides with. The next reading begins from a checkpoint again.
    pub(crate) fn rest(&mut self) {
        self.at = None;
    }

    /// The last entry of the journal that is whole, and what is wrong behind it in the last segment.
    ///
    /// # Errors
    ///
    /// See [`RereadError`].
    pub fn end(&self) -> Result<JournalEnd, RereadError> {
        let reader = Reader::new(self.disk.clone());
        // Two looks at the last segment alone: where it ends, and what lies there.
        let end = match reader.show_after(&self.kek, Lsn(u64::MAX), &mut |_| {}) {
            Err(ReadError::NoJournal) => {
                return Ok(JournalEnd { index: 0, at: Timestamp(0), damage: None });
            }
            end => end?,
        };
        let (mut index, mut at) = (0, Ok(Timestamp(0)));
        let before = Lsn(end.last_lsn.0.saturating_sub(1));
        reader.show_after(&self.kek, before, &mut |record| {
            if record.kind == RecordKind::Entry {
                (index, at) = (record.index, entry_time(record.payload));
            }
        })?;
        let at = at.map_err(|source| RereadError::Undecodable { index, source })?;
        let damage = end.damage.map(|it| format!("{} (LSN {})", it.harm, it.lsn));
        Ok(JournalEnd { index, at, damage })
    }

    /// When the journal says that an entry was made; `None` if it has that no more. What it has from the
    /// checkpoint before on is read, to that entry.
    ///
    /// # Errors
    ///
    /// See [`RereadError`].
    pub fn time_of(&self, index: u64) -> Result<Option<Timestamp>, RereadError> {
        if index == 0 {
            return Ok(None);
        }
        let shelved = Shelf::new(self.disk.clone()).list().map_err(RereadError::Checkpoints)?;
        // The newest first. Only where it lies is asked: it need not be good for a start.
        let before = shelved.iter().filter(|one| one.index < index);
        let seals =
            before.map(|one| read_checkpoint(&self.disk, one.index, &self.kek, &mut |_| true));
        let after = seals.flatten().next().map_or(0, |seal| seal.lsn);
        let mut found = None;
        let mut each = |record: Record<'_>| {
            if record.kind == RecordKind::Entry && record.index == index {
                found = Some(entry_time(record.payload));
            }
            if found.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        match Reader::new(self.disk.clone()).show_until(&self.kek, Lsn(after), &mut each) {
            Err(ReadError::NoJournal) | Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        found.transpose().map_err(|source| RereadError::Undecodable { index, source })
    }

    /// Has a writer take everything up to the entry `through`, or all there is. `goes_on` is asked after
    /// each entry. An empty history begins with the first entry, or where nobody has that any more after
    /// the oldest checkpoint there is; one that is not empty goes on behind what is missing, with a gap.
    ///
    /// # Errors
    ///
    /// See [`RereadError`]; what was taken before stays so.
    pub fn bring_up(
        &mut self,
        writer: &mut HistoryWriter,
        through: u64,
        goes_on: &mut dyn FnMut(&HistoryWriter) -> bool,
    ) -> Result<(), RereadError> {
        if writer.taken_through() >= through {
            return Ok(());
        }
        let mut at = match self.at.take() {
            Some(at) if at.shard.entry_index() <= writer.taken_through() => at,
            _ => self.stand(writer)?,
        };
        writer.must_follow(at.shard.entry_index(), at.shard.entry_at())?;
        for _ in 0..OVERTAKEN_MAX {
            let newest = self.newest_archived()?;
            let mut cursor = at.cursor();
            let read = self.read_on(&mut cursor, &mut |index, bytes| {
                at.take(index, bytes, writer)?;
                let is_over = !goes_on(writer) || writer.taken_through() >= through;
                Ok(if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            });
            at.lsn = cursor.lsn;
            let missing = match read {
                Err(RereadError::Missing { expected }) => expected,
                Err(error) => return Err(error),
                Ok(ReadEnd::Over { unread }) if through < u64::MAX => match unread {
                    Some(error) => return Err(error),
                    None => writer.taken_through().saturating_add(1),
                },
                Ok(ReadEnd::Over { .. } | ReadEnd::Stopped) => {
                    self.at = Some(at);
                    return Ok(());
                }
            };
            // What was archived and given up between the two readings is in the archives now.
            if self.newest_archived()? > newest {
                continue;
            }
            match self.behind_gap(writer, missing)? {
                Some(behind) => at = behind,
                None => return Err(RereadError::Missing { expected: missing }),
            }
            if writer.taken_through() >= through {
                self.at = Some(at);
                return Ok(());
            }
        }
        Err(RereadError::Missing { expected: writer.taken_through().saturating_add(1) })
    }

    /// The last entry that is archived; 0 for none.
    fn newest_archived(&self) -> Result<u64, RereadError> {
        let spans = archives(&self.archives);
        let spans =
            spans.map_err(|source| RereadError::Archive { file: self.archives.clone(), source })?;
        Ok(spans.last().map_or(0, |span| span.last_index))
    }
}

impl At {
    /// Where it goes on to read.
    fn cursor(&self) -> Cursor {
        Cursor { index: self.shard.entry_index(), lsn: self.lsn }
    }

    /// Decides on the next entry, and has it taken if the writer has not.
    fn take(
        &mut self,
        index: u64,
        bytes: &[u8],
        writer: &mut HistoryWriter,
    ) -> Result<(), RereadError> {
        let expected = self.shard.entry_index().saturating_add(1);
        if index != expected {
            return Err(RereadError::Missing { expected });
        }
        let entry =
            decode_entry(bytes).map_err(|source| RereadError::Undecodable { index, source })?;
        if entry.index != index || entry.at < self.shard.entry_at() {
            return Err(RereadError::Diverged { index });
        }
        self.effects.clear();
        if self.shard.step(&entry, &mut self.effects) != entry.effects_hash {
            return Err(RereadError::Diverged { index });
        }
        #[cfg(debug_assertions)]
        if is_planted(PlantedBug::HistoryGapSkipped) && index.is_multiple_of(5) {
            writer.leave_out(&entry);
            return Ok(());
        }
        if is_planted(PlantedBug::HistoryEntryEmptied) && index.is_multiple_of(5) {
            let emptied = Entry { inputs: Vec::new(), ..entry };
            writer.take(&emptied, &[], self.shard.site().map(AsRef::as_ref))?;
            return Ok(());
        }
        writer.take(&entry, &self.effects, self.shard.site().map(AsRef::as_ref))?;
        Ok(())
    }
}

/// The entries of the checkpoints beside archives; no folder holds none.
pub(crate) fn checkpoints_beside(archives: &Path) -> std::io::Result<Vec<u64>> {
    if !archives.exists() {
        return Ok(Vec::new());
    }
    let shelved = Shelf::new(FileDisk::existing(archives)?).list()?;
    Ok(shelved.iter().map(|one| one.index).collect())
}
