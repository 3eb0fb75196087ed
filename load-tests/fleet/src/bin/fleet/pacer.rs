//! Waits for the moment something is meant to leave.

use std::num::NonZeroU64;
use std::time::Duration;

use ach_actors_model::Timestamp;
use ach_clients_rust::now;
use clap::ValueEnum;
use serde::Serialize;

/// How the sender waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pacing {
    /// Sleep, then send all that is due: leaves the cores to the node.
    #[default]
    Sleep,
    /// Stay awake and yield: exact, and takes a core's worth from a small machine.
    Yield,
}

/// The least slack of timers the system knows. The usual 50 µs are more than the time between two
/// pings.
const SLACK_NS: NonZeroU64 = NonZeroU64::MIN;

/// How long before its moment a thread stays awake that must not be late: longer than most wake-ups take.
const AWAKE_NS: u64 = 200_000;

/// Waits on the thread that made it.
#[derive(Debug)]
pub(crate) struct Pacer(Pacing);

impl Pacer {
    /// Prepares the calling thread.
    pub(crate) fn new(pacing: Pacing) -> Pacer {
        if let Err(error) = rustix::thread::set_current_timer_slack(Some(SLACK_NS)) {
            eprintln!("timers keep their slack, so the sender will be later: {error}");
        }
        Pacer(pacing)
    }

    /// Returns at `moment` or a little later, at once when it is past.
    pub(crate) fn wait_until(&self, moment: Timestamp) {
        loop {
            let wait_ns = moment.since_ns(now());
            if wait_ns == 0 {
                return;
            }
            match self.0 {
                Pacing::Sleep => std::thread::sleep(Duration::from_nanos(wait_ns)),
                Pacing::Yield => std::thread::yield_now(),
            }
        }
    }

    /// The same, and awake for the last of it: to the microsecond, for what is rare. Whoever else wants the core
    /// waits meanwhile.
    pub(crate) fn wait_exactly_until(&self, moment: Timestamp) {
        self.wait_until(Timestamp(moment.0.saturating_sub(AWAKE_NS)));
        while moment.since_ns(now()) > 0 {
            std::hint::spin_loop();
        }
    }
}
