//! The checkpoints beside a journal, as `ach journal verify` finds them.

use std::fmt;
use std::io;

use ach_engine_checkpoint::{ReadError, Seal, Shelf, hash};
use ach_engine_journal::{FileDisk, Kek, Record};
use serde_json::json;

use crate::exit::Failure;

/// A checkpoint and what was found of it.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    index: u64,
    bytes: u64,
    /// What is wrong with it.
    fault: Option<String>,
    /// What it says of itself; only with a key.
    seal: Option<Seal>,
}

/// Checks every checkpoint of a folder.
pub(crate) fn read(disk: &FileDisk, kek: Option<&Kek>) -> Result<Vec<Checkpoint>, Failure> {
    let mut found = Vec::new();
    for one in Shelf::new(disk.clone()).list()? {
        let read = match kek {
            Some(kek) => ach_engine_checkpoint::read(disk, one.index, kek, &mut |_| true).map(Some),
            None => ach_engine_checkpoint::verify(disk, one.index).map(|_| None),
        };
        let (seal, fault) = match read {
            Ok(seal) => (seal, None),
            // A running node has taken it away.
            Err(ReadError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                continue;
            }
            Err(error) => (None, Some(error.to_string())),
        };
        found.push(Checkpoint { index: one.index, bytes: one.bytes, fault, seal });
    }
    Ok(found)
}

impl Checkpoint {
    /// An entry of the journal: it must be the one the checkpoint says it was made at.
    pub(crate) fn meet(&mut self, record: &Record<'_>) {
        let is_other = |seal: Seal| {
            seal.index == record.index
                && (seal.entry_hash != hash(record.payload) || seal.lsn != record.lsn.0)
        };
        if self.seal.is_some_and(is_other) {
            self.fault = Some("it was made of another journal than this".to_owned());
        }
    }

    /// Whether a start can use it.
    pub(crate) fn is_sound(&self) -> bool {
        self.fault.is_none()
    }

    /// It as JSON.
    pub(crate) fn object(&self) -> serde_json::Value {
        json!({
            "index": self.index,
            "bytes": self.bytes,
            "is_sound": self.is_sound(),
            "problem": self.fault,
        })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checkpoint { index, bytes, fault, .. } = self;
        write!(f, "checkpoint of entry {index}, {bytes} bytes: ")?;
        match fault {
            None => f.write_str("sound"),
            Some(fault) => write!(f, "DAMAGED: {fault}; a start uses another one"),
        }
    }
}
