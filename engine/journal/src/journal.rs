//! The journal as its one owner sees it: append, commit, seal, release, close.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use crate::data_key::{DataKey, TAG_BYTES, Tag};
use crate::disk::{Disk, DiskFile};
use crate::group::{self, GROUP_HEADER_BYTES, Home};
use crate::mark::{Mark, MarkFile};
use crate::record::{self, RECORD_HEADER_BYTES};
use crate::roll::{Spare, Ticket};
use crate::segment::{GROUPS_AT, SEGMENT_BYTES_MAX, file_name};
use crate::{
    AppendError, CommitError, FileDisk, Kek, Lsn, OpenError, RECORD_BYTES_MAX, Record, RecordKind,
    SegmentSpan,
};

/// What can be chosen about a journal. The format on the disk depends on none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How long the file of a segment is. Default 64 MiB: rolled every few seconds at a million
    /// pings a second, and read in a tenth of a second.
    pub segment_bytes: u64,
    /// When a group is full. Default 8 MiB, so that one sync stays within tens of milliseconds. A
    /// single record may be larger and is then a group of its own.
    pub group_bytes_max: usize,
    /// Room on the disk that preparing a segment leaves alone, so that whatever else fills the disk
    /// hears of it while the journal can still roll. Default two segments.
    pub reserve_bytes: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config { segment_bytes: 64 << 20, group_bytes_max: 8 << 20, reserve_bytes: 128 << 20 }
    }
}

/// Segments that one [`Journal::release_before`] removes at most. Removing 64 MiB takes a file system
/// some ten milliseconds, and no group becomes durable meanwhile.
pub const RELEASE_MAX: usize = 4;

/// Smallest segment: the headers and a little; only tests want it.
const SEGMENT_BYTES_MIN: u64 = 16 << 10;

/// Smallest group limit.
const GROUP_BYTES_MIN: usize = 4 << 10;

impl Config {
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let group_bytes = u64::try_from(self.group_bytes_max).unwrap_or(u64::MAX);
        let group_min = u64::try_from(GROUP_BYTES_MIN).unwrap_or(u64::MAX);
        let group_max = u64::try_from(RECORD_BYTES_MAX).unwrap_or(u64::MAX);
        // A group of the largest size must fit in the largest segment, with its headers.
        for (setting, value, min, max) in [
            ("segment_bytes", self.segment_bytes, SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX),
            ("group_bytes_max", group_bytes, group_min, group_max),
        ] {
            if value < min || value > max {
                return Err(OpenError::Setting { setting, value, min, max });
            }
        }
        Ok(())
    }
}

/// What a journal has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Groups made durable.
    pub groups: u64,
    /// Records made durable.
    pub records: u64,
    /// Bytes written for them, padding and headers included.
    pub bytes: u64,
    /// Segments begun with a spare.
    pub rolls_prepared: u64,
    /// Segments begun without one: each made a commit wait for a segment to be zeroed.
    pub rolls_unprepared: u64,
    /// Segments that were released and whose files could not be removed.
    pub segments_left: u64,
}

/// How much can still be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes left in the segment that is being written.
    pub segment_bytes: u64,
    /// Bytes in the spare.
    pub spare_bytes: u64,
    /// Bytes free on the disk beyond the reserve.
    pub free_bytes: u64,
}

/// The segment that is being written.
#[derive(Debug)]
pub(crate) struct Active<F> {
    pub(crate) file: F,
    pub(crate) home: Home,
    pub(crate) key: DataKey,
    pub(crate) first_lsn: Lsn,
    pub(crate) len_bytes: u64,
    /// Where the next group goes.
    pub(crate) at: u64,
}

/// The strict write-ahead log of one node.
///
/// Exactly one thread owns it. Records are gathered with [`Journal::append`] and become durable,
/// all together, when [`Journal::commit`] returns. After a failed write or sync it is dead: what the
/// disk then holds is known only to the next start.
#[derive(Debug)]
pub struct Journal<D: Disk = FileDisk> {
    pub(crate) disk: D,
    pub(crate) kek: Kek,
    pub(crate) config: Config,
    pub(crate) active: Active<D::File>,
    pub(crate) spare: Option<Spare<D::File>>,
    pub(crate) ticket: Ticket,
    pub(crate) closed: VecDeque<SegmentSpan>,
    /// The oldest segment that was not released, whether it is there or lost.
    pub(crate) oldest: u64,
    pub(crate) mark: MarkFile<D::File>,
    /// Room for a header, then the records of the open group.
    pub(crate) group: Vec<u8>,
    pub(crate) group_records: u32,
    pub(crate) durable: Lsn,
    pub(crate) chain: Tag,
    pub(crate) dead: Option<&'static str>,
    pub(crate) counters: Counters,
    pub(crate) lock: Arc<D::Lock>,
}

impl<D: Disk> Journal<D> {
    /// Adds a record to the open group and says its number. It is durable once a [`Journal::commit`]
    /// has returned that number or a higher one.
    ///
    /// # Errors
    /// See [`AppendError`]; nothing that was taken before is lost.
    pub fn append(
        &mut self,
        kind: RecordKind,
        shard: u32,
        term: u64,
        index: u64,
        payload: &[u8],
    ) -> Result<Lsn, AppendError> {
        if let Some(verb) = self.dead {
            return Err(AppendError::Dead { verb });
        }
        let too_large = AppendError::TooLarge { payload_bytes: payload.len() };
        let payload_len = u32::try_from(payload.len()).map_err(|_| too_large)?;
        if payload.len() > RECORD_BYTES_MAX {
            return Err(too_large);
        }
        let grown = self.group.len().saturating_add(RECORD_HEADER_BYTES + payload.len());
        if self.group_records > 0 && grown > self.config.group_bytes_max {
            return Err(AppendError::GroupFull { group_bytes: self.group.len() });
        }
        let lsn = self.durable.plus(u64::from(self.group_records)).plus(1);
        let record = Record { lsn, kind, shard, term, index, payload };
        record::push(&mut self.group, &record, payload_len);
        // A group is far too small to hold that many records: each takes at least 32 bytes.
        self.group_records = self.group_records.saturating_add(1);
        Ok(lsn)
    }

    /// Makes the open group durable, with one write and one sync, and says the last durable record.
    /// With nothing to write it does nothing.
    ///
    /// # Errors
    /// See [`CommitError`]. After [`CommitError::Full`] the group is still open and a commit may be
    /// tried again; after every other error the journal is dead and the group was not acked.
    pub fn commit(&mut self) -> Result<Lsn, CommitError> {
        if let Some(verb) = self.dead {
            return Err(CommitError::Dead { verb });
        }
        if self.group_records == 0 {
            return Ok(self.durable);
        }
        let body_len = self.group.len().saturating_sub(GROUP_HEADER_BYTES);
        let needed_bytes = u64::try_from(group::extent(body_len)).unwrap_or(u64::MAX);
        if self.active.len_bytes.saturating_sub(self.active.at) < needed_bytes {
            self.roll(needed_bytes)?;
        }
        self.write_group()?;
        self.write_mark(false)?;
        self.empty_group();
        Ok(self.durable)
    }

    fn write_group(&mut self) -> Result<(), CommitError> {
        let first_lsn = self.durable.plus(1);
        let Active { home, key, .. } = &self.active;
        let sealed =
            group::seal(&mut self.group, key, *home, first_lsn, self.chain, self.group_records);
        let Ok(tag) = sealed else {
            self.dead = Some("encrypt a group");
            return Err(CommitError::Cipher);
        };
        let written = self.active.file.write_at(self.active.at, &self.group);
        written.map_err(|source| self.die("write", source))?;
        let synced = self.active.file.sync();
        synced.map_err(|source| self.die("sync", source))?;
        let len_bytes = u64::try_from(self.group.len()).unwrap_or(u64::MAX);
        self.active.at = self.active.at.saturating_add(len_bytes);
        self.chain = tag;
        self.durable = self.durable.plus(u64::from(self.group_records));
        self.counters.groups = self.counters.groups.saturating_add(1);
        self.counters.bytes = self.counters.bytes.saturating_add(len_bytes);
        let records = u64::from(self.group_records);
        self.counters.records = self.counters.records.saturating_add(records);
        Ok(())
    }

    /// Ready for the next group, without keeping the memory of an unusually large one.
    fn empty_group(&mut self) {
        self.group.truncate(GROUP_HEADER_BYTES);
        self.group.shrink_to(self.config.group_bytes_max.saturating_add(GROUP_BYTES_MIN));
        self.group_records = 0;
    }

    pub(crate) fn write_mark(&mut self, is_clean: bool) -> Result<(), CommitError> {
        let mark = Mark {
            sequence: 0,
            durable_lsn: self.durable,
            segment: self.active.home.segment,
            end_offset: self.active.at,
            oldest: self.oldest,
            is_clean,
        };
        self.mark.write(mark).map_err(|source| self.die_of_mark("write", source))
    }

    /// Storing ends here, for good.
    pub(crate) fn die(&mut self, verb: &'static str, source: io::Error) -> CommitError {
        self.dead = Some(verb);
        CommitError::Disk { verb, file: file_name(self.active.home.segment), source }
    }

    fn die_of_mark(&mut self, verb: &'static str, source: io::Error) -> CommitError {
        self.dead = Some(verb);
        CommitError::Disk { verb, file: crate::mark::MARK_NAME.to_owned(), source }
    }

    /// Makes the durable mark itself survive a power cut. Call it when nothing has come for a moment:
    /// from then on even the loss of the last group cannot go unseen.
    ///
    /// # Errors
    /// See [`CommitError`]; the journal is dead then, though no record is lost.
    pub fn seal(&mut self) -> Result<(), CommitError> {
        if let Some(verb) = self.dead {
            return Err(CommitError::Dead { verb });
        }
        self.mark.sync().map_err(|source| self.die_of_mark("sync", source))
    }

    /// Commits what is open, seals, and lets go of the folder.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn close(mut self) -> Result<Lsn, CommitError> {
        let durable = self.commit()?;
        self.write_mark(true)?;
        self.seal()?;
        Ok(durable)
    }

    /// Removes the oldest closed segments all of whose records are before `lsn`, at most
    /// [`RELEASE_MAX`], and says how many were given up: call it again as long as that is not 0. The
    /// owner vouches that nothing will ever ask for them again.
    ///
    /// A file that cannot be removed is counted in [`Counters::segments_left`] and belongs to the
    /// journal no more; the next start tries again. One that is gone already is as good as removed.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn release_before(&mut self, lsn: Lsn) -> Result<usize, CommitError> {
        if let Some(verb) = self.dead {
            return Err(CommitError::Dead { verb });
        }
        let is_past = |span: &&SegmentSpan| span.last_lsn < lsn;
        let count = self.closed.iter().take(RELEASE_MAX).take_while(is_past).count();
        if count == 0 {
            return Ok(0);
        }
        let released: Vec<SegmentSpan> = self.closed.drain(..count).collect();
        let active = self.active.home.segment;
        self.oldest = self.closed.front().map_or(active, |span| span.segment);
        // The mark first: without it a missing segment would be damage. Both slots of it, because a
        // flipped bit in one brings back the other, which must not name what is gone.
        self.write_mark(false)?;
        self.write_mark(false)?;
        self.seal()?;
        for span in &released {
            match self.disk.remove(&file_name(span.segment)) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    self.counters.segments_left = self.counters.segments_left.saturating_add(1);
                }
                Ok(()) | Err(_) => {}
            }
        }
        self.disk.sync_dir().map_err(|source| self.die("sync the folder of", source))?;
        Ok(count)
    }

    /// Holds the folder for this process even after the journal is closed, for whoever else writes
    /// in it.
    pub fn hold(&self) -> Arc<D::Lock> {
        Arc::clone(&self.lock)
    }

    /// The last record that is durable.
    pub fn durable_lsn(&self) -> Lsn {
        self.durable
    }

    /// Bytes the open group has gathered; zero when it is empty.
    pub fn open_bytes(&self) -> usize {
        self.group.len().saturating_sub(GROUP_HEADER_BYTES)
    }

    /// Whether storing has ended for this process.
    pub fn is_dead(&self) -> bool {
        self.dead.is_some()
    }

    /// What was done since it was opened.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The segments that will not change any more, oldest first.
    pub fn closed_segments(&self) -> impl Iterator<Item = &SegmentSpan> {
        self.closed.iter()
    }

    /// How much can still be written.
    ///
    /// # Errors
    /// What the disk says; the journal goes on.
    pub fn room(&self) -> io::Result<Room> {
        let free_bytes = self.disk.free_bytes()?.saturating_sub(self.config.reserve_bytes);
        Ok(Room {
            segment_bytes: self.active.len_bytes.saturating_sub(self.active.at),
            spare_bytes: self.spare.as_ref().map_or(0, |spare| spare.len_bytes),
            free_bytes,
        })
    }
}

/// The largest record, in a segment of its own, stays within the largest segment.
const _: () = assert!(
    RECORD_BYTES_MAX + RECORD_HEADER_BYTES + GROUP_HEADER_BYTES + TAG_BYTES + GROUPS_AT + 4096
        < 1 << 30
);
