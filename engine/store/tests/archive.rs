//! Archives: what went in comes out, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

use std::fs;

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_engine_store::{
    ArchiveError, ArchiveReader, ArchiveSpan, ArchiveWriter, ArchivedEntry, Day, archives,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SECRET: [u8; 32] = [3; 32];
const DAY: Day = Day(20_779);

fn entries(first: u64, count: u64) -> Vec<ArchivedEntry> {
    let entry = |index: u64| ArchivedEntry {
        index,
        at: DAY.begins_at().plus_ns(index * NS_PER_S),
        bytes: format!("entry {index} ").repeat(usize::try_from(index % 40).unwrap()).into_bytes(),
    };
    (first..first + count).map(entry).collect()
}

fn written(folder: &std::path::Path, entries: &[ArchivedEntry]) -> ArchiveSpan {
    let first = &entries[0];
    let mut writer = ArchiveWriter::begin(folder, &SECRET, first.index, first.at).unwrap();
    for entry in entries {
        writer.push(entry.index, entry.at, &entry.bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> Result<Vec<ArchivedEntry>, ArchiveError> {
    ArchiveReader::new(bytes, &SECRET)?.collect()
}

#[test]
fn entries_come_back_in_order_over_many_frames() {
    let folder = tempfile::tempdir().unwrap();
    // Some 2 MB: three frames.
    let entries = entries(5, 9_000);
    let span = written(folder.path(), &entries);
    let file = &span.file;
    let found: Result<Vec<_>, _> = ArchiveReader::open(&span, &SECRET).unwrap().collect();
    assert_eq!(found.unwrap(), entries);
    let plain: usize = entries.iter().map(|entry| entry.bytes.len()).sum();
    assert!(fs::metadata(file).unwrap().len() * 4 < u64::try_from(plain).unwrap());
    let spans = archives(folder.path()).unwrap();
    assert_eq!((spans[0].first_index, spans[0].last_index, spans[0].day), (5, 9_004, DAY));
    let text = fs::read(file).unwrap();
    assert!(!text.windows(7).any(|window| window == b"entry 7"), "it is not encrypted");
}

#[test]
fn every_flipped_bit_and_every_cut_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read(written(folder.path(), &entries(1, 60)).file).unwrap();
    assert_eq!(read(&good).unwrap().len(), 60);
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&bytes).is_err(), "bit {bit}");
    }
    for cut in 0..good.len() {
        assert!(read(&good[..cut]).is_err(), "cut to {cut}");
    }
    let longer = [&good[..], &[0]].concat();
    assert!(read(&longer).is_err(), "something behind the end");
}

/// A name decides when an archive goes and what is expected of it; what is in the file decides whether
/// the name is believed.
#[test]
fn an_archive_that_is_not_what_its_name_says_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), &entries(5, 30));
    let named = |first: u64, last: u64, day: Day| {
        let file = folder.path().join(format!("day-{day}-{first:016x}-{last:016x}.arc"));
        if file != good.file {
            fs::copy(&good.file, &file).unwrap();
        }
        let found = archives(folder.path()).unwrap();
        let span = found.into_iter().find(|span| span.file == file).unwrap();
        let read: Result<Vec<_>, _> =
            ArchiveReader::open(&span, &SECRET).and_then(Iterator::collect);
        if file != good.file {
            fs::remove_file(&file).unwrap();
        }
        read
    };
    assert_eq!(named(5, 34, DAY).unwrap().len(), 30);
    for (first, last, day) in [(5, 34, DAY.before(3)), (4, 34, DAY), (5, 35, DAY), (5, 33, DAY)] {
        let read = named(first, last, day);
        assert!(matches!(read, Err(ArchiveError::Misnamed { .. })), "{first} {last}: {read:?}");
    }
}

#[test]
fn another_secret_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let span = written(folder.path(), &entries(1, 3));
    let opened = ArchiveReader::open(&span, &[4; 32]).map(drop);
    assert!(matches!(opened, Err(ArchiveError::WrongSecret)), "{opened:?}");
}

#[test]
fn entries_must_follow_each_other_within_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let at = DAY.begins_at();
    let mut writer = ArchiveWriter::begin(folder.path(), &SECRET, 7, at).unwrap();
    writer.push(7, at, b"x").unwrap();
    for (index, at) in [(9, at), (7, at), (8, DAY.ends_at())] {
        let refused = writer.push(index, at, b"x");
        assert!(matches!(refused, Err(ArchiveError::OutOfOrder { after: 7, .. })), "{refused:?}");
    }
    drop(writer);
    assert_eq!(archives(folder.path()).unwrap(), [], "what is not finished is no archive");
}

/// Frames whose checksum is sound and whose contents are anything: no panic, no huge allocation.
#[test]
fn frames_of_noise_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read(written(folder.path(), &entries(1, 3)).file).unwrap();
    let mut chance = ChaCha8Rng::seed_from_u64(41);
    for _ in 0..2_000 {
        let mut bytes = good[..88].to_vec();
        let sealed: Vec<u8> = (0..chance.random_range(0..80)).map(|_| chance.random()).collect();
        let plain = match chance.random_range(0..3) {
            0 => chance.random::<u32>(),
            1 => 0,
            _ => chance.random_range(0..2_000),
        };
        let mut head = u32::try_from(sealed.len()).unwrap().to_le_bytes().to_vec();
        head.extend_from_slice(&plain.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&head), &sealed);
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(&sealed);
        assert!(read(&bytes).is_err());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn any_time_may_be_archived(at in any::<u64>()) {
        let folder = tempfile::tempdir().unwrap();
        let entry = ArchivedEntry { index: 1, at: Timestamp(at), bytes: Vec::new() };
        let span = written(folder.path(), std::slice::from_ref(&entry));
        prop_assert_eq!(read(&fs::read(span.file).unwrap()).unwrap(), [entry]);
    }
}
