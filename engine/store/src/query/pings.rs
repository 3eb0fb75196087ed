//! Where a tag was.

use std::collections::VecDeque;

use ach_actors_model::{TagRef, Timestamp};
use ach_geo::Floor;

use super::malformed;
use crate::block::{BlockHead, KeptPing, decode_block};
use crate::coding::opened;
use crate::errors::{Fault, QueryError};
use crate::keyframe::{Keyframe, MEMORY_NS, unlisted};
use crate::tables::Iter;
use crate::{Day, Store, key};

/// How far back a keyframe is looked for: a floor on which nobody was heard for a day is empty.
const KEYFRAME_DAYS: u32 = 1;

impl Store {
    /// The pings of a tag measured from `from` on and before `until`, in the order in which they
    /// came: those that came late stand where they came. Read as the iterator goes, a block at a time.
    ///
    /// # Errors
    ///
    /// When the marks of the days cannot be read.
    pub fn pings(
        &self,
        tag: TagRef,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Pings, QueryError> {
        self.must_keep(from, until)?;
        let mut days = VecDeque::new();
        // What was measured on a day came on that day or later.
        for day in self.days().into_iter().filter(|&day| day >= Day::of(from)) {
            if day < Day::of(until) || day == Day::of(until) || self.reaches_back(day, until)? {
                days.push_back(day);
            }
        }
        Ok(Pings {
            store: self.clone(),
            tag,
            from,
            until,
            days,
            rows: None,
            unpacked: VecDeque::new(),
            has_failed: false,
        })
    }

    /// The pings of a tag that came on a day, in the order in which they came, whenever they were measured.
    pub fn received(&self, tag: TagRef, day: Day) -> Pings {
        Pings {
            store: self.clone(),
            tag,
            from: Timestamp(0),
            until: Timestamp(u64::MAX),
            days: VecDeque::from([day]),
            rows: None,
            unpacked: VecDeque::new(),
            has_failed: false,
        }
    }

    /// Where a tag was at a moment: its last ping measured then or before, of those equally late the
    /// one that came last. `None` if none is kept.
    ///
    /// # Errors
    ///
    /// When something is damaged.
    pub fn whereabouts(&self, tag: TagRef, at: Timestamp) -> Result<Option<KeptPing>, QueryError> {
        let mut best: Option<KeptPing> = None;
        for day in self.days().into_iter().rev() {
            // What came later may have been measured before; a day before cannot hold what was
            // measured after it.
            if day > Day::of(at) && !self.reaches_back(day, at.plus_ns(1))? {
                continue;
            }
            if best.is_some_and(|best| best.observed_at >= day.ends_at()) {
                break;
            }
            let found = self.last_of_day(tag, day, at)?;
            // Of two equally late the one that came later is already known.
            if found.is_some_and(|it| best.is_none_or(|best| it.observed_at > best.observed_at)) {
                best = found;
            }
        }
        // On a day that is gone it may have been heard later than on those that are kept.
        let after = best.map_or(Timestamp(0), |best| best.observed_at);
        self.must_keep(after, at.plus_ns(1))?;
        Ok(best)
    }

    /// Where everybody on a floor was at the last keyframe at or before `at`.
    ///
    /// # Errors
    ///
    /// When something is damaged, or a day that is gone or a gap may hide a later one, or whom it should show.
    pub fn keyframe(
        &self,
        floor: Option<Floor>,
        at: Timestamp,
    ) -> Result<Option<Keyframe>, QueryError> {
        let last_day = Day::of(at);
        self.must_have_days(last_day.begins_at(), at.plus_ns(1))?;
        let days = self.days().into_iter().rev();
        for day in days.filter(|&day| day <= last_day && day >= last_day.before(KEYFRAME_DAYS)) {
            let Some(keyspace) = self.keyspace(day)? else { continue };
            let rows = key::keyframe(floor, Timestamp(0))..=key::keyframe(floor, at);
            let Some(guard) = keyspace.range(rows).next_back() else { continue };
            let (key, value) = super::row(guard)?;
            let places = opened(&key, &value).and_then(unlisted);
            let minute = key::u64_at(&key, 4).map(Timestamp);
            let (Some(places), Some(minute)) = (places, minute) else {
                return Err(malformed("a keyframe", day).into());
            };
            // There may have been another in a gap since; and soon behind one it lacks whoever was heard in
            // the gap alone.
            let heard_from = minute.plus_ns(1).0.saturating_sub(MEMORY_NS);
            self.must_have_no_gap(Timestamp(heard_from), at.plus_ns(1))?;
            return Ok(Some(Keyframe { at: minute, floor, places }));
        }
        self.must_have_no_gap(last_day.before(KEYFRAME_DAYS).begins_at(), at.plus_ns(1))?;
        Ok(None)
    }

    /// Whether a day has a ping that was measured before `until`.
    fn reaches_back(&self, day: Day, until: Timestamp) -> Result<bool, Fault> {
        let earliest = self.day_mark(day)?.and_then(|mark| mark.earliest_observed_at);
        Ok(earliest.is_some_and(|earliest| earliest < until))
    }

    /// The last ping of a tag on a day that was measured at `at` or before.
    fn last_of_day(
        &self,
        tag: TagRef,
        day: Day,
        at: Timestamp,
    ) -> Result<Option<KeptPing>, QueryError> {
        let Some(keyspace) = self.keyspace(day)? else { return Ok(None) };
        let unreadable = |source| QueryError::Block { day, source };
        let mut best: Option<KeptPing> = None;
        for guard in keyspace.prefix(key::blocks_of(tag)).rev() {
            let (_, block) = super::row(guard)?;
            let head = BlockHead::read(&block).map_err(unreadable)?;
            let is_too_old = best.is_some_and(|best| head.latest_at <= best.observed_at);
            if head.earliest_at > at || is_too_old {
                continue;
            }
            let pings = decode_block(&block).map_err(unreadable)?;
            let within = pings.into_iter().filter(|ping| ping.observed_at <= at);
            // `max_by_key` takes the last of equals.
            let found = within.max_by_key(|ping| ping.observed_at);
            if found.is_some_and(|it| best.is_none_or(|best| it.observed_at > best.observed_at)) {
                best = found;
            }
        }
        Ok(best)
    }
}

/// Pings of a tag, in the order in which they came.
pub struct Pings {
    store: Store,
    tag: TagRef,
    from: Timestamp,
    until: Timestamp,
    days: VecDeque<Day>,
    rows: Option<(Day, Iter)>,
    unpacked: VecDeque<KeptPing>,
    has_failed: bool,
}

impl std::fmt::Debug for Pings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pings")
            .field("tag", &self.tag)
            .field("days", &self.days)
            .finish_non_exhaustive()
    }
}

impl Pings {
    /// Unpacks the next block that may hold something of it; false when there is none.
    fn unpack_next(&mut self) -> Result<bool, QueryError> {
        loop {
            let Some((day, rows)) = &mut self.rows else {
                let Some(day) = self.days.pop_front() else { return Ok(false) };
                let keyspace = self.store.keyspace(day)?;
                self.rows = keyspace.map(|it| (day, it.prefix(key::blocks_of(self.tag))));
                continue;
            };
            let day = *day;
            let Some(guard) = rows.next() else {
                self.rows = None;
                continue;
            };
            let unreadable = |source| QueryError::Block { day, source };
            let (_, block) = super::row(guard)?;
            let head = BlockHead::read(&block).map_err(unreadable)?;
            if head.earliest_at >= self.until || head.latest_at < self.from {
                continue;
            }
            let asked = self.from..self.until;
            let pings = decode_block(&block).map_err(unreadable)?;
            self.unpacked.extend(pings.into_iter().filter(|it| asked.contains(&it.observed_at)));
            if !self.unpacked.is_empty() {
                return Ok(true);
            }
        }
    }
}

impl Iterator for Pings {
    type Item = Result<KeptPing, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        if self.unpacked.is_empty() {
            match self.unpack_next() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.has_failed = true;
                    return Some(Err(error));
                }
            }
        }
        self.unpacked.pop_front().map(Ok)
    }
}
