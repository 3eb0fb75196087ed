//! Works out which open alarms were displayed, a slice at a time.
//!
//! A node may have tens of thousands of open alarms, and to go through them takes milliseconds of the
//! thread that new ones leave on. So it is done in slices, and everybody else has his turn between.

use std::collections::BTreeMap;
use std::ops::Bound;

use ach_actors_model::{AlarmId, AlarmKind, Timestamp};

use super::{AttentionBook, UNSEEN_MAX_NS};
use crate::fan_out::FanOut;
use crate::told::OpenAlarm;

/// Alarms looked at in a slice: some 30 µs.
const SLICE_ALARMS: usize = 128;

/// Open alarms that nobody has displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Unseen {
    pub count: usize,
    /// When the oldest of them was told.
    pub since: Option<Timestamp>,
    /// How many of them nobody displayed in time.
    pub overdue_count: usize,
    /// How many of those are newly so.
    pub new_count: usize,
}

/// A look at all open alarms, in the order of their ids. An alarm that is raised meanwhile, before where
/// the look has come to, is for the next one.
#[derive(Debug)]
pub(crate) struct Look {
    now: Timestamp,
    slice_alarms: usize,
    /// Where it has come to.
    through: Option<AlarmId>,
    unseen: Unseen,
}

impl Look {
    /// What it has found; all there is to be found once it is over.
    pub(crate) fn unseen(&self) -> Unseen {
        self.unseen
    }

    /// The same look in smaller slices.
    #[cfg(test)]
    pub(super) fn in_slices_of(self, slice_alarms: usize) -> Look {
        Look { slice_alarms, ..self }
    }

    fn rest(&self) -> Bound<AlarmId> {
        self.through.map_or(Bound::Unbounded, Bound::Excluded)
    }

    /// The last alarm of the next slice, which has at most so many of any of the maps. `None` when they
    /// end before.
    fn end_in<V>(&self, alarms: &BTreeMap<AlarmId, V>) -> Option<AlarmId> {
        let mut rest = alarms.range((self.rest(), Bound::Unbounded));
        rest.nth(self.slice_alarms.saturating_sub(1)).map(|(&id, _)| id)
    }
}

/// The ids of a slice of a map.
fn ids_in<V>(
    alarms: &BTreeMap<AlarmId, V>,
    slice: (Bound<AlarmId>, Bound<AlarmId>),
) -> impl Iterator<Item = AlarmId> {
    alarms.range(slice).map(|(&id, _)| id)
}

impl AttentionBook {
    /// Begins a look. Only one may be under way: what was said to be displayed is worked out once.
    pub(crate) fn begin_look(&mut self, now: Timestamp) -> Look {
        self.looked_for.append(&mut self.pending);
        Look { now, slice_alarms: SLICE_ALARMS, through: None, unseen: Unseen::default() }
    }

    /// Takes the next slice. Returns whether that was the last.
    pub(crate) fn look_on(&mut self, look: &mut Look, fan_out: &FanOut) -> bool {
        let ends =
            [look.end_in(fan_out.open()), look.end_in(&self.seen), look.end_in(&self.overdue)];
        let end = ends.into_iter().flatten().min();
        let slice = (look.rest(), end.map_or(Bound::Unbounded, Bound::Included));
        for (&id, open) in fan_out.open().range(slice) {
            self.look_at(look, fan_out, id, open);
        }
        let is_over = |id: &AlarmId| !fan_out.open().contains_key(id);
        for id in ids_in(&self.seen, slice).filter(is_over).collect::<Vec<_>>() {
            self.seen.remove(&id);
        }
        for id in ids_in(&self.overdue, slice).filter(is_over).collect::<Vec<_>>() {
            self.is_overdue_no_more(id);
        }
        look.through = end;
        if end.is_none() {
            self.looked_for.clear();
            look.unseen.new_count = std::mem::take(&mut self.newly_overdue);
            self.looks = self.looks.saturating_add(1);
        }
        end.is_none()
    }

    fn is_overdue_no_more(&mut self, id: AlarmId) {
        if self.overdue.remove(&id).is_some_and(|(_, look)| look == self.looks) {
            self.newly_overdue = self.newly_overdue.saturating_sub(1);
        }
    }

    fn look_at(&mut self, look: &mut Look, fan_out: &FanOut, id: AlarmId, open: &OpenAlarm) {
        if !open.calls() {
            // Somebody has taken notice, or nobody is to be called.
            self.is_overdue_no_more(id);
            return;
        }
        if self.is_seen(fan_out, id, open) {
            self.seen.insert(id, open.called.0);
            self.is_overdue_no_more(id);
            return;
        }
        // Of a test the test itself tells.
        if open.notice.kind == AlarmKind::SelfTest {
            return;
        }
        // Nobody could display it while the node was away.
        let told_at = open.called.1.max(self.begun_at);
        let unseen = &mut look.unseen;
        unseen.count = unseen.count.saturating_add(1);
        unseen.since = Some(unseen.since.map_or(told_at, |since| since.min(told_at)));
        if look.now.since_ns(told_at) < UNSEEN_MAX_NS {
            return;
        }
        unseen.overdue_count = unseen.overdue_count.saturating_add(1);
        if self.overdue.get(&id).is_none_or(|(at, _)| *at != open.called.0) {
            self.is_overdue_no_more(id);
            self.overdue.insert(id, (open.called.0, self.looks));
            self.newly_overdue = self.newly_overdue.saturating_add(1);
        }
    }

    /// Whether somebody who may see an alarm has displayed it.
    fn is_seen(&self, fan_out: &FanOut, id: AlarmId, open: &OpenAlarm) -> bool {
        let mut note = None;
        self.seen.get(&id) == Some(&open.called.0)
            || self.watchers.iter().any(|(&key, watcher)| {
                // A cursor stands for what the subscription lets pass, and for nothing else.
                self.is_said(key, watcher, id, open)
                    && watcher.sieve.passes_alarm(note.get_or_insert_with(|| fan_out.note(open)))
            })
    }
}
