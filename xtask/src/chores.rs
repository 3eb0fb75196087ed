//! The chores: each a list of commands, stopped at the first that fails.

use std::process::{Command, Stdio};

use crate::summary;

type Outcome = Result<(), String>;

/// How the load generator is run.
const FLEET: [&str; 6] = ["run", "--release", "--locked", "-p", "ach-load-tests-fleet", "--"];

/// Every check a change must pass. Reads only.
pub(crate) fn ci() -> Outcome {
    run("cargo", &["fmt", "--all", "--check"])?;
    run("cargo", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    run("cargo", &["test", "--workspace", "--locked"])?;
    sim(["--seeds", "200"].map(str::to_owned).into_iter())?;
    run("cargo", &["doc", "--workspace", "--no-deps", "--locked"])?;
    demo_check()
}

/// What can be mended by machine.
pub(crate) fn fix() -> Outcome {
    run("cargo", &["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty"])?;
    run("cargo", &["fmt", "--all"])
}

/// The demo, plain and with a node killed in the middle. Its last line of JSON is the summary.
pub(crate) fn demo_check() -> Outcome {
    for (name, more) in [("plain", &[][..]), ("crash", &["--crash"][..])] {
        println!("demo ({name})");
        let mut arguments = vec!["run", "--release", "--locked", "--", "demo", "--for", "20s"];
        arguments.extend_from_slice(more);
        arguments.push("--json");
        let output = read("cargo", &arguments)?;
        summary::check(&output).map_err(|reason| format!("demo ({name}): {reason}"))?;
    }
    Ok(())
}

/// Plays seeds of the simulated world. The profile keeps debug assertions, and with them the journal's
/// and the shard's own checks.
pub(crate) fn sim(arguments: impl Iterator<Item = String>) -> Outcome {
    let more: Vec<String> = arguments.collect();
    let mut all = vec!["run", "--quiet", "--locked", "-p", "ach-engine-sim", "--"];
    all.extend(more.iter().map(String::as_str));
    run("cargo", &all)
}

/// The long suites, and every figure.
pub(crate) fn night() -> Outcome {
    println!("1,000 kills under load");
    let status = Command::new("cargo")
        .args(["test", "--release", "--locked", "-p", "ach", "--test", "kill", "--", "--nocapture"])
        .env("ACH_KILLS", "1000")
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !status.success() {
        return Err(format!("1,000 kills ended with {status}"));
    }
    for seed in 1..=20 {
        println!("demo, seed {seed}, 60 s, killed in the middle");
        let seed = seed.to_string();
        let arguments = ["run", "--release", "--locked", "--", "demo", "--for", "60s"];
        let more = ["--crash", "--json", "--seed", &seed];
        let output = read("cargo", &[&arguments[..], &more[..]].concat())?;
        summary::check(&output).map_err(|reason| format!("seed {seed}: {reason}"))?;
    }
    println!("ten thousand simulated worlds, after those that every change plays");
    sim(["--seed", "201", "--seeds", "10000", "--go-on"].map(str::to_owned).into_iter())?;
    println!("ten minutes a fuzz target");
    crate::fuzz::fuzz(600)?;
    run("cargo", &["bench", "--locked", "-p", "ach-bench"])?;
    run("cargo", &["build", "--release", "--locked", "-p", "ach", "-p", "ach-load-tests-fleet"])?;
    let scenarios = ["alarms-20k", "alarms-50k", "durable-64", "durable-256"]
        .map(|name| format!("load-tests/scenarios/{name}.toml"));
    let mut fleet = [&FLEET[..], &["local"]].concat();
    fleet.extend(scenarios.iter().map(String::as_str));
    run("cargo", &fleet)?;
    run("cargo", &[&FLEET[..], &["overload"]].concat())
}

/// Half of what a node carries, for hours.
pub(crate) fn soak(hours: &str) -> Outcome {
    run("cargo", &["build", "--release", "--locked", "-p", "ach", "-p", "ach-load-tests-fleet"])?;
    run("cargo", &[&FLEET[..], &["soak", "--hours", hours]].concat())
}

fn run(program: &str, arguments: &[&str]) -> Outcome {
    println!("$ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .status()
        .map_err(|error| format!("{program} does not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{program} {}` ended with {status}", arguments.join(" ")))
    }
}

fn read(program: &str, arguments: &[&str]) -> Result<String, String> {
    println!("$ {program} {}", arguments.join(" "));
    let output = Command::new(program)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{program} does not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("`{program} {}` ended with {}\n{text}", arguments.join(" "), output.status))
    }
}
