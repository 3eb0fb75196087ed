//! What must answer on a walk, and what has. Pure.

use ach_actors_model::{Name, TagId, Timestamp};
use ach_clients_rust::{EventNote, EventWord};

/// A door's feed and a tag's are not told at the same moment: what lies so close together is taken for one.
const SLACK_NS: u64 = 5_000_000_000;

/// What a door or zone was seen to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// A door: opened, the tag went through, closed.
    Door {
        opened_at: Option<Timestamp>,
        passed_at: Option<Timestamp>,
        closed_at: Option<Timestamp>,
    },
    /// A zone: the tag came in, and left.
    Zone { entered_at: Option<Timestamp>, left_at: Option<Timestamp> },
}

/// One thing that must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing {
    pub(super) id: Name,
    pub(super) seen: Seen,
}

/// All that must answer to one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Round {
    tag: TagId,
    pub(super) things: Vec<Thing>,
}

impl Thing {
    /// `door` or `zone`.
    pub(super) fn kind(&self) -> &'static str {
        match self.seen {
            Seen::Door { .. } => "door",
            Seen::Zone { .. } => "zone",
        }
    }

    /// What is expected of it, each with when it was seen.
    pub(super) fn parts(&self) -> Vec<(&'static str, Option<Timestamp>)> {
        match self.seen {
            Seen::Door { opened_at, passed_at, closed_at } => {
                vec![("opened", opened_at), ("passed", passed_at), ("closed", closed_at)]
            }
            Seen::Zone { entered_at, left_at } => vec![("entered", entered_at), ("left", left_at)],
        }
    }

    /// Whether all of that was seen, and belongs together: the tag went through while the door stood open.
    pub(super) fn is_answered(&self) -> bool {
        match self.seen {
            Seen::Door {
                opened_at: Some(opened_at),
                passed_at: Some(passed_at),
                closed_at: Some(closed_at),
            } => is_within(passed_at, opened_at, closed_at),
            Seen::Door { .. } => false,
            Seen::Zone { entered_at, left_at } => entered_at.is_some() && left_at.is_some(),
        }
    }

    /// What is missing, in words.
    pub(super) fn missing(&self) -> String {
        let parts = self.parts();
        let missing: Vec<&str> =
            parts.iter().filter(|(_, at)| at.is_none()).map(|(word, _)| *word).collect();
        if missing.is_empty() {
            return "not passed while it stood open".to_owned();
        }
        format!("not {}", missing.join(", not "))
    }
}

fn is_within(passed_at: Timestamp, opened_at: Timestamp, closed_at: Timestamp) -> bool {
    passed_at.plus_ns(SLACK_NS) >= opened_at && passed_at <= closed_at.plus_ns(SLACK_NS)
}

impl Round {
    /// Nothing has answered yet. What is named twice must answer once.
    pub(super) fn new(tag: TagId, doors: &[Name], zones: &[Name]) -> Round {
        let doors = doors.iter().map(|id| Thing { id: id.clone(), seen: Seen::DOOR });
        let zones = zones.iter().map(|id| Thing { id: id.clone(), seen: Seen::ZONE });
        let mut things: Vec<Thing> = doors.chain(zones).collect();
        things.sort_by(|a, b| (a.kind(), &a.id).cmp(&(b.kind(), &b.id)));
        things.dedup();
        Round { tag, things }
    }

    /// Takes an event; gives the thing that showed something new, and what. What has answered stays as it is.
    pub(super) fn take(&mut self, note: &EventNote) -> Option<(&Thing, &'static str)> {
        let is_of_the_tag = note.tag == Some(self.tag);
        let (kind, id) = match note.word {
            EventWord::DoorOpened | EventWord::DoorClosed => ("door", note.door.as_ref()?),
            EventWord::DoorPassed if is_of_the_tag => ("door", note.door.as_ref()?),
            EventWord::ZoneEntered | EventWord::ZoneExited if is_of_the_tag => {
                ("zone", note.zone.as_ref()?)
            }
            _ => return None,
        };
        let is_meant = |thing: &&mut Thing| thing.kind() == kind && thing.id == *id;
        let thing = self.things.iter_mut().find(is_meant).filter(|it| !it.is_answered())?;
        let word = thing.seen.take(note.word, note.at)?;
        Some((thing, word))
    }

    /// Events were missed: what was seen before does not go with what comes after. What has answered stays so.
    pub(super) fn begin_anew(&mut self) {
        for thing in self.things.iter_mut().filter(|thing| !thing.is_answered()) {
            thing.seen.forget();
        }
    }

    /// How many have answered.
    pub(super) fn answered_count(&self) -> usize {
        self.things.iter().filter(|thing| thing.is_answered()).count()
    }

    /// Whether all have.
    pub(super) fn is_over(&self) -> bool {
        self.answered_count() == self.things.len()
    }
}

impl Seen {
    /// Nothing of a door.
    const DOOR: Seen = Seen::Door { opened_at: None, passed_at: None, closed_at: None };
    /// Nothing of a zone.
    const ZONE: Seen = Seen::Zone { entered_at: None, left_at: None };

    fn forget(&mut self) {
        *self = match self {
            Seen::Door { .. } => Seen::DOOR,
            Seen::Zone { .. } => Seen::ZONE,
        };
    }

    fn take(&mut self, word: EventWord, at: Timestamp) -> Option<&'static str> {
        match (self, word) {
            (Seen::Door { opened_at, passed_at, closed_at }, EventWord::DoorOpened) => {
                // Another opening: what was before it is no part of it.
                (*opened_at, *closed_at) = (Some(at), None);
                *passed_at = passed_at.filter(|passed| passed.plus_ns(SLACK_NS) >= at);
                Some("opened")
            }
            (Seen::Door { passed_at, .. }, EventWord::DoorPassed) => {
                *passed_at = Some(at);
                Some("passed")
            }
            (Seen::Door { opened_at: Some(_), closed_at, .. }, EventWord::DoorClosed) => {
                closed_at.is_none().then(|| *closed_at = Some(at)).map(|()| "closed")
            }
            (Seen::Zone { entered_at, left_at }, EventWord::ZoneEntered) => {
                (*entered_at, *left_at) = (Some(at), None);
                Some("entered")
            }
            (Seen::Zone { entered_at: Some(_), left_at }, EventWord::ZoneExited) => {
                *left_at = Some(at);
                Some("left")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use ach_clients_rust::{Cursor, Storage};

    use super::*;

    const TAG: TagId = TagId(7);

    /// Events as `second word thing`; by another tag where it says so.
    fn note(text: &str) -> EventNote {
        let words: Vec<&str> = text.split(' ').collect();
        let word = match words[1] {
            "opened" => EventWord::DoorOpened,
            "closed" => EventWord::DoorClosed,
            "passed" => EventWord::DoorPassed,
            "entered" => EventWord::ZoneEntered,
            _ => EventWord::ZoneExited,
        };
        let is_door =
            matches!(word, EventWord::DoorOpened | EventWord::DoorClosed | EventWord::DoorPassed);
        let id = Some(Name::new(words[2]).unwrap());
        let by = if words.get(3) == Some(&"by-another") { TagId(8) } else { TAG };
        EventNote {
            word,
            at: Timestamp(words[0].parse::<u64>().unwrap() * 1_000_000_000),
            subject: None,
            zone: id.clone().filter(|_| !is_door),
            door: id.filter(|_| is_door),
            tag: (!matches!(word, EventWord::DoorOpened | EventWord::DoorClosed)).then_some(by),
            source: None,
            anchor: None,
            occupant_count: None,
            is_forced: None,
            site_version: None,
            storage: Storage::Durable,
            cursor: Cursor::default(),
            practice: None,
        }
    }

    #[track_caller]
    fn check(events: &[&str], expected: &str) {
        let name = |text: &str| Name::new(text).unwrap();
        let mut round = Round::new(TAG, &[name("d"), name("d")], &[name("z")]);
        for event in events {
            match *event {
                "gap" => round.begin_anew(),
                event => drop(round.take(&note(event))),
            }
        }
        let thing = &round.things[usize::from(events[0].contains(" z"))];
        let found = if thing.is_answered() { "answered".to_owned() } else { thing.missing() };
        assert_eq!(found, expected, "{events:?}");
    }

    #[test]
    fn a_door_answers_when_the_tag_went_through_while_it_stood_open() {
        check(&["1 opened d", "2 passed d", "4 closed d"], "answered");
        check(&["1 opened d", "4 closed d", "6 passed d"], "answered");
        check(&["1 passed d", "3 opened d", "5 closed d"], "answered");
        check(&["1 opened d", "2 passed d"], "not closed");
        check(&["1 opened d", "4 closed d"], "not passed");
        check(&["2 passed d"], "not opened, not closed");
        check(&["1 opened d", "2 passed d by-another", "4 closed d"], "not passed");
        check(&["1 opened d", "4 closed d", "20 passed d"], "not passed while it stood open");
        check(
            &["1 opened d", "4 closed d", "20 passed d", "21 opened d", "23 closed d"],
            "answered",
        );
        check(&["1 passed d", "20 opened d", "23 closed d"], "not passed");
        check(&["1 closed d"], "not opened, not passed, not closed");
    }

    /// Between what was seen before and after, the door may have been closed and opened again.
    #[test]
    fn what_has_not_answered_begins_anew_when_events_were_missed() {
        check(&["1 opened d", "gap", "2 passed d", "4 closed d"], "not opened, not closed");
        check(
            &["1 opened d", "2 passed d", "gap", "4 closed d"],
            "not opened, not passed, not closed",
        );
        check(&["1 opened d", "gap", "5 opened d", "6 passed d", "7 closed d"], "answered");
        check(&["1 opened d", "2 passed d", "4 closed d", "gap"], "answered");
        check(&["1 entered z", "gap", "5 exited z"], "not entered, not left");
    }

    #[test]
    fn a_zone_answers_when_the_tag_came_in_and_left() {
        check(&["1 entered z", "5 exited z"], "answered");
        check(&["1 exited z"], "not entered, not left");
        check(&["1 exited z", "2 entered z"], "not left");
        check(&["1 entered z by-another", "5 exited z by-another"], "not entered, not left");
    }
}
