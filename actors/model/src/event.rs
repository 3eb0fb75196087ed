//! Facts, past tense, for those who follow what happens.

use serde::{Deserialize, Serialize};

use crate::{
    AnchorRef, DoorRef, EmergencyKind, Practice, SourceRef, SubjectRef, TagRef, Timestamp, ZoneRef,
};

/// A fact about the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// Shard time.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// A subject came into a zone.
    ZoneEntered {
        /// The subject.
        subject: SubjectRef,
        /// The zone.
        zone: ZoneRef,
        /// The tag that showed it.
        tag: TagRef,
        /// How many subjects are in the zone now.
        occupant_count: u32,
    },
    /// A subject left a zone.
    ZoneExited {
        /// The subject.
        subject: SubjectRef,
        /// The zone.
        zone: ZoneRef,
        /// The tag that showed it.
        tag: TagRef,
        /// How many subjects are in the zone now.
        occupant_count: u32,
    },
    /// A subject went through a door.
    DoorPassed {
        /// The subject.
        subject: SubjectRef,
        /// The door.
        door: DoorRef,
        /// The tag that showed it.
        tag: TagRef,
    },
    /// A door opened.
    DoorOpened {
        /// The door.
        door: DoorRef,
        /// Whether it was opened without leave: a grant, a request to exit or a lock drawn back.
        is_forced: bool,
    },
    /// A door closed.
    DoorClosed {
        /// The door.
        door: DoorRef,
    },
    /// A lock has thrown.
    DoorLocked {
        /// The door.
        door: DoorRef,
    },
    /// A lock has drawn back.
    DoorUnlocked {
        /// The door.
        door: DoorRef,
    },
    /// A feed was heard again, or for the first time while another was silent. Zones it sees that
    /// were blind for want of a feed are blind no more.
    FeedRestored {
        /// The feed.
        source: SourceRef,
    },
    /// A feed fell silent. Zones it sees are blind if no other feed that sees them is heard.
    FeedFellSilent {
        /// The feed.
        source: SourceRef,
    },
    /// A zone is blind for want of an anchor.
    ZoneWentBlind {
        /// The zone.
        zone: ZoneRef,
        /// The first anchor that was lost of those that cover it.
        without: AnchorRef,
    },
    /// Every anchor that covers a zone works again.
    ZoneSighted {
        /// The zone.
        zone: ZoneRef,
    },
    /// A tag was heard again after it was silent.
    TagHeard {
        /// The tag.
        tag: TagRef,
    },
    /// A new version of the site is in force.
    SiteChanged {
        /// The version.
        version: u32,
    },
    /// A fire is told at a door.
    FireTold {
        /// The door.
        door: DoorRef,
    },
    /// It is over.
    FireOver {
        /// The door.
        door: DoorRef,
    },
    /// A lockdown or an evacuation has begun, or lasts longer.
    EmergencyDeclared {
        /// What.
        kind: EmergencyKind,
        /// Whether it is meant.
        practice: Practice,
        /// The zone, if it is for the doors of one.
        zone: Option<ZoneRef>,
    },
    /// It has ended.
    EmergencyEnded {
        /// What.
        kind: EmergencyKind,
        /// Whether it was meant.
        practice: Practice,
        /// The zone, if it was for the doors of one.
        zone: Option<ZoneRef>,
    },
}
