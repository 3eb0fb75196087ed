//! Who has shown alarms to people, and how far.

use ach_actors_model::{AlarmId, Name, Timestamp};

use crate::Cursor;
use crate::tlv::message;

message! {
    /// A receiver has displayed what it was told: people could see it, not only a program.
    pub struct Displayed {
        /// On which of its subscriptions.
        1 => subscription: u32,
        /// All durable changes of alarms up to this one, which the subscription lets pass.
        2 => through: Option<Cursor>,
        /// And these alarms, whose latest change was provisional when it was displayed.
        3 => alarms: Vec<AlarmId>,
    }
}

message! {
    /// An operator asks who displays alarms, and how far.
    pub struct AttentionQuery {
        /// The operator's own number for it.
        1 => query: u64,
    }
}

message! {
    /// A subscription to alarms.
    pub struct WireReceiver {
        /// Whose it is.
        1 => name: Name,
        /// Whether it is an operator's.
        2 => is_operator: bool,
        /// Its number on its connection.
        3 => subscription: u32,
        /// When it began.
        4 => begun_at: Timestamp,
        /// How far it has displayed; nothing if it has never said so.
        5 => displayed: Option<Cursor>,
        /// When it said so last.
        6 => displayed_at: Option<Timestamp>,
        /// How many alarms it was told and has not displayed.
        7 => waiting_count: u32,
        /// When the oldest of them was told.
        8 => waiting_since: Option<Timestamp>,
    }
}

message! {
    /// A part of the answer to [`AttentionQuery`].
    pub struct Attention {
        /// As in the question.
        1 => query: u64,
        /// Who follows alarms.
        2 => receivers: Vec<WireReceiver>,
        /// How many alarms nobody at all has displayed.
        3 => unseen_count: u32,
        /// When the oldest of them was told.
        4 => unseen_since: Option<Timestamp>,
        /// Whether no other part follows.
        5 => is_last: bool,
    }
}
