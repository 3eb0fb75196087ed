//! `ach alarms`: alarms that are open and what is done with them, alarms that were, and what they were
//! like for those who answer them.

mod answer;
mod incident;
mod open;
mod past;
mod quiet;
mod quiet_list;
mod response;
mod stats;

use std::time::Duration;

use ach_actors_model::{AlarmAct, QuietKind};
use ach_engine_review::{Episode, Response, Review};
use serde_json::{Value, json};

use self::past::Past;
pub(crate) use self::stats::object as review_object;
use crate::audit_deposit;
use crate::cli::alarms::{Alarms, AlarmsOf};
use crate::exit::{Failure, Outcome};
use crate::moment::local;
use crate::notes::{answer_words, episode_object, episode_words, place_words};
use crate::span::nanoseconds;

/// Does what was asked.
pub(crate) fn run(wish: &Alarms) -> Result<Outcome, Failure> {
    match wish {
        Alarms::List { of, by_incident } => list(of, *by_incident),
        Alarms::Stats { of, target } => stats(of, *target),
        Alarms::Open { connect, by_incident } => open::run(connect, *by_incident),
        Alarms::Acknowledge(on) => answer::run(on, AlarmAct::Acknowledge),
        Alarms::Confirm(on) => answer::run(on, AlarmAct::Confirm),
        Alarms::Assign { on, to } => answer::run(on, AlarmAct::Assign { to: to.clone() }),
        Alarms::Comment(on) => answer::run(on, AlarmAct::Comment),
        Alarms::Shelve { on, length } => {
            answer::run(on, AlarmAct::Shelve { for_ns: nanoseconds(*length) })
        }
        Alarms::Unshelve(on) => answer::run(on, AlarmAct::Unshelve),
        Alarms::Reset(on) => answer::run(on, AlarmAct::Reset),
        Alarms::Close { on, cause } => answer::run(on, AlarmAct::Close { cause: (*cause).into() }),
        Alarms::Quiet { connect } => quiet_list::run(connect),
        Alarms::Mute(wish) => {
            quiet::run(&wish.what, QuietKind::Suppressed, nanoseconds(wish.length))
        }
        Alarms::Unmute(what) => quiet::run(what, QuietKind::Suppressed, 0),
        Alarms::TakeOut(wish) => {
            quiet::run(&wish.what, QuietKind::OutOfService, nanoseconds(wish.length))
        }
        Alarms::PutBack(what) => quiet::run(what, QuietKind::OutOfService, 0),
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

fn list(of: &AlarmsOf, by_incident: bool) -> Result<Outcome, Failure> {
    let past = past(of, "alarm-list")?;
    let (from, to) = past.span;
    let is_within = |episode: &&Episode| from <= episode.raised_at && episode.raised_at < to;
    let listed: Vec<&Episode> = past.episodes.iter().filter(is_within).collect();
    if listed.is_empty() && !of.json {
        say!("no alarm was raised in that time");
    }
    if by_incident {
        incident::list(&past, listed, of.json)?;
        return Ok(past.outcome());
    }
    for episode in listed {
        if of.json {
            say!("{}", alarm_object(&past, episode, "alarm")?);
        } else {
            say!("{}", alarm_line(&past, episode)?);
        }
    }
    Ok(past.outcome())
}

fn stats(of: &AlarmsOf, target: Duration) -> Result<Outcome, Failure> {
    let past = past(of, "alarm-review")?;
    let review = Review::of(&past.episodes, past.span);
    let response = Response::of(&past.episodes, past.span, nanoseconds(target));
    if of.json {
        stats::print_objects(&past, &review)?;
        response::print_objects(&response);
    } else {
        stats::print(&past, &review)?;
        response::print(&response);
    }
    Ok(past.outcome())
}

/// An alarm in a line.
fn alarm_line(past: &Past, episode: &Episode) -> Result<String, Failure> {
    let who = past.subject(episode.subject)?.map(|who| format!("{who}  ")).unwrap_or_default();
    Ok(format!(
        "{}  {who}{}  {}{}  {}  {}",
        local(episode.raised_at),
        place_words(past.place(episode.place)?),
        episode_words(episode),
        answer_words(episode),
        episode.rule.as_deref().unwrap_or("-"),
        episode.id,
    ))
}

/// An alarm for programs; `event` is what they know it by.
fn alarm_object(past: &Past, episode: &Episode, event: &str) -> Result<Value, Failure> {
    let (subject, place) = (past.subject(episode.subject)?, past.place(episode.place)?);
    let mut object = episode_object(episode, subject.as_deref(), place);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("event".to_owned(), json!(event));
    }
    Ok(object)
}
