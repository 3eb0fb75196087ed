//! Want of room is waited out: nothing that was appended is lost, and what is reserved stays reserved.

use ach_engine_audit::{CommitError, Config, Log, OpenError, SigningKey};
use ach_engine_journal::SimDisk;

use crate::moody_disk::{Mood, MoodyDisk};
use crate::scene::{DISK_BYTES, at, keep, log_name, open, reading, report, segments, used};

#[test]
fn a_quota_in_the_middle_of_a_write_is_waited_out() {
    let key = SigningKey::generate().unwrap();
    for quota in [0, 1, 100, 3_000] {
        let disk = SimDisk::new(1, DISK_BYTES);
        let moody = MoodyDisk::over(&disk);
        let (mut log, _) = open(moody.clone(), &key);
        keep(&mut log, 0..2);
        log.append(&reading(2, 100)).unwrap();
        moody.set(Mood { quota_bytes: Some(quota), ..Mood::default() });
        assert!(matches!(log.commit(at(2)), Err(CommitError::Full { .. })));
        assert!(matches!(log.sign(at(2)), Err(CommitError::Full { .. })));
        assert!(!log.is_dead());
        assert_eq!((log.size(), log.unkept()), (2, 1));
        assert!(report(&disk, &key).is_sound(), "what is there of it is a torn tail");
        moody.set(Mood::default());
        assert_eq!(log.commit(at(3)).unwrap(), 3, "what waited is not lost");
        log.close(at(4)).unwrap();
        let report = report(&disk, &key);
        assert!(report.is_sound() && report.tail.is_none(), "quota {quota}: {report:?}");
        assert_eq!(report.records, 3);
    }
}

/// What a write left behind must not be found in the middle of the log.
#[test]
fn a_segment_that_is_left_after_a_quota_ends_in_zeros() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    let moody = MoodyDisk::over(&disk);
    let (mut log, _) = open(moody.clone(), &key);
    // All but full, so that what waits outgrows it.
    let mut number = 0;
    let first = "0000000000000001.aud";
    let room = |disk: &SimDisk| disk.contents(first).len() - used(disk, first);
    while room(&disk) > 200_000 {
        keep(&mut log, number..number + 1);
        log.append(&reading(number + 1, 1_500)).unwrap();
        log.commit(at(number)).unwrap();
        number += 2;
    }
    let room = room(&disk);
    log.append(&reading(number, 1)).unwrap();
    moody.set(Mood { quota_bytes: Some(150), ..Mood::default() });
    assert!(matches!(log.commit(at(number)), Err(CommitError::Full { .. })));
    assert_eq!(segments(&disk).len(), 1);
    let mut waiting = 1;
    while waiting * 90_000 < room + 90_000 {
        log.append(&reading(number, 1_500)).unwrap();
        waiting += 1;
    }
    moody.set(Mood::default());
    let size = log.commit(at(number)).unwrap();
    log.close(at(number)).unwrap();
    assert_eq!(segments(&disk).len(), 2, "it must have gone on in the next segment");
    let report = report(&disk, &key);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.records, size);
}

#[test]
fn a_start_on_a_full_disk_keeps_its_reserve_and_its_torn_segment() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), &key);
    keep(&mut log, 0..4);
    drop(log);
    let segment = &segments(&disk)[0];
    let (end, whole) = (used(&disk, segment).next_multiple_of(8), disk.contents(segment).len());
    disk.corrupt(segment, |file| file[end..end + 9_000].fill(0x41)).unwrap();
    disk.corrupt("spare", |file| file[4_000..5_000].fill(0x41)).unwrap();
    disk.set_capacity(0);
    let full = disk.restart();
    let moody = MoodyDisk::over(&full);
    let (mut log, opened) = open(moody, &key);
    assert_eq!(opened.cut.map(|tail| tail.bytes), Some(9_000));
    assert!(!log.is_room_low(), "the reserve of the last run is kept");
    assert_eq!(full.contents(segment).len(), whole);
    let mut kept = 4;
    while segments(&full).len() < 2 {
        log.append(&reading(kept, 1_000)).unwrap();
        kept = log.commit(at(kept)).unwrap();
    }
    log.close(at(kept)).unwrap();
    let report = report(&full, &key);
    assert!(report.is_sound() && report.records == kept, "{report:?}");
}

#[test]
fn a_first_start_without_room_can_be_tried_again() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, 0);
    let begin = || {
        let config = Config { segment_bytes: 0 };
        Log::open(disk.clone(), config, key.clone(), log_name(), at(0))
    };
    for room in [0, 4_096, 20_000, 700_000] {
        disk.set_capacity(room);
        let refused = begin().unwrap_err();
        assert!(matches!(refused, OpenError::Full { .. }), "{room} bytes: {refused}");
        assert!(refused.may_pass());
    }
    disk.set_capacity(DISK_BYTES);
    let (mut log, opened) = begin().unwrap();
    assert!(opened.is_new);
    keep(&mut log, 0..2);
    log.close(at(1)).unwrap();
    assert!(report(&disk, &key).is_sound());
}
