//! Opens a journal: hands out every record, decides about the tail, begins a fresh segment.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use crate::damage::{Cut, Damage, Note};
use crate::disk::{Disk, DiskFile};
use crate::group::{GROUP_HEADER_BYTES, GroupHeader};
use crate::journal::{Active, Config, Counters, Journal};
use crate::mark::{MARK_NAME, MarkFile};
use crate::roll::{self, BirthError, Spare, Ticket};
use crate::segment::{Birth, GROUPS_AT, file_name, number_of};
use crate::walk::{self, End, SPARE_NAME, SegmentSpan, Visit, Walked};
use crate::{Kek, Lsn, OpenError, Record};

/// What was found when a journal was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// A tail that was never acked and is left out. The bytes are gone from the disk.
    pub cut: Option<Cut>,
    /// The last record.
    pub last_lsn: Lsn,
    /// How many records were handed out.
    pub records: u64,
    /// The journal had been closed, not killed.
    pub was_closed: bool,
    /// What cost nothing, but should be known.
    pub notes: Vec<Note>,
    /// Damage in segments that were not read, because what was asked for lies behind them. The journal
    /// goes on; a segment is counted once at most, and those that are missing in a row once together.
    pub old_damage: Vec<Damage>,
}

/// Hands records on and counts them.
struct Replay<'a> {
    after: Lsn,
    records: u64,
    each: &'a mut dyn FnMut(Record<'_>),
}

impl Visit for Replay<'_> {
    fn segment(&mut self, _span: SegmentSpan) {}

    fn group(&mut self, _header: &GroupHeader) {}

    fn record(&mut self, record: Record<'_>) {
        if record.lsn <= self.after {
            return;
        }
        self.records = self.records.saturating_add(1);
        (self.each)(record);
    }
}

impl<D: Disk> Journal<D> {
    /// Opens the journal in a folder, or begins one, and hands every record in order to `each`.
    ///
    /// A tail that was never acked is cut. When this returns, all that was handed out survives a
    /// power cut, even what a killed process had written and not synced.
    ///
    /// # Errors
    /// See [`OpenError`]. After [`OpenError::Corrupt`] the intact records before the damage have
    /// been handed out, and the folder is unchanged.
    pub fn open(
        disk: D,
        config: Config,
        kek: Kek,
        each: &mut impl FnMut(Record<'_>),
    ) -> Result<(Journal<D>, Opened), OpenError> {
        Journal::open_after(disk, config, kek, Lsn::NONE, each)
    }

    /// As [`Journal::open`], for an owner that knows everything up to `after` from elsewhere and wants
    /// only the records behind it: the segments before the one that has the next are not read. Their
    /// headers are looked at and where each ends, and what is wrong with them is in
    /// [`Opened::old_damage`] and stops nothing.
    ///
    /// If the journal has nothing as old, all of it is read.
    ///
    /// # Errors
    /// See [`OpenError`]; damage in what is read is one.
    pub fn open_after(
        disk: D,
        config: Config,
        kek: Kek,
        after: Lsn,
        each: &mut impl FnMut(Record<'_>),
    ) -> Result<(Journal<D>, Opened), OpenError> {
        config.check()?;
        let lock = disk.lock().map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => OpenError::InUse,
            _ => OpenError::Disk { verb: "lock", file: ".".to_owned(), source },
        })?;
        let mut replay = Replay { after, records: 0, each };
        let walked = walk::walk(&disk, Some(&kek), after, &mut replay)?;
        let mut opened = Opened {
            cut: walked.cut,
            last_lsn: walked.end.last_lsn,
            records: replay.records,
            was_closed: walked.mark.is_some_and(|mark| mark.is_clean),
            notes: walked.notes.clone(),
            old_damage: walked.old_damage.clone(),
        };
        let previous = make_durable(&disk, &walked.end)?;
        opened.notes.extend(remove_strays(&disk, &walked)?);
        let spare = find_spare(&disk, config.segment_bytes)?;
        let (active, chain) = begin_segment(&disk, &config, &kek, &walked, spare)?;
        drop_tail(previous, &walked.end)?;
        let Walked { end, spans, mark, .. } = walked;
        let oldest = mark.map(|mark| mark.oldest).filter(|oldest| *oldest > 0);
        let oldest = oldest.or(spans.first().map(|span| span.segment));
        let oldest = oldest.unwrap_or(active.home.segment);
        let mark = MarkFile::open(&disk, mark).map_err(disk_error("open", MARK_NAME))?;
        let mut journal = Journal {
            disk,
            kek,
            config,
            active,
            spare: None,
            ticket: Ticket::default(),
            closed: VecDeque::from(spans),
            oldest,
            mark,
            group: vec![0; GROUP_HEADER_BYTES],
            group_records: 0,
            durable: end.last_lsn,
            chain,
            dead: None,
            counters: Counters::default(),
            lock: Arc::new(lock),
        };
        journal.mark_opened()?;
        Ok((journal, opened))
    }

    /// Two marks, so that both slots are of this opening, and the name of their file.
    fn mark_opened(&mut self) -> Result<(), OpenError> {
        for _ in 0..2 {
            self.write_mark(false).map_err(|error| match error {
                crate::CommitError::Disk { verb, file, source } => {
                    OpenError::Disk { verb, file, source }
                }
                _ => OpenError::Cipher,
            })?;
        }
        self.mark.sync().map_err(disk_error("sync", MARK_NAME))?;
        self.disk.sync_dir().map_err(disk_error("sync", "."))
    }
}

fn disk_error(verb: &'static str, file: &str) -> impl FnOnce(io::Error) -> OpenError {
    let file = file.to_owned();
    move |source| OpenError::Disk { verb, file, source }
}

/// Makes what was read of the last segment durable. The process that wrote the last group, or the
/// header when there is no group, may have been killed before its sync, or its sync may have failed;
/// then the system holds pages that are not on the disk and believes they are. So that is written
/// once more; what lies before it was synced before it was written.
fn make_durable<D: Disk>(disk: &D, end: &End) -> Result<Option<(D::File, u64)>, OpenError> {
    let Some(segment) = end.segment else { return Ok(None) };
    let name = file_name(segment);
    let file = disk.open(&name).map_err(disk_error("open", &name))?;
    let (at, len) = end.last_group.unwrap_or((0, GROUPS_AT));
    let mut bytes = vec![0; len];
    let read = file.read_at(at, &mut bytes).map_err(disk_error("read", &name))?;
    bytes.truncate(read);
    file.write_at(at, &bytes).map_err(disk_error("write", &name))?;
    file.sync().map_err(disk_error("sync", &name))?;
    Ok(Some((file, segment)))
}

/// Removes what belongs to the journal no more, and says which released segments stay. One that was
/// never born must go: the next one gets its name.
fn remove_strays<D: Disk>(disk: &D, walked: &Walked) -> Result<Vec<Note>, OpenError> {
    let oldest = walked.mark.map_or(0, |mark| mark.oldest);
    let mut left = Vec::new();
    for name in &walked.strays {
        match (disk.remove(name), number_of(name)) {
            (Ok(()), _) => {}
            (Err(source), _) if source.kind() == io::ErrorKind::NotFound => {}
            (Err(_), Some(segment)) if segment < oldest => {
                left.push(Note::ReleasedLeft { segment });
            }
            (Err(source), _) => return Err(disk_error("remove", name)(source)),
        }
    }
    Ok(left)
}

/// The spare a former process left, if it is of the right length. Whether all of it is zero need not
/// be checked: the torn tail rule holds for zeros and whatever is not a group alike.
fn find_spare<D: Disk>(disk: &D, len_bytes: u64) -> Result<Option<Spare<D::File>>, OpenError> {
    let file = match disk.open(SPARE_NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(disk_error("open", SPARE_NAME))?,
    };
    if file.len_bytes().map_err(disk_error("measure", SPARE_NAME))? == len_bytes {
        return Ok(Some(Spare { file, len_bytes }));
    }
    disk.remove(SPARE_NAME).map_err(disk_error("remove", SPARE_NAME))?;
    Ok(None)
}

/// Every opening writes to a fresh segment with a fresh key, so that no nonce is used twice and
/// nothing of a cut tail can ever be read as valid.
fn begin_segment<D: Disk>(
    disk: &D,
    config: &Config,
    kek: &Kek,
    walked: &Walked,
    spare: Option<Spare<D::File>>,
) -> Result<(Active<D::File>, crate::data_key::Tag), OpenError> {
    let End { segment, offset, last_lsn, chain, .. } = walked.end;
    let oldest = walked.mark.map_or(1, |mark| mark.oldest.max(1));
    let number = segment.map_or(oldest, |segment| segment.saturating_add(1));
    let birth = Birth { segment: number, first_lsn: last_lsn.plus(1), previous_end: offset, chain };
    let needed_bytes = config.segment_bytes;
    roll::bear(disk, kek, birth, spare, needed_bytes).map_err(|error| match error {
        BirthError::Full { free_bytes } => OpenError::Full { needed_bytes, free_bytes },
        BirthError::Cipher => OpenError::Cipher,
        BirthError::Disk { verb, source } => {
            OpenError::Disk { verb, file: file_name(number), source }
        }
    })
}

/// Cuts the file of the last segment behind its last group. The new segment, durable by now, knows
/// where it ends; this gives its room back and takes a torn tail away.
fn drop_tail<F: DiskFile>(previous: Option<(F, u64)>, end: &End) -> Result<(), OpenError> {
    let Some((file, segment)) = previous else { return Ok(()) };
    let name = file_name(segment);
    file.set_len(end.offset).map_err(disk_error("cut", &name))?;
    file.sync().map_err(disk_error("sync", &name))
}
