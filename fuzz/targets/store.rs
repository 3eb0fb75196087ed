//! What history keeps in files: a block of pings is refused or unpacks to as many as it says, within the
//! times it says; an archive that was changed anywhere gives entries as they were written, from the first on,
//! and then an error; holds are read as they would be written; of a person whose files were changed nothing is
//! told but what was kept.
//!
//! The first byte: in five, 0 is a whole block, 1 is changes of the golden block, 2 is changes of an archive, 3
//! is a file of holds, 4 is changes of a person's files. Checksums of blocks and holds are made right, so that
//! what they protect is looked at.

#![no_main]

#[path = "../changes.rs"]
#[allow(dead_code, reason = "a block has one checksum, which is made right here")]
mod changes;

use std::cell::LazyCell;

use ach_actors_model::{Name, Timestamp};
use ach_engine_store::{
    ArchiveReader, ArchiveWriter, ArchivedEntry, BLOCK_PINGS_MAX, BlockHead, Holds, Keeping, Link,
    People, Person, decode_block,
};
use libfuzzer_sys::fuzz_target;

/// A block as version 1 writes it, as hexadecimal digits.
const GOLDEN: &str = include_str!("../../engine/store/src/block/golden.txt");
const SECRET: [u8; 32] = [7; 32];

/// An archive of three entries, with their bytes.
struct Archive {
    bytes: Vec<u8>,
    entries: Vec<ArchivedEntry>,
}

impl Archive {
    fn new() -> Archive {
        let folder = tempfile::tempdir().expect("a folder");
        let at = Timestamp(1_763_798_400_000_000_000);
        let mut writer = ArchiveWriter::begin(folder.path(), &SECRET, 5, at).expect("a writer");
        for (index, entry) in [(5, &b"first entry"[..]), (6, &[0; 300]), (7, b"third")] {
            writer.push(index, at, entry).expect("room");
        }
        writer.finish().expect("a whole archive");
        let file = std::fs::read_dir(folder.path()).expect("a folder").next().expect("a file");
        let bytes = std::fs::read(file.expect("a file").path()).expect("its bytes");
        let entries = read(&bytes).collect::<Result<_, _>>().expect("it is whole");
        Archive { bytes, entries }
    }
}

fn read(
    bytes: &[u8],
) -> impl Iterator<Item = Result<ArchivedEntry, ach_engine_store::ArchiveError>> {
    let reader = ArchiveReader::new(bytes, &SECRET);
    let (reader, error) = match reader {
        Ok(reader) => (Some(reader), None),
        Err(error) => (None, Some(Err(error))),
    };
    error.into_iter().chain(reader.into_iter().flatten())
}

thread_local! {
    static BLOCK: LazyCell<Vec<u8>> = LazyCell::new(|| {
        let pair = |pair: &[u8]| {
            let digits = std::str::from_utf8(pair).expect("digits");
            u8::from_str_radix(digits, 16).expect("digits")
        };
        GOLDEN.trim().as_bytes().chunks(2).map(pair).collect()
    });
    static ARCHIVE: LazyCell<Archive> = LazyCell::new(Archive::new);
    /// Where holds and persons are written.
    static FOLDER: LazyCell<tempfile::TempDir> =
        LazyCell::new(|| tempfile::tempdir_in("/dev/shm").expect("a folder"));
    /// The files of one person.
    static PERSON: LazyCell<[(&'static str, Vec<u8>); 3]> = LazyCell::new(|| {
        FOLDER.with(|folder| {
            let people = folder.path().join("people");
            let subject = Name::new(SUBJECT).expect("an id");
            let mut kept = People::open(&people, &SECRET).expect("a folder");
            let holds = Holds::default();
            let keeping =
                Keeping { now: Timestamp(1), holds: &holds, replaces_damaged: false };
            kept.put(&[(subject, known())], keeping).expect("a disk");
            ["check", "patient-17.key", "patient-17.row"]
                .map(|name| (name, std::fs::read(people.join(name)).expect("a file")))
        })
    });
}

fn block(mut bytes: Vec<u8>) {
    if bytes.len() >= 8 {
        let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..4]), &bytes[8..]);
        bytes[4..8].copy_from_slice(&sum.to_le_bytes());
    }
    let head = BlockHead::read(&bytes);
    let Ok(pings) = decode_block(&bytes) else { return };
    let head = head.expect("a block that is unpacked has a head");
    assert_eq!(pings.len(), head.count);
    assert!((1..=BLOCK_PINGS_MAX).contains(&pings.len()));
    assert_eq!(pings.iter().map(|ping| ping.observed_at).min(), Some(head.earliest_at));
    assert_eq!(pings.iter().map(|ping| ping.observed_at).max(), Some(head.latest_at));
}

fn archive(input: &[u8]) {
    ARCHIVE.with(|archive| {
        let mut files = [("it", archive.bytes.clone())];
        let is_changed = changes::apply(input, &mut files);
        let [(_, bytes)] = files;
        let mut expected = archive.entries.iter();
        for entry in read(&bytes) {
            match entry {
                Ok(entry) => {
                    let expected = expected.next().expect("no entry that was not written");
                    assert_eq!(entry.index, expected.index);
                    assert_eq!((entry.at, &entry.bytes), (expected.at, &expected.bytes));
                }
                Err(_) => {
                    assert!(is_changed, "an archive that nobody changed is whole");
                    return;
                }
            }
        }
        assert!(expected.next().is_none(), "an entry that is missing is told");
    });
}

fn holds(text: &[u8]) {
    FOLDER.with(|folder| {
        let file = folder.path().join("holds");
        let mut bytes = format!("{:08x}\n", crc32c::crc32c(text)).into_bytes();
        bytes.extend_from_slice(text);
        std::fs::write(&file, bytes).expect("a disk");
        let Ok(holds) = Holds::load(&file) else { return };
        holds.save(&file).expect("a disk");
        assert_eq!(Holds::load(&file).expect("they were just written"), holds);
    });
}

const SUBJECT: &str = "patient-17";

fn known() -> Person {
    let link = Link { system: "hospital".to_owned(), number: "MRN-4711".to_owned() };
    Person { name: "A. Muster".to_owned(), links: vec![link] }
}

fn person(input: &[u8]) {
    FOLDER.with(|folder| {
        let subject = Name::new(SUBJECT).expect("an id");
        let people = folder.path().join("people");
        let mut files = PERSON.with(|files| (*files).clone());
        let is_changed = changes::apply(input, &mut files);
        for (name, bytes) in &files {
            std::fs::write(people.join(name), bytes).expect("a disk");
        }
        let told = People::open(&people, &SECRET).and_then(|people| people.person(&subject));
        match told {
            // None: the key may be said to be gone.
            Ok(told) => assert!(told == Some(known()) || (told.is_none() && is_changed)),
            Err(_) => assert!(is_changed, "files that nobody changed are sound"),
        }
    });
}

fuzz_target!(|input: &[u8]| {
    let Some((&first, rest)) = input.split_first() else { return };
    match first % 5 {
        0 => block(rest.to_vec()),
        1 => {
            let mut files = [("it", BLOCK.with(|block| block.to_vec()))];
            changes::apply(rest, &mut files);
            let [(_, bytes)] = files;
            block(bytes);
        }
        2 => archive(rest),
        3 => holds(rest),
        _ => person(rest),
    }
});
