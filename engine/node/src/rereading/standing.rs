//! Where a history goes on: a shard as it was at a checkpoint before what is missing, or behind a gap.

use std::ops::ControlFlow;

use ach_engine_checkpoint::{ReadError, Shelf};
use ach_engine_journal::{Disk, FileDisk, Lsn, Reader, Record, RecordKind};
use ach_engine_shard::Shard;
use ach_engine_store::{ArchiveSpan, HistoryWriter, archives};

use super::{At, RereadError, Rereading, checkpoints_beside};
use crate::planted::{PlantedBug, is_planted};
use crate::restore::{Restored, Unusable, restore};

/// A checkpoint from which one may begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base {
    pub index: u64,
    pub is_beside_archives: bool,
}

impl<D: Disk + Clone> Rereading<D> {
    /// The first entry from which on archives and journal have all up to the end.
    pub(super) fn begins_at(&self, spans: &[ArchiveSpan]) -> Result<u64, RereadError> {
        let mut first = None;
        let mut each = |record: Record<'_>| {
            if record.kind == RecordKind::Entry && first.is_none() {
                first = Some(record.index);
            }
            if first.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        if let Some(oldest) = self.oldest_lsn()? {
            let before = Lsn(oldest.0.saturating_sub(1));
            Reader::new(self.disk.clone()).show_until(&self.kek, before, &mut each)?;
        }
        // Without an entry in either any checkpoint will do but none.
        let end = spans.last().map_or(2, |last| last.last_index.saturating_add(1));
        let mut begins_at = first.unwrap_or(end);
        for span in spans.iter().rev() {
            if span.last_index < begins_at.saturating_sub(1) {
                break;
            }
            begins_at = begins_at.min(span.first_index);
        }
        Ok(begins_at)
    }

    /// A shard as it was before what is next for a writer, or as soon after as there is a checkpoint of.
    pub(super) fn stand(&self, writer: &mut HistoryWriter) -> Result<At, RereadError> {
        let bases = self.bases()?;
        let taken = writer.taken_through();
        let mut unread = None;
        for base in bases.iter().rev().filter(|base| base.index <= taken) {
            match self.restored(*base) {
                Ok(Some(at)) => return Ok(at),
                Ok(None) => {}
                Err(error) => unread = unread.or(Some(error)),
            }
        }
        let spans = self.spans()?;
        let is_archived = spans.first().is_some_and(|span| span.first_index == 1);
        let is_whole = self.oldest_lsn()?.is_some_and(|oldest| oldest <= Lsn(1));
        let is_from_first = is_whole || (taken > 0 && is_archived);
        let begins_at = if is_from_first { 1 } else { self.begins_at(&spans)? };
        if begins_at == 1 {
            return Ok(At { shard: Shard::new(), effects: Vec::new(), lsn: Lsn::NONE });
        }
        // Nothing is left out for a checkpoint that may be read the next time.
        if let Some(error) = unread {
            return Err(error);
        }
        let expected = taken.saturating_add(1);
        self.behind(writer, begins_at)?.ok_or(RereadError::Missing { expected })
    }

    /// A shard behind the entry `missing`, if nobody has that and what follows is there from a checkpoint on.
    pub(super) fn behind_gap(
        &self,
        writer: &mut HistoryWriter,
        missing: u64,
    ) -> Result<Option<At>, RereadError> {
        let begins_at = self.begins_at(&self.spans()?)?;
        if begins_at <= missing { Ok(None) } else { self.behind(writer, begins_at) }
    }

    /// Has a writer go on behind the last gap, before `begins_at`: what lies before that could not be joined to
    /// what comes. `None` if there is no checkpoint to go on from.
    fn behind(
        &self,
        writer: &mut HistoryWriter,
        begins_at: u64,
    ) -> Result<Option<At>, RereadError> {
        let (bases, spans, taken) = (self.bases()?, self.spans()?, writer.taken_through());
        let is_behind =
            |base: &&Base| base.index.saturating_add(1) >= begins_at && base.index > taken;
        let mut behind: Vec<&Base> = bases.iter().filter(is_behind).collect();
        if is_planted(PlantedBug::HistoryBeginsLate) {
            behind.reverse();
        }
        let mut found = None;
        for base in behind {
            // One that may be read the next time is waited for: what lies before the next would be left out.
            found = self.restored(*base)?;
            if found.is_some() {
                break;
            }
        }
        let Some(at) = found else { return Ok(None) };
        let index = at.shard.entry_index();
        if taken > 0 {
            tracing::error!(
                taken,
                index,
                "history has a gap: neither journal nor archives have what it has not taken; questions about \
                 that time are refused"
            );
        } else {
            let left_out = spans.iter().filter(|span| span.last_index < begins_at).count();
            tracing::warn!(
                index,
                left_out,
                "history begins after this entry: what was before is gone, or only in archives that \
                 nothing joins to it"
            );
        }
        writer.begin_after(&at.shard)?;
        Ok(Some(at))
    }

    pub(super) fn spans(&self) -> Result<Vec<ArchiveSpan>, RereadError> {
        let failed = |source| RereadError::Archive { file: self.archives.clone(), source };
        archives(&self.archives).map_err(failed)
    }

    /// Every checkpoint there is, by its entry.
    pub(super) fn bases(&self) -> Result<Vec<Base>, RereadError> {
        let of = |indexes: Vec<u64>, is_beside_archives| {
            indexes.into_iter().map(move |index| Base { index, is_beside_archives })
        };
        let shelved = Shelf::new(self.disk.clone()).list().map_err(RereadError::Checkpoints)?;
        let shelved = shelved.iter().map(|one| one.index).collect();
        let kept = checkpoints_beside(&self.archives).map_err(RereadError::Checkpoints)?;
        let mut bases: Vec<Base> = of(shelved, false).chain(of(kept, true)).collect();
        // Of two alike the one beside the journal is the nearer one.
        bases.sort_unstable_by_key(|base| (base.index, !base.is_beside_archives));
        Ok(bases)
    }

    /// A shard as it was at a checkpoint; `None` if that is damaged and will never be of use.
    fn restored(&self, base: Base) -> Result<Option<At>, RereadError> {
        let whole = self.whole(base)?;
        Ok(whole.map(|restored| {
            let lsn = if base.is_beside_archives { 0 } else { restored.seal.lsn };
            At { shard: restored.shard, effects: Vec::new(), lsn: Lsn(lsn) }
        }))
    }

    /// What a checkpoint holds; `None` if that is damaged and will never be of use.
    pub(super) fn whole(&self, base: Base) -> Result<Option<Restored>, RereadError> {
        let index = base.index;
        let restored = if base.is_beside_archives {
            let disk = FileDisk::existing(&self.archives).map_err(RereadError::Checkpoints)?;
            restore(&disk, index, &self.kek)
        } else {
            restore(&self.disk, index, &self.kek)
        };
        let error = match restored {
            Ok(restored) => return Ok(Some(restored)),
            Err(error) => error,
        };
        if error.is_gone() {
            // A running node takes old ones away.
            return Ok(None);
        }
        tracing::warn!(index, %error, "a checkpoint is passed over");
        let is_for_now = error.is_newer()
            || matches!(&error, Unusable::Read(ReadError::Disk { .. } | ReadError::WrongKey));
        if is_for_now {
            return Err(RereadError::Checkpoint { index, detail: error.to_string() });
        }
        Ok(None)
    }
}
