//! What a machine is given and what it gives back.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

use ach_actors_model::{
    AnchorRef, Cause, DoorRef, EntityRef, Fix, SourceRef, SubjectRef, TagRef, Timestamp, ZoneRef,
};
use ach_geo::{Crossing, Position};

use crate::{Effect, Health, Sighting, Site};

/// What every machine may look at while it decides.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// The site in force.
    pub site: &'a Site,
    /// What is heard and seen at all: feeds, anchors, the node's own outages.
    pub health: &'a Health,
    /// Shard time: that of the entry, for deadlines too, which learn when they were due besides.
    pub now: Timestamp,
}

impl Turn<'_> {
    /// How long a feed that is watched for silence has not been heard; 0 for one that is not.
    pub(crate) fn unheard_ns(&self, source: SourceRef) -> u64 {
        let plan = self.site.source_plan(source);
        let is_watched = plan.is_some_and(|plan| plan.silence_ns.is_some());
        if is_watched { self.health.unheard_ns(source, self.now) } else { 0 }
    }

    /// Whether an anchor that covers the zone is lost, or a feed that sees it is silent and none
    /// that sees it is heard. A zone no feed sees, or whose feeds have never spoken, is not blind:
    /// nobody has lost sight of it.
    ///
    /// Costs nothing while all is well, else a look at each feed that sees the zone at most.
    pub fn is_blind(&self, zone: ZoneRef) -> bool {
        self.health.is_without_anchor(zone)
            || (self.health.has_silent_sources() && self.is_unheard(zone))
    }

    /// Whether any zone may be blind.
    pub(crate) fn may_be_blind(&self) -> bool {
        self.health.has_silent_sources() || self.health.has_zones_without_anchor()
    }

    /// Whether a position is within a zone that is blind.
    pub(crate) fn is_blind_at(&self, position: &Position) -> bool {
        let mut is_blind = false;
        self.site.index().watches_at(position, |watch| {
            let zone = self.site.watch(watch.key).map(|plan| plan.zone);
            is_blind |= zone.is_some_and(|zone| self.is_blind(zone));
        });
        is_blind
    }

    fn is_unheard(&self, zone: ZoneRef) -> bool {
        let mut is_any_silent = false;
        for source in self.site.sources_that_see(zone) {
            if self.health.is_heard(source) {
                return false;
            }
            is_any_silent |= self.health.is_silent(source);
        }
        is_any_silent
    }

    /// The listening clock of a feed now; see [`Health`].
    pub(crate) fn listened_ns(&self, source: SourceRef) -> Option<u64> {
        let is_watched = self.site.source_plan(source)?.silence_ns.is_some();
        Some(self.health.listened_ns(source, is_watched, self.now))
    }
}

/// What machines ask for. One for a whole entry; the shard drains it after every step.
#[derive(Debug, Default)]
pub struct Outbox {
    /// For the outside.
    pub effects: Vec<Effect>,
    /// For other actors, delivered in this order within the same input.
    pub messages: VecDeque<Message>,
    /// For later. A deadline cannot be taken back: a machine that no longer wants one ignores it.
    pub deadlines: Vec<Deadline>,
    /// For the shard's [`Health`], to be applied in this order before the next message.
    pub health: Vec<HealthChange>,
    /// Scratch of the subject's machine, empty between steps.
    pub(crate) crossings: Vec<Crossing>,
}

/// A call back at a moment.
///
/// Deadlines that are due together fire in the order of entity and kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Deadline {
    /// When.
    pub due_at: Timestamp,
    /// Who.
    pub entity: EntityRef,
    /// What for.
    pub kind: DeadlineKind,
}

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DeadlineKind {
    /// Not heard for too long. The one kind that leaves an outage of the node out.
    Silence,
    /// A gate, a dwell or a fence timeout of an occupancy.
    Gate,
    /// A window of a rule that concerns the actor just now begins or ends.
    Window,
    /// The time that a rule gives to what goes on is over.
    Term,
    /// Leave is over, or soon over, or whoever must be with the subject has not been for too long.
    Pass,
    /// An alarm that waits is to be raised, or to end.
    Delay,
}

/// What one actor tells another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    /// To whom.
    pub to: EntityRef,
    /// The outside input or deadline it goes back to.
    pub cause: Cause,
    /// What.
    pub body: MessageBody,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MessageBody {
    /// Tag to subject: an accepted fix.
    Fix {
        /// The fix.
        fix: Fix,
        /// Whether a second position bore out a jump.
        is_jump_confirmed: bool,
    },
    /// Subject to zone: it is in.
    Entered {
        /// Who.
        subject: SubjectRef,
        /// By which tag.
        tag: TagRef,
        /// When it counts from.
        at: Timestamp,
    },
    /// Subject to zone: it is out.
    Exited {
        /// Who.
        subject: SubjectRef,
        /// By which tag.
        tag: TagRef,
        /// When it counts from.
        at: Timestamp,
    },
    /// Subject to one near it that a rule keeps apart from it: it has moved.
    Moved {
        /// Who.
        subject: SubjectRef,
    },
    /// Anchor to zone: it is lost.
    AnchorLost {
        /// Which.
        anchor: AnchorRef,
    },
    /// Anchor to zone: it works again.
    AnchorFound {
        /// Which.
        anchor: AnchorRef,
    },
    /// Subject to its escort: tell it where you are, or no more.
    Escort {
        /// Who has leave.
        ward: SubjectRef,
        /// Whether it wants to know.
        is_wanted: bool,
    },
    /// Escort to a subject: where it is.
    EscortSeen {
        /// Who.
        escort: SubjectRef,
        /// The fix.
        fix: Fix,
    },
    /// Subject to door: it went through.
    PassedDoor {
        /// Who.
        subject: SubjectRef,
        /// When it was last seen before the sill.
        since: Timestamp,
        /// Where it was seen behind it.
        fix: Fix,
        /// Whether it went to the left of the sill.
        is_leftward: bool,
    },
    /// Door to whose badge it granted access to.
    BadgeGranted {
        /// Which door.
        door: DoorRef,
        /// When.
        observed_at: Timestamp,
        /// When that was known.
        received_at: Timestamp,
    },
}

/// A change of [`Health`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthChange {
    /// A feed was heard.
    Heard {
        /// Which.
        source: SourceRef,
        /// When, by shard time.
        at: Timestamp,
    },
    /// A feed is silent: the time until it is heard again is nobody's silence.
    FellSilent {
        /// Which.
        source: SourceRef,
    },
    /// A feed is no more: should it come back, it has not spoken yet.
    Forgotten {
        /// Which.
        source: SourceRef,
    },
    /// An anchor that covers a zone is lost.
    WentBlind {
        /// Which.
        zone: ZoneRef,
    },
    /// Every anchor that covers a zone works again.
    Sighted {
        /// Which.
        zone: ZoneRef,
    },
    /// Somebody whom rules keep apart from others was seen, or is looked for no more.
    Located {
        /// Who.
        subject: SubjectRef,
        /// Where.
        sighting: Option<Sighting>,
    },
}
