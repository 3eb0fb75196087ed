//! Wishes about doors in words and as objects.

use ach_actors_model::{
    CommandKind, DoorAct, DoorMode, DoorScope, DoorWish, EmergencyKind, EmergencyWish, EntityRef,
    NS_PER_S, Name, Remark,
};
use serde_json::{Value, json};

use super::site_names::SiteNames;

/// The word for a wish about a door.
pub(super) fn door_word(act: DoorAct) -> &'static str {
    match act {
        DoorAct::Move { mode: DoorMode::Unlocked, .. } => "unlock",
        DoorAct::Move { mode: DoorMode::Locked, .. } => "lock",
        DoorAct::Move { mode: DoorMode::Blocked, .. } => "block",
        DoorAct::GiveBack => "give_back",
        DoorAct::Release => "let_out",
        DoorAct::EndRelease => "end_letting_out",
        DoorAct::EndFire => "end_fire",
    }
}

/// The word for a wish about many.
pub(super) fn emergency_word(wish: &EmergencyWish) -> &'static str {
    match (wish.kind, wish.for_ns) {
        (EmergencyKind::Lockdown, 0) => "end_lockdown",
        (EmergencyKind::Lockdown, _) => "lockdown",
        (EmergencyKind::Evacuation, 0) => "end_evacuation",
        (EmergencyKind::Evacuation, _) => "evacuation",
    }
}

/// All that such a wish says.
pub(super) fn object(kind: &CommandKind, names: &SiteNames) -> Value {
    match kind {
        CommandKind::MoveDoor(DoorWish { act, person, remark, .. }) => {
            let for_s = match act {
                DoorAct::Move { for_ns, .. } => Some(for_ns / NS_PER_S),
                _ => None,
            };
            json!({
                "for_s": for_s,
                "person": person.as_ref().map(Name::as_str),
                "reason": remark.as_ref().map(Remark::as_str),
            })
        }
        CommandKind::Declare(wish) => {
            let zone = match wish.scope {
                DoorScope::Zone(zone) => Some(names.thing(EntityRef::Zone(zone)).1),
                _ => None,
            };
            let label = match &wish.scope {
                DoorScope::Label(label) => Some(label.as_str()),
                _ => None,
            };
            json!({
                "zone": zone,
                "label": label,
                "practice": wish.practice,
                "for_s": wish.for_ns / NS_PER_S,
                "person": wish.person.as_ref().map(Name::as_str),
                "reason": wish.remark.as_ref().map(Remark::as_str),
            })
        }
        _ => Value::Null,
    }
}
