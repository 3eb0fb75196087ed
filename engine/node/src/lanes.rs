//! What waits for the shard: one bounded queue a lane, filled by sessions, drained by the shard.
//!
//! A full lane never loses anything: its sessions wait, their streams' flow control stops the
//! senders. Who waited first sends first, so a flood of one feed keeps no other away; with pings the
//! line takes turns (`ping_line`). Only a session's own buffer of pings is ever conflated (`ping_buffer`).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

use ach_actors_model::{Lane, PingBatch};
use ach_engine_shard::Input;
use atomic_waker::AtomicWaker;
use crossbeam::queue::ArrayQueue;
use tokio::sync::Semaphore;

/// Inputs that may wait on the duress lane and on the door lane. A hospital has some thousand
/// doors and buttons; all of them at once fit.
const REPORTS_MAX: usize = 4_096;

/// Batches of pings that may wait. Many feeds that send single pings make small ones.
pub(crate) const PING_BATCHES_MAX: usize = 256;

/// The lane has no room once this many pings wait: some 8 ms of work for a shard. More would grow old
/// there; in its session's buffer a ping still gives way to a newer one of its tag.
pub(crate) const PINGS_WAITING_MAX: usize = 4_096;

/// The lanes into one shard.
#[derive(Debug)]
pub(crate) struct Lanes {
    duress: Queue<Ticketed>,
    door: Queue<Ticketed>,
    pings: ArrayQueue<PingBatch>,
    waiting_pings: AtomicUsize,
    ping_room: AtomicWaker,
    shard: AtomicWaker,
    is_closed: AtomicBool,
}

/// An input that is not a ping, and who waits for it, if anybody does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ticketed {
    /// The input.
    pub input: Input,
    /// Comes back with the index of the entry that held the input.
    pub ticket: Option<u64>,
}

impl From<Input> for Ticketed {
    fn from(input: Input) -> Ticketed {
        Ticketed { input, ticket: None }
    }
}

/// The shard is gone or takes nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the shard takes no more inputs; connect again when the node is back")]
pub struct LanesClosed;

impl Lanes {
    /// Empty lanes with room for so many batches of pings.
    pub(crate) fn new(batches_max: usize) -> Lanes {
        Lanes::with_capacity(REPORTS_MAX, batches_max)
    }

    fn with_capacity(reports_max: usize, batches_max: usize) -> Lanes {
        Lanes {
            duress: Queue::new(reports_max),
            door: Queue::new(reports_max),
            pings: ArrayQueue::new(batches_max),
            waiting_pings: AtomicUsize::new(0),
            ping_room: AtomicWaker::new(),
            shard: AtomicWaker::new(),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Puts a batch on the ping lane at once, or gives it back when the lane is full.
    pub(crate) fn offer_pings(&self, batch: PingBatch) -> Result<(), PingBatch> {
        if self.is_ping_lane_full() {
            return Err(batch);
        }
        let count = batch.pings.len();
        // Counted first: the shard may take the batch at once.
        self.waiting_pings.fetch_add(count, Ordering::SeqCst);
        if let Err(batch) = self.pings.push(batch) {
            self.waiting_pings.fetch_sub(count, Ordering::SeqCst);
            return Err(batch);
        }
        self.shard.wake();
        Ok(())
    }

    /// Whether the ping lane has no room.
    pub(crate) fn is_ping_lane_full(&self) -> bool {
        self.pings.is_full() || self.waiting_pings.load(Ordering::SeqCst) >= PINGS_WAITING_MAX
    }

    /// Whether the door lane has no room that nobody waits for.
    pub(crate) fn is_door_lane_full(&self) -> bool {
        self.door.room.available_permits() == 0
    }

    /// Who is woken when the ping lane has room, or the lanes are closed. The caller looks once more after it
    /// has registered.
    pub(crate) fn register_ping_room(&self, waker: &Waker) {
        self.ping_room.register(waker);
    }

    /// Puts an input that is not a ping on its lane, waiting for room behind those who wait already.
    pub(crate) async fn send(
        &self,
        lane: Lane,
        input: impl Into<Ticketed>,
    ) -> Result<(), LanesClosed> {
        let queue = if lane == Lane::Duress { &self.duress } else { &self.door };
        let place = queue.room.acquire().await.map_err(|_| LanesClosed)?;
        if queue.items.push(input.into()).is_err() {
            tracing::error!("a lane was full after all; this is a bug, please report it");
            return Err(LanesClosed);
        }
        // The shard gives it back.
        place.forget();
        self.shard.wake();
        Ok(())
    }

    /// The next input that is not a ping: duress before doors.
    pub(crate) fn pop_report(&self) -> Option<Ticketed> {
        self.duress.pop().or_else(|| self.door.pop())
    }

    /// The next batch of pings.
    pub(crate) fn pop_pings(&self) -> Option<PingBatch> {
        let batch = self.pings.pop()?;
        // Before anybody is told of the room.
        self.waiting_pings.fetch_sub(batch.pings.len(), Ordering::SeqCst);
        self.ping_room.wake();
        Some(batch)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.duress.items.is_empty() && self.door.items.is_empty() && self.pings.is_empty()
    }

    /// Who is woken when something comes. The caller looks once more after it has registered.
    pub(crate) fn register_shard(&self, waker: &Waker) {
        self.shard.register(waker);
    }

    /// From now on nothing is taken; what waits is still drained.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.duress.room.close();
        self.door.room.close();
        self.ping_room.wake();
        self.shard.wake();
    }

    /// Whether [`Lanes::close`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// What waits on the duress, door and ping lanes.
    pub(crate) fn depths(&self) -> [usize; 3] {
        [self.duress.items.len(), self.door.items.len(), self.pings.len()]
    }
}

/// A bounded queue with one reader, and writers that wait in the order in which they came.
#[derive(Debug)]
struct Queue<T> {
    items: ArrayQueue<T>,
    /// A permit a free place. Giving one back takes a lock that nobody else holds while there is room.
    room: Semaphore,
}

impl<T> Queue<T> {
    fn new(capacity: usize) -> Queue<T> {
        Queue { items: ArrayQueue::new(capacity), room: Semaphore::new(capacity) }
    }

    fn pop(&self) -> Option<T> {
        let item = self.items.pop()?;
        self.room.add_permits(1);
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ach_actors_model::{Ping, SourceRef, TagRef, Timestamp};
    use ach_geo::Position;

    use super::*;

    fn epoch(epoch: u32) -> Input {
        Input::OpenEpoch { source: SourceRef(0), epoch }
    }

    fn ticketless(number: u32) -> Ticketed {
        epoch(number).into()
    }

    fn batch(first_seq: u64) -> PingBatch {
        PingBatch {
            source: SourceRef(0),
            epoch: 1,
            first_seq,
            last_seq: first_seq,
            received_at: Timestamp(0),
            conflated_count: 0,
            refused_count: 0,
            pings: Vec::new(),
        }
    }

    #[tokio::test]
    async fn duress_comes_before_doors() {
        let lanes = Lanes::new(PING_BATCHES_MAX);
        lanes.send(Lane::Door, epoch(1)).await.unwrap();
        lanes.send(Lane::Duress, epoch(2)).await.unwrap();
        assert_eq!(lanes.depths(), [1, 1, 0]);
        assert_eq!(lanes.pop_report(), Some(ticketless(2)));
        assert_eq!(lanes.pop_report(), Some(ticketless(1)));
        assert_eq!(lanes.pop_report(), None);
        assert!(lanes.is_empty());
    }

    #[test]
    fn a_full_ping_lane_gives_the_batch_back() {
        let lanes = Arc::new(Lanes::with_capacity(1, 2));
        assert_eq!(lanes.offer_pings(batch(1)), Ok(()));
        assert_eq!(lanes.offer_pings(batch(2)), Ok(()));
        assert_eq!(lanes.offer_pings(batch(3)), Err(batch(3)));
        assert!(lanes.is_ping_lane_full());
        assert_eq!(lanes.pop_pings(), Some(batch(1)));
        assert!(!lanes.is_ping_lane_full());
    }

    #[test]
    fn the_ping_lane_is_full_of_so_many_pings_however_few_batches_they_are() {
        let lanes = Lanes::new(PING_BATCHES_MAX);
        let ping = Ping {
            tag: TagRef(1),
            seq_offset: 0,
            observed_at: Timestamp(0),
            position: Position { x_mm: 0, y_mm: 0, z_mm: None, floor: None },
            accuracy_mm: 0,
            battery_percent: None,
        };
        let large = || PingBatch { pings: vec![ping; PINGS_WAITING_MAX / 2], ..batch(1) };
        assert_eq!(lanes.offer_pings(large()), Ok(()));
        assert!(!lanes.is_ping_lane_full());
        assert_eq!(lanes.offer_pings(large()), Ok(()));
        assert!(lanes.is_ping_lane_full());
        assert_eq!(lanes.offer_pings(batch(2)), Err(batch(2)));
        assert_eq!(lanes.pop_pings(), Some(large()));
        assert_eq!(lanes.offer_pings(batch(2)), Ok(()));
        assert_eq!(lanes.depths(), [0, 0, 2]);
    }

    #[tokio::test]
    async fn a_report_waits_for_room_and_is_never_lost() {
        let lanes = Arc::new(Lanes::with_capacity(1, 1));
        let sender = tokio::spawn({
            let lanes = lanes.clone();
            async move {
                for number in 1..=1_000 {
                    lanes.send(Lane::Duress, epoch(number)).await.unwrap();
                }
            }
        });
        let mut expected = 1;
        while expected <= 1_000 {
            match lanes.pop_report() {
                Some(input) => {
                    assert_eq!(input, ticketless(expected));
                    expected += 1;
                }
                None => tokio::task::yield_now().await,
            }
        }
        sender.await.unwrap();
    }

    /// A feed that floods its lane with reports keeps nobody else's duress away.
    #[tokio::test]
    async fn who_waited_first_sends_first() {
        let lanes = Arc::new(Lanes::with_capacity(2, 1));
        let flood = tokio::spawn({
            let lanes = lanes.clone();
            async move {
                for _ in 0..1_000 {
                    lanes.send(Lane::Duress, epoch(1)).await.unwrap();
                }
            }
        });
        while lanes.duress.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let other = tokio::spawn({
            let lanes = lanes.clone();
            async move { lanes.send(Lane::Duress, epoch(2)).await }
        });
        let mut before = 0;
        loop {
            match lanes.pop_report() {
                Some(input) if input == ticketless(2) => break,
                Some(_) => before += 1,
                None => {}
            }
            tokio::task::yield_now().await;
        }
        // Those that were there, and one that waited already.
        assert!(before <= 4, "{before} of the flood came first");
        other.await.unwrap().unwrap();
        flood.abort();
    }

    #[tokio::test]
    async fn closing_wakes_who_waits() {
        let lanes = Arc::new(Lanes::with_capacity(1, 1));
        lanes.send(Lane::Door, epoch(1)).await.unwrap();
        let sender = tokio::spawn({
            let lanes = lanes.clone();
            async move { lanes.send(Lane::Door, epoch(2)).await }
        });
        tokio::task::yield_now().await;
        lanes.close();
        assert_eq!(sender.await.unwrap(), Err(LanesClosed));
        assert_eq!(lanes.pop_report(), Some(ticketless(1)));
    }
}
