//! The archivist without its thread, over a journal in memory and archives on the disk.

use std::sync::atomic::AtomicU64;

use ach_actors_model::Timestamp;
use ach_engine_journal::SimDisk;

use super::*;
use crate::clock::SimClock;
use crate::test_past::{TestPast, kek};

/// 2026-11-22T10:00:00Z.
const BEGUN: Timestamp = Timestamp(1_795_341_600 * NS_PER_S);
const DAY_NS: u64 = 86_400 * NS_PER_S;

struct Rig {
    past: TestPast,
    folder: tempfile::TempDir,
    /// How often there is room.
    times: Arc<AtomicU64>,
}

impl Rig {
    /// A journal of ten entries a day.
    fn of_days(days: u64) -> Rig {
        let mut past = TestPast::begun(BEGUN);
        past.go_on(9, NS_PER_S);
        for _ in 1..days {
            past.go_on(1, DAY_NS);
            past.go_on(9, NS_PER_S);
        }
        let times = Arc::new(AtomicU64::new(u64::MAX));
        Rig { past, folder: tempfile::tempdir().unwrap(), times }
    }

    /// As a start makes it, up to the end of the journal.
    fn archivist(&self, keep_days: u32) -> Archivist<SimDisk> {
        let floor = Arc::new(JournalFloor::new());
        floor.archives_have(0);
        floor.raise(&[self.past.last, self.past.last]);
        let sim = Arc::new(SimClock::at(self.past.at));
        Archivist::new(ArchivistParts {
            data: self.folder.path().to_owned(),
            keep_days,
            queue: Arc::new(HistoryQueue::new()),
            last_index: self.past.last.index,
            disk: self.past.disk.clone(),
            kek: kek(),
            room: Room::Times(self.times.clone()),
            clock: Arc::new(ShardClock::start(sim, Some(self.past.at))),
            counters: Arc::default(),
            floor,
        })
    }

    fn firsts(&self) -> Vec<u64> {
        let spans = archives(&self.folder.path().join(ARCHIVE_FOLDER)).unwrap();
        spans.iter().map(|span| span.first_index).collect()
    }

    /// As if the checkpoint of an entry lay there.
    fn put_checkpoint(&self, index: u64) {
        let folder = self.folder.path().join(ARCHIVE_FOLDER);
        fs::write(folder.join(name_of(index)), "").unwrap();
    }
}

fn archived(archivist: &Archivist<SimDisk>) -> u64 {
    archivist.state().archived_index.load(Ordering::Relaxed)
}

#[test]
fn without_room_what_is_archived_counts_and_what_is_over_goes() {
    let mut rig = Rig::of_days(3);
    rig.archivist(30).round().unwrap();
    assert_eq!(rig.firsts(), [1, 11, 21]);
    rig.put_checkpoint(25);
    rig.past.go_on(1, 3 * DAY_NS);
    rig.times.store(0, Ordering::SeqCst);
    // The first two are over; then there is nothing that may go.
    let mut archivist = rig.archivist(2);
    let ended = archivist.round();
    assert!(matches!(ended, Err(NotArchived::NoRoom)), "{ended:?}");
    assert_eq!((archived(&archivist), rig.firsts()), (30, vec![21]));
}

#[test]
fn without_room_the_oldest_archives_go_before_their_time_and_not_the_base_of_what_comes() {
    let mut rig = Rig::of_days(3);
    rig.archivist(30).round().unwrap();
    rig.past.go_on(1, NS_PER_S);
    rig.times.store(0, Ordering::SeqCst);
    let ended = rig.archivist(30).round();
    assert!(matches!(ended, Err(NotArchived::NoRoom)), "{ended:?}");
    assert_eq!(rig.firsts(), [1, 11, 21], "there is no checkpoint to begin from without the first");
    rig.put_checkpoint(10);
    rig.put_checkpoint(20);
    for left in [&[11, 21][..], &[21], &[21]] {
        let ended = rig.archivist(30).round();
        assert!(matches!(ended, Err(NotArchived::NoRoom)), "{ended:?}");
        assert_eq!(rig.firsts(), left);
    }
    rig.times.store(u64::MAX, Ordering::SeqCst);
    rig.archivist(30).round().unwrap();
    assert_eq!(rig.firsts(), [21, 31]);
}

#[test]
fn without_room_a_day_of_archives_goes_an_hour_and_never_what_history_has_not_read() {
    let mut rig = Rig::of_days(3);
    rig.archivist(30).round().unwrap();
    rig.past.go_on(1, NS_PER_S);
    rig.put_checkpoint(10);
    rig.put_checkpoint(20);
    rig.times.store(0, Ordering::SeqCst);
    let mut archivist = rig.archivist(30);
    fs::write(archivist.folder.join("31.unfinished"), "half a day").unwrap();
    for (written_index, left, dropped) in
        [(9, &[1, 11, 21][..], 0), (10, &[11, 21], 1), (20, &[11, 21], 1)]
    {
        archivist.parts.floor.history_has(written_index);
        archivist.round().unwrap_err();
        assert_eq!(rig.firsts(), left, "history has {written_index}");
        assert_eq!(archivist.parts.counters.archives_dropped_early.get(), dropped);
        assert!(!archivist.folder.join("31.unfinished").exists());
    }
}

#[test]
fn room_is_looked_at_while_it_is_used() {
    let mut rig = Rig::of_days(1);
    // Some MiB of entries.
    rig.past.go_on(60_000, 1_000);
    rig.times.store(2, Ordering::SeqCst);
    let ended = rig.archivist(30).round();
    assert!(matches!(ended, Err(NotArchived::NoRoom)), "{ended:?}");
    assert_eq!(rig.firsts(), [0_u64; 0]);
    rig.times.store(u64::MAX, Ordering::SeqCst);
    let mut archivist = rig.archivist(30);
    archivist.round().unwrap();
    assert_eq!(archived(&archivist), 60_010);
}

#[test]
fn after_damage_it_waits_ever_longer() {
    let rig = Rig::of_days(1);
    let mut archivist = rig.archivist(30);
    for wait_s in [60, 120, 240, 480, 960, 960] {
        let before_ns = archivist.pace.monotonic_ns();
        archivist.fail(&NotArchived::Damaged("told to".to_owned()));
        let after_ns = archivist.pace.monotonic_ns();
        let waits_until = before_ns + wait_s * NS_PER_S..=after_ns + wait_s * NS_PER_S;
        assert!(waits_until.contains(&archivist.rests_until_ns), "{wait_s} s");
    }
    archivist.round().unwrap();
    assert_eq!(archived(&archivist), 0, "it rests");
}

#[test]
fn no_archive_goes_by_a_clock_that_is_doubted_and_then_those_of_a_day_an_hour() {
    let rig = Rig::of_days(4);
    let mut archivist = rig.archivist(2);
    archivist.round().unwrap();
    for index in [10, 20, 30] {
        rig.put_checkpoint(index);
    }
    let sim = Arc::new(SimClock::at(rig.past.at.plus_ns(60 * DAY_NS)));
    archivist.parts.clock = Arc::new(ShardClock::start(sim.clone(), Some(rig.past.at)));
    archivist.round().unwrap();
    let all = rig.firsts();
    assert_eq!(all.last(), Some(&31), "{all:?}");
    sim.pass(6 * 3_600 * NS_PER_S);
    archivist.round().unwrap();
    let left = rig.firsts();
    assert_eq!(left.len() + 1, all.len(), "{left:?} of {all:?}");
    archivist.round().unwrap();
    assert_eq!(rig.firsts(), left, "not within the hour");
}

/// Checkpoints are made in the middle of a day: what follows one there is needed until the next day goes.
#[test]
fn by_a_clock_that_is_doubted_all_that_is_over_goes_in_the_end() {
    let rig = Rig::of_days(5);
    let mut archivist = rig.archivist(2);
    archivist.round().unwrap();
    for index in [5, 15, 25, 35, 45] {
        rig.put_checkpoint(index);
    }
    let sim = Arc::new(SimClock::at(rig.past.at.plus_ns(60 * DAY_NS)));
    archivist.parts.clock = Arc::new(ShardClock::start(sim.clone(), Some(rig.past.at)));
    let mut left = vec![rig.firsts()];
    for _ in 0..12 {
        sim.pass(2 * 3_600 * NS_PER_S);
        // The pace goes by the machine's own clock: as if an hour had passed by that too.
        archivist.over_pace = DropPace::default();
        archivist.round().unwrap();
        left.push(rig.firsts());
    }
    left.dedup();
    let at_once = left.windows(2).map(|pair| pair[0].len() - pair[1].len()).max();
    assert_eq!(at_once, Some(1), "a day at a time: {left:?}");
    assert_eq!(left.last().unwrap(), &[41], "{left:?}");
}

#[test]
fn what_is_archived_while_somebody_changes_the_holds_is_archived_well() {
    let mut rig = Rig::of_days(3);
    rig.archivist(30).round().unwrap();
    rig.put_checkpoint(25);
    rig.past.go_on(1, 3 * DAY_NS);
    let held = ach_engine_store::LockedHolds::load(&rig.folder.path().join("holds")).unwrap();
    let mut archivist = rig.archivist(2);
    archivist.round().unwrap();
    assert_eq!((archived(&archivist), rig.firsts()), (31, vec![1, 11, 21, 31]));
    drop(held);
    archivist.round().unwrap();
    assert_eq!(rig.firsts(), [21, 31]);
}
