//! The input an alarm came from, in words.

use ach_actors_model::{AnchorRef, DoorMode, DoorRef, Report, ReportKind, TagRef, Timestamp};
use ach_engine_store::{AlarmInput, KeptPing, NameKind};
use serde_json::{Value, json};

use super::super::source::Source;
use super::super::{ping_object, place_words};
use crate::exit::Failure;
use crate::moment::{iso, local};
use crate::notes::snake;

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
    /// What else it said.
    more: More,
}

/// What few reports say besides.
enum More {
    Nothing,
    /// How long the door may be opened, of a grant.
    ValidMs(u32),
    /// How full the battery is.
    Percent(u8),
    /// The number of an order.
    Order(u64),
    /// What a key switch does.
    Mode(Option<DoorMode>),
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
                more: More::Nothing,
            },
            AlarmInput::Report(Report { observed_at, received_at, kind, .. }) => {
                let (word, (of, name, number), more) = told(*kind);
                Heard {
                    word,
                    thing: (of, source.name(name, number)?),
                    observed_at: *observed_at,
                    received_at: *received_at,
                    ping: None,
                    more,
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
        let more = match self.more {
            More::Nothing => String::new(),
            More::ValidMs(ms) => format!(", good for {ms} ms"),
            More::Percent(percent) => format!(", {percent} %"),
            More::Order(number) => format!(", order {number}"),
            More::Mode(Some(mode)) => format!(", {}", snake(mode)),
            More::Mode(None) => ", given back".to_owned(),
        };
        let (observed, received) = (local(self.observed_at), local(self.received_at));
        let word = self.word.replace('_', " ");
        format!("{word} of {kind} {id}{place}{more}, observed {observed}, received {received}")
    }

    pub(super) fn object(&self) -> Value {
        let (kind, id) = &self.thing;
        let mut object = self.ping.as_ref().map_or_else(|| json!({}), ping_object);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("kind".to_owned(), json!(self.word));
            fields.insert((*kind).to_owned(), json!(id));
            fields.insert("observed_at".to_owned(), json!(iso(self.observed_at)));
            fields.insert("received_at".to_owned(), json!(iso(self.received_at)));
            fields.extend(match self.more {
                More::Nothing => None,
                More::ValidMs(ms) => Some(("valid_ms".to_owned(), json!(ms))),
                More::Percent(percent) => Some(("percent".to_owned(), json!(percent))),
                More::Order(number) => Some(("order".to_owned(), json!(number.to_string()))),
                More::Mode(mode) => Some(("mode".to_owned(), json!(mode))),
            });
        }
        object
    }
}

/// A report's word, its thing, and what else it says.
fn told(kind: ReportKind) -> (&'static str, (&'static str, NameKind, u32), More) {
    let tag = |word, tag: TagRef| (word, ("tag", NameKind::Tag, tag.0), More::Nothing);
    let door = |word, door: DoorRef| (word, ("door", NameKind::Door, door.0), More::Nothing);
    let anchor =
        |word, anchor: AnchorRef| (word, ("anchor", NameKind::Anchor, anchor.0), More::Nothing);
    match kind {
        ReportKind::ButtonPressed { tag: it } => tag("button_pressed", it),
        ReportKind::ButtonReset { tag: it } => tag("button_reset", it),
        ReportKind::BandCut { tag: it } => tag("band_cut", it),
        ReportKind::BandWhole { tag: it } => tag("band_whole", it),
        ReportKind::DoorOpened { door: it } => door("door_opened", it),
        ReportKind::DoorClosed { door: it } => door("door_closed", it),
        ReportKind::DoorLocked { door: it } => door("door_locked", it),
        ReportKind::DoorUnlocked { door: it } => door("door_unlocked", it),
        ReportKind::AccessGranted { door: it, valid_ms, .. } => {
            ("access_granted", ("door", NameKind::Door, it.0), More::ValidMs(valid_ms))
        }
        ReportKind::ExitRequested { door: it, valid_ms } => {
            ("exit_requested", ("door", NameKind::Door, it.0), More::ValidMs(valid_ms))
        }
        ReportKind::AnchorAlive { anchor: it } => anchor("anchor_alive", it),
        ReportKind::AnchorLost { anchor: it } => anchor("anchor_lost", it),
        ReportKind::DoorTampered { door: it } => door("door_tampered", it),
        ReportKind::DoorUntampered { door: it } => door("door_untampered", it),
        ReportKind::ReaderTampered { door: it } => door("reader_tampered", it),
        ReportKind::ReaderUntampered { door: it } => door("reader_untampered", it),
        ReportKind::DoorAlive { door: it } => door("door_alive", it),
        ReportKind::DoorLost { door: it } => door("door_lost", it),
        ReportKind::DoorBattery { door: it, percent } => {
            ("door_battery", ("door", NameKind::Door, it.0), More::Percent(percent))
        }
        ReportKind::OrderDone { door: it, number } => {
            ("order_done", ("door", NameKind::Door, it.0), More::Order(number))
        }
        ReportKind::OrderRefused { door: it, number } => {
            ("order_refused", ("door", NameKind::Door, it.0), More::Order(number))
        }
        ReportKind::FireOn { door: it } => door("fire_on", it),
        ReportKind::FireOver { door: it } => door("fire_over", it),
        ReportKind::LocalOverride { door: it, mode } => {
            ("local_override", ("door", NameKind::Door, it.0), More::Mode(mode))
        }
        ReportKind::MotionSeen { zone: it } => {
            ("motion_seen", ("zone", NameKind::Zone, it.0), More::Nothing)
        }
    }
}
