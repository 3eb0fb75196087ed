//! Alarms of one cause: told together.

use std::fs;
use std::process::Stdio;

use super::check;
use super::history::objects;
use super::node::{SERVE, Served, site};

/// A visitor who goes into the store at night, out of it and in again, twice within ten minutes and once after.
fn walk() -> String {
    let mut lines = vec!["time,tag,x,y,floor".to_owned()];
    for minute in [0, 1, 30] {
        for second in 0..20 {
            let x = if second < 8 { "13" } else { "10.5" };
            let at = format!("2026-01-10T22:{minute:02}:{second:02}Z");
            lines.push(format!("{at},0200AC0000000004,{x},2.5,0"));
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn alarms_of_one_cause_are_told_together() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    check(at, "site new site", 0, &[]);
    fs::write(at.join("walk.csv"), walk()).unwrap();
    let said =
        objects(&check(at, "replay walk.csv --site site --speed max --data data --json", 0, &[]));
    let told = |object: &&serde_json::Value| {
        object["event"] == "alarm" && object["kind"] == "unauthorised_entry"
    };
    let marks: Vec<_> = said.iter().filter(told).map(|it| &it["incident"]).collect();
    assert_eq!(marks.len(), 3, "{said:?}");
    let places: Vec<_> = marks.iter().map(|mark| mark["place"].as_u64().unwrap()).collect();
    assert_eq!(places, [1, 2, 1], "{marks:?}");
    assert_eq!(marks[0]["id"], marks[1]["id"], "{marks:?}");
    let id = marks[0]["id"].as_str().unwrap();

    let parts = ["incident of 2 alarms (high)", id, "  - 2026-01-10", "zone store"];
    check(at, "alarms list --data data --by-incident", 0, &parts);
    let listed = objects(&check(at, "alarms list --data data --by-incident --json", 0, &[]));
    let heads = listed.iter().filter(|it| it["event"] == "incident");
    let counts: Vec<_> = heads.map(|it| it["alarms"].as_u64().unwrap()).collect();
    // The visitor's first two, that feed's three silences, and the visitor once more.
    assert_eq!(counts, [2, 3, 1], "{listed:?}");
    let place = listed.iter().position(|it| it["id"] == id && it["event"] == "incident").unwrap();
    let of_it: Vec<_> = listed[place + 1..place + 3].iter().map(|it| &it["incident"]).collect();
    assert_eq!(of_it, marks[..2], "an incident is followed by its alarms");

    let second = listed[place + 2]["id"].as_str().unwrap();
    let parts = ["2 alarms of one cause:", "the first", "> ", second];
    check(at, &format!("explain {second} --data data"), 0, &parts);
    let told = objects(&check(at, &format!("explain {second} --data data --json"), 0, &[]));
    assert_eq!(told[0]["incident"], *marks[1], "{told:?}");
    let last = told.last().unwrap();
    assert_eq!((&last["event"], &last["id"]), (&"incident".into(), &id.into()), "{last}");
    let alarms = last["alarms"].as_array().unwrap();
    assert_eq!(alarms.len(), 2, "{last}");
    assert_eq!((&alarms[0]["id"], &alarms[1]["id"]), (&id.into(), &second.into()), "{last}");

    let counted = &objects(&check(at, "alarms stats --data data --json", 0, &[]))[0];
    assert_eq!((&counted["raised"], &counted["incidents"]), (&6.into(), &3.into()), "{counted}");
    assert_eq!(counted["largest_incident"], 3, "{counted}");
    check(at, "alarms stats --data data", 0, &["of 3 incidents, the largest of 3 alarms"]);
}

#[test]
fn more_than_ten_alarms_in_ten_minutes_are_called_a_flood() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    let things = [
        ["zone ward", "zone corridor", "zone day-room"],
        ["zone store", "subject patient-001", "subject nurse-001"],
        ["subject visitor-001", "subject pump-001", "door entrance"],
    ];
    // One identity may have few connections.
    for (number, things) in things.iter().enumerate() {
        let desk = format!("desk-{number}");
        check(at, &format!("operator enrol {desk} --data data --out {desk}"), 0, &[]);
        let to = format!("--node {} --credentials {desk}", node.address);
        for thing in things {
            check(at, &format!("actor quarantine {thing} {to}"), 0, &[]);
        }
    }
    check(at, "operator enrol last --data data --out last", 0, &[]);
    let to = format!("--node {} --credentials last", node.address);
    let said = check(at, &format!("alarms open {to} --by-incident"), 0, &["9 open"]);
    assert!(!said.out.contains("flood"), "{said:?}");
    check(at, &format!("actor quarantine feed rtls {to}"), 0, &[]);
    check(at, &format!("actor quarantine feed doors {to}"), 0, &[]);
    let parts = ["11 open", "a flood: 11 of them, of 11 incidents, came within ten minutes"];
    check(at, &format!("alarms open {to} --by-incident"), 0, &parts);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}
