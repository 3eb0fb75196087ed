//! Certificates renewed, revoked and listed, while a node runs and when it is started again.

use std::process::Stdio;

use rustix::process::Signal;

use super::check;
use super::looking::Tailing;
use super::node::{SERVE, Served, site};

#[test]
fn who_is_revoked_is_cut_off_a_running_node_and_a_renewed_certificate_is_let_in() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(
        at,
        "receiver renew wall --data data --out wall",
        1,
        &["no certificate of receiver wall"],
    );
    check(at, "receiver enrol wall --data data --out wall", 0, &["receiver wall of example"]);
    check(at, "receiver list --data data", 0, &["wall", "good"]);
    let to = format!("--node {}", node.address);
    let mut tail = Tailing::start(at, &format!("{to} --credentials wall"));
    tail.until("open_set_end");
    check(
        at,
        "receiver revoke wall --data data",
        0,
        &["receiver wall is revoked", "within seconds"],
    );
    tail.until("disconnected");
    check(at, &format!("tail alarms {to} --credentials wall"), 1, &["revoked (code 41)"]);
    check(at, "receiver list --data data", 0, &["wall", "revoked"]);
    check(at, "receiver renew wall --data data --out wall-2", 0, &["written to wall-2"]);
    check(at, "receiver list --data data --json", 0, &["\"state\":\"good\""]);
    let mut tail = Tailing::start(at, &format!("{to} --credentials wall-2"));
    tail.until("open_set_end");
    drop(tail);
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));

    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    let to = format!("--node {}", node.address);
    check(at, &format!("tail alarms {to} --credentials wall"), 1, &["revoked (code 41)"]);
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    check(
        at,
        "audit show data --count 100",
        0,
        &[
            "enrolled  done  receiver_certificate wall",
            "renewed  done  receiver_certificate wall",
            "revoked  done  receiver_certificate wall",
        ],
    );
}

#[test]
fn a_name_that_was_mistyped_is_revoked_and_asked_about() {
    let folder = site();
    let at = folder.path();
    check(at, "vendor revoke rtsl --data data", 1, &["is no data directory"]);
    let node =
        Served::start(at, &format!("{SERVE} --until-stdin-ends"), Stdio::null(), Stdio::null());
    assert_eq!(node.ended(), Some(0));
    check(at, "vendor revoke rtsl --data data", 0, &["was the name meant?"]);
    check(at, "vendor revoke r/l --data data", 2, &[]);
}

/// As a script does, or somebody who corrects himself: all within a second.
#[test]
fn who_is_revoked_again_at_once_is_out_with_the_certificate_he_got_between() {
    let folder = site();
    let at = folder.path();
    let node =
        Served::start(at, &format!("{SERVE} --until-stdin-ends"), Stdio::null(), Stdio::null());
    assert_eq!(node.ended(), Some(0));
    check(at, "receiver enrol wall --data data --out wall", 0, &[]);
    for round in 0..3 {
        check(at, "receiver revoke wall --data data", 0, &["receiver wall is revoked"]);
        check(at, "receiver list --data data", 0, &["wall", "revoked"]);
        check(at, &format!("receiver renew wall --data data --out wall-{round}"), 0, &[]);
        check(at, "receiver list --data data", 0, &["wall", "good"]);
    }
}
