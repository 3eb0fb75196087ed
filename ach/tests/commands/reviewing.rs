//! Alarms that were: listed, and counted.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::history::{objects, recorded};
use super::node::{SERVE, Served, site};
use super::{ach, check};

#[test]
fn alarms_that_were_are_listed_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    let parts = ["visitor-001  zone store  unauthorised entry (high), still open", "feed rtls"];
    let said = check(folder, "alarms list --data data", 0, &parts);
    assert_eq!(said.out.lines().count(), 2, "{said:?}");
    let listed = objects(&check(folder, "alarms list --data data --json", 0, &[]));
    assert_eq!(listed[0]["rule"], "store-at-night", "{listed:?}");
    assert_eq!(listed[0]["raised_at"], "2026-01-10T22:00:01.000000Z", "{listed:?}");
    let id = listed[0]["id"].as_str().unwrap();
    check(folder, &format!("explain {id} --data data"), 0, &["store-at-night"]);

    let parts = [
        "2 alarms were raised",
        "floods",
        "unauthorised entry by store-at-night: visitor-001, zone store",
    ];
    check(folder, "alarms stats --data data", 0, &parts);
    let counted = objects(&check(folder, "alarms stats --data data --json", 0, &[]));
    let whole = &counted[0];
    assert_eq!((&whole["event"], &whole["raised"]), (&"alarm_review".into(), &2.into()), "{whole}");
    assert_eq!(whole["busiest_ten_minutes"]["count"], 2, "{whole}");
    let actors = counted.iter().filter(|object| object["event"] == "bad_actor");
    assert_eq!(actors.count(), 2, "{counted:?}");
    // What is open for less than a day does not stand, and history goes no further.
    assert_eq!(whole["standing"], 0, "{whole}");
    assert_eq!(whole["to"], "2026-01-10T22:02:03.000000Z", "{whole}");
    let next = "--from 2026-01-11T22:00:00Z --to 2026-01-12T22:00:00Z";
    let parts = ["history goes from 2026-01-10", "ask about a time within it"];
    check(folder, &format!("alarms stats --data data {next}"), 1, &parts);
    let early = "--from 2026-01-10T22:00:00Z --to 2026-01-10T22:00:01Z";
    check(folder, &format!("alarms list --data data {early}"), 0, &["no alarm was raised"]);
    let turned = "--from 2026-01-12T22:00:00Z --to 2026-01-11T22:00:00Z";
    check(
        folder,
        &format!("alarms stats --data data {turned}"),
        2,
        &["--from must lie before --to"],
    );
    check(folder, "audit show data", 0, &["alarm-review", "alarm-list"]);
}

/// A quarantined zone is an alarm that a test can raise and end: somebody answers the first, nobody the second, and the
/// third comes while its condition is shelved.
#[test]
fn how_alarms_were_answered_is_listed_explained_and_counted() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let to = format!("--node {} --credentials desk", node.address);
    let does = |words: &str| drop(check(at, &format!("{words} {to}"), 0, &[]));
    does("actor quarantine zone ward");
    does("actor quarantine zone corridor");
    let open = objects(&check(at, &format!("alarms open {to} --json"), 0, &[]));
    let ward = open.iter().find(|it| it["place"]["id"] == "ward").unwrap();
    let id = ward["id"].as_str().unwrap();
    does(&format!("alarms comment {id} --remark looked"));
    does(&format!("alarms ack {id} --person nurse-7"));
    does(&format!("alarms assign {id} --to tech-1"));
    does(&format!("alarms close {id} --cause device-fault --remark lift"));
    does(&format!("alarms shelve {id} --for 1h"));
    does("actor release zone ward");
    does("actor quarantine zone ward");
    does("actor release zone corridor");
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));

    let parts =
        [" by nurse-7, closed as device fault by desk", "actor quarantined (high), quietly"];
    check(at, "alarms list --data data", 0, &parts);
    let listed = objects(&check(at, "alarms list --data data --json", 0, &[]));
    let [first, second, third] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(first["acknowledged_by"], "nurse-7", "{first}");
    assert_eq!((&first["closed_by"], &first["cause"]), (&"desk".into(), &"device_fault".into()));
    assert_eq!(first["over_at"], first["ended_at"], "{first}");
    assert!(first["acknowledged_at"].is_string() && second["acknowledged_at"].is_null());
    let is_quiet = listed.iter().map(|it| it["was_quiet"].as_bool().unwrap());
    assert_eq!(is_quiet.collect::<Vec<_>>(), [false, false, true]);
    assert!(third["over_at"].is_null(), "{third}");

    let parts = [
        "commented by desk: now unacknowledged, entry ",
        "    remark    \"looked\"",
        "acknowledged by nurse-7: now acknowledged",
        "assigned to tech-1 by desk",
        "closed as device fault by desk",
        "shelved until ",
    ];
    check(at, &format!("explain {id} --data data"), 0, &parts);
    let told = objects(&check(at, &format!("explain {id} --data data --json"), 0, &[]));
    let closed = told.iter().find(|it| it["transition"] == "closed").unwrap();
    assert_eq!(closed["state"], "acknowledged", "{closed}");
    let life = &closed["life"];
    assert_eq!((&life["remark"], &life["by"]), (&"lift".into(), &"desk".into()), "{closed}");
    assert_eq!((&life["assignee"], &life["comment_count"]), (&"tech-1".into(), &1.into()));
    check_counts(at);
}

#[track_caller]
fn check_counts(at: &Path) {
    let parts = [
        "2 alarms were raised",
        "1 more quietly",
        "in 2 min",
        "(no rule)         1 of 2: 0 real, 1 false (100 %), 0 neither; device fault 1",
    ];
    check(at, "alarms stats --data data --target 2m", 0, &parts);
    let counted = objects(&check(at, "alarms stats --data data --target 2m --json", 0, &[]));
    assert_eq!((&counted[0]["raised"], &counted[0]["quietly_raised"]), (&2.into(), &1.into()));
    let of = |event: &str| counted.iter().filter(|it| it["event"] == event).collect::<Vec<_>>();
    let [all, high] = of("answers")[..] else { panic!("{counted:?}") };
    assert_eq!((&all["priority"], &high["priority"]), (&Value::Null, &"high".into()));
    for (key, expected) in [
        ("asked", 2),
        ("acknowledged", 1),
        ("target_ms", 120_000),
        ("never_acknowledged", 1),
        ("waiting", 0),
        ("escalations", 0),
    ] {
        assert_eq!(all[key], expected, "{key} of {all}");
    }
    assert_eq!(all["acknowledged_after"]["count"], 1, "{all}");
    assert_eq!(all["closed_after"]["count"], 1, "{all}");
    assert_eq!(of("rule_causes")[0]["by_cause"]["device_fault"], 1, "{counted:?}");
    assert_eq!(of("causes")[0]["false"], 1, "{counted:?}");
}

#[test]
fn alarms_of_no_data_directory_are_not_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("empty")).unwrap();
    for words in ["alarms list --data empty", "alarms stats --data nowhere"] {
        let said = ach(folder, words);
        assert_eq!(said.code, Some(1), "`ach {words}`: {said:?}");
    }
}
