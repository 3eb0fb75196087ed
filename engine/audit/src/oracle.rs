//! The definitions of RFC 9162, section 2.1, word for word: slow, recursive, and what the code is
//! held against.

use crate::hash::Hash;

/// So many different leaves.
pub(crate) fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|number| Hash::leaf(&number.to_le_bytes())).collect()
}

/// The largest power of two smaller than `n`.
fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// `MTH(D[n])`.
pub(crate) fn tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty_tree(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            Hash::node(&tree_hash(left), &tree_hash(right))
        }
    }
}

/// `PATH(m, D[n])`.
pub(crate) fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, other) = if m < k { (path(m, left), right) } else { (path(m - k, right), left) };
    path.push(tree_hash(other));
    path
}

/// `PROOF(m, D[n])`.
pub(crate) fn proof(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(m, leaves, true)
}

fn subproof(m: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if is_whole { Vec::new() } else { vec![tree_hash(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, other) = if m <= k {
        (subproof(m, left, is_whole), right)
    } else {
        (subproof(m - k, right, false), left)
    };
    proof.push(tree_hash(other));
    proof
}
