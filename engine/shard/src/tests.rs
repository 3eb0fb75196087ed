//! The whole shard in domain words: what happens, and what is said about it.
//!
//! Every run goes through [`play::play`], which replays its entries on fresh shards, with and
//! without compaction, and compares hashes and states.

mod alarms;
mod batches;

mod faults;
mod hospital;
mod play;
mod render;
mod script;
