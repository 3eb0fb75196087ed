//! The checkpoints beside a journal, as `ach journal verify` finds them.

use std::fmt;
use std::io;

use ach_engine_checkpoint::{CHAIN_START, ReadError, Seal, Shelf, chained, hash};
use ach_engine_journal::{FileDisk, Kek, Record};
use ach_engine_node::prove_checkpoint;
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
    /// The journal has the entry it was made of.
    is_met: bool,
}

/// Checks every checkpoint of a folder.
pub(crate) fn read(disk: &FileDisk, kek: Option<&Kek>) -> Result<Vec<Checkpoint>, Failure> {
    let mut found = Vec::new();
    for one in Shelf::new(disk.clone()).list()? {
        let (seal, fault) = match kek {
            // All that a start would make of it.
            Some(kek) => match prove_checkpoint(disk, one.index, kek) {
                Ok(seal) => (Some(seal), None),
                // A running node has taken it away.
                Err(error) if error.is_gone() => continue,
                Err(error) => (None, Some(error.to_string())),
            },
            None => match ach_engine_checkpoint::verify(disk, one.index) {
                Ok(_) => (None, None),
                Err(ReadError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    continue;
                }
                Err(error) => (None, Some(error.to_string())),
            },
        };
        found.push(Checkpoint { index: one.index, bytes: one.bytes, fault, seal, is_met: false });
    }
    Ok(found)
}

/// Follows the entries of the journal, which tie the checkpoints to it.
#[derive(Debug, Default)]
pub(crate) struct Meeting {
    /// The chain of all entries so far, once it is known: from the first entry, or from a checkpoint's.
    chain: Option<u128>,
    last_index: u64,
}

impl Meeting {
    /// An entry of the journal: each checkpoint of it must say the same of it and of all before.
    pub(crate) fn take(&mut self, record: &Record<'_>, checkpoints: &mut [Checkpoint]) {
        let entry_hash = hash(record.payload);
        if record.index == 1 {
            self.chain = Some(CHAIN_START);
        }
        self.chain = self.chain.map(|chain| chained(chain, entry_hash));
        self.last_index = record.index;
        for checkpoint in checkpoints {
            let Some(seal) = checkpoint.seal.filter(|seal| seal.index == record.index) else {
                continue;
            };
            let is_same = seal.entry_hash == entry_hash && seal.lsn == record.lsn.0;
            if !is_same || self.chain.is_some_and(|chain| chain != seal.chain) {
                checkpoint.fault = Some("it was made of another journal than this".to_owned());
            } else {
                checkpoint.is_met = true;
                self.chain = Some(seal.chain);
            }
        }
    }

    /// The journal was read to its end: every checkpoint must have been met.
    pub(crate) fn end(&self, is_journal_sound: bool, checkpoints: &mut [Checkpoint]) {
        for checkpoint in checkpoints {
            let Some(seal) = checkpoint.seal.filter(|_| !checkpoint.is_met) else { continue };
            if checkpoint.fault.is_some() || !is_journal_sound {
                continue;
            }
            checkpoint.fault = Some(if seal.index > self.last_index {
                format!(
                    "the journal ends with entry {}, before it: the disk has lost what it said it had",
                    self.last_index
                )
            } else {
                "the journal does not have its entry".to_owned()
            });
        }
    }
}

impl Checkpoint {
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

#[cfg(test)]
mod tests {
    use ach_engine_journal::RecordKind;

    use super::*;

    fn checkpoint(index: u64, lsn: u64, entry: &[u8], chain: u128) -> Checkpoint {
        let seal = Seal { index, lsn, entry_hash: hash(entry), chain, state_hash: 0 };
        Checkpoint { index, bytes: 1, fault: None, seal: Some(seal), is_met: false }
    }

    fn text(index: u64) -> String {
        format!("entry {index}")
    }

    /// The chain after an entry.
    fn chain(from: u128, indexes: std::ops::RangeInclusive<u64>) -> u128 {
        indexes.fold(from, |chain, index| chained(chain, hash(text(index).as_bytes())))
    }

    /// What is found of checkpoints by a journal with these entries.
    fn faults(
        indexes: std::ops::RangeInclusive<u64>,
        mut checkpoints: Vec<Checkpoint>,
    ) -> Vec<Option<String>> {
        let mut meeting = Meeting::default();
        for index in indexes {
            let (lsn, payload) = (ach_engine_journal::Lsn(index + 10), text(index));
            let (kind, payload) = (RecordKind::Entry, payload.as_bytes());
            let record = Record { lsn, kind, shard: 0, term: 1, index, payload };
            meeting.take(&record, &mut checkpoints);
        }
        meeting.end(true, &mut checkpoints);
        checkpoints.into_iter().map(|one| one.fault).collect()
    }

    #[track_caller]
    fn check(found: &[Option<String>], expected: &[Option<&str>]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            match (found, expected) {
                (None, None) => {}
                (Some(found), Some(expected)) if found.contains(expected) => {}
                _ => panic!("{found:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn a_checkpoint_must_say_of_the_journal_what_the_journal_says() {
        let right = chain(CHAIN_START, 1..=2);
        let at = |entry: &str, lsn, chain| vec![checkpoint(2, lsn, entry.as_bytes(), chain)];
        let other = Some("another journal");
        check(&faults(1..=3, at("entry 2", 12, right)), &[None]);
        check(&faults(1..=3, at("entry x", 12, right)), &[other]);
        check(&faults(1..=3, at("entry 2", 13, right)), &[other]);
        check(&faults(1..=3, at("entry 2", 12, right ^ 1)), &[other]);
        let ends = Some("ends with entry 1, before it");
        check(&faults(1..=1, at("entry 2", 12, right)), &[ends]);
        check(&faults(3..=4, at("entry 2", 12, right)), &[Some("does not have its entry")]);
    }

    #[test]
    fn in_a_journal_that_begins_late_the_newer_checkpoint_must_follow_the_older() {
        let older = 77;
        let pair = |newer| {
            vec![checkpoint(7, 17, b"entry 7", newer), checkpoint(5, 15, b"entry 5", older)]
        };
        let right = chain(older, 6..=7);
        check(&faults(4..=8, pair(right)), &[None, None]);
        check(&faults(4..=8, pair(right ^ 1)), &[Some("another journal"), None]);
    }
}
