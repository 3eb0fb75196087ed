//! A slab against a plain map: whatever is touched, undone and compacted, the cells are the same.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ach_actors_runtime::{CELL_COUNT_MAX, Cell, Image, Kept, Slab};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// More seats than any slab here has.
const SEAT_COUNT_MAX: u32 = 1_000;

/// A counter; odd counts have no compact form, and every fourth is packed to more or fewer bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Counter(u64);

impl Cell for Counter {
    type Saved = u64;
    type Cold = u32;

    fn save(&mut self) -> u64 {
        self.0
    }

    fn restore(&mut self, saved: u64) {
        self.0 = saved;
    }

    fn freeze(&self) -> Option<u32> {
        u32::try_from(self.0 / 2).ok().filter(|_| self.0.is_multiple_of(2))
    }

    fn thaw(cold: &u32) -> Counter {
        Counter(u64::from(*cold) * 2)
    }

    fn pack(&self, record: &mut Vec<u8>) -> bool {
        record.extend(self.0.to_le_bytes());
        record.extend((0..self.0 % 40).map(|_| 1));
        self.0.is_multiple_of(4)
    }

    fn unpack(record: &[u8]) -> Option<Counter> {
        record.first_chunk().map(|bytes| Counter(u64::from_le_bytes(*bytes)))
    }

    fn warm(&self) -> u64 {
        self.0
    }
}

fn contents(slab: &Slab<Counter>) -> BTreeMap<u32, u64> {
    (0..SEAT_COUNT_MAX).filter_map(|id| Some((id, slab.get(id)?.state().0))).collect()
}

/// Plays random inputs on a slab and on a map.
fn check(seed: u64) {
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut slab = Slab::new();
    let mut model: BTreeMap<u32, u64> = BTreeMap::new();
    slab.seat(rng.random_range(1..600));
    for _ in 0..2_000 {
        let before = model.clone();
        for _ in 0..rng.random_range(0..6) {
            let id: u16 = rng.random_range(0..700);
            let is_there = usize::from(id) < slab.seat_count();
            let cell = slab.touch(id.into(), || Counter(100));
            assert_eq!(cell.is_some(), is_there, "only seats have cells");
            if let Some(cell) = cell {
                let plus = rng.random_range(0..3);
                cell.0 += plus;
                *model.entry(id.into()).or_insert(100) += plus;
            }
        }
        if rng.random_ratio(1, 4) {
            slab.roll_back();
            model = before;
        } else {
            slab.commit();
        }
        slab.sweep(rng.random_range(0..50));
        if rng.random_ratio(1, 100) {
            slab.seat(rng.random_range(1..700));
        }
    }
    assert_eq!(contents(&slab), model);
    let counts = slab.counts();
    assert_eq!(counts.hot + counts.cold, model.len());
    assert!(counts.cold > 0, "some cells were compacted");
    let kept = (0..SEAT_COUNT_MAX).filter_map(|id| slab.get(id));
    assert!(kept.clone().any(|cell| matches!(cell, Kept::Cold(_))), "some of them as they are");
    assert!(kept.clone().any(|cell| matches!(cell, Kept::Packed(_))), "some of them to bytes");
}

/// Takes an image in slices between random inputs, and puts what it tells into another slab.
fn check_image(seed: u64) -> (usize, usize) {
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut slab = Slab::new();
    slab.seat(rng.random_range(1..600));
    let input = |slab: &mut Slab<Counter>, rng: &mut ChaCha8Rng| {
        for _ in 0..rng.random_range(0..9) {
            let id: u16 = rng.random_range(0..700);
            match rng.random_range(0..3) {
                0 => drop(slab.touch_last(id.into()).map(|cell| cell.0 += 4)),
                _ => drop(slab.touch(id.into(), || Counter(100)).map(|cell| cell.0 += 1)),
            }
        }
        if rng.random_ratio(1, 4) {
            slab.roll_back();
        } else {
            slab.commit();
        }
        slab.sweep(rng.random_range(0..50));
    };
    let (mut copy_count, mut packed) = (0, 0);
    for _ in 0..3 {
        for _ in 0..rng.random_range(0..400) {
            input(&mut slab, &mut rng);
        }
        let expected = contents(&slab);
        slab.begin_image();
        let mut again = Slab::new();
        again.seat(700);
        while !slab.is_imaged() {
            input(&mut slab, &mut rng);
            if rng.random_ratio(1, 9) {
                slab.seat(rng.random_range(1..700));
            }
            let mut put = |id: u32, image: Image<'_, Counter>| match image {
                Image::Packed(record) => {
                    packed += 1;
                    assert!(again.put_packed(id, record), "{id} is told once");
                }
                Image::Whole(cell) => assert!(again.put(id, cell.clone()), "{id} is told once"),
            };
            let copies = slab.image_copies(4, &mut put);
            let told = slab.image_seats(4, &mut put);
            assert!(copies <= 4 && told <= 4, "{copies} {told}");
            copy_count += copies;
        }
        slab.end_image();
        assert_eq!(contents(&again), expected);
        assert!(!again.put(700, Counter(1)) && !again.put_packed(0, &[]), "there is no such seat");
    }
    (copy_count, packed)
}

#[test]
fn an_image_holds_every_cell_as_it_was_when_it_began() {
    let told: Vec<(usize, usize)> = (0..60).map(check_image).collect();
    let (copy_count, packed) =
        (told.iter().map(|of| of.0).sum::<usize>(), told.iter().map(|of| of.1));
    assert!(copy_count > 100 && packed.sum::<usize>() > 100, "both ways were gone");
}

#[test]
fn an_image_that_is_given_up_leaves_the_next_one_whole() {
    let mut slab = Slab::new();
    slab.seat(100);
    for id in 0..100 {
        slab.touch(id, || Counter(3)).unwrap();
    }
    slab.commit();
    slab.begin_image();
    slab.image_seats(10, &mut |_, _| {});
    slab.touch(50, || Counter(0)).unwrap();
    slab.commit();
    assert_eq!(slab.copy_count(), 1);
    slab.end_image();
    slab.begin_image();
    let mut told = 0;
    while !slab.is_imaged() {
        slab.image_seats(30, &mut |_, _| told += 1);
    }
    assert_eq!((told, slab.copy_count()), (100, 0));
}

#[test]
fn cells_are_the_same_whatever_is_undone_or_compacted() {
    for seed in 0..8 {
        check(seed);
    }
}

#[test]
fn a_panic_in_an_input_leaves_no_trace() {
    let mut slab = Slab::new();
    slab.seat(8);
    slab.touch(1, || Counter(10)).unwrap().0 += 1;
    slab.commit();
    let before = contents(&slab);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        slab.touch(1, || Counter(0)).unwrap().0 += 5;
        slab.touch(2, || Counter(7)).unwrap();
        slab.touch(1, || Counter(0)).unwrap().0 += 5;
        slab.touch(3, || panic!("a cell that cannot be made"));
    }));
    assert!(outcome.is_err());
    slab.roll_back();
    assert_eq!(contents(&slab), before);
}

#[test]
fn only_cells_idle_for_a_whole_round_are_compacted() {
    let mut slab = Slab::new();
    slab.seat(4);
    for id in 0..4 {
        slab.touch(id, || Counter(2)).unwrap();
    }
    slab.commit();
    slab.sweep(4);
    assert_eq!(slab.counts().cold, 0, "all were touched since the round before");
    slab.touch(2, || Counter(0)).unwrap();
    slab.commit();
    slab.sweep(4);
    assert_eq!((slab.counts().hot, slab.counts().cold), (1, 3));
    slab.sweep(100);
    assert_eq!((slab.counts().hot, slab.counts().cold), (0, 4), "at most one round a call");
    assert_eq!(slab.touch(2, || Counter(0)), Some(&mut Counter(2)));
}

#[test]
fn memory_of_compacted_cells_is_given_back() {
    let mut slab = Slab::new();
    slab.seat(10_000);
    for id in 0..10_000 {
        slab.touch(id, || Counter(2)).unwrap();
    }
    slab.commit();
    let hot = slab.counts().reserved_bytes;
    slab.sweep(10_000);
    slab.sweep(10_000);
    assert_eq!(slab.counts().hot, 0);
    // Eight bytes each become four; a seat and an id of four each stay.
    assert!(slab.counts().reserved_bytes < hot * 4 / 5, "{:?} of {hot}", slab.counts());
}

#[test]
fn setting_aside_outlives_undoing_and_compaction() {
    let mut slab: Slab<Counter> = Slab::new();
    slab.seat(3);
    slab.set_aside(1, true);
    slab.set_aside(9, true);
    slab.touch(1, || Counter(2)).unwrap();
    slab.roll_back();
    slab.touch(1, || Counter(2)).unwrap();
    slab.commit();
    slab.sweep(3);
    slab.sweep(3);
    assert_eq!(slab.counts().cold, 1);
    assert!(slab.is_set_aside(1) && !slab.is_set_aside(0) && !slab.is_set_aside(9));
    slab.set_aside(1, false);
    assert!(!slab.is_set_aside(1));
    assert_eq!(slab.get(1).unwrap().state(), Counter(2));
}

#[test]
fn an_id_beyond_the_limit_is_refused_without_making_room() {
    let mut slab: Slab<Counter> = Slab::new();
    slab.seat(10);
    assert!(slab.touch(CELL_COUNT_MAX, || Counter(0)).is_none());
    assert!(slab.touch(u32::MAX, || Counter(0)).is_none());
    assert_eq!(slab.warm_cell(u32::MAX) + slab.warm_seat(u32::MAX), 0);
    assert_eq!(slab.seat_count(), 10);
}
