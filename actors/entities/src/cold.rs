//! Tags and subjects at rest, small: those that the bytes of `packed.rs` have no room for.
//!
//! Only what a state cannot be without is kept; what is rare keeps its box. A state with something
//! open (an alarm, a doubtful ping, a gate) has no compact form: it will be wanted again soon. Tags
//! that contradict each other may last, so a subject rests with that alarm open.

use std::convert::Infallible;

use ach_actors_model::{Fix, TagRef, Timestamp};
use ach_actors_runtime::Cell;
use ach_geo::{Floor, Occupancy, Position, Settled};

use crate::company::Company;
use crate::docket::Docket;
use crate::tag::RECENT_COUNT;
use crate::tag_cases::TagCases;
use crate::tag_watch::TagWatch;
use crate::zone::ZoneSaved;
use crate::{Anchor, Door, Source, Subject, Tag, Zone};

/// Floors are hundredths of storeys; nobody has one there.
const FLOOR_UNKNOWN: i16 = i16::MIN;
/// Nobody is that far below a floor's slab.
const Z_UNKNOWN: i32 = i32::MIN;

/// Of a lag of 40 bits: the rest is how far ahead the stamp was, in milliseconds.
const AHEAD: u64 = 1 << 39;
/// A lag that no fix has: there is no fix.
const NO_FIX: u64 = (1 << 40) - 1;

/// Where and when, in 32 bytes instead of 48.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ColdFix {
    observed_at: u64,
    x_mm: i32,
    y_mm: i32,
    z_mm: i32,
    accuracy_mm: u32,
    /// From observation to arrival, or of tags how far ahead the stamp was, and observation thus
    /// taken for arrival. 40 bits, because feeds whose clocks are minutes behind are usual.
    lag_low: u32,
    lag_high: u8,
    floor: i16,
    /// Of tags: the battery, in what would be padding.
    battery_mark: u8,
}

impl ColdFix {
    /// `None` for what does not fit: an arrival over nine minutes late, or a place or floor that is
    /// taken for unknown here.
    fn new(
        position: &Position,
        accuracy_mm: u32,
        (observed_at, received_at): (Timestamp, Timestamp),
    ) -> Option<ColdFix> {
        if position.z_mm == Some(Z_UNKNOWN) || position.floor == Some(Floor(FLOOR_UNKNOWN)) {
            return None;
        }
        let delay_ns = received_at.0.checked_sub(observed_at.0)?;
        if delay_ns >= AHEAD {
            return None;
        }
        let fix = ColdFix {
            observed_at: observed_at.0,
            x_mm: position.x_mm,
            y_mm: position.y_mm,
            z_mm: position.z_mm.unwrap_or(Z_UNKNOWN),
            accuracy_mm,
            floor: position.floor.map_or(FLOOR_UNKNOWN, |floor| floor.0),
            ..ColdFix::none()
        };
        Some(fix.with_lag(delay_ns))
    }

    /// That there is none.
    const fn none() -> ColdFix {
        ColdFix {
            observed_at: 0,
            x_mm: 0,
            y_mm: 0,
            z_mm: 0,
            accuracy_mm: 0,
            lag_low: u32::MAX,
            lag_high: u8::MAX,
            floor: 0,
            battery_mark: 0,
        }
    }

    fn is_none(&self) -> bool {
        self.lag() == NO_FIX
    }

    fn lag(&self) -> u64 {
        (u64::from(self.lag_high) << 32) | u64::from(self.lag_low)
    }

    /// With another lag, of which 40 bits are kept.
    fn with_lag(self, lag: u64) -> ColdFix {
        let lag_low = u32::try_from(lag & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        let lag_high = u8::try_from(lag >> 32).unwrap_or(u8::MAX);
        ColdFix { lag_low, lag_high, ..self }
    }

    /// How far ahead the stamp was.
    fn ahead_ms(&self) -> u32 {
        if self.lag() & AHEAD == 0 { 0 } else { self.lag_low }
    }

    fn position(&self) -> Position {
        Position {
            x_mm: self.x_mm,
            y_mm: self.y_mm,
            z_mm: (self.z_mm != Z_UNKNOWN).then_some(self.z_mm),
            floor: (self.floor != FLOOR_UNKNOWN).then_some(Floor(self.floor)),
        }
    }

    fn moments(&self) -> (Timestamp, Timestamp) {
        let delay_ns = if self.lag() & AHEAD == 0 { self.lag() } else { 0 };
        let received_at = self.observed_at + delay_ns;
        (Timestamp(self.observed_at), Timestamp(received_at))
    }
}

/// A tag at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCold {
    fix: ColdFix,
    heard_ns: u64,
    silence_mark: u32,
    floor_age_ms: u32,
    recent: [u16; RECENT_COUNT],
    rare: Option<Box<TagCases>>,
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
        if self.held.is_some() || self.watch.is_restless() {
            return None;
        }
        let position =
            Position { x_mm: self.x_mm, y_mm: self.y_mm, z_mm: self.z_mm, floor: self.floor };
        let moments = (self.observed_at, self.received_at);
        let mut fix = ColdFix::new(&position, self.accuracy_mm, moments)?;
        if self.ahead_ms > 0 {
            if fix.lag() > 0 {
                return None;
            }
            fix = fix.with_lag(AHEAD | u64::from(self.ahead_ms));
        }
        Some(TagCold {
            fix: ColdFix { battery_mark: self.watch.battery_mark, ..fix },
            heard_ns: self.watch.heard_ns,
            silence_mark: self.watch.silence_mark,
            floor_age_ms: self.floor_age_ms,
            recent: self.recent,
            rare: self.watch.rare.clone(),
        })
    }

    fn thaw(cold: &TagCold) -> Tag {
        let Position { x_mm, y_mm, z_mm, floor } = cold.fix.position();
        let (observed_at, received_at) = cold.fix.moments();
        Tag {
            observed_at,
            received_at,
            x_mm,
            y_mm,
            z_mm,
            accuracy_mm: cold.fix.accuracy_mm,
            floor,
            recent: cold.recent,
            floor_age_ms: cold.floor_age_ms,
            ahead_ms: cold.fix.ahead_ms(),
            watch: TagWatch {
                heard_ns: cold.heard_ns,
                silence_mark: cold.silence_mark,
                battery_mark: cold.fix.battery_mark,
                rare: cold.rare.clone(),
            },
            held: None,
        }
    }

    fn pack(&self, record: &mut Vec<u8>) -> bool {
        self.pack(record)
    }

    fn unpack(record: &[u8]) -> Option<Tag> {
        Tag::unpack(record)
    }

    fn warm(&self) -> u64 {
        self.observed_at.0 ^ self.watch.heard_ns
    }
}

/// A subject at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectCold {
    fix: ColdFix,
    tag: TagRef,
    settled: Settled,
    rare: Option<Box<SubjectRare>>,
}

/// What few subjects have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SubjectRare {
    docket: Docket,
    company: Company,
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
        if self.gate_due.is_some() || self.docket.is_restless() {
            return None;
        }
        // One that was removed, or lost its tags, has none.
        let moments =
            self.fix.map_or_else(Default::default, |fix| (fix.observed_at, fix.received_at));
        if self.occupancy.heard_ns() != (moments.0.0, moments.1.0) {
            return None;
        }
        let fix = match &self.fix {
            Some(fix) => ColdFix::new(&fix.position, fix.accuracy_mm, moments)?,
            None => ColdFix::none(),
        };
        let (docket, company) = (&self.docket, &self.company);
        let is_plain = docket.is_empty() && company.is_empty();
        let rare = || SubjectRare { docket: docket.clone(), company: company.clone() };
        Some(SubjectCold {
            fix,
            tag: self.fix.map_or(TagRef(0), |fix| fix.tag),
            settled: self.occupancy.settled()?,
            rare: (!is_plain).then(|| Box::new(rare())),
        })
    }

    fn thaw(cold: &SubjectCold) -> Subject {
        let (fix, heard_ns) = if cold.fix.is_none() {
            (None, (0, 0))
        } else {
            let (observed_at, received_at) = cold.fix.moments();
            let position = cold.fix.position();
            let accuracy_mm = cold.fix.accuracy_mm;
            let fix = Fix { tag: cold.tag, position, accuracy_mm, observed_at, received_at };
            (Some(fix), (observed_at.0, received_at.0))
        };
        let (docket, company) = match cold.rare.as_deref() {
            Some(rare) => (rare.docket.clone(), rare.company.clone()),
            None => (Docket::default(), Company::default()),
        };
        Subject {
            fix,
            occupancy: Occupancy::wake(&cold.settled, heard_ns),
            gate_due: None,
            gate_later: None,
            docket,
            company,
            unheard_ns: 0,
        }
    }

    fn pack(&self, record: &mut Vec<u8>) -> bool {
        self.pack(record)
    }

    fn unpack(record: &[u8]) -> Option<Subject> {
        Subject::unpack(record)
    }

    fn warm(&self) -> u64 {
        let fix = self.fix.as_ref().map_or(0, |fix| fix.observed_at.0);
        fix ^ self.occupancy.warm() ^ self.gate_due.map_or(0, std::num::NonZeroU64::get)
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
// at rest, numbers and lookups included. Nearly all rest as bytes: see `packed.rs`.
const _: () = assert!(size_of::<Tag>() <= 112);
const _: () = assert!(size_of::<Subject>() <= 256);
const _: () = assert!(size_of::<TagCold>() <= 64);
const _: () = assert!(size_of::<SubjectCold>() <= 64);

#[cfg(test)]
mod tests {
    use ach_actors_model::NS_PER_S;

    use super::*;

    /// A patient and his tag, located once, and whether both come to rest.
    #[track_caller]
    fn check(delay_ns: u64, edit: fn(&mut Fix), is_small: bool) {
        let observed_at = Timestamp(1_795_392_000 * NS_PER_S);
        let received_at = observed_at.plus_ns(delay_ns);
        let position = Position { x_mm: -7, y_mm: 9, z_mm: Some(1_200), floor: Some(Floor(-100)) };
        let mut fix =
            Fix { tag: TagRef(3), position, accuracy_mm: 70_000, observed_at, received_at };
        edit(&mut fix);
        let Position { x_mm, y_mm, z_mm, floor } = fix.position;
        let accuracy_mm = fix.accuracy_mm;
        let mut tag = Tag { observed_at, received_at, x_mm, y_mm, z_mm, ..Tag::default() };
        (tag.accuracy_mm, tag.floor) = (accuracy_mm, floor);
        assert_eq!(tag.freeze().map(|cold| Tag::thaw(&cold)), is_small.then_some(tag));
        let settled = Occupancy::default().settled().expect("nothing is open");
        let occupancy = Occupancy::wake(&settled, (observed_at.0, received_at.0));
        let subject = Subject { fix: Some(fix), occupancy, ..Subject::default() };
        let again = subject.freeze().map(|cold| format!("{:?}", Subject::thaw(&cold)));
        assert_eq!(again, is_small.then(|| format!("{subject:?}")));
    }

    #[test]
    fn what_rests_wakes_the_same() {
        check(0, |_| {}, true);
        check(5 * NS_PER_S, |_| {}, true);
        check(9 * 60 * NS_PER_S, |_| {}, true);
        check(10 * 60 * NS_PER_S, |_| {}, false);
        check(0, |fix| fix.position.z_mm = None, true);
        check(0, |fix| fix.position.z_mm = Some(i32::MIN), false);
        check(0, |fix| fix.position.floor = None, true);
        check(0, |fix| fix.position.floor = Some(Floor(i16::MIN)), false);
    }

    #[test]
    fn who_has_no_fix_rests_too() {
        let subject = Subject::default();
        let cold = subject.freeze().expect("nothing is open");
        assert_eq!(format!("{:?}", Subject::thaw(&cold)), format!("{subject:?}"));
    }
}
