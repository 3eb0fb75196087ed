//! Ids, tags, feeds, time zone and georeference.

use std::collections::BTreeMap;

use ach_actors_model::{Name, TagId};

use super::{Check, Item};
use crate::finding::FindingKind;
use crate::holiday_plan::HOLIDAYS_MAX;
use crate::text::nearest;
use crate::{DoorPlan, Georeference, HolidayDate, utc_offsets};

/// A fit that misses its control points by more than this has a slip in one of them.
const RESIDUAL_MAX_M: f64 = 2.0;
/// Local metres must be metres on the ground to this share.
const SCALE_SLACK: f64 = 0.05;

pub(super) fn check(check: &Check<'_>) {
    check_time_zone(check);
    check_holidays(check);
    check_georeference(check);
    check_ids(check);
    check_tags(check);
    super::badges::check(check);
    check_feeds(check);
}

fn check_time_zone(check: &Check<'_>) {
    let name = &check.directory.time_zone;
    if !name.is_empty() && utc_offsets::of(name).is_none() {
        let problem = format!("there is no time zone `{}`", name.escape_debug());
        let remedy = "give an IANA name, for example \"Europe/Berlin\" or \"America/New_York\"";
        let origin = check.origin(Item::TimeZone);
        check.report.error(FindingKind::UnknownTimeZone, &origin, &problem, remedy);
    }
}

fn check_holidays(check: &Check<'_>) {
    let mut known: BTreeMap<u32, HolidayDate> = BTreeMap::new();
    for (number, holiday) in check.directory.holidays.iter().enumerate() {
        let mut days = holiday.date.days();
        if let Some(other) = days.find_map(|day| known.get(&day)) {
            let problem = format!("`{}` is a holiday already, as `{other}`", holiday.date);
            let origin = check.origin(Item::Holiday(number));
            check.report.error(FindingKind::BadValue, &origin, &problem, "remove one of them");
            continue;
        }
        known.extend(holiday.date.days().map(|day| (day, holiday.date)));
    }
    if known.len() > HOLIDAYS_MAX {
        let count = known.len();
        let problem =
            format!("there are {count} holidays until the end of 2060, at most {HOLIDAYS_MAX}");
        let remedy = "name fewer of every year, or days of single years in their place";
        let origin = check.origin(Item::Holiday(0));
        check.report.error(FindingKind::TooLarge, &origin, &problem, remedy);
    }
}

fn check_georeference(check: &Check<'_>) {
    let origin = check.origin(Item::Georeference);
    let tell = |problem: &str, remedy: &str| {
        check.report.error(FindingKind::BadGeoreference, &origin, problem, remedy);
    };
    let frame = match check.directory.georeference.frame() {
        Ok(Some(frame)) => frame,
        Ok(None) => return,
        Err(error) => {
            tell(&format!("the site cannot be placed: {error}"), "correct the control points");
            return;
        }
    };
    if matches!(check.directory.georeference, Georeference::Origin { .. }) {
        return;
    }
    let worst_m = frame.residual_max_m();
    if frame.is_mirrored() {
        tell("the control points mirror the site", "swap x and y, or longitude and latitude");
    } else if (frame.scale() - 1.0).abs() > SCALE_SLACK {
        let problem = format!("a metre on the ground is {:.3} m in the site", frame.scale());
        tell(&problem, "give x and y in metres, and degrees as longitude and latitude");
    } else if worst_m > RESIDUAL_MAX_M {
        let problem = format!("one control point lies {worst_m:.1} m from where the others put it");
        tell(&problem, "measure the points again");
    }
}

/// One id, one thing of a kind; which of them came first is told with the second.
pub(super) fn check_unique<'n>(
    check: &Check<'_>,
    word: &str,
    things: impl Iterator<Item = (&'n Name, Item)>,
) {
    let mut first_by_id: BTreeMap<&Name, Item> = BTreeMap::new();
    for (id, item) in things {
        if let Some(&first) = first_by_id.get(id) {
            let first = check.origin(first);
            let line = first.line.map(|line| format!(":{line}")).unwrap_or_default();
            let problem = format!("{word} `{id}` is already in {}{line}", first.file);
            let origin = check.origin(item);
            let remedy = "give each its own id";
            check.report.error(FindingKind::DuplicateId, &origin, &problem, remedy);
        } else {
            first_by_id.insert(id, item);
        }
    }
}

fn check_ids(check: &Check<'_>) {
    let directory = check.directory;
    let floors = || directory.floors.iter().enumerate();
    let feeds = directory.feeds.iter().enumerate();
    let controls = check.directory.controls.iter().enumerate();
    let controls = controls.map(|(number, control)| (&control.id, Item::Control(number)));
    check_unique(check, "door_control", controls);
    check_unique(check, "feed", feeds.map(|(number, feed)| (&feed.id, Item::Feed(number))));
    let zones = floors().flat_map(|(floor, plan)| {
        let zones = plan.zones.iter().enumerate();
        zones.map(move |(number, zone)| (&zone.id, Item::Zone(floor, number)))
    });
    check_unique(check, "zone", zones);
    let doors = floors().flat_map(|(floor, plan)| {
        let doors = plan.doors.iter().enumerate();
        doors.map(move |(number, door)| (&door.id, Item::Door(floor, number)))
    });
    check_unique(check, "door", doors);
    let lines = floors().flat_map(|(floor, plan)| {
        let lines = plan.lines.iter().enumerate();
        lines.map(move |(number, line)| (&line.id, Item::Line(floor, number)))
    });
    check_unique(check, "line", lines);
    let anchors = floors().flat_map(|(floor, plan)| {
        let anchors = plan.anchors.iter().enumerate();
        anchors.map(move |(number, anchor)| (&anchor.id, Item::Anchor(floor, number)))
    });
    check_unique(check, "anchor", anchors);
    check_unique(check, "subject", subjects(check).map(|(subject, item)| (&subject.id, item)));
    let rules = directory.rules.iter().enumerate();
    check_unique(check, "rule", rules.map(|(number, rule)| (&rule.id, Item::Rule(number))));
    check_floors(check);
}

/// One file a floor.
fn check_floors(check: &Check<'_>) {
    let mut first_by_floor = BTreeMap::new();
    for (number, plan) in check.directory.floors.iter().enumerate() {
        if let Some(first) = first_by_floor.insert(plan.floor, &plan.id) {
            let floor = f64::from(plan.floor.0) / 100.0;
            let problem = format!("floor {floor} is already in floors/{first}.geojson");
            let origin = check.origin(Item::Floor(number));
            let remedy = "number the floors apart, or put both into one file";
            check.report.error(FindingKind::DuplicateId, &origin, &problem, remedy);
        }
    }
}

fn subjects<'a>(
    check: &Check<'a>,
) -> impl Iterator<Item = (&'a crate::SubjectPlan, Item)> + use<'a> {
    let people = check.directory.people.iter().enumerate();
    let equipment = check.directory.equipment.iter().enumerate();
    let people = people.map(|(number, subject)| (subject, Item::Person(number)));
    people.chain(equipment.map(|(number, subject)| (subject, Item::Equipment(number))))
}

fn check_tags(check: &Check<'_>) {
    let mut bearer_by_tag: BTreeMap<TagId, &Name> = BTreeMap::new();
    for (subject, item) in subjects(check) {
        for tag in &subject.tags {
            if let Some(bearer) = bearer_by_tag.insert(tag.id, &subject.id) {
                let problem = format!("tag {} is already on `{bearer}`", tag.id);
                let origin = check.origin(item);
                let remedy = "take it off one of them";
                check.report.error(FindingKind::DuplicateTag, &origin, &problem, remedy);
            }
        }
    }
    for (number, feed) in check.directory.feeds.iter().enumerate() {
        for tag in &feed.spare_tags {
            if let Some(bearer) = bearer_by_tag.insert(*tag, &feed.id) {
                let problem = format!("spare tag {tag} is already on `{bearer}`");
                let origin = check.origin(Item::Feed(number));
                let remedy = "remove it from `spare_tags`";
                check.report.error(FindingKind::DuplicateTag, &origin, &problem, remedy);
            }
        }
    }
}

/// Labels of doors that lead out.
pub(super) const EXITS: [&str; 3] = ["escape", "exit", "fire-exit"];

/// A door is moved in a way that the site has, by the vendor of a feed.
fn check_control(check: &Check<'_>, door: &DoorPlan, control: &Name, item: Item) {
    let ways = || check.directory.controls.iter().map(|way| way.id.as_str());
    if !ways().any(|way| way == control.as_str()) {
        let problem = format!("there is no door_control `{control}`");
        let remedy = match nearest(control.as_str(), ways()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add [[door_control]] id = \"{control}\" to site.toml"),
        };
        check.report.error(FindingKind::UnknownControl, &check.origin(item), &problem, &remedy);
    }
    let way = check.directory.controls.iter().find(|way| way.id == *control);
    let is_exit = door.labels.iter().any(|label| EXITS.contains(&label.as_str()));
    if is_exit && way.is_some_and(|way| !way.opens_on_fire) {
        let problem = format!("door `{}` leads out, and fire does not unlock it", door.id);
        let remedy = "take `fire = \"stays\"` out of its door_control, or the label off it if it \
                      is no way out";
        check.report.warning(FindingKind::LockedExit, &check.origin(item), &problem, remedy);
    }
    if door.feed.is_none() {
        let problem = format!("door `{}` is to be moved, and no feed does it", door.id);
        let remedy = "add \"feed\" to the door, or take \"control\" away";
        check.report.error(FindingKind::UnwiredDoor, &check.origin(item), &problem, remedy);
    }
}

fn check_feeds(check: &Check<'_>) {
    let feeds = || check.directory.feeds.iter().map(|feed| feed.id.as_str());
    let known = |feed: &Name, item: Item| {
        if feeds().any(|known| known == feed.as_str()) {
            return;
        }
        let problem = format!("there is no feed `{feed}`");
        let remedy = match nearest(feed.as_str(), feeds()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add [[feed]] id = \"{feed}\" to site.toml"),
        };
        check.report.error(FindingKind::UnknownFeed, &check.origin(item), &problem, &remedy);
    };
    for (floor, plan) in check.directory.floors.iter().enumerate() {
        for (number, zone) in plan.zones.iter().enumerate() {
            if let Some(feed) = &zone.motion_feed {
                known(feed, Item::Zone(floor, number));
            }
        }
        for (number, door) in plan.doors.iter().enumerate() {
            if let Some(feed) = &door.feed {
                known(feed, Item::Door(floor, number));
            }
            if let Some(control) = &door.control {
                check_control(check, door, control, Item::Door(floor, number));
            }
        }
        for (number, anchor) in plan.anchors.iter().enumerate() {
            known(&anchor.feed, Item::Anchor(floor, number));
        }
    }
    for (subject, item) in subjects(check) {
        let mut told: Option<&Name> = None;
        for tag in &subject.tags {
            if told != Some(&tag.feed) {
                known(&tag.feed, item);
                told = Some(&tag.feed);
            }
        }
    }
}
