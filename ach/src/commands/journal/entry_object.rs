//! An entry as a line for people and as JSON for programs.

use ach_actors_model::{
    AlarmAct, AlarmWish, CommandKind, EntityRef, NS_PER_S, Name, NodeTrouble, PassWish, Ping,
    PingBatch, QuietKind, QuietWish, Remark, Report,
};
use ach_engine_shard::{Entry, Input};
use serde_json::{Map, Value, json};

use super::door_wish::{self, door_word, emergency_word};
use super::site_names::SiteNames;
use crate::moment::{iso, time_of_day};

/// One line: index, time, what was heard.
pub(super) fn entry_line(entry: &Entry, names: &SiteNames) -> String {
    let inputs: Vec<String> = entry.inputs.iter().map(|input| input_words(input, names)).collect();
    format!(
        "{:>10}  {}  site v{}  effects {:016x}  {}",
        entry.index,
        time_of_day(entry.at),
        entry.site_version,
        entry.effects_hash,
        inputs.join("; ")
    )
}

/// The whole entry, without the configuration of a site.
pub(super) fn entry_object(entry: &Entry, names: &SiteNames) -> Value {
    let inputs: Vec<Value> = entry.inputs.iter().map(|input| input_object(input, names)).collect();
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

fn input_words(input: &Input, names: &SiteNames) -> String {
    match input {
        Input::Pings(batch) => format!(
            "{} pings of feed {} epoch {} seq {}..={}{}{}",
            batch.pings.len(),
            names.feed(batch.source),
            batch.epoch,
            batch.first_seq,
            batch.last_seq,
            counted(batch.conflated_count, "conflated"),
            counted(batch.refused_count, "refused"),
        ),
        Input::Report(report) => {
            let (word, things) = report_words(report, names);
            let things: Vec<String> =
                things.values().map(|thing| thing.as_str().unwrap_or("?").to_owned()).collect();
            format!(
                "{} {} of feed {} epoch {} seq {}",
                word.replace('_', " "),
                things.join(" "),
                names.feed(report.source),
                report.epoch,
                report.seq
            )
        }
        Input::Command(command) => {
            let word = command_word(&command.kind);
            let about = about(&command.kind, names);
            let about = about.map_or_else(String::new, |(kind, id)| format!(" {kind} {id}"));
            format!("{}: {word}{about}{}", command.by, wish_words(&command.kind, names))
        }
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
        Input::OpenEpoch { source, epoch } => {
            format!("feed {} opens epoch {epoch}", names.feed(*source))
        }
        Input::ClockCompared { source, offset_ns, .. } => {
            format!("the clock of feed {} is off by {offset_ns} ns", names.feed(*source))
        }
        Input::Resumed { away_since } => format!("back, away since {}", time_of_day(*away_since)),
        Input::Tick => "tick".to_owned(),
    }
}

fn counted(count: u32, word: &str) -> String {
    if count == 0 { String::new() } else { format!(", {count} {word}") }
}

fn report_words(report: &Report, names: &SiteNames) -> (String, Map<String, Value>) {
    let kind = serde_json::to_value(report.kind).unwrap_or(Value::Null);
    names.words_of(&kind)
}

fn command_word(kind: &CommandKind) -> &'static str {
    match kind {
        CommandKind::ReleaseActor(_) => "release",
        CommandKind::QuarantineActor(_) => "quarantine",
        CommandKind::BeginSelftest => "begin_selftest",
        CommandKind::EndSelftest => "end_selftest",
        CommandKind::NodeTrouble { trouble, is_on } => trouble_word(*trouble, *is_on),
        CommandKind::Act(wish) => act_word(&wish.act),
        CommandKind::Quiet(wish) => quiet_word(wish),
        CommandKind::MoveDoor(wish) => door_word(wish.act),
        CommandKind::Declare(wish) => emergency_word(wish),
        CommandKind::Pass(wish) if wish.for_ns.is_some() => "give_leave",
        CommandKind::Pass(_) => "end_leave",
        CommandKind::Band(wish) if wish.for_ns.is_some() => "band_off",
        CommandKind::Band(_) => "band_on",
    }
}

/// What a command is about, but for an alarm: what kind of thing, and its id.
fn about(kind: &CommandKind, names: &SiteNames) -> Option<(&'static str, String)> {
    match kind {
        CommandKind::ReleaseActor(thing) | CommandKind::QuarantineActor(thing) => {
            Some(names.thing(*thing))
        }
        CommandKind::Quiet(wish) => Some(names.scope(wish.scope)),
        CommandKind::MoveDoor(wish) => Some(names.thing(EntityRef::Door(wish.door))),
        CommandKind::Pass(wish) => Some(names.thing(EntityRef::Subject(wish.subject))),
        CommandKind::Band(wish) => Some(names.thing(EntityRef::Tag(wish.tag))),
        _ => None,
    }
}

fn act_word(act: &AlarmAct) -> &'static str {
    match act {
        AlarmAct::Acknowledge => "acknowledge",
        AlarmAct::Confirm => "confirm",
        AlarmAct::Assign { .. } => "assign",
        AlarmAct::Comment => "comment",
        AlarmAct::Shelve { .. } => "shelve",
        AlarmAct::Unshelve => "unshelve",
        AlarmAct::Reset => "reset",
        AlarmAct::Close { .. } => "close",
    }
}

fn quiet_word(wish: &QuietWish) -> &'static str {
    match (wish.kind, wish.for_ns) {
        (QuietKind::Suppressed, 0) => "unmute",
        (QuietKind::Suppressed, _) => "mute",
        (QuietKind::OutOfService, 0) => "put_back",
        (QuietKind::OutOfService, _) => "take_out",
    }
}

/// All that a wish says beside whom it is about.
fn wish_object(kind: &CommandKind, names: &SiteNames) -> Value {
    let seconds = |ns: u64| ns / NS_PER_S;
    match kind {
        CommandKind::Act(AlarmWish { alarm, act, person, remark }) => {
            let (mut to, mut for_s, mut cause) = (None, None, None);
            match act {
                AlarmAct::Assign { to: whom } => to = whom.as_ref().map(Name::as_str),
                AlarmAct::Shelve { for_ns } => for_s = Some(seconds(*for_ns)),
                AlarmAct::Close { cause: what } => cause = Some(*what),
                _ => {}
            }
            json!({
                "alarm": alarm.to_string(),
                "to": to,
                "for_s": for_s,
                "cause": cause,
                "person": person.as_ref().map(Name::as_str),
                "remark": remark.as_ref().map(Remark::as_str),
            })
        }
        CommandKind::Quiet(QuietWish { for_ns, person, remark, .. }) => json!({
            "for_s": seconds(*for_ns),
            "person": person.as_ref().map(Name::as_str),
            "remark": remark.as_ref().map(Remark::as_str),
        }),
        CommandKind::Pass(wish) => pass_object(wish),
        CommandKind::Band(wish) => json!({
            "for_s": wish.for_ns.map(seconds),
            "person": wish.person.as_ref().map(Name::as_str),
            "reason": wish.reason.as_ref().map(Remark::as_str),
        }),
        other => door_wish::object(other, names),
    }
}

/// All that a wish about leave says but whose it is.
fn pass_object(wish: &PassWish) -> Value {
    json!({
        "for_s": wish.for_ns.map(|ns| ns / NS_PER_S),
        "places": (!wish.places.is_empty()).then_some(&wish.places),
        "is_until_back": wish.for_ns.map(|_| wish.is_until_back),
        "escort": wish.escort,
        "person": wish.person.as_ref().map(Name::as_str),
        "reason": wish.reason.as_ref().map(Remark::as_str),
    })
}

/// The same for people.
fn wish_words(kind: &CommandKind, names: &SiteNames) -> String {
    let Value::Object(wish) = wish_object(kind, names) else { return String::new() };
    let told = wish.iter().filter(|(_, value)| !value.is_null());
    let words = told.map(|(key, value)| match value {
        Value::String(text) => format!(" {key} {text}"),
        other => format!(" {key} {other}"),
    });
    words.collect()
}

/// Its alarm's name, and whether it began or ended.
fn trouble_word(trouble: NodeTrouble, is_on: bool) -> &'static str {
    match (trouble, is_on) {
        (NodeTrouble::AuditLog, true) => "audit_trouble",
        (NodeTrouble::AuditLog, false) => "audit_trouble_over",
        (NodeTrouble::Clock, true) => "node_clock_off",
        (NodeTrouble::Clock, false) => "node_clock_right",
        (NodeTrouble::Selftest, true) => "selftest_failed",
        (NodeTrouble::Selftest, false) => "selftest_good",
    }
}

fn input_object(input: &Input, names: &SiteNames) -> Value {
    match input {
        Input::Pings(batch) => pings_object(batch, names),
        Input::Report(report) => {
            let (word, things) = report_words(report, names);
            json!({
                "input": "report",
                "feed": names.feed(report.source),
                "lane": report.lane,
                "epoch": report.epoch,
                "seq": report.seq,
                "observed_at": iso(report.observed_at),
                "received_at": iso(report.received_at),
                "word": word,
                "about": things,
            })
        }
        Input::Command(command) => {
            let word = command_word(&command.kind);
            let about = about(&command.kind, names);
            let about = about.map(|(kind, id)| json!({ "kind": kind, "id": id }));
            let by = command.by.as_str();
            let mut object = json!({ "input": "command", "by": by, "word": word, "about": about });
            let wish = wish_object(&command.kind, names);
            if let (Value::Object(all), Value::Object(wish)) = (&mut object, wish) {
                all.extend(wish);
            }
            object
        }
        // The site's configuration can be megabytes; its summary is what one looks for here.
        Input::SiteChange(config) => json!({
            "input": "site_change",
            "site": config.site.as_str(),
            "version": config.version,
            "zones": config.zones.len(),
            "doors": config.doors.len(),
            "subjects": config.subjects.len(),
            "tags": config.tags.len(),
            "rules": config.rules.len(),
        }),
        Input::OpenEpoch { source, epoch } => {
            json!({ "input": "open_epoch", "feed": names.feed(*source), "epoch": epoch })
        }
        Input::ClockCompared { source, offset_ns, received_at } => json!({
            "input": "clock_compared",
            "feed": names.feed(*source),
            "offset_ns": offset_ns,
            "received_at": iso(*received_at),
        }),
        Input::Resumed { away_since } => {
            json!({ "input": "resumed", "away_since": iso(*away_since) })
        }
        Input::Tick => json!({ "input": "tick" }),
    }
}

fn pings_object(batch: &PingBatch, names: &SiteNames) -> Value {
    let ping_object = |ping: &Ping| {
        json!({
            "seq": batch.first_seq.saturating_add(ping.seq_offset.into()),
            "tag": names.tag(ping.tag),
            "observed_at": iso(ping.observed_at),
            "x_mm": ping.position.x_mm,
            "y_mm": ping.position.y_mm,
            "z_mm": ping.position.z_mm,
            "floor": ping.position.floor.map(|floor| f64::from(floor.0) / 100.0),
            "accuracy_mm": ping.accuracy_mm,
            "battery_percent": ping.battery_percent,
        })
    };
    let pings: Vec<Value> = batch.pings.iter().map(ping_object).collect();
    json!({
        "input": "pings",
        "feed": names.feed(batch.source),
        "epoch": batch.epoch,
        "first_seq": batch.first_seq,
        "last_seq": batch.last_seq,
        "received_at": iso(batch.received_at),
        "conflated": batch.conflated_count,
        "refused": batch.refused_count,
        "pings": pings,
    })
}
