//! Bands, as a desk types it: off, on, and another one in its place.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;

use super::check;
use super::node::{SERVE, Served, site};

const OLD: &str = "0200AC0000000001";
const NEW: &str = "0200AC00000000B8";

#[test]
fn a_band_comes_off_and_another_one_takes_its_place() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    check(at, "receiver enrol board --data data --out board", 0, &[]);
    let to = format!("--node {} --credentials desk", node.address);
    let off = format!("band off patient-001 --tag {OLD} --for 10m --reason bath");
    let board = format!("--node {} --credentials board", node.address);
    check(at, &format!("{off} {board}"), 0, &["is off, which ends by itself"]);
    check(at, &format!("band on patient-001 --tag {OLD} {board}"), 0, &["patient-001 is on"]);
    let json = format!("{off} --person nurse-7 {to} --json");
    check(at, &json, 0, &["\"event\":\"band\"", "\"state\":\"off\"", OLD]);
    for (wish, code, what) in [
        (format!("band off patient-001 --tag {OLD} --for 61m --reason bath"), 1, "60 min at most"),
        (
            format!("band off nurse-001 --tag {OLD} --for 1m --reason bath"),
            1,
            "not on that subject",
        ),
        (format!("band off patient-001 --tag {NEW} --for 1m --reason bath"), 1, "subject or tag"),
        (format!("band off patient-001 --tag {OLD} --for 1m"), 2, "--reason"),
        ("band off patient-001 --tag 7 --for 1m --reason bath".to_owned(), 2, "no EUI-64"),
    ] {
        check(at, &format!("{wish} {to}"), code, &[what]);
    }

    let before = fs::read_to_string(at.join("site/people.toml")).unwrap();
    let change = format!("band change patient-001 --from {OLD} --to {NEW} --site site");
    check(at, &format!("{change} --made-from 7 {to}"), 1, &["made from version 7", "is as it was"]);
    let taken =
        format!("band change patient-001 --from {OLD} --to 0200AC0000000002 --site site {to}");
    check(at, &taken, 1, &["is on nurse-001 already"]);
    assert_eq!(fs::read_to_string(at.join("site/people.toml")).unwrap(), before);
    check(at, &format!("{change} {to}"), 0, &["version 2 is in force", NEW, "patient-001 is on"]);
    let after = fs::read_to_string(at.join("site/people.toml")).unwrap();
    assert_eq!(after, before.replace(OLD, NEW));
    check(at, &format!("{off} {to}"), 1, &["no such subject or tag"]);
    check(at, &format!("{change} {to}"), 1, &["already"]);
    check(at, "site check site", 0, &["sound"]);
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    let told = ["band_taken_off  done", "band_taken_off  refused", "band_put_on  done"];
    check(at, "audit show data --count 100", 0, &told);
    check(at, "journal show data", 0, &["band_off", "band_on", "reason bath"]);
}
