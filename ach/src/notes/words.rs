//! The words of the model as text.

use ach_engine_wire::Thing;
use serde::Serialize;

/// The word as programs spell it: `asset_theft`.
pub(crate) fn snake(word: impl Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(text)) => text,
        other => unreachable_word(other.ok()),
    }
}

/// The word as people read it: `asset theft`.
pub(crate) fn spaced(word: impl Serialize) -> String {
    snake(word).replace('_', " ")
}

/// Names of people stay where the site directory is; here things have their ids.
pub(crate) fn thing_id(thing: &Thing) -> String {
    match thing {
        Thing::Site => "site".to_owned(),
        Thing::Zone(id) => format!("zone {id}"),
        Thing::Door(id) => format!("door {id}"),
        Thing::Line(id) => format!("line {id}"),
        Thing::Tag(id) => format!("tag {id}"),
        Thing::Source(id) => format!("feed {id}"),
        Thing::Anchor(id) => format!("anchor {id}"),
        Thing::Subject(id) => id.to_string(),
    }
}

/// Enums without fields always serialise to a string; anything else is shown as it is.
fn unreachable_word(value: Option<serde_json::Value>) -> String {
    value.map_or_else(|| "?".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use ach_actors_model::AlarmKind;

    use super::*;

    #[test]
    fn words_are_spelled_for_programs_and_for_people() {
        assert_eq!(snake(AlarmKind::AssetTheft), "asset_theft");
        assert_eq!(spaced(AlarmKind::AssetTheft), "asset theft");
    }
}
