//! What is known about persons, under a key each: who destroys the key has erased the person.
//!
//! History and journal know numbers and ids alone. Names, and numbers in other systems, lie in a folder
//! beside the store, which may be derived again: a file a person, encrypted under a key of that person
//! (AES-256-GCM), and the key, encrypted under a secret of the node, in a file of its own that is
//! overwritten where it lies. What is left of a person without the key is noise. A copy of the key
//! made before brings it back: whoever keeps backups of the folder must let them expire.

mod cipher;
mod folder;
mod key_file;
mod person;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use ach_actors_model::{Name, Timestamp};
use thiserror::Error;
use zeroize::Zeroizing;

use self::cipher::{Key, decrypt, encrypt, fresh_key};
use self::folder::{Folder, FolderLock, new_name};
use self::key_file::Kept;
pub use self::person::{LINKS_MAX, Link, PERSON_TEXT_BYTES_MAX, Person};
use crate::Holds;

/// Most persons with a key or a note that it was destroyed: as many as there are numbers for subjects.
pub const PEOPLE_MAX: usize = 1 << 21;

/// Most bytes of what is sealed about a person: all texts at their longest, each byte escaped as six.
const ROW_BYTES_MAX: usize = (1 + 2 * LINKS_MAX) * PERSON_TEXT_BYTES_MAX * 6 + 1_024;

/// Whose "key" the check is; no subject has an id with a space.
const CHECK: &str = "the check";

/// Why something about a person was not kept, told or erased.
#[derive(Debug, Error)]
pub enum PeopleError {
    /// The person was erased, and stays so.
    #[error("`{subject}` was erased and does not come back; give the person another id")]
    Forgotten {
        /// Whose key was destroyed.
        subject: Name,
    },
    /// A hold forbids it.
    #[error("hold `{hold}` protects `{subject}`; lift it first")]
    Held {
        /// Whose key it is.
        subject: Name,
        /// The hold.
        hold: Name,
    },
    /// A text is too long or there are too many.
    #[error("{what} of `{subject}`: at most {limit} are kept")]
    TooMuch {
        /// Whose.
        subject: Name,
        /// Of what there is too much.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
    /// Nothing is known of the subject, and never was.
    #[error("nothing is kept about `{subject}`, and nothing was erased")]
    Unknown {
        /// Who.
        subject: Name,
    },
    /// Two persons of one id were to be kept at once.
    #[error("`{subject}` is there twice; name everybody once")]
    Twice {
        /// Who.
        subject: Name,
    },
    /// There is a key, and what was sealed under it is not there.
    #[error(
        "what was kept about `{subject}` is gone: put it back from your backup, or keep it again"
    )]
    NoRow {
        /// Whose.
        subject: Name,
    },
    /// A key or a row is not as it was written.
    #[error("the keys of persons are damaged: {detail}; put them back from your backup")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// The secret is another one than that with which the keys were wrapped.
    #[error("the keys of persons belong to another key of the node; give that one")]
    WrongSecret,
    /// The library of cryptography refused.
    #[error("the cryptography failed; try again")]
    Cipher,
    /// The folder could not be read or written.
    #[error("cannot {verb} what is kept about persons; see to the disk and do it again")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl PeopleError {
    fn disk(verb: &'static str) -> impl Fn(std::io::Error) -> PeopleError {
        move |source| PeopleError::Disk { verb, source }
    }
}

fn damaged(detail: impl Into<String>) -> PeopleError {
    PeopleError::Damaged { detail: detail.into() }
}

/// Whether somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Since then.
    Since(Timestamp),
    /// Not any more: the key was destroyed then.
    Erased(Timestamp),
}

/// Persons, as the rim knows them. Each call reads or writes files; several programs may do so.
pub struct People {
    folder: Folder,
    secret: Key,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl People {
    /// Opens the folder, made with the first person. `secret` wraps the keys; the caller wipes its copy.
    ///
    /// # Errors
    ///
    /// When it is damaged, cannot be read, or belongs to another secret.
    pub fn open(folder: &Path, secret: &[u8; 32]) -> Result<People, PeopleError> {
        let people = People { folder: Folder::new(folder), secret: Zeroizing::new(*secret) };
        match people.check() {
            Ok(Kept::Key { .. }) => Ok(people),
            Ok(Kept::Nothing) if people.folder.subjects()?.is_empty() => Ok(people),
            Ok(_) => Err(damaged("the file `check` is missing")),
            Err(error) => Err(error),
        }
    }

    /// Keeps what is known about some subjects, in the place of what was known. It is on disk when this
    /// returns. After a failure some of it may be; doing it again is safe.
    ///
    /// # Errors
    ///
    /// When one of them was erased, something is too long, or the disk refuses. Of the first two
    /// nothing comes.
    pub fn put(&mut self, persons: &[(Name, Person)], now: Timestamp) -> Result<(), PeopleError> {
        let mut subjects = BTreeSet::new();
        for (subject, person) in persons {
            person.check(subject)?;
            if !subjects.insert(subject) {
                return Err(PeopleError::Twice { subject: subject.clone() });
            }
        }
        let _lock = self.lock()?;
        let mut keys = Vec::new();
        for (subject, _) in persons {
            keys.push(match self.kept(subject)? {
                Kept::Key { key, .. } => Some(key),
                Kept::Gone { .. } => {
                    return Err(PeopleError::Forgotten { subject: subject.clone() });
                }
                Kept::Nothing => None,
            });
        }
        if matches!(self.check()?, Kept::Nothing) {
            let file = new_name(&self.folder.check());
            let zeros = Zeroizing::new([0; cipher::KEY_BYTES]);
            key_file::write_new(&file, (&self.secret, CHECK), &zeros, now)?;
            self.folder.settle(&[file])?;
        }
        self.write(persons, keys, now)
    }

    /// Writes persons, each under the key there is or a new one.
    fn write(
        &self,
        persons: &[(Name, Person)],
        keys: Vec<Option<Key>>,
        now: Timestamp,
    ) -> Result<(), PeopleError> {
        let (mut key_files, mut row_files) = (Vec::new(), Vec::new());
        for ((subject, person), key) in persons.iter().zip(keys) {
            let key = if let Some(key) = key {
                key
            } else {
                let (key, file) = (fresh_key()?, new_name(&self.folder.key(subject)));
                key_file::write_new(&file, (&self.secret, subject.as_str()), &key, now)?;
                key_files.push(file);
                key
            };
            let file = new_name(&self.folder.row(subject));
            write_row(&file, &encrypt(&key, subject.as_str(), &person.to_text()?)?)?;
            row_files.push(file);
        }
        // Keys first: a row without one would look as if the key had been lost.
        self.folder.settle(&key_files)?;
        self.folder.settle(&row_files)
    }

    /// What is known about a subject; `None` if nothing is, or nothing any more.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not what was sealed.
    pub fn person(&self, subject: &Name) -> Result<Option<Person>, PeopleError> {
        let row = read_row(&self.folder.row(subject))?;
        match (self.kept(subject)?, row) {
            (Kept::Gone { .. }, _) | (Kept::Nothing, None) => Ok(None),
            (Kept::Nothing, Some(_)) => Err(damaged(format!("that of `{subject}` is missing"))),
            (Kept::Key { .. }, None) => Err(PeopleError::NoRow { subject: subject.clone() }),
            (Kept::Key { key, .. }, Some(row)) => {
                let text = decrypt(&key, subject.as_str(), &row).ok_or_else(|| {
                    damaged(format!("what is known about `{subject}` was not sealed under it"))
                })?;
                Person::from_text(&text).map(Some)
            }
        }
    }

    /// Whether a subject is known, or was.
    ///
    /// # Errors
    ///
    /// When the key cannot be read.
    pub fn known(&self, subject: &Name) -> Result<Option<Known>, PeopleError> {
        Ok(match self.kept(subject)? {
            Kept::Key { since, .. } => Some(Known::Since(since)),
            Kept::Gone { since } => Some(Known::Erased(since)),
            Kept::Nothing => None,
        })
    }

    /// Everybody who is known or was, in order.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn subjects(&self) -> Result<Vec<Name>, PeopleError> {
        self.folder.subjects()
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
        let _lock = self.lock()?;
        let row = self.folder.row(subject);
        let since = match self.kept(subject) {
            Ok(Kept::Nothing) if !row.exists() => {
                return Err(PeopleError::Unknown { subject: subject.clone() });
            }
            Ok(Kept::Gone { since }) => since,
            Ok(_) | Err(_) => now,
        };
        key_file::destroy(&self.folder.key(subject), since)?;
        // Noise by now.
        match fs::remove_file(&row) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(PeopleError::disk("remove")(error));
            }
            Ok(()) | Err(_) => {}
        }
        self.folder.sync()
    }

    fn lock(&self) -> Result<FolderLock, PeopleError> {
        self.folder.lock()
    }

    fn kept(&self, subject: &Name) -> Result<Kept, PeopleError> {
        let kept = key_file::read(&self.folder.key(subject), (&self.secret, subject.as_str()));
        kept.map_err(|error| match error {
            // The secret was compared when the folder was opened.
            PeopleError::WrongSecret => damaged(format!("that of `{subject}` opens nothing")),
            error => error,
        })
    }

    /// The check: that its file is sound and does not open says that the secret is another one.
    fn check(&self) -> Result<Kept, PeopleError> {
        key_file::read(&self.folder.check(), (&self.secret, CHECK))
    }
}

fn write_row(file: &Path, sealed: &[u8]) -> Result<(), PeopleError> {
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(file);
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
