//! A store that another process has, as it is at one moment.
//!
//! Tables are written once and never changed, so links to them are a copy. A tree's `current` file names
//! the version in force, whose tables are there as long as it is: when `current` is the same after the
//! links were made as before, all of that version is linked. The LSM's own journal is an empty one; history
//! never goes through it.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;

use crate::{OpenError, Store};

/// How often it is tried. Each further time a merge of tables ended in between, or a day began.
const TRIES_MAX: usize = 20;

/// Days and names: what a folder of the LSM has trees for.
const TREES: &str = "keyspaces";

impl Store {
    /// Opens what is on disk of a store that another process may have open. `scratch`, a folder that
    /// does not exist yet on the same file system, holds links to its tables; the caller removes it.
    /// What is written later is not in it.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. That there is no store is [`OpenError::Disk`].
    pub fn open_linked(folder: &Path, scratch: &Path) -> Result<Store, OpenError> {
        let disk = |verb| move |source| OpenError::Disk { verb, source };
        let mut tries = 0;
        loop {
            tries += 1;
            let opened = match link_all(folder, scratch) {
                Ok(true) => Store::open(scratch),
                Ok(false) => {
                    Err(OpenError::Damaged { detail: "it changes too quickly".to_owned() })
                }
                Err(source) if source.kind() == ErrorKind::NotFound && folder.exists() => {
                    Err(OpenError::Damaged { detail: format!("a file is missing: {source}") })
                }
                Err(source) => return Err(disk("link the tables of")(source)),
            };
            match opened {
                // A day that began or was dropped in between looks like damage.
                Err(OpenError::Damaged { .. }) if tries < TRIES_MAX => {
                    fs::remove_dir_all(scratch).map_err(disk("remove the links to"))?;
                }
                opened => return opened,
            }
        }
    }
}

/// Links everything; false if it changed meanwhile.
fn link_all(folder: &Path, scratch: &Path) -> Result<bool, Error> {
    let (trees, linked_trees) = (folder.join(TREES), scratch.join(TREES));
    fs::create_dir_all(&linked_trees)?;
    // The tree of trees last: a day it does not name yet is ignored, one it names must be there.
    let mut names: Vec<_> = fs::read_dir(&trees)?
        .map(|tree| tree.map(|tree| tree.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort_by_key(|name| name == "0");
    for name in names {
        let tree = trees.join(&name);
        // One that was dropped meanwhile; who still names it is found out when it is opened.
        if tree.join("current").exists() && !link_tree(&tree, &linked_trees.join(&name))? {
            return Ok(false);
        }
    }
    fs::copy(folder.join("version"), scratch.join("version"))?;
    // The LSM takes a lock on the one. Without the other it would number what comes from 0 again.
    fs::File::create(scratch.join("lock"))?;
    fs::File::create(scratch.join("0.jnl"))?;
    Ok(true)
}

fn link_tree(tree: &Path, linked: &Path) -> Result<bool, Error> {
    let current = fs::read(tree.join("current"))?;
    fs::create_dir_all(linked)?;
    for entry in fs::read_dir(tree)? {
        let entry = entry?;
        let (from, to) = (entry.path(), linked.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&to)?;
            for file in fs::read_dir(&from)? {
                let file = file?;
                link(&file.path(), &to.join(file.file_name()))?;
            }
        } else if entry.file_name() != "current" {
            link(&from, &to)?;
        }
    }
    fs::write(linked.join("current"), &current)?;
    Ok(fs::read(tree.join("current")).is_ok_and(|now| now == current))
}

/// A file that is taken away meanwhile is of a version that is no more.
fn link(from: &Path, to: &Path) -> Result<(), Error> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        linked => linked,
    }
}
