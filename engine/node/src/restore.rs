//! Makes a shard and a ledger again of a checkpoint, or finds out whether that can be done.

use std::sync::Arc;

use ach_actors_entities::Site;
use ach_actors_model::{AlarmNotice, SiteConfig, Timestamp};
use ach_engine_checkpoint::{FORMAT_VERSION, ReadError, Seal, Section, Shelf};
use ach_engine_journal::{Disk, Kek};
use ach_engine_shard::{Restoration, RestoreError, Shard, ShardHead};
use ach_engine_wire::{
    StateError, decode_piece, decode_state, encode_piece, encode_state, split_pieces,
};

use crate::coded_site::{CodedSite, SiteParts};
use crate::keeper::{kind, section_hash};
use crate::ledger::{Ledger, LedgerHead};
use crate::proven_sites::{ProvenSites, SiteProof};
use crate::recent::{NoticeAt, RECENT_MAX};

/// The oldest format whose state is read: earlier ones were never released.
const STATE_FORMAT_MIN: u32 = 3;

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
    /// A program from before the first release wrote it.
    #[error(
        "the checkpoint has format {version}, from before the first release, which is read no more; \
         begin with an empty data directory, or use the program that wrote it"
    )]
    Older {
        /// Its format.
        version: u32,
    },
    /// The restored state is not the one that was told.
    #[error("the state that was restored is not the one the checkpoint was made of")]
    OtherState,
}

impl Unusable {
    /// Whether its bytes are not as they were written. Everything else is wrong with the program that
    /// wrote it, or with this one.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Unusable::Read(ReadError::Damaged { .. }))
    }

    /// Whether its file is gone.
    pub(crate) fn is_gone(&self) -> bool {
        let Unusable::Read(ReadError::Disk { source, .. }) = self else { return false };
        source.kind() == std::io::ErrorKind::NotFound
    }

    /// Whether a newer program wrote it.
    pub(crate) fn is_newer(&self) -> bool {
        let newer = matches!(self, Unusable::Read(ReadError::NewerFormat { .. }));
        newer || matches!(self, Unusable::Shard(RestoreError::Logic { .. }))
    }
}

/// Reads the checkpoint of an entry and makes what it holds again.
pub(crate) fn restore<D: Disk>(disk: &D, index: u64, kek: &Kek) -> Result<Restored, Unusable> {
    let mut rebuilding = Rebuilding::default();
    let seal = rebuilding.read(disk, index, kek)?;
    rebuilding.finish(seal)
}

/// Reads the checkpoint of an entry and finds out whether [`restore`] would make the state again that
/// was told, without room for a second shard: every piece is decoded, every site compiled that is not
/// proven yet. What it has for sites is proven after it.
pub(crate) fn prove<D: Disk>(
    disk: &D,
    index: u64,
    kek: &Kek,
    proven: &mut ProvenSites,
) -> Result<Seal, Unusable> {
    let proof = Some(SiteProof::new(proven));
    let mut rebuilding = Rebuilding { proof, ..Rebuilding::default() };
    let seal = rebuilding.read(disk, index, kek)?;
    rebuilding.prove(&seal)?;
    Ok(seal)
}

/// Whether a start can use the checkpoint of an entry: what it says of itself, or why not, in words.
///
/// # Errors
///
/// What is wrong with it.
pub fn prove_checkpoint<D: Disk>(disk: &D, index: u64, kek: &Kek) -> Result<Seal, ProofError> {
    prove(disk, index, kek, &mut ProvenSites::default()).map_err(ProofError)
}

/// Why a start cannot use a checkpoint.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ProofError(Unusable);

impl ProofError {
    /// Whether its file is gone: a running node takes old ones away.
    pub fn is_gone(&self) -> bool {
        self.0.is_gone()
    }
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

/// When the last entry of a checkpoint was made, which its first section tells; `None` if it cannot be read.
/// Nothing else of it is looked at.
pub(crate) fn moment_of<D: Disk>(disk: &D, index: u64, kek: &Kek) -> Option<Timestamp> {
    let mut made_at = None;
    let each = &mut |section: Section<'_>| {
        if section.kind == kind::HEAD {
            let head = decode_state::<ShardHead>(section.body, "head").ok();
            made_at = head.map(|head| head.entry_at());
        }
        // Nobody needs the rest: that ends the reading, and why it ended is no matter.
        section.kind != kind::HEAD
    };
    let _ = ach_engine_checkpoint::read(disk, index, kek, each);
    made_at
}

/// A checkpoint that is being read.
#[derive(Debug, Default)]
struct Rebuilding<'a> {
    /// No shard is made; what it would be made of is looked at.
    proof: Option<SiteProof<'a>>,
    /// The state hash of what was read.
    read_hash: u128,
    is_of_an_older_format: bool,
    /// What pieces have of it.
    piece_hash: u128,
    /// What sites have of it.
    sites_hash: u128,
    /// What the site has of it that is being read.
    site_hash: u128,
    head: Option<ShardHead>,
    parts: SiteParts,
    sites: Vec<CodedSite>,
    configs: Vec<SiteConfig>,
    shard: Option<Restoration>,
    notices: Vec<(NoticeAt, AlarmNotice)>,
    ledger: Option<Ledger>,
}

impl Rebuilding<'_> {
    fn read<D: Disk>(&mut self, disk: &D, index: u64, kek: &Kek) -> Result<Seal, Unusable> {
        let mut unusable = None;
        let read = ach_engine_checkpoint::read(disk, index, kek, &mut |section| {
            unusable = self.section(section).err();
            unusable.is_none()
        });
        unusable.map_or_else(|| Ok(read?), Err)
    }

    fn section(&mut self, section: Section<'_>) -> Result<(), Unusable> {
        let body = section.body;
        if section.version < STATE_FORMAT_MIN {
            return Err(Unusable::Older { version: section.version });
        }
        self.is_of_an_older_format |= section.version < FORMAT_VERSION;
        let section_hash = section_hash(section.kind, body)?;
        self.read_hash = self.read_hash.wrapping_add(section_hash);
        if section.kind == kind::PIECES {
            self.piece_hash = self.piece_hash.wrapping_add(section_hash);
        }
        match section.kind {
            kind::HEAD => self.head = Some(decode_state(body, "head")?),
            kind::SITE => self.site(body, section_hash)?,
            kind::PIECES => self.pieces(body)?,
            kind::NOTICES => {
                const NOTICES: StateError = StateError::Malformed { part: "notices" };
                let notices: Vec<(NoticeAt, AlarmNotice)> = decode_state(body, "notices")?;
                if self.notices.len().saturating_add(notices.len()) > RECENT_MAX {
                    return Err(NOTICES.into());
                }
                self.notices.extend(notices);
            }
            kind::LEDGER => {
                let head: LedgerHead = decode_state(body, "ledger")?;
                let mut ledger = Ledger::restore(head);
                for (at, notice) in self.notices.drain(..) {
                    ledger.keep(at, notice);
                }
                self.ledger = Some(ledger);
            }
            _ => return Err(StateError::Malformed { part: "kind of section" }.into()),
        }
        Ok(())
    }

    fn site(&mut self, body: &[u8], section_hash: u128) -> Result<(), Unusable> {
        self.sites_hash = self.sites_hash.wrapping_add(section_hash);
        self.site_hash = self.site_hash.wrapping_add(section_hash);
        let Some(bytes) = self.parts.take(body)? else { return Ok(()) };
        let site_hash = std::mem::take(&mut self.site_hash);
        if let Some(proof) = &mut self.proof {
            return proof.take(bytes, site_hash);
        }
        let (coded, config) = bytes.compile()?;
        self.sites.push(coded);
        self.configs.push(config);
        Ok(())
    }

    fn pieces(&mut self, body: &[u8]) -> Result<(), Unusable> {
        let mut shard = if self.proof.is_some() { None } else { Some(self.shard()?) };
        let mut outcome = Ok(());
        split_pieces(body, &mut |piece| {
            if outcome.is_ok() {
                outcome = take_piece(shard.as_deref_mut(), piece);
            }
        })?;
        outcome
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

    fn take_ledger(&mut self) -> Result<Ledger, Unusable> {
        if self.parts.is_open() {
            return Err(StateError::Malformed { part: "site" }.into());
        }
        Ok(self.ledger.take().ok_or(StateError::Malformed { part: "ledger" })?)
    }

    fn finish(mut self, seal: Seal) -> Result<Restored, Unusable> {
        self.shard()?;
        let shard = self.shard.take().ok_or(StateError::Malformed { part: "head" })?;
        let ledger = self.take_ledger()?;
        let mut shard = shard.finish();
        // An older format has other forms: of it, what was read was what was told, and more cannot be said.
        let is_told_alike = if self.is_of_an_older_format {
            self.read_hash == seal.state_hash
        } else {
            let beside = sites_hash(&self.sites)?.wrapping_add(ledger_hash(&ledger)?);
            state_hash(&mut shard)?.wrapping_add(beside) == seal.state_hash
        };
        if shard.entry_index() != seal.index || !is_told_alike {
            return Err(Unusable::OtherState);
        }
        let in_force = shard.site().map_or(0, |site| site.version());
        let site = self.configs.into_iter().find(|config| config.version == in_force);
        Ok(Restored { shard, ledger, sites: self.sites, site, seal })
    }

    fn prove(mut self, seal: &Seal) -> Result<(), Unusable> {
        let ledger = self.take_ledger()?;
        let head = self.head.take().ok_or(StateError::Malformed { part: "head" })?;
        let has = |version| self.proof.as_ref().is_some_and(|proof| proof.has(version));
        if let Some(version) = head.site_versions().find(|version| !has(*version)) {
            return Err(RestoreError::Site { version }.into());
        }
        // What was read is what was told, and what is made of it would be told alike: of each site that
        // is known.
        let mut body = Vec::new();
        encode_state(&head, &mut body)?;
        let made_hash = ledger_hash(&ledger)?
            .wrapping_add(self.sites_hash)
            .wrapping_add(section_hash(kind::HEAD, &body)?)
            .wrapping_add(self.piece_hash);
        if head.entry_index() != seal.index
            || self.read_hash != seal.state_hash
            || made_hash != seal.state_hash
        {
            return Err(Unusable::OtherState);
        }
        if let Some(proof) = self.proof {
            proof.keep();
        }
        Ok(())
    }
}

/// What sites add to the hash of the state, as they would be told again.
fn sites_hash(sites: &[CodedSite]) -> Result<u128, StateError> {
    let mut sum = 0_u128;
    for site in sites {
        site.parts::<StateError>(&mut |part| {
            sum = sum.wrapping_add(section_hash(kind::SITE, &part)?);
            Ok(())
        })?;
    }
    Ok(sum)
}

/// What a ledger adds to it.
fn ledger_hash(ledger: &Ledger) -> Result<u128, StateError> {
    let mut body = Vec::new();
    encode_state(&ledger.head(), &mut body)?;
    section_hash(kind::LEDGER, &body)
}

fn take_piece(shard: Option<&mut Restoration>, piece: &[u8]) -> Result<(), Unusable> {
    let piece = decode_piece(piece)?;
    match shard {
        Some(shard) => Ok(shard.take(piece)?),
        None if piece.can_be_unpacked() => Ok(()),
        None => Err(StateError::Malformed { part: "packed state" }.into()),
    }
}

/// What a shard adds to the hash of the state: the same for two shards that will decide the same under
/// the same site, however they came to their state and whatever lies where in memory.
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
