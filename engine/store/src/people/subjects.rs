//! Who is known and who was erased, without what is known about them: nothing is decrypted here, so that it
//! can be told, and a key destroyed, when nobody has the secret or files are damaged.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use ach_actors_model::{Name, Timestamp};

use super::disk::FolderDisk;
use super::error::lost_key;
use super::folder::{Folder, key_name, row_name};
use super::key_file::{self, Sealed};
use super::{Known, PeopleError};
use crate::Holds;

/// Persons of a list who are erased with two syncs between them instead of two each: a hundred thousand in
/// seconds instead of a quarter of an hour. No more, so that of those before it is sure what became of them,
/// whatever comes: a list that is cut short is behind by so many at most.
const ERASED_AT_ONCE_MAX: usize = 1_024;

/// Ids of persons. Each call reads or writes files; several programs may do so.
#[derive(Debug)]
pub struct Subjects {
    pub(super) folder: Folder,
    pub(super) erased_at_once_max: usize,
}

/// A subject of whom something is known, or why that cannot be told.
pub type Subject = (Name, Result<Known, PeopleError>);

impl Subjects {
    /// Those of a folder that need not be there.
    pub fn of(folder: &Path) -> Subjects {
        Subjects::on(Folder::on(FolderDisk::new(folder)))
    }

    pub(super) fn on(folder: Folder) -> Subjects {
        Subjects { folder, erased_at_once_max: ERASED_AT_ONCE_MAX }
    }

    /// Whether a subject is known, or was. `None` of whom nothing was ever kept.
    ///
    /// # Errors
    ///
    /// When the key is damaged or cannot be read, or a command that changes something does not end.
    pub fn known(&self, subject: &Name) -> Result<Option<Known>, PeopleError> {
        let _lock = self.folder.lock_shared()?;
        self.state(subject)
    }

    /// Everybody who is known or was, in order, with what is wrong with their key if something is.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or a command that changes something does not end.
    pub fn all(&self) -> Result<Vec<Subject>, PeopleError> {
        let _lock = self.folder.lock_shared()?;
        let known = |subject: Name| {
            let known = self.state(&subject).transpose()?;
            Some((subject, known))
        };
        Ok(self.folder.subjects()?.into_iter().filter_map(known).collect())
    }

    /// As [`Subjects::known`], for who has the lock.
    pub(super) fn state(&self, subject: &Name) -> Result<Option<Known>, PeopleError> {
        let has_row = self.folder.has_row(subject)?;
        match self.folder.sealed(subject)? {
            Sealed::Gone { since } => Ok(Some(Known::Erased(since))),
            Sealed::Key { since, .. } if has_row => Ok(Some(Known::Since(since))),
            Sealed::Key { since, .. } => Ok(Some(Known::Unfinished(since))),
            Sealed::Nothing if has_row => Err(lost_key(subject)),
            Sealed::Nothing => Ok(None),
        }
    }

    /// Erases a person: overwrites the key where it lies, and syncs that. That it happened stays known,
    /// so that the person does not come back. Done again it overwrites again, also what is damaged.
    ///
    /// # Errors
    ///
    /// When a hold protects the person, nobody knows them, or the disk refuses. Then nobody knows
    /// whether the key is still on disk: it is to be done again until it is done.
    pub fn forget(
        &mut self,
        subject: &Name,
        now: Timestamp,
        holds: &Holds,
    ) -> Result<(), PeopleError> {
        if let Some(hold) = holds.on(subject) {
            return Err(PeopleError::Held { subject: subject.clone(), hold: hold.id.clone() });
        }
        if !self.folder.disk.is_there() {
            return Err(PeopleError::Unknown { subject: subject.clone() });
        }
        let _lock = self.folder.lock()?;
        if matches!(self.state(subject), Ok(None)) {
            return Err(PeopleError::Unknown { subject: subject.clone() });
        }
        self.destroy(&[subject], now)?;
        self.folder.sync_names()
    }

    /// As [`Subjects::forget`] of each of them, also of those nobody knows here: they are noted as erased. For
    /// after a folder was put back from a backup: who was erased since must not come back, neither by it nor
    /// by the next import. Cut short, it has erased some and left the others as they were.
    ///
    /// # Errors
    ///
    /// When a hold protects one of them, or there would be more persons than there may be: then nobody is
    /// erased. When the disk refuses, it is to be done again until it is done.
    pub fn forget_all(
        &mut self,
        subjects: &BTreeSet<Name>,
        now: Timestamp,
        holds: &Holds,
    ) -> Result<(), PeopleError> {
        for subject in subjects {
            if let Some(hold) = holds.on(subject) {
                return Err(PeopleError::Held { subject: subject.clone(), hold: hold.id.clone() });
            }
        }
        let _lock = self.folder.lock()?;
        let there = self.folder.subjects()?;
        let limit = self.folder.people_max();
        if there.union(subjects).count() > limit {
            return Err(PeopleError::TooMany { limit });
        }
        let subjects: Vec<&Name> = subjects.iter().collect();
        for some in subjects.chunks(self.erased_at_once_max) {
            self.destroy(some, now)?;
        }
        self.folder.sync_names()
    }

    /// Overwrites keys where they lie, or writes that there were some, and syncs that; then removes what was
    /// under them. When the disk refuses one of them, those before it are on disk all the same: whoever is told
    /// to be erased must not come back when the power goes.
    fn destroy(&self, subjects: &[&Name], now: Timestamp) -> Result<(), PeopleError> {
        let disk = self.folder.disk.as_ref();
        let mut keys: Vec<String> = Vec::with_capacity(subjects.len());
        let overwritten = subjects.iter().try_for_each(|subject| {
            let since = match self.state(subject) {
                Ok(Some(Known::Erased(since))) => since,
                Ok(_) | Err(_) => now,
            };
            let key = key_name(subject);
            let overwritten = key_file::destroy(disk, &key, since);
            // Also one that was refused: a part of it may have been written.
            keys.push(key);
            overwritten
        });
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let synced = self.folder.sync_files(&keys).map_err(PeopleError::disk("overwrite"));
        // A key that was lost has a file again, and that must stay when the row is gone.
        let named = self.folder.sync_names();
        overwritten.and(synced).and(named)?;
        // Noise by now.
        for subject in subjects {
            match disk.remove(&row_name(subject)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(PeopleError::disk("remove")(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}
