//! A tag: orders its pings, doubts its jumps, and alarms for itself.

use ach_actors_model::{Cause, Fix, Ping, TagRef, Timestamp};

use crate::{Arrival, DeadlineKind, Outbox, Turn, Verdict};

/// The state of one tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tag {
    fix: Option<Fix>,
}

/// What a tag can be told.
#[derive(Debug, Clone, Copy)]
pub enum TagInput<'a> {
    /// It was located.
    Ping {
        /// Where and when.
        ping: &'a Ping,
        /// When the session had decoded it, by shard time.
        received_at: Timestamp,
        /// Which input it was.
        cause: Cause,
    },
    /// Its duress button was pressed.
    ButtonPressed(Arrival),
    /// Its duress button was reset.
    ButtonReset(Arrival),
    /// Its band was cut, or it was tampered with.
    BandCut(Arrival),
    /// Its band is whole again.
    BandWhole(Arrival),
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

impl Tag {
    /// Takes one input.
    pub fn step(
        &mut self,
        _me: TagRef,
        _input: TagInput<'_>,
        _turn: &Turn<'_>,
        _out: &mut Outbox,
    ) -> Verdict {
        Verdict::Accepted
    }

    /// Its latest accepted fix.
    pub fn fix(&self) -> Option<Fix> {
        self.fix
    }
}
