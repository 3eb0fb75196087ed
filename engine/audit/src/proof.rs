//! Proofs that a record is in a tree, and that a tree is the beginning of another.
//!
//! A proof is a list of roots of subtrees, each over a range of leaves. Which ranges is known from
//! the sizes alone, and they do not overlap; so a proof over any log is made in one pass over its
//! leaves, with a [`Frontier`] for each range.

use std::ops::Range;

use crate::frontier::Frontier;
use crate::hash::Hash;

/// A proof in the making.
#[derive(Debug)]
pub struct ProofPlan {
    parts: Vec<(Range<u64>, Frontier)>,
}

impl ProofPlan {
    /// That leaf `index` is in a tree of `size` leaves, `PATH(index, D[size])`. None when it cannot
    /// be.
    pub fn inclusion(index: u64, size: u64) -> Option<ProofPlan> {
        if index >= size {
            return None;
        }
        let mut parts = Vec::new();
        let mut at = 0..size;
        while at.end - at.start > 1 {
            let middle = at.start + split(at.end - at.start);
            if index < middle {
                parts.push(middle..at.end);
                at.end = middle;
            } else {
                parts.push(at.start..middle);
                at.start = middle;
            }
        }
        Some(ProofPlan::of(parts))
    }

    /// That a tree of `first` leaves is the beginning of one of `size`, `PROOF(first, D[size])`.
    /// None when it cannot be. Of two trees of the same size, and after a tree of none, there is
    /// nothing to prove and the proof is empty.
    pub fn consistency(first: u64, size: u64) -> Option<ProofPlan> {
        if first > size {
            return None;
        }
        let mut parts = Vec::new();
        let mut at = 0..size;
        while first > 0 && first != at.end {
            let middle = at.start + split(at.end - at.start);
            if first <= middle {
                parts.push(middle..at.end);
                at.end = middle;
            } else {
                parts.push(at.start..middle);
                at.start = middle;
            }
        }
        if at.start > 0 {
            parts.push(at);
        }
        Some(ProofPlan::of(parts))
    }

    fn of(from_top: Vec<Range<u64>>) -> ProofPlan {
        let parts = from_top.into_iter().rev().map(|range| (range, Frontier::new()));
        ProofPlan { parts: parts.collect() }
    }

    /// Takes a leaf; leaves must come in order.
    pub fn take(&mut self, index: u64, leaf: Hash) {
        let part = self.parts.iter_mut().find(|(range, _)| range.contains(&index));
        if let Some((_, frontier)) = part {
            frontier.push(leaf);
        }
    }

    /// The proof, once all leaves have been taken; none while some are missing.
    pub fn finish(self) -> Option<Vec<Hash>> {
        let hash = |(range, frontier): (Range<u64>, Frontier)| {
            (frontier.size() == range.end - range.start).then(|| frontier.root())
        };
        self.parts.into_iter().map(hash).collect()
    }
}

/// The largest power of two smaller than `n`, for `n` above 1.
fn split(n: u64) -> u64 {
    1 << n.saturating_sub(1).max(1).ilog2()
}

/// Whether `proof` shows that `leaf` is leaf `index` of the tree of `size` leaves with that root
/// (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let mut at = index;
    let mut last = size - 1;
    let mut hash = *leaf;
    for other in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = Hash::node(other, &hash);
            rise(&mut at, &mut last);
        } else {
            hash = Hash::node(&hash, other);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `first` leaves is the beginning of that of `size` leaves
/// (RFC 9162, section 2.1.4.2).
pub fn verify_consistency(
    (first, first_root): (u64, &Hash),
    (size, root): (u64, &Hash),
    proof: &[Hash],
) -> bool {
    if first > size {
        return false;
    }
    if first == 0 {
        return proof.is_empty() && *first_root == Hash::empty_tree();
    }
    if first == size {
        return proof.is_empty() && first_root == root;
    }
    let mut path = proof.iter();
    let mut at = first - 1;
    let mut last = size - 1;
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    // The first tree is itself a full subtree of the second: its root begins the path.
    let begin = if first.is_power_of_two() { Some(first_root) } else { path.next() };
    let Some(begin) = begin else { return false };
    let (mut first_hash, mut hash) = (*begin, *begin);
    for other in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            first_hash = Hash::node(other, &first_hash);
            hash = Hash::node(other, &hash);
            rise(&mut at, &mut last);
        } else {
            hash = Hash::node(&hash, other);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && first_hash == *first_root && hash == *root
}

/// From a node that is the last of its row and a left one, to where it is a right one or the first.
fn rise(at: &mut u64, last: &mut u64) {
    while *at & 1 == 0 && *at != 0 {
        *at >>= 1;
        *last >>= 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oracle::{self, leaves, tree_hash};

    fn number(count: usize) -> u64 {
        u64::try_from(count).unwrap()
    }

    fn made(mut plan: ProofPlan, leaves: &[Hash]) -> Vec<Hash> {
        for (index, leaf) in (0..).zip(leaves) {
            plan.take(index, *leaf);
        }
        plan.finish().unwrap()
    }

    #[test]
    fn every_proof_of_small_trees_is_that_of_the_definition_and_verifies() {
        let all = leaves(40);
        for size in 1..=all.len() {
            let tree = &all[..size];
            let root = tree_hash(tree);
            for index in 0..size {
                let plan = ProofPlan::inclusion(number(index), number(size)).unwrap();
                let proof = made(plan, tree);
                assert_eq!(proof, oracle::path(index, tree), "{index} of {size}");
                let (index, size) = (number(index), number(size));
                let leaf = &all[usize::try_from(index).unwrap()];
                assert!(verify_inclusion(index, size, leaf, &proof, &root), "{index} of {size}");
            }
            for first in 0..=size {
                let plan = ProofPlan::consistency(number(first), number(size)).unwrap();
                let proof = made(plan, tree);
                if first > 0 {
                    assert_eq!(proof, oracle::proof(first, tree), "{first} of {size}");
                }
                let first_root = tree_hash(&all[..first]);
                let (first, size) = ((number(first), &first_root), (number(size), &root));
                assert!(verify_consistency(first, size, &proof), "{first:?} of {size:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_is_not_planned() {
        assert!(ProofPlan::inclusion(3, 3).is_none());
        assert!(ProofPlan::inclusion(0, 0).is_none());
        assert!(ProofPlan::consistency(4, 3).is_none());
        let missing = ProofPlan::inclusion(0, 3).unwrap();
        assert_eq!(missing.finish(), None, "a proof over leaves that never came");
    }

    /// A proof that is changed in any way shows nothing any more.
    #[test]
    fn no_changed_proof_verifies() {
        for size in 2..=33 {
            let all = leaves(size);
            let root = tree_hash(&all);
            for index in 0..size {
                let proof = oracle::path(index, &all);
                let holds = |index: usize, leaf: &Hash, proof: &[Hash], root: &Hash| {
                    verify_inclusion(number(index), number(size), leaf, proof, root)
                };
                assert!(holds(index, &all[index], &proof, &root));
                assert!(!holds(index, &all[(index + 1) % size], &proof, &root));
                assert!(!holds(index, &all[index], &proof[1..], &root));
                assert!(!holds(index, &all[index], &[&proof[..], &[root]].concat(), &root));
                assert!(!holds(index, &all[index], &proof, &Hash::default()));
                for other in (0..size).filter(|&other| other != index) {
                    let is_taken = holds(other, &all[index], &proof, &root);
                    assert!(!is_taken, "{index} passed for {other} of {size}");
                }
                for place in 0..proof.len() {
                    let mut changed = proof.clone();
                    changed[place].0[7] ^= 1;
                    assert!(!holds(index, &all[index], &changed, &root));
                }
            }
        }
    }

    #[test]
    fn no_changed_proof_of_a_beginning_verifies() {
        for size in 2..=33 {
            let all = leaves(size);
            let root = tree_hash(&all);
            for first in 1..size {
                let first_root = tree_hash(&all[..first]);
                let proof = oracle::proof(first, &all);
                let holds = |first_root: &Hash, proof: &[Hash], root: &Hash| {
                    verify_consistency((number(first), first_root), (number(size), root), proof)
                };
                assert!(holds(&first_root, &proof, &root));
                assert!(!holds(&Hash::default(), &proof, &root));
                assert!(!holds(&first_root, &proof, &Hash::default()));
                assert!(!holds(&first_root, &[], &root));
                assert!(!holds(&first_root, &[&proof[..], &[root]].concat(), &root));
                for place in 0..proof.len() {
                    let mut changed = proof.clone();
                    changed[place].0[31] ^= 0x80;
                    assert!(!holds(&first_root, &changed, &root), "{place}: {first} of {size}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn proofs_of_larger_trees_are_those_of_the_definition(
            size in 1_usize..2_000, index in 0_usize..2_000, first in 0_usize..2_000,
        ) {
            let tree = leaves(size);
            let root = tree_hash(&tree);
            let (index, first) = (index % size, 1 + first % size);
            let plan = ProofPlan::inclusion(number(index), number(size)).unwrap();
            let proof = made(plan, &tree);
            prop_assert_eq!(&proof, &oracle::path(index, &tree));
            prop_assert!(verify_inclusion(number(index), number(size), &tree[index], &proof, &root));
            let proof = made(ProofPlan::consistency(number(first), number(size)).unwrap(), &tree);
            prop_assert_eq!(&proof, &oracle::proof(first, &tree));
            let first_root = tree_hash(&tree[..first]);
            prop_assert!(
                verify_consistency((number(first), &first_root), (number(size), &root), &proof)
            );
        }
    }
}
