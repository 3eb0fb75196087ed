//! What is known about persons, under a key each: who destroys the key has erased the person.
//!
//! History and journal know numbers and ids alone. Names, and numbers in other systems, lie in a folder
//! beside the store, which may be derived again: a file a person, encrypted under a key of that person
//! (AES-256-GCM), and the key, encrypted under a secret of the node, in a file of its own that is
//! overwritten where it lies. What is left of a person without the key is noise. A copy of the key
//! made before brings it back: whoever keeps backups of the folder must let them expire.

mod cipher;
mod error;
mod folder;
mod key_file;
mod person;
mod steps;
mod subjects;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use ach_actors_model::{Name, Timestamp};
use zeroize::Zeroizing;

use self::cipher::{Key, decrypt, encrypt, fresh_key};
pub use self::error::PeopleError;
use self::error::damaged;
use self::folder::{Folder, new_name};
use self::key_file::Kept;
pub use self::person::{LINKS_MAX, Link, PERSON_TEXT_BYTES_MAX, Person};
use self::steps::step;
pub use self::subjects::{Subject, Subjects};
use crate::Holds;

/// Most persons with a key or a note that it was destroyed: as many as there are numbers for subjects.
pub const PEOPLE_MAX: usize = 1 << 21;

/// Most bytes of what is sealed about a person: all texts at their longest, each byte escaped as six.
const ROW_BYTES_MAX: usize = (1 + 2 * LINKS_MAX) * PERSON_TEXT_BYTES_MAX * 6 + 1_024;

/// Whose "key" the check is; no subject has an id with a space.
const CHECK: &str = "the check";

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

/// How persons are to be kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping<'a> {
    /// When.
    pub now: Timestamp,
    /// Nothing takes the place of what is known about somebody one of these protects.
    pub holds: &'a Holds,
    /// Whether a damaged key gives way to a new one; what it protected is lost then.
    pub replaces_damaged: bool,
}

/// Of whom nothing new was kept, while the others were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotKept {
    /// A hold protects what was known, and it was something else.
    pub held: Vec<Name>,
    /// Their key is damaged.
    pub damaged: Vec<Name>,
}

/// Persons, as the rim knows them. Each call reads or writes files; several programs may do so.
pub struct People {
    subjects: Subjects,
    secret: Key,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").field("subjects", &self.subjects).finish_non_exhaustive()
    }
}

/// Under which key a person is to be written.
enum Under {
    /// The one there is.
    Kept(Key),
    /// A new one.
    New,
    /// A new one in the place of a damaged one.
    Instead,
}

impl People {
    /// Opens the folder, made with the first person. `secret` wraps the keys; the caller wipes its copy.
    /// Where the check is missing or damaged, a key that opens proves the secret as well.
    ///
    /// # Errors
    ///
    /// When nothing proves the secret, the folder cannot be read, or it belongs to another secret.
    pub fn open(folder: &Path, secret: &[u8; 32]) -> Result<People, PeopleError> {
        People::with(Folder::new(folder), secret)
    }

    fn with(folder: Folder, secret: &[u8; 32]) -> Result<People, PeopleError> {
        let subjects = Subjects { folder };
        let people = People { subjects, secret: Zeroizing::new(*secret) };
        match people.check() {
            Ok(Kept::Key { .. }) => Ok(people),
            Ok(_) | Err(PeopleError::Damaged { .. }) => people.must_open_a_key().map(|()| people),
            Err(error) => Err(error),
        }
    }

    /// Proves the secret without the check. Who was erased proves nothing, and needs no secret.
    fn must_open_a_key(&self) -> Result<(), PeopleError> {
        let (mut is_any_sound, mut is_any_damaged) = (false, false);
        for subject in self.folder().subjects()? {
            match key_file::read(&self.folder().key(&subject), (&self.secret, subject.as_str())) {
                Ok(Kept::Key { .. }) => return Ok(()),
                Ok(Kept::Gone) => {}
                Err(PeopleError::WrongSecret) => is_any_sound = true,
                Ok(Kept::Nothing) | Err(PeopleError::Damaged { .. }) => is_any_damaged = true,
                Err(error) => return Err(error),
            }
        }
        match (is_any_sound, is_any_damaged) {
            (true, _) => Err(PeopleError::WrongSecret),
            (false, true) => Err(damaged("the file `check`, and every key there is")),
            (false, false) => Ok(()),
        }
    }

    /// Keeps what is known about some subjects, in the place of what was known, and says of whom it was not
    /// kept. It is on disk when this returns. After a failure some of it may be; doing it again is safe.
    ///
    /// # Errors
    ///
    /// When one of them was erased, something is too long, there would be too many, or the disk refuses.
    /// Of the first three nothing comes.
    pub fn put(
        &mut self,
        persons: &[(Name, Person)],
        keeping: Keeping<'_>,
    ) -> Result<NotKept, PeopleError> {
        let mut subjects = BTreeSet::new();
        for (subject, person) in persons {
            person.check(subject)?;
            if !subjects.insert(subject) {
                return Err(PeopleError::Twice { subject: subject.clone() });
            }
        }
        let _lock = self.folder().lock()?;
        let there = self.folder().subjects()?;
        let new = subjects.iter().filter(|subject| !there.contains(**subject)).count();
        let limit = self.folder().people_max();
        if there.len().saturating_add(new) > limit {
            return Err(PeopleError::TooMany { limit });
        }
        let (mut not_kept, mut to_write) = (NotKept::default(), Vec::new());
        for (subject, person) in persons {
            let is_held = keeping.holds.on(subject).is_some();
            let under = match self.kept(subject) {
                Ok(Kept::Gone) => return Err(PeopleError::Forgotten { subject: subject.clone() }),
                Ok(Kept::Key { key }) if is_held && self.knows_other(subject, &key, person)? => {
                    not_kept.held.push(subject.clone());
                    continue;
                }
                Ok(Kept::Key { key }) => Under::Kept(key),
                Ok(Kept::Nothing) if !is_held || !self.folder().row(subject).exists() => Under::New,
                Err(PeopleError::Damaged { .. }) if keeping.replaces_damaged && !is_held => {
                    Under::Instead
                }
                Ok(Kept::Nothing) | Err(PeopleError::Damaged { .. }) => {
                    not_kept.damaged.push(subject.clone());
                    continue;
                }
                Err(error) => return Err(error),
            };
            to_write.push((subject, person, under));
        }
        if !to_write.is_empty() {
            self.keep_check(keeping.now)?;
            self.write(to_write, keeping.now)?;
        }
        Ok(not_kept)
    }

    /// Writes the check where there is none, or a damaged one: that the secret is right is known by now.
    fn keep_check(&self, now: Timestamp) -> Result<(), PeopleError> {
        match self.check() {
            Ok(Kept::Key { .. }) => return Ok(()),
            Ok(_) | Err(PeopleError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
        let file = new_name(&self.folder().check());
        let zeros = Zeroizing::new([0; cipher::KEY_BYTES]);
        key_file::write_new(&file, (&self.secret, CHECK), &zeros, now)?;
        self.folder().settle(&[file])
    }

    /// Whether something else is known about somebody, or nobody can tell.
    fn knows_other(&self, subject: &Name, key: &Key, person: &Person) -> Result<bool, PeopleError> {
        let Some(row) = read_row(&self.folder().row(subject))? else { return Ok(false) };
        let known = decrypt(key, subject.as_str(), &row);
        let known = known.and_then(|text| Person::from_text(&text).ok());
        Ok(known.as_ref() != Some(person))
    }

    /// Writes persons, each under the key there is or a new one.
    fn write(
        &self,
        persons: Vec<(&Name, &Person, Under)>,
        now: Timestamp,
    ) -> Result<(), PeopleError> {
        let (mut key_files, mut row_files) = (Vec::new(), Vec::new());
        for (subject, person, under) in persons {
            let (file, sealer) = (self.folder().key(subject), (&self.secret, subject.as_str()));
            let key = match under {
                Under::Kept(key) => key,
                Under::New => {
                    let (key, file) = (fresh_key()?, new_name(&file));
                    key_file::write_new(&file, sealer, &key, now)?;
                    key_files.push(file);
                    key
                }
                Under::Instead => {
                    let key = fresh_key()?;
                    key_file::replace(&file, sealer, &key, now)?;
                    key
                }
            };
            let file = new_name(&self.folder().row(subject));
            write_row(&file, &encrypt(&key, subject.as_str(), &person.to_text()?)?)?;
            row_files.push(file);
        }
        // Keys first: a row without one would look as if the key had been lost.
        self.folder().settle(&key_files)?;
        self.folder().settle(&row_files)
    }

    /// What is known about a subject; `None` if nothing is, or nothing any more.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is not what was sealed, or a command that changes something does not end.
    pub fn person(&self, subject: &Name) -> Result<Option<Person>, PeopleError> {
        let _lock = self.folder().lock_shared()?;
        let row = read_row(&self.folder().row(subject))?;
        match (self.kept(subject)?, row) {
            (Kept::Gone, _) | (Kept::Nothing, None) => Ok(None),
            (Kept::Nothing, Some(_)) => Err(damaged(format!("that of `{subject}` is missing"))),
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

    fn kept(&self, subject: &Name) -> Result<Kept, PeopleError> {
        let kept = key_file::read(&self.folder().key(subject), (&self.secret, subject.as_str()));
        kept.map_err(|error| match error {
            // The secret was proved when the folder was opened.
            PeopleError::WrongSecret => damaged(format!("that of `{subject}` opens nothing")),
            error => error,
        })
    }

    /// The check: that its file is sound and does not open says that the secret is another one.
    fn check(&self) -> Result<Kept, PeopleError> {
        key_file::read(&self.folder().check(), (&self.secret, CHECK))
    }
}

fn write_row(file: &Path, sealed: &[u8]) -> Result<(), PeopleError> {
    let mut options = fs::OpenOptions::new();
    let opened = step().and_then(|()| options.write(true).create_new(true).mode(0o600).open(file));
    opened.and_then(|opened| opened.write_all_at(sealed, 0)).map_err(PeopleError::disk("write"))
}

fn read_row(file: &Path) -> Result<Option<Vec<u8>>, PeopleError> {
    let opened = match File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(PeopleError::disk("read"))?,
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(ROW_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    opened.take(limit).read_to_end(&mut bytes).map_err(PeopleError::disk("read"))?;
    if bytes.len() > ROW_BYTES_MAX {
        return Err(damaged("something known about a person is too long"));
    }
    Ok(Some(bytes))
}
