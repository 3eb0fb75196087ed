//! Who displays alarms to people, how far, and which alarms nobody has displayed.
//!
//! What a receiver has read, a program has read. What it says to have displayed, people could see. An
//! open alarm that nobody has displayed in time is counted and told: perhaps nobody looks. Receivers
//! say it as often as they like; what follows from it is worked out once a second, so that a receiver
//! that says it ten thousand times costs no more than one that says it once.

mod onlookers;

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{AlarmId, AlarmKind, NS_PER_S, Name, Timestamp};
use ach_engine_wire::{Displayed, WireReceiver};

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
    /// Open alarms that somebody has displayed, each with the change that was.
    seen: BTreeMap<AlarmId, NoticeAt>,
    /// Open alarms that were told to be displayed by nobody, each with the change that was not.
    overdue: BTreeMap<AlarmId, NoticeAt>,
    /// The test alarm of a test that is under way.
    test: Option<TestSight>,
}

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

impl AttentionBook {
    /// Nobody looks yet, at a node that began then.
    pub(crate) fn begun_at(begun_at: Timestamp) -> AttentionBook {
        AttentionBook {
            begun_at,
            watchers: BTreeMap::new(),
            pending: BTreeSet::new(),
            seen: BTreeMap::new(),
            overdue: BTreeMap::new(),
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
        let has_pending = self.pending.range(first..).next().is_some_and(|(of, _)| *of == key);
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
        }
    }

    /// Whether a subscriber says that it has displayed an alarm.
    fn is_said(&self, key: SubscriberKey, it: &Watcher, id: AlarmId, open: &OpenAlarm) -> bool {
        it.displayed >= Some(open.at) || self.pending.contains(&(key, id))
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

    /// Works out what was seen.
    fn look(&mut self, fan_out: &FanOut) {
        for (&id, open) in fan_out.open() {
            if self.seen.get(&id) == Some(&open.at) {
                continue;
            }
            let mut note = None;
            let is_seen = self.watchers.iter().any(|(&key, watcher)| {
                // A cursor stands for what the subscription lets pass, and for nothing else.
                self.is_said(key, watcher, id, open)
                    && watcher.sieve.passes_alarm(note.get_or_insert_with(|| fan_out.note(open)))
            });
            if is_seen {
                self.seen.insert(id, open.at);
            }
        }
        self.pending.clear();
        let is_open = |id: &AlarmId| fan_out.open().contains_key(id);
        self.seen.retain(|id, _| is_open(id));
        self.overdue.retain(|id, _| is_open(id));
    }

    /// Works out, once a second, what nobody has displayed.
    pub(crate) fn unseen(&mut self, fan_out: &FanOut, now: Timestamp) -> Unseen {
        self.look(fan_out);
        let mut unseen = Unseen::default();
        for (&id, open) in fan_out.open() {
            if self.seen.get(&id) == Some(&open.at) {
                self.overdue.remove(&id);
                continue;
            }
            // Of a test the test itself tells.
            if open.notice.kind == AlarmKind::SelfTest {
                continue;
            }
            // Nobody could display it while the node was away.
            let told_at = open.notice.changed_at.max(self.begun_at);
            unseen.count = unseen.count.saturating_add(1);
            unseen.since = Some(unseen.since.map_or(told_at, |since| since.min(told_at)));
            if now.since_ns(told_at) < UNSEEN_MAX_NS {
                continue;
            }
            unseen.overdue_count = unseen.overdue_count.saturating_add(1);
            if self.overdue.insert(id, open.at) != Some(open.at) {
                unseen.new_count = unseen.new_count.saturating_add(1);
            }
        }
        unseen
    }

    /// Everybody who follows alarms, and what waits for his eyes.
    pub(crate) fn watchers(&self, fan_out: &FanOut) -> Vec<WireReceiver> {
        let mut told: Vec<WireReceiver> = self.watchers.values().map(receiver).collect();
        // A note is made once an alarm, however many follow.
        for (&id, open) in fan_out.open() {
            let told_at = open.notice.changed_at.max(self.begun_at);
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
