//! Exact plane geometry and zone occupancy.
//!
//! Coordinates are whole millimetres in the site frame, so every predicate is integer arithmetic
//! and every replica reaches the same answer on every machine. Only [`SiteFrame`], which belongs to
//! the rim, calculates in floating point.
//!
//! Start with [`Occupancy`]: it turns a sequence of positions into crossings of the watches of a
//! [`WatchIndex`].

mod bounds;
mod box_cutter;
mod cell_grid;
mod crossing;
mod edge;
mod ellipsoid;
mod frame;
mod gates;
mod keep;
mod line;
mod membership;
mod occupancy;
mod outline;
mod outline_check;
mod patch;
mod polygon;
mod position;
mod post;
mod region;
mod safe_box;
mod settled;
mod site_frame;
mod stance;
mod stay;
mod storey;
mod sweep;
mod watch_index;

pub use crossing::{Crossing, CrossingKind, gate};
pub use gates::{Confirm, Gates};
pub use line::{Direction, Line, LineCrossing};
pub use occupancy::{Lookup, Observation, Occupancy, Presence};
pub use outline::{Height, Outline};
pub use outline_check::{HOLES_MAX, POLYGON_VERTICES_MAX, RING_VERTICES_MAX, RegionError};
pub use position::{Floor, Position};
pub use region::{RANGE_MM, Region};
pub use settled::Settled;
pub use site_frame::{
    CONTROL_POINTS_MAX, ControlPoint, FRAME_RANGE_M, LATITUDE_MAX_DEG, SiteFrame, SiteFrameError,
};
pub use stance::Stance;
pub use watch_index::{WATCHES_MAX, Watch, WatchIndex, WatchIndexError};
