//! Loads a running node: open loop with alarms beside echo probes, or closed loop for throughput.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ach_actors_model::{NS_PER_S, TagId, Timestamp};
use ach_clients_rust::{AlarmStream, Ping, Prober, PublishError, Publisher, now};
use ach_geo::Floor;
use serde::Serialize;

use crate::latency::Percentiles;
use crate::ledger::Ledger;
use crate::scenario::Scenario;

/// A charge that raises the battery alarm, and one that ends it.
const BATTERY_LOW: u8 = 3;
const BATTERY_GOOD: u8 = 90;
/// A low battery is charged again after this, so that every tag can alarm again.
const CHARGED_AFTER_NS: u64 = NS_PER_S;
/// A probe's answer is about as large as an alarm's frame.
const PROBE_BYTES: u32 = 320;
/// What is on its way gets this long at the end of a run.
const SETTLE: Duration = Duration::from_millis(500);

/// A tag to load with, and where it stands: still, so that its pings change nothing but the battery.
#[derive(Debug, Clone, Copy)]
pub struct LoadTag {
    /// The tag.
    pub tag: TagId,
    /// Millimetres.
    pub at_mm: (i32, i32),
    /// The floor.
    pub floor: Floor,
}

/// What came of one run.
#[derive(Debug, Clone, Serialize)]
pub struct LoadResult {
    /// Pings sent.
    pub pings_sent: u64,
    /// Pings durable within the run, a second.
    pub durable_pings_per_s: f64,
    /// Alarms that arrived.
    pub alarms: usize,
    /// From intended sending to the receiver.
    pub alarm_latency_us: Percentiles,
    /// Of echo probes in the same run.
    pub floor_latency_us: Percentiles,
    /// How late the sender was: part of the alarms' latency.
    pub send_lateness_us: Percentiles,
    /// Alarms opened by a deadline, from the deadline.
    pub deadline_lateness_us: Percentiles,
}

/// Hears alarms and probes' answers into the ledger until the stream ends.
pub async fn listen(mut alarms: AlarmStream, ledger: Arc<Mutex<Ledger>>) {
    while let Some(update) = alarms.next().await {
        let arrived_at = now();
        ledger.lock().unwrap_or_else(PoisonError::into_inner).heard(&update, arrived_at);
    }
}

/// One run. Blocks: call it from a thread of its own. The ledger must be fresh and listening.
///
/// # Errors
///
/// The publisher is closed.
pub fn load(
    scenario: &Scenario,
    source: &str,
    tags: &[LoadTag],
    publisher: &Publisher,
    prober: &Prober,
    ledger: &Arc<Mutex<Ledger>>,
) -> Result<LoadResult, PublishError> {
    let before = publisher.progress().borrow().ping;
    let run_ns = u64::from(scenario.run_s) * NS_PER_S;
    let begun_at = now();
    match scenario.pings_per_s {
        Some(rate) => {
            let stop = AtomicBool::new(false);
            std::thread::scope(|threads| {
                let echoes = threads.spawn(|| probe(scenario, prober, ledger, begun_at, &stop));
                let sent = open_loop(scenario, rate, source, tags, publisher, ledger, begun_at);
                stop.store(true, Ordering::Relaxed);
                // A thread that panicked has printed why; its probes are merely fewer.
                let _ = echoes.join();
                sent
            })?;
        }
        None => closed_loop(scenario, tags, publisher, begun_at.plus_ns(run_ns))?,
    }
    let ended_at = now();
    let durable = publisher.progress().borrow().ping.durable_through - before.durable_through;
    std::thread::sleep(SETTLE);
    let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let after = publisher.progress().borrow().ping;
    let seconds = crate::plane::float_ns(ended_at.since_ns(begun_at)) / 1e9;
    Ok(LoadResult {
        pings_sent: after.published_through - before.published_through,
        durable_pings_per_s: crate::plane::float_ns(durable) / seconds,
        alarms: ledger.episodes().len(),
        alarm_latency_us: ledger.alarm_latency().percentiles(),
        floor_latency_us: ledger.floor_latency().percentiles(),
        send_lateness_us: ledger.send_lateness().percentiles(),
        deadline_lateness_us: ledger.deadline_lateness().percentiles(),
    })
}

/// Pings one by one at their moments, every so manyth with a low battery; the same tag's next ping
/// after a second carries a good one.
fn open_loop(
    scenario: &Scenario,
    rate: u32,
    source: &str,
    tags: &[LoadTag],
    publisher: &Publisher,
    ledger: &Arc<Mutex<Ledger>>,
    begun_at: Timestamp,
) -> Result<(), PublishError> {
    let period_ns = NS_PER_S / u64::from(rate.max(1));
    let alarm_every = rate.checked_div(scenario.alarms_per_s).unwrap_or(u32::MAX).max(2);
    let mut drained_at: Vec<Option<Timestamp>> = vec![None; tags.len()];
    let count = u64::from(rate) * u64::from(scenario.run_s);
    let mut numbers = (0..tags.len()).cycle();
    for number in 0..count {
        let send_at = begun_at.plus_ns(number * period_ns);
        let Some(index) = numbers.next() else { return Ok(()) };
        let (Some(tag), Some(drained)) = (tags.get(index), drained_at.get_mut(index)) else {
            return Ok(());
        };
        let is_alarm = number % u64::from(alarm_every) == 0 && drained.is_none();
        let battery_percent = if is_alarm {
            *drained = Some(send_at);
            Some(BATTERY_LOW)
        } else if drained.is_some_and(|at| send_at.since_ns(at) >= CHARGED_AFTER_NS) {
            *drained = None;
            Some(BATTERY_GOOD)
        } else {
            None
        };
        while now() < send_at {
            // Sleeping is good to 60 µs, more than the period: yield, and let the node work.
            std::thread::yield_now();
        }
        let ping = Ping { battery_percent, ..ping(tag, send_at) };
        let mut book = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        match publisher.try_publish(ping) {
            Ok(ticket) => book.sent(source, ticket, send_at, ping.observed_at, now()),
            // Open loop: what finds no room is late, and its latency counts all the same.
            Err(PublishError::Full { .. }) => drop(book),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Probes at the rate of the alarms, half a period after them.
fn probe(
    scenario: &Scenario,
    prober: &Prober,
    ledger: &Arc<Mutex<Ledger>>,
    begun_at: Timestamp,
    stop: &AtomicBool,
) {
    let Some(period_ns) = NS_PER_S.checked_div(u64::from(scenario.alarms_per_s)) else { return };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let mut nonce = 0;
    while !stop.load(Ordering::Relaxed) {
        let send_at = begun_at.plus_ns(nonce * period_ns + period_ns / 2);
        std::thread::sleep(Duration::from_nanos(send_at.since_ns(now())));
        ledger.lock().unwrap_or_else(PoisonError::into_inner).probe_sent(nonce, send_at);
        if runtime.block_on(prober.send(nonce, PROBE_BYTES)).is_err() {
            return;
        }
        nonce += 1;
    }
}

/// As many as the node takes, in batches.
fn closed_loop(
    scenario: &Scenario,
    tags: &[LoadTag],
    publisher: &Publisher,
    until: Timestamp,
) -> Result<(), PublishError> {
    let size = usize::try_from(scenario.batch_pings).unwrap_or(1).max(1);
    let mut batches = tags.chunks(size).cycle();
    while now() < until {
        let Some(batch) = batches.next() else { return Ok(()) };
        let observed_at = now();
        let pings: Vec<Ping> = batch.iter().map(|tag| ping(tag, observed_at)).collect();
        let mut rest = pings.as_slice();
        while !rest.is_empty() && now() < until {
            match publisher.try_publish_all(rest) {
                Ok((count, _)) => rest = rest.get(count..).unwrap_or_default(),
                Err(PublishError::Full { .. }) => std::thread::sleep(Duration::from_micros(100)),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn ping(tag: &LoadTag, observed_at: Timestamp) -> Ping {
    Ping::local(tag.tag, observed_at, tag.at_mm.0, tag.at_mm.1).on_floor(tag.floor).within_mm(300)
}
