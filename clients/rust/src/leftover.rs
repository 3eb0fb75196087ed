//! What is not on disk of what was published.

use std::fmt;

use crate::Progress;

/// What is not on disk of what was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leftover {
    /// Inputs that the node has decided on and not stored: their alarms were raised, and a crash of
    /// the node may lose them.
    pub decided_count: u64,
    /// Inputs that the node has not decided on, as far as is known here.
    pub undecided_count: u64,
    /// Of those decided on, how many are no longer kept here either, because the node did not
    /// store and room was needed.
    pub unkept_count: u64,
}

impl Leftover {
    /// What is left over by this progress.
    pub fn of(progress: &Progress) -> Leftover {
        let mut left = Leftover::default();
        for lane in [&progress.duress, &progress.door, &progress.ping] {
            let decided = lane.accepted_through.saturating_sub(lane.durable_through);
            let last = lane.accepted_through.max(lane.durable_through);
            left.decided_count = left.decided_count.saturating_add(decided);
            left.undecided_count =
                left.undecided_count.saturating_add(lane.published_through.saturating_sub(last));
            left.unkept_count = left.unkept_count.saturating_add(lane.unkept_count.min(decided));
        }
        left
    }

    /// Whether everything is on disk.
    pub fn is_none(&self) -> bool {
        self.decided_count == 0 && self.undecided_count == 0
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Leftover { decided_count, undecided_count, .. } = self;
        write!(f, "{decided_count} inputs were decided on and not stored, ")?;
        write!(f, "{undecided_count} not decided on")
    }
}
