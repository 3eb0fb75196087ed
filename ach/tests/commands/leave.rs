//! Leave, as a desk types it: given, listed, told by the journal, ended, refused.

use std::process::Stdio;

use rustix::process::Signal;

use super::check;
use super::node::{SERVE, Served, site};

#[test]
fn leave_is_given_listed_and_ended_by_a_desk() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "receiver enrol desk --data data --out desk", 0, &[]);
    let to = format!("--node {} --credentials desk", node.address);
    let list = format!("leave list {to}");
    check(at, &list, 0, &["nobody has leave"]);
    let give = "leave give patient-001 --for 2h --until-back --zone ward --escort nurse-001 \
                --within 15 --missed-for 1m --reason x-ray --person nurse-7";
    check(at, &format!("{give} {to}"), 0, &["patient-001 has leave until "]);
    let line = [
        "patient-001  until ",
        " or back  by nurse-7  out of zone ward  with nurse-001 within 15 m: x-ray",
    ];
    check(at, &list, 0, &line);
    let told = ["\"subject\":\"patient-001\"", "\"missed_for_ms\":60000", "\"event\":\"leave\""];
    check(at, &format!("{list} --json"), 0, &told);

    // Other leave takes its place, whole.
    let other = "leave give patient-001 --for 30m --reason walk";
    check(at, &format!("{other} {to}"), 0, &["has leave until"]);
    let said = check(at, &list, 0, &["patient-001  until ", "  by desk: walk"]);
    assert_eq!(said.out.lines().count(), 1, "{}", said.out);
    check(at, &format!("leave end patient-001 {to}"), 0, &["patient-001 has no leave"]);
    check(at, &list, 0, &["nobody has leave"]);

    for (wish, code, what) in [
        ("leave give patient-001 --for 2h", 2, "--reason"),
        ("leave give patient-001 --for 25h --reason walk", 1, "24 h at most"),
        ("leave give patient-999 --for 1h --reason walk", 1, "no such subject"),
        ("leave give patient-001 --for 1h --reason walk --zone moon", 1, "no such place"),
        ("leave give patient-001 --for 1h --reason walk --within 5", 2, "--escort"),
        ("leave give patient-001 --for 0s --reason walk", 2, "between 1ms"),
        ("leave end patient-999", 1, "no such subject"),
    ] {
        check(at, &format!("{wish} {to}"), code, &[what]);
    }
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    let shown = check(at, "journal show data", 0, &["give_leave", "end_leave", "reason x-ray"]);
    assert!(shown.out.contains("patient-001"), "{}", shown.out);
    check(at, "audit show data --count 100", 0, &["leave_given  done", "leave_given  refused"]);
}
