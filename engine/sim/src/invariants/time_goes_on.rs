//! The time of entries never goes back, their numbers have no gap, and a node that comes back says so.

use ach_engine_shard::Input;

use crate::model::Model;
use crate::past::Past;

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    for (entry, next) in past.entries.iter().zip(past.entries.iter().skip(1)) {
        if next.index != entry.index.saturating_add(1) {
            return Err(format!("entry {} follows entry {}", next.index, entry.index));
        }
        if next.at < entry.at {
            return Err(format!("entry {} is before entry {}", next.index, entry.index));
        }
    }
    for life in past.node_lives.iter().filter(|life| life.begun_after > 0) {
        let first = past.entries.iter().find(|entry| entry.index > life.begun_after);
        let is_told =
            first.is_none_or(|entry| matches!(entry.inputs.first(), Some(Input::Resumed { .. })));
        if !is_told {
            return Err(format!("the outage after entry {} is not logged", life.begun_after));
        }
    }
    Ok(())
}
