//! The folder of persons: `<subject>.key`, `<subject>.row`, `check`, `lock`.
//!
//! What is new is written beside what is there under a name that ends in `.new`, synced, and renamed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ach_actors_model::Name;

use super::error::damaged;
use super::steps::step;
use super::{PEOPLE_MAX, PeopleError};
use crate::file_lock;

/// Beyond so many files one sync of the whole file system costs less than one of each.
const SYNCS_APART_MAX: usize = 16;

/// Keeps others from changing something in the folder; who changes it, also from reading.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: Option<File>,
}

/// Where persons lie.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    people_max: usize,
    wait: Duration,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Folder {
        Folder { root: root.to_owned(), people_max: PEOPLE_MAX, wait: file_lock::COMMAND_WAIT }
    }

    /// As [`Folder::new`], for fewer persons and less patience.
    #[cfg(test)]
    pub(super) fn limited(root: &Path, people_max: usize, wait: Duration) -> Folder {
        Folder { people_max, wait, ..Folder::new(root) }
    }

    /// Most persons there may be.
    pub(super) fn people_max(&self) -> usize {
        self.people_max
    }

    pub(super) fn exists(&self) -> bool {
        self.root.exists()
    }

    pub(super) fn key(&self, subject: &Name) -> PathBuf {
        self.root.join(format!("{subject}.key"))
    }

    pub(super) fn row(&self, subject: &Name) -> PathBuf {
        self.root.join(format!("{subject}.row"))
    }

    /// Tells a wrong secret from damage.
    pub(super) fn check(&self) -> PathBuf {
        self.root.join("check")
    }

    /// Everybody of whom there is a key, or was, or a row that has lost it.
    pub(super) fn subjects(&self) -> Result<BTreeSet<Name>, PeopleError> {
        let failed = PeopleError::disk("list");
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            entries => entries.map_err(&failed)?,
        };
        let mut subjects = BTreeSet::new();
        for entry in entries {
            let name = entry.map_err(&failed)?.file_name();
            let subject = name
                .to_str()
                .and_then(|name| name.strip_suffix(".key").or_else(|| name.strip_suffix(".row")));
            subjects.extend(subject.and_then(|subject| Name::new(subject).ok()));
            if subjects.len() > self.people_max {
                return Err(damaged("of more persons than there may be"));
            }
        }
        Ok(subjects)
    }

    /// Makes the folder if it is not there, waits until nobody else reads or changes it, and clears away
    /// what somebody who changed it was cut short in.
    pub(super) fn lock(&self) -> Result<FolderLock, PeopleError> {
        let failed = PeopleError::disk("lock");
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.root).map_err(&failed)?;
        let mut options = fs::OpenOptions::new();
        let file =
            options.write(true).create(true).truncate(false).mode(0o600).open(self.lock_file());
        let file = file.map_err(&failed)?;
        self.locked(file_lock::lock(&file, self.wait))?;
        for entry in fs::read_dir(&self.root).map_err(&failed)? {
            let path = entry.map_err(&failed)?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                clear(&path).map_err(PeopleError::disk("clear away what was begun of"))?;
            }
        }
        Ok(FolderLock { _file: Some(file) })
    }

    /// Waits until nobody changes it: in the midst of an import there are keys without rows. Where there is
    /// no lock nobody ever changed something.
    pub(super) fn lock_shared(&self) -> Result<FolderLock, PeopleError> {
        let file = match File::open(self.lock_file()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(FolderLock { _file: None });
            }
            file => file.map_err(PeopleError::disk("lock"))?,
        };
        self.locked(file_lock::lock_shared(&file, self.wait))?;
        Ok(FolderLock { _file: Some(file) })
    }

    fn locked(&self, outcome: io::Result<()>) -> Result<(), PeopleError> {
        outcome.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => PeopleError::Busy { file: self.lock_file() },
            _ => PeopleError::disk("lock")(error),
        })
    }

    fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Syncs files, and then that they have their names: those they were written under less `.new`.
    pub(super) fn settle(&self, files: &[PathBuf]) -> Result<(), PeopleError> {
        let synced = if files.len() > SYNCS_APART_MAX {
            step()
                .and_then(|()| File::open(&self.root))
                .and_then(|root| Ok(rustix::fs::syncfs(root)?))
        } else {
            files.iter().try_for_each(|file| {
                step()?;
                File::open(file)?.sync_all()
            })
        };
        synced.map_err(PeopleError::disk("sync"))?;
        for file in files {
            step()
                .and_then(|()| fs::rename(file, file.with_extension("")))
                .map_err(PeopleError::disk("rename"))?;
        }
        self.sync()
    }

    /// Syncs which names there are.
    pub(super) fn sync(&self) -> Result<(), PeopleError> {
        let synced = step().and_then(|()| File::open(&self.root)).and_then(|root| root.sync_all());
        synced.map_err(PeopleError::disk("sync"))
    }
}

/// The name under which a file is written before it has its own.
pub(super) fn new_name(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".new");
    PathBuf::from(name)
}

/// Overwrites a file and removes it: it may hold a key.
fn clear(file: &Path) -> io::Result<()> {
    let opened = fs::OpenOptions::new().write(true).open(file)?;
    let length = usize::try_from(opened.metadata()?.len()).unwrap_or(0).min(super::ROW_BYTES_MAX);
    step()?;
    opened.write_all_at(&vec![0; length], 0)?;
    step()?;
    opened.sync_all()?;
    step()?;
    fs::remove_file(file)
}
