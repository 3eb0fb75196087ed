//! A site as it is journaled: ids and geometry, no personal data.
//!
//! Lists refer to each other by position. `ach-engine-site` makes one of a site directory, the shard
//! compiles it. Nothing here is trusted until it has been compiled.

use ach_geo::{Floor, Gates, Height, Outline};
use serde::{Deserialize, Serialize};

use crate::{AlarmKind, AlarmPriority, AnswerConfig, DoorMode, Name, TagId, Timestamp};

/// A whole site in one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteConfig {
    /// The site's id.
    pub site: Name,
    /// Counts up with every change.
    pub version: u32,
    /// Offsets from UTC by moment, ascending, the first at time 0. Made from the site's time zone
    /// when it is read, so that replicas with different time zone databases agree.
    pub utc_offsets: Vec<UtcOffset>,
    /// Fastest plausible speed by class.
    pub speed_limits: Vec<SpeedLimit>,
    /// Vendors' feeds.
    pub sources: Vec<SourceConfig>,
    /// Anchors of locating systems.
    pub anchors: Vec<AnchorConfig>,
    /// Zones.
    pub zones: Vec<ZoneConfig>,
    /// Doors.
    pub doors: Vec<DoorConfig>,
    /// Perimeter lines.
    pub lines: Vec<LineConfig>,
    /// Subjects.
    pub subjects: Vec<SubjectConfig>,
    /// Tags.
    pub tags: Vec<TagConfig>,
    /// Rules.
    pub rules: Vec<RuleConfig>,
    /// Longest time between two fixes over which a crossing of a line or door is believed.
    pub largest_gap_ns: u64,
    /// Days on which [`Window::HOLIDAYS`] holds in place of the weekday: local days since
    /// 1970-01-01, ascending.
    pub holidays: Vec<u32>,
    /// Badges.
    pub badges: Vec<BadgeConfig>,
}

/// From `from` on, local time is UTC plus `offset_s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UtcOffset {
    /// First moment.
    pub from: Timestamp,
    /// Seconds to add to UTC.
    pub offset_s: i32,
}

/// Fastest plausible speed of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeedLimit {
    /// The class.
    pub class: SubjectClass,
    /// Millimetres a second.
    pub mm_per_s: u32,
}

/// What kind of subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectClass {
    /// A patient.
    Patient,
    /// A member of staff.
    Staff,
    /// A visitor or contractor.
    Visitor,
    /// A thing.
    Asset,
}

/// A vendor's feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceConfig {
    /// Its id, as in the vendor's certificate.
    pub id: Name,
    /// How long the whole feed may be silent once it has spoken; `None` is for ever.
    pub silence_ns: Option<u64>,
    /// Indexes of the zones it sees: blind while none of the feeds that see them is heard. A feed
    /// that has tags and names no zone sees every one.
    pub zones: Vec<u32>,
}

/// An anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorConfig {
    /// Its id.
    pub id: Name,
    /// Index of the feed it belongs to.
    pub source: u32,
    /// Indexes of the zones that are blind without it.
    pub zones: Vec<u32>,
    /// How long it may go without a sign of life once it has given one; `None` is for ever.
    pub silence_ns: Option<u64>,
}

/// A zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneConfig {
    /// Its id.
    pub id: Name,
    /// Words rules select it by.
    pub labels: Vec<Name>,
    /// Its floor; `None` is every floor.
    pub floor: Option<Floor>,
    /// Its outline.
    pub outline: Outline,
    /// Its range of heights; `None` is every height.
    pub height: Option<Height>,
    /// How many subjects it may hold; `None` is any number.
    pub capacity: Option<u32>,
    /// Index of the feed that tells what moves in it, if one does.
    pub motion_source: Option<u32>,
    /// Gates of its occupancy, and of rules that name none of their own.
    pub gates: Gates,
}

/// A door: an opening that people pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorConfig {
    /// Its id.
    pub id: Name,
    /// Words rules select it by.
    pub labels: Vec<Name>,
    /// Index of the feed that reports it, if it is wired.
    pub source: Option<u32>,
    /// Its floor.
    pub floor: Floor,
    /// The two ends of its sill.
    pub sill_mm: ((i32, i32), (i32, i32)),
    /// How the node moves it; `None` if it does not.
    pub control: Option<ControlConfig>,
}

/// How the node moves a door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlConfig {
    /// What it does when nobody says anything.
    pub rests: DoorMode,
    /// When it is unlocked; empty is never.
    pub unlocked_when: Vec<Window>,
    /// What it does in a lockdown; `None` stays as it is.
    pub on_lockdown: Option<DoorMode>,
    /// Whether an evacuation unlocks it.
    pub opens_on_evacuation: bool,
    /// Whether fire unlocks it.
    pub opens_on_fire: bool,
    /// Whether it moves in a drill.
    pub moves_in_drill: bool,
    /// The area in which a fire concerns it; `None` is the whole site, and a fire told by a door
    /// without an area concerns every door.
    pub fire_area: Option<Name>,
    /// The doors of which one alone may be open or unlocked at a time.
    pub interlock: Option<Name>,
    /// Indexes of the zones it lies at.
    pub zones: Vec<u32>,
}

/// A perimeter line. Inside is on the left when going from the first point to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineConfig {
    /// Its id.
    pub id: Name,
    /// Words rules select it by.
    pub labels: Vec<Name>,
    /// Its floor.
    pub floor: Floor,
    /// Its points, at least two.
    pub points_mm: Vec<(i32, i32)>,
}

/// A subject. Names of people are not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectConfig {
    /// Its id.
    pub id: Name,
    /// Its class.
    pub class: SubjectClass,
    /// Words rules select it by.
    pub labels: Vec<Name>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagConfig {
    /// Its factory number.
    pub id: TagId,
    /// Index of the feed that may report it.
    pub source: u32,
    /// Index of the subject it is on, if any.
    pub subject: Option<u32>,
}

/// A badge that opens doors: a credential of a person, as the system of doors knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadgeConfig {
    /// Its id.
    pub id: Name,
    /// Index of the subject it is given to.
    pub subject: u32,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleConfig {
    /// Its stable id: alarms are known by it, so it outlives edits of the rule.
    pub id: Name,
    /// Whom it is about.
    pub who: Who,
    /// When it holds; empty is always.
    pub when: Vec<Window>,
    /// What it watches.
    pub condition: Condition,
    /// What it raises.
    pub alarm: AlarmKind,
    /// With which priority.
    pub priority: AlarmPriority,
    /// Its own gates; `None` takes the zone's.
    pub gates: Option<Gates>,
    /// Whether it fires tentatively on first evidence and is upheld or retracted when its gates
    /// have spoken. Without it, it fires when the gates have passed.
    pub is_tentative: bool,
    /// What people owe its alarms.
    pub answer: AnswerConfig,
}

/// Whom a rule is about. Empty lists select all; `labels_none` excludes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Who {
    /// Any of these classes.
    pub classes: Vec<SubjectClass>,
    /// Any of these labels.
    pub labels_any: Vec<Name>,
    /// None of these labels.
    pub labels_none: Vec<Name>,
    /// Any of these subjects, by index.
    pub subjects: Vec<u32>,
}

/// A window of local time. A window with `until_s` not after `from_s` ends on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// The day on which the window begins: bit 0 is Monday, bit 7 is [`Window::HOLIDAYS`]. A holiday
    /// is that, and no weekday.
    pub weekdays: u8,
    /// Seconds after local midnight, inclusive.
    pub from_s: u32,
    /// Seconds after local midnight, exclusive.
    pub until_s: u32,
}

impl Window {
    /// The bit of holidays in `weekdays`.
    pub const HOLIDAYS: u8 = 0x80;
    /// Every day, be it a holiday or not.
    pub const EVERY_DAY: u8 = 0xFF;
}

/// What a rule watches. Lists hold indexes; the selection by label was made when the site was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Being in one of the zones.
    Inside {
        /// Zones.
        zones: Vec<u32>,
    },
    /// Leaving one of the zones after having been in it, or crossing a line outward.
    Leaves {
        /// Zones.
        zones: Vec<u32>,
        /// Perimeter lines.
        lines: Vec<u32>,
    },
    /// Staying in one of the zones.
    Stays {
        /// Zones.
        zones: Vec<u32>,
        /// For how long.
        after_ns: u64,
    },
    /// The subject's tag is silent.
    TagSilent {
        /// For how long.
        after_ns: u64,
    },
    /// The tag's battery is at or below.
    BatteryLow {
        /// Percent.
        percent: u8,
    },
    /// The band was cut.
    BandCut,
    /// The duress button was pressed.
    ButtonPressed,
    /// More subjects than the zone's capacity.
    OverCapacity {
        /// Zones.
        zones: Vec<u32>,
    },
    /// A door was opened without a grant or a request to exit, its lock not drawn back.
    DoorForced {
        /// Doors.
        doors: Vec<u32>,
    },
    /// Tags on the subject are too far apart to be on one body.
    TagsContradict,
    /// A door stands open for too long.
    DoorHeld {
        /// Doors.
        doors: Vec<u32>,
        /// For how long.
        after_ns: u64,
        /// Whether it may not even while its lock is drawn back.
        also_unlocked: bool,
    },
    /// A door's housing, or that of its controller, was opened or torn off.
    DoorTampered {
        /// Doors.
        doors: Vec<u32>,
    },
    /// A door's reader was opened or torn off.
    ReaderTampered {
        /// Doors.
        doors: Vec<u32>,
    },
    /// A door's system says that it has lost it, or the door gives no sign of life.
    DoorLost {
        /// Doors.
        doors: Vec<u32>,
        /// For how long.
        after_ns: u64,
    },
    /// A door's battery is at or below.
    DoorBatteryLow {
        /// Doors.
        doors: Vec<u32>,
        /// Percent.
        percent: u8,
    },
    /// A door is not as it was told to be.
    DoorNotFollowing {
        /// Doors.
        doors: Vec<u32>,
        /// For how long.
        after_ns: u64,
    },
    /// Being outside all of the zones.
    Away {
        /// Zones.
        zones: Vec<u32>,
        /// For how long.
        after_ns: u64,
    },
    /// Being in one of the zones without company.
    Alone {
        /// Zones.
        zones: Vec<u32>,
        /// Who is company.
        with: Who,
        /// For how long.
        after_ns: u64,
    },
    /// Being near somebody.
    Meets {
        /// Zones, of which both must be in the same one; none is anywhere.
        zones: Vec<u32>,
        /// Near whom.
        whom: Who,
        /// How near, in millimetres.
        within_mm: u32,
        /// How far from each other two are who meet no more; not less.
        apart_mm: u32,
        /// For how long.
        after_ns: u64,
    },
    /// Going through a door of which more make use than there was leave for.
    Tailgating {
        /// Doors.
        doors: Vec<u32>,
        /// Who makes use of leave besides, and first.
        with: Option<Who>,
    },
    /// A badge of the subject was granted access at a door that the subject was too far from.
    BadgeElsewhere {
        /// Doors.
        doors: Vec<u32>,
        /// How far from a door whoever shows a badge there may seem to be, in millimetres.
        within_mm: u32,
    },
    /// Something moves in one of the zones in which nobody is.
    Motion {
        /// Zones.
        zones: Vec<u32>,
        /// Who would account for it.
        with: Who,
        /// How long before or after it they may have been there.
        after_ns: u64,
    },
}

impl Condition {
    /// Whether its alarm may wait until it has held for a while: it lasts, and has no such time of its own.
    pub fn may_begin_late(&self) -> bool {
        matches!(
            self,
            Condition::Inside { .. }
                | Condition::Leaves { .. }
                | Condition::OverCapacity { .. }
                | Condition::BatteryLow { .. }
                | Condition::DoorBatteryLow { .. }
        )
    }

    /// Whether its alarm may wait until it has been over for a while: it lasts, and ends by itself.
    pub fn may_end_late(&self) -> bool {
        self.may_begin_late()
            || matches!(
                self,
                Condition::Stays { .. }
                    | Condition::TagSilent { .. }
                    | Condition::DoorHeld { .. }
                    | Condition::DoorTampered { .. }
                    | Condition::ReaderTampered { .. }
                    | Condition::DoorLost { .. }
                    | Condition::DoorNotFollowing { .. }
                    | Condition::Away { .. }
                    | Condition::Alone { .. }
                    | Condition::Meets { .. }
            )
    }

    /// The doors it watches, as it has them.
    pub fn doors(&self) -> &[u32] {
        match self {
            Condition::DoorForced { doors }
            | Condition::DoorHeld { doors, .. }
            | Condition::DoorTampered { doors }
            | Condition::ReaderTampered { doors }
            | Condition::DoorLost { doors, .. }
            | Condition::DoorBatteryLow { doors, .. }
            | Condition::DoorNotFollowing { doors, .. }
            | Condition::Tailgating { doors, .. }
            | Condition::BadgeElsewhere { doors, .. } => doors,
            Condition::Inside { .. }
            | Condition::Leaves { .. }
            | Condition::Stays { .. }
            | Condition::TagSilent { .. }
            | Condition::BatteryLow { .. }
            | Condition::BandCut
            | Condition::ButtonPressed
            | Condition::OverCapacity { .. }
            | Condition::TagsContradict
            | Condition::Away { .. }
            | Condition::Alone { .. }
            | Condition::Meets { .. }
            | Condition::Motion { .. } => &[],
        }
    }

    /// Whom else it is about, beside those the rule is about.
    pub fn others(&self) -> Option<&Who> {
        match self {
            Condition::Alone { with, .. } | Condition::Motion { with, .. } => Some(with),
            Condition::Meets { whom, .. } => Some(whom),
            Condition::Tailgating { with, .. } => with.as_ref(),
            _ => None,
        }
    }
}
