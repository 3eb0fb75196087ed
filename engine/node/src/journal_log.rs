//! The journal as the committer uses it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use ach_engine_checkpoint::{chained, hash};
use ach_engine_journal::{
    AppendError, CommitError, Disk, Journal, Lsn, Preparation, PrepareError, RecordKind,
};

use crate::commit_mark::StoringStopped;
use crate::committer::EntryLog;
use crate::counters::Counters;
use crate::journal_floor::{JournalFloor, Position};
use crate::notes::SHARD;

/// The term of a node that runs alone.
pub(crate) const TERM: u64 = 1;

/// How nice a thread is that prepares a segment: zeroing 64 MiB takes 50 ms of a core, and there is a
/// second at least until the segment is wanted.
const NICENESS: i32 = 10;

/// What a thread that prepares a segment comes back with.
type Prepared<F> = Result<Preparation<F>, PrepareError>;

/// A journal with its next segment being prepared beside it.
#[derive(Debug)]
pub(crate) struct JournalLog<D: Disk> {
    journal: Option<Journal<D>>,
    preparing: Option<Receiver<Prepared<D::File>>>,
    /// Whether segments are prepared by a thread of their own.
    is_threaded: bool,
    is_room_low: bool,
    /// The chain of all entries so far, and where the last one lies.
    chain: u128,
    last: Option<Position>,
    floor: Arc<JournalFloor>,
    /// Records before this one were given up as far as whole segments go.
    given_up_lsn: u64,
    counters: Option<Arc<Counters>>,
}

impl<D> JournalLog<D>
where
    D: Disk + Send,
    D::File: 'static,
{
    /// Uses a journal whose entries so far have this chain, as long as `floor` says. Segments are
    /// prepared by a thread of their own, or by whoever commits.
    pub(crate) fn new(
        journal: Journal<D>,
        chain: u128,
        floor: Arc<JournalFloor>,
        is_threaded: bool,
    ) -> JournalLog<D> {
        let mut log = JournalLog {
            journal: Some(journal),
            preparing: None,
            is_threaded,
            is_room_low: false,
            chain,
            last: None,
            floor,
            given_up_lsn: 0,
            counters: None,
        };
        log.prepare();
        log
    }

    /// Gives up segments that nothing wants any more, a few at a time: no group is on disk meanwhile.
    fn release(&mut self) {
        let lsn = self.floor.lsn();
        if lsn <= self.given_up_lsn {
            return;
        }
        let Some(journal) = &mut self.journal else { return };
        let left = journal.counters().segments_left;
        match journal.release_before(Lsn(lsn)) {
            Ok(0) => self.given_up_lsn = lsn,
            Ok(count) => {
                let left = journal.counters().segments_left.saturating_sub(left);
                if left > 0 {
                    tracing::warn!(left, "segments of the journal could not be removed");
                }
                if let Some(counters) = &self.counters {
                    counters.segments_given_up.add(u64::try_from(count).unwrap_or(0));
                    counters.segments_left.add(left);
                }
                tracing::debug!(count, "segments of the journal before its checkpoints are gone");
            }
            // The journal is dead now, and says so at the next commit.
            Err(error) => {
                self.given_up_lsn = lsn;
                tracing::error!(%error, "segments of the journal could not be given up");
            }
        }
    }

    fn journal(&mut self) -> Result<&mut Journal<D>, StoringStopped> {
        let detail = || StoringStopped::Failed { detail: "the journal is closed".to_owned() };
        self.journal.as_mut().ok_or_else(detail)
    }

    fn adopt(&mut self, prepared: Prepared<D::File>) {
        let Some(journal) = &mut self.journal else { return };
        if let Err(error) = prepared.and_then(|prepared| journal.adopt(prepared)) {
            tracing::warn!(%error, "the next segment of the journal is not ready");
        }
    }

    /// Has the next segment zeroed by a thread of its own, so that no commit waits for it.
    fn prepare(&mut self) {
        if let Some(preparing) = &self.preparing {
            let prepared = match preparing.try_recv() {
                Ok(prepared) => prepared,
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.preparing = None;
                    return;
                }
            };
            self.preparing = None;
            return self.adopt(prepared);
        }
        let Some(journal) = &mut self.journal else { return };
        match journal.preparation() {
            Ok(Some(preparation)) if !self.is_threaded => {
                self.is_room_low = false;
                self.adopt(preparation.run());
            }
            Ok(Some(preparation)) => {
                let (done, preparing) = channel();
                let thread = std::thread::Builder::new().name("ach-segment".to_owned());
                // Nobody listens any more once the journal is closed.
                let run = move || {
                    // Of the calling thread only. Where it is not allowed nothing is lost.
                    let _ = rustix::process::setpriority_process(None, NICENESS);
                    drop(done.send(preparation.run()));
                };
                match thread.spawn(run) {
                    Ok(_) => self.preparing = Some(preparing),
                    Err(error) => tracing::warn!(%error, "no thread to prepare a segment"),
                }
                self.is_room_low = false;
            }
            Ok(None) => {}
            Err(error) => {
                if !self.is_room_low {
                    tracing::error!(%error, "the journal cannot prepare its next segment");
                }
                self.is_room_low = true;
            }
        }
    }
}

impl<D> EntryLog for JournalLog<D>
where
    D: Disk + Send,
    D::File: 'static,
{
    fn append(&mut self, index: u64, bytes: &[u8]) -> Result<(), StoringStopped> {
        let journal = self.journal()?;
        let append =
            |journal: &mut Journal<D>| journal.append(RecordKind::Entry, SHARD, TERM, index, bytes);
        let appended = match append(journal) {
            Err(AppendError::GroupFull { .. }) => {
                journal.commit().map_err(|error| stopped(&error))?;
                append(journal)
            }
            appended => appended,
        };
        let lsn = appended.map_err(|error| match error {
            AppendError::TooLarge { .. } => {
                StoringStopped::Unencodable { index, detail: error.to_string() }
            }
            AppendError::GroupFull { .. } | AppendError::Dead { .. } => {
                StoringStopped::Failed { detail: error.to_string() }
            }
        })?;
        let entry_hash = hash(bytes);
        self.chain = chained(self.chain, entry_hash);
        self.last = Some(Position { index, lsn: lsn.0, entry_hash, chain: self.chain });
        Ok(())
    }

    fn position(&self) -> Option<Position> {
        self.last
    }

    fn count_by(&mut self, counters: Arc<Counters>) {
        self.counters = Some(counters);
    }

    fn commit(&mut self) -> Result<(), StoringStopped> {
        self.journal()?.commit().map(drop).map_err(|error| stopped(&error))
    }

    /// No ack waits for segments that come and go.
    fn settle(&mut self) {
        self.prepare();
        self.release();
    }

    fn seal(&mut self) -> Result<(), StoringStopped> {
        self.journal()?.seal().map_err(|error| stopped(&error))
    }

    fn rest(&mut self) {
        self.prepare();
        self.release();
    }

    fn close(&mut self) {
        if let Some(journal) = self.journal.take()
            && let Err(error) = journal.close()
        {
            tracing::error!(%error, "the journal was not closed in good order");
        }
    }
}

fn stopped(error: &CommitError) -> StoringStopped {
    let detail = match error {
        CommitError::Disk { source, .. } => format!("{error}: {source}"),
        _ => error.to_string(),
    };
    match error {
        CommitError::Full { .. } => StoringStopped::Full { detail },
        CommitError::Disk { .. } | CommitError::Cipher | CommitError::Dead { .. } => {
            StoringStopped::Failed { detail }
        }
    }
}
