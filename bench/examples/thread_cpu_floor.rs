//! What the thread's clock says of work that is always the same: the floor of every residence on a machine.
//!
//! ```console
//! cargo run --release -p ach-bench --example thread_cpu_floor [SECONDS] [CORE]
//! ```
//!
//! A thread on one core sleeps for two milliseconds, as a node does between alarms, and then computes for some
//! 40 µs in registers alone: no memory, no call into the system, nothing that could take longer once than another
//! time. Whatever its clock says beyond the median was not spent by the program: interrupts and what they wake are
//! charged to the thread they come upon, and so is the time a host takes a virtual core away. A residence cannot
//! be held to less than this, whatever the program does.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// As long as an alarm's residence is at the median.
const WORK_NS: u64 = 40_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args().skip(1);
    let first = given.next();
    let is_smoke = first.as_deref() == Some("smoke");
    let seconds =
        first.and_then(|text| text.parse().ok()).unwrap_or(if is_smoke { 1 } else { 200 });
    if let Some(core) = given.next() {
        let mut cores = CpuSet::new();
        cores.set(core.parse()?);
        sched_setaffinity(None, &cores)?;
    }
    let rounds = calibrated();
    let samples = seconds * 500;
    let mut taken_ns: Vec<u64> = Vec::with_capacity(usize::try_from(samples)?);
    for _ in 0..samples {
        // The pause is what is measured: the core is left as a node leaves it between two alarms.
        std::thread::sleep(Duration::from_millis(2));
        taken_ns.push(timed(rounds));
    }
    taken_ns.sort_unstable();
    let at = |permyriad: usize| {
        let place = taken_ns.len() * permyriad / 10_000;
        taken_ns.get(place.min(taken_ns.len() - 1)).copied().unwrap_or_default() / 1_000
    };
    println!(
        "thread CPU of {rounds} rounds, {samples} times: p50 {} us, p99 {}, p99.9 {}, p99.99 {}, max {}",
        at(5_000),
        at(9_900),
        at(9_990),
        at(9_999),
        at(10_000),
    );
    Ok(())
}

/// So many rounds as take about [`WORK_NS`].
fn calibrated() -> u64 {
    let tried = 1_000_000;
    let took_ns = (0..20).map(|_| timed(tried)).min().unwrap_or(1).max(1);
    (tried * WORK_NS / took_ns).max(1)
}

fn timed(rounds: u64) -> u64 {
    let begun_ns = thread_cpu_ns();
    let mut state = black_box(0x9E37_79B9_7F4A_7C15_u64);
    for _ in 0..rounds {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
    thread_cpu_ns().saturating_sub(begun_ns)
}

fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, ns) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or_default() * 1_000_000_000 + ns.unwrap_or_default()
}
