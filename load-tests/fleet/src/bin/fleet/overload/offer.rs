//! Offers a node so many pings a second whatever it takes, and doors' and buttons' reports among them.

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
/// Pings handed over at once. Between two of these it is looked for reports.
const CHUNK_PINGS: usize = 256;
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

/// What was offered.
#[derive(Debug, Default)]
pub(crate) struct Offered {
    /// Pings that were due.
    pub(crate) pings: u64,
    /// Of these, those for which the client had no room, for the node gave it no credit, nor an older one of
    /// the tag to take the place of.
    pub(crate) pings_unqueued: u64,
    pub(crate) reports: Vec<SentReport>,
    /// Reports for which the client had no room.
    pub(crate) reports_unqueued: u64,
    /// How late each report was handed over: part of its alarm's latency, and not the node's doing.
    pub(crate) lateness: Latencies,
    /// When each probe was meant to leave, by number.
    pub(crate) probes: Vec<Timestamp>,
    /// How long it took.
    pub(crate) took_ns: u64,
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
        let mut offered = Offered::default();
        let pacer = Pacer::new(Pacing::Sleep);
        // Only polled when the client's queue of wishes is full.
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let begins_at = now();
        let length_ns = u64::try_from(self.length.as_nanos()).unwrap_or(u64::MAX);
        let mut plan = AlertPlan::new(self.watched, begins_at);
        let mut pings: Vec<Ping> = Vec::with_capacity(CHUNK_PINGS);
        let mut tags = self.watched.campus.tags.iter().cycle();
        loop {
            let elapsed_ns = now().since_ns(begins_at);
            if elapsed_ns >= length_ns {
                offered.took_ns = elapsed_ns;
                return Ok(offered);
            }
            let due = due(self.pings_per_s, elapsed_ns).saturating_sub(offered.pings);
            let mut rest = usize::try_from(due).unwrap_or(usize::MAX);
            offered.pings += due;
            while rest > 0 {
                self.report(&mut plan, &mut offered)?;
                self.probe(&runtime, begins_at, &mut offered)?;
                let observed_at = now();
                pings.clear();
                let chunk = tags.by_ref().take(rest.min(CHUNK_PINGS));
                pings.extend(chunk.map(|tag: &LoadTag| tag.ping(observed_at, None)));
                self.publish(&pings, &mut offered)?;
                rest -= pings.len();
            }
            self.report(&mut plan, &mut offered)?;
            self.probe(&runtime, begins_at, &mut offered)?;
            let cycle = now().since_ns(begins_at) / CYCLE_NS + 1;
            pacer.wait_until(begins_at.plus_ns(cycle * CYCLE_NS));
        }
    }

    /// Hands over what there is room for. Where one finds none, another may find an older one of its tag.
    fn publish(&self, mut pings: &[Ping], offered: &mut Offered) -> Result<(), SendError> {
        while !pings.is_empty() {
            let passed = match self.publisher.try_publish_all(pings) {
                Ok((count, _)) => count,
                Err(PublishError::Full { .. }) => {
                    offered.pings_unqueued += 1;
                    1
                }
                Err(error) => return Err(error.into()),
            };
            pings = pings.get(passed..).unwrap_or_default();
        }
        Ok(())
    }

    /// Sends the probes that are due: half as many as reports, for half of these raise an alarm, and
    /// half way between two.
    fn probe(
        &self,
        runtime: &Runtime,
        begins_at: Timestamp,
        offered: &mut Offered,
    ) -> Result<(), SendError> {
        let Some(prober) = self.prober else { return Ok(()) };
        let period_ns = NS_PER_S / REPORTS_PER_S;
        loop {
            let nonce = u64::try_from(offered.probes.len()).unwrap_or(u64::MAX);
            let send_at = begins_at.plus_ns(nonce * 2 * period_ns + period_ns / 2);
            if send_at > now() {
                return Ok(());
            }
            offered.probes.push(send_at);
            runtime.block_on(prober.send(nonce, PROBE_BYTES))?;
        }
    }

    /// Hands over the reports that are due.
    fn report(&self, plan: &mut AlertPlan<'_>, offered: &mut Offered) -> Result<(), SendError> {
        while let Some((send_at, report)) = plan.due(now()) {
            let sent = self.publisher.try_report(&report);
            offered.lateness.record(now().since_ns(send_at));
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

/// How many pings are due by then.
fn due(pings_per_s: u64, elapsed_ns: u64) -> u64 {
    let pings = u128::from(pings_per_s) * u128::from(elapsed_ns) / u128::from(NS_PER_S);
    u64::try_from(pings).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_follows_the_rate_and_never_overflows() {
        assert_eq!(due(1_000_000, NS_PER_MS), 1_000);
        assert_eq!(due(3, NS_PER_S - 1), 2);
        assert_eq!(due(5_000_000, 3_600 * NS_PER_S), 18_000_000_000);
    }
}
