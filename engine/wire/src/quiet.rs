//! What is quiet, for those who ask.

use ach_actors_model::{AlarmId, AlarmKind, AlarmState, Name, Remark, Timestamp};

use crate::Thing;
use crate::tlv::message;

message! {
    /// A receiver or operator asks what is quiet.
    pub struct QuietQuery {
        /// The client's own number for it.
        1 => query: u64,
    }
}

message! {
    /// Something that is quiet, or that waits for a second person to become so.
    pub struct WireQuiet {
        /// In which way: shelved, suppressed or out of service, as one flag of an alarm's state.
        1 => way: AlarmState,
        /// The place that is quiet; of a condition its place.
        2 => place: Option<Thing>,
        /// The rule that is quiet; of a condition its rule.
        3 => rule: Option<Name>,
        /// The kind of alarm, of a condition.
        4 => kind: Option<AlarmKind>,
        /// Whom it is about, of a condition.
        5 => subject: Option<Name>,
        /// Until when it is quiet; of what waits, until when it waits.
        6 => until: Timestamp,
        /// For how long it was asked, of what waits for a second person.
        7 => waits_for_ns: Option<u64>,
        /// By whom: of two, the second.
        8 => by: Name,
        /// The first of two.
        9 => asked_by: Option<Name>,
        /// In which words.
        10 => remark: Option<Remark>,
        /// The alarm by way of which a condition was shelved.
        11 => alarm: Option<AlarmId>,
    }
}

message! {
    /// A part of the answer to [`QuietQuery`].
    pub struct QuietList {
        /// As in the question.
        1 => query: u64,
        /// What is quiet.
        2 => things: Vec<WireQuiet>,
        /// Whether no other part follows.
        3 => is_last: bool,
    }
}
