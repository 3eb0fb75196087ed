//! What history lacks between what it has: entries that nobody had any more when it was to take them. It is
//! written down, so that a question about that time is refused instead of answered in part.

use std::fmt;

use ach_actors_model::{NS_PER_S, Timestamp};

use crate::coding::{opened, sealed};
use crate::errors::{Fault, QueryError};
use crate::name_rows::NameRows;
use crate::rows::{Rows, write_rows};
use crate::{Day, Store, key};

/// The first byte of its row among the names; the last entry before it follows.
const GAP: u8 = b'g';

/// Entries that history does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryGap {
    /// The last entry before it.
    pub after: u64,
    /// When that was made: what happened later is not known.
    pub after_at: Timestamp,
    /// The last entry in it.
    pub until: u64,
    /// When that was made: what happened later is known again.
    pub until_at: Timestamp,
}

impl HistoryGap {
    /// Whether anything may have happened in it from `from` on and before `until`.
    fn touches(&self, from: Timestamp, until: Timestamp) -> bool {
        from <= self.until_at && until.0.saturating_sub(1) > self.after_at.0
    }

    /// Whether what happened at that moment is not known.
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        self.after_at < at && at <= self.until_at
    }

    fn row(&self) -> (Vec<u8>, Vec<u8>) {
        let numbers = [self.after_at.0, self.until, self.until_at.0];
        let value: Vec<u8> = numbers.into_iter().flat_map(u64::to_be_bytes).collect();
        row(self.after, &value)
    }

    fn of_row((row, value): &(Vec<u8>, Vec<u8>)) -> Result<Option<HistoryGap>, Fault> {
        let malformed = || Fault::damage("a gap is malformed");
        let value = opened(row, value).ok_or_else(malformed)?;
        // One that closed before anything behind it was written.
        if value.is_empty() {
            return Ok(None);
        }
        let after = key::u64_at(row, 1);
        let numbers = (key::u64_at(value, 0), key::u64_at(value, 8), key::u64_at(value, 16));
        match (after, numbers) {
            (Some(after), (Some(after_at), Some(until), Some(until_at))) => Ok(Some(HistoryGap {
                after,
                after_at: Timestamp(after_at),
                until,
                until_at: Timestamp(until_at),
            })),
            _ => Err(malformed()),
        }
    }
}

impl fmt::Display for HistoryGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HistoryGap { after, after_at, until, until_at } = self;
        let (first, from, to) = (after.saturating_add(1), utc(*after_at), utc(*until_at));
        write!(f, "{from} to {to} (entries {first} to {until})")
    }
}

/// A moment to the second.
fn utc(at: Timestamp) -> String {
    let s = at.0 / NS_PER_S % 86_400;
    format!("{}T{:02}:{:02}:{:02}Z", Day::of(at), s / 3_600, s / 60 % 60, s % 60)
}

fn row(after: u64, value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut key = vec![GAP];
    key.extend_from_slice(&after.to_be_bytes());
    let value = sealed(&key, value);
    (key, value)
}

impl NameRows {
    /// Notes a gap. It counts at once, also if what comes behind it is never written.
    pub(crate) fn note_gap(&self, gap: &HistoryGap) -> Result<(), Fault> {
        write_rows(self.keyspace(), Rows::from([gap.row()]))
    }

    /// Lets go of gaps behind which nothing was written: what was missing may be there this time.
    pub(crate) fn forget_gaps_beyond(&self, through: u64) -> Result<(), Fault> {
        let gaps = self.gaps()?;
        let open = gaps.iter().filter(|gap| gap.until > through);
        let rows: Rows = open.map(|gap| row(gap.after, &[])).collect();
        if rows.is_empty() { Ok(()) } else { write_rows(self.keyspace(), rows) }
    }

    fn gaps(&self) -> Result<Vec<HistoryGap>, Fault> {
        let mut gaps = Vec::new();
        for found in self.keyspace().prefix([GAP]) {
            let (key, value) = found.map_err(Fault::of("read the gaps of"))?;
            gaps.extend(HistoryGap::of_row(&(key.to_vec(), value.to_vec()))?);
        }
        Ok(gaps)
    }
}

impl Store {
    /// What is missing between what there is, oldest first.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn gaps(&self) -> Result<Vec<HistoryGap>, QueryError> {
        Ok(self.names().gaps()?)
    }

    /// The times of a day about which history can be asked: all of it, or what lies before, between and behind
    /// gaps. Each from its first moment until before its second.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn known_of(&self, day: Day) -> Result<Vec<(Timestamp, Timestamp)>, QueryError> {
        Ok(outside((day.begins_at(), day.ends_at()), &self.gaps()?))
    }

    /// Refuses a time some of which lies in a gap.
    pub(crate) fn must_have_no_gap(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(), QueryError> {
        let gaps = self.names().gaps()?;
        let touched = gaps.into_iter().rfind(|gap| gap.touches(from, until));
        touched.map_or(Ok(()), |gap| Err(QueryError::Gap { gap }))
    }
}

/// What of a time lies in no gap. Gaps are in order.
fn outside(
    (from, until): (Timestamp, Timestamp),
    gaps: &[HistoryGap],
) -> Vec<(Timestamp, Timestamp)> {
    let (mut known_from, mut parts) = (from, Vec::new());
    for gap in gaps.iter().filter(|gap| gap.touches(from, until)) {
        // What was told with the last entry before it is known.
        let gap_from = gap.after_at.plus_ns(1);
        if known_from < gap_from {
            parts.push((known_from, gap_from));
        }
        known_from = known_from.max(gap.until_at.plus_ns(1));
    }
    if known_from < until {
        parts.push((known_from, until));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const HISTORY_GAP: HistoryGap =
        HistoryGap { after: 7, after_at: Timestamp(70), until: 9, until_at: Timestamp(90) };

    #[test]
    fn a_gap_begins_after_the_last_entry_before_it_and_ends_with_its_own_last() {
        for (from, until, touches) in [
            (0, 71, false),
            (0, 72, true),
            (70, 71, false),
            (71, 72, true),
            (90, 91, true),
            (91, 99, false),
        ] {
            assert_eq!(
                HISTORY_GAP.touches(Timestamp(from), Timestamp(until)),
                touches,
                "{from} to {until}"
            );
        }
    }

    #[test]
    fn what_is_known_of_a_time_lies_before_between_and_behind_its_gaps() {
        let later =
            HistoryGap { after: 12, after_at: Timestamp(120), until: 15, until_at: Timestamp(150) };
        let time = |(from, until): (u64, u64)| (Timestamp(from), Timestamp(until));
        for (asked, expected) in [
            ((0, 60), vec![(0, 60)]),
            ((0, 71), vec![(0, 71)]),
            ((0, 80), vec![(0, 71)]),
            ((75, 85), Vec::new()),
            ((80, 100), vec![(91, 100)]),
            ((0, 200), vec![(0, 71), (91, 121), (151, 200)]),
            ((91, 130), vec![(91, 121)]),
        ] {
            let expected: Vec<_> = expected.iter().copied().map(time).collect();
            let parts = outside(time(asked), &[HISTORY_GAP, later]);
            assert_eq!(parts, expected, "{asked:?}");
            let is_whole = |&(from, until): &(Timestamp, Timestamp)| {
                !HISTORY_GAP.touches(from, until) && !later.touches(from, until)
            };
            assert!(parts.iter().all(is_whole), "{asked:?}: a part would be refused");
        }
    }

    #[test]
    fn a_row_comes_back_and_a_bit_of_it_is_found() {
        let (key, value) = HISTORY_GAP.row();
        assert_eq!(HistoryGap::of_row(&(key.clone(), value.clone())).unwrap(), Some(HISTORY_GAP));
        for bit in 0..value.len() * 8 {
            let mut value = value.clone();
            value[bit / 8] ^= 1 << (bit % 8);
            assert!(HistoryGap::of_row(&(key.clone(), value)).is_err(), "bit {bit}");
        }
        assert_eq!(HistoryGap::of_row(&row(7, &[])).unwrap(), None);
    }
}
