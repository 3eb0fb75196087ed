//! The alarms that are durable are those that the model makes of the journal, no more and no fewer.

use std::collections::BTreeSet;

use ach_actors_model::AlarmId;

use crate::model::{Model, clock_skew_id};
use crate::past::{Past, Told};

/// Most episodes of the feed's clock that a run can have: a session finds at most two.
const SKEWS_MAX: u32 = 200;

/// Ids that the model does not demand and that may be.
pub(super) fn unmodelled(model: &Model) -> BTreeSet<AlarmId> {
    let skews = (1..=SKEWS_MAX).map(clock_skew_id);
    model.may_be_silent().into_iter().chain(skews).collect()
}

pub(super) fn check(past: &Past, model: &Model) -> Result<(), String> {
    let unmodelled = unmodelled(model);
    let demanded: BTreeSet<_> =
        model.notices().iter().map(|notice| (notice.id, notice.transition)).collect();
    for (change, told) in &past.heard.changes {
        let may_be = demanded.contains(change) || unmodelled.contains(&change.0);
        if *told == Told::Durable && !may_be {
            return Err(format!("told as durable, and not in the model: {change:?}"));
        }
    }
    if past.heard.has_gap {
        return Ok(());
    }
    for notice in model.notices() {
        let told = past.heard.changes.get(&(notice.id, notice.transition));
        if !told.is_some_and(|told| matches!(told, Told::Durable | Told::Gone)) {
            return Err(format!("demanded by the model, and told as {told:?}: {notice:?}"));
        }
    }
    Ok(())
}
