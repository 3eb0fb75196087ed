//! Whatever the files hold, reading ends with findings and never with a panic.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a failed test panics")]

use std::fs;
use std::path::Path;

use ach_engine_site::{FindingKind, Findings, SiteDirectory, write_example};
use tempfile::tempdir;

const FILES: [&str; 5] =
    ["site.toml", "people.toml", "equipment.toml", "rules.toml", "floors/ground.geojson"];

fn findings(root: &Path) -> Findings {
    match SiteDirectory::read(root) {
        Ok(reading) => {
            // What is accepted can also be compiled.
            reading.directory.config(1).unwrap();
            reading.warnings
        }
        Err(findings) => {
            assert!(findings.has_errors());
            findings
        }
    }
}

/// `SplitMix64`, as the sample hospital's.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % limit
    }
}

/// Cuts, doubles, overwrites and moves pieces of one file at a time.
#[test]
fn mutilated_files_end_in_findings() {
    const ROUNDS: usize = 600;
    const SCRAPS: [&str; 12] = [
        "nan",
        "-inf",
        "1e999",
        "9223372036854775808",
        "\"",
        "[[",
        "]]",
        "{",
        "null",
        "\u{0}",
        "= =",
        "-1",
    ];
    let seed = 20_261_122;
    println!("seed {seed}");
    let mut random = Random(seed);
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let mut refused_count = 0;
    for round in 0..ROUNDS {
        let file = folder.path().join(FILES[round % FILES.len()]);
        let sound = fs::read(&file).unwrap();
        let mut bytes = sound.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            let length = random.below(40).min(bytes.len() - at);
            match random.below(4) {
                0 => drop(bytes.drain(at..at + length)),
                1 => {
                    let piece = bytes[at..at + length].to_vec();
                    bytes.splice(at..at, piece);
                }
                2 => {
                    let scrap = SCRAPS[random.below(SCRAPS.len())];
                    bytes.splice(at..at + length, scrap.bytes());
                }
                _ => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            }
        }
        fs::write(&file, &bytes).unwrap();
        let found = findings(folder.path());
        refused_count += usize::from(found.has_errors());
        for finding in &found {
            assert!(!finding.file.is_empty() && !finding.remedy.is_empty(), "{finding}");
            assert!(!finding.to_string().contains('\u{1b}'));
        }
        fs::write(&file, &sound).unwrap();
    }
    assert!(refused_count > ROUNDS / 4, "{refused_count} of {ROUNDS} were refused");
}

#[test]
fn depth_is_bounded_in_every_format() {
    const DEPTH: usize = 100_000;
    for (file, text) in [
        ("rules.toml", format!("rule = {}", "[".repeat(DEPTH))),
        ("people.toml", format!("person = {}", "{a=".repeat(DEPTH))),
        ("site.toml", format!("[{}]", vec!["a"; DEPTH].join("."))),
        ("floors/ground.geojson", "{\"a\":".repeat(DEPTH)),
    ] {
        let folder = tempdir().unwrap();
        write_example(folder.path()).unwrap();
        fs::write(folder.path().join(file), text).unwrap();
        let found = findings(folder.path());
        assert!(found.has_errors(), "{file}");
    }
}

/// A broken list of 20,000 people tells at most a thousand mistakes, in time in line with its size.
#[test]
fn findings_are_bounded() {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let people: Vec<String> = (0..20_000)
        .map(|number| format!("[[person]]\nid = \"p {number}\"\nclass = \"patient\"\n"))
        .collect();
    fs::write(folder.path().join("people.toml"), people.concat()).unwrap();
    let found = findings(folder.path());
    assert_eq!(found.iter().count(), ach_engine_site::FINDINGS_MAX);
    assert!(found.iter().all(|finding| finding.kind == FindingKind::BadValue));
}

/// A file's name must not steer the terminal of whoever runs the check.
#[test]
fn control_characters_in_file_names_are_escaped() {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    fs::write(folder.path().join("floors/\u{1b}[31m.geojson"), "{}").unwrap();
    let told = findings(folder.path()).to_string();
    assert!(told.contains("floors/\\u{1b}[31m.geojson"), "{told}");
    assert!(!told.contains('\u{1b}'));
}
