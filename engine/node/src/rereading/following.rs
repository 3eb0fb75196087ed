//! The past once more for whoever wants to see it: a shard as it was at a moment, twice, and the entries after it.

use std::ops::ControlFlow;

use ach_actors_model::{SiteConfig, Timestamp};
use ach_engine_journal::{Disk, FileDisk, Lsn};
use ach_engine_shard::{Entry, Shard};
use ach_engine_wire::decode_entry;

use super::reading::{Cursor, ReadEnd};
use super::standing::Base;
use super::{OVERTAKEN_MAX, RereadError, Rereading};
use crate::restore::{Restored, moment_of};

/// A shard somewhere in the past, and another in the same state.
#[derive(Debug)]
pub struct Standing {
    /// The shard.
    pub shard: Shard,
    /// The other.
    pub twin: Shard,
    /// The site that is in force in both; `None` before the first.
    pub site: Option<SiteConfig>,
    /// What comes next.
    pub place: Place,
}

/// A place in journal and archives.
#[derive(Debug, Clone, Copy)]
pub struct Place(Cursor);

impl<D: Disk + Clone> Rereading<D> {
    /// Stands at the last checkpoint that was made by a moment; where there is none, before the first entry if
    /// that can be read, or else at the oldest checkpoint that entries follow.
    ///
    /// # Errors
    ///
    /// See [`RereadError`].
    pub fn stand_by(&self, moment: Timestamp) -> Result<Standing, RereadError> {
        let begins_at = self.begins_at(&self.spans()?)?;
        let bases = self.bases()?;
        let of_use = bases.iter().filter(|base| base.index.saturating_add(1) >= begins_at);
        let mut later = Vec::new();
        for base in of_use.rev() {
            if self.made_at(*base).is_some_and(|made_at| made_at <= moment) {
                if let Some(standing) = self.twice(*base)? {
                    return Ok(standing);
                }
            } else {
                later.push(*base);
            }
        }
        if begins_at <= 1 {
            let (shard, twin) = (Shard::new(), Shard::new());
            let place = Place(Cursor { index: 0, lsn: Lsn::NONE });
            return Ok(Standing { shard, twin, site: None, place });
        }
        for base in later.into_iter().rev() {
            if let Some(standing) = self.twice(base)? {
                return Ok(standing);
            }
        }
        Err(RereadError::Missing { expected: 1 })
    }

    /// Reads the entries from a place on, and hands them over until that says that it has enough; `place` then is
    /// behind the last one.
    ///
    /// # Errors
    ///
    /// See [`RereadError`]; what was handed over before is good.
    pub fn follow(
        &self,
        place: &mut Place,
        each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), RereadError> {
        let mut overtaken = 0;
        loop {
            let newest = self.newest_archived()?;
            let mut expected = place.0.index.saturating_add(1);
            let mut last_at = Timestamp(0);
            let read = self.read_on(&mut place.0, &mut |index, bytes| {
                if index != expected {
                    return Err(RereadError::Missing { expected });
                }
                let entry = decode_entry(bytes)
                    .map_err(|source| RereadError::Undecodable { index, source })?;
                if entry.index != index || entry.at < last_at {
                    return Err(RereadError::Diverged { index });
                }
                (expected, last_at) = (index.saturating_add(1), entry.at);
                Ok(each(entry))
            });
            overtaken += 1;
            match read {
                // What was archived and given up between the two readings is in the archives now.
                Err(RereadError::Missing { .. })
                    if overtaken < OVERTAKEN_MAX && self.newest_archived()? > newest => {}
                Ok(ReadEnd::Over { unread: Some(error) }) => return Err(error),
                read => return read.map(|_| ()),
            }
        }
    }

    /// When the last entry of a checkpoint was made; `None` if it does not tell.
    fn made_at(&self, base: Base) -> Option<Timestamp> {
        if base.is_beside_archives {
            let disk = FileDisk::existing(&self.archives).ok()?;
            moment_of(&disk, base.index, &self.kek)
        } else {
            moment_of(&self.disk, base.index, &self.kek)
        }
    }

    /// A checkpoint's state twice; `None` if it is damaged.
    fn twice(&self, base: Base) -> Result<Option<Standing>, RereadError> {
        let (Some(one), Some(other)) = (self.whole(base)?, self.whole(base)?) else {
            return Ok(None);
        };
        let lsn = Lsn(if base.is_beside_archives { 0 } else { one.seal.lsn });
        let Restored { shard, site, .. } = one;
        let place = Place(Cursor { index: shard.entry_index(), lsn });
        Ok(Some(Standing { shard, twin: other.shard, site, place }))
    }
}
