//! What chance is drawn for: one more draw for one purpose changes nothing for the others.

use crate::chance::Chance;

/// What chance is drawn for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Faults,
    Deeds,
    Trouble,
    Node,
    Client,
    Time,
    History,
    Stall,
}

impl Purpose {
    /// Chance for it.
    pub(super) fn chance(self, seed: u64) -> Chance {
        let number = match self {
            Purpose::Faults => 1,
            Purpose::Deeds => 2,
            Purpose::Trouble => 3,
            Purpose::Node => 4,
            Purpose::Client => 5,
            Purpose::Time => 6,
            Purpose::History => 7,
            Purpose::Stall => 8,
        };
        Chance::of(seed, number)
    }
}
