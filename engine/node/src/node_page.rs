//! A node's numbers for operators, under Prometheus' conventions, and whether it is well.
//!
//! Labels are words out of short fixed lists (lane, kind, topic, reason, stage), never the name or
//! number of a tag, subject or person.

use std::sync::Arc;

use ach_actors_model::NS_PER_S;
use ach_engine_metrics::{Amount, Exposition, Kind, Page};
use tokio::sync::watch;

use crate::audit_state::{AuditState, AuditTrouble};
use crate::clock::ShardClock;
use crate::commit_mark::{CommitMark, JournalTrouble, StoringStopped};
use crate::counters::Counters;
use crate::history_page;
use crate::lanes::Lanes;
use crate::outlet::Outlet;
use crate::selftest::schedule::SelftestTrouble;
use crate::shard_actor::ShardState;
use crate::shard_gauge::ShardGauge;
use crate::status::kind_word;

/// A shard whose heart has not beaten for this long is stuck: it beats once a second, and a turn takes
/// less than a millisecond.
const BEAT_OVERDUE_NS: u64 = 10 * NS_PER_S;

/// A running node's numbers.
#[derive(Debug, Clone)]
pub struct NodePage {
    pub(crate) state: watch::Receiver<ShardState>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) clock: Arc<ShardClock>,
    pub(crate) mark: Arc<CommitMark>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) gauge: Arc<ShardGauge>,
    pub(crate) audit: Arc<AuditState>,
}

impl Page for NodePage {
    fn write(&self, page: &mut Exposition) {
        for (name, help, value) in self.counters.described() {
            page.counter(&format!("ach_{}_total", unit_last(name)), help, Amount::Count(value));
        }
        for (name, value) in self.gauge.named() {
            let (name, amount) = in_seconds(unit_last(name), value);
            page.gauge(&format!("ach_{name}"), gauge_help(&name), amount);
        }
        page.gauge(
            "ach_is_clock_doubted",
            "1 while nothing grows old because the clock was more than a day ahead at the start.",
            Amount::Count(u64::from(self.clock.is_doubted())),
        );
        self.write_lanes(page);
        self.write_storing(page);
        self.write_audit(page);
        history_page::write(page, &self.counters, self.mark.durable_index(), self.clock.now());
        self.write_alarms(page);
        self.write_selftest(page);
        self.write_latencies(page);
    }

    fn health(&self) -> Result<(), String> {
        match *self.state.borrow() {
            ShardState::Running => {}
            ShardState::Drained => return Err("the node has ended in order".to_owned()),
            ShardState::Failed => {
                return Err("the shard has failed; the log says why".to_owned());
            }
        }
        let beat_at = self.counters.tally.beat_at();
        let silent_ns = self.clock.now().since_ns(beat_at);
        if beat_at.0 > 0 && self.clock.runs_by_itself() && silent_ns > BEAT_OVERDUE_NS {
            return Err(format!("the shard has not turned for {} s", silent_ns / NS_PER_S));
        }
        Ok(())
    }

    fn readiness(&self) -> Result<(), String> {
        self.health()?;
        match self.mark.stopped() {
            None => Ok(()),
            Some(why) => Err(format!("not storing, alarms go on as provisional: {why}")),
        }
    }
}

impl NodePage {
    fn write_lanes(&self, page: &mut Exposition) {
        let depths = self.lanes.depths();
        let mut family =
            page.family(Kind::Gauge, "ach_lane_depth", "What waits for the shard, by lane.");
        for (lane, depth) in ["duress", "door", "ping"].into_iter().zip(depths) {
            family.sample(&[("lane", lane)], Amount::Count(number(depth)));
        }
        let tally = &self.counters.tally;
        let mut family = page.family(
            Kind::Counter,
            "ach_inputs_conflated_total",
            "Inputs that gave way to newer ones of their tag, by lane; always 0 but for pings.",
        );
        for (lane, count) in tally.conflated.read() {
            family.sample(&[("lane", lane)], Amount::Count(count));
        }
        let mut family = page.family(
            Kind::Counter,
            "ach_effects_shed_total",
            "Effects and positions left out on their way to subscribers for want of room, by lane; \
             always 0 but for the console's.",
        );
        for (lane, count) in tally.shed.read() {
            family.sample(&[("lane", lane)], Amount::Count(count));
        }
        let mut family = page.family(
            Kind::Counter,
            "ach_subscriber_frames_shed_total",
            "Frames thrown away before a subscriber that was too slow, by topic. Of alarms it is sent \
             the open ones again; events are not told again.",
        );
        for (topic, count) in tally.thrown.read() {
            family.sample(&[("topic", topic)], Amount::Count(count));
        }
        page.gauge(
            "ach_outlet_depth",
            "Effects on their way from the shard to the fan-out.",
            Amount::Count(number(self.outlet.depth())),
        );
        let (challenged, dropped) = tally.handshakes();
        page.counter(
            "ach_handshakes_challenged_total",
            "Clients asked to prove their address.",
            Amount::Count(challenged),
        );
        page.counter(
            "ach_handshakes_dropped_total",
            "Handshakes dropped because too many were under way.",
            Amount::Count(dropped),
        );
    }

    fn write_storing(&self, page: &mut Exposition) {
        let stopped = self.mark.stopped();
        page.gauge(
            "ach_is_storing",
            "1 while entries are stored, 0 once storing has stopped.",
            Amount::Count(u64::from(stopped.is_none())),
        );
        let mut family = page.family(
            Kind::Gauge,
            "ach_storing_stopped",
            "1 for the reason for which storing has stopped.",
        );
        for reason in StoringStopped::WORDS {
            let is_it = stopped.is_some_and(|why| why.word() == *reason);
            family.sample(&[("reason", reason)], Amount::Count(u64::from(is_it)));
        }
        let troubles = self.mark.troubles();
        let mut family = page.family(
            Kind::Gauge,
            "ach_journal_trouble",
            "1 for what is wrong with the journal though it stores.",
        );
        for reason in JournalTrouble::WORDS {
            let is_it = troubles.iter().any(|why| why.word() == *reason);
            family.sample(&[("reason", reason)], Amount::Count(u64::from(is_it)));
        }
        page.gauge(
            "ach_durable_index",
            "The last entry on disk.",
            Amount::Count(self.mark.durable_index()),
        );
        page.gauge(
            "ach_backlog_bytes",
            "What waits for the disk.",
            Amount::Count(self.mark.backlog_bytes()),
        );
    }

    fn write_audit(&self, page: &mut Exposition) {
        let troubles: Vec<AuditTrouble> = self.audit.troubles().collect();
        page.gauge(
            "ach_audit_size",
            "Records of the audit log on disk.",
            Amount::Count(self.audit.size()),
        );
        page.gauge(
            "ach_is_audit_sound",
            "1 while the audit log is written and nothing is known to be wrong with it.",
            Amount::Count(u64::from(troubles.is_empty())),
        );
        page.gauge(
            "ach_audit_checked_timestamp_seconds",
            "When the last check of the whole audit log began that found nothing wrong; 0 for none yet.",
            Amount::Ns(self.audit.checked_at().0),
        );
        let mut family = page.family(
            Kind::Gauge,
            "ach_audit_trouble",
            "1 for what is wrong with the audit log.",
        );
        for reason in AuditTrouble::WORDS {
            let is_it = troubles.iter().any(|why| why.word() == *reason);
            family.sample(&[("reason", reason)], Amount::Count(u64::from(is_it)));
        }
    }

    fn write_alarms(&self, page: &mut Exposition) {
        let tally = &self.counters.tally;
        let mut family = page.family(
            Kind::Counter,
            "ach_alarms_raised_by_kind_total",
            "Alarms raised, by kind.",
        );
        for (kind, count) in tally.raised() {
            family.sample(&[("kind", &kind_word(kind))], Amount::Count(count));
        }
        page.gauge(
            "ach_alarms_open_told",
            "Open alarms as subscribers know them.",
            Amount::Count(tally.open()),
        );
        let [unseen, overdue, since, displaying] = tally.unseen();
        page.gauge(
            "ach_alarms_unseen",
            "Open alarms that no receiver says to have displayed.",
            Amount::Count(unseen),
        );
        page.gauge(
            "ach_alarms_unseen_overdue",
            "Those of them that were not displayed within 30 s: perhaps nobody looks.",
            Amount::Count(overdue),
        );
        let age_ns = if since == 0 { 0 } else { self.clock.now().0.saturating_sub(since) };
        page.gauge(
            "ach_alarms_unseen_age_seconds",
            "How long the oldest of them waits, 0 if none does.",
            Amount::Ns(age_ns),
        );
        page.gauge(
            "ach_receivers_displaying",
            "Subscribers to alarms that have said to display them.",
            Amount::Count(displaying),
        );
        page.gauge(
            "ach_is_display_expected",
            "1 where a receiver of this site has ever said that it displays alarms.",
            Amount::Count(u64::from(tally.is_display_expected())),
        );
        let mut family =
            page.family(Kind::Gauge, "ach_subscribers", "Subscribers connected, by topic.");
        for (topic, count) in tally.subscribers() {
            family.sample(&[("topic", topic)], Amount::Count(count));
        }
    }

    fn write_selftest(&self, page: &mut Exposition) {
        let tally = &self.counters.tally;
        let [tested, good] = tally.selftest();
        page.gauge(
            "ach_selftest_timestamp_seconds",
            "When the last self-test ended, over all runs of the node; 0 for none yet.",
            Amount::Ns(tested.0),
        );
        page.gauge(
            "ach_selftest_good_timestamp_seconds",
            "When the last self-test ended that came all the way; 0 for none yet.",
            Amount::Ns(good.0),
        );
        page.gauge(
            "ach_is_selftest_good",
            "1 if the last self-test came all the way; 0 if it did not, or there was none.",
            Amount::Count(u64::from(tested.0 > 0 && tested == good)),
        );
        let trouble = tally.selftest_trouble();
        let mut family = page.family(
            Kind::Gauge,
            "ach_selftest_trouble",
            "1 for what is wrong with the daily self-test, where there is one.",
        );
        for reason in SelftestTrouble::WORDS {
            let is_it = trouble.is_some_and(|why| why.word() == *reason);
            family.sample(&[("reason", reason)], Amount::Count(u64::from(is_it)));
        }
    }

    fn write_latencies(&self, page: &mut Exposition) {
        let tally = &self.counters.tally;
        page.histograms(
            "ach_residence_seconds",
            "Wall time inside the node: lane_wait is from an input's arrival until the shard takes it \
             (of the oldest in each entry), handover from there until a new alarm is with all its \
             subscribers' queues; alarm is both, of each alarm that an input raises.",
            Amount::Ns(0),
            "stage",
            &[
                ("lane_wait", &tally.lane_wait),
                ("handover", &tally.handover),
                ("alarm", &tally.residence),
            ],
        );
        page.histograms(
            "ach_residence_cpu_seconds",
            "Processor time of the node's one thread from a vendor's frames to the alarm that follows, by \
             the lane of the frames; counts only where that is measured.",
            Amount::Ns(0),
            "lane",
            &tally.residence_cpu.read(),
        );
        page.histogram(
            "ach_ack_latency_seconds",
            "From a decision until it is on disk and its durable ack may leave.",
            Amount::Ns(0),
            &tally.ack,
        );
        page.histogram(
            "ach_group_entries",
            "Entries that one sync of the journal made durable.",
            Amount::Count(0),
            &tally.group_entries,
        );
    }
}

/// Names whose unit stands first in `ach status`, with the unit last, as Prometheus wants it.
fn unit_last(name: &'static str) -> &'static str {
    match name {
        "bytes_committed" => "committed_bytes",
        "shard_bytes_reserved" => "shard_reserved_bytes",
        _ => name,
    }
}

fn in_seconds(name: &str, value: u64) -> (String, Amount) {
    match name.strip_suffix("_ns") {
        Some(stem) => (format!("{stem}_seconds"), Amount::Ns(value)),
        None => (name.to_owned(), Amount::Count(value)),
    }
}

fn gauge_help(name: &str) -> &'static str {
    match name {
        "shard_last_index" => "The last entry stepped.",
        "shard_skew_seconds" => "How far shard time is from UTC, without its sign.",
        "shard_site_version" => "The version of the site in force.",
        "alarms_open" => "Open alarms as the shard knows them.",
        "actors_quarantined" => {
            "Actors that failed and are set aside until an operator releases them."
        }
        "inputs_set_aside" => "Inputs for actors that are set aside.",
        "messages_set_aside" => "Messages for actors that are set aside.",
        "cells_hot" => "Actors at work.",
        "cells_cold" => "Actors compacted in memory until something comes for them.",
        "deadlines_waiting" => "Deadlines that wait to be due.",
        "shard_reserved_bytes" => "Memory the shard's tables have reserved.",
        _ => "A number of the shard, read once a second.",
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
