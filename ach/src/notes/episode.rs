//! An alarm from when it was raised to when it ended, for people and for programs.

use ach_actors_model::{AlarmReason, IncidentMark, Name};
use ach_engine_review::{Episode, Fate};
use serde_json::{Value, json};

use super::{snake, spaced};
use crate::moment::{iso, length};

/// A place: what kind, and its id.
pub(crate) type PlaceId = (&'static str, Option<String>);

/// The place in words: `zone store`.
pub(crate) fn place_words((kind, id): PlaceId) -> String {
    match id {
        Some(id) => format!("{kind} {id}"),
        None => kind.to_owned(),
    }
}

/// What was wrong, how urgent it was, and what became of it.
pub(crate) fn episode_words(episode: &Episode) -> String {
    let why = |reason: Option<AlarmReason>| {
        reason.map_or_else(String::new, |reason| format!(": {}", spaced(reason)))
    };
    let after = length(episode.lasted_ns().unwrap_or_default() / 1_000);
    let fate = match episode.fate {
        Fate::Open => "still open".to_owned(),
        Fate::Retracted { reason, .. } => format!("retracted after {after}{}", why(reason)),
        Fate::Cleared { reason, .. } => format!("over after {after}{}", why(reason)),
    };
    let quietly = if episode.was_quiet { ", quietly" } else { "" };
    let drill = if episode.was_drill { ", in a drill" } else { "" };
    format!("{} ({}){quietly}{drill}, {fate}", spaced(episode.kind), snake(episode.priority))
}

/// What people did with it: nothing, or `, acknowledged after 12.4 s by nurse-7, closed as real`.
pub(crate) fn answer_words(episode: &Episode) -> String {
    let mut words = Vec::new();
    let by = |who: &Option<Name>| who.as_ref().map_or_else(String::new, |who| format!(" by {who}"));
    if let Some(at) = episode.acknowledged_at {
        let after = length(at.since_ns(episode.raised_at) / 1_000);
        words.push(format!(", acknowledged after {after}{}", by(&episode.acknowledged_by)));
    }
    match episode.escalated_count {
        0 => {}
        1 => words.push(", passed on".to_owned()),
        times => words.push(format!(", passed on {times} times")),
    }
    if let Some(cause) = episode.cause {
        words.push(format!(", closed as {}{}", spaced(cause), by(&episode.closed_by)));
    }
    if episode.ended_at().is_some() && !episode.has_had_all() {
        words.push(", unanswered".to_owned());
    }
    words.concat()
}

/// The same for programs; `subject` is the id of whom it was about.
pub(crate) fn episode_object(
    episode: &Episode,
    subject: Option<&str>,
    (kind, id): PlaceId,
) -> Value {
    let (fate, reason) = match episode.fate {
        Fate::Open => ("open", None),
        Fate::Retracted { reason, .. } => ("retracted", reason),
        Fate::Cleared { reason, .. } => ("cleared", reason),
    };
    json!({
        "id": episode.id.to_string(),
        "rule": episode.rule.as_deref(),
        "kind": snake(episode.kind),
        "priority": snake(episode.priority),
        "subject": subject,
        "place": json!({ "kind": kind, "id": id }),
        "raised_at": iso(episode.raised_at),
        "was_tentative": episode.was_tentative,
        "was_quiet": episode.was_quiet,
        "was_drill": episode.was_drill,
        "upheld_at": episode.upheld_at.map(iso),
        "fate": fate,
        "reason": reason.map(snake),
        "ended_at": episode.ended_at().map(iso),
        "acknowledged_at": episode.acknowledged_at.map(iso),
        "acknowledged_by": episode.acknowledged_by.as_ref().map(Name::as_str),
        "escalated_count": episode.escalated_count,
        "closed_at": episode.closed_at.map(iso),
        "closed_by": episode.closed_by.as_ref().map(Name::as_str),
        "cause": episode.cause.map(snake),
        "over_at": episode.over_at.map(iso),
        "incident": episode.incident.map(incident_object),
    })
}

/// Which incident an alarm belongs to, for programs.
pub(crate) fn incident_object(mark: IncidentMark) -> Value {
    json!({ "id": mark.id.to_string(), "place": mark.place, "is_raising": mark.is_raising })
}
