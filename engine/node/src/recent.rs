//! The latest durable notices, so that a subscriber that comes back hears what it missed.

use std::collections::{VecDeque, vec_deque};

use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmPriority, AlarmState, AlarmTransition, Cause, Place,
    Timestamp,
};
use serde::{Deserialize, Serialize};

/// Durable notices kept. At 500 alarms a second (far beyond a hospital) a minute and a half of
/// absence; at ten an hour half a year. 65,536 notices of some 200 bytes are 13 MiB.
pub(crate) const RECENT_MAX: usize = 65_536;

/// What the ring's room is filled with before the first notice. Nobody is told of it.
pub(crate) const NOBODYS: AlarmNotice = AlarmNotice {
    id: AlarmId(0),
    transition: AlarmTransition::Raised,
    reason: None,
    kind: AlarmKind::SelfTest,
    priority: AlarmPriority::Low,
    rule: None,
    site_version: 0,
    episode: 0,
    subject: None,
    tag: None,
    place: Place::Site,
    is_tentative: false,
    is_late: false,
    is_drill: false,
    cause: Cause::SiteChange,
    observed_at: Timestamp(0),
    received_at: Timestamp(0),
    changed_at: Timestamp(0),
    position: None,
    accuracy_mm: 0,
    gates_passed: 0,
    state: AlarmState(0),
    life: None,
    incident: None,
    door: None,
    response: None,
    certain_at: Timestamp(0),
};

/// Where a notice stands: the entry it came from and its place among that entry's effects.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub(crate) struct NoticeAt {
    /// Index of the entry.
    pub index: u64,
    /// Place among the entry's effects, of whatever kind, from 0.
    pub ordinal: u32,
}

impl NoticeAt {
    /// A place after which this notice is the first.
    pub(crate) fn before(self) -> NoticeAt {
        match self.ordinal.checked_sub(1) {
            Some(ordinal) => NoticeAt { ordinal, ..self },
            None => NoticeAt { index: self.index.saturating_sub(1), ordinal: u32::MAX },
        }
    }
}

/// What a subscriber has missed.
#[derive(Debug)]
pub(crate) struct Missed<'a> {
    /// Whether notices before the first one told here are gone.
    pub is_gap: bool,
    /// What is still known, in order.
    pub notices: vec_deque::Iter<'a, (NoticeAt, AlarmNotice)>,
}

/// A ring of durable notices, ascending by [`NoticeAt`].
#[derive(Debug)]
pub(crate) struct Recent {
    notices: VecDeque<(NoticeAt, AlarmNotice)>,
    notices_max: usize,
    /// Everything after this one is still here.
    complete_after: NoticeAt,
}

/// As large as the first: see [`Recent::new`].
impl Clone for Recent {
    fn clone(&self) -> Recent {
        let mut again = Recent::new(self.notices_max);
        again.complete_after = self.complete_after;
        again.notices.extend(self.notices.iter().cloned());
        again
    }
}

impl Recent {
    /// Nothing yet. Its room is taken at once, and written to: to make it larger later, megabytes would be
    /// moved on an alarm's way, and the first touch of a page is hundreds of microseconds on some machines.
    pub(crate) fn new(notices_max: usize) -> Recent {
        let mut notices = VecDeque::with_capacity(notices_max);
        notices.resize(notices_max, (NoticeAt::default(), NOBODYS));
        notices.clear();
        Recent { notices, notices_max, complete_after: NoticeAt::default() }
    }

    /// Adds the next one.
    pub(crate) fn push(&mut self, at: NoticeAt, notice: AlarmNotice) {
        debug_assert!(self.notices.back().is_none_or(|&(last, _)| last < at), "in order");
        if self.notices.len() >= self.notices_max
            && let Some((gone, _)) = self.notices.pop_front()
        {
            self.complete_after = gone;
        }
        self.notices.push_back((at, notice));
    }

    /// What is known to be complete, and the last notice, for a checkpoint.
    pub(crate) fn span(&self) -> (NoticeAt, NoticeAt) {
        let last = self.notices.back().map_or(self.complete_after, |&(at, _)| at);
        (self.complete_after, last)
    }

    /// Everything after this one is still here.
    pub(crate) fn complete_after(&self) -> NoticeAt {
        self.complete_after
    }

    /// An empty ring in which everything after `complete_after` will be pushed. Its room is reserved and not written
    /// to: most rings of checkpoints are read and thrown away. What is worked on is a copy.
    pub(crate) fn restore(notices_max: usize, complete_after: NoticeAt) -> Recent {
        Recent { notices: VecDeque::with_capacity(notices_max), notices_max, complete_after }
    }

    /// Everything after `at`.
    pub(crate) fn after(&self, at: NoticeAt) -> Missed<'_> {
        let from = self.notices.partition_point(|&(notice_at, _)| notice_at <= at);
        Missed { is_gap: at < self.complete_after, notices: self.notices.range(from..) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_values::notice;

    fn at(index: u64, ordinal: u32) -> NoticeAt {
        NoticeAt { index, ordinal }
    }

    #[track_caller]
    fn check(after: NoticeAt, is_gap: bool, expected: &[(u64, u32)]) {
        let mut recent = Recent::new(3);
        for (number, place) in [at(1, 0), at(2, 0), at(2, 1), at(7, 0)].into_iter().enumerate() {
            recent.push(place, notice(u128::try_from(number).unwrap()));
        }
        let missed = recent.after(after);
        assert_eq!(missed.is_gap, is_gap);
        let told: Vec<_> = missed.notices.map(|(at, _)| (at.index, at.ordinal)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn what_came_after_the_cursor_is_told() {
        check(at(2, 0), false, &[(2, 1), (7, 0)]);
        check(at(1, 0), false, &[(2, 0), (2, 1), (7, 0)]);
        check(at(7, 0), false, &[]);
        check(at(900, 0), false, &[]);
    }

    #[test]
    fn a_cursor_older_than_the_ring_is_told_of_the_gap() {
        check(at(0, 0), true, &[(2, 0), (2, 1), (7, 0)]);
    }
}
