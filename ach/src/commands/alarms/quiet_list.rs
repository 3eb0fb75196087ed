//! `ach alarms quiet`: what calls nobody just now, by whose wish, and until when.

use ach_actors_model::AlarmState;
use ach_clients_rust::{Name, WireQuiet};
use serde_json::{Value, json};

use super::super::connection::{VIEWERS, connect, runtime};
use super::open::short;
use crate::cli::Connect;
use crate::exit::{Failure, Outcome};
use crate::moment::{iso, length, local};
use crate::notes::{snake, spaced, thing_id, thing_object};

/// Prints it: what ends first comes first, and what waits for a second person last.
pub(super) fn run(to: &Connect) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut operator = connect(to, VIEWERS).await?.operator();
        let mut things = operator.quiet_things().await?;
        operator.close().await;
        things.sort_by_key(|thing| (thing.waits_for_ns.is_some(), thing.until));
        for thing in &things {
            if to.json {
                say!("{}", object(thing));
            } else {
                say!("{}", line(thing));
            }
        }
        let waiting = things.iter().filter(|thing| thing.waits_for_ns.is_some()).count();
        let quiet = things.len().saturating_sub(waiting);
        if to.json {
            say!("{}", json!({ "event": "quiet_end", "quiet": quiet, "waiting": waiting }));
        } else if things.is_empty() {
            say!("nothing is quiet");
        } else {
            say!("{quiet} quiet, {waiting} waiting for a second person");
        }
        Ok(Outcome::Done)
    })
}

fn way_word(way: AlarmState) -> &'static str {
    match way {
        AlarmState::SHELVED => "shelved",
        AlarmState::SUPPRESSED => "muted",
        _ => "out of service",
    }
}

/// What it is: a condition, all about a place, or all of a rule.
fn what(thing: &WireQuiet) -> String {
    let rule = thing.rule.as_ref().map(|rule| format!("rule {rule}"));
    let place = thing.place.as_ref().map(thing_id);
    let Some(kind) = thing.kind else {
        return place.or(rule).unwrap_or_default();
    };
    let mut parts = vec![spaced(kind)];
    parts.extend(thing.subject.as_ref().map(Name::to_string));
    parts.extend(place.map(|place| format!("at {place}")));
    parts.extend(rule);
    parts.join("  ")
}

fn line(thing: &WireQuiet) -> String {
    let until = local(thing.until);
    let mut parts = vec![];
    match thing.waits_for_ns {
        None => parts.push(format!("{:<14}", way_word(thing.way))),
        Some(_) => parts.push(format!("{:<14}", "waits")),
    }
    parts.push(what(thing));
    match (thing.waits_for_ns, &thing.asked_by) {
        (Some(for_ns), _) => {
            let (way, long) = (way_word(thing.way), length(for_ns / 1_000));
            parts.push(format!("to be {way} for {long}"));
            parts.push(format!("wished by {}, a second person has until {until}", thing.by));
        }
        (None, Some(first)) => parts.push(format!("until {until}  by {first} and {}", thing.by)),
        (None, None) => parts.push(format!("until {until}  by {}", thing.by)),
    }
    parts.extend(thing.alarm.map(|alarm| format!("alarm {}", short(alarm))));
    parts.extend(thing.remark.as_ref().map(|remark| format!("\"{remark}\"")));
    parts.join("  ")
}

fn object(thing: &WireQuiet) -> Value {
    json!({
        "event": if thing.waits_for_ns.is_some() { "waits_for_second_person" } else { "quiet" },
        "way": way_word(thing.way).replace(' ', "_"),
        "kind": thing.kind.map(snake),
        "rule": thing.rule.as_ref().map(Name::as_str),
        "subject": thing.subject.as_ref().map(Name::as_str),
        "place": thing.place.as_ref().map(thing_object),
        "until": iso(thing.until),
        "waits_for_s": thing.waits_for_ns.map(|ns| ns / 1_000_000_000),
        "by": thing.by.as_str(),
        "asked_by": thing.asked_by.as_ref().map(Name::as_str),
        "remark": thing.remark.as_ref().map(ToString::to_string),
        "alarm": thing.alarm.map(|alarm| alarm.to_string()),
    })
}
