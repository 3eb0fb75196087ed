//! Geometry: sound outlines, everything on its floor, doors in walls.

use ach_geo::{Outline, Region};

use super::outline_words::outline_words;
use super::{Check, Item};
use crate::finding::FindingKind;
use crate::{FloorPlan, ZoneKind};

/// A door farther than this from every boundary is drawn in a wrong place: no wall is thicker.
const DOOR_SLACK_MM: i64 = 500;

type Point = (i32, i32);

pub(super) fn check(check: &Check<'_>) {
    for (floor, plan) in check.directory.floors.iter().enumerate() {
        let grounds = grounds(plan);
        for (number, zone) in plan.zones.iter().enumerate() {
            let item = Item::Zone(floor, number);
            if let Some(height) = zone.height
                && height.high_mm < height.low_mm
            {
                bad(check, item, "its height ends below where it begins", "swap low_m and high_m");
            }
            match Region::new(zone.outline.clone(), None, None) {
                Ok(_) => check_on_floor(check, item, &corners(&zone.outline), &grounds),
                Err(error) => {
                    let (problem, remedy) = outline_words(&error);
                    bad(check, item, &problem, remedy);
                }
            }
        }
        for (number, door) in plan.doors.iter().enumerate() {
            let item = Item::Door(floor, number);
            let (a, b) = door.sill_mm;
            if a == b {
                bad(check, item, "the sill has no length", "draw it from one jamb to the other");
                continue;
            }
            check_on_floor(check, item, &[a, b], &grounds);
            check_door_in_wall(check, item, (a, b), plan);
        }
        for (number, line) in plan.lines.iter().enumerate() {
            let item = Item::Line(floor, number);
            let has_length =
                line.points_mm.iter().skip(1).any(|p| Some(p) != line.points_mm.first());
            if has_length {
                check_on_floor(check, item, &line.points_mm, &grounds);
                check_turn(check, item, &line.points_mm);
            } else {
                let remedy = "draw at least two points";
                bad(check, item, "the line has no two different points", remedy);
            }
        }
    }
}

fn bad(check: &Check<'_>, item: Item, problem: &str, remedy: &str) {
    check.report.error(FindingKind::BadOutline, &check.origin(item), problem, remedy);
}

/// Inside is on the left of a line. One that is closed and runs clockwise has the world inside and
/// the house outside: who leaves has entered, and no alarm comes.
fn check_turn(check: &Check<'_>, item: Item, points: &[Point]) {
    let is_closed = points.len() > 3 && points.first() == points.last();
    if !is_closed || doubled_area(points) >= 0 {
        return;
    }
    let problem = "the closed line runs clockwise, so that inside is all that lies outside of it";
    let remedy = "give its points in the other order, unless nobody may go in where it runs round";
    check.report.warning(FindingKind::InsideOut, &check.origin(item), problem, remedy);
}

/// Twice the area a closed line encloses, negative where it runs clockwise (the trapezoid formula).
fn doubled_area(points: &[Point]) -> i128 {
    let edges = points.iter().zip(points.iter().skip(1));
    edges
        .map(|(a, b)| (i128::from(a.0) - i128::from(b.0)) * (i128::from(a.1) + i128::from(b.1)))
        .sum()
}

/// The outlines of a floor's extent; where there are none, nothing lies outside.
fn grounds(plan: &FloorPlan) -> Vec<Region> {
    let floors = plan.zones.iter().filter(|zone| zone.kind == ZoneKind::Floor);
    floors.filter_map(|zone| Region::new(zone.outline.clone(), None, None).ok()).collect()
}

/// The corners of a polygon, the outermost points of a circle.
fn corners(outline: &Outline) -> Vec<Point> {
    match outline {
        Outline::Polygon { outer_mm, .. } => outer_mm.clone(),
        Outline::Circle { center_mm: (x, y), radius_mm } => {
            let radius = i32::try_from(*radius_mm).unwrap_or(i32::MAX);
            vec![
                (x.saturating_sub(radius), *y),
                (x.saturating_add(radius), *y),
                (*x, y.saturating_sub(radius)),
                (*x, y.saturating_add(radius)),
            ]
        }
    }
}

/// Wholly outside is an error: it is in the wrong file or in wrong units. Partly is a warning.
fn check_on_floor(check: &Check<'_>, item: Item, points: &[Point], grounds: &[Region]) {
    if grounds.is_empty() || points.is_empty() {
        return;
    }
    let is_on = |&&(x, y): &&Point| grounds.iter().any(|floor| floor.contains(x, y));
    let on_count = points.iter().filter(is_on).count();
    let Some(&(x, y)) = points.iter().find(|point| !is_on(point)) else { return };
    let at = format!("{:.1}, {:.1} m", f64::from(x) / 1e3, f64::from(y) / 1e3);
    let origin = check.origin(item);
    if on_count == 0 {
        let problem = format!("it lies outside its floor, at {at}");
        let remedy = "move it, put it into its floor's file, or check its units";
        check.report.error(FindingKind::OutsideFloor, &origin, &problem, remedy);
    } else {
        let problem = format!("it reaches beyond its floor, at {at}");
        let remedy = "widen the floor's outline or draw this smaller";
        check.report.warning(FindingKind::OutsideFloor, &origin, &problem, remedy);
    }
}

fn check_door_in_wall(check: &Check<'_>, item: Item, (a, b): (Point, Point), plan: &FloorPlan) {
    let middle = (i32::midpoint(a.0, b.0), i32::midpoint(a.1, b.1));
    let is_area = |kind| !matches!(kind, ZoneKind::Floor | ZoneKind::Building);
    let areas = plan.zones.iter().filter(|zone| is_area(zone.kind));
    let mut outlines = areas.map(|zone| &zone.outline).peekable();
    if outlines.peek().is_none() || outlines.any(|outline| is_near_boundary(middle, outline)) {
        return;
    }
    let problem = format!("the door is more than {DOOR_SLACK_MM} mm from every zone's boundary");
    let remedy = "draw the sill where two zones meet";
    check.report.warning(FindingKind::DoorAfar, &check.origin(item), &problem, remedy);
}

fn is_near_boundary(point: Point, outline: &Outline) -> bool {
    match outline {
        Outline::Circle { center_mm, radius_mm } => {
            let (dx, dy) = (
                i128::from(point.0) - i128::from(center_mm.0),
                i128::from(point.1) - i128::from(center_mm.1),
            );
            let square = dx * dx + dy * dy;
            let (low, high) = (
                (i128::from(*radius_mm) - i128::from(DOOR_SLACK_MM)).max(0),
                i128::from(*radius_mm) + i128::from(DOOR_SLACK_MM),
            );
            (low * low..=high * high).contains(&square)
        }
        Outline::Polygon { outer_mm, holes_mm } => std::iter::once(outer_mm)
            .chain(holes_mm)
            .any(|ring| ring_edges(ring).any(|(a, b)| is_near_segment(point, a, b))),
    }
}

fn ring_edges(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    let next = ring.iter().cycle().skip(1);
    ring.iter().copied().zip(next.copied())
}

/// Whether a point is within the slack of a segment, exactly.
fn is_near_segment(p: Point, a: Point, b: Point) -> bool {
    let slack = i32::try_from(DOOR_SLACK_MM).unwrap_or(i32::MAX);
    let is_apart = |p: i32, a: i32, b: i32| {
        p < a.min(b).saturating_sub(slack) || p > a.max(b).saturating_add(slack)
    };
    if is_apart(p.0, a.0, b.0) || is_apart(p.1, a.1, b.1) {
        return false;
    }
    let vector = |from: Point, to: Point| {
        (i128::from(to.0) - i128::from(from.0), i128::from(to.1) - i128::from(from.1))
    };
    let (along, to_point) = (vector(a, b), vector(a, p));
    let dot = along.0 * to_point.0 + along.1 * to_point.1;
    let length_square = along.0 * along.0 + along.1 * along.1;
    let reach = i128::from(DOOR_SLACK_MM) * i128::from(DOOR_SLACK_MM);
    let square = |(x, y): (i128, i128)| x * x + y * y;
    if dot <= 0 {
        square(to_point) <= reach
    } else if dot >= length_square {
        square(vector(b, p)) <= reach
    } else {
        let cross = along.0 * to_point.1 - along.1 * to_point.0;
        cross * cross <= reach * length_square
    }
}
