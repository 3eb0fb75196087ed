//! Reads `site.toml`.

use std::sync::Arc;

use ach_actors_model::{Name, SpeedLimit, SubjectClass, TagId};
use ach_geo::{ControlPoint, Gates};

use super::subject_file::parse_tag;
use super::{control_tables, gates_table};
use crate::check::{Item, Origins};
use crate::finding::FindingKind;
use crate::holiday_plan::HOLIDAYS_MAX;
use crate::site_directory::{LARGEST_GAP_NS_DEFAULT, LARGEST_GAP_NS_MAX, speed_limits_default};
use crate::text::{Fields, Node, Origin, Report, Value};
use crate::{FeedPlan, Georeference, HolidayDate, HolidayPlan, SiteDirectory};

/// Fastest speed limit: an ambulance helicopter is no subject.
const SPEED_M_PER_S_MAX: f64 = 100.0;

/// Reads the tree of `site.toml`.
pub(super) fn read(
    node: &Node,
    file: &Arc<str>,
    report: &Report,
    origins: &mut Origins,
) -> Option<SiteDirectory> {
    let origin = Origin::new(file, None, "");
    let fields = Fields::new(node, &origin, report)?;
    let id = fields.id("id = \"st-anna\"");
    let fallback = id.or_else(|| Name::new("site").ok())?;
    let name = fields.display(&fallback);
    let zone = fields.need("time_zone", "time_zone = \"Europe/Berlin\"");
    let time_zone =
        zone.and_then(|node| fields.as_text("time_zone", node)).unwrap_or_default().to_owned();
    if let Some(node) = zone {
        origins.add(Item::TimeZone, fields.origin.at(node.line));
    }
    let directory = SiteDirectory {
        georeference: read_georeference(&fields, origins),
        largest_gap_ns: fields
            .span_in("largest_gap", 1..=LARGEST_GAP_NS_MAX)
            .unwrap_or(LARGEST_GAP_NS_DEFAULT),
        speed_limits: read_speed_limits(&fields),
        gates: fields.table("gates").map_or_else(Gates::default, |gates| gates_table::read(&gates)),
        feeds: read_feeds(&fields, origins),
        holidays: read_holidays(&fields, origins),
        controls: control_tables::read(&fields, origins),
        kept_in_drills: control_tables::read_kept_in_drills(&fields),
        ..SiteDirectory::new(fallback, &name, &time_zone)
    };
    fields.finish();
    Some(directory)
}

fn read_speed_limits(fields: &Fields<'_>) -> Vec<SpeedLimit> {
    let mut limits = speed_limits_default();
    let Some(table) = fields.table("speed_limits_m_per_s") else { return limits };
    for limit in &mut limits {
        let key = match limit.class {
            SubjectClass::Patient => "patient",
            SubjectClass::Staff => "staff",
            SubjectClass::Visitor => "visitor",
            SubjectClass::Asset => "asset",
        };
        // In metres a second; a length of as many metres rounds alike.
        if table.number_in(key, 0.1..=SPEED_M_PER_S_MAX, "m/s").is_some()
            && let Some(mm_per_s) = table.length(key)
        {
            limit.mm_per_s = mm_per_s;
        }
    }
    table.finish();
    limits
}

fn read_georeference(fields: &Fields<'_>, origins: &mut Origins) -> Georeference {
    let origin = fields.table("origin");
    let points = fields.list("ground_control_point");
    if let Some(origin) = &origin {
        origins.add(Item::Georeference, origin.origin.clone());
    } else if let Some(first) = points.first() {
        origins.add(Item::Georeference, fields.origin.at(first.line));
    }
    if origin.is_some() && !points.is_empty() {
        fields.report.error(
            FindingKind::BadGeoreference,
            &fields.origin,
            "both `origin` and `ground_control_point` are given",
            "keep the control points if there are three or more, else the origin",
        );
    }
    if let Some(origin) = origin {
        need_all(&origin, &["lon_deg", "lat_deg"]);
        let georeference = Georeference::Origin {
            lon_deg: origin.number_in("lon_deg", -180.0..=180.0, "degrees").unwrap_or_default(),
            lat_deg: origin.number_in("lat_deg", -89.0..=89.0, "degrees").unwrap_or_default(),
            rotation_deg: origin
                .number_in("rotation_deg", -360.0..=360.0, "degrees")
                .unwrap_or_default(),
        };
        origin.finish();
        return georeference;
    }
    if points.is_empty() {
        return Georeference::None;
    }
    let read_point = |node| {
        let mut at = fields.origin.clone();
        "ground_control_point".clone_into(&mut at.place);
        let point = Fields::new(node, &at, fields.report)?;
        need_all(&point, &["lon_deg", "lat_deg", "x_m", "y_m"]);
        let read = ControlPoint {
            lon_deg: point.number_in("lon_deg", -180.0..=180.0, "degrees").unwrap_or_default(),
            lat_deg: point.number_in("lat_deg", -90.0..=90.0, "degrees").unwrap_or_default(),
            x_m: point.number_in("x_m", -1e6..=1e6, "m").unwrap_or_default(),
            y_m: point.number_in("y_m", -1e6..=1e6, "m").unwrap_or_default(),
        };
        point.finish();
        Some(read)
    };
    Georeference::Points(points.iter().filter_map(read_point).collect())
}

fn need_all<'a>(fields: &Fields<'a>, keys: &[&'a str]) {
    for key in keys {
        let _ = fields.need(key, &format!("{key} = 7.8421"));
    }
}

fn read_feeds(fields: &Fields<'_>, origins: &mut Origins) -> Vec<FeedPlan> {
    let mut feeds = Vec::new();
    for node in fields.list("feed") {
        let mut at = fields.origin.clone();
        "feed".clone_into(&mut at.place);
        let Some(feed) = Fields::new(node, &at, fields.report) else { continue };
        let Some(id) = feed.id("id = \"rtls\"") else {
            continue;
        };
        let spare_tags = feed
            .list("spare_tags")
            .iter()
            .filter_map(|node| parse_tag(&feed, "spare_tags", node))
            .collect::<Vec<TagId>>();
        let name = feed.display(&id);
        let silence_ns = feed.lasting_span("silence");
        let zones = feed.names("zones");
        feed.finish();
        let mut origin = feed.origin.clone();
        origin.place = format!("feed {id}");
        origins.add(Item::Feed(feeds.len()), origin);
        feeds.push(FeedPlan { id, name, silence_ns, zones, spare_tags });
    }
    feeds
}

/// Holidays: a date each, or a table of a date and a name.
fn read_holidays(fields: &Fields<'_>, origins: &mut Origins) -> Vec<HolidayPlan> {
    let nodes = fields.list("holidays");
    if let Some(one_too_many) = nodes.get(HOLIDAYS_MAX) {
        let problem = format!("has {} days, at most {HOLIDAYS_MAX}", nodes.len());
        fields.bad("holidays", one_too_many, &problem, "leave out years that are past");
    }
    let mut holidays = Vec::new();
    for node in nodes.iter().take(HOLIDAYS_MAX) {
        let Some(holiday) = read_holiday(fields, node) else { continue };
        let mut origin = fields.origin.at(node.line);
        origin.place = format!("holiday {}", holiday.date);
        origins.add(Item::Holiday(holidays.len()), origin);
        holidays.push(holiday);
    }
    holidays
}

fn read_holiday(site: &Fields<'_>, node: &Node) -> Option<HolidayPlan> {
    if !matches!(node.value, Value::Table(_)) {
        let date = as_date(site, "holidays", node)?;
        return Some(HolidayPlan { date, name: String::new() });
    }
    let mut origin = site.origin.clone();
    "holidays".clone_into(&mut origin.place);
    let fields = Fields::new(node, &origin, site.report)?;
    let date = fields.need("date", "date = \"2026-12-25\"");
    let date = date.and_then(|node| as_date(&fields, "date", node));
    let holiday = HolidayPlan { date: date?, name: fields.display_or("date").unwrap_or_default() };
    fields.finish();
    Some(holiday)
}

fn as_date(fields: &Fields<'_>, key: &str, node: &Node) -> Option<HolidayDate> {
    let remedy = "write for example \"2026-12-25\", or \"12-25\" for every year";
    let Value::Text(text) = &node.value else {
        let problem = format!("holds {} where a date in quotes is wanted", node.value.word());
        fields.bad(key, node, &problem, remedy);
        return None;
    };
    let date = HolidayDate::parse(text);
    if date.is_none() {
        let problem = format!("holds `{}`, which is no day from 1970 to 2060", text.escape_debug());
        fields.bad(key, node, &problem, remedy);
    }
    date
}
