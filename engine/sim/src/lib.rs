//! A node and its clients in a simulated world, the same for the same seed.
//!
//! The node, its sessions, shard, journal and committer, and the client library are the very code
//! that runs in a hospital. Simulated are the clocks, the disk and the network: one thread, time that
//! jumps to the next timer, packets and pages that are lost by the seed's chance. A [`World`] plays one
//! seed; a run ends with everything healed, and then every invariant must hold against a small
//! [model](crate::Model) that was written from the specifications.

mod base;
mod chance;
mod clock;
mod fault;
mod identities;
mod invariants;
mod journal_disk;
mod journal_entries;
mod model;
mod network;
mod node_host;
mod outcome;
mod past;
mod receiver;
mod runtime;
mod script;
mod shortage;
mod site;
mod socket;
mod trace;
mod vendor;
mod world;

pub use fault::Fault;
pub use invariants::{Violation, invariants};
pub use model::Model;
pub use outcome::Outcome;
pub use world::{World, WorldError};
