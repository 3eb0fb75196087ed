//! Entries one after the other: of archives, then of the journal.

use std::ops::ControlFlow;
use std::path::Path;

use ach_engine_journal::{Disk, Lsn, ReadError, Reader, Record, RecordKind};
use ach_engine_store::{ArchiveReader, archives};

use super::{ARCHIVE_PURPOSE, RereadError, Rereading};

/// How far a reading has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    /// The entry that was read last.
    pub index: u64,
    /// The record in the journal that was read last; none while archives are to be read first.
    pub lsn: Lsn,
}

/// How a reading ended.
#[derive(Debug)]
pub(super) enum ReadEnd {
    /// Whoever takes the entries had enough.
    Stopped,
    /// There is no more.
    Over {
        /// The archive that could not be read, and which the journal went on behind.
        unread: Option<RereadError>,
    },
}

/// Takes the entry of an index, and says whether it wants more.
pub(super) type Take<'a> = dyn FnMut(u64, &[u8]) -> Result<ControlFlow<()>, RereadError> + 'a;

impl<D: Disk + Clone> Rereading<D> {
    /// Reads what follows, archives first, then the journal.
    pub(super) fn read_on(
        &self,
        cursor: &mut Cursor,
        take: &mut Take<'_>,
    ) -> Result<ReadEnd, RereadError> {
        // The journal may have given up what follows a checkpoint beside it.
        let is_in_journal =
            self.oldest_lsn()?.is_some_and(|oldest| oldest <= Lsn(cursor.lsn.0.saturating_add(1)));
        let unread = if is_in_journal {
            None
        } else {
            match self.read_archives(cursor, take) {
                Ok(ControlFlow::Break(())) => return Ok(ReadEnd::Stopped),
                Ok(ControlFlow::Continue(())) => None,
                Err(error) => Some(error),
            }
        };
        match self.read_journal(cursor, take) {
            Ok(ControlFlow::Break(())) => Ok(ReadEnd::Stopped),
            Ok(ControlFlow::Continue(())) => Ok(ReadEnd::Over { unread }),
            // What the journal has not either is told by the archive that should have it.
            Err(missing @ RereadError::Missing { .. }) => Err(unread.unwrap_or(missing)),
            Err(error) => Err(error),
        }
    }

    /// The first record that the journal has; `None` without a journal.
    pub(super) fn oldest_lsn(&self) -> Result<Option<Lsn>, RereadError> {
        match Reader::new(self.disk.clone()).oldest_lsn() {
            Ok(lsn) => Ok(Some(lsn)),
            Err(ReadError::NoJournal) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read_archives(
        &self,
        cursor: &mut Cursor,
        take: &mut Take<'_>,
    ) -> Result<ControlFlow<()>, RereadError> {
        let secret = self.kek.secret_for(ARCHIVE_PURPOSE)?;
        let failed = |file: &Path, source| RereadError::Archive { file: file.to_owned(), source };
        let spans = archives(&self.archives).map_err(|source| failed(&self.archives, source))?;
        for span in spans {
            let next = cursor.index.saturating_add(1);
            if span.last_index < next {
                continue;
            }
            if span.first_index > next {
                return Ok(ControlFlow::Continue(()));
            }
            let of_file = |source| failed(&span.file, source);
            for entry in ArchiveReader::open(&span, &secret).map_err(of_file)? {
                let entry = entry.map_err(of_file)?;
                if entry.index <= cursor.index {
                    continue;
                }
                let flow = take(entry.index, &entry.bytes)?;
                cursor.index = entry.index;
                if flow.is_break() {
                    return Ok(flow);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn read_journal(
        &self,
        cursor: &mut Cursor,
        take: &mut Take<'_>,
    ) -> Result<ControlFlow<()>, RereadError> {
        let mut taken = Ok(ControlFlow::Continue(()));
        // A segment before that is missing, given up or taken away by hand, is no matter.
        let oldest = self.oldest_lsn()?.unwrap_or(Lsn::NONE);
        let after = cursor.lsn.max(Lsn(oldest.0.saturating_sub(1)));
        let mut each = |record: Record<'_>| {
            if !matches!(taken, Ok(ControlFlow::Continue(()))) {
                return ControlFlow::Break(());
            }
            if record.kind == RecordKind::Entry && record.index > cursor.index {
                taken = take(record.index, record.payload);
                if taken.is_ok() {
                    cursor.index = record.index;
                }
            }
            if taken.is_ok() {
                cursor.lsn = record.lsn;
            }
            match taken {
                Ok(flow) => flow,
                Err(_) => ControlFlow::Break(()),
            }
        };
        let report = match Reader::new(self.disk.clone()).show_until(&self.kek, after, &mut each) {
            Err(ReadError::NoJournal) => None,
            report => Some(report?),
        };
        if taken?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        match report.and_then(|report| report.damage) {
            Some(damage) => {
                let detail = format!("{} (LSN {})", damage.harm, damage.lsn);
                Err(RereadError::Damaged { detail })
            }
            None => Ok(ControlFlow::Continue(())),
        }
    }
}
