//! A vendor's feed: heard or silent.

use ach_actors_model::{SourceRef, Timestamp};

use crate::{DeadlineKind, Outbox, Turn};

/// The state of one feed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {}

/// What a feed can be told.
#[derive(Debug, Clone, Copy)]
pub enum SourceInput {
    /// Something came through it. Once for every batch and report, before what it brought.
    Heard {
        /// When, by shard time.
        received_at: Timestamp,
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

impl Source {
    /// Takes one input.
    pub fn step(
        &mut self,
        _me: SourceRef,
        _input: SourceInput,
        _turn: &Turn<'_>,
        _out: &mut Outbox,
    ) {
    }
}
