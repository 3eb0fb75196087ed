//! What is known about persons, under a key each: who destroys the key has erased the person.
//!
//! History and journal know numbers and ids alone. Names, and numbers in other systems, lie in a folder
//! beside the store, which may be derived again: a file a person, encrypted under a key of that person
//! (AES-256-GCM), and the key, encrypted under a secret of the node, in a file of its own that is
//! overwritten where it lies. What is left of a person without the key is noise. A copy of the key
//! made before brings it back: whoever keeps backups of the folder must let them expire.

mod cipher;
mod disk;
mod error;
mod folder;
mod keeping;
mod key_file;
mod person;
mod subjects;
#[cfg(test)]
mod tests;

use std::path::Path;

use ach_actors_model::{Name, Timestamp};
use zeroize::Zeroizing;

use self::cipher::{Key, decrypt};
use self::disk::FolderDisk;
pub use self::error::PeopleError;
use self::error::{damaged, lost_key};
use self::folder::{CHECK_NAME, Folder, row_name};
pub use self::keeping::{Keeping, NotKept};
use self::key_file::Kept;
pub use self::person::{LINKS_MAX, Link, PERSON_TEXT_BYTES_MAX, Person};
pub use self::subjects::{Subject, Subjects};

/// Most persons with a key or a note that it was destroyed: as many as there are numbers for subjects.
pub const PEOPLE_MAX: usize = 1 << 21;

/// Most bytes of what is sealed about a person: all texts at their longest, each byte escaped as six.
const ROW_BYTES_MAX: usize = (1 + 2 * LINKS_MAX) * PERSON_TEXT_BYTES_MAX * 6 + 1_024;

/// Whose "key" the check is; no subject has an id with a space.
const CHECK_SUBJECT: &str = "the check";

/// Whether somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Since then.
    Since(Timestamp),
    /// There is a key since then and nothing under it: keeping somebody was cut short, or what was kept is
    /// lost.
    Unfinished(Timestamp),
    /// Not any more: the key was destroyed then.
    Erased(Timestamp),
}

/// Persons, as the rim knows them. Each call reads or writes files; several programs may do so.
pub struct People {
    subjects: Subjects,
    secret: Key,
    /// Where everything that could prove it is damaged, the secret is taken on trust.
    is_proved: bool,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").field("subjects", &self.subjects).finish_non_exhaustive()
    }
}

impl People {
    /// Opens the folder, made with the first person. `secret` wraps the keys; the caller wipes its copy.
    /// Where the check is missing or damaged, a key that opens proves the secret as well.
    ///
    /// # Errors
    ///
    /// When nothing proves the secret, the folder cannot be read, or it belongs to another secret.
    pub fn open(folder: &Path, secret: &[u8; 32]) -> Result<People, PeopleError> {
        People::with(Folder::on(FolderDisk::new(folder)), secret)
    }

    /// As [`People::open`], for who gives everybody whose key is damaged a new one: also where check and keys
    /// are all damaged, so that nothing proves the secret. Nothing else can be kept there.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or it belongs to another secret.
    pub fn open_to_replace(folder: &Path, secret: &[u8; 32]) -> Result<People, PeopleError> {
        let mut people = People::unproved(Folder::on(FolderDisk::new(folder)), secret);
        match people.prove() {
            Ok(()) | Err(PeopleError::Damaged { .. }) => Ok(people),
            Err(error) => Err(error),
        }
    }

    fn with(folder: Folder, secret: &[u8; 32]) -> Result<People, PeopleError> {
        let mut people = People::unproved(folder, secret);
        people.prove()?;
        Ok(people)
    }

    fn unproved(folder: Folder, secret: &[u8; 32]) -> People {
        let subjects = Subjects::on(folder);
        People { subjects, secret: Zeroizing::new(*secret), is_proved: false }
    }

    fn prove(&mut self) -> Result<(), PeopleError> {
        if !self.has_check()? {
            self.must_open_a_key()?;
        }
        self.is_proved = true;
        Ok(())
    }

    /// Proves the secret without the check. Who was erased, or may have been, proves nothing, and needs no
    /// secret.
    fn must_open_a_key(&self) -> Result<(), PeopleError> {
        let (mut is_any_sound, mut is_any_damaged) = (false, false);
        for subject in self.folder().subjects()? {
            let sealed = self.folder().sealed(&subject);
            let opened = sealed.and_then(|it| key_file::unsealed(&it, self.sealer(&subject)));
            match opened {
                Ok(Kept::Key { .. }) => return Ok(()),
                Ok(Kept::Gone) | Err(PeopleError::PerhapsErased { .. }) => {}
                Err(PeopleError::WrongSecret) => is_any_sound = true,
                Ok(Kept::Nothing) | Err(PeopleError::Damaged { .. }) => is_any_damaged = true,
                Err(error) => return Err(error),
            }
        }
        match (is_any_sound, is_any_damaged) {
            (true, _) => Err(PeopleError::WrongSecret),
            (false, true) => Err(all_damaged()),
            (false, false) => Ok(()),
        }
    }

    /// What is known about a subject; `None` if nothing is, or nothing any more.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is not what was sealed, or a command that changes something does not end.
    pub fn person(&self, subject: &Name) -> Result<Option<Person>, PeopleError> {
        let _lock = self.folder().lock_shared()?;
        let row = self.row(subject)?;
        match (self.kept(subject)?, row) {
            (Kept::Gone, _) | (Kept::Nothing, None) => Ok(None),
            (Kept::Nothing, Some(_)) => Err(lost_key(subject)),
            (Kept::Key { .. }, None) => Err(PeopleError::NoRow { subject: subject.clone() }),
            (Kept::Key { key }, Some(row)) => {
                let text = decrypt(&key, subject.as_str(), &row).ok_or_else(|| {
                    damaged(format!("what is known about `{subject}` was not sealed under it"))
                })?;
                Person::from_text(&text).map(Some)
            }
        }
    }

    fn folder(&self) -> &Folder {
        &self.subjects.folder
    }

    /// With what a subject's key is wrapped, and as whose.
    fn sealer<'a>(&'a self, subject: &'a Name) -> (&'a Key, &'a str) {
        (&self.secret, subject.as_str())
    }

    fn kept(&self, subject: &Name) -> Result<Kept, PeopleError> {
        let kept = key_file::unsealed(&self.folder().sealed(subject)?, self.sealer(subject));
        kept.map_err(|error| match error {
            // The secret was proved when the folder was opened.
            PeopleError::WrongSecret => damaged(format!("that of `{subject}` opens nothing")),
            error => error,
        })
    }

    /// What is sealed about a subject, if something is.
    fn row(&self, subject: &Name) -> Result<Option<Vec<u8>>, PeopleError> {
        let disk = self.folder().disk.as_ref();
        let read = disk.read(&row_name(subject), ROW_BYTES_MAX.saturating_add(1));
        let read = read.map_err(PeopleError::disk("read"))?;
        if read.as_ref().is_some_and(|bytes| bytes.len() > ROW_BYTES_MAX) {
            return Err(damaged(format!("what is known about `{subject}` is too long")));
        }
        Ok(read.map(|bytes| bytes.to_vec()))
    }

    /// Whether the check is there and sound. That it does not open says that the secret is another one.
    fn has_check(&self) -> Result<bool, PeopleError> {
        match key_file::read_sealed(self.folder().disk.as_ref(), CHECK_NAME)? {
            Ok(sealed) => {
                let opened = key_file::unsealed(&sealed, (&self.secret, CHECK_SUBJECT))?;
                Ok(matches!(opened, Kept::Key { .. }))
            }
            Err(_) => Ok(false),
        }
    }
}

fn all_damaged() -> PeopleError {
    damaged("the file `check`, and every key there is")
}
