//! Frames about doors: what they are told, and how they stand.

use ach_actors_model::{
    DoorAnswer, DoorMode, DoorSlot, EmergencyKind, Name, Practice, Remark, Timestamp,
};
use ach_engine_wire::*;

use super::{AT, name};

/// A key that a client drew.
const KEY: u128 = 0xFEDC_BA98_7654_3210_0123_4567_89AB_CDEF;

pub(super) fn frames() -> Vec<(&'static str, Frame)> {
    let wished = |command, wish| Frame::Command(WireCommand { command, wish });
    let emergencies = vec![WireEmergency {
        kind: EmergencyKind::Evacuation,
        zone: Some(name("wing-b")),
        label: None,
        practice: Practice::Drill,
        by: name("desk"),
        remark: Some(remark("drill of the quarter")),
        since: AT,
        until: AT.plus_ns(3_600_000_000_000),
        door_count: 14,
    }];
    let doors = vec![
        WireDoor {
            door: name("exit-east"),
            is_open: Some(false),
            is_locked: Some(true),
            order: Some(order()),
            answer: DoorAnswer::Deviates,
            is_connected: true,
            is_fire_told: true,
        },
        WireDoor {
            door: name("exit-west"),
            is_open: None,
            is_locked: None,
            order: None,
            answer: DoorAnswer::NoOrders,
            is_connected: false,
            is_fire_told: false,
        },
    ];
    vec![
        ("command that unlocks a door", wished(9, unlock_wish())),
        ("command that lets people out", wished(10, release_wish())),
        ("command that declares a lockdown", wished(11, lockdown_wish())),
        ("command that ends a drill", wished(12, end_wish())),
        ("door order in an evacuation", Frame::DoorOrder(order())),
        ("door order to do as ever", Frame::DoorOrder(at_rest())),
        ("door order of an alarm", Frame::DoorOrder(of_an_alarm())),
        ("doors query", Frame::DoorsQuery(DoorsQuery { query: 5 })),
        ("doors", Frame::Doors(Doors { query: 5, doors, emergencies, is_last: true })),
    ]
}

fn remark(text: &str) -> Remark {
    Remark::new(text).unwrap()
}

fn order() -> WireDoorOrder {
    WireDoorOrder {
        door: name("exit-east"),
        number: 1_795_316_400_000_000_007,
        mode: DoorMode::Unlocked,
        slot: Some(DoorSlot::Evacuation),
        given_at: AT,
        until: Some(AT.plus_ns(3_600_000_000_000)),
        is_drill: true,
        fencing_epoch: 1,
    }
}

fn of_an_alarm() -> WireDoorOrder {
    let slot = Some(DoorSlot::Response);
    WireDoorOrder { mode: DoorMode::Locked, slot, is_drill: false, ..order() }
}

fn at_rest() -> WireDoorOrder {
    WireDoorOrder { mode: DoorMode::Locked, slot: None, until: None, is_drill: false, ..order() }
}

fn unlock_wish() -> Wish {
    Wish::MoveDoor(WireDoorWish {
        door: name("exit-east"),
        act: DoorActWord::Move,
        mode: Some(DoorMode::Unlocked),
        for_ns: Some(600_000_000_000),
        key: Some(KEY),
        void_at: Some(AT),
        person: Some(name("nurse-7")),
        remark: Some(remark("bed delivery")),
    })
}

fn release_wish() -> Wish {
    Wish::MoveDoor(WireDoorWish {
        door: name("exit-east"),
        act: DoorActWord::Release,
        mode: None,
        for_ns: None,
        key: None,
        void_at: None,
        person: None,
        remark: None,
    })
}

fn lockdown_wish() -> Wish {
    Wish::Declare(emergency(EmergencyKind::Lockdown, Practice::Real, 7_200_000_000_000))
}

fn end_wish() -> Wish {
    let wish = emergency(EmergencyKind::Evacuation, Practice::Drill, 0);
    Wish::Declare(WireEmergencyWish {
        zone: None,
        label: Some(name("entrance")),
        key: None,
        void_at: None,
        person: None,
        remark: None,
        ..wish
    })
}

fn emergency(kind: EmergencyKind, practice: Practice, for_ns: u64) -> WireEmergencyWish {
    let none: Option<Name> = None;
    WireEmergencyWish {
        kind,
        zone: Some(name("wing-b")),
        label: none,
        practice,
        for_ns,
        key: Some(KEY),
        void_at: Some(Timestamp(AT.0 + 1)),
        person: Some(name("nurse-7")),
        remark: Some(remark("a man with a knife")),
    }
}
