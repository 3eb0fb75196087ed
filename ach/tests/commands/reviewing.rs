//! Alarms that were: listed, and counted.

use std::fs;

use super::history::{objects, recorded};
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
