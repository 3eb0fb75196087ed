//! A load test as a file.

use serde::{Deserialize, Serialize};

/// What to load a node with, and what it must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the test is to show, in words.
    pub goal: String,
    /// Single pings a second, open loop. Without it, the loop is closed: as many as the node takes.
    pub pings_per_s: Option<u32>,
    /// Alarms a second among them, with as many echo probes, offset by half a period.
    #[serde(default)]
    pub alarms_per_s: u32,
    /// Pings handed over at once in a closed loop.
    #[serde(default = "batch_default")]
    pub batch_pings: u32,
    /// Runs; the median counts.
    pub runs: u32,
    /// Seconds a run.
    pub run_s: u32,
    /// What must hold.
    #[serde(default)]
    pub limits: Limits,
}

/// What must hold of the median run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Alarm latency over echo latency at the median.
    pub p50_ratio_max: Option<f64>,
    /// The same at the 99th percentile.
    pub p99_ratio_max: Option<f64>,
    /// Durable pings a second.
    pub durable_pings_per_s_min: Option<f64>,
}

fn batch_default() -> u32 {
    64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_in_the_repository_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).expect("scenarios") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a text");
            let scenario: Scenario =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(scenario.runs > 0 && scenario.run_s > 0, "{}", path.display());
            let rate = scenario.pings_per_s.unwrap_or(u32::MAX);
            assert!(scenario.alarms_per_s.saturating_mul(2) <= rate, "{}", path.display());
            count += 1;
        }
        assert!(count >= 4, "{count} scenarios");
    }
}
