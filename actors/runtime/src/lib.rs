//! Cells, mailboxes, deadlines and quarantine of actors. Knows no hospital.
//!
//! An actor is a [`Cell`] in a [`Slab`], addressed by a dense number. What it is sent is ordered by
//! its owner's queue, whose depth [`Waves`] bounds; what it wants to be called back for lies in
//! [`Deadlines`]. Every cell touched by one input can be put back with [`Slab::roll_back`].

mod cell;
mod deadlines;
mod frozen_heap;
mod imaging;
mod pool;
mod seat;
mod shelf;
mod slab;
mod waves;

pub use cell::{Cell, Kept, unpacked};
pub use deadlines::Deadlines;
pub use imaging::Image;
pub use slab::{CELL_COUNT_MAX, Slab, SlabCounts};
pub use waves::{Runaway, Waves};
