//! What frames say about alarms and what people do with them.

use ach_actors_model::{Name, Remark};
use ach_engine_wire::*;
use serde_json::{Value, json};

use super::{alarm_id, cause, cursor, doors, position, tag, text, thing, word};

pub(super) fn wish(wish: &Wish) -> Value {
    match wish {
        Wish::ReleaseActor(of) => json!({ "kind": 1, "thing": thing(of) }),
        Wish::QuarantineActor(of) => json!({ "kind": 2, "thing": thing(of) }),
        Wish::Act(it) => act(it),
        Wish::Quiet(it) => quiet(it),
        Wish::MoveDoor(it) => doors::wish(it),
        Wish::Declare(it) => doors::emergency_wish(it),
        Wish::Leave(it) => json!({ "kind": 7, "leave": leave(it) }),
        Wish::Band(it) => json!({ "kind": 8, "band": band(it) }),
    }
}

fn act(it: &ActWish) -> Value {
    json!({
        "kind": 3,
        "act": {
            "alarm": format!("{}", it.alarm),
            "act": word(&it.act),
            "to": it.to.as_ref().map(Name::as_str),
            "for_ns": it.for_ns.map(text),
            "cause": it.cause.map(|cause| word(&cause)),
            "person": it.person.as_ref().map(Name::as_str),
            "remark": it.remark.as_ref().map(Remark::as_str),
        },
    })
}

fn quiet(it: &QuietOrder) -> Value {
    json!({
        "kind": 4,
        "quiet": {
            "place": it.place.as_ref().map(thing),
            "rule": it.rule.as_ref().map(Name::as_str),
            "kind": word(&it.kind),
            "for_ns": text(it.for_ns),
            "person": it.person.as_ref().map(Name::as_str),
            "remark": it.remark.as_ref().map(Remark::as_str),
        },
    })
}

fn leave(it: &LeaveOrder) -> Value {
    json!({
        "subject": it.subject.as_str(),
        "for_ns": it.for_ns.map(text),
        "places": it.places.iter().map(thing).collect::<Vec<_>>(),
        "is_until_back": it.is_until_back,
        "escort": it.escort.as_ref().map(Name::as_str),
        "within_mm": it.within_mm,
        "gap_ns": it.gap_ns.map(text),
        "person": it.person.as_ref().map(Name::as_str),
        "reason": it.reason.as_ref().map(Remark::as_str),
    })
}

fn band(it: &BandOrder) -> Value {
    json!({
        "subject": it.subject.as_str(),
        "tag": tag(it.tag),
        "for_ns": it.for_ns.map(text),
        "person": it.person.as_ref().map(Name::as_str),
        "reason": it.reason.as_ref().map(Remark::as_str),
    })
}

/// Who has leave.
pub(super) fn leaves(it: &Leaves) -> Value {
    let one = |it: &WireLeave| {
        json!({
            "subject": it.subject.as_str(),
            "given_at": text(it.given_at.0),
            "until": text(it.until.0),
            "places": it.places.iter().map(thing).collect::<Vec<_>>(),
            "is_until_back": it.is_until_back,
            "escort": it.escort.as_ref().map(Name::as_str),
            "within_mm": it.within_mm,
            "gap_ns": it.gap_ns.map(text),
            "by": it.by.as_str(),
            "reason": it.reason.as_str(),
        })
    };
    let leaves: Vec<Value> = it.leaves.iter().map(one).collect();
    json!({ "query": text(it.query), "leaves": leaves, "is_last": it.is_last })
}

pub(super) fn life(it: &LifeNote) -> Value {
    let act = |act: &Option<ActNote>| {
        let act = act.as_ref();
        act.map(|act| json!({ "by": act.by.as_str(), "at": text(act.at.0) }))
    };
    json!({
        "revision": it.revision,
        "by": it.by.as_ref().map(Name::as_str),
        "remark": it.remark.as_ref().map(Remark::as_str),
        "acknowledged": act(&it.acknowledged),
        "confirmed": act(&it.confirmed),
        "closed": act(&it.closed),
        "cause": it.cause.map(|cause| word(&cause)),
        "assignee": it.assignee.as_ref().map(Name::as_str),
        "quiet_until": it.quiet_until.map(|at| text(at.0)),
        "level": it.level,
        "escalated_to": it.escalated_to.as_ref().map(Name::as_str),
        "comment_count": it.comment_count,
    })
}

/// What is quiet.
pub(super) fn quiet_list(it: &QuietList) -> Value {
    let one = |it: &WireQuiet| {
        json!({
            "way": it.way.0,
            "place": it.place.as_ref().map(thing),
            "rule": it.rule.as_ref().map(Name::as_str),
            "kind": it.kind.map(|kind| word(&kind)),
            "subject": it.subject.as_ref().map(Name::as_str),
            "until": text(it.until.0),
            "waits_for_ns": it.waits_for_ns.map(text),
            "by": it.by.as_str(),
            "asked_by": it.asked_by.as_ref().map(Name::as_str),
            "remark": it.remark.as_ref().map(Remark::as_str),
            "alarm": it.alarm.map(alarm_id),
        })
    };
    json!({
        "query": text(it.query),
        "things": it.things.iter().map(one).collect::<Vec<_>>(),
        "is_last": it.is_last,
    })
}

fn door(it: &DoorNote) -> Value {
    let at = |at: Option<ach_actors_model::Timestamp>| at.map(|at| text(at.0));
    json!({
        "granted_at": at(it.granted_at),
        "granted_until": at(it.granted_until),
        "requested_at": at(it.requested_at),
        "requested_until": at(it.requested_until),
        "lock_at": at(it.lock_at),
        "is_drawn_back": it.is_drawn_back,
        "near": it.near.iter().map(Name::as_str).collect::<Vec<_>>(),
        "granted_to": it.granted_to.as_ref().map(Name::as_str),
    })
}

fn incident(it: &IncidentNote) -> Value {
    json!({ "id": alarm_id(it.id), "place": it.place, "is_raising": it.is_raising })
}

fn response(it: &ResponseNote) -> Value {
    json!({
        "tell": it.tell.iter().map(Name::as_str).collect::<Vec<_>>(),
        "doors": it.doors.iter().map(Name::as_str).collect::<Vec<_>>(),
        "until": it.until.map(|until| text(until.0)),
    })
}

/// An alarm's note.
pub(super) fn alarm(it: &AlarmNote) -> Value {
    json!({
        "id": alarm_id(it.id),
        "transition": word(&it.transition),
        "reason": it.reason.as_ref().map(|reason| word(reason)),
        "kind": word(&it.kind),
        "priority": word(&it.priority),
        "rule": it.rule.as_ref().map(Name::as_str),
        "site_version": it.site_version,
        "episode": it.episode,
        "subject": it.subject.as_ref().map(Name::as_str),
        "tag": it.tag.map(tag),
        "place": thing(&it.place),
        "is_tentative": it.is_tentative,
        "is_late": it.is_late,
        "is_drill": it.is_drill,
        "cause": cause(&it.cause),
        "observed_at": text(it.observed_at.0),
        "received_at": text(it.received_at.0),
        "changed_at": text(it.changed_at.0),
        "position": it.position.map(position),
        "accuracy_mm": it.accuracy_mm,
        "gates_passed": it.gates_passed,
        "storage": word(&it.storage),
        "cursor": it.cursor.map(cursor),
        "fencing_epoch": text(it.fencing_epoch),
        "is_resent": it.is_resent,
        "state": it.state.0,
        "life": it.life.as_deref().map(life),
        "incident": it.incident.as_ref().map(incident),
        "door": it.door.as_deref().map(door),
        "response": it.response.as_deref().map(response),
    })
}
