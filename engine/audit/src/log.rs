//! The log as its one writer has it: records are appended, groups of them made durable, heads signed.

use std::io;

use ach_actors_model::Timestamp;
use ach_engine_journal::{Disk, DiskFile};

use crate::chain::Chain;
use crate::errors::{AppendError, CommitError, OpenError};
use crate::frame::{Frame, FrameKind};
use crate::hash::Hash;
use crate::head::{HEAD_BYTES_MAX, Head, LogName, SignedHead};
use crate::key::SigningKey;
use crate::mark::{self, MarkFile};
use crate::open::{Opened, Standing, look};
use crate::record::{RECORD_BYTES_MAX, Record, RecordError};
use crate::segment::{self, HEADER_BYTES};
use crate::walk::SEGMENT_BYTES_MAX;

/// Bytes of frames that are made durable at once. Some 2,000 common records; one of the largest
/// always fits.
const GROUP_BYTES_MAX: usize = 512 * 1024;

/// A segment that is reserved in full and becomes the next one.
const SPARE_NAME: &str = "spare";

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
    head: SignedHead,
    has_spare: bool,
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
        let lock = disk.lock().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::InUse,
            _ => failed("lock", "lock")(error),
        })?;
        let segment_bytes = config.segment_bytes();
        let standing = look(&disk, &key.verifying(), &name)?;
        // What is in a spare of an earlier run is not known.
        match disk.remove(SPARE_NAME) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", SPARE_NAME)(error));
            }
            _ => {}
        }
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
        let mark = mark::read(&disk).map_err(failed("read", mark::MARK_NAME))?;
        let mut mark = MarkFile::open(&disk, mark).map_err(failed("create", mark::MARK_NAME))?;
        let write = mark.write(0, 0, 0).and_then(|()| mark.sync()).and_then(|()| disk.sync_dir());
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
        let born =
            create_spare(&disk, segment_bytes).and_then(|()| give_birth(&disk, 1, &chain, &head));
        let (file, end) = born.map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => OpenError::Full { needed_bytes: segment_bytes },
            _ => failed("begin", &segment::name(1))(error),
        })?;
        mark.write(0, 1, end).and_then(|()| mark.sync()).map_err(failed("write", "mark"))?;
        Ok(Log {
            disk,
            _lock: lock,
            key,
            name,
            segment_bytes,
            file,
            segment: 1,
            end,
            mark,
            durable: chain.clone(),
            pending: chain,
            group: Vec::new(),
            head,
            has_spare: false,
            dead: None,
        })
    }

    fn resume(
        disk: D,
        lock: D::Lock,
        key: SigningKey,
        name: LogName,
        segment_bytes: u64,
        standing: Standing,
    ) -> Result<Log<D>, OpenError> {
        let Standing { mark, segment, end, chain, head, tail, unsure } = standing;
        let file_name = segment::name(segment);
        let file = disk.open(&file_name).map_err(failed("open", &file_name))?;
        // What is read may be in memory only: its writer may have been killed before its sync, or the
        // sync may have failed, and then the system does not write it again by itself.
        let start = end.saturating_sub(u64::try_from(unsure.len()).unwrap_or(0));
        let settle = || {
            if !unsure.is_empty() {
                file.write_at(start, &unsure)?;
            }
            if tail.is_some() {
                file.set_len(end)?;
                file.set_len(segment_bytes.max(end))?;
            }
            file.sync()
        };
        settle().map_err(failed("settle", &file_name))?;
        let mut mark_file =
            MarkFile::open(&disk, Some(mark)).map_err(failed("open", mark::MARK_NAME))?;
        let noted = mark_file.write(chain.size(), segment, end).and_then(|()| mark_file.sync());
        noted.map_err(failed("write", mark::MARK_NAME))?;
        Ok(Log {
            disk,
            _lock: lock,
            key,
            name,
            segment_bytes,
            file,
            segment,
            end,
            mark: mark_file,
            durable: chain.clone(),
            pending: chain,
            group: Vec::new(),
            head,
            has_spare: false,
            dead: None,
        })
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
        self.write(&group)?;
        self.durable = self.pending.clone();
        self.note()?;
        self.group = group;
        self.group.clear();
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

    /// Writes behind what is there and syncs.
    fn write(&mut self, bytes: &[u8]) -> Result<(), CommitError> {
        let written = self.file.write_at(self.end, bytes);
        self.lives(written, "write")?;
        let synced = self.file.sync();
        self.lives(synced, "sync")?;
        self.end = self.end.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Notes how far the disk has come.
    fn note(&mut self) -> Result<(), CommitError> {
        let noted = self.mark.write(self.durable.size(), self.segment, self.end);
        self.lives(noted, "write the mark of")
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
        if !self.has_spare {
            match create_spare(&self.disk, self.segment_bytes) {
                Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                    return Err(CommitError::Full { needed_bytes: self.segment_bytes });
                }
                created => self.lives(created, "create a segment of")?,
            }
            self.has_spare = true;
        }
        let head = self.next_head(at);
        let next = self.segment.saturating_add(1);
        let born = give_birth(&self.disk, next, &self.durable, &head);
        (self.file, self.end) = self.lives(born, "begin a segment of")?;
        self.has_spare = false;
        self.segment = next;
        self.head = head;
        self.note()?;
        self.reserve();
        Ok(())
    }

    /// Reserves the next segment, if there is room; if not, that is tried again with each head.
    fn reserve(&mut self) {
        self.has_spare =
            self.dead.is_none() && create_spare(&self.disk, self.segment_bytes).is_ok();
    }
}

/// What became of an operation on a file, for whoever opens the log.
fn failed(verb: &'static str, file: &str) -> impl Fn(io::Error) -> OpenError {
    let file = file.to_owned();
    move |source| OpenError::Disk { verb, file: file.clone(), source }
}

fn head_frame(signed: &SignedHead) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    let (index, link) = (signed.head.size, signed.head.link);
    let text = signed.to_string();
    Frame { kind: FrameKind::Head, index, link, payload: text.as_bytes() }.put(&mut bytes);
    bytes
}

fn create_spare<D: Disk>(disk: &D, segment_bytes: u64) -> io::Result<()> {
    drop(disk.create(SPARE_NAME, segment_bytes)?);
    disk.sync_dir()
}

/// Makes a segment of the spare. It gets its name when its header and first head are on disk, so that
/// no segment is ever seen without them.
fn give_birth<D: Disk>(
    disk: &D,
    segment: u64,
    chain: &Chain,
    head: &SignedHead,
) -> io::Result<(D::File, u64)> {
    let mut bytes = segment::header(segment, chain);
    bytes.extend(head_frame(head));
    let file = disk.open(SPARE_NAME)?;
    file.write_at(0, &bytes)?;
    file.sync()?;
    disk.rename(SPARE_NAME, &segment::name(segment))?;
    disk.sync_dir()?;
    Ok((file, u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
}
