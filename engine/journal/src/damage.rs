//! What can be wrong with a journal, and where.

use std::fmt;

use crate::Lsn;

/// Something durable that is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// The segment it is in.
    pub segment: u64,
    /// Where in the segment's file.
    pub offset: u64,
    /// The first record that cannot be trusted. All before it are intact.
    pub lsn: Lsn,
    /// What is wrong.
    pub harm: Harm,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// The checksum of a group's header does not fit, or the header is gone while later ones stand.
    GroupHeader,
    /// The checksum of a group's contents does not fit.
    GroupContents,
    /// A group follows that does not continue the one before: a write was lost or went astray.
    Sequence,
    /// A group of another segment is in this one.
    Stray,
    /// A group does not decrypt although its checksums fit: it was tampered with.
    Seal,
    /// A group decrypts, but holds no records.
    Records,
    /// Both copies of a segment's header are unreadable or belong elsewhere.
    SegmentHeader,
    /// A segment's key does not unwrap although the key-encryption key is the right one.
    SegmentKey,
    /// A segment does not continue the one before.
    SegmentSequence,
    /// A segment's file is missing.
    SegmentMissing,
    /// The disk does not give a segment's bytes.
    SegmentUnreadable,
    /// The journal ends before what is known to have been durable.
    Short,
}

impl fmt::Display for Harm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Harm::GroupHeader => "the header of a group is damaged",
            Harm::GroupContents => "the contents of a group are damaged",
            Harm::Sequence => "a group does not continue the one before it",
            Harm::Stray => "a group of another segment lies here",
            Harm::Seal => "a group does not decrypt, though its checksums fit",
            Harm::Records => "a group decrypts, but not to records",
            Harm::SegmentHeader => "both copies of the segment's header are damaged",
            Harm::SegmentKey => "the segment's key was tampered with",
            Harm::SegmentSequence => "the segment does not continue the one before it",
            Harm::SegmentMissing => "the segment's file is missing",
            Harm::SegmentUnreadable => "the disk does not give the segment's bytes",
            Harm::Short => "the journal ends before what was durable",
        })
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { segment, offset, lsn, harm } = self;
        write!(formatter, "record {lsn}, segment {segment:016x} at byte {offset}: {harm}")
    }
}

/// A tail that was written but never acked, and is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The segment it is in.
    pub segment: u64,
    /// Where in the segment's file it begins.
    pub offset: u64,
    /// How many bytes there are from there to the last that is not zero.
    pub torn_bytes: u64,
    /// The first record it would have held.
    pub lsn: Lsn,
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cut { segment, offset, torn_bytes, lsn } = self;
        write!(
            formatter,
            "{torn_bytes} bytes from record {lsn} on, segment {segment:016x} at byte {offset}"
        )
    }
}

/// Something that was found, cost nothing, and should be known: the disk may be failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// One copy of a segment's header is damaged; the other was used.
    HeaderCopyDamaged {
        /// The segment.
        segment: u64,
    },
    /// One of the two durable marks is damaged; the other was used.
    MarkDamaged,
    /// There is no durable mark, so a journal that lost its last groups cannot be told from a whole
    /// one.
    MarkMissing,
    /// A segment that was released cannot be removed.
    ReleasedLeft {
        /// The segment.
        segment: u64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::HeaderCopyDamaged { segment } => {
                write!(formatter, "one copy of the header of segment {segment:016x} is damaged")
            }
            Note::MarkDamaged => formatter.write_str("one of the two durable marks is damaged"),
            Note::MarkMissing => formatter.write_str("the durable mark is missing"),
            Note::ReleasedLeft { segment } => {
                write!(formatter, "segment {segment:016x} is needed no more and cannot be removed")
            }
        }
    }
}
