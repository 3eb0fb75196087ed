//! Where those are whom rules keep apart, so that whoever moves finds who is near.
//!
//! Only subjects under such rules are here, which a site has a limit of. They are found by squares of the
//! plan, floor by floor, the nearest first, and of a crowd only so many are looked at.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::ops::Bound;

use ach_actors_model::{Fix, NS_PER_S, SubjectRef, Timestamp};
use ach_geo::{Floor, Position};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::site::SUBJECT_COUNT_MAX;
use crate::tag::ACCURACY_UNKNOWN_MM;

/// Side of a square: what rules call near is a few metres, so that a look goes through a handful.
const SQUARE_MM: i32 = 10_000;

/// Whom one look finds: more than can stand within some metres. In a crowd of more under such rules who is near may be
/// overlooked; all of them with each position would keep alarms waiting.
const FOUND_COUNT_MAX: usize = 256;

/// Sightings one look goes through, those too far or too old among them: a drawer or a store room of tags that
/// nobody wears. At some 0.2 us each it is over within a millisecond.
const LOOK_COUNT_MAX: usize = 4_096;

/// Floors one look goes through: more storeys than hospitals have, should a feed tell wild ones.
const FLOOR_COUNT_MAX: usize = 64;

/// How much further than a meeting's end one look goes for positions that are coarse: those of good systems are not.
const ERROR_LOOK_MAX_MM: u32 = 20_000;

/// The floor of a sighting that knows none: nobody builds 327 storeys down, and state keeps its form.
const FLOOR_UNKNOWN: Floor = Floor(i16::MIN);

/// A position says for so long where somebody is. Tags in motion send every few seconds; one that has said
/// nothing for longer may have gone anywhere.
pub(crate) const SIGHTING_AGE_MAX_NS: u64 = 60 * NS_PER_S;

/// Where somebody was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sighting {
    x_mm: i32,
    y_mm: i32,
    floor: Floor,
    accuracy_mm: u32,
    observed_at: Timestamp,
    /// Whether somebody looks for who is there by squares.
    is_sought: bool,
}

impl Sighting {
    pub(crate) fn of(fix: &Fix, is_sought: bool) -> Sighting {
        let position = &fix.position;
        Sighting {
            x_mm: position.x_mm,
            y_mm: position.y_mm,
            floor: position.floor.unwrap_or(FLOOR_UNKNOWN),
            accuracy_mm: fix.accuracy_mm,
            observed_at: fix.observed_at,
            is_sought,
        }
    }

    pub(crate) fn position(&self) -> Position {
        let floor = self.knows_floor().then_some(self.floor);
        Position { x_mm: self.x_mm, y_mm: self.y_mm, z_mm: None, floor }
    }

    /// The same, of somebody for whom others look by squares, or none does.
    pub(crate) fn sought(self, is_sought: bool) -> Sighting {
        Sighting { is_sought, ..self }
    }

    pub(crate) fn knows_floor(&self) -> bool {
        self.floor != FLOOR_UNKNOWN
    }

    /// How far off it may be.
    pub(crate) fn error_mm(&self) -> u32 {
        if self.accuracy_mm == 0 { ACCURACY_UNKNOWN_MM } else { self.accuracy_mm }
    }

    /// Whether both know their floor, and it is not the same.
    pub(crate) fn is_on_another_floor(&self, other: &Sighting) -> bool {
        self.knows_floor() && other.knows_floor() && self.floor != other.floor
    }

    /// Whether another one is further away on the plan, whatever the floors, though both be as far off as they may be.
    pub(crate) fn is_beyond(&self, other: &Sighting, reach_mm: u32) -> bool {
        let reach_mm = reach_mm.saturating_add(self.error_mm()).saturating_add(other.error_mm());
        !self.is_within_on_plan(other, reach_mm)
    }

    /// Whether another one is further away east or north alone, though both be as far off as they may be: of most that is
    /// so, and it is sooner said than how far.
    #[inline]
    pub(crate) fn is_plainly_beyond(&self, other: &Sighting, reach_mm: u32) -> bool {
        let reach_mm = reach_mm.saturating_add(self.error_mm()).saturating_add(other.error_mm());
        self.x_mm.abs_diff(other.x_mm) > reach_mm || self.y_mm.abs_diff(other.y_mm) > reach_mm
    }

    /// Whether it still says where somebody is.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now.since_ns(self.observed_at) <= SIGHTING_AGE_MAX_NS
    }

    /// Whether another one is on the same floor and no further away.
    pub(crate) fn is_within(&self, other: &Sighting, reach_mm: u32) -> bool {
        self.knows_floor() && self.floor == other.floor && self.is_within_on_plan(other, reach_mm)
    }

    /// Whether it was seen lately, and no further from a place.
    pub(crate) fn is_near(&self, place: Sighting, reach_mm: u32, now: Timestamp) -> bool {
        self.is_fresh(now) && place.is_within(self, reach_mm)
    }

    /// Whether it may have been within reach of where somebody was before: on that floor, or one of the two floors is
    /// not known.
    pub(crate) fn may_be_near(&self, before: Sighting, reach_mm: u32) -> bool {
        !self.is_on_another_floor(&before) && !before.is_beyond(self, reach_mm)
    }

    fn is_within_on_plan(&self, other: &Sighting, reach_mm: u32) -> bool {
        let square = |from: i32, to: i32| {
            let along = i64::from(to) - i64::from(from);
            along.saturating_mul(along)
        };
        let reach_mm = i64::from(reach_mm);
        let apart = square(self.x_mm, other.x_mm).saturating_add(square(self.y_mm, other.y_mm));
        apart <= reach_mm.saturating_mul(reach_mm)
    }

    fn square(&self) -> (i32, i32) {
        (self.x_mm.div_euclid(SQUARE_MM), self.y_mm.div_euclid(SQUARE_MM))
    }
}

/// The table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<(SubjectRef, Sighting)>", into = "Vec<(SubjectRef, Sighting)>")]
pub(crate) struct Whereabouts {
    /// By subject: each position of each of them is put here and looked up here, so there is no search. 24 bytes for
    /// each of a site's subjects up to the last of those.
    sightings: Vec<Option<Sighting>>,
    /// Who is there of those who are sought, by floor and square: changed only by who goes from one to another.
    squares: BTreeSet<(Floor, i32, i32, SubjectRef)>,
}

impl Whereabouts {
    pub(crate) fn sighting(&self, subject: SubjectRef) -> Option<Sighting> {
        self.sightings.get(subject.index()).copied().flatten()
    }

    /// Reads what a position of a subject will need, and returns something made of it.
    pub(crate) fn warm(&self, subject: SubjectRef) -> u64 {
        self.sighting(subject).map_or(0, |sighting| sighting.observed_at.0)
    }

    /// Puts a subject somewhere, or nowhere.
    pub(crate) fn put(&mut self, subject: SubjectRef, sighting: Option<Sighting>) {
        let key = |sighting: &Sighting| {
            let (column, row) = sighting.square();
            sighting.is_sought.then_some((sighting.floor, column, row, subject))
        };
        let before = self.sighting(subject);
        if self.sightings.len() <= subject.index() && sighting.is_some() {
            self.sightings.resize(subject.index() + 1, None);
        }
        if let Some(slot) = self.sightings.get_mut(subject.index()) {
            *slot = sighting;
        }
        let (left, reached) = (before.as_ref().and_then(key), sighting.as_ref().and_then(key));
        if left == reached {
            return;
        }
        if let Some(left) = left {
            self.squares.remove(&left);
        }
        self.squares.extend(reached);
    }

    /// Everybody who was seen, by subject.
    fn seen(&self) -> impl Iterator<Item = (SubjectRef, Sighting)> + '_ {
        let row = |(number, slot): (u32, &Option<Sighting>)| Some((SubjectRef(number), (*slot)?));
        (0..).zip(&self.sightings).filter_map(row)
    }

    /// As [`Whereabouts::around`], among few.
    pub(crate) fn around_among<'a>(
        &'a self,
        few: &'a [SubjectRef],
        sighting: Sighting,
        reach_mm: u32,
        now: Timestamp,
    ) -> impl Iterator<Item = SubjectRef> + 'a {
        let is_near = move |other: &Sighting| other.is_near(sighting, reach_mm, now);
        few.iter().copied().filter(move |&other| self.sighting(other).as_ref().is_some_and(is_near))
    }

    /// As [`Whereabouts::about`], among few.
    pub(crate) fn about_among<'a>(
        &'a self,
        few: &'a [SubjectRef],
        before: Sighting,
        reach_mm: u32,
    ) -> impl Iterator<Item = SubjectRef> + 'a {
        let is_near = move |other: &Sighting| other.may_be_near(before, reach_mm);
        few.iter().copied().filter(move |&other| self.sighting(other).as_ref().is_some_and(is_near))
    }

    /// Who is no further from a sighting and was seen lately.
    pub(crate) fn around(
        &self,
        sighting: Sighting,
        reach_mm: u32,
        now: Timestamp,
    ) -> impl Iterator<Item = SubjectRef> + '_ {
        let is_near = move |other: &Sighting| other.is_near(sighting, reach_mm, now);
        let floors = Some(sighting.floor).filter(|_| sighting.knows_floor());
        self.look(sighting, floors, reach_mm, is_near)
    }

    /// Who may not have been beyond reach of where somebody was `before`, whenever they were seen: on that floor and of
    /// unknown floor; on any, if his was not known.
    pub(crate) fn about(
        &self,
        before: Sighting,
        reach_mm: u32,
    ) -> impl Iterator<Item = SubjectRef> + '_ {
        let of_one = before.knows_floor().then_some([before.floor, FLOOR_UNKNOWN]);
        let of_any = (!before.knows_floor()).then(|| self.floors());
        let floors = of_one.into_iter().flatten().chain(of_any.into_iter().flatten());
        let is_near = move |other: &Sighting| other.may_be_near(before, reach_mm);
        let error_mm = before.error_mm().saturating_add(ACCURACY_UNKNOWN_MM);
        let span_mm = reach_mm.saturating_add(error_mm.min(ERROR_LOOK_MAX_MM));
        self.look(before, floors, span_mm, is_near)
    }

    /// The floors that anybody was seen on.
    fn floors(&self) -> impl Iterator<Item = Floor> + '_ {
        let floor_of = |&(floor, ..): &(Floor, i32, i32, SubjectRef)| floor;
        std::iter::successors(self.squares.first().map(floor_of), move |floor| {
            let last = (*floor, i32::MAX, i32::MAX, SubjectRef(u32::MAX));
            self.squares.range((Bound::Excluded(last), Bound::Unbounded)).next().map(floor_of)
        })
        .take(FLOOR_COUNT_MAX)
    }

    /// Whom a look round a place finds, floor by floor and square by square outward.
    fn look(
        &self,
        place: Sighting,
        floors: impl IntoIterator<Item = Floor>,
        span_mm: u32,
        is_found: impl Fn(&Sighting) -> bool,
    ) -> impl Iterator<Item = SubjectRef> {
        let (column, row) = place.square();
        let ring_count = i32::try_from(span_mm).unwrap_or(i32::MAX) / SQUARE_MM + 1;
        floors
            .into_iter()
            .flat_map(move |floor| (0..=ring_count).map(move |step| (floor, step)))
            .flat_map(move |(floor, step)| ring(column, row, step).map(move |strip| (floor, strip)))
            .flat_map(move |(floor, (column, low, high))| {
                let from = (floor, column, low, SubjectRef(u32::MIN));
                self.squares.range(from..=(floor, column, high, SubjectRef(u32::MAX)))
            })
            .take(LOOK_COUNT_MAX)
            .map(|&(.., subject)| subject)
            .filter(move |&subject| self.sighting(subject).as_ref().is_some_and(&is_found))
            .take(FOUND_COUNT_MAX)
    }
}

/// The squares that are `step` from one, as strips: a column, and its rows from and to.
fn ring(column: i32, row: i32, step: i32) -> impl Iterator<Item = (i32, i32, i32)> {
    let (low, high) = (row.saturating_sub(step), row.saturating_add(step));
    // The columns at both sides are whole; of those between the first and the last row are left.
    let sides = [-step, step].into_iter().take(if step == 0 { 1 } else { 2 });
    let sides = sides.map(move |aside| (aside, low, high));
    let ends = (1 - step..step).flat_map(move |aside| [(aside, low, low), (aside, high, high)]);
    sides.chain(ends).map(move |(aside, low, high)| (column.saturating_add(aside), low, high))
}

/// A checkpoint has a sighting of a subject that no site can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a sighting is of subject {0:?}, and a site knows {max} at most", max = SUBJECT_COUNT_MAX)]
pub(crate) struct UnknownSubject(SubjectRef);

impl TryFrom<Vec<(SubjectRef, Sighting)>> for Whereabouts {
    type Error = UnknownSubject;

    fn try_from(sightings: Vec<(SubjectRef, Sighting)>) -> Result<Whereabouts, UnknownSubject> {
        let mut whereabouts = Whereabouts::default();
        for (subject, sighting) in sightings {
            // Room is made for all up to it.
            if subject.index() >= SUBJECT_COUNT_MAX {
                return Err(UnknownSubject(subject));
            }
            whereabouts.put(subject, Some(sighting));
        }
        Ok(whereabouts)
    }
}

impl From<Whereabouts> for Vec<(SubjectRef, Sighting)> {
    fn from(whereabouts: Whereabouts) -> Vec<(SubjectRef, Sighting)> {
        whereabouts.seen().collect()
    }
}

/// Two that have seen the same are the same: empty places at the end are not looked at.
impl PartialEq for Whereabouts {
    fn eq(&self, other: &Whereabouts) -> bool {
        self.seen().eq(other.seen())
    }
}

impl Eq for Whereabouts {}

impl Hash for Whereabouts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.squares.len());
        self.seen().for_each(|row| row.hash(state));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn at(x_mm: i32, y_mm: i32, floor: i16) -> Sighting {
        let floor = Floor(floor);
        let observed_at = Timestamp(1);
        Sighting { x_mm, y_mm, floor, accuracy_mm: 0, observed_at, is_sought: true }
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
            let mut found: Vec<SubjectRef> =
                whereabouts.around(from, reach_mm, Timestamp(1)).collect();
            found.sort_unstable();
            let near = plain.iter().filter(|(_, other)| from.is_within(other, reach_mm));
            assert_eq!(found, near.map(|(&subject, _)| subject).collect::<Vec<_>>(), "step {step}");
            let all: Vec<SubjectRef> = (0..120).map(SubjectRef).collect();
            let among = whereabouts.around_among(&all, from, reach_mm, Timestamp(1));
            assert_eq!(among.collect::<Vec<_>>(), found, "step {step}: one by one");
            let mut about: Vec<SubjectRef> = whereabouts.about(from, reach_mm).collect();
            about.sort_unstable();
            let among: Vec<SubjectRef> = whereabouts.about_among(&all, from, reach_mm).collect();
            assert_eq!(among, about, "step {step}: who may have been near, one by one");
        }
        let told: Vec<(SubjectRef, Sighting)> = whereabouts.clone().into();
        assert_eq!(Whereabouts::try_from(told), Ok(whereabouts));
    }

    #[test]
    fn a_damaged_checkpoint_makes_no_room_for_subjects_that_cannot_be() {
        for (number, is_right) in
            [(0, true), (2_097_151, true), (2_097_152, false), (u32::MAX, false)]
        {
            let told = vec![(SubjectRef(number), at(0, 0, 100))];
            let taken = Whereabouts::try_from(told);
            assert_eq!(taken.is_ok(), is_right, "subject {number}");
        }
    }

    #[test]
    fn only_who_is_sought_is_found_by_where_he_is() {
        let mut whereabouts = Whereabouts::default();
        let mut found = |is_sought: bool| {
            whereabouts.put(SubjectRef(7), Some(at(500, 500, 100).sought(is_sought)));
            assert!(whereabouts.sighting(SubjectRef(7)).is_some(), "who knows him finds him");
            let told: Vec<(SubjectRef, Sighting)> = whereabouts.clone().into();
            assert_eq!(Whereabouts::try_from(told).as_ref(), Ok(&whereabouts));
            whereabouts.around(at(0, 0, 100), 2_000, Timestamp(1)).count()
        };
        assert_eq!([true, false, false, true].map(&mut found), [1, 0, 0, 1]);
    }

    #[test]
    fn of_a_crowd_no_more_are_looked_at_than_the_limit() {
        let mut whereabouts = Whereabouts::default();
        for subject in 0..10_000 {
            whereabouts.put(SubjectRef(subject), Some(at(500, 500, 100)));
        }
        let now = Timestamp(1);
        assert_eq!(whereabouts.around(at(0, 0, 100), 2_000, now).count(), FOUND_COUNT_MAX);
    }

    /// Each row: where three hundred others are, when they were seen, and whether one a metre away is found.
    #[test]
    fn who_is_far_or_silent_hides_nobody_who_is_near() {
        let old = SIGHTING_AGE_MAX_NS + 2;
        for (name, crowd, seen_at, count) in [
            ("silent in a drawer", at(600, 500, 100), 1, 300),
            ("in the corner of the square", at(9_000, 9_000, 100), old, 300),
            ("in the next square", at(-8_000, 500, 100), old, 3_000),
            ("in a square further on", at(25_000, 500, 100), old, 10_000),
            ("on another floor", at(600, 500, 200), old, 10_000),
        ] {
            let mut whereabouts = Whereabouts::default();
            for subject in 0..count {
                let crowd = Sighting { observed_at: Timestamp(seen_at), ..crowd };
                whereabouts.put(SubjectRef(subject), Some(crowd));
            }
            let near = Sighting { observed_at: Timestamp(old), ..at(1_000, 500, 100) };
            whereabouts.put(SubjectRef(20_000), Some(near));
            let found = whereabouts.around(at(0, 500, 100), 5_000, Timestamp(old));
            assert_eq!(found.collect::<Vec<_>>(), [SubjectRef(20_000)], "{name}");
        }
    }
}
