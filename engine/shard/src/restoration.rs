//! A shard made again of a checkpoint.

use std::sync::Arc;

use ach_actors_entities::{Deadline, Site};
use thiserror::Error;

use crate::LOGIC_VERSION;
use crate::board::Board;
use crate::checkpoint::{PackedKind, ShardHead, StoredPiece};
use crate::passes::Passes;
use crate::quarantine::Quarantine;
use crate::shard::Shard;

/// Why a checkpoint does not make a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// A newer build decided its last entries.
    #[error(
        "the state was decided by logic {found}, newer than this build knows; start a newer one"
    )]
    Logic {
        /// By which logic.
        found: u16,
    },
    /// A version of the site is missing.
    #[error("the state goes by version {version} of the site, which the checkpoint does not have")]
    Site {
        /// Which.
        version: u32,
    },
    /// A piece is of something that the site never had, or is there twice.
    #[error("the state has a {what} that cannot be there")]
    Stray {
        /// What it is a piece of.
        what: &'static str,
    },
}

/// A shard that is being made again.
#[derive(Debug)]
pub struct Restoration {
    shard: Shard,
}

impl Restoration {
    /// Begins with what was told at once, and every version of the site it goes by.
    ///
    /// # Errors
    ///
    /// See [`RestoreError`].
    pub fn begin(head: ShardHead, sites: &[Arc<Site>]) -> Result<Restoration, RestoreError> {
        if head.logic_version > LOGIC_VERSION {
            return Err(RestoreError::Logic { found: head.logic_version });
        }
        let site = |version: u32| {
            let found = sites.iter().find(|site| site.version() == version);
            found.cloned().ok_or(RestoreError::Site { version })
        };
        let mut shard = Shard::new();
        if head.site_version > 0 {
            let in_force = site(head.site_version)?;
            shard.stage.actors.seat(&in_force);
            shard.site = Some(in_force);
        }
        shard.entry_index = head.entry_index;
        shard.entry_at = head.entry_at;
        shard.logic_version = head.logic_version;
        shard.lanes = head.lanes;
        shard.totals = head.totals;
        shard.set_aside_input_count = head.set_aside_input_count;
        shard.stage.restore(head.health, head.missed, head.dropped_count);
        shard.board = Board::restore(head.raised_by_kind, head.quiet, head.raised);
        shard.door_desk = head.door_desk;
        shard.passes = Passes::restore(head.passes);
        shard.quarantine = Quarantine::restore(head.idle, head.episodes, &site)?;
        for actor in shard.quarantine.actors().collect::<Vec<_>>() {
            if !shard.stage.actors.is_seated(actor) {
                return Err(RestoreError::Stray { what: "quarantined actor" });
            }
            shard.stage.actors.set_aside(actor, true);
        }
        Ok(Restoration { shard })
    }

    /// Takes the next piece.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Stray`].
    pub fn take(&mut self, piece: StoredPiece<'_>) -> Result<(), RestoreError> {
        let stage = &mut self.shard.stage;
        let actors = &mut stage.actors;
        let (what, is_taken) = match piece {
            StoredPiece::Packed(PackedKind::Tag, id, record) => {
                ("tag", actors.tags.put_packed(id, record))
            }
            StoredPiece::Packed(PackedKind::Subject, id, record) => {
                ("subject", actors.subjects.put_packed(id, record))
            }
            StoredPiece::Tag(id, tag) => ("tag", actors.tags.put(id, *tag)),
            StoredPiece::Subject(id, subject) => ("subject", actors.subjects.put(id, *subject)),
            StoredPiece::Zone(id, zone) => ("zone", actors.zones.put(id, *zone)),
            StoredPiece::Door(id, door) => ("door", actors.doors.put(id, *door)),
            StoredPiece::Source(id, source) => ("feed", actors.sources.put(id, *source)),
            StoredPiece::Anchor(id, anchor) => ("anchor", actors.anchors.put(id, *anchor)),
            StoredPiece::Deadline(due_at, entity, kind) => {
                let is_seated = actors.is_seated(entity);
                if is_seated {
                    stage.order(Deadline { due_at, entity, kind });
                }
                ("deadline", is_seated)
            }
            StoredPiece::Open(open) => ("open alarm", self.shard.board.put(open)),
        };
        if is_taken { Ok(()) } else { Err(RestoreError::Stray { what }) }
    }

    /// The shard, once all pieces were taken.
    pub fn finish(self) -> Shard {
        self.shard
    }
}
