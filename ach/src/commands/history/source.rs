//! Where history is read from: the store of a data directory, or one derived from its journal.
//!
//! A store that is there and not in use is brought up to the end of the journal. One that a running
//! node has, one that is damaged and one that is missing is left alone: what is asked is derived from
//! the journal into a temporary folder.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ach_engine_journal::{FileDisk, Reader, RecordKind};
use ach_engine_store::{HistoryWriter, NameKind, OpenError, Store, replay_journal};
use tempfile::TempDir;

use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};

/// A store to ask.
pub(super) struct Source {
    pub(super) store: Store,
    /// Goes when the question is answered.
    _scratch: Option<TempDir>,
    is_whole: bool,
}

impl Source {
    /// Opens or derives the history of a data directory.
    pub(super) fn open(data: &Path) -> Result<Source, Failure> {
        let directory = DataDirectory::existing(data)?;
        let kept = directory.history();
        if kept.exists() {
            must_own(&kept)?;
            match Store::open(&kept) {
                Ok(store) => {
                    let is_whole = bring_up(&directory, &store)?;
                    return Ok(Source { store, _scratch: None, is_whole });
                }
                Err(OpenError::InUse) => {}
                Err(error @ OpenError::Damaged { .. }) => {
                    complain!("{error}; it is derived for this question alone");
                }
                Err(error) => return Err(error.into()),
            }
        }
        let scratch = tempfile::tempdir()?;
        let store = Store::open(&scratch.path().join("lsm"))?;
        let is_whole = bring_up(&directory, &store)?;
        Ok(Source { store, _scratch: Some(scratch), is_whole })
    }

    /// The id of a thing, or its number.
    pub(super) fn name(&self, kind: NameKind, number: u32) -> Result<String, Failure> {
        Ok(self.store.id(kind, number)?.unwrap_or_else(|| format!("#{number}")))
    }

    /// How a question ends: what could not be read of the journal makes every answer unsound.
    pub(super) fn outcome(&self, outcome: Outcome) -> Outcome {
        if self.is_whole { outcome } else { Outcome::Unsound }
    }
}

/// Derives the history of a data directory, or goes on with what is there.
pub(super) fn build(data: &Path) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    must_own(directory.root())?;
    let opened = Store::open_or_set_aside(&directory.history())?;
    if let Some((aside, detail)) = &opened.set_aside {
        complain!("what was there is damaged ({detail}) and was moved to {}", aside.display());
    }
    let is_whole = bring_up(&directory, &opened.store)?;
    let report = opened.store.verify()?;
    say!(
        "{} pings of {} days, through entry {}",
        report.pings,
        report.days,
        opened.store.through()?
    );
    Ok(if is_whole { Outcome::Done } else { Outcome::Unsound })
}

/// Takes what the journal has and the store has not; false if the journal is damaged.
fn bring_up(directory: &DataDirectory, store: &Store) -> Result<bool, Failure> {
    let through = store.through()?;
    if last_index(directory)? <= through {
        return Ok(true);
    }
    let mut writer = HistoryWriter::open(store.clone())?;
    let reader = Reader::new(FileDisk::existing(directory.journal())?);
    let kek = directory.key_source().load()?;
    let mut failed = None;
    let next = through.saturating_add(1);
    let report = replay_journal(&reader, &kek, next, &mut |step| {
        failed = writer.take(&step.entry, &step.effects, step.site.as_deref()).err();
        failed.is_none()
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    let report = report?;
    writer.flush()?;
    if let Some(damage) = &report.damage {
        complain!(
            "the journal is damaged: {} (LSN {}); what follows is not told",
            damage.harm,
            damage.lsn
        );
    }
    Ok(report.damage.is_none())
}

/// The last entry of the journal.
fn last_index(directory: &DataDirectory) -> Result<u64, Failure> {
    let reader = Reader::new(FileDisk::existing(directory.journal())?);
    let kek = directory.key_source().load()?;
    let mut last = 0;
    reader.show(&kek, &mut |record| {
        if record.kind == RecordKind::Entry {
            last = record.index;
        }
    })?;
    Ok(last)
}

/// What another user writes here the node could not open any more.
fn must_own(folder: &Path) -> Result<(), Failure> {
    let owner = std::fs::metadata(folder)?.uid();
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let folder = folder.display();
    Err(Failure::new(format!("{folder} belongs to another user; run as the user who owns it")))
}
