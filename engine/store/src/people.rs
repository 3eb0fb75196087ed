//! What is known about persons, under a key each: who destroys the key has erased the person.
//!
//! History and journal know numbers and ids alone. Names, and numbers in other systems, are rows of
//! the store, each encrypted under the key of its person (AES-256-GCM); the keys are encrypted under a
//! secret of the node and lie in a file beside the store, because the store may be derived again and
//! its old tables linger on disk. What is left of a person without the key is noise, in every copy of
//! the store, however old. A copy of the file of keys made before brings it back: whoever keeps
//! backups of it must let them expire.

mod key_book;
mod person;

use std::path::Path;

use ach_actors_model::{Name, Timestamp};
use thiserror::Error;

use self::key_book::{Kept, KeyBook};
pub use self::person::{LINKS_MAX, Link, PERSON_TEXT_BYTES_MAX, Person};
use crate::errors::{Fault, QueryError, WriteError};
use crate::{Holds, Store};

/// Most persons with a key or a note that it was destroyed: as many as there are numbers for subjects.
pub const PEOPLE_MAX: usize = 1 << 21;

/// Why something about a person was not kept, told or erased.
#[derive(Debug, Error)]
pub enum PeopleError {
    /// The person was erased, and stays so.
    #[error("`{subject}` was erased; take the entry out of the site directory too")]
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
    /// The file of keys is not as it was written.
    #[error("the keys of persons are damaged: {detail}; put the file back from your backup")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// The secret is another one than that with which the keys were wrapped.
    #[error("the keys of persons belong to another key of the node; start it with that one")]
    WrongSecret,
    /// The library of cryptography refused.
    #[error("the cryptography failed; try again")]
    Cipher,
    /// The file of keys could not be read or written.
    #[error("cannot {verb} the keys of persons")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The row could not be read.
    #[error("cannot read about a person")]
    Unreadable(#[from] QueryError),
    /// The row could not be written.
    #[error("cannot keep what is known about a person")]
    Unwritable(#[from] WriteError),
}

/// Persons, as the rim knows them.
#[derive(Debug)]
pub struct People {
    store: Store,
    book: KeyBook,
}

impl People {
    /// Opens the file of keys, made at the first person. `secret` wraps them; the caller wipes its copy.
    ///
    /// # Errors
    ///
    /// When the file is damaged, cannot be read, or belongs to another secret.
    pub fn open(store: Store, file: &Path, secret: &[u8; 32]) -> Result<People, PeopleError> {
        Ok(People { store, book: KeyBook::open(file, secret)? })
    }

    /// Keeps what is known about a subject, in the place of what was known.
    ///
    /// # Errors
    ///
    /// When the person was erased, something is too long, or the disk refuses.
    pub fn put(
        &mut self,
        subject: &Name,
        person: &Person,
        now: Timestamp,
    ) -> Result<(), PeopleError> {
        person.check(subject)?;
        let key = match self.book.key(subject)? {
            Kept::Key(key) => key,
            Kept::Forgotten => return Err(PeopleError::Forgotten { subject: subject.clone() }),
            Kept::Nothing => self.book.make(subject, now)?,
        };
        let text = person.to_text()?;
        let value = key_book::seal(&key, subject, &text)?;
        let put = self.store.names().put_person(subject.as_str(), &value);
        put.map_err(|fault: Fault| PeopleError::Unwritable(fault.into()))
    }

    /// What is known about a subject; `None` if nothing is, or nothing any more.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not what was sealed.
    pub fn person(&self, subject: &Name) -> Result<Option<Person>, PeopleError> {
        let Kept::Key(key) = self.book.key(subject)? else { return Ok(None) };
        let value = self.store.names().person(subject.as_str());
        let value = value.map_err(|fault: Fault| PeopleError::Unreadable(fault.into()))?;
        let Some(value) = value else { return Ok(None) };
        Person::from_text(&key_book::unseal(&key, subject, &value)?).map(Some)
    }

    /// Whether a person was erased, and when.
    pub fn forgotten_at(&self, subject: &Name) -> Option<Timestamp> {
        self.book.forgotten_at(subject)
    }

    /// Erases a person: destroys the key, on disk and in memory, and overwrites the file it was in.
    /// It is noted that it happened, so that the person does not come back with the next start.
    ///
    /// # Errors
    ///
    /// When a hold protects the person, or the disk refuses; then the key is still there.
    pub fn forget(
        &mut self,
        subject: &Name,
        now: Timestamp,
        holds: &Holds,
    ) -> Result<(), PeopleError> {
        if let Some(hold) = holds.on(subject) {
            return Err(PeopleError::Held { subject: subject.clone(), hold: hold.id.clone() });
        }
        self.book.forget(subject, now)
    }
}
