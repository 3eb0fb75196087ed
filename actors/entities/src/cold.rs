//! Tags and subjects at rest, small.
//!
//! Only what a state cannot be without is kept; what is rare keeps its box. A state with something
//! open (an alarm, a doubtful ping, a gate) has no compact form: it will be wanted again soon.

use std::convert::Infallible;

use ach_actors_model::{Fix, TagRef, Timestamp};
use ach_actors_runtime::Cell;
use ach_geo::{Floor, Occupancy, Position, Settled};

use crate::company::Company;
use crate::docket::Docket;
use crate::tag::RECENT_COUNT;
use crate::tag_watch::{Rare, TagWatch};
use crate::{Anchor, Door, Source, Subject, Tag, Zone};

/// Floors are hundredths of storeys; nobody has one there.
const FLOOR_UNKNOWN: i16 = i16::MIN;
/// Nobody is that far below a floor's slab.
const Z_UNKNOWN: i32 = i32::MIN;

/// Where and when, in 32 bytes instead of 48.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ColdFix {
    observed_at: u64,
    x_mm: i32,
    y_mm: i32,
    z_mm: i32,
    accuracy_mm: u32,
    /// From observation to arrival.
    delay_ns: u32,
    floor: i16,
    /// Of tags: the battery, in what would be padding.
    battery_mark: u8,
}

impl ColdFix {
    /// `None` for what does not fit: an arrival over four seconds late, or a place or floor that is
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
        Some(ColdFix {
            observed_at: observed_at.0,
            x_mm: position.x_mm,
            y_mm: position.y_mm,
            z_mm: position.z_mm.unwrap_or(Z_UNKNOWN),
            accuracy_mm,
            delay_ns: u32::try_from(delay_ns).ok()?,
            floor: position.floor.map_or(FLOOR_UNKNOWN, |floor| floor.0),
            battery_mark: 0,
        })
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
        let received_at = self.observed_at + u64::from(self.delay_ns);
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
    rare: Option<Box<Rare>>,
}

impl Cell for Tag {
    type Cold = TagCold;

    fn freeze(&self) -> Option<TagCold> {
        if self.held.is_some() || self.watch.is_restless() {
            return None;
        }
        let position =
            Position { x_mm: self.x_mm, y_mm: self.y_mm, z_mm: self.z_mm, floor: self.floor };
        let moments = (self.observed_at, self.received_at);
        let fix = ColdFix::new(&position, self.accuracy_mm, moments)?;
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
            watch: TagWatch {
                heard_ns: cold.heard_ns,
                silence_mark: cold.silence_mark,
                battery_mark: cold.fix.battery_mark,
                rare: cold.rare.clone(),
            },
            held: None,
        }
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
    type Cold = SubjectCold;

    fn freeze(&self) -> Option<SubjectCold> {
        let fix = self.fix.as_ref()?;
        if self.gate_due.is_some() || self.docket.is_restless() {
            return None;
        }
        let moments = (fix.observed_at, fix.received_at);
        if self.occupancy.heard_ns() != (moments.0.0, moments.1.0) {
            return None;
        }
        let (docket, company) = (&self.docket, &self.company);
        let is_plain = docket.is_empty() && company.is_empty();
        let rare = || SubjectRare { docket: docket.clone(), company: company.clone() };
        Some(SubjectCold {
            fix: ColdFix::new(&fix.position, fix.accuracy_mm, moments)?,
            tag: fix.tag,
            settled: self.occupancy.settled()?,
            rare: (!is_plain).then(|| Box::new(rare())),
        })
    }

    fn thaw(cold: &SubjectCold) -> Subject {
        let (observed_at, received_at) = cold.fix.moments();
        let position = cold.fix.position();
        let accuracy_mm = cold.fix.accuracy_mm;
        let fix = Fix { tag: cold.tag, position, accuracy_mm, observed_at, received_at };
        let (docket, company) = match cold.rare.as_deref() {
            Some(rare) => (rare.docket.clone(), rare.company.clone()),
            None => (Docket::default(), Company::default()),
        };
        Subject {
            fix: Some(fix),
            occupancy: Occupancy::wake(&cold.settled, (observed_at.0, received_at.0)),
            gate_due: None,
            gate_later: None,
            docket,
            company,
            unheard_ns: 0,
        }
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
            type Cold = Infallible;

            fn freeze(&self) -> Option<Infallible> {
                None
            }

            fn thaw(cold: &Infallible) -> $machine {
                match *cold {}
            }
        }
    )*};
}

never_cold! { Zone Door Source Anchor }

// The budget of a million in a gibibyte: at most 700 bytes for an active tag with its subject, 150
// at rest, numbers and lookups included.
const _: () = assert!(size_of::<Tag>() <= 112);
const _: () = assert!(size_of::<Subject>() <= 256);
const _: () = assert!(size_of::<TagCold>() <= 64);
const _: () = assert!(size_of::<SubjectCold>() <= 64);
