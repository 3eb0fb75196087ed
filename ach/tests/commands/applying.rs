//! A site directory put in force on a running node: taken, refused with reasons, kept over a start.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use super::node::{SERVE, Served, site};
use super::{ach, check};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn append(file: &Path, text: &str) {
    let before = fs::read_to_string(file).unwrap_or_default();
    fs::write(file, format!("{before}{text}")).unwrap();
}

#[test]
fn an_edited_directory_comes_into_force_is_refused_when_it_is_older_and_stays_over_a_start() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let to = format!("--node {} --credentials desk", node.address);
    check(at, &format!("site apply site {to}"), 0, &["version 1 is in force", "already"]);
    copy(&at.join("site"), &at.join("old"));
    append(&at.join("site/equipment.toml"), "\n[[equipment]]\nid = \"crane\"\n");
    check(at, &format!("site apply site {to} --dry-run"), 0, &["version 1", "it would be taken"]);
    let said = check(at, &format!("site apply site {to} --json"), 0, &[]);
    let verdict: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&verdict["version"], &verdict["is_done"]), (&2.into(), &true.into()), "{verdict}");
    assert!(verdict["index"].as_u64() > Some(0), "{verdict}");

    append(&at.join("old/equipment.toml"), "\n[[equipment]]\nid = \"ladder\"\n");
    let stale = ["code 98", "made from version 1, in force is 2", "Nothing was changed"];
    check(at, &format!("site apply old {to}"), 3, &stale);
    fs::remove_file(at.join("old/.in-force")).unwrap();
    check(at, &format!("site apply old {to}"), 1, &["does not say", "--from 2"]);
    append(&at.join("old/site.toml"), "\nnonsense = 1\n");
    check(at, &format!("site apply old {to} --from 2"), 1, &["nonsense", "mend them"]);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    check(
        at,
        "audit show data --count 100",
        0,
        &[
            "operator desk",
            "site_put_in_force  begun  site example version 2",
            "site_put_in_force  refused",
            "site_judged  done",
        ],
    );

    // A start with the directory of the first start does not put the first version back.
    fs::remove_dir_all(at.join("old")).unwrap();
    copy(&at.join("site"), &at.join("new"));
    let without = fs::read_to_string(at.join("site/equipment.toml")).unwrap();
    let without = without.replace("\n[[equipment]]\nid = \"crane\"\n", "");
    fs::write(at.join("site/equipment.toml"), without).unwrap();
    fs::remove_file(at.join("site/.in-force")).unwrap();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    let to = format!("--node {} --credentials desk", node.address);
    let said = check(at, &format!("status {to} --json"), 0, &[]);
    let status: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(status["counters"]["shard_site_version"], 2, "{status}");
    check(at, &format!("site apply new {to}"), 0, &["version 2 is in force", "already"]);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}

#[test]
fn who_may_not_command_may_not_apply() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "receiver enrol wall --data data --out wall", 0, &[]);
    let words = format!("site apply site --node {} --credentials wall", node.address);
    check(at, &words, 1, &["takes an operator's"]);
    let said = ach(at, "site apply nowhere --credentials wall");
    assert_eq!(said.code, Some(1), "{said:?}");
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}
