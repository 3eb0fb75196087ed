//! The durable mark: what is known, outside the segments, to have been durable.
//!
//! A group proves that everything before it was durable, because the next group is written only
//! after the last one is synced. Nothing in the segments proves it of the last group. So the mark,
//! in a file of its own, is written after each sync. It is itself synced only on idle, on release
//! and on close, so a power cut may leave it behind the truth; it is never ahead.
//!
//! ```text
//!  the file: a slot at 0, a slot at 4096; 8,192 bytes. Marks take turns, by their sequence.
//!
//!  0          8          16            24        32           40       48      52     60      64
//!  +----------+----------+-------------+---------+------------+--------+-------+------+-------+
//!  | ACHJMRK1 | sequence | durable LSN | segment | end offset | oldest | clean | zero | CRC of|
//!  | 8        | u64      | u64         | u64     | u64        | u64    | u32   | 8    | 0..59 |
//!  +----------+----------+-------------+---------+------------+--------+-------+------+-------+
//! ```

use std::io;

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::Lsn;
use crate::disk::{Disk, DiskFile, PAGE_BYTES};

/// The name of the file.
pub(crate) const MARK_NAME: &str = "mark";

/// Where the second slot is: in another page.
const SECOND_AT: u64 = PAGE_BYTES;

/// How long the file is.
const FILE_BYTES: u64 = 2 * PAGE_BYTES;

const MARK_BYTES: usize = 64;
const MAGIC: [u8; 8] = *b"ACHJMRK1";
const CHECKED_BYTES: usize = 60;

#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    magic: [u8; 8],
    sequence: U64,
    durable_lsn: U64,
    segment: U64,
    end_offset: U64,
    oldest: U64,
    clean: U32,
    zero: [u8; 8],
    crc: U32,
}

const _: () = assert!(size_of::<Layout>() == MARK_BYTES);

/// What was durable when the mark was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Marks are counted; the higher one counts.
    pub(crate) sequence: u64,
    /// The last durable record.
    pub(crate) durable_lsn: Lsn,
    /// The segment it ends in.
    pub(crate) segment: u64,
    /// Where it ends.
    pub(crate) end_offset: u64,
    /// The oldest segment that has not been released.
    pub(crate) oldest: u64,
    /// The journal was closed, and nothing was written after.
    pub(crate) is_clean: bool,
}

/// What the file of the mark holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MarkRead {
    /// The newer of the intact marks.
    pub(crate) mark: Option<Mark>,
    /// A slot holds something that is not a mark.
    pub(crate) is_damaged: bool,
}

impl Mark {
    fn to_bytes(self) -> [u8; MARK_BYTES] {
        let mut layout = Layout {
            magic: MAGIC,
            sequence: U64::new(self.sequence),
            durable_lsn: U64::new(self.durable_lsn.0),
            segment: U64::new(self.segment),
            end_offset: U64::new(self.end_offset),
            oldest: U64::new(self.oldest),
            clean: U32::new(u32::from(self.is_clean)),
            zero: [0; 8],
            crc: U32::ZERO,
        };
        layout.crc = U32::new(checksum(&layout));
        zerocopy::transmute!(layout)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Mark> {
        let (layout, _) = Layout::read_from_prefix(bytes).ok()?;
        (layout.magic == MAGIC && layout.crc.get() == checksum(&layout)).then(|| Mark {
            sequence: layout.sequence.get(),
            durable_lsn: Lsn(layout.durable_lsn.get()),
            segment: layout.segment.get(),
            end_offset: layout.end_offset.get(),
            oldest: layout.oldest.get(),
            is_clean: layout.clean.get() == 1,
        })
    }

    fn slot(self) -> u64 {
        if self.sequence.is_multiple_of(2) { 0 } else { SECOND_AT }
    }
}

fn checksum(layout: &Layout) -> u32 {
    crc32c::crc32c(layout.as_bytes().get(..CHECKED_BYTES).unwrap_or_default())
}

/// Reads the mark of a folder; no file is no mark.
pub(crate) fn read<D: Disk>(disk: &D) -> io::Result<MarkRead> {
    let file = match disk.open_reading(MARK_NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(MarkRead::default());
        }
        other => other?,
    };
    let mut slots = [[0; MARK_BYTES]; 2];
    for (slot, at) in slots.iter_mut().zip([0, SECOND_AT]) {
        // A file that is too short has zeros there, which are no mark.
        file.read_at(at, slot)?;
    }
    Ok(judge(&slots))
}

fn judge(slots: &[[u8; MARK_BYTES]; 2]) -> MarkRead {
    let marks = slots.map(|slot| Mark::from_bytes(&slot));
    let mut is_damaged = false;
    for (slot, mark) in slots.iter().zip(&marks) {
        is_damaged |= mark.is_none() && slot.iter().any(|byte| *byte != 0);
    }
    MarkRead { mark: marks.into_iter().flatten().max_by_key(|mark| mark.sequence), is_damaged }
}

/// The open file of the mark.
#[derive(Debug)]
pub(crate) struct MarkFile<F> {
    file: F,
    last: Mark,
}

impl<F: DiskFile> MarkFile<F> {
    /// Opens the file, or makes it anew when it is not there or too short.
    pub(crate) fn open<D: Disk<File = F>>(disk: &D, last: Option<Mark>) -> io::Result<MarkFile<F>> {
        let file = match disk.open(MARK_NAME) {
            Ok(file) if file.len_bytes()? >= FILE_BYTES => file,
            Ok(file) => {
                file.set_len(FILE_BYTES)?;
                file
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                disk.create(MARK_NAME, FILE_BYTES)?
            }
            Err(error) => return Err(error),
        };
        Ok(MarkFile { file, last: last.unwrap_or_default() })
    }

    /// Writes a mark with the next sequence over the older of the two, without a sync.
    pub(crate) fn write(&mut self, mark: Mark) -> io::Result<()> {
        let mark = Mark { sequence: self.last.sequence.saturating_add(1), ..mark };
        self.file.write_at(mark.slot(), &mark.to_bytes())?;
        self.last = mark;
        Ok(())
    }

    /// Returns once the last mark survives a power cut.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SimDisk;

    fn mark(durable: u64) -> Mark {
        Mark { durable_lsn: Lsn(durable), segment: 2, end_offset: 64, oldest: 1, ..Mark::default() }
    }

    fn written(count: u64) -> SimDisk {
        let disk = SimDisk::new(1, 1 << 20);
        let mut file = MarkFile::open(&disk, None).unwrap();
        for durable in 1..=count {
            file.write(mark(durable)).unwrap();
        }
        disk
    }

    #[test]
    fn the_newer_mark_counts() {
        for count in 1..5 {
            let read = read(&written(count)).unwrap();
            assert_eq!(read.mark, Some(Mark { sequence: count, ..mark(count) }));
            assert!(!read.is_damaged);
        }
    }

    #[test]
    fn a_flipped_bit_leaves_the_other_mark_and_is_seen() {
        let disk = written(2);
        let bytes = disk.contents(MARK_NAME);
        for (at, other) in [(0, 1), (4096, 2)] {
            for bit in 0..MARK_BYTES * 8 {
                let mut harmed = bytes.clone();
                harmed[at + bit / 8] ^= 1 << (bit % 8);
                disk.corrupt(MARK_NAME, |file| file.clone_from(&harmed)).unwrap();
                let read = read(&disk).unwrap();
                assert_eq!(read.mark.unwrap().durable_lsn, Lsn(other), "bit {bit} of slot {at}");
                assert!(read.is_damaged);
            }
        }
    }

    #[test]
    fn no_file_and_a_short_file_hold_no_mark() {
        let disk = SimDisk::new(1, 1 << 20);
        assert_eq!(read(&disk).unwrap(), MarkRead::default());
        disk.create(MARK_NAME, 10).unwrap();
        assert_eq!(read(&disk).unwrap(), MarkRead::default());
        MarkFile::open(&disk, None).unwrap().write(mark(1)).unwrap();
        assert_eq!(read(&disk).unwrap().mark.unwrap().durable_lsn, Lsn(1));
    }
}
