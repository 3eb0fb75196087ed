//! One episode has one id, and what is told of it makes a life: raised before it ends, each once.

use std::collections::BTreeMap;

use ach_actors_model::AlarmTransition;

use crate::model::Model;
use crate::past::{Past, Told};

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    for heard in [&past.heard, &past.newcomer] {
        if let Some(nonsense) = heard.nonsense.first() {
            return Err(nonsense.clone());
        }
        let mut ids = BTreeMap::new();
        for (id, episode) in &heard.episodes {
            if let Some(other) = ids.insert(episode, id) {
                return Err(format!("{other} and {id} are one episode: {episode}"));
            }
        }
    }
    for ((id, transition), told) in &past.heard.changes {
        let is_end = matches!(transition, AlarmTransition::Cleared | AlarmTransition::Retracted);
        let was_raised = past.heard.changes.contains_key(&(*id, AlarmTransition::Raised));
        if is_end && *told == Told::Durable && !was_raised && !past.heard.has_gap {
            return Err(format!("{id} ended and was never raised"));
        }
    }
    Ok(())
}
