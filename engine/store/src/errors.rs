//! Why history could not be opened, written or read.

use std::io;

use thiserror::Error;

use crate::{BlockError, Day, HistoryGap};

/// Why a store was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the history is in use by another process; ask the node that runs on it, or stop it first"
    )]
    InUse,
    /// A newer program wrote it.
    #[error(
        "the history has format {format}, written by a newer program; use that, or remove it and \
             let it be derived from the journal again"
    )]
    Newer {
        /// The format.
        format: u32,
    },
    /// It is not as it was written.
    #[error("the history is damaged: {detail}; it can be derived from the journal again")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// The disk or the system refused.
    #[error("cannot {verb} the history")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Why history was not written. Alarms do not wait for it and go on.
#[derive(Debug, Error)]
pub enum WriteError {
    /// An entry is missing.
    #[error("entry {expected} is next and {got} came; derive the history from the journal again")]
    Gap {
        /// The entry that is next.
        expected: u64,
        /// The entry that came.
        got: u64,
    },
    /// What is there is not as it was written.
    #[error(
        "the history is damaged: {detail}; nothing more is written to it until it is derived again"
    )]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// The disk or the system refused.
    #[error("cannot {verb} the history")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing is written after a failure.
    #[error("the history stopped after a failure; open it again")]
    Stopped,
}

/// Why a question has no answer.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The answer would be longer than asked for; a part of it would mislead.
    #[error("there are more than {limit}; ask about a shorter time")]
    TooMany {
        /// How many were allowed.
        limit: usize,
    },
    /// What was asked about is over.
    #[error("what was on {day} is not kept any more; ask about a later time")]
    Dropped {
        /// The last day of that time that is gone.
        day: Day,
    },
    /// Some of what was asked about was never taken, and nobody has it any more.
    #[error(
        "history knows nothing of {gap}: the journal had given it up by then; ask about a time \
         before or after"
    )]
    Gap {
        /// The last gap in that time.
        gap: HistoryGap,
    },
    /// A block of pings is damaged.
    #[error("a block of pings of {day} cannot be read")]
    Block {
        /// The day.
        day: Day,
        /// Why.
        source: BlockError,
    },
    /// What is there is not as it was written.
    #[error("the history is damaged: {detail}; it can be derived from the journal again")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// The disk or the system refused.
    #[error("cannot {verb} the history")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// What went wrong below, before it is known what it means.
#[derive(Debug)]
pub(crate) enum Fault {
    InUse,
    Newer { format: u32 },
    Damage(String),
    Disk { verb: &'static str, source: io::Error },
}

impl Fault {
    /// What the LSM said while it was to `verb`.
    pub(crate) fn of(verb: &'static str) -> impl Fn(fjall::Error) -> Fault {
        move |error| match error {
            fjall::Error::Locked => Fault::InUse,
            fjall::Error::Io(source) | fjall::Error::Storage(fjall::LsmError::Io(source)) => {
                Fault::of_io(verb)(source)
            }
            other => Fault::Damage(format!("cannot {verb} it: {other:?}")),
        }
    }

    /// What the system said while it was to `verb`. A file that ends too soon, or is missing where it
    /// must be, is damage.
    pub(crate) fn of_io(verb: &'static str) -> impl Fn(io::Error) -> Fault {
        move |source| match source.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::NotFound => Fault::Damage(format!("cannot {verb} it: {source}")),
            _ => Fault::Disk { verb, source },
        }
    }

    pub(crate) fn damage(detail: impl Into<String>) -> Fault {
        Fault::Damage(detail.into())
    }
}

/// Another process can have it only while it is opened.
const IN_USE: &str = "another process has taken it";

/// A format is looked at only when a store is opened.
fn newer(format: u32) -> String {
    format!("its format has become {format}")
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> OpenError {
        match fault {
            Fault::InUse => OpenError::InUse,
            Fault::Newer { format } => OpenError::Newer { format },
            Fault::Damage(detail) => OpenError::Damaged { detail },
            Fault::Disk { verb, source } => OpenError::Disk { verb, source },
        }
    }
}

impl From<Fault> for WriteError {
    fn from(fault: Fault) -> WriteError {
        match fault {
            Fault::InUse => WriteError::Damaged { detail: IN_USE.to_owned() },
            Fault::Newer { format } => WriteError::Damaged { detail: newer(format) },
            Fault::Damage(detail) => WriteError::Damaged { detail },
            Fault::Disk { verb, source } => WriteError::Disk { verb, source },
        }
    }
}

impl From<Fault> for QueryError {
    fn from(fault: Fault) -> QueryError {
        match fault {
            Fault::InUse => QueryError::Damaged { detail: IN_USE.to_owned() },
            Fault::Newer { format } => QueryError::Damaged { detail: newer(format) },
            Fault::Damage(detail) => QueryError::Damaged { detail },
            Fault::Disk { verb, source } => QueryError::Disk { verb, source },
        }
    }
}
