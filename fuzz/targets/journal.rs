//! A journal's files, changed anywhere: they are read to the end or damage is told, the same with a key
//! and without, and a node's opening never loses what a reader sees.
//!
//! An even first byte: the rest are the plain records of a group. An odd one: the rest are changes of the
//! files that version 1 wrote, each four bytes: file, place (two), value. With its second bit set the
//! checksums are made right again, so that what they protect is looked at too.

#![no_main]

use ach_engine_journal::{Config, Journal, Kek, Lsn, Reader, SimDisk, read_records};
use libfuzzer_sys::fuzz_target;

const FILES: [(&str, &[u8]); 3] = [
    (
        "0000000000000001.seg",
        include_bytes!("../../engine/journal/tests/fixtures/v1/0000000000000001.seg"),
    ),
    (
        "0000000000000002.seg",
        include_bytes!("../../engine/journal/tests/fixtures/v1/0000000000000002.seg"),
    ),
    ("mark", include_bytes!("../../engine/journal/tests/fixtures/v1/mark")),
];

/// Where checksums lie in a file that starts with segments' headers and groups (`docs/specs/journal.md`):
/// from, to, and the place of the checksum.
const OF_SEGMENT: &[(usize, usize, usize)] =
    &[(0, 508, 508), (4_096, 4_604, 4_604), (8_192, 8_248, 8_248)];
/// The same of the mark's two slots.
const OF_MARK: &[(usize, usize, usize)] = &[(0, 60, 60), (4_096, 4_156, 4_156)];

/// Makes the checksums of a file right.
fn mend(name: &str, bytes: &mut [u8]) {
    for &(from, to, at) in if name == "mark" { OF_MARK } else { OF_SEGMENT } {
        let Some(sum) = bytes.get(from..to).map(crc32c::crc32c) else { continue };
        if let Some(place) = bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
    }
}

/// The key the files were written with.
fn kek() -> Kek {
    let key: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).expect("below 32"));
    Kek::from_bytes(&key).expect("a key")
}

fuzz_target!(|input: &[u8]| {
    let Some((&first, rest)) = input.split_first() else { return };
    if first % 2 == 0 {
        for count in [1, 2, u32::from(first)] {
            if let Ok(records) = read_records(rest, Lsn(1), count) {
                assert_eq!(u32::try_from(records.len()), Ok(count));
            }
        }
        return;
    }
    let mut files = FILES.map(|(name, bytes)| (name, bytes.to_vec()));
    for change in rest.chunks_exact(4) {
        let place = usize::from(u16::from_le_bytes([change[1], change[2]]));
        let (_, bytes) = &mut files[usize::from(change[0]) % FILES.len()];
        if let Some(byte) = bytes.get_mut(place) {
            *byte = change[3];
        }
    }
    if first & 2 != 0 {
        for (name, bytes) in &mut files {
            mend(name, bytes);
        }
    }
    let held: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let mut shown = 0_u64;
    let with_key = Reader::new(SimDisk::holding(&held)).show(&kek(), &mut |_| shown += 1);
    let without = Reader::new(SimDisk::holding(&held)).verify(None);
    if let (Ok(with_key), Ok(without)) = (&with_key, &without) {
        // What needs no key to be seen is seen with one as well.
        assert!(without.damage.is_none() || with_key.damage.is_some(), "{with_key:?} {without:?}");
    }
    let disk = SimDisk::holding(&held);
    disk.set_capacity(1 << 30);
    let config = Config { segment_bytes: 64 * 1024, ..Config::default() };
    let mut replayed = 0_u64;
    if let Ok((journal, opened)) = Journal::open(disk, config, kek(), &mut |_| replayed += 1) {
        drop((journal, opened));
        assert!(replayed >= shown || with_key.is_err(), "{shown} are shown, {replayed} replayed");
    }
});
