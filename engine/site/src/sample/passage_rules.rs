//! The sample hospital's rules about who goes through doors.

use ach_actors_model::SubjectClass;

use super::rules::{PROTECTED, names, rule};
use crate::{RulePlan, What, WherePlan, WhoPlan};

/// All of them. Staff go through together and hold doors for each other all day; that is no alarm.
pub(super) fn all() -> Vec<RulePlan> {
    let of = |class| WhoPlan { classes: vec![class], ..WhoPlan::default() };
    vec![RulePlan {
        others: Some(WhoPlan {
            classes: vec![SubjectClass::Staff, SubjectClass::Visitor],
            ..WhoPlan::default()
        }),
        ..rule(
            "piggyback-exit",
            "A protected patient goes through a secured door on another's leave",
            WhoPlan { labels: names(PROTECTED), ..of(SubjectClass::Patient) },
            WherePlan { doors_labelled: names(&["secured-door"]), ..WherePlan::default() },
            What::Tailgating,
        )
    }]
}
