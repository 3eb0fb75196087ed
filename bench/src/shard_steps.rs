//! The shard's step on walks, with 10,000 zones and rules armed. This is how many tags one core of
//! a node can watch.

use std::sync::Arc;

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{Ping, PingBatch, SiteConfig, SourceRef, TagRef, Timestamp};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_geo::{Gates, Observation, Occupancy, Position, Region, Watch, WatchIndex};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::campus::{Campus, Crowd, Moves};
use crate::shard_site::site;
use crate::{SEED, Size};

/// Pings an entry, as the node batches them under load.
const ENTRY_PINGS: usize = 256;
/// Entries a second while these tags are silent: compaction goes on a little with every entry.
const IDLE_ENTRIES: u64 = 32;
/// Time between two pings of a tag.
const PERIOD_NS: u64 = 1_000_000_000;
/// When the site comes into force.
const BEGINS_AT: Timestamp = Timestamp(1_800_000_000_000_000_000);

/// Who is told of an entry, its effects and the site in force after it.
pub type Told<'a> = dyn FnMut(&Entry, &[Effect], Option<&Site>) + 'a;

/// A shard with its site in force, tags that walk, and the plain loop.
#[derive(Debug)]
pub struct ShardSteps {
    shard: Shard,
    crowd: Crowd,
    plain: Plain,
    at: Timestamp,
    index: u64,
    seq: u64,
    positions: Vec<Position>,
    /// Tags in the order they are heard within a second: any but that of their numbers.
    order: Vec<u32>,
    effects: Vec<Effect>,
}

/// The plain limit: tags in an array, the same index and the same safe box, and nothing else.
#[derive(Debug)]
struct Plain {
    index: WatchIndex,
    tags: Vec<(Occupancy, Timestamp, Position)>,
}

impl ShardSteps {
    /// Tags of the three runs.
    pub const TAGS: [Size; 3] = [
        Size { smoke: 100, full: 10_000 },
        Size { smoke: 300, full: 100_000 },
        Size { smoke: 1_000, full: 1_000_000 },
    ];
    /// Zones.
    pub const ZONES: Size = Size { smoke: 200, full: 10_000 };

    /// Puts a site of that size in force, on which tags walk.
    pub fn new(zones: usize, tags: usize) -> ShardSteps {
        ShardSteps::telling(zones, tags, Moves::Walks, &mut |_, _, _| ())
    }

    /// As [`ShardSteps::new`], for tags that move otherwise, and with the first entries told: what
    /// follows a shard must see all of them.
    pub fn telling(zones: usize, tags: usize, moves: Moves, each: &mut Told<'_>) -> ShardSteps {
        let campus = Campus::new(zones);
        let site = site(&campus, tags);
        ShardSteps::under(site, &campus, tags, moves, each)
    }

    /// As [`ShardSteps::telling`], with a site of one's own about that many tags on that campus.
    pub fn under(
        site: SiteConfig,
        campus: &Campus,
        tags: usize,
        moves: Moves,
        each: &mut Told<'_>,
    ) -> ShardSteps {
        let mut steps = ShardSteps {
            shard: Shard::new(),
            crowd: campus.crowd(moves, tags, SEED),
            plain: Plain::new(campus, tags),
            at: BEGINS_AT,
            index: 0,
            seq: 1,
            positions: Vec::with_capacity(tags),
            order: shuffled(tags),
            effects: Vec::new(),
        };
        let source = SourceRef(0);
        let inputs = vec![Input::SiteChange(Box::new(site)), Input::OpenEpoch { source, epoch: 1 }];
        for input in inputs {
            let entry = steps.entry(vec![input]);
            steps.step(std::slice::from_ref(&entry));
            each(&entry, &steps.effects, steps.shard.site().map(Arc::as_ref));
        }
        steps
    }

    /// Effects of the entry that was stepped last.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// A second passes and every tag is heard once: the entries, not stepped yet.
    pub fn next_round(&mut self) -> Vec<Entry> {
        self.at = self.at.plus_ns(PERIOD_NS);
        self.positions.clear();
        let mut positions = std::mem::take(&mut self.positions);
        self.crowd.step(&mut positions);
        self.positions = positions;
        let order = std::mem::take(&mut self.order);
        let entries = order.chunks(ENTRY_PINGS).map(|tags| {
            let batch = self.batch(tags);
            self.entry(vec![Input::Pings(batch)])
        });
        let entries = entries.collect();
        self.order = order;
        entries
    }

    /// The shard decides the entries; gives a checksum of what came of it.
    pub fn step(&mut self, entries: &[Entry]) -> u64 {
        let mut checksum = 0_u64;
        for entry in entries {
            self.effects.clear();
            checksum = checksum.rotate_left(1) ^ self.shard.step(entry, &mut self.effects);
        }
        checksum
    }

    /// The plain loop over the round that [`ShardSteps::next_round`] gave last.
    pub fn plain(&mut self) -> u64 {
        self.plain.round(&self.order, &self.positions, self.at)
    }

    /// A second passes in which nobody of these tags is heard, but others make entries as ever.
    pub fn idle(&mut self) {
        for _ in 0..IDLE_ENTRIES {
            self.at = self.at.plus_ns(PERIOD_NS / IDLE_ENTRIES);
            let entry = self.entry(vec![Input::Tick]);
            self.step(std::slice::from_ref(&entry));
        }
    }

    /// The shard, to be looked at.
    pub fn shard_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }

    /// The shard.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    fn batch(&mut self, tags: &[u32]) -> PingBatch {
        let count = u64::try_from(tags.len()).unwrap_or(0);
        let first_seq = self.seq;
        self.seq += count;
        let observed_at = self.at;
        let ping = |(seq_offset, &tag): (u32, &u32)| {
            let tag = TagRef(tag);
            let position = *self.positions.get(tag.index())?;
            let (accuracy_mm, battery_percent) = (400, None);
            Some(Ping { tag, seq_offset, observed_at, position, accuracy_mm, battery_percent })
        };
        PingBatch {
            source: SourceRef(0),
            epoch: 1,
            first_seq,
            last_seq: self.seq - 1,
            received_at: self.at,
            conflated_count: 0,
            refused_count: 0,
            pings: (0..).zip(tags).filter_map(ping).collect(),
        }
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
}

impl Plain {
    fn new(campus: &Campus, tags: usize) -> Plain {
        let watch = |(key, (outline, floor)): (u32, &(ach_geo::Outline, ach_geo::Floor))| {
            #[expect(clippy::expect_used, reason = "rooms are rectangles")]
            let region = Region::new(outline.clone(), Some(*floor), None).expect("a rectangle");
            Watch { key, region: Arc::new(region), gates: Gates::default() }
        };
        let watches = (0..).zip(&campus.rooms).map(watch).collect();
        #[expect(clippy::expect_used, reason = "keys count up")]
        let index = WatchIndex::build(watches, Vec::new()).expect("keys are unique");
        let nowhere = Position { x_mm: 0, y_mm: 0, z_mm: None, floor: None };
        Plain { index, tags: vec![(Occupancy::default(), Timestamp(0), nowhere); tags] }
    }

    fn round(&mut self, order: &[u32], positions: &[Position], at: Timestamp) -> u64 {
        let (mut crossings, mut checksum) = (Vec::new(), 0_u64);
        for tag in order.iter().map(|&tag| TagRef(tag).index()) {
            let (Some((occupancy, last_at, last)), Some(position)) =
                (self.tags.get_mut(tag), positions.get(tag))
            else {
                continue;
            };
            let seen = Observation {
                position: *position,
                accuracy_mm: 400,
                observed_at_ns: at.0,
                received_at_ns: at.0,
            };
            occupancy.observe(&self.index, &seen, &mut crossings);
            *last_at = at;
            *last = *position;
            for crossing in crossings.drain(..) {
                checksum = checksum.wrapping_add(u64::from(crossing.watch));
            }
        }
        checksum
    }
}

fn shuffled(tags: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0_u32..).take(tags).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_accepts_every_ping_and_repeats_itself() {
        for tags in ShardSteps::TAGS {
            let run = || {
                let mut steps = ShardSteps::new(ShardSteps::ZONES.smoke, tags.smoke);
                let mut checksum = 0_u64;
                for _ in 0..20 {
                    let entries = steps.next_round();
                    checksum = checksum.rotate_left(1) ^ steps.step(&entries);
                    steps.plain();
                }
                (checksum, steps.shard().status().pings)
            };
            let (checksum, verdicts) = run();
            assert_eq!((checksum, verdicts), run());
            let heard = u64::try_from(tags.smoke * 20).expect("small");
            assert_eq!(verdicts.accepted_count, heard, "{verdicts:?}");
        }
    }
}
