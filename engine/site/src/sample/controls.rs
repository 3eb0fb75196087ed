//! How the sample hospital's doors are moved.

use ach_actors_model::{DoorMode, NS_PER_S, Window};

use super::draft::DoorDraft;
use super::name;
use crate::ControlPlan;

const HOUR_S: u32 = 3_600;

/// The way of an entrance: open by day, locked from seven in the evening.
const ENTRANCE: &str = "entrance";

/// The way of a ward's door: visitors are let in by whoever is at its desk.
const WARD: &str = "ward";

/// The way of a door that is opened by fire and by nobody else.
const ESCAPE: &str = "escape";

/// The way a door of the sample is moved: wired doors that are controlled, that lock up for the night or that
/// people flee by.
pub(super) fn of(door: &DoorDraft<'_>) -> Option<&'static str> {
    let has = |label: &str| door.labels.contains(&label);
    if !door.is_wired {
        return None;
    }
    [("fire-exit", ESCAPE), ("secured-door", ESCAPE), ("controlled", WARD), ("entrance", ENTRANCE)]
        .into_iter()
        .find_map(|(label, way)| has(label).then_some(way))
}

/// All ways.
pub(super) fn all() -> Vec<ControlPlan> {
    let day = Window { weekdays: Window::EVERY_DAY, from_s: 6 * HOUR_S, until_s: 19 * HOUR_S };
    vec![
        ControlPlan { unlocked_when: vec![day], ..ControlPlan::new(name(ENTRANCE)) },
        ControlPlan::new(name(WARD)),
        ControlPlan { on_lockdown: Some(DoorMode::Locked), ..ControlPlan::new(name(ESCAPE)) },
    ]
}

/// How long a door of the sample may take to do as it is told.
pub(super) const FOLLOWS_WITHIN_NS: u64 = 10 * NS_PER_S;
