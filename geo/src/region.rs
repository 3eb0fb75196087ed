//! An area with its floor and heights, checked once and asked often.

use std::borrow::Cow;

use crate::bounds::{Bounds, square};
use crate::edge::Edge;
use crate::frame::Frame;
use crate::outline_check::{self, RegionError};
use crate::polygon::Polygon;
use crate::{Floor, Height, Outline, Position};

/// Coordinates of regions and lines lie within this of the site's origin, along x and along y.
///
/// A thousand kilometres is more than any site, and keeps products of two differences in `i64`.
pub const RANGE_MM: i32 = 1_000_000_000;

/// An outline that has been found sound, on a floor, within a range of heights.
///
/// A point on the outline is inside: on an outer ring, on the ring of a hole, on a circle. So a
/// point on a shared wall is in both rooms. `contains(x, y)` equals `is_within(x, y, 0)` and
/// `is_deep_inside(x, y, 0)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    shape: Shape,
    bounds: Bounds,
    floor: Option<Floor>,
    height: Option<Height>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All of the bounds.
    Rectangle,
    /// Any other rings.
    Polygon(Polygon),
    /// A disc.
    Circle { center_mm: (i32, i32), radius_mm: u32 },
}

/// How much of a window a region covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// No point of it.
    None,
    /// Perhaps some.
    Part,
    /// Every point of it.
    Whole,
}

impl Region {
    /// Checks an outline and makes it ready to be asked.
    ///
    /// Vertices that repeat their predecessor (the closing vertex of a ring in `GeoJSON` among them)
    /// are dropped. Rings may be wound either way. Holes may touch the outer ring and each other in
    /// single points.
    ///
    /// # Errors
    ///
    /// What is wrong and where: see [`RegionError`].
    pub fn new(
        outline: Outline,
        floor: Option<Floor>,
        height: Option<Height>,
    ) -> Result<Region, RegionError> {
        if let Some(Height { low_mm, high_mm }) = height
            && high_mm < low_mm
        {
            return Err(RegionError::HeightReversed { low_mm, high_mm });
        }
        match outline {
            Outline::Circle { center_mm, radius_mm } => {
                let bounds = outline_check::check_circle(center_mm, radius_mm)?;
                let shape = Shape::Circle { center_mm, radius_mm };
                Ok(Region { shape, bounds, floor, height })
            }
            Outline::Polygon { outer_mm, holes_mm } => {
                let rings = outline_check::check_polygon(outer_mm, holes_mm)?;
                let bounds = outline_check::bounds_of(rings.iter().flatten().copied());
                let edges: Box<[Edge]> =
                    rings.iter().flat_map(|ring| outline_check::edges_of(ring)).collect();
                let shape = if is_rectangle(&edges) {
                    Shape::Rectangle
                } else {
                    Shape::Polygon(Polygon::new(&edges, &bounds))
                };
                Ok(Region { shape, bounds, floor, height })
            }
        }
    }

    /// The floor; `None` is every floor.
    pub fn floor(&self) -> Option<Floor> {
        self.floor
    }

    /// The range of heights; `None` is every height.
    pub fn height(&self) -> Option<Height> {
        self.height
    }

    /// The two corners of the box round the outline, south-west and north-east.
    pub fn bounding_box_mm(&self) -> ((i32, i32), (i32, i32)) {
        ((self.bounds.x_low, self.bounds.y_low), (self.bounds.x_high, self.bounds.y_high))
    }

    /// Whether floor and height of a position agree with the region. What either does not know
    /// agrees with everything.
    pub fn matches(&self, position: &Position) -> bool {
        let floor_agrees = match (self.floor, position.floor) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        let height_agrees = match (self.height, position.z_mm) {
            (Some(range), Some(z_mm)) => range.low_mm <= z_mm && z_mm <= range.high_mm,
            _ => true,
        };
        floor_agrees && height_agrees
    }

    /// Whether the point is inside, outline included.
    pub fn contains(&self, x_mm: i32, y_mm: i32) -> bool {
        if !self.bounds.contains(x_mm, y_mm) {
            return false;
        }
        match &self.shape {
            Shape::Rectangle => true,
            Shape::Circle { center_mm, radius_mm } => {
                is_within_circle(*center_mm, u64::from(*radius_mm), (x_mm, y_mm))
            }
            Shape::Polygon(polygon) => polygon.contains(x_mm, y_mm),
        }
    }

    /// Whether the point is inside, or outside by at most `margin_mm`.
    pub fn is_within(&self, x_mm: i32, y_mm: i32, margin_mm: u64) -> bool {
        let (gap_x, gap_y) = self.bounds.gap_mm(x_mm, y_mm);
        if gap_x > margin_mm || gap_y > margin_mm {
            return false;
        }
        match &self.shape {
            Shape::Rectangle => self.bounds.is_within(x_mm, y_mm, margin_mm),
            Shape::Circle { center_mm, radius_mm } => {
                let reach_mm = u64::from(*radius_mm).saturating_add(margin_mm);
                is_within_circle(*center_mm, reach_mm, (x_mm, y_mm))
            }
            Shape::Polygon(polygon) => {
                polygon.contains(x_mm, y_mm)
                    || (margin_mm > 0
                        && polygon
                            .edges_near(y_mm, margin_mm)
                            .iter()
                            .any(|edge| edge.compare_distance((x_mm, y_mm), margin_mm).is_le()))
            }
        }
    }

    /// Whether the point is inside and at least `margin_mm` from the outline.
    pub fn is_deep_inside(&self, x_mm: i32, y_mm: i32, margin_mm: u64) -> bool {
        if !self.bounds.contains(x_mm, y_mm) {
            return false;
        }
        match &self.shape {
            Shape::Rectangle => margin_mm <= self.bounds.depth_mm(x_mm, y_mm),
            Shape::Circle { center_mm, radius_mm } => u64::from(*radius_mm)
                .checked_sub(margin_mm)
                .is_some_and(|rest_mm| is_within_circle(*center_mm, rest_mm, (x_mm, y_mm))),
            Shape::Polygon(polygon) => {
                polygon.contains(x_mm, y_mm)
                    && (margin_mm == 0
                        || polygon
                            .edges_near(y_mm, margin_mm)
                            .iter()
                            .all(|edge| edge.compare_distance((x_mm, y_mm), margin_mm).is_ge()))
            }
        }
    }

    /// How much of a window, which need not be in range, the region covers. May say part for whole
    /// or none.
    pub(crate) fn coverage(&self, window: &Bounds) -> Coverage {
        if !self.bounds.meets(window) {
            return Coverage::None;
        }
        match &self.shape {
            Shape::Rectangle if self.bounds.holds(window) => Coverage::Whole,
            Shape::Rectangle => Coverage::Part,
            Shape::Circle { center_mm, radius_mm } => {
                let radius_mm = u64::from(*radius_mm);
                let (gap_x, gap_y) = window.gap_mm(center_mm.0, center_mm.1);
                let is_whole = window
                    .corners()
                    .iter()
                    .all(|corner| is_within_circle(*center_mm, radius_mm, *corner));
                if is_whole {
                    Coverage::Whole
                } else if square_sum(gap_x, gap_y) > square(radius_mm) {
                    Coverage::None
                } else {
                    Coverage::Part
                }
            }
            Shape::Polygon(polygon) => {
                let edges = polygon.edges_between(window.y_low, window.y_high);
                if edges.iter().any(|edge| edge.may_meet(window)) {
                    Coverage::Part
                } else if polygon.contains(window.x_low, window.y_low) {
                    Coverage::Whole
                } else {
                    Coverage::None
                }
            }
        }
    }

    /// The same of a window in another frame.
    pub(crate) fn coverage_in(&self, frame: Frame, window: &Bounds) -> Coverage {
        if frame.is_site() {
            return self.coverage(window);
        }
        if !self.bounds_in(frame).meets(window) {
            return Coverage::None;
        }
        if let Shape::Circle { .. } = self.shape {
            // What holds of a box round the window holds of the window.
            return self.coverage(&frame.site_bounds(window));
        }
        let around = frame.site_bounds(window);
        let edges = self.edges_between(around.y_low, around.y_high);
        if edges.iter().any(|edge| frame.may_meet(edge, window)) {
            return Coverage::Part;
        }
        match frame.point_in(window) {
            None => Coverage::Part,
            Some((x_mm, y_mm)) if self.contains(x_mm, y_mm) => Coverage::Whole,
            Some(_) => Coverage::None,
        }
    }

    /// All edges that touch a level band, and perhaps others; none of a circle.
    pub(crate) fn edges_between(&self, y_low: i32, y_high: i32) -> Cow<'_, [Edge]> {
        match &self.shape {
            Shape::Rectangle => Cow::Owned(self.bounds.sides().to_vec()),
            Shape::Polygon(polygon) => Cow::Borrowed(polygon.edges_between(y_low, y_high)),
            Shape::Circle { .. } => Cow::Borrowed(&[]),
        }
    }

    /// A box in another frame that holds the region.
    pub(crate) fn bounds_in(&self, frame: Frame) -> Bounds {
        if frame.is_site() {
            return self.bounds;
        }
        match &self.shape {
            Shape::Polygon(polygon) => {
                let edges = polygon.edges_between(i32::MIN, i32::MAX);
                let boxes = edges.iter().map(|edge| frame.bounds_of(edge));
                boxes.reduce(Bounds::joined).unwrap_or(Bounds::EMPTY)
            }
            Shape::Rectangle => frame.bounds_round(&self.bounds),
            Shape::Circle { center_mm, radius_mm } => {
                let center = frame.place(*center_mm);
                let reach_mm = frame.at_least(u64::from(*radius_mm));
                Bounds::spanned(center, center).grown(reach_mm, reach_mm)
            }
        }
    }

    /// The box round the outline.
    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Whether the region fills its box.
    pub(crate) fn is_rectangle(&self) -> bool {
        matches!(self.shape, Shape::Rectangle)
    }

    /// The outline.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }
}

fn is_within_circle(center_mm: (i32, i32), reach_mm: u64, point: (i32, i32)) -> bool {
    let across = u64::from(center_mm.0.abs_diff(point.0));
    let along = u64::from(center_mm.1.abs_diff(point.1));
    across <= reach_mm && along <= reach_mm && square_sum(across, along) <= square(reach_mm)
}

fn square_sum(a: u64, b: u64) -> u128 {
    square(a) + square(b)
}

/// Four edges, each parallel to an axis, of a simple ring.
fn is_rectangle(edges: &[Edge]) -> bool {
    edges.len() == 4
        && edges.iter().all(|edge| edge.a.0 == edge.b.0 || edge.a.1 == edge.b.1)
        && edges.iter().filter(|edge| edge.a.0 == edge.b.0).count() == 2
}
