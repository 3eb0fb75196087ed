//! Writes one floor as `GeoJSON` in metres, one feature a line, so that a change shows as one line.

use ach_actors_model::Name;
use ach_geo::{Confirm, Gates, Outline};
use serde_json::{Map, Value, json};

use crate::read::KINDS;
use crate::text::span_text;
use crate::{AnchorPlan, DoorPlan, FloorPlan, LinePlan, ZoneKind, ZonePlan};

pub(super) fn floor(plan: &FloorPlan) -> String {
    let zones = plan.zones.iter().map(zone_feature);
    let doors = plan.doors.iter().map(door_feature);
    let lines = plan.lines.iter().map(line_feature);
    let anchors = plan.anchors.iter().map(anchor_feature);
    let features: Vec<String> =
        zones.chain(doors).chain(lines).chain(anchors).map(|feature| feature.to_string()).collect();
    let name = Value::from(plan.name.as_str());
    let floor = decimal(i64::from(plan.floor.0) * 10);
    format!(
        "{{\n\"type\": \"FeatureCollection\",\n\"name\": {name},\n\"floor\": {floor},\n\
         \"crs\": \"local\",\n\"features\": [\n{}\n]\n}}\n",
        features.join(",\n")
    )
}

fn zone_feature(zone: &ZonePlan) -> Value {
    let mut properties = properties(&zone.id, &zone.name, zone_word(zone.kind), &zone.labels);
    if zone.is_on_every_floor {
        properties.insert("every_floor".to_owned(), true.into());
    }
    if let Some(height) = zone.height {
        let (low, high) = (i64::from(height.low_mm), i64::from(height.high_mm));
        properties
            .insert("height".to_owned(), json!({ "low_m": decimal(low), "high_m": decimal(high) }));
    }
    if let Some(feed) = &zone.motion_feed {
        properties.insert("motion_feed".to_owned(), feed.as_str().into());
    }
    if let Some(capacity) = zone.capacity {
        properties.insert("capacity".to_owned(), capacity.into());
    }
    if let Some(gates) = &zone.gates {
        properties.insert("gates".to_owned(), gates_object(gates));
    }
    let geometry = match &zone.outline {
        Outline::Polygon { outer_mm, holes_mm } => {
            let rings: Vec<Value> =
                std::iter::once(outer_mm).chain(holes_mm).map(|ring| closed_ring(ring)).collect();
            json!({ "type": "Polygon", "coordinates": rings })
        }
        Outline::Circle { center_mm, radius_mm } => {
            properties.insert("radius_m".to_owned(), decimal(i64::from(*radius_mm)));
            json!({ "type": "Point", "coordinates": point(*center_mm) })
        }
    };
    feature(properties, geometry)
}

fn door_feature(door: &DoorPlan) -> Value {
    let mut properties = properties(&door.id, &door.name, "door", &door.labels);
    if let Some(feed) = &door.feed {
        properties.insert("feed".to_owned(), feed.as_str().into());
    }
    if let Some(control) = &door.control {
        properties.insert("control".to_owned(), control.as_str().into());
    }
    let (a, b) = door.sill_mm;
    let geometry = json!({ "type": "LineString", "coordinates": [point(a), point(b)] });
    feature(properties, geometry)
}

fn line_feature(line: &LinePlan) -> Value {
    let properties = properties(&line.id, &line.name, "line", &line.labels);
    let points: Vec<Value> = line.points_mm.iter().map(|&p| point(p)).collect();
    feature(properties, json!({ "type": "LineString", "coordinates": points }))
}

fn anchor_feature(anchor: &AnchorPlan) -> Value {
    let mut properties = properties(&anchor.id, &anchor.name, "anchor", &[]);
    properties.insert("feed".to_owned(), anchor.feed.as_str().into());
    let zones: Vec<&str> = anchor.zones.iter().map(Name::as_str).collect();
    if !zones.is_empty() {
        properties.insert("zones".to_owned(), zones.into());
    }
    if let Some(ns) = anchor.silence_ns {
        properties.insert("silence".to_owned(), span_text(ns).into());
    }
    feature(properties, json!({ "type": "Point", "coordinates": point(anchor.position_mm) }))
}

fn properties(id: &Name, name: &str, kind: &str, labels: &[Name]) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("kind".to_owned(), kind.into());
    properties.insert("id".to_owned(), id.as_str().into());
    properties.insert("name".to_owned(), name.into());
    if !labels.is_empty() {
        let labels: Vec<&str> = labels.iter().map(Name::as_str).collect();
        properties.insert("labels".to_owned(), labels.into());
    }
    properties
}

fn feature(properties: Map<String, Value>, geometry: Value) -> Value {
    let mut feature = Map::new();
    feature.insert("type".to_owned(), "Feature".into());
    feature.insert("properties".to_owned(), Value::Object(properties));
    feature.insert("geometry".to_owned(), geometry);
    Value::Object(feature)
}

fn gates_object(gates: &Gates) -> Value {
    let mut fields = Map::new();
    for (key, mm) in
        [("entry_margin_m", gates.entry_margin_mm), ("exit_tolerance_m", gates.exit_tolerance_mm)]
    {
        if mm > 0 {
            fields.insert(key.to_owned(), decimal(i64::from(mm)));
        }
    }
    let exit_delay_ns = (gates.exit_delay_ns > 0).then_some(gates.exit_delay_ns);
    for (key, ns) in [
        ("tolerance_timeout", gates.tolerance_timeout_ns),
        ("exit_delay", exit_delay_ns),
        ("fence_timeout", gates.fence_timeout_ns),
        ("dwell", gates.dwell_ns),
    ] {
        if let Some(ns) = ns {
            fields.insert(key.to_owned(), span_text(ns).into());
        }
    }
    let Confirm { needed, of } = gates.confirm;
    if gates.confirm != Confirm::default() {
        fields.insert("confirm".to_owned(), format!("{needed} of {of}").into());
    }
    if gates.error_circle {
        fields.insert("error_circle".to_owned(), true.into());
    }
    Value::Object(fields)
}

fn closed_ring(ring: &[(i32, i32)]) -> Value {
    ring.iter().chain(ring.first()).map(|&p| point(p)).collect()
}

fn point((x_mm, y_mm): (i32, i32)) -> Value {
    Value::Array(vec![decimal(i64::from(x_mm)), decimal(i64::from(y_mm))])
}

/// Thousandths as a decimal number. The nearest `f64` is written with the fewest digits, which
/// are the three decimals it was made from.
fn decimal(thousandths: i64) -> Value {
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "millimetres in i32 are far below 2^53"
    )]
    let number = thousandths as f64 / 1_000.0;
    Value::from(number)
}

fn zone_word(kind: ZoneKind) -> &'static str {
    let is_kind = |known: &crate::read::Kind| match known {
        crate::read::Kind::Zone(known) => *known == kind,
        _ => false,
    };
    KINDS.iter().find(|(_, known)| is_kind(known)).map_or("zone", |(word, _)| word)
}
