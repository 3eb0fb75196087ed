//! Rules put into a site that is journaled.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test panics"
)]

use std::fs;
use std::path::Path;

use ach_actors_model::{NS_PER_S, SiteConfig};
use ach_engine_site::{FindingKind, RuleBook, SiteDirectory, sample_hospital, write_example};
use tempfile::tempdir;

fn config(root: &Path) -> SiteConfig {
    SiteDirectory::read(root).unwrap_or_else(|found| panic!("{found}")).directory.config(3).unwrap()
}

#[test]
fn a_sites_own_rules_change_nothing() {
    for is_sample in [false, true] {
        let folder = tempdir().unwrap();
        let root = folder.path().join("site");
        if is_sample {
            sample_hospital().directory.write(&root).unwrap();
        } else {
            write_example(&root).unwrap();
        }
        let site = config(&root);
        let book = RuleBook::read(&root.join("rules.toml")).unwrap();
        let (swapped, warnings) = book.put_into(&site).unwrap();
        assert_eq!(swapped, site);
        assert!(warnings.is_empty(), "{warnings}");
        let none = RuleBook::read(&root.join("site.toml"));
        assert!(none.is_err(), "another file is no rules");
    }
}

/// A feed may be silent for as long as the most closely watched of its tags: by the rules there are.
#[test]
fn the_silence_of_a_feed_follows_the_rules() {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let file = |name: &str| folder.path().join(name);
    let text = fs::read_to_string(file("site.toml")).unwrap();
    fs::write(file("site.toml"), text.replace("silence = \"30 s\"", "")).unwrap();
    let site = config(folder.path());
    let silence_s = |site: &SiteConfig| site.sources[0].silence_ns.map(|ns| ns / NS_PER_S);
    assert_eq!(silence_s(&site), Some(300));
    let text = fs::read_to_string(file("rules.toml")).unwrap();
    let swapped = |after: &str| {
        let text = text.replace("after = \"5 min\"", &format!("after = \"{after}\""));
        fs::write(file("new.toml"), text).unwrap();
        RuleBook::read(&file("new.toml")).unwrap().put_into(&site).unwrap().0
    };
    assert_eq!(silence_s(&swapped("1 min")), Some(60));
    assert_eq!(silence_s(&swapped("20 min")), Some(1_200));
    assert_eq!(swapped("5 min"), site);
}

#[test]
fn what_a_site_does_not_have_is_told_with_its_place() {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let site = config(folder.path());
    let text = fs::read_to_string(folder.path().join("rules.toml")).unwrap();
    let new = folder.path().join("new.toml");
    fs::write(&new, text.replace("zones = [\"day-room\"]", "zones = [\"dayroom\"]")).unwrap();
    let found = RuleBook::read(&new).unwrap().put_into(&site).unwrap_err();
    let finding = found.iter().find(|it| it.kind == FindingKind::UnknownZone).unwrap();
    assert_eq!((finding.file.as_str(), finding.place.as_str()), ("new.toml", "rule crowded"));
    fs::write(&new, text.replace("labels = [\"dementia\"]", "labels = [\"demenita\"]")).unwrap();
    let (_, warnings) = RuleBook::read(&new).unwrap().put_into(&site).unwrap();
    assert!(warnings.iter().any(|it| it.kind == FindingKind::EmptySelection), "{warnings}");
}

/// Doors were recorded to do what the responses in force told them.
#[test]
fn rules_that_are_tried_keep_the_responses_that_were_in_force() {
    let folder = tempdir().unwrap();
    let sample = sample_hospital().directory;
    sample.write(&folder.path().join("site")).unwrap();
    let site = config(&folder.path().join("site"));
    let text = fs::read_to_string(folder.path().join("site/rules.toml")).unwrap();
    let new = folder.path().join("new.toml");
    let text = text.replace("as = \"locked\"", "as = \"blocked\"");
    let text = text.replacen(
        "what = \"band_cut\"",
        "what = \"band_cut\"\nresponses = [\"hold-memory-care\"]",
        1,
    );
    fs::write(&new, text).unwrap();
    let (swapped, _) = RuleBook::read(&new).unwrap().put_into(&site).unwrap();
    assert_eq!(swapped, site);
    let locks = |rule: &&ach_actors_model::RuleConfig| !rule.answer.responses.is_empty();
    assert_eq!(swapped.rules.iter().filter(locks).count(), 1);
}
