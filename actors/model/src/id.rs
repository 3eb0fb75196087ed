//! Identities. Distinct types, so that a tag can never be passed where an alarm is meant.
//!
//! Things have two: the id their owner gave (`TagId`, [`Name`](crate::Name)) and, inside a shard,
//! a dense number (`TagRef`) that never is given twice, so that state lives in plain arrays.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A tag's factory number, an EUI-64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TagId(pub u64);

impl fmt::Display for TagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

/// An alarm episode: the first 128 bits of a hash over site, rule, subject, place and the
/// episode's ordinal. The same episode has the same id on every node and after every crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlarmId(pub u128);

impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

macro_rules! refs {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into the shard's tables.
            #[expect(clippy::as_conversions, reason = "u32 fits usize on all supported targets")]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

refs! {
    /// A tag inside a shard.
    TagRef
    /// A subject inside a shard.
    SubjectRef
    /// A zone inside a shard.
    ZoneRef
    /// A door inside a shard.
    DoorRef
    /// A perimeter line inside a shard.
    LineRef
    /// A rule inside a shard.
    RuleRef
    /// A vendor's feed inside a shard.
    SourceRef
    /// An anchor of a locating system inside a shard.
    AnchorRef
    /// A badge inside a shard.
    BadgeRef
}
