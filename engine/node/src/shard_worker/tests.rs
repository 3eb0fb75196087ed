//! A shard at work, with a clock that is moved by hand.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, Lane, Report, ReportKind, RuleConfig,
    SourceConfig, SourceRef, SubjectClass, SubjectConfig, TagConfig, TagId, TagRef, Who,
};
use ach_actors_model::{Name, Ping};
use ach_geo::Position;

use super::*;
use crate::clock::SimClock;
use crate::lanes::PING_BATCHES_MAX;
use crate::outlet::Outlet;
use crate::test_values::empty_site;

const NOON: Timestamp = Timestamp(1_795_000_000 * NS_PER_S);
const SILENCE_NS: u64 = 30 * NS_PER_S;

pub(super) struct Rig {
    sim: Arc<SimClock>,
    pub(super) worker: ShardWorker,
    pub(super) lanes: Arc<Lanes>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) clock: Arc<ShardClock>,
}

/// A site with one tag, which may be silent for [`SILENCE_NS`].
fn rig() -> Rig {
    let name = |text| Name::new(text).unwrap();
    let mut site = empty_site("st-anna");
    site.sources = vec![SourceConfig { id: name("uwb"), silence_ns: None, zones: vec![] }];
    site.subjects =
        vec![SubjectConfig { id: name("nurse"), class: SubjectClass::Staff, labels: Vec::new() }];
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
        answer: AnswerConfig::default(),
    })
    .to_vec();
    rig_of(site)
}

/// A shard that has been told a site.
pub(super) fn rig_of(site: SiteConfig) -> Rig {
    let sim = Arc::new(SimClock::at(NOON));
    let clock = Arc::new(ShardClock::start(sim.clone(), None));
    let (lanes, outlet) = (Arc::new(Lanes::new(PING_BATCHES_MAX)), Arc::new(Outlet::new()));
    let mark = Arc::new(CommitMark::at(0));
    let counters = Arc::new(Counters::default());
    let mut worker = ShardWorker::new(ShardParts {
        shard: Shard::new(),
        lanes: lanes.clone(),
        clock: clock.clone(),
        committer: Committer::absent(mark.clone(), counters.clone()),
        mark,
        spout: Spout::new(outlet.clone()),
        scribe: Scribe::absent(),
        history: None,
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

    pub(super) async fn open_epoch(&mut self) {
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

    pub(super) async fn press(&self, seq: u64) {
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
async fn an_alarm_is_told_before_the_disk_gets_its_entry() {
    let mut rig = rig();
    rig.open_epoch().await;
    let given = |rig: &Rig| rig.worker.parts.counters.entries_not_stored.get();
    let before = given(&rig);
    rig.press(1).await;
    assert_eq!(rig.worker.turn(), Turned::Stepped { pings: 0, has_alarm: true });
    assert_eq!(rig.alarms(), ["Raised Duress"]);
    assert_eq!(given(&rig), before);
    assert_eq!(rig.worker.turn(), Turned::Idle);
    assert_eq!(given(&rig), before + 1, "and in the next turn it does");
}

#[tokio::test]
async fn a_drain_gives_the_disk_the_last_alarm_too() {
    let mut rig = rig();
    rig.open_epoch().await;
    rig.press(1).await;
    rig.worker.turn();
    let before = rig.worker.parts.counters.entries_not_stored.get();
    rig.worker.begin_close();
    assert_eq!(rig.worker.parts.counters.entries_not_stored.get(), before + 1);
}

#[tokio::test]
async fn duress_overtakes_pings_that_came_before() {
    let mut rig = rig();
    rig.open_epoch().await;
    for seq in 1..=250 {
        rig.ping(seq);
    }
    rig.press(1).await;
    assert_eq!(rig.worker.turn(), Turned::Stepped { pings: 250, has_alarm: true });
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
