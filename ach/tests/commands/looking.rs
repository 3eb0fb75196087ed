//! A receiver at work: it knows when its link is dead, and the node knows what it displays.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::history::objects;
use super::node::{SERVE, Served, site};
use super::{check, command};

/// `ach tail`, line by line.
pub(crate) struct Tailing {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Tailing {
    pub(crate) fn start(folder: &Path, words: &str) -> Tailing {
        let words = format!("tail alarms {words} --json");
        let mut child = command(folder, &words).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Tailing { child, lines }
    }

    /// The next line of this event. A test that waits in vain is ended with its runner.
    pub(crate) fn until(&mut self, event: &str) -> Value {
        for line in self.lines.by_ref() {
            let said: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if said["event"] == event {
                return said;
            }
        }
        panic!("it ended without `{event}`");
    }
}

impl Drop for Tailing {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A stopped process answers nothing, and its connection stands for as long as it is stopped: only
/// that nothing comes tells of it, long before QUIC gives the connection up.
#[test]
fn a_receiver_whose_node_hangs_says_so_and_goes_on_when_it_is_back() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "receiver enrol wall --data data --out wall", 0, &[]);
    let mut tail = Tailing::start(at, &format!("--node {} --credentials wall", node.address));
    tail.until("open_set_end");
    node.signal(Signal::STOP);
    let said = tail.until("disconnected");
    let reason = said["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("did not answer in 3s"), "{said}");
    node.signal(Signal::CONT);
    tail.until("open_set_end");
    drop(tail);
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}

#[test]
fn an_operator_sees_who_displays_and_a_program_that_only_reads_does_not() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    check(at, "receiver enrol wall --data data --out wall", 0, &[]);
    check(at, "receiver enrol log --data data --out log", 0, &[]);
    let to = format!("--node {}", node.address);
    let ask = format!("attention {to} --credentials desk");
    check(at, &ask, 0, &["every open alarm was displayed by somebody"]);
    let mut wall = Tailing::start(at, &format!("{to} --credentials wall --displayed"));
    let mut log = Tailing::start(at, &format!("{to} --credentials log"));
    wall.until("open_set_end");
    log.until("open_set_end");
    // A node that stops reading what its actors say would never come to an answer.
    let quarantine = format!("actor quarantine zone ward {to} --credentials desk");
    check(at, &quarantine, 0, &["done, entry"]);
    let raised = wall.until("alarm");
    assert_eq!(raised["kind"], "actor_quarantined", "{raised}");
    log.until("alarm");
    let seen = (0..1_000).any(|_| {
        let said = check(at, &format!("{ask} --json"), 0, &[]);
        let lines: Vec<Value> =
            said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |name: &str| lines.iter().find(|it| it["name"] == name).unwrap();
        let unseen = lines.iter().find(|it| it["event"] == "attention").unwrap();
        assert!(of("log")["displayed_at"].is_null(), "{lines:?}");
        of("wall")["waiting_count"] == 0
            && of("log")["waiting_count"] == 1
            && unseen["unseen_count"] == 0
    });
    assert!(seen, "what the wall displays is not known");
    drop((wall, log));
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}

#[test]
fn a_self_test_proves_the_chain_and_names_what_is_broken_in_it() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "receiver enrol board --data data --out board", 0, &[]);
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let order = format!("selftest --node {} --credentials desk", node.address);

    let nobody = ["decided ", "told ", "durable ", "ended ", "BROKEN: no receiver follows alarms"];
    let said = check(at, &order, 3, &nobody);
    assert!(
        !said.out.contains("displayed") && said.out.contains("start the receivers"),
        "{said:?}"
    );

    let watch = format!("--node {} --credentials board --displayed --kind self_test", node.address);
    let mut tail = Tailing::start(at, &watch);
    tail.until("open_set_end");
    let said = check(at, &format!("{order} --json"), 0, &[]);
    let report: Value = serde_json::from_str(said.out.trim()).unwrap();
    assert_eq!((&report["is_good"], &report["findings"]), (&true.into(), &serde_json::json!([])));
    let hops: Vec<&str> =
        report["hops"].as_array().unwrap().iter().map(|it| it["hop"].as_str().unwrap()).collect();
    assert_eq!(hops, ["decided", "told", "durable", "displayed", "ended"]);
    assert_eq!(report["receivers"][0]["name"], "board");
    assert!(report["receivers"][0]["displayed_after_ns"].as_u64() > Some(0), "{report}");
    for (event, transition) in [("alarm", "raised"), ("alarm_change", "cleared")] {
        let told = tail.until(event);
        assert_eq!((&told["kind"], &told["id"]), (&"self_test".into(), &report["id"]), "{told}");
        assert_eq!(told["transition"], transition);
        if event == "alarm" {
            assert_eq!(told["cause"]["kind"], "node");
        }
    }
    let explain = format!("explain {} --data data", report["id"].as_str().unwrap());
    check(
        at,
        &order,
        0,
        &["receiver board: displayed it after", "good: a test alarm came all the way"],
    );
    let without = format!("{order} --without board --without gone");
    check(at, &without, 0, &["receiver board: displayed it after"]);
    check(at, &format!("{order} --without two%names"), 2, &["an id is made of"]);
    let status = format!("status --node {} --credentials desk", node.address);
    check(at, &status, 0, &["selftests_failed", "selftests_passed"]);
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    check(at, "audit show data", 0, &["self_tested"]);
    check(at, &explain, 0, &["self_test", "the order of a self-test"]);
    let told = objects(&check(at, &format!("{explain} --json"), 0, &[]));
    assert_eq!(told[0]["cause"]["kind"], "self_test", "{told:?}");
    check(at, "serve --site site --data data --selftest-at 24:00", 2, &["no time of the day"]);
}
