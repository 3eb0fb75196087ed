//! What a receiver is told of events and positions.

use ach_actors_model::{EmergencyKind, EventKind, Name, Practice, TagId, Timestamp};
use ach_geo::Position;

use crate::tlv::message;
use crate::value::words;
use crate::{Cursor, Storage};

/// The kind of an event, without what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventWord {
    /// A subject came into a zone.
    ZoneEntered,
    /// A subject left a zone.
    ZoneExited,
    /// A subject went through a door.
    DoorPassed,
    /// A door opened.
    DoorOpened,
    /// A door closed.
    DoorClosed,
    /// A lock has thrown.
    DoorLocked,
    /// A lock has drawn back.
    DoorUnlocked,
    /// A feed was heard again, or for the first time while another was silent.
    FeedRestored,
    /// A feed fell silent.
    FeedFellSilent,
    /// A zone is blind for want of an anchor.
    ZoneWentBlind,
    /// Every anchor that covers a zone works again.
    ZoneSighted,
    /// A tag was heard again after it was silent.
    TagHeard,
    /// A new version of the site is in force.
    SiteChanged,
    /// A fire is told at a door.
    FireTold,
    /// It is over.
    FireOver,
    /// A lockdown has begun, or lasts longer.
    LockdownDeclared,
    /// A lockdown has ended.
    LockdownEnded,
    /// An evacuation has begun, or lasts longer.
    EvacuationDeclared,
    /// An evacuation has ended.
    EvacuationEnded,
}

words!(EventWord {
    ZoneEntered = 1,
    ZoneExited = 2,
    DoorPassed = 3,
    DoorOpened = 4,
    DoorClosed = 5,
    DoorLocked = 6,
    DoorUnlocked = 7,
    FeedRestored = 8,
    FeedFellSilent = 9,
    ZoneWentBlind = 10,
    ZoneSighted = 11,
    TagHeard = 12,
    SiteChanged = 13,
    FireTold = 14,
    FireOver = 15,
    LockdownDeclared = 16,
    LockdownEnded = 17,
    EvacuationDeclared = 18,
    EvacuationEnded = 19,
});

impl From<&EventKind> for EventWord {
    fn from(kind: &EventKind) -> EventWord {
        match kind {
            EventKind::ZoneEntered { .. } => EventWord::ZoneEntered,
            EventKind::ZoneExited { .. } => EventWord::ZoneExited,
            EventKind::DoorPassed { .. } => EventWord::DoorPassed,
            EventKind::DoorOpened { .. } => EventWord::DoorOpened,
            EventKind::DoorClosed { .. } => EventWord::DoorClosed,
            EventKind::DoorLocked { .. } => EventWord::DoorLocked,
            EventKind::DoorUnlocked { .. } => EventWord::DoorUnlocked,
            EventKind::FeedRestored { .. } => EventWord::FeedRestored,
            EventKind::FeedFellSilent { .. } => EventWord::FeedFellSilent,
            EventKind::ZoneWentBlind { .. } => EventWord::ZoneWentBlind,
            EventKind::ZoneSighted { .. } => EventWord::ZoneSighted,
            EventKind::TagHeard { .. } => EventWord::TagHeard,
            EventKind::SiteChanged { .. } => EventWord::SiteChanged,
            EventKind::FireTold { .. } => EventWord::FireTold,
            EventKind::FireOver { .. } => EventWord::FireOver,
            EventKind::EmergencyDeclared { kind, .. } => match kind {
                EmergencyKind::Lockdown => EventWord::LockdownDeclared,
                EmergencyKind::Evacuation => EventWord::EvacuationDeclared,
            },
            EventKind::EmergencyEnded { kind, .. } => match kind {
                EmergencyKind::Lockdown => EventWord::LockdownEnded,
                EmergencyKind::Evacuation => EventWord::EvacuationEnded,
            },
        }
    }
}

message! {
    /// A fact. What it is about depends on its kind; the rest is left out.
    pub struct EventNote {
        /// What happened.
        1 => word: EventWord,
        /// When, by shard time.
        2 => at: Timestamp,
        /// The subject.
        3 => subject: Option<Name>,
        /// The zone.
        4 => zone: Option<Name>,
        /// The door.
        5 => door: Option<Name>,
        /// The tag.
        6 => tag: Option<TagId>,
        /// The feed.
        7 => source: Option<Name>,
        /// The anchor.
        8 => anchor: Option<Name>,
        /// How many subjects are in the zone now.
        9 => occupant_count: Option<u32>,
        /// Whether the door was opened with neither grant nor request.
        10 => is_forced: Option<bool>,
        /// The version of the site.
        11 => site_version: Option<u32>,
        /// Whether it is stored.
        12 => storage: Storage,
        /// Its place in the order; resume after it only when it is durable.
        13 => cursor: Cursor,
        /// Whether a lockdown or an evacuation is meant.
        14 => practice: Option<Practice>,
    }
}

message! {
    /// Where a tag is. Positions have no cursor and are not resumed: the next one is better.
    pub struct PositionNote {
        /// The tag.
        1 => tag: TagId,
        /// Whom it is on.
        2 => subject: Option<Name>,
        /// Where it was.
        3 => position: Position,
        /// Accuracy in millimetres; 0 is unknown.
        4 => accuracy_mm: u32,
        /// When it was measured.
        5 => observed_at: Timestamp,
        /// When it was accepted.
        6 => received_at: Timestamp,
    }
}
