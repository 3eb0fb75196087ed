//! Where checkpoints are kept: beside the segments of the journal, two of them, and one that history may
//! have to go on from.

use std::fmt;
use std::sync::Arc;

use ach_engine_checkpoint::{Draft, Seal, Shelf, WriteError};
use ach_engine_journal::{Disk, Kek};

use crate::journal_floor::JournalFloor;
use crate::notes::SHARD;

/// Where checkpoints are kept. A disk in a node; in tests anything that can fail.
pub(crate) trait CheckpointStore: Send + fmt::Debug {
    /// Begins the checkpoint of an entry.
    fn begin(&mut self, index: u64) -> Result<(), WriteError>;

    /// Adds a section; its bytes are of no use afterwards.
    fn section(&mut self, kind: u32, body: &mut Vec<u8>) -> Result<(), WriteError>;

    /// Ends the checkpoint, which is on disk then, and gives up what it makes needless. Says how
    /// many bytes it has.
    fn finish(&mut self, seal: &Seal) -> Result<u64, WriteError>;

    /// Takes away the checkpoint that was begun.
    fn give_up(&mut self);
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
        DiskStore { disk, kek, kept_bytes, floor, draft: None, good, _lock: lock }
    }
}

impl<D: Disk + Clone> DiskStore<D> {
    /// Removes what neither a start nor history needs.
    fn tidy(&self) -> std::io::Result<()> {
        let all = Shelf::new(self.disk.clone());
        let mut kept: Vec<u64> = self.good.iter().map(|good| good.index).collect();
        if let Some(written_index) = self.floor.written_index() {
            // The newest first.
            let shelved = all.list()?.into_iter().map(|one| one.index);
            kept.extend(shelved.into_iter().find(|&index| index <= written_index));
        }
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

    fn finish(&mut self, seal: &Seal) -> Result<u64, WriteError> {
        let Some(draft) = self.draft.take() else { return Ok(0) };
        let bytes = draft.finish(seal)?;
        self.good.push(Good { index: seal.index, lsn: seal.lsn });
        self.good.sort_unstable_by_key(|good| std::cmp::Reverse(good.index));
        self.good.truncate(2);
        if let Err(error) = self.tidy() {
            tracing::warn!(%error, "an old checkpoint could not be removed");
        }
        self.floor.raise(&self.good);
        Ok(bytes)
    }

    fn give_up(&mut self) {
        if let Some(draft) = self.draft.take() {
            draft.give_up();
        }
    }
}
