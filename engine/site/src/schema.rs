//! The JSON Schema of `rules.toml`, made from the words that the reader reads: an editor completes them,
//! tells what they mean and underlines what is wrong.

mod answers;
mod conditions;
mod others;
mod responses;
mod tables;

use serde_json::{Value, json};

use crate::read::RULES_MAX;
use crate::response_plan::RESPONSES_MAX;

/// The schema, of draft 2020-12.
///
/// What it finds right the reader may still refuse: whether an id is known, a span is a span or two rules
/// have one id only the check can tell. What it finds wrong is wrong, blanks round a time aside.
pub fn rules_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rules.toml of HMS-ACH",
        "description": "Rules of a site: whom they are about, where and when, and which alarm they raise.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "rule": {
                "description": "One rule: [[rule]].",
                "type": "array",
                "maxItems": RULES_MAX,
                "items": { "$ref": "#/$defs/rule" },
            },
            "response": {
                "description": "What happens at once when a rule that names it raises an alarm: [[response]].",
                "type": "array",
                "maxItems": RESPONSES_MAX,
                "items": { "$ref": "#/$defs/response" },
            },
        },
        "$defs": {
            "rule": rule(),
            "who": tables::who(),
            "where": tables::places(),
            "window": tables::window(),
            "gates": tables::gates(),
            "escalation": answers::escalation(),
            "response": responses::response(),
            "lock": responses::lock(),
            "id": tables::id(),
            "ids": { "type": "array", "items": { "$ref": "#/$defs/id" } },
            "span": tables::span(),
        },
    })
}

fn rule() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "what", "priority"],
        "properties": rule_fields(),
        "allOf": conditions::all(),
    })
}

fn rule_fields() -> Value {
    let mut fields = tables::rule_fields();
    for more in [answers::fields(), others::fields(), responses::fields()] {
        if let (Value::Object(all), Value::Object(more)) = (&mut fields, more) {
            all.extend(more);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::read::{CONDITIONS, keys_read};

    fn keys(properties: &Value) -> BTreeSet<String> {
        properties.as_object().unwrap().keys().cloned().collect()
    }

    /// What the reader reads the schema has, and nothing else.
    #[test]
    fn the_schema_has_the_keys_that_are_read() {
        let schema = rules_schema();
        let tables = BTreeSet::from(["response".to_owned(), "rule".to_owned()]);
        assert_eq!(keys(&schema["properties"]), tables);
        let of = |table: &str| keys(&schema["$defs"][table]["properties"]);
        let mut of_rules = BTreeSet::new();
        for (what, _) in CONDITIONS {
            of_rules.extend(keys_read("rule", what));
        }
        assert_eq!(of("rule"), of_rules);
        assert_eq!(of("who"), keys_read("who", ""));
        assert_eq!(of("where"), keys_read("where", ""));
        assert_eq!(of("window"), keys_read("when", ""));
        assert_eq!(of("gates"), keys_read("gates", ""));
        assert_eq!(of("response"), keys_read("response", ""));
        assert_eq!(of("lock"), keys_read("lock", ""));
        assert!(of("gates").len() > 7 && of("rule").len() > 11);
    }

    /// A condition forbids exactly what is read as a field that means nothing there.
    #[test]
    fn a_condition_forbids_the_keys_that_are_not_read_for_it() {
        let schema = rules_schema();
        let rule = &schema["$defs"]["rule"];
        let all = keys(&rule["properties"]);
        for (what, _) in CONDITIONS {
            let conditions = rule["allOf"].as_array().unwrap().iter();
            let mut of_it = conditions
                .filter(|condition| condition["if"]["properties"]["what"]["const"] == **what);
            let then = &of_it.next().unwrap()["then"]["properties"];
            assert!(of_it.next().is_none(), "{what} twice");
            let read = keys_read("rule", what);
            for key in all.difference(&read) {
                assert_eq!(then[key], json!(false), "{what} does not read {key}");
            }
        }
    }

    /// Whoever hovers over a word wants to know what it means.
    #[test]
    fn every_field_and_every_word_is_described() {
        let schema = rules_schema();
        for table in ["rule", "who", "where", "window", "gates", "escalation", "response", "lock"] {
            let fields = schema["$defs"][table]["properties"].as_object().unwrap();
            for (key, field) in fields {
                let words = field["description"].as_str().unwrap_or_default();
                assert!(words.len() > 10 && words.ends_with('.'), "{table}.{key}: {words}");
                let values = field["enum"].as_array().map_or(0, Vec::len);
                let told = field["x-taplo"]["docs"]["enumValues"].as_array().map_or(0, Vec::len);
                assert!(key == "confirm" || values == told, "{table}.{key}");
            }
        }
    }
}
