//! How a log is opened: gone on with, cut where nobody was told of anything, or refused as it is.

use ach_engine_audit::{Config, Harm, Log, LogName, OpenError, SigningKey, has_log};
use ach_engine_journal::SimDisk;

use crate::scene::{
    DISK_BYTES, at, keep, live, log_name, name, open, reading, report, segments, used,
};

fn refused(disk: &SimDisk, key: &SigningKey, name: LogName) -> OpenError {
    Log::open(disk.clone(), Config { segment_bytes: 0 }, key.clone(), name, at(0)).unwrap_err()
}

#[test]
fn a_log_goes_on_over_many_lives() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    assert!(!has_log(&disk).unwrap());
    let mut size = 0;
    for life in 0..5 {
        let (mut log, opened) = open(disk.clone(), &key);
        assert_eq!((opened.size, opened.is_new, opened.cut), (size, life == 0, None));
        assert!(has_log(&disk).unwrap());
        size = live(&mut log, 10);
        log.close(at(life)).unwrap();
    }
    let report = report(&disk, &key);
    assert!(report.is_sound() && report.records == size, "{report:?}");
}

#[test]
fn only_new_records_bring_a_new_head() {
    let key = SigningKey::generate().unwrap();
    let (mut log, _) = open(SimDisk::new(1, DISK_BYTES), &key);
    assert!(log.sign(at(1)).unwrap().is_none());
    let first = log.head().clone();
    log.append(&reading(0, 1)).unwrap();
    let second = log.sign(at(2)).unwrap().unwrap().clone();
    assert_eq!((second.head.size, second.head.at), (1, at(2)));
    assert_eq!(second.head.previous, first.head.hash());
    assert!(log.sign(at(3)).unwrap().is_none());
}

/// A disk with a log of four records, which was not closed.
fn four_kept() -> (SigningKey, SimDisk) {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), &key);
    keep(&mut log, 0..4);
    (key, disk)
}

#[test]
fn a_torn_tail_is_cut_and_the_log_goes_on() {
    let (key, disk) = four_kept();
    let segment = &segments(&disk)[0];
    let end = used(&disk, segment).next_multiple_of(8);
    disk.corrupt(segment, |file| file[end..end + 300].fill(0x41)).unwrap();
    let torn = report(&disk, &key);
    assert!(torn.is_sound(), "{torn:?}");
    assert_eq!(torn.tail.map(|tail| tail.bytes), Some(300));
    let (mut log, opened) = open(disk.restart(), &key);
    assert_eq!(opened.cut, torn.tail);
    keep(&mut log, 4..6);
    let whole = report(&disk.restart(), &key);
    assert_eq!((whole.records, whole.tail, whole.damage), (6, None, None));
}

/// What was acked is never taken for a torn tail.
#[test]
fn a_log_that_lost_what_was_acked_is_refused_and_left_as_it_is() {
    let (key, disk) = four_kept();
    let segment = &segments(&disk)[0];
    let end = used(&disk, segment);
    for byte in [end - 1, end - 100, 5_000, 4_100, 10] {
        let harmed = disk.fork(2);
        harmed.corrupt(segment, |file| file[byte] ^= 4).unwrap();
        let before = harmed.contents(segment);
        let error = refused(&harmed, &key, log_name());
        assert!(matches!(error, OpenError::Corrupt(_)), "byte {byte}: {error}");
        assert_eq!(harmed.contents(segment), before, "it is evidence");
    }
    let harmed = disk.fork(2);
    harmed.corrupt(segment, |file| file[end - 200..].fill(0)).unwrap();
    let error = refused(&harmed, &key, log_name());
    assert!(matches!(error, OpenError::Corrupt(_)), "{error}");
    let gone = SimDisk::holding(&[("mark", &disk.contents("mark"))]);
    let error = refused(&gone, &key, log_name());
    let OpenError::Corrupt(damage) = error else { panic!("{error}") };
    assert_eq!(damage.harm, Harm::Missing);
}

#[test]
fn a_log_in_use_of_another_key_or_of_another_node_is_refused() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    let (log, _) = open(disk.clone(), &key);
    assert!(matches!(refused(&disk, &key, log_name()), OpenError::InUse));
    log.close(at(1)).unwrap();
    let other = SigningKey::generate().unwrap();
    assert!(matches!(refused(&disk, &other, log_name()), OpenError::OtherKey));
    let theirs = LogName::new(&name("st-anna"), &name("node-2"));
    assert!(matches!(refused(&disk, &key, theirs), OpenError::OtherLog { .. }));
    open(disk, &key);
}
