//! What ties a checkpoint to its place in the journal: a chain through all entries.

use twox_hash::XxHash3_128;

/// The chain before the first entry.
pub const CHAIN_START: u128 = 0;

/// The hash of an entry as it is journaled.
pub fn hash(bytes: &[u8]) -> u128 {
    XxHash3_128::oneshot(bytes)
}

/// The chain after one more entry.
pub fn chained(chain: u128, entry_hash: u128) -> u128 {
    let mut link = [0; 32];
    let (before, entry) = link.split_at_mut(16);
    before.copy_from_slice(&chain.to_le_bytes());
    entry.copy_from_slice(&entry_hash.to_le_bytes());
    hash(&link)
}
