//! What history costs and how fast it answers, on walks of the simulated hospital.
//!
//! ```console
//! cargo run --release -p ach-bench --example history -- [TAGS] [MINUTES] [ZONES]
//! ```
//!
//! Walkers of the load tests, with the noise of a locating system, are decided on by a real shard; a
//! writer keeps their history on a temporary folder. Told are processor time a ping of shard, coding
//! of entries and history, bytes a ping on disk by part, the journal's bytes as an archive, and the
//! time of the three questions with limits: a day (or all there is) of one tag, everybody who was in
//! the busiest zone within an hour, where one tag was. Slower history would leave more for the journal
//! to keep; slower answers would let somebody wait who looks for a person.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{NS_PER_S, Ping, PingBatch, SourceRef, TagId, TagRef, Timestamp, ZoneRef};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_engine_store::{ArchiveWriter, Day, HistoryWriter, Store, StoreReport, archives};
use ach_engine_wire::encode_entry;
use ach_load_tests_fleet::{Hospital, Observation, Observed, Options, Scale, synthetic};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEED: u64 = 42;
const SECRET: [u8; 32] = [7; 32];
/// 2026-11-22T08:00:00Z.
const START_AT: Timestamp = Timestamp(1_795_334_400 * NS_PER_S);
/// What a turn of the shard takes.
const ENTRY_PINGS: usize = 64;
/// Visits of a zone in an hour: more than there are people.
const LIMIT: usize = 1_000_000;
/// Questions of each kind; the median is told.
const QUESTIONS: usize = 21;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let numbers: Vec<u32> = std::env::args().skip(1).map_while(|arg| arg.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let (tags, minutes, zones) = (number(0, 1_000), number(1, 60), number(2, 1_000));
    println!("{tags} tags, {minutes} minutes, {zones} zones, seed {SEED}");
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("lsm"))?;
    let mut run = Run::new(tags, zones, folder.path(), store.clone())?;
    for second in 1..=u64::from(minutes) * 60 {
        run.live_until(second * NS_PER_S)?;
    }
    let begun = on_cpu();
    run.writer.flush()?;
    run.costs.history += on_cpu().saturating_sub(begun);
    run.archive.finish()?;
    let mut archive_bytes = 0;
    for span in archives(&run.archives)? {
        archive_bytes += std::fs::metadata(span.file)?.len();
    }
    let pings = run.writer.ping_count();
    run.costs.print(pings);
    print_bytes(&store, pings, archive_bytes)?;
    let ends_at = START_AT.plus_ns(u64::from(minutes) * 60 * NS_PER_S);
    ask(&store, run.shard.site().map_or(0, |site| site.zone_ref_count()), tags, ends_at)
}

/// Processor time by part.
#[derive(Debug, Default)]
struct Costs {
    shard: Duration,
    coding: Duration,
    archive: Duration,
    history: Duration,
}

impl Costs {
    fn print(&self, pings: u64) {
        let each = |time: Duration| time.as_nanos() / u128::from(pings.max(1));
        println!("{pings} pings; processor time of this thread, ns a ping:");
        println!(
            "  shard {}, coding of entries {}, archive {}, history {}",
            each(self.shard),
            each(self.coding),
            each(self.archive),
            each(self.history)
        );
    }
}

struct Run {
    hospital: Hospital,
    shard: Shard,
    writer: HistoryWriter,
    archives: PathBuf,
    archive: ArchiveWriter,
    costs: Costs,
    seq: u64,
    index: u64,
    site_version: u32,
    /// The feed of the tags, and their numbers in the shard.
    source: SourceRef,
    tags: Vec<TagRef>,
}

impl Run {
    fn new(tags: u32, zones: u32, folder: &std::path::Path, store: Store) -> Result<Run, Failure> {
        let world = synthetic(Scale { tags, zones });
        let config = world.config.clone();
        let ids: Vec<TagId> = config.tags.iter().map(|tag| tag.id).collect();
        let options = Options { start_at: START_AT, has_incidents: false, ..Options::default() };
        let mut run = Run {
            hospital: Hospital::new(world.into(), SEED, options),
            shard: Shard::new(),
            writer: HistoryWriter::open(store)?,
            archive: ArchiveWriter::begin(&folder.join("archive"), &SECRET, 1, START_AT)?,
            archives: folder.join("archive"),
            costs: Costs::default(),
            seq: 0,
            index: 0,
            site_version: 0,
            source: SourceRef(0),
            tags: Vec::new(),
        };
        let epoch = |source| Input::OpenEpoch { source: SourceRef(source), epoch: 1 };
        let site = Input::SiteChange(Box::new(config));
        let first = run.entry(START_AT, vec![site, epoch(0), epoch(1)]);
        run.decide(vec![first])?;
        let site = run.shard.site().ok_or("the site was refused")?;
        run.site_version = site.version();
        run.source = site.source("rtls").ok_or("no feed of tags")?;
        run.tags = ids.into_iter().filter_map(|id| site.tag(id)).collect();
        Ok(run)
    }

    fn live_until(&mut self, to_ns: u64) -> Result<(), Failure> {
        let observations = self.hospital.advance(to_ns);
        let mut entries = Vec::new();
        for turn in observations.chunks(ENTRY_PINGS) {
            let Some(at) = turn.last().map(|last| last.send_at) else { continue };
            let mut pings: Vec<Ping> =
                turn.iter().filter_map(|observation| ping_of(observation, &self.tags)).collect();
            for (offset, ping) in (0..).zip(&mut pings) {
                ping.seq_offset = offset;
            }
            if pings.is_empty() {
                continue;
            }
            let first_seq = self.seq + 1;
            self.seq += u64::try_from(pings.len())?;
            let batch = PingBatch {
                source: self.source,
                epoch: 1,
                first_seq,
                last_seq: self.seq,
                received_at: at,
                conflated_count: 0,
                refused_count: 0,
                pings,
            };
            entries.push(self.entry(at, vec![Input::Pings(batch)]));
        }
        self.decide(entries)
    }

    fn entry(&mut self, at: Timestamp, inputs: Vec<Input>) -> Entry {
        self.index += 1;
        let (index, site_version, logic_version) = (self.index, self.site_version, LOGIC_VERSION);
        Entry { index, at, site_version, logic_version, inputs, effects_hash: 0 }
    }

    /// Takes each part of the work for all entries at once, so that the clock is seldom read.
    fn decide(&mut self, mut entries: Vec<Entry>) -> Result<(), Failure> {
        let begun = on_cpu();
        let mut decided: Vec<(Vec<Effect>, Option<Arc<Site>>)> = Vec::new();
        for entry in &mut entries {
            let mut effects = Vec::new();
            entry.effects_hash = self.shard.step(entry, &mut effects);
            decided.push((effects, self.shard.site().cloned()));
        }
        let stepped = on_cpu();
        let mut coded = Vec::new();
        for entry in &entries {
            let mut bytes = Vec::new();
            encode_entry(entry, &mut bytes)?;
            coded.push(bytes);
        }
        let encoded = on_cpu();
        for (entry, bytes) in entries.iter().zip(&coded) {
            if self.archive.day() != Day::of(entry.at) {
                let next = ArchiveWriter::begin(&self.archives, &SECRET, entry.index, entry.at)?;
                std::mem::replace(&mut self.archive, next).finish()?;
            }
            self.archive.push(entry.index, entry.at, bytes)?;
        }
        let archived = on_cpu();
        for (entry, (effects, site)) in entries.iter().zip(&decided) {
            self.writer.take(entry, effects, site.as_deref())?;
        }
        let kept = on_cpu();
        self.costs.shard += stepped.saturating_sub(begun);
        self.costs.coding += encoded.saturating_sub(stepped);
        self.costs.archive += archived.saturating_sub(encoded);
        self.costs.history += kept.saturating_sub(archived);
        Ok(())
    }
}

/// Time this thread has spent on a processor: other programs share the machine.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = text.split_whitespace().next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.unwrap_or(0))
}

fn ping_of(observation: &Observation, tags: &[TagRef]) -> Option<Ping> {
    let Observed::Ping { tag, position, accuracy_mm, battery_percent } = observation.what else {
        return None;
    };
    Some(Ping {
        tag: *tags.get(usize::try_from(tag).ok()?)?,
        seq_offset: 0,
        observed_at: observation.observed_at,
        position,
        accuracy_mm,
        battery_percent,
    })
}

fn print_bytes(store: &Store, pings: u64, archive_bytes: u64) -> Result<(), Failure> {
    let hundredths = |bytes: u64| {
        let each = bytes.saturating_mul(100) / pings.max(1);
        format!("{}.{:02}", each / 100, each % 100)
    };
    println!("bytes a ping on disk as it stands: {}", hundredths(store.disk_bytes()));
    for day in store.days() {
        store.compact(day)?;
    }
    let StoreReport { blocks, block_bytes, rows, row_bytes, pings: kept, .. } = store.verify()?;
    println!(
        "after merging: {}; blocks {} ({blocks} blocks of {} pings), {rows} other rows {} before \
         compression; archive of the journal {}",
        hundredths(store.disk_bytes()),
        hundredths(block_bytes),
        kept / blocks.max(1),
        hundredths(row_bytes),
        hundredths(archive_bytes)
    );
    Ok(())
}

fn ask(store: &Store, zones: usize, tags: u32, ends_at: Timestamp) -> Result<(), Failure> {
    let begins_at = Timestamp(ends_at.0.saturating_sub(24 * 3_600 * NS_PER_S));
    let hour_at = Timestamp(ends_at.0.saturating_sub(3_600 * NS_PER_S));
    let walk = |tag| -> Result<usize, Failure> {
        let walk: Result<Vec<_>, _> = store.pings(TagRef(tag), begins_at, ends_at)?.collect();
        Ok(walk?.len())
    };
    median("a day of one tag", |round| walk(u32::try_from(round)? % tags))?;
    let mut busiest = (0, ZoneRef(0));
    for zone in (0..u32::try_from(zones)?).map(ZoneRef) {
        let count = store.visits_of_zone(zone, (hour_at, ends_at), LIMIT)?.len();
        busiest = busiest.max((count, zone));
    }
    median("who was in the busiest zone in the last hour", |_| {
        Ok(store.visits_of_zone(busiest.1, (hour_at, ends_at), LIMIT)?.len())
    })?;
    median("where one tag was", |round| {
        let at = Timestamp(ends_at.0 - u64::try_from(round)? * 60 * NS_PER_S);
        let tag = TagRef(u32::try_from(round)? * 7 % tags);
        Ok(usize::from(store.whereabouts(tag, at)?.is_some()))
    })
}

fn median(
    what: &str,
    mut question: impl FnMut(usize) -> Result<usize, Failure>,
) -> Result<(), Failure> {
    let mut times = Vec::new();
    let mut answers = 0;
    for round in 0..QUESTIONS {
        #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
        let begun = std::time::Instant::now();
        answers = question(round)?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let (half, worst) = (times.get(QUESTIONS / 2), times.last());
    println!(
        "{what}: median {half:?}, slowest {worst:?} of {QUESTIONS}; {answers} found the last time"
    );
    Ok(())
}
