//! Rules scored on walks whose truth is known.

use std::fs;

use serde_json::Value;

use super::check;
use super::history::objects;

const QUIET: &str = "sigma_mm = 0\ndrift_mm = 0\nwall_mm = 0\njump_begins = 0\n";

#[test]
fn a_site_is_scored() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    check(at, "site sample sample", 0, &[]);
    // So few hours tell little of tentative alarms: their interval is wide.
    let said = check(at, "rules score sample --hours 40 --json", 3, &[]);
    let said = objects(&said);
    let whole = &said[0];
    assert_eq!((&whole["event"], &whole["seed"]), (&"score".into(), &42.into()), "{whole}");
    assert_eq!((&whole["tag_hours"], &whole["lives"]), (&40.into(), &40.into()), "{whole}");
    let held = &whole["held"];
    assert_eq!((&held["zones"], &held["rules"]), (&true.into(), &true.into()), "{held}");
    let zones = said.iter().find(|table| table["of"] == "zones").unwrap();
    let wrong = |judge: &str| zones[judge]["false"].as_u64().unwrap();
    assert!(wrong("plain") > 3 * wrong("omlox") && wrong("omlox") > 3 * wrong("ours"), "{zones}");
    let rules: Vec<&Value> = said.iter().filter(|table| table["rule"].is_string()).collect();
    assert!(rules.iter().any(|table| table["rule"] == "dementia-elopement"), "{rules:?}");
}

#[test]
fn a_seed_tells_the_same_twice_and_noise_is_what_makes_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    check(at, "site new site", 0, &[]);
    fs::write(at.join("quiet.toml"), QUIET).unwrap();
    let run = "rules score site --hours 10 --noise quiet.toml";
    let parts =
        ["site with the noise of quiet.toml, seed 42", "10 tag-hours in 10 lives", "elopement"];
    let said = check(at, run, 0, &parts);
    let tables = |text: &str| text.lines().skip(2).collect::<Vec<_>>().join("\n");
    assert_eq!(tables(&check(at, run, 0, &[]).out), tables(&said.out));
    assert_ne!(
        tables(&check(at, &format!("{run} --seed 7"), 0, &["seed 7"]).out),
        tables(&said.out)
    );
    assert!(said.out.contains("untried   false transitions of zones"), "{}", said.out);
    // Rules without gates are the plain test.
    let rules = fs::read_to_string(at.join("site/rules.toml")).unwrap();
    let plain = "gates = { entry_margin_m = 0 }\n";
    let edit =
        |line: &str| if line.starts_with("gates") { plain.to_owned() } else { format!("{line}\n") };
    let rules: String = rules.lines().map(edit).collect();
    fs::write(at.join("plain.toml"), rules).unwrap();
    let parts = ["NOT HELD  false alarms of rules", "may be 0.1"];
    check(at, "rules score site --hours 10 --rules plain.toml", 3, &parts);
}

#[test]
fn what_cannot_be_scored_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    check(at, "rules score none", 1, &["none does not exist"]);
    check(at, "site new site", 0, &[]);
    check(at, "rules score site --noise none.toml", 1, &["cannot read none.toml"]);
    fs::write(at.join("noise.toml"), "sigma = 5\n").unwrap();
    check(at, "rules score site --noise noise.toml", 1, &["noise.toml is no noise", "sigma_mm"]);
    fs::write(at.join("noise.toml"), "loss_begins = 2\n").unwrap();
    let told = ["noise.toml: `loss_begins` is 2; it is a share"];
    check(at, "rules score site --noise noise.toml", 1, &told);
    check(at, "rules score site --rules none.toml", 1, &["none.toml", "the file is missing"]);
    check(at, "rules score site --hours 0", 2, &["0 is not in 1..=100000"]);
    fs::write(at.join("site/people.toml"), "").unwrap();
    fs::write(at.join("site/equipment.toml"), "").unwrap();
    check(at, "rules score site", 1, &["has a tag"]);
}
