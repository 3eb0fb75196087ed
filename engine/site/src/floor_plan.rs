//! One storey: its zones, doors, perimeter lines and anchors.

use ach_actors_model::Name;
use ach_geo::{Floor, Gates, Height, Outline};
use serde::{Deserialize, Serialize};

/// One file of `floors/`.
#[derive(Debug, Clone, PartialEq)]
pub struct FloorPlan {
    /// The file's name without `.geojson`.
    pub id: Name,
    /// What people call the storey.
    pub name: String,
    /// Its number.
    pub floor: Floor,
    /// Its areas, in the order of the file.
    pub zones: Vec<ZonePlan>,
    /// Its doors.
    pub doors: Vec<DoorPlan>,
    /// Its perimeter lines.
    pub lines: Vec<LinePlan>,
    /// Its anchors.
    pub anchors: Vec<AnchorPlan>,
}

/// What an area is. All become zones; the word is for drawing and for the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneKind {
    /// A building, usually on every floor.
    Building,
    /// All that may be located on a storey, its grounds included.
    Floor,
    /// A ward or department.
    Ward,
    /// A room.
    Room,
    /// A corridor or hall.
    Corridor,
    /// A stairwell.
    Stairs,
    /// A lift shaft.
    Lift,
    /// An area under the open sky.
    Outdoors,
    /// Any other area.
    Zone,
}

/// An area.
#[derive(Debug, Clone, PartialEq)]
pub struct ZonePlan {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: ZoneKind,
    /// Words rules select it by.
    pub labels: Vec<Name>,
    /// Whether it reaches through all storeys.
    pub is_on_every_floor: bool,
    /// Its outline in local millimetres.
    pub outline: Outline,
    /// Its range of heights.
    pub height: Option<Height>,
    /// How many subjects it may hold.
    pub capacity: Option<u32>,
    /// The feed that tells what moves in it, if one does.
    pub motion_feed: Option<Name>,
    /// Its gates; `None` takes those of the site.
    pub gates: Option<Gates>,
}

/// A door.
#[derive(Debug, Clone, PartialEq)]
pub struct DoorPlan {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub name: String,
    /// Words rules select it by.
    pub labels: Vec<Name>,
    /// The feed that reports it, if it is wired.
    pub feed: Option<Name>,
    /// How it is moved, if the node moves it: the name of a way of the site.
    pub control: Option<Name>,
    /// The two ends of its sill.
    pub sill_mm: ((i32, i32), (i32, i32)),
}

/// A perimeter line; inside is on the left when going from the first point to the last.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePlan {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub name: String,
    /// Words rules select it by.
    pub labels: Vec<Name>,
    /// Its points.
    pub points_mm: Vec<(i32, i32)>,
}

/// An anchor of a locating system.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchorPlan {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub name: String,
    /// The feed it belongs to.
    pub feed: Name,
    /// The zones that are blind without it.
    pub zones: Vec<Name>,
    /// How long it may go without a sign of life.
    pub silence_ns: Option<u64>,
    /// Where it hangs.
    pub position_mm: (i32, i32),
}
