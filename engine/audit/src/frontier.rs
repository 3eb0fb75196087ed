//! The Merkle tree of RFC 9162 as far as it is needed to go on: the roots of its full subtrees.
//!
//! A tree of `n` leaves is a row of full subtrees, one for each bit of `n`, largest first. A leaf is
//! added by hashing together those of equal size at the end; the root hashes the row from its right.
//! So a log of any length is gone on with by at most 64 hashes.

use crate::hash::Hash;

/// The full subtrees of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A tree without leaves.
    pub fn new() -> Frontier {
        Frontier::default()
    }

    /// A tree of `size` leaves with these subtrees, largest first; none when their number does not
    /// fit.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Frontier> {
        let is_fit = u32::try_from(peaks.len()) == Ok(size.count_ones());
        is_fit.then_some(Frontier { size, peaks })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its full subtrees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut top = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                top = Hash::node(&left, &top);
            }
        }
        self.peaks.push(top);
        self.size = self.size.saturating_add(1);
    }

    /// The root, `MTH(D[n])`.
    pub fn root(&self) -> Hash {
        let mut from_right = self.peaks.iter().rev();
        let Some(last) = from_right.next() else { return Hash::empty_tree() };
        from_right.fold(*last, |right, left| Hash::node(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{leaves, tree_hash};

    #[test]
    fn every_root_is_that_of_the_definition() {
        let leaves = leaves(200);
        let mut frontier = Frontier::new();
        for count in 0..=leaves.len() {
            assert_eq!(frontier.root(), tree_hash(&leaves[..count]), "{count} leaves");
            let again = Frontier::from_peaks(frontier.size(), frontier.peaks().to_vec());
            assert_eq!(again.as_ref(), Some(&frontier));
            if let Some(leaf) = leaves.get(count) {
                frontier.push(*leaf);
            }
        }
    }

    #[test]
    fn subtrees_that_do_not_fit_are_refused() {
        assert_eq!(Frontier::from_peaks(3, leaves(1)), None);
        assert_eq!(Frontier::from_peaks(0, leaves(1)), None);
        assert!(Frontier::from_peaks(4, leaves(1)).is_some());
    }
}
