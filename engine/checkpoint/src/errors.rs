//! Why a checkpoint was not written or not read.

use std::fmt;
use std::io;

use thiserror::Error;

/// Why a checkpoint was given up. The journal is none the worse for it.
#[derive(Debug, Error)]
pub enum WriteError {
    /// There is no room that the journal does not need.
    #[error(
        "no room for a checkpoint: {free_bytes} bytes are free, {kept_bytes} of them are kept for \
         the journal; free space, it is tried again later"
    )]
    Full {
        /// What is free.
        free_bytes: u64,
        /// What the journal must find.
        kept_bytes: u64,
    },
    /// A section is over the limit.
    #[error("a section of {bytes} bytes is too large for a checkpoint")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The disk refused.
    #[error("could not {verb} a checkpoint: {source}; it is given up and another one tried later")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the disk said.
        source: io::Error,
    },
    /// The library of cryptography refused.
    #[error("could not encrypt a checkpoint")]
    Cipher,
}

/// Why a checkpoint is of no use.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is not whole, or not as it was written.
    #[error("the checkpoint is damaged at byte {offset}: {flaw}")]
    Damaged {
        /// Where.
        offset: u64,
        /// What is wrong there.
        flaw: Flaw,
    },
    /// The key is not the one it was written with.
    #[error("the checkpoint was written with another key-encryption key; give that one")]
    WrongKey,
    /// A newer program wrote it.
    #[error("the checkpoint has format {version}, newer than this program knows; upgrade")]
    NewerFormat {
        /// Its format.
        version: u32,
    },
    /// The disk refused.
    #[error("could not {verb} the checkpoint: {source}")]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// What the disk said.
        source: io::Error,
    },
}

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The header.
    Header,
    /// The header is that of another entry than the name of the file.
    Name,
    /// The key in the header.
    Key,
    /// The head of a section.
    SectionHeader,
    /// A section does not follow the one before.
    Sequence,
    /// A section's length.
    Length,
    /// A section's bytes.
    Contents,
    /// The last section is missing: it was never finished.
    Unfinished,
    /// The last section says something else than the file.
    Seal,
    /// Something follows the last section.
    Trailing,
    /// Its contents are sealed well and mean nothing.
    Meaning,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::Header => "its header is not intact",
            Flaw::Name => "it is of another entry than its name says",
            Flaw::Key => "its key does not open",
            Flaw::SectionHeader => "the head of a section is not intact",
            Flaw::Sequence => "a section does not follow the one before",
            Flaw::Length => "a section has an impossible length",
            Flaw::Contents => "a section is not as it was written",
            Flaw::Unfinished => "its end is missing",
            Flaw::Seal => "its seal does not fit it",
            Flaw::Trailing => "something follows its end",
            Flaw::Meaning => "what it says makes no sense",
        })
    }
}
