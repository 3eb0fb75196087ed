//! Days of a simulated hospital, decided on by a real shard, written by a real writer of history.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{NS_PER_S, Ping, PingBatch, SourceRef, TagId, TagRef, Timestamp};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_engine_store::{ArchiveWriter, Day, HistoryWriter, Store, archives};
use ach_engine_wire::encode_entry;
use ach_load_tests_fleet::{Hospital, Observation, Observed, Options, Scale, synthetic};

use crate::SEED;

/// 2026-11-22T08:00:00Z.
const BEGINS_AT: Timestamp = Timestamp(1_795_334_400 * NS_PER_S);

const SECRET: [u8; 32] = [7; 32];
/// What a turn of the shard takes.
const ENTRY_PINGS: usize = 64;

/// What can go wrong in a benchmark.
type Failure = Box<dyn Error>;

/// Processor time by part.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Costs {
    /// Of the shard's steps.
    pub(crate) shard: Duration,
    /// Of history: taking what was decided, and writing it.
    pub(crate) history: Duration,
}

/// Walkers of the load tests, with the noise of a locating system, and their history on a disk.
pub(crate) struct HistoryWalks {
    hospital: Hospital,
    shard: Shard,
    writer: HistoryWriter,
    archive: Option<(PathBuf, ArchiveWriter)>,
    costs: Costs,
    seq: u64,
    index: u64,
    site_version: u32,
    /// The feed of the tags, and their numbers in the shard.
    source: SourceRef,
    tags: Vec<TagRef>,
    seconds: u64,
}

impl HistoryWalks {
    /// A hospital with so many tags and zones; its history begins in `folder`, with the journal's
    /// archives if they are to be measured too.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub(crate) fn begin(
        (tags, zones): (u32, u32),
        folder: &Path,
        has_archive: bool,
    ) -> Result<HistoryWalks, Failure> {
        let world = synthetic(Scale { tags, zones });
        let config = world.config.clone();
        let ids: Vec<TagId> = config.tags.iter().map(|tag| tag.id).collect();
        let options = Options { start_at: BEGINS_AT, has_incidents: false, ..Options::default() };
        let archives = folder.join("archive");
        let archive = if has_archive {
            let writer = ArchiveWriter::begin(&archives, &SECRET, 1, BEGINS_AT)?;
            Some((archives, writer))
        } else {
            None
        };
        let mut walks = HistoryWalks {
            hospital: Hospital::new(world.into(), SEED, options),
            shard: Shard::new(),
            writer: HistoryWriter::open(Store::open(&folder.join("lsm"))?)?,
            archive,
            costs: Costs::default(),
            seq: 0,
            index: 0,
            site_version: 0,
            source: SourceRef(0),
            tags: Vec::new(),
            seconds: 0,
        };
        let epoch = |source| Input::OpenEpoch { source: SourceRef(source), epoch: 1 };
        let site = Input::SiteChange(Box::new(config));
        let first = walks.entry(BEGINS_AT, vec![site, epoch(0), epoch(1)]);
        walks.decide(vec![first])?;
        let site = walks.shard.site().ok_or("the site was refused")?;
        walks.site_version = site.version();
        walks.source = site.source("rtls").ok_or("no feed of tags")?;
        walks.tags = ids.into_iter().filter_map(|id| site.tag(id)).collect();
        Ok(walks)
    }

    /// Everybody goes on for so many seconds; what was heard is on disk then.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub(crate) fn live(&mut self, seconds: u64) -> Result<(), Failure> {
        for _ in 0..seconds {
            self.seconds += 1;
            self.second()?;
        }
        let begun = on_cpu();
        self.writer.flush()?;
        self.costs.history += on_cpu().saturating_sub(begun);
        Ok(())
    }

    /// The moment it has come to.
    pub(crate) fn ends_at(&self) -> Timestamp {
        BEGINS_AT.plus_ns(self.seconds * NS_PER_S)
    }

    /// The store.
    pub(crate) fn store(&self) -> &Store {
        self.writer.store()
    }

    /// Pings kept.
    pub(crate) fn ping_count(&self) -> u64 {
        self.writer.ping_count()
    }

    /// Zones of the site.
    pub(crate) fn zone_count(&self) -> usize {
        self.shard.site().map_or(0, |site| site.zone_ref_count())
    }

    /// What it has cost so far.
    pub(crate) fn costs(&self) -> Costs {
        self.costs
    }

    /// Ends the archives, if there are any, and says how many bytes they have.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub(crate) fn archive_bytes(&mut self) -> Result<Option<u64>, Failure> {
        let Some((folder, writer)) = self.archive.take() else { return Ok(None) };
        writer.finish()?;
        let mut bytes = 0;
        for span in archives(&folder)? {
            bytes += std::fs::metadata(span.file)?.len();
        }
        Ok(Some(bytes))
    }

    fn second(&mut self) -> Result<(), Failure> {
        let observations = self.hospital.advance(self.seconds * NS_PER_S);
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

    /// Does each part of the work for all entries at once, so that the clock is seldom read.
    fn decide(&mut self, mut entries: Vec<Entry>) -> Result<(), Failure> {
        let begun = on_cpu();
        let mut decided: Vec<(Vec<Effect>, Option<Arc<Site>>)> = Vec::new();
        for entry in &mut entries {
            let mut effects = Vec::new();
            entry.effects_hash = self.shard.step(entry, &mut effects);
            decided.push((effects, self.shard.site().cloned()));
        }
        self.costs.shard += on_cpu().saturating_sub(begun);
        if let Some((folder, writer)) = &mut self.archive {
            let mut bytes = Vec::new();
            for entry in &entries {
                if writer.day() != Day::of(entry.at) {
                    let next = ArchiveWriter::begin(folder, &SECRET, entry.index, entry.at)?;
                    std::mem::replace(writer, next).finish()?;
                }
                bytes.clear();
                encode_entry(entry, &mut bytes)?;
                writer.push(entry.index, entry.at, &bytes)?;
            }
        }
        let begun = on_cpu();
        for (entry, (effects, site)) in entries.iter().zip(&decided) {
            self.writer.take(entry, effects, site.as_deref())?;
        }
        self.costs.history += on_cpu().saturating_sub(begun);
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
