//! What frames say about doors.

use ach_actors_model::{DoorAnswer, DoorMode, DoorSlot, EmergencyKind, Name, Practice, Remark};
use ach_engine_wire::*;
use serde_json::{Value, json};

use super::text;

pub(super) fn wish(it: &WireDoorWish) -> Value {
    json!({
        "kind": 5,
        "door": {
            "door": it.door.as_str(),
            "act": act(it.act),
            "mode": it.mode.map(mode),
            "for_ns": it.for_ns.map(text),
            "key": it.key.map(id),
            "void_at": it.void_at.map(|at| text(at.0)),
            "person": it.person.as_ref().map(Name::as_str),
            "remark": it.remark.as_ref().map(Remark::as_str),
        },
    })
}

pub(super) fn emergency_wish(it: &WireEmergencyWish) -> Value {
    json!({
        "kind": 6,
        "emergency": {
            "kind": emergency_kind(it.kind),
            "zone": it.zone.as_ref().map(Name::as_str),
            "label": it.label.as_ref().map(Name::as_str),
            "practice": practice(it.practice),
            "for_ns": text(it.for_ns),
            "key": it.key.map(id),
            "void_at": it.void_at.map(|at| text(at.0)),
            "person": it.person.as_ref().map(Name::as_str),
            "remark": it.remark.as_ref().map(Remark::as_str),
        },
    })
}

pub(super) fn order(it: &WireDoorOrder) -> Value {
    json!({
        "door": it.door.as_str(),
        "number": text(it.number),
        "mode": mode(it.mode),
        "slot": it.slot.map(slot),
        "given_at": text(it.given_at.0),
        "until": it.until.map(|at| text(at.0)),
        "is_drill": it.is_drill,
        "fencing_epoch": text(it.fencing_epoch),
    })
}

pub(super) fn doors(it: &Doors) -> Value {
    json!({
        "query": text(it.query),
        "doors": it.doors.iter().map(door).collect::<Vec<_>>(),
        "emergencies": it.emergencies.iter().map(emergency).collect::<Vec<_>>(),
        "is_last": it.is_last,
    })
}

fn door(it: &WireDoor) -> Value {
    json!({
        "door": it.door.as_str(),
        "is_open": it.is_open,
        "is_locked": it.is_locked,
        "order": it.order.as_ref().map(order),
        "answer": answer(it.answer),
        "is_connected": it.is_connected,
        "is_fire_told": it.is_fire_told,
    })
}

fn emergency(it: &WireEmergency) -> Value {
    json!({
        "kind": emergency_kind(it.kind),
        "zone": it.zone.as_ref().map(Name::as_str),
        "label": it.label.as_ref().map(Name::as_str),
        "practice": practice(it.practice),
        "by": it.by.as_str(),
        "remark": it.remark.as_ref().map(Remark::as_str),
        "since": text(it.since.0),
        "until": text(it.until.0),
        "door_count": it.door_count,
    })
}

fn id(key: u128) -> String {
    format!("{key:032x}")
}

fn act(it: DoorActWord) -> u8 {
    match it {
        DoorActWord::Move => 1,
        DoorActWord::GiveBack => 2,
        DoorActWord::Release => 3,
        DoorActWord::EndRelease => 4,
        DoorActWord::EndFire => 5,
    }
}

pub(super) fn mode(it: DoorMode) -> u8 {
    match it {
        DoorMode::Unlocked => 1,
        DoorMode::Locked => 2,
        DoorMode::Blocked => 3,
    }
}

fn slot(it: DoorSlot) -> u8 {
    match it {
        DoorSlot::LifeSafety => 1,
        DoorSlot::LocalOverride => 2,
        DoorSlot::Lockdown => 3,
        DoorSlot::Evacuation => 4,
        DoorSlot::Operator => 5,
        DoorSlot::Schedule => 6,
        DoorSlot::Response => 7,
    }
}

fn answer(it: DoorAnswer) -> u8 {
    match it {
        DoorAnswer::NoOrders => 0,
        DoorAnswer::Waited => 1,
        DoorAnswer::Followed => 2,
        DoorAnswer::Deviates => 3,
        DoorAnswer::Refused => 4,
    }
}

fn emergency_kind(it: EmergencyKind) -> u8 {
    match it {
        EmergencyKind::Lockdown => 1,
        EmergencyKind::Evacuation => 2,
    }
}

pub(super) fn practice(it: Practice) -> u8 {
    match it {
        Practice::Real => 1,
        Practice::Drill => 2,
        Practice::Exercise => 3,
    }
}
