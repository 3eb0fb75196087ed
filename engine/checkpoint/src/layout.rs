//! The bytes of a checkpoint.
//!
//! ```text
//!  the header, 256 bytes:
//!  0          8         12      16      24            40       56           68
//!  +----------+---------+-------+-------+-------------+--------+------------+------+
//!  | ACHCKPT1 | version | shard | index | zeros       | key id | wrap nonce | zero |
//!  | 8        | u32 = 2 | u32   | u64   | 16          | 16     | 12 random  | 4    |
//!  +----------+---------+-------+-------+-------------+--------+------------+------+
//!  72        104        120      252
//!  +---------+----------+--------+-----------+
//!  | wrapped | wrap tag | zeros  | CRC32C of |
//!  | key  32 | 16       | 132    | 0 to 251  |
//!  +---------+----------+--------+-----------+
//!
//!  then sections, one behind the other:
//!  0      4      8        16      32       36       40     44         48
//!  +------+------+--------+-------+--------+--------+------+----------+----------------+-----+
//!  | ACHS | kind | number | chain | length | body   | zero | head CRC | ciphertext,    | tag |
//!  | 4    | u32  | u64    | 16    | u32    | CRC    | 4    | 0 to 43  | `length` bytes | 16  |
//!  +------+------+--------+-------+--------+--------+------+----------+----------------+-----+
//!
//!  the contents of the last one, kind 0:
//!  0       8     16           32      48           64       72
//!  +-------+-----+------------+-------+------------+--------+
//!  | index | LSN | entry hash | chain | state hash | number |   hashes and chain as u128
//!  +-------+-----+------------+-------+------------+--------+
//! ```
//!
//! Numbers count from 1 and are the nonces; the additional data of a section are its first 36 bytes.
//! The chain is the tag of the section before, of the wrapped key for the first.

use zerocopy::little_endian::{U32, U64, U128};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The version that is written. Its file is that of version 1; what is new is the forms of what is in
/// its pieces, which a program of an earlier version would take for damage.
pub const FORMAT_VERSION: u32 = 3;

/// The oldest version that is read.
pub(crate) const FORMAT_VERSION_MIN: u32 = 1;

/// Largest section: the configuration of a site of a million tags is 40 MB, and a list of all its
/// names as much again.
pub const SECTION_BYTES_MAX: usize = 128 << 20;

/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = 256;

/// Bytes before the ciphertext of a section.
pub(crate) const SECTION_HEADER_BYTES: usize = 48;

/// Bytes behind it.
pub(crate) const TAG_BYTES: usize = 16;

/// The kind of the last section.
pub(crate) const SEAL_KIND: u32 = 0;

pub(crate) const MAGIC: [u8; 8] = *b"ACHCKPT1";
pub(crate) const SECTION_MAGIC: [u8; 4] = *b"ACHS";

const AAD_BYTES: usize = 72;
const CHECKED_BYTES: usize = 252;
const SECTION_CHECKED_BYTES: usize = 44;

/// The header as it lies on the disk.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) magic: [u8; 8],
    pub(crate) version: U32,
    pub(crate) shard: U32,
    pub(crate) index: U64,
    pub(crate) more_zeros: [u8; 16],
    pub(crate) kek_id: [u8; 16],
    pub(crate) wrap_nonce: [u8; 12],
    pub(crate) zero: [u8; 4],
    pub(crate) wrapped_key: [u8; 32],
    pub(crate) wrap_tag: [u8; 16],
    pub(crate) zeros: [u8; 132],
    pub(crate) crc: U32,
}

const _: () = assert!(size_of::<Header>() == HEADER_BYTES);

impl Header {
    /// What the key is wrapped with: everything before it, the nonce left out, which the wrapping
    /// covers by itself.
    pub(crate) fn aad(&self) -> Vec<u8> {
        let mut aad = self.as_bytes().get(..AAD_BYTES).unwrap_or_default().to_vec();
        aad.drain(56..68);
        aad
    }

    pub(crate) fn checksum(&self) -> u32 {
        crc32c::crc32c(self.as_bytes().get(..CHECKED_BYTES).unwrap_or_default())
    }
}

/// The header of a section as it lies on the disk.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct SectionHeader {
    pub(crate) magic: [u8; 4],
    pub(crate) kind: U32,
    pub(crate) number: U64,
    pub(crate) chain: [u8; TAG_BYTES],
    pub(crate) length: U32,
    pub(crate) body_crc: U32,
    pub(crate) zero: [u8; 4],
    pub(crate) crc: U32,
}

const _: () = assert!(size_of::<SectionHeader>() == SECTION_HEADER_BYTES);

impl SectionHeader {
    pub(crate) fn aad(&self) -> Vec<u8> {
        self.as_bytes().get(..36).unwrap_or_default().to_vec()
    }

    pub(crate) fn checksum(&self) -> u32 {
        crc32c::crc32c(self.as_bytes().get(..SECTION_CHECKED_BYTES).unwrap_or_default())
    }
}

/// What a whole checkpoint says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// The last entry that is in the state.
    pub index: u64,
    /// The record of that entry in the journal.
    pub lsn: u64,
    /// The hash of that entry as it was journaled.
    pub entry_hash: u128,
    /// The chain of all entries up to it.
    pub chain: u128,
    /// The hash of the state.
    pub state_hash: u128,
}

/// A seal as it lies in its section.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct SealLayout {
    index: U64,
    lsn: U64,
    entry_hash: U128,
    chain: U128,
    state_hash: U128,
    number: U64,
}

impl SealLayout {
    pub(crate) fn new(seal: &Seal, number: u64) -> SealLayout {
        SealLayout {
            index: U64::new(seal.index),
            lsn: U64::new(seal.lsn),
            entry_hash: U128::new(seal.entry_hash),
            chain: U128::new(seal.chain),
            state_hash: U128::new(seal.state_hash),
            number: U64::new(number),
        }
    }

    /// The seal, if it stands in the place it says.
    pub(crate) fn seal(&self, number: u64) -> Option<Seal> {
        (self.number.get() == number).then(|| Seal {
            index: self.index.get(),
            lsn: self.lsn.get(),
            entry_hash: self.entry_hash.get(),
            chain: self.chain.get(),
            state_hash: self.state_hash.get(),
        })
    }
}
