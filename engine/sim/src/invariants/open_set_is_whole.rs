//! A receiver that comes, or comes back, ends with exactly the alarms that are open.

use std::collections::BTreeSet;

use ach_actors_model::AlarmId;

use super::alarms_as_modelled::unmodelled;
use crate::model::Model;
use crate::past::Past;

pub(super) fn check(past: &Past, model: &Model) -> Result<(), String> {
    let unmodelled = unmodelled(model);
    let expected = model.open();
    for (who, heard) in [("the receiver", &past.heard), ("a newcomer", &past.newcomer)] {
        if let Some(unsaid) = heard.unsaid.first() {
            return Err(format!("{who} was not told how {unsaid} ended"));
        }
        let held: BTreeSet<AlarmId> = heard.open.difference(&unmodelled).copied().collect();
        if let Some(missing) = expected.difference(&held).next() {
            return Err(format!("{who} does not hold {missing} for open"));
        }
        if let Some(surplus) = held.difference(&expected).next() {
            return Err(format!("{who} holds {surplus} for open"));
        }
    }
    Ok(())
}
