//! What doors, buttons, bands, anchors and motion detectors report.

use serde::{Deserialize, Serialize};

use crate::{AnchorRef, BadgeRef, DoorMode, DoorRef, Lane, SourceRef, TagRef, Timestamp, ZoneRef};

/// One report that is not a position. Never conflated, never shed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report {
    /// The vendor's feed.
    pub source: SourceRef,
    /// [`Lane::Duress`] for buttons and bands, [`Lane::Door`] for the rest.
    pub lane: Lane,
    /// The epoch its sequence number belongs to.
    pub epoch: u32,
    /// Its sequence number on the lane.
    pub seq: u64,
    /// When it happened, by the device's clock.
    pub observed_at: Timestamp,
    /// When the session had decoded it, by shard time.
    pub received_at: Timestamp,
    /// What happened.
    pub kind: ReportKind,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReportKind {
    /// A duress button was pressed.
    ButtonPressed {
        /// The tag with the button.
        tag: TagRef,
    },
    /// A duress button was reset by its bearer.
    ButtonReset {
        /// The tag with the button.
        tag: TagRef,
    },
    /// A band was cut or a tag tampered with.
    BandCut {
        /// The tag.
        tag: TagRef,
    },
    /// The band is whole again.
    BandWhole {
        /// The tag.
        tag: TagRef,
    },
    /// The door's position switch opened. Said again while the door stands open it changes nothing,
    /// unless it was not said for ten minutes: then the door was closed meanwhile.
    DoorOpened {
        /// The door.
        door: DoorRef,
    },
    /// The door's position switch closed.
    DoorClosed {
        /// The door.
        door: DoorRef,
    },
    /// The lock has thrown.
    DoorLocked {
        /// The door.
        door: DoorRef,
    },
    /// The lock has drawn back: until it throws again the door may be opened by anybody.
    DoorUnlocked {
        /// The door.
        door: DoorRef,
    },
    /// The reader granted access.
    AccessGranted {
        /// The door.
        door: DoorRef,
        /// How long the door may be opened on this grant, in milliseconds; an hour at most.
        valid_ms: u32,
        /// The badge it was given to, if its controller says so and the site has it.
        badge: Option<BadgeRef>,
    },
    /// Somebody asked to leave by the request-to-exit device.
    ExitRequested {
        /// The door.
        door: DoorRef,
        /// How long the door may be opened on this request, in milliseconds; an hour at most.
        valid_ms: u32,
    },
    /// An anchor of the locating system works.
    AnchorAlive {
        /// The anchor.
        anchor: AnchorRef,
    },
    /// The locating system has lost an anchor.
    AnchorLost {
        /// The anchor.
        anchor: AnchorRef,
    },
    /// The door's housing, or that of its controller, was opened or torn off.
    DoorTampered {
        /// The door.
        door: DoorRef,
    },
    /// The door's housing is whole again.
    DoorUntampered {
        /// The door.
        door: DoorRef,
    },
    /// The door's reader was opened or torn off.
    ReaderTampered {
        /// The door.
        door: DoorRef,
    },
    /// The door's reader is whole again.
    ReaderUntampered {
        /// The door.
        door: DoorRef,
    },
    /// The door works and has nothing else to say.
    DoorAlive {
        /// The door.
        door: DoorRef,
    },
    /// The system of doors has lost a door.
    DoorLost {
        /// The door.
        door: DoorRef,
    },
    /// How full the battery of the door is.
    DoorBattery {
        /// The door.
        door: DoorRef,
        /// Percent, 100 at most.
        percent: u8,
    },
    /// The controller has done what it was told.
    OrderDone {
        /// The door.
        door: DoorRef,
        /// The number of the order.
        number: u64,
    },
    /// The controller does not do what it was told, or cannot.
    OrderRefused {
        /// The door.
        door: DoorRef,
        /// The number of the order.
        number: u64,
    },
    /// The fire input of the door's controller is on.
    FireOn {
        /// The door.
        door: DoorRef,
    },
    /// The fire input is off again: the fire panel was reset.
    FireOver {
        /// The door.
        door: DoorRef,
    },
    /// A key switch at the door has taken it over.
    LocalOverride {
        /// The door.
        door: DoorRef,
        /// What the door does now; nothing if the switch has given it back.
        mode: Option<DoorMode>,
    },
    /// A detector in the zone saw something move. Said again while it goes on.
    MotionSeen {
        /// The zone.
        zone: ZoneRef,
    },
}
