//! One subject on its feet, or on its wheels.

use std::sync::Arc;

use ach_actors_model::{NS_PER_S, SubjectClass};

use crate::chance::Chance;
use crate::path::Path;
use crate::permit::Permit;
use crate::plane::TruePlace;
use crate::walk_graph::WalkGraph;

/// Who decides where a walker goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It does, within its permit.
    Free,
    /// The script does.
    Scripted,
}

/// A subject that moves.
#[derive(Debug, Clone)]
pub(crate) struct Walker {
    pub(crate) class: SubjectClass,
    pub(crate) home: u32,
    /// The spot it stands at or is bound for.
    pub(crate) at: u32,
    pub(crate) path: Path,
    pub(crate) mode: Mode,
    pub(crate) permit: Arc<Permit>,
    pub(crate) chance: Chance,
    /// Rooms along its way, whose walls disturb its tags.
    pub(crate) rooms: Vec<u32>,
    targets: Vec<u32>,
}

/// Of this many targets the nearest is taken: patients keep to their corner, staff roam.
fn choosiness(class: SubjectClass) -> usize {
    match class {
        SubjectClass::Patient => 6,
        SubjectClass::Visitor => 2,
        SubjectClass::Staff | SubjectClass::Asset => 3,
    }
}

/// A storey counts as this much further when the nearest target is chosen.
const STOREY_MM: f64 = 25_000.0;

impl Walker {
    /// Stands at `home`. Goes only to those of `targets` it can reach within its permit.
    pub(crate) fn new(
        graph: &WalkGraph,
        class: SubjectClass,
        home: u32,
        targets: &[u32],
        permit: Arc<Permit>,
        chance: Chance,
    ) -> Walker {
        let reachable = graph.reachable(home, &permit);
        let targets = reachable
            .into_iter()
            .filter(|spot| permit.may_pause(*spot) && targets.contains(spot))
            .collect();
        let place = graph
            .spot(home)
            .map_or(TruePlace { x_mm: 0.0, y_mm: 0.0, floor: ach_geo::Floor(0) }, |spot| {
                spot.place
            });
        let rooms = graph.spot(home).and_then(|spot| spot.room).into_iter().collect();
        let path = Path::standing(place);
        let mode = Mode::Free;
        Walker { class, home, at: home, path, mode, permit, chance, rooms, targets }
    }

    /// How long it stays where it has come.
    pub(crate) fn pause_ns(&mut self) -> u64 {
        let (low_s, high_s) = match self.class {
            SubjectClass::Patient => (20, 180),
            SubjectClass::Staff => (4, 40),
            SubjectClass::Visitor => (10, 90),
            SubjectClass::Asset => (60, 600),
        };
        self.chance.between_ns(low_s * NS_PER_S, high_s * NS_PER_S)
    }

    /// How fast it goes this time.
    pub(crate) fn speed_mm_s(&mut self) -> f64 {
        match self.class {
            SubjectClass::Patient => self.chance.between(500.0, 1_000.0),
            SubjectClass::Staff => self.chance.between(1_100.0, 1_600.0),
            SubjectClass::Visitor => self.chance.between(800.0, 1_300.0),
            SubjectClass::Asset => self.chance.between(800.0, 1_200.0),
        }
    }

    /// The spots on the way to where it wants to go next, if anywhere; `has_room` says whether one
    /// more may go there.
    pub(crate) fn choose(
        &mut self,
        graph: &WalkGraph,
        has_room: impl Fn(u32) -> bool,
    ) -> Option<Vec<u32>> {
        let from = graph.spot(self.at)?.place;
        let mut best: Option<(f64, u32)> = None;
        for _ in 0..choosiness(self.class) {
            let Some(&target) = self.chance.pick(&self.targets) else { continue };
            let Some(spot) = graph.spot(target).filter(|_| target != self.at) else { continue };
            let storey_mm = if spot.place.floor == from.floor { 0.0 } else { STOREY_MM };
            let distance_mm = from.distance_mm(&spot.place) + storey_mm;
            if has_room(target) && best.is_none_or(|(best_mm, _)| distance_mm < best_mm) {
                best = Some((distance_mm, target));
            }
        }
        graph.route(self.at, best?.1, &self.permit)
    }

    /// Sets out along the spots from where it is.
    pub(crate) fn set_out(
        &mut self,
        graph: &WalkGraph,
        now_ns: u64,
        spots: &[u32],
        speed_mm_s: f64,
    ) {
        let here = self.path.place_at(now_ns);
        let places: Vec<TruePlace> =
            spots.iter().filter_map(|&spot| graph.spot(spot)).map(|spot| spot.place).collect();
        self.rooms = spots
            .iter()
            .filter_map(|&spot| graph.spot(spot))
            .filter_map(|spot| spot.room)
            .collect();
        self.rooms.sort_unstable();
        self.rooms.dedup();
        self.path = Path::walking(now_ns, here, &places, speed_mm_s);
        self.at = spots.last().copied().unwrap_or(self.at);
    }
}
