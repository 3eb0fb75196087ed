//! What is quiet on a running node, and who wished it.

use std::process::Stdio;

use super::check;
use super::history::objects;
use super::node::{SERVE, Served, site};

#[test]
fn what_is_quiet_is_listed_with_both_names_and_what_waits_for_a_second_person() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    let mut to = Vec::new();
    for who in ["north", "south"] {
        check(at, &format!("operator enrol {who} --data data --out {who}"), 0, &[]);
        to.push(format!("--node {} --credentials {who}", node.address));
    }
    let [north, south] = &to[..] else { panic!("two") };
    check(at, &format!("alarms quiet {north}"), 0, &["nothing is quiet"]);

    check(at, &format!("alarms mute zone ward --for 2h --remark drill {north}"), 0, &["waits"]);
    let parts = ["waits", "zone ward", "to be muted for", "wished by north", "drill", "1 waiting"];
    check(at, &format!("alarms quiet {south}"), 0, &parts);
    let listed = objects(&check(at, &format!("alarms quiet {south} --json"), 0, &[]));
    assert_eq!(listed[0]["event"], "waits_for_second_person", "{listed:?}");
    assert_eq!((&listed[0]["by"], &listed[0]["waits_for_s"]), (&"north".into(), &7_200.into()));

    check(at, &format!("alarms mute zone ward --for 1h {south}"), 0, &["muted"]);
    check(at, &format!("alarms take-out door entrance --for 4h {south}"), 0, &[]);
    check(at, &format!("actor quarantine zone corridor {north}"), 0, &[]);
    let open = objects(&check(at, &format!("alarms open {north} --json"), 0, &[]));
    let id = open.iter().find(|it| it["place"]["id"] == "corridor").unwrap()["id"].clone();
    let id = id.as_str().unwrap();
    check(at, &format!("alarms shelve {id} --for 30m --remark painters {north}"), 0, &[]);
    // What ends first comes first; the first of two said what it is for.
    let parts = [
        "shelved         actor quarantined  at zone corridor  until",
        "muted           zone ward  until",
        "by north and south  \"drill\"",
        "out of service  door entrance  until",
        "3 quiet, 0 waiting",
    ];
    check(at, &format!("alarms quiet {north}"), 0, &parts);
    let listed = objects(&check(at, &format!("alarms quiet {north} --json"), 0, &[]));
    let ways: Vec<_> = listed.iter().filter_map(|it| it["way"].as_str()).collect();
    assert_eq!(ways, ["shelved", "muted", "out_of_service"], "{listed:?}");
    let muted = &listed[1];
    assert_eq!((&muted["asked_by"], &muted["by"]), (&"north".into(), &"south".into()), "{muted}");
    assert_eq!((&listed[0]["alarm"], &listed[3]["quiet"]), (&id.into(), &3.into()), "{listed:?}");

    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    let parts = ["south: mute zone ward", "south: take_out door entrance"];
    check(at, "journal show data", 0, &parts);

    // It is so after a start, too.
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    let north = format!("--node {} --credentials north", node.address);
    check(at, &format!("alarms quiet {north}"), 0, &["by north and south", "3 quiet"]);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}
