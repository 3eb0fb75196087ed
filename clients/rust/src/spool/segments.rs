//! The files of a spool.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ach_engine_net::Identity;

use super::record::{Head, Newer, Record, lane_place, put_head, take};
use super::{Kept, KeptLane, SpoolError};

/// A segment that has grown over this is followed by a new one: small enough that little is read
/// again after a restart, large enough that files are seldom made.
const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;

/// When everything is on the node's disk, a segment over this is followed by an empty one.
const IDLE_SEGMENT_BYTES: u64 = 64 * 1024;

const LOCK_FILE: &str = "lock";
const OWNER_FILE: &str = "owner";
const SEGMENT_SUFFIX: &str = ".spool";

/// A segment that is written no more.
#[derive(Debug)]
struct Full {
    path: PathBuf,
    /// Tickets of its last inputs, or of those before.
    last: [u64; 3],
}

/// The files, oldest first, and the one that is written.
#[derive(Debug)]
pub(super) struct Segments {
    directory: PathBuf,
    number: u64,
    file: File,
    bytes: u64,
    full: VecDeque<Full>,
}

fn failed<'a>(verb: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> SpoolError + 'a {
    move |source| SpoolError::File { verb, path: path.to_owned(), source }
}

/// Makes the directory, and sees that nobody else uses it. The lock is held as long as the file.
pub(super) fn lock(directory: &Path, identity: &Identity) -> Result<File, SpoolError> {
    fs::create_dir_all(directory).map_err(failed("make", directory))?;
    let path = directory.join(LOCK_FILE);
    let file = File::create(&path).map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(SpoolError::InUse { path }),
        Err(TryLockError::Error(source)) => {
            return Err(SpoolError::File { verb: "lock", path, source });
        }
    }
    let path = directory.join(OWNER_FILE);
    let uri = identity.uri();
    match fs::read_to_string(&path) {
        Ok(owner) if owner.trim() == uri => Ok(file),
        Ok(owner) => {
            let owner = owner.trim().to_owned();
            Err(SpoolError::Owner { path, owner, identity: uri })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::write(&path, format!("{uri}\n")).map_err(failed("write", &path))?;
            Ok(file)
        }
        Err(source) => Err(SpoolError::File { verb: "read", path, source }),
    }
}

impl Segments {
    /// Reads what there is and begins a new segment.
    pub(super) fn open(directory: &Path) -> Result<(Segments, Kept, Head), SpoolError> {
        let mut reading = Reading::default();
        let mut full = VecDeque::new();
        let mut number = 0;
        for (found, path) in found(directory)? {
            let bytes = fs::read(&path).map_err(failed("read", &path))?;
            let newer = |Newer(kind)| SpoolError::Newer { path: path.clone(), kind };
            reading.take_segment(&bytes).map_err(newer)?;
            full.push_back(Full { path, last: reading.head.next.map(|it| it.saturating_sub(1)) });
            number = found;
        }
        let (kept, head) = reading.finish();
        let number = number.saturating_add(1);
        let (file, bytes) = begin(directory, number, &head)?;
        let mut segments = Segments { directory: directory.to_owned(), number, file, bytes, full };
        segments.forget(&head);
        Ok((segments, kept, head))
    }

    /// Writes records, after which things stand as `head` says, and syncs them.
    pub(super) fn append(&mut self, bytes: &[u8], head: Head) -> Result<(), SpoolError> {
        let path = segment_path(&self.directory, self.number);
        self.file.write_all(bytes).map_err(failed("write", &path))?;
        self.file.sync_data().map_err(failed("sync", &path))?;
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let is_idle = self.bytes >= IDLE_SEGMENT_BYTES && head.is_all_durable();
        if self.bytes >= SEGMENT_BYTES || is_idle {
            let number = self.number.saturating_add(1);
            let (file, bytes) = begin(&self.directory, number, &head)?;
            (self.number, self.file, self.bytes) = (number, file, bytes);
            let last = head.next.map(|next| next.saturating_sub(1));
            self.full.push_back(Full { path, last });
        }
        self.forget(&head);
        Ok(())
    }

    /// Deletes segments whose inputs are all on the node's disk.
    fn forget(&mut self, head: &Head) {
        let is_over = |full: &Full| {
            full.last.iter().zip(head.durable).all(|(last, durable)| *last <= durable)
        };
        while self.full.front().is_some_and(is_over)
            && let Some(over) = self.full.pop_front()
        {
            // One that stays is read again and found to be over.
            let _ = fs::remove_file(over.path);
        }
    }

    /// Deletes all there is.
    pub(super) fn clear(&self) {
        let current = segment_path(&self.directory, self.number);
        for path in self.full.iter().map(|full| &full.path).chain([&current]) {
            // The disk has failed; the next start reads what stays and is put right by the node.
            let _ = fs::remove_file(path);
        }
    }
}

fn segment_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:016}{SEGMENT_SUFFIX}"))
}

fn begin(directory: &Path, number: u64, head: &Head) -> Result<(File, u64), SpoolError> {
    let path = segment_path(directory, number);
    let mut bytes = Vec::new();
    put_head(head, &mut bytes);
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .open(&path)
        .map_err(failed("open", &path))?;
    file.write_all(&bytes).map_err(failed("write", &path))?;
    file.sync_data().map_err(failed("sync", &path))?;
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed("sync", directory))?;
    Ok((file, u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
}

fn found(directory: &Path) -> Result<Vec<(u64, PathBuf)>, SpoolError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed("read", directory))? {
        let entry = entry.map_err(failed("read", directory))?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(SEGMENT_SUFFIX));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            found.push((number, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// Reads segments one after the other.
#[derive(Debug, Default)]
struct Reading {
    head: Head,
    inputs: [VecDeque<super::KeptInput>; 3],
    has_begun: bool,
}

impl Reading {
    /// Takes a segment, up to a place that cannot be read: a torn end, as a crash leaves it. One
    /// that does not begin where the ones before it end is left out, for inputs must not be missing
    /// between others.
    fn take_segment(&mut self, mut bytes: &[u8]) -> Result<(), Newer> {
        match take(&mut bytes)? {
            Some(Record::Head(head)) if !self.has_begun => {
                self.has_begun = true;
                self.head = head;
            }
            Some(Record::Head(head)) if head.next == self.head.next => {}
            _ => {
                tracing::warn!(bytes = bytes.len(), "a part of what was kept cannot be used");
                return Ok(());
            }
        }
        while let Some(record) = take(&mut bytes)? {
            self.take_record(record);
        }
        if !bytes.is_empty() {
            tracing::warn!(bytes = bytes.len(), "the end of what was kept cannot be read");
        }
        Ok(())
    }

    fn take_record(&mut self, record: Record) {
        match record {
            // Only the first record of a segment is one.
            Record::Head(_) => {}
            Record::Input(input) => {
                let lane = input.lane();
                self.head.publish(lane);
                if let Some(inputs) = self.inputs.get_mut(lane_place(lane)) {
                    inputs.push_back(input);
                }
            }
            Record::Durable(durable) => {
                (self.head.durable, self.head.taken) = (durable, durable);
            }
            Record::Taken(taken) => self.head.taken = taken,
            Record::Epoch(epoch, bases) => (self.head.epoch, self.head.bases) = (epoch, bases),
        }
        self.forget();
    }

    fn forget(&mut self) {
        let bounds = self.head.next.into_iter().zip(self.head.durable);
        for (inputs, (next, durable)) in self.inputs.iter_mut().zip(bounds) {
            let left = next.saturating_sub(1).saturating_sub(durable);
            let over = inputs.len().saturating_sub(usize::try_from(left).unwrap_or(usize::MAX));
            inputs.drain(..over);
        }
    }

    fn finish(self) -> (Kept, Head) {
        let Head { epoch, bases, durable, taken, next } = self.head;
        let mut kept = Kept { epoch, ..Kept::default() };
        let numbers = bases.into_iter().zip(durable.into_iter().zip(taken)).zip(next);
        for ((lane, inputs), ((base, (durable_through, taken_through)), next)) in
            kept.lanes.iter_mut().zip(self.inputs).zip(numbers)
        {
            let count = u64::try_from(inputs.len()).unwrap_or(u64::MAX);
            let first = next.saturating_sub(count);
            *lane = KeptLane { base, durable_through, taken_through, first, inputs: inputs.into() };
        }
        (kept, self.head)
    }
}
