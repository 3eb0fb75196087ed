//! All that is counted of a span of time.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmId, AlarmPriority, NS_PER_S, Timestamp};

use crate::bad_actor::{BadActor, bad_actors};
use crate::episode::Episode;
use crate::flood::{FLOOD_NS, Flood, floods};
use crate::peak::{Peak, peak};

/// An alarm that is over this soon, nobody having done anything, was seldom worth anybody's way.
pub const BRIEF_NS: u64 = 60 * NS_PER_S;
/// One that is open for longer stands (ISA-18.2-2016, 16.5.6: stale).
pub const STANDING_NS: u64 = 86_400 * NS_PER_S;
/// The other length of a busiest stretch.
const HOUR_NS: u64 = 3_600 * NS_PER_S;

/// What alarms were like from a moment on and before another. What is counted of alarms that were raised is counted
/// of those that were announced.
#[derive(Debug, Clone)]
pub struct Review<'a> {
    /// The first moment.
    pub from: Timestamp,
    /// The moment after the last.
    pub to: Timestamp,
    /// How many were raised aloud.
    pub raised_count: usize,
    /// How many were raised quietly: nobody was called, so nothing else here counts them before they stand.
    pub quiet_count: usize,
    /// How many others were raised about doors that a drill moved: they called somebody, and say nothing of other days.
    pub drill_count: usize,
    /// How many incidents those that were raised aloud belong to.
    pub incident_count: usize,
    /// The most of them that belong to one.
    pub largest_incident: usize,
    /// Those that were raised aloud, by how urgent they were.
    pub by_priority: BTreeMap<AlarmPriority, usize>,
    /// How many of them were tentative and taken back.
    pub retracted_count: usize,
    /// How many others of them were over within [`BRIEF_NS`].
    pub brief_count: usize,
    /// The busiest ten minutes.
    pub ten_minutes: Option<Peak>,
    /// The busiest hour.
    pub hour: Option<Peak>,
    /// Floods, in order.
    pub floods: Vec<Flood>,
    /// Alarms by what they are about, the most frequent first.
    pub actors: Vec<BadActor>,
    /// Those that had been open for [`STANDING_NS`] at the end, the oldest first.
    pub standing: Vec<&'a Episode>,
    /// Those that had ended by then and waited for people, the oldest first.
    pub unanswered: Vec<&'a Episode>,
}

impl<'a> Review<'a> {
    /// Counts. Alarms are in the order in which they were raised; those raised before the span count only among
    /// the ones that stand or are unanswered, those raised after it not at all.
    pub fn of(episodes: &'a [Episode], (from, to): (Timestamp, Timestamp)) -> Review<'a> {
        let is_within = |episode: &&Episode| from <= episode.raised_at && episode.raised_at < to;
        let (quiet, aloud): (Vec<&Episode>, Vec<&Episode>) =
            episodes.iter().filter(is_within).partition(|episode| episode.was_quiet);
        let (drills, raised): (Vec<&Episode>, Vec<&Episode>) =
            aloud.into_iter().partition(|episode| episode.was_drill);
        let moments: Vec<Timestamp> = raised.iter().map(|episode| episode.raised_at).collect();
        let mut by_priority = BTreeMap::new();
        for episode in &raised {
            *by_priority.entry(episode.priority).or_default() += 1;
        }
        let mut by_incident: BTreeMap<AlarmId, usize> = BTreeMap::new();
        for episode in &raised {
            *by_incident.entry(episode.incident_id()).or_default() += 1;
        }
        let is_retracted = |episode: &&&Episode| episode.was_retracted();
        let is_brief = |episode: &&&Episode| {
            !episode.was_retracted() && episode.lasted_ns().is_some_and(|ns| ns < BRIEF_NS)
        };
        let is_standing = |episode: &&Episode| {
            let is_open = episode.ended_at().is_none_or(|at| at >= to);
            is_open && episode.raised_at < to && to.since_ns(episode.raised_at) >= STANDING_NS
        };
        let is_unanswered = |episode: &&Episode| episode.is_unanswered(to);
        Review {
            from,
            to,
            raised_count: raised.len(),
            quiet_count: quiet.len(),
            drill_count: drills.len(),
            incident_count: by_incident.len(),
            largest_incident: by_incident.values().copied().max().unwrap_or_default(),
            by_priority,
            retracted_count: raised.iter().filter(is_retracted).count(),
            brief_count: raised.iter().filter(is_brief).count(),
            ten_minutes: peak(&moments, FLOOD_NS),
            hour: peak(&moments, HOUR_NS),
            floods: floods(&moments, to),
            actors: bad_actors(raised.iter().copied()),
            standing: episodes.iter().filter(is_standing).collect(),
            unanswered: episodes.iter().filter(is_unanswered).collect(),
        }
    }

    /// How long there was a flood.
    pub fn flooded_ns(&self) -> u64 {
        self.floods.iter().map(|flood| flood.to.since_ns(flood.from)).sum()
    }

    /// Those that chattered, the most frequent first.
    pub fn chattering(&self) -> impl Iterator<Item = &BadActor> {
        self.actors.iter().filter(|actor| actor.is_chattering())
    }
}
