//! One turn of a shard: take what waits, make an entry of it, step it, tell what follows.
//!
//! A plain struct without sockets or tasks; `shard_actor` gives it a thread. In every turn duress
//! and doors come first, then at most [`BATCH_PINGS_MAX`] pings. Alarms leave before the entry is
//! even encoded for the disk.

use std::sync::Arc;

use ach_actors_entities::Effect;
use ach_actors_model::{NS_PER_S, PingBatch, SiteConfig, Timestamp};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_engine_wire::encode_entry;

use crate::clock::{SKEW_MAX_NS, ShardClock};
use crate::commit_mark::{CommitMark, StoringStopped};
use crate::committer::Committer;
use crate::counters::Counters;
use crate::lanes::{Lanes, Ticketed};
use crate::outlet::{Outbound, Spout};
use crate::ping_buffer::BATCH_PINGS_MAX;
use crate::shard_gauge::ShardGauge;

/// Most inputs other than pings in one entry, so that a flood of door reports cannot keep pings
/// away for longer than a few hundred microseconds.
const REPORTS_MAX: usize = 64;

/// How often the clock is steered and the gauges are read.
pub(crate) const HEARTBEAT_NS: u64 = NS_PER_S;

/// A heartbeat this late means that the machine or the process was suspended: the time between
/// counts as an outage, in which silence is nobody's fault.
const SUSPEND_NS: u64 = 5 * NS_PER_S;

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// Nothing waited and nothing was due.
    Idle,
    /// An entry was stepped that held this many pings.
    Stepped {
        /// How many.
        pings: usize,
    },
    /// Only pings wait and the publisher must catch up before they are taken.
    Choked,
}

/// What a shard is made of.
#[derive(Debug)]
pub(crate) struct ShardParts {
    pub shard: Shard,
    pub lanes: Arc<Lanes>,
    pub clock: Arc<ShardClock>,
    pub committer: Committer,
    pub mark: Arc<CommitMark>,
    pub spout: Spout,
    pub counters: Arc<Counters>,
    pub gauge: Arc<ShardGauge>,
    pub last_index: u64,
    pub last_at: Timestamp,
    pub site_version: u32,
}

/// A shard at work.
#[derive(Debug)]
pub(crate) struct ShardWorker {
    parts: ShardParts,
    effects: Vec<Effect>,
    tickets: Vec<u64>,
    heartbeat_at: Timestamp,
}

impl ShardWorker {
    /// Puts the parts to work.
    pub(crate) fn new(parts: ShardParts) -> ShardWorker {
        let heartbeat_at = parts.last_at.max(parts.clock.now());
        let mut worker =
            ShardWorker { parts, effects: Vec::new(), tickets: Vec::new(), heartbeat_at };
        worker.gauge();
        worker
    }

    /// Steps the entries that open a run of the node: back from an outage, then a changed site.
    pub(crate) fn open(&mut self, away_since: Option<Timestamp>, site: Option<Box<SiteConfig>>) {
        if let Some(away_since) = away_since {
            self.step(vec![Input::Resumed { away_since }]);
        }
        if let Some(site) = site {
            self.step(vec![Input::SiteChange(site)]);
        }
        self.parts.spout.flush();
        self.gauge();
    }

    /// Takes what waits and steps it.
    pub(crate) fn turn(&mut self) -> Turned {
        self.notice_suspend();
        let has_room = self.parts.spout.flush();
        let mut inputs = Vec::new();
        let mut pings = 0;
        while inputs.len() < REPORTS_MAX
            && let Some(Ticketed { input, ticket }) = self.parts.lanes.pop_report()
        {
            self.tickets.extend(ticket);
            inputs.push(input);
        }
        while has_room
            && pings < BATCH_PINGS_MAX
            && let Some(batch) = self.parts.lanes.pop_pings()
        {
            pings += batch.pings.len().max(1);
            inputs.push(Input::Pings(batch));
        }
        if inputs.is_empty() {
            if !self.is_due() {
                let is_choked = !has_room && !self.parts.lanes.is_empty();
                return if is_choked { Turned::Choked } else { Turned::Idle };
            }
            inputs.push(Input::Tick);
        }
        self.step(inputs);
        self.parts.spout.flush();
        Turned::Stepped { pings }
    }

    /// Done about once a second: steers the clock, notices a suspend, reads the gauges.
    pub(crate) fn heartbeat(&mut self) {
        self.notice_suspend();
        self.heartbeat_at = self.parts.clock.now();
        self.parts.clock.steer();
        self.gauge();
    }

    /// Says so when the heartbeat is long overdue. Asked before every turn: after a suspend the
    /// timer that drives the heartbeat may be late as well, and no deadline must fire before.
    fn notice_suspend(&mut self) {
        let now = self.parts.clock.now();
        let away_since = self.heartbeat_at;
        let is_late = now.since_ns(away_since) > SUSPEND_NS;
        if !is_late || !self.parts.clock.runs_by_itself() {
            return;
        }
        self.heartbeat_at = now;
        self.parts.counters.suspends_seen.count();
        tracing::warn!(
            away_ms = now.since_ns(away_since) / 1_000_000,
            "the process was suspended; silence in that time is left out"
        );
        self.step(vec![Input::Resumed { away_since }]);
        self.parts.spout.flush();
    }

    /// Nanoseconds until a deadline is due, if there is one.
    pub(crate) fn until_due_ns(&mut self) -> Option<u64> {
        let due = self.parts.shard.next_due()?;
        Some(self.parts.clock.until_ns(due))
    }

    /// The shard as it is.
    pub(crate) fn shard(&self) -> &Shard {
        &self.parts.shard
    }

    /// The last entry that was stepped.
    pub(crate) fn last_index(&self) -> u64 {
        self.parts.last_index
    }

    /// Writes what waits for the disk and ends the committer.
    pub(crate) fn close(&mut self) {
        self.gauge();
        self.parts.committer.close();
        self.parts.spout.flush();
    }

    fn is_due(&mut self) -> bool {
        let now = self.parts.clock.now();
        self.parts.shard.is_due(now)
    }

    fn step(&mut self, inputs: Vec<Input>) {
        let parts = &mut self.parts;
        let received_at = inputs.iter().map(received_at).max().unwrap_or_default();
        let at = parts.clock.now().max(received_at).max(parts.last_at);
        let is_pings_only = inputs.iter().all(|input| matches!(input, Input::Pings(_)));
        let mut entry = Entry {
            index: parts.last_index.saturating_add(1),
            at,
            site_version: parts.site_version,
            logic_version: LOGIC_VERSION,
            inputs,
            effects_hash: 0,
        };
        self.effects.clear();
        entry.effects_hash = parts.shard.step(&entry, &mut self.effects);
        parts.last_index = entry.index;
        parts.last_at = at;
        parts.counters.entries_stepped.count();
        let has_alarm = self.tell(&entry);
        self.store(&entry, !is_pings_only || has_alarm);
    }

    /// Sends the effects on. Returns whether an alarm is among them.
    fn tell(&mut self, entry: &Entry) -> bool {
        let parts = &mut self.parts;
        let mut has_alarm = false;
        let is_new_site = |effect: &Effect| matches!(effect, Effect::SiteInForce { .. });
        if self.effects.iter().any(is_new_site)
            && let Some(site) = parts.shard.site()
        {
            parts.site_version = site.version();
            parts.spout.send(Outbound::Site(site.clone()));
        }
        for (ordinal, effect) in (0..).zip(self.effects.drain(..)) {
            has_alarm |= matches!(effect, Effect::Alarm(_));
            let outbound = Outbound::Effect { index: entry.index, ordinal, effect };
            if !parts.spout.send(outbound) {
                parts.counters.frames_shed.count();
            }
        }
        for ticket in self.tickets.drain(..) {
            parts.spout.send(Outbound::Stepped { index: entry.index, ticket });
        }
        if parts.spout.wants_fixes() {
            let batches = entry.inputs.iter().filter_map(|input| match input {
                Input::Pings(batch) => Some(batch),
                _ => None,
            });
            let fixes: Vec<_> = batches
                .flat_map(|batch| batch.pings.iter())
                .filter_map(|ping| parts.shard.fix(ping.tag))
                .collect();
            if !fixes.is_empty() {
                parts.spout.send(Outbound::Fixes(fixes));
            }
        }
        has_alarm
    }

    fn store(&mut self, entry: &Entry, is_urgent: bool) {
        let parts = &mut self.parts;
        if !parts.committer.is_storing() {
            parts.counters.entries_not_stored.count();
            return;
        }
        let mut bytes = parts.committer.buffer();
        match encode_entry(entry, &mut bytes) {
            Ok(()) => parts.committer.store(entry.index, bytes, is_urgent),
            Err(error) => {
                let detail = error.to_string();
                parts.mark.stop(StoringStopped::Unencodable { index: entry.index, detail });
            }
        }
    }

    fn gauge(&mut self) {
        let parts = &mut self.parts;
        let skew_ns = parts.clock.skew_ns();
        let was_skewed = parts.gauge.is_skewed();
        parts.gauge.read(&parts.shard, parts.last_index, skew_ns);
        let is_skewed = skew_ns.unsigned_abs() > SKEW_MAX_NS;
        if is_skewed && !was_skewed {
            tracing::error!(
                skew_ms = skew_ns / 1_000_000,
                "the machine's clock has jumped; shard time follows it slowly"
            );
        }
    }
}

/// When an input arrived, for those that say so.
fn received_at(input: &Input) -> Timestamp {
    match input {
        Input::Pings(PingBatch { received_at, .. }) => *received_at,
        Input::Report(report) => report.received_at,
        _ => Timestamp(0),
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{
        AlarmKind, AlarmPriority, Condition, Lane, Report, ReportKind, RuleConfig, SourceConfig,
        SourceRef, SubjectClass, SubjectConfig, TagConfig, TagId, TagRef, Who,
    };
    use ach_actors_model::{Name, Ping};
    use ach_geo::Position;

    use super::*;
    use crate::clock::SimClock;
    use crate::outlet::Outlet;
    use crate::test_values::empty_site;

    const NOON: Timestamp = Timestamp(1_795_000_000 * NS_PER_S);
    const SILENCE_NS: u64 = 30 * NS_PER_S;

    struct Rig {
        sim: Arc<SimClock>,
        worker: ShardWorker,
        lanes: Arc<Lanes>,
        outlet: Arc<Outlet>,
        clock: Arc<ShardClock>,
    }

    /// A site with one tag, which may be silent for [`SILENCE_NS`].
    fn rig() -> Rig {
        let name = |text| Name::new(text).unwrap();
        let mut site = empty_site("st-anna");
        site.sources = vec![SourceConfig { id: name("uwb"), silence_ns: None }];
        site.subjects = vec![SubjectConfig {
            id: name("nurse"),
            class: SubjectClass::Staff,
            labels: Vec::new(),
        }];
        site.tags = vec![TagConfig { id: TagId(1), source: 0, subject: Some(0) }];
        site.rules = [
            ("silent", Condition::TagSilent { after_ns: SILENCE_NS }, AlarmKind::TagSilent),
            ("duress", Condition::ButtonPressed, AlarmKind::Duress),
        ]
        .map(|(id, condition, alarm)| RuleConfig {
            id: name(id),
            who: Who::default(),
            when: Vec::new(),
            condition,
            alarm,
            priority: AlarmPriority::High,
            gates: None,
            is_tentative: false,
        })
        .to_vec();
        let sim = Arc::new(SimClock::at(NOON));
        let clock = Arc::new(ShardClock::start(sim.clone(), None));
        let (lanes, outlet) = (Arc::new(Lanes::new()), Arc::new(Outlet::new()));
        let mark = Arc::new(CommitMark::at(0));
        let counters = Arc::new(Counters::default());
        let mut worker = ShardWorker::new(ShardParts {
            shard: Shard::new(),
            lanes: lanes.clone(),
            clock: clock.clone(),
            committer: Committer::absent(mark.clone(), counters.clone()),
            mark,
            spout: Spout::new(outlet.clone()),
            counters,
            gauge: Arc::default(),
            last_index: 0,
            last_at: Timestamp(0),
            site_version: 0,
        });
        worker.open(None, Some(Box::new(site)));
        let rig = Rig { sim, worker, lanes, outlet, clock };
        rig.alarms();
        rig
    }

    impl Rig {
        /// The alarms told since the last time.
        fn alarms(&self) -> Vec<String> {
            std::iter::from_fn(|| self.outlet.pop())
                .filter_map(|outbound| match outbound {
                    Outbound::Effect { effect: Effect::Alarm(notice), .. } => {
                        Some(format!("{:?} {:?}", notice.transition, notice.kind))
                    }
                    _ => None,
                })
                .collect()
        }

        async fn open_epoch(&mut self) {
            let input = Input::OpenEpoch { source: SourceRef(0), epoch: 1 };
            self.lanes.send(Lane::Door, input).await.unwrap();
            self.worker.turn();
        }

        fn ping(&self, seq: u64) {
            let received_at = self.clock.now();
            let ping = Ping {
                tag: TagRef(0),
                seq_offset: 0,
                observed_at: received_at,
                position: Position { x_mm: 0, y_mm: 0, z_mm: None, floor: None },
                accuracy_mm: 0,
                battery_percent: None,
            };
            let batch = PingBatch {
                source: SourceRef(0),
                epoch: 1,
                first_seq: seq,
                last_seq: seq,
                received_at,
                conflated_count: 0,
                refused_count: 0,
                pings: vec![ping],
            };
            self.lanes.offer_pings(batch).unwrap();
        }

        async fn press(&self, seq: u64) {
            let now = self.clock.now();
            let report = Report {
                source: SourceRef(0),
                lane: Lane::Duress,
                epoch: 1,
                seq,
                observed_at: now,
                received_at: now,
                kind: ReportKind::ButtonPressed { tag: TagRef(0) },
            };
            self.lanes.send(Lane::Duress, Input::Report(report)).await.unwrap();
        }

        /// Lets `seconds` pass as a node does: a heartbeat a second, a turn when one is due.
        fn live(&mut self, seconds: u64) {
            for _ in 0..seconds {
                self.sim.pass(NS_PER_S);
                self.worker.heartbeat();
                while self.worker.turn() != Turned::Idle {}
            }
        }
    }

    #[tokio::test]
    async fn duress_overtakes_pings_that_came_before() {
        let mut rig = rig();
        rig.open_epoch().await;
        for seq in 1..=250 {
            rig.ping(seq);
        }
        rig.press(1).await;
        assert_eq!(rig.worker.turn(), Turned::Stepped { pings: 250 });
        assert_eq!(rig.alarms(), ["Raised Duress"]);
        assert_eq!(rig.worker.turn(), Turned::Idle);
    }

    #[tokio::test]
    async fn a_turn_is_bounded() {
        let mut rig = rig();
        rig.open_epoch().await;
        for seq in 1..=256 {
            rig.ping(seq);
        }
        for seq in 1..=100 {
            rig.press(seq).await;
        }
        rig.worker.turn();
        assert_eq!(rig.lanes.depths(), [100 - REPORTS_MAX, 0, 0]);
    }

    #[tokio::test]
    async fn a_deadline_fires_without_an_input() {
        let mut rig = rig();
        rig.open_epoch().await;
        rig.ping(1);
        rig.worker.turn();
        rig.live(29);
        assert_eq!(rig.alarms(), Vec::<String>::new());
        rig.live(2);
        assert_eq!(rig.alarms(), ["Raised TagSilent"]);
    }

    #[tokio::test]
    async fn a_jump_of_the_clock_fires_nothing_early() {
        for hour_ns in [3_600 * NS_PER_S, 0] {
            let mut rig = rig();
            rig.open_epoch().await;
            rig.ping(1);
            rig.worker.turn();
            rig.sim.set_utc(Timestamp(NOON.0 - 1_800 * NS_PER_S + hour_ns));
            rig.live(29);
            assert_eq!(rig.alarms(), Vec::<String>::new());
            rig.live(3);
            assert_eq!(rig.alarms(), ["Raised TagSilent"]);
        }
    }

    #[tokio::test]
    async fn silence_while_the_process_was_suspended_is_nobodys_fault() {
        let mut rig = rig();
        rig.open_epoch().await;
        rig.ping(1);
        rig.worker.turn();
        rig.live(10);
        rig.sim.pass(3_600 * NS_PER_S);
        rig.live(19);
        assert_eq!(rig.alarms(), Vec::<String>::new());
        assert_eq!(rig.worker.parts.counters.suspends_seen.get(), 1);
        rig.live(5);
        assert_eq!(rig.alarms(), ["Raised TagSilent"]);
    }
}
