//! Where everybody on a floor was at full minutes.

use ach_actors_model::{NS_PER_S, TagRef, Timestamp};
use ach_engine_store::{KeptPing, Place, QueryError, Store};
use ach_geo::Floor;

use super::{Answer, Journal, Run};
use crate::site::{FLOOR, TAG_COUNT};

const MINUTE_NS: u64 = 60 * NS_PER_S;

/// Who was not heard for an hour is not shown.
const MEMORY_NS: u64 = 60 * MINUTE_NS;

/// A full minute, and the first entry after it.
type Minute = (Timestamp, u64);

pub(super) fn check(store: &Store, journal: &Journal<'_>) -> Answer {
    for run in &journal.runs {
        if let Err(wrong) = check_run(store, journal, run)? {
            return Ok(Err(wrong));
        }
    }
    Ok(Ok(()))
}

/// Behind a gap it begins anew: nobody is known, and nothing is told until there is a keyframe.
fn check_run(store: &Store, journal: &Journal<'_>, run: &Run) -> Answer {
    let minutes = minutes(journal, run);
    for floor in [Some(FLOOR), None] {
        let mut is_told = !run.is_behind_gap;
        for (number, minute) in minutes.iter().enumerate() {
            let (at, _) = *minute;
            let expected = places(journal, run, *minute, floor);
            let found = match store.keyframe(floor, at) {
                Err(QueryError::Gap { .. }) if !is_told => continue,
                found => found?,
            };
            is_told = true;
            let is_missing = found.as_ref().is_none_or(|found| found.at != at);
            // The next ones are due only when they are worth it, and after a start what was heard is
            // counted anew.
            let must_be = number == 0 && !journal.past.has_faults && !expected.is_empty();
            if is_missing && must_be {
                return Ok(Err(format!("there is no keyframe of {floor:?} at {at:?}")));
            }
            let Some(found) = found else { continue };
            if !minutes.iter().any(|(at, _)| *at == found.at) {
                return Ok(Err(format!("{found:?} is of no minute that has passed")));
            }
            if !is_missing && found.places != expected {
                return Ok(Err(format!("{found:?} should show {expected:?}")));
            }
        }
    }
    Ok(Ok(()))
}

/// The full minutes that pass between the entries of a run.
fn minutes(journal: &Journal<'_>, run: &Run) -> Vec<Minute> {
    let number = |at: Timestamp| at.0 / MINUTE_NS;
    let entries = journal.past.entries.iter().filter(|it| run.has(it.index));
    let pairs = entries.clone().zip(entries.skip(1));
    let passing = pairs.filter(|(before, after)| number(before.at) < number(after.at));
    passing.map(|(_, after)| (Timestamp(number(after.at) * MINUTE_NS), after.index)).collect()
}

/// Where everybody on a floor was before a minute: the last that came of each.
fn places(
    journal: &Journal<'_>,
    run: &Run,
    (at, index): Minute,
    floor: Option<Floor>,
) -> Vec<Place> {
    let mut places = Vec::new();
    for tag in 0..TAG_COUNT {
        let seen = journal.model.diary().pings.get(&tag).into_iter().flatten();
        let mut before = seen.filter(|it| run.has(it.index) && it.index < index);
        let Some(KeptPing { observed_at, position, .. }) = before.next_back().map(|it| it.kept)
        else {
            continue;
        };
        let since_ns = at.since_ns(observed_at);
        if position.floor == floor && since_ns < MEMORY_NS {
            let age_s = u32::try_from(since_ns.div_ceil(NS_PER_S)).unwrap_or(u32::MAX);
            places.push(Place {
                tag: TagRef(tag),
                x_mm: position.x_mm,
                y_mm: position.y_mm,
                age_s,
            });
        }
    }
    places
}
