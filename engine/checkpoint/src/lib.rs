//! Files that hold the state of a shard at one entry.
//!
//! A checkpoint is whole or it is refused: every section is sealed and chained to the one before,
//! and the last one says how many there are, which record of the journal the state follows and what
//! the state hashes to. What the sections hold is not known here. `docs/specs/checkpoint.md` draws
//! the bytes; they lie beside the segments of the journal, on the same [`Disk`].
//!
//! [`Disk`]: ach_engine_journal::Disk

mod chain;
mod draft;
mod errors;
mod layout;
mod reading;
mod shelf;

pub use chain::{CHAIN_START, chained, hash};
pub use draft::Draft;
pub use errors::{Flaw, ReadError, WriteError};
pub use layout::{FORMAT_VERSION, SECTION_BYTES_MAX, Seal};
pub use reading::{Section, read, read_file, verify};
pub use shelf::{DRAFT_NAME, Shelf, Shelved, name_of};
