//! Alarms that are open, with the latest word on each.

use std::collections::BTreeMap;

use ach_actors_entities::Effect;
use ach_actors_model::{AlarmId, AlarmKind, AlarmNotice, AlarmTransition};

/// Follows the effects.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Board {
    open: BTreeMap<AlarmId, AlarmNotice>,
    raised_by_kind: BTreeMap<AlarmKind, u64>,
}

impl Board {
    /// Takes over what an entry had for effects.
    pub(crate) fn follow(&mut self, effects: &[Effect]) {
        for effect in effects {
            let Effect::Alarm(notice) = effect else { continue };
            match notice.transition {
                AlarmTransition::Raised => {
                    *self.raised_by_kind.entry(notice.kind).or_insert(0) += 1;
                    self.open.insert(notice.id, *notice);
                }
                AlarmTransition::Upheld => {
                    self.open.insert(notice.id, *notice);
                }
                AlarmTransition::Retracted | AlarmTransition::Cleared => {
                    self.open.remove(&notice.id);
                }
            }
        }
    }

    /// Open alarms by id.
    pub(crate) fn open(&self) -> impl Iterator<Item = &AlarmNotice> {
        self.open.values()
    }

    /// How many are open.
    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How many were raised, by kind.
    pub(crate) fn raised_by_kind(&self) -> &BTreeMap<AlarmKind, u64> {
        &self.raised_by_kind
    }
}
