//! `fleet local` from end to end: a node, a campus, pings, alarms, probes and a written result.

use std::fs;
use std::process::Command;

const SCENARIO: &str = r#"
goal = "to see that the load generator itself works"
tags = 200
zones = 100
pings_per_s = 500
alarms_per_s = 20
runs = 1
run_s = 3
"#;

const CLOSED: &str = r#"
goal = "to see that the closed loop works"
tags = 200
zones = 100
batch_pings = 64
runs = 1
run_s = 1
"#;

/// No time is asserted: on a busy machine the run may be void, but everything arrives.
#[test]
fn a_node_is_started_loaded_and_reported_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("open.toml"), SCENARIO).unwrap();
    fs::write(path("closed.toml"), CLOSED).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fleet"))
        .args(["local", "--in-process", "--below"])
        .arg(folder.path())
        .arg("--out")
        .arg(path("results"))
        .args([path("open.toml"), path("closed.toml")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}: {said}", output.status);
    let results = fs::read_dir(path("results")).unwrap().next().unwrap().unwrap().path();
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(results.join(name)).unwrap()).unwrap()
    };
    let open = read("open.json");
    let run = &open["runs"][0];
    let count = |name: &str| run[name].as_u64().unwrap();
    assert_eq!(count("pings_published"), 1_650, "{run}");
    assert_eq!(run["totals"]["accepted"].as_u64(), Some(1_650), "{run}");
    assert_eq!((count("alarms_provoked"), count("alarms_heard")), (60, 60), "{run}");
    assert_eq!((count("echoes_sent"), count("echoes_heard")), (60, 60), "{run}");
    assert!(count("deadlines_heard") >= count("deadlines_due"), "{run}");
    assert!(count("deadlines_due") >= 90, "{run}");
    assert_eq!(count("alarms_unasked"), 0, "{run}");
    assert!(run["alarm_latency_us"]["p50"].as_f64().is_some_and(|us| us > 0.0), "{run}");
    assert!(run["alarm_latency_us"]["p99"].is_null(), "60 samples show no 99th percentile");
    let closed = read("closed.json");
    let run = &closed["runs"][0];
    assert!(run["durable_pings_per_s"].as_f64().is_some_and(|rate| rate > 0.0), "{run}");
    let total = |name: &str| run["totals"][name].as_u64().unwrap();
    let published = run["pings_published"].as_u64().unwrap();
    assert_eq!(published, total("accepted") + total("conflated"), "{run}");
    assert!(results.join("open.txt").exists() && results.join("open.hlog").exists());
    let page = fs::read_to_string(results.join("open+closed.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 5, "latencies, and rate and counts of both");
    assert!(page.contains("echo (floor)") && page.contains("pings a second"), "charts with names");
}

#[test]
fn a_scenario_that_cannot_be_run_is_refused_with_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    fs::write(&file, SCENARIO.replace("tags = 200", "tags = 20")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fleet"))
        .args(["local", "--in-process"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("two tags for each"), "{said}");
}
