//! Doors and emergencies in a line for people, and as objects for programs.

use ach_clients_rust::{
    DoorAnswer, DoorMode, DoorSlot, EmergencyKind, Name, Practice, Remark, WireDoor, WireDoorOrder,
    WireEmergency,
};
use serde_json::{Value, json};

use crate::moment::{iso, local};
use crate::notes::snake;

/// Whether a door is not as it was told to be.
pub(super) fn is_astray(door: &WireDoor) -> bool {
    matches!(door.answer, DoorAnswer::Waited | DoorAnswer::Deviates | DoorAnswer::Refused)
}

/// A door in a line.
pub(super) fn door_line(door: &WireDoor) -> String {
    let position = match door.is_open {
        Some(true) => "open",
        Some(false) => "closed",
        None => "position unknown",
    };
    let lock = match door.is_locked {
        Some(true) => "locked",
        Some(false) => "unlocked",
        None => "lock unknown",
    };
    let told = match &door.order {
        None => "told nothing".to_owned(),
        Some(order) => format!("told to be {}", order_words(order)),
    };
    let answer = match door.answer {
        DoorAnswer::NoOrders | DoorAnswer::Followed => "",
        DoorAnswer::Waited => "; DOES NOT FOLLOW YET",
        DoorAnswer::Deviates => "; IS NOT SO ANY MORE",
        DoorAnswer::Refused => "; ITS CONTROLLER REFUSES",
    };
    let fire = if door.is_fire_told { "; TELLS OF A FIRE" } else { "" };
    let link = if door.is_connected { "" } else { "; its feed is not connected" };
    format!("{:<24} {position}, {lock}; {told}{answer}{fire}{link}", door.door.as_str())
}

fn order_words(order: &WireDoorOrder) -> String {
    let mode = match order.mode {
        DoorMode::Unlocked => "unlocked",
        DoorMode::Locked => "locked",
        DoorMode::Blocked => "blocked",
    };
    let slot = match order.slot {
        None => return format!("{mode}, as ever"),
        Some(DoorSlot::LifeSafety) => "to let people out",
        Some(DoorSlot::LocalOverride) => "by its key switch",
        Some(DoorSlot::Lockdown) => "by a lockdown",
        Some(DoorSlot::Evacuation) => "by an evacuation",
        Some(DoorSlot::Operator) => "by an operator",
        Some(DoorSlot::Schedule) => "by its hours",
        Some(DoorSlot::Response) => "by an alarm",
    };
    let drill = if order.is_drill { " (drill)" } else { "" };
    let until = order.until.map(|until| format!(" until {}", local(until))).unwrap_or_default();
    format!("{mode} {slot}{drill}{until}")
}

/// A door as an object.
pub(super) fn door_object(door: &WireDoor) -> Value {
    let order = door.order.as_ref().map(|order| {
        json!({
            "number": order.number.to_string(),
            "mode": snake(order.mode),
            "slot": order.slot.map(snake),
            "given_at": iso(order.given_at),
            "until": order.until.map(iso),
            "is_drill": order.is_drill,
        })
    });
    json!({
        "event": "door",
        "door": door.door.as_str(),
        "is_open": door.is_open,
        "is_locked": door.is_locked,
        "order": order,
        "answer": snake(door.answer),
        "is_connected": door.is_connected,
        "is_fire_told": door.is_fire_told,
    })
}

/// A lockdown or an evacuation in a line.
pub(super) fn emergency_line(it: &WireEmergency) -> String {
    let kind = match it.kind {
        EmergencyKind::Lockdown => "lockdown",
        EmergencyKind::Evacuation => "evacuation",
    };
    let practice = match it.practice {
        Practice::Real => "",
        Practice::Drill => "DRILL: ",
        Practice::Exercise => "EXERCISE, no door moves: ",
    };
    let scope = match (&it.zone, &it.label) {
        (Some(zone), _) => format!("zone {zone}"),
        (None, Some(label)) => format!("doors labelled {label}"),
        (None, None) => "the whole site".to_owned(),
    };
    let why = it.remark.as_ref().map(|why| format!(": {}", why.as_str())).unwrap_or_default();
    format!(
        "{practice}{kind} of {scope}, {} doors, by {} until {}{why}",
        it.door_count,
        it.by,
        local(it.until)
    )
}

/// A lockdown or an evacuation as an object.
pub(super) fn emergency_object(it: &WireEmergency) -> Value {
    json!({
        "event": "emergency",
        "kind": snake(it.kind),
        "zone": it.zone.as_ref().map(Name::as_str),
        "label": it.label.as_ref().map(Name::as_str),
        "practice": snake(it.practice),
        "by": it.by.as_str(),
        "reason": it.remark.as_ref().map(Remark::as_str),
        "since": iso(it.since),
        "until": iso(it.until),
        "door_count": it.door_count,
    })
}
