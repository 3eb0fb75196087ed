//! Where people can walk: spots and the straight ways between them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ach_actors_model::{SiteConfig, SubjectClass};
use ach_engine_site::ClassSet;
use ach_geo::Floor;

use crate::permit::Permit;
use crate::plane::{TruePlace, area_mm2, depth_mm, meets, round_mm};

/// What a storey costs to climb, in millimetres of walking: two flights of stairs, or the wait for
/// a lift.
const STOREY_COST_MM: u32 = 15_000;
/// Nobody stands closer to a door's sill than this: doorways are walked through.
const DOORWAY_MM: f64 = 700.0;

/// A spot one can stand on.
#[derive(Debug, Clone)]
pub struct Spot {
    /// Where.
    pub place: TruePlace,
    /// Indexes of the zones it lies in.
    pub zones: Vec<u32>,
    /// The smallest of them: the room.
    pub room: Option<u32>,
    /// Whether it lies in a doorway.
    pub is_doorway: bool,
}

/// A straight way between two spots, as it is given.
#[derive(Debug, Clone)]
pub struct Way {
    /// Index of the spot at one end.
    pub a: usize,
    /// Index of the spot at the other.
    pub b: usize,
    /// Who may walk it of right.
    pub classes: ClassSet,
}

/// A way out of a spot.
#[derive(Debug, Clone)]
pub struct Link {
    /// Index of the spot it leads to.
    pub to: u32,
    /// What it costs to walk, in millimetres.
    pub cost_mm: u32,
    classes: ClassSet,
}

impl Link {
    /// Whether that class may walk it of right.
    pub fn is_for(&self, class: SubjectClass) -> bool {
        self.classes.contains(class)
    }
}

/// Spots and links, both ways.
#[derive(Debug, Clone, Default)]
pub struct WalkGraph {
    spots: Vec<Spot>,
    links: Vec<Vec<Link>>,
}

impl WalkGraph {
    /// Builds the graph; each way is walkable in both directions. Ways that name no spot are left
    /// out.
    pub fn new(spots: &[(i32, i32, Floor)], ways: &[Way], config: &SiteConfig) -> WalkGraph {
        let spots: Vec<Spot> = spots
            .iter()
            .map(|&(x_mm, y_mm, floor)| {
                let place = TruePlace { x_mm: f64::from(x_mm), y_mm: f64::from(y_mm), floor };
                Spot::new(place, config)
            })
            .collect();
        let mut graph = WalkGraph { links: vec![Vec::new(); spots.len()], spots };
        for way in ways {
            let (Ok(a), Ok(b)) = (u32::try_from(way.a), u32::try_from(way.b)) else { continue };
            graph.connect(a, b, way.classes);
            graph.connect(b, a, way.classes);
        }
        graph
    }

    /// All spots.
    pub fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// The spot of that index.
    pub fn spot(&self, index: u32) -> Option<&Spot> {
        usize::try_from(index).ok().and_then(|index| self.spots.get(index))
    }

    /// Ways from a spot.
    pub fn links(&self, index: u32) -> &[Link] {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.links.get(index))
            .map_or(&[], Vec::as_slice)
    }

    /// The spots of the cheapest permitted way, both ends included.
    pub fn route(&self, from: u32, to: u32, permit: &Permit) -> Option<Vec<u32>> {
        let mut best = vec![(u32::MAX, u32::MAX); self.spots.len()];
        let mut open = BinaryHeap::new();
        *best.get_mut(usize::try_from(from).ok()?)? = (0, from);
        open.push(Reverse((0, from)));
        while let Some(Reverse((cost, at))) = open.pop() {
            if at == to {
                return Some(trace(&best, from, to));
            }
            for link in self.links(at) {
                let cost = cost + link.cost_mm;
                let known = best.get_mut(usize::try_from(link.to).ok()?)?;
                if cost < known.0 && permit.allows(at, link.to) {
                    *known = (cost, at);
                    open.push(Reverse((cost, link.to)));
                }
            }
        }
        None
    }

    /// Every spot that can be reached, the first included, in breadth-first order.
    pub fn reachable(&self, from: u32, permit: &Permit) -> Vec<u32> {
        let mut is_seen = vec![false; self.spots.len()];
        let mut reached = vec![from];
        let mut next = 0;
        if let Some(seen) = usize::try_from(from).ok().and_then(|from| is_seen.get_mut(from)) {
            *seen = true;
        }
        while let Some(&at) = reached.get(next) {
            next += 1;
            for link in self.links(at) {
                let seen = usize::try_from(link.to).ok().and_then(|to| is_seen.get_mut(to));
                if let Some(seen) = seen
                    && !*seen
                    && permit.allows(at, link.to)
                {
                    *seen = true;
                    reached.push(link.to);
                }
            }
        }
        reached
    }

    fn connect(&mut self, from: u32, to: u32, classes: ClassSet) {
        let (Some(start), Some(end)) = (self.spot(from), self.spot(to)) else { return };
        let plane = u32::try_from(round_mm(start.place.distance_mm(&end.place))).unwrap_or(0);
        let climb = if start.place.floor == end.place.floor { 0 } else { STOREY_COST_MM };
        let cost_mm = (plane + climb).max(1);
        let links = usize::try_from(from).ok().and_then(|from| self.links.get_mut(from));
        if let Some(links) = links
            && links.iter().all(|link| link.to != to)
        {
            links.push(Link { to, cost_mm, classes });
        }
    }
}

impl Spot {
    /// In whole millimetres.
    pub fn at_mm(&self) -> (i32, i32) {
        (round_mm(self.place.x_mm), round_mm(self.place.y_mm))
    }

    fn new(place: TruePlace, config: &SiteConfig) -> Spot {
        let within: Vec<(u32, f64)> = (0..)
            .zip(&config.zones)
            .filter(|(_, zone)| depth_mm(zone, &place) > 0.0)
            .map(|(index, zone)| (index, area_mm2(zone)))
            .collect();
        let room = within.iter().min_by(|a, b| a.1.total_cmp(&b.1)).map(|&(index, _)| index);
        let is_doorway = config.doors.iter().filter(|door| door.floor == place.floor).any(|door| {
            let (a, b) = door.sill_mm;
            let middle = TruePlace {
                x_mm: f64::midpoint(f64::from(a.0), f64::from(b.0)),
                y_mm: f64::midpoint(f64::from(a.1), f64::from(b.1)),
                floor: door.floor,
            };
            middle.distance_mm(&place) < DOORWAY_MM
        });
        Spot {
            place,
            zones: within.into_iter().map(|(index, _)| index).collect(),
            room,
            is_doorway,
        }
    }
}

/// The wired door whose sill lies between two places, if any, and how far along the way it is.
pub fn door_between(config: &SiteConfig, from: &TruePlace, to: &TruePlace) -> Option<(u32, f64)> {
    if from.floor != to.floor {
        return None;
    }
    (0..).zip(&config.doors).find_map(|(index, door)| {
        let (share, _) = (door.source.is_some() && door.floor == from.floor)
            .then(|| meets(from, to, door.sill_mm))??;
        Some((index, share))
    })
}

fn trace(best: &[(u32, u32)], from: u32, to: u32) -> Vec<u32> {
    let mut spots = vec![to];
    let mut at = to;
    while at != from {
        let Some(&(_, before)) = usize::try_from(at).ok().and_then(|at| best.get(at)) else {
            break;
        };
        at = before;
        spots.push(at);
    }
    spots.reverse();
    spots
}
