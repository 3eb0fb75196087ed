//! Full disks, failed writes and syncs, stalls, wrong keys, two openers, limits.

use ach_engine_journal::{
    AppendError, CommitError, Config, Disk, FileDisk, Journal, Kek, Lsn, OpenError, PrepareError,
    RECORD_BYTES_MAX, ReadError, Reader, RecordKind, SimDisk, SimFault,
};

use crate::planted::{Bug, Planted};
use crate::support::{AMPLE, CONFIG, Driven, kek, killed_journal, open, open_well, segments};

#[test]
fn a_full_disk_refuses_the_group_and_keeps_it_until_there_is_room() {
    let disk = SimDisk::new(1, 80 << 10);
    let mut driven = Driven::new(disk.clone());
    let refused = loop {
        driven.append(9_000).unwrap();
        if let Err(error) = driven.commit() {
            break error;
        }
    };
    assert!(matches!(refused, CommitError::Full { needed_bytes: 32_768, .. }), "{refused:?}");
    assert!(matches!(driven.commit(), Err(CommitError::Full { .. })), "still full");
    assert!(driven.acked >= 4 && !driven.journal.is_dead());
    // A start on the full disk finds all that was acked, but cannot begin a segment.
    let (outcome, read) = open(disk.fork(2));
    assert!(matches!(outcome, Err(OpenError::Full { .. })), "{outcome:?}");
    assert_eq!(read, driven.appended[..driven.acked]);
    disk.set_capacity(AMPLE);
    driven.commit().unwrap();
    driven.groups(&[&[9_000]]);
    let (_, opened, read) = open_well(disk.restart());
    assert_eq!((read, opened.cut), (driven.appended, None));
}

#[test]
fn releasing_segments_makes_room() {
    let disk = SimDisk::new(1, 120 << 10);
    let mut driven = Driven::new(disk.clone());
    let mut released = 0;
    for _ in 0..60 {
        driven.append(9_000).unwrap();
        while driven.commit().is_err() {
            released += driven.journal.release_before(Lsn(driven.acked as u64)).unwrap();
        }
    }
    assert!(released > 10, "{released}");
    let oldest = driven.journal.closed_segments().next().unwrap().first_lsn;
    let (_, opened, read) = open_well(disk.restart());
    assert_eq!(opened.last_lsn, Lsn(60));
    assert_eq!(read, driven.appended[oldest.0 as usize - 1..]);
}

/// Lets every operation fail in every way, and holds what is acked against what is there.
pub(crate) fn fail_everywhere(bug: Option<Bug>) {
    let mut deaths = 0;
    for op in 1..12 {
        for fault in [SimFault::Fail, SimFault::Full] {
            let story = format!("{fault:?} at operation {op}");
            let disk = SimDisk::new(op, AMPLE);
            let mut driven = Driven::new(Planted::on(&disk, bug));
            disk.plan(op, fault);
            let failed = loop {
                driven.append(9_000).unwrap();
                match driven.commit() {
                    Ok(()) if driven.appended.len() > 20 => break None,
                    Ok(()) => {}
                    Err(error) => break Some(error),
                }
            };
            match failed {
                Some(CommitError::Full { .. }) => driven.commit().expect(&story),
                Some(CommitError::Disk { .. }) => {
                    deaths += 1;
                    stays_dead(&mut driven, &disk, &story);
                }
                other => panic!("{story}: {other:?}"),
            }
            let (_, _, read) = open_well(disk.restart());
            driven.check(&read, &story);
            disk.cut_power();
            let (_, _, read) = open_well(disk.power_on());
            driven.check(&read, &format!("{story}, then a power cut"));
        }
    }
    assert!(deaths > 15, "only {deaths} of the faults were deadly");
}

fn stays_dead(driven: &mut Driven<Planted>, disk: &SimDisk, story: &str) {
    let ops = disk.ops();
    let journal = &mut driven.journal;
    assert!(journal.is_dead(), "{story}");
    let refused = journal.append(RecordKind::Entry, 0, 0, 0, b"more");
    assert!(matches!(refused, Err(AppendError::Dead { .. })), "{story}");
    assert!(matches!(journal.commit(), Err(CommitError::Dead { .. })), "{story}");
    assert!(matches!(journal.seal(), Err(CommitError::Dead { .. })), "{story}");
    assert!(matches!(journal.release_before(Lsn(9)), Err(CommitError::Dead { .. })), "{story}");
    assert!(matches!(journal.preparation(), Ok(None)), "{story}");
    assert_eq!(disk.ops(), ops, "{story}: a dead journal touched the disk");
}

#[test]
fn after_any_failed_write_or_sync_the_journal_is_dead() {
    fail_everywhere(None);
}

#[test]
fn a_preparation_that_fails_is_given_up_and_the_journal_goes_on() {
    for op in 1..4 {
        for fault in [SimFault::Fail, SimFault::Full] {
            let story = format!("{fault:?} at operation {op}");
            let disk = SimDisk::new(op, AMPLE);
            let mut driven = Driven::new(disk.clone());
            disk.plan(op, fault);
            let prepared = driven.journal.preparation();
            let outcome = prepared.and_then(|prepared| prepared.unwrap().run());
            assert!(outcome.is_err(), "{story}");
            driven.groups(&[&[9_000][..]; 5]);
            let prepared = driven.journal.preparation().unwrap().unwrap().run().unwrap();
            assert!(driven.journal.adopt(prepared).unwrap(), "{story}: the next one");
            driven.groups(&[&[9_000][..]; 5]);
            let (_, _, read) = open_well(disk.restart());
            assert_eq!(read, driven.appended, "{story}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_synced_ends_storing_even_while_preparing() {
    let disk = SimDisk::new(1, AMPLE);
    let mut driven = Driven::new(Planted::on(&disk, None));
    let prepared = driven.journal.preparation().unwrap().unwrap().run().unwrap();
    disk.plan(2, SimFault::Fail);
    let outcome = driven.journal.adopt(prepared);
    let verb = "sync the folder of";
    assert!(matches!(outcome, Err(PrepareError::Disk { verb: v, .. }) if v == verb), "{outcome:?}");
    stays_dead(&mut driven, &disk, "after the folder failed");
}

#[test]
fn faults_while_opening_leave_a_journal_that_opens() {
    for op in 1..20 {
        for fault in [SimFault::Fail, SimFault::Full, SimFault::PowerCut] {
            let (disk, appended) = killed_journal(op);
            disk.plan(op, fault);
            let first = open(disk.clone()).0.map(|_| ());
            disk.cut_power();
            let (_, _, read) = open_well(disk.power_on());
            assert_eq!(read, appended, "{fault:?} at operation {op}, {first:?}");
        }
    }
}

#[test]
fn a_stalled_disk_delays_and_nothing_else() {
    let disk = SimDisk::new(1, AMPLE);
    let mut driven = Driven::new(disk.clone());
    disk.plan(2, SimFault::Stall { stall_ns: 1_000_000_000 });
    driven.groups(&[&[48]]);
    assert_eq!(disk.stalled_ns(), 1_000_000_000);
    assert!(!driven.journal.is_dead());
}

/// Opens what is open.
pub(crate) fn open_twice(bug: Option<Bug>) {
    let disk = SimDisk::new(1, AMPLE);
    let (journal, _, _) = open_well(Planted::on(&disk, bug));
    let names = disk.list().unwrap();
    assert!(matches!(open(Planted::on(&disk, bug)).0, Err(OpenError::InUse)));
    assert_eq!(disk.list().unwrap(), names, "a refused opening changed the folder");
    drop(journal);
    open_well(disk);
}

#[test]
fn two_openers_are_refused_on_both_disks() {
    open_twice(None);
    let folder = tempfile::tempdir().unwrap();
    let files = FileDisk::create(folder.path()).unwrap();
    let (first, _) = open(files.clone());
    assert!(matches!(open(files.clone()).0, Err(OpenError::InUse)));
    first.unwrap().0.close().unwrap();
    open(files).0.unwrap();
}

#[test]
fn a_wrong_key_is_told_from_damage_and_changes_nothing() {
    let (disk, appended) = killed_journal(1);
    let wrong = || Kek::from_bytes(&[43; 32]).unwrap();
    let before: Vec<_> = disk.list().unwrap().iter().map(|name| disk.contents(name)).collect();
    let outcome = Journal::open(disk.clone(), CONFIG, wrong(), &mut |_| panic!("a record"));
    assert!(matches!(outcome, Err(OpenError::WrongKey { segment: 1 })), "{outcome:?}");
    let read = Reader::new(disk.clone()).verify(Some(&wrong()));
    assert!(matches!(read, Err(ReadError::WrongKey { segment: 1 })), "{read:?}");
    let after: Vec<_> = disk.list().unwrap().iter().map(|name| disk.contents(name)).collect();
    assert!(before == after, "a refused opening changed a file");
    assert_eq!(open_well(disk).2, appended);
}

#[test]
fn nothing_of_a_record_lies_readable_on_the_disk() {
    let disk = SimDisk::new(1, AMPLE);
    let (mut journal, _, _) = open_well(disk.clone());
    journal.append(RecordKind::Entry, 1, 1, 1, b"patient 4711 left by door 12").unwrap();
    journal.commit().unwrap();
    for name in disk.list().unwrap() {
        let bytes = disk.contents(&name);
        assert!(!bytes.windows(12).any(|window| window == b"patient 4711"), "in {name}");
        assert!(!bytes.windows(32).any(|window| window == [42; 32]), "the key is in {name}");
    }
}

#[test]
fn a_group_is_bounded_and_a_large_record_is_a_group_of_its_own() {
    let disk = SimDisk::new(1, 256 << 20);
    let mut driven = Driven::new(disk.clone());
    driven.append(8_000).unwrap();
    assert!(matches!(driven.append(8_000), Err(AppendError::GroupFull { .. })));
    driven.commit().unwrap();
    driven.append(1 << 20).unwrap();
    assert!(matches!(driven.append(0), Err(AppendError::GroupFull { .. })));
    driven.commit().unwrap();
    driven.groups(&[&[RECORD_BYTES_MAX], &[48]]);
    let too_large = driven.append(RECORD_BYTES_MAX + 1);
    assert!(matches!(too_large, Err(AppendError::TooLarge { .. })), "{too_large:?}");
    assert!(open_well(disk.restart()).2 == driven.appended, "a large record came back wrong");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for config in [
        Config { segment_bytes: 100, ..CONFIG },
        Config { segment_bytes: 2 << 30, ..CONFIG },
        Config { group_bytes_max: 0, ..CONFIG },
        Config { group_bytes_max: RECORD_BYTES_MAX + 1, ..CONFIG },
    ] {
        let outcome = Journal::open(SimDisk::new(1, AMPLE), config, kek(), &mut |_| {});
        assert!(matches!(outcome, Err(OpenError::Setting { .. })), "{config:?}");
    }
}

#[test]
fn a_prepared_segment_makes_a_roll_quick_and_outlives_a_restart() {
    let disk = SimDisk::new(1, AMPLE);
    let mut driven = Driven::new(disk.clone());
    let preparation = driven.journal.preparation().unwrap().unwrap();
    let unfinished = driven.journal.preparation().unwrap().unwrap();
    let gone = preparation.run().unwrap();
    assert!(!driven.journal.adopt(gone).unwrap(), "it was given up");
    assert!(!driven.journal.adopt(unfinished).unwrap(), "it is not zeroed");
    let prepared = driven.journal.preparation().unwrap().unwrap().run().unwrap();
    assert!(driven.journal.adopt(prepared).unwrap());
    assert!(driven.journal.preparation().unwrap().is_none(), "one is enough");
    assert_eq!(driven.journal.room().unwrap().spare_bytes, CONFIG.segment_bytes);
    driven.groups(&[&[9_000][..]; 4]);
    let counters = driven.journal.counters();
    assert_eq!((counters.rolls_prepared, counters.rolls_unprepared), (1, 0));
    let prepared = driven.journal.preparation().unwrap().unwrap().run().unwrap();
    assert!(driven.journal.adopt(prepared).unwrap());
    assert!(disk.list().unwrap().contains(&"spare".to_owned()));
    let (_, _, read) = open_well(disk.restart());
    assert_eq!(read, driven.appended);
    assert!(!disk.restart().list().unwrap().contains(&"spare".to_owned()), "it was used");
}

#[test]
fn preparing_leaves_the_reserve_alone_but_a_roll_may_use_it() {
    let disk = SimDisk::new(1, 120 << 10);
    let config = Config { reserve_bytes: 64 << 10, ..CONFIG };
    let (mut journal, _) = Journal::open(disk, config, kek(), &mut |_| {}).unwrap();
    assert!(matches!(journal.preparation(), Err(PrepareError::Full { .. })));
    for index in 0..6 {
        journal.append(RecordKind::Entry, 0, 0, index, &[0; 9_000]).unwrap();
        journal.commit().unwrap();
    }
    assert_eq!(journal.counters().rolls_unprepared, 2);
}

#[test]
fn many_starts_with_nothing_to_write_take_little_room() {
    let disk = SimDisk::new(1, AMPLE);
    for _ in 0..50 {
        drop(open_well(disk.clone()));
    }
    let lens: usize = segments(&disk).iter().map(|name| disk.contents(name).len()).sum();
    assert!(lens <= 50 * 8192 + (32 << 10), "{lens} bytes");
    let (_, opened, read) = open_well(disk);
    assert_eq!((read.len(), opened.cut, opened.notes), (0, None, vec![]));
}

#[test]
fn a_closed_journal_is_told_from_a_killed_one() {
    let disk = SimDisk::new(1, AMPLE);
    let (mut journal, opened, _) = open_well(disk.clone());
    assert!(!opened.was_closed);
    journal.append(RecordKind::Vote, 0, 1, 0, b"").unwrap();
    assert_eq!(journal.close().unwrap(), Lsn(1), "closing commits");
    let (journal, opened, _) = open_well(disk.clone());
    assert!(opened.was_closed);
    drop(journal);
    assert!(!open_well(disk).1.was_closed);
}
