//! Every alarm that was told becomes durable or is told why not.

use crate::model::Model;
use crate::past::{Past, Told};

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    // All is healed and a while has passed: nothing waits for a disk any more.
    let unsettled = |told: &Told| matches!(told, Told::Provisional | Told::Reasoned);
    match past.heard.changes.iter().find(|(_, told)| unsettled(told)) {
        Some((change, told)) => Err(format!("{change:?} is {told:?} for ever")),
        None => Ok(()),
    }
}
