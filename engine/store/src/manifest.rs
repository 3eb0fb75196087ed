//! Checks what the LSM itself does not check before it opens.
//!
//! A tree's `current` file names its version file and holds that file's checksum (XXH3-128), but
//! fjall 3.1.13 does not compare it yet, as a note in its `version/recovery.rs` says. A flipped
//! bit there would make it forget tables and delete them as orphans. Tables themselves are checked
//! block by block when they are read, and its journal is never used: history is written as whole
//! tables.

use std::fs;
use std::path::{Path, PathBuf};

use twox_hash::XxHash3_128;

use crate::errors::Fault;

const READ: &str = "read the manifests of";

/// Compares every tree's version file with the checksum beside its name. A store that does not exist
/// yet is sound.
pub(crate) fn check(lsm: &Path) -> Result<(), Fault> {
    let trees = lsm.join("keyspaces");
    if !lsm.join("version").exists() {
        // Without its marker the LSM would begin anew in the same folder, over what is there.
        let has_trees = fs::read_dir(&trees).is_ok_and(|mut trees| trees.next().is_some());
        let detail = "the marker of its version is missing";
        return if has_trees { Err(Fault::damage(detail)) } else { remove_begun(lsm) };
    }
    // Nothing of ours is in it. But without one the LSM numbers what is written from 0 again, and what is
    // older would hide it.
    if journals(lsm)?.is_empty() {
        return Err(Fault::damage("the file of the LSM's own journal is missing"));
    }
    for tree in fs::read_dir(&trees).map_err(Fault::of_io(READ))? {
        check_tree(&tree.map_err(Fault::of_io(READ))?.path())?;
    }
    Ok(())
}

/// A process that ends while the LSM is made leaves the LSM's own journal, over which it would not be made
/// again. Nothing is in it.
fn remove_begun(lsm: &Path) -> Result<(), Fault> {
    for file in journals(lsm)? {
        fs::remove_file(&file).map_err(Fault::of_io("remove what was begun of"))?;
    }
    Ok(())
}

/// The files of the LSM's own journal.
fn journals(lsm: &Path) -> Result<Vec<PathBuf>, Fault> {
    let mut journals = Vec::new();
    for file in fs::read_dir(lsm).map_err(Fault::of_io(READ))? {
        let file = file.map_err(Fault::of_io(READ))?.path();
        if file.extension().is_some_and(|extension| extension == "jnl") {
            journals.push(file);
        }
    }
    Ok(journals)
}

fn check_tree(tree: &Path) -> Result<(), Fault> {
    let current = tree.join("current");
    // A tree whose making was cut short has no table yet; the LSM makes it again.
    if !current.exists() {
        return Ok(());
    }
    let bytes = fs::read(&current).map_err(Fault::of_io(READ))?;
    let damaged = || Fault::damage(format!("{} does not fit what it names", current.display()));
    let (number, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
    let (checksum, kind) = rest.split_first_chunk().ok_or_else(damaged)?;
    let version = tree.join(format!("v{}", u64::from_le_bytes(*number)));
    let text = fs::read(version).map_err(Fault::of_io(READ))?;
    if kind != [0] || XxHash3_128::oneshot(&text) != u128::from_le_bytes(*checksum) {
        return Err(damaged());
    }
    Ok(())
}
