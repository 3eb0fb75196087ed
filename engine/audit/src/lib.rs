//! The audit chain: who did what, hash-chained, in a Merkle tree, under signed heads.
//!
//! Every record continues a chain of hashes and is a leaf of a Merkle tree hashed as in RFC 9162.
//! Once a second, if something came, the size and root of the tree are signed: a head. Whoever has
//! noted a head elsewhere can tell for ever whether what it stands for was changed, cut or left out.
//! Records hold ids, never names of persons. The format and the reasons are in `docs/specs/audit.md`;
//! the layouts are drawn where they are defined, in `record_bytes`, `frame`, `segment` and `mark`.
//!
//! What [`Log::commit`] has returned survives `kill -9` and power loss, or is known to be damaged.

mod action;
mod agent;
mod base64;
mod chain;
mod deposit;
mod errors;
mod frame;
mod frontier;
#[cfg(test)]
mod golden;
mod harm;
mod hash;
mod head;
mod key;
mod log;
mod mark;
mod object;
mod open;
#[cfg(test)]
mod oracle;
mod outcome;
mod proof;
mod record;
mod record_bytes;
mod segment;
mod spare;
#[cfg(test)]
mod test_values;
mod verify;
mod walk;
mod word;

pub use action::Action;
pub use agent::{Agent, AgentRole, Origin};
pub use deposit::{Collected, deposit};
pub use errors::{AppendError, CollectError, CommitError, OpenError, ReadError};
pub use frontier::Frontier;
pub use harm::{Damage, Harm, Tail};
pub use hash::{HASH_BYTES, Hash};
pub use head::{HEAD_BYTES_MAX, Head, HeadError, LogName, SignedHead};
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use log::{Config, Log};
pub use object::{Object, ObjectKind};
pub use open::{Opened, has_log};
pub use outcome::{Outcome, REASON_BYTES_MAX, Reason};
pub use proof::{ProofPlan, verify_consistency, verify_inclusion};
pub use record::{OBJECTS_MAX, RECORD_BYTES_MAX, Record, RecordError, Repeated};
pub use verify::{Entry, NotedWrong, Report, Verifier};
