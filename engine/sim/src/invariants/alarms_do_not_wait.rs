//! Whatever becomes of history, alarms are told and become durable as if there were none (HIST-4). Looked at
//! where nothing else goes wrong: then every moment is known.

use ach_actors_model::{NS_PER_MS, Timestamp};

use crate::model::Model;
use crate::past::Past;

/// From the entry to the receiver's ears and to durable: twice through the network and once to a disk that
/// takes no time, and what the clock of the shard may differ from the world's. Stalls of history last for
/// seconds.
const LATEST_NS: u64 = 150 * NS_PER_MS;

pub(super) fn check(past: &Past, model: &Model) -> Result<(), String> {
    if !past.is_uncut {
        return Ok(());
    }
    let made_at = |index: u64| past.entries.iter().find(|it| it.index == index).map(|it| it.at);
    for notice in model.notices() {
        let change = (notice.id, notice.transition);
        let (Some(made_at), Some(moments)) =
            (made_at(notice.index), past.heard.moments.get(&change))
        else {
            continue;
        };
        let late = |at: Option<Timestamp>| at.filter(|at| at.since_ns(made_at) > LATEST_NS);
        if let Some(at) = late(moments.told_at).or_else(|| late(moments.durable_at)) {
            let late_ms = at.since_ns(made_at) / NS_PER_MS;
            return Err(format!("{change:?} was told or durable only after {late_ms} ms"));
        }
    }
    Ok(())
}
