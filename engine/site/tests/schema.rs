//! The schema of `rules.toml` and its reader say the same of the same text.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::as_conversions,
    reason = "a failed test panics"
)]

use std::fs;

use ach_actors_model::Name;
use ach_engine_site::{SiteDirectory, rules_schema, sample_hospital, write_example};
use serde_json::Value;
use tempfile::tempdir;

/// What of JSON Schema 2020-12 our schema uses. A word that is not known here fails the test.
struct Validator<'a> {
    root: &'a Value,
}

impl Validator<'_> {
    /// What is wrong with a value, if something is.
    fn mistake(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        if let Value::Bool(allowed) = schema {
            return (!allowed).then(|| format!("{at} is forbidden"));
        }
        let words = schema.as_object().expect("a schema is an object");
        words.iter().find_map(|(word, want)| self.broken(word, want, words, value, at))
    }

    fn broken(
        &self,
        word: &str,
        want: &Value,
        schema: &serde_json::Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Option<String> {
        let fields = value.as_object();
        let items = value.as_array();
        let is_right = match word {
            "$schema" | "$defs" | "title" | "description" | "default" | "examples" | "x-taplo"
            | "then" => true,
            "$ref" => {
                let pointer = want.as_str().unwrap().trim_start_matches('#');
                return self.mistake(self.root.pointer(pointer).unwrap(), value, at);
            }
            "allOf" => {
                return want.as_array().unwrap().iter().find_map(|s| self.mistake(s, value, at));
            }
            "if" => {
                let applies = self.mistake(want, value, at).is_none();
                return applies.then(|| self.mistake(&schema["then"], value, at)).flatten();
            }
            "type" => match want.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64(),
                "number" => value.is_number(),
                other => panic!("type {other}"),
            },
            "enum" => want.as_array().unwrap().contains(value),
            "const" => want == value,
            "not" => self.mistake(want, value, at).is_some(),
            "required" => fields.is_none_or(|fields| {
                want.as_array()
                    .unwrap()
                    .iter()
                    .all(|key| fields.contains_key(key.as_str().unwrap()))
            }),
            "dependentRequired" => fields.is_none_or(|fields| {
                let has = |key: &Value| fields.contains_key(key.as_str().unwrap());
                let mut pairs = want.as_object().unwrap().iter();
                pairs.all(|(key, needs)| {
                    !fields.contains_key(key) || needs.as_array().unwrap().iter().all(has)
                })
            }),
            "uniqueItems" => items
                .is_none_or(|items| (1..items.len()).all(|at| !items[..at].contains(&items[at]))),
            "properties" => {
                let known = want.as_object().unwrap();
                return fields.into_iter().flatten().find_map(|(key, field)| {
                    self.mistake(known.get(key)?, field, &format!("{at}.{key}"))
                });
            }
            "additionalProperties" => {
                assert_eq!(want, &Value::Bool(false));
                let known = schema["properties"].as_object().unwrap();
                fields.is_none_or(|fields| fields.keys().all(|key| known.contains_key(key)))
            }
            "items" => {
                return items.into_iter().flatten().find_map(|item| self.mistake(want, item, at));
            }
            "minItems" => items.is_none_or(|items| items.len() as u64 >= want.as_u64().unwrap()),
            "maxItems" => items.is_none_or(|items| items.len() as u64 <= want.as_u64().unwrap()),
            "minProperties" => fields.is_none_or(|all| all.len() as u64 >= want.as_u64().unwrap()),
            "maxProperties" => fields.is_none_or(|all| all.len() as u64 <= want.as_u64().unwrap()),
            "minimum" => value.as_f64().is_none_or(|number| number >= want.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= want.as_f64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| matches(want.as_str().unwrap(), text)),
            other => panic!("the schema uses {other}, which this test does not know"),
        };
        (!is_right).then(|| format!("{at}: {word} {want}"))
    }
}

/// The few patterns of the schema, without an engine for all.
fn matches(pattern: &str, text: &str) -> bool {
    let is_clock = |last: &str| {
        let parts: Vec<&str> = text.split(':').collect();
        let is_part = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        (2..=3).contains(&parts.len())
            && parts.iter().all(is_part)
            && parts[1..].iter().all(|part| *part < "60")
            && (parts[0] < "24" || text == last || text == format!("{last}:00"))
    };
    match pattern {
        "^[A-Za-z0-9._:-]{1,64}$" => Name::new(text).is_ok(),
        "[0-9]" => text.bytes().any(|byte| byte.is_ascii_digit()),
        clock if clock.contains("24:00") => is_clock("24:00"),
        clock if clock.starts_with("^([01][0-9]|2[0-3])") => is_clock("none"),
        other => panic!("the schema has the pattern {other}, which this test does not know"),
    }
}

/// What the schema says is wrong with a text of TOML.
fn mistake(text: &str) -> Option<String> {
    let value: Value = toml::from_str(text).unwrap();
    let schema = rules_schema();
    Validator { root: &schema }.mistake(&schema, &value, "rules")
}

#[test]
fn the_rules_of_the_example_and_of_the_sample_are_right() {
    let folder = tempdir().unwrap();
    let (example, sample) = (folder.path().join("example"), folder.path().join("sample"));
    write_example(&example).unwrap();
    sample_hospital().directory.write(&sample).unwrap();
    for site in [example, sample] {
        let text = fs::read_to_string(site.join("rules.toml")).unwrap();
        assert!(text.len() > 1_000);
        assert_eq!(mistake(&text), None);
    }
}

/// Each line is put into a rule that is right with it or without: reader and schema must agree.
#[track_caller]
fn check(rule: &str, is_right: bool) {
    let text = format!("[[rule]]\nid = \"one\"\npriority = \"low\"\n{rule}\n");
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    fs::write(folder.path().join("rules.toml"), &text).unwrap();
    let read = SiteDirectory::read(folder.path());
    let said = match &read {
        Ok(_) => "it is right".to_owned(),
        Err(findings) => findings.to_string(),
    };
    assert_eq!(read.is_ok(), is_right, "the reader says of {rule}: {said}");
    assert_eq!(
        mistake(&text).is_none(),
        is_right,
        "the schema says of {rule}: {:?}",
        mistake(&text)
    );
}

const ZONE: &str = "where = { zones = [\"ward\"] }";
const DOOR: &str = "where = { doors = [\"entrance\"] }";

#[test]
fn the_schema_and_the_reader_agree_on_conditions() {
    for (rule, is_right) in [
        ("what = \"inside\"", false),
        ("what = \"inside\"\nWHERE", true),
        ("what = \"insid\"\nWHERE", false),
        ("what = \"inside\"\nWHERE\nafter = \"5 min\"", false),
        ("what = \"inside\"\nWHERE\npercent = 5", false),
        ("what = \"inside\"\nWHERE\nalarm = \"unauthorised_entry\"", true),
        ("what = \"inside\"\nWHERE\nalarm = \"elopement\"", false),
        ("what = \"inside\"\nWHERE\nalarm = \"feed_silent\"", false),
        ("what = \"inside\"\nwhere = { lines = [\"perimeter\"] }", false),
        ("what = \"leaves\"\nWHERE", false),
        ("what = \"leaves\"\nWHERE\nalarm = \"asset_theft\"", true),
        ("what = \"leaves\"\nwhere = { lines = [\"perimeter\"] }\nalarm = \"elopement\"", true),
        ("what = \"stays\"\nWHERE", false),
        ("what = \"stays\"\nWHERE\nafter = \"5 min\"", true),
        ("what = \"stays\"\nWHERE\nafter = 5", false),
        ("what = \"tag_silent\"\nafter = \"5 min\"", true),
        ("what = \"tag_silent\"\nafter = \"soon\"", false),
        ("what = \"tag_silent\"\nafter = \"5 min\"\nWHERE", false),
        ("what = \"battery_low\"\npercent = 99", true),
        ("what = \"battery_low\"\npercent = 100", false),
        ("what = \"battery_low\"\npercent = 9.5", false),
        ("what = \"battery_low\"", false),
        ("what = \"band_cut\"\ngates = {}", false),
        ("what = \"band_cut\"\ntentative = true", false),
        ("what = \"band_cut\"\ntentative = false", true),
        ("what = \"button_pressed\"\nwho = { classes = [\"staff\"] }", true),
        ("what = \"over_capacity\"\nwhere = { zones = [\"day-room\"] }", true),
        ("what = \"door_forced\"\nwhere = { doors_labelled = [\"exit\"] }", true),
        ("what = \"door_forced\"\nwhere = { doors = [\"entrance\"] }\nwho = {}", true),
        (
            "what = \"door_forced\"\nwhere = { doors = [\"entrance\"] }\nwho = { classes = [\"staff\"] }",
            false,
        ),
        ("what = \"tags_contradict\"", true),
        ("what = \"tags_contradict\"\nwhere = { zones = [] }", true),
        ("what = \"door_forced\"\nwhere = { doors = [\"entrance\"], lines = [] }", true),
        ("what = \"door_held\"\nDOOR\nafter = \"30 s\"", true),
        ("what = \"door_held\"\nDOOR\nafter = \"30 s\"\nalso_unlocked = true", true),
        ("what = \"door_held\"\nDOOR\nafter = \"30 s\"\nalso_unlocked = \"yes\"", false),
        ("what = \"door_held\"\nDOOR", false),
        ("what = \"door_held\"\nafter = \"30 s\"", false),
        ("what = \"door_held\"\nWHERE\nafter = \"30 s\"", false),
        ("what = \"door_held\"\nDOOR\nafter = \"30 s\"\npercent = 5", false),
        ("what = \"door_held\"\nDOOR\nafter = \"30 s\"\ntentative = true", false),
        ("what = \"door_tampered\"\nDOOR", true),
        ("what = \"door_tampered\"\nDOOR\nafter = \"30 s\"", false),
        ("what = \"door_tampered\"\nDOOR\nalso_unlocked = true", false),
        ("what = \"reader_tampered\"\nDOOR\nalarm = \"reader_tampered\"", true),
        ("what = \"reader_tampered\"\nDOOR\nalarm = \"door_tampered\"", false),
        ("what = \"reader_tampered\"\nDOOR\nwho = { classes = [\"staff\"] }", false),
        ("what = \"door_lost\"\nDOOR", false),
        ("what = \"door_lost\"\nDOOR\nafter = \"5 min\"", true),
        ("what = \"door_battery_low\"\nDOOR", false),
        ("what = \"door_battery_low\"\nDOOR\npercent = 20", true),
        ("what = \"door_battery_low\"\nDOOR\npercent = 0", false),
        ("what = \"stays\"\nWHERE\nafter = \"5 min\"\nalso_unlocked = true", false),
        ("tentative = true", false),
    ] {
        check(&rule.replace("WHERE", ZONE).replace("DOOR", DOOR), is_right);
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_company() {
    for (rule, is_right) in [
        ("what = \"away\"\nWHERE\nafter = \"24 h\"", true),
        ("what = \"away\"\nWHERE\nafter = \"24 h\"\ngates = { exit_tolerance_m = 2 }", true),
        ("what = \"away\"\nWHERE\nafter = \"24 h\"\nalarm = \"asset_theft\"", false),
        ("what = \"away\"\nWHERE", false),
        ("what = \"away\"\nafter = \"24 h\"", false),
        ("what = \"away\"\nWHERE\nafter = \"24 h\"\nwith = { classes = [\"staff\"] }", false),
        ("what = \"alone\"\nWHERE\nafter = \"15 min\"", true),
        ("what = \"alone\"\nWHERE\nafter = \"15 min\"\nwith = {}", true),
        (
            "what = \"alone\"\nWHERE\nafter = \"15 min\"\nwith = { classes = [\"staff\"], labels = [\"nurse\"] }",
            true,
        ),
        ("what = \"alone\"\nWHERE\nafter = \"15 min\"\nwith = { class = [\"staff\"] }", false),
        ("what = \"alone\"\nWHERE\nafter = \"15 min\"\ngates = {}", false),
        ("what = \"alone\"\nWHERE\nafter = \"15 min\"\ntentative = true", false),
        ("what = \"alone\"\nWHERE", false),
        ("MEETS\nafter = \"10 s\"\nwithin_m = 2", true),
        ("MEETS\nafter = \"10 s\"\nwithin_m = 2.5\napart_m = 2.5", true),
        ("MEETS\nafter = \"10 s\"\nwithin_m = 2.5\nalarm = \"forbidden_meeting\"", true),
        ("MEETS\nafter = \"10 s\"\nwithin_m = 0", false),
        ("MEETS\nafter = \"10 s\"\nwithin_m = 20.5", false),
        ("MEETS\nafter = \"10 s\"\nwithin_m = 2\napart_m = 51", false),
        ("MEETS\nafter = \"10 s\"", false),
        ("MEETS\nwithin_m = 2", false),
        ("MEETS\nafter = \"10 s\"\nwithin_m = 2\nWHERE", true),
        ("MEETS\nafter = \"10 s\"\nwithin_m = 2\nwhere = { doors = [\"entrance\"] }", false),
        ("MEETS\nafter = \"10 s\"\nwithin_m = 2\ngates = {}", false),
        ("what = \"meets\"\nafter = \"10 s\"\nwithin_m = 2", false),
        ("what = \"inside\"\nWHERE\nwithin_m = 2", false),
    ] {
        let meets = "what = \"meets\"\nwhom = { classes = [\"visitor\"] }";
        check(&rule.replace("WHERE", ZONE).replace("MEETS", meets), is_right);
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_tailgating() {
    for (rule, is_right) in [
        ("WHAT\nWHERE", true),
        ("WHAT\nWHERE\nwho = { classes = [\"patient\"] }\nwith = { classes = [\"staff\"] }", true),
        ("WHAT\nWHERE\nwith = {}", true),
        ("WHAT\nWHERE\nalarm = \"tailgating\"", true),
        ("WHAT\nWHERE\nalarm = \"door_forced\"", false),
        ("WHAT\nWHERE\nwho = { classes = [\"asset\"] }", false),
        ("WHAT\nWHERE\nafter = \"5 s\"", false),
        ("WHAT\nWHERE\nwhom = { classes = [\"staff\"] }", false),
        ("WHAT\nWHERE\ngates = {}", false),
        ("WHAT\nwhere = { zones = [\"ward\"] }", false),
        ("WHAT", false),
    ] {
        check(&rule.replace("WHERE", DOOR).replace("WHAT", "what = \"tailgating\""), is_right);
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_motion() {
    for (rule, is_right) in [
        ("MOTION\nWHERE\nafter = \"10 s\"", true),
        ("MOTION\nWHERE\nafter = \"10 s\"\nwith = { classes = [\"staff\"] }", true),
        ("MOTION\nWHERE\nafter = \"10 s\"\nalarm = \"unexplained_motion\"", true),
        ("MOTION\nWHERE", false),
        ("MOTION\nafter = \"10 s\"", false),
        ("MOTION\nDOOR\nafter = \"10 s\"", false),
        ("MOTION\nWHERE\nafter = \"10 s\"\nwho = { classes = [\"staff\"] }", false),
        ("MOTION\nWHERE\nafter = \"10 s\"\nwhom = { classes = [\"staff\"] }", false),
        ("MOTION\nWHERE\nafter = \"10 s\"\ntentative = true", false),
        ("MOTION\nWHERE\nafter = \"10 s\"\nalarm = \"loitering\"", false),
    ] {
        let motion = "what = \"motion\"";
        let rule = rule.replace("WHERE", ZONE).replace("DOOR", DOOR).replace("MOTION", motion);
        check(&rule, is_right);
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_badges() {
    for (rule, is_right) in [
        ("BADGE\nDOOR", true),
        ("BADGE\nDOOR\nwithin_m = 25", true),
        ("BADGE\nDOOR\nwho = { classes = [\"staff\"] }", true),
        ("BADGE\nDOOR\nalarm = \"badge_elsewhere\"", true),
        ("BADGE", false),
        ("BADGE\nWHERE", false),
        ("BADGE\nDOOR\nwithin_m = 0", false),
        ("BADGE\nDOOR\nwithin_m = 200.5", false),
        ("BADGE\nDOOR\napart_m = 2", false),
        ("BADGE\nDOOR\nwhom = { classes = [\"staff\"] }", false),
        ("BADGE\nDOOR\nafter = \"5 min\"", false),
        ("BADGE\nDOOR\ntentative = true", false),
        ("BADGE\nDOOR\nalarm = \"door_forced\"", false),
    ] {
        let badge = "what = \"badge_elsewhere\"";
        check(&rule.replace("WHERE", ZONE).replace("DOOR", DOOR).replace("BADGE", badge), is_right);
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_fields() {
    let of =
        |field: &str, is_right| check(&format!("what = \"inside\"\n{ZONE}\n{field}"), is_right);
    of("priority_ = \"low\"", false);
    of("name = \"Somebody\"", true);
    of("who = { classes = [\"patients\"] }", false);
    of("who = { classes = [\"patient\", \"asset\"], not_labels = [\"a.b:c_d-e\"] }", true);
    of("who = { not_labels = [\"a b\"] }", false);
    of("who = { label = [\"a\"] }", false);
    of("when = [{ days = [\"mon\", \"weekends\"], from = \"22:00\", to = \"06:00:30\" }]", true);
    of("when = [{ days = [\"monday\"] }]", false);
    of("when = [{ days = [] }]", false);
    of("when = [{ from = \"24:00\" }]", false);
    of("when = [{ to = \"24:00\" }]", true);
    of("when = [{ to = \"24:01\" }]", false);
    of("when = [{ from = \"8:00\" }]", false);
    of("when = [{ until = \"08:00\" }]", false);
    of("when = { from = \"08:00\" }", false);
    of("tentative = \"yes\"", false);
    of("gates = { confirm = \"2 of 3\", error_circle = true, dwell = \"5 s\" }", true);
    of("gates = { confirm = \"3 of 2\" }", false);
    of("gates = { confirm = \"8 of 9\" }", false);
    of("gates = { entry_margin_m = 0.5, exit_tolerance_m = 100 }", true);
    of("gates = { exit_tolerance_m = 100.5 }", false);
    of("gates = { entry_margin_m = -1 }", false);
    of(
        "gates = { tolerance_timeout = \"20 s\", exit_delay = \"5 s\", fence_timeout = \"2 s\" }",
        true,
    );
    of("gates = { exit_delay = 5 }", false);
    of("gates = { exit_tolerance = 1 }", false);
}
