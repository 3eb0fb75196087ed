//! Where history is read from: the store of a data directory, or one derived for the question.
//!
//! A store that nobody has is brought up to the end of the journal. A running node is asked to write what it
//! has just heard, and then a copy of its store, links to its tables, is read. When it cannot write, when the
//! store is damaged or there is none, what is missing is derived into a scratch folder.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ach_actors_model::{TagId, TagRef};
use ach_engine_journal::FileDisk;
use ach_engine_node::{JournalEnd, RereadError, Rereading, Rung, ring};
use ach_engine_store::{Day, HistoryWriter, NameKind, OpenError, Store, WriteError};
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
                Ok(store) => match bring_up(&directory, &store)? {
                    Brought::Foreign(why) => complain!(
                        "the history is not that of the journal ({why}); it is derived for this \
                         question alone, and by the node when it starts"
                    ),
                    brought => {
                        let is_whole = matches!(brought, Brought::Whole);
                        return Ok(Source { store, _scratch: None, is_whole });
                    }
                },
                Err(OpenError::InUse) => return Source::beside(&directory),
                Err(error @ OpenError::Damaged { .. }) => {
                    complain!("{error}; it is derived for this question alone");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Source::derived(&directory)
    }

    /// Derives all of it for the question.
    fn derived(directory: &DataDirectory) -> Result<Source, Failure> {
        let scratch = scratch(directory)?;
        let store = Store::open(&scratch.path().join("lsm"))?;
        let is_whole = bring_up(directory, &store)?.whole()?;
        Ok(Source { store, _scratch: Some(scratch), is_whole })
    }

    /// Reads beside the process that has the store: a node, or another question.
    fn beside(directory: &DataDirectory) -> Result<Source, Failure> {
        let rung = ring(directory.root());
        let scratch = scratch(directory)?;
        let store = Store::open_linked(&directory.history(), &scratch.path().join("lsm"))?;
        let brought = match rung {
            Ok(Rung::Written { .. }) => Brought::Whole,
            Ok(Rung::NotWritten { why }) => {
                complain!("the node cannot write its history now ({why}); the journal is read too");
                bring_up(directory, &store)?
            }
            // Nobody answers: whoever has it is no node.
            Err(_) => bring_up(directory, &store)?,
        };
        if let Brought::Foreign(why) = brought {
            complain!(
                "the history is not that of the journal ({why}); it is derived for this question alone"
            );
            return Source::derived(directory);
        }
        let is_whole = brought.whole()?;
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
    let mut store = opened.store;
    let mut brought = bring_up(&directory, &store)?;
    if let Brought::Foreign(why) = &brought {
        drop(store);
        let aside = Store::set_aside(&directory.history())?;
        complain!(
            "what was there is not the history of the journal ({why}) and was moved to {}",
            aside.display()
        );
        store = Store::open(&directory.history())?;
        brought = bring_up(&directory, &store)?;
    }
    let is_whole = brought.whole()?;
    let report = store.verify()?;
    say!("{} pings of {} days, through entry {}", report.pings, report.days, store.through()?);
    Ok(if is_whole { Outcome::Done } else { Outcome::Unsound })
}

/// The days there are, as history is written now. None if there is no history.
pub(super) fn days(directory: &DataDirectory) -> Result<Vec<Day>, Failure> {
    let kept = directory.history();
    if !kept.exists() {
        return Ok(Vec::new());
    }
    must_own(&kept)?;
    match Store::open(&kept) {
        Err(OpenError::InUse) => {
            let scratch = scratch(directory)?;
            Ok(Store::open_linked(&kept, &scratch.path().join("lsm"))?.days())
        }
        opened => Ok(opened?.days()),
    }
}

/// What became of a store that was to take what journal and archives have.
enum Brought {
    /// It has all of it.
    Whole,
    /// Some of it cannot be read.
    Part,
    /// It is not derived from this journal, or damaged, and why that is known.
    Foreign(String),
}

impl Brought {
    /// Of a store that was derived just now.
    fn whole(self) -> Result<bool, Failure> {
        match self {
            Brought::Whole => Ok(true),
            Brought::Part => Ok(false),
            Brought::Foreign(why) => Err(Failure::new(format!(
                "history cannot be derived: {why}; verify the journal (ach journal verify)"
            ))),
        }
    }
}

/// Why a store is not derived from this journal, if it is not: the journal was put back from a backup, its
/// disk has lost its end, or the folder is another node's.
fn judge(
    rereading: &Rereading<FileDisk>,
    end: &JournalEnd,
    writer: &HistoryWriter,
) -> Result<Option<String>, Failure> {
    // A journal that is damaged had more, and one that is not there says nothing.
    if end.damage.is_some() || end.index == 0 {
        return Ok(None);
    }
    let taken = writer.taken_through();
    if taken > end.index {
        return Ok(Some("it has entries that the journal does not have".to_owned()));
    }
    let is_other = rereading.time_of(taken)?.is_some_and(|at| at != writer.taken_at());
    Ok(is_other.then(|| format!("its last entry, {taken}, is another one in the journal")))
}

/// Has a store take what journal and archives have and it has not.
fn bring_up(directory: &DataDirectory, store: &Store) -> Result<Brought, Failure> {
    let mut writer = match HistoryWriter::open(store.clone()) {
        Err(OpenError::Damaged { detail }) => return Ok(Brought::Foreign(detail)),
        opened => opened?,
    };
    let kek = directory.key_source().load()?;
    let disk = FileDisk::existing(directory.journal())?;
    let mut rereading = Rereading::new(disk, kek, &directory.archive());
    let end = rereading.end()?;
    if let Some(why) = judge(&rereading, &end, &writer)? {
        return Ok(Brought::Foreign(why));
    }
    if end.index > 0 && end.index <= writer.taken_through() {
        let Some(detail) = end.damage else { return Ok(Brought::Whole) };
        complain!("{}", RereadError::Damaged { detail });
        return Ok(Brought::Part);
    }
    let brought = match rereading.bring_up(&mut writer, u64::MAX, &mut |_| true) {
        Ok(()) => Brought::Whole,
        Err(RereadError::Write(WriteError::Damaged { detail })) => {
            return Ok(Brought::Foreign(detail));
        }
        Err(error @ RereadError::Damaged { .. }) => {
            complain!("{error}");
            Brought::Part
        }
        Err(error) => return Err(error.into()),
    };
    writer.flush()?;
    Ok(brought)
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
