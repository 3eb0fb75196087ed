//! Where a person was, by the tags they bore.

use std::collections::VecDeque;

use ach_actors_model::{SubjectRef, TagRef, Timestamp};

use super::Pings;
use crate::block::KeptPing;
use crate::errors::QueryError;
use crate::name_rows::BorneTag;
use crate::{Day, HistoryGap, Store};

impl Store {
    /// The positions of a subject on the days that are kept: what was measured of a tag while the subject
    /// bore it, however late it came. By tag and the time it was borne, then in the order in which they
    /// came. Read as the iterator goes. What was measured in a gap is left out, for nobody knows who bore the
    /// tag then.
    ///
    /// # Errors
    ///
    /// When it cannot be read which tags the subject bore.
    pub fn positions_of(&self, subject: SubjectRef) -> Result<Positions, QueryError> {
        Ok(Positions {
            store: self.clone(),
            days: self.days(),
            borne: self.tags_of(subject)?.into(),
            gaps: self.gaps()?,
            now: None,
        })
    }
}

/// Positions of a subject.
#[derive(Debug)]
pub struct Positions {
    store: Store,
    days: Vec<Day>,
    /// What is still to be read.
    borne: VecDeque<BorneTag>,
    gaps: Vec<HistoryGap>,
    now: Option<Reading>,
}

/// A tag, while it was borne once.
#[derive(Debug)]
struct Reading {
    of: BorneTag,
    days: VecDeque<Day>,
    pings: Option<Pings>,
}

impl Positions {
    /// The days on which something may have come that was measured while a tag was borne.
    fn days_of(&self, (_, since, until): BorneTag) -> Result<VecDeque<Day>, QueryError> {
        let mut days = VecDeque::new();
        // What was measured on a day came on that day or later.
        for day in self.days.iter().copied().filter(|&day| day >= Day::of(since)) {
            let earliest = self.store.day_mark(day)?.and_then(|mark| mark.earliest_observed_at);
            if earliest.is_some_and(|earliest| until.is_none_or(|until| earliest < until)) {
                days.push_back(day);
            }
        }
        Ok(days)
    }

    fn step(&mut self) -> Result<Option<(TagRef, KeptPing)>, QueryError> {
        loop {
            let Some(reading) = &mut self.now else {
                let Some(of) = self.borne.pop_front() else { return Ok(None) };
                self.now = Some(Reading { of, days: self.days_of(of)?, pings: None });
                continue;
            };
            let (tag, since, until) = reading.of;
            let Some(pings) = &mut reading.pings else {
                match reading.days.pop_front() {
                    Some(day) => reading.pings = Some(self.store.received(tag, day)),
                    None => self.now = None,
                }
                continue;
            };
            let gaps = &self.gaps;
            let is_theirs = |ping: &KeptPing| {
                let at: Timestamp = ping.observed_by();
                let is_borne = at >= since && until.is_none_or(|until| at < until);
                is_borne && !gaps.iter().any(|gap| gap.holds(ping.observed_at))
            };
            match pings.next().transpose()? {
                None => reading.pings = None,
                Some(ping) if is_theirs(&ping) => return Ok(Some((tag, ping))),
                Some(_) => {}
            }
        }
    }
}

impl Iterator for Positions {
    type Item = Result<(TagRef, KeptPing), QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.step();
        if found.is_err() {
            // Nothing comes after an error.
            self.borne.clear();
            self.now = None;
        }
        found.transpose()
    }
}
