//! How soon people answered alarms, and which they did not.

use crate::episode::Episode;
use crate::lengths::Lengths;

/// What was done with some alarms that called for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers {
    /// How many there were.
    pub asked_count: usize,
    /// From when an alarm was raised until somebody first acknowledged it.
    pub acknowledged: Option<Lengths>,
    /// How many were acknowledged in time.
    pub in_time_count: usize,
    /// How many were over before anybody acknowledged them.
    pub never_count: usize,
    /// How many are not over, and nobody has acknowledged them yet.
    pub waiting_count: usize,
    /// How many were passed on at least once.
    pub passed_on_count: usize,
    /// How often alarms were passed on.
    pub escalation_count: u64,
    /// From when an alarm was raised until somebody first said what it was.
    pub closed: Option<Lengths>,
}

impl Answers {
    /// Counts. Acknowledged within `target_ns` is in time.
    pub(crate) fn of(asked: &[&Episode], target_ns: u64) -> Answers {
        let took = |episode: &&Episode| {
            let at = episode.acknowledged_at?;
            Some(at.since_ns(episode.raised_at))
        };
        let closed_after = |episode: &&Episode| {
            let at = episode.closed_at?;
            Some(at.since_ns(episode.raised_at))
        };
        let acknowledged: Vec<u64> = asked.iter().filter_map(took).collect();
        let unacknowledged = || asked.iter().filter(|episode| episode.acknowledged_at.is_none());
        Answers {
            asked_count: asked.len(),
            in_time_count: acknowledged.iter().filter(|took_ns| **took_ns <= target_ns).count(),
            acknowledged: Lengths::of(acknowledged),
            never_count: unacknowledged().filter(|episode| episode.over_at.is_some()).count(),
            waiting_count: unacknowledged().filter(|episode| episode.over_at.is_none()).count(),
            passed_on_count: asked.iter().filter(|episode| episode.escalated_count > 0).count(),
            escalation_count: asked.iter().map(|episode| u64::from(episode.escalated_count)).sum(),
            closed: Lengths::of(asked.iter().filter_map(closed_after).collect()),
        }
    }

    /// How many were acknowledged at all.
    pub fn acknowledged_count(&self) -> usize {
        self.acknowledged.map_or(0, |lengths| lengths.count)
    }
}
