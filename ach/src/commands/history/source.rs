//! Where history is read from: the store of a data directory, or one derived for the question.
//!
//! A store that nobody has is brought up to the end of the journal. A running node is asked to write what it
//! has just heard, and then a copy of its store, links to its tables, is read. When it cannot write, when the
//! store is damaged or there is none, what is missing is derived into a scratch folder.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ach_actors_model::{TagId, TagRef};
use ach_engine_journal::FileDisk;
use ach_engine_node::{RereadError, Rereading, Rung, ring};
use ach_engine_store::{HistoryWriter, NameKind, OpenError, Store};
use tempfile::TempDir;

use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};

/// What a scratch folder is called, before the number of the process it belongs to.
const SCRATCH: &str = "history.asked-";

/// A store to ask.
pub(crate) struct Source {
    pub(crate) store: Store,
    /// Goes when the question is answered.
    _scratch: Option<TempDir>,
    is_whole: bool,
}

impl Source {
    /// Opens or derives the history of a data directory.
    pub(crate) fn open(data: &Path) -> Result<Source, Failure> {
        let directory = DataDirectory::existing(data)?;
        let kept = directory.history();
        if kept.exists() {
            must_own(&kept)?;
            match Store::open(&kept) {
                Ok(store) if is_ahead(&directory, &store)? => {
                    complain!(
                        "the history has entries that the journal does not have; it is derived for \
                         this question alone, and by the node when it starts"
                    );
                }
                Ok(store) => {
                    let is_whole = bring_up(&directory, &store)?;
                    return Ok(Source { store, _scratch: None, is_whole });
                }
                Err(OpenError::InUse) => return Source::beside(&directory),
                Err(error @ OpenError::Damaged { .. }) => {
                    complain!("{error}; it is derived for this question alone");
                }
                Err(error) => return Err(error.into()),
            }
        }
        let scratch = scratch(&directory)?;
        let store = Store::open(&scratch.path().join("lsm"))?;
        let is_whole = bring_up(&directory, &store)?;
        Ok(Source { store, _scratch: Some(scratch), is_whole })
    }

    /// Reads beside the process that has the store: a node, or another question.
    fn beside(directory: &DataDirectory) -> Result<Source, Failure> {
        let rung = ring(directory.root());
        let scratch = scratch(directory)?;
        let store = Store::open_linked(&directory.history(), &scratch.path().join("lsm"))?;
        let is_whole = match rung {
            Ok(Rung::Written { .. }) => true,
            Ok(Rung::NotWritten { why }) => {
                complain!("the node cannot write its history now ({why}); the journal is read too");
                bring_up(directory, &store)?
            }
            // Nobody answers: whoever has it is no node.
            Err(_) => bring_up(directory, &store)?,
        };
        Ok(Source { store, _scratch: Some(scratch), is_whole })
    }

    /// The id of a thing, or its number.
    pub(crate) fn name(&self, kind: NameKind, number: u32) -> Result<String, Failure> {
        Ok(self.store.id(kind, number)?.unwrap_or_else(|| format!("#{number}")))
    }

    /// The number of a tag that a site of this node has, or had.
    pub(crate) fn tag(&self, id: TagId) -> Result<TagRef, Failure> {
        self.store.tag(id)?.ok_or_else(|| {
            Failure::new(format!("no site of this node has had a tag {id}; check its digits"))
        })
    }

    /// How a question ends: what could not be read of the journal makes every answer unsound.
    pub(crate) fn outcome(&self, outcome: Outcome) -> Outcome {
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

/// Whether a store has what its journal does not have: that was put back from a backup, or its disk has
/// lost it.
fn is_ahead(directory: &DataDirectory, store: &Store) -> Result<bool, Failure> {
    let kek = directory.key_source().load()?;
    let disk = FileDisk::existing(directory.journal())?;
    let end = Rereading::new(disk, kek, &directory.archive()).end()?;
    // A journal that is damaged had more, and one that is not there says nothing.
    Ok(end.damage.is_none() && end.index > 0 && end.index < store.through()?)
}

/// Takes what journal and archives have and the store has not; false if some of it cannot be read.
fn bring_up(directory: &DataDirectory, store: &Store) -> Result<bool, Failure> {
    let mut writer = HistoryWriter::open(store.clone())?;
    let kek = directory.key_source().load()?;
    let disk = FileDisk::existing(directory.journal())?;
    let mut rereading = Rereading::new(disk, kek, &directory.archive());
    let end = rereading.end()?;
    if end.index > 0 && end.index <= writer.taken_through() {
        let Some(detail) = end.damage else { return Ok(true) };
        complain!("{}", RereadError::Damaged { detail });
        return Ok(false);
    }
    let is_whole = match rereading.bring_up(&mut writer, u64::MAX, &mut |_| true) {
        Ok(()) => true,
        Err(error @ RereadError::Damaged { .. }) => {
            complain!("{error}");
            false
        }
        Err(error) => return Err(error.into()),
    };
    writer.flush()?;
    Ok(is_whole)
}

/// A folder for this question, beside the store, so that links to its tables are possible and what is
/// derived lies on no other disk.
fn scratch(directory: &DataDirectory) -> Result<TempDir, Failure> {
    let kept = directory.history();
    let beside = std::fs::canonicalize(&kept).ok();
    let beside = beside.as_deref().and_then(Path::parent).unwrap_or(directory.root());
    remove_stale(beside);
    let prefix = format!("{SCRATCH}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(beside).map_err(|error| {
        Failure::new(format!(
            "cannot make a folder in {}: {error}; run as the user who owns it",
            beside.display()
        ))
    })
}

/// Removes what questions left behind that were killed.
fn remove_stale(beside: &Path) {
    let entries = std::fs::read_dir(beside).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(SCRATCH)?.split('-').next());
        let is_gone = |process: &str| !PathBuf::from("/proc").join(process).exists();
        if process.is_some_and(is_gone) {
            // It is tried again by the next question.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
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
