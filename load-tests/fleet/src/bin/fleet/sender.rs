//! Hands pings and probes to the client: by the plan (open loop), or as many as the node takes.

use std::time::Duration;

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_clients_rust::{Ping, Prober, PublishError, Publisher, SubscriberError, now};
use ach_load_tests_fleet::Latencies;
use thiserror::Error;

use crate::campus::{Campus, LoadTag, QUIET_NS};
use crate::pacer::{Pacer, Pacing};
use crate::scenario::Scenario;
use crate::schedule::{Battery, Due, Schedule};

/// Charges that raise and clear the battery's alarm.
const LOW_PERCENT: u8 = 3;
const CHARGED_PERCENT: u8 = 90;
/// How long the closed loop waits when the client has no room: some hundred batches become durable
/// meanwhile, and it keeps a quarter of a second's.
const FULL_WAIT: Duration = Duration::from_micros(200);

/// Why the load could not be sent.
#[derive(Debug, Error)]
pub(crate) enum SendError {
    /// The publisher refuses for good.
    #[error("the vendor's client gave up: {0}")]
    Publish(#[from] PublishError),
    /// The subscriber is gone.
    #[error("the receiver's client gave up: {0}")]
    Probe(#[from] SubscriberError),
    /// The system gives no runtime or thread.
    #[error("no runtime or thread to send with: {0}")]
    Runtime(#[from] std::io::Error),
    /// A thread of the load panicked; it said why.
    #[error("the thread that hands over pings died")]
    Died,
}

/// What was sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// When each ping was meant to leave, in the order they were handed over.
    pub(crate) intended: Vec<Timestamp>,
    /// Which of these raise an alarm, in order.
    pub(crate) alarms: Vec<usize>,
    /// When each probe was meant to leave, by number.
    pub(crate) probes: Vec<Timestamp>,
    /// Pings for which the client had no room. Each is a hole in the load.
    pub(crate) unqueued_count: u64,
    /// Alarms of deadlines that fall due within the run.
    pub(crate) deadline_count: u64,
    /// How late each ping was handed over.
    pub(crate) lateness: Latencies,
    /// How long after the end of the plan the last one was.
    pub(crate) overrun_ns: u64,
}

/// What an open loop sends with.
#[derive(Debug)]
pub(crate) struct OpenLoop<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) campus: &'a Campus,
    pub(crate) publisher: &'a Publisher,
    pub(crate) prober: &'a Prober,
    /// Padding of probes' answers.
    pub(crate) probe_bytes: u32,
    pub(crate) pacing: Pacing,
}

impl OpenLoop<'_> {
    /// Sends the plan from `begins_at` on, each thing at its moment or, when that is past, at once.
    /// Pings and probes leave by the same thread, so that its lateness falls on both alike.
    pub(crate) fn run(&self, begins_at: Timestamp) -> Result<Sent, SendError> {
        let schedule = Schedule::new(self.scenario, begins_at);
        let count = usize::try_from(schedule.ping_count()).unwrap_or(0);
        let mut sent = Sent { intended: Vec::with_capacity(count), ..Sent::default() };
        // Only polled when the client's queue of wishes is full.
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let pacer = Pacer::new(self.pacing);
        let ends_at = begins_at.plus_ns(u64::from(self.scenario.run_s) * NS_PER_S);
        for (send_at, due) in schedule {
            pacer.wait_until(send_at);
            match due {
                Due::Ping { tag, battery } => {
                    let Some(tag) = self.campus.tags.get(tag) else { continue };
                    self.publish(tag, battery, send_at, &mut sent)?;
                }
                Due::Quiet { tag } => {
                    let Some(tag) = self.campus.quiet.get(tag) else { continue };
                    self.publish(tag, Battery::Untold, send_at, &mut sent)?;
                    let is_due_in_time = send_at.plus_ns(QUIET_NS) < ends_at;
                    sent.deadline_count += u64::from(is_due_in_time);
                }
                Due::Probe { nonce } => {
                    sent.probes.push(send_at);
                    runtime.block_on(self.prober.send(nonce, self.probe_bytes))?;
                }
            }
        }
        sent.overrun_ns = now().since_ns(ends_at);
        Ok(sent)
    }

    fn publish(
        &self,
        tag: &LoadTag,
        battery: Battery,
        send_at: Timestamp,
        sent: &mut Sent,
    ) -> Result<(), SendError> {
        let percent = match battery {
            Battery::Untold => None,
            Battery::Low => Some(LOW_PERCENT),
            Battery::Charged => Some(CHARGED_PERCENT),
        };
        match self.publisher.try_publish(tag.ping(send_at, percent)) {
            Ok(_) => {
                if battery == Battery::Low {
                    sent.alarms.push(sent.intended.len());
                }
                sent.intended.push(send_at);
                sent.lateness.record(now().since_ns(send_at));
                Ok(())
            }
            Err(PublishError::Full { .. }) => {
                sent.unqueued_count += 1;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// As many as the node takes until `until`, in batches.
pub(crate) fn closed_loop(
    scenario: &Scenario,
    tags: &[LoadTag],
    publisher: &Publisher,
    until: Timestamp,
) -> Result<(), SendError> {
    let size = usize::try_from(scenario.batch_pings).unwrap_or(1).max(1);
    let mut pings: Vec<Ping> = Vec::with_capacity(size);
    for batch in tags.chunks(size).cycle() {
        let observed_at = now();
        if observed_at >= until {
            break;
        }
        pings.clear();
        pings.extend(batch.iter().map(|tag| tag.ping(observed_at, None)));
        let mut rest = pings.as_slice();
        while !rest.is_empty() && now() < until {
            match publisher.try_publish_all(rest) {
                Ok((count, _)) => rest = rest.get(count..).unwrap_or_default(),
                Err(PublishError::Full { .. }) => std::thread::sleep(FULL_WAIT),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// One ping of each tag, all batteries charged: what an earlier run left open is cleared, and the
/// node has met every tag.
pub(crate) fn charged(tags: &[LoadTag]) -> Vec<Ping> {
    let observed_at = now();
    tags.iter().map(|tag| tag.ping(observed_at, Some(CHARGED_PERCENT))).collect()
}

/// A ping that raises an alarm.
pub(crate) fn drained(tag: &LoadTag) -> Ping {
    tag.ping(now(), Some(LOW_PERCENT))
}
