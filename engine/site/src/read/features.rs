//! Reads the features of a floor: areas, doors, perimeter lines, anchors.

use ach_actors_model::Name;
use ach_geo::{Height, Outline};

use super::FloorOrigins;
use super::floor_file::Crs;
use super::gates_table;
use crate::check::Item;
use crate::finding::FindingKind;
use crate::text::{Fields, Node, Origin, Report, Value};
use crate::{AnchorPlan, DoorPlan, FloorPlan, LinePlan, ZoneKind, ZonePlan};

/// Most points of one geometry that are looked at; `ach-geo` has finer limits for outlines.
const POINTS_MAX: usize = 100_000;

/// What a feature is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Zone(ZoneKind),
    Door,
    Line,
    Anchor,
}

/// The words for kinds.
pub(crate) const KINDS: &[(&str, Kind)] = &[
    ("zone", Kind::Zone(ZoneKind::Zone)),
    ("building", Kind::Zone(ZoneKind::Building)),
    ("floor", Kind::Zone(ZoneKind::Floor)),
    ("ward", Kind::Zone(ZoneKind::Ward)),
    ("room", Kind::Zone(ZoneKind::Room)),
    ("corridor", Kind::Zone(ZoneKind::Corridor)),
    ("stairs", Kind::Zone(ZoneKind::Stairs)),
    ("lift", Kind::Zone(ZoneKind::Lift)),
    ("outdoors", Kind::Zone(ZoneKind::Outdoors)),
    ("door", Kind::Door),
    ("line", Kind::Line),
    ("anchor", Kind::Anchor),
];

/// Reads feature `number` of a file, counted from 1, into the plan.
pub(super) fn read(
    node: &Node,
    number: usize,
    crs: Crs<'_>,
    file: &Origin,
    report: &Report,
    plan: &mut FloorPlan,
    origins: &mut FloorOrigins,
) {
    let place = format!("feature {number}");
    let origin = Origin { place: place.clone(), ..file.clone() };
    let Some(feature) = Fields::new(node, &origin, report) else { return };
    if let Some(kind) = feature.need("type", "\"type\": \"Feature\"") {
        let _ = feature.as_word("type", kind, &[("Feature", ())]);
    }
    let properties = feature.need("properties", "\"properties\": {\"kind\": \"room\"}");
    let geometry = feature.need("geometry", "\"geometry\": {\"type\": \"Polygon\"}");
    // Drawing programs number features; the id that counts is among the properties.
    feature.finish_leniently(|key| matches!(key, "id" | "bbox"));
    let (Some(properties), Some(geometry)) = (properties, geometry) else { return };
    let Some(fields) = Fields::new(properties, &origin, report) else { return };
    let kind = fields.need("kind", "\"kind\": \"room\"");
    let Some(kind) = kind.and_then(|node| fields.as_word("kind", node, KINDS)) else { return };
    let id = fields.id("\"id\": \"icu\"");
    let origin = match &id {
        Some(id) => Origin { place: format!("{place} ({id})"), ..fields.origin.clone() },
        None => fields.origin.clone(),
    };
    let fields = fields.placed(origin.place.clone());
    let Some(shape) = Fields::new(geometry, &origin, report) else { return };
    let shape = Shape { fields: shape, crs };
    // Without an id the rest is read all the same: its mistakes are told too.
    let is_known = id.is_some();
    let Some(id) = id.or_else(Fields::nameless) else { return };
    let thing = match kind {
        Kind::Zone(kind) => Some(Thing::Zone(read_zone(&fields, &shape, kind, id))),
        Kind::Door => Some(Thing::Door(read_door(&fields, &shape, id))),
        Kind::Line => Some(Thing::Line(read_line(&fields, &shape, id))),
        Kind::Anchor => read_anchor(&fields, &shape, id).map(Thing::Anchor),
    };
    fields.finish_leniently(is_foreign);
    if let Some(thing) = thing.filter(|_| is_known) {
        origins.insert(thing.put(plan), origin);
    }
}

/// A feature that was read.
enum Thing {
    Zone(ZonePlan),
    Door(DoorPlan),
    Line(LinePlan),
    Anchor(AnchorPlan),
}

impl Thing {
    /// Puts it into the plan, which is taken as that of floor 0 for now.
    fn put(self, plan: &mut FloorPlan) -> Item {
        match self {
            Thing::Zone(zone) => {
                plan.zones.push(zone);
                Item::Zone(0, plan.zones.len() - 1)
            }
            Thing::Door(door) => {
                plan.doors.push(door);
                Item::Door(0, plan.doors.len() - 1)
            }
            Thing::Line(line) => {
                plan.lines.push(line);
                Item::Line(0, plan.lines.len() - 1)
            }
            Thing::Anchor(anchor) => {
                plan.anchors.push(anchor);
                Item::Anchor(0, plan.anchors.len() - 1)
            }
        }
    }
}

/// Properties of the simple style that viewers understand, and notes of people.
fn is_foreign(key: &str) -> bool {
    key == "note"
        || key == "fill"
        || key == "stroke"
        || key.starts_with("fill-")
        || key.starts_with("stroke-")
        || key.starts_with("marker-")
}

fn read_zone(fields: &Fields<'_>, shape: &Shape<'_>, kind: ZoneKind, id: Name) -> ZonePlan {
    ZonePlan {
        name: fields.display(&id),
        kind,
        labels: fields.names("labels"),
        is_on_every_floor: fields.flag("every_floor"),
        outline: shape.outline(fields),
        height: read_height(fields),
        capacity: read_capacity(fields),
        motion_feed: fields.name("motion_feed"),
        gates: fields.table("gates").map(|gates| gates_table::read(&gates)),
        id,
    }
}

/// A capacity that could not be read still counts as one, so that its rules are not blamed.
fn read_capacity(fields: &Fields<'_>) -> Option<u32> {
    const CAPACITY_MAX: u32 = 1_000_000;
    let _ = fields.get("capacity")?;
    Some(fields.whole("capacity", 0..=CAPACITY_MAX).unwrap_or(CAPACITY_MAX))
}

fn read_height(fields: &Fields<'_>) -> Option<Height> {
    let height = fields.table("height")?;
    let _ = (height.need("low_m", "\"low_m\": 0"), height.need("high_m", "\"high_m\": 2.5"));
    let (low_mm, high_mm) = (height.metres("low_m"), height.metres("high_m"));
    height.finish();
    Some(Height { low_mm: low_mm?, high_mm: high_mm? })
}

fn read_door(fields: &Fields<'_>, shape: &Shape<'_>, id: Name) -> DoorPlan {
    let points = shape.line();
    let sill_mm = match points.as_deref() {
        Some([a, b]) => (*a, *b),
        Some(points) => {
            let problem = format!("the sill has {} points", points.len());
            let remedy = "draw a LineString of two points, the two ends of the sill";
            shape.fields.report.error(
                FindingKind::BadOutline,
                &shape.fields.origin,
                &problem,
                remedy,
            );
            Shape::STAND_IN_SILL
        }
        None => Shape::STAND_IN_SILL,
    };
    DoorPlan {
        name: fields.display(&id),
        labels: fields.names("labels"),
        feed: fields.name("feed"),
        control: fields.name("control"),
        sill_mm,
        id,
    }
}

fn read_line(fields: &Fields<'_>, shape: &Shape<'_>, id: Name) -> LinePlan {
    let (a, b) = Shape::STAND_IN_SILL;
    LinePlan {
        name: fields.display(&id),
        labels: fields.names("labels"),
        points_mm: shape.line().unwrap_or_else(|| vec![a, b]),
        id,
    }
}

fn read_anchor(fields: &Fields<'_>, shape: &Shape<'_>, id: Name) -> Option<AnchorPlan> {
    let feed = fields.need("feed", "\"feed\": \"rtls\"").and_then(|_| fields.name("feed"));
    let anchor = AnchorPlan {
        name: fields.display(&id),
        zones: fields.names("zones"),
        silence_ns: fields.lasting_span("silence"),
        position_mm: shape.point().unwrap_or_default(),
        feed: feed?,
        id,
    };
    Some(anchor)
}

/// A geometry, to be read as what its feature needs.
struct Shape<'a> {
    fields: Fields<'a>,
    crs: Crs<'a>,
}

impl<'a> Shape<'a> {
    /// Taken where a sill or line could not be read, so that its id is still known to rules.
    const STAND_IN_SILL: ((i32, i32), (i32, i32)) = ((0, 0), (1, 0));

    /// The outline of an area: a polygon, or a point with a radius.
    fn outline(&self, properties: &Fields<'_>) -> Outline {
        let stand_in =
            Outline::Polygon { outer_mm: vec![(0, 0), (1, 0), (0, 1)], holes_mm: Vec::new() };
        match self.kind() {
            Some("Point") => {
                let _ = properties.need("radius_m", "\"radius_m\": 2.5");
                let (Some(center_mm), Some(radius_mm)) =
                    (self.point(), properties.length("radius_m"))
                else {
                    return stand_in;
                };
                Outline::Circle { center_mm, radius_mm }
            }
            Some("Polygon") => {
                let rings = self.coordinates().map(|rings| self.rings(rings)).unwrap_or_default();
                let mut rings = rings.into_iter();
                match rings.next() {
                    Some(outer_mm) => Outline::Polygon { outer_mm, holes_mm: rings.collect() },
                    None => stand_in,
                }
            }
            other => {
                self.unfit(other, "a Polygon, or a Point with `radius_m`; one area a feature");
                stand_in
            }
        }
    }

    fn line(&self) -> Option<Vec<(i32, i32)>> {
        match self.kind() {
            Some("LineString") => self.points(self.coordinates()?),
            other => {
                self.unfit(other, "a LineString");
                None
            }
        }
    }

    fn point(&self) -> Option<(i32, i32)> {
        match self.kind() {
            Some("Point") => {
                let node = self.fields.get("coordinates")?;
                self.pair(node)
            }
            other => {
                self.unfit(other, "a Point");
                None
            }
        }
    }

    fn kind(&self) -> Option<&'a str> {
        let node = self.fields.need("type", "\"type\": \"Polygon\"")?;
        self.fields.as_text("type", node)
    }

    fn unfit(&self, kind: Option<&str>, wanted: &str) {
        if let Some(kind) = kind {
            let problem = format!("the geometry is a {}", kind.escape_debug());
            let origin = &self.fields.origin;
            self.fields.report.error(
                FindingKind::BadOutline,
                origin,
                &problem,
                &format!("draw {wanted}"),
            );
        }
    }

    fn coordinates(&self) -> Option<&'a [Node]> {
        let _ = self.fields.need("coordinates", "\"coordinates\": [[0, 0], [1.2, 0]]")?;
        let items = self.fields.list("coordinates");
        if items.is_empty() {
            let origin = &self.fields.origin;
            let remedy = "draw the geometry";
            self.fields.report.error(FindingKind::BadOutline, origin, "it has no points", remedy);
            return None;
        }
        Some(items)
    }

    /// Rings without their closing points.
    fn rings(&self, nodes: &'a [Node]) -> Vec<Vec<(i32, i32)>> {
        let mut rings = Vec::new();
        for node in nodes {
            let Value::List(points) = &node.value else {
                self.fields.bad("coordinates", node, "of a ring are no list", "redraw the outline");
                continue;
            };
            let Some(mut ring) = self.points(points) else { continue };
            if ring.len() > 1 && ring.first() == ring.last() {
                ring.pop();
            } else {
                let problem = "a ring does not end where it begins; it is taken as if it did";
                let remedy = "end each ring with its first point, and see that none is missing";
                let origin = self.fields.origin.at(node.line);
                self.fields.report.warning(FindingKind::BadOutline, &origin, problem, remedy);
            }
            rings.push(ring);
        }
        rings
    }

    /// All points, or `None` where one of them is wrong.
    fn points(&self, nodes: &'a [Node]) -> Option<Vec<(i32, i32)>> {
        if nodes.len() > POINTS_MAX {
            let problem = format!("it has {} points, at most {POINTS_MAX}", nodes.len());
            let origin = &self.fields.origin;
            self.fields.report.error(FindingKind::TooLarge, origin, &problem, "simplify it");
            return None;
        }
        let points: Vec<Option<(i32, i32)>> = nodes.iter().map(|node| self.pair(node)).collect();
        points.into_iter().collect()
    }

    /// A point: two numbers, and a third that is left aside.
    fn pair(&self, node: &Node) -> Option<(i32, i32)> {
        let fields = &self.fields;
        let Value::List(numbers) = &node.value else {
            fields.bad("coordinates", node, "hold something that is no point", "write [x, y]");
            return None;
        };
        let ([x, y] | [x, y, _]) = numbers.as_slice() else {
            let problem = format!("hold a point of {} numbers", numbers.len());
            fields.bad("coordinates", node, &problem, "write [x, y]");
            return None;
        };
        match self.crs {
            Crs::Local => {
                let (x, y) =
                    (fields.as_metres("coordinates", x), fields.as_metres("coordinates", y));
                Some((x?, y?))
            }
            Crs::Globe(frame) => {
                let (lon, lat) =
                    (fields.as_number("coordinates", x), fields.as_number("coordinates", y));
                let (lon, lat) = (lon?, lat?);
                match frame.to_local_mm(lon, lat) {
                    Ok(point) => Some(point),
                    Err(error) => {
                        let problem = format!("cannot be placed: {error}");
                        let remedy = "write [longitude, latitude], near the site";
                        fields.bad("coordinates", node, &problem, remedy);
                        None
                    }
                }
            }
            Crs::Lost => None,
        }
    }
}
