//! Frames about what people do with alarms.

use ach_actors_model::{AlarmCause, AlarmId, AlarmState, AlarmTransition, QuietKind, Remark};
use ach_engine_wire::*;

use super::{AT, OPEN, name};

/// Commands that do something with an alarm or a place.
pub(super) fn commands() -> Vec<(&'static str, Frame)> {
    vec![
        ("command that shelves an alarm", wished(6, shelve_wish())),
        ("command that closes an alarm for somebody", wished(7, close_wish())),
        ("command that takes a place out of service", wished(8, service_wish())),
    ]
}

/// The same alarm, acknowledged and closed.
pub(super) fn answered(note: &AlarmNote, cursor: Cursor) -> Frame {
    Frame::AlarmNote(AlarmNote {
        transition: AlarmTransition::Closed,
        state: OPEN.with(AlarmState::ACKNOWLEDGED).with(AlarmState::CLOSED),
        life: Some(answered_life()),
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
