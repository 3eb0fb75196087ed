//! Times in which more alarms came than anybody can answer.

use std::collections::VecDeque;

use ach_actors_model::{NS_PER_S, Timestamp};

/// The time that is looked at: ten minutes (ISA-18.2-2016, 16.5.5).
pub const FLOOD_NS: u64 = 600 * NS_PER_S;
/// More alarms than this in that time are a flood for one operator.
pub const FLOOD_COUNT_MAX: usize = 10;
/// It is over when fewer than this came in that time.
pub const FLOOD_OVER_COUNT: usize = 5;

/// A flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flood {
    /// When the first of the alarms was raised that made it one, after the flood before.
    pub from: Timestamp,
    /// When it was over.
    pub to: Timestamp,
    /// Alarms raised in it.
    pub count: usize,
}

/// The floods among moments at which alarms were raised, ascending. One that is not over by `end` ends there.
pub(crate) fn floods(raised: &[Timestamp], end: Timestamp) -> Vec<Flood> {
    let mut floods: Vec<Flood> = Vec::new();
    let mut recent: VecDeque<Timestamp> = VecDeque::new();
    let mut open: Option<Flood> = None;
    for &at in raised {
        // What comes at the moment at which another is ten minutes old takes its place.
        open = settle(&mut recent, open, Timestamp(at.0.saturating_sub(1)), &mut floods);
        recent.push_back(at);
        if let Some(flood) = &mut open {
            flood.count += 1;
        }
        open = settle(&mut recent, open, at, &mut floods);
        if open.is_none() && recent.len() > FLOOD_COUNT_MAX {
            // What belongs to the flood before is not counted again.
            let over_at = floods.last().map_or(Timestamp(0), |flood| flood.to);
            let own = || recent.iter().filter(|raised_at| **raised_at > over_at);
            let from = own().next().copied().unwrap_or(at);
            open = Some(Flood { from, to: at, count: own().count() });
        }
    }
    if let Some(flood) = settle(&mut recent, open, end, &mut floods) {
        floods.push(Flood { to: end, ..flood });
    }
    floods
}

/// Lets go of what is ten minutes old by `now`; a flood ends with the one that leaves too few.
fn settle(
    recent: &mut VecDeque<Timestamp>,
    mut open: Option<Flood>,
    now: Timestamp,
    floods: &mut Vec<Flood>,
) -> Option<Flood> {
    while let Some(&oldest) = recent.front() {
        let gone_at = oldest.plus_ns(FLOOD_NS);
        if gone_at > now {
            break;
        }
        recent.pop_front();
        if recent.len() < FLOOD_OVER_COUNT
            && let Some(flood) = open.take()
        {
            floods.push(Flood { to: gone_at, ..flood });
        }
    }
    open
}
