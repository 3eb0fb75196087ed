//! Probes, and what operators ask.

use ach_actors_model::Name;

use crate::limits::{COUNTERS_MAX, ECHO_BYTES_MAX};
use crate::tlv::{Value, message};
use crate::{Code, Cursor, Text, Thing, WireError};

/// That many zeros, and no more than [`ECHO_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Padding {
    /// How many bytes.
    pub bytes: u32,
}

impl Value for Padding {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let bytes = usize::try_from(self.bytes.min(ECHO_BYTES_MAX)).unwrap_or(0);
        out.resize(out.len().saturating_add(bytes), 0);
        Ok(())
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Padding, WireError> {
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if count > ECHO_BYTES_MAX {
            return Err(WireError::Length { part, bytes: bytes.len() });
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(WireError::ReservedNotZero { part });
        }
        Ok(Padding { bytes: count })
    }
}

message! {
    /// A probe: the node answers it at once, on the stream of a subscription if one is named.
    pub struct Echo {
        /// Comes back as it is.
        1 => nonce: u64,
        /// On whose stream to answer; none is the control stream.
        2 => subscription: Option<u32>,
        /// How much padding the answer is to have.
        3 => reply_bytes: u32,
        /// Padding of the question.
        4 => padding: Padding,
    }
}

message! {
    /// The answer to [`Echo`].
    pub struct EchoReply {
        /// As in the question.
        1 => nonce: u64,
        /// As much as was asked for.
        2 => padding: Padding,
    }
}

message! {
    /// An operator's wish.
    pub struct WireCommand {
        /// The operator's own number for it; the same one again on the same connection has the same
        /// answer and is done once. Over another connection it is done again, which does no harm:
        /// every wish says how something is to be, not what is to change.
        1 => command: u64,
        /// What is wished.
        2 => wish: Wish,
    }
}

/// What is wished: `u8 kind`, then a [`Thing`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wish {
    /// Let a quarantined actor work again.
    ReleaseActor(Thing),
    /// Quarantine an actor by hand.
    QuarantineActor(Thing),
}

impl Value for Wish {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        match self {
            Wish::ReleaseActor(thing) => {
                out.push(1);
                thing.put(out)
            }
            Wish::QuarantineActor(thing) => {
                out.push(2);
                thing.put(out)
            }
        }
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Wish, WireError> {
        match bytes.split_first() {
            Some((1, rest)) => Thing::take(rest, part).map(Wish::ReleaseActor),
            Some((2, rest)) => Thing::take(rest, part).map(Wish::QuarantineActor),
            _ => Err(WireError::Value { part }),
        }
    }
}

message! {
    /// The answer to [`WireCommand`], given when it is durable or refused.
    pub struct Receipt {
        /// As in the wish.
        1 => command: u64,
        /// [`Code::Done`], or why not.
        2 => code: Code,
        /// In words.
        3 => detail: Text,
        /// Where it stands in the order, if it was done.
        4 => cursor: Option<Cursor>,
    }
}

message! {
    /// An operator asks for the counters.
    pub struct StatusQuery {
        /// The operator's own number for it.
        1 => query: u64,
    }
}

message! {
    list COUNTERS_MAX;
    /// A counter.
    pub struct Counter {
        /// Its name, as in the metrics.
        1 => name: Name,
        /// Its value.
        2 => count: u64,
    }
}

message! {
    /// The answer to [`StatusQuery`].
    pub struct Status {
        /// As in the question.
        1 => query: u64,
        /// The node.
        2 => node: Name,
        /// The site.
        3 => site: Name,
        /// Whether the node stores.
        4 => is_storing: bool,
        /// The last durable entry.
        5 => cursor: Option<Cursor>,
        /// The counters.
        6 => counters: Vec<Counter>,
    }
}
