//! What a checkpoint costs the shard's thread, and how fast a start decides the journal behind one.
//!
//! ```console
//! cargo run --release -p ach-bench --example checkpoint [TAGS] [PINGS_BEHIND] [MEBIBYTES_BEFORE]
//! ```
//!
//! Every tag has a subject, so half a million tags are a million cells. Rounds in which each tag
//! pings once, in entries of 256, take turns with and without a checkpoint; slices are told between
//! entries as a busy node tells them. A start reads the journal on a thread of its own, as the node's
//! does; the round in which each tag is heard for the first time is told apart: who rested in the
//! checkpoint wakes then and is looked up anew. Times are processor time of the thread that decides,
//! unless said otherwise. Slower here is an alarm that waits for a slice, or a node that is longer away.

use std::error::Error;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use ach_bench::{ShardSteps, Size};
use ach_engine_checkpoint::{CHAIN_START, chained, hash};
use ach_engine_journal::{Config, FileDisk, Journal, Kek, Lsn, OpenError, RecordKind};
use ach_engine_shard::{Entry, Restoration, SLICE_CELLS, Shard};
use ach_engine_wire::{
    decode_entry, decode_piece, encode_entry, encode_piece, encode_state, split_pieces,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tags, unless given: a million cells.
const TAGS: Size = Size { smoke: 1_000, full: 500_000 };
/// Pings in the journal behind the checkpoint, unless given.
const PINGS_BEHIND: Size = Size { smoke: 10_000, full: 10_000_000 };
/// Mebibytes of journal before the checkpoint, unless given: what a start must not read.
const MEBIBYTES_BEFORE: Size = Size { smoke: 1, full: 1_024 };
/// Checkpoints that are measured.
const CHECKPOINTS: usize = 4;
/// As the node has it: while more waits, a slice every so many entries.
const BUSY_TURNS: usize = 4;
/// As the node has it: the journal between two checkpoints, and of a ping in it.
const JOURNAL_BYTES: usize = 32 << 20;
const PING_BYTES: usize = 40;
/// Pings a second of a large hospital.
const SITE_PINGS_PER_S: usize = 50_000;
/// As the node has it: bytes of pieces told to the disk at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// As the node has it: entries read ahead that are handed over at once, and how often that may wait.
const PART_ENTRIES: usize = 16;
const PARTS_MAX: usize = 8;
/// As the site of the measurement has it.
const ENTRY_PINGS: usize = 256;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let mut given = std::env::args().skip(1);
    let first = given.next();
    let is_smoke = first.as_deref() == Some("smoke");
    let number = |text: Option<String>, size: Size| {
        let default = if is_smoke { size.smoke } else { size.full };
        text.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let tags = number(first, TAGS);
    let behind = number(given.next(), PINGS_BEHIND);
    let before = number(given.next(), MEBIBYTES_BEFORE);
    let mut steps = ShardSteps::new(ShardSteps::ZONES.full, tags);
    for _ in 0..3 {
        let entries = steps.next_round();
        steps.step(&entries);
    }
    let bytes = cost(&mut steps, tags)?;
    restart(&mut steps, tags, behind, (bytes, before << 20))
}

/// What telling checkpoints came to.
#[derive(Debug, Default)]
struct Telling {
    /// Bytes of pieces told and not handed on yet.
    chunk: Vec<u8>,
    bytes: usize,
    pieces: usize,
    /// Of the slice that told most.
    most: usize,
    slices: Vec<Duration>,
    has_failed: bool,
}

impl Telling {
    /// As the node does after an entry. True once all was told.
    fn turn(&mut self, shard: &mut Shard, at: usize) -> bool {
        let mut is_whole = false;
        let mut more = at.is_multiple_of(BUSY_TURNS);
        while !is_whole && (more || shard.checkpoint_copy_count() >= SLICE_CELLS) {
            more = false;
            let begin = on_cpu();
            is_whole = self.slice(shard);
            self.slices.push(on_cpu().saturating_sub(begin));
        }
        is_whole
    }

    fn slice(&mut self, shard: &mut Shard) -> bool {
        let Telling { chunk, has_failed, .. } = self;
        let mut count = 0;
        let is_whole = shard.checkpoint_slice(&mut |piece| {
            count += 1;
            *has_failed |= encode_piece(&piece, chunk).is_err();
        });
        self.pieces += count;
        self.most = self.most.max(count);
        // As the node does, which hands such chunks to its disk.
        if self.chunk.len() >= CHUNK_BYTES || is_whole {
            self.bytes += self.chunk.len();
            self.chunk.clear();
        }
        is_whole
    }

    fn share_us(&self, share: usize) -> f64 {
        let at = (self.slices.len().saturating_sub(1)) * share / 1_000;
        self.slices.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    }
}

/// Rounds with a checkpoint take turns with as many without. Says how many bytes of pieces one has.
fn cost(steps: &mut ShardSteps, tags: usize) -> Result<usize, Failure> {
    let (mut plain, mut busy) = (Duration::ZERO, Duration::ZERO);
    let (mut telling, mut rounds) = (Telling::default(), 0);
    for number in 0..CHECKPOINTS {
        let begin = on_cpu();
        let head = steps.shard_mut().begin_checkpoint();
        println!("checkpoint {number}: begun in {} us", on_cpu().saturating_sub(begin).as_micros());
        encode_state(&head, &mut Vec::new())?;
        let before = rounds;
        let mut is_whole = false;
        while !is_whole {
            rounds += 1;
            busy += round(steps, &mut |shard, at| is_whole = is_whole || telling.turn(shard, at));
        }
        for _ in before..rounds {
            plain += round(steps, &mut |_, _| ());
        }
    }
    assert!(!telling.has_failed, "half a million tags are far below any limit of the coding");
    telling.slices.sort_unstable();
    let (pieces, bytes) = (telling.pieces / CHECKPOINTS, telling.bytes / CHECKPOINTS);
    let in_slices: Duration = telling.slices.iter().sum();
    println!(
        "{tags} tags: {pieces} pieces and {bytes} bytes a checkpoint, in {} slices, of which the \
         fullest had {} of {SLICE_CELLS}; CPU us of a slice p50 {:.1} p99 {:.1} p99.9 {:.1} max {:.1}",
        telling.slices.len() / CHECKPOINTS,
        telling.most,
        telling.share_us(500),
        telling.share_us(990),
        telling.share_us(999),
        telling.share_us(1_000),
    );
    let (plain_ns, busy_ns) = (each_ns(plain, tags * rounds), each_ns(busy, tags * rounds));
    let one_ms = |all: Duration| each_ns(all, CHECKPOINTS) / 1e6;
    let extra = busy.saturating_sub(plain);
    let interval = JOURNAL_BYTES.max(bytes * 2) / PING_BYTES;
    let spread = each_ns(extra, interval * CHECKPOINTS) / plain_ns;
    let apart_s = f64::from(u32::try_from(interval / SITE_PINGS_PER_S).unwrap_or(u32::MAX));
    println!(
        "step {plain_ns:.0} ns a ping without, {busy_ns:.0} ns while a checkpoint is told ({:+.1} %); \
         {:.0} ms a checkpoint, {:.0} ms of it in slices; spread over the {interval} pings between \
         two: {:+.1} %",
        (busy_ns / plain_ns - 1.0) * 100.0,
        one_ms(extra),
        one_ms(in_slices),
        spread * 100.0,
    );
    println!(
        "at {SITE_PINGS_PER_S} pings a second: one every {apart_s:.0} s, {:.2} % of a core",
        one_ms(extra) / 10.0 / apart_s,
    );
    Ok(bytes)
}

/// A second in which each tag pings once, with something between entries. Says how long both took.
fn round(steps: &mut ShardSteps, between: &mut dyn FnMut(&mut Shard, usize)) -> Duration {
    let entries = steps.next_round();
    let mut effects = Vec::new();
    let start = on_cpu();
    for (at, entry) in entries.iter().enumerate() {
        effects.clear();
        steps.shard_mut().step(entry, &mut effects);
        between(steps.shard_mut(), at);
    }
    on_cpu().saturating_sub(start)
}

/// Restores a checkpoint, then decides what the journal has behind it, with much of it before.
fn restart(
    steps: &mut ShardSteps,
    tags: usize,
    behind: usize,
    (earlier_bytes, before_bytes): (usize, usize),
) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let kek = Kek::from_bytes(&[7; 32])?;
    let config = Config::default();
    let disk = FileDisk::create(folder.path())?;
    let (mut journal, _) = Journal::open(disk.clone(), config, kek.clone(), &mut |_| {})?;
    let mut written = 0;
    while written < before_bytes {
        written += live(steps, &mut journal)?.1;
    }
    let after = journal.commit()?;
    let sites = steps.shard().sites_in_use();
    let mut pieces = Vec::with_capacity(earlier_bytes);
    let head = steps.shard_mut().begin_checkpoint();
    let mut is_coded = true;
    while !steps.shard_mut().checkpoint_slice(&mut |piece| {
        is_coded &= encode_piece(&piece, &mut pieces).is_ok();
    }) {}
    assert!(is_coded, "half a million tags are far below any limit of the coding");
    let (mut stepped, mut pings) = (Duration::ZERO, 0);
    while pings < behind {
        stepped += live(steps, &mut journal)?.0;
        pings += tags;
    }
    journal.close()?;
    let began_at = now();
    let shard = restored(Restoration::begin(head, &sites)?, &pieces)?;
    // The checkpoint's own entry is met, not decided.
    let mut replay = Replay { shard, chain: CHAIN_START, entries: 0, wrong: 0 };
    let after = Lsn(after.0.saturating_sub(1));
    let (read, told) = sync_channel(PARTS_MAX);
    let reader = std::thread::spawn(move || read_ahead((disk, config, kek, after), &read));
    let round_entries = tags.div_ceil(ENTRY_PINGS);
    let mut parts = told.into_iter().flatten().skip(1);
    let waking = replay.take(parts.by_ref().take(round_entries));
    let rest = replay.take(parts);
    let undecoded = reader.join().map_err(|_| "the reading thread failed")??;
    let later = pings.saturating_sub(tags);
    let (step_ns, rest_ns) = (each_ns(stepped, pings), each_ns(rest, later));
    let Replay { entries, wrong, chain, .. } = replay;
    println!(
        "{pings} pings in {entries} entries behind it: {:.0} ns for the first ping of a tag, \
         {rest_ns:.0} ns for each of {later} after it, against {step_ns:.0} ns of the step alone: {:.0} % \
         of its rate; {wrong} entries decided otherwise, {undecoded} not read, chain {chain:032x}",
        each_ns(waking, tags),
        if later == 0 { 0.0 } else { step_ns / rest_ns * 100.0 },
    );
    println!(
        "with {} MiB before it: {} ms from the first piece to the last entry, by the clock",
        written >> 20,
        now().duration_since(began_at).as_millis(),
    );
    Ok(())
}

/// A shard that decides again what was journaled.
struct Replay {
    shard: Shard,
    chain: u128,
    entries: usize,
    /// Entries that came to something else.
    wrong: usize,
}

impl Replay {
    /// Decides entries. Says how long this thread worked on it.
    fn take(&mut self, entries: impl Iterator<Item = ReadEntry>) -> Duration {
        let start = on_cpu();
        let mut effects = Vec::new();
        for (hash, entry) in entries {
            self.chain = chained(self.chain, hash);
            effects.clear();
            let effects_hash = self.shard.step(&entry, &mut effects);
            self.wrong += usize::from(effects_hash != entry.effects_hash);
            self.entries += 1;
        }
        on_cpu().saturating_sub(start)
    }
}

/// An entry and the hash of its bytes.
type ReadEntry = (u128, Entry);

/// Reads the journal after a record and hands its entries over, as many at once as the node does. Says
/// how many could not be decoded.
fn read_ahead(
    (disk, config, kek, after): (FileDisk, Config, Kek, Lsn),
    told: &SyncSender<Vec<ReadEntry>>,
) -> Result<usize, OpenError> {
    let (mut part, mut undecoded) = (Vec::with_capacity(PART_ENTRIES), 0);
    Journal::open_after(disk, config, kek, after, &mut |record| {
        let Ok(entry) = decode_entry(record.payload) else { return undecoded += 1 };
        part.push((hash(record.payload), entry));
        if part.len() == PART_ENTRIES {
            // Who decides has failed, and says so.
            let _ = told.send(std::mem::replace(&mut part, Vec::with_capacity(PART_ENTRIES)));
        }
    })?;
    let _ = told.send(part);
    Ok(undecoded)
}

fn restored(mut restoring: Restoration, pieces: &[u8]) -> Result<Shard, Failure> {
    let start = on_cpu();
    let mut failed = None;
    split_pieces(pieces, &mut |piece| {
        let taken = decode_piece(piece).map_err(Failure::from);
        if let Err(error) = taken.and_then(|piece| Ok(restoring.take(piece)?)) {
            failed = Some(error);
        }
    })?;
    failed.map_or(Ok(()), Err)?;
    let shard = restoring.finish();
    let restored = on_cpu().saturating_sub(start);
    println!("{} bytes of pieces restored in {} ms", pieces.len(), restored.as_millis());
    Ok(shard)
}

/// A round of pings, decided and journaled. Says how long deciding took and how many bytes it was.
fn live(steps: &mut ShardSteps, journal: &mut Journal) -> Result<(Duration, usize), Failure> {
    let entries = steps.next_round();
    let start = on_cpu();
    let hashes = step(steps.shard_mut(), &entries);
    let stepped = on_cpu().saturating_sub(start);
    let (mut bytes, mut written) = (Vec::new(), 0);
    for (mut entry, effects_hash) in entries.into_iter().zip(hashes) {
        entry.effects_hash = effects_hash;
        bytes.clear();
        encode_entry(&entry, &mut bytes)?;
        written += bytes.len();
        if journal.append(RecordKind::Entry, 0, 1, entry.index, &bytes).is_err() {
            journal.commit()?;
            journal.append(RecordKind::Entry, 0, 1, entry.index, &bytes)?;
        }
    }
    Ok((stepped, written))
}

/// The time by the clock: most of a start that reads too much is the disk's.
#[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
fn now() -> Instant {
    Instant::now()
}

fn step(shard: &mut Shard, entries: &[Entry]) -> Vec<u64> {
    let mut effects = Vec::new();
    let hash = |entry: &Entry| {
        effects.clear();
        shard.step(entry, &mut effects)
    };
    entries.iter().map(hash).collect()
}

fn each_ns(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
}

/// Time this thread has spent on a processor.
fn on_cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(now.tv_sec)) + Duration::from_nanos(part(now.tv_nsec))
}
