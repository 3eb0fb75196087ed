//! A small hospital whose people walk at random, and the shard that decides on it.

use std::sync::Arc;

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, NS_PER_MS, NS_PER_S, Name, Ping, PingBatch,
    RuleConfig, SiteConfig, SourceConfig, SourceRef, SpeedLimit, SubjectClass, SubjectConfig,
    TagConfig, TagId, TagRef, Timestamp, UtcOffset, Who, ZoneConfig,
};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_geo::{Floor, Gates, Outline, Position};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// 2026-11-21T20:00:00Z.
pub(crate) const START_NS: u64 = 1_795_291_200 * NS_PER_S;
const ROOM_MM: i32 = 5_000;
const COLUMNS: u32 = 6;

/// A folder in memory where there is one: what is tested here does not depend on how slow a sync is.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// An entry with what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) entry: Entry,
    pub(crate) effects: Vec<Effect>,
    pub(crate) site: Option<Arc<Site>>,
}

/// Walkers, and the shard that hears of them.
pub(crate) struct Hospital {
    shard: Shard,
    pub(crate) chance: ChaCha8Rng,
    walkers: Vec<(i32, i32, i16)>,
    seq: u64,
    index: u64,
    pub(crate) now_ns: u64,
    /// The last batches, to send them again.
    sent: Vec<PingBatch>,
    site_version: u32,
    config: SiteConfig,
}

impl Hospital {
    pub(crate) fn new(tags: u32, zones: u32, seed: u64) -> Hospital {
        Hospital {
            shard: Shard::new(),
            chance: ChaCha8Rng::seed_from_u64(seed),
            walkers: vec![(2_500, 2_500, 0); usize::try_from(tags).unwrap()],
            seq: 0,
            index: 0,
            now_ns: START_NS,
            sent: Vec::new(),
            site_version: 0,
            config: site(tags, zones),
        }
    }

    /// The shard as it is.
    pub(crate) fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Decides on an entry.
    pub(crate) fn step(&mut self, inputs: Vec<Input>) -> Step {
        self.index += 1;
        let mut entry = Entry {
            index: self.index,
            at: Timestamp(self.now_ns),
            site_version: self.site_version,
            logic_version: LOGIC_VERSION,
            inputs,
            effects_hash: 0,
        };
        let mut effects = Vec::new();
        entry.effects_hash = self.shard.step(&entry, &mut effects);
        self.site_version = self.shard.site().map_or(0, |site| site.version());
        Step { entry, effects, site: self.shard.site().cloned() }
    }

    /// The site, and the feed's first epoch.
    pub(crate) fn begin(&mut self) -> Step {
        let site = Input::SiteChange(Box::new(self.config.clone()));
        self.step(vec![site, Input::OpenEpoch { source: SourceRef(0), epoch: 1 }])
    }

    /// Everybody walks for a while and most are heard; now and then one late, or a batch twice.
    pub(crate) fn walk(&mut self, ms: u64) -> Step {
        self.now_ns += ms * NS_PER_MS;
        let mut pings = Vec::new();
        for tag in 0..self.walkers.len() {
            if !self.chance.random_bool(0.8) {
                continue;
            }
            let ping = self.ping(tag);
            pings.push(Ping { seq_offset: u32::try_from(pings.len()).unwrap(), ..ping });
        }
        if pings.is_empty() {
            return self.step(vec![Input::Tick]);
        }
        let first_seq = self.seq + 1;
        self.seq += u64::try_from(pings.len()).unwrap();
        let batch = PingBatch {
            source: SourceRef(0),
            epoch: 1,
            first_seq,
            last_seq: self.seq,
            received_at: Timestamp(self.now_ns),
            conflated_count: 0,
            refused_count: 0,
            pings,
        };
        let mut inputs = vec![Input::Pings(batch.clone())];
        self.sent.push(batch);
        if self.chance.random_bool(0.1) {
            let again = self.sent[self.chance.random_range(0..self.sent.len())].clone();
            inputs.push(Input::Pings(again));
        }
        self.sent.truncate(50);
        self.step(inputs)
    }

    fn ping(&mut self, tag: usize) -> Ping {
        let (x_mm, y_mm, floor) = &mut self.walkers[tag];
        let edge = i32::try_from(COLUMNS).unwrap() * ROOM_MM;
        *x_mm = (*x_mm + self.chance.random_range(-900..=900)).clamp(-3_000, edge + 3_000);
        *y_mm = (*y_mm + self.chance.random_range(-900..=900)).clamp(-3_000, edge);
        if self.chance.random_bool(0.001) {
            *floor = self.chance.random_range(0..2) * 100;
        }
        let late_ms = match self.chance.random_range(0..1_000) {
            0 => self.chance.random_range(0..90_000_000),
            1..20 => self.chance.random_range(0..60_000),
            _ => self.chance.random_range(0..80),
        };
        let fine_ns = if tag == 3 { self.chance.random_range(0..NS_PER_MS) } else { 0 };
        Ping {
            tag: TagRef(u32::try_from(tag).unwrap()),
            seq_offset: 0,
            observed_at: Timestamp(self.now_ns - late_ms * NS_PER_MS - fine_ns),
            position: Position {
                x_mm: *x_mm,
                y_mm: *y_mm,
                z_mm: (tag % 4 == 1).then_some(1_200),
                floor: (tag % 7 != 6).then_some(Floor(*floor)),
            },
            accuracy_mm: if tag.is_multiple_of(5) {
                self.chance.random_range(100..400)
            } else {
                300
            },
            battery_percent: tag.is_multiple_of(3).then_some(77),
        }
    }

    /// Another version of the site, one zone fewer.
    pub(crate) fn close_a_zone(&mut self) -> Step {
        self.config.version += 1;
        self.config.zones.pop();
        self.change()
    }

    /// Another version of the site, in which each tag is on the subject of that number.
    pub(crate) fn wear(&mut self, bearers: &[u32]) -> Step {
        self.config.version += 1;
        for (tag, bearer) in self.config.tags.iter_mut().zip(bearers) {
            tag.subject = Some(*bearer);
        }
        self.change()
    }

    fn change(&mut self) -> Step {
        let config = self.config.clone();
        self.step(vec![Input::SiteChange(Box::new(config))])
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn site(tags: u32, zones: u32) -> SiteConfig {
    let subject = |at| SubjectConfig {
        id: name(&format!("s{at}")),
        class: SubjectClass::Patient,
        labels: Vec::new(),
    };
    SiteConfig {
        site: name("small"),
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: vec![SpeedLimit { class: SubjectClass::Patient, mm_per_s: 1_000_000 }],
        sources: vec![SourceConfig { id: name("rtls"), silence_ns: None, zones: Vec::new() }],
        anchors: Vec::new(),
        zones: (0..zones).map(zone).collect(),
        doors: Vec::new(),
        lines: Vec::new(),
        subjects: (0..tags).map(subject).collect(),
        tags: (0..tags)
            .map(|at| TagConfig { id: TagId(0xAC00 + u64::from(at)), source: 0, subject: Some(at) })
            .collect(),
        rules: vec![RuleConfig {
            id: name("closed"),
            who: Who::default(),
            when: Vec::new(),
            condition: Condition::Inside { zones: vec![1] },
            alarm: AlarmKind::UnauthorisedEntry,
            priority: AlarmPriority::High,
            gates: None,
            is_tentative: false,
            answer: AnswerConfig::default(),
        }],
        largest_gap_ns: 2 * NS_PER_S,
        holidays: Vec::new(),
        badges: Vec::new(),
    }
}

fn zone(number: u32) -> ZoneConfig {
    let (column, row) = (number % COLUMNS, number / COLUMNS);
    let corner = |at: u32| i32::try_from(at).unwrap() * ROOM_MM;
    let (x, y) = (corner(column), corner(row));
    let outer_mm = vec![(x, y), (x + ROOM_MM, y), (x + ROOM_MM, y + ROOM_MM), (x, y + ROOM_MM)];
    ZoneConfig {
        id: name(&format!("z{number}")),
        labels: Vec::new(),
        floor: Some(Floor(0)),
        outline: Outline::Polygon { outer_mm, holes_mm: Vec::new() },
        height: None,
        capacity: None,
        motion_source: None,
        gates: Gates::default(),
    }
}
