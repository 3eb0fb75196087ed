//! The sample hospital's rules about doors, whoever uses them.

use ach_actors_model::{AlarmPriority, SubjectClass};

use super::controls::FOLLOWS_WITHIN_NS;
use super::rules::{MINUTE_NS, SECOND_NS, names, rule};
use crate::{RulePlan, What, WherePlan, WhoPlan};

/// The labels of doors that are controlled in one way or another.
const CONTROLLED: &[&str] = &["controlled", "fire-exit", "secured-door"];

/// The labels of doors that are moved.
const MOVED: &[&str] = &["controlled", "entrance", "fire-exit", "secured-door"];

/// All rules about doors.
pub(super) fn all() -> Vec<RulePlan> {
    let at = |labels: &[&str]| WherePlan { doors_labelled: names(labels), ..WherePlan::default() };
    let of = |id, title, labels, priority, what| RulePlan {
        priority,
        ..rule(id, title, WhoPlan::default(), at(labels), what)
    };
    let (low, medium, high) = (AlarmPriority::Low, AlarmPriority::Medium, AlarmPriority::High);
    // Long enough for a bed and who pushes it.
    let held = What::DoorHeld { after_ns: 90 * SECOND_NS, also_unlocked: false };
    // A fire door keeps no smoke back while it stands open, locked or not.
    let propped = What::DoorHeld { after_ns: 3 * MINUTE_NS, also_unlocked: true };
    let lost = What::DoorLost { after_ns: 10 * MINUTE_NS };
    vec![
        of("door-forced", "A door was forced", CONTROLLED, high, What::DoorForced),
        of("door-held", "A door is held open", &["controlled", "secured-door"], medium, held),
        of("fire-door-held", "A fire door is held open", &["fire-exit"], medium, propped),
        of("door-tampered", "A door was tampered with", CONTROLLED, medium, What::DoorTampered),
        of(
            "reader-tampered",
            "A reader was tampered with",
            CONTROLLED,
            medium,
            What::ReaderTampered,
        ),
        of("door-lost", "A door is not heard", CONTROLLED, medium, lost),
        of(
            "door-battery-low",
            "The battery of a door is low",
            CONTROLLED,
            low,
            What::DoorBatteryLow { percent: 20 },
        ),
        of(
            "door-not-following",
            "A door does not do as it is told",
            MOVED,
            high,
            What::DoorNotFollowing { after_ns: FOLLOWS_WITHIN_NS },
        ),
        RulePlan {
            priority: medium,
            ..rule(
                "badge-elsewhere",
                "A badge was used while its holder was elsewhere",
                WhoPlan { classes: vec![SubjectClass::Staff], ..WhoPlan::default() },
                at(CONTROLLED),
                What::BadgeElsewhere { within_mm: 10_000 },
            )
        },
    ]
}
