//! Where one can walk: a graph of points joined by straight, walkable stretches.
//!
//! Every edge lies in one area (room, corridor, stairwell, grounds) and meets a wall only at its
//! own end, a door node, which is the middle of the door's sill. Edges between floors run in
//! stairwells and lifts, at one place of the plan.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ach_actors_model::SubjectClass;
use ach_geo::{Floor, Position};

/// What a place is used for; tells who has business there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomUse {
    /// A patients' room.
    Bed,
    /// A day room or waiting room.
    Lounge,
    /// A treatment room.
    Care,
    /// For staff alone.
    Staff,
    /// A store of equipment or supplies; for staff alone.
    Store,
    /// A place for everybody: lobby, cafeteria.
    Public,
    /// A corridor or hall.
    Corridor,
    /// A stairwell everybody may use.
    Stairs,
    /// A lift.
    Lift,
    /// A stairwell for escape.
    Escape,
    /// Under the open sky.
    Outdoors,
}

/// A set of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClassSet(u8);

impl ClassSet {
    /// Nobody.
    pub const NONE: ClassSet = ClassSet(0);
    /// Everybody.
    pub const ALL: ClassSet = ClassSet(0b1111);
    /// Staff, and things they push.
    pub const STAFF: ClassSet = ClassSet::NONE.with(SubjectClass::Staff).with(SubjectClass::Asset);
    /// Staff, things, and visitors.
    pub const STAFF_AND_VISITORS: ClassSet = ClassSet::STAFF.with(SubjectClass::Visitor);

    /// The set with one class more.
    #[must_use]
    pub const fn with(self, class: SubjectClass) -> ClassSet {
        ClassSet(self.0 | ClassSet::bit(class))
    }

    /// Whether a class is in it.
    pub const fn contains(self, class: SubjectClass) -> bool {
        self.0 & ClassSet::bit(class) != 0
    }

    const fn bit(class: SubjectClass) -> u8 {
        match class {
            SubjectClass::Patient => 1,
            SubjectClass::Staff => 2,
            SubjectClass::Visitor => 4,
            SubjectClass::Asset => 8,
        }
    }
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// The middle of a room, or another place in it where one stays.
    Stay,
    /// A point one only passes.
    Passing,
    /// The middle of a door's sill; the door's index in the site configuration.
    Door(u32),
}

/// A point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WalkNode {
    /// Millimetres east.
    pub x_mm: i32,
    /// Millimetres north.
    pub y_mm: i32,
    /// The storey.
    pub floor: Floor,
    /// Index of the room, corridor or grounds in the site configuration; of the one the door
    /// belongs to, for a door.
    pub zone: u32,
    /// Index of the ward's zone, if it lies in one.
    pub ward: Option<u32>,
    /// What it is.
    pub kind: NodeKind,
    /// What the place is used for.
    pub room_use: RoomUse,
}

impl WalkNode {
    /// As a position of known floor.
    pub fn position(&self) -> Position {
        Position { x_mm: self.x_mm, y_mm: self.y_mm, z_mm: None, floor: Some(self.floor) }
    }
}

/// How a stretch is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Passage {
    /// On foot, on one floor.
    Level,
    /// By stairs to the next floor.
    Stairs,
    /// By lift to the next floor.
    Lift,
}

/// A straight stretch between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WalkEdge {
    /// One end.
    pub a: usize,
    /// The other.
    pub b: usize,
    /// Its length; for stairs and lifts the length that takes as long at walking speed.
    pub length_mm: u32,
    /// How it is walked.
    pub passage: Passage,
    /// The door at one of its ends, by index in the site configuration.
    pub door: Option<u32>,
    /// Who may walk it of right.
    pub classes: ClassSet,
}

/// The graph.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Walkway {
    nodes: Vec<WalkNode>,
    edges: Vec<WalkEdge>,
    /// Edges of each node, ascending.
    edges_by_node: Vec<Vec<usize>>,
}

impl Walkway {
    /// All nodes; a node's number is its index.
    pub fn nodes(&self) -> &[WalkNode] {
        &self.nodes
    }

    /// All edges.
    pub fn edges(&self) -> &[WalkEdge] {
        &self.edges
    }

    /// The edges at a node, each with the node at its other end; none for an unknown node.
    pub fn edges_at(&self, node: usize) -> impl Iterator<Item = (&WalkEdge, usize)> {
        let numbers = self.edges_by_node.get(node).map_or(&[][..], Vec::as_slice);
        numbers
            .iter()
            .filter_map(|&number| self.edges.get(number))
            .map(move |edge| (edge, if edge.a == node { edge.b } else { edge.a }))
    }

    /// The shortest way over allowed edges, both ends included; `None` where there is none.
    ///
    /// Deterministic: of ways of one length, the one found first in the order of node numbers.
    pub fn route(
        &self,
        from: usize,
        to: usize,
        allowed: impl Fn(&WalkEdge) -> bool,
    ) -> Option<Vec<usize>> {
        let mut best_mm = vec![u64::MAX; self.nodes.len()];
        let mut came_from = vec![usize::MAX; self.nodes.len()];
        *best_mm.get_mut(from)? = 0;
        self.nodes.get(to)?;
        let mut open = BinaryHeap::from([Reverse((0_u64, from))]);
        while let Some(Reverse((walked_mm, node))) = open.pop() {
            if node == to {
                return Some(Walkway::way_back(&came_from, from, to));
            }
            if best_mm.get(node).is_none_or(|&best| walked_mm > best) {
                continue;
            }
            for (edge, next) in self.edges_at(node) {
                let there_mm = walked_mm + u64::from(edge.length_mm);
                let Some(best) = best_mm.get_mut(next) else { continue };
                if there_mm < *best && allowed(edge) {
                    *best = there_mm;
                    if let Some(origin) = came_from.get_mut(next) {
                        *origin = node;
                    }
                    open.push(Reverse((there_mm, next)));
                }
            }
        }
        None
    }

    fn way_back(came_from: &[usize], from: usize, to: usize) -> Vec<usize> {
        let mut way = vec![to];
        let mut node = to;
        while node != from
            && let Some(&previous) = came_from.get(node)
        {
            way.push(previous);
            node = previous;
        }
        way.reverse();
        way
    }

    /// Length of a way, counting only steps that are edges.
    pub fn length_mm(&self, way: &[usize]) -> u64 {
        way.windows(2)
            .filter_map(|step| match step {
                [from, to] => self.edges_at(*from).find(|(_, next)| next == to),
                _ => None,
            })
            .map(|(edge, _)| u64::from(edge.length_mm))
            .sum()
    }

    /// The places a member of a class may choose to go to without breaking a rule of the sample
    /// hospital: `ward` is where a patient lives, staff work, a visitor visits or a thing belongs.
    ///
    /// A door or a point one only passes is never among them.
    pub fn targets(&self, class: SubjectClass, ward: Option<u32>) -> Vec<usize> {
        let is_target = |node: &WalkNode| {
            if node.kind != NodeKind::Stay {
                return false;
            }
            let is_at_home = ward.is_some() && node.ward == ward;
            match class {
                SubjectClass::Patient => {
                    is_at_home && matches!(node.room_use, RoomUse::Bed | RoomUse::Lounge)
                }
                SubjectClass::Visitor => {
                    is_at_home && matches!(node.room_use, RoomUse::Bed | RoomUse::Lounge)
                        || node.ward.is_none() && node.room_use == RoomUse::Public
                }
                SubjectClass::Staff => {
                    let is_indoors = !matches!(
                        node.room_use,
                        RoomUse::Corridor
                            | RoomUse::Stairs
                            | RoomUse::Lift
                            | RoomUse::Escape
                            | RoomUse::Outdoors
                    );
                    is_indoors && (is_at_home || node.ward.is_none())
                }
                SubjectClass::Asset => {
                    is_at_home
                        && matches!(node.room_use, RoomUse::Bed | RoomUse::Care | RoomUse::Store)
                }
            }
        };
        let numbered = self.nodes.iter().enumerate();
        numbered.filter(|(_, node)| is_target(node)).map(|(number, _)| number).collect()
    }

    /// The node of a door.
    pub fn door_node(&self, door: u32) -> Option<usize> {
        self.nodes.iter().position(|node| node.kind == NodeKind::Door(door))
    }

    /// Adds a node and returns its number.
    pub(crate) fn add_node(&mut self, node: WalkNode) -> usize {
        self.nodes.push(node);
        self.edges_by_node.push(Vec::new());
        self.nodes.len() - 1
    }

    /// Joins two nodes.
    pub(crate) fn add_edge(&mut self, edge: WalkEdge) {
        for end in [edge.a, edge.b] {
            if let Some(numbers) = self.edges_by_node.get_mut(end) {
                numbers.push(self.edges.len());
            }
        }
        self.edges.push(edge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(x_mm: i32) -> WalkNode {
        WalkNode {
            x_mm,
            y_mm: 0,
            floor: Floor(0),
            zone: 0,
            ward: None,
            kind: NodeKind::Stay,
            room_use: RoomUse::Public,
        }
    }

    /// A square a-b-c-d with a direct but long edge a-c for staff alone.
    fn square() -> Walkway {
        let mut walkway = Walkway::default();
        for x_mm in 0..5 {
            walkway.add_node(node(x_mm));
        }
        let mut join = |a, b, length_mm, classes| {
            let passage = Passage::Level;
            walkway.add_edge(WalkEdge { a, b, length_mm, passage, door: None, classes });
        };
        join(0, 1, 10, ClassSet::ALL);
        join(1, 2, 10, ClassSet::STAFF);
        join(2, 3, 10, ClassSet::ALL);
        join(3, 0, 30, ClassSet::ALL);
        walkway
    }

    #[track_caller]
    fn check(from: usize, to: usize, class: SubjectClass, expected: Option<&[usize]>) {
        let way = square().route(from, to, |edge| edge.classes.contains(class));
        assert_eq!(way.as_deref(), expected);
    }

    #[test]
    fn the_shortest_allowed_way_is_found() {
        check(0, 2, SubjectClass::Staff, Some(&[0, 1, 2]));
        check(0, 2, SubjectClass::Visitor, Some(&[0, 3, 2]));
        check(0, 0, SubjectClass::Visitor, Some(&[0]));
        check(0, 4, SubjectClass::Staff, None);
        check(0, 99, SubjectClass::Staff, None);
        check(99, 0, SubjectClass::Staff, None);
    }

    #[test]
    fn a_way_has_the_length_of_its_edges() {
        assert_eq!(square().length_mm(&[0, 3, 2]), 40);
        assert_eq!(square().length_mm(&[0]), 0);
    }
}
