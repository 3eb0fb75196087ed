//! What a site says of each thing, small and ready to be asked.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, DoorMode, DoorRef, LineRef, Name, RuleRef,
    SourceRef, SubjectClass, SubjectRef, ZoneRef,
};
use ach_geo::{Floor, Gates};
use serde::{Deserialize, Serialize};

use super::day_windows::DayWindows;

/// Of a tag. 16 bytes, because there are a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TagPlan {
    source: u32,
    subject: u32,
    /// The rules it is under: its subject's, or those for tags on nobody.
    pub(crate) rule_set: u32,
    /// Fastest plausible speed.
    pub(crate) speed_limit_mm_per_s: u32,
}

impl TagPlan {
    pub(crate) fn new(source: SourceRef, subject: Option<SubjectRef>) -> TagPlan {
        let subject = subject.map_or(u32::MAX, |subject| subject.0);
        TagPlan { source: source.0, subject, rule_set: 0, speed_limit_mm_per_s: 0 }
    }

    /// Of a tag that was removed.
    pub(crate) const REMOVED: TagPlan =
        TagPlan { source: u32::MAX, subject: u32::MAX, rule_set: 0, speed_limit_mm_per_s: 0 };

    pub(crate) fn source(&self) -> Option<SourceRef> {
        (self.source != u32::MAX).then_some(SourceRef(self.source))
    }

    pub(crate) fn subject(&self) -> Option<SubjectRef> {
        (self.subject != u32::MAX).then_some(SubjectRef(self.subject))
    }
}

/// Of a subject. 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SubjectPlan {
    /// `None` if it was removed.
    pub(crate) class: Option<SubjectClass>,
    pub(crate) rule_set: u32,
    /// Where its tags begin in the list of all; they end where the next subject's begin.
    pub(crate) tags_from: u32,
}

/// Of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ZonePlan {
    pub(crate) capacity: Option<u32>,
    /// The watch with the zone's own gates.
    pub(crate) plain_watch: u32,
    /// Rules of kind over capacity.
    pub(crate) capacity_rules: Vec<RuleRef>,
    /// Rules of kind alone.
    pub(crate) lone_rules: Vec<RuleRef>,
    /// Rules of kind motion.
    pub(crate) motion_rules: Vec<RuleRef>,
    /// The feed that tells what moves in it.
    pub(crate) motion_source: Option<SourceRef>,
    /// The feeds that name it among those they see, ascending.
    pub(crate) sources: Vec<SourceRef>,
}

/// Of a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DoorPlan {
    pub(crate) source: Option<SourceRef>,
    /// Rules of kind door forced.
    pub(crate) forced_rules: Vec<RuleRef>,
    /// Rules of kind tailgating.
    pub(crate) passage_rules: Vec<RuleRef>,
    /// Rules about what lasts for a while, ascending.
    pub(crate) state_rules: Vec<RuleRef>,
    /// How the node moves it, if it does.
    pub(crate) control: Option<ControlPlan>,
    /// Words it is selected by, ascending.
    pub(crate) labels: Vec<Name>,
}

/// How the node moves a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlan {
    /// What it does when nobody says anything.
    pub rests: DoorMode,
    /// When it is unlocked.
    pub(crate) hours: DayWindows,
    /// What it does in a lockdown; `None` stays as it is.
    pub on_lockdown: Option<DoorMode>,
    /// Whether an evacuation unlocks it.
    pub opens_on_evacuation: bool,
    /// Whether fire unlocks it.
    pub opens_on_fire: bool,
    /// Whether it moves in a drill.
    pub moves_in_drill: bool,
    /// See [`ach_actors_model::ControlConfig`].
    pub fire_area: Option<Name>,
    /// The doors of which one alone may be open or unlocked at a time.
    pub interlock: Option<Name>,
    /// The zones it lies at, ascending.
    pub zones: Vec<ZoneRef>,
}

/// Of a perimeter line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinePlan {
    pub(crate) floor: Floor,
    pub(crate) points_mm: Vec<(i32, i32)>,
    /// Rules of kind leaves.
    pub(crate) rules: Vec<RuleRef>,
}

/// Of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourcePlan {
    pub(crate) silence_ns: Option<u64>,
}

/// Of an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnchorPlan {
    pub(crate) source: SourceRef,
    /// Ascending.
    pub(crate) zones: Vec<ZoneRef>,
    pub(crate) silence_ns: Option<u64>,
}

/// A pair of zone and gates that movers are watched with. Its number is its key in the index and,
/// like a ref, is never given to another pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WatchPlan {
    pub(crate) zone: ZoneRef,
    pub(crate) gates: Gates,
    pub(crate) floor: Option<Floor>,
    /// Whether it is in the index.
    pub(crate) is_live: bool,
    /// Whether the gates are the zone's own.
    pub(crate) is_plain: bool,
}

/// Of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RulePlan {
    pub(crate) condition: RuleCondition,
    pub(crate) alarm: AlarmKind,
    pub(crate) priority: AlarmPriority,
    pub(crate) is_tentative: bool,
    /// What people owe its alarms; its responses are in `responses`.
    pub(crate) answer: AnswerConfig,
    /// What happens at once when one is raised.
    pub(crate) responses: Vec<ResponsePlan>,
    /// When it holds.
    pub(crate) windows: DayWindows,
    /// Zones, ascending, each with the watch the rule judges it by.
    pub(crate) zones: Vec<(ZoneRef, u32)>,
    /// Ascending.
    pub(crate) lines: Vec<LineRef>,
    /// Ascending.
    pub(crate) doors: Vec<DoorRef>,
    /// How far beyond a line a crossing counts.
    pub(crate) line_tolerance_mm: u32,
    /// What it takes to be back within a line that was not seen to be crossed inward.
    pub(crate) line_gates: Gates,
}

/// What an alarm does at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResponsePlan {
    /// The doors it locks that the node moves, ascending.
    pub(crate) doors: Vec<DoorRef>,
    /// What they do.
    pub(crate) mode: DoorMode,
    /// For how long at most, from when what raised the alarm was observed.
    pub(crate) for_ns: u64,
    /// To whom or what the alarm is handed.
    pub(crate) tell: Vec<Name>,
}

/// What a rule watches; where is told by its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleCondition {
    Inside,
    Leaves,
    Stays,
    TagSilent { after_ns: u64 },
    BatteryLow { percent: u8 },
    BandCut,
    ButtonPressed,
    OverCapacity,
    DoorForced,
    TagsContradict,
    DoorHeld { after_ns: u64, also_unlocked: bool },
    DoorTampered,
    ReaderTampered,
    DoorLost { after_ns: u64 },
    DoorBatteryLow { percent: u8 },
    DoorNotFollowing { after_ns: u64 },
    Away { after_ns: u64 },
    Alone { after_ns: u64 },
    Meets { within_mm: u32, apart_mm: u32, after_ns: u64 },
    Tailgating,
    BadgeElsewhere { within_mm: u32 },
    Motion { after_ns: u64 },
}

impl RuleCondition {
    /// What a rule of a configuration watches.
    pub(crate) fn of(condition: &Condition) -> RuleCondition {
        match *condition {
            Condition::Inside { .. } => RuleCondition::Inside,
            Condition::Leaves { .. } => RuleCondition::Leaves,
            Condition::Stays { .. } => RuleCondition::Stays,
            Condition::OverCapacity { .. } => RuleCondition::OverCapacity,
            Condition::TagSilent { after_ns } => RuleCondition::TagSilent { after_ns },
            Condition::BatteryLow { percent } => RuleCondition::BatteryLow { percent },
            Condition::BandCut => RuleCondition::BandCut,
            Condition::ButtonPressed => RuleCondition::ButtonPressed,
            Condition::TagsContradict => RuleCondition::TagsContradict,
            Condition::DoorForced { .. } => RuleCondition::DoorForced,
            Condition::DoorHeld { after_ns, also_unlocked, .. } => {
                RuleCondition::DoorHeld { after_ns, also_unlocked }
            }
            Condition::DoorTampered { .. } => RuleCondition::DoorTampered,
            Condition::ReaderTampered { .. } => RuleCondition::ReaderTampered,
            Condition::DoorLost { after_ns, .. } => RuleCondition::DoorLost { after_ns },
            Condition::DoorBatteryLow { percent, .. } => RuleCondition::DoorBatteryLow { percent },
            Condition::DoorNotFollowing { after_ns, .. } => {
                RuleCondition::DoorNotFollowing { after_ns }
            }
            Condition::Away { after_ns, .. } => RuleCondition::Away { after_ns },
            Condition::Alone { after_ns, .. } => RuleCondition::Alone { after_ns },
            Condition::Meets { within_mm, apart_mm, after_ns, .. } => {
                RuleCondition::Meets { within_mm, apart_mm, after_ns }
            }
            Condition::Tailgating { .. } => RuleCondition::Tailgating,
            Condition::BadgeElsewhere { within_mm, .. } => {
                RuleCondition::BadgeElsewhere { within_mm }
            }
            Condition::Motion { after_ns, .. } => RuleCondition::Motion { after_ns },
        }
    }

    /// Whether it is about tags, wherever they are.
    pub(crate) fn is_about_tags(self) -> bool {
        match self {
            RuleCondition::TagSilent { .. }
            | RuleCondition::BatteryLow { .. }
            | RuleCondition::BandCut
            | RuleCondition::ButtonPressed
            | RuleCondition::TagsContradict => true,
            RuleCondition::Inside
            | RuleCondition::Leaves
            | RuleCondition::Stays
            | RuleCondition::OverCapacity
            | RuleCondition::DoorForced
            | RuleCondition::DoorHeld { .. }
            | RuleCondition::DoorTampered
            | RuleCondition::ReaderTampered
            | RuleCondition::DoorLost { .. }
            | RuleCondition::DoorBatteryLow { .. }
            | RuleCondition::DoorNotFollowing { .. }
            | RuleCondition::Away { .. }
            | RuleCondition::Alone { .. }
            | RuleCondition::Meets { .. }
            | RuleCondition::Tailgating
            | RuleCondition::BadgeElsewhere { .. }
            | RuleCondition::Motion { .. } => false,
        }
    }

    /// Whether zones judge it by who is in them, so that there is no watch to judge it by.
    pub(crate) fn is_judged_by_zones(self) -> bool {
        matches!(
            self,
            RuleCondition::OverCapacity
                | RuleCondition::Alone { .. }
                | RuleCondition::Motion { .. }
        )
    }

    /// Whether it holds for a while, so that an episode begins and ends with the rule's hours. The
    /// others happen: who left at night is still gone in the morning.
    pub(crate) fn is_state(self) -> bool {
        match self {
            RuleCondition::Inside
            | RuleCondition::Stays
            | RuleCondition::TagSilent { .. }
            | RuleCondition::BatteryLow { .. }
            | RuleCondition::BandCut
            | RuleCondition::OverCapacity
            | RuleCondition::TagsContradict
            | RuleCondition::DoorHeld { .. }
            | RuleCondition::DoorTampered
            | RuleCondition::ReaderTampered
            | RuleCondition::DoorLost { .. }
            | RuleCondition::DoorBatteryLow { .. }
            | RuleCondition::DoorNotFollowing { .. }
            | RuleCondition::Away { .. }
            | RuleCondition::Alone { .. }
            | RuleCondition::Meets { .. } => true,
            RuleCondition::Leaves
            | RuleCondition::ButtonPressed
            | RuleCondition::DoorForced
            | RuleCondition::Tailgating
            | RuleCondition::BadgeElsewhere { .. }
            | RuleCondition::Motion { .. } => false,
        }
    }
}

impl RulePlan {
    /// The watch by which the rule judges a zone, if it names the zone.
    pub(crate) fn watch_of(&self, zone: ZoneRef) -> Option<u32> {
        let place = self.zones.binary_search_by_key(&zone, |&(zone, _)| zone).ok()?;
        self.zones.get(place).map(|&(_, watch)| watch)
    }
}
