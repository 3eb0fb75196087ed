//! A door: enough to know forced from opened.

use ach_actors_model::{DoorRef, Timestamp};

use crate::{Arrival, DeadlineKind, Outbox, Turn, Verdict};

/// The state of one door: independent facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Door {}

/// What a door can be told.
#[derive(Debug, Clone, Copy)]
pub enum DoorInput {
    /// The position switch opened.
    Opened(Arrival),
    /// The position switch closed.
    Closed(Arrival),
    /// The lock has thrown.
    Locked(Arrival),
    /// The lock has drawn back.
    Unlocked(Arrival),
    /// The reader granted access.
    AccessGranted {
        /// When.
        arrival: Arrival,
        /// How long the door may be opened on it.
        valid_ms: u32,
    },
    /// Somebody asked to leave.
    ExitRequested {
        /// When.
        arrival: Arrival,
        /// How long the door may be opened on it.
        valid_ms: u32,
    },
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

impl Door {
    /// Takes one input.
    pub fn step(
        &mut self,
        _me: DoorRef,
        _input: DoorInput,
        _turn: &Turn<'_>,
        _out: &mut Outbox,
    ) -> Verdict {
        Verdict::Accepted
    }
}
