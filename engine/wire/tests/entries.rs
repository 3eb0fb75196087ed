//! Entries in the journal: what was written is read for ever, and nothing else is.
//!
//! After a wanted change of format run with `ACH_WRITE_GOLDEN=1`; files of released versions stay.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::fs;
use std::path::PathBuf;

use ach_actors_model::{
    BadgeRef, Command, CommandKind, DoorRef, EntityRef, Lane, Name, NodeTrouble, Ping, PingBatch,
    Report, ReportKind, SiteConfig, SourceConfig, SourceRef, TagRef, Timestamp,
};
use ach_engine_shard::{Entry, Input};
use ach_engine_wire::{
    ENTRY_FORMAT_VERSION, EntryError, SiteBytesError, SiteDigest, decode_entry, decode_site,
    encode_entry, encode_site,
};
use ach_geo::{Floor, Position};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn ping(chance: &mut ChaCha8Rng, seq_offset: u32) -> Ping {
    Ping {
        tag: TagRef(chance.random()),
        seq_offset,
        observed_at: Timestamp(chance.random()),
        position: Position {
            x_mm: chance.random(),
            y_mm: chance.random(),
            z_mm: chance.random::<bool>().then(|| chance.random()),
            floor: chance.random::<bool>().then(|| Floor(chance.random())),
        },
        accuracy_mm: chance.random(),
        battery_percent: chance.random::<bool>().then(|| chance.random()),
    }
}

fn site() -> SiteConfig {
    SiteConfig {
        site: Name::new("st-anna").unwrap(),
        version: 1,
        utc_offsets: vec![],
        speed_limits: vec![],
        sources: vec![SourceConfig {
            id: Name::new("uwb").unwrap(),
            silence_ns: Some(30_000_000_000),
            zones: vec![],
        }],
        anchors: vec![],
        zones: vec![],
        doors: vec![],
        lines: vec![],
        subjects: vec![],
        tags: vec![],
        rules: vec![],
        largest_gap_ns: 2_000_000_000,
        holidays: Vec::new(),
        badges: Vec::new(),
    }
}

fn entry(seed: u64, ping_count: u32) -> Entry {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let pings = (0..ping_count).map(|offset| ping(&mut chance, offset)).collect();
    let command = Command {
        by: Name::new("nurse:17").unwrap(),
        kind: CommandKind::ReleaseActor(EntityRef::Door(DoorRef(3))),
    };
    let trouble = CommandKind::NodeTrouble { trouble: NodeTrouble::Selftest, is_on: true };
    Entry {
        index: 1_234,
        at: Timestamp(1_795_316_400_000_000_000),
        site_version: 5,
        logic_version: 1,
        inputs: vec![
            Input::Pings(PingBatch {
                source: SourceRef(2),
                epoch: 3,
                first_seq: 100,
                last_seq: 100 + u64::from(ping_count),
                received_at: Timestamp(9),
                conflated_count: 1,
                refused_count: 0,
                pings,
            }),
            Input::Report(Report {
                source: SourceRef(2),
                lane: Lane::Door,
                epoch: 3,
                seq: 8,
                observed_at: Timestamp(7),
                received_at: Timestamp(8),
                kind: ReportKind::AccessGranted {
                    door: DoorRef(4),
                    valid_ms: 5_000,
                    badge: Some(BadgeRef(6)),
                },
            }),
            Input::Command(command),
            Input::Command(Command { by: Name::new("node-1").unwrap(), kind: trouble }),
            Input::SiteChange(Box::new(site())),
            Input::OpenEpoch { source: SourceRef(2), epoch: 4 },
            Input::Resumed { away_since: Timestamp(6) },
            Input::ClockCompared {
                source: SourceRef(2),
                offset_ns: -600_000_000,
                received_at: Timestamp(8),
            },
            Input::Tick,
        ],
        effects_hash: 0x0123_4567_89AB_CDEF,
    }
}

fn encoded(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_entry(entry, &mut bytes).unwrap();
    bytes
}

#[test]
fn an_entry_of_every_kind_of_input_survives_its_bytes() {
    for (seed, ping_count) in [(1, 0), (2, 1), (3, 64), (4, 1_024)] {
        let entry = entry(seed, ping_count);
        let mut bytes = vec![9, 9];
        encode_entry(&entry, &mut bytes).unwrap();
        assert_eq!(decode_entry(&bytes[2..]), Ok(entry), "seed {seed}");
    }
}

#[test]
fn an_entry_of_one_ping_has_the_size_in_the_spec() {
    let mut entry = entry(1, 1);
    entry.inputs.truncate(1);
    assert_eq!(encoded(&entry).len(), 40 + 8 + 40 + 40);
}

#[test]
fn version_1_is_written_and_read_as_its_golden_file() {
    assert_eq!(ENTRY_FORMAT_VERSION, 1, "add golden files of the new version, keep the old");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/entry-v1.bin");
    let entry = entry(42, 3);
    if std::env::var_os("ACH_WRITE_GOLDEN").is_some() {
        fs::write(&path, encoded(&entry)).unwrap();
    }
    let golden = fs::read(&path).unwrap();
    assert_eq!(decode_entry(&golden), Ok(entry.clone()));
    assert_eq!(encoded(&entry), golden);
}

#[test]
fn an_entry_cut_anywhere_or_with_more_after_it_is_refused() {
    let bytes = encoded(&entry(5, 2));
    for cut in 0..bytes.len() {
        assert!(decode_entry(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(decode_entry(&longer), Err(EntryError::Malformed { part: "end" }));
}

#[test]
fn an_entry_of_a_later_version_is_told_apart_from_a_damaged_one() {
    let mut bytes = encoded(&entry(5, 2));
    bytes[0] = 2;
    assert_eq!(decode_entry(&bytes), Err(EntryError::Version { version: 2 }));
    bytes[0] = 0;
    assert_eq!(decode_entry(&bytes), Err(EntryError::Malformed { part: "header" }));
}

#[test]
fn flipped_bits_and_random_bytes_are_refused_or_read_as_what_they_are_written_as() {
    let seed = 42;
    println!("seed {seed}");
    let whole = encoded(&entry(seed, 2));
    for bit in 0..(whole.len() * 8) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(entry) = decode_entry(&flipped) {
            assert_eq!(encoded(&entry), flipped, "one spelling only, bit {bit}");
        }
    }
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        let start = chance.random_range(0..bytes.len());
        let end = (start + chance.random_range(1..24)).min(bytes.len());
        chance.fill(&mut bytes[start..end]);
        if let Ok(entry) = decode_entry(&bytes) {
            assert_eq!(encoded(&entry), bytes, "one spelling only");
        }
    }
}

/// A count or length that promises more than there is must not make room for it.
#[test]
fn promises_of_much_are_refused_before_room_is_made() {
    let mut bytes = encoded(&Entry { inputs: vec![], ..entry(1, 0) });
    bytes[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(decode_entry(&bytes), Err(EntryError::Malformed { part: "input count" }));
    let mut site_only = entry(1, 0);
    site_only.inputs = vec![Input::SiteChange(Box::new(site()))];
    let mut bytes = encoded(&site_only);
    // The length of the site's name, the first thing in a site change.
    bytes[48..56].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(decode_entry(&bytes), Err(EntryError::Malformed { part: "site change" }));
}

#[test]
fn a_site_on_its_way_is_written_and_read_as_its_golden_file() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/site-v1.bin");
    let bytes = encode_site(&site()).unwrap();
    if std::env::var_os("ACH_WRITE_GOLDEN").is_some() {
        fs::write(&path, &bytes).unwrap();
    }
    let golden = fs::read(&path).unwrap();
    assert_eq!(bytes, golden);
    assert_eq!(decode_site(&golden), Ok(SiteConfig { version: 0, ..site() }));
    let other = encode_site(&SiteConfig { version: 7, ..site() }).unwrap();
    assert_eq!(SiteDigest::of(&other), SiteDigest::of(&golden), "the version is no part of it");
    assert_eq!(
        SiteDigest::parse(&SiteDigest::of(&golden).to_string()),
        Some(SiteDigest::of(&golden))
    );
}

#[test]
fn a_site_that_is_cut_or_longer_or_of_a_later_format_is_refused() {
    let bytes = encode_site(&site()).unwrap();
    for cut in 0..bytes.len() {
        assert!(decode_site(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(decode_site(&longer), Err(SiteBytesError::Malformed));
    let later = [&[2], &bytes[1..]].concat();
    assert_eq!(decode_site(&later), Err(SiteBytesError::Format { format: 2 }));
    let mut versioned = bytes;
    // Behind the format, the length of the id and its seven letters.
    versioned[1 + 8 + 7] = 1;
    assert_eq!(
        decode_site(&versioned),
        Err(SiteBytesError::Malformed),
        "a version is given by the node"
    );
}
