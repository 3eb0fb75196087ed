//! How far a log has come: its tree, and the last link of its chain.

use crate::frontier::Frontier;
use crate::hash::Hash;

/// How far a log has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) frontier: Frontier,
    pub(crate) link: Hash,
}

impl Chain {
    /// How many records it has.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The link of a record that would come next.
    pub(crate) fn next_link(&self, leaf: &Hash) -> Hash {
        Hash::link(&self.link, leaf)
    }

    /// Takes the next record.
    pub(crate) fn push(&mut self, leaf: Hash) {
        self.link = self.next_link(&leaf);
        self.frontier.push(leaf);
    }
}
