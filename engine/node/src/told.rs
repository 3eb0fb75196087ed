//! The alarms as subscribers know them: which are open, and what lately became durable.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmId, AlarmNotice, AlarmTransition};
use ach_engine_wire::Storage;

#[cfg(test)]
use crate::recent::RECENT_MAX;
use crate::recent::{NoticeAt, Recent};

/// An alarm that is raised and neither cleared nor retracted.
#[derive(Debug, Clone)]
pub(crate) struct OpenAlarm {
    pub notice: AlarmNotice,
    pub storage: Storage,
    pub at: NoticeAt,
}

/// What was told.
#[derive(Debug)]
pub(crate) struct Told {
    pub open: BTreeMap<AlarmId, OpenAlarm>,
    pub recent: Recent,
    pub durable_at: NoticeAt,
}

impl Told {
    /// Nothing yet.
    #[cfg(test)]
    pub(crate) fn new() -> Told {
        Told {
            open: BTreeMap::new(),
            recent: Recent::new(RECENT_MAX),
            durable_at: NoticeAt::default(),
        }
    }

    /// A notice out of the journal: durable, and told in another life of the node.
    #[cfg(test)]
    pub(crate) fn recover(&mut self, notice: &AlarmNotice, at: NoticeAt) {
        self.keep_open(notice, Storage::Durable, at);
        self.keep_recent(notice, at);
    }

    /// Adds the alarm to the open ones, or takes it out.
    pub(crate) fn keep_open(&mut self, notice: &AlarmNotice, storage: Storage, at: NoticeAt) {
        match notice.transition {
            AlarmTransition::Raised | AlarmTransition::Upheld => {
                self.open.insert(notice.id, OpenAlarm { notice: *notice, storage, at });
            }
            AlarmTransition::Retracted | AlarmTransition::Cleared => {
                self.open.remove(&notice.id);
            }
        }
    }

    /// The change of an open alarm that came at `at` is on disk.
    pub(crate) fn settle(&mut self, id: AlarmId, at: NoticeAt) {
        if let Some(open) = self.open.get_mut(&id)
            && open.at == at
        {
            open.storage = Storage::Durable;
        }
    }

    /// Keeps a durable notice for those who come back.
    pub(crate) fn keep_recent(&mut self, notice: &AlarmNotice, at: NoticeAt) {
        self.durable_at = at;
        self.recent.push(at, *notice);
    }
}
