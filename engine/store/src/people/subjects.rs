//! Who is known and who was erased, without what is known about them: nothing is decrypted here, so that it
//! can be told, and a key destroyed, when nobody has the secret or files are damaged.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ach_actors_model::{Name, Timestamp};

use super::error::damaged;
use super::folder::Folder;
use super::key_file::{self, Sealed};
use super::steps::step;
use super::{Known, PeopleError};
use crate::Holds;

/// Ids of persons. Each call reads or writes files; several programs may do so.
#[derive(Debug)]
pub struct Subjects {
    pub(super) folder: Folder,
}

/// A subject of whom something is known, or why that cannot be told.
pub type Subject = (Name, Result<Known, PeopleError>);

impl Subjects {
    /// Those of a folder that need not be there.
    pub fn of(folder: &Path) -> Subjects {
        Subjects { folder: Folder::new(folder) }
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
        let has_row = self.folder.row(subject).exists();
        match key_file::read_sealed(&self.folder.key(subject), subject.as_str())? {
            Sealed::Gone { since } => Ok(Some(Known::Erased(since))),
            Sealed::Key { since, .. } if has_row => Ok(Some(Known::Since(since))),
            Sealed::Key { since, .. } => Ok(Some(Known::Unfinished(since))),
            Sealed::Nothing if has_row => Err(damaged(format!("that of `{subject}` is missing"))),
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
        if !self.folder.exists() {
            return Err(PeopleError::Unknown { subject: subject.clone() });
        }
        let _lock = self.folder.lock()?;
        let since = match self.state(subject) {
            Ok(None) => return Err(PeopleError::Unknown { subject: subject.clone() }),
            Ok(Some(Known::Erased(since))) => since,
            Ok(Some(_)) | Err(_) => now,
        };
        key_file::destroy(&self.folder.key(subject), since)?;
        // Noise by now.
        match step().and_then(|()| fs::remove_file(self.folder.row(subject))) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(PeopleError::disk("remove")(error));
            }
            Ok(()) | Err(_) => {}
        }
        self.folder.sync()
    }
}
