//! What people did with the alarms of a span of time.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{AlarmKind, AlarmPriority, NS_PER_S, Timestamp};

use crate::answers::Answers;
use crate::causes::Causes;
use crate::episode::Episode;

/// How soon an alarm should be acknowledged where nobody says otherwise: a minute is what a nurse needs to look up
/// from the task at hand, and no standard has a number.
pub const TARGET_NS: u64 = 60 * NS_PER_S;

/// How soon people answered, and what they said it was. Only alarms count that called for somebody: they were raised
/// aloud and were no test.
#[derive(Debug, Clone)]
pub struct Response {
    /// How soon an alarm should have been acknowledged.
    pub target_ns: u64,
    /// Of all of them.
    pub all: Answers,
    /// Of each priority that there was.
    pub by_priority: BTreeMap<AlarmPriority, Answers>,
    /// What all of them turned out to be.
    pub causes: Causes,
    /// What those of each rule did.
    pub by_rule: BTreeMap<Option<Arc<str>>, Causes>,
}

impl Response {
    /// Counts alarms that were raised from a moment on and before another.
    pub fn of(
        episodes: &[Episode],
        (from, to): (Timestamp, Timestamp),
        target_ns: u64,
    ) -> Response {
        let calls = |episode: &&Episode| {
            let is_within = from <= episode.raised_at && episode.raised_at < to;
            is_within
                && !episode.was_quiet
                && !episode.was_drill
                && episode.kind != AlarmKind::SelfTest
        };
        let asked: Vec<&Episode> = episodes.iter().filter(calls).collect();
        let mut by_priority: BTreeMap<AlarmPriority, Vec<&Episode>> = BTreeMap::new();
        let mut by_rule: BTreeMap<Option<Arc<str>>, Causes> = BTreeMap::new();
        let mut causes = Causes::default();
        for &episode in &asked {
            by_priority.entry(episode.priority).or_default().push(episode);
            by_rule.entry(episode.rule.clone()).or_default().add(episode);
            causes.add(episode);
        }
        Response {
            target_ns,
            all: Answers::of(&asked, target_ns),
            by_priority: by_priority
                .into_iter()
                .map(|(priority, asked)| (priority, Answers::of(&asked, target_ns)))
                .collect(),
            causes,
            by_rule,
        }
    }
}
