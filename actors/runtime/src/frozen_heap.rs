//! A heap that is taken from without moving anything in it, so that who tells of it by place goes on
//! where it was.
//!
//! A binary heap is a tree in an array. Taking from it moves its last element to the top and down
//! again. Here a small heap beside it holds the edge of the tree instead: what may be the next. Taking
//! one puts its two children there. So freezing costs nothing, whatever the size, and taking costs what
//! it always does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const WORD_BITS: usize = 64;

/// The heap.
#[derive(Debug, Clone)]
pub(crate) struct FrozenHeap<T> {
    /// As a heap lies in memory: none before its parent.
    items: Vec<Reverse<T>>,
    /// The places whose parents were taken, the first first.
    edge: BinaryHeap<Reverse<(T, usize)>>,
    /// A bit a place that was taken.
    taken: Vec<u64>,
}

impl<T: Ord + Clone> FrozenHeap<T> {
    /// What was a [`BinaryHeap`] until now.
    pub(crate) fn new(items: Vec<Reverse<T>>) -> FrozenHeap<T> {
        let taken = vec![0; items.len().div_ceil(WORD_BITS)];
        let mut heap = FrozenHeap { items, edge: BinaryHeap::new(), taken };
        heap.reach(0);
        heap
    }

    fn reach(&mut self, place: usize) {
        if let Some(Reverse(item)) = self.items.get(place) {
            self.edge.push(Reverse((item.clone(), place)));
        }
    }

    /// The first.
    pub(crate) fn peek(&self) -> Option<&T> {
        self.edge.peek().map(|Reverse((item, _))| item)
    }

    /// Takes the first, and says its place.
    pub(crate) fn pop(&mut self) -> Option<usize> {
        let Reverse((_, place)) = self.edge.pop()?;
        if let Some(word) = self.taken.get_mut(place / WORD_BITS) {
            *word |= 1 << (place % WORD_BITS);
        }
        self.reach(2 * place + 1);
        self.reach(2 * place + 2);
        Some(place)
    }

    /// Tells those from a place on that were not taken, at most `count_max`. Says the place to go on
    /// from, none after the last, and how many were told.
    pub(crate) fn tell(
        &self,
        from: usize,
        count_max: usize,
        each: &mut impl FnMut(&T),
    ) -> (Option<usize>, usize) {
        let (mut place, mut count) = (from, 0);
        while let Some(Reverse(item)) = self.items.get(place) {
            let taken = self.taken.get(place / WORD_BITS).copied().unwrap_or(0);
            // Of many that were taken, as after an outage, 64 are passed at a time.
            if taken == u64::MAX {
                place = (place / WORD_BITS + 1) * WORD_BITS;
                continue;
            }
            if taken & (1 << (place % WORD_BITS)) == 0 {
                if count == count_max {
                    return (Some(place), count);
                }
                each(item);
                count += 1;
            }
            place += 1;
        }
        (None, count)
    }

    /// Bytes reserved.
    pub(crate) fn reserved_bytes(&self) -> usize {
        self.items.capacity() * size_of::<Reverse<T>>()
            + self.edge.capacity() * size_of::<Reverse<(T, usize)>>()
            + self.taken.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_frozen_heap_gives_what_the_heap_would_and_tells_the_rest_in_place() {
        for seed in 0..200 {
            println!("seed {seed}");
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let len = rng.random_range(0..300);
            let mut plain: BinaryHeap<Reverse<u16>> =
                (0..len).map(|_| Reverse(rng.random_range(0..100))).collect();
            let mut frozen = FrozenHeap::new(plain.clone().into_vec());
            let places = frozen.items.clone();
            for _ in 0..len {
                assert_eq!(frozen.peek(), plain.peek().map(|Reverse(item)| item));
                let place = frozen.pop().unwrap();
                assert_eq!(Some(places[place]), plain.pop());
                let (mut told, mut from) = (Vec::new(), Some(0));
                while let Some(place) = from {
                    let count_max = rng.random_range(1..40);
                    let (next, count) = frozen.tell(place, count_max, &mut |item| told.push(*item));
                    assert!(count <= count_max);
                    from = next;
                }
                told.sort_unstable();
                let mut rest: Vec<u16> = plain.iter().map(|Reverse(item)| *item).collect();
                rest.sort_unstable();
                assert_eq!(told, rest);
            }
            assert_eq!(frozen.peek(), None);
            assert_eq!(frozen.pop(), None);
        }
    }
}
