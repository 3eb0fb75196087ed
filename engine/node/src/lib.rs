//! Assembles a node: ingest, shard, journal, fan-out, recovery.
//!
//! ```text
//!  session --lanes--> shard --outlet--> publisher --sinks--> session
//!                       |                   ^
//!                       +---> committer ----+ durable
//!                       |        v journal
//!                       +---> historian
//! ```
//!
//! The shard decides on a thread of its own or on the rim's; the rim's thread has the endpoint, the
//! sessions and the publisher; the committer's has the journal. Between them are bounded queues, and
//! nothing waits for the disk but what must ([`Effect::release`](ach_actors_entities::Effect)).

mod ack_table;
mod archivist;
mod assembly;
mod attention;
mod audit_check;
mod audit_opening;
mod audit_start;
mod audit_state;
mod audit_tally;
mod audit_words;
mod audit_writer;
mod auditor;
mod bell;
mod checkpoint_store;
mod clock;
mod coded_site;
mod commit_mark;
mod committer;
mod counters;
mod door_table;
mod drop_pace;
mod entry_queue;
mod fan_out;
mod followed_clock;
mod give_way;
mod here;
mod historian;
mod history_feed;
mod history_page;
mod history_place;
mod history_start;
mod history_state;
mod journal_floor;
mod journal_log;
mod keeper;
mod lanes;
mod ledger;
mod limits;
mod memo;
mod names;
mod node;
mod node_page;
mod node_trouble;
mod notes;
mod outbox;
mod outlet;
mod pin;
mod ping_buffer;
mod ping_line;
mod planted;
mod proven_sites;
mod publisher;
mod read_ahead;
mod recent;
mod recovery;
mod rereading;
mod residence;
mod restore;
mod retention;
mod revocation_watch;
mod rim;
mod room;
mod roster;
mod scribe;
mod selftest;
mod serve;
mod session;
mod shard_actor;
mod shard_gauge;
mod shard_worker;
mod sieve;
mod sink;
mod site_change;
mod site_desk;
mod site_note;
mod start_error;
mod status;
mod tally;
#[cfg(test)]
mod test_past;
#[cfg(test)]
mod test_values;
mod told;
mod unregistered;

pub use audit_state::AuditTrouble;
pub use bell::{Rung, ring};
pub use clock::{Clock, SystemClock};
pub use commit_mark::{JournalTrouble, StoringStopped};
pub use counters::{Counter, Counters};
pub use followed_clock::FollowedClock;
pub use here::{Here, HereHistory};
pub use history_state::{HistoryPolicy, HistoryTrouble};
pub use lanes::LanesClosed;
pub use limits::NodeLimits;
pub use node::{Arrangement, Ended, Health, Node, NodeConfig, REVOKED_FILE, Running};
pub use node_page::NodePage;
pub use planted::PlantedBug;
#[cfg(debug_assertions)]
pub use planted::plant;
pub use rereading::{JournalEnd, Place, RereadError, Rereading, Standing};
pub use restore::{ProofError, checkpointed_site, prove_checkpoint};
pub use scribe::CheckpointPolicy;
pub use selftest::schedule::{DayMinute, SelftestTrouble};
pub use start_error::StartError;
