//! What people could see, and what of it the node was told.

use std::collections::BTreeSet;

use ach_actors_model::AlarmId;
use ach_engine_wire::{Cursor, Displayed, Storage};

use crate::AlarmUpdate;

/// Alarms in one frame; a list of the protocol has no more.
const ALARMS_A_FRAME: usize = 256;

/// What was given to be shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    provisional: BTreeSet<AlarmId>,
    said_through: Option<Cursor>,
    said: BTreeSet<AlarmId>,
}

impl Shown {
    /// An update is given away.
    pub(crate) fn give(&mut self, update: &AlarmUpdate) {
        match update {
            AlarmUpdate::Note(note) if note.storage == Storage::Durable => self.settle(note.id),
            AlarmUpdate::Note(note) => {
                self.provisional.insert(note.id);
                // Another change than the one that was said to be shown.
                self.said.remove(&note.id);
            }
            AlarmUpdate::Durable { id, .. }
            | AlarmUpdate::Withdrawn { id, .. }
            | AlarmUpdate::Gone { id } => self.settle(*id),
            AlarmUpdate::Disconnected => {
                self.said_through = None;
                self.said.clear();
            }
            AlarmUpdate::StillProvisional { .. }
            | AlarmUpdate::Unreadable(_)
            | AlarmUpdate::Gap(_)
            | AlarmUpdate::OpenSetComplete { .. }
            | AlarmUpdate::EchoReply { .. } => {}
        }
    }

    fn settle(&mut self, id: AlarmId) {
        self.provisional.remove(&id);
        self.said.remove(&id);
    }

    /// What the node is to be told, now that all that was given could be seen; nothing if it knows.
    pub(crate) fn news(&mut self, subscription: u32, through: Option<Cursor>) -> Vec<Displayed> {
        let new: Vec<AlarmId> = self.provisional.difference(&self.said).copied().collect();
        if new.is_empty() && through == self.said_through {
            return Vec::new();
        }
        self.said_through = through;
        self.said.extend(&new);
        let mut parts: Vec<Vec<AlarmId>> = new.chunks(ALARMS_A_FRAME).map(<[_]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        parts.into_iter().map(|alarms| Displayed { subscription, through, alarms }).collect()
    }
}
