//! A node that is served: who may look, what stands in its way, and how it ends.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use super::{check, command};

/// How often, and how many times, it is looked whether a process is gone that is nobody's child: for
/// 45 s. Only a failing test looks so long.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS_MAX: u32 = 2_250;

/// A command that says in JSON where its node listens.
pub(crate) struct Served {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    pub(crate) address: String,
    /// Where its metrics are, if it was asked for them.
    pub(crate) metrics: Option<String>,
}

/// A test that fails leaves no node behind.
impl Drop for Served {
    fn drop(&mut self) {
        // One that has ended is not killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Served {
    pub(crate) fn start(folder: &Path, words: &str, stdin: Stdio, stderr: Stdio) -> Served {
        let mut child = command(folder, words)
            .env("ACH_LOG", "debug")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("it ended before it listened").unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(said["event"], "listening", "{line}");
        let address = said["node"].as_str().unwrap().to_owned();
        let metrics = said["metrics"].as_str().map(str::to_owned);
        Served { child, lines, address, metrics }
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// How it ends, once it has.
    pub(crate) fn ended(mut self) -> Option<i32> {
        for line in self.lines.by_ref() {
            drop(line);
        }
        self.child.wait().unwrap().code()
    }
}

pub(crate) const SERVE: &str = "serve --site site --data data --listen 127.0.0.1:0 --json";

pub(crate) fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), "site new site", 0, &[]);
    folder
}

/// A node's log may lie on the disk that is full. It goes on.
#[test]
fn a_node_whose_log_finds_no_room_goes_on() {
    let folder = site();
    let at = folder.path();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let node = Served::start(at, SERVE, Stdio::null(), full.into());
    check(at, "operator enrol desk --data data --out desk", 0, &["operator desk of example"]);
    let status = format!("status --node {} --credentials desk", node.address);
    check(at, &status, 0, &["node-1 of site example: storing"]);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    check(at, "journal verify data", 0, &["sound, closed in order"]);
}

#[test]
fn what_stands_in_a_nodes_way_is_named() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, SERVE, 1, &["the journal is in use by another process"]);
    let taken = SERVE.replace("--data data", "--data other").replace("127.0.0.1:0", &node.address);
    check(at, &taken, 1, &["Address already in use", "choose another address or port"]);
    check(at, "site sample hospital", 0, &[]);
    let foreign = SERVE.replace("--site site", "--site hospital");
    check(at, &foreign, 1, &["data holds the data of site `example`, not of `st-elisabeth`"]);
    node.signal(rustix::process::Signal::INT);
    assert_eq!(node.ended(), Some(0));

    let key = at.join("data/journal.key");
    std::fs::write(&key, "no key\n").unwrap();
    check(at, SERVE, 1, &["64 hexadecimal digits are expected"]);
    let verify = ["contents were not: ", "64 hexadecimal digits", "sound as far as it was checked"];
    check(at, "journal verify data", 0, &verify);
    std::fs::remove_file(&key).unwrap();
    check(at, SERVE, 1, &["data/journal.key is missing", "from your backup"]);
    assert!(!key.exists(), "no new key takes the place of the lost one");
}

/// A vendor's second connection takes the place of the first: whoever looks with a vendor's
/// credentials would stop a live feed. So the certificate is looked at before the node is.
#[test]
fn credentials_that_do_not_fit_never_reach_the_node() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    check(at, "vendor enrol rtls --data data --out rtls", 0, &["feed `rtls` of site.toml"]);
    check(at, "receiver enrol wall --data data --out wall", 0, &[]);
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let to = format!("--node {}", node.address);
    let vendor = "rtls holds the credentials of vendor rtls of example";
    check(at, &format!("status {to} --credentials rtls"), 1, &[vendor, "ach operator enrol"]);
    check(at, &format!("tail alarms {to} --credentials rtls"), 1, &[vendor, "or a receiver's"]);
    check(at, &format!("status {to} --credentials wall"), 1, &["takes an operator's"]);
    std::fs::write(at.join("walk.csv"), "time,tag,x,y\n1,0200AC0000000004,1,1\n").unwrap();
    let replay = format!("replay walk.csv {to} --credentials desk");
    check(at, &replay, 1, &["takes a vendor's"]);
    let actor = format!("actor quarantine zone ward {to} --credentials desk");
    check(at, &actor, 0, &["done, entry"]);
    // The offers counted are those of the command and of this very question: nobody else has knocked.
    let said = check(at, &format!("status {to} --credentials desk --json"), 0, &[]);
    let status: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(status["counters"]["connections_offered"], 2, "{status}");
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
    check(at, "journal show data", 0, &["desk: quarantine zone ward"]);
    let parts = ["\"about\":{\"id\":\"ward\",\"kind\":\"zone\"}", "\"input\":\"site_change\""];
    check(at, "journal show data --json", 0, &parts);
}

#[test]
fn a_node_ends_in_order_when_stdin_ends_if_asked_to() {
    let folder = site();
    let words = format!("{SERVE} --until-stdin-ends");
    let mut node = Served::start(folder.path(), &words, Stdio::piped(), Stdio::null());
    drop(node.child.stdin.take());
    assert_eq!(node.ended(), Some(0));
    check(folder.path(), "journal verify data", 0, &["sound, closed in order"]);
}

/// Whatever ends a demo, its node does not live on.
#[test]
fn a_demo_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let words = "demo --crash --for 60s --json";
    let demo = Served::start(folder.path(), words, Stdio::null(), Stdio::null());
    demo.signal(rustix::process::Signal::TERM);
    assert!(matches!(demo.ended(), Some(0 | 3)), "it ends with its summary");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");

    let demo = Served::start(folder.path(), words, Stdio::null(), Stdio::null());
    let address: SocketAddr = demo.address.parse().unwrap();
    demo.signal(rustix::process::Signal::KILL);
    assert_eq!(demo.ended(), None);
    // Only the address tells that the node, nobody's child now, has gone.
    let is_gone = (0..LOOKS_MAX).any(|_| {
        std::thread::sleep(LOOK_EVERY);
        UdpSocket::bind(address).is_ok()
    });
    assert!(is_gone, "the node of a dead demo still listens at {address}");
}
