//! Alarms by what they are about: which come most, and which chatter.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{AlarmKind, NS_PER_S, Place, SubjectRef, Timestamp};

use crate::episode::Episode;
use crate::peak::peak;

/// An alarm that is raised this often within [`CHATTER_NS`] chatters (ISA-18.2-2016, 16.5.4).
pub const CHATTER_COUNT_MIN: usize = 3;
/// The time in which it does.
pub const CHATTER_NS: u64 = 60 * NS_PER_S;

/// What an alarm is about: what ISA-18.2 calls an alarm, which then occurs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct About {
    /// The rule's id; `None` for what the node raises of itself.
    pub rule: Option<Arc<str>>,
    /// What was wrong.
    pub kind: AlarmKind,
    /// With whom.
    pub subject: Option<SubjectRef>,
    /// Where.
    pub place: Place,
}

/// One of those, over a time: a bad actor, when it is among the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadActor {
    /// What it is about.
    pub about: About,
    /// How often it was raised.
    pub count: usize,
    /// How often it was taken back.
    pub retracted_count: usize,
    /// The most often it was raised within a minute.
    pub minute_count_max: usize,
}

impl BadActor {
    /// Whether it came and went like chatter.
    pub fn is_chattering(&self) -> bool {
        self.minute_count_max >= CHATTER_COUNT_MIN
    }
}

/// Every one, the most frequent first.
pub(crate) fn bad_actors<'a>(raised: impl Iterator<Item = &'a Episode>) -> Vec<BadActor> {
    let mut by_about: BTreeMap<About, (Vec<Timestamp>, usize)> = BTreeMap::new();
    for episode in raised {
        let Episode { rule, kind, subject, place, .. } = episode;
        let about = About { rule: rule.clone(), kind: *kind, subject: *subject, place: *place };
        let (moments, retracted_count) = by_about.entry(about).or_default();
        moments.push(episode.raised_at);
        *retracted_count += usize::from(episode.was_retracted());
    }
    let mut found: Vec<BadActor> = by_about
        .into_iter()
        .map(|(about, (moments, retracted_count))| BadActor {
            about,
            count: moments.len(),
            retracted_count,
            minute_count_max: peak(&moments, CHATTER_NS).map_or(0, |peak| peak.count),
        })
        .collect();
    // Those that are equally frequent stay in the order of what they are about.
    found.sort_by_key(|actor| std::cmp::Reverse(actor.count));
    found
}
