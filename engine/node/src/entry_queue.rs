//! What waits for the journal's thread: a bounded queue whose reader is woken only when it matters.
//!
//! Waking a thread is a system call, and on few cores it takes the core from whoever has an alarm to
//! send. While the reader gathers a group of pings it looks by itself when its time is over, so a
//! further batch of pings need not wake it; anything urgent does.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use crossbeam::queue::ArrayQueue;

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
    pub(crate) fn push(&self, pending: Pending, reader: &Thread) -> Result<bool, Pending> {
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
    pub(crate) fn close(&self, reader: &Thread) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.wake(reader);
    }

    fn wake(&self, reader: &Thread) -> bool {
        let was_asleep = self.sleep.swap(AWAKE, Ordering::SeqCst) != AWAKE;
        if was_asleep {
            reader.unpark();
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

    /// Sleeps for at most `wait` unless something urgent comes. The reader's thread only.
    pub(crate) fn gather(&self, wait: Duration) {
        self.sleep_while(GATHERING, wait, || self.urgent_count.load(Ordering::SeqCst) == 0);
    }

    /// Sleeps for at most `wait` unless anything comes. The reader's thread only.
    pub(crate) fn rest(&self, wait: Duration) {
        self.sleep_while(IDLE, wait, || self.entries.is_empty());
    }

    fn sleep_while(&self, how: u8, wait: Duration, may_sleep: impl Fn() -> bool) {
        self.sleep.store(how, Ordering::SeqCst);
        // Looked at after the word is out: a writer either sees the word or is seen here.
        if may_sleep() && !self.is_closed.load(Ordering::SeqCst) {
            std::thread::park_timeout(wait);
        }
        self.sleep.store(AWAKE, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    fn pending(index: u64, is_urgent: bool) -> Pending {
        Pending { index, bytes: Vec::new(), is_urgent, is_pinned: false }
    }

    /// What a push does to a reader that sleeps as said.
    #[track_caller]
    fn check(sleep: u8, is_urgent: bool, expected: bool) {
        let queue = EntryQueue::new(4);
        queue.sleep.store(sleep, Ordering::SeqCst);
        let woken = queue.push(pending(1, is_urgent), &std::thread::current()).unwrap();
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
        let reader = std::thread::current();
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
                    None if read.len() % 3 == 0 => reading.rest(LONG),
                    None if read.last() == Some(&ENTRIES) => reading.rest(LONG),
                    // Of three entries the last is urgent, so one comes.
                    None => reading.gather(LONG),
                }
            }
            read
        });
        for index in 1..=ENTRIES {
            let mut next = pending(index, index % 3 == 0);
            while let Err(back) = queue.push(next, reader.thread()) {
                next = back;
                std::thread::yield_now();
            }
        }
        queue.close(reader.thread());
        assert_eq!(reader.join().unwrap(), (1..=ENTRIES).collect::<Vec<u64>>());
    }
}
