//! One zone as people walk about it: its outline, the ways through it, and how near the wall is.

use std::sync::Arc;

use ach_actors_model::{DoorConfig, ZoneConfig};
use ach_geo::{Floor, Outline, Region};

use crate::chance::Chance;
use crate::number::{point, whole};

/// Nobody's middle comes nearer to a wall than his shoulder is wide.
pub(crate) const BODY_MM: u64 = 250;
/// A door whose sill is no further from the outline leads through it: walls are up to half a metre thick.
const SILL_MM: f64 = 600.0;
/// People keep to where they are: the next place they choose is no further.
const NEAR_MM: f64 = 12_000.0;
/// Places looked at until one fits; a zone of which less than one in forty does is hardly a room.
const LOOKS: usize = 120;
/// Walls looked at, of which the nearest is taken.
const WALLS: usize = 6;
/// A circle is walked round as a ring of so many sides.
const CIRCLE_SIDES: u32 = 48;
/// A way leads from this far inside to at least this far outside.
pub(crate) const WAY_IN_MM: f64 = 800.0;
/// See above.
pub(crate) const WAY_OUT_MM: f64 = 1_500.0;

/// On which side of an outline somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Inside.
    In,
    /// Outside.
    Out,
}

/// The wall nearest to a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wall {
    pub(crate) distance_mm: f64,
    /// Out of the zone, at right angles to the wall, a millimetre long.
    pub(crate) outward: (f64, f64),
}

/// A point of the outline, and which way is out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edge {
    at_mm: (f64, f64),
    outward: (f64, f64),
}

#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: (f64, f64),
    to: (f64, f64),
    outward: (f64, f64),
    /// How long all up to its end are together.
    end_mm: f64,
}

/// A zone.
#[derive(Debug)]
pub(crate) struct Ground {
    region: Region,
    floor: Floor,
    stretches: Vec<Stretch>,
    doors: Vec<Edge>,
    start_mm: (i32, i32),
}

impl Ground {
    /// The zone as ground; `None` if nobody can walk in it: it is not sound, or nowhere a metre deep, or there
    /// is no way out. `floor` is where it is walked if it is on every floor.
    pub(crate) fn new(
        zone: &ZoneConfig,
        doors: &[DoorConfig],
        floor: Floor,
        chance: &mut Chance,
    ) -> Option<Arc<Ground>> {
        let region = Region::new(zone.outline.clone(), zone.floor, zone.height).ok()?;
        let stretches = stretches(&zone.outline, &region);
        let mut ground = Ground {
            region,
            floor: zone.floor.unwrap_or(floor),
            stretches,
            doors: Vec::new(),
            start_mm: (0, 0),
        };
        let on_floor = doors.iter().filter(|door| door.floor == ground.floor);
        let sills = on_floor.map(|door| {
            let ((ax, ay), (bx, by)) = door.sill_mm;
            point((i32::midpoint(ax, bx), i32::midpoint(ay, by)))
        });
        ground.doors = sills.filter_map(|middle| ground.door(middle)).collect();
        ground.start_mm = (0..LOOKS * WALLS).find_map(|_| ground.anywhere(chance, 1_000))?;
        ground.way(ground.start_mm, chance)?;
        Some(Arc::new(ground))
    }

    pub(crate) fn floor(&self) -> Floor {
        self.floor
    }

    /// A place well inside.
    pub(crate) fn start_mm(&self) -> (i32, i32) {
        self.start_mm
    }

    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    /// On which side a place is.
    pub(crate) fn side(&self, (x_mm, y_mm): (i32, i32)) -> Side {
        if self.region.contains(x_mm, y_mm) { Side::In } else { Side::Out }
    }

    /// Whether a place is that far from the outline, on that side of it.
    pub(crate) fn is_clear(&self, (x_mm, y_mm): (i32, i32), side: Side, margin_mm: u64) -> bool {
        match side {
            Side::In => self.region.is_deep_inside(x_mm, y_mm, margin_mm),
            Side::Out => !self.region.is_within(x_mm, y_mm, margin_mm),
        }
    }

    /// The nearest wall.
    pub(crate) fn wall(&self, at_mm: (i32, i32)) -> Wall {
        let at = point(at_mm);
        let none = Wall { distance_mm: f64::INFINITY, outward: (0.0, 0.0) };
        self.stretches.iter().fold(none, |nearest, stretch| {
            let distance_mm = distance_mm(at, stretch);
            if distance_mm < nearest.distance_mm {
                Wall { distance_mm, outward: stretch.outward }
            } else {
                nearest
            }
        })
    }

    /// A place to go to on the same side, not far away.
    pub(crate) fn place_near(
        &self,
        from_mm: (i32, i32),
        side: Side,
        chance: &mut Chance,
    ) -> Option<(i32, i32)> {
        let (x_mm, y_mm) = point(from_mm);
        let reach_mm = if side == Side::In { NEAR_MM } else { NEAR_MM / 3.0 };
        let step = |chance: &mut Chance| chance.between(-reach_mm, reach_mm);
        let mut look = || whole((x_mm + step(chance), y_mm + step(chance)));
        (0..LOOKS).map(|_| look()).find(|place| self.is_clear(*place, side, BODY_MM))
    }

    /// A point of the outline near a place.
    pub(crate) fn edge_near(&self, from_mm: (i32, i32), chance: &mut Chance) -> Option<Edge> {
        let edges: Vec<Edge> = (0..WALLS).filter_map(|_| self.edge(chance)).collect();
        nearest(&edges, from_mm)
    }

    /// A way through the outline near a place: at a door, where there are any.
    pub(crate) fn way(&self, from_mm: (i32, i32), chance: &mut Chance) -> Option<Edge> {
        let is_way = |edge: &Edge| {
            let (inner, outer) = (edge.within(WAY_IN_MM), edge.beyond(WAY_OUT_MM));
            self.is_clear(inner, Side::In, BODY_MM) && self.is_clear(outer, Side::Out, 1_000)
        };
        let doors: Vec<Edge> = self.doors.iter().copied().filter(is_way).collect();
        if !doors.is_empty() {
            // The nearest, or now and then another.
            let other = chance.pick(&doors).copied();
            return if chance.happens(0.25) { other } else { nearest(&doors, from_mm) };
        }
        (0..LOOKS).filter_map(|_| self.edge_near(from_mm, chance)).find(is_way)
    }

    fn anywhere(&self, chance: &mut Chance, margin_mm: u64) -> Option<(i32, i32)> {
        let (low, high) = self.region.bounding_box_mm();
        let ((west, south), (east, north)) = (point(low), point(high));
        let place = whole((chance.between(west, east), chance.between(south, north)));
        self.is_clear(place, Side::In, margin_mm).then_some(place)
    }

    fn edge(&self, chance: &mut Chance) -> Option<Edge> {
        let along_mm = chance.between(0.0, self.stretches.last()?.end_mm);
        let at = self.stretches.partition_point(|stretch| stretch.end_mm <= along_mm);
        let stretch = self.stretches.get(at)?;
        let share = chance.between(0.05, 0.95);
        let at_mm = (
            stretch.from.0 + (stretch.to.0 - stretch.from.0) * share,
            stretch.from.1 + (stretch.to.1 - stretch.from.1) * share,
        );
        Some(Edge { at_mm, outward: stretch.outward })
    }

    /// The point of the outline at a door's sill, if it is one of this zone's.
    fn door(&self, middle: (f64, f64)) -> Option<Edge> {
        let apart = |stretch: &&Stretch| distance_mm(middle, stretch);
        let nearest = self.stretches.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)))?;
        let is_near = distance_mm(middle, nearest) <= SILL_MM;
        is_near.then(|| Edge { at_mm: foot(middle, nearest), outward: nearest.outward })
    }
}

impl Edge {
    /// So far inside.
    pub(crate) fn within(&self, mm: f64) -> (i32, i32) {
        self.beyond(-mm)
    }

    /// So far outside.
    pub(crate) fn beyond(&self, mm: f64) -> (i32, i32) {
        whole((self.at_mm.0 + self.outward.0 * mm, self.at_mm.1 + self.outward.1 * mm))
    }

    /// The point so far along the outline, as if it went on straight.
    #[must_use]
    pub(crate) fn along(&self, mm: f64) -> Edge {
        let at_mm = (self.at_mm.0 - self.outward.1 * mm, self.at_mm.1 + self.outward.0 * mm);
        Edge { at_mm, ..*self }
    }
}

fn nearest(edges: &[Edge], from_mm: (i32, i32)) -> Option<Edge> {
    let (x_mm, y_mm) = point(from_mm);
    let apart = |edge: &&Edge| (edge.at_mm.0 - x_mm).hypot(edge.at_mm.1 - y_mm);
    edges.iter().min_by(|a, b| apart(a).total_cmp(&apart(b))).copied()
}

/// The sides of the outer ring with what is out. Walls of holes are no walls to walk along.
fn stretches(outline: &Outline, region: &Region) -> Vec<Stretch> {
    let ring: Vec<(f64, f64)> = match outline {
        Outline::Polygon { outer_mm, .. } => outer_mm.iter().copied().map(point).collect(),
        Outline::Circle { center_mm, radius_mm } => {
            let (x_mm, y_mm) = point(*center_mm);
            let side = |number: u32| {
                let angle = std::f64::consts::TAU * f64::from(number) / f64::from(CIRCLE_SIDES);
                let radius_mm = f64::from(*radius_mm);
                (x_mm + radius_mm * angle.cos(), y_mm + radius_mm * angle.sin())
            };
            (0..CIRCLE_SIDES).map(side).collect()
        }
    };
    let mut end_mm = 0.0;
    let sides = ring.iter().copied().zip(ring.iter().copied().cycle().skip(1));
    let mut stretches = Vec::with_capacity(ring.len());
    for (from, to) in sides {
        let long_mm = (to.0 - from.0).hypot(to.1 - from.1);
        if long_mm < 1.0 {
            continue;
        }
        end_mm += long_mm;
        let normal = ((to.1 - from.1) / long_mm, (from.0 - to.0) / long_mm);
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let (x_mm, y_mm) = whole((middle.0 + normal.0 * 50.0, middle.1 + normal.1 * 50.0));
        let is_inward = region.contains(x_mm, y_mm);
        let outward = if is_inward { (-normal.0, -normal.1) } else { normal };
        stretches.push(Stretch { from, to, outward, end_mm });
    }
    stretches
}

/// The point of a stretch that is nearest to a place.
fn foot(at: (f64, f64), stretch: &Stretch) -> (f64, f64) {
    let (from, to) = (stretch.from, stretch.to);
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let along = ((at.0 - from.0) * dx + (at.1 - from.1) * dy) / (dx * dx + dy * dy);
    let share = along.clamp(0.0, 1.0);
    (from.0 + share * dx, from.1 + share * dy)
}

fn distance_mm(at: (f64, f64), stretch: &Stretch) -> f64 {
    let foot = foot(at, stretch);
    (foot.0 - at.0).hypot(foot.1 - at.1)
}
