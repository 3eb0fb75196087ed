//! What a receiver wants to be told.

use ach_actors_model::{AlarmKind, AlarmPriority, Name, TagId};
use ach_geo::Floor;

use crate::tlv::message;
use crate::value::words;
use crate::{Cursor, EventWord};

/// What a subscription is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Alarms, on P1.
    Alarms,
    /// Events, on P2.
    Events,
    /// Positions, on P4.
    Positions,
}

words!(Topic { Alarms = 1, Events = 2, Positions = 3, });

message! {
    /// What is let through: within a list any, between lists all; an empty list lets all through.
    #[derive(Default)]
    pub struct Filter {
        /// Kinds of alarms.
        1 => kinds: Vec<AlarmKind>,
        /// Priorities of alarms.
        2 => priorities: Vec<AlarmPriority>,
        /// Zones.
        3 => zones: Vec<Name>,
        /// Subjects.
        4 => subjects: Vec<Name>,
        /// Floors; what has no floor passes.
        5 => floors: Vec<Floor>,
        /// Tags.
        6 => tags: Vec<TagId>,
        /// Kinds of events.
        7 => events: Vec<EventWord>,
        /// Doors.
        8 => doors: Vec<Name>,
    }
}

message! {
    /// The client asks for a stream of notes.
    pub struct Subscribe {
        /// Its own number for it, not in use on this connection.
        1 => subscription: u32,
        /// What about.
        2 => topic: Topic,
        /// What to let through.
        3 => filter: Filter,
        /// The last durable note it has; the stream begins with what became durable after it.
        /// Without it the stream begins now. Alarms go on with the set of the open ones and its
        /// mark (or begin with them: then what was missed ends with the note that has the mark's
        /// cursor), then with news.
        4 => resume_after: Option<Cursor>,
    }
}

message! {
    /// The client wants no more of it. The node ends the stream.
    pub struct Unsubscribe {
        /// Which.
        1 => subscription: u32,
    }
}
