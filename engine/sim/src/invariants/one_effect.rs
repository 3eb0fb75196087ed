//! One input raises one alarm of a kind, however often and under whatever numbers it is sent; and one deadline, unless
//! the first has ended: while a feed is silent all that waits for it is put off to the same moment, and a person who
//! left and came back may have stayed too long twice by then.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmId, AlarmTransition};

use crate::model::Model;
use crate::past::{Past, Told};

/// How a cause that is a deadline is told.
const BY_DEADLINE: &str = " by Deadline ";

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    let changes = &past.heard.changes;
    let has_ended = |id: AlarmId| {
        let ends = [AlarmTransition::Cleared, AlarmTransition::Retracted];
        ends.into_iter().any(|end| changes.contains_key(&(id, end)))
    };
    let mut causes = BTreeMap::new();
    for (id, cause) in &past.heard.causes {
        if changes.get(&(*id, AlarmTransition::Raised)) != Some(&Told::Durable) {
            continue;
        }
        let Some(other) = causes.insert(cause, *id) else { continue };
        if !cause.contains(BY_DEADLINE) || !(has_ended(other) || has_ended(*id)) {
            return Err(format!("{other} and {id} were raised by one input: {cause}"));
        }
    }
    Ok(())
}
