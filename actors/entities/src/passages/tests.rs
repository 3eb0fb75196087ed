//! Who is one too many, held against all ways in which passes can be handed out.

use ach_actors_model::TagRef;
use ach_geo::Position;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

const S: u64 = NS_PER_S;

fn passage(subject: u32, at_s: u64, is_leftward: bool) -> Passage {
    let at = Timestamp(at_s * S);
    let position = Position { x_mm: 0, y_mm: 0, z_mm: None, floor: None };
    let (observed_at, received_at) = (at, at);
    let fix = Fix { tag: TagRef(subject), position, accuracy_mm: 0, observed_at, received_at };
    Passage {
        subject: SubjectRef(subject),
        since: Timestamp((at_s - 1) * S),
        fix,
        is_leftward,
        told_at: at,
        is_told_unlocked: false,
    }
}

/// A number that no rule says anything of.
const STRANGER: u32 = 1_000;

/// Even numbers are counted, odd ones make use of leave besides.
fn who(_: RuleRef, subject: SubjectRef) -> Option<Traveller> {
    let traveller =
        if subject.0.is_multiple_of(2) { Traveller::Counted } else { Traveller::Beside };
    (subject.0 < STRANGER).then_some(traveller)
}

const RULE: RuleRef = RuleRef(7);

fn asked(leave: &Leave) -> Asked<'_> {
    Asked { rules: &[RULE], leave, who: &who }
}

/// The most of these who can be let through, a pass each, by trying all.
fn let_through(people: &[(u64, u32)], passes: &[(u64, u64)], opened_s: u64) -> usize {
    let Some((&(at_s, _), others)) = people.split_first() else { return 0 };
    let mut best = let_through(others, passes, opened_s);
    for (number, &(from_s, until_s)) in passes.iter().enumerate() {
        if from_s <= at_s && until_s >= opened_s {
            let mut left = passes.to_vec();
            left.remove(number);
            best = best.max(1 + let_through(others, &left, opened_s));
        }
    }
    best
}

#[test]
fn as_many_are_let_through_as_can_be_and_whoever_opened_first() {
    for seed in 0..2_000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let opened_s = 10;
        let mut passages = Passages::default();
        let mut passes = Vec::new();
        for _ in 0..random.random_range(0..5) {
            let (from_s, lasts_s) = (random.random_range(1..20), random.random_range(0..12));
            passes.push((from_s, from_s + lasts_s));
            passages.give(Timestamp(from_s * S), Timestamp((from_s + lasts_s) * S));
        }
        let (leave, opened_at) = (Leave::default(), Timestamp(opened_s * S));
        let which = passages.open(opened_at, None, &asked(&leave), opened_at);
        let mut people: Vec<(u64, u32)> = Vec::new();
        for subject in 0..random.random_range(0..6) {
            let at_s = random.random_range(opened_s..20);
            people.push((at_s, subject));
            passages.add(which, passage(subject, at_s, false));
        }
        passages.add(which, passage(STRANGER, opened_s, false));
        let beside: Vec<_> = people.iter().copied().filter(|person| person.1 % 2 == 1).collect();
        let counted = people.len() - beside.len();
        // Whoever makes use of leave besides has it first, and the others what is left.
        let left =
            let_through(&people, &passes, opened_s) - let_through(&beside, &passes, opened_s);
        let found = passages.too_many(which, &asked(&leave)).expect("no crowd");
        assert_eq!(found.len(), counted - left, "seed {seed}: {people:?} on {passes:?}");
    }
}

#[test]
fn it_remembers_no_more_than_it_may() {
    let mut passages = Passages::default();
    let (leave, now) = (Leave::default(), Timestamp(100 * S));
    for subject in 0..100 {
        passages.keep_loose(passage(subject, 100, false), now);
    }
    assert_eq!(passages.loose.len(), LOOSE_COUNT_MAX);
    for number in 0..10 {
        passages.open(Timestamp((100 + number) * S), None, &asked(&leave), now);
    }
    assert_eq!(passages.openings.len(), OPENING_COUNT_MAX);
    let which = passages.current().expect("it stands open");
    for subject in 0..100 {
        passages.add(which, passage(subject, 110, false));
    }
    assert_eq!(passages.openings[which].people.len(), PEOPLE_COUNT_MAX);
    assert_eq!(passages.too_many(which, &asked(&leave)), None, "a crowd");
    for number in 0..100 {
        passages.give(Timestamp(number * S), Timestamp((number + 200) * S));
    }
    assert_eq!(passages.passes.len(), PASS_COUNT_MAX);
}
