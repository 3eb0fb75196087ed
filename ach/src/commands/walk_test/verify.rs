//! `ach walk-test verify`: whether a protocol is as it was signed, and what it says.

use std::path::Path;

use serde_json::{Value, json};

use super::going::some_of;
use super::protocol;
use crate::exit::{Failure, Outcome};

/// Reads a protocol and says what it is worth.
pub(super) fn verify(file: &Path, authority: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let name = file.display();
    match protocol::verify(file, authority)? {
        Ok((signer, protocol)) => {
            if is_json {
                let signer = signer.uri();
                say!(
                    "{}",
                    json!({ "event": "walk_test", "is_good": true, "signer": signer, "protocol": protocol })
                );
            } else {
                say!("{name} is as {signer} signed it");
                for line in lines(&protocol) {
                    say!("{line}");
                }
                say!("whether the certificate was revoked, the node alone knows");
            }
            Ok(Outcome::Done)
        }
        Err(why) => {
            if is_json {
                say!("{}", json!({ "event": "walk_test", "is_good": false, "why": why }));
            } else {
                say!("{name} is NOT to be trusted: {why}");
            }
            Ok(Outcome::Unsound)
        }
    }
}

/// What it says, in words.
fn lines(protocol: &Value) -> Vec<String> {
    let field = |field: &str| protocol.get(field).unwrap_or(&Value::Null);
    let text = |name: &str| field(name).as_str().unwrap_or("?");
    let list = |name: &str| field(name).as_array().map_or(&[][..], Vec::as_slice);
    let mut lines = vec![format!(
        "tag {}, {} to {}: {} of {} answered",
        text("tag"),
        text("begun_at"),
        text("ended_at"),
        field("answered_count"),
        field("thing_count")
    )];
    let silent = list("things").iter().filter(|thing| !is_answered(thing)).map(|thing| {
        let text = |name: &str| thing.get(name).and_then(Value::as_str).unwrap_or("?");
        format!("{} {} did NOT answer", text("kind"), text("id"))
    });
    lines.extend(silent);
    let left_out: Vec<&str> = list("doors_left_out").iter().filter_map(Value::as_str).collect();
    if !left_out.is_empty() {
        let why = if text("chosen_by") == "named" {
            "were not named"
        } else {
            "had never told whether they are open"
        };
        lines.push(format!("doors that need not answer, for they {why}: {}", some_of(&left_out)));
    }
    if field("has_gaps") != &Value::Bool(false) {
        lines.push("events or alarms were missed meanwhile".to_owned());
    }
    if field("alarms_left_out") != &json!(0) {
        lines.push(format!("{} alarms of the tag are not in it", field("alarms_left_out")));
    }
    match (field("site_version"), field("site_version_at_end")) {
        (_, Value::Null) => {
            lines
                .push("whether the site changed meanwhile, the node could not be asked".to_owned());
        }
        (before, after) if before == after => {}
        (before, after) => {
            lines.push(format!("the site changed meanwhile, from version {before} to {after}"));
        }
    }
    lines
}

fn is_answered(thing: &Value) -> bool {
    thing.get("is_answered").and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is otherwise than on a good walk, and what is said beyond its first line.
    #[track_caller]
    fn check(changes: &Value, expected: &[&str]) {
        let mut protocol = json!({
            "tag": "0200AC00000000A7", "begun_at": "b", "ended_at": "e",
            "answered_count": 1, "thing_count": 1,
            "things": [{ "kind": "door", "id": "door-east", "is_answered": true }],
            "chosen_by": "doors_that_told", "doors_left_out": [], "has_gaps": false, "alarms_left_out": 0,
            "site_version": 7, "site_version_at_end": 7,
        });
        for (field, value) in changes.as_object().unwrap() {
            protocol[field] = value.clone();
        }
        let lines = lines(&protocol);
        assert_eq!(lines[1..], *expected, "{changes}");
        assert_eq!(lines[0], "tag 0200AC00000000A7, b to e: 1 of 1 answered");
    }

    #[test]
    fn what_a_protocol_leaves_open_is_said() {
        check(&json!({}), &[]);
        check(
            &json!({ "things": [{ "kind": "zone", "id": "ward", "is_answered": false }] }),
            &["zone ward did NOT answer"],
        );
        check(
            &json!({ "doors_left_out": ["a", "b"] }),
            &["doors that need not answer, for they had never told whether they are open: a, b"],
        );
        check(
            &json!({ "doors_left_out": ["a"], "chosen_by": "named" }),
            &["doors that need not answer, for they were not named: a"],
        );
        check(&json!({ "has_gaps": true }), &["events or alarms were missed meanwhile"]);
        check(&json!({ "alarms_left_out": 3 }), &["3 alarms of the tag are not in it"]);
        check(
            &json!({ "site_version_at_end": 8 }),
            &["the site changed meanwhile, from version 7 to 8"],
        );
        check(
            &json!({ "site_version_at_end": null }),
            &["whether the site changed meanwhile, the node could not be asked"],
        );
    }
}
