//! A watch as the index keeps it.

use std::ops::Deref;

use crate::bounds::Bounds;
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
    /// Being in the bounds is being in the region, whatever the height.
    is_filled: bool,
}

impl Post {
    pub(crate) fn new(watch: Watch) -> Post {
        let region = &watch.region;
        let is_filled = region.is_rectangle() && region.height().is_none();
        Post { bounds: region.bounds(), floor: region.floor(), is_filled, watch }
    }

    /// See [`Region::matches`](crate::Region::matches).
    #[inline]
    pub(crate) fn matches(&self, position: &Position) -> bool {
        if !self.is_filled {
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
        self.bounds.contains(x_mm, y_mm)
            && (self.is_filled || self.watch.region.contains(x_mm, y_mm))
    }

    /// See [`Region::is_deep_inside`](crate::Region::is_deep_inside).
    #[inline]
    pub(crate) fn is_deep_inside(&self, x_mm: i32, y_mm: i32, margin_mm: u64) -> bool {
        if self.is_filled {
            self.bounds.is_deep_inside(x_mm, y_mm, margin_mm)
        } else {
            self.watch.region.is_deep_inside(x_mm, y_mm, margin_mm)
        }
    }

    /// The box round the outline.
    #[inline]
    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The outline.
    #[inline]
    pub(crate) fn shape(&self) -> &Shape {
        if self.is_filled { &Shape::Rectangle } else { self.watch.region.shape() }
    }

    /// See [`Region::height`](crate::Region::height).
    #[inline]
    pub(crate) fn height(&self) -> Option<Height> {
        if self.is_filled { None } else { self.watch.region.height() }
    }

    /// See [`Region::floor`](crate::Region::floor).
    #[inline]
    pub(crate) fn floor(&self) -> Option<Floor> {
        self.floor
    }

    /// See [`Region::is_within`](crate::Region::is_within).
    #[inline]
    pub(crate) fn is_within(&self, x_mm: i32, y_mm: i32, margin_mm: u64) -> bool {
        if self.is_filled {
            self.bounds.is_within(x_mm, y_mm, margin_mm)
        } else {
            self.watch.region.is_within(x_mm, y_mm, margin_mm)
        }
    }
}

impl Deref for Post {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.watch
    }
}
