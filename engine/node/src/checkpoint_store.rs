//! Where checkpoints are kept: beside the segments of the journal, two of them, and one that history may
//! have to go on from.

use std::fmt;
use std::sync::Arc;

use ach_engine_checkpoint::{Draft, Seal, Shelf, WriteError, name_of};
use ach_engine_journal::{Disk, Kek};

use crate::journal_floor::JournalFloor;
use crate::notes::SHARD;
use crate::proven_sites::ProvenSites;
use crate::restore::{Unusable, prove};

/// Where checkpoints are kept. A disk in a node; in tests anything that can fail.
pub(crate) trait CheckpointStore: Send + fmt::Debug {
    /// Begins the checkpoint of an entry.
    fn begin(&mut self, index: u64) -> Result<(), WriteError>;

    /// Adds a section; its bytes are of no use afterwards.
    fn section(&mut self, kind: u32, body: &mut Vec<u8>) -> Result<(), WriteError>;

    /// Ends the checkpoint, which is on disk then and was read back, and gives up what it makes
    /// needless. Says how many bytes it has.
    fn finish(&mut self, seal: &Seal) -> Result<u64, FinishError>;

    /// Bytes of the newest good checkpoint; 0 without one.
    fn last_bytes(&self) -> u64;

    /// Takes away the checkpoint that was begun.
    fn give_up(&mut self);
}

/// Why a checkpoint that was told to its end is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FinishError {
    /// It was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// It was written, and a start could not use it.
    #[error("it was written and is of no use: {0}; those before are kept")]
    Proof(#[from] Unusable),
}

/// A good checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Good {
    pub index: u64,
    pub lsn: u64,
}

/// Checkpoints on a disk.
#[derive(Debug)]
pub(crate) struct DiskStore<D: Disk> {
    disk: D,
    kek: Kek,
    kept_bytes: u64,
    floor: Arc<JournalFloor>,
    draft: Option<Draft<D>>,
    good: Vec<Good>,
    last_bytes: u64,
    proven: ProvenSites,
    /// Held so that no other process has the folder while a checkpoint is being written.
    _lock: Arc<D::Lock>,
}

impl<D: Disk + Clone> DiskStore<D> {
    /// Uses a disk on which `good` checkpoints lie. `kept_bytes` of it stay free for the journal.
    pub(crate) fn new(
        (disk, lock): (D, Arc<D::Lock>),
        kek: Kek,
        kept_bytes: u64,
        floor: Arc<JournalFloor>,
        good: Vec<Good>,
    ) -> DiskStore<D> {
        let (draft, last_bytes, proven) = (None, 0, ProvenSites::default());
        DiskStore { disk, kek, kept_bytes, floor, draft, good, last_bytes, proven, _lock: lock }
    }

    /// The newest of them has so many bytes.
    pub(crate) fn with_last(self, last_bytes: u64) -> DiskStore<D> {
        DiskStore { last_bytes, ..self }
    }

    /// Reads a checkpoint that was just written, and takes it away if no start could use it: a start
    /// would only pass it over.
    fn read_back(&mut self, index: u64) -> Result<(), FinishError> {
        let proof = prove(&self.disk, index, &self.kek, &mut self.proven);
        let compiled_count = self.proven.compiled_count();
        tracing::debug!(index, compiled_count, "a checkpoint was read back");
        proof.map(drop).map_err(|error| {
            tracing::error!(index, %error, "a checkpoint does not read back as it was told");
            if let Err(error) = self.disk.remove(&name_of(index)) {
                tracing::warn!(%error, "it could not be removed");
            }
            error.into()
        })
    }

    /// Lets go of the belief in those from before that are not whole any more.
    fn look_again(&mut self) {
        let disk = &self.disk;
        self.good.retain(|good| match ach_engine_checkpoint::verify(disk, good.index) {
            Ok(_) => true,
            Err(error) => {
                let index = good.index;
                tracing::error!(index, %error, "the checkpoint before is damaged");
                false
            }
        });
    }
}

impl<D: Disk + Clone> DiskStore<D> {
    /// Removes what neither a start nor history needs.
    fn tidy(&self) -> std::io::Result<()> {
        let all = Shelf::new(self.disk.clone());
        let mut kept: Vec<u64> = self.good.iter().map(|good| good.index).collect();
        // The newest first.
        let shelved: Vec<u64> = all.list()?.into_iter().map(|one| one.index).collect();
        self.floor.shelve(&shelved, &mut kept);
        all.keep(&kept)
    }
}

impl<D> CheckpointStore for DiskStore<D>
where
    D: Disk + Clone + Send,
{
    fn begin(&mut self, index: u64) -> Result<(), WriteError> {
        let disk = self.disk.clone();
        self.draft = Some(Draft::begin(disk, &self.kek, SHARD, index, self.kept_bytes)?);
        Ok(())
    }

    fn section(&mut self, kind: u32, body: &mut Vec<u8>) -> Result<(), WriteError> {
        self.draft.as_mut().map_or(Ok(()), |draft| draft.section(kind, body))
    }

    fn finish(&mut self, seal: &Seal) -> Result<u64, FinishError> {
        let Some(draft) = self.draft.take() else { return Ok(0) };
        let bytes = draft.finish(seal)?;
        self.read_back(seal.index)?;
        self.look_again();
        self.last_bytes = bytes;
        self.good.push(Good { index: seal.index, lsn: seal.lsn });
        self.good.sort_unstable_by_key(|good| std::cmp::Reverse(good.index));
        self.good.truncate(2);
        if let Err(error) = self.tidy() {
            tracing::warn!(%error, "an old checkpoint could not be removed");
        }
        self.floor.raise(&self.good);
        Ok(bytes)
    }

    fn last_bytes(&self) -> u64 {
        self.last_bytes
    }

    fn give_up(&mut self) {
        if let Some(draft) = self.draft.take() {
            draft.give_up();
        }
    }
}
