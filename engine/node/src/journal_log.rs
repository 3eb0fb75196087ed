//! The journal as the committer uses it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use ach_engine_checkpoint::{chained, hash};
use ach_engine_journal::{
    AppendError, CommitError, Config, Disk, Journal, Lsn, Preparation, PrepareError, RecordKind,
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

/// Segments that find room, beside the journal's reserve, when history has to give way: two for the checkpoints
/// without which nothing goes, one that is being prepared, and one more.
const GIVE_WAY_SEGMENTS: u64 = 4;

/// The same when history has its say again. With the journal's defaults this is the room that history leaves at
/// least, below which it writes nothing anyway.
const HAVE_SAY_SEGMENTS: u64 = 6;

/// When history has to give way to the journal, and when it has its say again, in free bytes beyond the journal's
/// reserve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoomMarks {
    give_way_bytes: u64,
    have_say_bytes: u64,
}

impl RoomMarks {
    /// Those of a journal.
    pub(crate) fn of(config: &Config) -> RoomMarks {
        let segments = |count: u64| config.segment_bytes.saturating_mul(count);
        RoomMarks {
            give_way_bytes: segments(GIVE_WAY_SEGMENTS),
            have_say_bytes: segments(HAVE_SAY_SEGMENTS),
        }
    }

    /// Whether history has to give way, which it does already or not.
    fn gives_way(self, has_given_way: bool, free_bytes: u64) -> bool {
        free_bytes < if has_given_way { self.have_say_bytes } else { self.give_way_bytes }
    }
}

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
    /// History gives way below the first and has its say again from the second on, in bytes.
    room: RoomMarks,
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
        (floor, room): (Arc<JournalFloor>, RoomMarks),
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
            room,
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
        let preparation = journal.preparation();
        // Room is looked at when it is taken, and after it was too little.
        let is_taken = !matches!(preparation, Ok(None));
        if (is_taken || self.floor.has_given_way())
            && let Ok(room) = journal.room()
        {
            let gives_way = self.room.gives_way(self.floor.has_given_way(), room.free_bytes);
            self.floor.give_way(gives_way);
        }
        match preparation {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_gives_way_before_the_journals_reserve_is_touched_and_comes_back_later() {
        let config = Config::default();
        let marks = RoomMarks::of(&config);
        let reserve_mib = config.reserve_bytes >> 20;
        for (has_given_way, free_mib, gives_way) in [
            (false, 384, false),
            (false, 383, true),
            // Nothing is prepared any more below this.
            (false, 192, true),
            (true, 384, true),
            (true, 511, true),
            (true, 512, false),
        ] {
            let found = marks.gives_way(has_given_way, (free_mib - reserve_mib) << 20);
            assert_eq!(found, gives_way, "{free_mib} MiB");
        }
    }
}
