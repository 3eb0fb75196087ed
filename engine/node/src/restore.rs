//! Makes a shard and a ledger again of a checkpoint.

use std::sync::Arc;

use ach_actors_entities::{Site, SiteHistory};
use ach_actors_model::{AlarmNotice, SiteConfig};
use ach_engine_checkpoint::{ReadError, Seal, Section, Shelf};
use ach_engine_journal::{Disk, Kek};
use ach_engine_shard::{Restoration, RestoreError, Shard, ShardHead};
use ach_engine_wire::{
    StateError, decode_piece, decode_state, encode_piece, encode_state, split_pieces,
};

use crate::keeper::{CodedSite, kind, section_hash};
use crate::ledger::{Ledger, LedgerHead};
use crate::recent::NoticeAt;

/// What a checkpoint holds.
#[derive(Debug)]
pub(crate) struct Restored {
    pub shard: Shard,
    pub ledger: Ledger,
    pub sites: Vec<CodedSite>,
    /// The configuration in force.
    pub site: Option<SiteConfig>,
    pub seal: Seal,
}

/// Why a checkpoint is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// It is not whole.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What it holds cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// What it holds makes no shard.
    #[error(transparent)]
    Shard(#[from] RestoreError),
    /// A site in it cannot be compiled again.
    #[error("site version {version} of the checkpoint cannot be put in force: {source}")]
    Site {
        /// Which.
        version: u32,
        /// Why.
        source: ach_actors_entities::SiteError,
    },
    /// The restored state is not the one that was told.
    #[error("the state that was restored is not the one the checkpoint was made of")]
    OtherState,
}

/// Reads the checkpoint of an entry and makes what it holds again.
pub(crate) fn restore<D: Disk>(disk: &D, index: u64, kek: &Kek) -> Result<Restored, Unusable> {
    let mut rebuilding = Rebuilding::default();
    let mut unusable = None;
    let read = ach_engine_checkpoint::read(disk, index, kek, &mut |section| {
        unusable = rebuilding.section(section).err();
        unusable.is_none()
    });
    if let Some(unusable) = unusable {
        return Err(unusable);
    }
    rebuilding.finish(read?)
}

/// The site that was in force when the newest checkpoint of a folder that is whole was made: for
/// whoever reads the journal behind it and has not seen the site come into force.
pub fn checkpointed_site<D: Disk + Clone>(disk: &D, kek: &Kek) -> Option<Arc<Site>> {
    let shelved = Shelf::new(disk.clone()).list().ok()?;
    shelved.into_iter().find_map(|one| {
        let mut rebuilding = Rebuilding::default();
        let read = ach_engine_checkpoint::read(disk, one.index, kek, &mut |section| {
            let is_wanted = matches!(section.kind, kind::HEAD | kind::SITE);
            !is_wanted || rebuilding.section(section).is_ok()
        });
        read.ok()?;
        let version = rebuilding.head?.site_version();
        let in_force = |coded: &CodedSite| coded.site.version() == version;
        rebuilding.sites.into_iter().find(in_force).map(|coded| coded.site)
    })
}

/// A checkpoint that is being read.
#[derive(Debug, Default)]
struct Rebuilding {
    head: Option<ShardHead>,
    sites: Vec<CodedSite>,
    configs: Vec<SiteConfig>,
    shard: Option<Restoration>,
    ledger: Option<Ledger>,
}

impl Rebuilding {
    fn section(&mut self, section: Section<'_>) -> Result<(), Unusable> {
        let body = section.body;
        match section.kind {
            kind::HEAD => self.head = Some(decode_state(body, "head")?),
            kind::SITE => self.site(body)?,
            kind::PIECES => {
                let shard = self.shard()?;
                let mut outcome = Ok(());
                split_pieces(body, &mut |piece| {
                    if outcome.is_ok() {
                        outcome = take_piece(shard, piece);
                    }
                })?;
                outcome?;
            }
            kind::LEDGER => {
                let head: LedgerHead = decode_state(body, "ledger")?;
                self.ledger = Some(Ledger::restore(head));
            }
            kind::NOTICES => {
                const NOTICES: StateError = StateError::Malformed { part: "notices" };
                let notices: Vec<(NoticeAt, AlarmNotice)> = decode_state(body, "notices")?;
                let ledger = self.ledger.as_mut().ok_or(NOTICES)?;
                for (at, notice) in notices {
                    ledger.keep(at, notice);
                }
            }
            _ => return Err(StateError::Malformed { part: "kind of section" }.into()),
        }
        Ok(())
    }

    fn site(&mut self, body: &[u8]) -> Result<(), Unusable> {
        const SITE: StateError = StateError::Malformed { part: "site" };
        let (_, rest) = body.split_first_chunk::<4>().ok_or(SITE)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(SITE)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| SITE)?;
        let (history, coded) = rest.split_at_checked(length).ok_or(SITE)?;
        let history: SiteHistory = decode_state(history, "history of the site")?;
        let config: SiteConfig = decode_state(coded, "configuration of the site")?;
        let version = config.version;
        let site = Site::restore(history, &config);
        let site = site.map_err(|source| Unusable::Site { version, source })?;
        self.sites.push(CodedSite { site: Arc::new(site), config: coded.into() });
        self.configs.push(config);
        Ok(())
    }

    /// The shard, begun with the head and the sites, which come first.
    fn shard(&mut self) -> Result<&mut Restoration, Unusable> {
        if self.shard.is_none() {
            let head = self.head.take().ok_or(StateError::Malformed { part: "head" })?;
            let sites: Vec<Arc<Site>> = self.sites.iter().map(|coded| coded.site.clone()).collect();
            self.shard = Some(Restoration::begin(head, &sites)?);
        }
        self.shard.as_mut().ok_or(StateError::Malformed { part: "head" }.into())
    }

    fn finish(mut self, seal: Seal) -> Result<Restored, Unusable> {
        self.shard()?;
        let shard = self.shard.take().ok_or(StateError::Malformed { part: "head" })?;
        let ledger = self.ledger.take().ok_or(StateError::Malformed { part: "ledger" })?;
        let mut shard = shard.finish();
        if shard.entry_index() != seal.index || state_hash(&mut shard)? != seal.state_hash {
            return Err(Unusable::OtherState);
        }
        let in_force = shard.site().map_or(0, |site| site.version());
        let site = self.configs.into_iter().find(|config| config.version == in_force);
        Ok(Restored { shard, ledger, sites: self.sites, site, seal })
    }
}

fn take_piece(shard: &mut Restoration, piece: &[u8]) -> Result<(), Unusable> {
    Ok(shard.take(decode_piece(piece)?)?)
}

/// The hash of a shard's state: the same for two shards that will decide the same, however they came
/// to their state and whatever lies where in memory.
pub(crate) fn state_hash(shard: &mut Shard) -> Result<u128, StateError> {
    let mut body = Vec::new();
    encode_state(&shard.begin_checkpoint(), &mut body)?;
    let mut sum = section_hash(kind::HEAD, &body)?;
    let mut is_whole = false;
    while !is_whole {
        body.clear();
        let mut coded = Ok(());
        is_whole = shard.checkpoint_slice(&mut |piece| {
            let one = encode_piece(&piece, &mut body);
            if coded.is_ok() {
                coded = one;
            }
        });
        coded?;
        sum = sum.wrapping_add(section_hash(kind::PIECES, &body)?);
    }
    Ok(sum)
}
