//! Whatever becomes of history, alarms are told and become durable as if there were none (HIST-4). Looked at
//! where nothing else goes wrong: then every moment is known.

use ach_actors_model::{NS_PER_MS, Timestamp};

use crate::model::Model;
use crate::past::Past;

/// From the device to the receiver's ears and to durable: twice through the network and once to a disk that
/// takes no time, and what the clock of the shard may differ from the world's. Stalls of history last for
/// seconds.
const LATEST_NS: u64 = 200 * NS_PER_MS;

pub(super) fn check(past: &Past, model: &Model) -> Result<(), String> {
    if !past.is_uncut {
        return Ok(());
    }
    for notice in model.notices() {
        let change = (notice.id, notice.transition);
        let moments = past.heard.moments.get(&change).copied().unwrap_or_default();
        for (what, at) in [("told", moments.told_at), ("durable", moments.durable_at)] {
            let Some(at) = at else { return Err(format!("{change:?} was never {what}")) };
            let late_ns = at.since_ns(notice.since);
            if late_ns > LATEST_NS {
                let waited_ms = late_ns / NS_PER_MS;
                return Err(format!("{change:?} was {what} only after {waited_ms} ms"));
            }
        }
    }
    Ok(())
}

/// How many alarms were due while a writing of history stalled, of those that are looked at.
pub(crate) fn due_in_stalls(past: &Past, model: &Model) -> usize {
    let is_stalled =
        |at: Timestamp| past.stalls.iter().any(|(from, until)| *from <= at && at < *until);
    let due = model.notices().iter().filter(|notice| is_stalled(notice.since));
    if past.is_uncut { due.count() } else { 0 }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{AlarmId, AlarmTransition};

    use super::*;
    use crate::past::Moments;

    /// An alarm that was due at the beginning of time and was told and durable then.
    fn check_moments(told_ms: Option<u64>, durable_ms: Option<u64>) -> Result<(), String> {
        let mut past = Past { is_uncut: true, ..Past::default() };
        let at = |ms: Option<u64>| ms.map(|ms| Timestamp(ms * NS_PER_MS));
        let id = AlarmId(7);
        let moments = Moments { told_at: at(told_ms), durable_at: at(durable_ms) };
        past.heard.moments.insert((id, AlarmTransition::Raised), moments);
        check(&past, &Model::with_notice(id, AlarmTransition::Raised))
    }

    #[test]
    fn what_is_late_or_never_comes_is_found() {
        assert_eq!(check_moments(Some(20), Some(40)), Ok(()));
        for (told_ms, durable_ms) in
            [(Some(2_000), Some(2_000)), (Some(20), Some(2_000)), (Some(20), None), (None, None)]
        {
            assert!(check_moments(told_ms, durable_ms).is_err(), "{told_ms:?} {durable_ms:?}");
        }
    }
}
