//! What a scraper gets from a node that is served, and that it knows no names.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;

use super::node::{SERVE, Served};
use super::{check, strict};

/// The body of a page, and its status.
fn get(address: &str, path: &str) -> (u32, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: node\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn scrape(address: &str) -> BTreeMap<String, String> {
    let (status, body) = get(address, "/metrics");
    assert_eq!(status, 200, "{body}");
    strict::parse(&body).unwrap_or_else(|why| panic!("{why}\n{body}"))
}

/// Under which names a number of `ach status` may be scraped.
fn scraped_as(name: &str) -> Vec<String> {
    let depth = name.strip_prefix("lane_").and_then(|rest| rest.strip_suffix("_depth"));
    let kind = name.strip_prefix("alarms_raised_");
    let topic = name.strip_prefix("subscribers_");
    let renamed = match name {
        "bytes_committed" => Some("ach_committed_bytes_total".to_owned()),
        "shard_bytes_reserved" => Some("ach_shard_reserved_bytes".to_owned()),
        "shard_skew_ns" => Some("ach_shard_skew_seconds".to_owned()),
        "history_lag_ns" => Some("ach_history_lag_seconds".to_owned()),
        _ => None,
    };
    [
        Some(format!("ach_{name}")),
        Some(format!("ach_{name}_total")),
        depth.map(|lane| format!("ach_lane_depth{{lane=\"{lane}\"}}")),
        kind.map(|kind| format!("ach_alarms_raised_by_kind_total{{kind=\"{kind}\"}}")),
        topic.map(|topic| format!("ach_subscribers{{topic=\"{topic}\"}}")),
        renamed,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn sample_node(at: &Path) -> Served {
    check(at, "site sample site", 0, &[]);
    let words = format!("{SERVE} --metrics 127.0.0.1:0");
    Served::start(at, &words, Stdio::null(), Stdio::null())
}

#[test]
fn every_number_of_the_status_is_scraped() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let node = sample_node(at);
    let metrics = node.metrics.clone().unwrap();
    check(at, "operator enrol desk --data data --out desk", 0, &[]);
    let status = format!("status --node {} --credentials desk --json", node.address);
    let said = check(at, &status, 0, &[]);
    let status: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let scraped = scrape(&metrics);
    for name in status["counters"].as_object().unwrap().keys() {
        let names = scraped_as(name);
        assert!(names.iter().any(|it| scraped.contains_key(it)), "{name} is not scraped");
    }
    assert_eq!(scraped["ach_sessions_begun_total"], "1");
    assert_eq!(scraped["ach_is_storing"], "1");
    assert_ne!(scraped["ach_entries_committed_total"], "0");
    assert_ne!(scraped["ach_group_entries_count"], "0");
    let end = &scraped["ach_certificate_end_timestamp_seconds{certificate=\"node\"}"];
    assert!(end.parse::<u64>().unwrap() > 1_795_000_000, "{end}");
    for lane in ["duress", "door", "audit"] {
        for family in ["ach_inputs_conflated_total", "ach_effects_shed_total"] {
            assert_eq!(scraped[&format!("{family}{{lane=\"{lane}\"}}")], "0");
        }
    }
    assert_eq!(get(&metrics, "/healthz").0, 200);
    assert_eq!(get(&metrics, "/readyz").0, 200);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}

/// The dashboard and the alert rules speak of numbers that exist.
#[test]
fn what_the_dashboard_and_the_alert_rules_ask_for_is_scraped() {
    let folder = tempfile::tempdir().unwrap();
    let node = sample_node(folder.path());
    let scraped = scrape(&node.metrics.clone().unwrap());
    let families: Vec<&str> = scraped.keys().map(|name| name.split('{').next().unwrap()).collect();
    let operate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operate");
    for file in ["grafana-dashboard.json", "alert-rules.yml"] {
        let text = std::fs::read_to_string(operate.join(file)).unwrap();
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let mut seen = 0;
        for name in text.split(|letter| !is_of_name(letter)) {
            if name.starts_with("ach_") || name.starts_with("process_") {
                assert!(families.contains(&name), "{file} asks for {name}");
                seen += 1;
            }
        }
        assert!(seen > 5, "{file} asks for {seen} numbers");
    }
    let dashboard = std::fs::read_to_string(operate.join("grafana-dashboard.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 5);
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.ended(), Some(0));
}

/// A port that is taken is told before the journal is replayed.
#[test]
fn a_taken_port_for_metrics_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    check(at, "site new site", 0, &[]);
    let words = format!("{SERVE} --metrics {}", taken.local_addr().unwrap());
    check(at, &words, 1, &["could not open tcp", "for metrics", "choose another address or port"]);
}
