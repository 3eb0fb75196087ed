//! How doors are moved: a name that doors give, and what it means.

use ach_actors_model::{ControlConfig, DoorMode, Name, Window};
use ach_geo::{Floor, Region};

use crate::{DoorPlan, SiteDirectory, ZonePlan};

/// So far from its sill a door's rooms are looked for on either side: through the thickest wall.
const BESIDE_MM: i64 = 600;

/// One way of moving doors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlan {
    /// The name that doors give.
    pub id: Name,
    /// What a door does when nobody says anything.
    pub rests: DoorMode,
    /// When it is unlocked; empty is never.
    pub unlocked_when: Vec<Window>,
    /// What it does in a lockdown; `None` stays as it is.
    pub on_lockdown: Option<DoorMode>,
    /// Whether an evacuation unlocks it.
    pub opens_on_evacuation: bool,
    /// Whether fire unlocks it.
    pub opens_on_fire: bool,
    /// Whether it moves in a drill; `None` is as its zones have it.
    pub moves_in_drill: Option<bool>,
    /// The area in which a fire concerns it; `None` is the whole site.
    pub fire_area: Option<Name>,
    /// The doors of which one alone may be open or unlocked at a time.
    pub interlock: Option<Name>,
}

impl ControlPlan {
    /// A door that rests locked, is blocked by a lockdown, and opened by fire and evacuation.
    pub fn new(id: Name) -> ControlPlan {
        ControlPlan {
            id,
            rests: DoorMode::Locked,
            unlocked_when: Vec::new(),
            on_lockdown: Some(DoorMode::Blocked),
            opens_on_evacuation: true,
            opens_on_fire: true,
            moves_in_drill: None,
            fire_area: None,
            interlock: None,
        }
    }
}

/// Labels of zones whose doors stay as they are in a drill, unless the site or a control says otherwise:
/// nobody practises with the doors that keep patients who must not leave.
pub(crate) const KEPT_IN_DRILLS: &[&str] =
    &["high-risk", "infant-ward", "memory-care", "nursery", "paediatric", "psychiatric", "secured"];

/// All zones with their regions, for the doors at them.
pub(crate) struct Grounds<'a> {
    zones: Vec<(u32, &'a ZonePlan, Region)>,
}

impl<'a> Grounds<'a> {
    /// Those of a site that has passed its check.
    pub(crate) fn new(directory: &'a SiteDirectory) -> Grounds<'a> {
        let zones = directory.floors.iter().flat_map(|plan| {
            plan.zones.iter().map(|zone| {
                let floor = (!zone.is_on_every_floor).then_some(plan.floor);
                (zone, Region::new(zone.outline.clone(), floor, None))
            })
        });
        let zones = (0..).zip(zones);
        let zones = zones.filter_map(|(at, (zone, region))| Some((at, zone, region.ok()?)));
        Grounds { zones: zones.collect() }
    }

    /// The zones of which one side of a door, or both, lies within.
    fn at(&self, door: &DoorPlan, floor: Floor) -> impl Iterator<Item = (u32, &'a ZonePlan)> {
        let sides = sides_of(door.sill_mm);
        let is_at = move |region: &Region| {
            region.floor().is_none_or(|of| of == floor)
                && sides.iter().any(|&(x_mm, y_mm)| region.contains(x_mm, y_mm))
        };
        let at = self.zones.iter().filter(move |(_, _, region)| is_at(region));
        at.map(|(at, zone, _)| (*at, *zone))
    }
}

/// A point on either side of a sill's middle.
fn sides_of(((ax, ay), (bx, by)): ((i32, i32), (i32, i32))) -> [(i32, i32); 2] {
    let (along_x, along_y) = (i64::from(bx) - i64::from(ax), i64::from(by) - i64::from(ay));
    // Coordinates are within 1,000 km, so squares of their differences fit.
    let length = along_x.pow(2).saturating_add(along_y.pow(2)).isqrt().max(1);
    let beside = |along: i64| i32::try_from(along * BESIDE_MM / length).unwrap_or(0);
    let (x, y) = (i32::midpoint(ax, bx), i32::midpoint(ay, by));
    let (over_x, over_y) = (beside(-along_y), beside(along_x));
    [
        (x.saturating_add(over_x), y.saturating_add(over_y)),
        (x.saturating_sub(over_x), y.saturating_sub(over_y)),
    ]
}

/// How a door is moved, if it names a way.
pub(crate) fn of_door(
    door: &DoorPlan,
    floor: Floor,
    directory: &SiteDirectory,
    grounds: &Grounds<'_>,
) -> Option<ControlConfig> {
    let named = door.control.as_ref()?;
    let plan = directory.controls.iter().find(|control| control.id == *named)?;
    let at: Vec<(u32, &ZonePlan)> = grounds.at(door, floor).collect();
    let is_kept = |label: &Name| directory.kept_in_drills.contains(label);
    let is_at_kept = at.iter().any(|(_, zone)| zone.labels.iter().any(is_kept));
    Some(ControlConfig {
        rests: plan.rests,
        unlocked_when: plan.unlocked_when.clone(),
        on_lockdown: plan.on_lockdown,
        opens_on_evacuation: plan.opens_on_evacuation,
        opens_on_fire: plan.opens_on_fire,
        moves_in_drill: plan.moves_in_drill.unwrap_or(!is_at_kept),
        fire_area: plan.fire_area.clone(),
        interlock: plan.interlock.clone(),
        zones: at.into_iter().map(|(zone, _)| zone).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_has_a_point_on_either_side_of_its_sill() {
        assert_eq!(sides_of(((0, 0), (1_000, 0))), [(500, 600), (500, -600)]);
        assert_eq!(sides_of(((0, 0), (0, 1_000))), [(-600, 500), (600, 500)]);
        assert_eq!(sides_of(((10, 10), (10, 10))), [(10, 10), (10, 10)], "no sill, no sides");
    }
}
