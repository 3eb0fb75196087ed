//! Draws the whole building: storeys with their halls, shafts between them, and the grounds.

use std::collections::BTreeMap;

use ach_actors_model::Name;
use ach_geo::Floor;

use super::draft::{Axis, DoorDraft, Draft, Drawn};
use super::ground_plan::{
    AXIS_X_MM, AXIS_Y_MM, BAY_MM, CORRIDOR_HALF_MM, HALL_X_MM, PLOT, Rect, Side, WING_Y_MM,
    building, hall,
};
use super::storeys::{STOREYS, Storey};
use super::wings::{self, DrawnWing};
use super::{PERIMETER, name};
use crate::walkway::{ClassSet, Passage, RoomUse, WalkEdge};
use crate::{LinePlan, ZoneKind};

/// Stairs take as long as this way on the level: 4 m of height at a third of the speed.
const STAIRS_LENGTH_MM: u32 = 12_000;
/// A lift takes as long as this way, the wait shared out over a few floors.
const LIFT_LENGTH_MM: u32 = 6_000;
/// Width of doors in the hall.
const HALL_DOOR_MM: i32 = 1_400;
/// Width of the main entrance and of the ambulance bay's door.
const ENTRANCE_MM: i32 = 3_000;
/// How far the grounds before an entrance reach; the perimeter line runs through them.
const FORECOURT_MM: i32 = 14_000;

/// The node in a shaft on each storey, by shaft.
type Shafts = BTreeMap<&'static str, Vec<usize>>;

/// Draws everything.
pub(super) fn draw() -> Draft {
    let mut draft = Draft::default();
    let mut shafts = Shafts::new();
    for storey in STOREYS {
        draw_storey(&mut draft, &mut shafts, storey);
    }
    let people = ClassSet::ALL;
    for (shaft, nodes) in &shafts {
        let (passage, length_mm, classes) = match *shaft {
            "lift-1" | "lift-2" => (Passage::Lift, LIFT_LENGTH_MM, people),
            "stairs" => (Passage::Stairs, STAIRS_LENGTH_MM, people),
            _ => (Passage::Stairs, STAIRS_LENGTH_MM, ClassSet::NONE),
        };
        for (&a, &b) in nodes.iter().zip(nodes.iter().skip(1)) {
            draft.walkway.add_edge(WalkEdge { a, b, length_mm, passage, door: None, classes });
        }
    }
    draft
}

fn draw_storey(draft: &mut Draft, shafts: &mut Shafts, storey: &Storey) {
    let level = storey.level;
    draft.open_floor(storey.id, storey.name, Floor(level * 100));
    if level == 0 {
        draft.zone(("building", "Main building"), ZoneKind::Building, Vec::new(), building());
        draw_perimeter(draft);
    }
    let floor_id = format!("floor-{level}");
    draft.zone((&floor_id, storey.name), ZoneKind::Floor, Vec::new(), PLOT.corners());

    let hall_id = format!("{level}-hall");
    let hall_name = format!("Hall, {}", storey.name);
    let hall_zone = draft.zone((&hall_id, &hall_name), ZoneKind::Corridor, Vec::new(), hall());
    let mut bar = Axis::new(true, AXIS_Y_MM, hall_zone, None);
    let mut stem = Axis::new(false, AXIS_X_MM, hall_zone, None);
    let junction = draft.axis_node(&mut bar, AXIS_X_MM);
    stem.put(AXIS_Y_MM, junction);

    let south_rooms = draw_south_rooms(draft, &mut bar, storey);
    draw_shafts(draft, &mut bar, shafts, level);

    let mut known = south_rooms;
    for side in Side::ALL {
        let wing = match side {
            Side::West => &storey.west,
            Side::East => &storey.east,
            Side::North => &storey.north,
        };
        let drawn = wings::draw(draft, level, side, wing);
        let axis = if side.is_along_x() { &mut bar } else { &mut stem };
        axis.put(side.near_mm(), drawn.door);
        let shaft = match side {
            Side::West => "escape-west",
            Side::East => "escape-east",
            Side::North => "escape-north",
        };
        shafts.entry(shaft).or_default().push(drawn.stairs.center);
        if level == 0 {
            draw_yard(draft, side, &drawn);
        }
        known.extend(drawn.known);
    }
    draft.join_axis(&bar);
    draft.join_axis(&stem);
    if level == 0 {
        draw_entrances(draft, &known);
    }
}

/// The rooms south of the hall.
fn draw_south_rooms(
    draft: &mut Draft,
    bar: &mut Axis,
    storey: &Storey,
) -> Vec<(&'static str, Drawn)> {
    let south_wall_mm = AXIS_Y_MM - CORRIDOR_HALF_MM;
    let mut known = Vec::new();
    let mut west_mm = HALL_X_MM.0;
    for (number, row) in (1..).zip(storey.hall) {
        let east_mm = west_mm + row.bays * BAY_MM;
        let rect = Rect::new((west_mm, east_mm), (WING_Y_MM.0, south_wall_mm));
        let prefix = format!("{}h", storey.level);
        let id = row.id.map_or_else(|| format!("{prefix}-{number:02}"), str::to_owned);
        let title = match row.id {
            Some(_) => row.name.to_owned(),
            None => format!("{} {}{number:02}", row.name, prefix.to_uppercase()),
        };
        let room = HallRoom { id: &id, title: &title, kind: ZoneKind::Room, rect };
        let area = draw_hall_room(draft, bar, &room, south_wall_mm, row.room_use);
        known.extend(row.id.map(|id| (id, area)));
        west_mm = east_mm;
    }
    known
}

struct HallRoom<'a> {
    id: &'a str,
    title: &'a str,
    kind: ZoneKind,
    rect: Rect,
}

/// One room at the hall, with its door in the wall it shares with it.
fn draw_hall_room(
    draft: &mut Draft,
    bar: &mut Axis,
    room: &HallRoom<'_>,
    wall_mm: i32,
    room_use: RoomUse,
) -> Drawn {
    let (x_mm, y_mm) = room.rect.center();
    let is_wide = room.rect.east - room.rect.west > 2 * BAY_MM;
    let stays = [(x_mm - BAY_MM, y_mm), (x_mm + BAY_MM, y_mm)];
    let stays: &[(i32, i32)] = if is_wide { &stays } else { &[] };
    let labels: Vec<Name> = match room_use {
        RoomUse::Public => vec![name("public")],
        RoomUse::Staff => vec![name("staff-room")],
        RoomUse::Store => vec![name("store")],
        _ => Vec::new(),
    };
    let place = (None, room_use);
    let area = draft.area((room.id, room.title), room.kind, labels, room.rect, place, stays);
    let is_for_staff = matches!(room_use, RoomUse::Staff | RoomUse::Store);
    let door = draft.door(&DoorDraft {
        id: &format!("door-{}", room.id),
        name: &format!("Door of {}", room.title),
        labels: &["room-door"],
        is_wired: false,
        sill_mm: ((x_mm - HALL_DOOR_MM / 2, wall_mm), (x_mm + HALL_DOOR_MM / 2, wall_mm)),
        classes: if is_for_staff { ClassSet::STAFF } else { ClassSet::ALL },
        zone: area.zone,
        ward: None,
        room_use,
    });
    draft.level_edge(area.center, door);
    let outside = draft.axis_node(bar, x_mm);
    draft.level_edge(door, outside);
    area
}

/// Stairs, toilets, lifts and the cleaners' room north of the hall.
fn draw_shafts(draft: &mut Draft, bar: &mut Axis, shafts: &mut Shafts, level: i16) {
    let north_wall_mm = AXIS_Y_MM + CORRIDOR_HALF_MM;
    let stem = (AXIS_X_MM - CORRIDOR_HALF_MM, AXIS_X_MM + CORRIDOR_HALF_MM);
    let rooms = [
        ("stairs", "Stairs", ZoneKind::Stairs, RoomUse::Stairs, (HALL_X_MM.0, 48_000)),
        ("toilets", "Toilets", ZoneKind::Room, RoomUse::Public, (48_000, stem.0)),
        ("lift-1", "Lift 1", ZoneKind::Lift, RoomUse::Lift, (stem.1, 58_000)),
        ("lift-2", "Lift 2", ZoneKind::Lift, RoomUse::Lift, (58_000, 60_600)),
        ("cleaners", "Cleaners' room", ZoneKind::Room, RoomUse::Store, (60_600, HALL_X_MM.1)),
    ];
    for (word, title, kind, room_use, x) in rooms {
        let id = format!("{level}-{word}");
        let title = format!("{title}, level {level}");
        let rect = Rect::new(x, (north_wall_mm, WING_Y_MM.1));
        let room = HallRoom { id: &id, title: &title, kind, rect };
        let area = draw_hall_room(draft, bar, &room, north_wall_mm, room_use);
        if matches!(room_use, RoomUse::Stairs | RoomUse::Lift) {
            shafts.entry(word).or_default().push(area.center);
        }
    }
}

fn draw_perimeter(draft: &mut Draft) {
    let mut points_mm = building();
    points_mm.extend(points_mm.first().copied());
    if let Some(plan) = draft.plan() {
        plan.lines.push(LinePlan {
            id: name(PERIMETER),
            name: "Perimeter".to_owned(),
            labels: vec![name("perimeter")],
            points_mm,
        });
    }
}

/// The yard outside an escape stairwell and the door to it: fire exits to the west and east, the
/// staff entrance to the north.
fn draw_yard(draft: &mut Draft, side: Side, wing: &DrawnWing) {
    let is_staff_way = side == Side::North;
    let (id, title) = match side {
        Side::West => ("west-yard", "West yard"),
        Side::East => ("east-yard", "East yard"),
        Side::North => ("staff-yard", "Staff yard"),
    };
    let (door_id, door_name) = match side {
        Side::West => ("fire-exit-west", "Fire exit west"),
        Side::East => ("fire-exit-east", "Fire exit east"),
        Side::North => ("staff-entrance", "Staff entrance"),
    };
    let (end_mm, axis_mm) = (side.stairs_end_mm(), side.axis_mm());
    let sill_mm = (
        side.point(end_mm, axis_mm - HALL_DOOR_MM / 2),
        side.point(end_mm, axis_mm + HALL_DOOR_MM / 2),
    );
    let yard = Yard { ids: (id, title), rect: side.yard(), stays: &[] };
    let door = OuterDoor {
        ids: (door_id, door_name),
        labels: if is_staff_way { &["exit", "entrance"] } else { &["exit", "fire-exit"] },
        sill_mm,
        classes: if is_staff_way { ClassSet::STAFF } else { ClassSet::NONE },
    };
    draw_way_out(draft, &yard, &door, wing.stairs);
}

/// The main entrance and the ambulance bay.
fn draw_entrances(draft: &mut Draft, known: &[(&'static str, Drawn)]) {
    let plans = [
        ("lobby", "main-entrance", "Main entrance", "forecourt", "Forecourt", AXIS_X_MM, 8_000),
        (
            "ambulance-hall",
            "ambulance-entrance",
            "Ambulance entrance",
            "ambulance-bay",
            "Ambulance bay",
            10_000,
            6_000,
        ),
    ];
    for (room, door_id, door_name, yard_id, yard_name, x_mm, half_mm) in plans {
        let Some((_, inside)) = known.iter().find(|(id, _)| *id == room) else { continue };
        let wall_mm = WING_Y_MM.0;
        let rect = Rect::new((x_mm - half_mm, x_mm + half_mm), (wall_mm - FORECOURT_MM, wall_mm));
        let far = [(x_mm, wall_mm - FORECOURT_MM + 1_000)];
        let yard = Yard { ids: (yard_id, yard_name), rect, stays: &far };
        let door = OuterDoor {
            ids: (door_id, door_name),
            labels: &["exit", "entrance"],
            sill_mm: ((x_mm - ENTRANCE_MM / 2, wall_mm), (x_mm + ENTRANCE_MM / 2, wall_mm)),
            classes: ClassSet::ALL,
        };
        draw_way_out(draft, &yard, &door, *inside);
    }
}

struct Yard<'a> {
    ids: (&'a str, &'a str),
    rect: Rect,
    stays: &'a [(i32, i32)],
}

struct OuterDoor<'a> {
    ids: (&'a str, &'a str),
    labels: &'a [&'a str],
    sill_mm: ((i32, i32), (i32, i32)),
    classes: ClassSet,
}

fn draw_way_out(draft: &mut Draft, yard: &Yard<'_>, door: &OuterDoor<'_>, inside: Drawn) {
    let place = (None, RoomUse::Outdoors);
    let labels = vec![name("grounds")];
    let outside = draft.area(yard.ids, ZoneKind::Outdoors, labels, yard.rect, place, yard.stays);
    let node = draft.door(&DoorDraft {
        id: door.ids.0,
        name: door.ids.1,
        labels: door.labels,
        is_wired: true,
        sill_mm: door.sill_mm,
        classes: door.classes,
        zone: inside.zone,
        ward: inside.ward,
        room_use: inside.room_use,
    });
    draft.level_edge(inside.center, node);
    draft.level_edge(node, outside.center);
}
