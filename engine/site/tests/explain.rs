//! Rules in plain English: every condition, with gates and hours.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test panics"
)]

use std::fs;

use ach_actors_model::Timestamp;
use ach_engine_site::{Explainer, SiteDirectory, sample_hospital, write_example};
use tempfile::tempdir;

/// 23 November 2026, seven o'clock UTC.
const NOW: Timestamp = Timestamp(1_795_417_200_000_000_000);

/// What is told of one rule in the example site.
#[track_caller]
fn told(rule: &str) -> String {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let text = format!("[[rule]]\nid = \"one\"\nname = \"A misleading name\"\n{rule}\n");
    fs::write(folder.path().join("rules.toml"), text).unwrap();
    let site = SiteDirectory::read(folder.path()).unwrap_or_else(|found| panic!("{found}")).directory;
    let text = Explainer::new(&site, NOW).rule("one").unwrap().text;
    assert!(!text.contains("misleading"), "{text}");
    text
}

#[track_caller]
fn check(rule: &str, expected: &str) {
    assert_eq!(told(rule), expected);
}
