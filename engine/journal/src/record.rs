//! One record, and how it lies in the plaintext of its group.
//!
//! ```text
//!  0        4      5       8       12      16       24       32
//!  +--------+------+-------+-------+-------+--------+--------+------------------+
//!  | length | kind | zero  | shard | zero  | term   | index  | payload ...      |
//!  | u32    | u8   | 3 x 0 | u32   | 4 x 0 | u64    | u64    | `length` bytes   |
//!  +--------+------+-------+-------+-------+--------+--------+------------------+
//! ```
//!
//! All numbers are little-endian. Records follow each other without gap; the first has the group's
//! first LSN, each next one the next.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Lsn;

/// Bytes before each payload.
pub(crate) const RECORD_HEADER_BYTES: usize = 32;

/// Largest payload of one record: 64 MiB. The largest thing ever written at once is the change that
/// brings a site of a million tags, about 60 bytes each.
pub const RECORD_BYTES_MAX: usize = 64 << 20;

/// What a record is for. The journal itself gives none of them a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// An entry of a shard's log.
    Entry,
    /// A vote, made before it is told to anybody.
    Vote,
    /// The log of the shard ends before `index`.
    Truncate,
    /// The log of the shard begins after `index`.
    Purge,
    /// The log of the shard is committed through `index`.
    Committed,
}

impl RecordKind {
    /// Every kind, in the order of their codes.
    pub const ALL: [RecordKind; 5] = [
        RecordKind::Entry,
        RecordKind::Vote,
        RecordKind::Truncate,
        RecordKind::Purge,
        RecordKind::Committed,
    ];

    fn code(self) -> u8 {
        match self {
            RecordKind::Entry => 1,
            RecordKind::Vote => 2,
            RecordKind::Truncate => 3,
            RecordKind::Purge => 4,
            RecordKind::Committed => 5,
        }
    }

    fn from_code(code: u8) -> Option<RecordKind> {
        RecordKind::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// One record, read in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number in this node's journal.
    pub lsn: Lsn,
    /// What it is for.
    pub kind: RecordKind,
    /// Which replication group it belongs to; each shard is one.
    pub shard: u32,
    /// The leader's term.
    pub term: u64,
    /// Its place in the shard's log.
    pub index: u64,
    /// Opaque bytes.
    pub payload: &'a [u8],
}

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RecordHeader {
    payload_len: U32,
    kind: u8,
    zero: [u8; 3],
    shard: U32,
    zero_too: [u8; 4],
    term: U64,
    index: U64,
}

const _: () = assert!(size_of::<RecordHeader>() == RECORD_HEADER_BYTES);

/// Appends a record to a group's plaintext. The caller has checked the length.
pub(crate) fn push(body: &mut Vec<u8>, record: &Record<'_>, payload_len: u32) {
    let header = RecordHeader {
        payload_len: U32::new(payload_len),
        kind: record.kind.code(),
        zero: [0; 3],
        shard: U32::new(record.shard),
        zero_too: [0; 4],
        term: U64::new(record.term),
        index: U64::new(record.index),
    };
    body.extend_from_slice(header.as_bytes());
    body.extend_from_slice(record.payload);
}

/// The plaintext of a group is not what a journal writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are not the plaintext of a group of records")]
pub struct Malformed;

/// Reads the records of a group, all of them or none: `body`, the group's plaintext, must hold
/// exactly `count`, and that is at least one. The first gets the number `first`.
///
/// # Errors
/// [`Malformed`] when anything in it is not as `docs/specs/journal.md` says.
pub fn read_records(body: &[u8], first: Lsn, count: u32) -> Result<Vec<Record<'_>>, Malformed> {
    if count == 0 {
        return Err(Malformed);
    }
    let mut records = Vec::new();
    let mut rest = body;
    for ordinal in 0..u64::from(count) {
        let (record, after) = read_one(rest, first.plus(ordinal))?;
        records.push(record);
        rest = after;
    }
    if rest.is_empty() { Ok(records) } else { Err(Malformed) }
}

fn read_one(bytes: &[u8], lsn: Lsn) -> Result<(Record<'_>, &[u8]), Malformed> {
    let (header, rest) = RecordHeader::read_from_prefix(bytes).map_err(|_| Malformed)?;
    let len = usize::try_from(header.payload_len.get()).map_err(|_| Malformed)?;
    let (payload, rest) = rest.split_at_checked(len).ok_or(Malformed)?;
    if header.zero != [0; 3] || header.zero_too != [0; 4] || len > RECORD_BYTES_MAX {
        return Err(Malformed);
    }
    let kind = RecordKind::from_code(header.kind).ok_or(Malformed)?;
    let (shard, term, index) = (header.shard.get(), header.term.get(), header.index.get());
    Ok((Record { lsn, kind, shard, term, index, payload }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(lsn: u64, kind: RecordKind, payload: &[u8]) -> Record<'_> {
        Record { lsn: Lsn(lsn), kind, shard: 7, term: 3, index: 1 << 40, payload }
    }

    fn written(records: &[Record<'_>]) -> Vec<u8> {
        let mut body = Vec::new();
        for record in records {
            push(&mut body, record, u32::try_from(record.payload.len()).unwrap());
        }
        body
    }

    #[test]
    fn records_come_back_as_they_were_written() {
        let records: Vec<Record<'_>> = (10..)
            .zip(RecordKind::ALL)
            .map(|(lsn, kind)| sample(lsn, kind, &b"abcdefgh"[..usize::from(kind.code())]))
            .collect();
        assert_eq!(read_records(&written(&records), Lsn(10), 5), Ok(records));
    }

    #[test]
    fn a_plaintext_that_does_not_add_up_is_malformed() {
        let good = written(&[sample(1, RecordKind::Entry, b"abc")]);
        let check = |name: &str, change: &dyn Fn(&mut Vec<u8>), count| {
            let mut body = good.clone();
            change(&mut body);
            assert_eq!(read_records(&body, Lsn(1), count), Err(Malformed), "{name}");
        };
        check("too few records", &|_| {}, 2);
        check("bytes left over", &|_| {}, 0);
        check("no record at all", &|body| body.clear(), 0);
        check("a payload that is cut", &|body| body.truncate(34), 1);
        check("an unknown kind", &|body| body[4] = 9, 1);
        check("no kind", &|body| body[4] = 0, 1);
        check("something where zeros belong", &|body| body[5] = 1, 1);
        check("something where zeros belong, further on", &|body| body[15] = 1, 1);
        check("a length beyond the end", &|body| body[3] = 255, 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body: Vec<u8>, count in 0u32..50) {
            if let Ok(records) = read_records(&body, Lsn(1), count) {
                prop_assert_eq!(written(&records), body);
            }
        }
    }
}
