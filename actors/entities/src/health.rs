//! What is heard and seen at all, so that a thousand tags do not fall silent with their feed.
//!
//! A tag's silence is measured on the *listening clock* of its feed. It goes on only by what was
//! really listened to: it stands while the node is away, and if the feed is watched for silence
//! it goes on each time the feed is heard, less the times it was found silent and the part of a
//! pause that is unusual for it. So a feed that stops takes all its tags' clocks with it, without a
//! message to any of them.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use ach_actors_model::{NS_PER_S, SourceRef, SubjectRef, Timestamp, ZoneRef};

use crate::whereabouts::Whereabouts;
use crate::{HealthChange, Sighting};

/// How soon a silence is looked at again while its listening clock goes on more slowly than time:
/// a compromise between an alarm at most this late and a call every moment for every tag of a feed
/// that has stopped.
pub(crate) const SILENCE_RECHECK_NS: u64 = NS_PER_S;

/// A gap between two times a feed is heard that always counts as listening: tags are told silent
/// after minutes, so it brings nobody's alarm forward by an amount that matters.
const GAP_WHOLE_NS: u64 = 2 * NS_PER_S;

/// A feed is taken for one that speaks this seldom until it is known better.
const FIRST_GAP_NS: u64 = 10 * NS_PER_S;

/// What a feed's usual gap loses each time it is heard, as a share of itself: a pause is forgotten
/// after some two hundred batches, and the gaps between bursts of a few are not.
const GAP_FADE: u64 = 64;

/// The shard's table of feeds, zones without an anchor, outages, and where those are whom rules keep apart. Small, read by every machine
/// through its turn and changed only by [`Health::apply`] and [`Health::resume`].
///
/// Which zones a silent feed leaves blind is written down nowhere: it is asked for, of the site and
/// of this table ([`Turn::is_blind`](crate::Turn::is_blind)). So a feed of ten thousand zones falls
/// silent, and is heard again, with one change of one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Health {
    sources: BTreeMap<SourceRef, Listening>,
    /// Feeds that are known to be silent.
    silent_sources: BTreeSet<SourceRef>,
    zones_without_anchor: BTreeSet<ZoneRef>,
    away_ns: u64,
    last_outage: Option<(Timestamp, Timestamp)>,
    whereabouts: Whereabouts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "units stand at the end of names")]
struct Listening {
    /// The node's own clock when the feed was last heard.
    heard_ns: u64,
    /// The listening clock at that moment.
    listened_ns: u64,
    /// The longest gap it usually makes between two times it is heard.
    usual_gap_ns: u64,
}

/// What one change is about to overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthWas(Was);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Was {
    Source { source: SourceRef, row: Option<Listening>, is_silent: bool },
    Zone { zone: ZoneRef, is_without_anchor: bool },
    Seen { subject: SubjectRef, sighting: Option<Sighting> },
}

impl Listening {
    /// The feed is heard again after `gap_ns`.
    ///
    /// A pause in which nothing could be heard of any tag is not their silence, though the feed
    /// was back before it fell silent itself. So a gap counts for no more than twice what is usual
    /// for the feed: the clock of one that is heard a hundred times a second all but stands in a
    /// pause, that of one that speaks every minute goes on by whole minutes.
    fn listen(&mut self, gap_ns: u64) {
        let most_ns = self.usual_gap_ns.saturating_mul(2).max(GAP_WHOLE_NS);
        let counted_ns = gap_ns.min(most_ns);
        self.listened_ns = self.listened_ns.saturating_add(counted_ns);
        let faded_ns = self.usual_gap_ns - self.usual_gap_ns / GAP_FADE;
        self.usual_gap_ns = faded_ns.max(counted_ns);
    }
}

impl Health {
    /// What undoes a change; ask before the change is applied.
    pub fn before(&self, change: HealthChange) -> HealthWas {
        HealthWas(match change {
            HealthChange::Heard { source, .. }
            | HealthChange::FellSilent { source }
            | HealthChange::Forgotten { source } => {
                let row = self.sources.get(&source).copied();
                Was::Source { source, row, is_silent: self.is_silent(source) }
            }
            HealthChange::WentBlind { zone } | HealthChange::Sighted { zone } => {
                Was::Zone { zone, is_without_anchor: self.is_without_anchor(zone) }
            }
            HealthChange::Located { subject, .. } => {
                Was::Seen { subject, sighting: self.whereabouts.sighting(subject) }
            }
        })
    }

    /// Undoes a change. Of several the last comes first.
    pub fn put_back(&mut self, HealthWas(was): HealthWas) {
        match was {
            Was::Source { source, row, is_silent } => {
                match row {
                    Some(row) => self.sources.insert(source, row),
                    None => self.sources.remove(&source),
                };
                put(&mut self.silent_sources, source, is_silent);
            }
            Was::Zone { zone, is_without_anchor } => {
                put(&mut self.zones_without_anchor, zone, is_without_anchor);
            }
            Was::Seen { subject, sighting } => self.whereabouts.put(subject, sighting),
        }
    }

    /// Everything is well and nothing was heard.
    pub fn new() -> Health {
        Health::default()
    }

    /// Takes over what a machine found out.
    pub fn apply(&mut self, change: HealthChange) {
        match change {
            HealthChange::Heard { source, at } => {
                let now_ns = self.attended_ns(at);
                let was_silent =
                    !self.silent_sources.is_empty() && self.silent_sources.remove(&source);
                let row = self.sources.entry(source).or_default();
                if row.heard_ns == 0 {
                    row.usual_gap_ns = FIRST_GAP_NS;
                } else if !was_silent {
                    row.listen(now_ns.saturating_sub(row.heard_ns));
                }
                row.heard_ns = row.heard_ns.max(now_ns);
            }
            HealthChange::FellSilent { source } => {
                self.silent_sources.insert(source);
            }
            HealthChange::Forgotten { source } => {
                // Its listening clock stays where it is: silences that were measured on it may go on.
                if let Some(row) = self.sources.get_mut(&source) {
                    row.heard_ns = 0;
                }
                self.silent_sources.remove(&source);
            }
            HealthChange::WentBlind { zone } => {
                self.zones_without_anchor.insert(zone);
            }
            HealthChange::Sighted { zone } => {
                self.zones_without_anchor.remove(&zone);
            }
            HealthChange::Located { subject, sighting } => self.whereabouts.put(subject, sighting),
        }
    }

    /// The node is back after an outage from `away_since` to `now`.
    ///
    /// The shard MUST call this before it fires the deadlines of the entry that says so, or every
    /// tag falls silent at once.
    pub fn resume(&mut self, away_since: Timestamp, now: Timestamp) {
        self.away_ns = self.away_ns.saturating_add(now.since_ns(away_since));
        self.last_outage = Some((away_since, now));
    }

    /// Nanoseconds the node has attended, outages left out: a clock that can only be compared with
    /// itself.
    pub fn attended_ns(&self, now: Timestamp) -> u64 {
        now.0.saturating_sub(self.away_ns)
    }

    /// The listening clock of a feed. `is_watched` tells whether the feed has a limit of silence;
    /// the clock of one that has none is the node's own.
    pub fn listened_ns(&self, source: SourceRef, is_watched: bool, now: Timestamp) -> u64 {
        if is_watched {
            self.sources.get(&source).map_or(0, |row| row.listened_ns)
        } else {
            self.attended_ns(now)
        }
    }

    /// How long the node has attended since it heard the feed last.
    pub fn unheard_ns(&self, source: SourceRef, now: Timestamp) -> u64 {
        let heard_ns = self.sources.get(&source).map_or(0, |row| row.heard_ns);
        self.attended_ns(now).saturating_sub(heard_ns)
    }

    /// Whether the feed is known to be silent.
    pub fn is_silent(&self, source: SourceRef) -> bool {
        self.silent_sources.contains(&source)
    }

    /// Whether the feed has spoken and is not known to be silent.
    pub fn is_heard(&self, source: SourceRef) -> bool {
        self.sources.get(&source).is_some_and(|row| row.heard_ns > 0) && !self.is_silent(source)
    }

    /// Where those are whom rules keep apart.
    pub(crate) fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// Reads what a position of a subject will need where rules keep it apart from others, and returns something made
    /// of it: to fetch the memory for a whole batch at once.
    pub fn warm(&self, subject: SubjectRef) -> u64 {
        self.whereabouts.warm(subject)
    }

    /// Whether any feed is known to be silent.
    pub(crate) fn has_silent_sources(&self) -> bool {
        !self.silent_sources.is_empty()
    }

    /// Whether an anchor that covers the zone is lost.
    pub(crate) fn is_without_anchor(&self, zone: ZoneRef) -> bool {
        self.zones_without_anchor.contains(&zone)
    }

    /// Whether an anchor that covers any zone is lost.
    pub(crate) fn has_zones_without_anchor(&self) -> bool {
        !self.zones_without_anchor.is_empty()
    }

    /// Whether a deadline that was due at `due_at` had to wait for the node to come back.
    pub fn was_away_at(&self, due_at: Timestamp) -> bool {
        self.last_outage.is_some_and(|(since, back)| since < due_at && due_at < back)
    }

    /// When the node came back from its last outage, if that was after `due_at`.
    pub(crate) fn back_at(&self, due_at: Timestamp) -> Option<Timestamp> {
        self.last_outage.map(|(_, back)| back).filter(|&back| due_at < back)
    }
}

/// Puts an item into a set or out of it.
fn put<T: Ord>(set: &mut BTreeSet<T>, item: T, is_in: bool) {
    if is_in {
        set.insert(item);
    } else {
        set.remove(&item);
    }
}
