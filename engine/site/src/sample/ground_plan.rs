//! The building's measures: a hall in the middle, wings to the west, east and north.
//!
//! ```text
//!                    north wing
//!                   +----+--+----+ 50 m
//!                   |    |  |    |
//!      18 m +-------+----+  +----+-------+
//!           | rooms |stair|  |lift| rooms |
//!   stair --|-- corridor --- hall --- corridor --|-- stair
//!           | rooms |   lobby     | rooms |
//!       0 m +-------+----= =------+-------+
//!           0      44 m          64 m    108 m
//! ```

/// Width of a bay.
pub(super) const BAY_MM: i32 = 4_000;
/// Axis of the corridors of the west and east wings, and of the hall.
pub(super) const AXIS_Y_MM: i32 = 9_000;
/// Axis of the corridor of the north wing.
pub(super) const AXIS_X_MM: i32 = 54_000;
/// Half the width of a corridor.
pub(super) const CORRIDOR_HALF_MM: i32 = 1_400;
/// South and north walls of the west and east wings.
pub(super) const WING_Y_MM: (i32, i32) = (0, 18_000);
/// West and east walls of the north wing.
pub(super) const WING_X_MM: (i32, i32) = (47_000, 61_000);
/// West and east ends of the hall.
pub(super) const HALL_X_MM: (i32, i32) = (44_000, 64_000);
/// Far ends of the wings.
const FAR_WEST_MM: i32 = 0;
const FAR_EAST_MM: i32 = 108_000;
const FAR_NORTH_MM: i32 = 50_000;
/// Side of an escape stairwell.
const STAIRS_MM: i32 = 5_000;
/// How far outlines of wards and of the building reach past the outer walls. Nobody can walk
/// there, so a noisy position through a window does not look like leaving.
const APRON_MM: i32 = 2_500;

/// An upright rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) west: i32,
    pub(super) south: i32,
    pub(super) east: i32,
    pub(super) north: i32,
}

impl Rect {
    pub(super) const fn new(x: (i32, i32), y: (i32, i32)) -> Rect {
        Rect { west: x.0, south: y.0, east: x.1, north: y.1 }
    }

    /// Counterclockwise from the south-west.
    pub(super) fn corners(self) -> Vec<(i32, i32)> {
        vec![
            (self.west, self.south),
            (self.east, self.south),
            (self.east, self.north),
            (self.west, self.north),
        ]
    }

    pub(super) fn center(self) -> (i32, i32) {
        (i32::midpoint(self.west, self.east), i32::midpoint(self.south, self.north))
    }
}

/// Which wing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    West,
    East,
    North,
}

impl Side {
    pub(super) const ALL: [Side; 3] = [Side::West, Side::East, Side::North];

    /// One letter, for ids.
    pub(super) fn letter(self) -> char {
        match self {
            Side::West => 'w',
            Side::East => 'e',
            Side::North => 'n',
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Side::West => "west",
            Side::East => "east",
            Side::North => "north",
        }
    }

    pub(super) fn is_along_x(self) -> bool {
        self != Side::North
    }

    /// The coordinate along the wing, so many bays from its far end.
    pub(super) fn along_mm(self, bays: i32) -> i32 {
        match self {
            Side::West => FAR_WEST_MM + bays * BAY_MM,
            Side::East => FAR_EAST_MM - bays * BAY_MM,
            Side::North => FAR_NORTH_MM - bays * BAY_MM,
        }
    }

    /// Where the wing meets the hall.
    pub(super) fn near_mm(self) -> i32 {
        match self {
            Side::West => HALL_X_MM.0,
            Side::East => HALL_X_MM.1,
            Side::North => WING_Y_MM.1,
        }
    }

    /// The wing's corridor.
    pub(super) fn corridor(self) -> Rect {
        self.lengthwise(self.along_mm(0), self.near_mm(), self.corridor_walls())
    }

    /// The last bay of the corridor, before the ward's door.
    pub(super) fn exit_area(self) -> Rect {
        let near_mm = self.near_mm();
        let from_mm = if self == Side::West { near_mm - BAY_MM } else { near_mm + BAY_MM };
        self.lengthwise(from_mm, near_mm, self.corridor_walls())
    }

    /// The outline of the ward: past the outer walls, but exact where it meets hall and stairs.
    pub(super) fn ward(self) -> Rect {
        let walls = self.outer_walls();
        let across = (walls.0 - APRON_MM, walls.1 + APRON_MM);
        self.lengthwise(self.along_mm(0), self.near_mm(), across)
    }

    /// A room `bays` wide; the left side is the north, in the north wing the west.
    pub(super) fn room(self, is_left: bool, first_bay: i32, bays: i32) -> Rect {
        let outer = self.outer_walls();
        let corridor = self.corridor_walls();
        let is_high = is_left == self.is_along_x();
        let across = if is_high { (corridor.1, outer.1) } else { (outer.0, corridor.0) };
        self.lengthwise(self.along_mm(first_bay), self.along_mm(first_bay + bays), across)
    }

    /// The wall between corridor and rooms on one side, as the coordinate across the wing.
    pub(super) fn door_wall_mm(self, is_left: bool) -> i32 {
        let walls = self.corridor_walls();
        if is_left == self.is_along_x() { walls.1 } else { walls.0 }
    }

    /// The escape stairwell at the far end.
    pub(super) fn stairs(self) -> Rect {
        let axis_mm = self.axis_mm();
        let across = (axis_mm - STAIRS_MM / 2, axis_mm + STAIRS_MM / 2);
        self.lengthwise(self.along_mm(0), self.stairs_end_mm(), across)
    }

    /// The outer wall of the escape stairwell.
    pub(super) fn stairs_end_mm(self) -> i32 {
        match self {
            Side::West => FAR_WEST_MM - STAIRS_MM,
            Side::East => FAR_EAST_MM + STAIRS_MM,
            Side::North => FAR_NORTH_MM + STAIRS_MM,
        }
    }

    /// The yard outside the escape stairwell, on the ground.
    pub(super) fn yard(self) -> Rect {
        const DEPTH_MM: i32 = 8_000;
        let end_mm = self.stairs_end_mm();
        let far_mm = if self == Side::West { end_mm - DEPTH_MM } else { end_mm + DEPTH_MM };
        let axis_mm = self.axis_mm();
        self.lengthwise(end_mm, far_mm, (axis_mm - 5_000, axis_mm + 5_000))
    }

    /// The corridor's axis, as the coordinate across the wing.
    pub(super) fn axis_mm(self) -> i32 {
        if self.is_along_x() { AXIS_Y_MM } else { AXIS_X_MM }
    }

    /// The point so far along the wing and so far across.
    pub(super) fn point(self, along_mm: i32, across_mm: i32) -> (i32, i32) {
        if self.is_along_x() { (along_mm, across_mm) } else { (across_mm, along_mm) }
    }

    fn outer_walls(self) -> (i32, i32) {
        if self.is_along_x() { WING_Y_MM } else { WING_X_MM }
    }

    fn corridor_walls(self) -> (i32, i32) {
        (self.axis_mm() - CORRIDOR_HALF_MM, self.axis_mm() + CORRIDOR_HALF_MM)
    }

    fn lengthwise(self, from_mm: i32, to_mm: i32, across: (i32, i32)) -> Rect {
        let along = (from_mm.min(to_mm), from_mm.max(to_mm));
        if self.is_along_x() { Rect::new(along, across) } else { Rect::new(across, along) }
    }
}

/// The hall: a bar between the west and east wings and a stem to the north wing,
/// counterclockwise.
pub(super) fn hall() -> Vec<(i32, i32)> {
    let (south, north) = (AXIS_Y_MM - CORRIDOR_HALF_MM, AXIS_Y_MM + CORRIDOR_HALF_MM);
    let (stem_west, stem_east) = (AXIS_X_MM - CORRIDOR_HALF_MM, AXIS_X_MM + CORRIDOR_HALF_MM);
    vec![
        (HALL_X_MM.0, south),
        (HALL_X_MM.1, south),
        (HALL_X_MM.1, north),
        (stem_east, north),
        (stem_east, WING_Y_MM.1),
        (stem_west, WING_Y_MM.1),
        (stem_west, north),
        (HALL_X_MM.0, north),
    ]
}

/// The building with its apron, counterclockwise: the outline of the building's zone, and closed,
/// the perimeter line.
pub(super) fn building() -> Vec<(i32, i32)> {
    let (west, east) =
        (Side::West.stairs_end_mm() - APRON_MM, Side::East.stairs_end_mm() + APRON_MM);
    let (south, shoulder) = (WING_Y_MM.0 - APRON_MM, WING_Y_MM.1 + APRON_MM);
    let north = Side::North.stairs_end_mm() + APRON_MM;
    let (stem_west, stem_east) = (WING_X_MM.0 - APRON_MM, WING_X_MM.1 + APRON_MM);
    vec![
        (west, south),
        (east, south),
        (east, shoulder),
        (stem_east, shoulder),
        (stem_east, north),
        (stem_west, north),
        (stem_west, shoulder),
        (west, shoulder),
    ]
}

/// Everything that may be located on a storey, the grounds included.
pub(super) const PLOT: Rect = Rect::new((-25_000, 133_000), (-25_000, 75_000));
