//! Reads `floors/*.geojson`.

use std::path::Path;
use std::sync::Arc;

use ach_actors_model::Name;
use ach_geo::{Floor, SiteFrame};

use super::FloorOrigins;
use super::features;
use crate::finding::FindingKind;
use crate::text::{Fields, Node, Origin, Report, parse_json, read_text};
use crate::{FloorPlan, Georeference};

/// Most features of a floor. A large hospital storey has about a thousand rooms and doors.
pub(crate) const FEATURES_MAX: usize = 100_000;

/// How coordinates on the globe become local.
#[derive(Debug)]
pub(super) struct Frame(Option<SiteFrame>);

impl Frame {
    /// The frame of a site; none where it cannot be made, which the checks report.
    pub(super) fn new(georeference: Option<&Georeference>) -> Frame {
        Frame(georeference.and_then(|georeference| georeference.frame().ok().flatten()))
    }
}

/// How the coordinates of one file are to be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Crs<'a> {
    /// Metres in the local frame.
    Local,
    /// Degrees of longitude and latitude.
    Globe(&'a SiteFrame),
    /// Degrees, but nothing says where the site lies; that has been reported.
    Lost,
}

/// Reads one floor.
pub(super) fn read(
    root: &Path,
    stem: &str,
    frame: &Frame,
    report: &Report,
) -> Option<(FloorPlan, FloorOrigins)> {
    let relative = format!("floors/{stem}.geojson");
    let file: Arc<str> = Arc::from(relative.as_str());
    let origin = Origin::new(&file, None, "");
    let id = match Name::new(stem) {
        Ok(id) => id,
        Err(error) => {
            let problem = format!("the file's name is no id: {error}");
            report.error(FindingKind::BadValue, &origin, &problem, "rename the file");
            return None;
        }
    };
    let text = read_text(root, &relative, report)?;
    let node = parse_json(&text, report)?;
    let fields = Fields::new(&node, &origin, report)?;
    if let Some(kind) = fields.need("type", "\"type\": \"FeatureCollection\"") {
        let words = [("FeatureCollection", ())];
        let _ = fields.as_word("type", kind, &words);
    }
    let floor = read_floor(&fields);
    let name = fields.display(&id);
    let crs = read_crs(&fields, frame);
    let _ = fields.need("features", "\"features\": []");
    let nodes = fields.list("features");
    // Drawing programs write these, and people notes.
    fields.finish_leniently(|key| matches!(key, "bbox" | "note"));
    if nodes.len() > FEATURES_MAX {
        let problem = format!("there are {} features, at most {FEATURES_MAX}", nodes.len());
        report.error(FindingKind::TooLarge, &origin, &problem, "split the floor");
        return None;
    }
    let mut plan = FloorPlan {
        id,
        name,
        floor: floor.unwrap_or_default(),
        zones: Vec::new(),
        doors: Vec::new(),
        lines: Vec::new(),
        anchors: Vec::new(),
    };
    let mut origins = FloorOrigins::new();
    for (number, node) in (1..).zip(nodes) {
        features::read(node, number, crs, &origin, report, &mut plan, &mut origins);
    }
    origins.insert(crate::check::Item::Floor(0), origin);
    Some((plan, origins))
}

/// The storey's number, in hundredths.
fn read_floor(fields: &Fields<'_>) -> Option<Floor> {
    let node = fields.need("floor", "\"floor\": 0")?;
    let number = fields.as_number("floor", node)?;
    let hundredths = (number * 100.0).round();
    let is_exact = (number * 100.0 - hundredths).abs() < 1e-6;
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "the range is checked in the same line"
    )]
    let floor = (is_exact && hundredths.abs() <= 30_000.0).then_some(Floor(hundredths as i16));
    if floor.is_none() {
        let problem = format!("is {number}");
        fields.bad("floor", node, &problem, "give -300 to 300 with at most two decimals");
    }
    floor
}

fn read_crs<'a>(fields: &Fields<'_>, frame: &'a Frame) -> Crs<'a> {
    let Some(node) = fields.get("crs") else { return Crs::Local };
    let is_globe = match crs_name(node) {
        Some("local") => false,
        Some(name) if name.ends_with("4326") || name.ends_with("CRS84") => true,
        other => {
            let problem = format!("is `{}`", other.unwrap_or("something else").escape_debug());
            fields.bad("crs", node, &problem, "write \"local\" for metres or \"EPSG:4326\"");
            return Crs::Lost;
        }
    };
    match (is_globe, &frame.0) {
        (false, _) => Crs::Local,
        (true, Some(frame)) => Crs::Globe(frame),
        (true, None) => {
            fields.report.error(
                FindingKind::NoGeoreference,
                &fields.origin,
                "coordinates are degrees, but site.toml does not soundly say where the site lies",
                "add `[origin]` or `[[ground_control_point]]` to site.toml",
            );
            Crs::Lost
        }
    }
}

/// The name of a reference system: a text, or as `GeoJSON` of 2008 and QGIS have it.
fn crs_name(node: &Node) -> Option<&str> {
    use crate::text::Value;
    let field = |node: &'_ Node, key: &str| match &node.value {
        Value::Table(entries) => entries.iter().position(|(name, _)| name == key),
        _ => None,
    };
    match &node.value {
        Value::Text(text) => Some(text),
        Value::Table(entries) => {
            let (_, properties) = entries.get(field(node, "properties")?)?;
            let Value::Table(inner) = &properties.value else { return None };
            match &inner.get(field(properties, "name")?)?.1.value {
                Value::Text(text) => Some(text),
                _ => None,
            }
        }
        _ => None,
    }
}
