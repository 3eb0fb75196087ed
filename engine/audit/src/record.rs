//! One record of the audit log: who, as what, from where, did what, on which thing, how it went, why
//! and when, at which site and node.
//!
//! ```text
//!  0     2    3       4    5     6     8        16     24
//!  +-----+----+-------+----+-----+-----+--------+------+---------------------------
//!  |ver 1|role|outcome|from|flags|action| code   | at   | what the flags say, texts,
//!  +-----+----+-------+----+-----+-----+--------+------+ objects
//! ```
//!
//! The exact bytes are in `record_bytes`. There is one way to write a record: what is decoded and
//! encoded again has the same bytes, so its leaf of the tree can be made from its fields.

use ach_actors_model::{Name, Timestamp};
use thiserror::Error;

use crate::action::Action;
use crate::agent::{Agent, Origin};
use crate::object::Object;
use crate::outcome::{Outcome, Reason};
use crate::record_bytes;

/// Most objects of a record: a subscription's four lists of 256 names, three of words, and its
/// topic, rounded up.
pub const OBJECTS_MAX: usize = 2_048;

/// Largest record: [`OBJECTS_MAX`] objects of 70 bytes and 1 KiB for all else, rounded up.
pub const RECORD_BYTES_MAX: usize = 160 * 1024;

/// Several acts alike in one record, so that nobody can fill a disk by doing what is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Repeated {
    /// How many, at least one.
    pub count: u64,
    /// When the first was; the record's own time is that of the last.
    pub since: Timestamp,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// When it was done, UTC as the node had it.
    pub at: Timestamp,
    /// At which site.
    pub site: Name,
    /// Which node says so.
    pub node: Name,
    /// Who.
    pub who: Agent,
    /// From where.
    pub from: Origin,
    /// What.
    pub action: Action,
    /// On what; may be empty.
    pub objects: Vec<Object>,
    /// How it went.
    pub outcome: Outcome,
    /// The code the peer was told (`docs/errors/codes.md`), if any.
    pub code: Option<u16>,
    /// Why, in words; may be empty.
    pub reason: Reason,
    /// How often, when it stands for several.
    pub repeated: Option<Repeated>,
    /// The connection it came over: a number that ties its records together within one run.
    pub session: Option<u64>,
    /// The number the one who asked gave to it.
    pub request: Option<u64>,
    /// The entry of the journal that carries it out.
    pub entry: Option<u64>,
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Nothing this or any earlier version has written.
    #[error("a record that does not follow its layout")]
    Malformed,
    /// A later version wrote it.
    #[error("a record of a later version of this program; upgrade to read it")]
    Newer,
    /// More objects, or more bytes, than a record may have.
    #[error("a record of more than {OBJECTS_MAX} objects or {RECORD_BYTES_MAX} bytes")]
    TooLarge,
}

impl Record {
    /// Its canonical bytes.
    ///
    /// # Errors
    ///
    /// [`RecordError::TooLarge`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        record_bytes::encode(self)
    }

    /// The record with these bytes.
    ///
    /// # Errors
    ///
    /// They are of a later version, or no canonical record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Record, RecordError> {
        record_bytes::decode(bytes)
    }
}
