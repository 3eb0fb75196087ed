//! Comes back from the latest checkpoint and the journal after it: every entry is decided again, and
//! must have the same effects.

use std::sync::Arc;

use ach_actors_entities::Effect;
use ach_actors_model::{SiteConfig, Timestamp};
use ach_engine_checkpoint::{CHAIN_START, ReadError, Seal, Shelf, Shelved, chained};
use ach_engine_journal::{Config, Damage, Disk, Kek, Lsn, OpenError, Opened};
use ach_engine_shard::{LOGIC_VERSION, Shard};

use crate::checkpoint_store::{CheckpointStore, DiskStore, Good};
use crate::coded_site::{CodedSite, configs_in_force, follow_sites};
use crate::commit_mark::StoringStopped;
use crate::committer::EntryLog;
use crate::journal_floor::JournalFloor;
use crate::journal_log::{JournalLog, RoomMarks};
use crate::ledger::Ledger;
use crate::read_ahead::{ReadEntry, Source};
use crate::restore::{Restored, Unusable, restore};
use crate::scribe::{CheckpointPolicy, Since};
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
    /// Damage in what the journal has before the checkpoint.
    pub old_damage: Vec<Damage>,
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
/// latest checkpoint that this program can use.
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
    let mut passed_over = None;
    let shelved = Shelf::new(disk.clone()).list().unwrap_or_else(|source| {
        tracing::error!(error = %source, "the checkpoints cannot be listed");
        passed_over = Some(StartError::Shelf { source });
        Vec::new()
    });
    for one in &shelved {
        let index = one.index;
        let restored = match restore(disk, index, kek) {
            Ok(restored) => restored,
            Err(Unusable::Read(ReadError::WrongKey)) => return Err(StartError::CheckpointKey),
            Err(error) => {
                tracing::error!(index, %error, "a checkpoint is of no use; an older one is tried");
                // Of damage nobody need hear more than that nothing whole is left.
                if !error.is_damage() {
                    passed_over.get_or_insert(no_use(index, error));
                }
                continue;
            }
        };
        match come_back(disk, config, kek, (policy, is_threaded), Some((restored, *one))) {
            Err(wrong) if wrong.is_of_the_checkpoint() => {
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

/// What an operator must do about a checkpoint that is whole and cannot be used.
fn no_use(index: u64, error: Unusable) -> StartError {
    let detail = error.to_string();
    match error {
        error if error.is_newer() => StartError::NewerCheckpoint { index, detail },
        Unusable::Read(ReadError::Disk { source, .. }) => {
            StartError::CheckpointDisk { index, source }
        }
        _ => StartError::UnusableCheckpoint { index, detail },
    }
}

/// Goes on from a checkpoint, or from nothing, with what the journal has after it.
fn come_back<D>(
    disk: &D,
    config: Config,
    kek: &Kek,
    (policy, is_threaded): (CheckpointPolicy, bool),
    restored: Option<(Restored, Shelved)>,
) -> Result<Recovered, StartError>
where
    D: Disk + Clone + Send + 'static,
{
    let last_bytes = restored.as_ref().map_or(0, |(_, shelved)| shelved.bytes);
    let mut replay = Replay::new(restored.map(|(restored, _)| restored));
    // From the checkpoint's own entry on: it shows that journal and checkpoint belong together.
    let after = Lsn(replay.unmet.map_or(0, |seal| seal.lsn.saturating_sub(1)));
    let source = Source { disk, config, kek, after, after_index: replay.from_index };
    let opened = source.open(is_threaded, &mut |read| replay.take(read))?;
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
        floor: Arc::new(JournalFloor::undecided()),
        old_damage: Vec::new(),
    };
    let journal = match opened {
        Ok((journal, opened)) => {
            say_found(&opened);
            recovered.old_damage = opened.old_damage;
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
    let Since { bytes, entries } = recovered.since;
    tracing::info!(from, last_index, entries, bytes, "the journal is replayed");
    let floor = recovered.floor.clone();
    floor.raise(&replay.good);
    if policy.is_journal_kept {
        floor.keep_all();
    }
    let kept_bytes = config.reserve_bytes.saturating_add(config.segment_bytes.saturating_mul(2));
    let place = (disk.clone(), journal.hold());
    let store = DiskStore::new(place, kek.clone(), kept_bytes, floor.clone(), replay.good)
        .with_last(last_bytes);
    if let Err(error) = Shelf::new(disk.clone()).tidy() {
        tracing::warn!(%error, "the remains of a checkpoint could not be removed");
    }
    recovered.store = Some(Box::new(store));
    let place = (floor, RoomMarks::of(&config));
    recovered.log = Some(Box::new(JournalLog::new(journal, replay.chain, place, is_threaded)));
    Ok(recovered)
}

fn say_found(opened: &Opened) {
    if let Some(cut) = &opened.cut {
        tracing::warn!(%cut, "cut a tail of the journal that was never acked");
    }
    for note in &opened.notes {
        tracing::warn!(%note, "the journal's disk may be failing");
    }
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
    /// The logic of the last entry; it never goes back.
    logic_version: u16,
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
            logic_version: shard.logic_version(),
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

    /// Decides an entry again. False if no more is wanted.
    fn take(&mut self, read: ReadEntry) -> bool {
        self.wrong = self.entry(read).err();
        self.wrong.is_none()
    }

    fn entry(&mut self, read: ReadEntry) -> Result<(), StartError> {
        let index = read.index;
        let Some(entry) = read.entry else { return self.meet(&read) };
        if self.unmet.is_some() {
            // What follows the checkpoint is there, and its own entry is not.
            return Err(StartError::OtherJournal { index: self.from_index });
        }
        if self.last_index == 0 && index > 1 {
            return Err(StartError::NoCheckpoint { index });
        }
        self.chain = chained(self.chain, read.hash);
        let entry = entry.map_err(|source| StartError::Unreadable { index, source })?;
        if entry.logic_version > LOGIC_VERSION {
            return Err(StartError::NewerLogic { index, found: entry.logic_version });
        }
        let is_next = entry.index == self.last_index.saturating_add(1) && entry.index == index;
        let site_version = self.site.as_ref().map_or(0, |site| site.version);
        let is_older = entry.logic_version < self.logic_version;
        if !is_next || is_older || entry.at < self.last_at || entry.site_version != site_version {
            return Err(StartError::OutOfOrder { index, after: self.last_index });
        }
        self.effects.clear();
        let effects_hash = self.shard.step(&entry, &mut self.effects);
        if effects_hash != entry.effects_hash {
            return Err(StartError::Diverged { index, from: self.from_index });
        }
        self.since.add(read.bytes);
        self.last_index = entry.index;
        self.last_at = entry.at;
        self.logic_version = entry.logic_version;
        self.ledger.note(index, &self.effects);
        follow_sites(&mut self.sites, &self.shard, &entry.inputs, &self.effects);
        if let Some(config) = configs_in_force(&entry.inputs, &self.effects).last() {
            self.site = Some(config.clone());
        }
        Ok(())
    }

    /// An entry that the checkpoint has; its last one must be the one it says.
    fn meet(&mut self, read: &ReadEntry) -> Result<(), StartError> {
        if read.index == self.from_index
            && let Some(seal) = self.unmet.take()
            && (read.hash, read.lsn) != (seal.entry_hash, Lsn(seal.lsn))
        {
            return Err(StartError::OtherJournal { index: read.index });
        }
        Ok(())
    }
}
