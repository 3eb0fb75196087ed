//! What each `what` asks of the other fields of a rule.

use serde_json::{Map, Value, json};

use crate::What;
use crate::read::{CONDITIONS, WITHIN_M_MAX};
use crate::write::alarm_word;

/// One `if` a condition.
pub(super) fn all() -> Vec<Value> {
    let of_one = |&(word, what): &(&str, What)| {
        json!({
            "if": { "properties": { "what": { "const": word } }, "required": ["what"] },
            "then": then(what),
        })
    };
    CONDITIONS.iter().map(of_one).collect()
}

fn then(what: What) -> Value {
    let mut required = Vec::new();
    let mut fields = Map::new();
    let mut forbid = |key: &str| fields.insert(key.to_owned(), json!(false));
    if what.after_ns().is_some() {
        required.push("after");
    } else {
        forbid("after");
    }
    match what {
        What::BatteryLow { .. } | What::DoorBatteryLow { .. } => required.push("percent"),
        _ => drop(forbid("percent")),
    }
    if !matches!(what, What::DoorHeld { .. }) {
        forbid("also_unlocked");
    }
    if !matches!(what, What::Alone { .. } | What::Tailgating | What::Motion { .. }) {
        forbid("with");
    }
    match what {
        What::Meets { .. } => {
            required.extend(["whom", "within_m"]);
        }
        What::BadgeElsewhere { .. } => drop((forbid("whom"), forbid("apart_m"))),
        _ => {
            for key in ["whom", "within_m", "apart_m"] {
                forbid(key);
            }
        }
    }
    if !what.has_gates() {
        forbid("gates");
        fields.insert("tentative".to_owned(), json!({ "const": false }));
    }
    let alarms: Vec<&str> = what.alarms().iter().map(|&alarm| alarm_word(alarm)).collect();
    if alarms.len() > 1 {
        required.push("alarm");
    }
    fields.insert("alarm".to_owned(), json!({ "enum": alarms }));
    if what.is_about_nobody() {
        // Nobody knows who forces a door, holds it open, or moves unseen.
        let none = empty(["classes", "labels", "not_labels", "subjects"].map(str::to_owned));
        fields.insert("who".to_owned(), json!({ "properties": none }));
    }
    if what == What::Tailgating {
        // Things are pushed through by somebody, who counts.
        let people = json!({ "classes": { "not": { "const": ["asset"] } } });
        fields.insert("who".to_owned(), json!({ "properties": people }));
    }
    if matches!(what, What::Meets { .. }) {
        fields.insert("within_m".to_owned(), json!({ "maximum": WITHIN_M_MAX }));
    }
    let kinds = place_kinds(what);
    let is_anywhere = kinds.is_empty() || matches!(what, What::Meets { .. });
    let least = usize::from(!is_anywhere);
    if least > 0 {
        required.push("where");
    }
    let places = json!({ "properties": other_places(kinds), "minProperties": least });
    fields.insert("where".to_owned(), places);
    json!({ "required": required, "properties": fields })
}

/// What a condition watches, as `where` has it.
fn place_kinds(what: What) -> &'static [&'static str] {
    match what {
        What::Inside
        | What::Stays { .. }
        | What::OverCapacity
        | What::Away { .. }
        | What::Alone { .. }
        | What::Motion { .. }
        | What::Meets { .. } => &["zones"],
        What::Leaves => &["zones", "lines"],
        What::DoorForced
        | What::DoorHeld { .. }
        | What::DoorTampered
        | What::ReaderTampered
        | What::DoorLost { .. }
        | What::DoorBatteryLow { .. }
        | What::DoorNotFollowing { .. }
        | What::Tailgating
        | What::BadgeElsewhere { .. } => &["doors"],
        What::TagSilent { .. }
        | What::BatteryLow { .. }
        | What::BandCut
        | What::ButtonPressed
        | What::TagsContradict => &[],
    }
}

/// Places that a condition does not watch: none of them may be named.
fn other_places(kinds: &[&str]) -> Value {
    let others = ["zones", "doors", "lines"].into_iter().filter(|kind| !kinds.contains(kind));
    empty(others.flat_map(|kind| [kind.to_owned(), format!("{kind}_labelled")]))
}

/// Lists that must be empty.
fn empty(keys: impl IntoIterator<Item = String>) -> Value {
    let fields: Map<String, Value> =
        keys.into_iter().map(|key| (key, json!({ "maxItems": 0 }))).collect();
    Value::Object(fields)
}
