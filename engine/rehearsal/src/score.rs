//! How many alarms there were, would have been, and how they differ.

use crate::pairing::{Difference, Pair};

/// Counts over some alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score {
    /// There were.
    pub was: u64,
    /// There would have been.
    pub would: u64,
    /// Of those that were, would not have been.
    pub gone: u64,
    /// Of those that would have been, were not.
    pub come: u64,
    /// Would have come sooner.
    pub earlier: u64,
    /// Would have come later.
    pub later: u64,
    /// Would have come at the same moment and otherwise.
    pub altered: u64,
}

impl Score {
    /// Adds the difference of a pair. What it was and what it would have been are added where they belong, which
    /// may be under two names.
    pub(crate) fn add(&mut self, pair: &Pair<'_>) {
        match pair.difference() {
            Difference::Same => {}
            Difference::Altered => self.altered += 1,
            Difference::Earlier { .. } => self.earlier += 1,
            Difference::Later { .. } => self.later += 1,
            Difference::Gone => self.gone += 1,
            Difference::Come => self.come += 1,
        }
    }

    /// Whether nothing differs.
    pub fn is_unchanged(&self) -> bool {
        let Score { was, would, gone, come, earlier, later, altered } = *self;
        was == would && gone + come + earlier + later + altered == 0
    }
}
