//! What others lay down beside the log is taken in once, durably, and in order.

use ach_engine_audit::{CollectError, CommitError, Record, SigningKey, Verifier, deposit};
use ach_engine_journal::{Disk, DiskFile, SimDisk, SimFault};

use crate::moody_disk::{Mood, MoodyDisk};
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

/// As one that another user has laid down for himself alone.
#[test]
fn what_cannot_be_read_stays_until_it_can_be() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    let moody = MoodyDisk::over(&disk);
    let (mut log, _) = open(moody.clone(), &key);
    for number in 0..3 {
        deposit(&disk, &reading(number, 1)).unwrap();
    }
    moody.set(Mood { is_blind: true, ..Mood::default() });
    let collected = log.collect(at(1)).unwrap();
    assert_eq!((collected.count, collected.refused, collected.left), (0, 0, 3));
    assert!(collected.why_left.is_some());
    moody.set(Mood { is_unlisted: true, ..Mood::default() });
    assert!(matches!(log.collect(at(2)), Err(CollectError::List(_))));
    log.append(&reading(9, 1)).unwrap();
    assert_eq!(log.commit(at(2)).unwrap(), 1, "the log goes on");
    moody.set(Mood::default());
    let collected = log.collect(at(3)).unwrap();
    assert_eq!((collected.count, collected.left), (3, 0));
    assert_eq!(records(&disk).len(), 4);
}

#[test]
fn what_a_later_version_laid_down_stays() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    let mut bytes = reading(1, 1).to_bytes().unwrap();
    bytes[0] = 2;
    disk.create("0.in", 0).unwrap().write_at(0, &bytes).unwrap();
    let (mut log, _) = open(disk.clone(), &key);
    let collected = log.collect(at(1)).unwrap();
    assert_eq!((collected.count, collected.refused, collected.left), (0, 0, 1));
    assert!(disk.list().unwrap().contains(&"0.in".to_owned()));
}

#[test]
fn what_cannot_be_removed_is_taken_in_once() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    let moody = MoodyDisk::over(&disk);
    let (mut log, _) = open(moody.clone(), &key);
    deposit(&disk, &reading(1, 1)).unwrap();
    moody.set(Mood { keeps_all: true, ..Mood::default() });
    let counts = [1, 2, 3].map(|second| log.collect(at(second)).unwrap().count);
    assert_eq!(counts, [1, 0, 0]);
    moody.set(Mood::default());
    assert_eq!(log.collect(at(4)).unwrap().count, 0);
    assert!(!disk.list().unwrap().iter().any(|name| name.strip_suffix(".in").is_some()));
    assert_eq!(records(&disk).len(), 1);
}

#[test]
fn while_there_is_no_room_what_was_laid_down_waits_once() {
    let key = SigningKey::generate().unwrap();
    let disk = SimDisk::new(1, DISK_BYTES);
    let (mut log, _) = open(disk.clone(), &key);
    disk.set_capacity(0);
    let mut kept = 0;
    while log.commit(at(kept)).is_ok() {
        log.append(&reading(kept, 1_000)).unwrap();
        kept += 1;
    }
    disk.set_capacity(1 << 30);
    kept = log.commit(at(kept)).unwrap();
    // Up to the last byte of the reserve.
    disk.set_capacity(0);
    for number in 0..600 {
        deposit_beside_a_full_disk(&disk, number);
    }
    let mut refused = 0;
    for second in 0..100 {
        refused += u64::from(matches!(
            log.collect(at(second)),
            Err(CollectError::Commit(CommitError::Full { .. }))
        ));
        let unkept = log.unkept();
        assert!(unkept <= 1, "{unkept} records wait that lie nowhere else");
        if log.append(&reading(kept, 1_000)).is_ok() {
            let _ = log.commit(at(second));
        }
        if refused == 0 {
            kept = log.size();
        } else {
            break;
        }
    }
    let waited = log.unkept();
    for second in 0..100 {
        assert!(log.collect(at(second)).is_err(), "there is no room");
    }
    assert_eq!(log.unkept(), waited);
    disk.set_capacity(1 << 30);
    for second in 0..10 {
        log.collect(at(second)).unwrap();
    }
    let sessions: Vec<u64> = records(&disk)
        .iter()
        .filter(|it| it.objects.len() == 1)
        .filter_map(|it| it.session)
        .collect();
    let mut once = sessions.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!((sessions.len(), once.len()), (600, 600), "each is there, and once");
}

fn deposit_beside_a_full_disk(disk: &SimDisk, number: u64) {
    disk.set_capacity(1 << 30);
    deposit(disk, &reading(number, 1)).unwrap();
    disk.set_capacity(0);
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
