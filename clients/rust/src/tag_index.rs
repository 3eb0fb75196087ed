//! Finds a tag's handle, for every ping that is published.
//!
//! A table of small entries and a hash of two multiplications: with 20,000 tags it stays in a core's own cache.
//! The standard library's hash, over a table of all kinds of things, took more than half of what publishing a ping
//! cost.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use ach_actors_model::TagId;

/// Tags and their handles.
pub(crate) type TagIndex = HashMap<TagId, u32, TagHashing>;

/// An odd number without a pattern: the golden ratio's fraction.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Hashes with a key of its own, so that nobody who gives tags their numbers can choose them to collide.
#[derive(Debug, Clone)]
pub(crate) struct TagHashing {
    key: u64,
}

impl Default for TagHashing {
    fn default() -> TagHashing {
        TagHashing { key: RandomState::new().hash_one(SPREAD) }
    }
}

impl BuildHasher for TagHashing {
    type Hasher = TagHasher;

    fn build_hasher(&self) -> TagHasher {
        TagHasher { hash: self.key }
    }
}

/// The hash of what was written so far.
#[derive(Debug)]
pub(crate) struct TagHasher {
    hash: u64,
}

impl Hasher for TagHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // Twice: after one, numbers that differ in some bits of the middle share places two and a half times as
        // often as by chance.
        self.hash = folded(folded(self.hash ^ number));
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

/// Both halves of the product, one upon the other: each bit of the number moves about half of them.
fn folded(number: u64) -> u64 {
    let product = u128::from(number) * u128::from(SPREAD);
    let high = u64::try_from(product >> 64).unwrap_or(0);
    high ^ number.wrapping_mul(SPREAD)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Tags are numbered in a row, or by a maker's prefix and a few bits somewhere.
    #[test]
    fn tags_that_differ_in_a_few_bits_have_places_of_their_own() {
        const TAGS: u64 = 4_096;
        for key in [0, 1, u64::MAX, 0x0123_4567_89AB_CDEF] {
            let hashing = TagHashing { key };
            for shift in 0..=52 {
                let hash =
                    |tag: u64| hashing.hash_one(TagId(0x00AC_4C00_0000_0000 ^ (tag << shift)));
                // Of as many places as tags, chance leaves 37 in 100 empty: the table goes by the low bits.
                let places: BTreeSet<u64> = (0..TAGS).map(|tag| hash(tag) % TAGS).collect();
                assert!(places.len() > 2_400, "key {key:x}, shift {shift}: {}", places.len());
                // And by the seven highest to tell those of a place apart.
                let highest: BTreeSet<u64> = (0..TAGS).map(|tag| hash(tag) >> 57).collect();
                assert_eq!(highest.len(), 128, "key {key:x}, shift {shift}");
            }
        }
    }

    #[test]
    fn two_indexes_hash_by_keys_of_their_own() {
        let hash = |hashing: TagHashing| hashing.hash_one(TagId(7));
        assert_ne!(hash(TagHashing::default()), hash(TagHashing::default()));
    }
}
