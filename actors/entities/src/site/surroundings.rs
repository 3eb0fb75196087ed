//! What lies round a door, and which doors lie round a point: what ties alarms to each other.

use ach_actors_model::{DoorRef, SiteConfig, ZoneRef};
use ach_geo::{Floor, Position};

use super::Site;
use super::compile::Refs;

/// How far from a sill its sides are looked for: beyond a door leaf's frame, within the smallest lobby.
const SIDE_MM: i64 = 500;

/// How far from the middle of a sill somebody is near a door: a broad gate, and a few steps.
const NEAR_MM: i64 = 10_000;

/// Doors that somebody is near: those of a corner with its stairs and lift.
const NEAR_COUNT_MAX: usize = 4;

/// The middle of a sill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sill {
    x_mm: i32,
    y_mm: i32,
    floor: Floor,
    door: DoorRef,
}

impl Sill {
    /// The square of its distance from a point, if that is near.
    fn distance_square(&self, (x_mm, y_mm): (i64, i64)) -> Option<i64> {
        let (east, north) = (i64::from(self.x_mm) - x_mm, i64::from(self.y_mm) - y_mm);
        let is_in_box = east.abs() <= NEAR_MM && north.abs() <= NEAR_MM;
        // Only then it cannot overflow.
        let square = is_in_box.then(|| east * east + north * north)?;
        (square <= NEAR_MM * NEAR_MM).then_some(square)
    }
}

/// From a position to a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoorWay {
    /// On the plan, to the middle of the sill.
    pub(crate) plan_mm: u64,
    /// Hundredths of a storey up or down; `None` if the floor is unknown.
    pub(crate) storeys: Option<u64>,
}

/// Where the doors are.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// From west to east.
    sills: Vec<Sill>,
    /// The same by door.
    by_door: Vec<Option<Sill>>,
    /// By door: the smallest zone on either side, each once, ascending.
    zones: Vec<Vec<ZoneRef>>,
}

impl Surroundings {
    /// Looks round every door of a site.
    pub(super) fn of(site: &Site, config: &SiteConfig, refs: &Refs) -> Surroundings {
        let mut sills = Vec::with_capacity(config.doors.len());
        let mut by_door = vec![None; site.door_ref_count()];
        let mut zones = vec![Vec::new(); site.door_ref_count()];
        for (&door, given) in refs.doors.iter().zip(&config.doors) {
            let ((from_x, from_y), (to_x, to_y)) = given.sill_mm;
            let (x_mm, y_mm) = (midway(from_x, to_x), midway(from_y, to_y));
            let sill = Sill { x_mm, y_mm, floor: given.floor, door };
            sills.push(sill);
            if let Some(slot) = by_door.get_mut(door.index()) {
                *slot = Some(sill);
            }
            let along = (i64::from(to_x) - i64::from(from_x), i64::from(to_y) - i64::from(from_y));
            if let Some(slot) = zones.get_mut(door.index()) {
                *slot = sides(site, (x_mm, y_mm), along, given.floor);
            }
        }
        sills.sort_unstable_by_key(|sill| (sill.x_mm, sill.door));
        Surroundings { sills, by_door, zones }
    }
}

impl Site {
    /// The smallest zone on either side of a door's sill, each once: none outdoors.
    pub fn zones_beside(&self, door: DoorRef) -> &[ZoneRef] {
        self.surroundings.zones.get(door.index()).map_or(&[], Vec::as_slice)
    }

    /// How far a position is from the middle of a door's sill; none beyond ten metres, or on another floor.
    pub fn distance_to_door_mm(&self, door: DoorRef, position: &Position) -> Option<u64> {
        let sill = (*self.surroundings.by_door.get(door.index())?)?;
        let floor = position.floor.or(self.only_floor)?;
        let square = sill.distance_square((position.x_mm.into(), position.y_mm.into()))?;
        let square = u64::try_from(square).ok()?;
        (floor == sill.floor).then(|| square.isqrt())
    }

    /// How far it is to a door at least, on whatever floor.
    pub(crate) fn way_to_door(&self, door: DoorRef, position: &Position) -> Option<DoorWay> {
        let sill = (*self.surroundings.by_door.get(door.index())?)?;
        let across = |from: i32, to: i32| u64::from(from.abs_diff(to));
        let (east, north) = (across(position.x_mm, sill.x_mm), across(position.y_mm, sill.y_mm));
        // Squares of 32 bit numbers; their sum saturates beyond any distance on a site.
        let plan_mm = (east * east).saturating_add(north * north).isqrt();
        let floor = position.floor.or(self.only_floor);
        let storeys = floor.map(|floor| u64::from(floor.0.abs_diff(sill.floor.0)));
        Some(DoorWay { plan_mm, storeys })
    }

    /// The doors that a position is near, the nearest first; of a position of unknown floor none, unless the site has one alone.
    pub(crate) fn doors_near(&self, position: &Position) -> Vec<DoorRef> {
        let Some(floor) = position.floor.or(self.only_floor) else { return Vec::new() };
        let sills = &self.surroundings.sills;
        let (x_mm, y_mm) = (i64::from(position.x_mm), i64::from(position.y_mm));
        let from = sills.partition_point(|sill| i64::from(sill.x_mm) < x_mm - NEAR_MM);
        let strip = sills.iter().skip(from);
        let strip = strip.take_while(|sill| i64::from(sill.x_mm) <= x_mm + NEAR_MM);
        let mut near: Vec<(i64, DoorRef)> = Vec::new();
        for sill in strip.filter(|sill| sill.floor == floor) {
            near.extend(sill.distance_square((x_mm, y_mm)).map(|square| (square, sill.door)));
        }
        near.sort_unstable();
        near.truncate(NEAR_COUNT_MAX);
        near.into_iter().map(|(_, door)| door).collect()
    }
}

fn midway(from_mm: i32, to_mm: i32) -> i32 {
    i32::midpoint(from_mm, to_mm)
}

/// The smallest zone on either side of a sill.
fn sides(site: &Site, (x_mm, y_mm): (i32, i32), along: (i64, i64), floor: Floor) -> Vec<ZoneRef> {
    let length = u64::try_from(along.0 * along.0 + along.1 * along.1).unwrap_or(0).isqrt();
    let length = i64::try_from(length).unwrap_or(i64::MAX).max(1);
    let (east, north) = (-along.1 * SIDE_MM / length, along.0 * SIDE_MM / length);
    let beside = |way: i64| {
        let moved = |from: i32, by: i64| i32::try_from(i64::from(from) + way * by).unwrap_or(from);
        let (x_mm, y_mm) = (moved(x_mm, east), moved(y_mm, north));
        smallest_zone(site, &Position { x_mm, y_mm, z_mm: None, floor: Some(floor) })
    };
    let mut zones: Vec<ZoneRef> = [beside(1), beside(-1)].into_iter().flatten().collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

/// The zone round a position that has the smallest box; of equals the first.
fn smallest_zone(site: &Site, position: &Position) -> Option<ZoneRef> {
    let mut smallest: Option<(i64, ZoneRef)> = None;
    site.index.watches_at(position, |watch| {
        let Some(plan) = site.watch(watch.key).filter(|plan| plan.is_plain) else { return };
        let ((west, south), (east, north)) = watch.region.bounding_box_mm();
        let (wide, high) = (i64::from(east) - i64::from(west), i64::from(north) - i64::from(south));
        let found = (wide.saturating_mul(high), plan.zone);
        smallest = smallest.filter(|known| *known <= found).or(Some(found));
    });
    smallest.map(|(_, zone)| zone)
}
