//! House rules no linter knows.

use std::fs;

use crate::files::{files_named, files_with_extension, source_files};
use crate::layers::root;

const FILE_LINES_MAX: usize = 500;
/// Names that say nothing.
const BANNED_FILES: &[&str] =
    &["common", "data", "helper", "helpers", "impls", "info", "manager", "misc", "util", "utils"];
/// Words of a workshop; the product speaks of itself only.
const FOREIGN_WORDS: &[&str] = &["TODO", "FIXME", "XXX", "todo!(", "unimplemented!("];

#[test]
fn every_source_file_opens_with_what_it_is_for() {
    for path in source_files() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} lacks a `//!` opening line", path.display());
    }
}

#[test]
fn no_source_file_outgrows_a_sitting() {
    for path in source_files() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_source_file_has_a_name_that_says_nothing() {
    for path in source_files() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!BANNED_FILES.contains(&stem.as_str()), "{} says nothing", path.display());
    }
}

#[test]
fn nothing_unfinished_is_marked_and_left() {
    let this = root().join("xtask/src/tidy.rs");
    let documents = files_with_extension("md");
    for path in source_files().into_iter().chain(documents).filter(|path| *path != this) {
        let text = fs::read_to_string(&path).unwrap();
        for word in FOREIGN_WORDS {
            assert!(!text.contains(word), "{} holds `{word}`", path.display());
        }
    }
}

/// A test that is switched off proves nothing and is forgotten.
#[test]
fn no_test_is_switched_off() {
    let this = root().join("xtask/src/tidy.rs");
    for path in source_files().into_iter().filter(|path| *path != this) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("#[ignore"), "{} switches a test off", path.display());
    }
}

/// `unsafe` is forbidden by a lint that every crate must inherit.
#[test]
fn every_crate_inherits_the_lints() {
    for path in files_named("Cargo.toml") {
        let text = fs::read_to_string(&path).unwrap();
        let inherits = text.contains("[lints]\nworkspace = true") || text.contains("[workspace]");
        assert!(inherits, "{} does not inherit the workspace's lints", path.display());
    }
}

/// `matches!(..);` as a statement throws its answer away, so a test built on it cannot fail. The
/// compiler and clippy (1.95, pedantic) both let it pass.
#[test]
fn no_test_throws_its_answer_away() {
    for path in source_files() {
        let text = fs::read_to_string(&path).unwrap();
        let thrown = thrown_away_matches(&text);
        assert_eq!(thrown, None, "{}: write assert!(matches!(..))", path.display());
    }
}

/// The first line, counted from one, on which a `matches!` starts whose answer nobody uses.
fn thrown_away_matches(text: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    // `let answer =` on the line before, as rustfmt breaks long ones, uses it.
    let is_assigned = |start: usize| start > 0 && lines[start - 1].trim_end().ends_with('=');
    (0..lines.len())
        .find(|&start| is_thrown_away(&lines[start..]) && !is_assigned(start))
        .map(|start| start + 1)
}

fn is_thrown_away(lines: &[&str]) -> bool {
    let first = lines[0];
    if !first.trim_start().starts_with("matches!(") {
        return false;
    }
    // rustfmt closes a broken call at the indentation it was opened with.
    let indent = first.len() - first.trim_start().len();
    let closes = |line: &&&str| line.get(..indent + 1).is_some_and(|head| head.ends_with(')'));
    let last = lines[1..].iter().find(closes).filter(|_| first.ends_with('(')).unwrap_or(&first);
    last.ends_with(';')
}

#[test]
fn a_thrown_away_matches_is_told_from_a_used_one() {
    let check = |text: &str, expected| assert_eq!(thrown_away_matches(text), expected, "{text}");
    check("    matches!(x, Some(_));", Some(1));
    check("    matches!(\n        x,\n        Some(_)\n    );", Some(1));
    check("    matches!(x, Some(_))\n}", None);
    check("    matches!(\n        x,\n        Some(_)\n    )\n}\nlet y = f();", None);
    check("    assert!(matches!(x, Some(_)));", None);
    check("    let is_some =\n        matches!(x, Some(_));", None);
    check("    let other = 1;\n    matches!(x, Some(_));", Some(2));
}

/// Every decision record is listed in the index, and the index lists nothing else.
#[test]
fn the_index_of_decisions_is_whole() {
    let folder = root().join("docs/decisions");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let is_listed = name == "README.md" || index.contains(&format!("({name})"));
        assert!(is_listed, "docs/decisions/README.md does not list {name}");
    }
    for link in index.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
        assert!(folder.join(link.0).exists(), "docs/decisions/README.md lists {}", link.0);
    }
}

/// Links between the documents lead somewhere.
#[test]
fn no_document_links_to_nothing() {
    for path in files_with_extension("md") {
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let target = link.0.split('#').next().unwrap_or_default();
            let is_outside = target.contains("://") || target.is_empty();
            let there = path.parent().unwrap().join(target);
            assert!(is_outside || there.exists(), "{} links to {target}", path.display());
        }
    }
}
