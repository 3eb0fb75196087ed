//! Who gives pings to the shard next, when there is more than the lane takes.
//!
//! Sessions whose pings wait stand in line. The first gives a batch when the lane has room, and goes to
//! the end. So a feed of ten pings a second waits for one batch of each flood beside it, not for all that
//! they have (LOAD-3). A session that reads on while it stands in line keeps its place; it waits for nothing
//! else but its peer, and comes back.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::lanes::{Lanes, LanesClosed};
use crate::ping_buffer::PingBuffer;

/// The line, of sessions on one thread. As long as there are connections of vendors.
#[derive(Debug)]
pub(crate) struct PingLine {
    lanes: Arc<Lanes>,
    waiters: RefCell<VecDeque<Waiter>>,
    next_key: Cell<u64>,
}

#[derive(Debug)]
struct Waiter {
    key: u64,
    /// Nobody before it has waited; nobody new while it reads on.
    waker: Option<Waker>,
}

/// A session's place, in line from when it first waits until it has nothing left.
#[derive(Debug)]
pub(crate) struct Place {
    line: Rc<PingLine>,
    key: u64,
}

impl PingLine {
    /// Nobody waits yet.
    pub(crate) fn new(lanes: Arc<Lanes>) -> Rc<PingLine> {
        Rc::new(PingLine { lanes, waiters: RefCell::default(), next_key: Cell::new(0) })
    }

    /// A place for a session, which is not in line yet.
    pub(crate) fn place(self: &Rc<PingLine>) -> Place {
        let key = self.next_key.get();
        self.next_key.set(key.wrapping_add(1));
        Place { line: self.clone(), key }
    }

    /// Whether nobody stands before this one.
    fn is_first(&self, key: u64) -> bool {
        self.waiters.borrow().front().is_none_or(|it| it.key == key)
    }

    /// Has the first look for room, and see that it is told of some.
    fn wake_first(&self) {
        let waiters = self.waiters.borrow();
        if let Some(waker) = waiters.front().and_then(|it| it.waker.as_ref()) {
            waker.wake_by_ref();
        }
    }
}

impl Place {
    /// Waits until it is first in line and the lane has room, or the lanes are closed.
    pub(crate) async fn room(&self) -> Result<(), LanesClosed> {
        poll_fn(|cx| self.poll_room(cx)).await
    }

    fn poll_room(&self, cx: &Context<'_>) -> Poll<Result<(), LanesClosed>> {
        let lanes = &self.line.lanes;
        self.join(Some(cx.waker()));
        if self.line.is_first(self.key) {
            // Before it looks: the shard may take something meanwhile.
            lanes.register_ping_room(cx.waker());
        }
        if lanes.is_closed() {
            return Poll::Ready(Err(LanesClosed));
        }
        if self.has_turn() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Stands in line, at the end if it did not before.
    fn join(&self, waker: Option<&Waker>) {
        let mut waiters = self.line.waiters.borrow_mut();
        if let Some(waiter) = waiters.iter_mut().find(|it| it.key == self.key) {
            waiter.waker = waker.or(waiter.waker.as_ref()).cloned();
        } else {
            waiters.push_back(Waiter { key: self.key, waker: waker.cloned() });
        }
    }

    /// Whether it may give a batch now.
    fn has_turn(&self) -> bool {
        self.line.is_first(self.key) && !self.line.lanes.is_ping_lane_full()
    }

    /// It gave a batch: the others come first.
    fn go_behind(&self) {
        let mut waiters = self.line.waiters.borrow_mut();
        let at = waiters.iter().position(|it| it.key == self.key);
        if let Some(waiter) = at.and_then(|at| waiters.remove(at)) {
            waiters.push_back(waiter);
        }
    }

    fn leave(&self) {
        self.line.waiters.borrow_mut().retain(|it| it.key != self.key);
    }

    /// Gives batches of a session's pings, while the lane has room and it is its turn; what has to wait may
    /// give way to what is newer. Says up to which number the shard was given pings.
    pub(crate) fn fill(&self, pings: &mut PingBuffer) -> Option<u64> {
        let mut sent_through = None;
        while self.has_turn() {
            let Some(batch) = pings.take() else { break };
            let last_seq = batch.last_seq;
            // Only this thread puts batches on the lane, so there is still room.
            if self.line.lanes.offer_pings(batch).is_err() {
                tracing::error!(
                    "the ping lane was full after all; this is a bug, please report it"
                );
                break;
            }
            sent_through = Some(last_seq);
            self.go_behind();
        }
        if pings.is_empty() {
            self.leave();
        } else {
            self.join(None);
            pings.conflate();
        }
        self.line.wake_first();
        sent_through
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
        self.line.wake_first();
    }
}

#[cfg(test)]
mod tests;
