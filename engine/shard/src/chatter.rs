//! Conditions that come and go like chatter: raised three times within a minute (ISA-18.2, IEC 62682). Their alarms
//! are raised all the same, and say so, so that whoever shows them can show one line.
//!
//! What is told late is left out: a backlog of an hour that is read out within a second is no chatter.

use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{AlarmNotice, AlarmState, NS_PER_S, Timestamp};
use serde::{Deserialize, Serialize};

use crate::quiet::QuietKey;

/// The time in which a condition chatters, and how often it is raised in it: as `ach alarms stats` counts.
const CHATTER_NS: u64 = 60 * NS_PER_S;

/// Raises before the last that are remembered of a condition: with it they are three.
const EARLIER_COUNT: usize = 2;

/// Conditions raised within the last minute that are remembered: more than seventeen a second are no chatter of one thing
/// but a storm. Of more, the one raised longest ago is forgotten and begins anew. At some 60 bytes each they are 60 KB, told
/// at once in a checkpoint.
const CONDITION_COUNT_MAX: usize = 1_024;

/// When a condition was raised, the latest first.
type Raises = [Option<Timestamp>; EARLIER_COUNT];

/// All of it, as a checkpoint tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct ChatterHead {
    raised: Vec<(QuietKey, Raises)>,
}

/// The conditions that were raised within the last minute.
#[derive(Debug, Default)]
pub(crate) struct Chatter {
    raised: BTreeMap<QuietKey, Raises>,
    /// The same by when they were raised last.
    by_age: BTreeSet<(Timestamp, QuietKey)>,
}

impl Chatter {
    /// What a checkpoint tells of it.
    pub(crate) fn head(&self) -> ChatterHead {
        ChatterHead { raised: self.raised.iter().map(|(&key, &raises)| (key, raises)).collect() }
    }

    /// That of a checkpoint.
    pub(crate) fn restore(head: ChatterHead) -> Chatter {
        let mut chatter = Chatter::default();
        for (key, raises) in head.raised {
            chatter.by_age.extend(raises[0].map(|at| (at, key)));
            chatter.raised.insert(key, raises);
        }
        chatter
    }

    /// Takes notice that an alarm is raised, and flags it if its condition chatters. What a life may hang on never does,
    /// nor what happened a while ago.
    pub(crate) fn hear(&mut self, notice: &mut AlarmNotice) {
        if notice.is_late || notice.state.is_any(AlarmState::LIFE_SAFETY) {
            return;
        }
        let now = notice.changed_at;
        self.forget(now);
        let key = QuietKey::condition(notice);
        let [last, before] = self.raised.remove(&key).unwrap_or_default();
        if let Some(last) = last {
            self.by_age.remove(&(last, key));
        }
        let chatters = before.is_some_and(|before| now.since_ns(before) < CHATTER_NS);
        notice.state = notice.state.set(AlarmState::CHATTERS, chatters);
        self.by_age.insert((now, key));
        self.raised.insert(key, [Some(now), last]);
        if self.raised.len() > CONDITION_COUNT_MAX {
            self.forget_first();
        }
    }

    /// Forgets what was raised too long ago.
    fn forget(&mut self, now: Timestamp) {
        while let Some(&(at, _)) = self.by_age.first()
            && now.since_ns(at) >= CHATTER_NS
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.by_age.pop_first() {
            self.raised.remove(&key);
        }
    }
}
