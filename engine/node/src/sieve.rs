//! What a subscription lets through.

use ach_actors_model::{AlarmKind, Name};
use ach_engine_wire::{AlarmNote, EventNote, Filter, PositionNote, Thing, Topic};
use ach_geo::Floor;

/// A filter, ready to be asked. Lists are sorted, so that asking costs little.
#[derive(Debug, Clone)]
pub(crate) struct Sieve {
    filter: Filter,
}

/// The subscription asks for something that its topic does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a subscription to {topic:?} cannot be filtered by {list}, leave it out")]
pub(crate) struct WrongFilter {
    topic: Topic,
    list: &'static str,
}

impl Sieve {
    /// Checks that the filter fits its topic.
    ///
    /// # Errors
    ///
    /// A list that means nothing for the topic and would never let anything through.
    pub(crate) fn new(topic: Topic, mut filter: Filter) -> Result<Sieve, WrongFilter> {
        let is_alarms = topic == Topic::Alarms;
        let is_positions = topic == Topic::Positions;
        let wrong = [
            (!is_alarms && !filter.kinds.is_empty(), "alarm kinds"),
            (!is_alarms && !filter.priorities.is_empty(), "priorities"),
            (topic != Topic::Events && !filter.events.is_empty(), "event kinds"),
            (is_positions && !filter.zones.is_empty(), "zones"),
            (is_positions && !filter.doors.is_empty(), "doors"),
            (topic == Topic::Events && !filter.floors.is_empty(), "floors"),
        ];
        if let Some(&(_, list)) = wrong.iter().find(|(is_wrong, _)| *is_wrong) {
            return Err(WrongFilter { topic, list });
        }
        filter.kinds.sort_unstable();
        filter.priorities.sort_unstable();
        filter.zones.sort_unstable();
        filter.subjects.sort_unstable();
        filter.floors.sort_unstable();
        filter.tags.sort_unstable();
        filter.events.sort_unstable();
        filter.doors.sort_unstable();
        Ok(Sieve { filter })
    }

    /// Whether an alarm passes.
    pub(crate) fn passes_alarm(&self, note: &AlarmNote) -> bool {
        let filter = &self.filter;
        // A test is for everybody who follows alarms, wherever and however urgent those are.
        if note.kind == AlarmKind::SelfTest {
            return passes(&filter.kinds, Some(&note.kind));
        }
        let zone = match &note.place {
            Thing::Zone(name) => Some(name),
            _ => None,
        };
        let door = match &note.place {
            Thing::Door(name) => Some(name),
            _ => None,
        };
        let other = match &note.place {
            Thing::Subject(name) => Some(name),
            _ => None,
        };
        passes(&filter.kinds, Some(&note.kind))
            && passes(&filter.priorities, Some(&note.priority))
            && self.passes_place(zone, door)
            && (passes(&filter.subjects, note.subject.as_ref()) || passes(&filter.subjects, other))
            && passes(&filter.tags, note.tag.as_ref())
            && self.passes_floor(note.position.and_then(|position| position.floor))
    }

    /// Whether an event passes.
    pub(crate) fn passes_event(&self, note: &EventNote) -> bool {
        let filter = &self.filter;
        passes(&filter.events, Some(&note.word))
            && passes(&filter.zones, note.zone.as_ref())
            && passes(&filter.doors, note.door.as_ref())
            && passes(&filter.subjects, note.subject.as_ref())
            && passes(&filter.tags, note.tag.as_ref())
    }

    /// Whether a position passes.
    pub(crate) fn passes_position(&self, note: &PositionNote) -> bool {
        passes(&self.filter.subjects, note.subject.as_ref())
            && passes(&self.filter.tags, Some(&note.tag))
            && self.passes_floor(note.position.floor)
    }

    fn passes_place(&self, zone: Option<&Name>, door: Option<&Name>) -> bool {
        passes(&self.filter.zones, zone) && passes(&self.filter.doors, door)
    }

    /// What has no floor passes: better one alarm too many.
    fn passes_floor(&self, floor: Option<Floor>) -> bool {
        floor.is_none_or(|floor| passes(&self.filter.floors, Some(&floor)))
    }
}

/// An empty list lets all through.
fn passes<T: Ord>(sorted: &[T], value: Option<&T>) -> bool {
    sorted.is_empty() || value.is_some_and(|value| sorted.binary_search(value).is_ok())
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{AlarmPriority, TagId};
    use ach_engine_wire::{ProvisionalReason, Storage};
    use ach_geo::Position;

    use super::*;
    use crate::notes::alarm_note;
    use crate::test_values::{notice, site};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// A duress alarm of high priority of subject nurse-7, tag 5, in the lobby on floor 1.
    fn note() -> AlarmNote {
        let storage = Storage::Provisional(ProvisionalReason::None);
        let mut note = alarm_note(&site(), &notice(1), storage, None, false);
        note.subject = Some(name("nurse-7"));
        note.tag = Some(TagId(5));
        note.place = Thing::Zone(name("lobby"));
        let floor = Some(Floor(100));
        note.position = Some(Position { x_mm: 0, y_mm: 0, z_mm: None, floor });
        note
    }

    #[track_caller]
    fn check(filter: Filter, passes: bool) {
        let sieve = Sieve::new(Topic::Alarms, filter).unwrap();
        assert_eq!(sieve.passes_alarm(&note()), passes);
    }

    #[test]
    fn within_a_list_any_and_between_lists_all() {
        check(Filter::default(), true);
        check(Filter { zones: vec![name("ward"), name("lobby")], ..Filter::default() }, true);
        check(Filter { zones: vec![name("ward")], ..Filter::default() }, false);
        let both = |subject| Filter {
            kinds: vec![AlarmKind::Duress, AlarmKind::BandCut],
            subjects: vec![name(subject)],
            ..Filter::default()
        };
        check(both("nurse-7"), true);
        check(both("nurse-8"), false);
        check(Filter { priorities: vec![AlarmPriority::Low], ..Filter::default() }, false);
        check(Filter { tags: vec![TagId(9), TagId(5)], ..Filter::default() }, true);
        check(Filter { doors: vec![name("exit")], ..Filter::default() }, false);
        check(Filter { floors: vec![Floor(0)], ..Filter::default() }, false);
        check(Filter { floors: vec![Floor(100)], ..Filter::default() }, true);
    }

    #[test]
    fn a_meeting_passes_for_either_of_the_two() {
        let met = AlarmNote { place: Thing::Subject(name("visitor-4")), ..note() };
        for (subject, passes) in [("nurse-7", true), ("visitor-4", true), ("nurse-8", false)] {
            let filter = Filter { subjects: vec![name(subject)], ..Filter::default() };
            let sieve = Sieve::new(Topic::Alarms, filter).unwrap();
            assert_eq!(sieve.passes_alarm(&met), passes, "{subject}");
        }
    }

    #[test]
    fn what_has_no_floor_passes() {
        let filter = Filter { floors: vec![Floor(0)], ..Filter::default() };
        let sieve = Sieve::new(Topic::Alarms, filter).unwrap();
        assert!(sieve.passes_alarm(&AlarmNote { position: None, ..note() }));
    }

    #[test]
    fn a_test_alarm_is_kept_back_by_a_list_of_kinds_alone() {
        let test = AlarmNote {
            kind: AlarmKind::SelfTest,
            priority: AlarmPriority::Low,
            place: Thing::Site,
            subject: None,
            tag: None,
            ..note()
        };
        let passes = |filter| Sieve::new(Topic::Alarms, filter).unwrap().passes_alarm(&test);
        let narrow = Filter {
            priorities: vec![AlarmPriority::High],
            zones: vec![name("ward")],
            doors: vec![name("exit")],
            subjects: vec![name("nurse-8")],
            tags: vec![TagId(9)],
            floors: vec![Floor(0)],
            ..Filter::default()
        };
        assert!(passes(narrow.clone()));
        assert!(!passes(Filter { kinds: vec![AlarmKind::Duress], ..narrow.clone() }));
        assert!(passes(Filter { kinds: vec![AlarmKind::SelfTest], ..narrow }));
    }

    #[test]
    fn a_filter_that_could_never_pass_is_refused() {
        let filter = Filter { kinds: vec![AlarmKind::Duress], ..Filter::default() };
        let refused = Sieve::new(Topic::Positions, filter).unwrap_err();
        assert_eq!(refused.list, "alarm kinds");
    }
}
