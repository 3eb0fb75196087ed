//! What the simulated disk remembers: what programs see, and what a power cut would leave.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::sim::SimFault;

/// Bytes a page has, as an index.
const PAGE: usize = 4096;

/// The unit in which a page may tear.
const SECTOR: usize = 512;

/// Files are numbered, so that a handle survives a rename and an unlinked file stays readable.
pub(super) type FileNumber = usize;

/// One file twice: as programs see it, and as it is on the platter.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    pub(super) seen: Vec<u8>,
    durable: Vec<u8>,
    dirty_pages: BTreeSet<usize>,
}

/// A change of names that is not yet synced.
#[derive(Debug, Clone)]
enum NameChange {
    Set(String, FileNumber),
    Unset(String),
    Move(String, String, FileNumber),
}

/// Everything about one simulated disk.
#[derive(Debug, Clone)]
pub(super) struct State {
    random: u64,
    files: Vec<Contents>,
    pub(super) names: BTreeMap<String, FileNumber>,
    durable_names: BTreeMap<String, FileNumber>,
    unsynced_names: Vec<NameChange>,
    pub(super) capacity_bytes: u64,
    pub(super) ops: u64,
    pub(super) planned: BTreeMap<u64, SimFault>,
    is_on: bool,
    pub(super) boots: u64,
    pub(super) is_locked: bool,
    pub(super) stalled_ns: u64,
}

impl State {
    pub(super) fn new(seed: u64, capacity_bytes: u64) -> State {
        State {
            random: seed,
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            capacity_bytes,
            ops: 0,
            planned: BTreeMap::new(),
            is_on: true,
            boots: 0,
            is_locked: false,
            stalled_ns: 0,
        }
    }

    /// `SplitMix64`: short, well mixed, and the same everywhere.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From here on chance follows another seed.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.random = seed;
    }

    fn flips_heads(&mut self) -> bool {
        self.next_random() & 1 == 1
    }

    /// The power is on and `boot` is the present one.
    pub(super) fn alive(&self, boot: u64) -> io::Result<()> {
        if self.is_on && self.boots == boot {
            Ok(())
        } else {
            Err(io::Error::other("the power of the simulated disk was cut"))
        }
    }

    /// Counts an operation that changes something, and says which fault strikes it.
    pub(super) fn begin(&mut self, boot: u64) -> io::Result<Option<SimFault>> {
        self.alive(boot)?;
        self.ops = self.ops.saturating_add(1);
        let fault = self.planned.remove(&self.ops);
        if let Some(SimFault::Stall { stall_ns }) = fault {
            self.stalled_ns = self.stalled_ns.saturating_add(stall_ns);
        }
        Ok(fault)
    }

    pub(super) fn number(&self, name: &str) -> io::Result<FileNumber> {
        self.names.get(name).copied().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    pub(super) fn file(&mut self, number: FileNumber) -> io::Result<&mut Contents> {
        self.files.get_mut(number).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    pub(super) fn used_bytes(&self) -> u64 {
        let lens = self.names.values().filter_map(|number| self.files.get(*number));
        lens.map(|file| u64::try_from(file.seen.len()).unwrap_or(u64::MAX)).sum()
    }

    pub(super) fn create(&mut self, name: &str, len: usize) -> io::Result<FileNumber> {
        if self.names.contains_key(name) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let len_bytes = u64::try_from(len).unwrap_or(u64::MAX);
        if self.used_bytes().saturating_add(len_bytes) > self.capacity_bytes {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let number = self.files.len();
        self.files.push(Contents { seen: vec![0; len], ..Contents::default() });
        self.names.insert(name.to_owned(), number);
        self.unsynced_names.push(NameChange::Set(name.to_owned(), number));
        Ok(number)
    }

    /// Puts a file on the platter as if it had always been there.
    pub(super) fn put_file(&mut self, name: &str, bytes: &[u8]) {
        let number = self.files.len();
        if self.names.contains_key(name) {
            return;
        }
        let (seen, durable) = (bytes.to_vec(), bytes.to_vec());
        self.files.push(Contents { seen, durable, dirty_pages: BTreeSet::new() });
        self.names.insert(name.to_owned(), number);
        self.durable_names.insert(name.to_owned(), number);
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let number = self.number(from)?;
        self.names.remove(from);
        self.names.insert(to.to_owned(), number);
        self.unsynced_names.push(NameChange::Move(from.to_owned(), to.to_owned(), number));
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        self.number(name)?;
        self.names.remove(name);
        self.unsynced_names.push(NameChange::Unset(name.to_owned()));
        Ok(())
    }

    pub(super) fn sync_dir(&mut self) {
        self.durable_names = self.names.clone();
        self.unsynced_names.clear();
    }

    /// Some of the changes of names reach the platter, in order, and then the folder is as it is.
    pub(super) fn sync_dir_in_part(&mut self) {
        let changes = std::mem::take(&mut self.unsynced_names);
        for change in changes {
            if self.next_random().is_multiple_of(3) {
                break;
            }
            match change {
                NameChange::Set(name, number) => {
                    self.durable_names.insert(name, number);
                }
                NameChange::Unset(name) => {
                    self.durable_names.remove(&name);
                }
                NameChange::Move(from, to, number) => {
                    self.durable_names.remove(&from);
                    self.durable_names.insert(to, number);
                }
            }
        }
    }

    /// Before a page is written over, the system may have written it back by itself: what was never
    /// synced may be on the platter too, in whichever version.
    pub(super) fn write_back_by_chance(&mut self, number: FileNumber, at: usize, len: usize) {
        let pages = at / PAGE..at.saturating_add(len).div_ceil(PAGE);
        let is_dirty = self
            .file(number)
            .is_ok_and(|file| file.dirty_pages.range(pages.clone()).next().is_some());
        if is_dirty
            && self.next_random().is_multiple_of(4)
            && let Ok(file) = self.file(number)
        {
            file.durable.resize(file.seen.len(), 0);
            for page in pages {
                file.persist(page * PAGE, PAGE);
            }
        }
    }

    /// Each unsynced page of one file reaches the platter, or does not, or does in part.
    pub(super) fn sync_in_part(&mut self, number: FileNumber) -> io::Result<()> {
        let dirty = std::mem::take(&mut self.file(number)?.dirty_pages);
        let take_len = self.flips_heads();
        let file = self.file(number)?;
        if take_len {
            file.durable.resize(file.seen.len(), 0);
        }
        for page in dirty {
            let (kept, mask) = (self.next_random() % 4, self.next_random());
            let file = self.file(number)?;
            for sector in 0..PAGE / SECTOR {
                let keep = match kept {
                    0 => false,
                    1 | 2 => true,
                    _ => mask >> sector & 1 == 1,
                };
                if keep {
                    file.persist(page * PAGE + sector * SECTOR, SECTOR);
                }
            }
        }
        Ok(())
    }

    /// The power goes: what is on the platter is all there is.
    pub(super) fn cut_power(&mut self) {
        for number in 0..self.files.len() {
            // The number is in range, so nothing can fail.
            drop(self.sync_in_part(number));
        }
        self.sync_dir_in_part();
        for file in &mut self.files {
            file.seen.clone_from(&file.durable);
        }
        self.names.clone_from(&self.durable_names);
        self.is_on = false;
        self.is_locked = false;
    }

    pub(super) fn power_on(&mut self) {
        self.is_on = true;
        self.boots = self.boots.saturating_add(1);
    }

    /// The process ends, the machine does not: handles and locks go, the page cache stays.
    pub(super) fn end_process(&mut self) {
        self.boots = self.boots.saturating_add(1);
        self.is_locked = false;
    }

    /// A part of a write that the disk then refused.
    pub(super) fn random_prefix(&mut self, len: usize) -> usize {
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        usize::try_from(self.next_random() % len.saturating_add(1)).unwrap_or(0)
    }
}

impl Contents {
    /// Puts `bytes` at `at`, lengthening the file if need be.
    pub(super) fn put(&mut self, at: usize, bytes: &[u8], is_tracked: bool) {
        let end = at.saturating_add(bytes.len());
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        if let Some(room) = self.seen.get_mut(at..end) {
            room.copy_from_slice(bytes);
        }
        if is_tracked {
            self.dirty_pages.extend(at / PAGE..end.div_ceil(PAGE));
        }
    }

    pub(super) fn set_len(&mut self, len: usize) {
        let old = self.seen.len();
        self.seen.resize(len, 0);
        self.dirty_pages.extend(len.min(old) / PAGE..len.max(old).div_ceil(PAGE));
    }

    pub(super) fn sync(&mut self) {
        self.durable.resize(self.seen.len(), 0);
        for page in std::mem::take(&mut self.dirty_pages) {
            self.persist(page * PAGE, PAGE);
        }
    }

    /// Copies what programs see to the platter, as far as both files reach.
    fn persist(&mut self, at: usize, len: usize) {
        let end = (at + len).min(self.seen.len()).min(self.durable.len());
        if let (Some(from), Some(to)) = (self.seen.get(at..end), self.durable.get_mut(at..end)) {
            to.copy_from_slice(from);
        }
    }

    /// Changes the file behind everybody's back, both in the cache and on the platter.
    pub(super) fn corrupt(&mut self, change: impl Fn(&mut Vec<u8>)) {
        change(&mut self.seen);
        change(&mut self.durable);
    }
}
