//! What others lay down beside the log is taken in once, durably, and in order.

use ach_engine_audit::{Record, SigningKey, Verifier, deposit};
use ach_engine_journal::{Disk, DiskFile, SimDisk, SimFault};

use crate::scene::{DISK_BYTES, at, open, reading, report};

fn records(disk: &SimDisk) -> Vec<Record> {
    let mut records = Vec::new();
    Verifier::default()
        .run(disk, &mut |entry| records.push(entry.record.clone().unwrap()))
        .unwrap();
    records
}

#[test]
fn what_was_laid_down_is_taken_in_once_and_in_order() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    for number in [3, 1, 2] {
        deposit(&disk, &reading(number, 1)).unwrap();
    }
    let (mut log, _) = open(disk.clone(), &key);
    assert_eq!(log.collect(at(4)).unwrap().count, 3);
    assert_eq!(log.collect(at(5)).unwrap().count, 0);
    assert_eq!(records(&disk), [1, 2, 3].map(|number| reading(number, 1)));
    assert!(!disk.list().unwrap().iter().any(|name| name.strip_suffix(".in").is_some()));
}

#[test]
fn what_is_no_record_is_set_aside() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    disk.create("0.in", 0).unwrap().write_at(0, b"no record").unwrap();
    let (mut log, _) = open(disk.clone(), &key);
    let collected = log.collect(at(1)).unwrap();
    assert_eq!((collected.count, collected.refused), (0, 1));
    assert!(disk.list().unwrap().contains(&"0.in.refused".to_owned()));
    assert_eq!(log.collect(at(2)).unwrap().refused, 0);
}

/// At every moment of both sides: what was laid down is in the log in the end, once or, if the power
/// went between taking it in and removing it, twice.
#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_laid_down() {
    let key = SigningKey::generate().unwrap();
    for op in 1..40 {
        let disk = SimDisk::new(op, DISK_BYTES);
        drop(open(disk.clone(), &key));
        disk.plan(op, SimFault::PowerCut);
        let is_laid_down = deposit(&disk, &reading(7, 1)).is_ok();
        let config = ach_engine_audit::Config { segment_bytes: 0 };
        let name = crate::scene::log_name();
        if let Ok((mut log, _)) =
            ach_engine_audit::Log::open(disk.clone(), config, key.clone(), name, at(8))
        {
            let _ = log.collect(at(9));
        }
        let disk = disk.power_on();
        let (mut log, _) = open(disk.clone(), &key);
        log.collect(at(10)).unwrap();
        log.close(at(11)).unwrap();
        let count = records(&disk).len();
        let expected = if is_laid_down { 1..=2 } else { 0..=2 };
        assert!(expected.contains(&count), "cut at {op}: it is there {count} times");
        assert!(report(&disk, &key).is_sound());
    }
}
