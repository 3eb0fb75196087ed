//! The actors, one entity a file.
//!
//! Each is a state machine with one entry point, `step(input, now, effects)`. It reads no clock,
//! does no I/O and cannot fail, so a test, the simulator and the shard run the same code.

mod effect;
mod site;
mod turn;

pub use effect::{Accepted, Effect, Release};
pub use site::Site;
pub use turn::{Addressee, Deadline, DeadlineKind, Message, MessageBody, Outbox, Turn};
