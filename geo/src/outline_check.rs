//! What makes an outline sound.

use std::cmp::Ordering;

use thiserror::Error;

use crate::RANGE_MM;
use crate::bounds::Bounds;
use crate::edge::Edge;

/// Most vertices of one ring. The finest building outline in use has some hundreds.
pub const RING_VERTICES_MAX: usize = 4_096;
/// Most holes of one polygon.
pub const HOLES_MAX: usize = 64;
/// Most vertices of a polygon, all rings together: bounds the time of one containment test to some
/// tens of microseconds.
pub const POLYGON_VERTICES_MAX: usize = 16_384;

/// Why an outline was refused. Rings are numbered from 0, the outer ring first, then the holes;
/// vertices and edges from 0 in the order given, edge `n` going from vertex `n` to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RegionError {
    /// Fewer than three different vertices enclose nothing.
    #[error("ring {ring} has {count} different vertices, give at least 3")]
    TooFewVertices {
        /// The ring.
        ring: usize,
        /// How many remained when repeated ones were dropped.
        count: usize,
    },
    /// More vertices than the limit.
    #[error("ring {ring} brings the count of vertices to {count}, simplify it to {limit}")]
    TooManyVertices {
        /// The ring.
        ring: usize,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// More holes than the limit.
    #[error("polygon has {count} holes, split it so that none has more than {limit}")]
    TooManyHoles {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A ring encloses no area.
    #[error("ring {ring} encloses no area, its vertices lie on one line")]
    NoArea {
        /// The ring.
        ring: usize,
    },
    /// Two edges of one ring touch or cross where they should not.
    #[error(
        "ring {ring} meets itself: edge {edge} from {from_mm:?} and edge {other_edge} touch or cross, \
         move a vertex"
    )]
    SelfIntersecting {
        /// The ring.
        ring: usize,
        /// The first edge.
        edge: usize,
        /// The other edge.
        other_edge: usize,
        /// Where the first edge begins.
        from_mm: (i32, i32),
    },
    /// Edges of two rings cross, or run along each other.
    #[error(
        "edge {edge} of ring {ring} from {from_mm:?} crosses or runs along edge {other_edge} of ring \
         {other_ring}, move the hole"
    )]
    RingsCross {
        /// The first ring.
        ring: usize,
        /// Its edge.
        edge: usize,
        /// The other ring.
        other_ring: usize,
        /// Its edge.
        other_edge: usize,
        /// Where the first edge begins.
        from_mm: (i32, i32),
    },
    /// A hole lies outside the outer ring or inside another hole.
    #[error("hole ring {ring} lies outside the outer ring or inside another hole, remove it")]
    HoleMisplaced {
        /// The hole's ring.
        ring: usize,
    },
    /// A circle without extent.
    #[error("circle has radius 0, give a radius")]
    NoRadius,
    /// A coordinate too far from the origin.
    #[error("{x_mm}, {y_mm} mm lies more than 1,000 km from the site's origin, check the frame")]
    OutOfRange {
        /// Along x.
        x_mm: i64,
        /// Along y.
        y_mm: i64,
    },
    /// The lowest height lies above the greatest.
    #[error("height from {low_mm} to {high_mm} mm is reversed, swap the two")]
    HeightReversed {
        /// Lowest.
        low_mm: i32,
        /// Greatest.
        high_mm: i32,
    },
}

/// The box of a sound circle.
pub(crate) fn check_circle(center_mm: (i32, i32), radius_mm: u32) -> Result<Bounds, RegionError> {
    if radius_mm == 0 {
        return Err(RegionError::NoRadius);
    }
    let (x, y, radius) = (i64::from(center_mm.0), i64::from(center_mm.1), i64::from(radius_mm));
    let end = |value: i64, step: i64| {
        i32::try_from(value + step)
            .ok()
            .filter(|end| end.unsigned_abs() <= RANGE_MM.unsigned_abs())
            .ok_or(RegionError::OutOfRange { x_mm: x + step, y_mm: y + step })
    };
    Ok(Bounds {
        x_low: end(x, -radius)?,
        y_low: end(y, -radius)?,
        x_high: end(x, radius)?,
        y_high: end(y, radius)?,
    })
}

/// The rings of a sound polygon, outer first, repeated vertices dropped.
pub(crate) fn check_polygon(
    outer_mm: Vec<(i32, i32)>,
    holes_mm: Vec<Vec<(i32, i32)>>,
) -> Result<Vec<Vec<(i32, i32)>>, RegionError> {
    if holes_mm.len() > HOLES_MAX {
        return Err(RegionError::TooManyHoles { count: holes_mm.len(), limit: HOLES_MAX });
    }
    let mut rings = Vec::with_capacity(1 + holes_mm.len());
    let mut vertex_count = 0;
    for (ring, vertices) in std::iter::once(outer_mm).chain(holes_mm).enumerate() {
        let vertices = check_ring(ring, vertices)?;
        vertex_count += vertices.len();
        if vertex_count > POLYGON_VERTICES_MAX {
            let limit = POLYGON_VERTICES_MAX;
            return Err(RegionError::TooManyVertices { ring, count: vertex_count, limit });
        }
        rings.push(vertices);
    }
    check_edges(&rings)?;
    check_holes(&rings)?;
    Ok(rings)
}

fn check_ring(ring: usize, mut vertices: Vec<(i32, i32)>) -> Result<Vec<(i32, i32)>, RegionError> {
    // One above the limit is let through for the closing vertex.
    if vertices.len() > RING_VERTICES_MAX + 1 {
        let (count, limit) = (vertices.len(), RING_VERTICES_MAX);
        return Err(RegionError::TooManyVertices { ring, count, limit });
    }
    let limit = RANGE_MM.unsigned_abs();
    for &(x, y) in &vertices {
        if x.unsigned_abs() > limit || y.unsigned_abs() > limit {
            return Err(RegionError::OutOfRange { x_mm: i64::from(x), y_mm: i64::from(y) });
        }
    }
    vertices.dedup();
    while vertices.len() > 1 && vertices.first() == vertices.last() {
        vertices.pop();
    }
    let mut different = vertices.clone();
    different.sort_unstable();
    different.dedup();
    if different.len() < 3 {
        return Err(RegionError::TooFewVertices { ring, count: different.len() });
    }
    if vertices.len() > RING_VERTICES_MAX {
        let (count, limit) = (vertices.len(), RING_VERTICES_MAX);
        return Err(RegionError::TooManyVertices { ring, count, limit });
    }
    let is_flat = edges_of(&vertices)
        .next()
        .is_some_and(|first| vertices.iter().all(|&vertex| first.side(vertex) == 0));
    if is_flat {
        return Err(RegionError::NoArea { ring });
    }
    Ok(vertices)
}

/// The box round points; empty for none.
pub(crate) fn bounds_of(points: impl Iterator<Item = (i32, i32)>) -> Bounds {
    points
        .map(|point| Bounds::spanned(point, point))
        .reduce(Bounds::joined)
        .unwrap_or(Bounds::EMPTY)
}

/// The edges of a closed ring.
pub(crate) fn edges_of(ring: &[(i32, i32)]) -> impl Iterator<Item = Edge> {
    let ends = ring.iter().copied().cycle().skip(1);
    ring.iter().copied().zip(ends).map(|(a, b)| Edge { a, b })
}

struct Placed {
    edge: Edge,
    bounds: Bounds,
    ring: usize,
    number: usize,
    ring_len: usize,
}

/// Sweeps over all edges from west to east and compares those whose boxes meet.
fn check_edges(rings: &[Vec<(i32, i32)>]) -> Result<(), RegionError> {
    let mut placed: Vec<Placed> = rings
        .iter()
        .enumerate()
        .flat_map(|(ring, vertices)| {
            let ring_len = vertices.len();
            edges_of(vertices).enumerate().map(move |(number, edge)| Placed {
                edge,
                bounds: edge.bounds(),
                ring,
                number,
                ring_len,
            })
        })
        .collect();
    placed.sort_unstable_by_key(|placed| (placed.bounds.x_low, placed.ring, placed.number));
    let mut rest = placed.as_slice();
    while let Some((first, others)) = rest.split_first() {
        let near = others.iter().take_while(|other| other.bounds.x_low <= first.bounds.x_high);
        for other in near.filter(|other| other.bounds.meets(&first.bounds)) {
            check_pair(first, other)?;
        }
        rest = others;
    }
    Ok(())
}

fn check_pair(one: &Placed, other: &Placed) -> Result<(), RegionError> {
    let meeting = Meeting::of(&one.edge, &other.edge);
    let (first, second) = if (one.ring, one.number) <= (other.ring, other.number) {
        (one, other)
    } else {
        (other, one)
    };
    if first.ring != second.ring {
        return match meeting {
            Meeting::Apart | Meeting::Touch => Ok(()),
            Meeting::Cross | Meeting::Overlap => Err(RegionError::RingsCross {
                ring: first.ring,
                edge: first.number,
                other_ring: second.ring,
                other_edge: second.number,
                from_mm: first.edge.a,
            }),
        };
    }
    let are_neighbours = first.number + 1 == second.number
        || (first.number == 0 && second.number + 1 == second.ring_len);
    let is_sound = match meeting {
        Meeting::Apart => true,
        Meeting::Touch => are_neighbours,
        Meeting::Cross | Meeting::Overlap => false,
    };
    if is_sound {
        return Ok(());
    }
    Err(RegionError::SelfIntersecting {
        ring: first.ring,
        edge: first.number,
        other_edge: second.number,
        from_mm: first.edge.a,
    })
}

/// How two edges meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meeting {
    Apart,
    /// In one point that is an end of at least one of them.
    Touch,
    /// In one point that is an end of neither.
    Cross,
    /// Along a length.
    Overlap,
}

impl Meeting {
    fn of(one: &Edge, other: &Edge) -> Meeting {
        let sides = (one.side(other.a).signum(), one.side(other.b).signum());
        let other_sides = (other.side(one.a).signum(), other.side(one.b).signum());
        if sides == (0, 0) {
            // On one line: compare along the axis on which the first extends most.
            return Meeting::on_line(one, other);
        }
        if sides.0 * sides.1 > 0 || other_sides.0 * other_sides.1 > 0 {
            Meeting::Apart
        } else if sides.0 * sides.1 == 0 || other_sides.0 * other_sides.1 == 0 {
            Meeting::Touch
        } else {
            Meeting::Cross
        }
    }

    fn on_line(one: &Edge, other: &Edge) -> Meeting {
        // Points on one line are ordered alike by (x, y).
        let (one_low, one_high) = (one.a.min(one.b), one.a.max(one.b));
        let (other_low, other_high) = (other.a.min(other.b), other.a.max(other.b));
        match one_low.max(other_low).cmp(&one_high.min(other_high)) {
            Ordering::Less => Meeting::Overlap,
            Ordering::Equal => Meeting::Touch,
            Ordering::Greater => Meeting::Apart,
        }
    }
}

/// Rings do not cross, so one vertex that lies on no other ring tells where a hole is.
fn check_holes(rings: &[Vec<(i32, i32)>]) -> Result<(), RegionError> {
    let Some((outer, holes)) = rings.split_first() else { return Ok(()) };
    for (number, hole) in holes.iter().enumerate() {
        let ring = number + 1;
        if side_of_ring(outer, hole) == Some(Ordering::Greater) {
            return Err(RegionError::HoleMisplaced { ring });
        }
        let lies_in_another = holes
            .iter()
            .enumerate()
            .any(|(at, other)| at != number && side_of_ring(other, hole) == Some(Ordering::Less));
        if lies_in_another {
            return Err(RegionError::HoleMisplaced { ring });
        }
    }
    Ok(())
}

/// Whether `ring` lies inside (`Less`) or outside (`Greater`) of `around`; `None` if all its vertices
/// lie on it.
fn side_of_ring(around: &[(i32, i32)], ring: &[(i32, i32)]) -> Option<Ordering> {
    ring.iter().find_map(|&(x_mm, y_mm)| {
        let mut is_inside = false;
        for edge in edges_of(around) {
            match edge.ray_east(x_mm, y_mm) {
                crate::edge::Ray::Misses => {}
                crate::edge::Ray::Crosses => is_inside = !is_inside,
                crate::edge::Ray::OnEdge => return None,
            }
        }
        Some(if is_inside { Ordering::Less } else { Ordering::Greater })
    })
}
