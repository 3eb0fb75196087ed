//! Who is told of a test alarm, and who displays it.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{AlarmId, Name, Timestamp};
use ach_engine_wire::AlarmNote;

use super::{AttentionBook, Watcher};
use crate::fan_out::SubscriberKey;
use crate::recent::NoticeAt;

/// A subscriber that lets the test alarm pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Onlooker {
    pub name: Name,
    pub is_operator: bool,
    /// Whether it had displayed alarms before the test, or is to display each, so that it should display
    /// this one.
    pub is_expected: bool,
}

/// A test alarm that was told.
#[derive(Debug)]
pub(super) struct TestSight {
    note: AlarmNote,
    at: NoticeAt,
    expected: BTreeSet<SubscriberKey>,
    /// Receivers that are to display it over any of their connections, also those that are not there.
    screens: BTreeSet<Name>,
    /// Who displayed it, and when first; also when he is gone since.
    shown: BTreeMap<SubscriberKey, (Onlooker, Timestamp)>,
}

impl TestSight {
    /// A watcher says what it has displayed, these alarms among it. Returns whether the test alarm is.
    pub(super) fn take(
        &mut self,
        (key, watcher): (SubscriberKey, &Watcher),
        alarms: &[AlarmId],
        at: Timestamp,
    ) -> bool {
        let is_said = watcher.displayed >= Some(self.at) || alarms.contains(&self.note.id);
        if !is_said || !watcher.sieve.passes_alarm(&self.note) {
            return false;
        }
        let onlooker = self.onlooker(key, watcher);
        self.shown.entry(key).or_insert((onlooker, at));
        true
    }

    fn onlooker(&self, key: SubscriberKey, watcher: &Watcher) -> Onlooker {
        let (name, is_operator) = (watcher.name.clone(), watcher.is_operator);
        let is_missed = !is_operator && self.is_missed(&name);
        Onlooker { name, is_operator, is_expected: is_missed || self.expected.contains(&key) }
    }

    /// Whether a receiver is to display it and has not yet.
    fn is_missed(&self, name: &Name) -> bool {
        self.screens.contains(name) && !self.is_shown_by(name)
    }

    fn is_shown_by(&self, name: &Name) -> bool {
        self.shown.values().any(|(onlooker, _)| !onlooker.is_operator && onlooker.name == *name)
    }
}

impl AttentionBook {
    /// A test alarm was told: who displays it is noted until the test is over. Each of these `screens` is
    /// to.
    pub(crate) fn begin_test(&mut self, note: AlarmNote, at: NoticeAt, screens: BTreeSet<Name>) {
        let does = |(key, watcher): (&SubscriberKey, &Watcher)| {
            (watcher.displayed_at.is_some() && watcher.sieve.passes_alarm(&note)).then_some(*key)
        };
        let expected = self.watchers.iter().filter_map(does).collect();
        self.test = Some(TestSight { note, at, expected, screens, shown: BTreeMap::new() });
    }

    /// The test is over.
    pub(crate) fn end_test(&mut self) {
        self.test = None;
    }

    /// Whether a receiver has displayed the test alarm, everybody who displayed others and is still there,
    /// and each screen.
    pub(crate) fn is_test_displayed(&self) -> bool {
        self.test.as_ref().is_some_and(|test| {
            let is_waited_for = |key: &SubscriberKey| {
                self.watchers.contains_key(key) && !test.shown.contains_key(key)
            };
            let is_shown = test.shown.values().any(|(onlooker, _)| !onlooker.is_operator);
            let is_whole = test.screens.iter().all(|name| test.is_shown_by(name));
            is_shown && is_whole && !test.expected.iter().any(is_waited_for)
        })
    }

    /// Who was told of the test alarm, and when it was displayed there.
    pub(crate) fn onlookers(&self) -> Vec<(Onlooker, Option<Timestamp>)> {
        let Some(test) = &self.test else { return Vec::new() };
        let shown = test.shown.values().map(|(onlooker, at)| (onlooker.clone(), Some(*at)));
        let silent = self.watchers.iter().filter(|&(key, watcher)| {
            !test.shown.contains_key(key) && watcher.sieve.passes_alarm(&test.note)
        });
        let silent = silent.map(|(&key, watcher)| (test.onlooker(key, watcher), None));
        shown.chain(silent).collect()
    }

    /// Screens that were not told of the test alarm: they are not connected, or their filters leave it
    /// out.
    pub(crate) fn screens_away(&self) -> Vec<Name> {
        let Some(test) = &self.test else { return Vec::new() };
        let is_told = |name: &Name| {
            self.watchers.values().any(|watcher| {
                let is_its = !watcher.is_operator && watcher.name == *name;
                is_its && watcher.sieve.passes_alarm(&test.note)
            })
        };
        let missed = test.screens.iter().filter(|name| test.is_missed(name));
        missed.filter(|name| !is_told(name)).cloned().collect()
    }
}
