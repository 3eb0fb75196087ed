//! Opening from a record on: what lies before it is looked at and costs nothing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ach_engine_journal::{
    Disk, DiskFile, Harm, Journal, Lsn, OpenError, RELEASE_MAX, Reader, SimDisk, SimFile, SimLock,
};

use crate::support::{AMPLE, CONFIG, Driven, Owned, kek, open, segments};

/// What is done to a disk, what that is called, and what of it is told.
type Deed<'a> = (&'a str, &'a [Harm], &'a dyn Fn(&SimDisk));

type Opening = Result<(Vec<Owned>, Vec<Harm>), OpenError>;

/// Opens with the records behind one; says which came and what is wrong with those before.
fn open_after<D: Disk>(disk: D, after: u64) -> Opening {
    let mut records = Vec::new();
    let opened = Journal::open_after(disk, CONFIG, kek(), Lsn(after), &mut |record| {
        records.push(record.into());
    });
    let (_, opened) = opened?;
    Ok((records, opened.old_damage.into_iter().map(|damage| damage.harm).collect()))
}

/// Eight starts of five groups each, killed: a segment a start, 40 groups of 3 records.
fn lived() -> (SimDisk, Vec<Owned>) {
    let disk = SimDisk::new(5, AMPLE);
    let mut appended = Vec::new();
    for _ in 0..8 {
        let mut driven = Driven::new(disk.clone());
        for _ in 0..5 {
            driven.groups(&[&[40, 900, 7]]);
        }
        appended = driven.appended;
    }
    (disk, appended)
}

#[test]
fn the_records_behind_one_come_back_and_no_others() {
    let (disk, appended) = lived();
    for after in 0..=appended.len() as u64 {
        let (records, harms) = open_after(disk.fork(after), after).unwrap();
        assert_eq!(records, appended[after as usize..], "after {after}");
        assert_eq!(harms, [], "after {after}");
    }
    // It goes on as if all of it had been read.
    let disk = disk.fork(99);
    {
        let (mut journal, opened) =
            Journal::open_after(disk.clone(), CONFIG, kek(), Lsn(100), &mut |_| {}).unwrap();
        assert_eq!(opened.last_lsn, Lsn(120));
        assert_eq!(journal.closed_segments().count(), 8);
        let (first, last) = (journal.closed_segments().next(), journal.closed_segments().last());
        assert_eq!(
            first.map(|span| (span.segment, span.first_lsn, span.last_lsn)),
            Some((1, Lsn(1), Lsn(15)))
        );
        assert_eq!(last.map(|span| (span.segment, span.last_lsn)), Some((8, Lsn(120))));
        assert_eq!(journal.release_before(Lsn(100)).unwrap(), RELEASE_MAX);
        assert_eq!(journal.release_before(Lsn(100)).unwrap(), 2);
        assert_eq!(journal.release_before(Lsn(100)).unwrap(), 0);
    }
    let report = Reader::new(disk).verify(Some(&kek())).unwrap();
    assert_eq!(report.damage, None);
    assert_eq!(report.segments[0].segment, 7);
}

#[test]
fn damage_before_the_wanted_record_is_told_and_stops_nothing() {
    let (disk, appended) = lived();
    let names = segments(&disk);
    let flip = |at: usize| move |bytes: &mut Vec<u8>| bytes[at] ^= 1;
    let deeds: [Deed<'_>; 8] = [
        ("a bit of a group", &[], &|disk| disk.corrupt(&names[2], flip(8_300)).unwrap()),
        ("one copy of a header", &[], &|disk| disk.corrupt(&names[2], flip(30)).unwrap()),
        ("both copies", &[Harm::SegmentHeader], &|disk| {
            disk.corrupt(&names[2], flip(30)).unwrap();
            disk.corrupt(&names[2], flip(4_126)).unwrap();
        }),
        ("the last group's end", &[Harm::GroupContents], &|disk| {
            disk.corrupt(&names[2], |bytes| *bytes.last_mut().unwrap() ^= 1).unwrap();
        }),
        ("cut", &[Harm::GroupContents], &|disk| {
            disk.corrupt(&names[2], |bytes| bytes.truncate(9_000)).unwrap();
        }),
        ("missing", &[Harm::SegmentMissing], &|disk| disk.remove(&names[2]).unwrap()),
        ("the first two missing", &[Harm::SegmentMissing], &|disk| {
            disk.remove(&names[0]).unwrap();
            disk.remove(&names[1]).unwrap();
        }),
        ("exchanged", &[Harm::SegmentHeader, Harm::SegmentHeader], &|disk| {
            let (third, fourth) = (disk.contents(&names[2]), disk.contents(&names[3]));
            disk.corrupt(&names[2], |bytes| bytes.clone_from(&fourth)).unwrap();
            disk.corrupt(&names[3], |bytes| bytes.clone_from(&third)).unwrap();
        }),
    ];
    for (story, harms, deed) in deeds {
        let harmed = disk.fork(7);
        deed(&harmed);
        for start in 0..2 {
            let (records, found) = open_after(harmed.clone(), 100).unwrap();
            assert_eq!(records, appended[100..], "{story}");
            assert_eq!(found, harms, "{story}, start {start}: told at every start");
        }
        // Who wants it all is told as ever.
        let (outcome, _) = open(harmed);
        let is_read = matches!(story, "one copy of a header");
        assert_eq!(outcome.is_ok(), is_read, "{story}");
    }
}

#[test]
fn damage_from_the_wanted_records_segment_on_is_damage() {
    let (disk, appended) = lived();
    let names = segments(&disk);
    for (place, name) in names.iter().enumerate() {
        let harmed = disk.fork(11);
        harmed.corrupt(name, |bytes| bytes[8_300] ^= 1).unwrap();
        let opened = open_after(harmed.clone(), 50);
        // Record 51 is in the fourth segment.
        assert_eq!(opened.is_ok(), place < 3, "{name}");
        let missing = disk.fork(12);
        missing.remove(name).unwrap();
        let lost = open_after(missing, 50);
        match lost {
            Ok((records, _)) if place < 3 => assert_eq!(records, appended[50..]),
            Ok(_) => panic!("{name} is missing and nobody says so"),
            Err(error) => assert!(matches!(error, OpenError::Corrupt { .. }), "{error}"),
        }
    }
    // A journal that does not reach as far back is read as a whole.
    let (mut journal, _) = Journal::open(disk.clone(), CONFIG, kek(), &mut |_| {}).unwrap();
    assert_eq!(journal.release_before(Lsn(50)).unwrap(), 3);
    drop(journal);
    let (records, harms) = open_after(disk, 10).unwrap();
    assert_eq!((records.first().map(|record| record.lsn), harms.len()), (Some(46), 0));
}

/// A disk that counts what is read of it, and keeps some files from being removed.
#[derive(Debug, Clone)]
struct Watched {
    disk: SimDisk,
    read_bytes: Arc<AtomicU64>,
    fixed: &'static str,
}

#[derive(Debug)]
struct WatchedFile(SimFile, Arc<AtomicU64>);

impl Disk for Watched {
    type File = WatchedFile;
    type Lock = SimLock;

    fn lock(&self) -> io::Result<SimLock> {
        self.disk.lock()
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
    fn open(&self, name: &str) -> io::Result<WatchedFile> {
        Ok(WatchedFile(self.disk.open(name)?, self.read_bytes.clone()))
    }
    fn open_reading(&self, name: &str) -> io::Result<WatchedFile> {
        Ok(WatchedFile(self.disk.open_reading(name)?, self.read_bytes.clone()))
    }
    fn create(&self, name: &str, len_bytes: u64) -> io::Result<WatchedFile> {
        Ok(WatchedFile(self.disk.create(name, len_bytes)?, self.read_bytes.clone()))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        if name == self.fixed {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.disk.remove(name)
    }
    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }
    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }
}

impl DiskFile for WatchedFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read_at(offset, buffer)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }
    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
    fn len_bytes(&self) -> io::Result<u64> {
        self.0.len_bytes()
    }
    fn set_len(&self, len_bytes: u64) -> io::Result<()> {
        self.0.set_len(len_bytes)
    }
}

fn watched(disk: SimDisk, fixed: &'static str) -> Watched {
    Watched { disk, read_bytes: Arc::default(), fixed }
}

#[test]
fn the_bytes_of_segments_before_are_not_read() {
    let (disk, _) = lived();
    let read = |after| {
        let disk = watched(disk.fork(3), "");
        open_after(disk.clone(), after).unwrap();
        disk.read_bytes.load(Ordering::Relaxed)
    };
    let (all, late) = (read(0), read(119));
    let seven: u64 = segments(&disk)[..7].iter().map(|name| disk.contents(name).len() as u64).sum();
    // Of each of the seven before, the header and its end are.
    assert!(late + seven < all + 7 * 5_000, "{late} of {all}, {seven} in the segments before");
}

#[test]
fn a_released_segment_that_cannot_be_removed_or_is_gone_costs_nothing() {
    let (disk, _) = lived();
    let names = segments(&disk);
    disk.remove(&names[0]).unwrap();
    let fixed: &'static str = "0000000000000002.seg";
    let disk = watched(disk, fixed);
    for life in 0..2 {
        let (mut journal, opened) =
            Journal::open_after(disk.clone(), CONFIG, kek(), Lsn(100), &mut |_| {}).unwrap();
        while journal.release_before(Lsn(100)).unwrap() > 0 {}
        assert_eq!(journal.counters().segments_left, u64::from(life == 0));
        assert_eq!(opened.notes.len(), life, "{:?}", opened.notes);
        journal.append(ach_engine_journal::RecordKind::Entry, 0, 1, 1, b"on").unwrap();
        journal.commit().unwrap();
    }
    let left = segments(&disk.disk);
    assert!(left.contains(&fixed.to_owned()) && !left.contains(&names[2]), "{left:?}");
    let report = Reader::new(disk).verify(Some(&kek())).unwrap();
    assert_eq!(report.damage, None);
}
