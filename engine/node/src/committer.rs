//! The thread that owns the journal: takes all that has come, writes it as one group, flushes once.
//!
//! The shard never waits for it. Entries with anything but pings, and entries that changed an
//! alarm, are flushed at once; groups of pings alone may gather for a millisecond, which delays only
//! their ack ([`GroupPolicy`]). After a failed write or flush nothing is tried again: storing ends for this
//! process and the shard goes on without.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use ach_engine_journal::{Flush, GroupPolicy, Urgency};
use atomic_waker::AtomicWaker;
use crossbeam::queue::ArrayQueue;

use crate::clock::Clock;
use crate::commit_mark::{CommitMark, StoringStopped};
use crate::counters::Counters;
use crate::entry_queue::{EntryQueue, Pending};
use crate::journal_floor::{Pin, Position};

/// Entries that may wait for the disk. At a turn of 64 pings that is four million pings.
const BACKLOG_ENTRIES_MAX: usize = 65_536;

/// Bytes that may wait for the disk: at a million pings of 48 bytes a second, five seconds of a
/// disk that does not answer. More than that and it is called dead.
const BACKLOG_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A group is flushed when it has this many bytes: 10,000 pings, beyond which a disk gains nothing.
const GROUP_BYTES_MAX: usize = 512 * 1024;

/// Buffers kept for the next entries: those of a few groups, so that none is allocated in between.
const SPARES_MAX: usize = 64;

/// Where entries are kept. The journal in a node; in tests anything that can fail.
pub(crate) trait EntryLog: Send + fmt::Debug {
    /// Adds an entry to the open group.
    fn append(&mut self, index: u64, bytes: &[u8]) -> Result<(), StoringStopped>;

    /// Where the entry lies that was added last, if the log knows.
    fn position(&self) -> Option<Position> {
        None
    }

    /// Counts what it does there.
    fn count_by(&mut self, counters: Arc<Counters>) {
        drop(counters);
    }

    /// Returns once the open group is on disk.
    fn commit(&mut self) -> Result<(), StoringStopped>;

    /// Returns once a torn last group could be told from one that was never acked.
    fn seal(&mut self) -> Result<(), StoringStopped> {
        Ok(())
    }

    /// Uses a moment in which nothing is to be done.
    fn rest(&mut self) {}

    /// Ends in good order.
    fn close(&mut self) {}
}

/// What shard and thread share.
#[derive(Debug)]
struct Shared {
    queue: EntryQueue,
    spares: ArrayQueue<Vec<u8>>,
    is_over: AtomicBool,
    closing: AtomicWaker,
}

/// The shard's end of the committer.
#[derive(Debug)]
pub(crate) struct Committer {
    shared: Arc<Shared>,
    mark: Arc<CommitMark>,
    counters: Arc<Counters>,
    pin: Arc<Pin>,
    thread: Option<JoinHandle<()>>,
    is_closing: bool,
}

impl Committer {
    /// Where the last pinned entry lies, once it is on disk.
    pub(crate) fn pin(&self) -> Arc<Pin> {
        Arc::clone(&self.pin)
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(
        mut log: Box<dyn EntryLog>,
        mark: Arc<CommitMark>,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Committer> {
        log.count_by(counters.clone());
        let pin = Arc::new(Pin::default());
        let shared = Arc::new(Shared {
            queue: EntryQueue::new(BACKLOG_ENTRIES_MAX),
            spares: ArrayQueue::new(SPARES_MAX),
            is_over: AtomicBool::new(false),
            closing: AtomicWaker::new(),
        });
        let mut writer = Writer {
            log,
            shared: shared.clone(),
            mark: mark.clone(),
            counters: counters.clone(),
            clock,
            group: Group::default(),
            policy: GroupPolicy::default(),
            pin: pin.clone(),
            pinned: None,
        };
        let thread = std::thread::Builder::new()
            .name("ach-committer".to_owned())
            .spawn(move || writer.run())?;
        Ok(Committer { shared, mark, counters, pin, thread: Some(thread), is_closing: false })
    }

    /// A committer for a node that does not store.
    pub(crate) fn absent(mark: Arc<CommitMark>, counters: Arc<Counters>) -> Committer {
        let shared = Arc::new(Shared {
            queue: EntryQueue::new(1),
            spares: ArrayQueue::new(1),
            is_over: AtomicBool::new(true),
            closing: AtomicWaker::new(),
        });
        Committer { shared, mark, counters, pin: Arc::default(), thread: None, is_closing: false }
    }

    /// A buffer to put an entry's bytes into.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        let mut buffer = self.shared.spares.pop().unwrap_or_default();
        buffer.clear();
        buffer
    }

    /// Whether there is any use in giving it entries.
    pub(crate) fn is_storing(&self) -> bool {
        self.thread.is_some() && !self.is_closing && self.mark.is_storing()
    }

    /// Gives an entry to the disk. Never waits: too much waiting ends storing.
    pub(crate) fn store(&self, index: u64, bytes: Vec<u8>, is_urgent: bool) {
        self.store_pending(Pending { index, bytes, is_urgent, is_pinned: false });
    }

    /// The same, and has a checkpoint told where the entry lies.
    pub(crate) fn store_pinned(&self, index: u64, bytes: Vec<u8>, is_urgent: bool) {
        self.store_pending(Pending { index, bytes, is_urgent, is_pinned: true });
    }

    fn store_pending(&self, pending: Pending) {
        let Some(thread) = self.thread.as_ref().filter(|_| self.is_storing()) else {
            self.counters.entries_not_stored.count();
            return;
        };
        let size = u64::try_from(pending.bytes.len()).unwrap_or(u64::MAX);
        let backlog = self.mark.add_backlog(size);
        // One entry alone may be larger than the limit (a site of a million tags).
        let is_over = backlog > BACKLOG_BYTES_MAX && backlog > size;
        if is_over || self.shared.queue.push(pending, thread.thread()).is_err() {
            // What was not taken does not wait either.
            self.mark.take_backlog(size);
            self.mark.stop(StoringStopped::Backlog { bytes: backlog });
            self.counters.entries_not_stored.count();
        }
    }

    /// Takes no more: the thread writes what waits and ends.
    pub(crate) fn begin_close(&mut self) {
        if let Some(thread) = self.thread.as_ref().filter(|_| !self.is_closing) {
            self.shared.queue.close(thread.thread());
        }
        self.is_closing = true;
    }

    /// Ready once the thread has ended after [`Committer::begin_close`]. Nobody is made to wait
    /// for a disk that does not answer.
    pub(crate) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.shared.closing.register(cx.waker());
        if self.thread.is_some() && !self.shared.is_over.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        self.join();
        Poll::Ready(())
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            let detail = "the committing thread failed".to_owned();
            self.mark.stop(StoringStopped::Failed { detail });
        }
    }
}

impl Drop for Committer {
    /// A thread that has not ended is left to its disk: it may never come back from it.
    fn drop(&mut self) {
        self.begin_close();
        if self.shared.is_over.load(Ordering::SeqCst) {
            self.join();
        }
    }
}

/// What is open to be flushed.
#[derive(Debug, Default)]
struct Group {
    last_index: u64,
    entries: u64,
    bytes: usize,
    is_urgent: bool,
}

/// The thread.
struct Writer {
    log: Box<dyn EntryLog>,
    shared: Arc<Shared>,
    mark: Arc<CommitMark>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    group: Group,
    policy: GroupPolicy,
    pin: Arc<Pin>,
    /// An entry of the open group, or one before it, that a checkpoint waits for.
    pinned: Option<Position>,
}

/// How long the thread waits for work before it lets the log use the time.
const REST_AFTER: Duration = Duration::from_millis(100);

impl Writer {
    fn run(&mut self) {
        // A panic in here must not look like a slow disk.
        let _end = End { mark: self.mark.clone(), shared: self.shared.clone() };
        while self.turn() {}
        self.flush();
        self.log.close();
    }

    /// Takes what has come and does what is due, or waits. False once no more will come.
    fn turn(&mut self) -> bool {
        let has_come = self.gather();
        if self.shared.queue.is_over() {
            return false;
        }
        let now_ns = self.clock.monotonic_ns();
        let wait = |until_ns: u64| Duration::from_nanos(until_ns.saturating_sub(now_ns));
        match self.policy.flush(now_ns) {
            Flush::Commit => self.flush(),
            Flush::Seal => self.seal(),
            Flush::CommitAt { now_ns } => self.shared.queue.gather(wait(now_ns)),
            Flush::SealAt { now_ns } => self.shared.queue.rest(wait(now_ns)),
            Flush::Wait => {
                if !has_come {
                    self.log.rest();
                }
                self.shared.queue.rest(REST_AFTER);
            }
        }
        true
    }

    /// Takes all that has come, so that it is one group. Says whether anything has.
    fn gather(&mut self) -> bool {
        let mut has_come = false;
        while self.group.bytes < GROUP_BYTES_MAX
            && let Some(pending) = self.shared.queue.pop()
        {
            self.append(pending);
            has_come = true;
        }
        has_come
    }

    fn seal(&mut self) {
        self.policy.sealed();
        if self.mark.is_storing()
            && let Err(why) = self.log.seal()
        {
            self.mark.stop(why);
        }
    }

    fn append(&mut self, pending: Pending) {
        let size = pending.bytes.len();
        self.mark.take_backlog(u64::try_from(size).unwrap_or(u64::MAX));
        if !self.mark.is_storing() {
            self.counters.entries_not_stored.count();
            return;
        }
        if let Err(why) = self.log.append(pending.index, &pending.bytes) {
            self.counters.entries_not_stored.count();
            self.mark.stop(why);
            return;
        }
        if pending.is_pinned {
            self.pinned = self.log.position();
        }
        self.group.last_index = pending.index;
        self.group.entries += 1;
        self.group.bytes = self.group.bytes.saturating_add(size);
        self.group.is_urgent |= pending.is_urgent;
        let urgency = if pending.is_urgent { Urgency::Urgent } else { Urgency::Patient };
        self.policy.appended(urgency, size, self.clock.monotonic_ns());
        // A full list of spare buffers lets this one go.
        let _ = self.shared.spares.push(pending.bytes);
    }

    fn flush(&mut self) {
        let group = std::mem::take(&mut self.group);
        self.policy.committed(self.clock.monotonic_ns());
        if group.entries == 0 {
            return;
        }
        if let Err(why) = self.mark.stopped().cloned().map_or_else(|| self.log.commit(), Err) {
            self.counters.entries_not_stored.add(group.entries);
            self.mark.stop(why);
            return;
        }
        self.counters.groups_committed.count();
        self.counters.tally.group_entries.record(group.entries);
        self.counters.groups_urgent.add(u64::from(group.is_urgent));
        self.counters.entries_committed.add(group.entries);
        self.counters.bytes_committed.add(u64::try_from(group.bytes).unwrap_or(u64::MAX));
        self.mark.advance(group.last_index);
        if let Some(position) = self.pinned.take() {
            self.pin.set(position);
        }
    }
}

/// Says that the thread has ended, in good order or not.
struct End {
    mark: Arc<CommitMark>,
    shared: Arc<Shared>,
}

impl Drop for End {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let detail = "the committing thread failed".to_owned();
            self.mark.stop(StoringStopped::Failed { detail });
        }
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.shared.closing.wake();
    }
}

#[cfg(test)]
mod tests;
