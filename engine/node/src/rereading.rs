//! Entries decided once more, for a history that has not taken them: after a crash, when it could not keep
//! up, when it is derived anew.
//!
//! A shard is restored from the nearest checkpoint before what is missing, beside the journal or beside the
//! archives, and decides what archives and journal have after it; its effects must be those that were
//! journaled. Nothing is locked, so a running node may be writing at the time.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ach_actors_entities::Effect;
use ach_actors_model::Timestamp;
use ach_engine_checkpoint::Shelf;
use ach_engine_journal::{
    Disk, FileDisk, Kek, KekRefused, Lsn, ReadError, Reader, Record, RecordKind,
};
use ach_engine_shard::{Entry, Shard};
use ach_engine_store::{
    ArchiveError, ArchiveReader, ArchiveSpan, HistoryWriter, WriteError, archives,
};
use ach_engine_wire::{EntryError, decode_entry, entry_time};
use thiserror::Error;

use crate::planted::{PlantedBug, is_planted};
use crate::proven_sites::ProvenSites;
use crate::restore::{prove, restore};

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
        "entry {expected} is next and neither the journal nor an archive has it; put the archives \
         back from your backup, or move the history away to begin a new one"
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
    /// What is wrong behind it: there were more.
    pub damage: Option<String>,
}

/// A checkpoint from which one may begin.
#[derive(Debug, Clone, Copy)]
struct Base {
    index: u64,
    is_beside_archives: bool,
}

impl<D: Disk + Clone> Rereading<D> {
    /// Reads the journal and checkpoints on `disk`, and what is archived in a folder that need not exist.
    pub fn new(disk: D, kek: Kek, archives: &Path) -> Rereading<D> {
        Rereading { disk, kek, archives: archives.to_owned(), at: None }
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
            Err(ReadError::NoJournal) => return Ok(JournalEnd { index: 0, damage: None }),
            end => end?,
        };
        let mut index = 0;
        let before = Lsn(end.last_lsn.0.saturating_sub(1));
        reader.show_after(&self.kek, before, &mut |record| index = record.index)?;
        let damage = end.damage.map(|it| format!("{} (LSN {})", it.harm, it.lsn));
        Ok(JournalEnd { index, damage })
    }

    /// When the journal says that an entry was made; `None` if it has that no more.
    ///
    /// # Errors
    ///
    /// See [`RereadError`].
    pub fn time_of(&self, index: u64) -> Result<Option<Timestamp>, RereadError> {
        let shelved = Shelf::new(self.disk.clone()).list().map_err(RereadError::Checkpoints)?;
        let before = shelved.iter().filter(|one| one.index < index);
        let mut proven = ProvenSites::default();
        let seals = before.map(|one| prove(&self.disk, one.index, &self.kek, &mut proven));
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
    /// the oldest checkpoint there is.
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
            let outcome = self.read_on(&mut at, writer, through, goes_on);
            // What was archived and given up between the two readings is in the archives now.
            let is_overtaken = matches!(outcome, Err(RereadError::Missing { .. }))
                && self.newest_archived()? > newest;
            if !is_overtaken {
                outcome?;
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

    /// Reads archives, then the journal.
    fn read_on(
        &self,
        at: &mut At,
        writer: &mut HistoryWriter,
        through: u64,
        goes_on: &mut dyn FnMut(&HistoryWriter) -> bool,
    ) -> Result<(), RereadError> {
        let mut is_over = false;
        // The journal may have given up what follows a checkpoint beside it.
        let archived =
            if self.oldest_lsn()?.is_none_or(|oldest| oldest > Lsn(at.lsn.0.saturating_add(1))) {
                self.read_archives(at, writer, through, &mut |writer| {
                    is_over = !goes_on(writer);
                    !is_over
                })
            } else {
                Ok(())
            };
        if is_over || writer.taken_through() >= through {
            return archived;
        }
        match self.read_journal(at, writer, through, goes_on) {
            // What the journal has not either is told by the archive that should have it.
            Err(RereadError::Missing { .. }) if archived.is_err() => archived,
            read => read,
        }
    }

    /// The first record that the journal has; `None` without a journal.
    fn oldest_lsn(&self) -> Result<Option<Lsn>, RereadError> {
        match Reader::new(self.disk.clone()).oldest_lsn() {
            Ok(lsn) => Ok(Some(lsn)),
            Err(ReadError::NoJournal) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The first entry from which on archives and journal have all up to the end.
    fn begins_at(&self, spans: &[ArchiveSpan]) -> Result<u64, RereadError> {
        let mut first = None;
        let mut each = |record: Record<'_>| {
            if record.kind == RecordKind::Entry && first.is_none() {
                first = Some(record.index);
            }
            if first.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        if let Some(oldest) = self.oldest_lsn()? {
            let before = Lsn(oldest.0.saturating_sub(1));
            Reader::new(self.disk.clone()).show_until(&self.kek, before, &mut each)?;
        }
        // Without an entry in either any checkpoint will do but none.
        let end = spans.last().map_or(2, |last| last.last_index.saturating_add(1));
        let mut begins_at = first.unwrap_or(end);
        for span in spans.iter().rev() {
            if span.last_index < begins_at.saturating_sub(1) {
                break;
            }
            begins_at = begins_at.min(span.first_index);
        }
        Ok(begins_at)
    }

    /// A shard as it was before what is next for a writer, or as soon after as there is a checkpoint of.
    fn stand(&self, writer: &mut HistoryWriter) -> Result<At, RereadError> {
        let bases = self.bases()?;
        let taken = writer.taken_through();
        for base in bases.iter().rev().filter(|base| base.index <= taken) {
            if let Some(at) = self.restored(*base) {
                return Ok(at);
            }
        }
        let spans = archives(&self.archives);
        let spans =
            spans.map_err(|source| RereadError::Archive { file: self.archives.clone(), source })?;
        let is_archived = spans.first().is_some_and(|span| span.first_index == 1);
        let is_whole = self.oldest_lsn()?.is_some_and(|oldest| oldest <= Lsn(1));
        let begins_at = if is_whole || (taken > 0 && is_archived) {
            1
        } else if taken > 0 {
            return Err(RereadError::Missing { expected: taken.saturating_add(1) });
        } else {
            self.begins_at(&spans)?
        };
        if begins_at == 1 {
            return Ok(At { shard: Shard::new(), effects: Vec::new(), lsn: Lsn::NONE });
        }
        // Behind the last gap: what lies before it could not be joined to what comes.
        let mut behind = bases.iter().filter(|base| base.index.saturating_add(1) >= begins_at);
        let at = behind.find_map(|base| self.restored(*base));
        let at = at.ok_or(RereadError::Missing { expected: 1 })?;
        let index = at.shard.entry_index();
        let left_out = spans.iter().filter(|span| span.last_index < begins_at).count();
        tracing::warn!(
            index,
            left_out,
            "history begins after this entry: what was before is gone, or only in archives that \
             nothing joins to it"
        );
        writer.begin_after(&at.shard)?;
        Ok(at)
    }

    /// Every checkpoint there is, by its entry.
    fn bases(&self) -> Result<Vec<Base>, RereadError> {
        let of = |indexes: Vec<u64>, is_beside_archives| {
            indexes.into_iter().map(move |index| Base { index, is_beside_archives })
        };
        let shelved = Shelf::new(self.disk.clone()).list().map_err(RereadError::Checkpoints)?;
        let shelved = shelved.iter().map(|one| one.index).collect();
        let kept = checkpoints_beside(&self.archives).map_err(RereadError::Checkpoints)?;
        let mut bases: Vec<Base> = of(shelved, false).chain(of(kept, true)).collect();
        // Of two alike the one beside the journal is the nearer one.
        bases.sort_unstable_by_key(|base| (base.index, !base.is_beside_archives));
        Ok(bases)
    }

    fn restored(&self, base: Base) -> Option<At> {
        let restored = if base.is_beside_archives {
            let disk = FileDisk::existing(&self.archives).ok()?;
            restore(&disk, base.index, &self.kek)
        } else {
            restore(&self.disk, base.index, &self.kek)
        };
        match restored {
            Ok(restored) => {
                let lsn = if base.is_beside_archives { 0 } else { restored.seal.lsn };
                Some(At { shard: restored.shard, effects: Vec::new(), lsn: Lsn(lsn) })
            }
            Err(error) => {
                let index = base.index;
                tracing::warn!(index, %error, "history passes over a checkpoint");
                None
            }
        }
    }

    fn read_archives(
        &self,
        at: &mut At,
        writer: &mut HistoryWriter,
        through: u64,
        goes_on: &mut dyn FnMut(&HistoryWriter) -> bool,
    ) -> Result<(), RereadError> {
        let secret = self.kek.secret_for(ARCHIVE_PURPOSE)?;
        let failed = |file: &Path, source| RereadError::Archive { file: file.to_owned(), source };
        let spans = archives(&self.archives).map_err(|source| failed(&self.archives, source))?;
        for span in spans {
            let next = at.shard.entry_index().saturating_add(1);
            if span.last_index < next {
                continue;
            }
            if span.first_index > next {
                return Ok(());
            }
            let of_file = |source| failed(&span.file, source);
            for entry in ArchiveReader::open(&span, &secret).map_err(of_file)? {
                let entry = entry.map_err(of_file)?;
                if entry.index > through {
                    return Ok(());
                }
                if entry.index > at.shard.entry_index() {
                    at.take(entry.index, &entry.bytes, writer)?;
                    if !goes_on(writer) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn read_journal(
        &self,
        at: &mut At,
        writer: &mut HistoryWriter,
        through: u64,
        goes_on: &mut dyn FnMut(&HistoryWriter) -> bool,
    ) -> Result<(), RereadError> {
        let (mut outcome, mut is_stopped) = (Ok(()), false);
        // A segment before that is missing, given up or taken away by hand, is no matter.
        let oldest = self.oldest_lsn()?.unwrap_or(Lsn::NONE);
        let after = at.lsn.max(Lsn(oldest.0.saturating_sub(1)));
        let mut each = |record: Record<'_>| {
            if is_stopped || (record.kind == RecordKind::Entry && record.index > through) {
                return ControlFlow::Break(());
            }
            if record.kind == RecordKind::Entry && record.index > at.shard.entry_index() {
                outcome = at.take(record.index, record.payload, writer);
                is_stopped = outcome.is_err() || !goes_on(writer);
            }
            if outcome.is_ok() {
                at.lsn = record.lsn;
            }
            let is_over = is_stopped || writer.taken_through() >= through;
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let report = match Reader::new(self.disk.clone()).show_until(&self.kek, after, &mut each) {
            Err(ReadError::NoJournal) => None,
            report => Some(report?),
        };
        outcome?;
        if is_stopped || writer.taken_through() >= through {
            return Ok(());
        }
        match report.and_then(|report| report.damage) {
            Some(damage) => {
                let detail = format!("{} (LSN {})", damage.harm, damage.lsn);
                Err(RereadError::Damaged { detail })
            }
            None if through == u64::MAX => Ok(()),
            None => {
                Err(RereadError::Missing { expected: writer.taken_through().saturating_add(1) })
            }
        }
    }
}

impl At {
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
        if is_planted(PlantedBug::HistoryGapSkipped) && index.is_multiple_of(5) {
            let left_out = Entry { inputs: Vec::new(), ..entry };
            writer.take(&left_out, &[], self.shard.site().map(AsRef::as_ref))?;
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
