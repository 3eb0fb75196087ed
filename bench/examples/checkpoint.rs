//! What a checkpoint costs the shard's thread, and how fast a start decides the journal behind one.
//!
//! ```console
//! cargo run --release -p ach-bench --example checkpoint [TAGS] [PINGS_BEHIND] [MEBIBYTES_BEFORE]
//! ```
//!
//! Every tag has a subject, so half a million tags are a million cells. Rounds in which each tag
//! pings once, in entries of 256, take turns with and without a checkpoint; slices are told between
//! entries as a busy node tells them. All times are processor time of this thread. Slower here is an
//! alarm that waits for a slice, or a node that is longer away.

use std::error::Error;
use std::time::{Duration, Instant};

use ach_bench::{ShardSteps, Size};
use ach_engine_checkpoint::{CHAIN_START, chained, hash};
use ach_engine_journal::{Config, FileDisk, Journal, Kek, Lsn, RecordKind};
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
/// Rounds of each kind.
const ROUNDS: usize = 6;
/// As the node has it: while more waits, a slice every so many entries.
const BUSY_TURNS: usize = 4;
/// As the node has it: the journal between two checkpoints, and of a ping in it.
const JOURNAL_BYTES: usize = 32 << 20;
const PING_BYTES: usize = 40;
/// As the node has it: bytes of pieces told to the disk at a time.
const CHUNK_BYTES: usize = 64 << 10;

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

/// A checkpoint between rounds without one. Says how many bytes of pieces it has.
fn cost(steps: &mut ShardSteps, tags: usize) -> Result<usize, Failure> {
    let (mut plain, mut busy) = (Duration::ZERO, Duration::ZERO);
    let mut slices: Vec<Duration> = Vec::new();
    let (mut pieces, mut told, mut most, mut rounds) = (Vec::new(), 0_usize, 0, 0);
    let mut bytes = 0;
    let mut failed = false;
    for round in 0..ROUNDS {
        let entries = steps.next_round();
        let start = on_cpu();
        step(steps.shard_mut(), &entries);
        plain += on_cpu().saturating_sub(start);
        let begin = on_cpu();
        let head = steps.shard_mut().begin_checkpoint();
        println!("round {round}: begun in {} us", on_cpu().saturating_sub(begin).as_micros());
        (told, bytes) = (0, 0);
        encode_state(&head, &mut Vec::new())?;
        let mut is_whole = false;
        while !is_whole {
            rounds += 1;
            let entries = steps.next_round();
            let start = on_cpu();
            for (at, entry) in entries.iter().enumerate() {
                step(steps.shard_mut(), std::slice::from_ref(entry));
                let shard = steps.shard_mut();
                let mut more = at % BUSY_TURNS == 0;
                while !is_whole && (more || shard.checkpoint_copy_count() >= SLICE_CELLS) {
                    more = false;
                    let begin = on_cpu();
                    let before = told;
                    is_whole = shard.checkpoint_slice(&mut |piece| {
                        told += 1;
                        failed |= encode_piece(&piece, &mut pieces).is_err();
                    });
                    slices.push(on_cpu().saturating_sub(begin));
                    // As the node does, which hands such chunks to its disk.
                    if pieces.len() >= CHUNK_BYTES || is_whole {
                        bytes += pieces.len();
                        pieces.clear();
                    }
                    most = most.max(told - before);
                }
            }
            busy += on_cpu().saturating_sub(start);
        }
    }
    assert!(!failed, "half a million tags are far below any limit of the coding");
    slices.sort_unstable();
    let at = |share: usize| slices.get((slices.len() - 1) * share / 1_000).copied();
    let us = |share| at(share).map_or(0.0, |time| time.as_secs_f64() * 1e6);
    println!(
        "{tags} tags: {told} pieces, {} bytes, at most {most} a slice of {SLICE_CELLS}; {} slices, \
         CPU us p50 {:.1} p99 {:.1} p99.9 {:.1} max {:.1}",
        bytes,
        slices.len(),
        us(500),
        us(990),
        us(999),
        us(1_000),
    );
    let plain_ns = each_ns(plain, tags * ROUNDS);
    let busy_ns = each_ns(busy, tags * rounds);
    let extra = (busy_ns - plain_ns) * f64::from(u32::try_from(tags * rounds / ROUNDS)?);
    let interval = JOURNAL_BYTES.max(bytes * 2) / PING_BYTES;
    let spread = extra / f64::from(u32::try_from(interval)?);
    println!(
        "step {plain_ns:.0} ns a ping without, {busy_ns:.0} ns while a checkpoint is told ({:+.1} %); \
         spread over the {interval} pings between two: {:+.1} %",
        (busy_ns / plain_ns - 1.0) * 100.0,
        spread / plain_ns * 100.0,
    );
    Ok(bytes)
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
    let mut shard = restored(Restoration::begin(head, &sites)?, &pieces)?;
    let start = on_cpu();
    let (mut chain, mut wrong, mut effects) = (CHAIN_START, 0, Vec::new());
    let after = Lsn(after.0.saturating_sub(1));
    let mut is_own = true;
    let (_, opened) = Journal::open_after(disk, config, kek, after, &mut |record| {
        // The checkpoint's own entry is met, not decided.
        if std::mem::take(&mut is_own) {
            return;
        }
        chain = chained(chain, hash(record.payload));
        let Ok(entry) = decode_entry(record.payload) else { return wrong += 1 };
        effects.clear();
        wrong += usize::from(shard.step(&entry, &mut effects) != entry.effects_hash);
    })?;
    let replayed = on_cpu().saturating_sub(start);
    let (step_ns, replay_ns) = (each_ns(stepped, pings), each_ns(replayed, pings));
    println!(
        "{pings} pings in {} entries behind it: {replay_ns:.0} ns a ping against {step_ns:.0} ns of \
         the step alone: {:.0} % of its rate; {wrong} entries decided otherwise, chain {chain:032x}",
        opened.records.saturating_sub(1),
        step_ns / replay_ns * 100.0,
    );
    println!(
        "with {} MiB before it: {} ms from the first piece to the last entry, by the clock",
        written >> 20,
        now().duration_since(began_at).as_millis(),
    );
    Ok(())
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
