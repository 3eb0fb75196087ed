//! What waits for one subscriber.
//!
//! Bounded, and the publisher never waits for it. When notes gather faster than the subscriber
//! reads, they are thrown away and the subscriber is marked as behind: it is sent the open alarms
//! again once it reads. Positions are kept as the newest of each tag, so they never gather.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use ach_actors_model::{Fix, TagRef};
use bytes::Bytes;
use tokio::sync::Notify;

/// Bytes that may wait for a subscriber: 10,000 alarms of some 400 bytes, or 20 s of the fastest
/// flood of alarms we test with.
pub(crate) const SINK_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What waits.
#[derive(Debug)]
pub(crate) struct Sink {
    frames: RefCell<VecDeque<Bytes>>,
    fixes: RefCell<BTreeMap<TagRef, Fix>>,
    bytes: Cell<usize>,
    bytes_max: usize,
    missed: Cell<u64>,
    ready: Notify,
}

/// What to write next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Frames, in order.
    pub frames: VecDeque<Bytes>,
    /// Newest fixes.
    pub fixes: Vec<Fix>,
    /// How many frames were thrown away before `frames`.
    pub missed: u64,
}

impl Sink {
    /// An empty sink.
    pub(crate) fn new(bytes_max: usize) -> Sink {
        Sink {
            frames: RefCell::default(),
            fixes: RefCell::default(),
            bytes: Cell::new(0),
            bytes_max,
            missed: Cell::new(0),
            ready: Notify::new(),
        }
    }

    /// Adds a frame. Returns how many were thrown away because of it.
    pub(crate) fn push(&self, frame: Bytes) -> u64 {
        let bytes = self.bytes.get().saturating_add(frame.len());
        let mut frames = self.frames.borrow_mut();
        let is_behind = self.missed.get() > 0;
        let thrown = if bytes > self.bytes_max || is_behind {
            let thrown = u64::try_from(frames.len()).unwrap_or(u64::MAX).saturating_add(1);
            frames.clear();
            self.bytes.set(0);
            self.missed.set(self.missed.get().saturating_add(thrown));
            thrown
        } else {
            self.bytes.set(bytes);
            frames.push_back(frame);
            0
        };
        self.ready.notify_one();
        thrown
    }

    /// Adds a fix, in place of an earlier one of its tag.
    pub(crate) fn put_fix(&self, fix: Fix) {
        self.fixes.borrow_mut().insert(fix.tag, fix);
        self.ready.notify_one();
    }

    /// Takes everything, and forgets that anything was missed.
    pub(crate) fn take(&self) -> Taken {
        self.bytes.set(0);
        Taken {
            frames: std::mem::take(&mut *self.frames.borrow_mut()),
            fixes: std::mem::take(&mut *self.fixes.borrow_mut()).into_values().collect(),
            missed: self.missed.replace(0),
        }
    }

    /// Waits until there may be something.
    pub(crate) async fn ready(&self) {
        self.ready.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Timestamp;
    use ach_geo::Position;

    use super::*;

    fn fix(tag: u32, at: u64) -> Fix {
        Fix {
            tag: TagRef(tag),
            position: Position { x_mm: 0, y_mm: 0, z_mm: None, floor: None },
            accuracy_mm: 0,
            observed_at: Timestamp(at),
            received_at: Timestamp(at),
        }
    }

    #[test]
    fn frames_come_in_order() {
        let sink = Sink::new(100);
        assert_eq!(sink.push(Bytes::from_static(b"one")), 0);
        assert_eq!(sink.push(Bytes::from_static(b"two")), 0);
        let taken = sink.take();
        assert_eq!(taken.frames, ["one", "two"]);
        assert_eq!(taken.missed, 0);
        assert_eq!(sink.take(), Taken::default());
    }

    #[test]
    fn a_reader_that_is_behind_is_told_how_much_it_missed_and_starts_clean() {
        let sink = Sink::new(8);
        assert_eq!(sink.push(Bytes::from_static(b"first")), 0);
        assert_eq!(sink.push(Bytes::from_static(b"second")), 2);
        assert_eq!(sink.push(Bytes::from_static(b"3")), 1, "nothing after a gap");
        let taken = sink.take();
        assert_eq!((taken.frames.len(), taken.missed), (0, 3));
        assert_eq!(sink.push(Bytes::from_static(b"fresh")), 0);
        assert_eq!(sink.take().frames, ["fresh"]);
    }

    #[test]
    fn of_each_tag_the_newest_position_waits() {
        let sink = Sink::new(8);
        for at in 0..1_000 {
            sink.put_fix(fix(1, at));
            sink.put_fix(fix(2, at));
        }
        assert_eq!(sink.take().fixes, [fix(1, 999), fix(2, 999)]);
    }
}
