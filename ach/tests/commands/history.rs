//! What was, asked of a data directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::node::{SERVE, Served, site};
use super::{Said, ach, check};

/// A visitor in the store at night, who then goes out of it.
const WALK: &str = "time,tag,x,y,floor\n\
    2026-01-10T22:00:00Z,0200AC0000000004,15,2.5,0\n\
    2026-01-10T22:00:01Z,0200AC0000000004,15,2.5,0\n\
    2026-01-10T22:00:02Z,0200AC0000000004,15,2.6,0\n\
    2026-01-10T22:00:03Z,0200AC0000000004,15,2.7,0\n";

const TAG: &str = "0200AC0000000004";
const NIGHT: &str = "--from 2026-01-10T21:00:00Z --to 2026-01-10T23:00:00Z";

/// A data directory, and what was said while it was made.
pub(super) fn recorded(folder: &Path) -> Said {
    recorded_by(folder, |rules| rules)
}

/// The same, by other rules.
pub(super) fn recorded_by(folder: &Path, edit: impl Fn(String) -> String) -> Said {
    check(folder, "site new site", 0, &[]);
    let rules = folder.join("site/rules.toml");
    fs::write(&rules, edit(fs::read_to_string(&rules).unwrap())).unwrap();
    fs::write(folder.join("walk.csv"), WALK).unwrap();
    check(folder, "replay walk.csv --site site --speed max --data data --json", 0, &[])
}

pub(super) fn objects(said: &Said) -> Vec<Value> {
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn check_questions(folder: &Path, alarm: &str) {
    let parts = ["visitor-001", "15.0 m east, 2.7 m north, floor 0"];
    check(folder, &format!("where {TAG} --data data"), 0, &parts);
    let at = format!("where {TAG} --at 2026-01-10T22:00:01.9Z --data data --json");
    let found = &objects(&check(folder, &at, 0, &[]))[0];
    assert_eq!(found["observed_at"], "2026-01-10T22:00:01.000000Z", "{found}");
    assert_eq!((&found["x_mm"], &found["y_mm"]), (&15_000.into(), &2_500.into()), "{found}");
    let early = format!("where {TAG} --at 2026-01-10T21:59:59Z --data data");
    check(folder, &early, 3, &["had not been heard by then"]);

    let said = check(folder, &format!("visits store {NIGHT} --data data --json"), 0, &[]);
    let visits = objects(&said);
    assert_eq!(visits.len(), 1, "{said:?}");
    assert_eq!(visits[0]["subject"], "visitor-001");
    check(folder, &format!("visits store {NIGHT} --data data"), 0, &["visitor-001", "still there"]);
    let parts = ["no site of this node has had a zone"];
    check(folder, &format!("visits nowhere {NIGHT} --data data"), 1, &parts);

    let said = check(folder, &format!("history export {NIGHT} --data data"), 0, &[]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 5, "{said:?}");
    assert!(lines[0].starts_with("tag,subject,observed_at,received_at,x_mm,y_mm"), "{said:?}");
    assert!(lines[3].contains(",2026-01-10T22:00:02.000000Z,"), "{said:?}");
    assert!(lines[3].contains(",15000,2600,,0,"), "{said:?}");
    assert!(lines[1].starts_with("0200AC0000000004,visitor-001,2026-01-10T22:00:00."), "{said:?}");

    let parts = ["heard     position of tag 0200AC0000000004, 15.0 m east"];
    check(folder, &format!("explain {alarm} --data data"), 0, &parts);
    let parts =
        ["store-at-night", "visitor-001", "opened by input", "unauthorised_entry", "clock     "];
    check(folder, &format!("explain {alarm} --data data"), 0, &parts);
    let told = objects(&check(folder, &format!("explain {alarm} --data data --json"), 0, &[]));
    assert_eq!(told[0]["cause"]["feed"], "rtls", "{told:?}");
    let input = &told[0]["input"];
    assert_eq!((&input["kind"], &input["tag"]), (&"position".into(), &TAG.into()), "{told:?}");
    assert_eq!(input["x_mm"], 15_000, "{told:?}");
    assert_eq!(told[0]["id"], alarm);
    let nobody = "0".repeat(32);
    check(folder, &format!("explain {nobody} --data data"), 3, &["there is no alarm"]);
    // Who asked is known afterwards.
    let shown = check(folder, "audit show data --count 1000", 0, &["administrator uid:"]);
    for topic in ["where", "visits", "explain", "history"] {
        assert!(shown.out.contains(&format!("topic {topic}")), "{topic}: {shown:?}");
    }
    assert!(shown.out.contains(TAG), "{shown:?}");
}

#[test]
fn a_recording_can_be_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let said = recorded(folder.path());
    let alarm = &objects(&said)[0];
    let alarm = alarm["id"].as_str().unwrap();
    // First out of the journal alone, then out of a history that was built.
    check_questions(folder.path(), alarm);
    assert!(!folder.path().join("data/history").exists(), "a question changes nothing");
    let parts = ["4 pings of 1 days, through entry"];
    check(folder.path(), "history build --data data", 0, &parts);
    check_questions(folder.path(), alarm);
}

#[test]
fn a_damaged_history_is_said_to_be_so_and_the_answer_is_right_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let said = recorded(folder.path());
    check(folder.path(), "history build --data data", 0, &[]);
    let current = folder.path().join("data/history/keyspaces/1/current");
    let mut bytes = fs::read(&current).unwrap();
    bytes[9] ^= 1;
    fs::write(&current, bytes).unwrap();
    let parts = ["the history is damaged", "visitor-001"];
    check(folder.path(), &format!("where {TAG} --data data"), 0, &parts);
    let parts = ["was moved to", "4 pings of 1 days"];
    check(folder.path(), "history build --data data", 0, &parts);
    let alarm = &objects(&said)[0];
    check_questions(folder.path(), alarm["id"].as_str().unwrap());
}

#[test]
fn a_table_is_written_to_a_file_that_is_not_there_yet() {
    let folder = tempfile::tempdir().unwrap();
    recorded(folder.path());
    let export = format!("history export {NIGHT} --data data --format parquet --out walk.parquet");
    check(folder.path(), &export, 0, &["4 positions written to walk.parquet"]);
    let bytes = fs::read(folder.path().join("walk.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    check(folder.path(), &export, 1, &["name another file"]);
    let other = format!("history export {NIGHT} --data data --tag 00124B0001A2B3C4");
    let refused = check(folder.path(), &other, 1, &["has had a tag 00124B0001A2B3C4"]);
    assert_eq!(refused.out, "", "no header either");
    let mode = fs::metadata(folder.path().join("walk.parquet")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "nobody else reads where people were");
    assert!(!folder.path().join("walk.parquet.new").exists());
    let turned = "visits store --from 2026-01-10T23:00:00Z --to 2026-01-10T22:00:00Z --data data";
    check(folder.path(), turned, 2, &["--from must lie before --to"]);
}

/// The node that runs is asked what it has just heard; killed and started again it says the same.
#[test]
fn a_running_node_remembers_and_so_does_one_that_was_killed() {
    let folder = site();
    let at = folder.path();
    let mut node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "vendor enrol rtls --data data --out rtls", 0, &[]);
    fs::write(at.join("walk.csv"), WALK).unwrap();
    let mut seen: Option<(String, String, String)> = None;
    for life in 0..3 {
        if life == 0 {
            let replay =
                format!("replay walk.csv --node {} --credentials rtls --speed 20", node.address);
            check(at, &replay, 0, &[]);
        }
        let last = format!("where {TAG} --data data --json");
        let found = check(at, &last, 0, &["\"x_mm\":15000,\"y_mm\":2700"]).out;
        let day = "--from 2026-01-01T00:00:00Z --to 2100-01-01T00:00:00Z --data data";
        let visits = check(at, &format!("visits store {day} --json"), 0, &["visitor-001"]).out;
        let export = check(at, &format!("history export {day}"), 0, &[]).out;
        assert_eq!(visits.lines().count(), 1, "{visits}");
        assert_eq!(export.lines().count(), 5, "nothing twice: {export}");
        let answers = (found, visits, export);
        assert!(seen.is_none_or(|seen| seen == answers), "life {life}: {answers:?}");
        seen = Some(answers);
        if life < 2 {
            node.signal(rustix::process::Signal::KILL);
            node.ended();
            node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
        }
    }
    // A question may have had the store when the node came for it, which then comes again.
    let mut builds = (0..100).map(|_| ach(at, "history build --data data"));
    let refused =
        builds.find(|said| said.code != Some(0)).expect("the node never takes its history");
    assert!(refused.err.contains("in use by another process"), "{refused:?}");
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    check(at, &format!("where {TAG} --data data"), 0, &["visitor-001"]);
    check(at, "history build --data data", 0, &["4 pings of 1 days"]);
    let left = fs::read_dir(at.join("data")).unwrap().map(|it| it.unwrap().file_name());
    let left: Vec<String> = left.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.contains("asked") || name.contains("sock")), "{left:?}");
}

/// Who is answered by a node may tell it to end.
fn asked(at: &Path, node: &Served) {
    let status = format!("status --node {} --credentials desk", node.address);
    check(at, &status, 0, &["node-1 of site example: storing"]);
}

#[test]
fn history_can_be_off_or_elsewhere() {
    let folder = site();
    let at = folder.path();
    let off = format!("{SERVE} --history off");
    let node = Served::start(at, &off, Stdio::null(), Stdio::null());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    asked(at, &node);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    assert!(!at.join("data/history").exists());
    let elsewhere = format!("{SERVE} --history other/disk --history-days 3 --archive-days 0");
    for _ in 0..2 {
        let node = Served::start(at, &elsewhere, Stdio::null(), Stdio::null());
        asked(at, &node);
        node.signal(rustix::process::Signal::TERM);
        assert_eq!(node.ended(), Some(0));
    }
    assert!(at.join("other/disk/history/keyspaces").exists());
    check(at, &format!("where {TAG} --data data"), 3, &["had not been heard"]);
    let third = format!("{SERVE} --history third");
    check(at, &third, 1, &["history lies in", "leave --history out"]);
}

#[test]
fn days_are_held_and_released() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    recorded(at);
    let hold = "history hold case-17 --data data --from 2026-01-10 --reason court";
    check(at, hold, 0, &["days from 2026-01-10 on are kept", "history has none of them yet"]);
    check(at, hold, 1, &["there is a hold `case-17` already"]);
    check(at, "history holds --data data", 0, &["case-17  2026-01-10 to on  court"]);
    let told = check(at, "history holds --data data --json", 0, &[]);
    assert_eq!(objects(&told)[0]["from"], "2026-01-10");
    assert_eq!(objects(&told)[0]["subject"], Value::Null);
    check(at, "history release case-17 --data data", 0, &["hold case-17 is released"]);
    check(at, "history release case-17 --data data", 1, &["there is no hold `case-17`"]);
    check(at, "history holds --data data", 0, &["there is no hold"]);
    assert_eq!(check(at, "history holds --data data --json", 0, &[]).out, "");
    // What there is of it is told.
    check(at, "history build --data data", 0, &[]);
    let early = "history hold early --data data --from 2020-01-01 --reason court";
    let parts = ["history has 1 of them, 2026-01-10 to 2026-01-10", "begins with 2026-01-10"];
    check(at, early, 0, &parts);
    let told = check(at, &early.replace("early", "json --json"), 0, &[]);
    assert_eq!(objects(&told)[0]["first_day"], "2026-01-10");
    for id in ["early", "json"] {
        check(at, &format!("history release {id} --data data"), 0, &[]);
    }
    let long =
        format!("{} --reason {}", "history hold y --data data --from 2026-01-10", "x".repeat(201));
    check(at, &long, 1, &["a reason has at most 200 characters"]);
    let turned = "history hold x --data data --from 2026-01-10 --through 2026-01-09 --reason y";
    check(at, turned, 2, &["--through must not lie before --from"]);
    check(at, "history hold x --data data --from tuesday --reason y", 2, &["is no day"]);
    // Who placed and lifted what is known afterwards; what was refused was not done.
    let shown = check(at, "audit show data --count 100 --json", 0, &[]);
    let acts: Vec<Value> = objects(&shown)
        .into_iter()
        .filter(|it| it["action"].as_str().is_some_and(|it| it.starts_with("hold_")))
        .map(|it| it["action"].clone())
        .collect();
    let once = ["hold_placed", "hold_lifted"];
    let twice = ["hold_placed", "hold_placed", "hold_lifted", "hold_lifted"];
    assert_eq!(acts, [&once[..], &twice].concat(), "{shown:?}");
    assert!(shown.out.contains("case-17"), "{shown:?}");
}

#[test]
fn what_follows_damage_is_missed_by_every_answer_and_each_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    recorded(at);
    let journal = fs::read_dir(at.join("data/journal")).unwrap().map(|it| it.unwrap().path());
    let segments = journal.filter(|file| file.extension().is_some_and(|it| it == "seg"));
    let last = segments.max().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end] ^= 1;
    fs::write(&last, bytes).unwrap();
    check(at, "history build --data data", 3, &["the journal is damaged"]);
    for _ in 0..2 {
        check(at, &format!("where {TAG} --data data"), 3, &["the journal is damaged"]);
    }
}

/// A journal that was put back from a backup, or the folder of another node: history of another past answers
/// nothing, be it ahead of the journal, as long, or behind it.
#[test]
fn a_history_of_another_journal_answers_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    recorded(at);
    check(at, "history build --data data", 0, &[]);
    let row = |second: u32| format!("2026-01-11T22:00:{second:02}Z,0200AC0000000004,3,2.5,0\n");
    for rows in [2, 4, 9] {
        let walk: String = (0..rows).map(row).collect();
        fs::write(at.join("other.csv"), format!("time,tag,x,y,floor\n{walk}")).unwrap();
        let data = format!("other-{rows}");
        let replay = format!("replay other.csv --site site --speed max --data {data} --json");
        check(at, &replay, 0, &[]);
        copy_all(&at.join("data/history"), &at.join(&data).join("history"));
        let asked = format!("where {TAG} --data {data}");
        check(at, &asked, 0, &["is not that of the journal", "3.0 m east"]);
        let build = format!("history build --data {data}");
        let pings = format!("{rows} pings of 1 days");
        check(at, &build, 0, &["is not the history of the journal", "was moved to", &pings]);
        let said = check(at, &asked, 0, &["3.0 m east"]);
        assert_eq!(said.err, "", "now it is its own");
        check(at, &build, 0, &[&pings]);
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy_all(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
