//! Recordings as people have them.

use std::fs;
use std::path::Path;

use super::{Said, check};

/// A visitor in the store, which he may enter by day alone, and a patient beyond the perimeter.
const WALK: &str = "time,tag,x,y,floor\r\n\
    2026-01-10T22:00:00Z,0200AC0000000004,15,2.5,0\r\n\
    2026-01-10T22:00:01Z,0200AC0000000004,15,2.5,0\r\n\
    2026-01-10T22:00:02Z,0200AC0000000004,15,2.6,0\r\n";

fn site(walk: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), "site new site", 0, &[]);
    fs::write(folder.path().join("walk.csv"), walk).unwrap();
    folder
}

fn events(said: &Said) -> Vec<String> {
    let lines =
        said.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.map(|line| line["event"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn check_alarm(at: &Path) {
    let said = check(at, "replay walk.csv --site site --speed max --json", 0, &[]);
    assert_eq!(events(&said), ["alarm", "summary"], "{said:?}");
    assert!(said.out.contains("\"rule\":\"store-at-night\""), "{said:?}");
    assert!(said.out.contains("\"alarms_raised\":1"), "{said:?}");
}

#[test]
fn an_alarm_of_a_recording_is_printed() {
    let folder = site(WALK);
    check_alarm(folder.path());
    let parts = ["ALARM high", "visitor-001", "rule store-at-night", "3 sent = 3 accepted"];
    check(folder.path(), "replay walk.csv --site site --speed max", 0, &parts);
}

#[test]
fn line_ends_and_byte_order_marks_of_other_systems_are_read() {
    check_alarm(site(&format!("\u{feff}{WALK}")).path());
    check_alarm(site(&WALK.replace("\r\n", "\n")).path());
    check_alarm(site(&WALK.replace("time,tag", "\"time\",\"tag\"")).path());
}

/// A recording must never get into the journal of a node that serves.
#[test]
fn a_replay_begins_with_a_new_directory() {
    let folder = site(WALK);
    let words = "replay walk.csv --site site --speed max --data data";
    check(folder.path(), words, 0, &[]);
    check(folder.path(), "journal verify data", 0, &["sound, closed in order"]);
    let parts = ["feed rtls opens epoch 1", "1 pings of feed rtls epoch 1 seq 1..=1"];
    check(folder.path(), "journal show data", 0, &parts);
    check(
        folder.path(),
        "journal show data --last 200 --json",
        0,
        &["\"tag\":\"0200AC0000000004\""],
    );
    check(folder.path(), words, 1, &["data exists already", "begins with a new directory"]);
}

#[test]
fn a_site_is_made_for_a_recording_from_its_list_of_tags() {
    let folder = site("when,walk,x,y\n0,first walk,15,2.5\n1,second walk,16,2.5\n");
    let columns = "--columns time=when,tag=walk";
    let replay = format!("replay walk.csv {columns} --site site --speed max");
    check(
        folder.path(),
        &replay,
        1,
        &["2 tags of the recording are not of the site", "--list-tags"],
    );
    let said = check(folder.path(), &format!("replay walk.csv {columns} --list-tags"), 0, &[]);
    fs::remove_file(folder.path().join("site/equipment.toml")).unwrap();
    let rules = folder.path().join("site/rules.toml");
    let text = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, text.replace("labels = [\"pump\"]", "subjects = [\"first-walk\"]")).unwrap();
    // The site has two feeds: whose tags they are must be said.
    let lines = said.out.replace("id,tags", "id,tags,feed").replace('\n', ",rtls\n");
    let lines = lines.replacen("feed,rtls", "feed", 1);
    fs::write(folder.path().join("site/equipment.csv"), lines).unwrap();
    check(folder.path(), &replay, 0, &["2 sent = 2 accepted", "2 durable"]);
}
