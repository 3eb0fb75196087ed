//! A writer on a thread of its own: the shard hands over and never waits.
//!
//! The queue is bounded. When history is slower than the shard, what does not fit is left out, and
//! the writer asks for it again: history is derived, and the journal has everything. So a slow disk
//! costs history some minutes and alarms nothing.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use ach_actors_entities::{Effect, Site};
use ach_engine_shard::{Entry, Input};

use crate::{HistoryWriter, WriteError};

/// Entries that may wait: as many as may wait for the disk of the journal.
pub const STEPS_WAITING_MAX: usize = 65_536;

/// Pings that may wait: at some 60 bytes each 60 MB, and a second of the fastest feed a node is built
/// for. A flush takes tens of milliseconds.
pub const FED_PINGS_WAITING_MAX: u64 = 1 << 20;

/// How often what was left out is asked for before the next entry is awaited. While it is read the
/// shard goes on; each turn leaves less to read.
const CATCH_UPS_MAX: u32 = 8;

/// An entry that is durable, with what came of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// The entry.
    pub entry: Entry,
    /// The effects it had.
    pub effects: Vec<Effect>,
    /// The site in force after it.
    pub site: Option<Arc<Site>>,
}

/// Where the writer gets entries again that it has not taken: the journal, and a shard that decides
/// them once more from a checkpoint.
pub trait Rereader: Send {
    /// Hands every durable entry from `from` on to `each`, in order, until it says no.
    ///
    /// # Errors
    ///
    /// Why it cannot, in words. History then stops; alarms go on.
    fn reread(&mut self, from: u64, each: &mut dyn FnMut(&Step) -> bool) -> Result<(), String>;
}

enum Job {
    Step(Box<Step>),
    /// Write what waits, and answer.
    Flush(SyncSender<Result<u64, FeedStopped>>),
    /// Write what waits, and end.
    End,
}

/// History stopped; why is told by [`HistoryFeed::status`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("history is not written any more; look at the node's status for the reason")]
pub struct FeedStopped;

/// What both ends share.
#[derive(Debug, Default)]
struct Shared {
    offered_through: AtomicU64,
    taken_through: AtomicU64,
    written_through: AtomicU64,
    waiting_pings: AtomicU64,
    left_out: AtomicU64,
    reread: AtomicU64,
    stopped: Mutex<Option<String>>,
}

/// How history is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// The last entry that was offered.
    pub offered_through: u64,
    /// The last entry that was taken.
    pub taken_through: u64,
    /// Everything up to this entry is on disk: the journal must be kept from the next on.
    pub written_through: u64,
    /// Entries that did not fit the queue.
    pub left_out_count: u64,
    /// Entries that were read again.
    pub reread_count: u64,
    /// Why history is not written any more.
    pub stopped: Option<String>,
}

/// The shard's end.
pub struct HistoryFeed {
    jobs: SyncSender<Job>,
    shared: Arc<Shared>,
}

/// The thread's end: [`HistoryRunner::run`] returns when the feed is dropped or told to end.
pub struct HistoryRunner {
    jobs: Receiver<Job>,
    shared: Arc<Shared>,
    writer: HistoryWriter,
    rereader: Box<dyn Rereader>,
}

impl fmt::Debug for HistoryFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryFeed").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl fmt::Debug for HistoryRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryRunner").field("writer", &self.writer).finish_non_exhaustive()
    }
}

/// Splits a writer into the end that offers and the end that runs on a thread, with room for
/// `steps_max` entries, at most [`STEPS_WAITING_MAX`].
pub fn history_feed(
    writer: HistoryWriter,
    rereader: Box<dyn Rereader>,
    steps_max: usize,
) -> (HistoryFeed, HistoryRunner) {
    let (sender, jobs) = sync_channel(steps_max.min(STEPS_WAITING_MAX));
    let shared = Arc::new(Shared::default());
    shared.note(&writer);
    let runner = HistoryRunner { jobs, shared: shared.clone(), writer, rereader };
    (HistoryFeed { jobs: sender, shared }, runner)
}

impl HistoryFeed {
    /// Offers a durable entry. Never waits; says whether there was room. What had none is read again.
    pub fn offer(&self, step: Step) -> bool {
        let shared = &self.shared;
        shared.offered_through.fetch_max(step.entry.index, Ordering::Relaxed);
        let pings = ping_count(&step.entry);
        let waiting = shared.waiting_pings.fetch_add(pings, Ordering::Relaxed);
        // A single entry larger than the limit is let in when nothing else waits.
        let has_room = waiting == 0 || waiting.saturating_add(pings) <= FED_PINGS_WAITING_MAX;
        let is_taken = has_room && self.jobs.try_send(Job::Step(Box::new(step))).is_ok();
        if !is_taken {
            shared.waiting_pings.fetch_sub(pings, Ordering::Relaxed);
            shared.left_out.fetch_add(1, Ordering::Relaxed);
        }
        is_taken
    }

    /// Asks that everything offered so far be on disk; the answer is the entry through which it is.
    /// `None` when there is no room even for that: ask again.
    pub fn flush(&self) -> Option<Receiver<Result<u64, FeedStopped>>> {
        let (answer, answered) = sync_channel(1);
        match self.jobs.try_send(Job::Flush(answer)) {
            Ok(()) => Some(answered),
            Err(TrySendError::Full(_)) => None,
            Err(TrySendError::Disconnected(job)) => {
                if let Job::Flush(answer) = job {
                    // The one slot is free.
                    drop(answer.try_send(Err(FeedStopped)));
                }
                Some(answered)
            }
        }
    }

    /// Has everything written and the runner return. Waits for room, not for the disk.
    pub fn end(self) {
        // A runner that has returned has ended.
        drop(self.jobs.send(Job::End));
    }

    /// How it is doing.
    pub fn status(&self) -> FeedStatus {
        let shared = &self.shared;
        FeedStatus {
            offered_through: shared.offered_through.load(Ordering::Relaxed),
            taken_through: shared.taken_through.load(Ordering::Relaxed),
            written_through: shared.written_through.load(Ordering::Acquire),
            left_out_count: shared.left_out.load(Ordering::Relaxed),
            reread_count: shared.reread.load(Ordering::Relaxed),
            stopped: shared.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl HistoryRunner {
    /// Takes what is offered until the end. After a failure it goes on to empty the queue, so that
    /// nobody waits for it, and writes nothing.
    pub fn run(mut self) {
        while let Ok(job) = self.jobs.recv() {
            match job {
                Job::Step(step) => {
                    let pings = ping_count(&step.entry);
                    self.step(&step);
                    self.shared.waiting_pings.fetch_sub(pings, Ordering::Relaxed);
                }
                Job::Flush(answer) => {
                    let written = self.flush();
                    // Who asked may have gone.
                    drop(answer.try_send(written));
                }
                Job::End => break,
            }
        }
        // What cannot be written is told by the status.
        drop(self.flush());
    }

    fn is_stopped(&self) -> bool {
        self.shared.stopped.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn stop(&self, why: String) {
        let mut stopped = self.shared.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.get_or_insert(why);
    }

    fn step(&mut self, step: &Step) {
        if self.is_stopped() {
            return;
        }
        let next = self.writer.taken_through().saturating_add(1);
        if step.entry.index > next {
            self.catch_up(step.entry.index.saturating_sub(1));
        }
        if !self.is_stopped() {
            self.take(step);
        }
    }

    fn take(&mut self, step: &Step) {
        let taken = self.writer.take(&step.entry, &step.effects, step.site.as_deref());
        if let Err(error) = taken {
            self.stop(told(&error));
        }
        self.shared.note(&self.writer);
    }

    /// Reads again what was left out, through `through` at least.
    fn catch_up(&mut self, through: u64) {
        for _ in 0..CATCH_UPS_MAX {
            let from = self.writer.taken_through().saturating_add(1);
            if from > through || self.is_stopped() {
                return;
            }
            let (writer, shared) = (&mut self.writer, &self.shared);
            let mut failed = None;
            let reread = self.rereader.reread(from, &mut |step| {
                shared.reread.fetch_add(1, Ordering::Relaxed);
                let taken = writer.take(&step.entry, &step.effects, step.site.as_deref());
                failed = taken.err();
                shared.note(writer);
                failed.is_none()
            });
            if let Some(error) = failed {
                self.stop(told(&error));
            } else if let Err(why) = reread {
                self.stop(format!("what history left out cannot be read again: {why}"));
            }
        }
        if self.writer.taken_through() < through {
            self.stop("what history left out was not found when it was read again".to_owned());
        }
    }

    fn flush(&mut self) -> Result<u64, FeedStopped> {
        // What was left out last has nothing behind it that would tell.
        self.catch_up(self.shared.offered_through.load(Ordering::Relaxed));
        if self.is_stopped() {
            return Err(FeedStopped);
        }
        let written = self.writer.flush().map_err(|error| self.stop(told(&error)));
        self.shared.note(&self.writer);
        written.map(|()| self.writer.written_through()).map_err(|()| FeedStopped)
    }
}

impl Shared {
    fn note(&self, writer: &HistoryWriter) {
        self.taken_through.store(writer.taken_through(), Ordering::Relaxed);
        self.written_through.store(writer.written_through(), Ordering::Release);
    }
}

fn ping_count(entry: &Entry) -> u64 {
    let pings = entry.inputs.iter().map(|input| match input {
        Input::Pings(batch) => batch.pings.len(),
        _ => 0,
    });
    u64::try_from(pings.sum::<usize>()).unwrap_or(u64::MAX)
}

/// A failure with its cause.
fn told(error: &WriteError) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
