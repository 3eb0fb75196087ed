//! Sent is accepted, duplicate, late, refused and conflated, together.

use crate::model::Model;
use crate::past::Past;

pub(super) fn check(past: &Past, _: &Model) -> Result<(), String> {
    for ((life, lane), progress) in &past.acked {
        let (sum, sent) = (progress.totals.sum(), progress.sent_count);
        if past.is_uncut && sum != sent {
            return Err(format!("life {life}, {lane:?}: {sum} counted of {sent} sent"));
        }
        // Without a crash of the node every number that was decided on was counted.
        let decided = progress.accepted_through;
        if past.node_lives.len() == 1 && past.acked.len() == 3 && sum < decided {
            return Err(format!("life {life}, {lane:?}: {sum} counted of {decided} decided on"));
        }
    }
    Ok(())
}
