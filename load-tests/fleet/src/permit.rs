//! Which ways a subject may go without breaking a rule.

use std::collections::BTreeSet;

use ach_actors_model::{SiteConfig, SubjectClass};

use crate::plane::{TruePlace, depth_mm, meets};
use crate::rule_book::Bounds;
use crate::walk_graph::WalkGraph;

/// Walkers keep this far from a boundary they may not cross. Half a metre is a shoulder and an
/// elbow; the rest of the noise is for the product's gates to bear.
const CLEARANCE_MM: f64 = 500.0;
/// A way is judged every so many millimetres: finer than any wall is thick.
const SAMPLE_MM: f64 = 200.0;

/// The ways that are closed to a subject. Subjects with the same bounds share one.
#[derive(Debug, Clone, Default)]
pub struct Permit {
    closed: BTreeSet<(u32, u32)>,
    no_pause: BTreeSet<u32>,
}

impl Permit {
    /// Everything is allowed.
    pub fn everywhere() -> Permit {
        Permit::default()
    }

    /// Works out the ways that `bounds` close to one of that class; `None` is one who does not ask
    /// what is his of right.
    pub fn new(
        graph: &WalkGraph,
        config: &SiteConfig,
        bounds: &Bounds,
        class: Option<SubjectClass>,
    ) -> Permit {
        let mut permit = Permit::default();
        for (from, spot) in (0..).zip(graph.spots()) {
            if spot.is_doorway || spot.zones.iter().any(|zone| bounds.no_pause.contains(zone)) {
                permit.no_pause.insert(from);
            }
            for link in graph.links(from) {
                let Some(end) = graph.spot(link.to) else { continue };
                let is_for = class.is_none_or(|class| link.is_for(class));
                if !is_for || !is_open(config, bounds, &spot.place, &end.place) {
                    permit.closed.insert((from, link.to));
                }
            }
        }
        permit
    }

    /// Whether the way from one spot to the next is open.
    pub fn allows(&self, from: u32, to: u32) -> bool {
        !self.closed.contains(&(from, to))
    }

    /// Whether the subject may stop at the spot.
    pub fn may_pause(&self, spot: u32) -> bool {
        !self.no_pause.contains(&spot)
    }
}

/// Whether the straight way breaks none of the bounds, with some room to spare.
pub(crate) fn is_open(
    config: &SiteConfig,
    bounds: &Bounds,
    from: &TruePlace,
    to: &TruePlace,
) -> bool {
    let zone = |index: &u32| usize::try_from(*index).ok().and_then(|index| config.zones.get(index));
    let line = |index: &u32| usize::try_from(*index).ok().and_then(|index| config.lines.get(index));
    let crosses = bounds.lines.iter().filter_map(line).any(|line| {
        line.floor == from.floor
            && line
                .points_mm
                .iter()
                .zip(line.points_mm.iter().skip(1))
                .any(|(a, b)| meets(from, to, (*a, *b)).is_some())
    });
    if crosses {
        return false;
    }
    let mut share = 0.0;
    let step = SAMPLE_MM / from.distance_mm(to).max(SAMPLE_MM);
    while share < 1.0 + step {
        let at = from.toward(to, f64::min(share, 1.0));
        let is_kept_in = |zone| depth_mm(zone, &at) >= CLEARANCE_MM;
        let is_kept_out = |zone| depth_mm(zone, &at) <= -CLEARANCE_MM;
        if !bounds.keep_in.iter().filter_map(zone).all(is_kept_in)
            || !bounds.keep_out.iter().filter_map(zone).all(is_kept_out)
        {
            return false;
        }
        share += step;
    }
    true
}
