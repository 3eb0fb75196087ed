//! Processor time of the node and of the generator: who had how much of the machine.

use std::fs;

use serde::Serialize;

/// Clock ticks of `/proc` a second; the kernel's interface has had this value on every platform
/// that this runs on.
const TICKS_PER_S: f64 = 100.0;

/// Processor time, in seconds.
#[expect(clippy::struct_field_names, reason = "the unit ends the name")]
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct CpuTimes {
    /// Of the load generator.
    pub(crate) fleet_s: f64,
    /// Of the node, when it is a process of its own on this machine.
    pub(crate) node_s: Option<f64>,
    /// Taken from this virtual machine by others, all cores together.
    pub(crate) stolen_s: f64,
}

impl CpuTimes {
    /// As they stand.
    pub(crate) fn read(node_process: Option<u32>) -> CpuTimes {
        CpuTimes {
            fleet_s: process_s("self").unwrap_or(0.0),
            node_s: node_process.and_then(|id| process_s(&id.to_string())),
            stolen_s: stolen_s().unwrap_or(0.0),
        }
    }

    /// What was spent since.
    pub(crate) fn since(&self, before: &CpuTimes) -> CpuTimes {
        let rounded = |seconds: f64| (seconds * 100.0).round() / 100.0;
        CpuTimes {
            fleet_s: rounded(self.fleet_s - before.fleet_s),
            node_s: self.node_s.zip(before.node_s).map(|(after, before)| rounded(after - before)),
            stolen_s: rounded(self.stolen_s - before.stolen_s),
        }
    }
}

/// User and system time of a process: fields 14 and 15 of its `stat`, counted behind its name.
fn process_s(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_S)
}

/// The eighth number of the first line of `/proc/stat`.
fn stolen_s() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let ticks: f64 = stat.lines().next()?.split_whitespace().nth(8)?.parse().ok()?;
    Some(ticks / TICKS_PER_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_of_this_process_goes_on() {
        let before = CpuTimes::read(Some(std::process::id()));
        let mut sum = 0_u64;
        while CpuTimes::read(None).since(&before).fleet_s < 0.02 {
            sum = (0..100_000).fold(sum, |sum, number| sum.wrapping_mul(31).wrapping_add(number));
        }
        let spent = CpuTimes::read(Some(std::process::id())).since(&before);
        assert!(spent.fleet_s >= 0.02 && spent.node_s.is_some(), "{spent:?} {sum}");
    }
}
