//! Where those are whom rules keep apart, so that whoever moves finds who is near.
//!
//! Only subjects under such rules are here, which a site has a limit of. They are found by squares of the
//! plan, floor by floor, and of a crowd only so many are looked at.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{Fix, NS_PER_S, SubjectRef, Timestamp};
use ach_geo::{Floor, Position};
use serde::{Deserialize, Serialize};

/// Side of a square: what rules call near is a few metres, so that a look goes through a handful.
const SQUARE_MM: i32 = 10_000;

/// Sightings one look goes through: more than can stand within some metres. In a crowd of more under such
/// rules who is near may be overlooked; a look at all of them with each position would keep alarms waiting.
const LOOK_COUNT_MAX: usize = 256;

/// A position says for so long where somebody is. Tags in motion send every few seconds; one that has said
/// nothing for longer may have gone anywhere.
pub(crate) const SIGHTING_AGE_MAX_NS: u64 = 60 * NS_PER_S;

/// Where somebody was seen, on a floor that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sighting {
    x_mm: i32,
    y_mm: i32,
    floor: Floor,
    pub(crate) accuracy_mm: u32,
    observed_at: Timestamp,
}

impl Sighting {
    /// Of a fix, if it knows the floor.
    pub(crate) fn of(fix: &Fix) -> Option<Sighting> {
        let position = &fix.position;
        Some(Sighting {
            x_mm: position.x_mm,
            y_mm: position.y_mm,
            floor: position.floor?,
            accuracy_mm: fix.accuracy_mm,
            observed_at: fix.observed_at,
        })
    }

    pub(crate) fn position(&self) -> Position {
        Position { x_mm: self.x_mm, y_mm: self.y_mm, z_mm: None, floor: Some(self.floor) }
    }

    /// Whether it still says where somebody is.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now.since_ns(self.observed_at) <= SIGHTING_AGE_MAX_NS
    }

    /// Whether another one is on the same floor and no further away.
    pub(crate) fn is_within(&self, other: &Sighting, reach_mm: u32) -> bool {
        let square = |from: i32, to: i32| {
            let along = i64::from(to) - i64::from(from);
            along.saturating_mul(along)
        };
        let reach_mm = i64::from(reach_mm);
        let apart = square(self.x_mm, other.x_mm).saturating_add(square(self.y_mm, other.y_mm));
        self.floor == other.floor && apart <= reach_mm.saturating_mul(reach_mm)
    }

    fn square(&self) -> (i32, i32) {
        (self.x_mm.div_euclid(SQUARE_MM), self.y_mm.div_euclid(SQUARE_MM))
    }
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(SubjectRef, Sighting)>", into = "Vec<(SubjectRef, Sighting)>")]
pub(crate) struct Whereabouts {
    sightings: BTreeMap<SubjectRef, Sighting>,
    /// The same by floor and square.
    squares: BTreeSet<(Floor, i32, i32, SubjectRef)>,
}

impl Whereabouts {
    pub(crate) fn sighting(&self, subject: SubjectRef) -> Option<Sighting> {
        self.sightings.get(&subject).copied()
    }

    /// Puts a subject somewhere, or nowhere.
    pub(crate) fn put(&mut self, subject: SubjectRef, sighting: Option<Sighting>) {
        let key = |sighting: &Sighting| {
            let (column, row) = sighting.square();
            (sighting.floor, column, row, subject)
        };
        let before = match sighting {
            Some(sighting) => self.sightings.insert(subject, sighting),
            None => self.sightings.remove(&subject),
        };
        if before.as_ref().map(key) == sighting.as_ref().map(key) {
            return;
        }
        if let Some(before) = before {
            self.squares.remove(&key(&before));
        }
        if let Some(sighting) = sighting {
            self.squares.insert(key(&sighting));
        }
    }

    /// Who is no further from a sighting, the columns of squares nearest to it first.
    pub(crate) fn around(
        &self,
        sighting: Sighting,
        reach_mm: u32,
    ) -> impl Iterator<Item = SubjectRef> + '_ {
        let (column, row) = sighting.square();
        let reach = i32::try_from(reach_mm).unwrap_or(i32::MAX);
        let span = reach / SQUARE_MM + 1;
        let columns =
            (0..=span).flat_map(move |step| [column.checked_sub(step), column.checked_add(step)]);
        let columns = columns.skip(1).flatten();
        let (low, high) = (row.saturating_sub(span), row.saturating_add(span));
        let floor = sighting.floor;
        columns
            .flat_map(move |column| {
                let from = (floor, column, low, SubjectRef(u32::MIN));
                self.squares.range(from..=(floor, column, high, SubjectRef(u32::MAX)))
            })
            .take(LOOK_COUNT_MAX)
            .map(|&(.., subject)| subject)
            .filter(move |subject| {
                let other = self.sightings.get(subject);
                other.is_some_and(|other| sighting.is_within(other, reach_mm))
            })
    }
}

impl From<Vec<(SubjectRef, Sighting)>> for Whereabouts {
    fn from(sightings: Vec<(SubjectRef, Sighting)>) -> Whereabouts {
        let mut whereabouts = Whereabouts::default();
        for (subject, sighting) in sightings {
            whereabouts.put(subject, Some(sighting));
        }
        whereabouts
    }
}

impl From<Whereabouts> for Vec<(SubjectRef, Sighting)> {
    fn from(whereabouts: Whereabouts) -> Vec<(SubjectRef, Sighting)> {
        whereabouts.sightings.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x_mm: i32, y_mm: i32, floor: i16) -> Sighting {
        let floor = Floor(floor);
        Sighting { x_mm, y_mm, floor, accuracy_mm: 0, observed_at: Timestamp(1) }
    }

    /// Walkers who step about, held against a look at all of them.
    #[test]
    fn who_is_near_is_found_as_by_a_look_at_all() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |most: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            i32::try_from((state >> 33) % most).expect("small")
        };
        let mut whereabouts = Whereabouts::default();
        let mut plain: BTreeMap<SubjectRef, Sighting> = BTreeMap::new();
        for step in 0..3_000 {
            let subject = SubjectRef(u32::try_from(below(120)).expect("small"));
            let floor = if below(4) == 0 { 200 } else { 100 };
            let sighting = at(below(90_000) - 45_000, below(90_000) - 45_000, floor);
            let sighting = (below(8) > 0).then_some(sighting);
            whereabouts.put(subject, sighting);
            match sighting {
                Some(sighting) => plain.insert(subject, sighting),
                None => plain.remove(&subject),
            };
            let from = at(below(90_000) - 45_000, below(90_000) - 45_000, 100);
            let reach_mm = u32::try_from(below(40_000)).expect("small");
            let mut found: Vec<SubjectRef> = whereabouts.around(from, reach_mm).collect();
            found.sort_unstable();
            let near = plain.iter().filter(|(_, other)| from.is_within(other, reach_mm));
            assert_eq!(found, near.map(|(&subject, _)| subject).collect::<Vec<_>>(), "step {step}");
        }
        let told: Vec<(SubjectRef, Sighting)> = whereabouts.clone().into();
        assert_eq!(Whereabouts::from(told), whereabouts);
    }

    #[test]
    fn of_a_crowd_no_more_are_looked_at_than_the_limit() {
        let mut whereabouts = Whereabouts::default();
        for subject in 0..10_000 {
            whereabouts.put(SubjectRef(subject), Some(at(500, 500, 100)));
        }
        assert_eq!(whereabouts.around(at(0, 0, 100), 2_000).count(), LOOK_COUNT_MAX);
    }
}
