//! Leave: given, ended, and told of to those who ask; and bands that come off.

use ach_actors_model::{Name, Remark, TagId, Timestamp};

use crate::Thing;
use crate::tlv::message;

/// Leave told of in one frame: with 64 places of the longest names each is 5,000 bytes.
const LEAVES_A_FRAME_MAX: usize = 12;

message! {
    /// A subject is to have leave, or to have it no more.
    pub struct LeaveOrder {
        /// Who.
        1 => subject: Name,
        /// For how long from now; without it leave ends.
        2 => for_ns: Option<u64>,
        /// The zones and lines that may be left; none is all.
        3 => places: Vec<Thing>,
        /// Whether it is over, too, once the subject is back.
        4 => is_until_back: bool,
        /// Who must be with the subject.
        5 => escort: Option<Name>,
        /// How far apart they may be; without it 10 m.
        6 => within_mm: Option<u32>,
        /// For how long they may be farther apart; without it 30 s.
        7 => gap_ns: Option<u64>,
        /// The person a program wishes it for; none is whoever is connected.
        8 => person: Option<Name>,
        /// Why.
        9 => reason: Option<Remark>,
    }
}

message! {
    /// A band may be off for a time, or is on.
    pub struct BandOrder {
        /// Whose.
        1 => subject: Name,
        /// Which: a tag of that subject.
        2 => tag: TagId,
        /// For how long from now it may be off; without it the band is on.
        3 => for_ns: Option<u64>,
        /// The person a program wishes it for; none is whoever is connected.
        4 => person: Option<Name>,
        /// Why.
        5 => reason: Option<Remark>,
    }
}

message! {
    /// A receiver or operator asks who has leave.
    pub struct LeaveQuery {
        /// Its own number for it.
        1 => query: u64,
    }
}

message! {
    list LEAVES_A_FRAME_MAX;
    /// Leave that a subject has.
    pub struct WireLeave {
        /// Who.
        1 => subject: Name,
        /// When it was given.
        2 => given_at: Timestamp,
        /// When it is over.
        3 => until: Timestamp,
        /// The zones and lines that may be left; none is all.
        4 => places: Vec<Thing>,
        /// Whether it is over, too, once the subject is back.
        5 => is_until_back: bool,
        /// Who must be with the subject.
        6 => escort: Option<Name>,
        /// How far apart they may be.
        7 => within_mm: Option<u32>,
        /// For how long they may be farther apart.
        8 => gap_ns: Option<u64>,
        /// Who gave it.
        9 => by: Name,
        /// Why.
        10 => reason: Remark,
    }
}

impl WireLeave {
    /// Most of them in one part of an answer.
    pub const A_FRAME_MAX: usize = LEAVES_A_FRAME_MAX;
}

message! {
    /// A part of the answer to [`LeaveQuery`].
    pub struct Leaves {
        /// As in the question.
        1 => query: u64,
        /// Who has leave, by subject.
        2 => leaves: Vec<WireLeave>,
        /// Whether no other part follows.
        3 => is_last: bool,
    }
}
