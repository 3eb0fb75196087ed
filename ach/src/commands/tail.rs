//! `ach tail`: follows what happens until Ctrl-C.

use std::future::Future;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use ach_actors_model::{Name, TagId};
use ach_clients_rust::{
    AlarmUpdate, ConnectError, EventNote, Filter, Gap, NoteUpdate, PositionNote, ProvisionalReason,
    Subscriber,
};
use ach_engine_wire::AlarmSettled;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::watch;

use super::connection::{VIEWERS, connect, runtime};
use crate::cli::{Tail, Topic};
use crate::exit::{Failure, Outcome};
use crate::interruption::Interruption;
use crate::notes::{self, thing_id};
use crate::out;

/// Follows one topic.
pub(crate) fn run(tail: &Tail) -> Result<Outcome, Failure> {
    let filter = filter(tail)?;
    runtime()?.block_on(async {
        let mut subscriber = connect(&tail.connect, VIEWERS).await?.subscriber();
        let is_json = tail.connect.json;
        // A person at a terminal sees what is printed; a file or a program does not look.
        let is_shown = tail.displayed || std::io::stdout().is_terminal();
        let follow = follow(&mut subscriber, tail.what, filter, is_json, is_shown);
        until_told(tail.length, follow).await
    })
}

/// Runs `work` until it ends, nobody reads what it prints, it is told to end, or the time is over.
async fn until_told(
    length: Option<Duration>,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<Outcome, Failure> {
    let over = async {
        match length {
            Some(length) => tokio::time::sleep(length).await,
            None => std::future::pending().await,
        }
    };
    let mut interruption = Interruption::of_visit()?;
    tokio::select! {
        result = work => result.map(|()| Outcome::Done),
        () = over => Ok(Outcome::Done),
        () = interruption.told() => Ok(Outcome::Done),
        () = out::gone() => Ok(Outcome::Done),
    }
}

async fn follow(
    subscriber: &mut Subscriber,
    topic: Topic,
    filter: Filter,
    is_json: bool,
    is_shown: bool,
) -> Result<(), Failure> {
    let trouble = subscriber.trouble();
    let refused = match topic {
        Topic::Alarms => {
            let mut alarms = subscriber.alarms(filter, None).await?;
            while let Some(update) = alarms.next().await {
                print_alarm(update, is_json, &trouble);
                if is_shown {
                    alarms.displayed().await?;
                }
            }
            alarms.refused()
        }
        Topic::Events => {
            let mut events = subscriber.events(filter, None).await?;
            while let Some(update) = events.next().await {
                print_note(update, is_json, &trouble, |note: &EventNote| {
                    if is_json {
                        notes::event_object(note).to_string()
                    } else {
                        notes::event_line(note, thing_id)
                    }
                });
            }
            events.refused()
        }
        Topic::Positions => {
            let mut positions = subscriber.positions(filter).await?;
            while let Some(update) = positions.next().await {
                print_note(update, is_json, &trouble, |note: &PositionNote| {
                    if is_json {
                        notes::position_object(note).to_string()
                    } else {
                        notes::position_line(note)
                    }
                });
            }
            positions.refused()
        }
    };
    let ended = "the node closed the connection; is it still running?";
    Err(refused.map_or_else(|| Failure::new(ended), Failure::from))
}

fn print_alarm(update: AlarmUpdate, is_json: bool, trouble: &Trouble) {
    match update {
        AlarmUpdate::Note(note) if is_json => {
            say!("{}", notes::alarm_object(&note, None));
        }
        AlarmUpdate::Note(note) => {
            say!("{}", notes::alarm_line(&note, None, thing_id));
        }
        AlarmUpdate::Durable { id, transition, cursor } if is_json => {
            let storage = ach_clients_rust::Storage::Durable;
            let settled = AlarmSettled { id, transition, storage, cursor, fencing_epoch: 0 };
            say!("{}", notes::settled_object(&settled));
        }
        AlarmUpdate::Withdrawn { id, transition } if is_json => {
            let storage = ach_clients_rust::Storage::Withdrawn;
            let settled = AlarmSettled { id, transition, storage, cursor: None, fencing_epoch: 0 };
            say!("{}", notes::settled_object(&settled));
        }
        AlarmUpdate::Withdrawn { id, transition } => {
            say!("withdrawn  {id}  {}", notes::spaced(transition));
        }
        AlarmUpdate::Gone { id } if is_json => {
            say!("{}", json!({ "event": "gone", "id": id.to_string() }));
        }
        AlarmUpdate::Gone { id } => say!("gone       {id}  it is open no more"),
        AlarmUpdate::StillProvisional { id, transition, reason } if is_json => {
            let storage = ach_clients_rust::Storage::Provisional(reason);
            let settled = AlarmSettled { id, transition, storage, cursor: None, fencing_epoch: 0 };
            say!("{}", notes::settled_object(&settled));
        }
        AlarmUpdate::StillProvisional { id, transition, reason } => {
            let why = match reason {
                ProvisionalReason::None => "not yet",
                ProvisionalReason::NoDisk => "the node stores no longer",
                ProvisionalReason::NoQuorum => "the node has no quorum",
            };
            say!("not stored {id}  {}: {why}", notes::spaced(transition));
        }
        AlarmUpdate::Unreadable(error) => print_unreadable(&error, is_json),
        AlarmUpdate::Gap(gap) => print_gap(&gap, is_json),
        AlarmUpdate::OpenSetComplete { open_count } if is_json => {
            say!("{}", json!({ "event": "open_set_end", "open_count": open_count }));
        }
        AlarmUpdate::OpenSetComplete { open_count } => {
            say!("{open_count} alarms are open; what follows is new");
        }
        AlarmUpdate::Disconnected => print_disconnected(is_json, trouble),
        AlarmUpdate::Durable { .. } | AlarmUpdate::EchoReply { .. } => {}
    }
}

fn print_note<T>(
    update: NoteUpdate<T>,
    is_json: bool,
    trouble: &Trouble,
    render: impl Fn(&T) -> String,
) {
    match update {
        NoteUpdate::Note(note) => say!("{}", render(&note)),
        NoteUpdate::Gap(gap) => print_gap(&gap, is_json),
        NoteUpdate::Unreadable(error) => print_unreadable(&error, is_json),
        NoteUpdate::Disconnected => print_disconnected(is_json, trouble),
        NoteUpdate::EchoReply { .. } => {}
    }
}

/// A note in words of a later version of the protocol.
fn print_unreadable(error: &dyn std::error::Error, is_json: bool) {
    if is_json {
        let line = json!({ "event": "unreadable", "error": error.to_string() });
        say!("{line}");
    } else {
        say!("-- a note cannot be read: {error}; this program is too old --");
    }
}

fn print_gap(gap: &Gap, is_json: bool) {
    let missed = gap.missed_count;
    if is_json {
        say!("{}", json!({ "event": "gap", "missed_count": missed }));
    } else {
        let count = missed.map_or_else(|| "some".to_owned(), |count| count.to_string());
        say!("-- {count} notes could not be delivered: {} --", gap.code);
    }
}

/// Why no connection stands.
type Trouble = watch::Receiver<Option<Arc<ConnectError>>>;

fn print_disconnected(is_json: bool, trouble: &Trouble) {
    let why = trouble.borrow().as_ref().map(ToString::to_string);
    if is_json {
        say!("{}", json!({ "event": "disconnected", "reason": why }));
    } else {
        let why = why.unwrap_or_else(|| "the connection broke".to_owned());
        say!("-- NOT CONNECTED: {why}; trying again --");
    }
}

/// A filter that means nothing for a topic would let nothing through, for ever.
fn must_fit(tail: &Tail) -> Result<(), Failure> {
    let topic = match tail.what {
        Topic::Alarms => "alarms",
        Topic::Events => "events",
        Topic::Positions => "positions",
    };
    for (option, is_given, topics) in [
        ("kind", !tail.kind.is_empty(), ["alarms", ""]),
        ("priority", !tail.priority.is_empty(), ["alarms", ""]),
        ("zone", !tail.zone.is_empty(), ["alarms", "events"]),
        ("door", !tail.door.is_empty(), ["alarms", "events"]),
    ] {
        if is_given && !topics.contains(&topic) {
            return Err(Failure::misused(format!(
                "{topic} cannot be filtered by --{option}; leave it out, or filter by --subject or --tag"
            )));
        }
    }
    Ok(())
}

fn filter(tail: &Tail) -> Result<Filter, Failure> {
    must_fit(tail)?;
    let name = |text: &String| {
        Name::new(text).map_err(|error| Failure::misused(format!("`{text}`: {error}")))
    };
    let tag = |text: &String| {
        u64::from_str_radix(text.trim_start_matches("0x"), 16).map(TagId).map_err(|_| {
            Failure::misused(format!("`{text}` is no EUI-64; write up to 16 hexadecimal digits"))
        })
    };
    Ok(Filter {
        kinds: tail.kind.iter().map(|text| word("kind", text)).collect::<Result<_, _>>()?,
        priorities: tail
            .priority
            .iter()
            .map(|text| word("priority", text))
            .collect::<Result<_, _>>()?,
        zones: tail.zone.iter().map(name).collect::<Result<_, _>>()?,
        doors: tail.door.iter().map(name).collect::<Result<_, _>>()?,
        subjects: tail.subject.iter().map(name).collect::<Result<_, _>>()?,
        tags: tail.tag.iter().map(tag).collect::<Result<_, _>>()?,
        ..Filter::default()
    })
}

/// A word of the model as programs spell it; the model's own words are in the error.
fn word<T: DeserializeOwned>(role: &str, text: &str) -> Result<T, Failure> {
    let plain = text.trim().replace([' ', '-'], "_");
    serde_json::from_value(json!(plain))
        .map_err(|error| Failure::misused(format!("`{text}` is no {role}: {error}")))
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{AlarmKind, AlarmPriority};
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parsed(words: &str) -> Result<Filter, Failure> {
        let line = format!("ach tail alarms --credentials c {words}");
        match Cli::try_parse_from(line.split_whitespace()).unwrap().command {
            Command::Tail(tail) => filter(&tail),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn filters_take_lists_of_words_and_ids() {
        let filter =
            parsed("--kind elopement,door-forced --priority high --tag 00124B0001A2B3C4").unwrap();
        assert_eq!(filter.kinds, [AlarmKind::Elopement, AlarmKind::DoorForced]);
        assert_eq!(filter.priorities, [AlarmPriority::High]);
        assert_eq!(filter.tags, [TagId(0x0012_4B00_01A2_B3C4)]);
    }

    #[test]
    fn a_word_that_is_none_is_refused() {
        for words in ["--kind elopment", "--priority urgent", "--tag xyz", "--zone a/b"] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }
}
