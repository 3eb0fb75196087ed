//! One group: what is encrypted, written and synced at once.
//!
//! ```text
//!  0       4         8         16            24          32      48        52
//!  +-------+---------+---------+-------------+-----------+-------+---------+----------+
//!  | ACHG  | length  | segment | incarnation | first LSN | chain | records | body CRC |
//!  | 4     | u32     | u64     | u64         | u64       | 16    | u32     | u32      |
//!  +-------+---------+---------+-------------+-----------+-------+---------+----------+
//!  56           60      64               64 + length   + 16            end - 8    end
//!  +------------+-------+----------------+-------------+---------------+----------+
//!  | header CRC | GHCA  | ciphertext     | tag         | zeros         | GROUPEND |
//!  | u32        | 4     | `length` bytes | 16          | to fill 64    | 8        |
//!  +------------+-------+----------------+-------------+---------------+----------+
//! ```
//!
//! A group begins and ends on a multiple of 64 bytes, so that its header never lies across two
//! sectors: a torn write leaves it whole or not at all. No byte of the last eight is zero, so that
//! any write that stopped early is seen to have.
//!
//! The header CRC covers bytes 0 to 55, the body CRC all from byte 64 to the end. Both are CRC32C.
//! The chain is the tag of the group before (of the wrapped key, for the first of a segment), so a
//! tag answers for all that came before it. The nonce is the first LSN, the additional data bytes 0
//! to 51.

use aws_lc_rs::error::Unspecified;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Lsn;
use crate::data_key::{DataKey, TAG_BYTES, Tag};

/// Groups begin on multiples of this.
pub(crate) const GROUP_ALIGN: usize = 64;

/// Bytes before the ciphertext.
pub(crate) const GROUP_HEADER_BYTES: usize = 64;

const MAGIC: [u8; 4] = *b"ACHG";
const END_MARK: [u8; 4] = *b"GHCA";
const TRAILER: [u8; 8] = *b"GROUPEND";

/// The longest end of a group from its tag on.
pub(crate) const TAIL_BYTES: usize = TAG_BYTES + GROUP_ALIGN - 1 + TRAILER.len();

/// How many bytes of the header are additional authenticated data: all before the checksums.
const AAD_BYTES: usize = 52;

/// How many bytes of the header its checksum covers.
const CHECKED_BYTES: usize = 56;

/// The header as it lies on the disk.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Header {
    magic: [u8; 4],
    body_len: U32,
    segment: U64,
    incarnation: U64,
    first_lsn: U64,
    chain: Tag,
    records: U32,
    body_crc: U32,
    head_crc: U32,
    end_mark: [u8; 4],
}

const _: () = assert!(size_of::<Header>() == GROUP_HEADER_BYTES);

/// Which segment a group belongs to: its number and the first half of its incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) segment: u64,
    pub(crate) incarnation: u64,
}

/// What an intact header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupHeader {
    pub(crate) home: Home,
    pub(crate) first_lsn: Lsn,
    pub(crate) chain: Tag,
    pub(crate) records: u32,
    pub(crate) body_len: usize,
    body_crc: u32,
}

/// All bytes a group with that much plaintext takes; `usize::MAX` when that cannot be.
pub(crate) fn extent(body_len: usize) -> usize {
    body_len
        .checked_add(GROUP_HEADER_BYTES + TAG_BYTES + TRAILER.len())
        .and_then(|bytes| bytes.checked_next_multiple_of(GROUP_ALIGN))
        .unwrap_or(usize::MAX)
}

/// Turns `buffer`, room for a header and then plaintext, into a group ready to be written. Says the
/// tag, which is the next group's chain.
pub(crate) fn seal(
    buffer: &mut Vec<u8>,
    key: &DataKey,
    home: Home,
    first_lsn: Lsn,
    chain: Tag,
    records: u32,
) -> Result<Tag, Unspecified> {
    let body_len = buffer.len().saturating_sub(GROUP_HEADER_BYTES);
    let mut header = Header {
        magic: MAGIC,
        body_len: U32::new(u32::try_from(body_len).map_err(|_| Unspecified)?),
        segment: U64::new(home.segment),
        incarnation: U64::new(home.incarnation),
        first_lsn: U64::new(first_lsn.0),
        chain,
        records: U32::new(records),
        body_crc: U32::ZERO,
        head_crc: U32::ZERO,
        end_mark: END_MARK,
    };
    let aad = header.as_bytes().get(..AAD_BYTES).ok_or(Unspecified)?;
    let body = buffer.get_mut(GROUP_HEADER_BYTES..).ok_or(Unspecified)?;
    let tag = key.seal(first_lsn, aad, body)?;
    buffer.extend_from_slice(&tag);
    buffer.resize(extent(body_len) - TRAILER.len(), 0);
    buffer.extend_from_slice(&TRAILER);
    let (head, rest) = buffer.split_at_mut(GROUP_HEADER_BYTES);
    header.body_crc = U32::new(crc32c::crc32c(rest));
    header.head_crc = U32::new(header_crc(&header));
    head.copy_from_slice(header.as_bytes());
    Ok(tag)
}

/// Whether these bytes end with a group of that tag.
pub(crate) fn ends_with(tail: &[u8], tag: Tag) -> bool {
    let Some(mut rest) = tail.strip_suffix(&TRAILER) else { return false };
    for _ in 0..GROUP_ALIGN {
        if rest.ends_with(&tag) {
            return true;
        }
        let Some(shorter) = rest.strip_suffix(&[0]) else { return false };
        rest = shorter;
    }
    false
}

fn header_crc(header: &Header) -> u32 {
    crc32c::crc32c(header.as_bytes().get(..CHECKED_BYTES).unwrap_or_default())
}

/// The header at the beginning of `bytes`, if it is intact.
pub(crate) fn read_header(bytes: &[u8]) -> Option<GroupHeader> {
    // The magic first, because a search asks this of every 64th byte.
    if !bytes.starts_with(&MAGIC) {
        return None;
    }
    let (header, _) = Header::read_from_prefix(bytes).ok()?;
    if header.end_mark != END_MARK || header.head_crc.get() != header_crc(&header) {
        return None;
    }
    Some(GroupHeader {
        home: Home { segment: header.segment.get(), incarnation: header.incarnation.get() },
        first_lsn: Lsn(header.first_lsn.get()),
        chain: header.chain,
        records: header.records.get(),
        body_len: usize::try_from(header.body_len.get()).ok()?,
        body_crc: header.body_crc.get(),
    })
}

/// Whether a header has been here, by either of its marks: a single flipped bit spares one.
pub(crate) fn was_header(bytes: &[u8]) -> bool {
    let end_mark = bytes.get(GROUP_HEADER_BYTES - END_MARK.len()..GROUP_HEADER_BYTES);
    bytes.starts_with(&MAGIC) || end_mark == Some(&END_MARK)
}

impl GroupHeader {
    /// All bytes of the group.
    pub(crate) fn extent(&self) -> usize {
        extent(self.body_len)
    }

    /// The LSN after the group's last.
    pub(crate) fn next_lsn(&self) -> Lsn {
        self.first_lsn.plus(u64::from(self.records))
    }

    /// Whether `group`, header included, is what was written.
    pub(crate) fn is_body_intact(&self, group: &[u8]) -> bool {
        let body = group.get(GROUP_HEADER_BYTES..).unwrap_or_default();
        group.len() == self.extent() && crc32c::crc32c(body) == self.body_crc
    }

    /// The group's tag, which is the chain of the next.
    pub(crate) fn tag(&self, group: &[u8]) -> Tag {
        let at = GROUP_HEADER_BYTES.saturating_add(self.body_len);
        let tag = group.get(at..at.saturating_add(TAG_BYTES));
        tag.and_then(|tag| tag.try_into().ok()).unwrap_or_default()
    }

    /// Decrypts the group into `scratch`, replacing what it held.
    pub(crate) fn open<'a>(
        &self,
        group: &[u8],
        key: &DataKey,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Unspecified> {
        let aad = group.get(..AAD_BYTES).ok_or(Unspecified)?;
        let end = GROUP_HEADER_BYTES.saturating_add(self.body_len).saturating_add(TAG_BYTES);
        let sealed = group.get(GROUP_HEADER_BYTES..end).ok_or(Unspecified)?;
        scratch.clear();
        scratch.extend_from_slice(sealed);
        key.open(self.first_lsn, aad, scratch)
    }
}

/// Puts another length into the header at the beginning of `bytes`, with a checksum that fits.
#[cfg(test)]
pub(crate) fn forge_length(bytes: &mut [u8], body_len: u32) {
    let (mut header, _) = Header::read_from_prefix(bytes).unwrap();
    header.body_len = U32::new(body_len);
    header.head_crc = U32::new(header_crc(&header));
    bytes[..GROUP_HEADER_BYTES].copy_from_slice(header.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn key() -> DataKey {
        DataKey::new(&Zeroizing::new([5; 32])).unwrap()
    }

    fn sealed(body: &[u8]) -> (Vec<u8>, Tag) {
        let mut buffer = vec![0; GROUP_HEADER_BYTES];
        buffer.extend_from_slice(body);
        let home = Home { segment: 3, incarnation: 77 };
        let tag = seal(&mut buffer, &key(), home, Lsn(9), [4; 16], 2).unwrap();
        (buffer, tag)
    }

    #[test]
    fn a_group_comes_back_as_it_was_sealed() {
        for len in [0, 1, 39, 40, 41, 1000] {
            let body = vec![6; len];
            let (group, tag) = sealed(&body);
            assert_eq!(group.len() % GROUP_ALIGN, 0);
            let header = read_header(&group).unwrap();
            assert_eq!(header.home, Home { segment: 3, incarnation: 77 });
            assert_eq!((header.first_lsn, header.next_lsn()), (Lsn(9), Lsn(11)));
            assert_eq!((header.tag(&group), header.chain), (tag, [4; 16]));
            assert!(header.is_body_intact(&group));
            assert_eq!(header.open(&group, &key(), &mut Vec::new()).unwrap(), body);
        }
    }

    #[test]
    fn every_single_flipped_bit_is_seen_without_a_key() {
        let (group, _) = sealed(b"a ping");
        for bit in 0..group.len() * 8 {
            let mut harmed = group.clone();
            harmed[bit / 8] ^= 1 << (bit % 8);
            let intact = read_header(&harmed).is_some_and(|header| header.is_body_intact(&harmed));
            assert!(!intact, "bit {bit}");
            assert!(was_header(&harmed), "bit {bit}");
        }
    }

    #[test]
    fn a_forged_group_with_right_checksums_does_not_open() {
        let (group, _) = sealed(b"a ping of tag 4711");
        let (mut head, rest) = Header::read_from_prefix(&group).unwrap();
        head.first_lsn = U64::new(10);
        head.head_crc = U32::new(header_crc(&head));
        let forged = [head.as_bytes(), rest].concat();
        let header = read_header(&forged).unwrap();
        assert!(header.is_body_intact(&forged));
        assert!(header.open(&forged, &key(), &mut Vec::new()).is_err());
    }

    #[test]
    fn an_extent_that_cannot_be_is_larger_than_any_file() {
        assert_eq!(extent(usize::MAX - 3), usize::MAX);
        assert_eq!(extent(0), 128);
        assert_eq!(extent(40), 128);
        assert_eq!(extent(41), 192);
    }
}
