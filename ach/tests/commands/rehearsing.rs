//! Rules rehearsed against what was recorded.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::check;
use super::history::{objects, recorded};

/// The rules of the recorded site, edited.
fn rules(folder: &Path, edit: impl Fn(String) -> String) {
    let text = fs::read_to_string(folder.join("site/rules.toml")).unwrap();
    fs::write(folder.join("new.toml"), edit(text)).unwrap();
}

fn events<'a>(said: &'a [Value], event: &str) -> Vec<&'a Value> {
    said.iter().filter(|object| object["event"] == event).collect()
}

#[test]
fn the_same_rules_raise_the_same_alarms() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    rules(folder, |text| text);
    // The visitor's, and that of the feed, which the recording ends with.
    let parts =
        ["2 alarms were raised, and the same would have been", "store-at-night", "(no rule)"];
    check(folder, "rules rehearse new.toml --data data", 0, &parts);
    let said = check(folder, "rules rehearse new.toml --data data --json", 0, &[]);
    let said = objects(&said);
    let whole = &said[0];
    assert_eq!((&whole["was"], &whole["would"]), (&2.into(), &2.into()), "{whole}");
    assert_eq!(whole["pings"], 4, "{whole}");
    assert!(events(&said, "difference").is_empty(), "{said:?}");
}

#[test]
fn other_rules_raise_other_alarms() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    // At night nobody is a visitor any more; who lingers in the store is.
    rules(folder, |text| {
        let text = text.replace("from = \"20:00\"", "from = \"23:30\"");
        let lingering = "\n[[rule]]\nid = \"in-the-store\"\nwhat = \"stays\"\nafter = \"2 s\"\n\
            priority = \"medium\"\nwhere = { zones = [\"store\"] }\n";
        text + lingering
    });
    let parts =
        ["2 alarms were raised; 2 would have been: 1 gone, 1 new", "visitor-001  zone store"];
    check(folder, "rules rehearse new.toml --data data", 0, &parts);
    let said = check(folder, "rules rehearse new.toml --data data --json", 0, &[]);
    let said = objects(&said);
    let differences = events(&said, "difference");
    let told: Vec<(&Value, &Value, &Value)> = differences
        .iter()
        .map(|it| (&it["difference"], &it["was"]["rule"], &it["would"]["rule"]))
        .collect();
    let (gone, new, none) = ("gone".into(), "new".into(), Value::Null);
    let (night, store) = ("store-at-night".into(), "in-the-store".into());
    assert_eq!(told, [(&gone, &night, &none), (&new, &none, &store)], "{said:?}");
    assert_eq!(differences[1]["would"]["raised_at"], "2026-01-10T22:00:03.000000Z", "{said:?}");
    let places = events(&said, "place_score");
    let store = places.iter().find(|score| score["place"]["id"] == "store").unwrap();
    assert_eq!((&store["gone"], &store["new"]), (&1.into(), &1.into()), "{places:?}");
    // Of a time in which nothing was raised.
    let late = "--from 2026-01-10T22:00:03.5Z --to 2026-01-10T22:00:09Z";
    let parts = ["No alarm was raised in that time"];
    check(folder, &format!("rules rehearse new.toml --data data {late}"), 0, &parts);
}

#[test]
fn what_cannot_be_rehearsed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(folder);
    let run = "rules rehearse new.toml --data data";
    check(folder, run, 1, &["new.toml", "the file is missing"]);
    rules(folder, |text| text.replace("zones = [\"day-room\"]", "zones = [\"dayroom\"]"));
    check(folder, run, 1, &["there is no zone `dayroom`", "did you mean `day-room`?"]);
    rules(folder, |text| {
        text + "\n[[rule]]\nid = \"duress\"\nwhat = \"button_pressed\"\npriority = \"high\"\n"
    });
    check(folder, run, 1, &["rule `duress` is already in new.toml"]);
    rules(folder, |text| text.replace("[[rule]]", "[[rule"));
    check(folder, run, 1, &["new.toml"]);
    rules(folder, |text| text);
    check(folder, "rules rehearse new.toml --data site", 1, &[]);
    let turned = "--from 2026-01-10T22:00:00Z --to 2026-01-10T21:00:00Z";
    check(folder, &format!("{run} {turned}"), 2, &["--from must lie before --to"]);
    // The reading is in the audit log.
    check(folder, run, 0, &[]);
    check(folder, "audit show data", 0, &["rehearse"]);
}
