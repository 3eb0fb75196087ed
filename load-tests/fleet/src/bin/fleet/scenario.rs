//! A load test as a file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Tags of a scenario at most: what one publisher may name.
const TAGS_MAX: u32 = 1 << 20;
/// Zones at most: floors of a hundred rooms, numbered in hundredths in an `i16`.
const ZONES_MAX: u32 = 32_000;
/// Runs and seconds at most: an hour and a half of a machine.
const RUNS_MAX: u32 = 99;
const RUN_S_MAX: u32 = 600;

/// What to load a node with, and what it must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What the test is to show, in words.
    pub(crate) goal: String,
    /// Tags that report.
    pub(crate) tags: u32,
    /// Zones of the campus they walk in.
    pub(crate) zones: u32,
    /// Single pings a second, open loop. Without it, the loop is closed: as many as the node takes.
    pub(crate) pings_per_s: Option<u32>,
    /// Alarms a second among them, with as many echo probes, offset by half a period.
    #[serde(default)]
    pub(crate) alarms_per_s: u32,
    /// Pings handed over at once in a closed loop.
    #[serde(default = "batch_default")]
    pub(crate) batch_pings: u32,
    /// Runs; the median counts.
    pub(crate) runs: u32,
    /// Seconds a run.
    pub(crate) run_s: u32,
    /// What must hold.
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// What must hold of the median run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Alarm latency over echo latency at the median.
    pub(crate) p50_ratio_max: Option<f64>,
    /// The same at the 99th percentile.
    pub(crate) p99_ratio_max: Option<f64>,
    /// Processor time of the node from a vendor's frames to the alarm, at the 99.9th percentile.
    pub(crate) residence_p99_9_us_max: Option<f64>,
    /// Durable pings a second.
    pub(crate) durable_pings_per_s_min: Option<f64>,
}

/// Why a scenario cannot be used.
#[derive(Debug, Error)]
pub(crate) enum ScenarioError {
    /// It cannot be read.
    #[error("could not read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not understood.
    #[error("{} is no scenario: {source}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Why.
        source: toml::de::Error,
    },
    /// It asks for what cannot be.
    #[error("{}: {problem}", path.display())]
    Plan {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
}

fn batch_default() -> u32 {
    64
}

impl Scenario {
    /// Reads a scenario and looks whether it can be.
    pub(crate) fn read(path: &Path) -> Result<Scenario, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        let scenario: Scenario = toml::from_str(&text)
            .map_err(|source| ScenarioError::Text { path: path.to_owned(), source })?;
        match scenario.problem() {
            None => Ok(scenario),
            Some(problem) => Err(ScenarioError::Plan { path: path.to_owned(), problem }),
        }
    }

    fn problem(&self) -> Option<&'static str> {
        let within = |value: u32, most: u32| (1..=most).contains(&value);
        if !within(self.tags, TAGS_MAX) {
            return Some("tags must be from 1 to 1,048,576");
        }
        if !(2..=ZONES_MAX).contains(&self.zones) {
            return Some("zones must be from 2 to 32,000");
        }
        if !within(self.runs, RUNS_MAX) || !within(self.run_s, RUN_S_MAX) {
            return Some("runs must be from 1 to 99, run_s from 1 to 600");
        }
        let Some(rate) = self.pings_per_s else {
            if self.alarms_per_s > 0 {
                return Some("a closed loop has no alarms, name pings_per_s or leave them out");
            }
            return (!within(self.batch_pings, 1_024)).then_some("batch_pings: from 1 to 1,024");
        };
        if !within(rate, 2_000_000) {
            return Some("pings_per_s must be from 1 to 2,000,000");
        }
        // Fewer pings than that and the tag of one alarm is the tag of the next.
        let every = rate.checked_div(self.alarms_per_s).unwrap_or(2);
        if every < 2 || every.saturating_mul(2) > self.tags {
            return Some("there must be two pings an alarm, and two tags for each of them");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_in_the_repository_can_be_run() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).expect("scenarios") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                continue;
            }
            Scenario::read(&path).unwrap_or_else(|error| panic!("{error}"));
            count += 1;
        }
        assert!(count >= 4, "{count} scenarios");
    }

    #[test]
    fn a_scenario_that_cannot_be_is_told_apart() {
        let check = |change: fn(&mut Scenario), expected: Option<&str>| {
            let mut scenario = Scenario {
                goal: String::new(),
                tags: 20_000,
                zones: 10_000,
                pings_per_s: Some(20_000),
                alarms_per_s: 500,
                batch_pings: 64,
                runs: 9,
                run_s: 10,
                limits: Limits::default(),
            };
            change(&mut scenario);
            let found = scenario.problem();
            match expected {
                None => assert_eq!(found, None),
                Some(part) => assert!(found.is_some_and(|it| it.contains(part)), "{found:?}"),
            }
        };
        check(|_| {}, None);
        check(|it| it.tags = 0, Some("tags"));
        check(|it| it.zones = 40_000, Some("zones"));
        check(|it| it.runs = 0, Some("runs"));
        check(|it| it.alarms_per_s = 15_000, Some("two pings an alarm"));
        check(|it| it.tags = 79, Some("two tags"));
        check(|it| it.pings_per_s = None, Some("closed loop"));
    }
}
