//! What was known of a door when it was opened without leave.

use serde::{Deserialize, Serialize};

use crate::{SubjectRef, Timestamp};

/// What a forced door is judged by: everything that could have been leave, and who was there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct DoorEvidence {
    /// The last time its reader granted access before it opened, as far as is remembered.
    pub granted: Option<PassMark>,
    /// The last time somebody asked to leave before it opened, as far as is remembered.
    pub requested: Option<PassMark>,
    /// What its lock said last before it opened.
    pub lock: Option<LockMark>,
    /// Who was within ten metres of it in the rooms on either side, the nearest first. Nobody if it was told late: where
    /// people were then is not known any more.
    pub near: Vec<SubjectRef>,
    /// Whose badge the last grant was given to, by the site that was in force then.
    pub granted_to: Option<SubjectRef>,
}

/// A grant or a request to exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PassMark {
    /// When it was given.
    pub at: Timestamp,
    /// Until when the door could be opened on it.
    pub until: Timestamp,
}

/// What a lock said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LockMark {
    /// When.
    pub at: Timestamp,
    /// Whether it was drawn back then, or thrown.
    pub is_drawn_back: bool,
}
