//! The sample hospital's rules about what is away, who is alone, and what moves where nobody is.

use ach_actors_model::{AlarmPriority, SubjectClass, Window};

use super::rules::{HOUR_NS, MINUTE_NS, SECOND_NS, names, rule};
use crate::{RulePlan, What, WherePlan, WhoPlan};

/// Every night.
const NIGHT: Window =
    Window { weekdays: Window::EVERY_DAY, from_s: 20 * 3_600, until_s: 6 * 3_600 };

/// All of them.
pub(super) fn all() -> Vec<RulePlan> {
    let at = |zones: &[&str]| WherePlan { zones: names(zones), ..WherePlan::default() };
    let who = |class, label| WhoPlan {
        classes: vec![class],
        labels: names(&[label]),
        ..WhoPlan::default()
    };
    vec![
        stranger(),
        // Lent out for a transport it is back within hours.
        RulePlan {
            priority: AlarmPriority::Low,
            ..rule(
                "ventilator-not-returned",
                "A ventilator was not returned to intensive care",
                who(SubjectClass::Asset, "ventilator"),
                at(&["icu"]),
                What::Away { after_ns: 24 * HOUR_NS },
            )
        },
        RulePlan {
            priority: AlarmPriority::Medium,
            when: vec![NIGHT],
            ..rule(
                "drug-store-alone",
                "Somebody of the pharmacy is alone in the drug store for long at night",
                who(SubjectClass::Staff, "pharmacy"),
                at(&["drug-store"]),
                What::Alone { after_ns: 30 * MINUTE_NS },
            )
        },
        // Somebody without a tag is seen by nothing else.
        RulePlan {
            when: vec![NIGHT],
            ..rule(
                "drug-store-motion",
                "Something moves in the drug store at night and nobody is there",
                WhoPlan::default(),
                at(&["drug-store"]),
                What::Motion { after_ns: 10 * SECOND_NS },
            )
        },
    ]
}

/// Near for as long as a passer-by on the other side of a wall is not.
fn stranger() -> RulePlan {
    let visitor = WhoPlan { classes: vec![SubjectClass::Visitor], ..WhoPlan::default() };
    let (patient, newborn) = (vec![SubjectClass::Patient], names(&["newborn"]));
    RulePlan {
        priority: AlarmPriority::Medium,
        others: Some(WhoPlan { not_labels: names(&["family"]), ..visitor }),
        ..rule(
            "infant-stranger",
            "A visitor who is not family stays beside a newborn",
            WhoPlan { classes: patient, labels: newborn, ..WhoPlan::default() },
            WherePlan { zones: names(&["nursery"]), ..WherePlan::default() },
            What::Meets { within_mm: 1_500, apart_mm: 3_000, after_ns: MINUTE_NS },
        )
    }
}
