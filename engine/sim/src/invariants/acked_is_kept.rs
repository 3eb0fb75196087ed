//! What was acknowledged as durable is in the journal, or gave way to a newer ping of its tag.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{ReportKind, Timestamp};
use ach_engine_shard::Input;
use ach_engine_wire::ReportWord;

use crate::model::Model;
use crate::past::{Past, Published};
use crate::script::Deed;

/// What the journal holds.
#[derive(Debug, Default)]
struct Kept {
    pings: BTreeMap<u32, BTreeSet<Timestamp>>,
    reports: BTreeSet<(bool, u32, u8, Timestamp)>,
    has_conflated: bool,
}

impl Kept {
    fn of(past: &Past) -> Kept {
        let mut kept = Kept::default();
        for input in past.entries.iter().flat_map(|entry| &entry.inputs) {
            match input {
                Input::Pings(batch) => {
                    kept.has_conflated |= batch.conflated_count > 0;
                    for ping in &batch.pings {
                        kept.pings.entry(ping.tag.0).or_default().insert(ping.observed_at);
                    }
                }
                Input::Report(report) => {
                    let (is_door, thing, word) = kind_key(report.kind);
                    kept.reports.insert((is_door, thing, word, report.observed_at));
                }
                _ => {}
            }
        }
        kept
    }

    fn holds(&self, published: &Published) -> bool {
        let at = published.observed_at;
        match published.deed {
            Deed::Ping { tag, .. } => self.pings.get(&tag).is_some_and(|pings| {
                pings.contains(&at) || (self.has_conflated && pings.range(at..).next().is_some())
            }),
            Deed::OfTag { tag, word } => self.reports.contains(&(false, tag, word_key(word), at)),
            Deed::OfDoor { door, word } => self.reports.contains(&(true, door, word_key(word), at)),
            // The site knows it not: it is refused, which is told at once and kept nowhere.
            Deed::OfStranger => true,
        }
    }
}

fn kind_key(kind: ReportKind) -> (bool, u32, u8) {
    match kind {
        ReportKind::ButtonPressed { tag } => (false, tag.0, 1),
        ReportKind::ButtonReset { tag } => (false, tag.0, 2),
        ReportKind::BandCut { tag } => (false, tag.0, 3),
        ReportKind::BandWhole { tag } => (false, tag.0, 4),
        ReportKind::DoorOpened { door } => (true, door.0, 5),
        ReportKind::DoorClosed { door } => (true, door.0, 6),
        ReportKind::AccessGranted { door, .. } => (true, door.0, 7),
        ReportKind::DoorLocked { door } => (true, door.0, 8),
        ReportKind::DoorUnlocked { door } => (true, door.0, 9),
        ReportKind::DoorTampered { door } => (true, door.0, 10),
        ReportKind::DoorUntampered { door } => (true, door.0, 11),
        ReportKind::DoorAlive { door } => (true, door.0, 12),
        ReportKind::DoorLost { door } => (true, door.0, 13),
        _ => (false, u32::MAX, 0),
    }
}

fn word_key(word: ReportWord) -> u8 {
    match word {
        ReportWord::ButtonPressed => 1,
        ReportWord::ButtonReset => 2,
        ReportWord::BandCut => 3,
        ReportWord::BandWhole => 4,
        ReportWord::DoorOpened => 5,
        ReportWord::DoorClosed => 6,
        ReportWord::AccessGranted { .. } => 7,
        ReportWord::DoorLocked => 8,
        ReportWord::DoorUnlocked => 9,
        ReportWord::DoorTampered => 10,
        ReportWord::DoorUntampered => 11,
        ReportWord::DoorAlive => 12,
        ReportWord::DoorLost => 13,
        _ => 0,
    }
}

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    let kept = Kept::of(past);
    for published in &past.published {
        let acked = past.acked.get(&(published.life, published.lane));
        let durable_through = acked.map_or(0, |progress| progress.durable_through);
        if published.number <= durable_through && !kept.holds(published) {
            return Err(format!("acknowledged up to {durable_through} and lost: {published:?}"));
        }
    }
    Ok(())
}
