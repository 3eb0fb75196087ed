//! Reading beside a running writer, on real files.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ach_engine_journal::{
    Disk, FileDisk, Journal, Lsn, Preparation, ReadError, Reader, RecordKind, Report, SimDisk,
    SimFile, SimLock,
};

use crate::support::{self, Owned, kek, open, record};

fn append(journal: &mut Journal, lsn: u64) {
    let Owned { kind, shard, term, index, payload, .. } = record(lsn, (lsn % 50) as usize * 200);
    journal.append(kind, shard, term, index, &payload).unwrap();
}

/// Appends, commits, prepares, seals and releases as a node does. Says after each commit how far it
/// is, and before each release which record is the first that stays.
fn write_on(journal: &mut Journal, acked: &AtomicU64, kept: &AtomicU64) {
    for lsn in 1..=400 {
        append(journal, lsn);
        assert_eq!(journal.commit().unwrap(), Lsn(lsn));
        acked.store(lsn, Ordering::SeqCst);
        if lsn % 10 == 0
            && let Some(preparation) = journal.preparation().unwrap()
        {
            assert!(journal.adopt(preparation.run().unwrap()).unwrap());
        }
        if lsn % 16 == 0 {
            journal.seal().unwrap();
        }
        if lsn % 100 == 0 {
            kept.store(lsn - 90, Ordering::SeqCst);
            journal.release_before(Lsn(lsn - 90)).unwrap();
        }
    }
}

#[test]
fn a_reader_never_mistakes_a_running_writer_for_damage() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FileDisk::create(folder.path()).unwrap();
    let mut journal = open(disk).0.unwrap().0;
    let (acked, kept, is_over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let mut readings = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            write_on(&mut journal, &acked, &kept);
            is_over.store(true, Ordering::SeqCst);
        });
        while !is_over.load(Ordering::SeqCst) {
            let before = acked.load(Ordering::SeqCst);
            let reader = Reader::new(FileDisk::existing(folder.path()).unwrap());
            let mut read: Vec<Owned> = Vec::new();
            let report = reader.show(&kek(), &mut |record| read.push(record.into())).unwrap();
            assert_eq!(report.damage, None);
            let last = read.last().map_or(0, |record| record.lsn);
            assert!(last >= before, "read up to {last}, but {before} were acked");
            // A release in the middle of a reading may take records out of it; nothing else may.
            let kept = kept.load(Ordering::SeqCst);
            let follows = |two: &[Owned]| match two[1].lsn.checked_sub(two[0].lsn) {
                Some(step) => step == 1 || (step > 1 && two[1].lsn <= kept),
                None => false,
            };
            assert!(read.windows(2).all(follows), "a gap, with all kept from {kept} on");
            assert!(read.iter().all(|one| *one == record(one.lsn, one.payload.len())));
            readings += 1;
        }
    });
    assert!(readings > 0);
}

#[test]
fn a_segment_is_prepared_on_another_thread_while_groups_are_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(FileDisk::create(folder.path()).unwrap()).0.unwrap().0;
    for round in 0..5 {
        let preparation = journal.preparation().unwrap().unwrap();
        let prepared = std::thread::scope(|scope| {
            let zeroing = scope.spawn(move || Preparation::run(preparation).unwrap());
            append(&mut journal, round * 5 + 1);
            journal.commit().unwrap();
            zeroing.join().unwrap()
        });
        assert!(journal.adopt(prepared).unwrap());
        while journal.room().unwrap().spare_bytes > 0 {
            journal.append(RecordKind::Entry, 0, 0, 0, &[1; 9_000]).unwrap();
            journal.commit().unwrap();
        }
    }
    let counters = journal.counters();
    assert_eq!((counters.rolls_prepared, counters.rolls_unprepared), (5, 0));
    let last = journal.close().unwrap();
    let report = Reader::new(FileDisk::existing(folder.path()).unwrap()).verify(None).unwrap();
    assert_eq!((report.last_lsn, report.damage, report.was_closed), (last, None, true));
    assert_eq!((report.records, report.had_key), (counters.records, false));
}

/// A folder from which, in some readings, a file is gone when it is to be read.
#[derive(Debug)]
struct Restless {
    disk: SimDisk,
    readings: AtomicU64,
    /// Whether this file is gone in the reading of that number, counted from one.
    is_gone: fn(u64, &str) -> bool,
}

impl Disk for Restless {
    type File = SimFile;
    type Lock = SimLock;

    fn list(&self) -> std::io::Result<Vec<String>> {
        self.readings.fetch_add(1, Ordering::SeqCst);
        self.disk.list()
    }

    fn lock(&self) -> std::io::Result<SimLock> {
        self.disk.lock()
    }

    fn create(&self, name: &str, len_bytes: u64) -> std::io::Result<SimFile> {
        self.disk.create(name, len_bytes)
    }

    fn open(&self, name: &str) -> std::io::Result<SimFile> {
        self.disk.open(name)
    }

    fn open_reading(&self, name: &str) -> std::io::Result<SimFile> {
        if (self.is_gone)(self.readings.load(Ordering::SeqCst), name) {
            return Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        }
        self.disk.open_reading(name)
    }

    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_dir(&self) -> std::io::Result<()> {
        self.disk.sync_dir()
    }

    fn free_bytes(&self) -> std::io::Result<u64> {
        self.disk.free_bytes()
    }
}

fn restless(is_gone: fn(u64, &str) -> bool) -> (Reader<Restless>, Vec<Owned>) {
    let (disk, appended) = support::killed_journal(1);
    (Reader::new(Restless { disk, readings: AtomicU64::new(0), is_gone }), appended)
}

#[test]
fn a_journal_that_never_stands_still_is_neither_sound_nor_damaged() {
    let (reader, _) = restless(|reading, name| name == format!("{:016x}.seg", 1 + reading % 2));
    let outcome = reader.verify(None);
    assert!(matches!(outcome, Err(ReadError::Busy { tries: 8 })), "{outcome:?}");
}

#[test]
fn a_reading_that_begins_again_hands_out_each_record_once() {
    let (reader, appended) =
        restless(|reading, name| reading < 4 && name.ends_with(&format!("{}.seg", 5 - reading)));
    let mut read: Vec<Owned> = Vec::new();
    let report = reader.show(&kek(), &mut |record| read.push(record.into())).unwrap();
    assert_eq!((report.damage, report.records), (None, appended.len() as u64));
    assert!(read == appended, "{} of {} records", read.len(), appended.len());
}

#[test]
fn a_reading_ends_where_no_more_is_wanted_and_looks_at_no_segment_behind() {
    let (disk, appended) = support::killed_journal(1);
    let last = (appended.len() / 3) as u64;
    let names = disk.list().unwrap();
    let newest = names.iter().filter(|name| name.contains(".seg")).max().unwrap();
    // Whoever reads on would find it.
    disk.corrupt(newest, |bytes| bytes[10_000..].fill(1)).unwrap();
    let mut read: Vec<Owned> = Vec::new();
    let report = Reader::new(disk).show_until(&kek(), Lsn(2), &mut |record| {
        read.push(record.into());
        if record.lsn < Lsn(last) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let report = report.unwrap();
    assert_eq!(report.damage, None);
    assert!(read == appended[2..last as usize], "{} records", read.len());
}

#[test]
fn a_segment_that_cannot_be_read_twice_in_a_row_ends_a_reading() {
    let (reader, _) = restless(|_, name| name == "0000000000000002.seg");
    let outcome = reader.verify(None);
    assert!(matches!(outcome, Err(ReadError::Disk { .. })), "{outcome:?}");
}

#[test]
fn a_folder_without_a_journal_is_said_to_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let reader = Reader::new(FileDisk::existing(folder.path()).unwrap());
    assert!(matches!(reader.verify(None), Err(ReadError::NoJournal)));
    assert!(FileDisk::existing(folder.path().join("not there")).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "reading writes nothing");
}

#[test]
fn a_reading_with_and_without_the_key_agree() {
    let (disk, appended) = support::killed_journal(1);
    let reader = Reader::new(disk);
    let (with, without) = (reader.verify(Some(&kek())).unwrap(), reader.verify(None).unwrap());
    assert_eq!(with.records_by_kind.iter().sum::<u64>(), appended.len() as u64);
    assert_eq!(Report { had_key: false, records_by_kind: [0; 5], ..with }, without);
}
