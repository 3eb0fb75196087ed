//! A zone: who is in it, how many it may hold, and whether it can be seen.

use ach_actors_model::{AnchorRef, Cause, SubjectRef, TagRef, Timestamp, ZoneRef};

use crate::{DeadlineKind, Outbox, Turn};

/// The state of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone {
    occupants: Vec<SubjectRef>,
}

/// What a zone can be told.
#[derive(Debug, Clone, Copy)]
pub enum ZoneInput {
    /// A subject is in.
    Entered {
        /// Who.
        subject: SubjectRef,
        /// By which tag.
        tag: TagRef,
        /// When it counts from.
        at: Timestamp,
        /// Which input it goes back to.
        cause: Cause,
    },
    /// A subject is out.
    Exited {
        /// Who.
        subject: SubjectRef,
        /// By which tag.
        tag: TagRef,
        /// When it counts from.
        at: Timestamp,
        /// Which input it goes back to.
        cause: Cause,
    },
    /// An anchor that covers it is lost.
    AnchorLost(AnchorRef),
    /// An anchor that covers it works again.
    AnchorFound(AnchorRef),
    /// One of its deadlines is due.
    Due {
        /// What for.
        kind: DeadlineKind,
        /// When it was due.
        due_at: Timestamp,
    },
    /// Another version of the site is in force: it is `turn.site`.
    SiteChanged,
}

impl Zone {
    /// Takes one input.
    pub fn step(&mut self, _me: ZoneRef, _input: ZoneInput, _turn: &Turn<'_>, _out: &mut Outbox) {}

    /// Who is in it, ascending.
    pub fn occupants(&self) -> &[SubjectRef] {
        &self.occupants
    }
}
