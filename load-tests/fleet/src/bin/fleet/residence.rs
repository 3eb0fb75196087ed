//! What a node spends on an alarm, from a vendor's frames to the subscribers' queues, as it tells itself.

use std::fs;

use serde::Serialize;

use crate::failure::Failure;
use crate::node_numbers::NodeNumbers;

/// A 99.9th percentile of fewer alarms is a few of the worst.
const P99_9_SAMPLES_MIN: f64 = 100_000.0;
/// Lanes on which vendors send.
const LANES: [&str; 3] = ["duress", "door", "ping"];
/// The thread that has sessions, shard and fan-out when there is one.
const RIM: &str = "ach-rim";

/// Residence in one run. Percentiles are the bound of the histogram's bucket they lie in, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Residence {
    /// Alarms measured.
    pub(crate) samples: f64,
    /// Processor time of the node's thread: half need at most this.
    pub(crate) cpu_p50_us: Option<f64>,
    /// 99 of 100.
    pub(crate) cpu_p99_us: Option<f64>,
    /// 999 of 1,000; from 100,000 alarms on.
    pub(crate) cpu_p99_9_us: Option<f64>,
    /// Wall time of the same alarms over the same stretch.
    pub(crate) wall_p50_us: Option<f64>,
    /// 999 of 1,000; from 100,000 alarms on.
    pub(crate) wall_p99_9_us: Option<f64>,
    /// How often the system took the core from that thread.
    pub(crate) switches_involuntary: u64,
}

/// A node's numbers at one moment.
#[derive(Debug, Clone)]
pub(crate) struct ResidenceLook {
    numbers: NodeNumbers,
    switches: u64,
}

impl ResidenceLook {
    /// Looks at a node that tells its numbers.
    pub(crate) fn at(
        metrics: std::net::SocketAddr,
        process: u32,
    ) -> Result<ResidenceLook, Failure> {
        let numbers = NodeNumbers::fetch(metrics)?;
        Ok(ResidenceLook { numbers, switches: switches_involuntary(process) })
    }

    /// What came since; nothing where no alarm was measured.
    pub(crate) fn since(&self, before: &ResidenceLook) -> Option<Residence> {
        let wall = self.buckets_since(before, "ach_residence_seconds_bucket{stage=\"alarm\"");
        let of_lanes = LANES.map(|lane| self.cpu_since(before, lane));
        let cpu = together(&of_lanes);
        let samples = cpu.last().map(|(_, count)| *count).filter(|count| *count > 0.0)?;
        let rare = |buckets: &[(f64, f64)]| {
            if samples >= P99_9_SAMPLES_MIN { percentile_us(buckets, 0.999) } else { None }
        };
        Some(Residence {
            samples,
            cpu_p50_us: percentile_us(&cpu, 0.5),
            cpu_p99_us: percentile_us(&cpu, 0.99),
            cpu_p99_9_us: rare(&cpu),
            wall_p50_us: percentile_us(&wall, 0.5),
            wall_p99_9_us: rare(&wall),
            switches_involuntary: self.switches.saturating_sub(before.switches),
        })
    }

    /// Processor time of alarms whose inputs came on one lane: bounds in seconds, and how many took at most that.
    pub(crate) fn cpu_since(&self, before: &ResidenceLook, lane: &str) -> Vec<(f64, f64)> {
        self.buckets_since(before, &format!("ach_residence_cpu_seconds_bucket{{lane=\"{lane}\""))
    }

    fn buckets_since(&self, before: &ResidenceLook, start: &str) -> Vec<(f64, f64)> {
        let (now, then) = (self.numbers.buckets(start), before.numbers.buckets(start));
        now.iter().zip(&then).map(|(now, then)| (now.0, now.1 - then.1)).collect()
    }
}

/// Histograms of the same bounds as one.
fn together(histograms: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let Some((first, others)) = histograms.split_first() else { return Vec::new() };
    let with_others = |(place, &(bound, count)): (usize, &(f64, f64))| {
        let more: f64 = others.iter().filter_map(|other| other.get(place)).map(|it| it.1).sum();
        (bound, count + more)
    };
    first.iter().enumerate().map(with_others).collect()
}

/// The bound below which that part of all lies; `None` where it is beyond the last.
pub(crate) fn percentile_us(buckets: &[(f64, f64)], part: f64) -> Option<f64> {
    let all = buckets.last()?.1;
    let bound = buckets.iter().find(|(_, count)| *count >= all * part)?.0;
    (bound.is_finite() && all > 0.0).then_some((bound * 1e7).round() / 10.0)
}

/// Of the node's one thread; of all its threads where none has that name.
fn switches_involuntary(process: u32) -> u64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return 0 };
    let status = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("status")).ok();
    let all: Vec<String> = tasks.flatten().filter_map(status).collect();
    let switches = |status: &String| -> Option<u64> {
        let line = status.lines().find_map(|it| it.strip_prefix("nonvoluntary_ctxt_switches:"));
        line?.trim().parse().ok()
    };
    let is_rim = |status: &&String| status.lines().next().is_some_and(|name| name.ends_with(RIM));
    let of_rim: Vec<u64> = all.iter().filter(is_rim).filter_map(switches).collect();
    if of_rim.is_empty() { all.iter().filter_map(switches).sum() } else { of_rim.iter().sum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_bound_of_the_bucket_it_lies_in() {
        let buckets = [(0.00005, 900.0), (0.0001, 998.0), (0.001, 999.0), (f64::INFINITY, 1_000.0)];
        assert_eq!(percentile_us(&buckets, 0.5), Some(50.0));
        assert_eq!(percentile_us(&buckets, 0.99), Some(100.0));
        assert_eq!(percentile_us(&buckets, 0.999), Some(1_000.0));
        assert_eq!(percentile_us(&buckets, 0.9999), None, "beyond the last bound");
        assert_eq!(percentile_us(&[], 0.5), None);
    }

    #[test]
    fn lanes_are_told_apart_and_together() {
        let page = |duress: u32, ping: u32| {
            let lane = |lane: &str, count: u32| {
                format!(
                    "ach_residence_cpu_seconds_bucket{{lane=\"{lane}\",le=\"0.001\"}} {count}\n\
                     ach_residence_cpu_seconds_bucket{{lane=\"{lane}\",le=\"+Inf\"}} {}\n",
                    count + 1
                )
            };
            let numbers = NodeNumbers::read(
                &[lane("duress", duress), lane("door", 0), lane("ping", ping)].concat(),
            );
            ResidenceLook { numbers, switches: 0 }
        };
        let (before, after) = (page(2, 10), page(5, 110));
        let duress = after.cpu_since(&before, "duress");
        assert_eq!(duress, [(0.001, 3.0), (f64::INFINITY, 3.0)]);
        let all = after.since(&before).expect("alarms were measured");
        assert_eq!((all.samples, all.cpu_p50_us), (103.0, Some(1_000.0)));
        assert!(after.since(&after).is_none(), "none since");
    }
}
