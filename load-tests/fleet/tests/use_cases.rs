//! Every use case is played on a node, and what follows is what its file says: no alarm more, and none less.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/use-cases")
}

/// What `fleet play` says of a file, with its exit code.
fn play(file: &Path) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_fleet"))
        .args(["play", "--json"])
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let story = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{}: {error}; it said: {said}", file.display());
    });
    (output.status.code(), story)
}

fn check(file: &Path) {
    let (code, story) = play(file);
    assert_eq!(code, Some(0), "{}: {:#}", file.display(), story["differences"]);
    assert_eq!(story["as_expected"], true, "{}", file.display());
}

macro_rules! use_cases {
    ($($test:ident: $file:literal,)*) => {
        $(#[test]
        fn $test() {
            check(&folder().join($file));
        })*

        #[test]
        fn every_use_case_is_played() {
            let mut found: Vec<String> = fs::read_dir(folder())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .collect();
            found.sort();
            let mut played = vec![$($file.to_owned()),*];
            played.sort();
            assert_eq!(found, played);
        }
    };
}

use_cases! {
    a_patient_slips_out: "elopement.toml",
    a_door_is_opened_without_a_badge: "unauthorised-door-access.toml",
    a_visit_is_over_and_the_visitor_is_not_gone: "visitor-breach.toml",
    a_pump_is_carried_off: "equipment-theft.toml",
    the_house_is_locked_down_for_the_night: "after-hours-lockdown.toml",
    a_contractor_comes_by_day_and_again_by_night: "contractor-visit.toml",
    an_evacuation_is_drilled: "evacuation-drill.toml",
}

/// Steps that may stand in a file and that no use case needs do what they say as well.
#[test]
fn a_band_is_cut_a_leave_ends_and_a_fire_is_told() {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plays/other-steps.toml"));
}

/// A use case whose text was changed, and the differences that must be told.
#[track_caller]
fn check_changed(name: &str, changes: &[(&str, &str)], expected: &[&str]) {
    let mut text = fs::read_to_string(folder().join(name)).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{name} does not say {from}");
        text = text.replace(from, to);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("changed.toml");
    fs::write(&file, text).unwrap();
    let (code, story) = play(&file);
    assert_eq!(code, Some(1), "{story:#}");
    let told: Vec<&str> =
        story["differences"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(told, expected);
}

#[test]
fn what_is_otherwise_than_expected_is_told() {
    check_changed(
        "unauthorised-door-access.toml",
        &[
            (r#"place = "door-drug-store""#, r#"place = "door-pharmacy""#),
            (r#"answer = "denied""#, r#"answer = "granted""#),
            ("mode = \"blocked\"", "mode = \"unlocked\""),
        ],
        &[
            "at 02:10:50.0 alarm forced could not be answered: it was not raised",
            "at 02:11:30.0 a badge at door door-drug-store was denied, expected otherwise",
            "alarm forced was never raised: high door forced at door-pharmacy, rule door-forced, 02:10:20 to 02:10:20",
            "door door-drug-store was not told to be unlocked by lockdown from 02:11:00 to 02:11:00; it was told \
             locked as it rests at 02:00:00.0; blocked by lockdown at 02:11:00.0; locked as it rests at 02:18:00.0",
            "an alarm that is not expected: 02:10:20.0 high door forced at door-drug-store, rule door-forced",
            "an order that is not expected: 02:11:00.0 door-drug-store blocked by lockdown",
        ],
    );
}

#[test]
fn an_alarm_that_comes_late_or_ends_otherwise_is_told() {
    check_changed(
        "elopement.toml",
        &[
            ("raised = [\"14:06:04\", \"14:06:10\"]", "raised = [\"14:05:00\", \"14:05:30\"]"),
            ("passed_on_to = [\"charge-nurse\"]", ""),
            ("over_with = \"closed\"\nover = [\"14:12:00\", \"14:12:00\"]", ""),
            (
                "kind = \"elopement\"\npriority = \"high\"",
                "kind = \"elopement\"\npriority = \"low\"",
            ),
        ],
        &[
            "alarm left was raised at 14:06:07.0, expected from 14:05:00 to 14:05:30",
            "alarm left is high, expected low",
            "alarm left was passed on to charge-nurse, expected to nobody",
            "alarm left was over with closed at 14:12:00.0, expected that it stays open",
        ],
    );
}

#[test]
fn a_door_that_is_given_back_unasked_or_held_otherwise_is_told() {
    let given_back = "[[order]]\ndoors = [\"door-logistics\"]\nmode = \"locked\"\ntold = [\"22:04:00\", \"22:04:00\"]\n";
    check_changed(
        "visitor-breach.toml",
        &[
            (given_back, ""),
            ("until = [\"22:32:30\", \"22:32:30\"]", "until = [\"22:40:00\", \"22:41:00\"]"),
        ],
        &[
            "door door-logistics was told to be blocked by operator until 22:32:30.0, expected from 22:40:00 to 22:41:00",
            "an order that is not expected: 22:04:00.0 door-logistics locked as it rests",
        ],
    );
    // At the edge of its hours an entrance may be told anything its hours say, and at no other time.
    check_changed(
        "after-hours-lockdown.toml",
        &[
            (
                "doors = [\"main-entrance\", \"ambulance-entrance\", \"staff-entrance\", \"fire-exit-west\", \
                 \"fire-exit-east\"]\nmode = \"locked\"",
                "doors = [\"ambulance-entrance\", \"staff-entrance\", \"fire-exit-west\", \"fire-exit-east\"]\n\
                 mode = \"locked\"",
            ),
            (
                "doors = [\"main-entrance\", \"ambulance-entrance\", \"staff-entrance\"]\nmode = \"locked\"",
                "doors = [\"ambulance-entrance\", \"staff-entrance\"]\nmode = \"locked\"",
            ),
        ],
        &["an order that is not expected: 22:00:00.0 main-entrance locked as it rests"],
    );
}

/// Of three files the first is no use case and the second is not there.
#[test]
fn what_is_wrong_with_one_file_keeps_none_from_being_played() {
    let other = tempfile::tempdir().unwrap();
    let bad = other.path().join("bad.toml");
    fs::write(&bad, "goal = 1").unwrap();
    let missing = other.path().join("missing.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_fleet"))
        .args(["play", "--json"])
        .args([bad, missing, folder().join("contractor-visit.toml")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let out = String::from_utf8(output.stdout).unwrap();
    let told: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(told[0]["error"].as_str().unwrap().contains("goal"), "{out}");
    assert!(told[1]["error"].as_str().unwrap().contains("could not read it"), "{out}");
    assert_eq!((told.len(), &told[2]["as_expected"]), (3, &true.into()), "{out}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("bad.toml: ") && said.contains("missing.toml: could not read it"),
        "{said}"
    );
}

#[test]
fn what_a_site_does_not_have_is_said_before_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    let text = "goal = \"g\"\nsite = \"sample\"\nstart = \"2026-11-24 14:00:00\"\nend = \"14:01:00\"\n\
                [[step]]\nat = \"14:00:00\"\ndoes = \"opens\"\ndoor = \"no-such-door\"\n";
    fs::write(&file, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fleet")).arg("play").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the site has no door no-such-door with a feed"), "{said}");
}
