//! Opening a session, naming things, keeping time, ending it.

use ach_actors_model::{Lane, Name, TagId, Timestamp};

use crate::limits::INTERN_ITEMS_MAX;
use crate::tlv::{Value, message};
use crate::{Code, Text, WireError};

/// The version of the protocol this build speaks.
pub const PROTOCOL_VERSION: u16 = 1;

message! {
    /// A lane the client wants to go on with.
    pub struct LaneResume {
        /// Which.
        1 => lane: Lane,
        /// The epoch it was in.
        2 => epoch: u32,
        /// The greatest sequence number it has given out; the node checks that it does not know
        /// of a greater one.
        3 => last_seq: u64,
    }
}

message! {
    /// The client's first frame.
    pub struct Hello {
        /// Versions it speaks, best first.
        1 => versions: Vec<u16>,
        /// Its name and version, for logs.
        2 => client: Text,
        /// The site it means; none for the node's only one.
        3 => site: Option<Name>,
        /// Lanes to go on with; none begins a new epoch. One that is left out counts as if nothing
        /// had been sent on it.
        4 => resume: Vec<LaneResume>,
        /// Whether it keeps what is not durable over its own restart. For the node's log alone: who
        /// may go on follows from `resume`.
        5 => persists: bool,
        /// Its clock when it sent this.
        6 => sent_at: Timestamp,
    }
}

message! {
    /// How far the node has come on one lane.
    pub struct LaneWelcome {
        /// Which.
        1 => lane: Lane,
        /// The epoch in force.
        2 => epoch: u32,
        /// Every number up to this one has been decided on.
        3 => accepted_through: u64,
        /// Every number up to this one is on disk; send again from the next one.
        4 => durable_through: u64,
        /// Numbers up to this one may be sent.
        5 => credit_through: u64,
    }
}

message! {
    /// The node's answer to [`Hello`].
    pub struct Welcome {
        /// The version both speak.
        1 => version: u16,
        /// The site.
        2 => site: Name,
        /// The node.
        3 => node: Name,
        /// The lanes, for a vendor.
        4 => lanes: Vec<LaneWelcome>,
        /// The node's clock when it sent this.
        5 => server_time: Timestamp,
        /// `sent_at` of the hello, so that the client can tell its offset.
        6 => hello_sent_at: Timestamp,
        /// Counts up with every change of leadership; what carries a lower one is void.
        7 => fencing_epoch: u64,
        /// Largest payload the node takes.
        8 => payload_bytes_max: u32,
        /// Most pings in a batch the node takes.
        9 => batch_pings_max: u32,
        /// Most handles on the connection.
        10 => handle_count_max: u32,
        /// Whether the node stores. If not, nothing becomes durable and the epoch is volatile.
        11 => is_storing: bool,
        /// The version of the site in force.
        12 => site_version: u32,
    }
}

/// What a handle is to stand for: `u8 kind`, then the tag's eight bytes or a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InternItem {
    /// A tag.
    Tag(TagId),
    /// A door.
    Door(Name),
    /// An anchor.
    Anchor(Name),
    /// A badge that grants are given to.
    Badge(Name),
    /// A zone in which detectors see what moves.
    Zone(Name),
}

impl Value for InternItem {
    const LIST_MAX: usize = INTERN_ITEMS_MAX;

    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        match self {
            InternItem::Tag(id) => {
                out.push(1);
                id.put(out)
            }
            InternItem::Door(name) => {
                out.push(2);
                name.put(out)
            }
            InternItem::Anchor(name) => {
                out.push(3);
                name.put(out)
            }
            InternItem::Badge(name) => {
                out.push(4);
                name.put(out)
            }
            InternItem::Zone(name) => {
                out.push(5);
                name.put(out)
            }
        }
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<InternItem, WireError> {
        match bytes.split_first() {
            Some((1, rest)) => TagId::take(rest, part).map(InternItem::Tag),
            Some((2, rest)) => Name::take(rest, part).map(InternItem::Door),
            Some((3, rest)) => Name::take(rest, part).map(InternItem::Anchor),
            Some((4, rest)) => Name::take(rest, part).map(InternItem::Badge),
            Some((5, rest)) => Name::take(rest, part).map(InternItem::Zone),
            Some(_) => Err(WireError::Value { part }),
            None => Err(WireError::Length { part, bytes: 0 }),
        }
    }
}

message! {
    /// The client gives handles to things: the first item gets `first_handle`, the next one more.
    ///
    /// Handles are the client's to choose, start at 0, count up without a gap over the connection
    /// and mean nothing on another connection. So what is sent again needs no new coding.
    pub struct Intern {
        /// Handle of the first item.
        1 => first_handle: u32,
        /// The things.
        2 => items: Vec<InternItem>,
    }
}

message! {
    list INTERN_ITEMS_MAX;
    /// An item of an [`Intern`] that is refused; its handle is used up.
    pub struct InternRefusal {
        /// Its handle.
        1 => handle: u32,
        /// Why: [`Code::UnknownThing`] or [`Code::ForeignThing`].
        2 => code: Code,
    }
}

message! {
    /// The node's answer to [`Intern`]; only then may the handles be used.
    pub struct Interned {
        /// As in the question.
        1 => first_handle: u32,
        /// How many items were in the question.
        2 => item_count: u32,
        /// Those that are refused.
        3 => refused: Vec<InternRefusal>,
    }
}

message! {
    /// A sign of life, both ways; answered by nothing.
    pub struct Heartbeat {
        /// The sender's clock.
        1 => sent_at: Timestamp,
    }
}

message! {
    /// The node tells a vendor that its clock is off.
    pub struct ClockOffset {
        /// The vendor's clock less the node's, in nanoseconds.
        1 => offset_ns: i64,
    }
}

message! {
    /// The node tells a client that its certificate ends soon.
    pub struct CertificateEnds {
        /// When.
        1 => ends_at: Timestamp,
    }
}

message! {
    /// Something was refused; the connection goes on unless a [`Goodbye`] or close follows.
    pub struct Refused {
        /// Why.
        1 => code: Code,
        /// On which lane, if on one.
        2 => lane: Option<Lane>,
        /// Which input, if one.
        3 => seq: Option<u64>,
        /// In words.
        4 => detail: Text,
        /// After how long it may be tried again; none is never.
        5 => retry_after_ms: Option<u32>,
        /// Which subscription or request for one, if one.
        6 => subscription: Option<u32>,
    }
}

message! {
    /// Inputs that were refused, each alone; their numbers count as decided on.
    pub struct Refusal {
        /// On which lane.
        1 => lane: Lane,
        /// In which epoch.
        2 => epoch: u32,
        /// The first of them.
        3 => first_seq: u64,
        /// The last of them; others between may have been taken.
        4 => last_seq: u64,
        /// How many.
        5 => count: u64,
        /// Why.
        6 => code: Code,
        /// The handle of the first, if it was known.
        7 => handle: Option<u32>,
    }
}

message! {
    /// The sender is about to close in good order.
    pub struct Goodbye {
        /// Why.
        1 => code: Code,
        /// In words.
        2 => detail: Text,
    }
}
