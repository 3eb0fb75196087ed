//! An entry as a line for people and as JSON for programs.

use ach_engine_shard::{Entry, Input};
use serde_json::{Value, json};

use crate::moment::{iso, time_of_day};

/// One line: index, time, what was heard.
pub(super) fn entry_line(entry: &Entry) -> String {
    let inputs: Vec<String> = entry.inputs.iter().map(input_words).collect();
    format!(
        "{:>10}  {}  site v{}  effects {:016x}  {}",
        entry.index,
        time_of_day(entry.at),
        entry.site_version,
        entry.effects_hash,
        inputs.join("; ")
    )
}

/// The whole entry, without the pings' own fields when there are many.
pub(super) fn entry_object(entry: &Entry) -> Value {
    let inputs: Vec<Value> = entry.inputs.iter().map(input_object).collect();
    json!({
        "event": "entry",
        "index": entry.index,
        "at": iso(entry.at),
        "site_version": entry.site_version,
        "logic_version": entry.logic_version,
        "effects_hash": format!("{:016x}", entry.effects_hash),
        "inputs": inputs,
    })
}

fn input_words(input: &Input) -> String {
    match input {
        Input::Pings(batch) => format!(
            "{} pings of source {} epoch {} seq {}..={}{}{}",
            batch.pings.len(),
            batch.source.0,
            batch.epoch,
            batch.first_seq,
            batch.last_seq,
            counted(batch.conflated_count, "conflated"),
            counted(batch.refused_count, "refused"),
        ),
        Input::Report(report) => format!(
            "{:?} of source {} epoch {} seq {}",
            report.kind, report.source.0, report.epoch, report.seq
        ),
        Input::Command(command) => format!("command of {}: {:?}", command.by, command.kind),
        Input::SiteChange(config) => format!(
            "site {} version {}: {} zones, {} doors, {} subjects, {} tags, {} rules",
            config.site,
            config.version,
            config.zones.len(),
            config.doors.len(),
            config.subjects.len(),
            config.tags.len(),
            config.rules.len()
        ),
        Input::OpenEpoch { source, epoch } => format!("source {} opens epoch {epoch}", source.0),
        Input::Resumed { away_since } => format!("back, away since {}", time_of_day(*away_since)),
        Input::Tick => "tick".to_owned(),
    }
}

fn counted(count: u32, word: &str) -> String {
    if count == 0 { String::new() } else { format!(", {count} {word}") }
}

fn input_object(input: &Input) -> Value {
    // The site's configuration can be megabytes; its summary is what one looks for here.
    if let Input::SiteChange(_) = input {
        return json!({ "site_change": input_words(input) });
    }
    serde_json::to_value(input).unwrap_or(Value::Null)
}
