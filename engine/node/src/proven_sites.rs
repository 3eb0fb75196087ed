//! Which versions of the site are known to come back from a checkpoint as they were told.
//!
//! Every checkpoint holds the site again, byte for byte, and to compile a large one takes longer than to
//! read all the rest. What was compiled once of the same bytes, and was told alike, needs no second look:
//! the same program makes the same of them.

use std::collections::BTreeMap;

use ach_engine_wire::StateError;

use crate::coded_site::SiteBytes;
use crate::keeper::{kind, section_hash};
use crate::restore::Unusable;

/// Versions and the digest of the bytes that were proven: those of the last good checkpoint, so no more
/// than a shard goes by at once.
#[derive(Debug, Default)]
pub(crate) struct ProvenSites {
    digests: BTreeMap<u32, (u128, u128)>,
    /// How many had to be compiled so far.
    compiled_count: u64,
}

impl ProvenSites {
    /// How many had to be compiled so far.
    pub(crate) fn compiled_count(&self) -> u64 {
        self.compiled_count
    }
}

/// The sites of a checkpoint that is being proven.
#[derive(Debug)]
pub(crate) struct SiteProof<'a> {
    proven: &'a mut ProvenSites,
    /// What was found in this checkpoint.
    found: BTreeMap<u32, (u128, u128)>,
}

impl<'a> SiteProof<'a> {
    /// Goes by what is proven.
    pub(crate) fn new(proven: &'a mut ProvenSites) -> SiteProof<'a> {
        SiteProof { proven, found: BTreeMap::new() }
    }

    /// Takes a version as it was read; `read_hash` is what its sections have of the state hash.
    ///
    /// # Errors
    ///
    /// When it cannot be compiled, or what it was compiled to would be told otherwise.
    pub(crate) fn take(&mut self, bytes: SiteBytes, read_hash: u128) -> Result<(), Unusable> {
        let (version, digest) = (bytes.version, bytes.digest());
        if self.proven.digests.get(&version) != Some(&digest) {
            self.proven.compiled_count = self.proven.compiled_count.saturating_add(1);
            let (coded, _) = bytes.compile()?;
            let mut told_hash = 0_u128;
            coded.parts::<StateError>(&mut |part| {
                told_hash = told_hash.wrapping_add(section_hash(kind::SITE, &part)?);
                Ok(())
            })?;
            if told_hash != read_hash {
                return Err(Unusable::OtherState);
            }
        }
        self.found.insert(version, digest);
        Ok(())
    }

    /// Whether a version was found.
    pub(crate) fn has(&self, version: u32) -> bool {
        self.found.contains_key(&version)
    }

    /// The whole checkpoint is good: what it has for sites is known from now on.
    pub(crate) fn keep(self) {
        self.proven.digests = self.found;
    }
}
