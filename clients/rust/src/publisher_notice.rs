//! What a publisher is told beside acks.

use ach_actors_model::{Lane, Timestamp};
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
    /// A node has lost what it had acknowledged as durable, and with it what was forgotten here: an
    /// older copy of its disk, for one. What is still kept is sent in a new epoch.
    NodeForgot {
        /// On which lane.
        lane: Lane,
        /// Tickets up to this one had been acknowledged.
        durable_through: u64,
    },
    /// What is published is no longer kept on this machine's disk; publishing goes on.
    NotKept {
        /// Why.
        reason: String,
    },
    /// This machine's clock is off.
    ClockOffset {
        /// This clock less the node's.
        offset_ns: i64,
    },
    /// This program's certificate ends soon: ask for another one before it does.
    CertificateEnds {
        /// When.
        ends_at: Timestamp,
    },
    /// A probe came back.
    EchoReply {
        /// The probe's number.
        nonce: u64,
    },
}
