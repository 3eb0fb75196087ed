//! The historian without its thread, over a journal in memory and a store on the disk.

use std::fs;
use std::sync::atomic::AtomicU64;

use ach_engine_store::{SimTables, SimTablesFault};

use super::*;
use crate::bell::{Rung, ring};
use crate::clock::SimClock;
use crate::retention::ARCHIVE_FOLDER;
use crate::test_past::{TestPast, kek};

/// 2026-11-22T10:00:00Z.
const BEGUN: Timestamp = Timestamp(1_795_341_600 * NS_PER_S);

struct Rig {
    past: TestPast,
    folder: tempfile::TempDir,
    /// How often there is room.
    times: Arc<AtomicU64>,
    /// What the clock says when a node starts, if it is later than the journal's end.
    utc: Timestamp,
}

impl Rig {
    fn new() -> Rig {
        let times = Arc::new(AtomicU64::new(u64::MAX));
        Rig {
            past: TestPast::begun(BEGUN),
            folder: tempfile::tempdir().unwrap(),
            times,
            utc: BEGUN,
        }
    }

    /// A historian as a start makes it, over the journal as it is.
    fn historian(&self) -> Historian<ach_engine_journal::SimDisk> {
        let data = self.folder.path().to_owned();
        let sim = Arc::new(SimClock::at(self.utc.max(self.past.at)));
        let floor = Arc::new(JournalFloor::new());
        floor.history_has(0);
        let archives = data.join(ARCHIVE_FOLDER);
        Historian::new(HistorianParts {
            place: HistoryPlace::Folder(data.join(HISTORY_FOLDER)),
            write_every_ns: ach_engine_store::WRITE_EVERY_NS,
            pace: Arc::new(crate::clock::SystemClock::default()),
            keep_days: 30,
            archive_keep_days: None,
            began: Some((self.past.last.index, self.past.at)),
            room: Room::Times(self.times.clone()),
            queue: Arc::new(HistoryQueue::new()),
            rereading: Rereading::new(self.past.disk.clone(), kek(), &archives),
            mark: Arc::new(CommitMark::at(self.past.last.index)),
            clock: Arc::new(ShardClock::start(sim, Some(self.past.at))),
            counters: Arc::default(),
            floor,
            data,
        })
    }

    /// Entries that become durable while a historian is at work.
    fn go_on(&mut self, historian: &Historian<ach_engine_journal::SimDisk>, step_ns: u64) {
        self.past.go_on(30, step_ns);
        historian.parts.mark.advance(self.past.last.index);
    }

    fn tables(&self) -> Vec<PathBuf> {
        let keyspaces = fs::read_dir(self.folder.path().join("history/keyspaces")).unwrap();
        keyspaces.map(|keyspace| keyspace.unwrap().path().join("tables")).collect()
    }
}

fn taken(historian: &Historian<ach_engine_journal::SimDisk>) -> u64 {
    historian.writer.as_ref().unwrap().taken_through()
}

fn word(historian: &Historian<ach_engine_journal::SimDisk>) -> Option<&'static str> {
    historian.state().trouble().map(|trouble| trouble.word())
}

#[test]
fn a_failed_write_lets_nothing_of_the_journal_go() {
    let mut rig = Rig::new();
    rig.past.go_on(19, NS_PER_S);
    let mut historian = rig.historian();
    historian.turn(false);
    historian.writer.as_mut().unwrap().flush().unwrap();
    historian.turn(false);
    assert_eq!(historian.parts.floor.written_index(), Some(20));
    // A writing is due and the disk refuses it.
    let tables = rig.tables();
    for tables in &tables {
        fs::rename(tables, tables.with_extension("aside")).unwrap();
        fs::write(tables, "no folder").unwrap();
    }
    rig.go_on(&historian, 60 * NS_PER_S);
    historian.turn(false);
    assert_eq!(word(&historian), Some("not_written"));
    assert_eq!(historian.parts.floor.written_index(), Some(20));
    for tables in &tables {
        fs::remove_file(tables).unwrap();
        fs::rename(tables.with_extension("aside"), tables).unwrap();
    }
    historian.retry_at_ns = 0;
    historian.turn(false);
    assert_eq!((taken(&historian), word(&historian)), (50, None));
}

#[test]
fn a_catch_up_ends_when_the_room_does_and_goes_on_when_there_is_some() {
    let mut rig = Rig::new();
    rig.past.go_on(4_999, NS_PER_S / 100);
    let mut historian = rig.historian();
    // Once before it begins, once on the way.
    rig.times.store(2, Ordering::SeqCst);
    historian.turn(false);
    assert_eq!((taken(&historian), word(&historian)), (2 * LOOK_ENTRIES, Some("not_written")));
    rig.times.store(u64::MAX, Ordering::SeqCst);
    historian.retry_at_ns = 0;
    historian.turn(false);
    assert_eq!((taken(&historian), word(&historian)), (5_000, None));
}

#[test]
fn who_rings_is_told_of_all_that_was_durable_then_or_that_it_is_not_there() {
    let mut rig = Rig::new();
    let mut historian = rig.historian();
    historian.turn(false);
    historian.bell = Some(Bell::hang(rig.folder.path()).unwrap());
    let data = rig.folder.path().to_owned();
    // It becomes durable after what was durable was taken, and before he rings.
    rig.go_on(&historian, NS_PER_S);
    let asking = std::thread::spawn(move || ring(&data).unwrap());
    while historian.ringing.is_empty() {
        historian.hear();
        std::thread::yield_now();
    }
    historian.answer(WRITE_APART_NS);
    let why = "it is 30 entries behind".to_owned();
    assert_eq!(asking.join().unwrap(), Rung::NotWritten { why });
    let data = rig.folder.path().to_owned();
    let asking = std::thread::spawn(move || ring(&data).unwrap());
    while !asking.is_finished() {
        historian.asked_at_ns = 0;
        historian.turn(false);
        std::thread::yield_now();
    }
    assert_eq!(asking.join().unwrap(), Rung::Written { through: 31 });
}

/// A store of one past under the journal of another.
#[track_caller]
fn check_other_past(story: &str, there: u64, begins_with: u64, opened_at: u64) {
    let mut rig = Rig::new();
    rig.past.go_on(there - 1, NS_PER_S);
    let mut historian = rig.historian();
    historian.turn(false);
    historian.writer.as_mut().unwrap().flush().unwrap();
    drop(historian);
    rig.past = TestPast::begun(BEGUN.plus_ns(1));
    rig.past.go_on(begins_with - 1, NS_PER_S);
    // The backup is put back after what it does not have was decided.
    rig.utc = BEGUN.plus_ns(600 * NS_PER_S);
    let mut historian = rig.historian();
    rig.past.go_on(opened_at - begins_with, NS_PER_S);
    historian.parts.mark.advance(rig.past.last.index);
    for _ in 0..2 {
        historian.turn(false);
    }
    assert_eq!((taken(&historian), historian.rebuild_count), (opened_at, 1), "{story}");
    assert_eq!(historian.writer.as_ref().unwrap().taken_at(), rig.past.at, "{story}");
}

#[test]
fn a_history_of_another_past_is_found_whenever_it_is_opened() {
    check_other_past("it ends behind the journal", 30, 10, 10);
    check_other_past("the journal has grown beyond it", 30, 10, 40);
    check_other_past("both end alike", 30, 30, 30);
    check_other_past("it ends before the journal", 20, 30, 30);
}

#[test]
fn what_a_command_wrote_while_the_node_started_is_kept() {
    let mut rig = Rig::new();
    rig.past.go_on(9, NS_PER_S);
    let mut historian = rig.historian();
    rig.go_on(&historian, NS_PER_S);
    let mut command = rig.historian();
    command.turn(false);
    command.writer.as_mut().unwrap().flush().unwrap();
    drop(command);
    historian.turn(false);
    assert_eq!((taken(&historian), historian.rebuild_count), (40, 0));
}

/// A command reads what is written and not yet synced, and its disk stalls.
#[track_caller]
fn check_ahead(story: &str, is_other: bool) {
    let mut rig = Rig::new();
    rig.past.go_on(9, NS_PER_S);
    let mut historian = rig.historian();
    rig.past.go_on(30, NS_PER_S + u64::from(is_other));
    let mut command = rig.historian();
    command.turn(false);
    command.writer.as_mut().unwrap().flush().unwrap();
    drop(command);
    historian.turn(false);
    assert!(historian.writer.is_none(), "{story}");
    assert_eq!((word(&historian), historian.rebuild_count), (Some("not_opened"), 0), "{story}");
    if is_other {
        rig.past = TestPast::begun(BEGUN);
        rig.past.go_on(39, NS_PER_S);
        let disk = rig.past.disk.clone();
        let archives = rig.folder.path().join(ARCHIVE_FOLDER);
        historian.parts.rereading = Rereading::new(disk, kek(), &archives);
    }
    historian.parts.mark.advance(rig.past.last.index);
    for _ in 0..2 {
        historian.retry_at_ns = 0;
        historian.turn(false);
    }
    let rebuilt = u64::from(is_other);
    assert_eq!((taken(&historian), historian.rebuild_count), (40, rebuilt), "{story}");
    assert_eq!(historian.writer.as_ref().unwrap().taken_at(), rig.past.at, "{story}");
    assert_eq!(word(&historian), None, "{story}");
}

#[test]
fn what_a_command_wrote_before_it_was_known_to_be_durable_is_kept_and_judged_later() {
    check_ahead("the disk answers", false);
    check_ahead("the disk never had it, and other entries came in its place", true);
}

#[test]
fn a_journal_that_cannot_be_read_is_tried_ever_less_often() {
    let mut rig = Rig::new();
    rig.past.go_on(100, NS_PER_S);
    let segment = rig.past.disk.list().unwrap().into_iter().find(|name| name.contains("seg"));
    let harm = |bytes: &mut Vec<u8>| bytes[9_000] ^= 1;
    rig.past.disk.corrupt(&segment.unwrap(), harm).unwrap();
    let mut historian = rig.historian();
    for wait_s in [10, 20, 40, 80, 160, 320, 640, 640] {
        historian.retry_at_ns = 0;
        let before_ns = historian.pace.monotonic_ns();
        historian.turn(false);
        let after_ns = historian.pace.monotonic_ns();
        let waits_until = before_ns + wait_s * NS_PER_S..=after_ns + wait_s * NS_PER_S;
        assert_eq!(word(&historian), Some("unreadable"));
        assert!(waits_until.contains(&historian.retry_at_ns), "{wait_s} s");
    }
}

#[test]
fn a_journal_that_cannot_be_read_is_no_judge_of_history() {
    let mut rig = Rig::new();
    rig.past.go_on(29, NS_PER_S);
    let mut historian = rig.historian();
    historian.turn(false);
    historian.writer.as_mut().unwrap().flush().unwrap();
    drop(historian);
    // A journal of another owner: nothing of it was read.
    let mut historian = rig.historian();
    historian.parts.began = None;
    historian.parts.mark = Arc::new(CommitMark::at(0));
    historian.turn(false);
    assert_eq!((taken(&historian), historian.rebuild_count), (30, 0));
    drop(historian);
    // Nor is a new history begun in place of a damaged one.
    let version = rig.tables()[0].with_file_name("current");
    fs::write(&version, "nonsense").unwrap();
    let mut historian = rig.historian();
    historian.parts.began = None;
    historian.turn(false);
    assert_eq!((word(&historian), historian.retry_at_ns), (Some("not_opened"), u64::MAX));
    assert!(!rig.folder.path().join("history.damaged").exists());
}

/// A question to a store that has nothing yet must not read the journal twice.
#[test]
fn when_nothing_was_taken_nothing_is_read_to_compare_it() {
    let mut rig = Rig::new();
    rig.past.go_on(29, NS_PER_S);
    let rereading = rig.historian().parts.rereading;
    assert_eq!(rereading.time_of(30).unwrap(), Some(rig.past.at));
    assert_eq!(rereading.time_of(31).unwrap(), None);
    let end = rereading.end().unwrap();
    assert_eq!((end.index, end.at, end.damage), (30, rig.past.at, None));
    // Whoever reads anything of it now is told so.
    rig.past.disk.cut_power();
    assert!(rereading.time_of(30).is_err());
    assert_eq!(rereading.time_of(0).unwrap(), None);
}

/// Days of history, one entry each.
fn days(rig: &mut Rig, count: u64) -> Historian<ach_engine_journal::SimDisk> {
    for _ in 1..count {
        rig.past.go_on(1, 86_400 * NS_PER_S);
    }
    let mut historian = rig.historian();
    historian.turn(false);
    historian.writer.as_mut().unwrap().flush().unwrap();
    historian
}

#[test]
fn nothing_goes_by_a_clock_that_is_doubted_and_then_a_day_an_hour() {
    let mut rig = Rig::new();
    let mut historian = days(&mut rig, 5);
    let sim = Arc::new(SimClock::at(rig.past.at.plus_ns(60 * 86_400 * NS_PER_S)));
    historian.parts.clock = Arc::new(ShardClock::start(sim.clone(), Some(rig.past.at)));
    historian.parts.keep_days = 2;
    let mut left = |minutes: u64| {
        sim.pass(minutes * 60 * NS_PER_S);
        historian.keep_house(sim.monotonic_ns());
        historian.writer.as_ref().unwrap().store().days().len()
    };
    // The last day that was written stays, whatever its age.
    let found = [1, 358, 1, 59, 1, 60, 60, 60].map(&mut left);
    assert_eq!(found, [5, 5, 4, 4, 3, 2, 1, 1]);
    assert_eq!(historian.parts.counters.history_days_dropped.get(), 4);
}

/// The disk refuses the second of three days that are over.
#[test]
fn days_that_went_before_an_error_are_counted() {
    let mut rig = Rig::new();
    rig.past.go_on(4, 86_400 * NS_PER_S);
    let tables = SimTables::default();
    let mut historian = rig.historian();
    historian.parts.place = HistoryPlace::Simulated(tables.clone());
    historian.turn(false);
    historian.writer.as_mut().unwrap().flush().unwrap();
    historian.parts.keep_days = 2;
    // That a day goes is noted before it does.
    tables.plan(2, SimTablesFault::Fail { is_kept: false });
    let mut dropped = |minutes: u64| {
        historian.keep_house(minutes * 60 * NS_PER_S);
        let days = historian.writer.as_ref().unwrap().store().days().len();
        let count = historian.parts.counters.history_days_dropped.get();
        (days, count, word(&historian))
    };
    assert_eq!(dropped(1), (4, 1, Some("not_dropped")));
    assert_eq!(dropped(2), (2, 3, None));
}

#[test]
fn whoever_changes_the_holds_for_a_while_is_no_trouble() {
    let mut rig = Rig::new();
    let mut historian = days(&mut rig, 5);
    historian.parts.keep_days = 2;
    let file = rig.folder.path().join("holds");
    let locked = ach_engine_store::LockedHolds::load(&file).unwrap();
    for minutes in [1, 30, 60] {
        historian.keep_house(minutes * 60 * NS_PER_S);
        assert_eq!(word(&historian), None, "{minutes} minutes");
    }
    assert_eq!(historian.writer.as_ref().unwrap().store().days().len(), 5);
    historian.keep_house(61 * 60 * NS_PER_S);
    assert_eq!(word(&historian), Some("not_dropped"), "for an hour");
    drop(locked);
    historian.keep_house(62 * 60 * NS_PER_S);
    assert_eq!((word(&historian), historian.parts.counters.history_days_dropped.get()), (None, 3));
}
