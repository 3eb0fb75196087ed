//! `ach door`, `ach lockdown` and `ach evacuate`.

mod following;
mod show;

use std::time::Duration;

use ach_actors_model::{DoorMode, EmergencyKind, Practice};
use ach_clients_rust::{DoorActWord, DoorSlot, WireDoor, WireDoorWish, WireEmergencyWish};
use serde_json::json;

use self::following::{Whose, wait_for};
use self::show::{door_line, door_object, emergency_line, emergency_object, is_astray};
use super::connection::{OPERATORS, connect, runtime};
use crate::cli::Connect;
use crate::cli::doors::{Declared, Door, Emergency, Move, OnDoor, Start};
use crate::exit::{Failure, Outcome};
use crate::span::nanoseconds;

/// Does what was asked of a door.
pub(crate) fn door(wish: &Door) -> Result<Outcome, Failure> {
    match wish {
        Door::List { astray, connect } => list(connect, *astray),
        Door::Show { door, connect } => show_one(door.as_str(), connect),
        Door::Unlock(wish) => move_it(wish, DoorMode::Unlocked),
        Door::Lock(wish) => move_it(wish, DoorMode::Locked),
        Door::Block(wish) => move_it(wish, DoorMode::Blocked),
        Door::GiveBack(on) => act(on, DoorActWord::GiveBack, None),
        Door::Release(on) => act(on, DoorActWord::Release, None),
        Door::EndRelease(on) => act(on, DoorActWord::EndRelease, None),
        Door::EndFire(on) => act(on, DoorActWord::EndFire, None),
    }
}

fn move_it(wish: &Move, mode: DoorMode) -> Result<Outcome, Failure> {
    act(&wish.on, DoorActWord::Move, Some((mode, wish.length)))
}

fn act(
    on: &OnDoor,
    act: DoorActWord,
    moved: Option<(DoorMode, Duration)>,
) -> Result<Outcome, Failure> {
    let wish = WireDoorWish {
        door: on.door.clone(),
        act,
        mode: moved.map(|(mode, _)| mode),
        for_ns: moved.map(|(_, length)| nanoseconds(length)),
        key: None,
        void_at: None,
        person: on.person.clone(),
        remark: on.reason.clone(),
    };
    runtime()?.block_on(async {
        let mut operator = connect(&on.connect, OPERATORS).await?.operator();
        operator.move_door(wish).await?;
        let told = wait_for(&mut operator, &Whose::Door(on.door.clone()), on.wait).await?;
        operator.close().await;
        let Some(door) = told.first() else {
            return Err(Failure::new(format!("the node tells nothing of door {}", on.door)));
        };
        if on.connect.json {
            say!("{}", door_object(door));
        } else {
            say!("{}", door_line(door));
            let slot = door.order.as_ref().and_then(|order| order.slot);
            if moved.is_some() && slot != Some(DoorSlot::Operator) {
                say!("your word is kept; it counts when what counts for more is over");
            }
        }
        Ok(if !on.wait.is_zero() && is_astray(door) { Outcome::Unsound } else { Outcome::Done })
    })
}

fn list(to: &Connect, only_astray: bool) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut operator = connect(to, OPERATORS).await?.operator();
        let mut told = operator.doors().await?;
        operator.close().await;
        told.doors.retain(is_anything);
        let astray = told.doors.iter().filter(|door| is_astray(door)).count();
        for emergency in &told.emergencies {
            say!(
                "{}",
                if to.json {
                    emergency_object(emergency).to_string()
                } else {
                    emergency_line(emergency)
                }
            );
        }
        for door in told.doors.iter().filter(|door| !only_astray || is_astray(door)) {
            say!("{}", if to.json { door_object(door).to_string() } else { door_line(door) });
        }
        if !to.json {
            match (told.doors.len(), astray) {
                (0, _) => say!("no door has told anything, and none is told anything"),
                (count, 0) => say!("{count} doors, each as it is told to be"),
                (count, astray) => {
                    say!("{count} doors, {astray} of them not as they are told to be");
                }
            }
        }
        Ok(if astray > 0 { Outcome::Unsound } else { Outcome::Done })
    })
}

/// Whether a door has told anything, or was told anything.
fn is_anything(door: &WireDoor) -> bool {
    door.is_open.is_some() || door.is_locked.is_some() || door.order.is_some()
}

fn show_one(door: &str, to: &Connect) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut operator = connect(to, OPERATORS).await?.operator();
        let told = operator.doors().await?;
        operator.close().await;
        let is_meant = |it: &&WireDoor| it.door.as_str() == door && is_anything(it);
        let Some(door) = told.doors.iter().find(is_meant) else {
            return Err(Failure::new(format!(
                "door {door} has told nothing and is told nothing; `ach door list` tells which do"
            )));
        };
        say!("{}", if to.json { door_object(door).to_string() } else { door_line(door) });
        Ok(if is_astray(door) { Outcome::Unsound } else { Outcome::Done })
    })
}

/// Does what was asked of a lockdown or an evacuation.
pub(crate) fn emergency(kind: EmergencyKind, wish: &Emergency) -> Result<Outcome, Failure> {
    match wish {
        Emergency::Start(start) => begin(kind, start),
        Emergency::End(what) => end(kind, what),
        Emergency::List(to) => running(kind, to),
    }
}

fn begin(kind: EmergencyKind, start: &Start) -> Result<Outcome, Failure> {
    let what = &start.what;
    let wish = wire_wish(kind, what, nanoseconds(start.length));
    runtime()?.block_on(async {
        let mut operator = connect(&what.connect, OPERATORS).await?.operator();
        operator.declare(wish.clone()).await?;
        let told = operator.doors().await?;
        let begun = told.emergencies.iter().find(|it| {
            (it.kind, &it.zone, &it.label, it.practice)
                == (wish.kind, &wish.zone, &wish.label, wish.practice)
        });
        if let Some(begun) = begun {
            let text = emergency_object(begun).to_string();
            say!("{}", if what.connect.json { text } else { emergency_line(begun) });
        }
        let moves = wish.practice != Practice::Exercise;
        let wait = if moves { start.wait } else { Duration::ZERO };
        let doors = wait_for(&mut operator, &Whose::Slot(kind), wait).await?;
        operator.close().await;
        if !moves {
            return Ok(Outcome::Done);
        }
        let meant = begun.map_or(0, |begun| usize::try_from(begun.door_count).unwrap_or(0));
        if let Some(others) = meant.checked_sub(doors.len()).filter(|others| *others > 0) {
            let why = "fire, a release or a key switch counts for more, or they are set aside";
            if !what.connect.json {
                say!("{others} doors are told otherwise: {why}");
            }
        }
        let astray = doors.iter().filter(|door| is_astray(door)).count();
        if what.connect.json {
            say!(
                "{}",
                json!({ "event": "following", "door_count": doors.len(), "astray_count": astray })
            );
        } else {
            say!("{} doors are told so, {astray} of them do not follow yet", doors.len());
        }
        for door in doors.iter().filter(|door| is_astray(door)) {
            say!(
                "{}",
                if what.connect.json { door_object(door).to_string() } else { door_line(door) }
            );
        }
        Ok(if astray > 0 && !wait.is_zero() { Outcome::Unsound } else { Outcome::Done })
    })
}

fn end(kind: EmergencyKind, what: &Declared) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut operator = connect(&what.connect, OPERATORS).await?.operator();
        operator.declare(wire_wish(kind, what, 0)).await?;
        operator.close().await;
        if what.connect.json {
            say!("{}", json!({ "event": "emergency_ended" }));
        } else {
            say!("ended; doors do what they are told otherwise");
        }
        Ok(Outcome::Done)
    })
}

fn running(kind: EmergencyKind, to: &Connect) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut operator = connect(to, OPERATORS).await?.operator();
        let told = operator.doors().await?;
        operator.close().await;
        let of_kind: Vec<_> = told.emergencies.iter().filter(|it| it.kind == kind).collect();
        for emergency in &of_kind {
            say!(
                "{}",
                if to.json {
                    emergency_object(emergency).to_string()
                } else {
                    emergency_line(emergency)
                }
            );
        }
        if of_kind.is_empty() && !to.json {
            say!("none runs");
        }
        Ok(Outcome::Done)
    })
}

fn wire_wish(kind: EmergencyKind, what: &Declared, for_ns: u64) -> WireEmergencyWish {
    let practice = match (what.drill, what.exercise) {
        (true, _) => Practice::Drill,
        (_, true) => Practice::Exercise,
        _ => Practice::Real,
    };
    WireEmergencyWish {
        kind,
        zone: what.zone.clone(),
        label: what.label.clone(),
        practice,
        for_ns,
        key: None,
        void_at: None,
        person: what.person.clone(),
        remark: what.reason.clone(),
    }
}
