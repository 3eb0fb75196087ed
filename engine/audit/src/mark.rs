//! What is known, outside the segments, to have been on disk. All numbers are little-endian.
//!
//! ```text
//!  0          8          16     24        32    40     72          136    140   144
//!  +----------+----------+------+---------+-----+------+-----------+------+-----+
//!  | ACHAMRK2 | sequence | size | segment | end | link | signature | zero | crc |  at 0 and 4,096
//!  +----------+----------+------+---------+-----+------+-----------+------+-----+
//! ```
//!
//! A mark is written over the older of the two after each sync of the log, without a sync of its own,
//! so it is never ahead; it is synced with each head. With it, a torn tail that nobody was told of is
//! known from records that were cut away or changed. The signature is the key's, of bytes 0 to 71: who
//! does not have the key cannot write a mark that fits what he has left of a log.

use std::io;

use ach_engine_journal::{Disk, DiskFile, PAGE_BYTES};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::hash::Hash;
use crate::key::{SigningKey, VerifyingKey};

/// The name of the file.
pub(crate) const MARK_NAME: &str = "mark";

const SECOND_AT: u64 = PAGE_BYTES;
const FILE_BYTES: u64 = 2 * PAGE_BYTES;
const MARK_BYTES: usize = 144;
const SIGNED_BYTES: usize = 72;
const CHECKED_BYTES: usize = 140;
const MAGIC: [u8; 8] = *b"ACHAMRK2";

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    magic: [u8; 8],
    sequence: U64,
    size: U64,
    segment: U64,
    end: U64,
    link: [u8; 32],
    signature: [u8; 64],
    zero: [u8; 4],
    crc: U32,
}

const _: () = assert!(size_of::<Layout>() == MARK_BYTES);
// A drive writes a sector whole or not at all, so a mark is never torn.
const _: () = assert!(MARK_BYTES <= 512);

/// How far the disk had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// How many records were on disk.
    pub(crate) size: u64,
    /// The link of the last of them.
    pub(crate) link: Hash,
    /// In which segment the last frame ends; 0 before there is one.
    pub(crate) segment: u64,
    /// Where it ends there.
    pub(crate) end: u64,
}

impl Reach {
    /// Before there is a segment.
    pub(crate) const NONE: Reach = Reach { size: 0, link: Hash([0; 32]), segment: 0, end: 0 };
}

/// How far the disk had come when the mark was written, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    sequence: u64,
    pub(crate) reach: Reach,
    signature: [u8; 64],
}

impl Mark {
    /// Whether the key has written it.
    pub(crate) fn is_signed(&self, key: &VerifyingKey) -> bool {
        let layout = self.layout();
        key.is_of(part(&layout, SIGNED_BYTES), &self.signature)
    }

    fn sign(sequence: u64, reach: Reach, key: &SigningKey) -> Mark {
        let mut mark = Mark { sequence, reach, signature: [0; 64] };
        let layout = mark.layout();
        mark.signature.copy_from_slice(&key.sign(part(&layout, SIGNED_BYTES)));
        mark
    }

    fn layout(&self) -> Layout {
        Layout {
            magic: MAGIC,
            sequence: U64::new(self.sequence),
            size: U64::new(self.reach.size),
            segment: U64::new(self.reach.segment),
            end: U64::new(self.reach.end),
            link: self.reach.link.0,
            signature: self.signature,
            zero: [0; 4],
            crc: U32::ZERO,
        }
    }

    fn to_bytes(self) -> [u8; MARK_BYTES] {
        let mut layout = self.layout();
        layout.crc = U32::new(checksum(&layout));
        zerocopy::transmute!(layout)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Mark> {
        let (layout, _) = Layout::read_from_prefix(bytes).ok()?;
        (layout.magic == MAGIC && layout.crc.get() == checksum(&layout)).then(|| Mark {
            sequence: layout.sequence.get(),
            reach: Reach {
                size: layout.size.get(),
                link: Hash(layout.link),
                segment: layout.segment.get(),
                end: layout.end.get(),
            },
            signature: layout.signature,
        })
    }
}

fn checksum(layout: &Layout) -> u32 {
    crc32c::crc32c(part(layout, CHECKED_BYTES))
}

fn part(layout: &Layout, bytes: usize) -> &[u8] {
    layout.as_bytes().get(..bytes).unwrap_or_default()
}

/// The newer of the intact marks of a folder, if there is one.
pub(crate) fn read<D: Disk>(disk: &D) -> io::Result<Option<Mark>> {
    let file = match disk.open_reading(MARK_NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut newest: Option<Mark> = None;
    for at in [0, SECOND_AT] {
        let mut slot = [0; MARK_BYTES];
        file.read_at(at, &mut slot)?;
        let mark = Mark::from_bytes(&slot);
        newest = newest.into_iter().chain(mark).max_by_key(|mark| mark.sequence);
    }
    Ok(newest)
}

/// The open file of the marks.
#[derive(Debug)]
pub(crate) struct MarkFile<F> {
    file: F,
    sequence: u64,
}

impl<F: DiskFile> MarkFile<F> {
    /// Opens the file, or makes it.
    pub(crate) fn open<D: Disk<File = F>>(disk: &D, last: Option<Mark>) -> io::Result<MarkFile<F>> {
        let file = match disk.open(MARK_NAME) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                disk.create(MARK_NAME, FILE_BYTES)?
            }
            opened => opened?,
        };
        Ok(MarkFile { file, sequence: last.map_or(0, |mark| mark.sequence) })
    }

    /// Writes a mark over the older of the two, without a sync.
    pub(crate) fn write(&mut self, reach: Reach, key: &SigningKey) -> io::Result<()> {
        let sequence = self.sequence.saturating_add(1);
        let at = if sequence.is_multiple_of(2) { 0 } else { SECOND_AT };
        self.file.write_at(at, &Mark::sign(sequence, reach, key).to_bytes())?;
        self.sequence = sequence;
        Ok(())
    }

    /// Returns once the last mark survives a power cut.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}

#[cfg(test)]
mod tests {
    use ach_engine_journal::SimDisk;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32])
    }

    fn reach(size: u64) -> Reach {
        Reach { size, link: Hash::leaf(b"a record"), segment: 1, end: 100 }
    }

    fn written(count: u64) -> SimDisk {
        let disk = SimDisk::new(1, 1 << 20);
        let mut file = MarkFile::open(&disk, None).unwrap();
        for size in 1..=count {
            file.write(reach(size), &key()).unwrap();
        }
        file.sync().unwrap();
        disk
    }

    #[test]
    fn the_newer_mark_counts_and_a_flipped_bit_leaves_the_other() {
        assert_eq!(read(&SimDisk::new(1, 1 << 20)).unwrap(), None);
        for count in 1..5 {
            let read = read(&written(count)).unwrap().unwrap();
            assert_eq!(read.reach, reach(count));
            assert!(read.is_signed(&key().verifying()));
        }
        let disk = written(2);
        for (at, left) in [(0, 1), (4_096, 2)] {
            for bit in 0..MARK_BYTES * 8 {
                let disk = disk.fork(1);
                disk.corrupt(MARK_NAME, |file| file[at + bit / 8] ^= 1 << (bit % 8)).unwrap();
                assert_eq!(read(&disk).unwrap().unwrap().reach.size, left, "bit {bit} at {at}");
            }
        }
    }

    #[test]
    fn who_has_no_key_writes_no_mark() {
        let mark = read(&written(3)).unwrap().unwrap();
        let key = key().verifying();
        let says = |reach: Reach| Mark { reach, ..mark };
        let Reach { size, link, segment, end } = mark.reach;
        for changed in [
            Reach { size: size - 1, ..mark.reach },
            Reach { link: Hash::leaf(b"another"), ..mark.reach },
            Reach { segment: segment + 1, ..mark.reach },
            Reach { end: end - 1, ..mark.reach },
        ] {
            let bytes = says(changed).to_bytes();
            let read = Mark::from_bytes(&bytes).unwrap();
            assert!(!read.is_signed(&key), "{changed:?}");
        }
        assert!(!Mark { sequence: 9, ..mark }.is_signed(&key), "an older one made the newer");
        assert!(says(Reach { size, link, segment, end }).is_signed(&key));
    }

    #[test]
    fn marks_go_on_from_the_last() {
        let disk = written(3);
        let last = read(&disk).unwrap();
        let next = Reach { segment: 2, ..reach(9) };
        MarkFile::open(&disk, last).unwrap().write(next, &key()).unwrap();
        assert_eq!(read(&disk).unwrap().unwrap().reach, next);
    }
}
