//! A walk with a tag, as a desk types it: what answers, what does not, and what the protocol is worth.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use ach_actors_model::{NS_PER_S, Name, TagId, Timestamp};
use ach_clients_rust::{
    Bundle, Client, ClientConfig, Floor, Ping, Publisher, PublisherOptions, Report, ReportWord, now,
};
use rustix::process::Signal;

use super::node::{SERVE, Served, site};
use super::{ach, check, command};

/// The example's visitor.
const TAG: &str = "0200AC0000000004";
/// A tag that the example does not have.
const FOREIGN: &str = "0200AC00000000FF";

fn tag(text: &str) -> TagId {
    TagId(u64::from_str_radix(text, 16).unwrap())
}

async fn vendor(node: &Served, credentials: &Path) -> Publisher {
    let bundle = Bundle::load(credentials).unwrap();
    let config = ClientConfig::new(node.address.parse().unwrap(), "localhost", bundle);
    let options = PublisherOptions::default().keeping_every_position();
    Client::connect(config).await.unwrap().publisher(options).unwrap()
}

/// Walks out of the ward into the lobby and back, a metre a second, by a clock that is an hour slow: time need not
/// pass for it.
struct Walker {
    tags: Publisher,
    doors: Publisher,
    at: Timestamp,
}

impl Walker {
    async fn walk(&mut self) {
        let out = (15_i32..=24).map(|x_m| x_m * 1_000);
        let back = out.clone().rev();
        for way in [out.collect::<Vec<_>>(), back.collect()] {
            self.door(ReportWord::DoorOpened).await;
            for x_mm in way {
                self.at = self.at.plus_ns(NS_PER_S);
                let ping = Ping::local(tag(TAG), self.at, x_mm, 6_000);
                self.tags.publish(ping.on_floor(Floor(0)).within_mm(200)).await.unwrap();
            }
            self.tags.drain().await.unwrap();
            self.door(ReportWord::DoorClosed).await;
        }
    }

    async fn door(&self, word: ReportWord) {
        let door = Name::new("door-ward").unwrap();
        self.doors.report(Report::door(door, now(), word)).await.unwrap();
        self.doors.drain().await.unwrap();
    }
}

/// A walk that is under way: who carries the tag has been told to go.
struct Walking {
    program: Child,
    out: BufReader<ChildStdout>,
    told: String,
}

impl Walking {
    fn begin(at: &Path, words: &str) -> Walking {
        let mut program = command(at, words).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(program.stdout.take().unwrap());
        let mut told = String::new();
        while !told.contains("the alarms it causes are real") {
            assert!(out.read_line(&mut told).unwrap() > 0, "`ach {words}` ended: {told}");
        }
        Walking { program, out, told }
    }

    /// Its exit code, and all that it said.
    fn end(mut self) -> (Option<i32>, String) {
        self.out.read_to_string(&mut self.told).unwrap();
        (self.program.wait().unwrap().code(), self.told)
    }
}

/// How many probes the node has answered.
fn echoes(at: &Path, to: &str) -> u64 {
    let said = ach(at, &format!("status {to} --json"));
    let status: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    status["counters"]["echoes_answered"].as_u64().unwrap()
}

/// What the protocol of the walk past the door of the ward says.
fn check_walked(at: &Path) {
    let verify = "walk-test verify today.json --ca desk/ca.pem";
    check(at, verify, 0, &["is as operator desk of example signed it", TAG, "2 of 2 answered"]);
    let said = check(at, &format!("{verify} --json"), 0, &["\"is_good\":true"]);
    let said: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let protocol = &said["protocol"];
    assert_eq!((&protocol["site_version"], &protocol["node"]), (&1.into(), &"node-1".into()));
    assert_eq!((&protocol["chosen_by"], &protocol["has_gaps"]), (&"named".into(), &false.into()));
    for thing in protocol["things"].as_array().unwrap() {
        assert!(
            thing["seen"].as_object().unwrap().values().all(serde_json::Value::is_string),
            "{thing}"
        );
    }
}

/// Whoever changes a protocol is found out.
fn check_changes(at: &Path) {
    let text = fs::read_to_string(at.join("silent.json")).unwrap();
    for (from, to, why) in [
        ("\"is_answered\": false", "\"is_answered\": true", "the signature does not fit"),
        ("\"version\": 1", "\"version\": 2", "no protocol of version 1"),
        ("BEGIN CERTIFICATE", "BEGIN NOTHING", "no certificate in it"),
        (
            "ach://example/operator/desk",
            "ach://example/operator/dusk",
            "the signature does not fit",
        ),
        ("\"signature\": \"", "\"signature\": \"x", "no hexadecimal text"),
    ] {
        assert!(text.contains(from), "{text}");
        fs::write(at.join("changed.json"), text.replace(from, to)).unwrap();
        check(at, "walk-test verify changed.json --ca desk/ca.pem", 3, &["NOT to be trusted", why]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_is_seen_and_its_protocol_proves_it() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    for (role, name) in [("operator", "desk"), ("vendor", "rtls"), ("vendor", "doors")] {
        check(at, &format!("{role} enrol {name} --data data --out {name}"), 0, &[]);
    }
    let to = format!("--node {} --credentials desk", node.address);
    let walk = format!("walk-test --tag {TAG} {to}");
    check(at, &format!("{walk} --for 1s --out none.json"), 1, &["no door has ever told the node"]);
    assert!(!at.join("none.json").exists(), "nobody has walked");

    let doors = vendor(&node, &at.join("doors")).await;
    let tags = vendor(&node, &at.join("rtls")).await;
    let begun_at = Timestamp(now().0 - 3_600 * NS_PER_S);
    let mut walker = Walker { tags, doors, at: begun_at };
    let all = format!("{walk} --doors door-ward --zones lobby --for 5m --out today.json");
    let before = echoes(at, &to);
    let walking = Walking::begin(at, &all);
    assert!(
        walking.told.contains("doors that were not named, and need not answer: 2"),
        "{}",
        walking.told
    );
    assert!(
        echoes(at, &to) > before,
        "nobody is told to walk before the node has said that it listens"
    );
    walker.walk().await;
    let (code, said) = walking.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("2 of 2 answered\nsigned protocol in today.json\n"), "{said}");

    check_walked(at);

    // One door is known now, and is passed by nobody.
    check(at, &format!("{walk} --for 1s --out today.json"), 1, &["today.json"]);
    let silent = format!("{walk} --for 1s --out silent.json");
    check(
        at,
        &silent,
        1,
        &[
            "never told whether they are open, and need not answer: door-store, entrance",
            "NOT ANSWERED",
            "did not answer: door door-ward (not opened, not passed, not closed)",
        ],
    );
    let left_open = [
        "0 of 1 answered",
        "door door-ward did NOT answer",
        "for they had never told whether they are open: door-store, entrance",
    ];
    check(at, "walk-test verify silent.json --ca desk/ca.pem", 0, &left_open);

    check_changes(at);
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}

/// Doors and tags that nobody can walk past are told before anybody does, and what was seen is said also where its file
/// cannot be written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_walks_for_nothing() {
    let folder = site();
    let at = folder.path();
    let node = Served::start(at, SERVE, Stdio::null(), Stdio::null());
    for (role, name) in [("operator", "desk"), ("vendor", "rtls")] {
        check(at, &format!("{role} enrol {name} --data data --out {name}"), 0, &[]);
    }
    let to = format!("--node {} --credentials desk --for 1s --out late.json", node.address);
    // The door of a room has no feed, so nobody hears that it is opened.
    let doors = format!("walk-test --tag {TAG} --doors door-ward,door-1,door-wrad {to}");
    check(at, &doors, 1, &["no door with a feed that is called door-1, door-wrad"]);
    let tags = vendor(&node, &at.join("rtls")).await;
    let ping = Ping::local(tag(FOREIGN), now(), 1_000, 1_000).on_floor(Floor(0));
    tags.publish(ping).await.unwrap();
    tags.drain().await.unwrap();
    let foreign = format!("walk-test --tag {FOREIGN} --zones ward {to}");
    check(at, &foreign, 1, &["feed rtls tells of tag 0200AC00000000FF", "ach tag register"]);

    let walking = Walking::begin(at, &format!("walk-test --tag {TAG} --zones ward {to}"));
    fs::write(at.join("late.json"), "somebody's").unwrap();
    let (code, said) = walking.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("NOT ANSWERED: not entered, not left"), "{said}");
    assert!(said.ends_with("0 of 1 answered\n"), "{said}");
    assert_eq!(fs::read_to_string(at.join("late.json")).unwrap(), "somebody's");
    node.signal(Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}

#[test]
fn a_protocol_of_another_site_is_told_apart() {
    let folder = site();
    let at = folder.path();
    check(at, "site sample hospital", 0, &[]);
    let (ours, theirs) =
        (SERVE, SERVE.replace("--site site --data data", "--site hospital --data other"));
    for (serve, data, name) in [(ours, "data", "desk"), (theirs.as_str(), "other", "desk-2")] {
        let node = Served::start(at, serve, Stdio::null(), Stdio::null());
        check(at, &format!("operator enrol {name} --data {data} --out {name}"), 0, &[]);
        let walk = format!(
            "walk-test --tag {TAG} --zones ward --for 1s --out {name}.json --node {} --credentials {name}",
            node.address
        );
        check(at, &walk, 1, &["did not answer: zone ward (not entered, not left)"]);
        node.signal(Signal::TERM);
        assert_eq!(node.ended(), Some(0));
    }
    check(at, "walk-test verify desk.json --ca desk/ca.pem", 0, &["as operator desk of example"]);
    let foreign = "walk-test verify desk-2.json --ca desk/ca.pem";
    check(at, foreign, 3, &["NOT to be trusted", "not of this site's authority"]);
    check(at, "walk-test --for 1m", 2, &["--tag"]);
}
