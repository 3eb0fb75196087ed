//! Leave that somebody gave a subject: it may be out for a time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Name, Place, Remark, SubjectRef, Timestamp};

/// Leave of one subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pass {
    /// Whose.
    pub subject: SubjectRef,
    /// The zones and lines that may be left, ascending; none is all.
    pub places: Vec<Place>,
    /// When it was given, by shard time.
    pub given_at: Timestamp,
    /// When it is over.
    pub until: Timestamp,
    /// Whether it is over, too, once the subject is back.
    pub is_until_back: bool,
    /// Who must be with the subject.
    pub escort: Option<Escort>,
    /// Who gave it.
    pub by: Name,
    /// Why.
    pub reason: Remark,
}

/// Who must be with a subject, and how close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Escort {
    /// Who.
    pub subject: SubjectRef,
    /// Farthest apart that they may be.
    pub within_mm: u32,
    /// For how long they may be farther apart, or not be seen together.
    pub gap_ns: u64,
}

/// A wish that somebody has leave, or has it no more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PassWish {
    /// Who.
    pub subject: SubjectRef,
    /// For how long from now; none ends it.
    pub for_ns: Option<u64>,
    /// The zones and lines that may be left; none is all.
    pub places: Vec<Place>,
    /// Whether it is over, too, once the subject is back.
    pub is_until_back: bool,
    /// Who must go along.
    pub escort: Option<Escort>,
    /// The person a program wishes it for; none is whoever wishes it.
    pub person: Option<Name>,
    /// Why. Leave is not given without a reason; it may be ended without.
    pub reason: Option<Remark>,
}

/// That leave was given, or is over.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PassNotice {
    /// The leave.
    pub pass: Arc<Pass>,
    /// Why it is over; none as long as it is not.
    pub end: Option<PassEnd>,
    /// Shard time of this change.
    pub changed_at: Timestamp,
}

/// Why leave is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassEnd {
    /// Its time was over.
    TimeOver,
    /// The subject was back.
    CameBack,
    /// Somebody ended it.
    Ended,
    /// The site has the subject no more, or no tag of it.
    SubjectGone,
}
