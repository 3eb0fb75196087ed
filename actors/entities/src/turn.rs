//! What a machine is given and what it gives back.

use std::collections::VecDeque;

use ach_actors_model::{AnchorRef, Cause, EntityRef, Fix, SubjectRef, TagRef, Timestamp};

use crate::{Effect, Site};

/// What every machine may look at while it decides.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// The site in force.
    pub site: &'a Site,
    /// Shard time.
    pub now: Timestamp,
}

/// What machines ask for. One for a whole entry; the shard drains it.
#[derive(Debug, Default)]
pub struct Outbox {
    /// For the outside.
    pub effects: Vec<Effect>,
    /// For other actors, delivered in this order within the same input.
    pub messages: VecDeque<Message>,
    /// For later. A deadline cannot be taken back: a machine that no longer wants one ignores it.
    pub deadlines: Vec<Deadline>,
}

/// A call back at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline {
    /// When.
    pub due_at: Timestamp,
    /// Who.
    pub entity: Addressee,
    /// What for.
    pub kind: DeadlineKind,
}

/// Who is called: every actor, anchors and the calendar included. Ordered, because deadlines that
/// are due together fire in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Addressee {
    /// An actor an operator can name.
    Entity(EntityRef),
    /// An anchor.
    Anchor(AnchorRef),
    /// The site's calendar of rule windows.
    Calendar,
}

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadlineKind {
    /// Not heard for too long. The one kind that leaves an outage of the node out.
    Silence,
    /// A gate, a dwell or a fence timeout of an occupancy.
    Gate,
    /// A rule's window begins or ends.
    Window,
}

/// What one actor tells another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Message {
    /// To whom.
    pub to: Addressee,
    /// The outside input or deadline it goes back to.
    pub cause: Cause,
    /// What.
    pub body: MessageBody,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageBody {
    /// Tag to subject: an accepted fix.
    Fix {
        /// The fix.
        fix: Fix,
        /// Whether a second position bore out a jump.
        is_jump_confirmed: bool,
    },
    /// Subject to zone: it is in.
    Entered {
        /// Who.
        subject: SubjectRef,
        /// By which tag.
        tag: TagRef,
        /// When it counts from.
        at: Timestamp,
    },
    /// Subject to zone: it is out.
    Exited {
        /// Who.
        subject: SubjectRef,
        /// By which tag.
        tag: TagRef,
        /// When it counts from.
        at: Timestamp,
    },
    /// Tag to source, anchor to zones, source to tags and the like: see the receiving machine.
    Heard,
    /// The feed or anchor fell silent.
    FellSilent,
    /// The feed or anchor was heard again after silence since `silent_since`.
    Restored {
        /// When the silence began.
        silent_since: Timestamp,
    },
    /// A rule's window began or ended: judge anew.
    Rejudge,
}
