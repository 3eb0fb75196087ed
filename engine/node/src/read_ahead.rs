//! Entries of a journal, read ahead of who decides them.
//!
//! Reading, checking, decrypting and decoding take two thirds as long as deciding. At a start there is
//! nothing else to do, so a thread of its own does that while the entries before are decided.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use ach_engine_checkpoint::hash;
use ach_engine_journal::{Config, Disk, Journal, Kek, Lsn, OpenError, Opened, Record, RecordKind};
use ach_engine_shard::Entry;
use ach_engine_wire::{EntryError, decode_entry};
use crossbeam::channel::{Receiver, Sender, bounded};

use crate::start_error::StartError;

/// Entries handed over at once: a wake-up of the other thread costs as much as deciding ten pings.
const PART_ENTRIES: usize = 16;

/// A part is handed over with fewer entries when it has so many bytes; with pings it never has.
const PART_BYTES: usize = 1 << 20;

/// Parts that may wait. With 512 pings an entry they are 4 MiB.
const PARTS_MAX: usize = 8;

/// Bytes of journal that may wait, decoded, beside the part that is being made and the one that is being
/// decided. An entry may hold a site of 64 MiB: eight parts of sixteen such would be 8 GiB. A part that is
/// larger waits alone.
const AHEAD_BYTES: usize = 8 << 20;

/// An entry as it was journaled.
#[derive(Debug)]
pub(crate) struct ReadEntry {
    pub index: u64,
    pub lsn: Lsn,
    pub bytes: usize,
    pub hash: u128,
    /// Nothing of one that is not to be decided.
    pub entry: Option<Result<Entry, EntryError>>,
}

/// Where to read, and what is known already.
#[derive(Debug)]
pub(crate) struct Source<'a, D> {
    pub disk: &'a D,
    pub config: Config,
    pub kek: &'a Kek,
    /// Records up to this one are known.
    pub after: Lsn,
    /// Entries up to this one are not to be decided.
    pub after_index: u64,
}

/// What opening a journal came to.
type Outcome<D> = Result<(Journal<D>, Opened), OpenError>;

impl<D: Disk + Clone + Send + 'static> Source<'_, D> {
    /// Opens the journal and hands its entries to `each` in order, until it wants no more. The reading
    /// goes on to the end in any case.
    ///
    /// # Errors
    ///
    /// When there is to be a thread and the system gives none.
    pub(crate) fn open(
        self,
        is_threaded: bool,
        each: &mut dyn FnMut(ReadEntry) -> bool,
    ) -> Result<Outcome<D>, StartError> {
        if is_threaded { self.open_beside(each) } else { Ok(self.open_here(each)) }
    }

    fn open_here(self, each: &mut dyn FnMut(ReadEntry) -> bool) -> Outcome<D> {
        let Source { disk, config, kek, after, after_index } = self;
        let mut goes_on = true;
        Journal::open_after(disk.clone(), config, kek.clone(), after, &mut |record| {
            if goes_on && let Some(entry) = ReadEntry::of(&record, after_index) {
                goes_on = each(entry);
            }
        })
    }

    fn open_beside(
        self,
        each: &mut dyn FnMut(ReadEntry) -> bool,
    ) -> Result<Outcome<D>, StartError> {
        let Source { disk, config, kek, after, after_index } = self;
        let (disk, kek) = (disk.clone(), kek.clone());
        let (tell, told) = bounded(PARTS_MAX);
        let weight = Weight::default();
        let of_reader = &weight;
        let read = move || {
            let mut parts = Parts::new(tell, of_reader);
            let outcome = Journal::open_after(disk, config, kek, after, &mut |record| {
                if parts.tell.is_some()
                    && let Some(entry) = ReadEntry::of(&record, after_index)
                {
                    parts.push(entry);
                }
            });
            parts.send();
            outcome
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("ach-reader".to_owned());
            let reader = thread.spawn_scoped(scope, read).map_err(StartError::Thread)?;
            // Whoever would send more is to know that nobody takes it, also when deciding fails.
            let taking = Taking { told, weight: &weight };
            taking.all(each);
            drop(taking);
            match reader.join() {
                Ok(outcome) => Ok(outcome),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl ReadEntry {
    fn of(record: &Record<'_>, after_index: u64) -> Option<ReadEntry> {
        (record.kind == RecordKind::Entry).then(|| ReadEntry {
            index: record.index,
            lsn: record.lsn,
            bytes: record.payload.len(),
            hash: hash(record.payload),
            entry: (record.index > after_index).then(|| decode_entry(record.payload)),
        })
    }
}

/// How much waits.
#[derive(Debug, Default)]
struct Weight {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: usize,
    /// The most that there was.
    bytes_max: usize,
    is_over: bool,
}

impl Weight {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so much more may wait, or nobody takes it.
    fn add(&self, bytes: usize) {
        let mut waiting = self.lock();
        while waiting.bytes > 0
            && waiting.bytes.saturating_add(bytes) > AHEAD_BYTES
            && !waiting.is_over
        {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.bytes = waiting.bytes.saturating_add(bytes);
        waiting.bytes_max = waiting.bytes_max.max(waiting.bytes);
    }

    fn take(&self, bytes: usize) {
        let mut waiting = self.lock();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        drop(waiting);
        self.changed.notify_one();
    }

    fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_one();
    }
}

/// Some entries, and how many bytes of journal they are.
#[derive(Debug, Default)]
struct Part {
    entries: Vec<ReadEntry>,
    bytes: usize,
}

/// What is handed over.
struct Parts<'a> {
    /// Nobody, once no more is wanted.
    tell: Option<Sender<Part>>,
    weight: &'a Weight,
    part: Part,
}

impl Parts<'_> {
    fn new(tell: Sender<Part>, weight: &Weight) -> Parts<'_> {
        Parts { tell: Some(tell), weight, part: Part::default() }
    }

    fn push(&mut self, entry: ReadEntry) {
        // Of one that is not decided nothing is kept.
        if entry.entry.is_some() {
            self.part.bytes = self.part.bytes.saturating_add(entry.bytes);
        }
        self.part.entries.push(entry);
        if self.part.entries.len() == PART_ENTRIES || self.part.bytes >= PART_BYTES {
            self.send();
        }
    }

    fn send(&mut self) {
        let part = std::mem::take(&mut self.part);
        self.weight.add(part.bytes);
        self.tell = self.tell.take().filter(|tell| tell.send(part).is_ok());
    }
}

/// Who takes it. From when this is dropped nobody does.
struct Taking<'a> {
    told: Receiver<Part>,
    weight: &'a Weight,
}

impl Taking<'_> {
    /// Hands all entries on, until no more are wanted.
    fn all(&self, each: &mut dyn FnMut(ReadEntry) -> bool) {
        for part in &self.told {
            self.weight.take(part.bytes);
            if !part.entries.into_iter().all(&mut *each) {
                return;
            }
        }
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.weight.end();
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Timestamp;
    use ach_engine_journal::SimDisk;
    use ach_engine_shard::Input;
    use ach_engine_wire::encode_entry;

    use super::*;

    const ENTRIES: u64 = 1_000;
    const CONFIG: Config =
        Config { segment_bytes: 1 << 20, group_bytes_max: 64 << 10, reserve_bytes: 0 };

    fn kek() -> Kek {
        Kek::from_bytes(&[3; 32]).unwrap()
    }

    /// A journal with that many entries, of which number 700 cannot be decoded.
    fn journaled() -> SimDisk {
        let disk = SimDisk::new(7, 64 << 20);
        let (mut journal, _) = Journal::open(disk.clone(), CONFIG, kek(), &mut |_| {}).unwrap();
        for index in 1..=ENTRIES {
            let entry = Entry {
                index,
                at: Timestamp(index),
                site_version: 0,
                logic_version: 1,
                inputs: vec![Input::Tick],
                effects_hash: index,
            };
            let mut bytes = Vec::new();
            encode_entry(&entry, &mut bytes).unwrap();
            if index == 700 {
                bytes.truncate(5);
            }
            journal.append(RecordKind::Entry, 0, 1, index, &bytes).unwrap();
            journal.commit().unwrap();
        }
        journal.close().unwrap();
        disk
    }

    fn told(disk: &SimDisk, is_threaded: bool, through: u64) -> (Vec<String>, u64) {
        let source =
            Source { disk, config: CONFIG, kek: &kek(), after: Lsn::NONE, after_index: 10 };
        let mut all = Vec::new();
        let outcome = source.open(is_threaded, &mut |it| {
            all.push(format!("{it:?}"));
            it.index < through
        });
        (all, outcome.unwrap().unwrap().1.records)
    }

    #[test]
    fn a_thread_ahead_reads_what_is_read_without_one() {
        let disk = journaled();
        let (here, records) = told(&disk, false, u64::MAX);
        assert_eq!((here.len(), records), (1_000, ENTRIES));
        assert_eq!(here.iter().filter(|it| it.contains("entry: None")).count(), 10);
        assert_eq!(here.iter().filter(|it| it.contains("Some(Err(")).count(), 1);
        assert_eq!(told(&disk, true, u64::MAX), (here, records));
    }

    #[test]
    fn who_wants_no_more_still_has_the_journal_opened() {
        let disk = journaled();
        for is_threaded in [false, true] {
            let (all, records) = told(&disk, is_threaded, 40);
            assert_eq!((all.len(), records), (40, ENTRIES), "threaded: {is_threaded}");
        }
    }

    fn large(index: u64, bytes: usize) -> ReadEntry {
        let entry = Some(decode_entry(&[]));
        ReadEntry { index, lsn: Lsn(index), bytes, hash: 0, entry }
    }

    /// Sites of 3 MiB, and one that is larger than all that may wait, while nobody takes anything.
    #[test]
    fn what_waits_is_bounded_by_bytes_also_where_entries_are_large() {
        let sizes: Vec<usize> =
            (0..200).map(|it| if it == 100 { 2 * AHEAD_BYTES } else { 3 << 20 }).collect();
        let (tell, told) = bounded(PARTS_MAX);
        let weight = Weight::default();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut parts = Parts::new(tell, &weight);
                for (index, &bytes) in (0..).zip(&sizes) {
                    parts.push(large(index, bytes));
                }
                parts.send();
            });
            let mut expected = 0;
            let taking = Taking { told, weight: &weight };
            taking.all(&mut |it| {
                assert_eq!(it.index, expected);
                expected += 1;
                true
            });
            assert_eq!(expected, 200);
            drop(taking);
            reader.join().unwrap();
        });
        let Waiting { bytes, bytes_max, .. } = *weight.lock();
        assert_eq!((bytes, bytes_max), (0, 2 * AHEAD_BYTES), "the large one waits alone");
    }

    #[test]
    fn who_wants_no_more_of_what_is_large_holds_nobody_up() {
        let (tell, told) = bounded(PARTS_MAX);
        let weight = Weight::default();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut parts = Parts::new(tell, &weight);
                for index in 0..100 {
                    parts.push(large(index, 3 << 20));
                }
                parts.send();
                parts.tell.is_none()
            });
            let taking = Taking { told, weight: &weight };
            taking.all(&mut |it| it.index < 2);
            drop(taking);
            assert!(reader.join().unwrap(), "it was told");
        });
    }
}
