//! What the node told while a use case was played.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmId, AlarmKind, AlarmPriority, AlarmTransition, Name, Timestamp};
use ach_clients_rust::{AlarmNote, Thing, WireDoorOrder};
use serde::Serialize;

/// An alarm, from when it was raised until it was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToldAlarm {
    pub(crate) id: AlarmId,
    pub(crate) kind: AlarmKind,
    pub(crate) priority: AlarmPriority,
    pub(crate) subject: Option<Name>,
    pub(crate) place: Option<Name>,
    pub(crate) rule: Option<Name>,
    pub(crate) raised_at: Timestamp,
    pub(crate) passed_on_to: Vec<Name>,
    pub(crate) over: Option<(AlarmTransition, Timestamp)>,
}

/// All that was told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) alarms: Vec<ToldAlarm>,
    pub(crate) orders: Vec<WireDoorOrder>,
    by_id: BTreeMap<AlarmId, usize>,
}

impl Told {
    /// Writes down what became of an alarm.
    pub(crate) fn take(&mut self, note: &AlarmNote) {
        let index = *self.by_id.entry(note.id).or_insert_with(|| {
            self.alarms.push(ToldAlarm {
                id: note.id,
                kind: note.kind,
                priority: note.priority,
                subject: note.subject.clone(),
                place: place_of(&note.place),
                rule: note.rule.clone(),
                raised_at: note.changed_at,
                passed_on_to: Vec::new(),
                over: None,
            });
            self.alarms.len() - 1
        });
        let Some(alarm) = self.alarms.get_mut(index) else { return };
        if note.transition == AlarmTransition::Escalated {
            let to = note.life.as_ref().and_then(|life| life.escalated_to.clone());
            alarm.passed_on_to.extend(to);
        }
        alarm.over = (!note.state.is_retained()).then_some((note.transition, note.changed_at));
    }
}

/// The id of a place; the site has none, and a tag is told by who bears it.
pub(crate) fn place_of(thing: &Thing) -> Option<Name> {
    match thing {
        Thing::Site | Thing::Tag(_) => None,
        Thing::Zone(id)
        | Thing::Door(id)
        | Thing::Line(id)
        | Thing::Source(id)
        | Thing::Anchor(id)
        | Thing::Subject(id) => Some(id.clone()),
    }
}

/// A word of the model as people read it.
pub(crate) fn spaced(word: impl Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(text)) => text.replace('_', " "),
        other => format!("{other:?}"),
    }
}

/// An alarm in a few words: how urgent, what, whom, where, by which rule.
pub(crate) fn alarm_words(
    (priority, kind): (AlarmPriority, AlarmKind),
    subject: Option<&Name>,
    place: Option<&Name>,
    rule: Option<&Name>,
) -> String {
    let subject = subject.map(|it| format!(" {it}")).unwrap_or_default();
    let place = place.map(|it| format!(" at {it}")).unwrap_or_default();
    let rule = rule.map(|it| format!(", rule {it}")).unwrap_or_default();
    format!("{} {}{subject}{place}{rule}", spaced(priority), spaced(kind))
}

impl ToldAlarm {
    /// In a few words.
    pub(crate) fn words(&self) -> String {
        let what = (self.priority, self.kind);
        alarm_words(what, self.subject.as_ref(), self.place.as_ref(), self.rule.as_ref())
    }
}

/// What doors are told, without which ones.
pub(crate) fn order_words(order: &WireDoorOrder) -> String {
    let by = order.slot.map_or_else(|| "as it rests".to_owned(), |it| format!("by {}", spaced(it)));
    let drill = if order.is_drill { ", drill" } else { "" };
    format!("{} {by}{drill}", spaced(order.mode))
}
