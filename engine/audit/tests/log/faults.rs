//! Power cuts, failing and full disks: no record that was told to be on disk is lost.

use ach_engine_audit::{CommitError, SigningKey};
use ach_engine_journal::{SimDisk, SimFault};

use crate::scene::{DISK_BYTES, at, keep, live, open, reading, report, segments};

/// Groups of a life: some 60 changes of the disk and two segments.
const GROUPS: u64 = 12;

/// Records of a life to its end.
const RECORDS: u64 = 24;

fn ops_of_a_life(key: &SigningKey) -> u64 {
    let disk = SimDisk::new(1, DISK_BYTES);
    assert_eq!(live(&mut open(disk.clone(), key).0, GROUPS), RECORDS);
    assert!(segments(&disk).len() >= 2, "a life must take more than one segment");
    disk.ops()
}

/// A fault at every operation in turn. Returns how often a record was lost for want of an answer.
fn check(fault: SimFault, is_power_cut: bool) {
    let key = SigningKey::generate().unwrap();
    let ops = ops_of_a_life(&key);
    let mut died = 0;
    for op in 1..=ops {
        let disk = SimDisk::new(op, DISK_BYTES);
        disk.plan(op, fault);
        let config = ach_engine_audit::Config { segment_bytes: 0 };
        let name = crate::scene::log_name();
        let opened = ach_engine_audit::Log::open(disk.clone(), config, key.clone(), name, at(0));
        let acked = opened.map_or(0, |(mut log, _)| live(&mut log, GROUPS));
        died += u64::from(acked < RECORDS);
        let again = if is_power_cut { disk.power_on() } else { disk.restart() };
        let (mut log, opened) = open(again.clone(), &key);
        assert!(
            opened.size >= acked,
            "fault at {op}: {acked} were acked, {} are left",
            opened.size
        );
        let size = opened.size;
        keep(&mut log, size..size + 3);
        log.close(at(99)).unwrap();
        let report = report(&again, &key);
        assert!(report.is_sound(), "fault at {op}: {report:?}");
        assert_eq!(report.records, size + 3, "fault at {op}");
        assert_eq!(report.tail, None, "fault at {op}");
    }
    assert!(died > ops / 2, "most faults must have ended a life: {died} of {ops}");
}

#[test]
fn a_power_cut_at_any_moment_loses_no_record_that_was_acked() {
    check(SimFault::PowerCut, true);
}

#[test]
fn a_failing_disk_at_any_moment_loses_no_record_that_was_acked() {
    check(SimFault::Fail, false);
}

#[test]
fn after_a_failed_sync_nothing_is_tried_again() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(5, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), &key);
    keep(&mut log, 0..2);
    log.append(&reading(2, 1)).unwrap();
    disk.plan(2, SimFault::Fail);
    assert!(matches!(log.commit(at(1)), Err(CommitError::Disk { verb: "sync", .. })));
    assert!(matches!(log.commit(at(1)), Err(CommitError::Dead { .. })));
    assert!(matches!(log.sign(at(1)), Err(CommitError::Dead { .. })));
    assert!(log.append(&reading(3, 1)).is_err());
    assert_eq!(log.size(), 2, "what is not known to be on disk does not count");
}

#[test]
fn a_full_disk_keeps_what_came_until_there_is_room_and_a_reserve_goes_on() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(5, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), &key);
    disk.set_capacity(0);
    let mut kept = 0;
    let refused = loop {
        log.append(&reading(kept, 1_000)).unwrap();
        match log.commit(at(kept)) {
            Ok(size) => kept = size,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, CommitError::Full { .. }), "{refused}");
    assert_eq!(segments(&disk).len(), 2, "the segment that was reserved was used");
    assert!(kept >= 6, "only {kept} records went into the reserve");
    assert!(log.is_room_low());
    assert!(matches!(log.commit(at(kept)), Err(CommitError::Full { .. })));
    assert!(matches!(log.sign(at(kept)), Err(CommitError::Full { .. })));
    disk.set_capacity(DISK_BYTES);
    assert_eq!(log.commit(at(kept)).unwrap(), kept + 1, "what waited is not lost");
    log.close(at(kept)).unwrap();
    let report = report(&disk, &key);
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.records, kept + 1);
}
