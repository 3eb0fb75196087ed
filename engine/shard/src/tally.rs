//! Counting what became of the inputs of one entry.

use std::collections::BTreeMap;

use ach_actors_entities::{Accepted, Effect, Verdict};
use ach_actors_model::{Lane, SourceRef};

use crate::status::Totals;

/// Rows of [`Accepted`] by source, lane and epoch. An entry has few: three lanes of a handful of
/// feeds.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    rows: BTreeMap<(SourceRef, Lane, u32), Accepted>,
}

impl Tally {
    /// The row of one source's inputs on one lane in one epoch.
    pub(crate) fn row(&mut self, source: SourceRef, lane: Lane, epoch: u32) -> &mut Accepted {
        self.rows.entry((source, lane, epoch)).or_insert(Accepted {
            source,
            lane,
            epoch,
            through_seq: 0,
            accepted_count: 0,
            duplicate_count: 0,
            late_count: 0,
            refused_count: 0,
            conflated_count: 0,
        })
    }

    /// Ends the entry: its rows become effects.
    pub(crate) fn finish(&mut self, effects: &mut Vec<Effect>, totals: &mut Totals) {
        while let Some((_, row)) = self.rows.pop_first() {
            totals.add(&row);
            effects.push(Effect::Accepted(row));
        }
    }
}

/// Counts one input.
pub(crate) fn count(row: &mut Accepted, verdict: Verdict) {
    let place = match verdict {
        Verdict::Accepted => &mut row.accepted_count,
        Verdict::Duplicate => &mut row.duplicate_count,
        Verdict::Late => &mut row.late_count,
        Verdict::Refused => &mut row.refused_count,
    };
    *place = place.saturating_add(1);
}
