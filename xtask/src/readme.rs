//! The README's promises about commands are kept by the commands themselves.

use std::fs;

use crate::layers::root;

/// What follows `$ ` in the README's console blocks.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    readme.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

#[test]
fn the_first_command_runs_the_main_job_and_the_second_the_tests() {
    let cargo: Vec<String> =
        commands().into_iter().filter(|command| command.starts_with("cargo ")).collect();
    assert_eq!(cargo.first().map(String::as_str), Some("cargo run --release -- demo"));
    assert_eq!(cargo.get(1).map(String::as_str), Some("cargo test --workspace"));
}

#[test]
fn the_readme_states_the_toolchain_of_the_manifest() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \""))
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .to_owned();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("Rust {version}")), "README must name Rust {version}");
}

#[test]
fn continuous_integration_takes_the_test_command_from_the_readme() {
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(script.contains("README.md"), ".ci/run must read the README's commands");
}
