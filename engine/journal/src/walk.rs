//! Walks a journal to its end, from its oldest record or from one on. Opening and offline reading
//! both do.

use std::io;

use crate::damage::{Cut, Damage, Harm, Note};
use crate::data_key::{DataKey, Tag};
use crate::disk::{Disk, DiskFile};
use crate::group::GroupHeader;
use crate::mark::{self, Mark};
use crate::scan::{self, Expected, Finding};
use crate::segment::{
    self, Birth, GROUPS_AT, HeaderState, SEGMENT_BYTES_MAX, SegmentHeader, number_of,
};
use crate::{Kek, Lsn, Record, past, record};

/// The file a preparation fills before it becomes the spare.
pub(crate) const SPARE_NEW_NAME: &str = "spare.new";

/// The zeroed file that becomes the next segment.
pub(crate) const SPARE_NAME: &str = "spare";

/// Whether a folder with these files holds a journal.
pub(crate) fn is_journal(names: &[String]) -> bool {
    names.iter().any(|name| name == mark::MARK_NAME || number_of(name).is_some())
}

/// One segment, as far as it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentSpan {
    /// Its number.
    pub segment: u64,
    /// The first record in it, or the next one to come if it holds none.
    pub first_lsn: Lsn,
    /// The last record in it, or the one before `first_lsn` if it holds none.
    pub last_lsn: Lsn,
    /// Bytes used, header included.
    pub used_bytes: u64,
}

/// Is told what is found on the way.
pub(crate) trait Visit {
    /// A segment is intact up to its end.
    fn segment(&mut self, span: SegmentSpan);
    /// A group is intact.
    fn group(&mut self, header: &GroupHeader);
    /// A record is read; only with a key.
    fn record(&mut self, record: Record<'_>);
    /// Whether no more is wanted: then the walk ends with this group, and nothing is known of the rest.
    fn is_over(&self) -> bool {
        false
    }
}

/// Why a walk ended early.
#[derive(Debug)]
pub(crate) enum WalkError {
    Damage(Damage),
    Disk { verb: &'static str, file: String, source: io::Error },
    WrongKey { segment: u64 },
    Newer { segment: u64, version: u32 },
}

/// Where a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// The last segment; none yet when the journal is new.
    pub(crate) segment: Option<u64>,
    pub(crate) offset: u64,
    pub(crate) last_lsn: Lsn,
    pub(crate) chain: Tag,
    /// Where the last group of the last segment lies, if it has one.
    pub(crate) last_group: Option<(u64, usize)>,
}

/// What a walk to the end found.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) end: End,
    /// The segments that were read and, as far as their headers tell, those before.
    pub(crate) spans: Vec<SegmentSpan>,
    /// What is wrong with segments that were not read.
    pub(crate) old_damage: Vec<Damage>,
    pub(crate) cut: Option<Cut>,
    pub(crate) notes: Vec<Note>,
    pub(crate) mark: Option<Mark>,
    /// Files that belong to no journal any more.
    pub(crate) strays: Vec<String>,
}

/// Walks the journal from the segment that has the record after `after`; what lies before it is looked
/// at, not read, and damage there does not end the walk. Groups that end with `after` or before are
/// checked and not opened. Without a key everything is checked but what only the key can tell.
pub(crate) fn walk<D: Disk>(
    disk: &D,
    kek: Option<&Kek>,
    after: Lsn,
    visit: &mut dyn Visit,
) -> Result<Walked, WalkError> {
    let (mut walker, numbers) = Walker::begin(disk, kek, after)?;
    let present = walker.pass_over(&numbers)?;
    let (births, fault) = walker.read_headers(present);
    for (place, header) in births.iter().enumerate() {
        walker.enter(header, visit, births.get(place.saturating_add(1)))?;
        if visit.is_over() {
            return Ok(walker.walked());
        }
    }
    match fault {
        Some(fault) => Err(walker.behind(fault)),
        None => walker.finish(),
    }
}

/// The first record of the oldest segment, or the next one to come if it holds none; nothing without
/// a segment.
pub(crate) fn oldest_lsn<D: Disk>(disk: &D) -> Result<Option<Lsn>, WalkError> {
    let (mut walker, numbers) = Walker::begin(disk, None, Lsn::NONE)?;
    let Some(&oldest) = numbers.first() else { return Ok(None) };
    let header = walker.judge_header(oldest, numbers.len() == 1)?;
    Ok(header.map(|header| header.birth().first_lsn))
}

struct Walker<'a, D> {
    disk: &'a D,
    kek: Option<&'a Kek>,
    after: Lsn,
    mark: Option<Mark>,
    end: End,
    old_damage: Vec<Damage>,
    spans: Vec<SegmentSpan>,
    cut: Option<Cut>,
    notes: Vec<Note>,
    strays: Vec<String>,
    bytes: Vec<u8>,
    scratch: Vec<u8>,
}

impl<'a, D: Disk> Walker<'a, D> {
    /// A walker, and the numbers of the segments there are, in order.
    fn begin(
        disk: &'a D,
        kek: Option<&'a Kek>,
        after: Lsn,
    ) -> Result<(Walker<'a, D>, Vec<u64>), WalkError> {
        // The mark first: while a node runs, what is read after it can only be newer.
        let mark = mark::read(disk).map_err(|source| trouble("read", mark::MARK_NAME, source))?;
        let names = disk.list().map_err(|source| trouble("list", ".", source))?;
        let oldest = mark.mark.map_or(0, |mark| mark.oldest);
        let mut walker = Walker::new(disk, kek, after, mark.mark);
        if mark.is_damaged {
            walker.notes.push(Note::MarkDamaged);
        }
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_of(name)).collect();
        let released = numbers.iter().filter(|number| **number < oldest);
        walker.strays.extend(released.map(|number| segment::file_name(*number)));
        numbers.retain(|number| *number >= oldest);
        numbers.sort_unstable();
        let strays = names.into_iter().filter(|name| name == SPARE_NEW_NAME);
        walker.strays.extend(strays);
        Ok((walker, numbers))
    }

    fn new(disk: &'a D, kek: Option<&'a Kek>, after: Lsn, mark: Option<Mark>) -> Walker<'a, D> {
        let none = [0; 16];
        Walker {
            disk,
            kek,
            after,
            mark,
            end: End {
                segment: None,
                offset: 0,
                last_lsn: Lsn::NONE,
                chain: none,
                last_group: None,
            },
            old_damage: Vec::new(),
            spans: Vec::new(),
            cut: None,
            notes: Vec::new(),
            strays: Vec::new(),
            bytes: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Looks at the segments before the one that is wanted, and says which are to be read.
    fn pass_over<'n>(&mut self, numbers: &'n [u64]) -> Result<&'n [u64], WalkError> {
        let oldest = self.mark.map(|mark| mark.oldest);
        let past = past::look(self.disk, self.kek, numbers, oldest, self.after)?;
        self.spans = past.spans;
        self.old_damage = past.damage;
        Ok(numbers.get(past.passed_count..).unwrap_or_default())
    }

    /// The headers of all segments that are read, which must be numbered without a gap from the first
    /// on, up to the one that is not as it must be, and what is wrong with that one.
    fn read_headers(&mut self, numbers: &[u64]) -> (Vec<SegmentHeader>, Option<WalkError>) {
        let mut headers = Vec::new();
        // Without any before them, they begin with the oldest that was not released.
        let oldest = self.mark.map(|mark| mark.oldest);
        let oldest = oldest.filter(|_| self.spans.is_empty() && self.old_damage.is_empty());
        let mut expected = oldest.or(numbers.first().copied());
        for (place, number) in numbers.iter().copied().enumerate() {
            if expected != Some(number) {
                let missing = harm(expected.unwrap_or(0), 0, Lsn::NONE, Harm::SegmentMissing);
                return (headers, Some(missing));
            }
            expected = number.checked_add(1);
            match self.judge_header(number, place.saturating_add(1) == numbers.len()) {
                Ok(header) => headers.extend(header),
                Err(fault) => return (headers, Some(fault)),
            }
        }
        (headers, None)
    }

    /// The header of a segment; none of a last one that was never born, which is a stray.
    fn judge_header(
        &mut self,
        number: u64,
        is_last: bool,
    ) -> Result<Option<SegmentHeader>, WalkError> {
        match self.read_header(number)? {
            HeaderState::Born { header, copies } if header.birth().segment == number => {
                if copies < 2 {
                    self.notes.push(Note::HeaderCopyDamaged { segment: number });
                }
                Ok(Some(*header))
            }
            HeaderState::Newer { version } => Err(WalkError::Newer { segment: number, version }),
            HeaderState::Unreadable if is_last && self.is_unborn(number)? => {
                self.strays.push(segment::file_name(number));
                Ok(None)
            }
            HeaderState::Born { .. } | HeaderState::Unreadable => {
                Err(harm(number, 0, Lsn::NONE, Harm::SegmentHeader))
            }
        }
    }

    /// What is wrong with a header, now that all records before it were read.
    fn behind(&self, fault: WalkError) -> WalkError {
        match fault {
            WalkError::Damage(damage) => {
                WalkError::Damage(Damage { lsn: self.end.last_lsn.plus(1), ..damage })
            }
            other => other,
        }
    }

    fn read_header(&mut self, number: u64) -> Result<HeaderState, WalkError> {
        let name = segment::file_name(number);
        let file = self.disk.open_reading(&name);
        let file = file.map_err(|source| trouble("open", &name, source))?;
        self.bytes.resize(GROUPS_AT, 0);
        let read = file.read_at(0, &mut self.bytes);
        let read = read.map_err(|source| trouble("read", &name, source))?;
        self.bytes.truncate(read);
        Ok(SegmentHeader::read(&self.bytes))
    }

    /// A segment is born when its header is synced, before its first group is written. So one that
    /// has a group, or was marked, has been born.
    fn is_unborn(&mut self, number: u64) -> Result<bool, WalkError> {
        self.read_segment(number)?;
        let is_marked = self.mark.is_some_and(|mark| mark.segment >= number);
        Ok(!is_marked && !scan::has_any_group(&self.bytes, number))
    }

    fn read_segment(&mut self, number: u64) -> Result<(), WalkError> {
        let name = segment::file_name(number);
        let file = self.disk.open_reading(&name);
        let file = file.map_err(|source| trouble("open", &name, source))?;
        let read = file.read_all(&mut self.bytes, SEGMENT_BYTES_MAX);
        read.map_err(|source| trouble("read", &name, source))
    }

    /// Walks one segment; `next` is the header of the one after it, which knows where this one ends.
    fn enter(
        &mut self,
        header: &SegmentHeader,
        visit: &mut dyn Visit,
        next: Option<&SegmentHeader>,
    ) -> Result<(), WalkError> {
        let Birth { segment, first_lsn, previous_end, chain } = header.birth();
        let is_first = self.end.segment.is_none();
        let follows = self.end.last_lsn.plus(1) == first_lsn
            && self.end.offset == previous_end
            && self.end.chain == chain;
        if !is_first && !follows {
            return Err(harm(segment, 0, self.end.last_lsn.plus(1), Harm::SegmentSequence));
        }
        let key = self.unwrap_key(header)?;
        self.read_segment(segment)?;
        self.end = End {
            segment: Some(segment),
            offset: u64::try_from(GROUPS_AT).unwrap_or(u64::MAX),
            last_lsn: first_lsn.before(),
            chain: header.tag(),
            last_group: None,
        };
        let limit = next.map(|next| next.birth().previous_end);
        self.walk_groups(header, key.as_ref(), visit, limit)?;
        let used_bytes = self.end.offset;
        let span = SegmentSpan { segment, first_lsn, last_lsn: self.end.last_lsn, used_bytes };
        visit.segment(span);
        self.spans.push(span);
        Ok(())
    }

    fn unwrap_key(&self, header: &SegmentHeader) -> Result<Option<DataKey>, WalkError> {
        let Some(kek) = self.kek else { return Ok(None) };
        let Birth { segment, first_lsn, .. } = header.birth();
        if !header.is_wrapped_by(kek) {
            return Err(WalkError::WrongKey { segment });
        }
        let key = header.unwrap_key(kek);
        key.map(Some).map_err(|_| harm(segment, 0, first_lsn, Harm::SegmentKey))
    }

    fn walk_groups(
        &mut self,
        header: &SegmentHeader,
        key: Option<&DataKey>,
        visit: &mut dyn Visit,
        limit: Option<u64>,
    ) -> Result<(), WalkError> {
        let home = header.home();
        let bytes = std::mem::take(&mut self.bytes);
        let mut scratch = std::mem::take(&mut self.scratch);
        let end = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(bytes.len());
        let used = bytes.get(..end).unwrap_or(&bytes);
        let mut at = GROUPS_AT;
        let outcome = loop {
            if visit.is_over() || (limit.is_some() && at == end) {
                break Ok(());
            }
            let lsn = self.end.last_lsn.plus(1);
            let expected = Expected { home, lsn, chain: self.end.chain };
            let damaged = |harm| {
                WalkError::Damage(Damage {
                    segment: home.segment,
                    offset: self.end.offset,
                    lsn,
                    harm,
                })
            };
            match scan::judge(used, at, expected) {
                Finding::Group(group, whole) => {
                    // What is not wanted is not opened; its checksum and its place are looked at.
                    if let Some(key) = key.filter(|_| group.next_lsn() > self.after.plus(1))
                        && let Err(harm) = read_records(&group, whole, key, &mut scratch, visit)
                    {
                        break Err(damaged(harm));
                    }
                    visit.group(&group);
                    self.advance(&group, whole);
                    at = at.saturating_add(whole.len());
                }
                Finding::Harmed(harm) => break Err(damaged(harm)),
                Finding::Clean | Finding::Torn { .. } if limit.is_some() => {
                    break Err(damaged(Harm::GroupContents));
                }
                Finding::Clean => break Ok(()),
                Finding::Torn { torn_bytes } => {
                    let torn_bytes = u64::try_from(torn_bytes).unwrap_or(u64::MAX);
                    let (segment, offset) = (home.segment, self.end.offset);
                    self.cut = Some(Cut { segment, offset, torn_bytes, lsn });
                    break Ok(());
                }
            }
        };
        self.bytes = bytes;
        self.scratch = scratch;
        outcome
    }

    fn advance(&mut self, group: &GroupHeader, whole: &[u8]) {
        self.end.last_group = Some((self.end.offset, whole.len()));
        self.end.offset = self.end.offset.saturating_add(u64::try_from(whole.len()).unwrap_or(0));
        self.end.last_lsn = group.next_lsn().before();
        self.end.chain = group.tag(whole);
    }

    /// The mark has the last word: what it says was durable must be there.
    fn finish(mut self) -> Result<Walked, WalkError> {
        if self.mark.is_none() && self.end.last_lsn > Lsn::NONE {
            self.notes.push(Note::MarkMissing);
        }
        let durable = self.mark.map_or(Lsn::NONE, |mark| mark.durable_lsn);
        if self.end.last_lsn < durable {
            let segment = self.end.segment.or(self.mark.map(|mark| mark.segment)).unwrap_or(0);
            let missing = self.end.last_lsn.plus(1);
            return Err(harm(segment, self.end.offset, missing, Harm::Short));
        }
        Ok(self.walked())
    }

    /// What was found as far as it came.
    fn walked(self) -> Walked {
        let Walker { end, spans, old_damage, cut, notes, mark, strays, .. } = self;
        Walked { end, spans, old_damage, cut, notes, mark, strays }
    }
}

fn read_records(
    group: &GroupHeader,
    whole: &[u8],
    key: &DataKey,
    scratch: &mut Vec<u8>,
    visit: &mut dyn Visit,
) -> Result<(), Harm> {
    let body = group.open(whole, key, scratch).map_err(|_| Harm::Seal)?;
    let records = record::read_records(body, group.first_lsn, group.records);
    for record in records.map_err(|_| Harm::Records)? {
        visit.record(record);
    }
    Ok(())
}

pub(crate) fn trouble(verb: &'static str, file: &str, source: io::Error) -> WalkError {
    WalkError::Disk { verb, file: file.to_owned(), source }
}

fn harm(segment: u64, offset: u64, lsn: Lsn, harm: Harm) -> WalkError {
    WalkError::Damage(Damage { segment, offset, lsn, harm })
}
