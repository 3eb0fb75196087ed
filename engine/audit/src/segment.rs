//! A segment: a file that begins with what the log had come to before it. All numbers are
//! little-endian.
//!
//! ```text
//!  0          8        12     16        24     32     64      68     72        4092   4096
//!  +----------+--------+------+---------+------+------+-------+------+---------+------+--------
//!  | ACHAUD01 | ver, 1 | zero | segment | size | link | peaks | zero | hashes  | crc  | frames
//!  +----------+--------+------+---------+------+------+-------+------+---------+------+--------
//! ```
//!
//! `size` records are in the segments before; `peaks` is how many hashes of full subtrees follow (one
//! for each bit of `size`), so that a log is gone on with from its last segment alone. The first frame
//! is a head that signs just that. The checksum is CRC32C over bytes 0 to 4,091.

use ach_engine_journal::PAGE_BYTES;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::chain::Chain;
use crate::frontier::Frontier;
use crate::hash::{HASH_BYTES, Hash};

/// Where frames begin.
pub(crate) const HEADER_BYTES: usize = 4_096;

const MAGIC: [u8; 8] = *b"ACHAUD01";
const VERSION: u32 = 1;
const LAYOUT_BYTES: usize = 72;
const CHECKED_BYTES: usize = HEADER_BYTES - 4;
const SUFFIX: &str = ".aud";

// A header is within one page, and has room for the peaks of any size.
const _: () = assert!(HEADER_BYTES == 4_096 && PAGE_BYTES == 4_096);
const _: () = assert!(LAYOUT_BYTES + 64 * HASH_BYTES <= CHECKED_BYTES);
const _: () = assert!(size_of::<Layout>() == LAYOUT_BYTES);

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    magic: [u8; 8],
    version: U32,
    zero: [u8; 4],
    segment: U64,
    size: U64,
    link: [u8; 32],
    peaks: U32,
    end: [u8; 4],
}

/// Why a segment's header is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// It is not one, or not this segment's.
    Damaged,
    /// It is of a later version.
    Newer(u32),
}

/// The name of a segment's file.
pub(crate) fn name(segment: u64) -> String {
    format!("{segment:016x}{SUFFIX}")
}

/// The numbers of the segments among these names, in order.
pub(crate) fn numbers(names: &[String]) -> Vec<u64> {
    let number = |text: &String| {
        let number = u64::from_str_radix(text.strip_suffix(SUFFIX)?, 16).ok()?;
        (name(number) == *text).then_some(number)
    };
    let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// The header of a segment that goes on from `chain`.
pub(crate) fn header(segment: u64, chain: &Chain) -> Vec<u8> {
    let peaks = chain.frontier.peaks();
    let layout = Layout {
        magic: MAGIC,
        version: U32::new(VERSION),
        zero: [0; 4],
        segment: U64::new(segment),
        size: U64::new(chain.size()),
        link: chain.link.0,
        peaks: U32::new(u32::try_from(peaks.len()).unwrap_or(u32::MAX)),
        end: [0; 4],
    };
    let mut bytes = layout.as_bytes().to_vec();
    bytes.extend(peaks.iter().flat_map(|peak| peak.0));
    bytes.resize(CHECKED_BYTES, 0);
    let crc = crc32c::crc32c(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// What the log had come to before a segment.
pub(crate) fn read_header(segment: u64, bytes: &[u8]) -> Result<Chain, HeaderError> {
    let damaged = || HeaderError::Damaged;
    let bytes = bytes.get(..HEADER_BYTES).ok_or_else(damaged)?;
    let (checked, crc) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    let (layout, rest) = Layout::read_from_prefix(checked).map_err(|_| damaged())?;
    if layout.magic != MAGIC || u32::from_le_bytes(*crc) != crc32c::crc32c(checked) {
        return Err(HeaderError::Damaged);
    }
    if layout.version.get() > VERSION {
        return Err(HeaderError::Newer(layout.version.get()));
    }
    if layout.segment.get() != segment {
        return Err(HeaderError::Damaged);
    }
    let count = usize::try_from(layout.peaks.get()).unwrap_or(usize::MAX);
    let (peaks, _) = rest.as_chunks::<HASH_BYTES>();
    let peaks = peaks.get(..count).ok_or_else(damaged)?.iter().map(|peak| Hash(*peak)).collect();
    let frontier = Frontier::from_peaks(layout.size.get(), peaks).ok_or_else(damaged)?;
    Ok(Chain { frontier, link: Hash(layout.link) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::leaves;

    fn chain(size: usize) -> Chain {
        let mut chain = Chain::default();
        for leaf in leaves(size) {
            chain.push(leaf);
        }
        chain
    }

    #[test]
    fn a_header_survives_its_bytes_and_is_of_one_segment() {
        for size in [0, 1, 2, 100, 1_023] {
            let bytes = header(3, &chain(size));
            assert_eq!(bytes.len(), HEADER_BYTES);
            assert_eq!(read_header(3, &bytes), Ok(chain(size)));
            assert_eq!(read_header(4, &bytes), Err(HeaderError::Damaged));
        }
    }

    #[test]
    fn a_flipped_bit_and_a_later_version_are_seen() {
        let intact = header(1, &chain(77));
        for bit in (0..HEADER_BYTES * 8).step_by(31) {
            let mut bytes = intact.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_header(1, &bytes), Err(HeaderError::Damaged), "bit {bit}");
        }
        let mut newer = intact.clone();
        newer[8] = 2;
        let crc = crc32c::crc32c(&newer[..CHECKED_BYTES]);
        newer[CHECKED_BYTES..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(read_header(1, &newer), Err(HeaderError::Newer(2)));
        assert_eq!(read_header(1, &intact[..100]), Err(HeaderError::Damaged));
    }

    #[test]
    fn segments_are_known_by_their_names() {
        let names = [name(2), name(1), "mark".into(), "1.aud".into(), "spare".into(), name(300)];
        assert_eq!(numbers(&names), [1, 2, 300]);
    }
}
