//! Calls that actors want at a moment, in one order that every replica shares.
//!
//! Lazy: a deadline is never taken back. An actor that no longer wants one ignores the call, so
//! moving a deadline costs nothing until it falls due.
//!
//! ```text
//! bit   63 .. 32        31 .. 0
//!       which slot      place in the slot's heap
//! ```
//!
//! Each slot of time has a heap of its own: small enough for a cache, and a deadline in it need not
//! repeat which slot it is in.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A slot is four seconds, if the moments are nanoseconds: tags by the thousand share one.
const SLOT_BITS: u32 = 32;
/// A heap that is full grows by this share of itself, so that little of it is empty.
const GROWTH_SHARE: usize = 8;
const GROWTH_MIN: usize = 4;

/// Deadlines of one slot.
type Slot<K> = BinaryHeap<Reverse<(u32, K)>>;

/// Deadlines by moment, then by key. The moment is a plain number, because this crate knows no
/// clock.
#[derive(Debug, Clone)]
pub struct Deadlines<K> {
    /// None is empty.
    slots: BTreeMap<u32, Slot<K>>,
    count: usize,
}

impl<K: Ord> Deadlines<K> {
    /// None.
    pub fn new() -> Deadlines<K> {
        Deadlines { slots: BTreeMap::new(), count: 0 }
    }

    /// Adds one.
    pub fn push(&mut self, due_at: u64, key: K) {
        let (slot, place) = split(due_at);
        let heap = self.slots.entry(slot).or_default();
        if heap.len() == heap.capacity() {
            heap.reserve_exact((heap.len() / GROWTH_SHARE).max(GROWTH_MIN));
        }
        heap.push(Reverse((place, key)));
        self.count += 1;
    }

    /// When the next is due.
    pub fn next_due(&self) -> Option<u64> {
        let (slot, heap) = self.slots.first_key_value()?;
        heap.peek().map(|Reverse((place, _))| joined(*slot, *place))
    }

    /// Takes the first one that is due by `now`. The same moment and key pushed several times
    /// comes out once.
    pub fn pop_due(&mut self, now: u64) -> Option<(u64, K)> {
        if self.next_due()? > now {
            return None;
        }
        let mut entry = self.slots.first_entry()?;
        let slot = *entry.key();
        let heap = entry.get_mut();
        let Reverse(first) = heap.pop()?;
        self.count -= 1;
        while heap.peek().is_some_and(|Reverse(next)| *next == first) {
            heap.pop();
            self.count -= 1;
        }
        if heap.is_empty() {
            entry.remove();
        }
        let (place, key) = first;
        Some((joined(slot, place), key))
    }

    /// How many are waiting, repeated ones included.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none is waiting.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes reserved.
    pub fn reserved_bytes(&self) -> usize {
        let waiting: usize = self.slots.values().map(BinaryHeap::capacity).sum();
        waiting * size_of::<Reverse<(u32, K)>>() + self.slots.len() * size_of::<(u32, Slot<K>)>()
    }

    /// All of them in order, repeated ones included; for comparing and for checkpoints.
    pub fn to_sorted(&self) -> Vec<(u64, K)>
    where
        K: Clone,
    {
        let mut all = Vec::with_capacity(self.count);
        for (slot, heap) in &self.slots {
            let due =
                |Reverse((place, key)): &Reverse<(u32, K)>| (joined(*slot, *place), key.clone());
            all.extend(heap.iter().map(due));
        }
        all.sort_unstable();
        all
    }
}

/// The slot of a moment, and the place in it.
fn split(due_at: u64) -> (u32, u32) {
    let narrow = |half: u64| u32::try_from(half & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    (narrow(due_at >> SLOT_BITS), narrow(due_at))
}

fn joined(slot: u32, place: u32) -> u64 {
    (u64::from(slot) << SLOT_BITS) | u64::from(place)
}

impl<K: Ord> Default for Deadlines<K> {
    fn default() -> Deadlines<K> {
        Deadlines::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pushed: &[(u64, &'static str)], now: u64, expected: &[(u64, &'static str)]) {
        let mut deadlines = Deadlines::new();
        for &(due_at, key) in pushed {
            deadlines.push(due_at, key);
        }
        let fired: Vec<_> = std::iter::from_fn(|| deadlines.pop_due(now)).collect();
        assert_eq!(fired, expected);
        assert!(deadlines.next_due().is_none_or(|due_at| due_at > now));
    }

    #[test]
    fn what_is_due_fires_by_moment_then_key_and_once() {
        check(&[], 9, &[]);
        check(&[(5, "b"), (3, "z"), (5, "a"), (6, "a")], 5, &[(3, "z"), (5, "a"), (5, "b")]);
        check(&[(5, "a"), (5, "a"), (5, "b"), (5, "a")], 5, &[(5, "a"), (5, "b")]);
        check(&[(5, "a")], 4, &[]);
        check(&[(u64::MAX, "a"), (0, "b")], u64::MAX, &[(0, "b"), (u64::MAX, "a")]);
    }

    #[test]
    fn slots_come_one_after_the_other() {
        const SLOT: u64 = 1 << SLOT_BITS;
        check(
            &[(SLOT, "c"), (SLOT - 1, "z"), (2 * SLOT + 1, "a"), (1, "b"), (SLOT, "b")],
            2 * SLOT,
            &[(1, "b"), (SLOT - 1, "z"), (SLOT, "b"), (SLOT, "c")],
        );
    }

    #[test]
    fn what_waits_is_counted_and_told_in_order() {
        let mut deadlines = Deadlines::new();
        let mut expected: Vec<(u64, u32)> = (0..3_000_u32)
            .map(|key| (u64::from(key.wrapping_mul(2_654_435_761) >> 8) << 12, key % 7))
            .collect();
        for &(due_at, key) in &expected {
            deadlines.push(due_at, key);
        }
        expected.sort_unstable();
        assert_eq!(deadlines.to_sorted(), expected);
        assert_eq!(deadlines.len(), expected.len());
        // Eight bytes each, an eighth to spare, and what the slots take.
        assert!(deadlines.reserved_bytes() < expected.len() * 10, "{}", deadlines.reserved_bytes());
        expected.dedup();
        let fired: Vec<_> = std::iter::from_fn(|| deadlines.pop_due(u64::MAX)).collect();
        assert_eq!(fired, expected);
        assert!(deadlines.is_empty() && deadlines.reserved_bytes() == 0);
    }
}
