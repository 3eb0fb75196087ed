//! A small strict write-ahead log: one per node, encrypted, group-committed.
//!
//! What [`Journal::commit`] has returned survives `kill -9` and power loss, or is known to be
//! damaged: it is never silently wrong or silently short. The format and the reasons are in
//! `docs/specs/journal.md`; the layouts are drawn where they are defined, in `segment`, `group`,
//! `record` and `mark`.
//!
//! ```no_run
//! use ach_engine_journal::{Config, FileDisk, Journal, KekSource, RecordKind};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let disk = FileDisk::create("/var/lib/ach/journal")?;
//! let kek = KekSource::File("/var/lib/ach/journal.key".into()).load_for(&disk)?;
//! let (mut journal, opened) = Journal::open(disk, Config::default(), kek, &mut |record| {
//!     println!("{} bytes of shard {}", record.payload.len(), record.shard);
//! })?;
//! if let Some(cut) = opened.cut {
//!     println!("left out, never acked: {cut}");
//! }
//! journal.append(RecordKind::Entry, 0, 1, 1, b"an entry")?;
//! let durable = journal.commit()?;
//! println!("durable through {durable}");
//! journal.close()?;
//! # Ok(())
//! # }
//! ```

mod damage;
mod data_key;
mod disk;
mod errors;
mod file_key;
#[cfg(test)]
mod golden;
mod group;
mod journal;
mod kek;
mod kek_source;
mod lsn;
mod mark;
mod open;
mod past;
mod policy;
mod reader;
mod record;
mod roll;
mod scan;
mod segment;
mod walk;

pub use damage::{Cut, Damage, Harm, Note};
pub use disk::{
    Disk, DiskFile, FileDisk, FileLock, PAGE_BYTES, SimDisk, SimFault, SimFile, SimLock, Stall,
    StallingDisk, StallingFile, suite,
};
pub use errors::{AppendError, CommitError, OpenError, PrepareError, ReadError};
pub use file_key::{FileKey, WrappedKey};
pub use journal::{Config, Counters, Journal, RELEASE_MAX, Room};
pub use kek::{Kek, KekRefused};
pub use kek_source::{KekError, KekSource};
pub use lsn::Lsn;
pub use open::Opened;
pub use policy::{Flush, GroupPolicy, Urgency};
pub use reader::{Reader, Report, read_files};
pub use record::{Malformed, RECORD_BYTES_MAX, Record, RecordKind, read_records};
pub use roll::Preparation;
pub use walk::SegmentSpan;
