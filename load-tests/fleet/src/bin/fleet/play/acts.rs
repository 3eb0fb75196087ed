//! What an operator does in a use case: as words, and as wishes to the node.

use ach_actors_model::{
    AlarmAct, AlarmId, AlarmWish, DoorMode, EmergencyKind, NS_PER_S, Name, Practice, Remark,
};
use ach_clients_rust::{
    DoorActWord, LeaveOrder, Operator, OperatorError, WireDoorWish, WireEmergencyWish,
};

use super::told::spaced;
use super::use_case::{Deed, Spot};

/// A place as people read it.
pub(crate) fn spot_words(spot: &Spot) -> String {
    match spot {
        Spot::Named(name) => name.to_string(),
        Spot::Point([x_m, y_m, storey]) => format!("{x_m} m, {y_m} m on storey {storey}"),
    }
}

/// What the operator does, after "the desk".
pub(crate) fn words(deed: &Deed) -> String {
    match deed {
        Deed::StartsLockdown { zone, label, practice, .. } => {
            format!("declares {}", emergency("lockdown", zone.as_ref(), label.as_ref(), *practice))
        }
        Deed::EndsLockdown { zone, label, practice } => {
            format!("ends {}", emergency("lockdown", zone.as_ref(), label.as_ref(), *practice))
        }
        Deed::StartsEvacuation { zone, label, practice, .. } => {
            format!(
                "declares {}",
                emergency("evacuation", zone.as_ref(), label.as_ref(), *practice)
            )
        }
        Deed::EndsEvacuation { zone, label, practice } => {
            format!("ends {}", emergency("evacuation", zone.as_ref(), label.as_ref(), *practice))
        }
        Deed::MovesDoor { door, mode, minutes, .. } => {
            format!("has door {door} {} for {minutes} min", spaced(*mode))
        }
        Deed::GivesDoorBack { door } => format!("gives door {door} back"),
        Deed::Acknowledges { alarm, .. } => format!("acknowledges alarm {alarm}"),
        Deed::ClosesAlarm { alarm, cause, .. } => {
            format!("closes alarm {alarm} as {}", spaced(*cause))
        }
        Deed::GivesLeave { subject, escort, minutes, .. } => {
            let with = escort.as_ref().map(|it| format!(" with {it}")).unwrap_or_default();
            format!("gives {subject} leave for {minutes} min{with}")
        }
        Deed::EndsLeave { subject } => format!("ends the leave of {subject}"),
        _ => "does nothing".to_owned(),
    }
}

fn emergency(what: &str, zone: Option<&Name>, label: Option<&Name>, practice: Practice) -> String {
    let drill = match practice {
        Practice::Real => "",
        Practice::Drill => ", a drill",
        Practice::Exercise => ", an exercise",
    };
    match (zone, label) {
        (Some(zone), _) => format!("{what} of zone {zone}{drill}"),
        (None, Some(label)) => format!("{what} of all doors labelled {label}{drill}"),
        (None, None) => format!("{what} of the site{drill}"),
    }
}

/// Wishes it of the node, and waits until it is done.
///
/// # Errors
///
/// The node refused, or did not answer.
pub(crate) async fn wish(
    operator: &mut Operator,
    deed: &Deed,
    alarm: Option<AlarmId>,
) -> Result<(), OperatorError> {
    if let Some(wish) = declaration(deed) {
        operator.declare(wish).await?;
    } else if let Some(wish) = of_door(deed) {
        operator.move_door(wish).await?;
    } else if let Some(order) = of_leave(deed) {
        operator.leave(order).await?;
    } else if let Some((alarm, (act, remark))) = alarm.zip(of_alarm(deed)) {
        operator.act(AlarmWish { alarm, act, person: None, remark }).await?;
    }
    Ok(())
}

fn minutes_ns(minutes: u32) -> u64 {
    u64::from(minutes) * 60 * NS_PER_S
}

fn declaration(deed: &Deed) -> Option<WireEmergencyWish> {
    use EmergencyKind::{Evacuation, Lockdown};
    let (kind, zone, label, practice, minutes, remark) = match deed {
        Deed::StartsLockdown { zone, label, practice, minutes, reason } => {
            (Lockdown, zone, label, practice, *minutes, Some(reason.clone()))
        }
        Deed::StartsEvacuation { zone, label, practice, minutes, reason } => {
            (Evacuation, zone, label, practice, *minutes, Some(reason.clone()))
        }
        Deed::EndsLockdown { zone, label, practice } => (Lockdown, zone, label, practice, 0, None),
        Deed::EndsEvacuation { zone, label, practice } => {
            (Evacuation, zone, label, practice, 0, None)
        }
        _ => return None,
    };
    Some(WireEmergencyWish {
        kind,
        zone: zone.clone(),
        label: label.clone(),
        practice: *practice,
        for_ns: minutes_ns(minutes),
        key: None,
        void_at: None,
        person: None,
        remark,
    })
}

fn of_door(deed: &Deed) -> Option<WireDoorWish> {
    type Moved = Option<(DoorMode, u32, Remark)>;
    let (door, act, moved): (_, _, Moved) = match deed {
        Deed::MovesDoor { door, mode, minutes, reason } => {
            (door, DoorActWord::Move, Some((*mode, *minutes, reason.clone())))
        }
        Deed::GivesDoorBack { door } => (door, DoorActWord::GiveBack, None),
        _ => return None,
    };
    Some(WireDoorWish {
        door: door.clone(),
        act,
        mode: moved.as_ref().map(|(mode, ..)| *mode),
        for_ns: moved.as_ref().map(|(_, minutes, _)| minutes_ns(*minutes)),
        key: None,
        void_at: None,
        person: None,
        remark: moved.map(|(.., reason)| reason),
    })
}

fn of_leave(deed: &Deed) -> Option<LeaveOrder> {
    let (subject, escort, given) = match deed {
        Deed::GivesLeave { subject, escort, minutes, reason } => {
            (subject, escort.clone(), Some((*minutes, reason.clone())))
        }
        Deed::EndsLeave { subject } => (subject, None, None),
        _ => return None,
    };
    Some(LeaveOrder {
        subject: subject.clone(),
        for_ns: given.as_ref().map(|(minutes, _)| minutes_ns(*minutes)),
        places: Vec::new(),
        is_until_back: false,
        escort,
        within_mm: None,
        gap_ns: None,
        person: None,
        reason: given.map(|(_, reason)| reason),
    })
}

fn of_alarm(deed: &Deed) -> Option<(AlarmAct, Option<Remark>)> {
    Some(match deed {
        Deed::Acknowledges { remark, .. } => (AlarmAct::Acknowledge, remark.clone()),
        Deed::ClosesAlarm { cause, remark, .. } => {
            (AlarmAct::Close { cause: *cause }, remark.clone())
        }
        _ => return None,
    })
}
