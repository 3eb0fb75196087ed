//! A subject: made of its tags, in and out of zones, under its rules.

use ach_actors_model::{Cause, Fix, SubjectRef, Timestamp};

use crate::{DeadlineKind, Outbox, Site, Turn};

/// The state of one subject.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    fix: Option<Fix>,
}

/// What a subject can be told.
#[derive(Debug, Clone, Copy)]
pub enum SubjectInput<'a> {
    /// One of its tags has a new fix.
    Fix {
        /// The fix.
        fix: &'a Fix,
        /// Whether a second position bore out a jump.
        is_jump_confirmed: bool,
        /// Which input it goes back to.
        cause: Cause,
    },
    /// One of its deadlines is due.
    Due {
        /// What for.
        kind: DeadlineKind,
        /// When it was due.
        due_at: Timestamp,
    },
    /// Another version of the site is in force: it is `turn.site`.
    SiteChanged {
        /// The version before.
        old: &'a Site,
    },
}

impl Subject {
    /// Takes one input.
    pub fn step(
        &mut self,
        _me: SubjectRef,
        _input: SubjectInput<'_>,
        _turn: &Turn<'_>,
        _out: &mut Outbox,
    ) {
    }

    /// Where it is taken to be: the fix of the tag that speaks for it.
    pub fn fix(&self) -> Option<Fix> {
        self.fix
    }
}
