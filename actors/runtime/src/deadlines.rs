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
//! repeat which slot it is in. A heap that is taken from while an image of it is told stays as it lies
//! in memory (`frozen_heap`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::frozen_heap::FrozenHeap;

/// A slot is four seconds, if the moments are nanoseconds: tags by the thousand share one.
const SLOT_BITS: u32 = 32;
/// A heap that is full grows by this share of itself, so that little of it is empty.
const GROWTH_SHARE: usize = 8;
const GROWTH_MIN: usize = 4;

/// Deadlines of one slot.
#[derive(Debug, Clone)]
enum Slot<K> {
    Growing(BinaryHeap<Reverse<(u32, K)>>),
    /// Nothing is added any more, and what is told of it keeps its place.
    Frozen(FrozenHeap<(u32, K)>),
}

impl<K: Ord + Clone> Slot<K> {
    fn peek(&self) -> Option<&(u32, K)> {
        match self {
            Slot::Growing(heap) => heap.peek().map(|Reverse(first)| first),
            Slot::Frozen(heap) => heap.peek(),
        }
    }

    /// Takes the first, and says its place if it has one that lasts.
    fn pop(&mut self) -> Option<usize> {
        match self {
            Slot::Growing(heap) => {
                heap.pop();
                None
            }
            Slot::Frozen(heap) => heap.pop(),
        }
    }

    fn is_empty(&self) -> bool {
        self.peek().is_none()
    }

    /// Makes the places last. Costs nothing, however many there are.
    fn freeze(&mut self) {
        if let Slot::Growing(heap) = self {
            *self = Slot::Frozen(FrozenHeap::new(std::mem::take(heap).into_vec()));
        }
    }

    /// Tells those from a place on, at most `count_max`, and says the place to go on from and how many
    /// were told; no place when that was all.
    fn tell(
        &self,
        from: usize,
        count_max: usize,
        each: &mut impl FnMut(&(u32, K)),
    ) -> (Option<usize>, usize) {
        match self {
            Slot::Growing(heap) => {
                let rest = heap.as_slice().iter().skip(from).take(count_max);
                let count = rest.len();
                rest.for_each(|Reverse(one)| each(one));
                let next = from + count;
                ((next < heap.len()).then_some(next), count)
            }
            Slot::Frozen(heap) => heap.tell(from, count_max, each),
        }
    }

    fn reserved_bytes(&self) -> usize {
        match self {
            Slot::Growing(heap) => heap.capacity() * size_of::<Reverse<(u32, K)>>(),
            Slot::Frozen(heap) => heap.reserved_bytes(),
        }
    }
}

/// Deadlines by moment, then by key. The moment is a plain number, because this crate knows no
/// clock.
#[derive(Debug, Clone)]
pub struct Deadlines<K> {
    /// By slot and generation. None is empty.
    slots: BTreeMap<(u32, u32), Slot<K>>,
    count: usize,
    /// The generation that is added to. Each image begins another, so that what it is of only
    /// shrinks, from the front.
    generation: u32,
    imaging: Option<Imaging<K>>,
}

/// How far an image is: what came before the next place was told, and what was taken from behind it is
/// copied to be told.
#[derive(Debug, Clone)]
struct Imaging<K> {
    /// The youngest generation of the image.
    youngest: u32,
    /// The slot and generation to go on in, and the place in its heap.
    next: ((u32, u32), usize),
    copies: Vec<(u64, K)>,
    is_over: bool,
}

impl<K: Ord + Clone> Deadlines<K> {
    /// None.
    pub fn new() -> Deadlines<K> {
        Deadlines { slots: BTreeMap::new(), count: 0, generation: 0, imaging: None }
    }

    /// Adds one.
    pub fn push(&mut self, due_at: u64, key: K) {
        let (slot, place) = split(due_at);
        let growing = || Slot::Growing(BinaryHeap::new());
        let slot = self.slots.entry((slot, self.generation)).or_insert_with(growing);
        let Slot::Growing(heap) = slot else {
            unreachable!("only what is older than the generation that is added to is frozen")
        };
        if heap.len() == heap.capacity() {
            heap.reserve_exact((heap.len() / GROWTH_SHARE).max(GROWTH_MIN));
        }
        heap.push(Reverse((place, key)));
        self.count += 1;
    }

    /// The heaps of the first slot, of all generations.
    fn first_slot(&self) -> impl Iterator<Item = (&(u32, u32), &Slot<K>)> {
        let first = self.slots.keys().next().map_or(0, |(slot, _)| *slot);
        self.slots.range((first, u32::MIN)..=(first, u32::MAX))
    }

    /// When the next is due.
    pub fn next_due(&self) -> Option<u64> {
        let peek = |((slot, _), heap): (&(u32, u32), &Slot<K>)| {
            heap.peek().map(|(place, _)| joined(*slot, *place))
        };
        self.first_slot().filter_map(peek).min()
    }

    /// Takes the first one that is due by `now`. The same moment and key pushed several times
    /// comes out once.
    pub fn pop_due(&mut self, now: u64) -> Option<(u64, K)> {
        if self.next_due()? > now {
            return None;
        }
        let peek =
            |(at, heap): (&(u32, u32), &Slot<K>)| heap.peek().map(|first| (first.clone(), *at));
        let (first, (slot, _)) = self.first_slot().filter_map(peek).min()?;
        let due_at = joined(slot, first.0);
        let mut imaging = self.imaging.as_mut().filter(|imaging| !imaging.is_over);
        let heaps = self.slots.range_mut((slot, u32::MIN)..=(slot, u32::MAX));
        let mut has_empty = false;
        for (at, heap) in heaps {
            let mut untold = imaging.as_deref_mut().filter(|imaging| at.1 <= imaging.youngest);
            while heap.peek().is_some_and(|next| *next == first) {
                if untold.is_some() {
                    heap.freeze();
                }
                let place = heap.pop();
                self.count -= 1;
                if let Some(imaging) = &mut untold
                    && place.is_some_and(|place| (*at, place) >= imaging.next)
                {
                    imaging.copies.push((due_at, first.1.clone()));
                }
            }
            has_empty |= heap.is_empty();
        }
        if has_empty {
            let all = self.slots.range((slot, u32::MIN)..=(slot, u32::MAX));
            let empty: Vec<(u32, u32)> =
                all.filter(|(_, heap)| heap.is_empty()).map(|(at, _)| *at).collect();
            for at in empty {
                self.slots.remove(&at);
            }
        }
        Some((due_at, first.1))
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
        let waiting: usize = self.slots.values().map(Slot::reserved_bytes).sum();
        waiting + self.slots.len() * size_of::<((u32, u32), Slot<K>)>()
    }

    /// All of them in order, repeated ones included; for comparing.
    pub fn to_sorted(&self) -> Vec<(u64, K)> {
        let mut all = Vec::with_capacity(self.count);
        for ((slot, _), heap) in &self.slots {
            let mut from = Some(0);
            while let Some(place) = from {
                (from, _) = heap.tell(place, usize::MAX, &mut |(place, key)| {
                    all.push((joined(*slot, *place), key.clone()));
                });
            }
        }
        all.sort_unstable();
        all
    }

    /// Begins an image of all that wait now.
    ///
    /// # Panics
    ///
    /// At the four thousand millionth image of one value.
    pub fn begin_image(&mut self) {
        let (youngest, next) = (self.generation, ((0, 0), 0));
        self.imaging = Some(Imaging { youngest, next, copies: Vec::new(), is_over: false });
        assert!(self.generation < u32::MAX, "an image a second is made for 136 years");
        self.generation += 1;
    }

    /// Tells `each` of what was taken before it was told, at most `count_max`, and says how many.
    pub fn image_copies(&mut self, count_max: usize, each: &mut impl FnMut(u64, &K)) -> usize {
        let Some(imaging) = &mut self.imaging else { return 0 };
        let mut count = 0;
        while count < count_max
            && let Some((due_at, key)) = imaging.copies.pop()
        {
            each(due_at, &key);
            count += 1;
        }
        count
    }

    /// Tells `each` of the next ones of the image, at most `count_max`, and says how many.
    pub fn image(&mut self, count_max: usize, each: &mut impl FnMut(u64, &K)) -> usize {
        let mut count = self.image_copies(count_max, each);
        let Some(imaging) = &mut self.imaging else { return count };
        while count < count_max && !imaging.is_over {
            let (at, from) = imaging.next;
            let mut rest = self.slots.range(at..);
            let Some((&found, heap)) = rest.find(|((_, of), _)| *of <= imaging.youngest) else {
                imaging.is_over = true;
                break;
            };
            let from = if found == at { from } else { 0 };
            let (next, told) = heap.tell(from, count_max - count, &mut |(place, key)| {
                each(joined(found.0, *place), key);
            });
            count += told;
            imaging.next = next.map_or((after(found), 0), |next| (found, next));
        }
        count
    }

    /// How many were taken before they were told, and wait to be.
    pub fn copy_count(&self) -> usize {
        self.imaging.as_ref().map_or(0, |imaging| imaging.copies.len())
    }

    /// Whether the image is whole, or none is under way.
    pub fn is_imaged(&self) -> bool {
        self.imaging.as_ref().is_none_or(|imaging| imaging.is_over && imaging.copies.is_empty())
    }

    /// Ends the image, whole or not.
    pub fn end_image(&mut self) {
        self.imaging = None;
    }
}

/// The next slot and generation there can be.
fn after((slot, generation): (u32, u32)) -> (u32, u32) {
    match generation.checked_add(1) {
        Some(generation) => (slot, generation),
        None => (slot.saturating_add(1), 0),
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

impl<K: Ord + Clone> Default for Deadlines<K> {
    fn default() -> Deadlines<K> {
        Deadlines::new()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

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

    /// An image of random deadlines, told in slices between calls and orders, holds exactly those
    /// that waited when it began; and nobody is called otherwise than without an image.
    #[test]
    fn an_image_holds_what_waited_when_it_began_whatever_comes_and_goes() {
        for seed in 0..300 {
            println!("seed {seed}");
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (mut plain, mut imaged) = (Deadlines::new(), Deadlines::new());
            let mut now = 0_u64;
            for _ in 0..3 {
                for _ in 0..rng.random_range(0..200) {
                    let due_at = now + (rng.random::<u64>() >> rng.random_range(28..40));
                    let key = rng.random_range(0..5_u32);
                    plain.push(due_at, key);
                    imaged.push(due_at, key);
                }
                let expected = imaged.to_sorted();
                imaged.begin_image();
                let mut told = Vec::new();
                while !imaged.is_imaged() {
                    for _ in 0..rng.random_range(0..20) {
                        let due_at = now + (rng.random::<u64>() >> rng.random_range(28..40));
                        plain.push(due_at, 9);
                        imaged.push(due_at, 9);
                    }
                    now += rng.random::<u64>() >> rng.random_range(31..40);
                    for _ in 0..rng.random_range(0..20) {
                        assert_eq!(imaged.pop_due(now), plain.pop_due(now));
                    }
                    let count_max = rng.random_range(1..30);
                    let mut count = 0;
                    let counted = imaged.image(count_max, &mut |due_at, &key| {
                        told.push((due_at, key));
                        count += 1;
                    });
                    assert!(counted == count && count <= count_max, "{counted} {count}");
                }
                imaged.end_image();
                told.sort_unstable();
                assert_eq!(told, expected);
                assert_eq!((imaged.len(), imaged.next_due()), (plain.len(), plain.next_due()));
            }
        }
    }

    /// However many wait in a slot, taking one of them while an image is told copies that one.
    #[test]
    fn what_is_taken_while_an_image_is_told_is_all_that_is_copied() {
        let mut deadlines = Deadlines::new();
        for key in 0..50_000_u32 {
            deadlines.push(7, key);
        }
        deadlines.begin_image();
        deadlines.image(200, &mut |_, _| {});
        let mut told = 200;
        for taken in 1..=1_000 {
            assert!(deadlines.pop_due(7).is_some());
            assert!(deadlines.copy_count() <= taken, "{} copies", deadlines.copy_count());
        }
        while !deadlines.is_imaged() {
            told += deadlines.image(200, &mut |_, _| {});
        }
        assert_eq!((told, deadlines.len()), (50_000, 49_000));
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
