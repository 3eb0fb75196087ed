//! One run of a scenario against a node that listens.

use std::net::SocketAddr;
use std::time::Duration;

use ach_actors_model::{Lane, NS_PER_MS, NS_PER_S, TagId, Timestamp};
use ach_clients_rust::{Client, ClientConfig, Progress, Publisher, PublisherOptions, now};
use ach_load_tests_fleet::Latencies;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::campus::{Campus, FEED, LoadTag};
use crate::cpu_times::CpuTimes;
use crate::failure::Failure;
use crate::outcome::{LatencySet, Outcome};
use crate::pacer::Pacing;
use crate::receiver::{Heard, HeardAlarm, Receiver};
use crate::residence::ResidenceLook;
use crate::scenario::Scenario;
use crate::sender::{OpenLoop, Sent, charged, closed_loop, drained};
use crate::timeline::TimelineWatch;

/// What was published becomes durable within this, or the run is given up.
pub(crate) const DRAIN_WITHIN: Duration = Duration::from_secs(30);
/// What is on its way at the end of a run has this long to arrive.
const ARRIVE_WITHIN_NS: u64 = 5 * NS_PER_S;
/// How often it is looked whether all has arrived.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A plan begins this far ahead, so that its first ping is not late.
const LEAD_NS: u64 = 50 * NS_PER_MS;
/// A sender that ends this late could not hold its rate: it was not the load that was asked for.
const OVERRUN_NS_MAX: u64 = 100 * NS_PER_MS;

/// Whom to load, and with what.
#[derive(Debug)]
pub(crate) struct Load<'a> {
    pub(crate) campus: &'a Campus,
    pub(crate) vendor: ClientConfig,
    pub(crate) receiver: ClientConfig,
    pub(crate) pacing: Pacing,
    /// The node's process, if it is on this machine and known.
    pub(crate) node_process: Option<u32>,
    /// Where that process tells its numbers.
    pub(crate) metrics: Option<SocketAddr>,
}

impl Load<'_> {
    /// Connects anew, so that runs do not lean on each other, and runs the scenario once.
    pub(crate) fn run(&self, scenario: &Scenario) -> Result<Outcome, Failure> {
        // The vendor's connection has a thread of its own, as it would in a vendor's program.
        let vendor = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("vendor")
            .enable_all()
            .build()?;
        let publisher = vendor.block_on(self.publisher(scenario))?;
        let outcome = match scenario.pings_per_s {
            Some(_) => self.open(scenario, &vendor, &publisher),
            None => self.closed(scenario, &vendor, &publisher),
        }?;
        vendor.block_on(async {
            timeout(DRAIN_WITHIN, publisher.close()).await.map_err(|_| not_durable())??;
            Ok::<(), Failure>(())
        })?;
        Ok(outcome)
    }

    /// A publisher whose tags the node knows.
    async fn publisher(&self, scenario: &Scenario) -> Result<Publisher, Failure> {
        let count = usize::try_from(scenario.tags).unwrap_or(usize::MAX);
        let tags = self.campus.tags.get(..count).unwrap_or(&self.campus.tags);
        // Each ping is timed.
        let options = PublisherOptions::default().keeping_every_position();
        met(self.vendor.clone(), tags, &self.campus.quiet, options).await
    }

    /// At the node's numbers, if it tells them.
    fn look(&self) -> Result<Option<ResidenceLook>, Failure> {
        let look = self.metrics.zip(self.node_process);
        look.map(|(metrics, process)| ResidenceLook::at(metrics, process)).transpose()
    }

    fn open(
        &self,
        scenario: &Scenario,
        vendor: &Runtime,
        publisher: &Publisher,
    ) -> Result<Outcome, Failure> {
        let receiver = Receiver::start(self.receiver.clone())?;
        let probe_bytes = self.measure_note(scenario, vendor, publisher, &receiver)?;
        let before = publisher.progress().borrow().ping;
        let heard_before = (receiver.counts.alarms(), receiver.counts.echoes());
        let look = self.look()?;
        let watch = TimelineWatch::start(publisher.progress(), self.node_process)?;
        let cpu = CpuTimes::read(self.node_process);
        let begins_at = now().plus_ns(LEAD_NS);
        let load = OpenLoop {
            scenario,
            campus: self.campus,
            publisher,
            prober: &receiver.prober,
            probe_bytes,
            pacing: self.pacing,
        };
        let sent = load.run(begins_at)?;
        receiver.counts.load_ends();
        let cpu = CpuTimes::read(self.node_process).since(&cpu);
        let durable_at_end = publisher.durable_through();
        let timeline = watch.end()?;
        let wanted = (count(sent.alarms.len()), count(sent.probes.len()));
        wait_until(now().plus_ns(ARRIVE_WITHIN_NS), || {
            receiver.counts.alarms() - heard_before.0 >= wanted.0
                && receiver.counts.echoes() - heard_before.1 >= wanted.1
        });
        vendor.block_on(drained_of(publisher))?;
        let after = self.look()?;
        let heard = receiver.end()?;
        let progress = *publisher.progress().borrow();
        let mut outcome = Outcome {
            seconds: f64::from(scenario.run_s),
            cpu,
            probe_bytes,
            timeline,
            ..Outcome::default()
        };
        outcome.publish(&before, &progress.ping, durable_at_end);
        outcome.pings_unqueued = sent.unqueued_count;
        outcome.residence = after.zip(look).and_then(|(after, before)| after.since(&before));
        let latencies = match_up(&sent, &heard, before.published_through, publisher);
        outcome.hear(&sent, &heard, latencies);
        outcome.void = void(&outcome, &progress, sent.overrun_ns);
        Ok(outcome)
    }

    /// Raises an alarm, so that probes can be made as long as its frame.
    fn measure_note(
        &self,
        scenario: &Scenario,
        vendor: &Runtime,
        publisher: &Publisher,
        receiver: &Receiver,
    ) -> Result<u32, Failure> {
        let Some(tag) = self.campus.tags.first() else {
            return Err(Failure::new("a scenario has at least one tag"));
        };
        if scenario.alarms_per_s == 0 {
            return Ok(0);
        }
        vendor.block_on(publisher.publish(drained(tag)))?;
        let is_heard = wait_until(now().plus_ns(ARRIVE_WITHIN_NS), || receiver.counts.alarms() > 0);
        if !is_heard {
            let text = "the first alarm did not arrive: does the node serve the site that \
                        `fleet site` writes?";
            return Err(Failure::new(text));
        }
        vendor.block_on(publisher.publish_all(&charged(std::slice::from_ref(tag))))?;
        vendor.block_on(drained_of(publisher))?;
        Ok(receiver.counts.probe_bytes())
    }

    fn closed(
        &self,
        scenario: &Scenario,
        vendor: &Runtime,
        publisher: &Publisher,
    ) -> Result<Outcome, Failure> {
        let count = usize::try_from(scenario.tags).unwrap_or(usize::MAX);
        let tags = self.campus.tags.get(..count).unwrap_or(&self.campus.tags);
        let before = publisher.progress().borrow().ping;
        let watch = TimelineWatch::start(publisher.progress(), self.node_process)?;
        let cpu = CpuTimes::read(self.node_process);
        let begun_at = now();
        let until = begun_at.plus_ns(u64::from(scenario.run_s) * NS_PER_S);
        closed_loop(scenario, tags, publisher, until)?;
        let durable_at_end = publisher.durable_through();
        let took = Duration::from_nanos(now().since_ns(begun_at));
        let timeline = watch.end()?;
        let cpu = CpuTimes::read(self.node_process).since(&cpu);
        vendor.block_on(drained_of(publisher))?;
        let progress = *publisher.progress().borrow();
        let mut outcome =
            Outcome { seconds: took.as_secs_f64(), cpu, timeline, ..Outcome::default() };
        outcome.publish(&before, &progress.ping, durable_at_end);
        outcome.void = void(&outcome, &progress, 0);
        Ok(outcome)
    }
}

/// A publisher whose tags the node knows, all of them but the quiet ones heard and charged.
pub(crate) async fn met(
    vendor: ClientConfig,
    tags: &[LoadTag],
    quiet: &[LoadTag],
    options: PublisherOptions,
) -> Result<Publisher, Failure> {
    let publisher = Client::connect(vendor).await?.publisher(options)?;
    let ids: Vec<TagId> = tags.iter().chain(quiet).map(|tag| tag.id).collect();
    let refused = publisher.intern_tags(&ids).await?;
    if let Some((tag, code)) = refused.first() {
        let text = format!(
            "the node refuses {} tags, the first is {tag} ({code}); serve the site that `fleet site` \
             writes for these scenarios",
            refused.len()
        );
        return Err(Failure::new(text));
    }
    publisher.publish_all(&charged(tags)).await?;
    drained_of(&publisher).await?;
    Ok(publisher)
}

/// Latencies of what was heard, each from the moment its cause was meant to leave.
fn match_up(
    sent: &Sent,
    heard: &Heard,
    published_before: u64,
    publisher: &Publisher,
) -> LatencySet {
    let mut latencies = LatencySet { lateness: sent.lateness.clone(), ..LatencySet::default() };
    let mut is_awaited = vec![false; sent.intended.len()];
    for &number in &sent.alarms {
        if let Some(is_awaited) = is_awaited.get_mut(number) {
            *is_awaited = true;
        }
    }
    for HeardAlarm { cause, arrived_at, .. } in &heard.alarms {
        let ticket = publisher.ticket_of(Lane::Ping, cause.epoch, cause.seq);
        let number = ticket
            .filter(|_| cause.source.as_str() == FEED && cause.lane == Lane::Ping)
            .and_then(|ticket| ticket.number.checked_sub(published_before + 1))
            .and_then(|number| usize::try_from(number).ok());
        // Those before the run measured the size of a note.
        let Some(number) = number else { continue };
        let Some(is_awaited) = is_awaited.get_mut(number) else { continue };
        let was_awaited = std::mem::take(is_awaited);
        match sent.intended.get(number) {
            Some(&intended) if was_awaited => {
                latencies.alarms.record(arrived_at.since_ns(intended));
            }
            _ => latencies.unasked_count += 1,
        }
    }
    for (nonce, arrived_at) in &heard.echoes {
        let number = usize::try_from(*nonce).ok();
        if let Some(intended) = number.and_then(|number| sent.probes.get(number)) {
            latencies.echoes.record(arrived_at.since_ns(*intended));
        }
    }
    record_deadlines(heard, &mut latencies.deadlines);
    latencies
}

fn record_deadlines(heard: &Heard, lateness: &mut Latencies) {
    for (due_at, arrived_at) in &heard.deadlines {
        lateness.record(arrived_at.since_ns(*due_at));
    }
}

/// Why a run says nothing.
fn void(outcome: &Outcome, progress: &Progress, overrun_ns: u64) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut check = |is_fine: bool, reason: String| {
        if !is_fine {
            reasons.push(reason);
        }
    };
    let unqueued = outcome.pings_unqueued;
    check(unqueued == 0, format!("{unqueued} pings found no room in the client"));
    let late = Duration::from_nanos(overrun_ns);
    check(overrun_ns <= OVERRUN_NS_MAX, format!("the sender ended {late:?} late"));
    let missing = outcome.alarms_provoked - outcome.alarms_heard.min(outcome.alarms_provoked);
    check(missing == 0, format!("{missing} alarms did not arrive"));
    let unasked = outcome.alarms_unasked;
    check(unasked == 0, format!("{unasked} alarms came that the load did not ask for"));
    let (heard, due) = (outcome.deadlines_heard, outcome.deadlines_due);
    check(heard >= due, format!("{heard} of {due} alarms of deadlines arrived"));
    let silent = outcome.echoes_sent - outcome.echoes_heard.min(outcome.echoes_sent);
    check(silent == 0, format!("{silent} probes were not answered"));
    let gaps = outcome.gaps;
    check(gaps == 0, format!("the receiver's stream broke or had a gap, {gaps} times"));
    let (totals, published) = (outcome.totals, outcome.pings_published);
    check(
        totals.accepted == published,
        format!("{published} pings published, {totals:?}: not all of them were decided on"),
    );
    check(progress.is_storing, "the node does not store".to_owned());
    reasons
}

/// Waits until something holds; false if it does not by then.
pub(crate) fn wait_until(by: Timestamp, is_so: impl Fn() -> bool) -> bool {
    while !is_so() {
        if now() >= by {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    true
}

pub(crate) async fn drained_of(publisher: &Publisher) -> Result<(), Failure> {
    timeout(DRAIN_WITHIN, publisher.drain()).await.map_err(|_| not_durable())??;
    Ok(())
}

pub(crate) fn not_durable() -> Failure {
    Failure::new(format!("what was published did not become durable in {DRAIN_WITHIN:?}"))
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
