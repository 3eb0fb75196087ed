//! One file of the journal, and its header.
//!
//! ```text
//!  0                4096             8192
//!  +----------------+----------------+-------+-------+-----+-------+-- - - - - --+
//!  | header         | the same again | group | group | ... | group | zeros       |
//!  +----------------+----------------+-------+-------+-----+-------+-- - - - - --+
//!
//!  the header, 512 bytes:
//!  0          8         12     16        24            40          48         56      72
//!  +----------+---------+------+---------+-------------+-----------+----------+-------+
//!  | ACHJSEG1 | version | zero | segment | incarnation | first LSN | previous | chain |
//!  | 8        | u32 = 1 | 4    | u64     | 16 random   | u64       | end  u64 | 16    |
//!  +----------+---------+------+---------+-------------+-----------+----------+-------+
//!  72       88           100    104       136        152                  508
//!  +--------+------------+------+---------+----------+--------------------+-----------+
//!  | key id | wrap nonce | zero | wrapped | wrap tag | zeros              | CRC32C of |
//!  | 16     | 12 random  | 4    | key  32 | 16       |                    | 0 to 507  |
//!  +--------+------------+------+---------+----------+--------------------+-----------+
//! ```
//!
//! `previous end` and `chain` say where the segment before ends and with which tag; what lies behind
//! that end is void. Bytes 0 to 103 are the additional data of the wrapping. The header is there
//! twice because one flipped bit in it would cost the key of the whole segment.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Lsn;
use crate::data_key::{DataKey, KEY_BYTES, Tag};
use crate::group::Home;
use crate::kek::{Kek, NONCE_BYTES};

/// Where the first group of a segment begins.
pub(crate) const GROUPS_AT: usize = 8192;

/// The only version there is.
pub(crate) const VERSION: u32 = 1;

/// Where the second copy of the header lies: in another page, so that losing one loses one copy.
pub(crate) const COPY_AT: usize = 4096;

/// Largest file that is taken for a segment: 1 GiB, because a segment is checked in memory.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// Bytes of a header.
pub(crate) const HEADER_BYTES: usize = 512;

const MAGIC: [u8; 8] = *b"ACHJSEG1";
const AAD_BYTES: usize = 104;
const CHECKED_BYTES: usize = 508;
const SUFFIX: &str = ".seg";

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    magic: [u8; 8],
    version: U32,
    zero: [u8; 4],
    segment: U64,
    incarnation: [u8; 16],
    first_lsn: U64,
    previous_end: U64,
    chain: Tag,
    kek_id: [u8; 16],
    wrap_nonce: [u8; NONCE_BYTES],
    zero_too: [u8; 4],
    wrapped_key: [u8; KEY_BYTES],
    wrap_tag: Tag,
    zeros: [u8; 356],
    crc: U32,
}

const _: () = assert!(size_of::<Layout>() == HEADER_BYTES);

/// What the header of a segment says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentHeader {
    layout: Layout,
}

/// What is in the place of a header.
#[derive(Debug, Clone)]
pub(crate) enum HeaderState {
    /// It is there; `copies` of its two copies are intact.
    Born { header: Box<SegmentHeader>, copies: u8 },
    /// It is there, in a format of the future.
    Newer { version: u32 },
    /// Neither copy is intact.
    Unreadable,
}

/// Where a segment begins: what the one before ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Birth {
    pub(crate) segment: u64,
    pub(crate) first_lsn: Lsn,
    pub(crate) previous_end: u64,
    pub(crate) chain: Tag,
}

/// The name of a segment's file.
pub(crate) fn file_name(segment: u64) -> String {
    format!("{segment:016x}{SUFFIX}")
}

/// The segment of that name, if it is one.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let number = u64::from_str_radix(digits, 16).ok()?;
    (file_name(number) == name).then_some(number)
}

impl SegmentHeader {
    /// A header with a fresh key, and that key.
    pub(crate) fn fresh(
        birth: Birth,
        kek: &Kek,
    ) -> Result<(SegmentHeader, DataKey), aws_lc_rs::error::Unspecified> {
        let mut incarnation = [0; 16];
        let mut wrap_nonce = [0; NONCE_BYTES];
        let mut key = zeroize::Zeroizing::new([0; KEY_BYTES]);
        aws_lc_rs::rand::fill(&mut incarnation)?;
        aws_lc_rs::rand::fill(&mut wrap_nonce)?;
        aws_lc_rs::rand::fill(key.as_mut_slice())?;
        let mut layout = Layout {
            magic: MAGIC,
            version: U32::new(VERSION),
            zero: [0; 4],
            segment: U64::new(birth.segment),
            incarnation,
            first_lsn: U64::new(birth.first_lsn.0),
            previous_end: U64::new(birth.previous_end),
            chain: birth.chain,
            kek_id: kek.id(),
            wrap_nonce,
            zero_too: [0; 4],
            wrapped_key: [0; KEY_BYTES],
            wrap_tag: [0; 16],
            zeros: [0; 356],
            crc: U32::ZERO,
        };
        let aad = layout.as_bytes().get(..AAD_BYTES).unwrap_or_default().to_vec();
        let (wrapped_key, wrap_tag) = kek.wrap(wrap_nonce, &aad, &key)?;
        (layout.wrapped_key, layout.wrap_tag) = (wrapped_key, wrap_tag);
        layout.crc = U32::new(checksum(&layout));
        Ok((SegmentHeader { layout }, DataKey::new(&key)?))
    }

    /// Both copies, as the first 8,192 bytes of the file.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![0; GROUPS_AT];
        for at in [0, COPY_AT] {
            if let Some(room) = bytes.get_mut(at..at + HEADER_BYTES) {
                room.copy_from_slice(self.layout.as_bytes());
            }
        }
        bytes
    }

    /// Reads whichever copy is intact.
    pub(crate) fn read(file: &[u8]) -> HeaderState {
        let copies = [0, COPY_AT].map(|at| read_copy(file.get(at..).unwrap_or_default()));
        let [first, second] = copies;
        let intact = u8::from(first.is_some()).saturating_add(u8::from(second.is_some()));
        match first.or(second) {
            None => HeaderState::Unreadable,
            Some(layout) if layout.version.get() != VERSION => {
                HeaderState::Newer { version: layout.version.get() }
            }
            Some(layout) => {
                HeaderState::Born { header: Box::new(SegmentHeader { layout }), copies: intact }
            }
        }
    }

    /// What groups of this segment carry.
    pub(crate) fn home(&self) -> Home {
        let half = self.layout.incarnation.first_chunk().copied().unwrap_or_default();
        Home { segment: self.layout.segment.get(), incarnation: u64::from_le_bytes(half) }
    }

    /// Where it begins.
    pub(crate) fn birth(&self) -> Birth {
        Birth {
            segment: self.layout.segment.get(),
            first_lsn: Lsn(self.layout.first_lsn.get()),
            previous_end: self.layout.previous_end.get(),
            chain: self.layout.chain,
        }
    }

    /// The chain of the segment's first group.
    pub(crate) fn tag(&self) -> Tag {
        self.layout.wrap_tag
    }

    /// Whether this key wrapped the segment's.
    pub(crate) fn is_wrapped_by(&self, kek: &Kek) -> bool {
        self.layout.kek_id == kek.id()
    }

    /// The segment's key.
    pub(crate) fn unwrap_key(&self, kek: &Kek) -> Result<DataKey, aws_lc_rs::error::Unspecified> {
        let layout = &self.layout;
        let aad = layout.as_bytes().get(..AAD_BYTES).unwrap_or_default();
        let key = kek.unwrap(layout.wrap_nonce, aad, layout.wrapped_key, layout.wrap_tag)?;
        DataKey::new(&key)
    }
}

fn checksum(layout: &Layout) -> u32 {
    crc32c::crc32c(layout.as_bytes().get(..CHECKED_BYTES).unwrap_or_default())
}

fn read_copy(bytes: &[u8]) -> Option<Layout> {
    let (layout, _) = Layout::read_from_prefix(bytes).ok()?;
    (layout.magic == MAGIC && layout.crc.get() == checksum(&layout)).then_some(layout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn birth() -> Birth {
        Birth { segment: 5, first_lsn: Lsn(90), previous_end: 12_288, chain: [8; 16] }
    }

    fn read(bytes: &[u8]) -> Option<(SegmentHeader, u8)> {
        match SegmentHeader::read(bytes) {
            HeaderState::Born { header, copies } => Some((*header, copies)),
            HeaderState::Newer { .. } | HeaderState::Unreadable => None,
        }
    }

    #[test]
    fn a_header_comes_back_with_its_key() {
        let kek = Kek::from_bytes(&[1; 32]).unwrap();
        let (header, key) = SegmentHeader::fresh(birth(), &kek).unwrap();
        let (again, copies) = read(&header.to_bytes()).unwrap();
        assert_eq!((again.birth(), copies), (birth(), 2));
        let mut sealed = *b"text";
        let tag = key.seal(Lsn(90), b"aad", &mut sealed).unwrap();
        let mut both = [sealed.as_slice(), &tag].concat();
        let opened = again.unwrap_key(&kek).unwrap();
        assert_eq!(opened.open(Lsn(90), b"aad", &mut both).unwrap(), b"text");
    }

    #[test]
    fn every_segment_has_a_key_a_nonce_and_an_incarnation_of_its_own() {
        let kek = Kek::from_bytes(&[1; 32]).unwrap();
        let all: Vec<_> = (0..8).map(|_| SegmentHeader::fresh(birth(), &kek).unwrap()).collect();
        let sealed = |(header, key): &(SegmentHeader, DataKey)| {
            let mut text = [0; 32];
            key.seal(Lsn(90), b"", &mut text).unwrap();
            (text, header.layout.wrap_nonce, header.layout.incarnation)
        };
        let mut seen: Vec<([u8; 32], [u8; 12], [u8; 16])> = Vec::new();
        for (text, nonce, incarnation) in all.iter().map(sealed) {
            assert!(seen.iter().all(|one| one.0 != text), "a key twice");
            assert!(seen.iter().all(|one| one.1 != nonce), "a nonce twice");
            assert!(seen.iter().all(|one| one.2 != incarnation), "an incarnation twice");
            seen.push((text, nonce, incarnation));
        }
    }

    #[test]
    fn one_copy_is_enough_and_every_flipped_bit_is_seen() {
        let kek = Kek::from_bytes(&[1; 32]).unwrap();
        let bytes = SegmentHeader::fresh(birth(), &kek).unwrap().0.to_bytes();
        for bit in 0..HEADER_BYTES * 8 {
            let mut harmed = bytes.clone();
            harmed[bit / 8] ^= 1 << (bit % 8);
            let (header, copies) = read(&harmed).unwrap();
            assert_eq!((header.birth(), copies), (birth(), 1), "bit {bit}");
            harmed[COPY_AT + bit / 8] ^= 1 << (bit % 8);
            assert!(read(&harmed).is_none(), "bit {bit} in both");
        }
    }

    #[test]
    fn a_tampered_wrapping_does_not_open_even_with_a_right_checksum() {
        let kek = Kek::from_bytes(&[1; 32]).unwrap();
        let (header, _) = SegmentHeader::fresh(birth(), &kek).unwrap();
        let check = |name: &str, change: &dyn Fn(&mut Layout)| {
            let mut forged = header;
            change(&mut forged.layout);
            forged.layout.crc = U32::new(checksum(&forged.layout));
            let (read, _) = read(&forged.to_bytes()).unwrap();
            assert!(read.unwrap_key(&kek).is_err(), "{name}");
        };
        check("wrapped key", &|layout| layout.wrapped_key[0] ^= 1);
        check("wrap tag", &|layout| layout.wrap_tag[0] ^= 1);
        check("segment", &|layout| layout.segment = U64::new(6));
        check("first LSN", &|layout| layout.first_lsn = U64::new(1));
        check("chain", &|layout| layout.chain = [0; 16]);
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let kek = Kek::from_bytes(&[1; 32]).unwrap();
        let (mut header, _) = SegmentHeader::fresh(birth(), &kek).unwrap();
        header.layout.version = U32::new(2);
        header.layout.crc = U32::new(checksum(&header.layout));
        let state = SegmentHeader::read(&header.to_bytes());
        assert!(matches!(state, HeaderState::Newer { version: 2 }));
    }

    #[test]
    fn names_of_segments_are_told_from_others() {
        let check = |name: &str, expected| assert_eq!(number_of(name), expected, "{name}");
        check("0000000000000001.seg", Some(1));
        check("00000000000000ff.seg", Some(255));
        check("00000000000000FF.seg", None);
        check("1.seg", None);
        check("+000000000000001.seg", None);
        check("spare", None);
    }
}
