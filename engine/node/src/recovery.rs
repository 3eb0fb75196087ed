//! Comes back from the journal: every entry is decided again, and must have the same effects.

use ach_actors_entities::Effect;
use ach_actors_model::{SiteConfig, Timestamp};
use ach_engine_journal::{Config, Disk, Journal, Kek, OpenError, Record, RecordKind};
use ach_engine_shard::{Input, Shard};
use ach_engine_wire::decode_entry;

use crate::ack_table::AckTable;
use crate::commit_mark::StoringStopped;
use crate::committer::EntryLog;
use crate::journal_log::JournalLog;
use crate::recent::NoticeAt;
use crate::start_error::StartError;
use crate::told::Told;

/// A shard as the journal left it.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub shard: Shard,
    pub told: Told,
    /// How far each feed had come, with what became of its inputs.
    pub acks: AckTable,
    /// The configuration in force, as it was journaled.
    pub site: Option<SiteConfig>,
    pub last_index: u64,
    pub last_at: Timestamp,
    /// Where to store; `None` when storing has stopped before it began.
    pub log: Option<Box<dyn EntryLog>>,
    pub stopped: Option<StoringStopped>,
}

/// Opens a journal and decides all its entries again.
///
/// A damaged journal, a full or failing disk do not keep a node from working: it goes on with what
/// could be read, and says loudly that nothing is stored.
///
/// # Errors
///
/// What only an operator can put right: another process has the journal, its key is another, it
/// was written by a newer program, or this program decides differently.
pub(crate) fn recover<D>(
    disk: D,
    config: Config,
    kek: Kek,
    is_threaded: bool,
) -> Result<Recovered, StartError>
where
    D: Disk + Send + 'static,
{
    let mut replay = Replay::new();
    let opened = Journal::open(disk, config, kek, &mut |record| replay.record(&record));
    if let Some(wrong) = replay.wrong {
        return Err(wrong);
    }
    let (log, stopped): (Option<Box<dyn EntryLog>>, _) = match opened {
        Ok((journal, opened)) => {
            if let Some(cut) = &opened.cut {
                tracing::warn!(%cut, "cut a tail of the journal that was never acked");
            }
            tracing::info!(entries = replay.last_index, "the journal is replayed");
            (Some(Box::new(JournalLog::new(journal, is_threaded))), None)
        }
        Err(error) => (None, Some(endurable(error)?)),
    };
    let Replay { shard, told, acks, site, last_index, last_at, .. } = replay;
    Ok(Recovered { shard, told, acks, site, last_index, last_at, log, stopped })
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
    told: Told,
    acks: AckTable,
    site: Option<SiteConfig>,
    last_index: u64,
    last_at: Timestamp,
    effects: Vec<Effect>,
    wrong: Option<StartError>,
}

impl Replay {
    fn new() -> Replay {
        Replay {
            shard: Shard::new(),
            told: Told::new(),
            acks: AckTable::default(),
            site: None,
            last_index: 0,
            last_at: Timestamp(0),
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
            return Err(StartError::Diverged { index });
        }
        self.last_index = entry.index;
        self.last_at = entry.at;
        for (ordinal, effect) in (0..).zip(&self.effects) {
            match effect {
                Effect::Alarm(notice) => self.told.recover(notice, NoticeAt { index, ordinal }),
                Effect::Accepted(accepted) => self.acks.accepted(accepted),
                Effect::EpochOpened { source, epoch } => self.acks.open_epoch(*source, *epoch),
                _ => {}
            }
        }
        let in_force = self.shard.site().map_or(0, |site| site.version());
        for input in entry.inputs.drain(..) {
            if let Input::SiteChange(config) = input
                && config.version == in_force
            {
                self.site = Some(*config);
            }
        }
        Ok(())
    }
}
