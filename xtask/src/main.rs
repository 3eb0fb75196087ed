//! Repository chores, and the checks of the repository itself.
//!
//! The checks are ordinary tests, so `cargo test` is all a developer has to remember. The chores are
//! `cargo xtask ci`, `fix`, `demo-check`, `fuzz`, `sim`, `counts`, `soak` and `night`.

mod chores;
mod counts;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
mod fuzz;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod prose;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod shape;
mod summary;
#[cfg(test)]
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci          every check a change must pass, reading only: format, lints, tests, docs
  fix         what can be mended by machine: format and lints
  demo-check  run the demo plain and with --crash, and check both summaries
  fuzz        build the fuzz targets and run each for --seconds (15 unless told)
  sim         a node and its clients in a simulated world: --seeds N, --seed S, --trace
  counts      count instructions of the hot functions, against the baseline; --record moves it
  soak        half of what a node carries on one core for --hours (2 unless told): is memory flat
  night       the long suites: 1,000 kills, longer demos, 10,000 seeds, full benchmarks, load tests, an overload
";

/// Whether `--record` follows.
fn is_recorded() -> Result<bool, String> {
    let mut words = std::env::args().skip(2);
    match (words.next().as_deref(), words.next()) {
        (None, _) => Ok(false),
        (Some("--record"), None) => Ok(true),
        _ => Err("it takes --record and nothing else".to_owned()),
    }
}

/// What follows `--hours`.
fn hours() -> Result<String, String> {
    let mut words = std::env::args().skip(2);
    match (words.next().as_deref(), words.next()) {
        (None, _) => Ok("2".to_owned()),
        (Some("--hours"), Some(hours)) => Ok(hours),
        _ => Err("it takes --hours NUMBER and nothing else".to_owned()),
    }
}

/// What follows `--seconds`.
fn fuzz_seconds() -> Result<u32, String> {
    let mut words = std::env::args().skip(2);
    match (words.next().as_deref(), words.next()) {
        (None, _) => Ok(15),
        (Some("--seconds"), Some(seconds)) => {
            seconds.parse().map_err(|_| format!("`{seconds}` is no number of seconds"))
        }
        _ => Err("it takes --seconds NUMBER and nothing else".to_owned()),
    }
}

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let outcome = match command.as_str() {
        "ci" => chores::ci(),
        "fix" => chores::fix(),
        "demo-check" => chores::demo_check(),
        "fuzz" => fuzz_seconds().and_then(fuzz::fuzz),
        "sim" => chores::sim(std::env::args().skip(2)),
        "counts" => is_recorded().and_then(counts::counts),
        "soak" => hours().and_then(|hours| chores::soak(&hours)),
        "night" => chores::night(),
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => Err(format!("there is no chore `{other}`; see `cargo xtask --help`")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
