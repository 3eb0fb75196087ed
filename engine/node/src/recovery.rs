//! Comes back from the latest checkpoint and the journal after it: every entry is decided again, and
//! must have the same effects.

use std::sync::Arc;

use ach_actors_entities::Effect;
use ach_actors_model::{SiteConfig, Timestamp};
use ach_engine_checkpoint::{CHAIN_START, ReadError, Seal, Shelf, chained, hash};
use ach_engine_journal::{Config, Disk, Journal, Kek, OpenError, Record, RecordKind};
use ach_engine_shard::{Input, Shard};
use ach_engine_wire::decode_entry;

use crate::checkpoint_store::{CheckpointStore, DiskStore, Good};
use crate::commit_mark::StoringStopped;
use crate::committer::EntryLog;
use crate::journal_floor::JournalFloor;
use crate::journal_log::JournalLog;
use crate::keeper::CodedSite;
use crate::ledger::Ledger;
use crate::restore::{Restored, Unusable, restore};
use crate::scribe::{CheckpointPolicy, Since, coded_site};
use crate::start_error::StartError;

/// A shard as the journal left it.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub shard: Shard,
    /// What the node knew beside it.
    pub ledger: Ledger,
    /// The versions of the site that something goes by.
    pub sites: Vec<CodedSite>,
    /// The configuration in force, as it was journaled.
    pub site: Option<SiteConfig>,
    pub last_index: u64,
    pub last_at: Timestamp,
    /// What a start after this one would have to decide again: it counts towards the next checkpoint,
    /// or a node that dies early each time would never make one.
    pub since: Since,
    /// Where to store; `None` when storing has stopped before it began.
    pub log: Option<Box<dyn EntryLog>>,
    /// Where to keep checkpoints; `None` when nothing is stored.
    pub store: Option<Box<dyn CheckpointStore>>,
    pub stopped: Option<StoringStopped>,
    /// From where on the journal is wanted.
    pub floor: Arc<JournalFloor>,
}

/// Opens a journal and decides all its entries again that its latest checkpoint does not have.
///
/// A damaged journal, a full or failing disk do not keep a node from working: it goes on with what
/// could be read, and says loudly that nothing is stored. A damaged checkpoint is passed over for the
/// one before, or for the whole journal.
///
/// # Errors
///
/// What only an operator can put right: another process has the journal, its key is another, it
/// was written by a newer program, this program decides differently, or the journal begins after the
/// latest checkpoint that is whole.
pub(crate) fn recover<D>(
    disk: &D,
    config: Config,
    kek: &Kek,
    policy: CheckpointPolicy,
    is_threaded: bool,
) -> Result<Recovered, StartError>
where
    D: Disk + Clone + Send + 'static,
{
    let shelved = Shelf::new(disk.clone()).list().unwrap_or_else(|error| {
        tracing::error!(%error, "the checkpoints cannot be listed");
        Vec::new()
    });
    let mut passed_over = None;
    for one in &shelved {
        let restored = match restore(disk, one.index, kek) {
            Ok(restored) => restored,
            Err(Unusable::Read(ReadError::WrongKey)) => return Err(StartError::CheckpointKey),
            Err(error) => {
                let index = one.index;
                tracing::error!(index, %error, "a checkpoint is of no use; an older one is tried");
                continue;
            }
        };
        match come_back(disk, config, kek, (policy, is_threaded), Some(restored)) {
            Err(wrong) if wrong.is_of_the_checkpoint() => {
                let index = one.index;
                tracing::error!(index, %wrong, "a checkpoint does not fit; an older one is tried");
                passed_over.get_or_insert(wrong);
            }
            other => return other,
        }
    }
    come_back(disk, config, kek, (policy, is_threaded), None).map_err(|error| match error {
        // Without any checkpoint the journal's beginning is missing: what is wrong with the
        // checkpoint is the news.
        StartError::NoCheckpoint { .. } => passed_over.unwrap_or(error),
        other => other,
    })
}

/// Goes on from a checkpoint, or from nothing, with what the journal has after it.
fn come_back<D>(
    disk: &D,
    config: Config,
    kek: &Kek,
    (policy, is_threaded): (CheckpointPolicy, bool),
    restored: Option<Restored>,
) -> Result<Recovered, StartError>
where
    D: Disk + Clone + Send + 'static,
{
    let mut replay = Replay::new(restored);
    let opened =
        Journal::open(disk.clone(), config, kek.clone(), &mut |record| replay.record(&record));
    if let Some(wrong) = replay.wrong {
        return Err(wrong);
    }
    let mut recovered = Recovered {
        shard: replay.shard,
        ledger: replay.ledger,
        sites: replay.sites,
        site: replay.site,
        last_index: replay.last_index,
        last_at: replay.last_at,
        since: replay.since,
        log: None,
        store: None,
        stopped: None,
        floor: Arc::new(JournalFloor::new()),
    };
    let journal = match opened {
        Ok((journal, opened)) => {
            if let Some(cut) = &opened.cut {
                tracing::warn!(%cut, "cut a tail of the journal that was never acked");
            }
            journal
        }
        Err(error) => {
            recovered.stopped = Some(endurable(error)?);
            return Ok(recovered);
        }
    };
    if let Some(seal) = replay.unmet {
        // It was made only when its entry was on disk: the disk has lost what it said it had.
        let detail = format!("it ends before entry {}, of which there is a checkpoint", seal.index);
        recovered.stopped = Some(StoringStopped::Damaged { detail });
        return Ok(recovered);
    }
    let (from, last_index) = (replay.from_index, recovered.last_index);
    tracing::info!(from, last_index, "the journal is replayed");
    let floor = recovered.floor.clone();
    floor.raise(&replay.good);
    if policy.is_journal_kept {
        floor.keep_all();
    }
    let kept_bytes = config.reserve_bytes.saturating_add(config.segment_bytes.saturating_mul(2));
    let place = (disk.clone(), journal.hold());
    let store = DiskStore::new(place, kek.clone(), kept_bytes, floor.clone(), replay.good);
    if let Err(error) = Shelf::new(disk.clone()).tidy() {
        tracing::warn!(%error, "the remains of a checkpoint could not be removed");
    }
    recovered.store = Some(Box::new(store));
    recovered.log = Some(Box::new(JournalLog::new(journal, replay.chain, floor, is_threaded)));
    Ok(recovered)
}

/// Which failures a node works through.
fn endurable(error: OpenError) -> Result<StoringStopped, StartError> {
    let detail = error.to_string();
    match error {
        OpenError::Corrupt { .. } => Ok(StoringStopped::Damaged { detail }),
        OpenError::Full { .. } => Ok(StoringStopped::Full { detail }),
        OpenError::Disk { source, .. } => {
            Ok(StoringStopped::Failed { detail: format!("{detail}: {source}") })
        }
        OpenError::Cipher => Ok(StoringStopped::Failed { detail }),
        OpenError::InUse
        | OpenError::Setting { .. }
        | OpenError::WrongKey { .. }
        | OpenError::NewerFormat { .. } => Err(StartError::Journal(error)),
    }
}

/// The replay of one journal.
#[derive(Debug)]
struct Replay {
    shard: Shard,
    ledger: Ledger,
    sites: Vec<CodedSite>,
    site: Option<SiteConfig>,
    /// The entry of the checkpoint it goes on from; 0 without one.
    from_index: u64,
    last_index: u64,
    last_at: Timestamp,
    since: Since,
    chain: u128,
    /// The seal of the checkpoint, until its entry is met in the journal.
    unmet: Option<Seal>,
    good: Vec<Good>,
    effects: Vec<Effect>,
    wrong: Option<StartError>,
}

impl Replay {
    fn new(restored: Option<Restored>) -> Replay {
        let seal = restored.as_ref().map(|restored| restored.seal);
        let (shard, ledger, sites, site) = match restored {
            Some(Restored { shard, ledger, sites, site, .. }) => (shard, ledger, sites, site),
            None => (Shard::new(), Ledger::new(), Vec::new(), None),
        };
        let from_index = shard.entry_index();
        Replay {
            last_index: from_index,
            last_at: shard.entry_at(),
            shard,
            ledger,
            sites,
            site,
            from_index,
            since: Since::default(),
            chain: seal.map_or(CHAIN_START, |seal| seal.chain),
            unmet: seal,
            good: seal.iter().map(|seal| Good { index: seal.index, lsn: seal.lsn }).collect(),
            effects: Vec::new(),
            wrong: None,
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        if record.kind == RecordKind::Entry && self.wrong.is_none() {
            self.wrong = self.entry(record).err();
        }
    }

    fn entry(&mut self, record: &Record<'_>) -> Result<(), StartError> {
        let index = record.index;
        if index <= self.from_index {
            return self.meet(record);
        }
        if self.last_index == 0 && index > 1 {
            return Err(StartError::NoCheckpoint { index });
        }
        let entry_hash = hash(record.payload);
        self.chain = chained(self.chain, entry_hash);
        let mut entry = decode_entry(record.payload)
            .map_err(|source| StartError::Unreadable { index, source })?;
        let is_next = entry.index == self.last_index.saturating_add(1) && entry.index == index;
        let site_version = self.site.as_ref().map_or(0, |site| site.version);
        if !is_next || entry.at < self.last_at || entry.site_version != site_version {
            return Err(StartError::OutOfOrder { index, after: self.last_index });
        }
        self.effects.clear();
        let effects_hash = self.shard.step(&entry, &mut self.effects);
        if effects_hash != entry.effects_hash {
            return Err(StartError::Diverged { index, from: self.from_index });
        }
        self.since.add(record.payload.len());
        self.last_index = entry.index;
        self.last_at = entry.at;
        self.ledger.note(index, &self.effects);
        for input in entry.inputs.drain(..) {
            if let Input::SiteChange(config) = input {
                self.take_site(*config, index)?;
            }
        }
        Ok(())
    }

    /// An entry that the checkpoint has; its last one must be the one it says.
    fn meet(&mut self, record: &Record<'_>) -> Result<(), StartError> {
        if record.index == self.from_index
            && let Some(seal) = self.unmet.take()
            && hash(record.payload) != seal.entry_hash
        {
            return Err(StartError::OtherJournal { index: record.index });
        }
        Ok(())
    }

    fn take_site(&mut self, config: SiteConfig, index: u64) -> Result<(), StartError> {
        let Some(site) = self.shard.site().filter(|site| site.version() == config.version) else {
            return Ok(());
        };
        // What could be journaled can be coded.
        let coded = coded_site(site, &config);
        let coded = coded.map_err(|_| StartError::OutOfOrder { index, after: index })?;
        self.sites.push(coded);
        let in_use: Vec<u32> =
            self.shard.sites_in_use().iter().map(|site| site.version()).collect();
        self.sites.retain(|coded| in_use.contains(&coded.site.version()));
        self.site = Some(config);
        Ok(())
    }
}
