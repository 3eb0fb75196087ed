//! `ach alarms open`: what is wrong just now, and who sees to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ach_actors_model::{AlarmId, AlarmState};
use ach_clients_rust::{AlarmNote, AlarmUpdate, Filter, Name, now};
use ach_engine_review::{FLOOD_COUNT_MAX, FLOOD_NS};
use serde_json::json;
use tokio::time::timeout;

use super::super::connection::{VIEWERS, connect, runtime};
use crate::cli::Connect;
use crate::exit::{Failure, Outcome};
use crate::moment::{length, local};
use crate::notes::{alarm_object, snake, spaced, thing_id};

/// How long the open alarms may take: a hundred thousand are told in seconds.
const OPEN_SET_DEADLINE: Duration = Duration::from_mins(1);

/// Digits of an id that are shown: of ten thousand open alarms two that share them are one in a hundred.
const ID_DIGITS: usize = 8;

/// Prints the open alarms.
pub(super) fn run(to: &Connect, by_incident: bool) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let mut alarms: Vec<AlarmNote> = open_set(to).await?.into_values().collect();
        alarms.sort_by_key(|note| (note.state.is_quiet(), is_answered(note), note.received_at));
        // Stable: within each the most urgent first.
        alarms.sort_by_key(|note| {
            (note.state.is_quiet(), is_answered(note), std::cmp::Reverse(note.priority))
        });
        let alarms = if by_incident { together(alarms) } else { alarms };
        let mut told = None;
        for note in &alarms {
            if to.json {
                say!("{}", alarm_object(note, None));
            } else if by_incident {
                let is_further = told.replace(incident_of(note)) == Some(incident_of(note));
                say!("{}{}", if is_further { "  + " } else { "" }, line(note));
            } else {
                say!("{}", line(note));
            }
        }
        if to.json {
            say!("{}", json!({ "event": "open_set_end", "open_count": alarms.len() }));
        } else if alarms.is_empty() {
            say!("no alarm is open");
        } else {
            let waiting = alarms.iter().filter(|note| !is_answered(note)).count();
            say!(
                "{} open, {waiting} of them acknowledged by nobody; ach alarms ack ID ..",
                alarms.len()
            );
            tell_flood(&alarms);
        }
        Ok(Outcome::Done)
    })
}

/// Says so when more came than one person can answer. What has come and gone meanwhile is not among the open ones, so it
/// may have been more.
fn tell_flood(alarms: &[AlarmNote]) {
    let now = now();
    let is_recent =
        |note: &&AlarmNote| !note.state.is_quiet() && now.since_ns(note.received_at) < FLOOD_NS;
    let recent: Vec<&AlarmNote> = alarms.iter().filter(is_recent).collect();
    if recent.len() > FLOOD_COUNT_MAX {
        let incidents: BTreeSet<AlarmId> = recent.iter().map(|note| incident_of(note)).collect();
        let (count, incidents) = (recent.len(), incidents.len());
        say!(
            "a flood: {count} of them, of {incidents} incidents, came within ten minutes; --by-incident puts them together"
        );
    }
}

/// The incident an alarm belongs to: its own, of a node that knows of none.
fn incident_of(note: &AlarmNote) -> AlarmId {
    note.incident.as_ref().map_or(note.id, |incident| incident.id)
}

/// The same alarms, those of an incident behind the first of them that comes, in the order in which they were raised.
fn together(alarms: Vec<AlarmNote>) -> Vec<AlarmNote> {
    let mut first: BTreeMap<AlarmId, usize> = BTreeMap::new();
    for (at, note) in alarms.iter().enumerate() {
        first.entry(incident_of(note)).or_insert(at);
    }
    let mut alarms = alarms;
    alarms.sort_by_key(|note| {
        let place = note.incident.as_ref().map_or(0, |incident| incident.place);
        (first.get(&incident_of(note)).copied(), place)
    });
    alarms
}

fn is_answered(note: &AlarmNote) -> bool {
    note.state.is_any(AlarmState::ACKNOWLEDGED)
}

/// The open alarms of a node, by id.
pub(super) async fn open_set(to: &Connect) -> Result<BTreeMap<AlarmId, AlarmNote>, Failure> {
    let mut subscriber = connect(to, VIEWERS).await?.subscriber();
    let mut alarms = subscriber.alarms(Filter::default(), None).await?;
    let mut open = BTreeMap::new();
    let read = async {
        while let Some(update) = alarms.next().await {
            match update {
                AlarmUpdate::Note(note) if note.state.is_retained() => {
                    open.insert(note.id, *note);
                }
                AlarmUpdate::Note(note) => drop(open.remove(&note.id)),
                AlarmUpdate::Gone { id } => drop(open.remove(&id)),
                AlarmUpdate::OpenSetComplete { .. } => return Ok(()),
                AlarmUpdate::Disconnected => break,
                _ => {}
            }
        }
        let ended = "the node closed the connection; is it still running?";
        Err(alarms.refused().map_or_else(|| Failure::new(ended), Failure::from))
    };
    let late = || Failure::new("the node did not tell all its open alarms in time; try again");
    timeout(OPEN_SET_DEADLINE, read).await.map_err(|_| late())??;
    subscriber.close().await;
    Ok(open)
}

/// The first digits of an alarm's id.
pub(super) fn short(id: AlarmId) -> String {
    id.to_string().chars().take(ID_DIGITS).collect()
}

/// An open alarm in a line: which, how urgent, what, about whom, where, since when, in which state, and
/// who sees to it.
fn line(note: &AlarmNote) -> String {
    let mut parts = vec![
        short(note.id),
        format!("{:<6}", snake(note.priority)),
        local(note.received_at),
        spaced(note.kind),
    ];
    parts.extend(note.subject.as_ref().map(Name::to_string));
    parts.push(format!("at {}", thing_id(&note.place)));
    parts.push(spaced(note.state.name()));
    if note.is_tentative {
        parts.push("tentative".to_owned());
    }
    if note.is_drill {
        parts.push("in a drill".to_owned());
    }
    if note.state.is_any(AlarmState::CHATTERS) {
        parts.push("chatters".to_owned());
    }
    parts.extend(note.incident.as_ref().filter(|incident| incident.place > 1).map(|incident| {
        let worse = if incident.is_raising { ", raises it" } else { "" };
        format!("{} of incident {}{worse}", incident.place, short(incident.id))
    }));
    let Some(life) = &note.life else { return parts.join("  ") };
    if let Some(act) = &life.acknowledged {
        let after = act.at.since_ns(note.received_at) / 1_000;
        parts.push(format!("acknowledged by {} after {}", act.by, length(after)));
    }
    if let Some(to) = &life.escalated_to {
        parts.push(format!("passed on to {to}"));
    }
    parts.extend(life.assignee.as_ref().map(|who| format!("assigned to {who}")));
    parts.extend(life.quiet_until.map(|until| format!("until {}", local(until))));
    parts.extend(life.cause.map(|cause| format!("was: {}", spaced(cause))));
    parts.extend(life.remark.as_ref().map(|remark| format!("\"{remark}\"")));
    parts.join("  ")
}
