//! Offers a node so many pings a second whatever it takes, and doors' and buttons' reports beside them.
//!
//! Reports and probes leave by a thread of their own, as from doors and buttons, which do not wait until a
//! locating system has handed over its positions. The thread of the pings is nice: three times what a node
//! carries may fill the core of the load, and where the vendor's connection or the receiver waited for that
//! core, the wait would be measured as the node's.

use std::thread;
use std::time::Duration;

use ach_actors_model::{Lane, NS_PER_MS, NS_PER_S, Timestamp};
use ach_clients_rust::{Ping, Prober, PublishError, Publisher, Report, now};
use ach_load_tests_fleet::Latencies;
use tokio::runtime::Runtime;

use crate::alert_plan::{AlertPlan, REPORTS_PER_S, is_alarm};
use crate::campus::LoadTag;
use crate::pacer::{Pacer, Pacing};
use crate::sender::SendError;
use crate::watched::Watched;

/// A locating system's cycle: what is due leaves this often.
const CYCLE_NS: u64 = NS_PER_MS;
/// Pings handed over at once.
const CHUNK_PINGS: usize = 256;
/// How nice the thread of the pings is: whoever wakes beside it has the core at once.
const PINGS_NICENESS: i32 = 10;
/// Padding of a probe's answer: about what makes it as long as an alarm's frame.
const PROBE_BYTES: u32 = 150;

/// A report that was handed over, under its ticket's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SentReport {
    pub(crate) lane: Lane,
    pub(crate) number: u64,
    /// When it was meant to leave.
    pub(crate) send_at: Timestamp,
    /// Whether it must raise an alarm.
    pub(crate) is_alarm: bool,
}

/// What became of the pings of a load.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OfferedPings {
    /// So many were handed over, or would have been.
    pub(crate) count: u64,
    /// Of these, those for which the client had no room, for the node gave it no credit, nor an older one of
    /// the tag to take the place of.
    pub(crate) unqueued: u64,
    /// How long it took.
    pub(crate) took_ns: u64,
}

/// What was offered.
#[derive(Debug, Default)]
pub(crate) struct Offered {
    pub(crate) pings: OfferedPings,
    pub(crate) reports: Vec<SentReport>,
    /// Reports for which the client had no room.
    pub(crate) reports_unqueued: u64,
    /// How late each report's turn to be handed over came: part of its alarm's latency, and not the node's doing.
    pub(crate) lateness: Latencies,
    /// When each probe was meant to leave, by number.
    pub(crate) probes: Vec<Timestamp>,
}

/// A load.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) watched: &'a Watched,
    pub(crate) publisher: &'a Publisher,
    /// Sends probes over the receiver's connection, as often as alarms are raised and in between.
    pub(crate) prober: Option<&'a Prober>,
    pub(crate) pings_per_s: u64,
    pub(crate) length: Duration,
}

impl Offer<'_> {
    /// Offers until the time is over.
    pub(crate) fn run(&self) -> Result<Offered, SendError> {
        let begins_at = now();
        let length_ns = u64::try_from(self.length.as_nanos()).unwrap_or(u64::MAX);
        let ends_at = begins_at.plus_ns(length_ns);
        thread::scope(|scope| {
            let thread = thread::Builder::new().name("pings".to_owned());
            let pings = thread.spawn_scoped(scope, || self.pings(begins_at, ends_at))?;
            let alerts = self.alerts(begins_at, ends_at);
            let pings = pings.join().map_err(|_| SendError::Died)??;
            Ok(Offered { pings, ..alerts? })
        })
    }

    /// Hands over the pings of each cycle.
    fn pings(&self, begins_at: Timestamp, ends_at: Timestamp) -> Result<OfferedPings, SendError> {
        // Refused only by a system that knows no niceness: then it is as it was.
        let _ = rustix::process::setpriority_process(None, PINGS_NICENESS);
        let mut offered = OfferedPings::default();
        let pacer = Pacer::new(Pacing::Sleep);
        let mut pings: Vec<Ping> = Vec::with_capacity(CHUNK_PINGS);
        let mut tags = self.watched.campus.tags.iter().cycle();
        loop {
            let at = now();
            let elapsed_ns = at.since_ns(begins_at);
            if at >= ends_at {
                offered.took_ns = elapsed_ns;
                return Ok(offered);
            }
            let due = due(self.pings_per_s, elapsed_ns).saturating_sub(offered.count);
            let mut rest = usize::try_from(due).unwrap_or(usize::MAX);
            // A load that has fallen behind for good ends with its time, and is seen to be short.
            while rest > 0 && now() < ends_at {
                let observed_at = now();
                pings.clear();
                let chunk = tags.by_ref().take(rest.min(CHUNK_PINGS));
                pings.extend(chunk.map(|tag: &LoadTag| tag.ping(observed_at, None)));
                self.publish(&pings, &mut offered)?;
                offered.count += u64::try_from(pings.len()).unwrap_or(0);
                rest -= pings.len();
            }
            let cycle = now().since_ns(begins_at) / CYCLE_NS + 1;
            pacer.wait_until(begins_at.plus_ns(cycle * CYCLE_NS));
        }
    }

    /// Hands over what there is room for. Where one finds none, another may find an older one of its tag.
    fn publish(&self, mut pings: &[Ping], offered: &mut OfferedPings) -> Result<(), SendError> {
        while !pings.is_empty() {
            let passed = match self.publisher.try_publish_all(pings) {
                Ok((count, _)) => count,
                Err(PublishError::Full { .. }) => {
                    offered.unqueued += 1;
                    1
                }
                Err(error) => return Err(error.into()),
            };
            pings = pings.get(passed..).unwrap_or_default();
        }
        Ok(())
    }

    /// Hands over each report and sends each probe at its moment.
    fn alerts(&self, begins_at: Timestamp, ends_at: Timestamp) -> Result<Offered, SendError> {
        let mut offered = Offered::default();
        let pacer = Pacer::new(Pacing::Sleep);
        // Only polled when the client's queue of wishes is full.
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let mut plan = AlertPlan::new(self.watched, begins_at);
        while now() < ends_at {
            self.report(&mut plan, &mut offered)?;
            self.probe(&runtime, begins_at, &mut offered)?;
            let next_at = plan.next_at().min(probe_at(begins_at, offered.probes.len()));
            pacer.wait_exactly_until(next_at.min(ends_at));
        }
        Ok(offered)
    }

    /// Sends the probes that are due; without a receiver they are passed over.
    fn probe(
        &self,
        runtime: &Runtime,
        begins_at: Timestamp,
        offered: &mut Offered,
    ) -> Result<(), SendError> {
        loop {
            let send_at = probe_at(begins_at, offered.probes.len());
            if send_at > now() {
                return Ok(());
            }
            let nonce = u64::try_from(offered.probes.len()).unwrap_or(u64::MAX);
            offered.probes.push(send_at);
            if let Some(prober) = self.prober {
                runtime.block_on(prober.send(nonce, PROBE_BYTES))?;
            }
        }
    }

    /// Hands over the reports that are due.
    fn report(&self, plan: &mut AlertPlan<'_>, offered: &mut Offered) -> Result<(), SendError> {
        while let Some((send_at, report)) = plan.due(now()) {
            offered.lateness.record(now().since_ns(send_at));
            let sent = self.publisher.try_report(&report);
            offered.note(send_at, &report, sent)?;
        }
        Ok(())
    }
}

impl Offered {
    fn note(
        &mut self,
        send_at: Timestamp,
        report: &Report,
        sent: Result<ach_clients_rust::Ticket, PublishError>,
    ) -> Result<(), SendError> {
        match sent {
            Ok(ticket) => self.reports.push(SentReport {
                lane: ticket.lane,
                number: ticket.number,
                send_at,
                is_alarm: is_alarm(report),
            }),
            Err(PublishError::Full { .. }) => self.reports_unqueued += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// When a probe is meant to leave: half as many as reports, for half of these raise an alarm, and half way
/// between two.
fn probe_at(begins_at: Timestamp, number: usize) -> Timestamp {
    let period_ns = NS_PER_S / REPORTS_PER_S;
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    begins_at.plus_ns(number.saturating_mul(2 * period_ns).saturating_add(period_ns / 2))
}

/// How many pings are due by then.
fn due(pings_per_s: u64, elapsed_ns: u64) -> u64 {
    let pings = u128::from(pings_per_s) * u128::from(elapsed_ns) / u128::from(NS_PER_S);
    u64::try_from(pings).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_leave_half_way_between_two_reports() {
        let probes = [0, 1, 2].map(|number| probe_at(Timestamp(0), number).0 / NS_PER_MS);
        assert_eq!(probes, [5, 25, 45]);
    }

    #[test]
    fn what_is_due_follows_the_rate_and_never_overflows() {
        assert_eq!(due(1_000_000, NS_PER_MS), 1_000);
        assert_eq!(due(3, NS_PER_S - 1), 2);
        assert_eq!(due(5_000_000, 3_600 * NS_PER_S), 18_000_000_000);
    }
}
