//! Once all is healed history has every entry once: each ping as it came, where each tag was last, who bore
//! it, each visit, each change of an alarm with its evidence, keyframes, as the model makes them of the
//! journal. What was lost with history begins no later than it can. What it lacks because the journal had gone
//! while it was off it says to lack, and nothing else.

mod alarms;
mod keyframes;
mod pings;
mod visits;

use ach_actors_model::Timestamp;
use ach_engine_store::{HistoryGap, QueryError, Store};

use crate::journal_disk::Unasked;
use crate::model::Model;
use crate::past::Past;

/// More rows than a run can have.
const ROWS_MAX: usize = 100_000;

const EVER: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(u64::MAX / 2));

/// What is asked of the store, and what is wrong with what it says.
type Answer = Result<Result<(), String>, QueryError>;

/// Entries that history has without a gap.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The last entry before, and the last one of it.
    after: u64,
    through: u64,
    /// Whether it lies behind a gap, and not where history begins.
    is_behind_gap: bool,
    /// Whoever was there when it begins has come with the last entry before it.
    comes_at: Timestamp,
    /// When it ends with a gap: with the last entry before.
    ends_at: Option<Timestamp>,
    /// What may be asked about.
    asked: (Timestamp, Timestamp),
}

impl Run {
    fn has(&self, index: u64) -> bool {
        (self.after.saturating_add(1)..=self.through).contains(&index)
    }
}

/// What history is held against.
struct Journal<'a> {
    past: &'a Past,
    model: &'a Model,
    /// What history lacks between what it has, and what lies between that.
    gaps: Vec<HistoryGap>,
    runs: Vec<Run>,
}

impl Journal<'_> {
    /// Whether history must have an entry.
    fn has(&self, index: u64) -> bool {
        self.runs.iter().any(|run| run.has(index))
    }
}

pub(super) fn check(past: &Past, model: &Model) -> Result<(), String> {
    let store = match &past.history {
        None => return Ok(()),
        Some(Err(error)) => return Err(format!("history cannot be opened: {error}")),
        Some(Ok(store)) => store,
    };
    let last_index = past.entries.last().map_or(0, |entry| entry.index);
    let through = store.through().map_err(|error| error.to_string())?;
    if through != last_index {
        return Err(format!("history ends with entry {through}, the journal with {last_index}"));
    }
    let asked = |error: QueryError| format!("history cannot be asked: {error}");
    let (begins_after, gaps) = (begins_after(store)?, store.gaps().map_err(asked)?);
    must_be_excused(past, begins_after, &gaps)?;
    store.verify().map_err(asked)?;
    let runs = runs(past, begins_after, &gaps);
    let journal = Journal { past, model, gaps, runs };
    pings::check(store, &journal).map_err(asked)??;
    visits::check(store, &journal).map_err(asked)??;
    alarms::check(store, &journal).map_err(asked)??;
    keyframes::check(store, &journal).map_err(asked)?
}

/// Only what nobody had any more may be missing: before the beginning what was gone when history was lost or
/// turned on, later what was gone when it was turned on or what no sound checkpoint is before.
fn must_be_excused(past: &Past, begins_after: u64, gaps: &[HistoryGap]) -> Result<(), String> {
    let is_for_want_of_room =
        past.given_up.iter().any(|(_, given_up)| given_up.unasked == Some(Unasked::Full));
    // It is not known when that ended, so anything may be.
    let may_skip = |until| is_for_want_of_room || until <= past.skips_to_at_most;
    let latest = past.history_may_lack();
    if begins_after > latest && !may_skip(begins_after) {
        let (losses, skips_to) = (&past.losses, past.skips_to_at_most);
        return Err(format!(
            "history begins after entry {begins_after}, and could be had from entry {latest} on: \
             {losses:?}, off until {skips_to}"
        ));
    }
    match gaps.iter().find(|gap| !may_skip(gap.until)) {
        Some(gap) => Err(format!("history lacks {gap}, and the journal had it")),
        None => Ok(()),
    }
}

/// What lies between gaps.
fn runs(past: &Past, begins_after: u64, gaps: &[HistoryGap]) -> Vec<Run> {
    let begin = |after: u64, from: Timestamp, is_behind_gap: bool| {
        let last_before = past.entries.iter().find(|entry| entry.index == after);
        let comes_at = last_before.map_or(Timestamp(0), |entry| entry.at);
        let (through, asked) = (u64::MAX, (from, EVER.1));
        Run { after, through, is_behind_gap, comes_at, ends_at: None, asked }
    };
    let (mut runs, mut run) = (Vec::new(), begin(begins_after, EVER.0, false));
    for gap in gaps {
        run.through = gap.after;
        run.ends_at = Some(gap.after_at);
        run.asked.1 = gap.after_at.plus_ns(1);
        runs.push(run);
        run = begin(gap.until, gap.until_at.plus_ns(1), true);
    }
    runs.push(run);
    runs
}

/// The last entry before those that history has.
fn begins_after(store: &Store) -> Result<u64, String> {
    for day in store.days() {
        if let Some(mark) = store.mark(day).map_err(|error| error.to_string())? {
            return Ok(mark.begins_after);
        }
    }
    Ok(0)
}
