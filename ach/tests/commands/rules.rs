//! What the rules of a site say, where they leave a hole, and their schema.

use std::fs;
use std::path::Path;

use super::check;

/// Puts one text for another in the rules of the example.
fn edit(at: &Path, from: &str, to: &str) {
    let rules = at.join("site/rules.toml");
    let text = fs::read_to_string(&rules).unwrap();
    assert!(text.contains(from), "no {from}");
    fs::write(&rules, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn rules_are_checked_with_what_they_leave_out() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    check(at, "site new site", 0, &[]);
    check(at, "rules check site", 0, &["sound: 15 rules; 0 warnings"]);
    check(at, "site sample sample", 0, &[]);
    check(at, "rules check sample", 0, &["sound: 34 rules; 0 warnings"]);
    check(at, "rules check none", 1, &["none does not exist", "ach site new DIR"]);

    edit(at, "where = { zones = [\"ward\"], lines", "where = { lines");
    let flat = "[[rule]]\nid = \"flat\"\nwhat = \"battery_low\"\npriority = \"low\"\npercent = 5";
    let first = "[[rule]]\nid = \"elopement\"";
    edit(at, first, &format!("{flat}\n\n{first}"));
    let expected =
        ["(ward): the zone is high-risk", "rule flat: whenever it alarms, rule `battery`"];
    for command in ["rules check site", "site check site"] {
        let said = check(at, command, 0, &expected);
        assert!(said.out.contains("; 2 warnings"), "{}", said.out);
    }
    let said = check(at, "rules check site --json", 0, &[]);
    let kinds: Vec<String> = said
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|finding| format!("{} {}", finding["severity"], finding["kind"]))
        .collect();
    assert_eq!(kinds, ["\"warning\" \"unguarded_zone\"", "\"warning\" \"covered_rule\""]);

    // A mistake in another file keeps rules from being looked at together; its warnings are not theirs.
    let people = at.join("site/people.toml");
    let text = fs::read_to_string(&people).unwrap();
    fs::write(&people, text.replace("class = \"visitor\"", "class = \"visitor\"\nroom = 7"))
        .unwrap();
    fs::write(at.join("site/peple.toml"), "").unwrap();
    let words =
        ["people.toml:", "`room` means nothing", "1 mistake, 0 warnings; conflicts and holes"];
    let said = check(at, "rules check site", 3, &words);
    assert!(!said.out.contains("peple.toml"), "{}", said.out);
}

#[test]
fn rules_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    check(at, "site new site", 0, &[]);
    let said =
        check(at, "rules explain site", 0, &["elopement\n  It is about patients", "battery\n"]);
    assert!(said.out.lines().all(|line| line.chars().count() <= 100), "{}", said.out);
    let one =
        ["store-at-night\n  It is about visitors: 1 person today. Every day from 20:00 to 06:00"];
    check(at, "rules explain site store-at-night", 0, &one);
    check(at, "rules explain site forcd", 1, &["no rule `forcd`", "did you mean `forced`?"]);
    check(at, "rules explain site x", 1, &["`ach rules explain site` tells them all"]);
    let said = check(at, "rules explain site duress --json", 0, &[]);
    let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((told["rule"].as_str(), told["subject_count"].as_u64()), (Some("duress"), Some(1)));
    assert_eq!((told["alarm"].as_str(), told["priority"].as_str()), (Some("duress"), Some("high")));
    // Names of people are nobody's business here.
    let said = check(at, "rules explain site --json", 0, &[]);
    assert_eq!(said.out.lines().count(), 15);
    assert!(!said.out.contains("Ada"), "{}", said.out);
    edit(at, "percent = 10", "percent = 100");
    check(at, "rules explain site", 1, &["`percent` is 100", "mend them"]);
}

#[test]
fn the_schema_is_printed_for_an_editor() {
    let folder = tempfile::tempdir().unwrap();
    let said = check(folder.path(), "rules schema", 0, &[]);
    let schema: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["$defs"]["rule"]["properties"]["tentative"].is_object());
}
