//! How far the disk has come: written by the committer, read by everybody.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::Waker;

use atomic_waker::AtomicWaker;
use tokio::sync::Notify;

/// Why this process stores no longer. Storing never comes back within a process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoringStopped {
    /// The journal was found damaged when the node started.
    #[error("the journal is damaged: {detail}; keep the folder and restore it from a backup")]
    Damaged {
        /// What the journal said.
        detail: String,
    },
    /// The disk is full.
    #[error("the disk is full: {detail}; free space and start the node again")]
    Full {
        /// What the journal said.
        detail: String,
    },
    /// A write or a flush failed. It is never tried again: nobody knows what is on the disk.
    #[error("the disk failed: {detail}; replace it and start the node again")]
    Failed {
        /// What the journal said.
        detail: String,
    },
    /// The disk was so slow that too much waited for it.
    #[error("the disk is too slow: {bytes} bytes waited for it; start the node again")]
    Backlog {
        /// How much waited.
        bytes: u64,
    },
    /// An entry could not be put into bytes.
    #[error("entry {index} could not be encoded: {detail}; this is a bug, please report it")]
    Unencodable {
        /// The entry.
        index: u64,
        /// Why.
        detail: String,
    },
}

impl StoringStopped {
    /// Every word that [`StoringStopped::word`] knows.
    pub(crate) const WORDS: &[&str] =
        &["journal_damaged", "disk_full", "disk_failed", "disk_too_slow", "entry_unencodable"];

    /// Why, in a word that fits into the name of a number.
    pub fn word(&self) -> &'static str {
        match self {
            StoringStopped::Damaged { .. } => "journal_damaged",
            StoringStopped::Full { .. } => "disk_full",
            StoringStopped::Failed { .. } => "disk_failed",
            StoringStopped::Backlog { .. } => "disk_too_slow",
            StoringStopped::Unencodable { .. } => "entry_unencodable",
        }
    }
}

/// What is wrong with the journal and its checkpoints and costs nothing yet. The node stores; an
/// operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalTrouble {
    /// Segments are damaged that no start needs any more. History and archives may: what they have not
    /// taken yet of them they miss, and the journal is kept.
    #[error(
        "{count} segments of the journal before its checkpoints are damaged, the first: {first}; a \
         start needs none of them, history and archives may: copy the data directory, run `ach \
         journal verify` on the copy, and see the guide, `The journal is damaged behind a checkpoint`"
    )]
    OldDamage {
        /// How many.
        count: usize,
        /// What is wrong with the first.
        first: String,
    },
    /// No more checkpoints are made by this process.
    #[error(
        "the thread that makes checkpoints has failed; the log says why; restart when it suits"
    )]
    NoCheckpoints,
}

impl JournalTrouble {
    /// Every word that [`JournalTrouble::word`] knows.
    pub const WORDS: &'static [&'static str] = &["old_damage", "no_checkpoints"];

    /// It in a word that is stable.
    pub fn word(&self) -> &'static str {
        match self {
            JournalTrouble::OldDamage { .. } => "old_damage",
            JournalTrouble::NoCheckpoints => "no_checkpoints",
        }
    }
}

/// How far the disk has come.
#[derive(Debug, Default)]
pub(crate) struct CommitMark {
    durable_index: AtomicU64,
    backlog_bytes: AtomicU64,
    stopped: OnceLock<StoringStopped>,
    /// At most one of each kind.
    troubles: Mutex<Vec<JournalTrouble>>,
    publisher: AtomicWaker,
    stopping: Notify,
}

impl CommitMark {
    /// Everything up to `durable_index` is on disk.
    pub(crate) fn at(durable_index: u64) -> CommitMark {
        CommitMark { durable_index: AtomicU64::new(durable_index), ..CommitMark::default() }
    }

    /// Entries up to this one are on disk.
    pub(crate) fn durable_index(&self) -> u64 {
        self.durable_index.load(Ordering::Acquire)
    }

    /// Why nothing is stored any more, if so.
    pub(crate) fn stopped(&self) -> Option<&StoringStopped> {
        self.stopped.get()
    }

    /// Whether entries are stored.
    pub(crate) fn is_storing(&self) -> bool {
        self.stopped.get().is_none()
    }

    /// Entries up to `index` are on disk.
    pub(crate) fn advance(&self, index: u64) {
        self.durable_index.fetch_max(index, Ordering::AcqRel);
        self.publisher.wake();
    }

    /// Ends storing for this process, loudly. Only the first reason counts.
    pub(crate) fn stop(&self, why: StoringStopped) {
        if self.stopped.set(why).is_ok()
            && let Some(why) = self.stopped.get()
        {
            tracing::error!(%why, "storing has stopped; alarms go on and stay provisional");
        }
        self.publisher.wake();
        self.stopping.notify_waiters();
    }

    /// Something is wrong that does not end storing, and is told loudly.
    pub(crate) fn trouble(&self, trouble: JournalTrouble) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.iter().all(|known| known.word() != trouble.word()) {
            tracing::error!(%trouble, "the journal needs an operator");
            troubles.push(trouble);
        }
    }

    /// What is wrong that does not end storing.
    pub(crate) fn troubles(&self) -> Vec<JournalTrouble> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns once storing has stopped, with the reason.
    pub(crate) async fn when_stopped(&self) -> StoringStopped {
        loop {
            let mut stopping = std::pin::pin!(self.stopping.notified());
            stopping.as_mut().enable();
            if let Some(why) = self.stopped() {
                return why.clone();
            }
            stopping.await;
        }
    }

    /// Adds to what waits for the disk and returns how much that is now.
    pub(crate) fn add_backlog(&self, bytes: u64) -> u64 {
        self.backlog_bytes.fetch_add(bytes, Ordering::AcqRel).saturating_add(bytes)
    }

    /// Takes from what waits for the disk.
    pub(crate) fn take_backlog(&self, bytes: u64) {
        self.backlog_bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// How much waits for the disk.
    pub(crate) fn backlog_bytes(&self) -> u64 {
        self.backlog_bytes.load(Ordering::Acquire)
    }

    /// Who is woken when the mark moves. The caller looks once more after it has registered.
    pub(crate) fn register_publisher(&self, waker: &Waker) {
        self.publisher.register(waker);
    }
}
