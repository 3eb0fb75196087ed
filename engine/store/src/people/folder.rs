//! The folder of persons: `<subject>.key`, `<subject>.row`, `check`, `lock`.
//!
//! What is new is written beside what is there under a name that ends in `.new`, synced, and renamed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};

use ach_actors_model::Name;

use super::{PEOPLE_MAX, PeopleError};

/// Beyond so many files one sync of the whole file system costs less than one of each.
const SYNCS_APART_MAX: usize = 16;

/// Keeps everybody else from changing something in the folder.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

/// Where persons lie.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Folder {
        Folder { root: root.to_owned() }
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

    /// Everybody of whom there is a key, or was.
    pub(super) fn subjects(&self) -> Result<Vec<Name>, PeopleError> {
        let failed = PeopleError::disk("list");
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(&failed)?,
        };
        let mut subjects = Vec::new();
        for entry in entries {
            let name = entry.map_err(&failed)?.file_name();
            let subject = name.to_str().and_then(|name| name.strip_suffix(".key"));
            subjects.extend(subject.and_then(|subject| Name::new(subject).ok()));
            if subjects.len() > PEOPLE_MAX {
                return Err(super::damaged("of more persons than there may be"));
            }
        }
        subjects.sort_unstable();
        Ok(subjects)
    }

    /// Makes the folder if it is not there, waits until nobody else changes it, and clears away what
    /// somebody who did was cut short in.
    pub(super) fn lock(&self) -> Result<FolderLock, PeopleError> {
        let failed = PeopleError::disk("lock");
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.root).map_err(&failed)?;
        let file = File::create(self.root.join("lock")).map_err(&failed)?;
        file.lock().map_err(&failed)?;
        for entry in fs::read_dir(&self.root).map_err(&failed)? {
            let path = entry.map_err(&failed)?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                clear(&path).map_err(PeopleError::disk("clear away what was begun of"))?;
            }
        }
        Ok(FolderLock { _file: file })
    }

    /// Syncs files, and then that they have their names: those they were written under less `.new`.
    pub(super) fn settle(&self, files: &[PathBuf]) -> Result<(), PeopleError> {
        let synced = if files.len() > SYNCS_APART_MAX {
            File::open(&self.root).and_then(|root| Ok(rustix::fs::syncfs(root)?))
        } else {
            files.iter().try_for_each(|file| File::open(file)?.sync_all())
        };
        synced.map_err(PeopleError::disk("sync"))?;
        for file in files {
            fs::rename(file, file.with_extension("")).map_err(PeopleError::disk("rename"))?;
        }
        self.sync()
    }

    /// Syncs which names there are.
    pub(super) fn sync(&self) -> Result<(), PeopleError> {
        let synced = File::open(&self.root).and_then(|root| root.sync_all());
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
    opened.write_all_at(&vec![0; length], 0)?;
    opened.sync_all()?;
    fs::remove_file(file)
}
