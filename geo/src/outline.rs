//! The shapes that zones have.

use serde::{Deserialize, Serialize};

/// The outline of an area in the plane, in whole millimetres of the site frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outline {
    /// An outer ring and holes; rings are closed implicitly from last to first vertex.
    Polygon {
        /// The outer ring, in either winding order.
        outer_mm: Vec<(i32, i32)>,
        /// Areas cut out of it.
        holes_mm: Vec<Vec<(i32, i32)>>,
    },
    /// Everything within `radius_mm` of a centre.
    Circle {
        /// The centre.
        center_mm: (i32, i32),
        /// The radius.
        radius_mm: u32,
    },
}

/// A range of heights above the floor's slab, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Height {
    /// Lowest height.
    pub low_mm: i32,
    /// Greatest height.
    pub high_mm: i32,
}
