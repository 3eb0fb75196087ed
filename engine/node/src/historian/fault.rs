//! Why history did not go on.

use ach_engine_journal::Disk;
use ach_engine_store::{OpenError, WriteError};

use super::{DOUBLINGS_MAX, Historian, IN_USE_RETRY_NS, REBUILDS_MAX, RETRY_NS};
use crate::history_state::{HistoryTrouble, told};
use crate::rereading::RereadError;

/// Why history did not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Reread(#[from] RereadError),
    #[error("there is less than 512 MiB of room left")]
    NoRoom,
    #[error("a command has brought it further than the journal's disk is known to be; it waits")]
    Ahead,
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Fault {
        Fault::Reread(error.into())
    }
}

impl Fault {
    /// Whether the store is at fault: a new one may be derived in its place.
    pub(super) fn is_of_the_store(&self) -> bool {
        matches!(
            self,
            Fault::Open(OpenError::Damaged { .. })
                | Fault::Reread(RereadError::Write(WriteError::Damaged { .. }))
        )
    }
}

impl<D: Disk + Clone> Historian<D> {
    /// Something went wrong: said aloud, and tried again later.
    pub(super) fn fail(&mut self, fault: Fault, now_ns: u64) {
        self.parts.queue.pause();
        self.held = None;
        self.parts.rereading.rest();
        let detail = told(&fault);
        let mut wait_ns = RETRY_NS;
        let trouble = match fault {
            // Where the journal cannot be read there is nothing to derive it from.
            ref fault if fault.is_of_the_store() && self.parts.began.is_none() => {
                wait_ns = u64::MAX;
                self.writer = None;
                HistoryTrouble::NotOpened { detail }
            }
            ref fault if fault.is_of_the_store() => {
                self.count_rebuild();
                self.writer = None;
                self.must_set_aside = true;
                if self.rebuild_count > REBUILDS_MAX {
                    wait_ns = u64::MAX;
                    HistoryTrouble::Damaged { detail }
                } else {
                    tracing::error!(%detail, "history is damaged and is derived anew; alarms go on");
                    wait_ns = 0;
                    HistoryTrouble::NotWritten { detail }
                }
            }
            Fault::Open(error) => {
                if matches!(error, OpenError::InUse) {
                    wait_ns = IN_USE_RETRY_NS;
                }
                self.writer = None;
                HistoryTrouble::NotOpened { detail }
            }
            Fault::Ahead => {
                wait_ns = IN_USE_RETRY_NS;
                HistoryTrouble::NotOpened { detail }
            }
            Fault::Reread(RereadError::Write(_)) => {
                self.writer = None;
                HistoryTrouble::NotWritten { detail }
            }
            Fault::NoRoom => HistoryTrouble::NotWritten { detail },
            Fault::Reread(_) => {
                wait_ns = RETRY_NS << self.unread_count;
                self.unread_count = self.unread_count.saturating_add(1).min(DOUBLINGS_MAX);
                HistoryTrouble::Unreadable { detail }
            }
        };
        self.retry_at_ns = now_ns.saturating_add(wait_ns);
        self.state().writing.fail(trouble);
    }
}
