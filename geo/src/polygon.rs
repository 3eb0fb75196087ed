//! The edges of a polygon in level strips, so that a question meets few of them.

use crate::bounds::Bounds;
use crate::edge::{Edge, Ray};

/// Bound of memory: how often an edge is kept, on average. Edges that cross many strips (the teeth
/// of an upright comb) make the strips higher.
const COPIES_MAX: usize = 4;

/// A polygon of so few edges is not cut into strips: they lie together in memory as it is.
const UNCUT_MAX: usize = 8;

/// All edges of all rings, even-odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Polygon {
    y_low: i32,
    y_high: i32,
    /// A strip is a power of two of millimetres high.
    strip_bits: u32,
    /// Where the edges of a strip begin; they end where those of the next begin. Empty if there is
    /// but one.
    starts: Box<[u32]>,
    /// Strip by strip from the south, each edge in all strips it touches.
    edges: Box<[Edge]>,
}

/// What is known of the distance from a point to the outline, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DistanceRange {
    pub(crate) least_mm: u64,
    pub(crate) most_mm: u64,
}

impl Polygon {
    /// Sorts the edges of a sound polygon, which has at least three.
    pub(crate) fn new(edges: &[Edge], bounds: &Bounds) -> Polygon {
        let (y_low, y_high) = (bounds.y_low, bounds.y_high);
        let extent = y_low.abs_diff(y_high);
        if edges.len() <= UNCUT_MAX {
            let (starts, edges) = (Box::default(), edges.into());
            return Polygon { y_low, y_high, strip_bits: 0, starts, edges };
        }
        let strips_of = |edge: &Edge, bits: u32| {
            let box_of = edge.bounds();
            (y_low.abs_diff(box_of.y_low) >> bits)..=(y_low.abs_diff(box_of.y_high) >> bits)
        };
        let fits = |bits: u32| {
            let limit = u64::try_from(edges.len()).unwrap_or(u64::MAX);
            let copies = |edge| {
                let strips = strips_of(edge, bits);
                u64::from(strips.end() - strips.start()) + 1
            };
            u64::from(extent >> bits) < limit
                && edges.iter().map(copies).sum::<u64>()
                    <= limit.saturating_mul(u64::try_from(COPIES_MAX).unwrap_or(1))
        };
        // The highest strip holds everything.
        let strip_bits = (0..u32::BITS - 1).find(|bits| fits(*bits)).unwrap_or(u32::BITS - 1);
        let mut copies: Vec<(u32, Edge)> = edges
            .iter()
            .flat_map(|edge| strips_of(edge, strip_bits).map(|strip| (strip, *edge)))
            .collect();
        copies.sort_by_key(|(strip, _)| *strip);
        let starts = (0..=(extent >> strip_bits) + 1).map(|strip| {
            u32::try_from(copies.partition_point(|(of, _)| *of < strip)).unwrap_or(u32::MAX)
        });
        Polygon {
            y_low,
            y_high,
            strip_bits,
            starts: starts.collect(),
            edges: copies.iter().map(|(_, edge)| *edge).collect(),
        }
    }

    /// Whether a point is inside, outline included.
    pub(crate) fn contains(&self, x_mm: i32, y_mm: i32) -> bool {
        let mut is_inside = false;
        for edge in self.edges_between(y_mm, y_mm) {
            match edge.ray_east(x_mm, y_mm) {
                Ray::Misses => {}
                Ray::Crosses => is_inside = !is_inside,
                Ray::OnEdge => return true,
            }
        }
        is_inside
    }

    /// All edges that touch a level band, and some that lie beside it; some of them twice.
    pub(crate) fn edges_between(&self, y_low: i32, y_high: i32) -> &[Edge] {
        if self.starts.is_empty() {
            return &self.edges;
        }
        if y_high < self.y_low || self.y_high < y_low {
            return &[];
        }
        let strip = |y_mm: i32| {
            usize::try_from(
                self.y_low.abs_diff(y_mm.clamp(self.y_low, self.y_high)) >> self.strip_bits,
            )
        };
        let (Ok(from), Ok(to)) = (strip(y_low), strip(y_high)) else { return &self.edges };
        let start =
            |strip: usize| self.starts.get(strip).and_then(|start| usize::try_from(*start).ok());
        match (start(from), start(to + 1)) {
            (Some(from), Some(to)) => self.edges.get(from..to).unwrap_or(&self.edges),
            _ => &self.edges,
        }
    }

    /// All edges that touch a level band of `reach_mm` to each side of a point, as above.
    pub(crate) fn edges_near(&self, y_mm: i32, reach_mm: u64) -> &[Edge] {
        // The longest reach, from one end of `i32` to the other, is below 2^32.
        let reach_mm = u32::try_from(reach_mm).unwrap_or(u32::MAX);
        let (low, high) =
            (y_mm.saturating_sub_unsigned(reach_mm), y_mm.saturating_add_unsigned(reach_mm));
        self.edges_between(low, high)
    }

    /// How far a point that is in range lies from the outline, if that is no more than
    /// `reach_mm`; at least `reach_mm` else.
    pub(crate) fn distance(&self, point: (i32, i32), reach_mm: u64) -> DistanceRange {
        let mut least_mm = reach_mm;
        let mut most_mm = u64::MAX;
        for edge in self.edges_near(point.1, reach_mm) {
            let (gap_x, gap_y) = edge.bounds().gap_mm(point.0, point.1);
            if gap_x.max(gap_y) < most_mm {
                let of = edge.distance(point);
                least_mm = least_mm.min(of.least_mm);
                most_mm = most_mm.min(of.most_mm);
            }
        }
        DistanceRange { least_mm, most_mm }
    }
}
