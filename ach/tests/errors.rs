//! Everything a person can be told by a code has its line in `docs/errors`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::path::Path;

use ach_engine_wire::Code;

fn read(relative: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(relative)).unwrap()
}

/// The rows of a page's tables, by their first column.
fn rows(page: &str) -> Vec<(String, String)> {
    let text = read(page);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.filter_map(|row| row.split_once(" | "));
    rows.map(|(first, rest)| (first.trim_matches('`').to_owned(), rest.to_owned())).collect()
}

#[test]
fn every_code_of_the_wire_has_its_line() {
    let rows = rows("docs/errors/codes.md");
    for code in Code::ALL {
        let again = if code.may_retry() { "yes" } else { "" };
        let start = format!("{} | {again} |", code.meaning());
        let row = rows.iter().find(|(number, _)| *number == code.value().to_string());
        let row = row.unwrap_or_else(|| panic!("docs/errors/codes.md lacks code {}", code.value()));
        assert!(row.1.starts_with(&start), "{row:?} should begin: {start}");
    }
    assert_eq!(rows.len(), Code::ALL.len() + 1, "the page has codes that are none");
}

/// The words of `FindingKind`, from its source: `BadValue` is `bad_value`.
fn finding_kinds() -> Vec<String> {
    let source = read("engine/site/src/finding.rs");
    let from = source.find("pub enum FindingKind {").unwrap();
    let body = &source[from..];
    let body = &body[body.find('{').unwrap() + 1..body.find('}').unwrap()];
    let variants = body.lines().filter_map(|line| line.trim().strip_suffix(','));
    let variants = variants.filter(|word| word.chars().all(|c| c.is_ascii_alphabetic()));
    let snake = |word: &str| {
        let mut snake = String::new();
        for letter in word.chars() {
            if letter.is_ascii_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        snake
    };
    variants.map(snake).collect()
}

#[test]
fn every_kind_of_finding_has_its_line_and_is_in_the_spec() {
    let kinds = finding_kinds();
    assert!(kinds.len() > 20, "{kinds:?}");
    let rows = rows("docs/errors/findings.md");
    let spec = read("docs/specs/site.md");
    for kind in &kinds {
        assert!(rows.iter().any(|(word, _)| word == kind), "docs/errors/findings.md lacks {kind}");
        assert!(spec.contains(&format!("`{kind}`")), "docs/specs/site.md lacks {kind}");
    }
    assert_eq!(rows.len(), kinds.len() + 1, "the page has kinds that are none");
}
