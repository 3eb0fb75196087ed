//! Of which time history can be asked.

use ach_actors_model::Timestamp;

use crate::Store;
use crate::errors::QueryError;

impl Store {
    /// The time up to the last that was taken in which no day was dropped and nothing is lacking: its first moment,
    /// and the one after its last. `None` if nothing was taken.
    ///
    /// # Errors
    ///
    /// When something is damaged.
    pub fn known(&self) -> Result<Option<(Timestamp, Timestamp)>, QueryError> {
        let days = self.days();
        let Some(&last) = days.last() else { return Ok(None) };
        let Some(mark) = self.day_mark(last)? else { return Ok(None) };
        let until = mark.through_at.plus_ns(1);
        let dropped = self.names().dropped()?.into_keys().next_back();
        let first = days.iter().copied().find(|day| dropped.is_none_or(|dropped| *day > dropped));
        let Some(first) = first else { return Ok(None) };
        let mut from = first.begins_at();
        if let Some(mark) = self.day_mark(first)?.filter(|mark| mark.begins_after == 0) {
            // The very first day began when the node did, which what was first measured comes nearest to.
            from = from.max(mark.earliest_observed_at.unwrap_or(from));
        }
        if let Some(gap) = self.gaps()?.last() {
            from = from.max(gap.until_at.plus_ns(1));
        }
        Ok(Some((from.min(until), until)))
    }
}
