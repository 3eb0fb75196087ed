//! Workloads of the benchmarks, each with its plain limit beside it: the same answers by the
//! shortest code that could give them.
//!
//! `cargo bench -p ach-bench` measures them at full size; the tests run them at smoke size, so that
//! a workload that no longer works is found without measuring.

mod campus;
mod codec;
mod counted;
pub mod figures;
mod geofence;
pub mod history_figures;
mod history_walks;
mod journal_groups;
mod layout;
mod pairs;
mod rule_pack;
mod shard_site;
mod shard_steps;
mod size;

pub use campus::{Campus, Crowd, Moves};
pub use codec::PingCodec;
pub use counted::{COUNTED, Counted};
pub use figures::Scale;
pub use geofence::{Answered, Geofence};
pub use history_figures::HistoryFigures;
pub use journal_groups::JournalGroups;
pub use layout::{Layout, Zone};
pub use pairs::{Pair, ROUNDS, Timed, stopwatch};
pub use rule_pack::RulePack;
pub use shard_steps::{ShardSteps, Told};
pub use size::{SEED, Size};
