//! The checkpoints that lie in a folder, the newest first.

use std::io;

use ach_engine_journal::{Disk, DiskFile};

/// The name of a checkpoint that is being written.
pub const DRAFT_NAME: &str = "checkpoint.new";

const SUFFIX: &str = ".ckpt";

/// The name of the checkpoint of an entry.
pub fn name_of(index: u64) -> String {
    format!("{index:016x}{SUFFIX}")
}

/// A checkpoint in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shelved {
    /// The entry it is of.
    pub index: u64,
    /// How long its file is.
    pub bytes: u64,
}

/// The checkpoints of a folder.
#[derive(Debug)]
pub struct Shelf<D> {
    disk: D,
}

impl<D: Disk> Shelf<D> {
    /// Those on `disk`.
    pub fn new(disk: D) -> Shelf<D> {
        Shelf { disk }
    }

    /// What lies there, whole or not, the newest first.
    ///
    /// # Errors
    /// What the disk says.
    pub fn list(&self) -> io::Result<Vec<Shelved>> {
        let mut shelved = Vec::new();
        for name in self.disk.list()? {
            let Some(index) = index_of(&name) else { continue };
            match self.disk.open_reading(&name).and_then(|file| file.len_bytes()) {
                Ok(bytes) => shelved.push(Shelved { index, bytes }),
                // A running node takes old ones away.
                Err(source) if source.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(source),
            }
        }
        shelved.sort_by_key(|one| std::cmp::Reverse(one.index));
        Ok(shelved)
    }

    /// Removes all but those of the entries `kept`.
    ///
    /// # Errors
    /// What the disk says; then some may be left that are of no use.
    pub fn keep(&self, kept: &[u64]) -> io::Result<()> {
        for one in self.list()? {
            if !kept.contains(&one.index) {
                self.disk.remove(&name_of(one.index))?;
            }
        }
        Ok(())
    }

    /// Takes away what an earlier process left half written.
    ///
    /// # Errors
    /// What the disk says.
    pub fn tidy(&self) -> io::Result<()> {
        match self.disk.remove(DRAFT_NAME) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(source),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn index_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let index = u64::from_str_radix(digits, 16).ok()?;
    (name_of(index) == name).then_some(index)
}

#[cfg(test)]
mod tests {
    use ach_engine_journal::SimDisk;

    use super::*;

    #[test]
    fn those_that_are_wanted_are_kept() {
        let files = ["0000000000000009.ckpt", "000000000000000a.ckpt", "00000000000000ff.ckpt"];
        let disk = SimDisk::holding(&files.map(|name| (name, &b"."[..])));
        let shelf = Shelf::new(disk.clone());
        let listed: Vec<u64> = shelf.list().unwrap().iter().map(|one| one.index).collect();
        assert_eq!(listed, [255, 10, 9]);
        shelf.keep(&[9, 10, 11]).unwrap();
        assert_eq!(disk.list().unwrap(), ["0000000000000009.ckpt", "000000000000000a.ckpt"]);
    }

    #[test]
    fn other_files_are_no_checkpoints() {
        let check = |name: &str, expected| assert_eq!(index_of(name), expected, "{name}");
        check("00000000000000ff.ckpt", Some(255));
        check("00000000000000FF.ckpt", None);
        check("ff.ckpt", None);
        check("00000000000000ff.seg", None);
        check("checkpoint.new", None);
    }
}
