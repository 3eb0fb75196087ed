//! The number of a record in the journal.

use std::fmt;

/// The number of a record in one node's journal, counted from one and never used twice for two
/// records that were both acked.
///
/// It says nothing outside the node that wrote it: two nodes number the same entry differently.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

impl Lsn {
    /// Before the first record.
    pub const NONE: Lsn = Lsn(0);

    /// The number that is `count` records further on.
    pub(crate) fn plus(self, count: u64) -> Lsn {
        Lsn(self.0.saturating_add(count))
    }

    /// The number before this one.
    pub(crate) fn before(self) -> Lsn {
        Lsn(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}
