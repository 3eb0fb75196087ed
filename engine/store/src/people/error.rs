//! Why something about a person was not kept, told or erased.

use std::path::PathBuf;

use ach_actors_model::Name;
use thiserror::Error;

/// Why something about a person was not kept, told or erased.
#[derive(Debug, Error)]
pub enum PeopleError {
    /// What is left of the key is no key, and may be the note that it was destroyed.
    #[error(
        "the key of `{subject}` is damaged and may be of somebody who was erased: erase them again; or, \
         if you know that they were not, put key and row back from your backup"
    )]
    PerhapsErased {
        /// Whose it is.
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
        "there is a key of `{subject}` and nothing under it: an import that was cut short leaves that, \
         so do it again; or put the file back from your backup"
    )]
    NoRow {
        /// Whose.
        subject: Name,
    },
    /// There would be more persons than there may be.
    #[error("at most {limit} persons are kept, with those who were erased; import fewer")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// Another command has them, and does not let go.
    #[error(
        "another command keeps {} locked; let it end, or see why it hangs, and do it again",
        file.display()
    )]
    Busy {
        /// The lock.
        file: PathBuf,
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
    pub(super) fn disk(verb: &'static str) -> impl Fn(std::io::Error) -> PeopleError {
        move |source| PeopleError::Disk { verb, source }
    }
}

pub(super) fn damaged(detail: impl Into<String>) -> PeopleError {
    PeopleError::Damaged { detail: detail.into() }
}

pub(super) fn lost_key(subject: &Name) -> PeopleError {
    damaged(format!("that of `{subject}` is missing"))
}
