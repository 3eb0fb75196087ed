//! What can be wrong with a log, and where.

use std::fmt;

use thiserror::Error;

use crate::head::HeadError;
use crate::record::RecordError;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Harm {
    /// A segment's header is not one.
    #[error("the segment has no header that can be read")]
    Header,
    /// A segment that must be there is not.
    #[error("the segment is missing")]
    Missing,
    /// A segment begins otherwise than the one before ends.
    #[error("the segment does not go on where the one before it ends")]
    Seam,
    /// Bytes where a frame should begin, or zeros that more follows.
    #[error("no frame begins here")]
    NoFrame,
    /// A frame whose bytes were changed.
    #[error("the checksum does not fit")]
    Checksum,
    /// A record is where another belongs.
    #[error("number {found} stands where {expected} belongs")]
    Order {
        /// What belongs there.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// A record that does not continue the chain.
    #[error("the link does not continue the chain")]
    Link,
    /// A record that is none.
    #[error(transparent)]
    Record(RecordError),
    /// A head that is none, or that the key has not signed.
    #[error(transparent)]
    Head(HeadError),
    /// A head of other records than those before it.
    #[error("the {part} of the head is not that of the {size} records before it")]
    HeadDiffers {
        /// How many records are before it.
        size: u64,
        /// What differs.
        part: &'static str,
    },
    /// Records that were on disk are not there any more.
    #[error("{durable} records were on disk and {found} are left")]
    Cut {
        /// How many were.
        durable: u64,
        /// How many are.
        found: u64,
    },
    /// Somebody else than the node says how far the disk had come, or of other records.
    #[error(
        "the mark that says how many records were on disk is not signed by the key, or is of other \
         records"
    )]
    MarkForged,
    /// It is not known how far the disk had come.
    #[error("the mark that says how many records were on disk is gone or damaged")]
    NoMark,
}

/// Where something is wrong. Nothing from there on can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// In which segment.
    pub segment: u64,
    /// At which byte of its file begins what is wrong.
    pub offset: u64,
    /// The first record that cannot be trusted.
    pub record: u64,
    /// What is wrong.
    pub harm: Harm,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { segment, offset, record, harm } = self;
        write!(f, "record {record}, segment {segment:016x} at byte {offset}: {harm}")
    }
}

/// What was being written when the writer ended, and was never acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// In which segment.
    pub segment: u64,
    /// At which byte it begins.
    pub offset: u64,
    /// How many bytes of it are there.
    pub bytes: u64,
}
