//! An alarm as one line for people.

use ach_actors_model::{AlarmKind, AlarmPriority, AlarmState, AlarmTransition};
use ach_engine_wire::{AlarmNote, LifeNote, ProvisionalReason, Storage, Thing};
use owo_colors::{OwoColorize, Style};

use super::spaced;
use crate::moment::{length, time_of_day};

/// Digits of an incident's id that are shown, as `ach alarms open` shows those of an alarm's.
const ID_DIGITS: usize = 8;

/// What a person must know: when, how urgent, what, whom, where, how sure, how fast. `name` turns a
/// thing into the name people use for it.
pub(crate) fn alarm_line(
    note: &AlarmNote,
    latency_us: Option<u64>,
    name: impl Fn(&Thing) -> String,
) -> String {
    let mut parts = vec![format!("{:<22}", spaced(note.kind))];
    if note.kind == AlarmKind::SelfTest {
        parts.push("A TEST, nothing is wrong".to_owned());
    }
    if let Some(subject) = &note.subject {
        parts.push(name(&Thing::Subject(subject.clone())));
    }
    match &note.place {
        Thing::Site => {}
        place => parts.push(format!("at {}", name(place))),
    }
    if note.transition != AlarmTransition::Raised {
        parts.push(spaced(note.transition));
    } else if note.is_tentative {
        parts.push("tentative".to_owned());
    }
    if let Some(reason) = note.reason {
        parts.push(format!("({})", spaced(reason)));
    }
    if let Some(life) = note.life.as_ref().filter(|_| !note.transition.is_of_the_condition()) {
        parts.extend(life_words(note.transition, life));
    }
    if note.transition == AlarmTransition::Raised {
        parts.extend(beside_others(note));
    }
    let marks = [(note.is_late, "late"), (note.is_drill, "in a drill")];
    parts.extend(marks.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| (*word).to_owned()));
    match note.storage {
        Storage::Provisional(ProvisionalReason::NoDisk) => {
            parts.push("not stored: no disk".to_owned());
        }
        Storage::Provisional(ProvisionalReason::NoQuorum) => {
            parts.push("not stored: no quorum".to_owned());
        }
        Storage::Withdrawn => parts.push("withdrawn".to_owned()),
        Storage::Provisional(ProvisionalReason::None) | Storage::Durable => {}
    }
    if let Some(rule) = &note.rule {
        parts.push(format!("rule {rule}"));
    }
    if let Some(latency_us) = latency_us {
        parts.push(length(latency_us));
    }
    let is_answered = note.state.is_any(AlarmState::ACKNOWLEDGED);
    let calls = !note.state.is_quiet() && !is_answered;
    if note.transition == AlarmTransition::Raised && !calls {
        parts.push(spaced(note.state.name()));
    }
    let heading = match note.transition {
        AlarmTransition::Raised if note.kind == AlarmKind::SelfTest => "test ",
        AlarmTransition::Raised if !calls => "open ",
        AlarmTransition::Raised => "ALARM",
        AlarmTransition::Upheld => "alarm",
        AlarmTransition::Retracted | AlarmTransition::Cleared => "ended",
        AlarmTransition::Escalated | AlarmTransition::Realarmed => "AGAIN",
        _ => "done ",
    };
    let (word, style) = match note.priority {
        AlarmPriority::High => ("high", Style::new().red().bold()),
        AlarmPriority::Medium => ("medium", Style::new().yellow().bold()),
        AlarmPriority::Low => ("low", Style::new().cyan()),
    };
    let is_new = matches!(
        note.transition,
        AlarmTransition::Raised | AlarmTransition::Escalated | AlarmTransition::Realarmed
    ) && calls;
    let style = if is_new { style } else { Style::new().dimmed() };
    let head = format!("{heading} {word:<6}");
    format!("{}  {}  {}", time_of_day(note.changed_at), head.style(style), parts.join("  "))
}

/// Which alarm of its incident it is, and whether the same comes and goes.
fn beside_others(note: &AlarmNote) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(incident) = note.incident.as_ref().filter(|incident| incident.place > 1) {
        let worse = if incident.is_raising { ", raises it" } else { "" };
        let id: String = incident.id.to_string().chars().take(ID_DIGITS).collect();
        words.push(format!("{} of incident {id}{worse}", incident.place));
    }
    if note.state.is_any(AlarmState::CHATTERS) {
        words.push("chatters".to_owned());
    }
    words
}

/// Who did it, to whom, until when, and with which words.
fn life_words(transition: AlarmTransition, life: &LifeNote) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(life.by.as_ref().map(|by| format!("by {by}")));
    match transition {
        AlarmTransition::Assigned => {
            words.push(
                life.assignee.as_ref().map_or("to nobody".to_owned(), |to| format!("to {to}")),
            );
        }
        AlarmTransition::Escalated => {
            words.extend(life.escalated_to.as_ref().map(|to| format!("to {to}")));
        }
        AlarmTransition::Closed => {
            words.extend(life.cause.map(|cause| format!("as {}", spaced(cause))));
        }
        _ => words.extend(life.quiet_until.map(|until| format!("until {}", time_of_day(until)))),
    }
    words.extend(life.remark.as_ref().map(|remark| format!("\"{remark}\"")));
    words
}
