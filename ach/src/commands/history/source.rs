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

/// What a question leaves free on the disk it needs room on: half of what history itself leaves, so that history
/// stops first, and twice the journal's reserve, which doors, alarms and the audit log go on with.
const LEFT_BYTES: u64 = 256 << 20;

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
        let source = Source::found(&DataDirectory::existing(data)?)?;
        tell_gaps(&source.store)?;
        Ok(source)
    }

    fn found(directory: &DataDirectory) -> Result<Source, Failure> {
        let kept = directory.history();
        must_have_room(directory)?;
        if kept.exists() {
            must_own(&kept)?;
            match Store::open(&kept) {
                Ok(store) => match bring_up(directory, &store)? {
                    Brought::Foreign(why) => complain!(
                        "the history is not that of the journal ({why}); it is derived for this \
                         question alone, and by the node when it starts"
                    ),
                    brought => {
                        let is_whole = matches!(brought, Brought::Whole);
                        return Ok(Source { store, _scratch: None, is_whole });
                    }
                },
                Err(OpenError::InUse) => return Source::beside(directory),
                Err(error @ OpenError::Damaged { .. }) => {
                    complain!("{error}; it is derived for this question alone");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Source::derived(directory)
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

fn tell_gaps(store: &Store) -> Result<(), Failure> {
    for gap in store.gaps()? {
        complain!("history knows nothing of {gap}: the journal had given it up by then");
    }
    Ok(())
}

/// Derives the history of a data directory, or goes on with what is there.
pub(super) fn build(data: &Path) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(data)?;
    must_own(directory.root())?;
    must_have_room(&directory)?;
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
    tell_gaps(&store)?;
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

/// Why a store is not derived from this journal, if that can be told by their ends: the journal was put back
/// from a backup, its disk has lost its end, or the folder is another node's. What the store has before the
/// journal's end is compared when what follows is read.
fn judge(end: &JournalEnd, writer: &HistoryWriter) -> Option<String> {
    // A journal that is damaged had more, and one that is not there says nothing.
    if end.damage.is_some() || end.index == 0 {
        return None;
    }
    let taken = writer.taken_through();
    if taken > end.index {
        return Some("it has entries that the journal does not have".to_owned());
    }
    let is_other = taken == end.index && writer.taken_at() != end.at;
    is_other.then(|| format!("its last entry, {taken}, is another one in the journal"))
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
    if let Some(why) = judge(&end, &writer) {
        return Ok(Brought::Foreign(why));
    }
    if end.index > 0 && end.index <= writer.taken_through() {
        let Some(detail) = end.damage else { return Ok(Brought::Whole) };
        complain!("{}", RereadError::Damaged { detail });
        return Ok(Brought::Part);
    }
    // What is derived takes room as it grows, which journals and archives of months may have more of than there is.
    let mut entries = 0_u64;
    let mut room = Ok(());
    let goes_on = &mut |_: &HistoryWriter| {
        entries = entries.wrapping_add(1);
        if entries.is_multiple_of(ENTRIES_A_LOOK) {
            room = must_have_room(directory);
        }
        room.is_ok()
    };
    let outcome = rereading.bring_up(&mut writer, u64::MAX, goes_on);
    room?;
    let brought = match outcome {
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

/// Room is looked at again after so many entries: they take some mebibytes.
const ENTRIES_A_LOOK: u64 = 1_024;

/// What a question would take is not there for it: history has stopped before, and the journal goes on.
fn must_have_room(directory: &DataDirectory) -> Result<(), Failure> {
    let beside = beside(directory);
    // A file system that does not tell is tried.
    let left = rustix::fs::statvfs(&beside)
        .map_or(u64::MAX, |room| room.f_bavail.saturating_mul(room.f_frsize));
    if left >= LEFT_BYTES {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} has {} MiB left, and a question leaves {} to what the node stores; make room and ask again",
        beside.display(),
        left >> 20,
        LEFT_BYTES >> 20
    )))
}

/// Where the store lies, also behind a link.
fn beside(directory: &DataDirectory) -> PathBuf {
    let kept = std::fs::canonicalize(directory.history()).ok();
    kept.as_deref().and_then(Path::parent).unwrap_or(directory.root()).to_owned()
}

/// A folder for this question, beside the store, so that links to its tables are possible and what is
/// derived lies on no other disk.
fn scratch(directory: &DataDirectory) -> Result<TempDir, Failure> {
    let beside = beside(directory);
    remove_stale(&beside);
    let prefix = format!("{SCRATCH}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(&beside).map_err(|error| {
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
