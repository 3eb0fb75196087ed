//! A spool against a vendor that may stop at any moment.

use std::fs;

use ach_actors_model::{Name, TagId, Timestamp};
use ach_engine_net::Role;
use ach_engine_wire::ReportWord;
use tempfile::TempDir;

use super::record::lane_place;
use super::*;
use crate::{Ping, Report};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn identity(who: &str) -> Identity {
    Identity { site: name("st-anna"), role: Role::Vendor, name: name(who) }
}

fn open(directory: &TempDir) -> (Spool, Kept) {
    Spool::open(directory.path(), &identity("uwb"), true).unwrap()
}

fn ping(number: u64) -> Ping {
    Ping::local(TagId(number), Timestamp(number), 1, 2)
}

fn keep(spool: &Spool, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        spool.keep_ping(&InternItem::Tag(TagId(number)), &ping(number).wire(99));
    }
}

/// Which pings were kept, by their tags, and as which tickets.
fn pings(kept: &Kept) -> (u64, Vec<u64>) {
    let lane = &kept.lanes[lane_place(Lane::Ping)];
    let tags = lane.inputs.iter().map(|input| match &input.item {
        InternItem::Tag(tag) => tag.0,
        other => panic!("{other:?}"),
    });
    (lane.first, tags.collect())
}

fn segment_files(directory: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some()).collect();
    files.sort();
    files
}

#[test]
fn what_is_not_durable_is_there_after_a_restart_and_the_rest_is_not() {
    let directory = TempDir::new().unwrap();
    let (spool, kept) = open(&directory);
    assert_eq!(kept.resume(), []);
    spool.begin_epoch(3, [0; 3]);
    keep(&spool, 1..=5);
    let door = Report::door(name("exit"), Timestamp(8), ReportWord::AccessGranted { valid_ms: 9 });
    let badge = Some(name("card-4711"));
    let (observed_at, word) = (Timestamp(8), door.word);
    let report = WireReport { seq: 1, observed_at, handle: 4, badge: Some(5), word };
    spool.keep_report(&door.thing, &report, badge.as_ref());
    spool.keep_report(&door.thing, &report, None);
    spool.forget_through([0, 0, 3], [0, 0, 3]);
    drop(spool);
    let (spool, kept) = open(&directory);
    assert_eq!((kept.epoch, pings(&kept)), (3, (4, vec![4, 5])));
    let grant = |badge| KeptInput {
        item: door.thing.clone(),
        record: KeptRecord::Report { observed_at, word, badge },
    };
    assert_eq!(kept.lanes[1].inputs, [grant(badge), grant(None)]);
    let resume: Vec<_> = kept.resume().iter().map(|it| (it.epoch, it.last_seq)).collect();
    assert_eq!(resume, [(3, 0), (3, 2), (3, 5)]);
    // A new epoch in the second life, in which tickets are three ahead.
    spool.begin_epoch(4, [0, 0, 3]);
    keep(&spool, 6..=6);
    drop(spool);
    let (_spool, kept) = open(&directory);
    assert_eq!((kept.epoch, pings(&kept)), (4, (4, vec![4, 5, 6])));
    assert_eq!(kept.resume()[2].last_seq, 3);
}

#[test]
fn segments_are_deleted_once_all_in_them_is_durable() {
    let directory = TempDir::new().unwrap();
    let (mut spool, _) = open(&directory);
    let mut through = 0;
    for _ in 0..4 {
        keep(&spool, through + 1..=through + 20_000);
        through += 20_000;
        // The writer has written all before the spool is gone.
        drop(spool);
        spool = open(&directory).0;
    }
    assert!(segment_files(&directory).len() > 3);
    spool.forget_through([0, 0, through - 1], [0, 0, through - 1]);
    drop(spool);
    let (spool, kept) = open(&directory);
    assert_eq!(pings(&kept), (through, vec![through]));
    assert!(segment_files(&directory).len() <= 2 + 1, "{:?}", segment_files(&directory));
    spool.forget_through([0, 0, through], [0, 0, through]);
    drop(spool);
    assert_eq!(pings(&open(&directory).1), (through + 1, vec![]));
}

/// The end of a file cut or flipped anywhere: what comes before is kept, in order, without a hole.
#[test]
fn a_torn_or_flipped_file_loses_its_end_and_nothing_else() {
    let directory = TempDir::new().unwrap();
    let (spool, _) = open(&directory);
    spool.begin_epoch(1, [0; 3]);
    keep(&spool, 1..=20);
    drop(spool);
    let path = segment_files(&directory).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let check = |bytes: &[u8]| {
        for other in segment_files(&directory) {
            fs::remove_file(other).unwrap();
        }
        fs::write(&path, bytes).unwrap();
        let (_, kept) = open(&directory);
        let (first, tags) = pings(&kept);
        assert_eq!(first, 1);
        let count = u64::try_from(tags.len()).unwrap();
        assert_eq!(tags, (1..=count).collect::<Vec<_>>());
        count
    };
    for cut in (0..whole.len()).step_by(13) {
        assert!(check(&whole[..cut]) < 20, "cut at {cut}");
    }
    for at in (0..whole.len()).step_by(17) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(check(&flipped) < 20, "flipped at {at}");
    }
    assert_eq!(check(&whole), 20);
}

/// The bytes of a record, as any version writes them.
fn record(body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend(crc32c::crc32c(body).to_le_bytes());
    bytes.extend(body);
    bytes
}

/// After a downgrade: what a newer version kept is not left out silently, and not lost.
#[test]
fn a_record_that_is_whole_and_not_known_is_told_and_nothing_is_touched() {
    let directory = TempDir::new().unwrap();
    let (spool, _) = open(&directory);
    keep(&spool, 1..=5);
    drop(spool);
    let path = segment_files(&directory).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    // Of another kind; of a known kind with more in it; an input that is about another thing.
    for (kind, body) in [(77, &[77, 1, 2][..]), (3, &[3; 26]), (2, &[2, 1, 9, 0, 0])] {
        fs::write(&path, [&whole[..], &record(body), &record(&[5; 25])].concat()).unwrap();
        let before = segment_files(&directory);
        let opened = Spool::open(directory.path(), &identity("uwb"), true);
        let Err(SpoolError::Newer { path: told, kind: found }) = opened else { panic!("{kind}") };
        assert_eq!((told, found), (path.clone(), kind));
        assert_eq!(segment_files(&directory), before);
    }
    // Zeros behind the last record are a torn end.
    fs::write(&path, [&whole[..], &[0; 64]].concat()).unwrap();
    assert_eq!(pings(&open(&directory).1), (1, (1..=5).collect()));
}

/// A segment as version 1 wrote it.
#[test]
fn what_an_older_version_kept_is_read() {
    let directory = TempDir::new().unwrap();
    let segment = include_bytes!("fixtures/v1.spool");
    drop(open(&directory));
    let path = segment_files(&directory).pop().unwrap();
    fs::write(path, segment).unwrap();
    let (_spool, kept) = open(&directory);
    assert_eq!((kept.epoch, pings(&kept)), (3, (3, vec![3])));
    let lane = &kept.lanes[lane_place(Lane::Ping)];
    assert_eq!((lane.base, lane.durable_through, lane.taken_through), (0, 2, 1));
    let expected = KeptRecord::Ping(ping(3).wire(99));
    assert_eq!(lane.inputs[0].record, expected);
}

#[test]
fn a_directory_is_of_one_vendor_and_one_process() {
    let directory = TempDir::new().unwrap();
    let (first, _) = open(&directory);
    let second = Spool::open(directory.path(), &identity("uwb"), true);
    assert!(matches!(second, Err(SpoolError::InUse { .. })), "{second:?}");
    drop(first);
    let other = Spool::open(directory.path(), &identity("ble"), true);
    assert!(matches!(other, Err(SpoolError::Owner { .. })), "{other:?}");
}

#[test]
fn a_directory_that_cannot_be_written_is_told() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let wrong = Spool::open(&file, &identity("uwb"), true);
    assert!(matches!(wrong, Err(SpoolError::File { verb: "make", .. })), "{wrong:?}");
}

#[test]
fn a_disk_that_fails_ends_keeping_and_says_why() {
    let directory = TempDir::new().unwrap();
    let (spool, _) = open(&directory);
    // The next segment cannot be made: its place is taken by a directory.
    fs::create_dir(directory.path().join("0000000000000002.spool")).unwrap();
    keep(&spool, 1..=70_000);
    let inbox = Arc::clone(&spool.inbox);
    drop(spool);
    let failure = inbox.lock().failure.clone().unwrap();
    assert!(failure.starts_with("could not open"), "{failure}");
    assert!(!directory.path().join("0000000000000001.spool").exists());
}

#[test]
fn after_a_torn_end_the_next_life_is_read_as_well() {
    let directory = TempDir::new().unwrap();
    let (spool, _) = open(&directory);
    keep(&spool, 1..=3);
    drop(spool);
    let path = segment_files(&directory).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let (spool, kept) = open(&directory);
    assert_eq!(pings(&kept), (1, vec![1, 2]));
    keep(&spool, 7..=8);
    drop(spool);
    assert_eq!(pings(&open(&directory).1), (1, vec![1, 2, 7, 8]));
    // A life between the others that cannot be read: nothing after the hole is taken for its own.
    let second = segment_files(&directory)[1].clone();
    fs::write(&second, "").unwrap();
    assert_eq!(pings(&open(&directory).1), (1, vec![1, 2]));
}

#[test]
fn what_was_refused_last_is_known_after_a_restart_and_in_the_segment_after_it() {
    let directory = TempDir::new().unwrap();
    let (spool, _) = open(&directory);
    spool.begin_epoch(3, [0; 3]);
    keep(&spool, 1..=5);
    spool.forget_through([0, 0, 4], [0, 0, 4]);
    spool.forget_through([0, 0, 4], [0, 0, 2]);
    drop(spool);
    for _ in 0..2 {
        let (_spool, kept) = open(&directory);
        let lane = &kept.lanes[lane_place(Lane::Ping)];
        assert_eq!((lane.durable_through, lane.taken_through), (4, 2));
    }
    let (spool, _) = open(&directory);
    spool.forget_through([0, 0, 5], [0, 0, 5]);
    drop(spool);
    let (_spool, kept) = open(&directory);
    assert_eq!(kept.lanes[lane_place(Lane::Ping)].taken_through, 5);
}
