//! Stages a walk that breaks one rule and no other.

use ach_actors_model::SiteConfig;

use crate::hospital::Hospital;
use crate::permit::Permit;
use crate::plane::{TruePlace, depth_mm};
use crate::rule_book::Bounds;

/// Who leaves goes at least this far beyond the boundary, if the site is that large.
const BEYOND_MM: f64 = 12_000.0;
/// Who enters goes this deep, if the zone is that deep.
const DEEP_MM: f64 = 2_200.0;
/// Opening actors begin this far from the boundary along their way, if they are clear of it there.
const RUN_UP_MM: f64 = 1_600.0;
/// How far the start is drawn back at most until it is clear of the boundary.
const RUN_UP_MM_MAX: f64 = 9_000.0;
/// Beyond doubt: past the gates by this much. As in the truth.
const CLEAR_MM: f64 = 900.0;
/// Steps in which the way is searched for the boundary.
const STEP_MM: f64 = 50.0;

/// Which boundary is crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Out of the zone.
    Leaves(u32),
    /// Into the zone.
    Enters(u32),
}

/// A walk there and back.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    /// Where the actor stands at first; `None` is where it is.
    pub(crate) start: Option<TruePlace>,
    pub(crate) spots: Vec<u32>,
    pub(crate) places: Vec<TruePlace>,
    pub(crate) spots_back: Vec<u32>,
    pub(crate) places_back: Vec<TruePlace>,
}

impl Staged {
    /// From where the subject is, if it rests on the right side of the boundary.
    pub(crate) fn from_here(
        hospital: &Hospital,
        subject: u32,
        rule: u32,
        violation: Violation,
    ) -> Option<Staged> {
        let walker = hospital.walker(subject)?;
        if walker.path.is_moving_at(hospital.now_ns) {
            return None;
        }
        let spots = violation.way(hospital, subject, walker.at)?;
        let first = hospital.place_of(subject)?;
        let gates = Margins::of(&hospital.world.config, rule, violation)?;
        if !gates.is_clear_before(&first) {
            return None;
        }
        Some(Staged::with(hospital, walker.home, None, spots))
    }

    /// From close to the boundary on the way from the subject's home.
    pub(crate) fn near(
        hospital: &Hospital,
        subject: u32,
        rule: u32,
        violation: Violation,
    ) -> Option<Staged> {
        let walker = hospital.walker(subject)?;
        let spots = violation.way(hospital, subject, walker.home)?;
        let margins = Margins::of(&hospital.world.config, rule, violation)?;
        let places: Vec<TruePlace> = places(hospital, &spots);
        let crossing_mm = margins.crossing_mm(&places)?;
        let mut run_up_mm = RUN_UP_MM;
        while run_up_mm < RUN_UP_MM_MAX.min(crossing_mm) {
            let (place, next) = along(&places, crossing_mm - run_up_mm)?;
            if margins.is_clear_before(&place) {
                let spots = spots.get(next..)?.to_vec();
                return Some(Staged::with(hospital, walker.home, Some(place), spots));
            }
            run_up_mm += STEP_MM;
        }
        None
    }

    fn with(hospital: &Hospital, home: u32, start: Option<TruePlace>, spots: Vec<u32>) -> Staged {
        let graph = &hospital.world.graph;
        let back = spots.last().and_then(|&last| graph.route(last, home, &Permit::everywhere()));
        let spots_back = back.unwrap_or_default();
        Staged {
            start,
            places: places(hospital, &spots),
            places_back: places(hospital, &spots_back),
            spots,
            spots_back,
        }
    }
}

impl Violation {
    fn zone(self) -> u32 {
        match self {
            Violation::Leaves(zone) | Violation::Enters(zone) => zone,
        }
    }

    /// The spots of a way that crosses the boundary and breaks none of the subject's other rules.
    fn way(self, hospital: &Hospital, subject: u32, from: u32) -> Option<Vec<u32>> {
        let world = &hospital.world;
        let zone = world.config.zones.get(usize::try_from(self.zone()).ok()?)?;
        let here = world.graph.spot(from)?.place;
        let is_inside = depth_mm(zone, &here) > 0.0;
        if is_inside != matches!(self, Violation::Leaves(_)) {
            return None;
        }
        let mut bounds = Bounds::of(&world.config, subject, &here);
        bounds.keep_in.retain(|kept| *kept != self.zone());
        bounds.keep_out.retain(|kept| *kept != self.zone());
        let permit = Permit::new(&world.graph, &world.config, &bounds, None);
        let reached = world.graph.reachable(from, &permit);
        let distance = |spot: u32| {
            let depth = world.graph.spot(spot).map_or(0.0, |it| depth_mm(zone, &it.place));
            if self == Violation::Leaves(self.zone()) { -depth } else { depth }
        };
        let enough = if is_inside { BEYOND_MM } else { DEEP_MM };
        let is_finite = |spot: &u32| distance(*spot).is_finite() && permit.may_pause(*spot);
        let goal = reached
            .iter()
            .copied()
            .find(|spot| is_finite(spot) && distance(*spot) >= enough)
            .or_else(|| {
                let farthest = |a: &u32, b: &u32| distance(*a).total_cmp(&distance(*b));
                reached.iter().copied().filter(is_finite).max_by(farthest)
            })
            .filter(|goal| distance(*goal) > 0.0)?;
        world.graph.route(from, goal, &permit)
    }
}

/// The boundary with the distances of its gates.
struct Margins<'a> {
    zone: &'a ach_actors_model::ZoneConfig,
    is_leaving: bool,
    before_mm: f64,
}

impl<'a> Margins<'a> {
    fn of(config: &'a SiteConfig, rule: u32, violation: Violation) -> Option<Margins<'a>> {
        let rule = config.rules.get(usize::try_from(rule).ok()?)?;
        let zone = config.zones.get(usize::try_from(violation.zone()).ok()?)?;
        let gates = rule.gates.unwrap_or(zone.gates);
        let is_leaving = matches!(violation, Violation::Leaves(_));
        // Who is to leave must first count as in.
        let margin_mm = if is_leaving { f64::from(gates.entry_margin_mm) } else { 0.0 };
        Some(Margins { zone, is_leaving, before_mm: margin_mm })
    }

    fn is_clear_before(&self, place: &TruePlace) -> bool {
        let depth = depth_mm(self.zone, place);
        if self.is_leaving { depth >= self.before_mm + CLEAR_MM } else { depth <= -CLEAR_MM }
    }

    /// How far along the way the boundary is first crossed.
    fn crossing_mm(&self, places: &[TruePlace]) -> Option<f64> {
        let length_mm: f64 =
            places.iter().zip(places.iter().skip(1)).map(|(a, b)| a.distance_mm(b)).sum();
        let mut at_mm = 0.0;
        while at_mm <= length_mm {
            let (place, _) = along(places, at_mm)?;
            if (depth_mm(self.zone, &place) > 0.0) != self.is_leaving {
                return Some(at_mm);
            }
            at_mm += STEP_MM;
        }
        None
    }
}

/// The place that far along the way, and the index of the next corner.
fn along(places: &[TruePlace], mut at_mm: f64) -> Option<(TruePlace, usize)> {
    for (next, (a, b)) in (1..).zip(places.iter().zip(places.iter().skip(1))) {
        let length_mm = a.distance_mm(b);
        if at_mm < length_mm {
            return Some((a.toward(b, at_mm / length_mm), next));
        }
        at_mm -= length_mm;
    }
    places.last().map(|last| (*last, places.len()))
}

fn places(hospital: &Hospital, spots: &[u32]) -> Vec<TruePlace> {
    let graph = &hospital.world.graph;
    spots.iter().filter_map(|&spot| graph.spot(spot)).map(|spot| spot.place).collect()
}
