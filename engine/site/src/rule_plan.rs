//! A rule as people write it: by ids and labels.

use ach_actors_model::{AlarmKind, AlarmPriority, AnswerConfig, Name, SubjectClass, Window};
use ach_geo::Gates;

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RulePlan {
    /// Its stable id: alarms are known by it.
    pub id: Name,
    /// What people call it.
    pub name: String,
    /// Whom it is about.
    pub who: WhoPlan,
    /// Where it watches.
    pub place: WherePlan,
    /// When it holds; empty is always.
    pub when: Vec<Window>,
    /// What it watches.
    pub what: What,
    /// What it raises.
    pub alarm: AlarmKind,
    /// With which priority.
    pub priority: AlarmPriority,
    /// Its own gates; `None` takes each zone's.
    pub gates: Option<Gates>,
    /// Whether it fires on first evidence, to be upheld or retracted.
    pub is_tentative: bool,
    /// What people owe its alarms.
    pub answer: AnswerConfig,
    /// Whom else it is about, where it is about others too; `None` is the usual.
    pub others: Option<WhoPlan>,
    /// What happens at once when it raises an alarm, by the ids of responses.
    pub responses: Vec<Name>,
}

impl RulePlan {
    /// Whom else it is about, said or not; `None` if there are no others.
    pub fn others_meant(&self) -> Option<WhoPlan> {
        self.others.clone().or_else(|| self.what.others())
    }
}

/// Whom a rule is about. Empty lists select all; `not_labels` excludes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WhoPlan {
    /// Any of these classes.
    pub classes: Vec<SubjectClass>,
    /// Any of these labels.
    pub labels: Vec<Name>,
    /// None of these labels.
    pub not_labels: Vec<Name>,
    /// Any of these subjects.
    pub subjects: Vec<Name>,
}

/// Where a rule watches: the union of what is named and what is labelled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WherePlan {
    /// Zones by id.
    pub zones: Vec<Name>,
    /// Zones by label.
    pub zones_labelled: Vec<Name>,
    /// Doors by id.
    pub doors: Vec<Name>,
    /// Doors by label.
    pub doors_labelled: Vec<Name>,
    /// Perimeter lines by id.
    pub lines: Vec<Name>,
    /// Perimeter lines by label.
    pub lines_labelled: Vec<Name>,
}

/// What a rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// Being in a zone.
    Inside,
    /// Leaving a zone, or crossing a line outward.
    Leaves,
    /// Staying in a zone.
    Stays {
        /// For how long.
        after_ns: u64,
    },
    /// A tag is silent.
    TagSilent {
        /// For how long.
        after_ns: u64,
    },
    /// A battery is at or below.
    BatteryLow {
        /// Percent.
        percent: u8,
    },
    /// A band was cut.
    BandCut,
    /// A duress button was pressed.
    ButtonPressed,
    /// More subjects than a zone may hold.
    OverCapacity,
    /// A door was opened with neither grant nor request to exit.
    DoorForced,
    /// Tags on one subject are too far apart to be on one body.
    TagsContradict,
    /// A door stands open for too long.
    DoorHeld {
        /// For how long.
        after_ns: u64,
        /// Whether it may not even while its lock is drawn back.
        also_unlocked: bool,
    },
    /// A door's housing, or that of its controller, was opened or torn off.
    DoorTampered,
    /// A door's reader was opened or torn off.
    ReaderTampered,
    /// A door's system has lost it, or the door is silent.
    DoorLost {
        /// For how long.
        after_ns: u64,
    },
    /// A door's battery is at or below.
    DoorBatteryLow {
        /// Percent.
        percent: u8,
    },
    /// A door is not as it was told to be.
    DoorNotFollowing {
        /// For how long.
        after_ns: u64,
    },
    /// Being outside all zones.
    Away {
        /// For how long.
        after_ns: u64,
    },
    /// Being in a zone without company.
    Alone {
        /// For how long.
        after_ns: u64,
    },
    /// Being near somebody.
    Meets {
        /// How near, in millimetres.
        within_mm: u32,
        /// How far from each other two are who meet no more.
        apart_mm: u32,
        /// For how long.
        after_ns: u64,
    },
    /// Going through a door of which more make use than there was leave for.
    Tailgating,
    /// A badge is granted access at a door its holder is too far from.
    BadgeElsewhere {
        /// How far from a door whoever shows a badge there may seem to be, in millimetres.
        within_mm: u32,
    },
    /// Something moves in a zone in which nobody is.
    Motion {
        /// How long before or after it somebody may have been there.
        after_ns: u64,
    },
}

impl What {
    /// Whether gates decide when it is so, and it can be told on first evidence.
    pub fn has_gates(self) -> bool {
        matches!(self, What::Inside | What::Leaves | What::Stays { .. } | What::Away { .. })
    }

    /// How long it must last, by a time of its own, in nanoseconds.
    pub fn after_ns(self) -> Option<u64> {
        match self {
            What::Stays { after_ns }
            | What::TagSilent { after_ns }
            | What::DoorHeld { after_ns, .. }
            | What::DoorLost { after_ns }
            | What::DoorNotFollowing { after_ns }
            | What::Away { after_ns }
            | What::Alone { after_ns }
            | What::Motion { after_ns }
            | What::Meets { after_ns, .. } => Some(after_ns),
            _ => None,
        }
    }

    /// Whom else it is about where the rule does not say.
    pub fn others(self) -> Option<WhoPlan> {
        match self {
            What::Alone { .. } => {
                Some(WhoPlan { classes: vec![SubjectClass::Staff], ..WhoPlan::default() })
            }
            // Equipment does not move by itself.
            What::Motion { .. } => {
                let people = [SubjectClass::Patient, SubjectClass::Staff, SubjectClass::Visitor];
                Some(WhoPlan { classes: people.to_vec(), ..WhoPlan::default() })
            }
            _ => None,
        }
    }

    /// Whether it is about nobody in particular.
    pub fn is_about_nobody(self) -> bool {
        self.is_about_doors() || matches!(self, What::Motion { .. })
    }

    /// Whether it is about doors, and nobody in particular.
    pub fn is_about_doors(self) -> bool {
        matches!(
            self,
            What::DoorForced
                | What::DoorHeld { .. }
                | What::DoorTampered
                | What::ReaderTampered
                | What::DoorLost { .. }
                | What::DoorBatteryLow { .. }
                | What::DoorNotFollowing { .. }
        )
    }

    /// Whether it watches doors, whoever it is about.
    pub fn is_at_doors(self) -> bool {
        self.is_about_doors() || matches!(self, What::Tailgating | What::BadgeElsewhere { .. })
    }

    /// Whether it goes on for a while, and begins and ends with the rule's hours. What happens in a moment does
    /// not: who left at night is still gone in the morning.
    pub fn is_state(self) -> bool {
        !matches!(
            self,
            What::Leaves
                | What::ButtonPressed
                | What::DoorForced
                | What::Tailgating
                | What::BadgeElsewhere { .. }
                | What::Motion { .. }
        )
    }

    /// The alarms it can raise; the first is taken where the rule names none, unless there is a
    /// choice.
    pub fn alarms(self) -> &'static [AlarmKind] {
        match self {
            What::Inside => &[AlarmKind::UnauthorisedEntry],
            What::Leaves => &[AlarmKind::Elopement, AlarmKind::AssetTheft],
            What::Stays { .. } => &[AlarmKind::Loitering],
            What::TagSilent { .. } => &[AlarmKind::TagSilent],
            What::BatteryLow { .. } => &[AlarmKind::BatteryLow],
            What::BandCut => &[AlarmKind::BandCut],
            What::ButtonPressed => &[AlarmKind::Duress],
            What::OverCapacity => &[AlarmKind::OverCapacity],
            What::DoorForced => &[AlarmKind::DoorForced],
            What::TagsContradict => &[AlarmKind::TagsContradict],
            What::DoorHeld { .. } => &[AlarmKind::DoorHeld],
            What::DoorTampered => &[AlarmKind::DoorTampered],
            What::ReaderTampered => &[AlarmKind::ReaderTampered],
            What::DoorLost { .. } => &[AlarmKind::DoorLost],
            What::DoorBatteryLow { .. } => &[AlarmKind::DoorBatteryLow],
            What::DoorNotFollowing { .. } => &[AlarmKind::DoorNotFollowing],
            What::Away { .. } => &[AlarmKind::AssetNotReturned],
            What::Alone { .. } => &[AlarmKind::LoneWorker],
            What::Meets { .. } => &[AlarmKind::ForbiddenMeeting],
            What::Tailgating => &[AlarmKind::Tailgating],
            What::BadgeElsewhere { .. } => &[AlarmKind::BadgeElsewhere],
            What::Motion { .. } => &[AlarmKind::UnexplainedMotion],
        }
    }
}
