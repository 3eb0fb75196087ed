//! One input raises one alarm of a kind, however often and under whatever numbers it is sent.

use std::collections::BTreeMap;

use ach_actors_model::AlarmTransition;

use crate::model::Model;
use crate::past::{Past, Told};

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    let mut causes = BTreeMap::new();
    for (id, cause) in &past.heard.causes {
        let told = past.heard.changes.get(&(*id, AlarmTransition::Raised));
        if told != Some(&Told::Durable) {
            continue;
        }
        if let Some(other) = causes.insert(cause, id) {
            return Err(format!("{other} and {id} were raised by one input: {cause}"));
        }
    }
    Ok(())
}
