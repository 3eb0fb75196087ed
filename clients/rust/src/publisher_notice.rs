//! What a publisher is told beside acks.

use ach_actors_model::Lane;
use ach_engine_wire::{Code, InternItem};

/// What a publisher is told beside acks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublisherNotice {
    /// A connection stands.
    Connected {
        /// The epoch of the ping lane.
        epoch: u32,
    },
    /// The connection broke; the publisher connects again.
    Disconnected {
        /// Why.
        reason: String,
    },
    /// The node refused inputs, each alone.
    Refused {
        /// On which lane.
        lane: Lane,
        /// Ticket number of the first of them, if its epoch is remembered.
        first_number: Option<u64>,
        /// How many.
        count: u64,
        /// Why.
        code: Code,
        /// What the first was about.
        thing: Option<InternItem>,
    },
    /// The node refused something else.
    Complaint {
        /// Why.
        code: Code,
        /// In its words.
        detail: String,
    },
    /// This machine's clock is off.
    ClockOffset {
        /// This clock less the node's.
        offset_ns: i64,
    },
    /// A probe came back.
    EchoReply {
        /// The probe's number.
        nonce: u64,
    },
}
