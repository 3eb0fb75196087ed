//! Draws the storeys: zones, doors and the walkway through them, in one pass.

use std::collections::BTreeMap;

use ach_actors_model::Name;
use ach_geo::{Floor, Outline};

use super::ground_plan::Rect;
use super::{controls, name};
use crate::walkway::{ClassSet, NodeKind, Passage, RoomUse, WalkEdge, WalkNode, Walkway};
use crate::{DoorPlan, FloorPlan, ZoneKind, ZonePlan};

/// The feed of door controllers.
pub(super) const DOOR_FEED: &str = "doors";

/// An area that has been drawn: what later doors and nodes need to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    pub(super) zone: u32,
    pub(super) ward: Option<u32>,
    pub(super) room_use: RoomUse,
    /// The node in its middle.
    pub(super) center: usize,
}

/// A door to draw.
#[derive(Debug)]
pub(super) struct DoorDraft<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) labels: &'a [&'a str],
    pub(super) is_wired: bool,
    pub(super) sill_mm: ((i32, i32), (i32, i32)),
    pub(super) classes: ClassSet,
    /// The area it belongs to.
    pub(super) zone: u32,
    pub(super) ward: Option<u32>,
    pub(super) room_use: RoomUse,
}

/// The middle line of a corridor, with its nodes by their place on it.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) is_along_x: bool,
    pub(super) across_mm: i32,
    pub(super) zone: u32,
    pub(super) ward: Option<u32>,
    nodes: BTreeMap<i32, usize>,
}

impl Axis {
    pub(super) fn new(is_along_x: bool, across_mm: i32, zone: u32, ward: Option<u32>) -> Axis {
        Axis { is_along_x, across_mm, zone, ward, nodes: BTreeMap::new() }
    }

    /// Puts an existing node on the line.
    pub(super) fn put(&mut self, along_mm: i32, node: usize) {
        self.nodes.insert(along_mm, node);
    }
}

/// What has been drawn so far. Zones and doors are numbered as in the site configuration.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) floors: Vec<FloorPlan>,
    pub(super) walkway: Walkway,
    zone_count: u32,
    door_classes: Vec<ClassSet>,
    floor: Floor,
}

impl Draft {
    /// Begins a storey.
    pub(super) fn open_floor(&mut self, id: &str, title: &str, floor: Floor) {
        self.floor = floor;
        self.floors.push(FloorPlan {
            id: name(id),
            name: title.to_owned(),
            floor,
            zones: Vec::new(),
            doors: Vec::new(),
            lines: Vec::new(),
            anchors: Vec::new(),
        });
    }

    /// The storey being drawn.
    pub(super) fn plan(&mut self) -> Option<&mut FloorPlan> {
        self.floors.last_mut()
    }

    /// Draws a zone and returns its number.
    pub(super) fn zone(
        &mut self,
        (id, title): (&str, &str),
        kind: ZoneKind,
        labels: Vec<Name>,
        outer_mm: Vec<(i32, i32)>,
    ) -> u32 {
        let number = self.zone_count;
        self.zone_count += 1;
        let zone = ZonePlan {
            id: name(id),
            name: title.to_owned(),
            kind,
            labels,
            is_on_every_floor: kind == ZoneKind::Building,
            outline: Outline::Polygon { outer_mm, holes_mm: Vec::new() },
            height: None,
            capacity: None,
            motion_feed: None,
            gates: None,
        };
        if let Some(plan) = self.plan() {
            plan.zones.push(zone);
        }
        number
    }

    /// Adds a node on the storey being drawn.
    pub(super) fn node(
        &mut self,
        (x_mm, y_mm): (i32, i32),
        kind: NodeKind,
        zone: u32,
        ward: Option<u32>,
        room_use: RoomUse,
    ) -> usize {
        let floor = self.floor;
        self.walkway.add_node(WalkNode { x_mm, y_mm, floor, zone, ward, kind, room_use })
    }

    /// Draws an upright area with a node in its middle, and further ones at `stays`.
    pub(super) fn area(
        &mut self,
        ids: (&str, &str),
        kind: ZoneKind,
        labels: Vec<Name>,
        rect: Rect,
        (ward, room_use): (Option<u32>, RoomUse),
        stays: &[(i32, i32)],
    ) -> Drawn {
        let zone = self.zone(ids, kind, labels, rect.corners());
        let center = self.node(rect.center(), NodeKind::Stay, zone, ward, room_use);
        for &stay in stays {
            let node = self.node(stay, NodeKind::Stay, zone, ward, room_use);
            self.level_edge(center, node);
        }
        Drawn { zone, ward, room_use, center }
    }

    /// Draws a door with its node and returns the node.
    pub(super) fn door(&mut self, draft: &DoorDraft<'_>) -> usize {
        let number = u32::try_from(self.door_classes.len()).unwrap_or(u32::MAX);
        self.door_classes.push(draft.classes);
        let door = DoorPlan {
            id: name(draft.id),
            name: draft.name.to_owned(),
            labels: draft.labels.iter().map(|label| name(label)).collect(),
            feed: draft.is_wired.then(|| name(DOOR_FEED)),
            control: controls::of(draft).map(name),
            sill_mm: draft.sill_mm,
        };
        if let Some(plan) = self.plan() {
            plan.doors.push(door);
        }
        let ((ax, ay), (bx, by)) = draft.sill_mm;
        let middle = (i32::midpoint(ax, bx), i32::midpoint(ay, by));
        self.node(middle, NodeKind::Door(number), draft.zone, draft.ward, draft.room_use)
    }

    /// The node at a place on a corridor's axis; made where there is none.
    pub(super) fn axis_node(&mut self, axis: &mut Axis, along_mm: i32) -> usize {
        if let Some(&node) = axis.nodes.get(&along_mm) {
            return node;
        }
        let point =
            if axis.is_along_x { (along_mm, axis.across_mm) } else { (axis.across_mm, along_mm) };
        let node = self.node(point, NodeKind::Passing, axis.zone, axis.ward, RoomUse::Corridor);
        axis.nodes.insert(along_mm, node);
        node
    }

    /// Joins the nodes of an axis one to the next.
    pub(super) fn join_axis(&mut self, axis: &Axis) {
        let pairs: Vec<(usize, usize)> =
            axis.nodes.values().copied().zip(axis.nodes.values().copied().skip(1)).collect();
        for (a, b) in pairs {
            self.level_edge(a, b);
        }
    }

    /// Joins two nodes on one floor; a door at either end limits who may walk it.
    pub(super) fn level_edge(&mut self, a: usize, b: usize) {
        let (Some(&start), Some(&end)) = (self.walkway.nodes().get(a), self.walkway.nodes().get(b))
        else {
            return;
        };
        let door = [start.kind, end.kind].into_iter().find_map(|kind| match kind {
            NodeKind::Door(door) => Some(door),
            NodeKind::Stay | NodeKind::Passing => None,
        });
        let classes = door
            .and_then(|door| self.door_classes.get(usize::try_from(door).ok()?).copied())
            .unwrap_or(ClassSet::ALL);
        let (dx, dy) =
            (u64::from(start.x_mm.abs_diff(end.x_mm)), u64::from(start.y_mm.abs_diff(end.y_mm)));
        let length_mm = u32::try_from((dx * dx + dy * dy).isqrt()).unwrap_or(u32::MAX);
        let passage = Passage::Level;
        self.walkway.add_edge(WalkEdge { a, b, length_mm, passage, door, classes });
    }
}
