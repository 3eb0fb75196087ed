//! What is counted apart by lane, kind or length, for operators. Any thread may read it; nothing waits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ach_actors_model::{AlarmKind, Lane, Timestamp};
use ach_engine_metrics::{GROUP_ENTRIES, Histogram, LATENCY_NS};
use ach_engine_net::HandshakeCounts;
use ach_engine_wire::Topic;

use crate::attention::Unseen;
use crate::counters::Counter;
use crate::history_state::HistoryState;
use crate::residence::RESIDENCE_NS;
use crate::selftest::schedule::SelftestTrouble;

/// Every kind of alarm: each is told from the start, so that the first of its kind is seen as a rise.
const KINDS: &[AlarmKind] = &[
    AlarmKind::Elopement,
    AlarmKind::AssetTheft,
    AlarmKind::UnauthorisedEntry,
    AlarmKind::Loitering,
    AlarmKind::TagSilent,
    AlarmKind::FeedSilent,
    AlarmKind::ZoneBlind,
    AlarmKind::BatteryLow,
    AlarmKind::BandCut,
    AlarmKind::Duress,
    AlarmKind::OverCapacity,
    AlarmKind::DoorForced,
    AlarmKind::ActorQuarantined,
    AlarmKind::ClockSkewed,
    AlarmKind::TagsContradict,
    AlarmKind::SelfTest,
    AlarmKind::AuditTrouble,
    AlarmKind::NodeClockOff,
    AlarmKind::SelftestFailed,
    AlarmKind::DoorHeld,
    AlarmKind::DoorTampered,
    AlarmKind::ReaderTampered,
    AlarmKind::DoorLost,
    AlarmKind::DoorBatteryLow,
    AlarmKind::DoorNotFollowing,
    AlarmKind::AssetNotReturned,
    AlarmKind::LoneWorker,
    AlarmKind::ForbiddenMeeting,
    AlarmKind::LeaveEndsSoon,
    AlarmKind::Tailgating,
    AlarmKind::BadgeElsewhere,
    AlarmKind::UnexplainedMotion,
];

/// A counter a lane.
#[derive(Debug, Default)]
pub(crate) struct ByLane {
    duress: Counter,
    door: Counter,
    audit: Counter,
    ping: Counter,
    console: Counter,
}

impl ByLane {
    /// The lane's counter.
    pub(crate) fn of(&self, lane: Lane) -> &Counter {
        match lane {
            Lane::Duress => &self.duress,
            Lane::Door => &self.door,
            Lane::Audit => &self.audit,
            Lane::Ping => &self.ping,
            Lane::Console => &self.console,
        }
    }

    /// Every lane with its word and number.
    pub(crate) fn read(&self) -> [(&'static str, u64); 5] {
        [
            ("duress", self.duress.get()),
            ("door", self.door.get()),
            ("audit", self.audit.get()),
            ("ping", self.ping.get()),
            ("console", self.console.get()),
        ]
    }
}

/// Residences, apart for each lane on which a vendor sends.
#[derive(Debug)]
pub(crate) struct ResidenceByLane {
    duress: Histogram,
    door: Histogram,
    ping: Histogram,
}

impl Default for ResidenceByLane {
    fn default() -> ResidenceByLane {
        let empty = || Histogram::new(RESIDENCE_NS);
        ResidenceByLane { duress: empty(), door: empty(), ping: empty() }
    }
}

impl ResidenceByLane {
    /// What an alarm took whose input came on that lane.
    pub(crate) fn record(&self, lane: Lane, spent_ns: u64) {
        let histogram = match lane {
            Lane::Duress => &self.duress,
            Lane::Door => &self.door,
            Lane::Ping => &self.ping,
            Lane::Audit | Lane::Console => unreachable!("no vendor sends on {lane:?}"),
        };
        histogram.record(spent_ns);
    }

    /// Every lane's word and residences.
    pub(crate) fn read(&self) -> [(&'static str, &Histogram); 3] {
        [("duress", &self.duress), ("door", &self.door), ("ping", &self.ping)]
    }
}

/// A counter a topic. Positions are not counted: a newer one takes the place of an older one.
#[derive(Debug, Default)]
pub(crate) struct ByTopic {
    alarms: Counter,
    events: Counter,
    positions: Counter,
}

impl ByTopic {
    /// The topic's counter.
    pub(crate) fn of(&self, topic: Topic) -> &Counter {
        match topic {
            Topic::Alarms => &self.alarms,
            Topic::Events => &self.events,
            Topic::Positions => &self.positions,
        }
    }

    /// Alarms and events with their words and numbers.
    pub(crate) fn read(&self) -> [(&'static str, u64); 2] {
        [("alarms", self.alarms.get()), ("events", self.events.get())]
    }
}

/// What is counted apart.
#[derive(Debug)]
pub(crate) struct Tally {
    /// From an input's arrival until the shard takes it, of the oldest input of each entry.
    pub lane_wait: Histogram,
    /// From the beginning of the step that raises an alarm until all its subscribers' sinks have it.
    pub handover: Histogram,
    /// Both together, of each alarm that an input raises: from the beginning of the turn that takes the
    /// input until the alarm is in all its subscribers' sinks.
    pub residence: Histogram,
    /// Processor time of the node's one thread from a vendor's frames to the alarm that follows, when
    /// that is measured, by the lane of the frames.
    pub residence_cpu: ResidenceByLane,
    /// From a decision until its durable ack is the session's to send.
    pub ack: Histogram,
    /// Entries one sync made durable.
    pub group_entries: Histogram,
    /// Inputs that gave way to newer ones.
    pub conflated: ByLane,
    /// Effects and positions left out on their way to subscribers.
    pub shed: ByLane,
    /// Frames thrown away before one slow subscriber.
    pub thrown: ByTopic,
    raised: Mutex<BTreeMap<AlarmKind, u64>>,
    alarms_open: AtomicU64,
    subscribers: [AtomicU64; 3],
    beat_at: AtomicU64,
    unseen: [AtomicU64; 4],
    selftest: [AtomicU64; 3],
    is_display_expected: AtomicBool,
    handshakes: OnceLock<Arc<HandshakeCounts>>,
    /// How history is.
    pub history: HistoryState,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            lane_wait: Histogram::new(LATENCY_NS),
            handover: Histogram::new(LATENCY_NS),
            residence: Histogram::new(LATENCY_NS),
            residence_cpu: ResidenceByLane::default(),
            ack: Histogram::new(LATENCY_NS),
            group_entries: Histogram::new(GROUP_ENTRIES),
            conflated: ByLane::default(),
            shed: ByLane::default(),
            thrown: ByTopic::default(),
            raised: Mutex::new(KINDS.iter().map(|&kind| (kind, 0)).collect()),
            alarms_open: AtomicU64::new(0),
            subscribers: Default::default(),
            beat_at: AtomicU64::new(0),
            unseen: Default::default(),
            selftest: Default::default(),
            is_display_expected: AtomicBool::new(false),
            handshakes: OnceLock::new(),
            history: HistoryState::default(),
        }
    }
}

impl Tally {
    /// An alarm was raised.
    pub(crate) fn raise(&self, kind: AlarmKind) {
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        let count = raised.entry(kind).or_default();
        *count = count.saturating_add(1);
    }

    /// How many alarms were raised, by kind.
    pub(crate) fn raised(&self) -> Vec<(AlarmKind, u64)> {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        raised.iter().map(|(&kind, &count)| (kind, count)).collect()
    }

    /// So many alarms are open, as subscribers know them.
    pub(crate) fn set_open(&self, count: usize) {
        self.alarms_open.store(number(count), Ordering::Relaxed);
    }

    /// How many alarms are open, as subscribers know them.
    pub(crate) fn open(&self) -> u64 {
        self.alarms_open.load(Ordering::Relaxed)
    }

    /// So many subscribe to alarms, events, positions.
    pub(crate) fn set_subscribers(&self, counts: [usize; 3]) {
        for (subscribers, count) in self.subscribers.iter().zip(counts) {
            subscribers.store(number(count), Ordering::Relaxed);
        }
    }

    /// How many subscribe, by topic.
    pub(crate) fn subscribers(&self) -> [(&'static str, u64); 3] {
        let [alarms, events, positions] = &self.subscribers;
        [("alarms", alarms), ("events", events), ("positions", positions)]
            .map(|(topic, count)| (topic, count.load(Ordering::Relaxed)))
    }

    /// The shard's heart has beaten.
    pub(crate) fn beat(&self, at: Timestamp) {
        self.beat_at.store(at.0, Ordering::Relaxed);
    }

    /// When it last did; 0 before the first time.
    pub(crate) fn beat_at(&self) -> Timestamp {
        Timestamp(self.beat_at.load(Ordering::Relaxed))
    }

    /// So many open alarms were displayed by nobody, and so many receivers display any.
    pub(crate) fn set_unseen(&self, unseen: Unseen, displaying_count: usize) {
        let since = unseen.since.map_or(0, |since| since.0);
        let numbers =
            [number(unseen.count), number(unseen.overdue_count), since, number(displaying_count)];
        for (place, number) in self.unseen.iter().zip(numbers) {
            place.store(number, Ordering::Relaxed);
        }
    }

    /// Open alarms that nobody has displayed; those nobody displayed in time; since when the oldest
    /// waits, 0 if none does; and receivers that display alarms.
    pub(crate) fn unseen(&self) -> [u64; 4] {
        let [count, overdue, since, displaying] = &self.unseen;
        [count, overdue, since, displaying].map(|place| place.load(Ordering::Relaxed))
    }

    /// A receiver of this site displays alarms, or did once.
    pub(crate) fn expect_displays(&self) {
        self.is_display_expected.store(true, Ordering::Relaxed);
    }

    /// Whether somebody is expected to display alarms.
    pub(crate) fn is_display_expected(&self) -> bool {
        self.is_display_expected.load(Ordering::Relaxed)
    }

    /// When the last self-test ended, and the last that went well; 0 for never.
    pub(crate) fn set_selftest(&self, tested_at: Timestamp, good_at: Timestamp) {
        let [tested, good, _] = &self.selftest;
        tested.store(tested_at.0, Ordering::Relaxed);
        good.store(good_at.0, Ordering::Relaxed);
    }

    /// See [`Tally::set_selftest`].
    pub(crate) fn selftest(&self) -> [Timestamp; 2] {
        let [tested, good, _] = &self.selftest;
        [tested, good].map(|at| Timestamp(at.load(Ordering::Relaxed)))
    }

    /// What is wrong with the daily self-test.
    pub(crate) fn set_selftest_trouble(&self, trouble: Option<SelftestTrouble>) {
        let [_, _, place] = &self.selftest;
        let number = match trouble {
            None => 0,
            Some(SelftestTrouble::Failed) => 1,
            Some(SelftestTrouble::Missed) => 2,
        };
        place.store(number, Ordering::Relaxed);
    }

    /// See [`Tally::set_selftest_trouble`].
    pub(crate) fn selftest_trouble(&self) -> Option<SelftestTrouble> {
        let [_, _, place] = &self.selftest;
        match place.load(Ordering::Relaxed) {
            1 => Some(SelftestTrouble::Failed),
            2 => Some(SelftestTrouble::Missed),
            _ => None,
        }
    }

    /// Open alarms that nobody displayed in time.
    pub(crate) fn undisplayed(&self) -> u64 {
        let [_, overdue, _, _] = self.unseen();
        overdue
    }

    /// Where the endpoint counts its handshakes.
    pub(crate) fn set_handshakes(&self, counts: Arc<HandshakeCounts>) {
        // There is one endpoint a node.
        drop(self.handshakes.set(counts));
    }

    /// Handshakes that had to prove their address, and those that were dropped.
    pub(crate) fn handshakes(&self) -> (u64, u64) {
        self.handshakes.get().map_or((0, 0), |counts| (counts.retried(), counts.dropped()))
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residence_is_told_under_the_word_of_its_lane() {
        let residence = ResidenceByLane::default();
        let times = [(Lane::Duress, 1), (Lane::Door, 2), (Lane::Ping, 3)];
        for (lane, count) in times {
            (0..count).for_each(|_| residence.record(lane, 1_000));
        }
        let told = residence.read().map(|(word, histogram)| (word, histogram.count()));
        assert_eq!(told, [("duress", 1), ("door", 2), ("ping", 3)]);
    }

    /// A new kind does not compile here until it has its place in [`KINDS`].
    #[test]
    fn every_kind_of_alarm_is_told_before_the_first() {
        let place = |kind| match kind {
            AlarmKind::Elopement => 0,
            AlarmKind::AssetTheft => 1,
            AlarmKind::UnauthorisedEntry => 2,
            AlarmKind::Loitering => 3,
            AlarmKind::TagSilent => 4,
            AlarmKind::FeedSilent => 5,
            AlarmKind::ZoneBlind => 6,
            AlarmKind::BatteryLow => 7,
            AlarmKind::BandCut => 8,
            AlarmKind::Duress => 9,
            AlarmKind::OverCapacity => 10,
            AlarmKind::DoorForced => 11,
            AlarmKind::ActorQuarantined => 12,
            AlarmKind::ClockSkewed => 13,
            AlarmKind::TagsContradict => 14,
            AlarmKind::SelfTest => 15,
            AlarmKind::AuditTrouble => 16,
            AlarmKind::NodeClockOff => 17,
            AlarmKind::SelftestFailed => 18,
            AlarmKind::DoorHeld => 19,
            AlarmKind::DoorTampered => 20,
            AlarmKind::ReaderTampered => 21,
            AlarmKind::DoorLost => 22,
            AlarmKind::DoorBatteryLow => 23,
            AlarmKind::DoorNotFollowing => 24,
            AlarmKind::AssetNotReturned => 25,
            AlarmKind::LoneWorker => 26,
            AlarmKind::ForbiddenMeeting => 27,
            AlarmKind::LeaveEndsSoon => 28,
            AlarmKind::Tailgating => 29,
            AlarmKind::BadgeElsewhere => 30,
            AlarmKind::UnexplainedMotion => 31,
        };
        let places: Vec<i32> = KINDS.iter().map(|&kind| place(kind)).collect();
        assert_eq!(places, (0..32).collect::<Vec<i32>>());
        let tally = Tally::default();
        tally.raise(AlarmKind::Duress);
        tally.raise(AlarmKind::Duress);
        let raised = tally.raised();
        assert_eq!(raised.len(), KINDS.len());
        assert_eq!(raised.iter().map(|(_, count)| count).sum::<u64>(), 2);
        assert!(raised.contains(&(AlarmKind::Duress, 2)));
    }

    #[test]
    fn lanes_are_counted_apart() {
        let by_lane = ByLane::default();
        for (times, lane) in
            (1..).zip([Lane::Duress, Lane::Door, Lane::Audit, Lane::Ping, Lane::Console])
        {
            by_lane.of(lane).add(times);
        }
        let read = by_lane.read();
        assert_eq!(read, [("duress", 1), ("door", 2), ("audit", 3), ("ping", 4), ("console", 5)]);
    }
}
