//! The way from the shard to its history: a bounded queue into which the shard puts without waiting.
//!
//! What finds no room is left out: it is on disk in the journal, and the historian reads it there. So
//! nothing but memory for a fraction of a second is spent on a history that cannot keep up. Nobody is
//! woken: the historian looks by itself, for a wake-up takes the core from whoever has an alarm to send.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::thread::{JoinHandle, Thread};

use ach_actors_entities::{Effect, Site};
use ach_actors_model::Cause;
use ach_engine_shard::{Entry, Input};
use atomic_waker::AtomicWaker;
use crossbeam::queue::ArrayQueue;

use crate::counters::Counters;
use crate::planted::{PlantedBug, is_planted};

/// Entries that may wait: a third of a second of single pings at 50,000 a second, in 2 MiB.
const STEPS_WAITING_MAX: usize = 16_384;

/// Pings that may wait: at some 60 bytes each 16 MiB, and half a second of the fastest feed a node is
/// built for. A writing of history takes tens of milliseconds.
const PINGS_WAITING_MAX: u64 = 1 << 18;

/// A change of the site counts as so many pings: with its configuration and the compiled site it is some
/// hundreds of bytes a tag.
const SITE_CHANGE_PINGS: u64 = 1 << 15;

/// An effect counts as so many pings: a notice of an alarm is some 200 bytes. One entry may end ten thousand
/// alarms.
const EFFECT_PINGS: u64 = 4;

/// An entry with what came of it.
#[derive(Debug)]
pub(crate) struct Step {
    pub entry: Entry,
    /// The effects it had.
    pub effects: Vec<Effect>,
    /// The site in force after it.
    pub site: Option<Arc<Site>>,
}

impl Step {
    /// As bugs that are planted would hand it over.
    pub(crate) fn with_planted(mut self) -> Step {
        if is_planted(PlantedBug::HistoryBlursPings) {
            let batches = self.entry.inputs.iter_mut().filter_map(|input| match input {
                Input::Pings(batch) => Some(batch),
                _ => None,
            });
            let pings = batches.flat_map(|batch| &mut batch.pings);
            pings.for_each(|ping| ping.battery_percent = None);
        }
        if is_planted(PlantedBug::HistoryForgetsCauses) {
            for effect in &mut self.effects {
                if let Effect::Alarm(notice) = effect {
                    notice.cause = Cause::SiteChange;
                }
            }
        }
        self
    }
}

/// What the shard's thread and those of history share.
#[derive(Debug)]
pub(crate) struct HistoryQueue {
    steps: ArrayQueue<Step>,
    waiting_pings: AtomicU64,
    is_paused: AtomicBool,
    is_closed: AtomicBool,
    /// Whether a writing takes its time, where the disk says so instead of taking it.
    is_stalled: AtomicBool,
    running_count: AtomicU64,
    closing: AtomicWaker,
    threads: OnceLock<Vec<Thread>>,
}

impl HistoryQueue {
    /// An empty one.
    pub(crate) fn new() -> HistoryQueue {
        HistoryQueue {
            steps: ArrayQueue::new(STEPS_WAITING_MAX),
            waiting_pings: AtomicU64::new(0),
            is_paused: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            is_stalled: AtomicBool::new(false),
            running_count: AtomicU64::new(0),
            closing: AtomicWaker::new(),
            threads: OnceLock::new(),
        }
    }

    /// The next entry.
    pub(crate) fn pop(&self) -> Option<Step> {
        let step = self.steps.pop()?;
        self.waiting_pings.fetch_sub(weight(&step), Ordering::Relaxed);
        Some(step.with_planted())
    }

    /// Takes no more for now, and lets go of what waits: it is read again from the journal.
    pub(crate) fn pause(&self) {
        self.is_paused.store(true, Ordering::SeqCst);
        while self.pop().is_some() {}
    }

    /// Takes entries again.
    pub(crate) fn resume(&self) {
        self.is_paused.store(false, Ordering::SeqCst);
    }

    /// Whether nothing is taken for now.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::SeqCst)
    }

    /// Whether no more will come, and the threads are to end.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// A writing takes its time, or has come to its end.
    pub(crate) fn set_stalled(&self, is_stalled: bool) {
        self.is_stalled.store(is_stalled, Ordering::SeqCst);
    }

    /// A thread of history begins; it has ended when what is returned is dropped.
    pub(crate) fn begin_running(self: &Arc<HistoryQueue>) -> Running {
        self.running_count.fetch_add(1, Ordering::SeqCst);
        Running(Arc::clone(self))
    }
}

/// A thread of history that has not ended.
#[derive(Debug)]
pub(crate) struct Running(Arc<HistoryQueue>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running_count.fetch_sub(1, Ordering::SeqCst);
        self.0.closing.wake();
    }
}

/// The shard's end.
#[derive(Debug)]
pub(crate) struct HistoryFeed {
    queue: Arc<HistoryQueue>,
    counters: Arc<Counters>,
    threads: Vec<JoinHandle<()>>,
}

impl HistoryFeed {
    /// The end of a queue that these threads empty.
    pub(crate) fn new(
        queue: Arc<HistoryQueue>,
        counters: Arc<Counters>,
        threads: Vec<JoinHandle<()>>,
    ) -> HistoryFeed {
        let to_wake = threads.iter().map(|thread| thread.thread().clone()).collect();
        // There is one feed a queue.
        drop(queue.threads.set(to_wake));
        HistoryFeed { queue, counters, threads }
    }

    /// Offers an entry that is about to be given to the disk. Never waits.
    pub(crate) fn offer(&self, step: Step) {
        let queue = &self.queue;
        let pings = weight(&step);
        let waiting = queue.waiting_pings.fetch_add(pings, Ordering::Relaxed);
        // An entry larger than the limit is let in when nothing else waits.
        let has_room = waiting == 0 || waiting.saturating_add(pings) <= PINGS_WAITING_MAX;
        // What comes after one that found no room is left out as well: a queue with gaps would have the
        // journal read again for each of them.
        if queue.is_paused() || !has_room || queue.steps.push(step).is_err() {
            queue.is_paused.store(true, Ordering::SeqCst);
            queue.waiting_pings.fetch_sub(pings, Ordering::Relaxed);
            self.counters.history_entries_left_out.count();
        }
    }

    /// Whether a writing takes its time, which is nothing to the shard: for a bug that is planted.
    pub(crate) fn is_stalled(&self) -> bool {
        self.queue.is_stalled.load(Ordering::SeqCst)
    }

    /// No more will come: the threads write what they have and end.
    pub(crate) fn begin_close(&self) {
        self.queue.is_closed.store(true, Ordering::SeqCst);
        for thread in self.queue.threads.get().into_iter().flatten() {
            thread.unpark();
        }
    }

    /// Ready once the threads have ended after [`HistoryFeed::begin_close`].
    pub(crate) fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.queue.closing.register(cx.waker());
        if self.queue.running_count.load(Ordering::SeqCst) > 0 {
            return Poll::Pending;
        }
        for thread in self.threads.drain(..) {
            // It has ended; a panic in it was told when it happened.
            drop(thread.join());
        }
        Poll::Ready(())
    }
}

impl Drop for HistoryFeed {
    fn drop(&mut self) {
        self.begin_close();
    }
}

/// How much room an entry takes, in pings.
fn weight(step: &Step) -> u64 {
    let of_effects = u64::try_from(step.effects.len()).unwrap_or(u64::MAX);
    let weights = step.entry.inputs.iter().map(|input| match input {
        Input::Pings(batch) => u64::try_from(batch.pings.len()).unwrap_or(u64::MAX),
        Input::SiteChange(_) => SITE_CHANGE_PINGS,
        _ => 0,
    });
    weights.fold(of_effects.saturating_mul(EFFECT_PINGS), u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Timestamp;

    use super::*;

    fn step(index: u64) -> Step {
        let entry = Entry {
            index,
            at: Timestamp(index),
            site_version: 0,
            logic_version: 1,
            inputs: vec![Input::Tick],
            effects_hash: 0,
        };
        Step { entry, effects: Vec::new(), site: None }
    }

    #[test]
    fn what_finds_no_room_is_left_out_and_counted() {
        let (queue, counters) = (Arc::new(HistoryQueue::new()), Arc::new(Counters::default()));
        let feed = HistoryFeed::new(queue.clone(), counters.clone(), Vec::new());
        let room = u64::try_from(STEPS_WAITING_MAX).unwrap();
        for index in 1..=room + 3 {
            feed.offer(step(index));
        }
        assert_eq!(counters.history_entries_left_out.get(), 3);
        assert_eq!(queue.pop().unwrap().entry.index, 1);
        feed.offer(step(room + 4));
        let rest: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|it| it.entry.index).collect();
        assert!(rest.iter().copied().eq(2..=room), "there is no gap in what waits");
        queue.pause();
        assert!(queue.pop().is_none(), "what waited is let go of, and nothing comes");
        queue.resume();
        feed.offer(step(room + 5));
        assert_eq!(queue.pop().unwrap().entry.index, room + 5);
        assert_eq!(counters.history_entries_left_out.get(), 4);
    }

    #[test]
    fn what_an_entry_caused_weighs_too() {
        let (queue, counters) = (Arc::new(HistoryQueue::new()), Arc::new(Counters::default()));
        let feed = HistoryFeed::new(queue.clone(), counters.clone(), Vec::new());
        let many = usize::try_from(PINGS_WAITING_MAX / EFFECT_PINGS).unwrap();
        let effects = vec![Effect::SiteInForce { version: 1 }; many];
        feed.offer(Step { effects: effects.clone(), ..step(1) });
        feed.offer(step(2));
        feed.offer(Step { effects, ..step(3) });
        assert_eq!(counters.history_entries_left_out.get(), 1, "the second of the large ones");
        assert_eq!(queue.pop().unwrap().entry.index, 1);
        assert_eq!(queue.pop().unwrap().entry.index, 2);
        assert!(queue.pop().is_none());
        assert_eq!(queue.waiting_pings.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_feed_that_is_gone_closes_its_queue() {
        let (queue, counters) = (Arc::new(HistoryQueue::new()), Arc::new(Counters::default()));
        let running = queue.begin_running();
        let mut feed = HistoryFeed::new(queue.clone(), counters, Vec::new());
        let cx = Context::from_waker(std::task::Waker::noop());
        feed.begin_close();
        assert!(queue.is_closed() && feed.poll_closed(&cx).is_pending());
        drop(running);
        assert!(feed.poll_closed(&cx).is_ready());
    }
}
