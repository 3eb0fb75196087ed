//! Entries out of a journal, decided once more: what history is derived from when it is not there.

use ach_engine_journal::{Disk, Kek, ReadError, Reader, RecordKind, Report};
use ach_engine_shard::Shard;
use ach_engine_wire::{EntryError, decode_entry};
use thiserror::Error;

use crate::{Rereader, Step};

/// Why a journal cannot be decided once more.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// It could not be read.
    #[error("cannot read the journal")]
    Read(#[from] ReadError),
    /// An entry cannot be decoded.
    #[error("entry {index} cannot be decoded; read it with the program that wrote it")]
    Undecodable {
        /// Which.
        index: u64,
        /// Why.
        source: EntryError,
    },
    /// It does not begin with the first entry, or one is missing.
    #[error(
        "the journal goes on with entry {got} and {expected} is next; what was before is in \
             archives and checkpoints of the node"
    )]
    Missing {
        /// The entry that is next.
        expected: u64,
        /// The entry that came.
        got: u64,
    },
    /// This program decides an entry differently.
    #[error("entry {index} is decided differently by this program; use the one that runs the node")]
    Diverged {
        /// Which.
        index: u64,
    },
}

/// Decides every entry of a journal once more from the first one on, and hands those from `from` on to
/// `each`, until it says no. The report tells whether the journal is damaged; what is before the damage
/// was handed out.
///
/// # Errors
///
/// See [`ReplayError`].
pub fn replay_journal<D: Disk>(
    reader: &Reader<D>,
    kek: &Kek,
    from: u64,
    each: &mut dyn FnMut(&Step) -> bool,
) -> Result<Report, ReplayError> {
    let mut shard = Shard::new();
    let mut failed = None;
    let mut is_over = false;
    let report = reader.show(kek, &mut |record| {
        if is_over || record.kind != RecordKind::Entry {
            return;
        }
        match decide(&mut shard, record.index, record.payload) {
            Ok(step) => is_over = step.entry.index >= from && !each(&step),
            Err(error) => {
                failed = Some(error);
                is_over = true;
            }
        }
    })?;
    failed.map_or(Ok(report), Err)
}

fn decide(shard: &mut Shard, index: u64, bytes: &[u8]) -> Result<Step, ReplayError> {
    let entry = decode_entry(bytes).map_err(|source| ReplayError::Undecodable { index, source })?;
    let expected = shard.entry_index().saturating_add(1);
    if entry.index != expected || entry.at < shard.entry_at() {
        return Err(ReplayError::Missing { expected, got: entry.index });
    }
    let mut effects = Vec::new();
    if shard.step(&entry, &mut effects) != entry.effects_hash {
        return Err(ReplayError::Diverged { index });
    }
    Ok(Step { entry, effects, site: shard.site().cloned() })
}

/// Reads what history left out again from the beginning of the journal: for a node without
/// checkpoints, and for tools. One with checkpoints begins with the last one before what is missing.
#[derive(Debug)]
pub struct JournalRereader<D> {
    reader: Reader<D>,
    kek: Kek,
}

impl<D: Disk> JournalRereader<D> {
    /// Reads the journal on `disk`, which may be in use.
    pub fn new(disk: D, kek: Kek) -> JournalRereader<D> {
        JournalRereader { reader: Reader::new(disk), kek }
    }
}

impl<D: Disk + Send> Rereader for JournalRereader<D> {
    fn reread(&mut self, from: u64, each: &mut dyn FnMut(&Step) -> bool) -> Result<(), String> {
        match replay_journal(&self.reader, &self.kek, from, each) {
            Ok(Report { damage: None, .. }) => Ok(()),
            Ok(Report { damage: Some(damage), .. }) => {
                Err(format!("{} (LSN {})", damage.harm, damage.lsn))
            }
            Err(error) => Err(match std::error::Error::source(&error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            }),
        }
    }
}
