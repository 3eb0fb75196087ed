//! Who owns the journal: takes all that has come, writes it as one group, flushes once.
//!
//! A thread of its own, or a task where nothing may run beside the caller.
//!
//! The shard never waits for it. Entries with anything but pings, and entries that changed an
//! alarm, are flushed at once; groups of pings alone may gather for a millisecond, which delays only
//! their ack ([`GroupPolicy`]). After a failed write or flush nothing is tried again: storing ends for this
//! process and the shard goes on without.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use ach_engine_journal::{Flush, GroupPolicy, Urgency};
use atomic_waker::AtomicWaker;
use crossbeam::queue::ArrayQueue;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::commit_mark::{CommitMark, StoringStopped};
use crate::counters::Counters;
use crate::entry_queue::{Bell, EntryQueue, Pause, Pending, Unpark};
use crate::journal_floor::{Pin, Position};
use crate::planted::{PlantedBug, is_planted};

/// Entries that may wait for the disk: five seconds of 50,000 pings a second that come one by one, an entry each. Of a
/// vendor's frames an entry has up to 8, or 256 under pressure, and there are fewer of them.
const BACKLOG_ENTRIES_MAX: usize = 262_144;

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

    /// Does what a commit leaves to be done once it was told to be on disk.
    fn settle(&mut self) {}

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
    host: Host,
    is_closing: bool,
}

/// Who runs the writer.
#[derive(Debug)]
enum Host {
    /// Nobody: the node does not store, or the writer has ended.
    Nobody,
    /// A thread, and what wakes it.
    Thread(JoinHandle<()>, Waker),
    /// A task, and what wakes it.
    Task(Waker),
}

impl Host {
    fn waker(&self) -> Option<&Waker> {
        match self {
            Host::Nobody => None,
            Host::Thread(_, waker) | Host::Task(waker) => Some(waker),
        }
    }
}

/// How long the disk took of late, where a disk says so instead of taking the time.
pub(crate) type DiskPace = Box<dyn Fn() -> Duration>;

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
        log: Box<dyn EntryLog>,
        mark: Arc<CommitMark>,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Committer> {
        let mut writer = Writer::new(log, mark, counters, clock);
        let of_writer = writer.shared();
        let thread = std::thread::Builder::new()
            .name("ach-committer".to_owned())
            .spawn(move || writer.run())?;
        let waker = Arc::new(Unpark(thread.thread().clone())).into();
        Ok(Committer::with(of_writer, Host::Thread(thread, waker)))
    }

    /// A committer without a thread: the future is its writer, and for as long as the disk says it
    /// took nothing counts as on disk.
    pub(crate) fn start_here(
        log: Box<dyn EntryLog>,
        mark: Arc<CommitMark>,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
        pace: DiskPace,
    ) -> (Committer, impl Future<Output = ()> + 'static) {
        let mut writer = Writer::new(log, mark, counters, clock);
        let bell = Arc::new(Bell::default());
        let committer = Committer::with(writer.shared(), Host::Task(bell.clone().into()));
        (committer, async move { writer.run_here(&bell, pace).await })
    }

    fn with((shared, mark, counters, pin): OfWriter, host: Host) -> Committer {
        Committer { shared, mark, counters, pin, host, is_closing: false }
    }

    /// A committer for a node that does not store.
    pub(crate) fn absent(mark: Arc<CommitMark>, counters: Arc<Counters>) -> Committer {
        let shared = Arc::new(Shared {
            queue: EntryQueue::new(1),
            spares: ArrayQueue::new(1),
            is_over: AtomicBool::new(true),
            closing: AtomicWaker::new(),
        });
        Committer::with((shared, mark, counters, Arc::default()), Host::Nobody)
    }

    /// A buffer to put an entry's bytes into.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        let mut buffer = self.shared.spares.pop().unwrap_or_default();
        buffer.clear();
        buffer
    }

    /// Whether there is any use in giving it entries.
    pub(crate) fn is_storing(&self) -> bool {
        self.host.waker().is_some() && !self.is_closing && self.mark.is_storing()
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
        let Some(waker) = self.host.waker().filter(|_| self.is_storing()) else {
            self.counters.entries_not_stored.count();
            return;
        };
        let size = u64::try_from(pending.bytes.len()).unwrap_or(u64::MAX);
        let backlog = self.mark.add_backlog(size);
        // One entry alone may be larger than the limit (a site of a million tags).
        let is_over = backlog > BACKLOG_BYTES_MAX && backlog > size;
        if is_over || self.shared.queue.push(pending, waker).is_err() {
            // What was not taken does not wait either.
            self.mark.take_backlog(size);
            self.mark.stop(StoringStopped::Backlog { bytes: backlog });
            self.counters.entries_not_stored.count();
        }
    }

    /// Takes no more: the thread writes what waits and ends.
    pub(crate) fn begin_close(&mut self) {
        if let Some(waker) = self.host.waker().filter(|_| !self.is_closing) {
            self.shared.queue.close(waker);
        }
        self.is_closing = true;
    }

    /// Ready once the thread has ended after [`Committer::begin_close`]. Nobody is made to wait
    /// for a disk that does not answer.
    pub(crate) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.shared.closing.register(cx.waker());
        if self.host.waker().is_some() && !self.shared.is_over.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        self.join();
        Poll::Ready(())
    }

    fn join(&mut self) {
        if let Host::Thread(thread, _) = std::mem::replace(&mut self.host, Host::Nobody)
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

/// What the shard's end of it has in common with the writer.
type OfWriter = (Arc<Shared>, Arc<CommitMark>, Arc<Counters>, Arc<Pin>);

/// The thread, or the task.
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

/// What the writer does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Flush,
    Seal,
    Sleep(Pause),
    End,
}

impl Writer {
    fn new(
        mut log: Box<dyn EntryLog>,
        mark: Arc<CommitMark>,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
    ) -> Writer {
        log.count_by(counters.clone());
        let shared = Arc::new(Shared {
            queue: EntryQueue::new(BACKLOG_ENTRIES_MAX),
            spares: ArrayQueue::new(SPARES_MAX),
            is_over: AtomicBool::new(false),
            closing: AtomicWaker::new(),
        });
        let (group, policy) = (Group::default(), GroupPolicy::default());
        let (pin, pinned) = (Arc::default(), None);
        Writer { log, shared, mark, counters, clock, group, policy, pin, pinned }
    }

    fn shared(&self) -> OfWriter {
        (self.shared.clone(), self.mark.clone(), self.counters.clone(), self.pin.clone())
    }

    fn end(&self) -> End {
        End { mark: self.mark.clone(), shared: self.shared.clone() }
    }

    fn run(&mut self) {
        // A panic in here must not look like a slow disk.
        let _end = self.end();
        loop {
            match self.next() {
                Next::Flush => self.flush(),
                Next::Seal => self.seal(),
                Next::Sleep(pause) => self.shared.queue.park(pause),
                Next::End => break,
            }
        }
        self.flush();
        self.log.close();
    }

    async fn run_here(&mut self, bell: &Bell, pace: DiskPace) {
        let _end = self.end();
        loop {
            match self.next() {
                Next::Flush => {
                    let committed = self.commit();
                    sleep(pace()).await;
                    self.tell(committed);
                }
                Next::Seal => self.seal(),
                Next::Sleep(pause) => self.shared.queue.doze(pause, bell).await,
                Next::End => break,
            }
        }
        self.flush();
        self.log.close();
    }

    /// Takes what has come and says what is due.
    fn next(&mut self) -> Next {
        let has_come = self.gather();
        if self.shared.queue.is_over() {
            return Next::End;
        }
        let now_ns = self.clock.monotonic_ns();
        let wait = |until_ns: u64| Duration::from_nanos(until_ns.saturating_sub(now_ns));
        match self.policy.flush(now_ns) {
            Flush::Commit => Next::Flush,
            Flush::Seal => Next::Seal,
            Flush::CommitAt { now_ns } => Next::Sleep(Pause::Gather(wait(now_ns))),
            Flush::SealAt { now_ns } => Next::Sleep(Pause::Rest(wait(now_ns))),
            Flush::Wait => {
                if !has_come {
                    self.log.rest();
                }
                Next::Sleep(Pause::Rest(REST_AFTER))
            }
        }
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
        let committed = self.commit();
        self.tell(committed);
    }

    /// Has the open group put on disk. Gives it, if it is there.
    fn commit(&mut self) -> Option<Group> {
        let group = std::mem::take(&mut self.group);
        self.policy.committed(self.clock.monotonic_ns());
        if group.entries == 0 {
            return None;
        }
        if is_planted(PlantedBug::AckedBeforeSynced) {
            self.mark.advance(group.last_index);
        }
        match self.mark.stopped().cloned().map_or_else(|| self.log.commit(), Err) {
            Err(_) if is_planted(PlantedBug::FailedSyncIgnored) => Some(group),
            Err(why) => {
                self.counters.entries_not_stored.add(group.entries);
                self.mark.stop(why);
                None
            }
            Ok(()) => Some(group),
        }
    }

    /// Says that a group is on disk.
    fn tell(&mut self, committed: Option<Group>) {
        let Some(group) = committed else { return };
        self.counters.groups_committed.count();
        self.counters.tally.group_entries.record(group.entries);
        self.counters.groups_urgent.add(u64::from(group.is_urgent));
        self.counters.entries_committed.add(group.entries);
        self.counters.bytes_committed.add(u64::try_from(group.bytes).unwrap_or(u64::MAX));
        self.mark.advance(group.last_index);
        if let Some(position) = self.pinned.take() {
            self.pin.set(position);
        }
        self.log.settle();
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
