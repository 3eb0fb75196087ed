//! An alarm as a JSON object. The fields are stable: programs rely on them.

use ach_actors_model::{AlarmState, Name, Timestamp};
use ach_engine_wire::{
    ActNote, AlarmNote, AlarmSettled, DoorNote, LifeNote, ProvisionalReason, Storage, Thing,
    WireCause,
};
use serde_json::{Map, Value, json};

use super::snake;
use crate::moment::iso;

/// What became of an alarm. `event` is `alarm` for a new one, with which nobody has done anything, and
/// `alarm_change` for any other note.
pub(crate) fn alarm_object(note: &AlarmNote, latency_us: Option<u64>) -> Value {
    let is_done_with = note.life.as_ref().is_some_and(|life| life.revision > 0);
    let is_new = note.transition == ach_actors_model::AlarmTransition::Raised && !is_done_with;
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("event", json!(if is_new { "alarm" } else { "alarm_change" }));
    put("id", json!(note.id.to_string()));
    put("transition", json!(snake(note.transition)));
    put("storage", json!(storage_word(note.storage)));
    put("kind", json!(snake(note.kind)));
    put("priority", json!(snake(note.priority)));
    put("subject", json!(note.subject.as_ref().map(Name::as_str)));
    put("tag", json!(note.tag.map(|tag| tag.to_string())));
    put("place", thing_object(&note.place));
    put("rule", json!(note.rule.as_ref().map(Name::as_str)));
    put("reason", json!(note.reason.map(snake)));
    put("site_version", json!(note.site_version));
    put("episode", json!(note.episode));
    put("is_tentative", json!(note.is_tentative));
    put("is_late", json!(note.is_late));
    put("is_drill", json!(note.is_drill));
    put("is_resent", json!(note.is_resent));
    put("observed_at", json!(iso(note.observed_at)));
    put("received_at", json!(iso(note.received_at)));
    put("changed_at", json!(iso(note.changed_at)));
    put("cause", cause_object(&note.cause));
    put("latency_us", json!(latency_us));
    put("state", json!(snake(note.state.name())));
    put("flags", json!(flag_words(note.state)));
    if let Some(life) = &note.life {
        put("life", life_object(life));
    }
    if let Some(incident) = &note.incident {
        let id = incident.id.to_string();
        let (place, is_raising) = (incident.place, incident.is_raising);
        put("incident", json!({ "id": id, "place": place, "is_raising": is_raising }));
    }
    if let Some(door) = &note.door {
        put("door", door_object(door));
    }
    if let Some(position) = note.position {
        put(
            "position",
            json!({
                "x_mm": position.x_mm,
                "y_mm": position.y_mm,
                "z_mm": position.z_mm,
                "floor": position.floor.map(|floor| f64::from(floor.0) / 100.0),
                "accuracy_mm": note.accuracy_mm,
            }),
        );
    }
    Value::Object(object)
}

/// What was known of a door that was forced.
fn door_object(door: &DoorNote) -> Value {
    let pass = |at: Option<Timestamp>, until: Option<Timestamp>| {
        at.map(|at| json!({ "at": iso(at), "until": until.map(iso) }))
    };
    let lock = door.lock_at.map(|at| json!({ "at": iso(at), "is_drawn_back": door.is_drawn_back }));
    json!({
        "granted": pass(door.granted_at, door.granted_until),
        "requested": pass(door.requested_at, door.requested_until),
        "lock": lock,
        "near": door.near.iter().map(Name::as_str).collect::<Vec<_>>(),
        "granted_to": door.granted_to.as_ref().map(Name::as_str),
    })
}

/// The flags of a state, by the names of `docs/specs/alarm-life.md`.
fn flag_words(state: AlarmState) -> Vec<&'static str> {
    const WORDS: [(AlarmState, &str); 15] = [
        (AlarmState::ACTIVE, "active"),
        (AlarmState::LATCHED, "latched"),
        (AlarmState::ACKNOWLEDGED, "acknowledged"),
        (AlarmState::CONFIRMED, "confirmed"),
        (AlarmState::CLOSED, "closed"),
        (AlarmState::SHELVED, "shelved"),
        (AlarmState::SUPPRESSED, "suppressed"),
        (AlarmState::OUT_OF_SERVICE, "out_of_service"),
        (AlarmState::RETAINED, "retained"),
        (AlarmState::NEEDS_ACKNOWLEDGING, "needs_acknowledging"),
        (AlarmState::NEEDS_CONFIRMING, "needs_confirming"),
        (AlarmState::NEEDS_CLOSING, "needs_closing"),
        (AlarmState::LATCHES, "latches"),
        (AlarmState::LIFE_SAFETY, "life_safety"),
        (AlarmState::CHATTERS, "chatters"),
    ];
    WORDS.iter().filter(|(flag, _)| state.is_any(*flag)).map(|&(_, word)| word).collect()
}

/// What people and timers did with it.
fn life_object(life: &LifeNote) -> Value {
    let name = |name: &Option<Name>| json!(name.as_ref().map(Name::as_str));
    let act = |act: &Option<ActNote>| {
        json!(act.as_ref().map(|act| json!({ "by": act.by.as_str(), "at": iso(act.at) })))
    };
    json!({
        "revision": life.revision,
        "by": name(&life.by),
        "remark": life.remark.as_ref().map(ToString::to_string),
        "acknowledged": act(&life.acknowledged),
        "confirmed": act(&life.confirmed),
        "closed": act(&life.closed),
        "cause": life.cause.map(snake),
        "assignee": name(&life.assignee),
        "quiet_until": life.quiet_until.map(iso),
        "level": life.level,
        "escalated_to": name(&life.escalated_to),
        "comment_count": life.comment_count,
    })
}

/// An alarm's note has become durable, or was withdrawn.
pub(crate) fn settled_object(settled: &AlarmSettled) -> Value {
    json!({
        "event": "alarm_settled",
        "id": settled.id.to_string(),
        "transition": snake(settled.transition),
        "storage": storage_word(settled.storage),
    })
}

fn storage_word(storage: Storage) -> &'static str {
    match storage {
        Storage::Provisional(ProvisionalReason::None) => "provisional",
        Storage::Provisional(ProvisionalReason::NoDisk) => "provisional_no_disk",
        Storage::Provisional(ProvisionalReason::NoQuorum) => "provisional_no_quorum",
        Storage::Durable => "durable",
        Storage::Withdrawn => "withdrawn",
    }
}

/// A thing: what kind, and its id.
pub(crate) fn thing_object(thing: &Thing) -> Value {
    match thing {
        Thing::Site => json!({ "kind": "site" }),
        Thing::Zone(id) => json!({ "kind": "zone", "id": id.as_str() }),
        Thing::Door(id) => json!({ "kind": "door", "id": id.as_str() }),
        Thing::Line(id) => json!({ "kind": "line", "id": id.as_str() }),
        Thing::Tag(id) => json!({ "kind": "tag", "id": id.to_string() }),
        Thing::Source(id) => json!({ "kind": "feed", "id": id.as_str() }),
        Thing::Anchor(id) => json!({ "kind": "anchor", "id": id.as_str() }),
        Thing::Subject(id) => json!({ "kind": "subject", "id": id.as_str() }),
    }
}

fn cause_object(cause: &WireCause) -> Value {
    match cause {
        WireCause::Input(input) => json!({
            "kind": "input",
            "feed": input.source.as_str(),
            "epoch": input.epoch,
            "seq": input.seq,
        }),
        WireCause::Deadline { due_at } => json!({ "kind": "deadline", "due_at": iso(*due_at) }),
        WireCause::SiteChange => json!({ "kind": "site_change" }),
        WireCause::Node => json!({ "kind": "node" }),
    }
}
