//! Assembles a node: ingest, shard, journal, fan-out, recovery.
//!
//! ```text
//!  session --lanes--> shard --outlet--> publisher --sinks--> session
//!                       |                   ^
//!                       +---> committer ----+ durable
//! ```
//!
//! The shard decides on a thread of its own or on the rim's; the rim's thread has the endpoint, the
//! sessions and the publisher; the committer's has the journal. Between them are bounded queues, and
//! nothing waits for the disk but what must ([`Effect::release`](ach_actors_entities::Effect)).

mod ack_table;
mod audit_start;
mod audit_state;
mod audit_tally;
mod audit_words;
mod audit_writer;
mod auditor;
mod checkpoint_store;
mod clock;
mod coded_site;
mod commit_mark;
mod committer;
mod counters;
mod entry_queue;
mod fan_out;
mod give_way;
mod journal_floor;
mod journal_log;
mod keeper;
mod lanes;
mod ledger;
mod limits;
mod names;
mod node;
mod node_page;
mod notes;
mod outbox;
mod outlet;
mod pin;
mod ping_buffer;
mod publisher;
mod recent;
mod recovery;
mod restore;
mod rim;
mod roster;
mod scribe;
mod serve;
mod session;
mod shard_actor;
mod shard_gauge;
mod shard_worker;
mod sieve;
mod sink;
mod start_error;
mod status;
mod tally;
#[cfg(test)]
mod test_values;
mod told;

pub use audit_state::AuditTrouble;
pub use clock::{Clock, SystemClock};
pub use commit_mark::{JournalTrouble, StoringStopped};
pub use counters::{Counter, Counters};
pub use lanes::LanesClosed;
pub use limits::NodeLimits;
pub use node::{Arrangement, Ended, Health, Node, NodeConfig, Running};
pub use node_page::NodePage;
pub use restore::{ProofError, checkpointed_site, prove_checkpoint};
pub use scribe::CheckpointPolicy;
pub use start_error::StartError;
