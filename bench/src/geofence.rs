//! Which zones is a tag in? Slower here is later at the nurse's station, for every ping.

use std::sync::Arc;

use ach_geo::{Crossing, Lookup, Observation, Occupancy, Position, Region, Watch, WatchIndex};
use rstar::{AABB, RTree, RTreeObject};

use crate::layout::Zone;
use crate::{Campus, Layout, Moves, SEED, Size};

/// Time between two pings of a tag.
const PERIOD_NS: u64 = 1_000_000_000;
/// The least accuracy, and the noise on it.
const ACCURACY_MM: (u32, i32) = (150, 0xFF);

/// A campus, its tags' positions, and three ways to answer.
#[derive(Debug)]
pub struct Geofence {
    index: WatchIndex,
    plain: Plain,
    layout: Layout,
    tags: Vec<Occupancy>,
    exact_tags: Vec<Occupancy>,
    positions: Vec<Position>,
    crossings: Vec<Crossing>,
    now_ns: u64,
}

/// What an answer comes to, so that it cannot be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answered {
    /// Sum over the zones entered and left.
    pub checksum: u64,
    /// How many positions the safe box answered.
    pub box_count: u64,
}

impl Geofence {
    /// Tags of one campus.
    pub const TAGS: Size = Size { smoke: 50, full: 10_000 };
    /// Positions of each tag.
    pub const ROUNDS: Size = Size { smoke: 20, full: 40 };
    /// Zones of the three campuses.
    pub const ZONES: [Size; 3] = [
        Size { smoke: 100, full: 1_000 },
        Size { smoke: 200, full: 10_000 },
        Size { smoke: 300, full: 100_000 },
    ];

    /// Lays out the campus and lets the tags move.
    ///
    /// # Panics
    ///
    /// The campus is not valid, which its tests exclude.
    pub fn new(layout: Layout, zones: usize, moves: Moves, (tags, rounds): (usize, usize)) -> Self {
        let campus = Campus::new(zones);
        let zones = layout.zones(zones);
        let regions: Vec<Arc<Region>> = zones.iter().map(region).collect();
        let watches = (0..)
            .zip(&regions)
            .zip(&zones)
            .map(|((key, region), zone)| Watch {
                key,
                region: Arc::clone(region),
                gates: zone.gates,
            })
            .collect();
        #[expect(clippy::expect_used, reason = "keys count up")]
        let index = WatchIndex::build(watches, Vec::new()).expect("keys are unique");
        let positions = campus.positions(moves, tags, rounds, SEED);
        Geofence {
            index,
            plain: Plain::new(&regions),
            layout,
            tags: vec![Occupancy::default(); tags],
            exact_tags: vec![Occupancy::default(); tags],
            positions: positions.into_iter().map(|position| layout.placed(position)).collect(),
            crossings: Vec::new(),
            now_ns: PERIOD_NS,
        }
    }

    /// How many positions one pass answers.
    pub fn position_count(&self) -> usize {
        self.positions.len()
    }

    /// All positions through occupancies with their safe boxes.
    pub fn ours(&mut self) -> Answered {
        let mut answered = Answered::default();
        for round in self.positions.chunks(self.tags.len().max(1)) {
            self.now_ns += PERIOD_NS;
            for (tag, position) in self.tags.iter_mut().zip(round) {
                let seen = observation(position, self.now_ns);
                let lookup = tag.observe(&self.index, &seen, &mut self.crossings);
                answered.box_count += u64::from(lookup == Lookup::SafeBox);
                answered.count(&mut self.crossings);
            }
        }
        answered
    }

    /// All positions through occupancies, from the index each time.
    pub fn exact(&mut self) -> Answered {
        let mut answered = Answered::default();
        for round in self.positions.chunks(self.tags.len().max(1)) {
            self.now_ns += PERIOD_NS;
            for (tag, position) in self.exact_tags.iter_mut().zip(round) {
                let seen = observation(position, self.now_ns);
                tag.observe_exact(&self.index, &seen, &mut self.crossings);
                answered.count(&mut self.crossings);
            }
        }
        answered
    }

    /// All positions by tree and exact test each time, without memory, gates or crossings.
    pub fn plain(&self) -> u64 {
        let mut checksum = 0_u64;
        for position in &self.positions {
            self.plain.zones(position, |zone| checksum = checksum.wrapping_add(u64::from(zone)));
        }
        checksum
    }

    /// Whether all ways agree after each position: on every crossing and, where gates are plain, on
    /// where the tag is.
    pub fn agrees(&mut self) -> bool {
        let (mut boxed, mut exact) = (Vec::new(), Vec::new());
        let mut agrees = true;
        for round in self.positions.chunks(self.tags.len().max(1)) {
            self.now_ns += PERIOD_NS;
            let tags = self.tags.iter_mut().zip(&mut self.exact_tags);
            for ((tag, exact_tag), position) in tags.zip(round) {
                let seen = observation(position, self.now_ns);
                tag.observe(&self.index, &seen, &mut boxed);
                exact_tag.observe_exact(&self.index, &seen, &mut exact);
                agrees &= boxed == exact && tag.next_due_ns() == exact_tag.next_due_ns();
                boxed.clear();
                exact.clear();
                if self.layout.is_plain() {
                    let presences = tag.presences(&self.index).filter(|it| it.is_in);
                    let ours: Vec<u32> = presences.map(|it| it.watch).collect();
                    let mut plain = Vec::new();
                    self.plain.zones(position, |zone| plain.push(zone));
                    plain.sort_unstable();
                    agrees &= ours == plain;
                }
            }
        }
        agrees
    }
}

impl Answered {
    fn count(&mut self, crossings: &mut Vec<Crossing>) {
        for crossing in crossings.drain(..) {
            self.checksum = self.checksum.wrapping_add(u64::from(crossing.watch));
        }
    }
}

fn observation(position: &Position, now_ns: u64) -> Observation {
    let noise_mm = (position.x_mm & ACCURACY_MM.1).unsigned_abs();
    Observation {
        position: *position,
        accuracy_mm: ACCURACY_MM.0 + noise_mm,
        observed_at_ns: now_ns,
        received_at_ns: now_ns,
    }
}

fn region(zone: &Zone) -> Arc<Region> {
    let region = Region::new(zone.outline.clone(), Some(zone.floor), zone.height);
    #[expect(clippy::expect_used, reason = "layouts have sound outlines")]
    let region = region.expect("a sound outline");
    Arc::new(region)
}

/// The plain limit: one tree a floor, exact test on what it finds.
#[derive(Debug)]
struct Plain {
    floors: Vec<(ach_geo::Floor, RTree<Room>)>,
}

#[derive(Debug, Clone)]
struct Room {
    zone: u32,
    region: Arc<Region>,
}

impl RTreeObject for Room {
    type Envelope = AABB<[i32; 2]>;

    fn envelope(&self) -> AABB<[i32; 2]> {
        let (low, high) = self.region.bounding_box_mm();
        AABB::from_corners([low.0, low.1], [high.0, high.1])
    }
}

impl Plain {
    fn new(regions: &[Arc<Region>]) -> Plain {
        let mut floors: std::collections::BTreeMap<_, Vec<Room>> =
            std::collections::BTreeMap::new();
        for (zone, region) in (0..).zip(regions) {
            let floor = region.floor().unwrap_or_default();
            floors.entry(floor).or_default().push(Room { zone, region: Arc::clone(region) });
        }
        let load = |(floor, rooms)| (floor, RTree::bulk_load(rooms));
        Plain { floors: floors.into_iter().map(load).collect() }
    }

    fn zones(&self, position: &Position, mut found: impl FnMut(u32)) {
        let floor = position.floor.unwrap_or_default();
        let Ok(at) = self.floors.binary_search_by_key(&floor, |(floor, _)| *floor) else { return };
        let Some((_, tree)) = self.floors.get(at) else { return };
        let point = AABB::from_point([position.x_mm, position.y_mm]);
        for room in tree.locate_in_envelope_intersecting(point) {
            if room.region.matches(position) && room.region.contains(position.x_mm, position.y_mm) {
                found(room.zone);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_agree_on_every_layout() {
        for layout in Layout::ALL {
            for zones in Geofence::ZONES {
                for moves in [Moves::Random, Moves::Walks] {
                    let size = (Geofence::TAGS.smoke, Geofence::ROUNDS.smoke);
                    let mut geofence = Geofence::new(layout, zones.smoke, moves, size);
                    assert!(geofence.agrees(), "{layout:?} {zones:?} {moves:?}");
                    let answered = geofence.ours();
                    assert!(answered.checksum > 0 && geofence.plain() > 0, "{layout:?}");
                }
            }
        }
    }

    #[test]
    fn walks_are_answered_from_the_box_in_two_of_five_pings_at_least() {
        for layout in Layout::ALL {
            let mut geofence = Geofence::new(layout, 200, Moves::Walks, (50, 200));
            let answered = geofence.ours();
            assert!(answered.box_count * 5 > 2 * 50 * 200, "{layout:?} {answered:?}");
        }
    }
}
