//! Calls that actors want at a moment, in one order that every replica shares.
//!
//! Lazy: a deadline is never taken back. An actor that no longer wants one ignores the call, so
//! moving a deadline costs nothing until it falls due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Deadlines by moment, then by key. The moment is a plain number, because this crate knows no
/// clock.
#[derive(Debug, Clone)]
pub struct Deadlines<K> {
    heap: BinaryHeap<Reverse<(u64, K)>>,
}

impl<K: Ord> Deadlines<K> {
    /// None.
    pub fn new() -> Deadlines<K> {
        Deadlines { heap: BinaryHeap::new() }
    }

    /// Adds one.
    pub fn push(&mut self, due_at: u64, key: K) {
        self.heap.push(Reverse((due_at, key)));
    }

    /// When the next is due.
    pub fn next_due(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((due_at, _))| *due_at)
    }

    /// Takes the first one that is due by `now`. The same moment and key pushed several times
    /// comes out once.
    pub fn pop_due(&mut self, now: u64) -> Option<(u64, K)> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse(first) = self.heap.pop()?;
        while self.heap.peek().is_some_and(|Reverse(next)| *next == first) {
            self.heap.pop();
        }
        Some(first)
    }

    /// How many are waiting, repeated ones included.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is waiting.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Bytes reserved.
    pub fn reserved_bytes(&self) -> usize {
        self.heap.capacity() * size_of::<Reverse<(u64, K)>>()
    }

    /// All of them in order, repeated ones included; for comparing and for checkpoints.
    pub fn to_sorted(&self) -> Vec<(u64, K)>
    where
        K: Clone,
    {
        let mut all: Vec<(u64, K)> = self.heap.iter().map(|Reverse(one)| one.clone()).collect();
        all.sort_unstable();
        all
    }
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
}
