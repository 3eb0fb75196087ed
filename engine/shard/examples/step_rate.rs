//! How fast a shard steps pings, beside a plain loop that does the same lookups.
//!
//! ```console
//! cargo run --release -p ach-engine-shard --example step_rate -- \
//!     [tags] [rounds] [batch] [zones] [gates: 0 or 1]
//! ```
//!
//! With gates every zone has a margin, a tolerance that ends in time, and two of three.
//!
//! Tags of patients, staff, visitors and assets walk half a metre a second over floors of 100 rooms
//! with corridors between, through the walls. Each round every tag pings once, in a shuffled order.
//! Both loops decide on the same pings in turn, round by round, and print nanoseconds of processor
//! time a ping; the
//! ratio is of sums over all rounds but the first two. Then nobody moves until all cells are
//! compacted, and memory is told from the process's resident set.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, NS_PER_S, Name, Ping, PingBatch, RuleConfig,
    SiteConfig, SourceConfig, SourceRef, SpeedLimit, SubjectClass, SubjectConfig, TagConfig, TagId,
    TagRef, Timestamp, UtcOffset, Who, ZoneConfig,
};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_geo::{
    Confirm, Floor, Gates, Observation, Occupancy, Outline, Position, Region, Watch, WatchIndex,
};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

const SEED: u64 = 42;
const STEP_MM: f64 = 500.0;
const ROOMS_A_FLOOR: u32 = 100;
const FLOOR_WIDE_MM: f64 = 125_000.0;
const FLOOR_DEEP_MM: f64 = 36_000.0;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let numbers: Vec<u32> = std::env::args().skip(1).map_while(|arg| arg.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let (tags, rounds) = (number(0, 100_000), number(1, 12));
    let (batch, zones) = (number(2, 256), number(3, 10_000));
    let gates = if number(4, 0) > 0 { gates() } else { Gates::default() };
    println!(
        "{tags} tags, {zones} zones, {rounds} rounds, batches of {batch}, seed {SEED}, {gates:?}"
    );
    let mut chance = ChaCha8Rng::seed_from_u64(SEED);
    let mut walkers: Vec<Walker> =
        (0..tags).map(|tag| Walker::anywhere(tag, zones, &mut chance)).collect();
    walkers.shuffle(&mut chance);
    let config = site(tags, zones, gates)?;
    let mut plain = Plain::new(&config)?;
    let before = resident_kib();
    let mut node = Node::start(config);
    let empty = resident_kib();
    println!("a site alone takes {} KiB", empty.saturating_sub(before));
    let mut sums = (Duration::ZERO, Duration::ZERO);
    for round in 0..rounds {
        for walker in &mut walkers {
            walker.step(&mut chance);
        }
        let entries = node.entries(&walkers, batch);
        let shard_time = node.step(&entries);
        let plain_time = plain.step(&entries);
        println!(
            "round {round}: shard {} ns, plain {} ns a ping",
            each_ns(shard_time, tags),
            each_ns(plain_time, tags)
        );
        if round >= 2 {
            sums = (sums.0 + shard_time, sums.1 + plain_time);
        }
    }
    let counted = tags.saturating_mul(rounds.saturating_sub(2)).max(1);
    let (ours, theirs) = (each_ns(sums.0, counted), each_ns(sums.1, counted));
    println!("shard {ours} ns, plain {theirs} ns a ping; {} pings/s", 1_000_000_000 / ours.max(1));
    println!("ratio in percent: {}", ours * 100 / theirs.max(1));
    println!("crossings of the plain loop: {}", plain.crossing_count);
    node.report(tags, empty);
    node.idle();
    node.report(tags, empty);
    Ok(())
}

fn each_ns(time: Duration, count: u32) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) / u64::from(count.max(1))
}

/// Runs something and says how much processor time it took: other programs share the machine.
fn timed(run: impl FnOnce()) -> Duration {
    let start = on_cpu();
    run();
    on_cpu().saturating_sub(start)
}

/// Time this thread has spent on a processor.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = text.split_whitespace().next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.unwrap_or(0))
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

struct Walker {
    tag: u32,
    x_mm: f64,
    y_mm: f64,
    heading: f64,
    floor: i16,
}

impl Walker {
    fn anywhere(tag: u32, zones: u32, chance: &mut ChaCha8Rng) -> Walker {
        let floor = chance.random_range(0..(zones / ROOMS_A_FLOOR).max(1));
        Walker {
            tag,
            x_mm: chance.random::<f64>() * FLOOR_WIDE_MM,
            y_mm: chance.random::<f64>() * FLOOR_DEEP_MM,
            heading: chance.random::<f64>() * std::f64::consts::TAU,
            floor: i16::try_from(floor).unwrap_or(i16::MAX),
        }
    }

    fn step(&mut self, chance: &mut ChaCha8Rng) {
        self.heading += chance.random_range(-0.4..0.4);
        let (x, y) = (self.heading.cos() * STEP_MM, self.heading.sin() * STEP_MM);
        (self.x_mm, self.y_mm) = (self.x_mm + x, self.y_mm + y);
        let is_in =
            (0.0..FLOOR_WIDE_MM).contains(&self.x_mm) && (0.0..FLOOR_DEEP_MM).contains(&self.y_mm);
        if !is_in {
            (self.x_mm, self.y_mm) = (self.x_mm - x, self.y_mm - y);
            self.heading += std::f64::consts::PI;
        }
    }

    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "within a floor")]
    fn position(&self) -> Position {
        Position {
            x_mm: self.x_mm as i32,
            y_mm: self.y_mm as i32,
            z_mm: None,
            floor: Some(Floor(self.floor)),
        }
    }
}

/// What a site sets whose locating system wanders: as the bench of the shard has them.
fn gates() -> Gates {
    Gates {
        entry_margin_mm: 300,
        exit_tolerance_mm: 800,
        tolerance_timeout_ns: Some(20 * NS_PER_S),
        confirm: Confirm { needed: 2, of: 3 },
        ..Gates::default()
    }
}

fn site(tags: u32, zones: u32, gates: Gates) -> Result<SiteConfig, Failure> {
    let classes =
        [SubjectClass::Patient, SubjectClass::Staff, SubjectClass::Visitor, SubjectClass::Asset];
    let subjects: Result<Vec<SubjectConfig>, Failure> = (0..tags)
        .zip(classes.into_iter().cycle())
        .map(|(at, class)| {
            Ok(SubjectConfig { id: Name::new(&format!("s{at}"))?, class, labels: Vec::new() })
        })
        .collect();
    let zones: Result<Vec<ZoneConfig>, Failure> =
        (0..zones).map(|number| zone(number, gates)).collect();
    Ok(SiteConfig {
        site: Name::new("campus")?,
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: classes.map(|class| SpeedLimit { class, mm_per_s: 10_000 }).to_vec(),
        sources: vec![SourceConfig {
            id: Name::new("rtls")?,
            silence_ns: Some(60 * NS_PER_S),
            zones: vec![],
        }],
        anchors: Vec::new(),
        zones: zones?,
        doors: Vec::new(),
        lines: Vec::new(),
        subjects: subjects?,
        tags: (0..tags)
            .map(|at| TagConfig { id: TagId(u64::from(at)), source: 0, subject: Some(at) })
            .collect(),
        rules: rules()?,
        largest_gap_ns: 2 * NS_PER_S,
        holidays: Vec::new(),
        badges: Vec::new(),
    })
}

fn zone(number: u32, gates: Gates) -> Result<ZoneConfig, Failure> {
    let (floor, place) = (number / ROOMS_A_FLOOR, number % ROOMS_A_FLOOR);
    let (x, y) = (i32::try_from(place % 25 * 5_000)?, i32::try_from(place / 25 * 9_000)?);
    let outer_mm = vec![(x, y), (x + 5_000, y), (x + 5_000, y + 6_000), (x, y + 6_000)];
    Ok(ZoneConfig {
        id: Name::new(&format!("z{number:06}"))?,
        labels: Vec::new(),
        floor: Some(Floor(i16::try_from(floor)?)),
        outline: Outline::Polygon { outer_mm, holes_mm: Vec::new() },
        height: None,
        capacity: None,
        motion_source: None,
        gates,
    })
}

/// Rules that are armed for everybody of a class and seldom fire: one room in a thousand is closed
/// to visitors or may not be left by assets, and every tag may be silent or flat.
fn rules() -> Result<Vec<RuleConfig>, Failure> {
    let rule = |id: &str, class, condition, alarm| -> Result<RuleConfig, Failure> {
        Ok(RuleConfig {
            id: Name::new(id)?,
            who: Who { classes: vec![class], ..Who::default() },
            when: Vec::new(),
            condition,
            alarm,
            priority: AlarmPriority::High,
            gates: None,
            is_tentative: false,
            answer: AnswerConfig::default(),
        })
    };
    let silent = Condition::TagSilent { after_ns: 300 * NS_PER_S };
    let stays = Condition::Stays { zones: vec![1], after_ns: 600 * NS_PER_S };
    Ok(vec![
        rule(
            "closed",
            SubjectClass::Visitor,
            Condition::Inside { zones: vec![50] },
            AlarmKind::UnauthorisedEntry,
        )?,
        rule(
            "keep",
            SubjectClass::Asset,
            Condition::Leaves { zones: vec![70], lines: Vec::new() },
            AlarmKind::AssetTheft,
        )?,
        rule("loiter", SubjectClass::Visitor, stays, AlarmKind::Loitering)?,
        rule("hush", SubjectClass::Patient, silent, AlarmKind::TagSilent)?,
        rule(
            "flat",
            SubjectClass::Staff,
            Condition::BatteryLow { percent: 20 },
            AlarmKind::BatteryLow,
        )?,
    ])
}

/// A shard and the time it is told.
struct Node {
    shard: Shard,
    index: u64,
    seq: u64,
    at: Timestamp,
}

impl Node {
    fn start(config: SiteConfig) -> Node {
        let at = Timestamp(1_795_392_000 * NS_PER_S);
        let mut node = Node { shard: Shard::new(), index: 0, seq: 1, at };
        let opened = Input::OpenEpoch { source: SourceRef(0), epoch: 1 };
        let first = node.entry(vec![Input::SiteChange(Box::new(config)), opened]);
        node.shard.step(&first, &mut Vec::new());
        node
    }

    fn entry(&mut self, inputs: Vec<Input>) -> Entry {
        self.index += 1;
        Entry {
            index: self.index,
            at: self.at,
            site_version: u32::from(self.index > 1),
            logic_version: LOGIC_VERSION,
            inputs,
            effects_hash: 0,
        }
    }

    /// One ping of every walker, spread over a second.
    fn entries(&mut self, walkers: &[Walker], batch: u32) -> Vec<Entry> {
        let size = usize::try_from(batch).unwrap_or(1).max(1);
        let pause_ns = NS_PER_S / u64::try_from(walkers.len().div_ceil(size)).unwrap_or(1);
        let chunks = walkers.chunks(size);
        chunks
            .map(|chunk| {
                self.at = self.at.plus_ns(pause_ns);
                let pings = chunk.iter().zip(0..).map(|(walker, seq_offset)| Ping {
                    tag: TagRef(walker.tag),
                    seq_offset,
                    observed_at: self.at,
                    position: walker.position(),
                    accuracy_mm: 100,
                    battery_percent: None,
                });
                let pings: Vec<Ping> = pings.collect();
                let count = u64::try_from(pings.len()).unwrap_or(0);
                let batch = PingBatch {
                    source: SourceRef(0),
                    epoch: 1,
                    first_seq: self.seq,
                    last_seq: self.seq + count - 1,
                    received_at: self.at,
                    conflated_count: 0,
                    refused_count: 0,
                    pings,
                };
                self.seq += count;
                self.entry(vec![Input::Pings(batch)])
            })
            .collect()
    }

    fn step(&mut self, entries: &[Entry]) -> Duration {
        let mut effects = Vec::new();
        timed(|| {
            for entry in entries {
                std::hint::black_box(self.shard.step(entry, &mut effects));
                effects.clear();
            }
        })
    }

    /// Two minutes in which nothing is heard, so that every cell is compacted.
    fn idle(&mut self) {
        for _ in 0..4_096 {
            self.at = self.at.plus_ns(NS_PER_S / 32);
            let tick = self.entry(vec![Input::Tick]);
            self.shard.step(&tick, &mut Vec::new());
        }
    }

    fn report(&self, tags: u32, empty_kib: u64) {
        let status = self.shard.status();
        let resident = resident_kib().saturating_sub(empty_kib) * 1_024;
        println!(
            "{} hot and {} cold cells, {} deadlines: {} bytes reserved a tag, {} bytes resident a \
             tag beyond the site; {} alarms",
            status.hot_cell_count,
            status.cold_cell_count,
            status.deadline_count,
            status.reserved_bytes / usize::try_from(tags.max(1)).unwrap_or(1),
            resident / u64::from(tags.max(1)),
            status.alarms_raised.values().sum::<u64>(),
        );
    }
}

/// The limit: an array of occupancies and nothing else.
struct Plain {
    index: WatchIndex,
    tags: Vec<Occupancy>,
    crossing_count: usize,
}

impl Plain {
    fn new(config: &SiteConfig) -> Result<Plain, Failure> {
        let mut watches = Vec::new();
        for (zone, key) in config.zones.iter().zip(0..) {
            let region = Arc::new(Region::new(zone.outline.clone(), zone.floor, zone.height)?);
            watches.push(Watch { key, region, gates: Gates::default() });
        }
        let index = WatchIndex::build(watches, Vec::new())?;
        Ok(Plain { index, tags: vec![Occupancy::default(); config.tags.len()], crossing_count: 0 })
    }

    fn step(&mut self, entries: &[Entry]) -> Duration {
        let mut crossings = Vec::new();
        timed(|| {
            for entry in entries {
                let [Input::Pings(batch)] = entry.inputs.as_slice() else { continue };
                for ping in &batch.pings {
                    let Some(tag) = self.tags.get_mut(ping.tag.index()) else { continue };
                    let seen = Observation {
                        position: ping.position,
                        accuracy_mm: ping.accuracy_mm,
                        observed_at_ns: ping.observed_at.0,
                        received_at_ns: batch.received_at.0,
                    };
                    tag.observe(&self.index, &seen, &mut crossings);
                    self.crossing_count += crossings.len();
                    crossings.clear();
                }
            }
        })
    }
}
