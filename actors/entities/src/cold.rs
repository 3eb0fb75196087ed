//! Tags and subjects at rest, small: as the bytes of `packed.rs`, and beside these, of those that
//! have it, what is rare.
//!
//! A state with something open (an alarm, a doubtful ping, a gate) has no compact form: it will be
//! wanted again soon. Tags that contradict each other may last, so a subject rests with that alarm
//! open.

use std::convert::Infallible;

use ach_actors_runtime::{Cell, unpacked};

use crate::company::Company;
use crate::docket::Docket;
use crate::tag_cases::TagCases;
use crate::zone::ZoneSaved;
use crate::{Anchor, Door, Source, Subject, Tag, Zone};

/// A tag at rest with what few tags have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCold {
    record: Box<[u8]>,
    rare: Box<TagCases>,
}

impl Cell for Tag {
    type Saved = Tag;
    type Cold = TagCold;

    fn save(&mut self) -> Tag {
        self.clone()
    }

    fn restore(&mut self, saved: Tag) {
        *self = saved;
    }

    fn freeze(&self) -> Option<TagCold> {
        if self.watch.is_restless() {
            return None;
        }
        let rare = self.watch.rare.clone()?;
        let mut record = Vec::new();
        let can_rest = self.pack_rest(&mut record) && Tag::unpack(&record).is_some();
        can_rest.then(|| TagCold { record: record.into(), rare })
    }

    fn thaw(cold: &TagCold) -> Tag {
        let mut tag: Tag = unpacked(&cold.record);
        tag.watch.rare = Some(cold.rare.clone());
        tag
    }

    fn pack(&self, record: &mut Vec<u8>) -> bool {
        self.watch.rare.is_none() && self.pack_rest(record)
    }

    fn flatten(&self, record: &mut Vec<u8>) -> bool {
        self.watch.rare.is_none() && self.flatten_rest(record)
    }

    fn unpack(record: &[u8]) -> Option<Tag> {
        Tag::unpack(record)
    }

    fn warm(&self) -> u64 {
        self.observed_at.0 ^ self.watch.heard_ns
    }
}

/// A subject at rest with what few subjects have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectCold {
    record: Box<[u8]>,
    rare: Box<SubjectRare>,
}

/// What few subjects have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SubjectRare {
    docket: Docket,
    company: Company,
}

impl Subject {
    fn is_plain(&self) -> bool {
        self.docket.is_empty() && self.company.is_empty()
    }
}

impl Cell for Subject {
    type Saved = Subject;
    type Cold = SubjectCold;

    fn save(&mut self) -> Subject {
        self.clone()
    }

    fn restore(&mut self, saved: Subject) {
        *self = saved;
    }

    fn freeze(&self) -> Option<SubjectCold> {
        if self.is_plain() || self.docket.is_restless() {
            return None;
        }
        let mut record = Vec::new();
        if !self.pack_rest(&mut record) || Subject::unpack(&record).is_none() {
            return None;
        }
        let rare = SubjectRare { docket: self.docket.clone(), company: self.company.clone() };
        Some(SubjectCold { record: record.into(), rare: Box::new(rare) })
    }

    fn thaw(cold: &SubjectCold) -> Subject {
        let SubjectRare { docket, company } = SubjectRare::clone(&cold.rare);
        Subject { docket, company, ..unpacked(&cold.record) }
    }

    fn pack(&self, record: &mut Vec<u8>) -> bool {
        self.is_plain() && self.pack_rest(record)
    }

    fn flatten(&self, record: &mut Vec<u8>) -> bool {
        self.is_plain() && self.flatten_rest(record)
    }

    fn unpack(record: &[u8]) -> Option<Subject> {
        Subject::unpack(record)
    }

    fn warm(&self) -> u64 {
        let fix = self.fix.as_ref().map_or(0, |fix| fix.observed_at.0);
        let waits = u64::from(self.docket.is_waiting());
        fix ^ waits ^ self.occupancy.warm() ^ self.gate_due.map_or(0, std::num::NonZeroU64::get)
    }
}

/// Few enough to stay as they are.
macro_rules! never_cold {
    ($($machine:ty)*) => {$(
        impl Cell for $machine {
            type Saved = $machine;
            type Cold = Infallible;

            fn save(&mut self) -> $machine {
                self.clone()
            }

            fn restore(&mut self, saved: $machine) {
                *self = saved;
            }

            fn freeze(&self) -> Option<Infallible> {
                None
            }

            fn thaw(cold: &Infallible) -> $machine {
                match *cold {}
            }
        }
    )*};
}

never_cold! { Door Source Anchor }

impl Cell for Zone {
    type Saved = ZoneSaved;
    type Cold = Infallible;

    fn save(&mut self) -> ZoneSaved {
        self.begin_input()
    }

    fn restore(&mut self, saved: ZoneSaved) {
        self.undo_input(saved);
    }

    fn freeze(&self) -> Option<Infallible> {
        None
    }

    fn thaw(cold: &Infallible) -> Zone {
        match *cold {}
    }
}

// The budget of a million in a gibibyte: at most 700 bytes for an active tag with its subject, 150
// at rest, numbers and lookups included. Nearly all rest as bytes alone.
const _: () = assert!(size_of::<Tag>() <= 112);
const _: () = assert!(size_of::<Subject>() <= 256);
const _: () = assert!(size_of::<TagCold>() <= 24);
const _: () = assert!(size_of::<SubjectCold>() <= 24);

#[cfg(test)]
mod tests {
    use ach_actors_model::{Fix, NS_PER_S, TagRef, Timestamp};
    use ach_geo::{Floor, Occupancy, Position};

    use super::*;

    /// A patient of two tags, and a tag that has had an alarm, both located once: they come to rest,
    /// though not as bytes alone.
    #[track_caller]
    fn check(delay_ns: u64, edit: fn(&mut Fix)) {
        let observed_at = Timestamp(1_795_392_000 * NS_PER_S);
        let received_at = observed_at.plus_ns(delay_ns);
        let position = Position { x_mm: -7, y_mm: 9, z_mm: Some(1_200), floor: Some(Floor(-100)) };
        let mut fix =
            Fix { tag: TagRef(3), position, accuracy_mm: 70_000, observed_at, received_at };
        edit(&mut fix);
        let Position { x_mm, y_mm, z_mm, floor } = fix.position;
        let accuracy_mm = fix.accuracy_mm;
        let mut tag = Tag { observed_at, received_at, x_mm, y_mm, z_mm, ..Tag::default() };
        (tag.accuracy_mm, tag.floor, tag.ahead_ms) = (accuracy_mm, floor, 1_234);
        tag.watch.rare = Some(Box::default());
        assert!(!Cell::pack(&tag, &mut Vec::new()));
        assert_eq!(tag.freeze().map(|cold| Tag::thaw(&cold)), Some(tag));
        let settled = Occupancy::default().settled().expect("nothing is open");
        let occupancy = Occupancy::wake(&settled, (observed_at.0, received_at.0));
        let company = Company::of_two();
        let subject = Subject { fix: Some(fix), occupancy, company, ..Subject::default() };
        assert!(!Cell::pack(&subject, &mut Vec::new()));
        let again = subject.freeze().map(|cold| format!("{:?}", Subject::thaw(&cold)));
        assert_eq!(again, Some(format!("{subject:?}")));
    }

    #[test]
    fn what_rests_wakes_the_same() {
        check(0, |_| {});
        check(5 * NS_PER_S, |_| {});
        check(3_600 * NS_PER_S, |_| {});
        check(0, |fix| fix.position.z_mm = None);
        check(0, |fix| fix.position.z_mm = Some(i32::MIN));
        check(0, |fix| fix.position.floor = None);
        check(0, |fix| fix.position.floor = Some(Floor(i16::MIN)));
    }

    #[test]
    fn what_is_open_does_not_rest_and_what_is_not_rare_rests_as_bytes() {
        assert_eq!(Tag::default().freeze(), None);
        assert_eq!(Subject::default().freeze(), None);
        assert!(Cell::pack(&Tag::default(), &mut Vec::new()));
        assert!(Cell::pack(&Subject::default(), &mut Vec::new()));
        let gate_due = std::num::NonZeroU64::new(5);
        let company = Company::of_two();
        assert_eq!(Subject { gate_due, company, ..Subject::default() }.freeze(), None);
    }
}
