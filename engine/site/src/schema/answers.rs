//! The fields of `[[rule]]` about what people owe its alarms.

use ach_actors_model::StaysUntil;
use serde_json::{Value, json};

use super::tables::{table, words};
use crate::read::{ESCALATIONS_MAX, STAYS_UNTIL};

/// The fields.
pub(super) fn fields() -> Value {
    json!({
        "stays_until": words(
            "What must be done before an alarm whose condition has ended is over.",
            STAYS_UNTIL,
            |until| match until {
                StaysUntil::ConditionEnds => "Nothing: it is over with its condition.",
                StaysUntil::Acknowledged => "Somebody has acknowledged it.",
                StaysUntil::Confirmed => "It was acknowledged and confirmed.",
                StaysUntil::Closed => "It was acknowledged, and closed with a cause.",
            },
        ),
        "latches": {
            "description": "Whether an alarm whose condition has ended stands until somebody resets it.",
            "type": "boolean",
            "default": false,
        },
        "life_safety": {
            "description": "A life may hang on it: its alarms are never shelved, muted or out of service.",
            "type": "boolean",
            "default": false,
        },
        "escalate": {
            "description": "To whom an alarm is passed on while nobody acknowledges it, each later than the \
                            one before.",
            "type": "array",
            "maxItems": ESCALATIONS_MAX,
            "items": { "$ref": "#/$defs/escalation" },
        },
        "calls_again": {
            "description": "After how long an acknowledged alarm whose condition still holds calls again; \
                            a minute to a day.",
            "$ref": "#/$defs/span",
            "examples": ["15 min"],
        },
        "on_delay": {
            "description": "How long what it watches must hold before the alarm is raised; a second to an hour. Not for \
                            what happens in a moment, what has a time of its own, or what a life may hang on.",
            "$ref": "#/$defs/span",
            "examples": ["3 s"],
        },
        "off_delay": {
            "description": "How long it must be over before the alarm ends; a second to an hour. If it holds again \
                            meanwhile, it is the same alarm.",
            "$ref": "#/$defs/span",
            "examples": ["30 s"],
        },
    })
}

/// A step of `escalate`.
pub(super) fn escalation() -> Value {
    let mut step = table(&json!({
        "after": {
            "description": "How long nobody acknowledged it; a second to a day.",
            "$ref": "#/$defs/span",
            "examples": ["2 min"],
        },
        "to": {
            "description": "A role or person, by id.",
            "$ref": "#/$defs/id",
            "examples": ["charge-nurse"],
        },
    }));
    if let Some(step) = step.as_object_mut() {
        step.insert("required".to_owned(), json!(["after", "to"]));
    }
    step
}
