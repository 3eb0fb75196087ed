//! Versions of the site as checkpoints keep them: what it was compiled of, in parts of a mebibyte.

use std::sync::Arc;

use ach_actors_entities::{Effect, Site, SiteHistory};
use ach_actors_model::SiteConfig;
use ach_engine_checkpoint::hash;
use ach_engine_shard::{Input, Shard};
use ach_engine_wire::limits::STATE_BYTES_MAX;
use ach_engine_wire::{StateError, decode_state, encode_state};

use crate::restore::Unusable;

/// Bytes of a part: as many as are written between two syncs of a checkpoint, so that nothing of a
/// large site is written at once.
const PART_BYTES: usize = 1 << 20;

/// Bytes before those of a part: version, what it is a part of, its number, how many there are.
const HEAD_BYTES: usize = 16;

const HISTORY: u32 = 1;
const CONFIGURATION: u32 = 2;

const MALFORMED: StateError = StateError::Malformed { part: "site" };

/// A version of the site with the configuration it was compiled of, coded.
#[derive(Debug, Clone)]
pub(crate) struct CodedSite {
    pub site: Arc<Site>,
    pub config: Arc<[u8]>,
}

impl CodedSite {
    /// A version of the site.
    ///
    /// # Errors
    ///
    /// [`StateError::TooLarge`].
    pub(crate) fn new(site: &Arc<Site>, config: &SiteConfig) -> Result<CodedSite, StateError> {
        let mut bytes = Vec::new();
        encode_state(config, &mut bytes)?;
        Ok(CodedSite { site: Arc::clone(site), config: bytes.into() })
    }

    /// Tells its parts in order, each as the contents of a section.
    ///
    /// # Errors
    ///
    /// [`StateError::TooLarge`], or what `each` says; then no more is told.
    pub(crate) fn parts<E: From<StateError>>(
        &self,
        each: &mut dyn FnMut(Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut history = Vec::new();
        encode_state(&self.site.history(), &mut history)?;
        let version = self.site.version();
        for (what, bytes) in [(HISTORY, history.as_slice()), (CONFIGURATION, &self.config)] {
            let count = bytes.len().div_ceil(PART_BYTES).max(1);
            let count = u32::try_from(count).map_err(|_| StateError::TooLarge)?;
            let mut chunks = bytes.chunks(PART_BYTES);
            for number in 1..=count {
                let chunk = chunks.next().unwrap_or_default();
                let mut part = Vec::with_capacity(HEAD_BYTES.saturating_add(chunk.len()));
                for word in [version, what, number, count] {
                    part.extend_from_slice(&word.to_le_bytes());
                }
                part.extend_from_slice(chunk);
                each(part)?;
            }
        }
        Ok(())
    }
}

/// A version that is being read, part by part.
#[derive(Debug, Default)]
pub(crate) struct SiteParts {
    version: u32,
    /// What the next part is of, and its number; nothing has come yet at zero.
    next: (u32, u32),
    history: Vec<u8>,
    config: Vec<u8>,
}

impl SiteParts {
    /// Whether a version has begun and is not whole.
    pub(crate) fn is_open(&self) -> bool {
        self.next != (0, 0)
    }

    /// Takes the next part, and gives the version with the last one.
    ///
    /// # Errors
    ///
    /// See [`Unusable`].
    pub(crate) fn take(&mut self, body: &[u8]) -> Result<Option<SiteBytes>, Unusable> {
        let (head, bytes) = body.split_first_chunk::<HEAD_BYTES>().ok_or(MALFORMED)?;
        let mut words = head.chunks_exact(4).filter_map(|word| word.first_chunk().copied());
        let mut word = || words.next().map(u32::from_le_bytes).unwrap_or_default();
        let (version, what, number, count) = (word(), word(), word(), word());
        if !self.is_open() {
            *self = SiteParts { version, next: (HISTORY, 1), ..SiteParts::default() };
        }
        let whole = if what == HISTORY { &mut self.history } else { &mut self.config };
        let is_expected = version == self.version && (what, number) == self.next;
        let is_full = bytes.len() > STATE_BYTES_MAX.saturating_sub(whole.len());
        if !is_expected || number > count || is_full {
            return Err(MALFORMED.into());
        }
        whole.extend_from_slice(bytes);
        self.next = match (what, number == count) {
            (_, false) => (what, number.saturating_add(1)),
            (HISTORY, true) => (CONFIGURATION, 1),
            (_, true) => {
                let SiteParts { version, history, config, .. } = std::mem::take(self);
                return Ok(Some(SiteBytes { version, history, config }));
            }
        };
        Ok(None)
    }
}

/// A version that was read and is not compiled.
#[derive(Debug)]
pub(crate) struct SiteBytes {
    pub version: u32,
    history: Vec<u8>,
    config: Vec<u8>,
}

impl SiteBytes {
    /// What tells these bytes from all others: the hash of those of the history and of the
    /// configuration.
    pub(crate) fn digest(&self) -> (u128, u128) {
        (hash(&self.history), hash(&self.config))
    }

    /// Compiles it.
    ///
    /// # Errors
    ///
    /// See [`Unusable`].
    pub(crate) fn compile(self) -> Result<(CodedSite, SiteConfig), Unusable> {
        let SiteBytes { version, history, config } = self;
        let history: SiteHistory = decode_state(&history, "history of the site")?;
        let decoded: SiteConfig = decode_state(&config, "configuration of the site")?;
        if decoded.version != version {
            return Err(MALFORMED.into());
        }
        let site = Site::restore(history, &decoded);
        let site = site.map_err(|source| Unusable::Site { version, source })?;
        Ok((CodedSite { site: Arc::new(site), config: config.into() }, decoded))
    }
}

/// The configurations that an entry put in force, in order. Several may ask for the same version, and
/// one of them get it.
pub(crate) fn configs_in_force<'a>(
    inputs: &'a [Input],
    effects: &'a [Effect],
) -> impl Iterator<Item = &'a SiteConfig> {
    let asked = inputs.iter().filter_map(|input| match input {
        Input::SiteChange(config) => Some(&**config),
        _ => None,
    });
    // Each is answered, in the same order.
    let answers = effects.iter().filter_map(|effect| match effect {
        Effect::SiteInForce { .. } => Some(true),
        Effect::SiteRefused { .. } => Some(false),
        _ => None,
    });
    asked.zip(answers).filter_map(|(config, is_in_force)| is_in_force.then_some(config))
}

/// Follows an entry that was decided: takes every version that something goes by after it, also one
/// that was in force only within the entry and that an actor saw last who was set aside then.
pub(crate) fn follow_sites(
    sites: &mut Vec<CodedSite>,
    shard: &Shard,
    inputs: &[Input],
    effects: &[Effect],
) {
    if !effects.iter().any(|effect| matches!(effect, Effect::SiteInForce { .. })) {
        return;
    }
    forget_sites(sites, shard);
    for site in shard.sites_in_use() {
        let version = site.version();
        if sites.iter().any(|coded| coded.site.version() == version) {
            continue;
        }
        let config = configs_in_force(inputs, effects).find(|config| config.version == version);
        match config.map(|config| CodedSite::new(&site, config)) {
            Some(Ok(coded)) => sites.push(coded),
            Some(Err(error)) => {
                tracing::error!(version, %error, "no checkpoint can be made with this site");
            }
            None => tracing::error!(version, "a version of the site came into force unseen"),
        }
    }
}

/// Lets go of versions that nothing goes by any more.
pub(crate) fn forget_sites(sites: &mut Vec<CodedSite>, shard: &Shard) {
    let in_use: Vec<u32> = shard.sites_in_use().iter().map(|site| site.version()).collect();
    sites.retain(|coded| in_use.contains(&coded.site.version()));
}

/// Whether every version that something goes by is there.
pub(crate) fn has_all_sites(sites: &[CodedSite], shard: &Shard) -> bool {
    let has = |version| sites.iter().any(|coded| coded.site.version() == version);
    shard.sites_in_use().iter().all(|site| has(site.version()))
}

#[cfg(test)]
mod tests;
