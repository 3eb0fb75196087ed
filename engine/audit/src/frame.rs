//! A frame: a record or a head, as it lies in a segment. All numbers are little-endian.
//!
//! ```text
//!  0       4      8      9      16      24     56      60     64
//!  +-------+------+------+------+-------+------+-------+------+---------+-- zeros up to a
//!  | ACHF  | L    | kind | zero | index | link | crc   | zero | payload |  multiple of 8
//!  +-------+------+------+------+-------+------+-------+------+---------+--
//! ```
//!
//! Kind 1 is a record: `index` is its number, from 0, and `link` its link. Kind 2 is a head: `index`
//! is the size it signs, and `link` the link of the last record. The checksum is CRC32C over bytes 0
//! to 55 and the payload.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::harm::Harm;
use crate::hash::Hash;
use crate::record::RECORD_BYTES_MAX;

/// Bytes before a payload.
pub(crate) const FRAME_BYTES: usize = 64;

const MAGIC: [u8; 4] = *b"ACHF";
const CHECKED_BYTES: usize = 56;
const RECORD: u8 = 1;
const HEAD: u8 = 2;

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    magic: [u8; 4],
    payload_bytes: U32,
    kind: u8,
    zero: [u8; 7],
    index: U64,
    link: [u8; 32],
    crc: U32,
    end: [u8; 4],
}

const _: () = assert!(size_of::<Layout>() == FRAME_BYTES);

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// A record.
    Record,
    /// A head.
    Head,
}

/// An intact frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: FrameKind,
    pub(crate) index: u64,
    pub(crate) link: Hash,
    pub(crate) payload: &'a [u8],
}

impl Frame<'_> {
    /// How long a frame with such a payload is.
    pub(crate) fn bytes(payload_bytes: usize) -> usize {
        FRAME_BYTES.saturating_add(payload_bytes).next_multiple_of(8)
    }

    /// Adds the frame's bytes to `out`.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let mut layout = Layout {
            magic: MAGIC,
            payload_bytes: U32::new(u32::try_from(self.payload.len()).unwrap_or(u32::MAX)),
            kind: match self.kind {
                FrameKind::Record => RECORD,
                FrameKind::Head => HEAD,
            },
            zero: [0; 7],
            index: U64::new(self.index),
            link: self.link.0,
            crc: U32::ZERO,
            end: [0; 4],
        };
        layout.crc = U32::new(checksum(&layout, self.payload));
        let end = out.len().saturating_add(Frame::bytes(self.payload.len()));
        out.extend(layout.as_bytes());
        out.extend(self.payload);
        out.resize(end, 0);
    }

    /// Whether a frame may begin at the start of `bytes`; tells most places where none does.
    pub(crate) fn may_begin(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// The frame at the start of `bytes`; none where there are only zeros from here to the end.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Frame<'_>>, Harm> {
        let head = bytes.get(..FRAME_BYTES).unwrap_or(bytes);
        if head.iter().all(|byte| *byte == 0) {
            let is_end = bytes.iter().all(|byte| *byte == 0);
            return if is_end { Ok(None) } else { Err(Harm::NoFrame) };
        }
        let (layout, rest) = Layout::read_from_prefix(bytes).map_err(|_| Harm::NoFrame)?;
        let payload_bytes = usize::try_from(layout.payload_bytes.get()).unwrap_or(usize::MAX);
        if layout.magic != MAGIC || payload_bytes > RECORD_BYTES_MAX {
            return Err(Harm::NoFrame);
        }
        let padded = Frame::bytes(payload_bytes).saturating_sub(FRAME_BYTES);
        let rest = rest.get(..padded).ok_or(Harm::NoFrame)?;
        let (payload, padding) = rest.split_at_checked(payload_bytes).ok_or(Harm::NoFrame)?;
        let are_zeros =
            layout.zero == [0; 7] && layout.end == [0; 4] && padding.iter().all(|byte| *byte == 0);
        if layout.crc.get() != checksum(&layout, payload) || !are_zeros {
            return Err(Harm::Checksum);
        }
        let kind = match layout.kind {
            RECORD => FrameKind::Record,
            HEAD => FrameKind::Head,
            _ => return Err(Harm::NoFrame),
        };
        Ok(Some(Frame { kind, index: layout.index.get(), link: Hash(layout.link), payload }))
    }
}

fn checksum(layout: &Layout, payload: &[u8]) -> u32 {
    let head = layout.as_bytes().get(..CHECKED_BYTES).unwrap_or_default();
    crc32c::crc32c_append(crc32c::crc32c(head), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let link = Hash::leaf(b"link");
        Frame { kind: FrameKind::Record, index: 5, link, payload }.put(&mut bytes);
        bytes
    }

    #[test]
    fn a_frame_survives_its_bytes() {
        for payload_bytes in [0, 1, 7, 8, 9, 300] {
            let payload = vec![9; payload_bytes];
            let mut bytes = frame(&payload);
            assert_eq!(bytes.len(), Frame::bytes(payload_bytes));
            bytes.extend([0; 40]);
            let read = Frame::read(&bytes).unwrap().unwrap();
            assert_eq!(
                (read.index, read.payload, read.link),
                (5, &payload[..], Hash::leaf(b"link"))
            );
        }
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_seen() {
        let intact = frame(b"a payload of some bytes");
        for bit in 0..intact.len() * 8 {
            let mut bytes = intact.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::read(&bytes).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn zeros_are_the_end_and_what_follows_them_is_not() {
        assert!(Frame::read(&[]).unwrap().is_none());
        assert!(Frame::read(&[0; 500]).unwrap().is_none());
        let mut stray = vec![0; 500];
        stray[400] = 1;
        assert_eq!(Frame::read(&stray).unwrap_err(), Harm::NoFrame);
        assert_eq!(Frame::read(&frame(b"payload")[..70]).unwrap_err(), Harm::NoFrame);
    }
}
