//! Every `ach` command in the README is one that the program understands.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::path::Path;
use std::process::Command;

/// What follows `$ ach` in the README's console blocks.
fn commands() -> Vec<Vec<String>> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("$ "));
    lines
        .filter_map(|line| {
            line.strip_prefix("ach ").or_else(|| line.strip_prefix("cargo run --release -- "))
        })
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

/// Asked for help after all its other words, a command refuses those it does not know.
#[test]
fn the_readme_types_only_what_the_program_understands() {
    let commands = commands();
    assert!(commands.len() >= 8, "{commands:?}");
    for words in commands {
        let output =
            Command::new(env!("CARGO_BIN_EXE_ach")).args(&words).arg("--help").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ach {}: {said}", words.join(" "));
        let help = String::from_utf8_lossy(&output.stdout);
        assert!(help.contains("Usage: ach"), "ach {}: {help}", words.join(" "));
    }
}

#[test]
fn a_word_that_the_program_does_not_know_is_refused_before_help_is_given() {
    let output = Command::new(env!("CARGO_BIN_EXE_ach"))
        .args(["serve", "--sight", "my-site", "--help"])
        .output()
        .unwrap();
    assert!(!output.status.success());
}
