//! Reads a journal without holding it: to verify it and to show what is in it.

use std::io;
use std::ops::ControlFlow;

use crate::damage::{Cut, Damage, Note};
use crate::disk::{Disk, SimDisk};
use crate::group::GroupHeader;
use crate::walk::{self, SegmentSpan, Visit, WalkError, Walked};
use crate::{Kek, Lsn, ReadError, Record, RecordKind};

/// How often a reading is tried when a running node may have disturbed it. Each disturbance is a
/// group caught halfway into the page cache or a segment that is released at that moment; eight in a
/// row mean a reader far slower than the writer.
const TRIES_MAX: u32 = 8;

/// Reads a journal offline, or beside a running node, whose folder it does not lock.
#[derive(Debug)]
pub struct Reader<D> {
    disk: D,
}

/// What a reading found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Intact segments, oldest first; a damaged one is not among them.
    pub segments: Vec<SegmentSpan>,
    /// Intact groups.
    pub groups: u64,
    /// Records in them.
    pub records: u64,
    /// Records by kind, in the order of [`RecordKind::ALL`]; zeros without a key.
    pub records_by_kind: [u64; RecordKind::ALL.len()],
    /// The last intact record.
    pub last_lsn: Lsn,
    /// Contents were decrypted and read. Without a key, checksums, chain and numbers were checked,
    /// which finds every damage but not every forgery.
    pub had_key: bool,
    /// The journal was closed, not killed, and is not in use.
    pub was_closed: bool,
    /// A tail that is not durable: torn, or being written at this moment.
    pub tail: Option<Cut>,
    /// The first damage. Nothing behind it was counted.
    pub damage: Option<Damage>,
    /// What cost nothing, but should be known.
    pub notes: Vec<Note>,
}

/// Counts what is found and hands on each record once, however often the reading is tried.
struct Tally<'a> {
    report: Report,
    each: &'a mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    handed_lsn: Lsn,
    is_over: bool,
}

impl Visit for Tally<'_> {
    fn segment(&mut self, span: SegmentSpan) {
        self.report.segments.push(span);
    }

    fn group(&mut self, header: &GroupHeader) {
        self.report.groups = self.report.groups.saturating_add(1);
        self.report.records = self.report.records.saturating_add(u64::from(header.records));
        self.report.last_lsn = header.next_lsn().before();
    }

    fn record(&mut self, record: Record<'_>) {
        let mut kinds = RecordKind::ALL.into_iter().zip(&mut self.report.records_by_kind);
        if let Some((_, count)) = kinds.find(|(kind, _)| *kind == record.kind) {
            *count = count.saturating_add(1);
        }
        if record.lsn > self.handed_lsn && !self.is_over {
            self.handed_lsn = record.lsn;
            self.is_over = (self.each)(record).is_break();
        }
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}

/// Reads a journal whose files are in memory, and does what [`Reader::show`] does: the same bytes
/// give the same report, whatever they are. Every parser of the journal's bytes lies behind this and
/// [`read_records`](crate::read_records).
///
/// # Errors
/// See [`ReadError`]; damage is not an error here but in the report.
pub fn read_files(
    files: &[(&str, &[u8])],
    kek: Option<&Kek>,
    each: &mut impl FnMut(Record<'_>),
) -> Result<Report, ReadError> {
    Reader::new(SimDisk::holding(files)).read(kek, Lsn::NONE, &mut all(each))
}

impl<D: Disk> Reader<D> {
    /// A reader of the journal on `disk`. Nothing is written or locked.
    pub fn new(disk: D) -> Reader<D> {
        Reader { disk }
    }

    /// Checks the whole journal and says what is in it and what is wrong.
    ///
    /// # Errors
    /// See [`ReadError`]; damage is not an error here but in the report.
    pub fn verify(&self, kek: Option<&Kek>) -> Result<Report, ReadError> {
        self.read(kek, Lsn::NONE, &mut |_| ControlFlow::Continue(()))
    }

    /// Hands every intact record in order and once to `each`, and says what [`Reader::verify`] does.
    /// Records that a running node releases meanwhile may be left out, also between others.
    ///
    /// # Errors
    /// See [`ReadError`]; damage is not an error here but in the report.
    pub fn show(&self, kek: &Kek, each: &mut impl FnMut(Record<'_>)) -> Result<Report, ReadError> {
        self.read(Some(kek), Lsn::NONE, &mut all(each))
    }

    /// As [`Reader::show`], of the records after `after`: for who has read the others. Segments that
    /// end before are passed over, and the report is of the others.
    ///
    /// # Errors
    /// See [`ReadError`]; damage is not an error here but in the report.
    pub fn show_after(
        &self,
        kek: &Kek,
        after: Lsn,
        each: &mut impl FnMut(Record<'_>),
    ) -> Result<Report, ReadError> {
        self.read(Some(kek), after, &mut all(each))
    }

    /// As [`Reader::show_after`], until `each` wants no more: the reading ends with that record's group,
    /// and the report is of what was read.
    ///
    /// # Errors
    /// See [`ReadError`]; damage is not an error here but in the report.
    pub fn show_until(
        &self,
        kek: &Kek,
        after: Lsn,
        each: &mut impl FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<Report, ReadError> {
        self.read(Some(kek), after, each)
    }

    /// The first record that the journal still has, or the next one to come if it has none: 1 as long
    /// as nothing was given up. Only a segment's header is read.
    ///
    /// # Errors
    /// See [`ReadError`]; a header that cannot be read is [`ReadError::NoJournal`].
    pub fn oldest_lsn(&self) -> Result<Lsn, ReadError> {
        match walk::oldest_lsn(&self.disk) {
            Ok(Some(lsn)) => Ok(lsn),
            Ok(None) => Err(ReadError::NoJournal),
            Err(error) => {
                ReadError::unless_damage(error)?;
                Err(ReadError::NoJournal)
            }
        }
    }

    fn read(
        &self,
        kek: Option<&Kek>,
        after: Lsn,
        each: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<Report, ReadError> {
        let mut tally =
            Tally { report: Report::default(), each, handed_lsn: after, is_over: false };
        let mut seen = None;
        for _ in 0..TRIES_MAX {
            tally.report = Report { had_key: kek.is_some(), ..Report::default() };
            let error = match walk::walk(&self.disk, kek, after, &mut tally) {
                Ok(walked) => return finish(tally.report, walked),
                Err(error) => error,
            };
            // A group that is being written while it is read may look damaged, a segment that is being
            // released may look missing: what is really wrong is so twice.
            let doubt = Doubt::of(&error);
            if doubt.is_none() || doubt == seen {
                let damage = ReadError::unless_damage(error)?;
                return Ok(Report { damage: Some(damage), ..tally.report });
            }
            seen = doubt;
        }
        Err(ReadError::Busy { tries: TRIES_MAX })
    }
}

/// Whoever takes every record.
fn all(each: &mut impl FnMut(Record<'_>)) -> impl FnMut(Record<'_>) -> ControlFlow<()> {
    move |record| {
        each(record);
        ControlFlow::Continue(())
    }
}

/// What a running node may cause without anything being wrong.
#[derive(Debug, PartialEq, Eq)]
enum Doubt {
    Damage(Damage),
    Missing(String),
}

impl Doubt {
    fn of(error: &WalkError) -> Option<Doubt> {
        match error {
            WalkError::Damage(damage) => Some(Doubt::Damage(*damage)),
            WalkError::Disk { file, source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some(Doubt::Missing(file.clone()))
            }
            WalkError::Disk { .. } | WalkError::WrongKey { .. } | WalkError::Newer { .. } => None,
        }
    }
}

fn finish(report: Report, walked: Walked) -> Result<Report, ReadError> {
    if walked.end.segment.is_none() && walked.mark.is_none() {
        return Err(ReadError::NoJournal);
    }
    Ok(Report {
        last_lsn: walked.end.last_lsn,
        was_closed: walked.mark.is_some_and(|mark| mark.is_clean),
        tail: walked.cut,
        notes: walked.notes,
        ..report
    })
}
