//! A run over time: how far the node has come, and how much memory it holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ach_clients_rust::{Progress, now};
use serde::Serialize;
use tokio::sync::watch;

use crate::failure::Failure;
use crate::outcome::float;
use crate::resident::resident_kib;

/// How often it is looked: a buffer that fills and empties is seen within this.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Moments kept. When so many are, every other one is forgotten and it is looked half as often: ten hours
/// are as many as ten minutes.
const MOMENTS_MAX: usize = 8_192;

/// One look.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Moment {
    /// Since the watch began.
    pub(crate) at_s: f64,
    /// Pings decided on since then.
    pub(crate) accepted: u64,
    /// Pings that gave way since then.
    pub(crate) conflated: u64,
    /// Pings on disk since then.
    pub(crate) durable: u64,
    /// Memory of the node, if it is a process that can be asked.
    pub(crate) resident_mib: Option<f64>,
}

/// All looks, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline(pub(crate) Vec<Moment>);

impl Timeline {
    /// The most memory that was seen, in MiB.
    pub(crate) fn resident_max_mib(&self) -> Option<f64> {
        self.0.iter().filter_map(|moment| moment.resident_mib).max_by(f64::total_cmp)
    }

    /// A count a second, between looks that are at least half a second apart.
    pub(crate) fn per_s(&self, count: impl Fn(&Moment) -> u64) -> Vec<(f64, f64)> {
        let mut rates = Vec::new();
        let Some(mut before) = self.0.first() else { return rates };
        for moment in &self.0 {
            let took_s = moment.at_s - before.at_s;
            if took_s >= 0.5 {
                let more = count(moment).saturating_sub(count(before));
                rates.push((f64::midpoint(moment.at_s, before.at_s), float(more) / took_s));
                before = moment;
            }
        }
        rates
    }

    /// Memory over time.
    pub(crate) fn residents(&self) -> Vec<(f64, f64)> {
        self.0.iter().filter_map(|moment| Some((moment.at_s, moment.resident_mib?))).collect()
    }
}

/// A watch under way.
#[derive(Debug)]
pub(crate) struct TimelineWatch {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Timeline>,
}

impl TimelineWatch {
    /// Watches a publisher's progress, and a node's process if it has one, until [`TimelineWatch::end`].
    pub(crate) fn start(
        progress: watch::Receiver<Progress>,
        process: Option<u32>,
    ) -> Result<TimelineWatch, Failure> {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let thread = std::thread::Builder::new().name("timeline".to_owned()).spawn(move || {
            let (begun_at, before) = (now(), progress.borrow().ping);
            let mut timeline = Timeline::default();
            let mut every = 1_u32;
            while !ends.load(Ordering::Relaxed) {
                let ping = progress.borrow().ping;
                timeline.0.push(Moment {
                    at_s: float(now().since_ns(begun_at)) / 1e9,
                    accepted: ping.totals.accepted - before.totals.accepted,
                    conflated: ping.totals.conflated - before.totals.conflated,
                    durable: ping.durable_through - before.durable_through,
                    resident_mib: process.and_then(resident_kib).map(|kib| float(kib) / 1_024.0),
                });
                if timeline.0.len() >= MOMENTS_MAX {
                    let mut is_kept = false;
                    timeline.0.retain(|_| {
                        is_kept = !is_kept;
                        is_kept
                    });
                    every = every.saturating_mul(2);
                }
                // In short sleeps, so that its end is not waited for.
                for _ in 0..every {
                    if !ends.load(Ordering::Relaxed) {
                        std::thread::sleep(LOOK_EVERY);
                    }
                }
            }
            timeline
        })?;
        Ok(TimelineWatch { is_over, thread })
    }

    /// Ends it and gives what was seen.
    pub(crate) fn end(self) -> Result<Timeline, Failure> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| Failure::new("the thread that watches a run failed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_came_between_two_looks() {
        let moment = |at_s: f64, durable| Moment { at_s, durable, ..Moment::default() };
        let looks = [(0.0, 0), (0.3, 10), (0.5, 50), (1.0, 150), (1.4, 150), (2.0, 350)];
        let timeline = Timeline(looks.map(|(at_s, durable)| moment(at_s, durable)).to_vec());
        let rates = timeline.per_s(|moment| moment.durable);
        assert_eq!(rates, [(0.25, 100.0), (0.75, 200.0), (1.5, 200.0)]);
        assert_eq!(timeline.resident_max_mib(), None);
    }
}
