//! Makes episodes of what was said of alarms, in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{AlarmId, AlarmNotice, AlarmTransition, Timestamp};
use thiserror::Error;

use crate::episode::Episode;

/// Most alarms of a log: ten thousand a day for a hundred days take about 150 MB, and more than that nobody reads.
pub const EPISODES_MAX: usize = 1_000_000;

/// There are more alarms than are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("more than {EPISODES_MAX} alarms; ask for a shorter time")]
pub struct TooManyAlarms;

/// Alarms of a time.
#[derive(Debug, Default)]
pub struct AlarmLog {
    /// What has ended, and what was heard of first with it.
    ended: Vec<(u64, Episode)>,
    open: BTreeMap<AlarmId, (u64, Episode)>,
    kept_from: Timestamp,
    begun_count: u64,
}

impl AlarmLog {
    /// One that forgets what had ended by a moment.
    pub fn kept_from(kept_from: Timestamp) -> AlarmLog {
        AlarmLog { kept_from, ..AlarmLog::default() }
    }

    /// Whether an alarm is open that it has heard of.
    pub fn knows(&self, id: AlarmId) -> bool {
        self.open.contains_key(&id)
    }

    /// Takes what was said of an alarm. `rule` is the rule's id. What is heard of first when it is not new was
    /// raised when its first input came.
    ///
    /// # Errors
    ///
    /// There is no room for another.
    pub fn hear(
        &mut self,
        notice: &AlarmNotice,
        rule: Option<Arc<str>>,
    ) -> Result<(), TooManyAlarms> {
        if let Some((_, episode)) = self.open.get_mut(&notice.id) {
            episode.go_on(notice);
        } else {
            if self.ended.len().saturating_add(self.open.len()) >= EPISODES_MAX {
                return Err(TooManyAlarms);
            }
            let mut episode = Episode::begin(notice, rule);
            if notice.transition != AlarmTransition::Raised {
                episode.raised_at = notice.received_at;
                episode.go_on(notice);
            }
            self.begun_count += 1;
            self.open.insert(notice.id, (self.begun_count, episode));
        }
        let is_over = |(_, episode): &(u64, Episode)| episode.has_had_all();
        if self.open.get(&notice.id).is_some_and(is_over)
            && let Some((number, episode)) = self.open.remove(&notice.id)
            && episode.ended_at().is_some_and(|at| at >= self.kept_from)
        {
            self.ended.push((number, episode));
        }
        Ok(())
    }

    /// All of them, in the order in which they were raised.
    pub fn finish(self) -> Vec<Episode> {
        let mut all = self.ended;
        all.extend(self.open.into_values());
        all.sort_by_key(|(number, episode)| (episode.raised_at, *number));
        all.into_iter().map(|(_, episode)| episode).collect()
    }
}
