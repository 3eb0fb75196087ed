//! An anchor of a locating system: alive or lost.

use ach_actors_model::{AnchorRef, Timestamp};

use crate::{Arrival, DeadlineKind, Outbox, Turn, Verdict};

/// The state of one anchor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Anchor {}

/// What an anchor can be told.
#[derive(Debug, Clone, Copy)]
pub enum AnchorInput {
    /// It gave a sign of life.
    Alive(Arrival),
    /// The locating system has lost it.
    Lost(Arrival),
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

impl Anchor {
    /// Takes one input.
    pub fn step(
        &mut self,
        _me: AnchorRef,
        _input: AnchorInput,
        _turn: &Turn<'_>,
        _out: &mut Outbox,
    ) -> Verdict {
        Verdict::Accepted
    }
}
