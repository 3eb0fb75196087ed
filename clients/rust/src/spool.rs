//! Keeps what a vendor publishes on its own disk until the node has it on its.
//!
//! A directory of numbered segments. A record is put into a buffer by whoever publishes, and a
//! thread of its own writes and syncs what has gathered: publishing waits for no disk, and what was
//! published in the last moments before a crash may be missing. That is safe, only less thrifty:
//! a node that has seen more than is kept gives a new epoch, and knows repetitions by their content.
//!
//! A segment begins with a head that says how things stood, so that older ones are deleted as soon
//! as all their inputs are durable. A failed write ends keeping, never publishing.

mod record;
mod segments;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use ach_actors_model::{Lane, Name};
use ach_engine_net::Identity;
use ach_engine_wire::{InternItem, LaneResume, WirePing, WireReport};
use thiserror::Error;

use record::{Head, put_durable, put_epoch, put_ping, put_report, put_taken};
pub(crate) use record::{KeptInput, KeptRecord};
use segments::Segments;

use crate::session::VENDOR_LANES;

/// Bytes that may wait for the disk: a second and a quarter at 100,000 pings a second. A disk that
/// is further behind is given up.
const BUFFER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Why what was kept cannot be used.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The directory or a file in it cannot be read or written.
    #[error("could not {verb} {path}: {source}")]
    File {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer version of this library wrote it, and some of it cannot be read.
    #[error(
        "{path} was written by a newer version of this program (a record of kind {kind}): use that \
         version until all is sent, or choose another directory"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Of which kind the first record is that is not known.
        kind: u8,
    },
    /// Another process uses the directory.
    #[error("{path} is in use by another process: stop it, or choose another directory")]
    InUse {
        /// The lock.
        path: PathBuf,
    },
    /// The directory belongs to somebody else.
    #[error("{path} keeps what {owner} published, not {identity}: choose another directory")]
    Owner {
        /// The file that says so.
        path: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who came.
        identity: String,
    },
}

/// What was kept of one lane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KeptLane {
    /// By how much tickets are ahead of sequence numbers in the epoch.
    pub(crate) base: u64,
    /// Tickets up to this one are on the node's disk, or were refused.
    pub(crate) durable_through: u64,
    /// The last of those that was not refused.
    pub(crate) taken_through: u64,
    /// Ticket of the first input below.
    pub(crate) first: u64,
    /// What is not on the node's disk.
    pub(crate) inputs: Vec<KeptInput>,
}

/// What an earlier life of the vendor left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Kept {
    /// The epoch it was in; 0 is none.
    pub(crate) epoch: u32,
    /// Duress, door, ping.
    pub(crate) lanes: [KeptLane; 3],
}

impl Kept {
    /// Lanes to go on with.
    pub(crate) fn resume(&self) -> Vec<LaneResume> {
        if self.epoch == 0 {
            return Vec::new();
        }
        let resume = |(lane, kept): (Lane, &KeptLane)| {
            let count = u64::try_from(kept.inputs.len()).unwrap_or(u64::MAX);
            let last = kept.first.saturating_add(count).saturating_sub(1);
            LaneResume { lane, epoch: self.epoch, last_seq: last.saturating_sub(kept.base) }
        };
        VENDOR_LANES.into_iter().zip(&self.lanes).map(resume).collect()
    }
}

/// What waits for the writer.
#[derive(Debug)]
struct Waiting {
    bytes: Vec<u8>,
    /// How things stand after `bytes`.
    head: Head,
    is_over: bool,
    failure: Option<String>,
}

#[derive(Debug)]
struct Inbox {
    waiting: Mutex<Waiting>,
    ready: Condvar,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, put: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.lock();
        if waiting.failure.is_some() {
            return;
        }
        put(&mut waiting);
        if waiting.bytes.len() > BUFFER_BYTES_MAX {
            let bytes = waiting.bytes.len();
            waiting.failure = Some(format!("the disk is too slow, {bytes} bytes wait for it"));
            waiting.bytes = Vec::new();
        }
        drop(waiting);
        self.ready.notify_one();
    }
}

/// What a vendor keeps on its own disk.
#[derive(Debug)]
pub(crate) struct Spool {
    inbox: Arc<Inbox>,
    writer: Writer,
    _lock: File,
}

/// Who writes.
#[derive(Debug)]
enum Writer {
    /// A thread, until it is over.
    Beside(Option<JoinHandle<()>>),
    /// Whoever publishes.
    Here(Mutex<Segments>),
}

impl Spool {
    /// Opens a directory, which is made if it is not there, and gives what was kept in it. Written
    /// by a thread of its own, or by whoever publishes.
    pub(crate) fn open(
        directory: &Path,
        identity: &Identity,
        is_threaded: bool,
    ) -> Result<(Spool, Kept), SpoolError> {
        let lock = segments::lock(directory, identity)?;
        let (segments, kept, head) = Segments::open(directory)?;
        let waiting = Waiting { bytes: Vec::new(), head, is_over: false, failure: None };
        let inbox = Arc::new(Inbox { waiting: Mutex::new(waiting), ready: Condvar::new() });
        if !is_threaded {
            let writer = Writer::Here(Mutex::new(segments));
            return Ok((Spool { inbox, writer, _lock: lock }, kept));
        }
        let of_writer = Arc::clone(&inbox);
        let writer = std::thread::Builder::new()
            .name("ach-spool".to_owned())
            .spawn(move || write(&of_writer, segments))
            .map_err(|source| SpoolError::File {
                verb: "start a writer for",
                path: directory.to_owned(),
                source,
            })?;
        Ok((Spool { inbox, writer: Writer::Beside(Some(writer)), _lock: lock }, kept))
    }

    fn put(&self, put: impl FnOnce(&mut Waiting)) {
        self.inbox.put(put);
        if let Writer::Here(segments) = &self.writer {
            let mut segments = segments.lock().unwrap_or_else(PoisonError::into_inner);
            if self.failure().is_none() {
                write_gathered(&self.inbox, &mut segments);
            }
        }
    }

    /// Keeps a ping that was just published.
    pub(crate) fn keep_ping(&self, item: &InternItem, ping: &WirePing) {
        self.put(|waiting| {
            put_ping(item, ping, &mut waiting.bytes);
            waiting.head.publish(Lane::Ping);
        });
    }

    /// Keeps a report that was just published.
    pub(crate) fn keep_report(&self, item: &InternItem, report: &WireReport, badge: Option<&Name>) {
        self.put(|waiting| {
            put_report(item, report, badge, &mut waiting.bytes);
            waiting.head.publish(report.word.lane());
        });
    }

    /// An epoch is in force, in which tickets are so much ahead of sequence numbers.
    pub(crate) fn begin_epoch(&self, epoch: u32, bases: [u64; 3]) {
        self.put(|waiting| {
            if (waiting.head.epoch, waiting.head.bases) != (epoch, bases) {
                (waiting.head.epoch, waiting.head.bases) = (epoch, bases);
                put_epoch(epoch, bases, &mut waiting.bytes);
            }
        });
    }

    /// Tickets up to these are on the node's disk, or were refused; `taken` are the last that were not.
    pub(crate) fn forget_through(&self, durable: [u64; 3], taken: [u64; 3]) {
        self.put(|waiting| {
            if (waiting.head.durable, waiting.head.taken) == (durable, taken) {
                return;
            }
            (waiting.head.durable, waiting.head.taken) = (durable, taken);
            put_durable(durable, &mut waiting.bytes);
            if taken != durable {
                put_taken(taken, &mut waiting.bytes);
            }
        });
    }

    /// Why nothing more is kept, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.inbox.lock().failure.clone()
    }
}

impl Drop for Spool {
    /// Writes what has gathered; a disk that has failed or is too slow is not waited for.
    fn drop(&mut self) {
        let has_failed = {
            let mut waiting = self.inbox.lock();
            waiting.is_over = true;
            waiting.failure.is_some()
        };
        self.inbox.ready.notify_one();
        if let Writer::Beside(writer) = &mut self.writer
            && let Some(writer) = writer.take()
            && !has_failed
        {
            // A writer that failed has nothing left to write.
            let _ = writer.join();
        }
    }
}

/// The writer: all that has gathered at a time, synced, until it is over.
fn write(inbox: &Inbox, mut segments: Segments) {
    loop {
        {
            let mut waiting = inbox.lock();
            while waiting.bytes.is_empty() && !waiting.is_over && waiting.failure.is_none() {
                waiting = inbox.ready.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
        }
        if !write_gathered(inbox, &mut segments) {
            return;
        }
    }
}

/// Writes and syncs what has gathered. Returns whether more may come.
fn write_gathered(inbox: &Inbox, segments: &mut Segments) -> bool {
    let (bytes, head, is_over) = {
        let mut waiting = inbox.lock();
        (std::mem::take(&mut waiting.bytes), waiting.head, waiting.is_over)
    };
    let written = segments.append(&bytes, head).map_err(|error| error.to_string());
    if written.is_err() || inbox.lock().failure.is_some() {
        // What is there grows old from now on, and must not be sent one day as if it were new.
        segments.clear();
        if let Err(error) = written {
            inbox.lock().failure.get_or_insert(error);
        }
        return false;
    }
    !is_over
}

#[cfg(test)]
mod tests;
