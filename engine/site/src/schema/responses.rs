//! The table `[[response]]`: what happens at once when a rule raises an alarm.

use ach_actors_model::DoorMode;
use serde_json::{Value, json};

use super::tables::{table, words};
use crate::read::LOCKS;
use crate::response_plan::{LOCKED_DOORS_MAX, RESPONSES_OF_RULE_MAX, TOLD_MAX};

/// The field of `[[rule]]`.
pub(super) fn fields() -> Value {
    json!({
        "responses": {
            "description": "What happens at once when it raises an alarm, by the ids of [[response]].",
            "type": "array",
            "maxItems": RESPONSES_OF_RULE_MAX,
            "uniqueItems": true,
            "items": { "$ref": "#/$defs/id" },
        },
    })
}

/// The table.
pub(super) fn response() -> Value {
    let mut response = table(&json!({
        "id": {
            "description": "The name that rules give under `responses`.",
            "$ref": "#/$defs/id",
            "examples": ["hold-ward"],
        },
        "lock": {
            "description": "The doors it locks: all that are named or labelled.",
            "$ref": "#/$defs/lock",
        },
        "as": words("What these doors do; without it, locked.", LOCKS, |mode| match mode {
            DoorMode::Blocked => "Nobody comes in. Who may leave is let out.",
            _ => "Who is granted access comes in. Who may leave is let out.",
        }),
        "for": {
            "description": "For how long at most, from when what made the alarm certain was observed; a second to a \
                            day.",
            "$ref": "#/$defs/span",
            "examples": ["15 min"],
        },
        "also_exits": {
            "description": "Doors labelled exit, escape or fire-exit are meant, too.",
            "type": "boolean",
            "default": false,
        },
        "tell": {
            "description": "Roles, persons or devices that receivers hand the alarm to at once, by id.",
            "type": "array",
            "maxItems": TOLD_MAX,
            "items": { "$ref": "#/$defs/id" },
        },
    }));
    if let Some(response) = response.as_object_mut() {
        response.insert("required".to_owned(), json!(["id"]));
        let locks =
            json!({ "lock": ["for"], "as": ["lock"], "for": ["lock"], "also_exits": ["lock"] });
        response.insert("dependentRequired".to_owned(), locks);
    }
    response
}

/// The table `lock`.
pub(super) fn lock() -> Value {
    let ids = |words: &str| {
        json!({
            "description": words,
            "type": "array",
            "maxItems": LOCKED_DOORS_MAX,
            "items": { "$ref": "#/$defs/id" },
        })
    };
    table(&json!({
        "doors": ids("Doors, by id."),
        "doors_labelled": ids("Doors that carry one of these labels."),
    }))
}
