//! A node on a disk that is nearly full: history stops first, then questions are refused, and what vendors send is
//! stored all the same.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use ach_engine_trial::on_small_disk;
use rustix::process::Signal;

use super::check;
use super::node::{SERVE, Served};

const NAME: &str = "full_disk::questions_stop_before_the_journal_does_and_go_on_when_there_is_room";

/// Room for a segment of the journal beside its reserve, and less than a question leaves free.
const SIZE: &str = "250m";

const WALK: &str = "time,tag,x,y,floor\n\
    2026-01-10T22:00:00Z,0200AC0000000004,15,2.5,0\n\
    2026-01-10T22:00:01Z,0200AC0000000004,15,2.6,0\n";

#[test]
fn questions_stop_before_the_journal_does_and_go_on_when_there_is_room() {
    on_small_disk(NAME, SIZE, ask);
}

fn ask(at: &Path) {
    check(at, "site new site", 0, &[]);
    fs::write(at.join("walk.csv"), WALK).unwrap();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "vendor enrol rtls --data data --out rtls", 0, &[]);
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let to = format!("--node {}", node.address);
    let replay = format!("replay walk.csv --speed max {to} --credentials rtls");
    check(at, &replay, 0, &["2 sent = 2 accepted"]);
    let questions = [
        "where 0200AC0000000004 --data data",
        "history export --from 2026-01-10T21:00:00Z --to 2026-01-10T23:00:00Z --data data",
        "history build --data data",
    ];
    for question in questions {
        check(at, question, 1, &["MiB left", "make room and ask again"]);
    }
    let made = fs::read_dir(at.join("data")).unwrap().map(|entry| entry.unwrap().file_name());
    let made: Vec<_> = made.filter(|name| name.to_string_lossy().contains("asked")).collect();
    assert!(made.is_empty(), "{made:?}");
    // Nothing of it touched what stores.
    check(at, &replay, 0, &["2 sent = 2 accepted"]);
    check(at, &format!("status {to} --credentials desk"), 0, &["node-1 of site example: storing"]);
    let grown = Command::new("mount").args(["-o", "remount,size=2g"]).arg(at).status().unwrap();
    assert!(grown.success());
    check(at, questions[0], 0, &["15.0 m east, 2.6 m north"]);
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    check(at, "journal verify data", 0, &["sound, closed in order"]);
}
