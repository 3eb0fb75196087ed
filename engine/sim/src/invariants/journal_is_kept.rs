//! The journal gives up no entry that history has not on its disk, and leaves a checkpoint from which both
//! a start and history can go on (HIST-3).

use crate::model::Model;
use crate::past::Past;

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    for (last_index, given_up) in &past.given_up {
        let (name, through) = (&given_up.name, given_up.history_through);
        if through < *last_index {
            return Err(format!(
                "{name} was given up with entry {last_index}, and history had {through}"
            ));
        }
        let between = *last_index..=through;
        if !given_up.checkpoints.iter().any(|index| between.contains(index)) {
            let checkpoints = &given_up.checkpoints;
            return Err(format!(
                "{name} was given up with entry {last_index}, history had {through}, and there \
                 were the checkpoints {checkpoints:?}"
            ));
        }
    }
    Ok(())
}
