//! The folder of persons: `<subject>.key`, `<subject>.row`, `check`, `lock`.
//!
//! What is new is written beside what is there under a name that ends in `.new`, synced, and renamed.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
#[cfg(test)]
use std::path::Path;
use std::time::Duration;

use ach_actors_model::Name;

use super::disk::Disk;
use super::error::damaged;
use super::key_file::{self, NoKey, Sealed};
use super::{PEOPLE_MAX, PeopleError, ROW_BYTES_MAX};
use crate::file_lock;

/// Beyond so many files one sync of the whole file system costs less than one of each.
const SYNCS_APART_MAX: usize = 16;

/// Tells a wrong secret from damage.
pub(super) const CHECK_NAME: &str = "check";

/// What a file is called before it has its own name ends so.
const NEW: &str = ".new";
const NEW_KEY: &str = ".key.new";

/// Keeps others from changing something in the folder; who changes it, also from reading.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: Option<File>,
}

/// What is to become of files that are written: they are synced, and then have their names.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    /// Keys, each under its new name.
    pub(super) keys: Vec<String>,
    /// Rows, each under its new name.
    pub(super) rows: Vec<String>,
    /// Keys that have their names, and were overwritten where they lie, perhaps by somebody who did not come to
    /// sync them.
    pub(super) unsynced: Vec<String>,
}

/// Where persons lie.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) disk: Box<dyn Disk>,
    people_max: usize,
    wait: Duration,
}

impl Folder {
    pub(super) fn on(disk: impl Disk + 'static) -> Folder {
        Folder { disk: Box::new(disk), people_max: PEOPLE_MAX, wait: file_lock::COMMAND_WAIT }
    }

    /// A folder of files, for fewer persons and less patience.
    #[cfg(test)]
    pub(super) fn limited(root: &Path, people_max: usize, wait: Duration) -> Folder {
        Folder { people_max, wait, ..Folder::on(super::disk::FolderDisk::new(root)) }
    }

    /// Most persons there may be.
    pub(super) fn people_max(&self) -> usize {
        self.people_max
    }

    /// Everybody of whom there is a key, or was, or a row that has lost it.
    pub(super) fn subjects(&self) -> Result<BTreeSet<Name>, PeopleError> {
        let mut subjects = BTreeSet::new();
        let listed = self.disk.names(&mut |name| {
            let subject = name.strip_suffix(".key").or_else(|| name.strip_suffix(".row"));
            let subject = subject.and_then(|subject| Name::new(subject).ok());
            if subjects.len() <= self.people_max {
                subjects.extend(subject);
            }
        });
        listed.map_err(PeopleError::disk("list"))?;
        if subjects.len() > self.people_max {
            return Err(damaged("of more persons than there may be"));
        }
        Ok(subjects)
    }

    /// Whether there is a row of somebody.
    pub(super) fn has_row(&self, subject: &Name) -> Result<bool, PeopleError> {
        self.disk.has(&row_name(subject)).map_err(PeopleError::disk("look for"))
    }

    /// What somebody's key says before it is decrypted. What is no key is damage, if there is a row; without
    /// one, or if it still looks like the note that the key was destroyed, it may be of somebody who was
    /// erased: erasing removes the row, and no import that is cut short leaves a key that is not whole.
    pub(super) fn sealed(&self, subject: &Name) -> Result<Sealed, PeopleError> {
        match key_file::read_sealed(self.disk.as_ref(), &key_name(subject))? {
            Ok(sealed) => Ok(sealed),
            Err(NoKey { looks_gone }) if looks_gone || !self.has_row(subject)? => {
                Err(PeopleError::PerhapsErased { subject: subject.clone() })
            }
            Err(NoKey { .. }) => Err(damaged(format!("that of `{subject}` is no key"))),
        }
    }

    /// Makes the folder if it is not there, waits until nobody else reads or changes it, and clears away
    /// what somebody who changed it was cut short in.
    pub(super) fn lock(&self) -> Result<FolderLock, PeopleError> {
        self.disk.make().map_err(PeopleError::disk("make the folder of"))?;
        let file = self.locked(self.disk.lock(self.wait))?;
        let mut begun = Vec::new();
        let listed = self.disk.names(&mut |name| {
            if name.ends_with(NEW) {
                begun.push(name.to_owned());
            }
        });
        listed.map_err(PeopleError::disk("list"))?;
        self.clear(&begun)?;
        Ok(FolderLock { _file: file })
    }

    /// Waits until nobody changes it: in the midst of an import there are keys without rows. Where there is
    /// no lock nobody ever changed something.
    pub(super) fn lock_shared(&self) -> Result<FolderLock, PeopleError> {
        let file = self.locked(self.disk.lock_shared(self.wait))?;
        Ok(FolderLock { _file: file })
    }

    fn locked(&self, outcome: io::Result<Option<File>>) -> Result<Option<File>, PeopleError> {
        outcome.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => PeopleError::Busy { file: self.disk.lock_file() },
            _ => PeopleError::disk("lock")(error),
        })
    }

    /// Removes what was begun. A key is overwritten first: without it a row is noise.
    fn clear(&self, begun: &[String]) -> Result<(), PeopleError> {
        let keys: Vec<&str> =
            begun.iter().map(String::as_str).filter(|name| name.ends_with(NEW_KEY)).collect();
        let overwrite = |name: &&str| {
            let file = self.disk.open(name)?;
            let length = usize::try_from(file.len_bytes()?).unwrap_or(usize::MAX);
            file.write(&vec![0; length.min(ROW_BYTES_MAX)])
        };
        let cleared = keys.iter().try_for_each(overwrite).and_then(|()| {
            self.sync_files(&keys)?;
            begun.iter().try_for_each(|name| self.disk.remove(name))
        });
        cleared.map_err(PeopleError::disk("clear away what was begun of"))
    }

    /// Makes files, and sees to it that who clears away finds them also after a power cut: a key that was
    /// written to a file whose name is lost could be cleared away by nobody.
    pub(super) fn begin(&self, names: &[String]) -> Result<(), PeopleError> {
        for name in names {
            self.disk.create(name).map_err(PeopleError::disk("make a file of"))?;
        }
        if names.is_empty() { Ok(()) } else { self.sync_names() }
    }

    /// Syncs what was written; then gives keys their names, and, when those are synced, rows theirs: a row
    /// without a key would look as if the key had been lost.
    pub(super) fn settle(&self, unsettled: &Unsettled) -> Result<(), PeopleError> {
        let Unsettled { keys, rows, unsynced } = unsettled;
        let files = keys.iter().chain(rows).chain(unsynced);
        let files: Vec<&str> = files.map(String::as_str).collect();
        self.sync_files(&files).map_err(PeopleError::disk("sync"))?;
        for names in [keys, rows] {
            for new in names {
                let name = new.strip_suffix(NEW).unwrap_or(new);
                self.disk.rename(new, name).map_err(PeopleError::disk("rename"))?;
            }
            self.sync_names()?;
        }
        Ok(())
    }

    /// Syncs the contents of files.
    pub(super) fn sync_files(&self, names: &[&str]) -> io::Result<()> {
        if names.len() > SYNCS_APART_MAX {
            return self.disk.sync_files();
        }
        names.iter().try_for_each(|name| self.disk.open(name)?.sync())
    }

    /// Syncs which names there are.
    pub(super) fn sync_names(&self) -> Result<(), PeopleError> {
        self.disk.sync_names().map_err(PeopleError::disk("sync"))
    }
}

/// The file of somebody's key.
pub(super) fn key_name(subject: &Name) -> String {
    format!("{subject}.key")
}

/// The file of what is known about somebody.
pub(super) fn row_name(subject: &Name) -> String {
    format!("{subject}.row")
}

/// The name under which a file is written before it has its own.
pub(super) fn new_name(name: &str) -> String {
    format!("{name}{NEW}")
}
