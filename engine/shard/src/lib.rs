//! The unit of order: entries in, effects out, deterministic.
//!
//! A [`Shard`] is a plain struct on one thread. Same entries, same effects, byte for byte, on a
//! leader, a follower, in recovery, rehearsal and simulation; the effects hash proves it.

mod actors;
mod answering;
mod bands;
mod board;
mod bystanders;
mod call;
mod chatter;
mod checkpoint;
mod digest;
mod digest_codes;
mod door_desk;
mod doors;
mod incidents;
mod input;
mod lanes;
mod own_alarms;
mod passes;
mod pings;
mod quarantine;
mod quiet;
mod quiet_thing;
mod reports;
mod responses;
mod restoration;
mod selftest;
mod shard;
mod stage;
#[cfg(test)]
mod state_text;
mod status;
mod sweep;
mod tally;
#[cfg(test)]
mod tests;
mod waiting;

pub use bands::BAND_OFF_MAX_NS;
pub use board::OpenNotice;
pub use checkpoint::{COPIES_MAX, PackedKind, Piece, SLICE_CELLS, ShardHead, StoredPiece};
pub use door_desk::DOOR_MOVED_MAX_NS;
pub use input::{Entry, Input};
pub use lanes::{LaneState, SEQUENCE_WINDOW};
pub use passes::PASS_MAX_NS;
pub use quiet::{OUT_OF_SERVICE_MAX_NS, SECOND_PERSON_NS, SHELVED_MAX_NS, SUPPRESSED_MAX_NS};
pub use quiet_thing::QuietThing;
pub use restoration::{Restoration, RestoreError};
pub use shard::{LOGIC_VERSION, Shard};
pub use status::{ShardStatus, Verdicts};
