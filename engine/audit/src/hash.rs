//! The hashes of the tree and of the chain, all SHA-256.
//!
//! A leaf is hashed behind a byte 0, two subtrees behind a byte 1 (RFC 9162, section 2.1.1), a link
//! of the chain behind a byte 2, so that none of the three can be taken for another.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; HASH_BYTES]);

impl Hash {
    /// Of these bytes, one part after the other.
    pub(crate) fn of(parts: &[&[u8]]) -> Hash {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part);
        }
        let mut hash = Hash::default();
        hash.0.copy_from_slice(context.finish().as_ref());
        hash
    }

    /// Of a tree without leaves.
    pub fn empty_tree() -> Hash {
        Hash::of(&[])
    }

    /// Of a record, as a leaf of the tree.
    pub fn leaf(record: &[u8]) -> Hash {
        Hash::of(&[&[0], record])
    }

    /// Of two subtrees.
    pub fn node(left: &Hash, right: &Hash) -> Hash {
        Hash::of(&[&[1], &left.0, &right.0])
    }

    /// The link of a record: over the link of the one before and its own leaf. Before the first
    /// record stand 32 zeros.
    pub fn link(previous: &Hash, leaf: &Hash) -> Hash {
        Hash::of(&[&[2], &previous.0, &leaf.0])
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that every log of this kind has (RFC 9162, section 2.1.1), made by `sha256sum`.
    #[test]
    fn the_hashes_are_those_of_the_rfc() {
        let check = |hash: Hash, expected: &str| assert_eq!(hash.to_string(), expected);
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        check(Hash::empty_tree(), empty);
        let leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        check(Hash::leaf(b""), leaf);
        assert_ne!(
            Hash::node(&Hash::leaf(b"a"), &Hash::leaf(b"b")),
            Hash::link(&Hash::leaf(b"a"), &Hash::leaf(b"b"))
        );
    }
}
