//! The audit log as an auditor reads it: shown, verified, proved, and found wrong.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use super::check;
use super::node::{SERVE, Served, site};

#[test]
fn what_was_done_is_shown_verified_and_proved() {
    let folder = site();
    let at = folder.path();
    check(at, "audit verify data", 1, &["is no data directory of a node"]);
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let status = format!("--node {} --credentials desk", node.address);
    let said = check(at, &format!("status {status} --json"), 0, &["\"is_audit_sound\":true"]);
    assert!(said.out.contains("audit_records_written"), "{said:?}");
    check(at, &format!("actor quarantine zone ward {status}"), 0, &["done, entry"]);
    check(at, "audit verify data", 0, &["sound"]);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));

    // A node that is not there takes nothing in; the command does.
    check(at, "receiver enrol wall --data data --out wall", 0, &[]);
    let shown = check(at, "audit show data --count 100", 0, &["administrator uid:"]);
    for part in [
        "node_started  done  node node-1  site example version 1",
        "enrolled  done  operator_certificate desk",
        "enrolled  done  receiver_certificate wall",
        "actor_set_aside  begun  zone ward",
        "actor_set_aside  done  zone ward",
        "node_stopped  done",
    ] {
        assert!(shown.out.contains(part), "`{part}` is missing: {}", shown.out);
    }
    let last = check(at, "audit show data --last 1 --json", 0, &["receiver_certificate"]);
    let record: Value = serde_json::from_str(&last.out).unwrap();
    let index = record["index"].as_u64().unwrap();
    check(at, &format!("audit prove data {index}"), 0, &["proved: record", "is in the log"]);
    check(at, &format!("audit prove data {}", index + 1), 1, &["counted from 0"]);

    let head = check(at, "audit head data", 0, &["hms-ach/example/node-1"]);
    fs::write(at.join("noted.txt"), &head.out).unwrap();
    check(at, "vendor enrol rtls --data data --out rtls", 0, &[]);
    check(at, "audit prove data --since noted.txt", 0, &["proved: the log of"]);
    let noted = "it begins as the noted head says";
    check(at, "audit verify data --head noted.txt", 0, &[noted]);
    let said = check(at, "audit verify data --head noted.txt --json", 0, &[]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["is_sound"], true, "{report}");
    assert_eq!(report["records"], index + 2, "{report}");
}

#[test]
fn an_edited_or_cut_log_and_a_log_written_anew_are_told_by_exit_code_3() {
    let folder = site();
    let at = folder.path();
    let serve = || {
        let words = format!("{SERVE} --until-stdin-ends");
        let node = Served::start(at, &words, Stdio::null(), Stdio::null());
        assert_eq!(node.ended(), Some(0));
    };
    serve();
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let head = check(at, "audit head data", 0, &[]);
    fs::write(at.join("noted.txt"), &head.out).unwrap();
    fs::copy(at.join("data/audit.pub"), at.join("kept.pub")).unwrap();
    let segment = at.join("data/audit/0000000000000001.aud");
    let intact = fs::read(&segment).unwrap();
    let word = intact.windows(4).position(|window| window == b"desk").unwrap();

    let mut edited = intact.clone();
    edited[word] = b'm';
    fs::write(&segment, &edited).unwrap();
    let said = check(at, "audit verify data --json", 3, &[]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["damage"]["segment"], 1, "{report}");
    let offset = usize::try_from(report["damage"]["offset"].as_u64().unwrap()).unwrap();
    assert!(offset <= word && word - offset < 256, "{report}: the edit is at {word}");
    check(at, "audit verify data", 3, &["WRONG: record", "the checksum does not fit"]);
    check(at, "audit show data --count 100", 3, &["what follows is wrong"]);
    check(at, "audit prove data 0", 1, &["nothing of it can be proved"]);
    // The node goes on, and says so.
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "operator enrol desk --data data --out desk-2", 0, &["cannot be written now"]);
    let status = format!("status --node {} --credentials desk-2", node.address);
    check(at, &status, 3, &["storing, AUDIT TROUBLE", "audit_trouble_damaged"]);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));

    let mut cut = intact;
    cut[word..].fill(0);
    fs::write(&segment, &cut).unwrap();
    check(at, "audit verify data", 3, &["WRONG: record"]);
    fs::remove_file(&segment).unwrap();
    check(at, "audit verify data", 3, &["the segment is missing"]);

    // Who moves all of it away and begins anew, with the same key or another, has no such head.
    fs::remove_dir_all(at.join("data/audit")).unwrap();
    serve();
    check(at, "audit verify data", 3, &["the segment is missing"]);
    check(at, "audit verify data --head noted.txt", 3, &["they were cut off"]);
    check(at, "doctor --data data", 3, &["there was one, and it is gone"]);
    fs::remove_file(at.join("data/audit.pub")).unwrap();
    check(at, "audit verify data --head noted.txt", 3, &["they were cut off"]);
    check(at, "audit verify data", 1, &["there is no audit log"]);
    serve();
    check(at, "audit verify data", 0, &["sound"]);
    check(at, "audit verify data --head noted.txt", 3, &["WRONG: the "]);
    fs::remove_dir_all(at.join("data/audit")).unwrap();
    fs::remove_file(at.join("data/audit.key")).unwrap();
    fs::remove_file(at.join("data/audit.pub")).unwrap();
    serve();
    check(at, "audit verify data --key kept.pub", 3, &["the head was signed with another key"]);
}

/// What another user lays down the node could not read, so nothing is laid down.
#[test]
fn who_does_not_own_the_directory_enrols_nobody() {
    let folder = site();
    let at = folder.path();
    let words = format!("{SERVE} --until-stdin-ends");
    assert_eq!(Served::start(at, &words, Stdio::null(), Stdio::null()).ended(), Some(0));
    if std::os::unix::fs::chown(at.join("data"), Some(54_321), None).is_err() {
        return ach_engine_trial::skipped("only root can give a directory to somebody else");
    }
    check(at, "vendor enrol acme --data data --out acme", 1, &["belongs to another user"]);
    assert!(!at.join("acme").exists());
    let beside = fs::read_dir(at.join("data/audit")).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "in")
    });
    assert_eq!(beside.count(), 0);
}
