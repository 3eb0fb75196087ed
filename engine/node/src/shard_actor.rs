//! Gives a shard its thread: an actix actor whose one future drains the lanes.
//!
//! The future works for one batch of pings, or until an entry has an alarm, then lets the thread's
//! other tasks run: with one thread, those are the sessions, which send the alarm. There the publisher
//! brings it to them within the same turn. The future sleeps on the lanes' waker and on the next deadline;
//! no timer lies on the way of an alarm that a report causes.
//!
//! `actix` does not restart an actor that panicked, and a shard whose state is half changed must not
//! go on. A panic in an entity is caught inside `Shard::step`; one that gets out ends the node:
//! [`Failure`] tells the process, which stops loudly and comes back by replaying the journal.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

use crate::give_way::give_way;
use crate::lanes::Lanes;
use crate::ping_buffer::BATCH_PINGS_MAX;
use crate::planted::{PlantedBug, is_planted};
use crate::publisher::SharedPublisher;
use crate::shard_worker::{HEARTBEAT_NS, ShardWorker, Turned};

/// Turns a poll, for entries without pings and without alarms.
const TURNS_A_POLL_MAX: usize = 16;

/// How much later than a deadline the shard may wake for it; the runtime's timers tick a millisecond.
const WAKE_TOLERANCE: Duration = Duration::from_micros(100);

/// How often a shard into which that bug is planted looks whether history still writes.
const HISTORY_LOOK_EVERY: Duration = Duration::from_millis(10);

/// How a shard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShardState {
    /// It works.
    Running,
    /// It was asked to end, has drained its lanes and closed its journal.
    Drained,
    /// It panicked.
    Failed,
}

/// The actor.
#[derive(Debug)]
pub(crate) struct ShardActor {
    drive: Option<Drive>,
}

impl ShardActor {
    /// An actor for a worker. `state` tells how it ends.
    pub(crate) fn new(worker: ShardWorker, state: watch::Sender<ShardState>) -> ShardActor {
        let drive = Drive {
            lanes: worker.lanes().clone(),
            worker,
            state,
            publisher: None,
            sleep: None,
            heartbeat: None,
            is_closing: false,
            is_stored: false,
            is_over: false,
        };
        ShardActor { drive: Some(drive) }
    }

    /// The same, with a publisher on the same thread, to whom an alarm is given at once.
    pub(crate) fn beside(self, publisher: SharedPublisher) -> ShardActor {
        let mut beside = self;
        if let Some(drive) = &mut beside.drive {
            drive.publisher = Some(publisher);
        }
        beside
    }
}

impl Actor for ShardActor {
    type Context = actix::Context<ShardActor>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(drive) = self.drive.take() {
            ctx.spawn(drive.into_actor(self).map(|(), _, ctx| ctx.stop()));
        }
    }
}

/// So long a node that ends waits for its history, which has low priority and may be behind. What it
/// does not write now it takes from the journal at the next start.
const HISTORY_END_WITHIN: Duration = Duration::from_secs(3);

/// The future that is the shard's life.
#[derive(Debug)]
struct Drive {
    worker: ShardWorker,
    lanes: Arc<Lanes>,
    state: watch::Sender<ShardState>,
    publisher: Option<SharedPublisher>,
    sleep: Option<Pin<Box<Sleep>>>,
    heartbeat: Option<Instant>,
    is_closing: bool,
    /// The disk has everything.
    is_stored: bool,
    is_over: bool,
}

impl Drop for Drive {
    fn drop(&mut self) {
        if !self.is_over {
            let why = if self.is_closing { "could not store all in time" } else { "has failed" };
            tracing::error!("the shard {why}; the node stops and recovers from its journal");
            self.lanes.close();
            self.state.send_replace(ShardState::Failed);
        }
    }
}

impl Future for Drive {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let drive = &mut *self;
        drive.lanes.register_shard(cx.waker());
        if drive.is_closing {
            return drive.finish(cx);
        }
        if is_planted(PlantedBug::ShardWaitsForHistory) && drive.worker.is_history_stalled() {
            return drive.wait_for_history(cx);
        }
        let mut pings_left = BATCH_PINGS_MAX;
        for _ in 0..TURNS_A_POLL_MAX {
            drive.beat();
            match drive.worker.turn() {
                Turned::Idle | Turned::Told
                    if drive.lanes.is_closed() && drive.lanes.is_empty() =>
                {
                    return drive.finish(cx);
                }
                Turned::Stepped { has_alarm: true, .. } => {
                    drive.bring();
                    break;
                }
                Turned::Choked | Turned::Told => break,
                Turned::Stepped { pings, has_alarm: false } => {
                    pings_left = pings_left.saturating_sub(pings);
                    if pings_left == 0 {
                        break;
                    }
                }
                Turned::Idle => return drive.wait(cx),
            }
        }
        give_way(cx);
        Poll::Pending
    }
}

impl Drive {
    /// Brings an alarm to its subscribers without another task's turn between. What is left over the
    /// publisher does in its own, for which it was woken.
    fn bring(&self) {
        if let Some(publisher) = &self.publisher {
            publisher.borrow_mut().work();
        }
    }

    fn beat(&mut self) {
        let now = Instant::now();
        if self.heartbeat.is_none_or(|at| at <= now) {
            self.heartbeat = Some(now + Duration::from_nanos(HEARTBEAT_NS));
            self.worker.heartbeat();
        }
    }

    /// Sleeps until something comes or is due. The waker is registered already, and the lanes were
    /// empty after that.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let due = self.worker.until_due_ns().map(|ns| now + Duration::from_nanos(ns));
        let wake_at = due.into_iter().chain(self.heartbeat).min().unwrap_or(now);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(wake_at)));
        // A timer that is set a little later than it could be, or rings too early once, is left alone:
        // moving it after every ping would cost as much as the ping.
        let is_late = wake_at + WAKE_TOLERANCE < sleep.deadline();
        if is_late || sleep.is_elapsed() {
            sleep.as_mut().reset(wake_at);
        }
        if sleep.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Does nothing as long as a writing of history takes its time: a bug that is planted.
    fn wait_for_history(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let look_at = Instant::now() + HISTORY_LOOK_EVERY;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(look_at)));
        sleep.as_mut().reset(look_at);
        if sleep.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Ends when the disk has everything. Meanwhile the thread's other tasks go on.
    fn finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_closing {
            self.is_closing = true;
            self.worker.begin_close();
        }
        if !self.is_stored {
            if self.worker.poll_closed(cx).is_pending() {
                return Poll::Pending;
            }
            self.is_stored = true;
            self.sleep = Some(Box::pin(tokio::time::sleep(HISTORY_END_WITHIN)));
        }
        if self.worker.poll_remembered(cx).is_pending() {
            let waited = self.sleep.as_mut().is_none_or(|sleep| sleep.as_mut().poll(cx).is_ready());
            if !waited {
                return Poll::Pending;
            }
            tracing::warn!(
                "history did not end in time; it goes on from the journal at the next start"
            );
        }
        self.is_over = true;
        tracing::info!(last_index = self.worker.last_index(), "the shard is drained");
        self.state.send_replace(ShardState::Drained);
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use ach_engine_shard::{Input, Shard};

    use super::*;
    use crate::clock::{ShardClock, SystemClock};
    use crate::commit_mark::CommitMark;
    use crate::committer::Committer;
    use crate::lanes::PING_BATCHES_MAX;
    use crate::outlet::{Outlet, Spout};
    use crate::scribe::Scribe;
    use crate::shard_worker::ShardParts;

    /// A worker whose first entry will be number `last_index` + 1. Anything but number 1 makes the
    /// shard panic, as a bug in it would.
    fn started(last_index: u64) -> (Arc<Lanes>, watch::Receiver<ShardState>) {
        let lanes = Arc::new(Lanes::new(PING_BATCHES_MAX));
        let mark = Arc::new(CommitMark::at(last_index));
        let counters = Arc::default();
        let worker = ShardWorker::new(ShardParts {
            shard: Shard::new(),
            lanes: lanes.clone(),
            clock: Arc::new(ShardClock::start(Arc::new(SystemClock::default()), None)),
            committer: Committer::absent(mark.clone(), Arc::clone(&counters)),
            mark,
            spout: Spout::new(Arc::new(Outlet::new())),
            scribe: Scribe::absent(),
            history: None,
            counters,
            gauge: Arc::default(),
            last_index,
            last_at: ach_actors_model::Timestamp(0),
            site_version: 0,
        });
        let (state, states) = watch::channel(ShardState::Running);
        ShardActor::new(worker, state).start();
        (lanes, states)
    }

    async fn ends_as(last_index: u64, expected: ShardState) {
        let (lanes, mut states) = started(last_index);
        lanes.send(ach_actors_model::Lane::Door, Input::Tick).await.unwrap();
        tokio::task::yield_now().await;
        lanes.close();
        let ended = *states.wait_for(|state| *state != ShardState::Running).await.unwrap();
        assert_eq!(ended, expected);
        assert!(lanes.is_closed());
    }

    #[actix::test]
    async fn a_shard_that_is_closed_drains_its_lanes() {
        ends_as(0, ShardState::Drained).await;
    }

    #[actix::test]
    async fn a_panic_that_gets_out_of_a_shard_is_told() {
        ends_as(5, ShardState::Failed).await;
    }
}
