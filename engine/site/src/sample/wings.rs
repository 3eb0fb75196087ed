//! Draws one wing of a storey: ward, corridor, rooms, stairwell and all their doors.

use ach_actors_model::Name;

use super::draft::{Axis, DoorDraft, Draft, Drawn};
use super::ground_plan::Side;
use super::name;
use super::storeys::{Access, Row, Wing};
use crate::walkway::{ClassSet, RoomUse};
use crate::{AnchorPlan, ZoneKind};

/// Clear width of a room's door.
const DOOR_MM: i32 = 1_200;
/// Clear width of the door of a wide room, a ward or a stairwell: a bed passes.
const WIDE_DOOR_MM: i32 = 1_800;

/// What the rest of the storey needs to know of a wing.
#[derive(Debug)]
pub(super) struct DrawnWing {
    /// The ward's door.
    pub(super) door: usize,
    /// The escape stairwell.
    pub(super) stairs: Drawn,
    /// Rooms that have a stable id.
    pub(super) known: Vec<(&'static str, Drawn)>,
}

/// Draws a wing.
pub(super) fn draw(draft: &mut Draft, level: i16, side: Side, wing: &Wing) -> DrawnWing {
    let mut labels: Vec<Name> = wing.labels.iter().map(|label| name(label)).collect();
    labels.push(name("ward"));
    let ward_outline = side.ward().corners();
    let ward_zone = draft.zone((wing.id, wing.name), ZoneKind::Ward, labels, ward_outline);
    // Offices and the cafeteria are nobody's ward: everybody may go there.
    let ward = (!wing.labels.contains(&"public")).then_some(ward_zone);

    let prefix = format!("{level}{}", side.letter());
    let corridor = draft.zone(
        (&format!("{prefix}-corridor"), &format!("Corridor, {}", wing.name)),
        ZoneKind::Corridor,
        Vec::new(),
        side.corridor().corners(),
    );
    if wing.id == "dementia-ward" {
        let outline = side.exit_area().corners();
        let ids = ("dementia-exit", "Before the dementia ward's door");
        draft.zone(ids, ZoneKind::Zone, Vec::new(), outline);
    }
    let mut axis = Axis::new(side.is_along_x(), side.axis_mm(), corridor, ward);
    let door = ward_door(draft, side, wing, corridor, ward);
    axis.put(side.near_mm(), door);

    let mut known = Vec::new();
    let mut number = 0;
    for (rows, is_left) in [(wing.left, true), (wing.right, false)] {
        let mut bay = 0;
        for row in rows {
            for _ in 0..row.count {
                number += 1;
                let place = RoomPlace { side, is_left, bay, prefix: &prefix, number, ward };
                let room = draw_room(draft, &mut axis, &place, row);
                known.extend(row.id.map(|id| (id, room)));
                bay += row.bays;
            }
        }
    }
    let stairs = escape(draft, &mut axis, level, side);
    draft.join_axis(&axis);
    anchor(draft, &prefix, side, wing);
    DrawnWing { door, stairs, known }
}

struct RoomPlace<'a> {
    side: Side,
    is_left: bool,
    bay: i32,
    prefix: &'a str,
    number: u32,
    ward: Option<u32>,
}

fn draw_room(draft: &mut Draft, axis: &mut Axis, place: &RoomPlace<'_>, row: &Row) -> Drawn {
    let RoomPlace { side, is_left, bay, prefix, number, ward } = *place;
    let id = row.id.map_or_else(|| format!("{prefix}-{number:02}"), str::to_owned);
    let title = match row.id {
        Some(_) => row.name.to_owned(),
        None => format!("{} {}{number:02}", row.name, prefix.to_uppercase()),
    };
    let rect = side.room(is_left, bay, row.bays);
    let area = draft.area(
        (&id, &title),
        ZoneKind::Room,
        room_labels(row.room_use),
        rect,
        (ward, row.room_use),
        &stays(side, is_left, bay, row.bays),
    );
    let wall_mm = side.door_wall_mm(is_left);
    let (x_mm, y_mm) = rect.center();
    let along_mm = if side.is_along_x() { x_mm } else { y_mm };
    let half_mm = if row.bays > 1 { WIDE_DOOR_MM / 2 } else { DOOR_MM / 2 };
    let is_controlled = matches!(row.id, Some("drug-store" | "equipment-store"));
    let is_for_staff = matches!(row.room_use, RoomUse::Staff | RoomUse::Store);
    let labels: &[&str] = if is_controlled { &["room-door", "controlled"] } else { &["room-door"] };
    let door = draft.door(&DoorDraft {
        id: &format!("door-{id}"),
        name: &format!("Door of {title}"),
        labels,
        is_wired: is_controlled,
        sill_mm: (side.point(along_mm - half_mm, wall_mm), side.point(along_mm + half_mm, wall_mm)),
        classes: if is_for_staff { ClassSet::STAFF } else { ClassSet::ALL },
        zone: area.zone,
        ward,
        room_use: row.room_use,
    });
    draft.level_edge(area.center, door);
    let outside = draft.axis_node(axis, along_mm);
    draft.level_edge(door, outside);
    area
}

/// Two places a bay, two thirds into the room.
fn stays(side: Side, is_left: bool, first_bay: i32, bays: i32) -> Vec<(i32, i32)> {
    const ASIDE_MM: i32 = 1_100;
    let mut places = Vec::new();
    for bay in first_bay..first_bay + bays {
        let rect = side.room(is_left, bay, 1);
        let (x_mm, y_mm) = rect.center();
        let depth_mm =
            if side.is_along_x() { rect.north - rect.south } else { rect.east - rect.west };
        let is_high = is_left == side.is_along_x();
        let deeper_mm = if is_high { depth_mm / 6 } else { -depth_mm / 6 };
        for aside_mm in [-ASIDE_MM, ASIDE_MM] {
            places.push(if side.is_along_x() {
                (x_mm + aside_mm, y_mm + deeper_mm)
            } else {
                (x_mm + deeper_mm, y_mm + aside_mm)
            });
        }
    }
    places
}

fn room_labels(room_use: RoomUse) -> Vec<Name> {
    let label = match room_use {
        RoomUse::Bed => "bed-room",
        RoomUse::Lounge => "lounge",
        RoomUse::Care => "treatment",
        RoomUse::Staff => "staff-room",
        RoomUse::Store => "store",
        RoomUse::Public => "public",
        RoomUse::Corridor
        | RoomUse::Stairs
        | RoomUse::Lift
        | RoomUse::Escape
        | RoomUse::Outdoors => return Vec::new(),
    };
    vec![name(label)]
}

/// The door between the hall and the wing.
fn ward_door(
    draft: &mut Draft,
    side: Side,
    wing: &Wing,
    corridor: u32,
    ward: Option<u32>,
) -> usize {
    let (labels, classes): (&[&str], ClassSet) = match wing.access {
        Access::Open => (&["ward-door"], ClassSet::ALL),
        Access::Secured => (&["ward-door", "secured-door"], ClassSet::STAFF_AND_VISITORS),
        Access::Closed => (&["ward-door", "secured-door"], ClassSet::STAFF),
    };
    let (near_mm, axis_mm) = (side.near_mm(), side.axis_mm());
    draft.door(&DoorDraft {
        id: &format!("door-{}", wing.id),
        name: &format!("Door of {}", wing.name),
        labels,
        is_wired: true,
        sill_mm: (
            side.point(near_mm, axis_mm - WIDE_DOOR_MM / 2),
            side.point(near_mm, axis_mm + WIDE_DOOR_MM / 2),
        ),
        classes,
        zone: corridor,
        ward,
        room_use: RoomUse::Corridor,
    })
}

/// The escape stairwell at the far end, with its door to the corridor. On the ground floor of the
/// north wing it is the staff's way in.
fn escape(draft: &mut Draft, axis: &mut Axis, level: i16, side: Side) -> Drawn {
    let is_staff_way = level == 0 && side == Side::North;
    let prefix = format!("{level}{}", side.letter());
    let area = draft.area(
        (&format!("{prefix}-stairs"), &format!("Escape stairs {}, level {level}", side.word())),
        ZoneKind::Stairs,
        Vec::new(),
        side.stairs(),
        (None, RoomUse::Escape),
        &[],
    );
    let (far_mm, axis_mm) = (side.along_mm(0), side.axis_mm());
    let door = draft.door(&DoorDraft {
        id: &format!("escape-{prefix}"),
        name: &format!("Escape door {}, level {level}", side.word()),
        labels: if is_staff_way { &["escape"] } else { &["escape", "secured-door"] },
        is_wired: true,
        sill_mm: (
            side.point(far_mm, axis_mm - WIDE_DOOR_MM / 2),
            side.point(far_mm, axis_mm + WIDE_DOOR_MM / 2),
        ),
        classes: if is_staff_way { ClassSet::STAFF } else { ClassSet::NONE },
        zone: area.zone,
        ward: None,
        room_use: RoomUse::Escape,
    });
    draft.level_edge(area.center, door);
    axis.put(far_mm, door);
    area
}

/// One anchor above the middle of the corridor, without which the ward is blind.
fn anchor(draft: &mut Draft, prefix: &str, side: Side, wing: &Wing) {
    let position_mm = side.corridor().center();
    if let Some(plan) = draft.plan() {
        plan.anchors.push(AnchorPlan {
            id: name(&format!("anchor-{prefix}")),
            name: format!("Anchor of {}", wing.name),
            feed: name(super::TAG_FEED),
            zones: vec![name(wing.id)],
            silence_ns: None,
            position_mm,
        });
    }
}
