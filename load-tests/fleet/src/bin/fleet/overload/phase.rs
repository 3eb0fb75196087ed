//! One load on one node for a while, and everything that became of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ach_actors_model::{Lane, NS_PER_S};
use ach_clients_rust::{ClientConfig, Progress, Publisher, PublisherOptions, now};
use ach_load_tests_fleet::{Latencies, Percentiles};
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::console::{Console, Visits};
use super::offer::{Offer, Offered};
use crate::alert_plan::{AlertPlan, REPORT_LANES};
use crate::cpu_times::CpuTimes;
use crate::failure::Failure;
use crate::host::Host;
use crate::node_numbers::NodeNumbers;
use crate::outcome::{Totals, float, less};
use crate::receiver::{Heard, HeardAlarm, Receiver};
use crate::run::{DRAIN_WITHIN, drained_of, met, not_durable, wait_until};
use crate::timeline::{Timeline, TimelineWatch};
use crate::watched::Watched;

/// What is on its way at the end has this long to arrive.
const ARRIVE_WITHIN_NS: u64 = 10 * NS_PER_S;

/// Counts of the node's own that are told apart by lane: what gave way, what was left out.
const BY_LANE: [&str; 2] = ["ach_inputs_conflated_total", "ach_effects_shed_total"];
const LANES: [&str; 5] = ["duress", "door", "audit", "ping", "console"];

/// A node that is loaded, and by whom.
#[derive(Debug)]
pub(crate) struct Rig<'a> {
    pub(crate) watched: &'a Watched,
    pub(crate) vendor: ClientConfig,
    pub(crate) receiver: ClientConfig,
    pub(crate) operator: ClientConfig,
    pub(crate) process: u32,
    pub(crate) metrics: SocketAddr,
}

/// What became of the reports of one lane.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct LaneOutcome {
    pub(crate) published: u64,
    pub(crate) totals: Totals,
    pub(crate) alarms_due: u64,
    /// Of these heard, each counted once.
    pub(crate) alarms_heard: u64,
    pub(crate) alarm_latency_us: Percentiles,
}

/// An alarm's way in three parts, by the clocks of load and node, which are on one machine.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct AlarmWay {
    /// From the moment its report was meant to leave until the node takes it: the load, the sockets, what the
    /// node does before.
    pub(crate) to_node: Percentiles,
    /// From there until it begins to decide on it.
    pub(crate) in_lane: Percentiles,
    /// From there until the receiver has the alarm.
    pub(crate) to_receiver: Percentiles,
}

/// What became of a phase.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct PhaseOutcome {
    pub(crate) seconds: f64,
    pub(crate) pings_per_s_planned: u64,
    pub(crate) pings_offered: u64,
    /// Pings that gave way to newer ones of their tags in the client, which had no room because the node
    /// gave no credit. What gave way in the node is in `totals`.
    pub(crate) pings_conflated_in_client: u64,
    /// Pings the client had no room for, nor one of their tags to take the place of.
    pub(crate) pings_unqueued: u64,
    pub(crate) pings_published: u64,
    pub(crate) totals: Totals,
    pub(crate) pings_accepted_per_s: f64,
    pub(crate) reports_unqueued: u64,
    /// The duress lane and the door lane.
    pub(crate) lanes: [LaneOutcome; 2],
    /// Both lanes' alarms together, from the moment their reports were meant to leave.
    pub(crate) alarm_latency_us: Percentiles,
    /// Where these alarms were meanwhile.
    pub(crate) alarm_way_us: AlarmWay,
    /// Of probes over the receiver's connection meanwhile: what the way itself takes.
    pub(crate) echo_latency_us: Percentiles,
    pub(crate) echoes_sent: u64,
    /// How late reports left the load.
    pub(crate) send_lateness_us: Percentiles,
    /// Alarms that were heard twice or that nothing asked for.
    pub(crate) alarms_unasked: u64,
    pub(crate) gaps: u64,
    pub(crate) resident_max_mib: Option<f64>,
    /// From the end of the load until all of it was on disk.
    pub(crate) drained_after_s: f64,
    /// What gave way or was left out in the node, by lane, as it counts itself.
    pub(crate) node_counts: BTreeMap<String, f64>,
    pub(crate) audit_written: f64,
    pub(crate) audit_lost: f64,
    pub(crate) is_storing: bool,
    pub(crate) console_asked: u64,
    pub(crate) console_answered: u64,
    pub(crate) console_latency_us: Percentiles,
    pub(crate) cpu: CpuTimes,
    #[serde(skip)]
    pub(crate) alarms: Latencies,
    #[serde(skip)]
    pub(crate) timeline: Timeline,
}

impl Rig<'_> {
    /// A rig on a node that is a process of its own and tells its numbers.
    pub(crate) fn new<'a>(host: &Host, watched: &'a Watched) -> Result<Rig<'a>, Failure> {
        let (Some(process), Some(metrics)) = (host.process(), host.metrics) else {
            return Err(Failure::new(
                "the node must be a process of its own that tells its numbers",
            ));
        };
        Ok(Rig {
            watched,
            vendor: host.vendor.clone(),
            receiver: host.receiver.clone(),
            operator: host.operator.clone(),
            process,
            metrics,
        })
    }

    /// A vendor's connection on a thread of its own, and everything of the site met.
    pub(crate) fn connect(&self) -> Result<(Runtime, Publisher), Failure> {
        let vendor = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("vendor")
            .enable_all()
            .build()?;
        let publisher = vendor.block_on(async {
            // As of a live feed: where there is no room, what is newest counts.
            let options = PublisherOptions::default();
            let tags = &self.watched.campus.tags;
            let publisher = met(self.vendor.clone(), tags, &[], options).await?;
            for report in AlertPlan::cleared(self.watched, now()) {
                publisher.report(report).await?;
            }
            drained_of(&publisher).await?;
            Ok::<Publisher, Failure>(publisher)
        })?;
        Ok((vendor, publisher))
    }

    /// Loads the node for a while with that many pings a second.
    pub(crate) fn run(&self, pings_per_s: u64, length: Duration) -> Result<PhaseOutcome, Failure> {
        let (vendor, publisher) = self.connect()?;
        let receiver = Receiver::start(self.receiver.clone())?;
        let console = Console::start(self.operator.clone())?;
        let numbers = NodeNumbers::fetch(self.metrics)?;
        let watch = TimelineWatch::start(publisher.progress(), Some(self.process))?;
        let before = *publisher.progress().borrow();
        let cpu = CpuTimes::read(Some(self.process));
        let offer = Offer {
            watched: self.watched,
            publisher: &publisher,
            prober: Some(&receiver.prober),
            pings_per_s,
            length,
        };
        let offered = offer.run()?;
        receiver.counts.load_ends();
        let cpu = CpuTimes::read(Some(self.process)).since(&cpu);
        let accepted = publisher.progress().borrow().ping.totals.accepted;
        let timeline = watch.end()?;
        let ended_at = now();
        vendor.block_on(drained_of(&publisher))?;
        let drained_after_ns = now().since_ns(ended_at);
        let due = offered.reports.iter().filter(|report| report.is_alarm).count();
        let due = u64::try_from(due).unwrap_or(u64::MAX);
        wait_until(now().plus_ns(ARRIVE_WITHIN_NS), || receiver.counts.alarms() >= due);
        let visits = console.end()?;
        let heard = receiver.end()?;
        let after = *publisher.progress().borrow();
        let numbers_after = NodeNumbers::fetch(self.metrics)?;
        let seconds = float(offered.pings.took_ns) / 1e9;
        let mut outcome = PhaseOutcome {
            seconds,
            pings_per_s_planned: pings_per_s,
            pings_accepted_per_s: float(accepted - before.ping.totals.accepted) / seconds,
            resident_max_mib: timeline.resident_max_mib(),
            drained_after_s: float(drained_after_ns) / 1e9,
            is_storing: after.is_storing,
            cpu,
            timeline,
            ..PhaseOutcome::default()
        };
        outcome.publish(&offered, &before, &after);
        outcome.hear(&offered, &heard, &publisher);
        outcome.visit(&visits);
        outcome.count(&numbers, &numbers_after)?;
        vendor.block_on(async {
            timeout(DRAIN_WITHIN, publisher.close()).await.map_err(|_| not_durable())??;
            Ok::<(), Failure>(())
        })?;
        Ok(outcome)
    }
}

impl PhaseOutcome {
    fn publish(&mut self, offered: &Offered, before: &Progress, after: &Progress) {
        self.pings_offered = offered.pings.count;
        self.pings_unqueued = offered.pings.unqueued;
        self.pings_conflated_in_client = after.ping.gave_way_count - before.ping.gave_way_count;
        self.reports_unqueued = offered.reports_unqueued;
        self.pings_published = after.ping.published_through - before.ping.published_through;
        self.totals = less(&after.ping.totals, &before.ping.totals);
        for (lane, outcome) in REPORT_LANES.into_iter().zip(&mut self.lanes) {
            let (before, after) = (before.lane(lane), after.lane(lane));
            outcome.published = after.published_through - before.published_through;
            outcome.totals = less(&after.totals, &before.totals);
        }
    }

    fn hear(&mut self, offered: &Offered, heard: &Heard, publisher: &Publisher) {
        let mut awaited: BTreeMap<(Lane, u64), _> = BTreeMap::new();
        for report in offered.reports.iter().filter(|report| report.is_alarm) {
            awaited.insert((report.lane, report.number), report.send_at);
        }
        let mut latencies = [Latencies::default(), Latencies::default()];
        let mut ways = [Latencies::default(), Latencies::default(), Latencies::default()];
        for HeardAlarm { cause, received_at, decided_at, arrived_at } in &heard.alarms {
            let ticket = publisher.ticket_of(cause.lane, cause.epoch, cause.seq);
            let send_at = ticket.and_then(|ticket| awaited.remove(&(ticket.lane, ticket.number)));
            let place = REPORT_LANES.iter().position(|&lane| lane == cause.lane);
            match (send_at, place.and_then(|place| latencies.get_mut(place))) {
                (Some(send_at), Some(latencies)) => {
                    latencies.record(arrived_at.since_ns(send_at));
                    let moments = [send_at, *received_at, *decided_at, *arrived_at];
                    for (way, pair) in ways.iter_mut().zip(moments.windows(2)) {
                        if let [from, to] = pair {
                            way.record(to.since_ns(*from));
                        }
                    }
                }
                _ => self.alarms_unasked += 1,
            }
        }
        let [to_node, in_lane, to_receiver] = ways.map(|way| way.percentiles());
        self.alarm_way_us = AlarmWay { to_node, in_lane, to_receiver };
        self.alarms_unasked += heard.others_count;
        self.gaps = heard.gaps_count;
        let mut echoes = Latencies::default();
        for (nonce, arrived_at) in &heard.echoes {
            let send_at = usize::try_from(*nonce).ok().and_then(|at| offered.probes.get(at));
            if let Some(send_at) = send_at {
                echoes.record(arrived_at.since_ns(*send_at));
            }
        }
        self.echo_latency_us = echoes.percentiles();
        self.echoes_sent = u64::try_from(offered.probes.len()).unwrap_or(u64::MAX);
        self.send_lateness_us = offered.lateness.percentiles();
        for ((lane, outcome), latencies) in
            REPORT_LANES.into_iter().zip(&mut self.lanes).zip(&latencies)
        {
            let due = offered.reports.iter().filter(|it| it.is_alarm && it.lane == lane).count();
            outcome.alarms_due = u64::try_from(due).unwrap_or(u64::MAX);
            outcome.alarm_latency_us = latencies.percentiles();
            outcome.alarms_heard = outcome.alarm_latency_us.samples;
            self.alarms.merge(latencies);
        }
        self.alarm_latency_us = self.alarms.percentiles();
    }

    fn visit(&mut self, visits: &Visits) {
        self.console_asked = visits.asked;
        self.console_answered = visits.answered;
        self.console_latency_us = visits.latency.percentiles();
    }

    fn count(&mut self, before: &NodeNumbers, after: &NodeNumbers) -> Result<(), Failure> {
        for family in BY_LANE {
            for lane in LANES {
                let name = format!("{family}{{lane=\"{lane}\"}}");
                let count = after.since(before, &name)?;
                self.node_counts.insert(name, count);
            }
        }
        self.audit_written = after.since(before, "ach_audit_records_written_total")?;
        self.audit_lost = after.since(before, "ach_audit_records_lost_total")?;
        Ok(())
    }

    /// What part of the plan was offered.
    pub(crate) fn offered_part(&self) -> f64 {
        float(self.pings_offered) / (float(self.pings_per_s_planned) * self.seconds)
    }

    /// What part of an alarm's latency the load itself took before it handed the report over, at the median.
    pub(crate) fn late_part(&self) -> Option<f64> {
        Some(self.send_lateness_us.p50? / self.alarm_latency_us.p50?)
    }

    /// What gave way or was left out on the lanes that are never shed.
    pub(crate) fn shed_of_never_shed(&self) -> f64 {
        let is_kept = |name: &&String| {
            ["duress", "door", "audit"].iter().any(|lane| name.contains(&format!("\"{lane}\"")))
        };
        let names: Vec<&String> = self.node_counts.keys().filter(is_kept).collect();
        names.into_iter().filter_map(|name| self.node_counts.get(name)).sum()
    }
}
