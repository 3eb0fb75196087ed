//! What came of one run.

use ach_clients_rust::{LaneProgress, LaneTotals};
use ach_load_tests_fleet::{Latencies, Percentiles};
use serde::Serialize;

use crate::cpu_times::CpuTimes;
use crate::receiver::Heard;
use crate::residence::Residence;
use crate::sender::Sent;
use crate::timeline::Timeline;

/// Latencies of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatencySet {
    pub(crate) alarms: Latencies,
    pub(crate) echoes: Latencies,
    pub(crate) deadlines: Latencies,
    pub(crate) lateness: Latencies,
    pub(crate) unasked_count: u64,
}

/// What became of pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) accepted: u64,
    pub(crate) duplicate: u64,
    pub(crate) late: u64,
    pub(crate) refused: u64,
    pub(crate) conflated: u64,
}

impl Totals {
    /// How many were counted.
    pub(crate) fn sum(&self) -> u64 {
        self.accepted + self.duplicate + self.late + self.refused + self.conflated
    }
}

/// Alarm latency over echo latency; `None` where one of them may not be said.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Ratios {
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) p99_9: Option<f64>,
}

/// What came of one run.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Outcome {
    /// Why the run says nothing; empty when it does.
    pub(crate) void: Vec<String>,
    /// How long it was.
    pub(crate) seconds: f64,
    /// Pings the client took.
    pub(crate) pings_published: u64,
    /// Pings the client had no room for.
    pub(crate) pings_unqueued: u64,
    /// What became of them.
    pub(crate) totals: Totals,
    /// Pings durable within the run, a second.
    pub(crate) durable_pings_per_s: f64,
    /// Alarms the load asked for.
    pub(crate) alarms_provoked: u64,
    /// Of these heard.
    pub(crate) alarms_heard: u64,
    /// Alarms heard that it did not ask for.
    pub(crate) alarms_unasked: u64,
    /// Alarms of deadlines that fell due within the run.
    pub(crate) deadlines_due: u64,
    /// Alarms of deadlines heard.
    pub(crate) deadlines_heard: u64,
    /// Probes.
    pub(crate) echoes_sent: u64,
    /// Of these answered.
    pub(crate) echoes_heard: u64,
    /// Padding of a probe's answer, which makes it as long as an alarm.
    pub(crate) probe_bytes: u32,
    /// Gaps and broken connections.
    pub(crate) gaps: u64,
    /// From intended sending to the receiver.
    pub(crate) alarm_latency_us: Percentiles,
    /// Of probes in the same run.
    pub(crate) echo_latency_us: Percentiles,
    /// One over the other.
    pub(crate) ratio: Ratios,
    /// How late the sender was: part of both.
    pub(crate) send_lateness_us: Percentiles,
    /// Alarms opened by a deadline, from the deadline.
    pub(crate) deadline_lateness_us: Percentiles,
    /// Processor time in the run.
    pub(crate) cpu: CpuTimes,
    /// What the node spent on alarms, where it measures that.
    pub(crate) residence: Option<Residence>,
    /// How it went over time.
    #[serde(skip)]
    pub(crate) timeline: Timeline,
    /// The latencies themselves.
    #[serde(skip)]
    pub(crate) latencies: LatencySet,
}

impl Outcome {
    /// Enters what was published between two looks.
    pub(crate) fn publish(
        &mut self,
        before: &LaneProgress,
        after: &LaneProgress,
        durable_at_end: u64,
    ) {
        self.pings_published = after.published_through - before.published_through;
        self.totals = less(&after.totals, &before.totals);
        let durable = durable_at_end.saturating_sub(before.durable_through);
        self.durable_pings_per_s = float(durable) / self.seconds;
    }

    /// Enters what was heard.
    pub(crate) fn hear(&mut self, sent: &Sent, heard: &Heard, latencies: LatencySet) {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.alarms_provoked = count(sent.alarms.len());
        self.deadlines_due = sent.deadline_count;
        self.deadlines_heard = count(heard.deadlines.len());
        self.echoes_sent = count(sent.probes.len());
        self.gaps = heard.gaps_count;
        self.alarms_unasked = latencies.unasked_count + heard.others_count;
        self.alarm_latency_us = latencies.alarms.percentiles();
        self.echo_latency_us = latencies.echoes.percentiles();
        self.alarms_heard = self.alarm_latency_us.samples;
        self.echoes_heard = self.echo_latency_us.samples;
        self.send_lateness_us = latencies.lateness.percentiles();
        self.deadline_lateness_us = latencies.deadlines.percentiles();
        let ratio = |alarm: Option<f64>, echo: Option<f64>| Some(alarm? / echo?);
        let (alarm, echo) = (&self.alarm_latency_us, &self.echo_latency_us);
        self.ratio = Ratios {
            p50: ratio(alarm.p50, echo.p50),
            p99: ratio(alarm.p99, echo.p99),
            p99_9: ratio(alarm.p99_9, echo.p99_9),
        };
        self.latencies = latencies;
    }
}

/// What was counted between two looks.
pub(crate) fn less(after: &LaneTotals, before: &LaneTotals) -> Totals {
    Totals {
        accepted: after.accepted - before.accepted,
        duplicate: after.duplicate - before.duplicate,
        late: after.late - before.late,
        refused: after.refused - before.refused,
        conflated: after.conflated - before.conflated,
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "counts of a run are far below 2^53; there is no `From`"
)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}
