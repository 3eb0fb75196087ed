//! Tags that vendors named and the site does not have.

use ach_actors_model::{Name, TagId, Timestamp};

use crate::tlv::message;

message! {
    /// An operator asks for the tags that the site does not have.
    pub struct UnregisteredQuery {
        /// The operator's own number for it.
        1 => query: u64,
    }
}

message! {
    /// A tag that a vendor named and the site does not have.
    pub struct UnregisteredTag {
        /// The vendor's feed.
        1 => feed: Name,
        /// The tag.
        2 => tag: TagId,
        /// When it was first named, by the node's clock.
        3 => first_at: Timestamp,
        /// When it was last named or heard.
        4 => last_at: Timestamp,
        /// How many times: once for each naming, once for each input.
        5 => count: u64,
    }
}

message! {
    /// A part of the answer to [`UnregisteredQuery`].
    pub struct Unregistered {
        /// As in the question.
        1 => query: u64,
        /// Tags, by feed, those last named first.
        2 => tags: Vec<UnregisteredTag>,
        /// Whether no other part follows.
        3 => is_last: bool,
    }
}
