//! Why an operation of the log was refused: one enum per operation.

use std::io;

use thiserror::Error;

use crate::harm::Damage;
use crate::head::LogName;
use crate::record::RecordError;

/// Why a log was not opened. Nothing was changed.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process, or this one, has it open.
    #[error("the audit log is in use by another process; stop that one first")]
    InUse,
    /// It is damaged, cut or edited. It is left as it is, for it is evidence.
    #[error(
        "the audit log is damaged: {0}; keep a copy of its folder, find out who did it, then move \
         the folder and `audit.pub` away to begin a new one"
    )]
    Corrupt(Damage),
    /// It was signed with another key.
    #[error("the audit log was signed with another key; give the key it was begun with")]
    OtherKey,
    /// It is the log of another node.
    #[error("the folder holds the audit log of {found}, not of {wanted}")]
    OtherLog {
        /// Whose it is.
        found: LogName,
        /// Whose was to be opened.
        wanted: LogName,
    },
    /// A newer program wrote it.
    #[error("segment {segment:016x} has format {version}, newer than this program knows; upgrade")]
    NewerFormat {
        /// Which segment.
        segment: u64,
        /// Its format.
        version: u32,
    },
    /// There is no room for a segment.
    #[error("no room to begin the audit log: {needed_bytes} bytes are needed; make room")]
    Full {
        /// What is needed.
        needed_bytes: u64,
    },
    /// The disk refused.
    #[error("could not {verb} `{file}` of the audit log: {source}")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        file: String,
        /// What the disk said.
        source: io::Error,
    },
}

/// Why a record was not taken. None of these loses what was taken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AppendError {
    /// The open group is full: commit, then append again.
    #[error("the open group is full; commit it, then append again")]
    GroupFull,
    /// It is no record that can be kept.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Writing has ended for this process.
    #[error("the audit log stopped when it could not {verb}; restart to write it again")]
    Dead {
        /// What failed.
        verb: &'static str,
    },
}

/// Why a group or a head is not on disk.
#[derive(Debug, Error)]
pub enum CommitError {
    /// There is no room, for the next segment or in this one. The group is still open: make room and
    /// commit again.
    #[error("no room for the audit log: {needed_bytes} bytes are needed; make room")]
    Full {
        /// What is needed.
        needed_bytes: u64,
    },
    /// The disk refused. Writing has ended for this process: whether the group is on the disk will
    /// be known at the next start.
    #[error("could not {verb} the audit log: {source}; it is not written until a restart")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the disk said.
        source: io::Error,
    },
    /// Writing had ended before.
    #[error("the audit log stopped when it could not {verb}; restart to write it again")]
    Dead {
        /// What failed.
        verb: &'static str,
    },
}

/// Why what was laid down beside the log was not taken in.
#[derive(Debug, Error)]
pub enum CollectError {
    /// The folder could not be read. The log goes on; try again.
    #[error("could not list what lies beside the audit log: {0}; it is tried again")]
    List(#[source] io::Error),
    /// The log could not be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// Why a log was not read to its end. Damage is none of these: it belongs into the report.
#[derive(Debug, Error)]
pub enum ReadError {
    /// There is none.
    #[error("there is no audit log in this folder")]
    NoLog,
    /// It was written each time it was read.
    #[error("the audit log is written faster than it can be read; try again in a moment")]
    Busy,
    /// A newer program wrote it.
    #[error("segment {segment:016x} has format {version}, newer than this program knows; upgrade")]
    NewerFormat {
        /// Which segment.
        segment: u64,
        /// Its format.
        version: u32,
    },
    /// The disk refused.
    #[error("could not {verb} `{file}` of the audit log: {source}")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        file: String,
        /// What the disk said.
        source: io::Error,
    },
}

impl OpenError {
    /// Whether another try may do better with nothing changed but the state of the machine: nothing
    /// was written, or there was no room to.
    pub fn may_pass(&self) -> bool {
        match self {
            OpenError::InUse | OpenError::Full { .. } => true,
            OpenError::Disk { verb, .. } => matches!(*verb, "lock" | "list" | "read" | "open"),
            OpenError::Corrupt(_)
            | OpenError::OtherKey
            | OpenError::OtherLog { .. }
            | OpenError::NewerFormat { .. } => false,
        }
    }
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> OpenError {
        match error {
            // Only a folder that was just found to have segments is read, and by its one writer.
            ReadError::NoLog | ReadError::Busy => OpenError::Disk {
                verb: "find",
                file: String::new(),
                source: io::Error::from(io::ErrorKind::NotFound),
            },
            ReadError::NewerFormat { segment, version } => {
                OpenError::NewerFormat { segment, version }
            }
            ReadError::Disk { verb, file, source } => OpenError::Disk { verb, file, source },
        }
    }
}
