//! A machine split in two for a node and its load, and what the node carries on its part.

use std::time::Duration;

use serde::Serialize;

use super::offer::Offer;
use super::phase::Rig;
use crate::arguments::OneCore;
use crate::cores::Cores;
use crate::cpu_times::CpuTimes;
use crate::failure::Failure;
use crate::host::{Host, HostPlan, Remembers};
use crate::node_numbers::NodeNumbers;
use crate::outcome::float;
use crate::run::drained_of;
use crate::watched::Watched;

/// The ramp's first rate, and how long each is tried: long enough for a backlog to show.
const RAMP_FIRST: u64 = 50_000;
const RAMP_STEP: Duration = Duration::from_millis(1_500);
/// Each rate is five quarters of the one before, to six million: more than a core's network carries.
const RAMP_STEPS_MAX: usize = 22;
/// A rate that is not carried is tried once more: the machine may have been elsewhere.
const RAMP_TRIES: usize = 2;
/// Of what was offered, so much must be decided on at once for the rate to count as carried.
const CARRIED_PART_MIN: f64 = 0.95;
/// A node that has had this part of its core is at its limit; what ends a ramp before is the load's or the machine's.
const BUSY_PART_MIN: f64 = 0.9;
/// How far history is behind after a step: further is a rate that it does not keep up with, and a disk that
/// the journal fills in the end.
const HISTORY_LAG: &str = "ach_history_lag_seconds";
const HISTORY_LAG_S_MAX: f64 = 0.5;

/// Where a node runs, and who loads it from where.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) cores: Cores,
    pub(crate) watched: Watched,
    plan: HostPlan,
}

/// What the node carries.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Carried {
    /// The highest rate of the ramp that was carried whole, in pings a second.
    pub(crate) carried: u64,
    /// The ramp.
    pub(crate) steps: Vec<Step>,
}

/// One rate of the ramp.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Step {
    pub(crate) offered_per_s: u64,
    pub(crate) accepted_per_s: f64,
    pub(crate) conflated: u64,
    pub(crate) conflated_in_client: u64,
    pub(crate) unqueued: u64,
    /// How far history was behind in the end.
    pub(crate) history_lag_s: f64,
    /// What part of its core the node had.
    pub(crate) node_core_part: f64,
    /// What part of what was planned the load handed over.
    pub(crate) offered_part: f64,
    pub(crate) is_carried: bool,
}

impl Step {
    /// Whether the load handed over what was planned.
    pub(crate) fn is_offered(&self) -> bool {
        self.offered_part >= CARRIED_PART_MIN
    }

    /// Whether it says of the node that it does not carry this rate.
    pub(crate) fn is_of_node(&self) -> bool {
        self.is_offered() && self.node_core_part >= BUSY_PART_MIN
    }

    /// In a word.
    pub(crate) fn verdict(&self) -> &'static str {
        match (self.is_carried, self.is_offered(), self.is_of_node()) {
            (true, _, _) => "carried",
            (_, false, _) => "not offered: the load was short",
            (_, _, true) => "not carried",
            (_, _, false) => "not carried, though the node had time to spare",
        }
    }
}

impl Carried {
    /// Whether it was the node that ended the ramp, by a core that was full.
    pub(crate) fn is_of_node(&self) -> bool {
        self.steps.last().is_some_and(|step| !step.is_carried && step.is_of_node())
    }
}

impl Pair {
    /// Splits the cores; from now on the calling thread and those it starts leave one to the node.
    pub(crate) fn new(with: &OneCore, remembers: Remembers) -> Result<Pair, Failure> {
        let cores = Cores::split()?;
        cores.leave_node_core()?;
        let watched = Watched::new(with.zones, with.tags);
        println!("the node has core {}, the load {} more", cores.node_core(), cores.load_count());
        let own = HostPlan::process(&with.below, with.ach.as_deref())?;
        let plan = HostPlan { cores: Some(cores.clone()), remembers, ..own };
        Ok(Pair { cores, watched, plan })
    }

    /// A node that nobody has loaded yet.
    pub(crate) fn host(&self) -> Result<Host, Failure> {
        Host::start(&self.plan, &self.watched.campus.directory)
    }

    /// Finds out what a node carries, on one that ends with it: what it decides on or, for long, what its
    /// history keeps up with as well.
    pub(crate) fn carried(&self, is_for_long: bool) -> Result<Carried, Failure> {
        let host = self.host()?;
        let steps = ramp(&Rig::new(&host, &self.watched)?, is_for_long)?;
        host.end()?;
        let carried = steps.iter().filter(|step| step.is_carried);
        let Some(carried) = carried.map(|step| step.offered_per_s).max() else {
            let text = format!(
                "the node did not carry {RAMP_FIRST} pings/s on its core; is the machine busy, or \
                 the program a debug build?"
            );
            return Err(Failure::new(text));
        };
        println!("it carries {carried} pings/s");
        Ok(Carried { carried, steps })
    }
}

/// Raises the rate until the node does not carry it.
fn ramp(rig: &Rig<'_>, is_for_long: bool) -> Result<Vec<Step>, Failure> {
    let (vendor, publisher) = rig.connect()?;
    let mut steps: Vec<Step> = Vec::new();
    let mut rate = RAMP_FIRST;
    'rates: for _ in 0..RAMP_STEPS_MAX {
        for _ in 0..RAMP_TRIES {
            let before = publisher.progress().borrow().ping.totals;
            let gave_way = publisher.gave_way_count();
            let offer = Offer {
                watched: rig.watched,
                publisher: &publisher,
                prober: None,
                pings_per_s: rate,
                length: RAMP_STEP,
            };
            let cpu = CpuTimes::read(Some(rig.process));
            let offered = offer.run()?.pings;
            let cpu = CpuTimes::read(Some(rig.process)).since(&cpu);
            let decided = publisher.progress().borrow().ping.totals.accepted - before.accepted;
            let lag_s = NodeNumbers::fetch(rig.metrics)?.get(HISTORY_LAG)?;
            vendor.block_on(drained_of(&publisher))?;
            let conflated = publisher.progress().borrow().ping.totals.conflated - before.conflated;
            let seconds = float(offered.took_ns) / 1e9;
            let is_decided = float(decided) >= CARRIED_PART_MIN * float(offered.count);
            let conflated_in_client = publisher.gave_way_count() - gave_way;
            let is_thinned = conflated > 0 || conflated_in_client > 0;
            let is_whole = !is_thinned && offered.unqueued == 0;
            let mut step = Step {
                offered_per_s: rate,
                accepted_per_s: float(decided) / seconds,
                conflated,
                conflated_in_client,
                unqueued: offered.unqueued,
                history_lag_s: lag_s,
                node_core_part: cpu.node_s.unwrap_or(0.0) / seconds,
                offered_part: float(offered.count) / (float(rate) * seconds),
                is_carried: false,
            };
            step.is_carried = step.is_offered()
                && is_decided
                && is_whole
                && !(is_for_long && lag_s > HISTORY_LAG_S_MAX);
            steps.push(step);
            if step.is_carried {
                rate += rate / 4;
                continue 'rates;
            }
        }
        break;
    }
    vendor.block_on(publisher.close())?;
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_that_the_load_could_not_follow_says_nothing_of_the_node() {
        let check = |offered_part, node_core_part, is_carried, verdict: &str, is_of_node| {
            let step = Step {
                offered_per_s: 1_000,
                accepted_per_s: 900.0,
                conflated: 0,
                conflated_in_client: 0,
                unqueued: 0,
                history_lag_s: 0.0,
                node_core_part,
                offered_part,
                is_carried,
            };
            assert_eq!(step.verdict(), verdict);
            let carried = Carried { carried: 800, steps: vec![step] };
            assert_eq!(carried.is_of_node(), is_of_node, "{verdict}");
        };
        check(1.0, 0.97, false, "not carried", true);
        check(1.0, 0.5, false, "not carried, though the node had time to spare", false);
        check(0.8, 0.97, false, "not offered: the load was short", false);
        check(1.0, 0.97, true, "carried", false);
    }
}
