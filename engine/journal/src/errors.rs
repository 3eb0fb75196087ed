//! Why an operation of the journal was refused: one enum per operation.

use std::io;

use thiserror::Error;

use crate::damage::{Damage, Harm};
use crate::walk::WalkError;
use crate::{Lsn, RECORD_BYTES_MAX};

/// Why a journal was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process, or this one, has it open.
    #[error("the journal is in use by another process; stop that one first")]
    InUse,
    /// The configuration cannot work.
    #[error("`{setting}` is {value} but must lie between {min} and {max}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// What it is.
        value: u64,
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// Something durable is damaged. The records before it have been handed out; go on without
    /// storing, or put the folder back from a copy or a peer.
    #[error(
        "the journal is damaged at record {lsn}, segment {segment:016x} at byte {offset}: {harm}; \
         nothing behind it can be trusted"
    )]
    Corrupt {
        /// The first record that cannot be trusted.
        lsn: Lsn,
        /// The segment it is in.
        segment: u64,
        /// Where in the segment's file.
        offset: u64,
        /// What is wrong.
        harm: Harm,
    },
    /// The key is not the one the journal was written with.
    #[error(
        "segment {segment:016x} was written with another key-encryption key; give the key the \
         journal was made with"
    )]
    WrongKey {
        /// The first segment it does not fit.
        segment: u64,
    },
    /// A newer program wrote it.
    #[error("segment {segment:016x} has format {version}, newer than this program knows; upgrade")]
    NewerFormat {
        /// The first such segment.
        segment: u64,
        /// Its format.
        version: u32,
    },
    /// There is no room for a segment.
    #[error(
        "no room to open the journal: {needed_bytes} bytes are needed, {free_bytes} are free; make \
         room, then start again"
    )]
    Full {
        /// What is needed.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// The disk refused.
    #[error("could not {verb} `{file}` of the journal")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        file: String,
        /// What the disk said.
        source: io::Error,
    },
    /// The library of cryptography refused.
    #[error("could not make a key for a new segment of the journal")]
    Cipher,
}

/// Why a record was not taken. None of these loses what was taken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AppendError {
    /// The group is full: commit, then append again.
    #[error("the open group is full at {group_bytes} bytes; commit it, then append again")]
    GroupFull {
        /// How full it is.
        group_bytes: usize,
    },
    /// No record may be as large.
    #[error("a record of {payload_bytes} bytes is over the limit of {RECORD_BYTES_MAX}")]
    TooLarge {
        /// How large it is.
        payload_bytes: usize,
    },
    /// Storing has ended for this process.
    #[error("the journal stopped storing when it could not {verb}; restart to store again")]
    Dead {
        /// What failed.
        verb: &'static str,
    },
}

/// Why a group is not durable.
#[derive(Debug, Error)]
pub enum CommitError {
    /// There is no room for the next segment. The group is still open: make room and commit again.
    #[error(
        "no room for the next segment: {needed_bytes} bytes are needed, {free_bytes} are free; make \
         room, then commit again"
    )]
    Full {
        /// What is needed.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// The disk refused. Storing has ended for this process: whether the group is on the disk will
    /// be known at the next start.
    #[error("could not {verb} `{file}` of the journal; storing has ended until a restart")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        file: String,
        /// What the disk said.
        source: io::Error,
    },
    /// The library of cryptography refused. Storing has ended for this process.
    #[error("could not encrypt a group of the journal; storing has ended until a restart")]
    Cipher,
    /// Storing had ended before.
    #[error("the journal stopped storing when it could not {verb}; restart to store again")]
    Dead {
        /// What failed.
        verb: &'static str,
    },
}

/// Why the next segment was not prepared. The journal goes on, unless [`Journal::adopt`] says
/// otherwise.
///
/// [`Journal::adopt`]: crate::Journal::adopt
#[derive(Debug, Error)]
pub enum PrepareError {
    /// There is no room, the reserve left out.
    #[error(
        "no room to prepare a segment: {needed_bytes} bytes are needed, {free_bytes} are free; make \
         room before the present segment is full"
    )]
    Full {
        /// What is needed, reserve included.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// The disk refused.
    #[error("could not {verb} the next segment of the journal")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the disk said.
        source: io::Error,
    },
}

/// Why an offline reading ended early.
#[derive(Debug, Error)]
pub enum ReadError {
    /// There is no journal in the folder.
    #[error("there is no journal in this folder: it has neither a segment nor a durable mark")]
    NoJournal,
    /// A running node changed the journal under every reading.
    #[error("the journal changed under each of {tries} readings; try again when less is written")]
    Busy {
        /// How often it was tried.
        tries: u32,
    },
    /// The key is not the one the journal was written with.
    #[error("segment {segment:016x} was written with another key-encryption key")]
    WrongKey {
        /// The first segment it does not fit.
        segment: u64,
    },
    /// A newer program wrote it.
    #[error("segment {segment:016x} has format {version}, newer than this program knows; upgrade")]
    NewerFormat {
        /// The first such segment.
        segment: u64,
        /// Its format.
        version: u32,
    },
    /// The disk refused.
    #[error("could not {verb} `{file}` of the journal")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        file: String,
        /// What the disk said.
        source: io::Error,
    },
}

impl From<WalkError> for OpenError {
    fn from(error: WalkError) -> OpenError {
        match error {
            WalkError::Damage(Damage { segment, offset, lsn, harm }) => {
                OpenError::Corrupt { lsn, segment, offset, harm }
            }
            WalkError::Disk { verb, file, source } => OpenError::Disk { verb, file, source },
            WalkError::WrongKey { segment } => OpenError::WrongKey { segment },
            WalkError::Newer { segment, version } => OpenError::NewerFormat { segment, version },
        }
    }
}

impl ReadError {
    /// What ends an offline reading; damage does not, it belongs into the report.
    pub(crate) fn unless_damage(error: WalkError) -> Result<Damage, ReadError> {
        Err(match error {
            WalkError::Damage(damage) => return Ok(damage),
            WalkError::Disk { verb, file, source } => ReadError::Disk { verb, file, source },
            WalkError::WrongKey { segment } => ReadError::WrongKey { segment },
            WalkError::Newer { segment, version } => ReadError::NewerFormat { segment, version },
        })
    }
}
