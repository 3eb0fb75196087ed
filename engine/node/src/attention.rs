//! Who displays alarms to people, how far, and which alarms nobody has displayed.
//!
//! What a receiver has read, a program has read. What it says to have displayed, people could see. An
//! open alarm that nobody has displayed in time is counted and told: perhaps nobody looks. Receivers
//! say it as often as they like; what follows from it is worked out once a second (`look`), so that a
//! receiver that says it ten thousand times costs no more than one that says it once.

mod look;
mod onlookers;

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{AlarmId, NS_PER_S, Name, Timestamp};
use ach_engine_wire::{Displayed, WireReceiver};

pub(crate) use self::look::Unseen;
use self::onlookers::TestSight;
use crate::fan_out::{FanOut, SubscriberKey};
use crate::notes::{SHARD, cursor};
use crate::recent::NoticeAt;
use crate::sieve::Sieve;
use crate::told::OpenAlarm;

pub(crate) use self::onlookers::Onlooker;

/// How long an open alarm may be displayed by nobody: as long as a desk may take to connect again
/// after a node has started anew, and to show what is open.
pub(crate) const UNSEEN_MAX_NS: u64 = 30 * NS_PER_S;

/// Alarms that are said to be displayed and not durable, until it is worked out; more are left out and
/// are said again when they are durable.
const PENDING_MAX: usize = 4_096;

/// A subscriber to alarms.
#[derive(Debug)]
pub(crate) struct Watcher {
    pub name: Name,
    pub is_operator: bool,
    pub subscription: u32,
    pub begun_at: Timestamp,
    pub sieve: Sieve,
    pub displayed: Option<NoticeAt>,
    pub displayed_at: Option<Timestamp>,
}

/// The book.
#[derive(Debug)]
pub(crate) struct AttentionBook {
    begun_at: Timestamp,
    watchers: BTreeMap<SubscriberKey, Watcher>,
    /// Alarms that a watcher displayed before they were durable.
    pending: BTreeSet<(SubscriberKey, AlarmId)>,
    /// Those of them that the look under way works out.
    looked_for: BTreeSet<(SubscriberKey, AlarmId)>,
    /// Open alarms that somebody has displayed, each with the change that was.
    seen: BTreeMap<AlarmId, NoticeAt>,
    /// Open alarms that were told to be displayed by nobody, each with the change that was not, and the look that
    /// found it.
    overdue: BTreeMap<AlarmId, (NoticeAt, u64)>,
    /// Of those, so many of which nobody was told: of the look under way, and of one that was given up.
    newly_overdue: usize,
    /// Looks that came to their end.
    looks: u64,
    /// The test alarm of a test that is under way.
    test: Option<TestSight>,
}

impl AttentionBook {
    /// Nobody looks yet, at a node that began then.
    pub(crate) fn begun_at(begun_at: Timestamp) -> AttentionBook {
        AttentionBook {
            begun_at,
            watchers: BTreeMap::new(),
            pending: BTreeSet::new(),
            looked_for: BTreeSet::new(),
            seen: BTreeMap::new(),
            overdue: BTreeMap::new(),
            newly_overdue: 0,
            looks: 0,
            test: None,
        }
    }

    /// Somebody begins to follow alarms.
    pub(crate) fn join(&mut self, key: SubscriberKey, watcher: Watcher) {
        self.watchers.insert(key, watcher);
    }

    /// Somebody follows them no more; what he has displayed was seen all the same.
    pub(crate) fn leave(&mut self, key: SubscriberKey, fan_out: &FanOut) {
        let Some(watcher) = self.watchers.remove(&key) else { return };
        let first = (key, AlarmId(u128::MIN));
        let is_in = |pending: &BTreeSet<(SubscriberKey, AlarmId)>| {
            pending.range(first..).next().is_some_and(|(of, _)| *of == key)
        };
        let has_pending = is_in(&self.pending) || is_in(&self.looked_for);
        // A switch may cut hundreds at once: only what this one said is looked at, if it said anything.
        if watcher.displayed.is_some() || has_pending {
            for (&id, open) in fan_out.open() {
                if self.seen.get(&id) != Some(&open.at)
                    && self.is_said(key, &watcher, id, open)
                    && watcher.sieve.passes_alarm(&fan_out.note(open))
                {
                    self.seen.insert(id, open.at);
                }
            }
        }
        if has_pending {
            self.pending.retain(|(of, _)| *of != key);
            self.looked_for.retain(|(of, _)| *of != key);
        }
    }

    /// Whether a subscriber says that it has displayed an alarm.
    fn is_said(&self, key: SubscriberKey, it: &Watcher, id: AlarmId, open: &OpenAlarm) -> bool {
        it.displayed >= Some(open.called.0)
            || self.pending.contains(&(key, id))
            || self.looked_for.contains(&(key, id))
    }

    /// A subscriber says what it has displayed. Returns whether a test alarm that is waited for is among
    /// it. A place beyond `durable_at` is of another past, as of a node that was restored from a backup,
    /// and stands for none of its alarms.
    pub(crate) fn take(
        &mut self,
        key: SubscriberKey,
        said: &Displayed,
        durable_at: NoticeAt,
        at: Timestamp,
    ) -> bool {
        let Some(watcher) = self.watchers.get_mut(&key) else { return false };
        if let Some(through) = said.through.filter(|through| through.shard == SHARD) {
            let through = NoticeAt { index: through.index, ordinal: through.ordinal };
            if through <= durable_at {
                watcher.displayed = watcher.displayed.max(Some(through));
            }
        }
        watcher.displayed_at = Some(at);
        let watcher = &*watcher;
        let is_test =
            self.test.as_mut().is_some_and(|it| it.take((key, watcher), &said.alarms, at));
        for &alarm in &said.alarms {
            if self.pending.len() < PENDING_MAX {
                self.pending.insert((key, alarm));
            }
        }
        is_test
    }

    /// Everybody who follows alarms, and what waits for his eyes.
    pub(crate) fn watchers(&self, fan_out: &FanOut) -> Vec<WireReceiver> {
        let mut told: Vec<WireReceiver> = self.watchers.values().map(receiver).collect();
        // A note is made once an alarm, however many follow.
        for (&id, open) in fan_out.open().iter().filter(|(_, open)| open.calls()) {
            let told_at = open.called.1.max(self.begun_at);
            let mut note = None;
            for ((&key, watcher), it) in self.watchers.iter().zip(&mut told) {
                if !self.is_said(key, watcher, id, open)
                    && watcher.sieve.passes_alarm(note.get_or_insert_with(|| fan_out.note(open)))
                {
                    it.waiting_count = it.waiting_count.saturating_add(1);
                    let since = it.waiting_since.map_or(told_at, |since| since.min(told_at));
                    it.waiting_since = Some(since);
                }
            }
        }
        told
    }

    /// How many of those who follow alarms have ever displayed one.
    pub(crate) fn displaying_count(&self) -> usize {
        self.watchers.values().filter(|watcher| watcher.displayed_at.is_some()).count()
    }
}

/// A watcher for whom nothing waits.
fn receiver(watcher: &Watcher) -> WireReceiver {
    WireReceiver {
        name: watcher.name.clone(),
        is_operator: watcher.is_operator,
        subscription: watcher.subscription,
        begun_at: watcher.begun_at,
        displayed: watcher.displayed.map(cursor),
        displayed_at: watcher.displayed_at,
        waiting_count: 0,
        waiting_since: None,
    }
}

#[cfg(test)]
mod tests;
