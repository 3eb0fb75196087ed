//! The part of an outline that matters in one cell.

use crate::bounds::Bounds;
use crate::edge::{Edge, Ray};
use crate::polygon::Polygon;

/// Most edges of one patch; what has more is asked of the region.
const EDGES_MAX: usize = 32;
const COUNT_BITS: u32 = 8;
const COUNT_MASK: u32 = (1 << COUNT_BITS) - 1;
const IS_ODD: u32 = 1 << COUNT_BITS;
const FROM_BITS: u32 = COUNT_BITS + 1;
/// Most edges of one cell that a patch can point to.
const FROM_MAX: usize = 1 << 20;

/// Which edges of a cell belong to a polygon, in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patch {
    /// How many there are, whether the edges that are not there are crossed an odd number of times by
    /// any ray that goes east from the window, and after how many others they come.
    word: u32,
}

impl Patch {
    /// The outline has to be asked of the region.
    pub(crate) const NONE: Patch = Patch { word: u32::MAX };

    /// Appends what matters of a polygon in a window to the edges of its cell.
    pub(crate) fn of(polygon: &Polygon, window: &Bounds, edges: &mut Vec<Edge>) -> Patch {
        let mut near = polygon.edges_between(window.y_low, window.y_high).to_vec();
        // Strips may have an edge twice, a polygon does not.
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
        if near.len() > EDGES_MAX || edges.len() > FROM_MAX {
            return Patch::NONE;
        }
        let (Ok(count), Ok(from)) = (u32::try_from(near.len()), u32::try_from(edges.len())) else {
            return Patch::NONE;
        };
        edges.append(&mut near);
        Patch { word: from << FROM_BITS | if is_odd { IS_ODD } else { 0 } | count }
    }

    /// The polygon's edges that meet the window, and perhaps others, among those of the cell.
    #[inline]
    pub(crate) fn edges(self, cell: &[Edge]) -> Option<&[Edge]> {
        if self == Patch::NONE {
            return None;
        }
        let from = usize::try_from(self.word >> FROM_BITS).ok()?;
        let count = usize::try_from(self.word & COUNT_MASK).ok()?;
        cell.get(from..from + count)
    }

    /// Whether a point of the window is inside, outline included.
    #[inline]
    pub(crate) fn holds(self, cell: &[Edge], x_mm: i32, y_mm: i32) -> Option<bool> {
        let mut is_inside = self.word & IS_ODD != 0;
        for edge in self.edges(cell)? {
            match edge.ray_east(x_mm, y_mm) {
                Ray::Misses => {}
                Ray::Crosses => is_inside = !is_inside,
                Ray::OnEdge => return Some(true),
            }
        }
        Some(is_inside)
    }
}
