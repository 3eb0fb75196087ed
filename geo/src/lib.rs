//! Exact plane geometry and zone occupancy.
//!
//! Coordinates are whole millimetres in the site frame, so every predicate is integer arithmetic
//! and every replica reaches the same answer on every machine.

mod gates;
mod outline;
mod position;

pub use gates::{Confirm, Gates};
pub use outline::{Height, Outline};
pub use position::{Floor, Position};
