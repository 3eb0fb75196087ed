//! The alarms as subscribers know them: which are open, what lately became durable, and what has been
//! told and is not on disk.

use std::collections::BTreeMap;
use std::iter;
use std::ops::Bound;

use ach_actors_model::{AlarmId, AlarmNotice, AlarmState, AlarmTransition, Timestamp};
use ach_engine_wire::Storage;

#[cfg(test)]
use crate::recent::RECENT_MAX;
use crate::recent::{NoticeAt, Recent};

/// Notices kept that have been told and are not on disk: a few, but for a node that has stopped storing. It
/// tells all of them to whoever comes, before the open alarms, so they are what a screen takes in at once;
/// who comes after more is told of a gap.
const UNSETTLED_MAX: usize = 4_096;

/// An alarm of which something is still to be waited for.
#[derive(Debug, Clone)]
pub(crate) struct OpenAlarm {
    pub notice: AlarmNotice,
    pub storage: Storage,
    pub at: NoticeAt,
    /// Where and when it last called for attention: acts of people do not move it.
    pub called: (NoticeAt, Timestamp),
}

impl OpenAlarm {
    /// An alarm as it was told last.
    pub(crate) fn new(notice: AlarmNotice, storage: Storage, at: NoticeAt) -> OpenAlarm {
        let called = (at, notice.changed_at);
        OpenAlarm { notice, storage, at, called }
    }

    /// Whether somebody is to look at it: nobody has taken notice yet, and it is not quiet.
    pub(crate) fn calls(&self) -> bool {
        let state = self.notice.state;
        !state.is_any(AlarmState::ACKNOWLEDGED) && !state.is_quiet()
    }
}

/// Whether a change makes an alarm call for attention anew.
fn is_call(notice: &AlarmNotice) -> bool {
    use AlarmTransition::{PutBack, Raised, Realarmed, Unshelved, Unsuppressed, Upheld};
    matches!(notice.transition, Raised | Upheld | Realarmed | Unshelved | Unsuppressed | PutBack)
}

/// What was told.
#[derive(Debug)]
pub(crate) struct Told {
    /// Boxed: a map keeps a third of its places empty, of a quarter of a kilobyte each if the alarms lay in them.
    pub open: BTreeMap<AlarmId, Box<OpenAlarm>>,
    pub recent: Recent,
    pub durable_at: NoticeAt,
    /// Told, and not on disk. On a node that stops storing some of them may be earlier than what is: what was
    /// given up waiting was overtaken by the last group that the disk took.
    unsettled: BTreeMap<NoticeAt, AlarmNotice>,
    /// Some of those are not kept any more.
    is_unsettled_cut: bool,
}

impl Told {
    /// Nothing yet.
    #[cfg(test)]
    pub(crate) fn new() -> Told {
        Told::durable(BTreeMap::new(), Recent::new(RECENT_MAX), NoticeAt::default())
    }

    /// What was told up to the last durable notice, and no more.
    pub(crate) fn durable(
        open: BTreeMap<AlarmId, Box<OpenAlarm>>,
        recent: Recent,
        durable_at: NoticeAt,
    ) -> Told {
        let unsettled = BTreeMap::new();
        Told { open, recent, durable_at, unsettled, is_unsettled_cut: false }
    }

    /// A notice out of the journal: durable, and told in another life of the node.
    #[cfg(test)]
    pub(crate) fn recover(&mut self, notice: &AlarmNotice, at: NoticeAt) {
        self.keep_open(notice, Storage::Durable, at);
        self.keep_recent(notice, at);
    }

    /// Adds the alarm to the open ones, or takes it out.
    pub(crate) fn keep_open(&mut self, notice: &AlarmNotice, storage: Storage, at: NoticeAt) {
        // What left at once may have overtaken what waited for the disk, and has that in it.
        if self.open.get(&notice.id).is_some_and(|open| open.at > at) {
            return;
        }
        let before = self.open.remove(&notice.id);
        if !notice.state.is_retained() {
            return;
        }
        // Whoever comes is told how things stand, not which step came last.
        let said = before.as_ref().map(|before| before.notice.after_act(notice));
        let said = said.filter(|_| !notice.transition.is_of_the_condition());
        let mut open = OpenAlarm::new(said.unwrap_or_else(|| notice.clone()), storage, at);
        open.called = match before {
            Some(before) if !is_call(notice) => before.called,
            _ => (at, notice.changed_at),
        };
        self.open.insert(notice.id, Box::new(open));
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
        self.recent.push(at, notice.clone());
        self.unsettled.remove(&at);
        // What was left out is on disk as well, for it was told before.
        self.is_unsettled_cut &= !self.unsettled.is_empty();
    }

    /// Keeps a notice that is told before it is on disk for those who come meanwhile. Without it they
    /// would take an alarm for open, or never hear of one, that has ended on a node that does not store.
    pub(crate) fn keep_unsettled(&mut self, notice: &AlarmNotice, at: NoticeAt) {
        if self.unsettled.len() >= UNSETTLED_MAX {
            self.unsettled.pop_first();
            self.is_unsettled_cut = true;
        }
        self.unsettled.insert(at, notice.clone());
    }

    /// The last notice that was told.
    pub(crate) fn told_at(&self) -> NoticeAt {
        let last = self.unsettled.last_key_value().map(|(at, _)| *at);
        last.map_or(self.durable_at, |last| last.max(self.durable_at))
    }

    /// Where who lost what was told to it goes on: after what is on disk, but before all that is not.
    pub(crate) fn lost_after(&self) -> NoticeAt {
        let first = self.unsettled.first_key_value().map(|(at, _)| *at);
        first.map_or(self.durable_at, |first| first.before().min(self.durable_at))
    }

    /// Whether some of what was told after `after` is not known any more, or nothing of the kind ever
    /// was told.
    pub(crate) fn is_gap(&self, after: NoticeAt) -> bool {
        self.is_unsettled_cut || after > self.durable_at || self.recent.after(after).is_gap
    }

    /// What was told after `after`, in the order in which it was decided, as far as it is known, and
    /// whether it is on disk.
    pub(crate) fn after(
        &self,
        after: NoticeAt,
    ) -> impl Iterator<Item = (NoticeAt, &AlarmNotice, bool)> {
        let durable = self.recent.after(after).notices.map(|(at, notice)| (*at, notice, true));
        let rest = (Bound::Excluded(after), Bound::Unbounded);
        let unsettled = self.unsettled.range(rest).map(|(at, notice)| (*at, notice, false));
        let (mut durable, mut unsettled) = (durable.peekable(), unsettled.peekable());
        iter::from_fn(move || match (durable.peek(), unsettled.peek()) {
            (Some((stored_at, ..)), Some((at, ..))) if at < stored_at => unsettled.next(),
            (Some(_), _) => durable.next(),
            (None, _) => unsettled.next(),
        })
    }
}
