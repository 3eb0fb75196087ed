//! A watch as the index keeps it.

use std::ops::Deref;

use crate::bounds::Bounds;
use crate::frame::{Fit, Frame};
use crate::region::Shape;
use crate::{Floor, Height, Position, Watch};

/// A watch with a copy of what is asked most of its region. Most regions are rectangles, and of
/// those the region itself need not be fetched: everything is in two neighbouring cache lines.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Post {
    watch: Watch,
    bounds: Bounds,
    floor: Option<Floor>,
    /// The frame that the region is a rectangle of, or nearly, if it is one of any.
    frame: Frame,
    outer: Bounds,
    seam: u8,
    /// Only in a range of heights.
    has_height: bool,
}

/// No rectangle of any frame.
const NO_FIT: u8 = u8::MAX;

impl Post {
    /// A post in a storey whose walls have this frame.
    pub(crate) fn new(watch: Watch, frame: Frame) -> Post {
        let region = &watch.region;
        let has_height = region.height().is_some();
        let (bounds, floor) = (region.bounds(), region.floor());
        let (frame, fit) = if region.is_rectangle() {
            (Frame::SITE, Some(Fit { outer: bounds, seam: 0 }))
        } else {
            (frame, frame.fit(region))
        };
        let Fit { outer, seam } = fit.unwrap_or(Fit { outer: bounds, seam: NO_FIT });
        Post { watch, bounds, floor, frame, outer, seam, has_height }
    }

    /// The rectangle that the region is, or nearly, in a frame.
    #[inline]
    pub(crate) fn fit_in(&self, frame: Frame) -> Option<Fit> {
        let is_fit = self.seam != NO_FIT && self.frame == frame;
        is_fit.then_some(Fit { outer: self.outer, seam: self.seam })
    }

    /// The rectangle that the region is, or nearly, and where a point lies in its frame.
    #[inline]
    fn fit_at(&self, x_mm: i32, y_mm: i32) -> Option<(Fit, (i32, i32))> {
        Some((self.fit_in(self.frame)?, self.frame.place((x_mm, y_mm))))
    }

    /// See [`Region::matches`](crate::Region::matches).
    #[inline]
    pub(crate) fn matches(&self, position: &Position) -> bool {
        if self.has_height {
            return self.watch.region.matches(position);
        }
        match (self.floor, position.floor) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        }
    }

    /// See [`Region::contains`](crate::Region::contains).
    #[inline]
    pub(crate) fn contains(&self, x_mm: i32, y_mm: i32) -> bool {
        if self.is_rectangle() {
            return self.bounds.contains(x_mm, y_mm);
        }
        if let Some((fit, (u, v))) = self.fit_at(x_mm, y_mm) {
            if !fit.outer.contains(u, v) {
                return false;
            }
            if fit.inner().contains(u, v) {
                return true;
            }
        }
        self.watch.region.contains(x_mm, y_mm)
    }

    /// See [`Region::is_deep_inside`](crate::Region::is_deep_inside).
    #[inline]
    pub(crate) fn is_deep_inside(&self, x_mm: i32, y_mm: i32, margin_mm: u64) -> bool {
        if self.is_rectangle() {
            return self.bounds.is_deep_inside(x_mm, y_mm, margin_mm);
        }
        if let Some((fit, (u, v))) = self.fit_at(x_mm, y_mm) {
            if !fit.outer.is_deep_inside(u, v, self.frame.at_most(margin_mm)) {
                return false;
            }
            if fit.inner().is_deep_inside(u, v, self.frame.at_least(margin_mm)) {
                return true;
            }
        }
        self.watch.region.is_deep_inside(x_mm, y_mm, margin_mm)
    }

    /// The box round the outline.
    #[inline]
    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Whether the region is all of its bounds.
    #[inline]
    fn is_rectangle(&self) -> bool {
        self.seam == 0
    }

    /// The outline.
    #[inline]
    pub(crate) fn shape(&self) -> &Shape {
        if self.is_rectangle() { &Shape::Rectangle } else { self.watch.region.shape() }
    }

    /// See [`Region::height`](crate::Region::height).
    #[inline]
    pub(crate) fn height(&self) -> Option<Height> {
        if self.has_height { self.watch.region.height() } else { None }
    }

    /// See [`Region::floor`](crate::Region::floor).
    #[inline]
    pub(crate) fn floor(&self) -> Option<Floor> {
        self.floor
    }

    /// See [`Region::is_within`](crate::Region::is_within).
    #[inline]
    pub(crate) fn is_within(&self, x_mm: i32, y_mm: i32, margin_mm: u64) -> bool {
        if self.is_rectangle() {
            return self.bounds.is_within(x_mm, y_mm, margin_mm);
        }
        if let Some((fit, (u, v))) = self.fit_at(x_mm, y_mm) {
            if !fit.outer.is_within(u, v, self.frame.at_least(margin_mm)) {
                return false;
            }
            if fit.inner().is_within(u, v, self.frame.at_most(margin_mm)) {
                return true;
            }
        }
        self.watch.region.is_within(x_mm, y_mm, margin_mm)
    }
}

impl Deref for Post {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.watch
    }
}
