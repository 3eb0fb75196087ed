//! What an operator asks of a machine and a node, and that no answer holds a name.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::node::{SERVE, Served};
use super::{ach, check};

/// A person who is in the site and must be nowhere else.
const PERSON: &str = "Zephyrine Quandt-Ostrowski";
/// What stands in for a note about a tag.
const NOTE: &str = "zq-tag-note-4711";

#[test]
fn the_doctor_looks_at_everything_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    check(at, "site new site", 0, &[]);
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let said = ach(at, "doctor --data data --credentials desk --json");
    // The disk of the machine that tests may be in memory: that is wrong, and told so.
    assert!(matches!(said.code, Some(0 | 3)), "{said:?}");
    let findings: Vec<Value> =
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let whats: Vec<&str> = findings.iter().map(|it| it["what"].as_str().unwrap()).collect();
    let expected = [
        "disk kind",
        "disk room",
        "disk speed",
        "cores",
        "clock source",
        "clock",
        "open files",
        "udp buffers",
        "node cert",
        "authority",
        "journal key",
        "audit log",
        "history",
        "credentials",
        "it carries",
    ];
    assert_eq!(whats, expected);
    let page = include_str!("../../../docs/errors/doctor.md");
    for finding in &findings {
        let what = finding["what"].as_str().unwrap();
        assert!(page.contains(&format!("`{what}`")), "doctor.md does not explain {what}");
        assert_eq!(finding["verdict"] == "ok", finding["remedy"].is_null(), "{finding}");
    }
    let is_wrong = findings.iter().any(|finding| finding["verdict"] == "wrong");
    assert_eq!(said.code == Some(3), is_wrong);
    assert!(
        !at.join("data")
            .read_dir()
            .unwrap()
            .any(|it| { it.unwrap().file_name().to_string_lossy().starts_with("doctor") })
    );
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));

    fs::write(at.join("desk/cert.pem"), "no certificate\n").unwrap();
    check(at, "doctor --credentials desk", 3, &["wrong    credentials", "it is no certificate"]);
    check(at, "doctor --data nowhere", 1, &["nowhere is no directory"]);
}

#[test]
fn capacity_is_told_for_people_and_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let parts = ["1000 pings a second", "disk ", "memory ", "cores   2"];
    check(at, "capacity --tags 1000 --rate 1 --days 7", 0, &parts);
    let said = check(at, "capacity --tags 1000 --rate 1 --days 7 --json", 0, &[]);
    let needs: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(needs["pings_per_s"], 1_000);
    assert!(needs["disk_bytes"].as_u64() > needs["disk_bytes_per_day"].as_u64());
    check(at, "capacity --tags 0 --rate 1 --days 7", 2, &["--tags"]);
    check(at, "capacity --tags 10 --rate NaN --days 7", 2, &["between 0.00001 and 1000"]);
}

/// The sample hospital with a person and a note in it that are found again wherever they turn up.
fn site_with_names(at: &Path) {
    check(at, "site sample site", 0, &[]);
    let people = at.join("site/people.toml");
    let text = fs::read_to_string(&people).unwrap();
    let line = text.lines().find(|line| line.starts_with("name = ")).unwrap().to_owned();
    let text = text.replacen(&line, &format!("name = \"{PERSON}\""), 1);
    fs::write(&people, format!("# {NOTE}\n{text}")).unwrap();
    check(at, "site check site", 0, &[]);
}

/// Every id and name in the files of the site directory, and every secret of the data directory, that
/// could not stand in a text by chance.
fn secrets(at: &Path) -> Vec<String> {
    let mut secrets = vec![PERSON.to_owned(), NOTE.to_owned()];
    for file in ["people.toml", "equipment.toml", "site.toml", "rules.toml"] {
        let text = fs::read_to_string(at.join("site").join(file)).unwrap();
        let quoted = text.lines().filter_map(|line| {
            let (key, rest) = line.split_once(" = ")?;
            matches!(key.trim(), "id" | "name" | "tag" | "tags").then_some(rest)
        });
        for rest in quoted {
            secrets.extend(rest.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    for file in ["journal.key", "pki/ca-key.pem", "node/key.pem", "node/cert.pem"] {
        let text = fs::read_to_string(at.join("data").join(file)).unwrap();
        secrets.extend(text.lines().filter(|line| !line.starts_with("--")).map(str::to_owned));
    }
    // Shorter ones and bare words are words of the language as well.
    secrets.retain(|it| it.len() >= 8 && it.contains(|letter: char| !letter.is_ascii_lowercase()));
    secrets
}

#[test]
fn the_support_bundle_holds_numbers_and_not_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    site_with_names(at);
    let node =
        Served::start(at, &format!("{SERVE} --metrics 127.0.0.1:0"), Stdio::null(), Stdio::null());
    let metrics = node.metrics.clone().unwrap();
    let words =
        format!("support-bundle --data data --site site --metrics {metrics} --out out.tar.gz");
    check(at, &words, 0, &["out.tar.gz written"]);
    check(at, &words, 1, &["cannot write out.tar.gz", "choose another --out"]);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    let words = format!("support-bundle --data data --metrics {metrics} --out closed.tar.gz");
    check(at, &words, 0, &["closed.tar.gz written"]);

    let secrets = secrets(at);
    assert!(secrets.len() > 1_000, "only {} secrets were looked for", secrets.len());
    let parts = unpack(&at.join("out.tar.gz"));
    let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "README.txt",
        "versions.json",
        "doctor.jsonl",
        "journal.json",
        "audit.json",
        "data.json",
        "site.json",
        "metrics.txt",
    ];
    assert_eq!(names, expected.map(|name| format!("ach-support/{name}")));
    let path = at.display().to_string();
    for (name, text) in parts.iter().chain(&unpack(&at.join("closed.tar.gz"))) {
        for secret in secrets.iter().chain([&path]) {
            assert!(!text.contains(secret.as_str()), "{name} holds `{secret}`");
        }
    }
    let part = |at: usize| -> Value { serde_json::from_str(&parts[at].1).unwrap() };
    assert_eq!((&part(3)["is_sound"], &part(3)["had_key"]), (&true.into(), &true.into()));
    assert_eq!((&part(4)["is_sound"], &part(4)["had_key"]), (&true.into(), &true.into()));
    assert!(part(6)["patients"].as_u64() > Some(100), "{}", parts[6].1);
    assert!(parts[7].1.contains("ach_entries_committed_total"));
}

fn unpack(path: &Path) -> Vec<(String, String)> {
    let file = fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.path().unwrap().display().to_string(), text)
        })
        .collect()
}

/// The log of a node is JSON if asked for, and knows people as little as its metrics do, also when it
/// says everything it can say, when people raise alarms and strangers knock.
#[test]
fn the_log_is_structured_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    site_with_names(at);
    let log = fs::File::create(at.join("log")).unwrap();
    let node = Served::start(at, SERVE, Stdio::null(), log.into());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    check(at, "vendor enrol rtls --data data --out rtls", 0, &[]);
    let to = format!("--node {}", node.address);
    let people = fs::read_to_string(at.join("site/people.toml")).unwrap();
    let id = people.lines().find_map(|line| line.strip_prefix("id = \"")).unwrap();
    let id = id.trim_end_matches('"');
    check(at, &format!("actor quarantine subject {id} {to} --credentials desk"), 0, &["done"]);
    check(at, &format!("actor release subject {id} {to} --credentials desk"), 0, &["done"]);
    check(at, &format!("actor release subject {PERSON} {to} --credentials desk"), 2, &[]);
    check(at, &format!("status {to} --credentials desk --server-name other"), 1, &[]);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    let log = fs::read_to_string(at.join("log")).unwrap();
    assert!(log.lines().count() > 5, "{log}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        assert!(line["fields"]["message"].is_string(), "{line}");
    }
    let names: Vec<&str> = people
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .collect();
    assert!(names.len() > 100 && names.contains(&PERSON));
    for name in names.iter().copied().chain([NOTE]) {
        assert!(!log.contains(name), "the log names {name}");
    }
}
