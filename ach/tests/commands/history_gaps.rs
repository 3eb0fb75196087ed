//! A history that lacks entries which nobody has any more, asked of a data directory: it says what it does not know,
//! and tells the rest.

use std::fs;
use std::path::Path;

use ach_actors_model::Timestamp;
use ach_engine_journal::{FileDisk, KekSource, Reader, Record, RecordKind};
use ach_engine_shard::{Entry, Shard};
use ach_engine_store::{HistoryGap, HistoryWriter, Store};
use ach_engine_wire::decode_entry;
use serde_json::Value;

use super::check;
use super::history::objects;

const TAG: &str = "0200AC0000000004";

/// 2026-01-10T22:00:00Z.
const BEGUN_NS: u64 = 1_768_082_400_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;

/// What a visitor does in the store at night, a ping a second, is lost after this second and up to that one.
const LOST: (u64, u64) = (3, 7);
const SECONDS: u64 = 12;

/// The entries of a data directory's journal.
fn entries(data: &Path) -> Vec<Entry> {
    let kek = KekSource::File(data.join("journal.key")).load().unwrap();
    let reader = Reader::new(FileDisk::existing(data.join("journal")).unwrap());
    let mut entries = Vec::new();
    let mut each = |record: Record<'_>| {
        if record.kind == RecordKind::Entry {
            entries.push(decode_entry(record.payload).unwrap());
        }
    };
    reader.show(&kek, &mut each).unwrap();
    entries
}

/// A data directory, the history of which could not take what was heard in some seconds.
fn recorded_with_gap(at: &Path) -> HistoryGap {
    check(at, "site new site", 0, &[]);
    let row = |second| format!("2026-01-10T22:00:{second:02}Z,{TAG},15,2.{},0\n", 5 + second % 3);
    let walk: String = (0..SECONDS).map(row).collect();
    fs::write(at.join("walk.csv"), format!("time,tag,x,y,floor\n{walk}")).unwrap();
    check(at, "replay walk.csv --site site --speed max --data data", 0, &[]);

    let is_lost = |at: Timestamp| {
        let after_ns = at.0.saturating_sub(BEGUN_NS);
        (LOST.0 * SECOND_NS + SECOND_NS / 2..LOST.1 * SECOND_NS + SECOND_NS / 2).contains(&after_ns)
    };
    let store = Store::open(&at.join("data/history")).unwrap();
    let mut writer = HistoryWriter::open(store.clone()).unwrap();
    let mut shard = Shard::new();
    for entry in entries(&at.join("data")) {
        if !is_lost(entry.at) && writer.taken_through() < shard.entry_index() {
            writer.begin_after(&shard).unwrap();
        }
        let mut effects = Vec::new();
        shard.step(&entry, &mut effects);
        if !is_lost(entry.at) {
            writer.take(&entry, &effects, shard.site().map(|site| &**site)).unwrap();
        }
    }
    writer.flush().unwrap();
    let gaps = store.gaps().unwrap();
    let [gap] = gaps[..] else { panic!("{gaps:?}") };
    gap
}

#[test]
fn what_history_does_not_know_is_said_when_it_is_built_and_with_every_answer() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let gap = recorded_with_gap(at);
    let told = format!("history knows nothing of {gap}: the journal had given it up by then");
    let left = SECONDS - (LOST.1 - LOST.0);
    let pings = format!("{left} pings of 1 days");
    let said = check(at, "history build --data data", 0, &[&told, &pings]);
    assert!(!said.out.contains("knows nothing"), "answers go to one place, words to another");
    check(at, &format!("where {TAG} --data data"), 0, &[&told, "visitor-001"]);
    let lost = format!("where {TAG} --at 2026-01-10T22:00:06Z --data data");
    check(at, &lost, 1, &["ask about a time before or after"]);
    // What is known of an alarm is told, and that there may be more.
    let export = "person export visitor-001 --data data";
    let alarm = objects(&check(at, export, 0, &[])).into_iter().find(|it| it["event"] == "alarm");
    let explain = format!("explain {} --data data", alarm.unwrap()["id"].as_str().unwrap());
    let lost = format!("{gap}: what became of it is not known");
    check(at, &explain, 0, &["store-at-night", &lost]);
    let told = objects(&check(at, &format!("{explain} --json"), 0, &[]));
    let events: Vec<&Value> = told.iter().map(|it| &it["event"]).collect();
    assert_eq!(events, ["explanation", "gap"], "{told:?}");
    let asked = "visits store --from 2026-01-10T21:00:00Z --to";
    check(at, &format!("{asked} 2026-01-10T22:00:03Z --data data"), 0, &["left before"]);
    check(at, &format!("{asked} 2026-01-10T22:00:11Z --data data"), 1, &["before or after"]);
}

#[test]
fn the_export_of_a_person_goes_around_a_gap_and_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    recorded_with_gap(at);
    let exported =
        check(at, "person export visitor-001 --data data", 0, &["history knows nothing of"]);
    let rows = objects(&exported);
    let of =
        |event: &str| -> Vec<&Value> { rows.iter().filter(|it| it["event"] == event).collect() };
    let gaps = of("gap");
    let [gap] = gaps[..] else { panic!("{gaps:?}") };

    let visits = of("visit");
    let in_store: Vec<&&Value> = visits.iter().filter(|it| it["zone"] == "store").collect();
    let [before, behind] = in_store[..] else { panic!("{visits:?}") };
    // How the first ended is not known, nor when the second began: he was there when the gap ended.
    assert!(before["entered_at"].as_str() < gap["after"].as_str(), "{before}");
    assert_eq!((&before["exited_at"], &before["ended_before"]), (&Value::Null, &gap["until"]));
    assert_eq!((&behind["entered_at"], &behind["exited_at"]), (&gap["until"], &Value::Null));

    let positions: Vec<String> = of("position")
        .iter()
        .map(|it| it["observed_at"].as_str().unwrap().get(17..19).unwrap().to_owned())
        .collect();
    let kept = (0..SECONDS).filter(|second| !(LOST.0 + 1..=LOST.1).contains(second));
    let kept: Vec<String> = kept.map(|second| format!("{second:02}")).collect();
    assert_eq!(positions, kept);
    assert_eq!(of("alarm").len(), 1, "it was raised before the gap: {rows:?}");
}
