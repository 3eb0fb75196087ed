//! The log as its one writer has it: records are appended, groups of them made durable, heads signed.

use std::collections::BTreeSet;
use std::io;

use ach_actors_model::Timestamp;
use ach_engine_journal::{Disk, DiskFile};

use crate::chain::Chain;
use crate::errors::{AppendError, CommitError, OpenError};
use crate::frame::{Frame, FrameKind};
use crate::hash::Hash;
use crate::head::{HEAD_BYTES_MAX, Head, LogName, SignedHead};
use crate::key::SigningKey;
use crate::mark::{self, MarkFile, Reach};
use crate::open::{Opened, Standing, look};
use crate::record::{RECORD_BYTES_MAX, Record, RecordError};
use crate::segment::{self, HEADER_BYTES};
use crate::spare::{self, beginning, head_frame, is_full};
use crate::walk::SEGMENT_BYTES_MAX;

/// Bytes of frames that are made durable at once. Some 2,000 common records; one of the largest
/// always fits.
const GROUP_BYTES_MAX: usize = 512 * 1024;

/// Sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Bytes of a segment, reserved when it is made. Raised to what a group needs, lowered to 256 MiB.
    /// By default 4 MiB, some 16,000 records: so much is also reserved for when the disk is full.
    pub segment_bytes: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config { segment_bytes: 4 * 1024 * 1024 }
    }
}

impl Config {
    fn segment_bytes(self) -> u64 {
        let frame_bytes = Frame::bytes(RECORD_BYTES_MAX) + Frame::bytes(HEAD_BYTES_MAX);
        let least = u64::try_from(HEADER_BYTES + GROUP_BYTES_MAX + frame_bytes).unwrap_or(u64::MAX);
        self.segment_bytes.clamp(least, SEGMENT_BYTES_MAX)
    }
}

/// An open log. One writer holds it; the folder is locked until it is dropped.
#[derive(Debug)]
pub struct Log<D: Disk> {
    disk: D,
    _lock: D::Lock,
    key: SigningKey,
    name: LogName,
    segment_bytes: u64,
    file: D::File,
    segment: u64,
    /// Where the next group belongs.
    end: u64,
    mark: MarkFile<D::File>,
    /// What is on disk.
    durable: Chain,
    /// With what is in the group.
    pending: Chain,
    group: Vec<u8>,
    /// Up to where a write that found no room may have left something behind the end.
    torn_until: u64,
    head: SignedHead,
    has_spare: bool,
    /// Files beside the log whose records are in the group.
    pub(crate) in_group: Vec<String>,
    /// Files beside the log whose records are on disk and that could not be removed yet.
    pub(crate) taken: BTreeSet<String>,
    /// How many such records came on disk since somebody asked.
    pub(crate) taken_count: usize,
    dead: Option<&'static str>,
}

impl<D: Disk> Log<D> {
    /// Opens the log in a folder, or begins one. What was being written when the last writer ended
    /// is cut off; anything else that is wrong is left as it is and refused.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(
        disk: D,
        config: Config,
        key: SigningKey,
        name: LogName,
        at: Timestamp,
    ) -> Result<(Log<D>, Opened), OpenError> {
        let segment_bytes = config.segment_bytes();
        let lock = disk.lock().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::InUse,
            _ => failed("lock", "lock", segment_bytes)(error),
        })?;
        let standing = look(&disk, &key.verifying(), &name)?;
        let (mut log, opened) = if let Some(standing) = standing {
            let cut = standing.tail;
            let log = Log::resume(disk, lock, key, name, segment_bytes, standing)?;
            let opened = Opened { size: log.durable.size(), cut, is_new: false };
            (log, opened)
        } else {
            let log = Log::begin(disk, lock, key, name, segment_bytes, at)?;
            (log, Opened { size: 0, cut: None, is_new: true })
        };
        log.reserve();
        Ok((log, opened))
    }

    fn begin(
        disk: D,
        lock: D::Lock,
        key: SigningKey,
        name: LogName,
        segment_bytes: u64,
        at: Timestamp,
    ) -> Result<Log<D>, OpenError> {
        let failed = |verb, file: &str| failed(verb, file, segment_bytes);
        let mark = mark::read(&disk).map_err(failed("read", mark::MARK_NAME))?;
        let mut mark = MarkFile::open(&disk, mark).map_err(failed("create", mark::MARK_NAME))?;
        let write =
            mark.write(Reach::NONE, &key).and_then(|()| mark.sync()).and_then(|()| disk.sync_dir());
        write.map_err(failed("write", mark::MARK_NAME))?;
        let head = Head {
            log: name.clone(),
            size: 0,
            root: Hash::empty_tree(),
            at,
            link: Hash::default(),
            previous: Hash::default(),
        };
        let head = head.sign(&key);
        let chain = Chain::default();
        let bytes = beginning(1, &chain, &head);
        let end = length(&bytes);
        let born = spare::prepare(&disk, segment_bytes)
            .and_then(|()| spare::fill(&disk, &bytes))
            .and_then(|file| spare::give_birth(&disk, &file, 1).map(|()| file));
        let file = born.map_err(failed("begin", &segment::name(1)))?;
        let reach = Reach { segment: 1, end, ..Reach::NONE };
        mark.write(reach, &key).and_then(|()| mark.sync()).map_err(failed("write", "mark"))?;
        let place = Place { file, segment: 1, end };
        Ok(Log::at(disk, lock, (key, name), segment_bytes, place, mark, chain, head))
    }

    fn resume(
        disk: D,
        lock: D::Lock,
        key: SigningKey,
        name: LogName,
        segment_bytes: u64,
        standing: Standing,
    ) -> Result<Log<D>, OpenError> {
        let failed = |verb, file: &str| failed(verb, file, segment_bytes);
        let Standing { mark, segment, end, chain, head, tail, unsure } = standing;
        let file_name = segment::name(segment);
        let file = disk.open(&file_name).map_err(failed("open", &file_name))?;
        // What is read may be in memory only: its writer may have been killed before its sync, or the
        // sync may have failed, and then the system does not write it again by itself.
        let start = end.saturating_sub(length(&unsure));
        let settle = || {
            if !unsure.is_empty() {
                file.write_at(start, &unsure)?;
            }
            if let Some(tail) = tail {
                spare::zero(&file, end, tail.bytes)?;
            }
            file.sync()
        };
        settle().map_err(failed("settle", &file_name))?;
        let mut mark_file =
            MarkFile::open(&disk, Some(mark)).map_err(failed("open", mark::MARK_NAME))?;
        let reach = Reach { size: chain.size(), link: chain.link, segment, end };
        let noted = mark_file.write(reach, &key).and_then(|()| mark_file.sync());
        noted.map_err(failed("write", mark::MARK_NAME))?;
        let place = Place { file, segment, end };
        Ok(Log::at(disk, lock, (key, name), segment_bytes, place, mark_file, chain, head))
    }

    #[expect(clippy::too_many_arguments, reason = "a log is this many things")]
    fn at(
        disk: D,
        lock: D::Lock,
        (key, name): (SigningKey, LogName),
        segment_bytes: u64,
        Place { file, segment, end }: Place<D::File>,
        mark: MarkFile<D::File>,
        chain: Chain,
        head: SignedHead,
    ) -> Log<D> {
        Log {
            disk,
            _lock: lock,
            key,
            name,
            segment_bytes,
            file,
            segment,
            end,
            mark,
            durable: chain.clone(),
            pending: chain,
            group: Vec::new(),
            torn_until: 0,
            head,
            has_spare: false,
            in_group: Vec::new(),
            taken: BTreeSet::new(),
            taken_count: 0,
            dead: None,
        }
    }

    /// Adds a record to the open group and returns its number, counted from 0.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]; nothing was added.
    pub fn append(&mut self, record: &Record) -> Result<u64, AppendError> {
        self.append_bytes(&record.to_bytes()?)
    }

    /// Adds the bytes of a record.
    pub(crate) fn append_bytes(&mut self, bytes: &[u8]) -> Result<u64, AppendError> {
        if let Some(verb) = self.dead {
            return Err(AppendError::Dead { verb });
        }
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(AppendError::Record(RecordError::TooLarge));
        }
        if self.group.len().saturating_add(Frame::bytes(bytes.len())) > GROUP_BYTES_MAX {
            return Err(AppendError::GroupFull);
        }
        let index = self.pending.size();
        self.pending.push(Hash::leaf(bytes));
        let link = self.pending.link;
        Frame { kind: FrameKind::Record, index, link, payload: bytes }.put(&mut self.group);
        Ok(index)
    }

    /// Returns once all that was appended is on disk, and how many records that are. `at` is for the
    /// head that begins the next segment, should this one be full.
    ///
    /// # Errors
    ///
    /// See [`CommitError`].
    pub fn commit(&mut self, at: Timestamp) -> Result<u64, CommitError> {
        self.alive()?;
        if self.group.is_empty() {
            return Ok(self.durable.size());
        }
        if !self.has_room(self.group.len()) {
            self.roll(at)?;
        }
        let group = std::mem::take(&mut self.group);
        let written = self.write(&group);
        self.group = group;
        written?;
        self.group.clear();
        self.durable = self.pending.clone();
        self.taken_count = self.taken_count.saturating_add(self.in_group.len());
        self.taken.extend(self.in_group.drain(..));
        self.note()?;
        Ok(self.durable.size())
    }

    /// Signs what is on disk, after it has committed what is not. Gives nothing when nothing came
    /// since the last head.
    ///
    /// # Errors
    ///
    /// See [`CommitError`].
    pub fn sign(&mut self, at: Timestamp) -> Result<Option<&SignedHead>, CommitError> {
        self.commit(at)?;
        if !self.has_spare {
            self.reserve();
        }
        if self.head.head.size == self.durable.size() {
            return Ok(None);
        }
        let head = self.next_head(at);
        let frame = head_frame(&head);
        if self.has_room(frame.len()) {
            self.write(&frame)?;
            self.head = head;
            self.note()?;
        } else {
            // The next segment begins with a head, which is as good.
            self.roll(at)?;
        }
        let synced = self.mark.sync();
        self.lives(synced, "sync the mark of")?;
        Ok(Some(&self.head))
    }

    /// Ends in good order, under a head.
    ///
    /// # Errors
    ///
    /// See [`CommitError`].
    pub fn close(mut self, at: Timestamp) -> Result<SignedHead, CommitError> {
        self.sign(at)?;
        // Into the other slot too, so that at rest no mark speaks of less.
        self.note()?;
        let synced = self.mark.sync();
        self.lives(synced, "sync the mark of")?;
        Ok(self.head)
    }

    /// The last head.
    pub fn head(&self) -> &SignedHead {
        &self.head
    }

    /// How many records are on disk.
    pub fn size(&self) -> u64 {
        self.durable.size()
    }

    /// How many records were appended that are not known to be on disk, and lie nowhere else. Those
    /// that were laid down beside the log lie there still.
    pub fn unkept(&self) -> u64 {
        let beside = u64::try_from(self.in_group.len()).unwrap_or(u64::MAX);
        self.pending.size().saturating_sub(self.durable.size()).saturating_sub(beside)
    }

    /// Whether writing has ended for this process.
    pub fn is_dead(&self) -> bool {
        self.dead.is_some()
    }

    /// Whether there is no room for the next segment but what is left of this one.
    pub fn is_room_low(&self) -> bool {
        !self.has_spare
    }

    /// The folder.
    pub(crate) fn disk(&self) -> &D {
        &self.disk
    }

    fn alive(&self) -> Result<(), CommitError> {
        self.dead.map_or(Ok(()), |verb| Err(CommitError::Dead { verb }))
    }

    /// After a failed write nothing is tried again: the system forgets which pages it could not
    /// write.
    fn lives<T>(&mut self, tried: io::Result<T>, verb: &'static str) -> Result<T, CommitError> {
        tried.map_err(|source| {
            self.dead = Some(verb);
            CommitError::Disk { verb, source }
        })
    }

    fn has_room(&self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.end.saturating_add(bytes) <= self.segment_bytes
    }

    /// Writes behind what is there and syncs. For want of room the log lives on: the next write
    /// begins at the same place.
    fn write(&mut self, bytes: &[u8]) -> Result<(), CommitError> {
        let end = self.end.saturating_add(length(bytes));
        let written = self.file.write_at(self.end, bytes);
        if written.as_ref().is_err_and(is_full) {
            self.torn_until = self.torn_until.max(end);
            return Err(CommitError::Full { needed_bytes: length(bytes) });
        }
        self.lives(written, "write")?;
        let synced = self.file.sync();
        self.lives(synced, "sync")?;
        self.end = end;
        Ok(())
    }

    /// Zeroes what a write that found no room has left behind the end, before the segment is left:
    /// only the last one may have a torn tail.
    fn clear_torn(&mut self) -> Result<(), CommitError> {
        let count = self.torn_until.saturating_sub(self.end);
        if count == 0 {
            return Ok(());
        }
        let zeroed = spare::zero(&self.file, self.end, count);
        if zeroed.as_ref().is_err_and(is_full) {
            // There was no room for what is not there.
            let is_zero = spare::is_zero(&self.file, self.end, count);
            if !self.lives(is_zero, "read")? {
                return Err(CommitError::Full { needed_bytes: count });
            }
        } else {
            self.lives(zeroed, "write")?;
        }
        let synced = self.file.sync();
        self.lives(synced, "sync")?;
        self.torn_until = 0;
        Ok(())
    }

    /// Notes how far the disk has come. A mark may lag for want of room: it is never ahead.
    fn note(&mut self) -> Result<(), CommitError> {
        let (segment, end) = (self.segment, self.end);
        let reach = Reach { size: self.durable.size(), link: self.durable.link, segment, end };
        match self.mark.write(reach, &self.key) {
            Err(error) if is_full(&error) => Ok(()),
            noted => self.lives(noted, "write the mark of"),
        }
    }

    fn next_head(&self, at: Timestamp) -> SignedHead {
        let head = Head {
            log: self.name.clone(),
            size: self.durable.size(),
            root: self.durable.frontier.root(),
            at,
            link: self.durable.link,
            previous: self.head.head.hash(),
        };
        head.sign(&self.key)
    }

    /// Begins the next segment, with a head of all that is on disk.
    fn roll(&mut self, at: Timestamp) -> Result<(), CommitError> {
        self.clear_torn()?;
        let full = CommitError::Full { needed_bytes: self.segment_bytes };
        if !self.has_spare {
            match spare::prepare(&self.disk, self.segment_bytes) {
                Err(error) if is_full(&error) => return Err(full),
                prepared => self.lives(prepared, "create a segment of")?,
            }
            self.has_spare = true;
        }
        let head = self.next_head(at);
        let next = self.segment.saturating_add(1);
        let bytes = beginning(next, &self.durable, &head);
        let filled = spare::fill(&self.disk, &bytes);
        if filled.as_ref().is_err_and(is_full) {
            self.has_spare = false;
            return Err(full);
        }
        let file = self.lives(filled, "begin a segment of")?;
        let born = spare::give_birth(&self.disk, &file, next);
        self.lives(born, "begin a segment of")?;
        self.has_spare = false;
        (self.file, self.segment, self.end) = (file, next, length(&bytes));
        self.head = head;
        self.note()?;
        self.reserve();
        Ok(())
    }

    /// Reserves the next segment, if there is room; if not, that is tried again with each head.
    fn reserve(&mut self) {
        self.has_spare =
            self.dead.is_none() && spare::prepare(&self.disk, self.segment_bytes).is_ok();
    }
}

/// Where a log goes on.
struct Place<F> {
    file: F,
    segment: u64,
    end: u64,
}

/// What became of an operation on a file, for whoever opens the log.
fn failed(
    verb: &'static str,
    file: &str,
    needed_bytes: u64,
) -> impl Fn(io::Error) -> OpenError + use<> {
    let file = file.to_owned();
    move |source| {
        if is_full(&source) {
            OpenError::Full { needed_bytes }
        } else {
            OpenError::Disk { verb, file: file.clone(), source }
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
