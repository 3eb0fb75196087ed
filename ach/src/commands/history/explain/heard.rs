//! The input an alarm came from, in words.

use ach_actors_model::{Report, ReportKind, Timestamp};
use ach_engine_store::{AlarmInput, KeptPing, NameKind};
use serde_json::{Value, json};

use super::super::source::Source;
use super::super::{ping_object, place_words};
use crate::exit::Failure;
use crate::moment::{iso, local};

/// What was heard, its numbers put into ids.
pub(super) struct Heard {
    /// What it was.
    word: &'static str,
    /// Of which kind of thing, and which.
    thing: (&'static str, String),
    /// When it happened, by the device's clock, and when it came.
    observed_at: Timestamp,
    received_at: Timestamp,
    /// Where, of a position.
    ping: Option<KeptPing>,
    /// How long the door may be opened, of a grant.
    valid_ms: Option<u32>,
}

impl Heard {
    pub(super) fn of(source: &Source, input: &AlarmInput) -> Result<Heard, Failure> {
        Ok(match input {
            AlarmInput::Ping { ping, received_at } => Heard {
                word: "position",
                thing: ("tag", source.name(NameKind::Tag, ping.tag.0)?),
                observed_at: ping.observed_at,
                received_at: *received_at,
                ping: Some(KeptPing::of(ping, *received_at)),
                valid_ms: None,
            },
            AlarmInput::Report(Report { observed_at, received_at, kind, .. }) => {
                let (word, (of, number), valid_ms) = told(*kind);
                let name = match of {
                    "tag" => NameKind::Tag,
                    "door" => NameKind::Door,
                    _ => NameKind::Anchor,
                };
                Heard {
                    word,
                    thing: (of, source.name(name, number)?),
                    observed_at: *observed_at,
                    received_at: *received_at,
                    ping: None,
                    valid_ms,
                }
            }
        })
    }

    pub(super) fn words(&self) -> String {
        let (kind, id) = &self.thing;
        let place = self.ping.as_ref().map_or_else(String::new, |ping| {
            let battery = ping.battery_percent;
            let battery = battery.map_or_else(String::new, |it| format!(", battery {it} %"));
            format!(", {}{battery}", place_words(ping))
        });
        let valid = self.valid_ms.map_or_else(String::new, |ms| format!(", good for {ms} ms"));
        let (observed, received) = (local(self.observed_at), local(self.received_at));
        let word = self.word.replace('_', " ");
        format!("{word} of {kind} {id}{place}{valid}, observed {observed}, received {received}")
    }

    pub(super) fn object(&self) -> Value {
        let (kind, id) = &self.thing;
        let mut object = self.ping.as_ref().map_or_else(|| json!({}), ping_object);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("kind".to_owned(), json!(self.word));
            fields.insert((*kind).to_owned(), json!(id));
            fields.insert("observed_at".to_owned(), json!(iso(self.observed_at)));
            fields.insert("received_at".to_owned(), json!(iso(self.received_at)));
            fields.extend(self.valid_ms.map(|ms| ("valid_ms".to_owned(), json!(ms))));
        }
        object
    }
}

/// A report's word, its thing, and how long the door may be opened.
fn told(kind: ReportKind) -> (&'static str, (&'static str, u32), Option<u32>) {
    match kind {
        ReportKind::ButtonPressed { tag } => ("button_pressed", ("tag", tag.0), None),
        ReportKind::ButtonReset { tag } => ("button_reset", ("tag", tag.0), None),
        ReportKind::BandCut { tag } => ("band_cut", ("tag", tag.0), None),
        ReportKind::BandWhole { tag } => ("band_whole", ("tag", tag.0), None),
        ReportKind::DoorOpened { door } => ("door_opened", ("door", door.0), None),
        ReportKind::DoorClosed { door } => ("door_closed", ("door", door.0), None),
        ReportKind::DoorLocked { door } => ("door_locked", ("door", door.0), None),
        ReportKind::DoorUnlocked { door } => ("door_unlocked", ("door", door.0), None),
        ReportKind::AccessGranted { door, valid_ms } => {
            ("access_granted", ("door", door.0), Some(valid_ms))
        }
        ReportKind::ExitRequested { door, valid_ms } => {
            ("exit_requested", ("door", door.0), Some(valid_ms))
        }
        ReportKind::AnchorAlive { anchor } => ("anchor_alive", ("anchor", anchor.0), None),
        ReportKind::AnchorLost { anchor } => ("anchor_lost", ("anchor", anchor.0), None),
    }
}
