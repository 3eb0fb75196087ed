//! Events and positions, for people and for programs.

use ach_actors_model::{Name, Practice};
use ach_engine_wire::{EventNote, EventWord, PositionNote, Thing};
use serde_json::{Value, json};

use super::snake;
use crate::moment::{iso, time_of_day};

/// One fact as a line.
pub(crate) fn event_line(note: &EventNote, name: impl Fn(&Thing) -> String) -> String {
    let mut parts = vec![format!("{:<16}", words(note.word).replace('_', " "))];
    parts.extend(note.subject.clone().map(|id| name(&Thing::Subject(id))));
    parts.extend(note.zone.clone().map(|id| name(&Thing::Zone(id))));
    parts.extend(note.door.clone().map(|id| name(&Thing::Door(id))));
    parts.extend(note.source.clone().map(|id| name(&Thing::Source(id))));
    parts.extend(note.anchor.clone().map(|id| name(&Thing::Anchor(id))));
    if note.subject.is_none() {
        parts.extend(note.tag.map(|tag| format!("tag {tag}")));
    }
    parts.extend(note.occupant_count.map(|count| format!("{count} in")));
    if note.is_forced == Some(true) {
        parts.push("forced".to_owned());
    }
    parts.extend(note.site_version.map(|version| format!("version {version}")));
    parts.extend(note.practice.filter(|it| *it != Practice::Real).map(snake));
    format!("{}  {}", time_of_day(note.at), parts.join("  "))
}

/// One fact as an object.
pub(crate) fn event_object(note: &EventNote) -> Value {
    json!({
        "event": words(note.word),
        "at": iso(note.at),
        "subject": note.subject.as_ref().map(Name::as_str),
        "zone": note.zone.as_ref().map(Name::as_str),
        "door": note.door.as_ref().map(Name::as_str),
        "tag": note.tag.map(|tag| tag.to_string()),
        "feed": note.source.as_ref().map(Name::as_str),
        "anchor": note.anchor.as_ref().map(Name::as_str),
        "occupant_count": note.occupant_count,
        "is_forced": note.is_forced,
        "site_version": note.site_version,
        "practice": note.practice.map(snake),
        "cursor": { "shard": note.cursor.shard, "index": note.cursor.index, "ordinal": note.cursor.ordinal },
    })
}

/// One position as a line.
pub(crate) fn position_line(note: &PositionNote) -> String {
    let at = time_of_day(note.observed_at);
    let subject = note.subject.as_ref().map_or("-", Name::as_str);
    let floor = note.position.floor.map_or_else(
        || "floor ?".to_owned(),
        |floor| format!("floor {}", f64::from(floor.0) / 100.0),
    );
    format!(
        "{at}  {}  {subject:<20}  {:>9.3} m  {:>9.3} m  {floor}  ±{:.2} m",
        note.tag,
        f64::from(note.position.x_mm) / 1000.0,
        f64::from(note.position.y_mm) / 1000.0,
        f64::from(note.accuracy_mm) / 1000.0,
    )
}

/// One position as an object.
pub(crate) fn position_object(note: &PositionNote) -> Value {
    json!({
        "event": "position",
        "tag": note.tag.to_string(),
        "subject": note.subject.as_ref().map(Name::as_str),
        "x_mm": note.position.x_mm,
        "y_mm": note.position.y_mm,
        "z_mm": note.position.z_mm,
        "floor": note.position.floor.map(|floor| f64::from(floor.0) / 100.0),
        "accuracy_mm": note.accuracy_mm,
        "observed_at": iso(note.observed_at),
        "received_at": iso(note.received_at),
    })
}

fn words(word: EventWord) -> &'static str {
    match word {
        EventWord::ZoneEntered => "zone_entered",
        EventWord::ZoneExited => "zone_exited",
        EventWord::DoorPassed => "door_passed",
        EventWord::DoorOpened => "door_opened",
        EventWord::DoorClosed => "door_closed",
        EventWord::DoorLocked => "door_locked",
        EventWord::DoorUnlocked => "door_unlocked",
        EventWord::FeedRestored => "feed_restored",
        EventWord::FeedFellSilent => "feed_fell_silent",
        EventWord::ZoneWentBlind => "zone_went_blind",
        EventWord::ZoneSighted => "zone_sighted",
        EventWord::TagHeard => "tag_heard",
        EventWord::SiteChanged => "site_changed",
        EventWord::FireTold => "fire_told",
        EventWord::FireOver => "fire_over",
        EventWord::LockdownDeclared => "lockdown_declared",
        EventWord::LockdownEnded => "lockdown_ended",
        EventWord::EvacuationDeclared => "evacuation_declared",
        EventWord::EvacuationEnded => "evacuation_ended",
    }
}
