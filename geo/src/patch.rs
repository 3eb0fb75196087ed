//! The part of an outline that matters in one cell.

use crate::bounds::Bounds;
use crate::edge::{Edge, Ray};
use crate::polygon::Polygon;

/// Most edges of one patch; what has more is asked of the region.
const EDGES_MAX: usize = 32;

/// The edges of polygons, cell by cell.
#[derive(Debug, Default)]
pub(crate) struct Patches {
    list: Vec<Patch>,
    edges: Vec<Edge>,
}

/// Where the edges of a patch are, and what the others come to.
#[derive(Debug, Clone, Copy)]
struct Patch {
    from: u32,
    to: u32,
    /// Whether the edges that are not here are crossed an odd number of times by any ray that goes
    /// east from the window.
    is_odd: bool,
}

impl Patches {
    /// How many edges there are.
    pub(crate) fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// Takes what matters of a polygon in a window, and tells its place; `None` if that is too much.
    pub(crate) fn add(&mut self, polygon: &Polygon, window: &Bounds) -> Option<u32> {
        let mut near = polygon.edges_between(window.y_low, window.y_high).to_vec();
        near.sort_unstable_by_key(|edge| (edge.a, edge.b));
        near.dedup();
        let mut is_odd = false;
        near.retain(|edge| {
            if edge.may_meet(window) {
                return true;
            }
            let around = edge.bounds();
            if around.x_high < window.x_low {
                return false;
            }
            // Its lower end belongs to it, its upper end does not.
            if around.y_low <= window.y_low && window.y_high < around.y_high {
                is_odd ^= edge.ray_east(window.x_low, window.y_low) == Ray::Crosses;
                return false;
            }
            around.y_low <= window.y_high && window.y_low <= around.y_high
        });
        if near.len() > EDGES_MAX {
            return None;
        }
        let place = u32::try_from(self.list.len()).ok()?;
        let from = u32::try_from(self.edges.len()).ok()?;
        let to = u32::try_from(self.edges.len() + near.len()).ok()?;
        self.edges.append(&mut near);
        self.list.push(Patch { from, to, is_odd });
        Some(place)
    }

    /// Whether a point of the window is inside, outline included.
    #[inline]
    pub(crate) fn holds(&self, place: u32, x_mm: i32, y_mm: i32) -> Option<bool> {
        let mut is_inside = self.patch(place)?.is_odd;
        for edge in self.edges(place)? {
            match edge.ray_east(x_mm, y_mm) {
                Ray::Misses => {}
                Ray::Crosses => is_inside = !is_inside,
                Ray::OnEdge => return Some(true),
            }
        }
        Some(is_inside)
    }

    /// All edges that meet the window, and perhaps others.
    #[inline]
    pub(crate) fn edges(&self, place: u32) -> Option<&[Edge]> {
        let patch = self.patch(place)?;
        self.edges.get(usize::try_from(patch.from).ok()?..usize::try_from(patch.to).ok()?)
    }

    /// Gives back what was reserved and not needed.
    pub(crate) fn shrink(&mut self) {
        self.list.shrink_to_fit();
        self.edges.shrink_to_fit();
    }

    fn patch(&self, place: u32) -> Option<&Patch> {
        self.list.get(usize::try_from(place).ok()?)
    }
}
