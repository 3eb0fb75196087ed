//! What is known, outside the segments, to have been on disk. All numbers are little-endian.
//!
//! ```text
//!  0          8          16     24        32          60    64
//!  +----------+----------+------+---------+-----------+-----+
//!  | ACHAMRK1 | sequence | size | segment | end, zero | crc |   at 0 and at 4,096
//!  +----------+----------+------+---------+-----------+-----+
//! ```
//!
//! A mark is written over the older of the two after each sync of the log, without a sync of its own,
//! so it is never ahead; it is synced with each head. With it, a torn tail that nobody was told of is
//! known from records that were cut away or changed.

use std::io;

use ach_engine_journal::{Disk, DiskFile, PAGE_BYTES};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The name of the file.
pub(crate) const MARK_NAME: &str = "mark";

const SECOND_AT: u64 = PAGE_BYTES;
const FILE_BYTES: u64 = 2 * PAGE_BYTES;
const MARK_BYTES: usize = 64;
const CHECKED_BYTES: usize = 60;
const MAGIC: [u8; 8] = *b"ACHAMRK1";

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    magic: [u8; 8],
    sequence: U64,
    size: U64,
    segment: U64,
    end: U64,
    zero: [u8; 20],
    crc: U32,
}

const _: () = assert!(size_of::<Layout>() == MARK_BYTES);

/// How far the disk had come when the mark was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    sequence: u64,
    /// How many records were on disk.
    pub(crate) size: u64,
    /// In which segment the last frame ends; 0 before there is one.
    pub(crate) segment: u64,
    /// Where it ends there.
    pub(crate) end: u64,
}

impl Mark {
    fn to_bytes(self) -> [u8; MARK_BYTES] {
        let mut layout = Layout {
            magic: MAGIC,
            sequence: U64::new(self.sequence),
            size: U64::new(self.size),
            segment: U64::new(self.segment),
            end: U64::new(self.end),
            zero: [0; 20],
            crc: U32::ZERO,
        };
        layout.crc = U32::new(checksum(&layout));
        zerocopy::transmute!(layout)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Mark> {
        let (layout, _) = Layout::read_from_prefix(bytes).ok()?;
        (layout.magic == MAGIC && layout.crc.get() == checksum(&layout)).then(|| Mark {
            sequence: layout.sequence.get(),
            size: layout.size.get(),
            segment: layout.segment.get(),
            end: layout.end.get(),
        })
    }
}

fn checksum(layout: &Layout) -> u32 {
    crc32c::crc32c(layout.as_bytes().get(..CHECKED_BYTES).unwrap_or_default())
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
    pub(crate) fn write(&mut self, size: u64, segment: u64, end: u64) -> io::Result<()> {
        let sequence = self.sequence.saturating_add(1);
        let at = if sequence.is_multiple_of(2) { 0 } else { SECOND_AT };
        self.file.write_at(at, &Mark { sequence, size, segment, end }.to_bytes())?;
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

    fn written(count: u64) -> SimDisk {
        let disk = SimDisk::new(1, 1 << 20);
        let mut file = MarkFile::open(&disk, None).unwrap();
        for size in 1..=count {
            file.write(size, 1, 100).unwrap();
        }
        file.sync().unwrap();
        disk
    }

    #[test]
    fn the_newer_mark_counts_and_a_flipped_bit_leaves_the_other() {
        assert_eq!(read(&SimDisk::new(1, 1 << 20)).unwrap(), None);
        for count in 1..5 {
            let read = read(&written(count)).unwrap().unwrap();
            assert_eq!((read.size, read.segment, read.end), (count, 1, 100));
        }
        for (at, left) in [(0, 1), (4_096, 2)] {
            for bit in 0..MARK_BYTES * 8 {
                let disk = written(2);
                disk.corrupt(MARK_NAME, |file| file[at + bit / 8] ^= 1 << (bit % 8)).unwrap();
                assert_eq!(read(&disk).unwrap().unwrap().size, left, "bit {bit} of slot {at}");
            }
        }
    }

    #[test]
    fn marks_go_on_from_the_last() {
        let disk = written(3);
        let last = read(&disk).unwrap();
        MarkFile::open(&disk, last).unwrap().write(9, 2, 50).unwrap();
        assert_eq!(read(&disk).unwrap().unwrap().size, 9);
    }
}
