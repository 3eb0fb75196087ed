//! A node always starts, its journal can be read, and once all is healed everything gets on disk.

use crate::model::Model;
use crate::past::Past;

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    if let Some(error) = past.failed_starts.first() {
        return Err(format!("the node did not start: {error}"));
    }
    if let Some(fault) = &past.journal_fault {
        return Err(format!("the journal cannot be read: {fault}"));
    }
    if let Some(why) = &past.drained {
        return Err(format!("not everything got on disk in the end: {why}"));
    }
    if !past.has_ended_well {
        return Err("the node did not end in good order".to_owned());
    }
    Ok(())
}
