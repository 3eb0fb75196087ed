//! What this machine can carry: one core decides for a moment, and the rest follows from what a whole
//! node was measured to cost beside it.

use ach_actors_model::{NS_PER_S, Ping, PingBatch, SourceRef, TagRef, Timestamp};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_geo::{Floor, Position};
use ach_load_tests_fleet::{Scale, synthetic};

use super::finding::Finding;
use super::stopwatch::Stopwatch;
use crate::commands::capacity::{BATCH_PING_NS, HEADROOM_PERCENT, SINGLE_PING_NS, STEP_NS};

/// A hospital that fits into any machine's cache about as badly as a real one.
const SCALE: Scale = Scale { tags: 10_000, zones: 1_000 };
/// Pings an entry, as a vendor sends them that gathers.
const BATCH_PINGS: u32 = 64;
/// How long one core decides.
const MEASURED_NS: u64 = 500_000_000;
/// The area people walk in, in millimetres: a floor of the synthetic hospital.
const WIDE_MM: i32 = 120_000;
const DEEP_MM: i32 = 15_000;
const STEP_MM: i32 = 500;

/// Measures, and tells what follows.
pub(crate) fn findings() -> Vec<Finding> {
    let step_ns = Walk::new().step_ns();
    let carried = Carried::by(step_ns);
    let seen = format!(
        "about {} pings/s sent one by one, {} in batches of 64, with {HEADROOM_PERCENT} % to spare: \
         estimated from {step_ns} ns a decision here, half a second on one core",
        carried.singles_per_s, carried.batched_per_s
    );
    vec![if cfg!(debug_assertions) {
        Finding::warning("it carries", seen, "this is a debug build: build with --release")
    } else {
        Finding::ok("it carries", seen)
    }]
}

/// Pings a second that a node carries on one core of its own for sockets and decisions.
#[derive(Debug, PartialEq, Eq)]
struct Carried {
    singles_per_s: u64,
    batched_per_s: u64,
}

impl Carried {
    /// All of a node is slower by as much as deciding is.
    fn by(step_ns: u64) -> Carried {
        let per_s = |reference_ns: u64| {
            let here_ns = reference_ns.saturating_mul(step_ns) / STEP_NS;
            let most = NS_PER_S / here_ns.max(1);
            // Two digits are more than an estimate has.
            let spared = most.saturating_mul(100 - HEADROOM_PERCENT) / 100;
            let digits = 10_u64.pow(spared.max(1).ilog10().saturating_sub(1));
            spared / digits * digits
        };
        Carried { singles_per_s: per_s(SINGLE_PING_NS), batched_per_s: per_s(BATCH_PING_NS) }
    }
}

/// Ten thousand people who walk.
struct Walk {
    shard: Shard,
    feed: SourceRef,
    places: Vec<(i32, i32)>,
    index: u64,
    seq: u64,
    at: Timestamp,
    chance: u64,
}

impl Walk {
    fn new() -> Walk {
        let mut walk = Walk {
            shard: Shard::new(),
            feed: SourceRef(0),
            places: Vec::new(),
            index: 0,
            seq: 1,
            at: Timestamp(1_795_392_000 * NS_PER_S),
            chance: 42,
        };
        walk.places = (0..SCALE.tags).map(|_| walk.anywhere()).collect();
        let site = Input::SiteChange(Box::new(synthetic(SCALE).config));
        walk.step(vec![site]);
        // References are the site's to give.
        let feed = walk.shard.site().and_then(|site| site.tag_source(TagRef(0)));
        walk.feed = feed.unwrap_or(SourceRef(0));
        walk.step(vec![Input::OpenEpoch { source: walk.feed, epoch: 1 }]);
        walk
    }

    /// Numbers that look like chance and are the same each time.
    fn draw(&mut self, below: i32) -> i32 {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i32::try_from(self.chance >> 33).unwrap_or(0) % below
    }

    fn anywhere(&mut self) -> (i32, i32) {
        (self.draw(WIDE_MM), self.draw(DEEP_MM))
    }

    fn step(&mut self, inputs: Vec<Input>) {
        let entry = self.entry(inputs);
        self.shard.step(&entry, &mut Vec::new());
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

    /// A step of the next people.
    fn batch(&mut self, first_tag: u32) -> Entry {
        self.at = self.at.plus_ns(NS_PER_S * u64::from(BATCH_PINGS) / u64::from(SCALE.tags));
        let mut pings = Vec::new();
        for seq_offset in 0..BATCH_PINGS {
            let tag = (first_tag + seq_offset) % SCALE.tags;
            let (dx, dy) = (self.draw(2 * STEP_MM) - STEP_MM, self.draw(2 * STEP_MM) - STEP_MM);
            let Some(place) = self.places.get_mut(usize::try_from(tag).unwrap_or(0)) else {
                continue;
            };
            let (x_mm, y_mm) = ((place.0 + dx).clamp(0, WIDE_MM), (place.1 + dy).clamp(0, DEEP_MM));
            *place = (x_mm, y_mm);
            let floor = Some(Floor(i16::try_from(tag % 20 * 100).unwrap_or(0)));
            pings.push(Ping {
                tag: TagRef(tag),
                seq_offset,
                observed_at: self.at,
                position: Position { x_mm, y_mm, z_mm: None, floor },
                accuracy_mm: 300,
                battery_percent: None,
            });
        }
        let first_seq = self.seq;
        self.seq += u64::from(BATCH_PINGS);
        self.entry(vec![Input::Pings(PingBatch {
            source: self.feed,
            epoch: 1,
            first_seq,
            last_seq: self.seq - 1,
            received_at: self.at,
            conflated_count: 0,
            refused_count: 0,
            pings,
        })])
    }

    /// Nanoseconds a ping, once everybody has been seen twice: the first sight makes the actors.
    fn step_ns(&mut self) -> u64 {
        let mut effects = Vec::new();
        let batches = SCALE.tags.div_ceil(BATCH_PINGS);
        for batch in 0..2 * batches {
            let entry = self.batch(batch * BATCH_PINGS % SCALE.tags);
            self.shard.step(&entry, &mut effects);
            effects.clear();
        }
        let (mut spent_ns, mut pings, mut batch) = (0_u64, 0_u64, 0_u32);
        while spent_ns < MEASURED_NS {
            let entry = self.batch(batch * BATCH_PINGS % SCALE.tags);
            let watch = Stopwatch::start();
            std::hint::black_box(self.shard.step(&entry, &mut effects));
            spent_ns = spent_ns.saturating_add(watch.ns());
            effects.clear();
            pings += u64::from(BATCH_PINGS);
            batch = (batch + 1) % batches;
        }
        (spent_ns / pings.max(1)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_of_half_the_pace_carries_half() {
        let (here, half) = (Carried::by(STEP_NS), Carried::by(2 * STEP_NS));
        assert!(here.singles_per_s >= 30_000, "{here:?}");
        assert!(here.batched_per_s > 10 * here.singles_per_s, "{here:?}");
        assert!(half.singles_per_s.abs_diff(here.singles_per_s / 2) <= 1_000, "{half:?}");
    }

    #[test]
    fn people_who_walk_are_decided_on() {
        let mut walk = Walk::new();
        let mut effects = Vec::new();
        for batch in 0..40 {
            let entry = walk.batch(batch * BATCH_PINGS);
            walk.shard.step(&entry, &mut effects);
        }
        let accepted: u32 = effects
            .iter()
            .map(|effect| match effect {
                ach_actors_entities::Effect::Accepted(accepted) => accepted.accepted_count,
                _ => 0,
            })
            .sum();
        assert_eq!(accepted, 40 * BATCH_PINGS, "{:?}", effects.last());
    }
}
