//! A band that is taken off, or put on, with somebody's knowledge.

use serde::{Deserialize, Serialize};

use crate::{Name, Remark, SubjectRef, TagRef};

/// A wish that a band may be off for a time, or is on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BandWish {
    /// Whose.
    pub subject: SubjectRef,
    /// Which: a tag of that subject.
    pub tag: TagRef,
    /// For how long from now it may be off; none says that it is on.
    pub for_ns: Option<u64>,
    /// The person a program wishes it for; none is whoever wishes it.
    pub person: Option<Name>,
    /// Why. No band is taken off without a reason.
    pub reason: Option<Remark>,
}
