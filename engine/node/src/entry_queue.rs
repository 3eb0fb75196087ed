//! What waits for the journal's thread: a bounded queue whose reader is woken only when it matters.
//!
//! Waking a thread is a system call, and on few cores it takes the core from whoever has an alarm to
//! send. While the reader gathers a group of pings it looks by itself when its time is over, so a
//! further batch of pings need not wake it; anything urgent does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use crossbeam::queue::ArrayQueue;
use tokio::sync::Notify;
use tokio::time::timeout;

/// An entry on its way to the disk.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Its index.
    pub index: u64,
    /// As it is stored.
    pub bytes: Vec<u8>,
    /// Whether it must not wait for others.
    pub is_urgent: bool,
    /// Whether a checkpoint waits to hear where it lies.
    pub is_pinned: bool,
}

/// The reader works and will look into the queue before it sleeps.
const AWAKE: u8 = 0;
/// The reader sleeps until something urgent comes.
const GATHERING: u8 = 1;
/// The reader sleeps until anything comes.
const IDLE: u8 = 2;

/// The queue. One writer, one reader.
#[derive(Debug)]
pub(crate) struct EntryQueue {
    entries: ArrayQueue<Pending>,
    urgent_count: AtomicUsize,
    sleep: AtomicU8,
    is_closed: AtomicBool,
}

impl EntryQueue {
    /// An empty queue.
    pub(crate) fn new(entries_max: usize) -> EntryQueue {
        EntryQueue {
            entries: ArrayQueue::new(entries_max),
            urgent_count: AtomicUsize::new(0),
            sleep: AtomicU8::new(AWAKE),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Adds an entry, and wakes the reader if it must not sleep on. Says whether it woke it; gives
    /// the entry back when the queue is full.
    pub(crate) fn push(&self, pending: Pending, reader: &Waker) -> Result<bool, Pending> {
        let is_urgent = pending.is_urgent;
        // Counted first, so that a reader which sees the entry has seen the count.
        self.urgent_count.fetch_add(usize::from(is_urgent), Ordering::SeqCst);
        if let Err(back) = self.entries.push(pending) {
            self.urgent_count.fetch_sub(usize::from(is_urgent), Ordering::SeqCst);
            return Err(back);
        }
        let sleep = self.sleep.load(Ordering::SeqCst);
        let must_wake = sleep == IDLE || (sleep == GATHERING && is_urgent);
        Ok(must_wake && self.wake(reader))
    }

    /// No more will come.
    pub(crate) fn close(&self, reader: &Waker) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.wake(reader);
    }

    fn wake(&self, reader: &Waker) -> bool {
        let was_asleep = self.sleep.swap(AWAKE, Ordering::SeqCst) != AWAKE;
        if was_asleep {
            reader.wake_by_ref();
        }
        was_asleep
    }

    /// The next entry.
    pub(crate) fn pop(&self) -> Option<Pending> {
        let pending = self.entries.pop()?;
        self.urgent_count.fetch_sub(usize::from(pending.is_urgent), Ordering::SeqCst);
        Some(pending)
    }

    /// Whether it is empty and stays so.
    pub(crate) fn is_over(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst) && self.entries.is_empty()
    }

    /// Sleeps as told. The reader's thread only.
    pub(crate) fn park(&self, pause: Pause) {
        if self.lie_down(pause) {
            std::thread::park_timeout(pause.wait());
        }
        self.sleep.store(AWAKE, Ordering::SeqCst);
    }

    /// As [`EntryQueue::park`], for a reader that is a task; `bell` is what its waker rings.
    pub(crate) async fn doze(&self, pause: Pause, bell: &Bell) {
        if self.lie_down(pause) {
            // Rung or not, the reader looks again.
            let _ = timeout(pause.wait(), bell.rung()).await;
        }
        self.sleep.store(AWAKE, Ordering::SeqCst);
    }

    /// Says how the reader is about to sleep. Returns whether it may.
    fn lie_down(&self, pause: Pause) -> bool {
        let how = if matches!(pause, Pause::Gather(_)) { GATHERING } else { IDLE };
        self.sleep.store(how, Ordering::SeqCst);
        // Looked at after the word is out: a writer either sees the word or is seen here.
        let may_sleep = match pause {
            Pause::Gather(_) => self.urgent_count.load(Ordering::SeqCst) == 0,
            Pause::Rest(_) => self.entries.is_empty(),
        };
        may_sleep && !self.is_closed.load(Ordering::SeqCst)
    }
}

/// How a reader waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// For at most so long, unless something urgent comes.
    Gather(Duration),
    /// For at most so long, unless anything comes.
    Rest(Duration),
}

impl Pause {
    fn wait(self) -> Duration {
        let (Pause::Gather(wait) | Pause::Rest(wait)) = self;
        wait
    }
}

/// Wakes a reader that is a task.
#[derive(Debug, Default)]
pub(crate) struct Bell(Notify);

impl Bell {
    /// Returns once it rings, or at once if it has rung since it was listened to.
    pub(crate) async fn rung(&self) {
        self.0.notified().await;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// Wakes a reader that is a thread.
#[derive(Debug)]
pub(crate) struct Unpark(pub(crate) Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waker(thread: &Thread) -> Waker {
        Arc::new(Unpark(thread.clone())).into()
    }

    const LONG: Duration = Duration::from_hours(1);

    fn pending(index: u64, is_urgent: bool) -> Pending {
        Pending { index, bytes: Vec::new(), is_urgent, is_pinned: false }
    }

    /// What a push does to a reader that sleeps as said.
    #[track_caller]
    fn check(sleep: u8, is_urgent: bool, expected: bool) {
        let queue = EntryQueue::new(4);
        queue.sleep.store(sleep, Ordering::SeqCst);
        let woken = queue.push(pending(1, is_urgent), &waker(&std::thread::current())).unwrap();
        assert_eq!(woken, expected, "sleep {sleep}, urgent {is_urgent}");
    }

    #[test]
    fn pings_wake_nobody_who_gathers_them_and_what_is_urgent_does() {
        check(AWAKE, false, false);
        check(AWAKE, true, false);
        check(GATHERING, false, false);
        check(GATHERING, true, true);
        check(IDLE, false, true);
        check(IDLE, true, true);
    }

    #[test]
    fn a_full_queue_gives_the_entry_back() {
        let queue = EntryQueue::new(1);
        let reader = waker(&std::thread::current());
        assert!(queue.push(pending(1, true), &reader).is_ok());
        assert_eq!(queue.push(pending(2, true), &reader).unwrap_err().index, 2);
        assert_eq!(queue.pop().unwrap().index, 1);
        assert_eq!(queue.urgent_count.load(Ordering::SeqCst), 0);
    }

    /// A reader that would sleep for an hour if a single wake-up were lost.
    #[test]
    fn no_wake_up_is_ever_lost() {
        const ENTRIES: u64 = 100_000;
        let queue = Arc::new(EntryQueue::new(64));
        let reading = queue.clone();
        let reader = std::thread::spawn(move || {
            let mut read = Vec::new();
            while !reading.is_over() {
                match reading.pop() {
                    Some(pending) => read.push(pending.index),
                    None if read.len() % 3 == 0 => reading.park(Pause::Rest(LONG)),
                    None if read.last() == Some(&ENTRIES) => reading.park(Pause::Rest(LONG)),
                    // Of three entries the last is urgent, so one comes.
                    None => reading.park(Pause::Gather(LONG)),
                }
            }
            read
        });
        let waker = waker(reader.thread());
        for index in 1..=ENTRIES {
            let mut next = pending(index, index % 3 == 0);
            while let Err(back) = queue.push(next, &waker) {
                next = back;
                std::thread::yield_now();
            }
        }
        queue.close(&waker);
        assert_eq!(reader.join().unwrap(), (1..=ENTRIES).collect::<Vec<u64>>());
    }
}
