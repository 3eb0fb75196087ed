//! `ach alarms`: alarms that were, and what they were like for those who answer them.

mod past;
mod stats;

use ach_engine_review::{Episode, Fate, Review};
use serde_json::{Value, json};

use self::past::Past;
pub(crate) use self::stats::object as review_object;
use crate::audit_deposit;
use crate::cli::alarms::{Alarms, AlarmsOf};
use crate::exit::{Failure, Outcome};
use crate::moment::{iso, length, local};
use crate::notes::{snake, spaced};

/// Does what was asked.
pub(crate) fn run(wish: &Alarms) -> Result<Outcome, Failure> {
    match wish {
        Alarms::List(of) => list(of),
        Alarms::Stats(of) => stats(of),
    }
}

fn past(of: &AlarmsOf, what: &str) -> Result<Past, Failure> {
    if let (Some(from), Some(to)) = (of.from, of.to)
        && from >= to
    {
        return Err(Failure::misused("--from must lie before --to"));
    }
    audit_deposit::remembered(&of.data, what, Vec::new())?;
    Past::read(of)
}

fn list(of: &AlarmsOf) -> Result<Outcome, Failure> {
    let past = past(of, "alarm-list")?;
    let (from, to) = past.span;
    let is_within = |episode: &&Episode| from <= episode.raised_at && episode.raised_at < to;
    let mut count = 0_u64;
    for episode in past.episodes.iter().filter(is_within) {
        count += 1;
        if of.json {
            say!("{}", alarm_object(&past, episode)?);
        } else {
            say!("{}", alarm_line(&past, episode)?);
        }
    }
    if count == 0 && !of.json {
        say!("no alarm was raised in that time");
    }
    Ok(past.outcome())
}

fn stats(of: &AlarmsOf) -> Result<Outcome, Failure> {
    let past = past(of, "alarm-review")?;
    let review = Review::of(&past.episodes, past.span);
    if of.json {
        stats::print_objects(&past, &review)?;
    } else {
        stats::print(&past, &review)?;
    }
    Ok(past.outcome())
}

/// An alarm in a line.
fn alarm_line(past: &Past, episode: &Episode) -> Result<String, Failure> {
    let after = length(episode.lasted_ns().unwrap_or_default() / 1_000);
    let fate = match episode.fate {
        Fate::Open => "open".to_owned(),
        Fate::Retracted { reason, .. } => {
            format!("retracted after {after}{}", reason.map_or_else(String::new, why))
        }
        Fate::Cleared { reason, .. } => {
            format!("over after {after}{}", reason.map_or_else(String::new, why))
        }
    };
    let who = past.subject(episode.subject)?.map(|who| format!("{who}  ")).unwrap_or_default();
    Ok(format!(
        "{}  {who}{}  {} ({}), {fate}  {}",
        local(episode.raised_at),
        past.place_words(episode.place)?,
        spaced(episode.kind),
        snake(episode.priority),
        episode.id,
    ))
}

fn why(reason: ach_actors_model::AlarmReason) -> String {
    format!(": {}", spaced(reason))
}

/// An alarm for programs.
fn alarm_object(past: &Past, episode: &Episode) -> Result<Value, Failure> {
    let (kind, id) = past.place(episode.place)?;
    let (fate, reason) = match episode.fate {
        Fate::Open => ("open", None),
        Fate::Retracted { reason, .. } => ("retracted", reason),
        Fate::Cleared { reason, .. } => ("cleared", reason),
    };
    Ok(json!({
        "event": "alarm",
        "id": episode.id.to_string(),
        "rule": episode.rule.as_deref(),
        "kind": snake(episode.kind),
        "priority": snake(episode.priority),
        "subject": past.subject(episode.subject)?,
        "place": json!({ "kind": kind, "id": id }),
        "raised_at": iso(episode.raised_at),
        "was_tentative": episode.was_tentative,
        "upheld_at": episode.upheld_at.map(iso),
        "fate": fate,
        "reason": reason.map(snake),
        "ended_at": episode.ended_at().map(iso),
    }))
}
