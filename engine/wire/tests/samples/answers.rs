//! Frames about what people do with alarms.

use ach_actors_model::{
    AlarmCause, AlarmId, AlarmKind, AlarmPriority, AlarmState, AlarmTransition, Lane, QuietKind,
    Remark, TagId,
};
use ach_engine_wire::*;
use ach_geo::{Floor, Position};

use super::{AT, OPEN, name};

/// Commands that do something with an alarm or a place.
pub(super) fn commands() -> Vec<(&'static str, Frame)> {
    vec![
        ("command that shelves an alarm", wished(6, shelve_wish())),
        ("command that closes an alarm for somebody", wished(7, close_wish())),
        ("command that takes a place out of service", wished(8, service_wish())),
        ("command that gives leave", wished(9, leave_wish())),
        ("command that ends leave", wished(10, end_wish())),
        ("command that takes a band off", wished(11, off_wish())),
        ("command that says that a band is on", wished(12, on_wish())),
    ]
}

/// What is quiet: a condition that one person shelved, a rule that two muted, a door that waits for the second.
pub(super) fn quiet() -> Vec<(&'static str, Frame)> {
    let until = AT.plus_ns(3_600_000_000_000);
    let shelved = WireQuiet {
        way: AlarmState::SHELVED,
        place: Some(Thing::Door(name("exit-east"))),
        rule: Some(name("forced")),
        kind: Some(AlarmKind::DoorForced),
        subject: None,
        until,
        waits_for_ns: None,
        by: name("nurse-7"),
        asked_by: None,
        remark: Some(Remark::new("the strike is being mended").unwrap()),
        alarm: Some(AlarmId(0xA1)),
    };
    let muted = WireQuiet {
        way: AlarmState::SUPPRESSED,
        place: None,
        kind: None,
        asked_by: Some(name("desk-1")),
        remark: None,
        alarm: None,
        ..shelved.clone()
    };
    let waiting = WireQuiet {
        way: AlarmState::OUT_OF_SERVICE,
        place: Some(Thing::Zone(name("ward-3"))),
        rule: None,
        waits_for_ns: Some(7_200_000_000_000),
        asked_by: None,
        ..muted.clone()
    };
    let about_somebody = WireQuiet {
        kind: Some(AlarmKind::Elopement),
        subject: Some(name("patient-8")),
        ..shelved.clone()
    };
    let things = vec![shelved, about_somebody, muted, waiting];
    vec![
        ("quiet query", Frame::QuietQuery(QuietQuery { query: 12 })),
        ("what is quiet", Frame::QuietList(QuietList { query: 12, things, is_last: true })),
    ]
}

/// The same alarm, acknowledged and closed.
pub(super) fn answered(note: &AlarmNote, cursor: Cursor) -> Frame {
    Frame::AlarmNote(AlarmNote {
        transition: AlarmTransition::Closed,
        state: OPEN.with(AlarmState::ACKNOWLEDGED).with(AlarmState::CLOSED),
        life: Some(Box::new(answered_life())),
        incident: Some(IncidentNote {
            id: AlarmId(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEE),
            place: 3,
            is_raising: true,
        }),
        door: Some(Box::new(DoorNote {
            granted_at: Some(AT),
            granted_until: Some(AT.plus_ns(5_000_000_000)),
            requested_at: None,
            requested_until: None,
            lock_at: Some(AT),
            is_drawn_back: Some(false),
            near: vec![name("patient-8"), name("nurse-7")],
            granted_to: Some(name("nurse-7")),
        })),
        response: Some(Box::new(ResponseNote {
            tell: vec![name("security-desk"), name("camera-4")],
            doors: vec![name("ward-door")],
            until: Some(AT.plus_ns(600_000_000_000)),
        })),
        storage: Storage::Durable,
        cursor: Some(cursor),
        ..note.clone()
    })
}

fn wished(command: u64, wish: Wish) -> Frame {
    Frame::Command(WireCommand { command, wish })
}

const EXIT_ALARM: AlarmId = AlarmId(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF);

fn shelve_wish() -> Wish {
    Wish::Act(ActWish {
        alarm: EXIT_ALARM,
        act: ActWord::Shelve,
        to: None,
        for_ns: Some(1_800_000_000_000),
        cause: None,
        person: None,
        remark: Some(Remark::new("door is being painted").unwrap()),
    })
}

fn close_wish() -> Wish {
    Wish::Act(ActWish {
        alarm: EXIT_ALARM,
        act: ActWord::Close,
        to: None,
        for_ns: None,
        cause: Some(AlarmCause::Allowed),
        person: Some(name("nurse-7")),
        remark: None,
    })
}

fn service_wish() -> Wish {
    Wish::Quiet(QuietOrder {
        place: Some(Thing::Door(name("exit-east"))),
        rule: None,
        kind: QuietKind::OutOfService,
        for_ns: 7_200_000_000_000,
        person: None,
        remark: None,
    })
}

fn leave_wish() -> Wish {
    Wish::Leave(LeaveOrder {
        subject: name("patient-8"),
        for_ns: Some(7_200_000_000_000),
        places: vec![Thing::Zone(name("ward-3"))],
        is_until_back: true,
        escort: Some(name("nurse-7")),
        within_mm: Some(10_000),
        gap_ns: Some(30_000_000_000),
        person: Some(name("nurse-9")),
        reason: Some(Remark::new("walk in the garden").unwrap()),
    })
}

fn end_wish() -> Wish {
    Wish::Leave(LeaveOrder {
        subject: name("patient-8"),
        for_ns: None,
        places: vec![],
        is_until_back: false,
        escort: None,
        within_mm: None,
        gap_ns: None,
        person: None,
        reason: None,
    })
}

fn off_wish() -> Wish {
    Wish::Band(BandOrder {
        subject: name("patient-8"),
        tag: TagId(0xA7),
        for_ns: Some(600_000_000_000),
        person: Some(name("nurse-9")),
        reason: Some(Remark::new("bath").unwrap()),
    })
}

fn on_wish() -> Wish {
    Wish::Band(BandOrder {
        subject: name("patient-8"),
        tag: TagId(0xA8),
        for_ns: None,
        person: None,
        reason: None,
    })
}

/// An alarm that was passed on, acknowledged, assigned and closed.
fn answered_life() -> LifeNote {
    let act = |by: &str, seconds: u64| {
        Some(ActNote { by: name(by), at: AT.plus_ns(seconds * 1_000_000_000) })
    };
    LifeNote {
        revision: 4,
        by: Some(name("nurse-7")),
        remark: Some(Remark::new("came back by himself").unwrap()),
        acknowledged: act("nurse-7", 40),
        confirmed: None,
        closed: act("nurse-7", 90),
        cause: Some(AlarmCause::Allowed),
        assignee: Some(name("nurse-8")),
        quiet_until: None,
        level: 1,
        escalated_to: Some(name("charge-nurse")),
        comment_count: 0,
    }
}

/// An alarm that is raised on first evidence.
pub(super) fn raised() -> AlarmNote {
    AlarmNote {
        id: AlarmId(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF),
        transition: AlarmTransition::Raised,
        reason: None,
        kind: AlarmKind::Elopement,
        priority: AlarmPriority::High,
        rule: Some(name("dementia-exit")),
        site_version: 9,
        episode: 2,
        subject: Some(name("patient-8")),
        tag: Some(TagId(0xA1)),
        place: Thing::Door(name("exit-east")),
        is_tentative: true,
        is_late: false,
        is_drill: false,
        cause: WireCause::Input(InputCause {
            source: name("uwb"),
            lane: Lane::Ping,
            epoch: 3,
            seq: 4_711,
        }),
        observed_at: AT,
        received_at: AT.plus_ns(2_000_000),
        changed_at: AT.plus_ns(2_100_000),
        position: Some(Position { x_mm: 1, y_mm: -2, z_mm: None, floor: Some(Floor(0)) }),
        accuracy_mm: 150,
        gates_passed: 513,
        storage: Storage::Provisional(ProvisionalReason::None),
        cursor: None,
        fencing_epoch: 2,
        is_resent: false,
        state: OPEN,
        life: None,
        incident: None,
        door: None,
        response: None,
    }
}
