//! Checks a whole log, without changing anything: every frame, link, record and head, and a head that
//! was noted elsewhere.

use ach_engine_journal::Disk;
use thiserror::Error;

use crate::chain::Chain;
use crate::errors::ReadError;
use crate::harm::{Damage, Harm, Tail};
use crate::hash::Hash;
use crate::head::{HeadError, SignedHead};
use crate::key::VerifyingKey;
use crate::mark::{self, Mark};
use crate::record::{Record, RecordError};
use crate::segment;
use crate::walk::{Found, Walk, read_segment};

/// How often the last segment is read until two readings agree. It takes a millisecond, and a busy log
/// is written some hundred times a second. After that it is given up, without a verdict.
const READINGS_MAX: u32 = 100;

/// A record as it is met.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its number, from 0: its leaf index.
    pub index: u64,
    /// Its leaf.
    pub leaf: Hash,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What they say.
    pub record: Result<Record, RecordError>,
}

/// Why a log is not the one whose head was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotedWrong {
    /// The signature is not the key's.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// It is of another log.
    #[error("the noted head is of another log")]
    OtherLog,
    /// The same number of records hash to something else.
    #[error("the first {size} records are not those whose head was noted: they were changed")]
    Differs {
        /// How many it stands for.
        size: u64,
    },
    /// What it stands for ends behind a damage.
    #[error("the noted head stands for {size} records, and the log was not read so far")]
    Unmet {
        /// How many it stands for.
        size: u64,
    },
    /// It has fewer records.
    #[error("the noted head stands for {size} records and {found} are there: they were cut off")]
    Cut {
        /// How many it stands for.
        size: u64,
        /// How many are there.
        found: u64,
    },
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How many segments were read.
    pub segments: u64,
    /// How many records are intact.
    pub records: u64,
    /// How many heads are.
    pub heads: u64,
    /// How many records a later version of this program wrote.
    pub newer: u64,
    /// The root of the intact records.
    pub root: Hash,
    /// The last intact head.
    pub head: Option<SignedHead>,
    /// Whether signatures were looked at.
    pub had_key: bool,
    /// What was never acknowledged, or is being written right now.
    pub tail: Option<Tail>,
    /// The first thing that is wrong.
    pub damage: Option<Damage>,
    /// What the noted head says against the log.
    pub noted: Option<NotedWrong>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.damage.is_none() && self.noted.is_none()
    }
}

/// Checks logs.
#[derive(Debug, Default)]
pub struct Verifier {
    key: Option<VerifyingKey>,
    noted: Option<SignedHead>,
}

impl Verifier {
    /// Checks signatures with a key; without one all but the signatures.
    pub fn new(key: Option<VerifyingKey>) -> Verifier {
        Verifier { key, noted: None }
    }

    /// Holds the log against a head that was noted elsewhere.
    #[must_use]
    pub fn with_head(self, noted: SignedHead) -> Verifier {
        Verifier { noted: Some(noted), ..self }
    }

    /// Reads the log in a folder, which a node may be writing, and hands every intact record to
    /// `each`.
    ///
    /// # Errors
    ///
    /// There is none, or the disk refuses. That it is damaged is in the report.
    pub fn run<D: Disk>(
        &self,
        disk: &D,
        each: &mut dyn FnMut(&Entry<'_>),
    ) -> Result<Report, ReadError> {
        let report = self.run_gently(disk, each, &mut || true)?;
        // Nobody has said that it is not wanted.
        report.ok_or(ReadError::NoLog)
    }

    /// As [`Verifier::run`], with `rest` called after each segment. When that says that the check is
    /// not wanted any more, there is no report.
    ///
    /// # Errors
    ///
    /// As [`Verifier::run`].
    pub fn run_gently<D: Disk>(
        &self,
        disk: &D,
        each: &mut dyn FnMut(&Entry<'_>),
        rest: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Report>, ReadError> {
        let failed = |verb: &'static str, file: &str| {
            let file = file.to_owned();
            move |source| ReadError::Disk { verb, file, source }
        };
        // The mark first: what it says was on disk before anything that is read after it.
        let mark = mark::read(disk).map_err(failed("read", mark::MARK_NAME))?;
        let names = disk.list().map_err(failed("list", "the folder"))?;
        let numbers = segment::numbers(&names);
        let last = numbers.last().copied().unwrap_or(0);
        let last = last.max(mark.map_or(0, |mark| mark.reach.segment));
        if last == 0 {
            return Err(ReadError::NoLog);
        }
        let mut pass = Pass::new(self, mark, last);
        for segment in 1..=last {
            if !pass.read(disk, segment, each)? {
                break;
            }
            if segment < last && !rest() {
                return Ok(None);
            }
        }
        Ok(Some(pass.end()))
    }
}

/// One reading of a log.
struct Pass<'v> {
    verifier: &'v Verifier,
    mark: Option<Mark>,
    last: u64,
    chain: Chain,
    end: u64,
    is_noted_met: bool,
    /// Whether the mark speaks of other records than these.
    is_mark_other: bool,
    buffer: Vec<u8>,
    report: Report,
}

impl<'v> Pass<'v> {
    fn new(verifier: &'v Verifier, mark: Option<Mark>, last: u64) -> Pass<'v> {
        let mut pass = Pass {
            verifier,
            mark,
            last,
            chain: Chain::default(),
            end: 0,
            is_noted_met: false,
            is_mark_other: false,
            buffer: Vec::new(),
            report: Report { had_key: verifier.key.is_some(), ..Report::default() },
        };
        pass.meet(&Chain::default());
        pass
    }

    /// Holds the mark and the noted head against as many records as they stand for.
    fn meet(&mut self, chain: &Chain) {
        let reach = self.mark.map(|mark| mark.reach).filter(|reach| reach.size == chain.size());
        self.is_mark_other |= reach.is_some_and(|reach| reach.link != chain.link);
        let Some(noted) = self.verifier.noted.as_ref().map(|noted| &noted.head) else { return };
        if noted.size != chain.size() {
            return;
        }
        self.is_noted_met = true;
        if noted.root != chain.frontier.root() || noted.link != chain.link {
            self.report.noted = Some(NotedWrong::Differs { size: noted.size });
        }
    }

    /// Reads a segment. False when something is wrong with it.
    fn read<D: Disk>(
        &mut self,
        disk: &D,
        segment: u64,
        each: &mut dyn FnMut(&Entry<'_>),
    ) -> Result<bool, ReadError> {
        let mut bytes = std::mem::take(&mut self.buffer);
        let header = match self.read_whole(disk, segment, &mut bytes)? {
            Ok(header) if header == self.chain => header,
            Ok(_) => return Ok(self.damaged(segment, 0, Harm::Seam)),
            Err(harm) => return Ok(self.damaged(segment, 0, harm)),
        };
        self.report.segments = segment;
        let key = self.verifier.key.as_ref();
        let mut walk = Walk::new(&bytes, header, self.report.head.clone(), key);
        let harm = loop {
            let at = u64::try_from(walk.offset).unwrap_or(u64::MAX);
            match walk.next() {
                Ok(None) => break None,
                Err(harm) => break Some(harm),
                Ok(Some(Found::Head(head))) => {
                    self.report.heads += 1;
                    self.report.head = Some(head);
                }
                Ok(Some(Found::Record { index, leaf, bytes })) => {
                    let record = Record::from_bytes(bytes);
                    match &record {
                        Err(RecordError::Newer) => {
                            self.report.newer += 1;
                            self.meet(&walk.chain);
                        }
                        Err(error) => {
                            self.chain.clone_from(&walk.chain);
                            let found = self.damaged(segment, at, Harm::Record(*error));
                            self.report.damage.iter_mut().for_each(|it| it.record = index);
                            return Ok(found);
                        }
                        Ok(_) => self.meet(&walk.chain),
                    }
                    each(&Entry { index, leaf, bytes, record });
                }
            }
        };
        self.end = u64::try_from(walk.offset).unwrap_or(u64::MAX);
        self.chain.clone_from(&walk.chain);
        let is_sound = match harm {
            None => true,
            Some(_) if self.is_torn(segment, &walk) => {
                let (offset, bytes) = (self.end, walk.tail_bytes());
                self.report.tail = Some(Tail { segment, offset, bytes });
                true
            }
            Some(harm) => self.damaged(segment, self.end, harm),
        };
        self.buffer = bytes;
        Ok(is_sound)
    }

    /// Reads a segment as it was at one moment: of the last one, which may be written right now, a page
    /// could be from before a group and the next from after it. Two readings that agree saw neither.
    fn read_whole<D: Disk>(
        &self,
        disk: &D,
        segment: u64,
        bytes: &mut Vec<u8>,
    ) -> Result<Result<Chain, Harm>, ReadError> {
        let mut before = Vec::new();
        for reading in 0..READINGS_MAX {
            bytes.clear();
            let header = read_segment(disk, segment, bytes)?;
            if segment != self.last || reading > 0 && before == *bytes {
                return Ok(header);
            }
            std::mem::swap(&mut before, bytes);
        }
        // What was read may be torn, which is no verdict on the log.
        Err(ReadError::Busy)
    }

    /// Whether what cannot be read is what was being written when the writer ended.
    fn is_torn(&self, segment: u64, walk: &Walk<'_>) -> bool {
        let Some(Mark { reach, .. }) = self.mark else { return false };
        let is_behind =
            reach.segment < segment || reach.segment == segment && self.end >= reach.end;
        segment == self.last && is_behind && walk.head.is_some() && !walk.has_head_behind()
    }

    fn damaged(&mut self, segment: u64, offset: u64, harm: Harm) -> bool {
        let record = self.chain.size();
        self.report.damage = Some(Damage { segment, offset, record, harm });
        false
    }

    fn end(mut self) -> Report {
        let found = self.chain.size();
        self.report.records = found;
        self.report.root = self.chain.frontier.root();
        if self.report.damage.is_none() {
            self.check_mark(found);
        }
        if let Some(noted) = &self.verifier.noted {
            let log = self.report.head.as_ref().map(|head| &head.head.log);
            let key = self.verifier.key.as_ref();
            let signed = key.map_or(Ok(()), |key| noted.verify(key));
            let size = noted.head.size;
            if log.is_some_and(|log| *log != noted.head.log) {
                self.report.noted = Some(NotedWrong::OtherLog);
            } else if let Err(wrong) = signed {
                self.report.noted = Some(NotedWrong::Head(wrong));
            } else if !self.is_noted_met && self.report.damage.is_some() {
                self.report.noted = Some(NotedWrong::Unmet { size });
            } else if !self.is_noted_met {
                self.report.noted = Some(NotedWrong::Cut { size, found });
            }
        }
        self.report
    }

    fn check_mark(&mut self, found: u64) {
        let Some(mark) = self.mark else {
            self.damaged(self.last, self.end, Harm::NoMark);
            return;
        };
        let Mark { reach, .. } = mark;
        let is_signed = self.verifier.key.as_ref().is_none_or(|key| mark.is_signed(key));
        let harm = if reach.size > found || reach.segment == self.last && reach.end > self.end {
            Harm::Cut { durable: reach.size, found }
        } else if self.is_mark_other || !is_signed {
            Harm::MarkForged
        } else {
            return;
        };
        self.damaged(self.last, self.end, harm);
    }
}
