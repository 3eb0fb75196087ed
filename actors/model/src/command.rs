//! Wishes of operators; each may be refused.

use serde::{Deserialize, Serialize};

use crate::{AnchorRef, DoorRef, Name, NodeTrouble, SourceRef, SubjectRef, TagRef, ZoneRef};

/// A wish.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Command {
    /// Who wishes it, for the record.
    pub by: Name,
    /// What.
    pub kind: CommandKind,
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CommandKind {
    /// Let a quarantined actor work again.
    ReleaseActor(EntityRef),
    /// Quarantine an actor by hand.
    QuarantineActor(EntityRef),
    /// Raise a test alarm. One that is still open is ended first.
    BeginSelftest,
    /// End the test alarm, if one is open.
    EndSelftest,
    /// Something is wrong with the node itself, or no longer. Said by the node alone.
    NodeTrouble {
        /// What.
        trouble: NodeTrouble,
        /// Whether it is so.
        is_on: bool,
    },
}

/// Anything that has an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntityRef {
    /// A tag.
    Tag(TagRef),
    /// A subject.
    Subject(SubjectRef),
    /// A zone.
    Zone(ZoneRef),
    /// A door.
    Door(DoorRef),
    /// A feed.
    Source(SourceRef),
    /// An anchor.
    Anchor(AnchorRef),
}
