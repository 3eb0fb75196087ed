//! The journal gives up no entry that history has not on its disk, and leaves a checkpoint from which both
//! a start and history can go on (HIST-3). Where history has no say, being off or on a disk that is full, it
//! leaves one from which a start can.

use crate::model::Model;
use crate::past::Past;

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    for (last_index, given_up) in &past.given_up {
        let name = &given_up.name;
        let has_say = given_up.unasked.is_none();
        let through = if has_say { given_up.history_through } else { u64::MAX };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal_disk::{GivenUp, Unasked};

    /// A segment that ends with entry 9 and was given up each time history had so many entries, beside
    /// these checkpoints.
    fn check_times(
        history_through: &[u64],
        checkpoints: &[u64],
        unasked: Option<Unasked>,
    ) -> Result<(), String> {
        let given_up = |&history_through| {
            let (name, checkpoints) = ("000001.seg".to_owned(), checkpoints.to_vec());
            (9, GivenUp { name, bytes: vec![1], history_through, checkpoints, unasked })
        };
        let given_up = history_through.iter().map(given_up).collect();
        check(&Past { given_up, ..Past::default() }, &Model::default())
    }

    #[test]
    fn each_time_a_segment_is_given_up_is_judged() {
        assert_eq!(check_times(&[9], &[9], None), Ok(()));
        assert_eq!(check_times(&[9, 12], &[9], None), Ok(()));
        assert!(check_times(&[9, 0], &[9], None).is_err(), "the second time history had lost it");
        assert!(check_times(&[0, 9], &[9], None).is_err());
        assert!(check_times(&[9], &[12], None).is_err(), "history can go on from none");
    }

    #[test]
    fn where_history_has_no_say_a_start_still_needs_a_checkpoint() {
        for unasked in [Unasked::Off, Unasked::Full] {
            assert_eq!(check_times(&[0], &[12], Some(unasked)), Ok(()));
            assert!(check_times(&[0], &[8], Some(unasked)).is_err());
        }
    }
}
