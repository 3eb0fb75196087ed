//! Reads how doors are moved: the tables `[[door_control]]` of `site.toml`.

use ach_actors_model::{DoorMode, Name};

use super::rule_file::read_windows;
use crate::ControlPlan;
use crate::check::{Item, Origins};
use crate::site_directory::kept_in_drills_default;
use crate::text::Fields;

/// What a door may do when nobody says anything.
pub(crate) const RESTS: &[(&str, DoorMode)] =
    &[("locked", DoorMode::Locked), ("unlocked", DoorMode::Unlocked)];

/// What it may do in a lockdown.
pub(crate) const LOCKDOWNS: &[(&str, Option<DoorMode>)] =
    &[("blocked", Some(DoorMode::Blocked)), ("locked", Some(DoorMode::Locked)), ("stays", None)];

/// What it may do when people are to come out.
pub(crate) const WAYS_OUT: &[(&str, bool)] = &[("unlocked", true), ("stays", false)];

/// What it may do in a drill.
pub(crate) const DRILLS: &[(&str, bool)] = &[("moves", true), ("stays", false)];

/// Reads all ways of moving doors.
pub(super) fn read(site: &Fields<'_>, origins: &mut Origins) -> Vec<ControlPlan> {
    let mut controls = Vec::new();
    for node in site.list("door_control") {
        let mut at = site.origin.clone();
        "door_control".clone_into(&mut at.place);
        let Some(fields) = Fields::new(node, &at, site.report) else { continue };
        let Some(id) = fields.id("id = \"ward\"") else { continue };
        let plain = ControlPlan::new(id);
        let control = ControlPlan {
            rests: fields.word("rests", RESTS).unwrap_or(plain.rests),
            unlocked_when: read_windows(&fields, "unlocked_when"),
            on_lockdown: fields.word("lockdown", LOCKDOWNS).unwrap_or(plain.on_lockdown),
            opens_on_evacuation: fields.word("evacuation", WAYS_OUT).unwrap_or(true),
            opens_on_fire: fields.word("fire", WAYS_OUT).unwrap_or(true),
            moves_in_drill: fields.word("drill", DRILLS),
            fire_area: fields.name("fire_area"),
            interlock: fields.name("interlock"),
            ..plain
        };
        fields.finish();
        let mut origin = fields.origin.clone();
        origin.place = format!("door_control {}", control.id);
        origins.add(Item::Control(controls.len()), origin);
        controls.push(control);
    }
    controls
}

/// The labels of zones whose doors stay as they are in a drill.
pub(super) fn read_kept_in_drills(site: &Fields<'_>) -> Vec<Name> {
    match site.get("kept_in_drills") {
        Some(_) => site.names("kept_in_drills"),
        None => kept_in_drills_default(),
    }
}
