//! Which incident an alarm belongs to.

use serde::{Deserialize, Serialize};

use crate::AlarmId;

/// An alarm's place in an incident: occurrences of one cause, to be seen together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IncidentMark {
    /// The first alarm of it.
    pub id: AlarmId,
    /// Which alarm of it this is, counted from 1: the first has its own id here.
    pub place: u32,
    /// Whether it joined aloud and is more urgent than every alarm of it that waits for somebody, or about a subject
    /// about whom none of those is.
    pub is_raising: bool,
}

impl IncidentMark {
    /// Whether it is the alarm that the incident began with.
    pub fn is_first(&self) -> bool {
        self.place == 1
    }
}
