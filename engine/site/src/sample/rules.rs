//! The sample hospital's rules, with gates wide enough for the noise of a real system.
//!
//! Noise the gates are made for: 15 cm standard deviation, a bias near walls, single jumps of
//! several metres, lost and late pings. A single jump is never enough: entries and exits want two
//! of the latest three positions, and speeds no one can reach wait for a second ping anyway.

use ach_actors_model::{AlarmKind, AlarmPriority, AnswerConfig, Name, SubjectClass, Window};
use ach_geo::{Confirm, Gates};

use super::answers::asked;
use super::{PERIMETER, name};
use crate::{RulePlan, What, WherePlan, WhoPlan};

pub(super) const SECOND_NS: u64 = 1_000_000_000;
pub(super) const MINUTE_NS: u64 = 60 * SECOND_NS;
pub(super) const HOUR_NS: u64 = 60 * MINUTE_NS;
/// The labels of patients who must not leave.
pub(super) const PROTECTED: &[&str] = &["dementia", "newborn", "psychiatric"];

/// Gates of zones without their own: occupancy that does not flap at walls.
pub(super) fn zone_gates() -> Gates {
    Gates {
        entry_margin_mm: 300,
        exit_tolerance_mm: 800,
        tolerance_timeout_ns: Some(20 * SECOND_NS),
        confirm: Confirm { needed: 2, of: 3 },
        ..Gates::default()
    }
}

/// Leaving: 70 cm beyond the outline, twice; once is tentative. That is what a patient walks in a second, so a
/// tentative alarm comes a ping at most after the line was crossed; at a metre one in five would come later, at half
/// a metre more would be taken back (`docs/specs/score.md`). No tolerance timeout, so that one who stands in a
/// doorway has not left.
fn exit_gates() -> Gates {
    Gates {
        entry_margin_mm: 300,
        exit_tolerance_mm: 700,
        confirm: Confirm { needed: 2, of: 3 },
        ..Gates::default()
    }
}

/// Entering: half a metre inside, twice.
fn entry_gates() -> Gates {
    Gates {
        entry_margin_mm: 500,
        exit_tolerance_mm: 1_000,
        confirm: Confirm { needed: 2, of: 3 },
        ..Gates::default()
    }
}

pub(super) fn names(words: &[&str]) -> Vec<Name> {
    words.iter().map(|word| name(word)).collect()
}

fn who(class: SubjectClass, labels: &[&str], not_labels: &[&str]) -> WhoPlan {
    WhoPlan {
        classes: vec![class],
        labels: names(labels),
        not_labels: names(not_labels),
        subjects: Vec::new(),
    }
}

fn zones(ids: &[&str]) -> WherePlan {
    WherePlan { zones: names(ids), ..WherePlan::default() }
}

pub(super) fn rule(id: &str, title: &str, who: WhoPlan, place: WherePlan, what: What) -> RulePlan {
    RulePlan {
        id: name(id),
        name: title.to_owned(),
        who,
        place,
        when: Vec::new(),
        what,
        alarm: what.alarms().first().copied().unwrap_or(AlarmKind::Elopement),
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
        others: None,
        responses: Vec::new(),
    }
}

/// All rules.
pub(super) fn all() -> Vec<RulePlan> {
    let mut rules = leaving();
    rules.extend(entering());
    rules.extend(tags());
    rules.extend(places());
    rules.extend(super::door_rules::all());
    rules.extend(super::company_rules::all());
    rules.extend(super::passage_rules::all());
    rules.into_iter().map(asked).map(super::responses::given).collect()
}

fn leaving() -> Vec<RulePlan> {
    use SubjectClass::{Asset, Patient};
    let leaves = |id, title, who, place| RulePlan {
        gates: Some(exit_gates()),
        is_tentative: true,
        ..rule(id, title, who, place, What::Leaves)
    };
    let steals = |id, title, who, place| RulePlan {
        alarm: AlarmKind::AssetTheft,
        is_tentative: false,
        ..leaves(id, title, who, place)
    };
    vec![
        leaves(
            "dementia-elopement",
            "A patient with dementia leaves the ward",
            who(Patient, &["dementia"], &["escorted"]),
            zones(&["dementia-ward"]),
        ),
        leaves(
            "infant-elopement",
            "A newborn leaves the maternity ward",
            who(Patient, &["newborn"], &["discharged"]),
            zones(&["maternity-ward"]),
        ),
        leaves(
            "psychiatric-elopement",
            "A psychiatric patient leaves the ward",
            who(Patient, &["psychiatric"], &["escorted"]),
            zones(&["psychiatric-ward"]),
        ),
        RulePlan {
            gates: None,
            is_tentative: false,
            ..leaves(
                "perimeter-elopement",
                "A protected patient leaves the building",
                who(Patient, PROTECTED, &["discharged"]),
                WherePlan { lines: names(&[PERIMETER]), ..WherePlan::default() },
            )
        },
        steals(
            "pump-theft",
            "An infusion pump of intensive care leaves the ward",
            who(Asset, &["icu-pump"], &[]),
            zones(&["icu"]),
        ),
        RulePlan {
            priority: AlarmPriority::Medium,
            ..steals(
                "stored-pump-theft",
                "A stored infusion pump leaves the equipment store's wing",
                who(Asset, &["stored"], &[]),
                zones(&["logistics"]),
            )
        },
        steals(
            "equipment-theft",
            "Equipment leaves the building",
            who(Asset, &[], &["ambulance"]),
            WherePlan { lines: names(&[PERIMETER]), ..zones(&["building"]) },
        ),
    ]
}

fn entering() -> Vec<RulePlan> {
    use SubjectClass::{Patient, Visitor};
    let enters = |id, title, who, place| RulePlan {
        gates: Some(entry_gates()),
        ..rule(id, title, who, place, What::Inside)
    };
    vec![
        enters(
            "drug-store-entry",
            "A visitor or patient is in the drug store",
            WhoPlan { classes: vec![Patient, Visitor], ..WhoPlan::default() },
            zones(&["drug-store"]),
        ),
        enters(
            "psychiatric-entry",
            "A visitor is in the psychiatric ward without leave",
            who(Visitor, &[], &["psychiatric-visit"]),
            WherePlan { zones_labelled: names(&["no-visitors"]), ..WherePlan::default() },
        ),
        enters(
            "nursery-entry",
            "A visitor who is not family is in the nursery",
            who(Visitor, &[], &["family"]),
            zones(&["nursery"]),
        ),
        RulePlan {
            priority: AlarmPriority::Medium,
            ..enters(
                "theatre-entry",
                "A visitor is in the operating theatres",
                who(Visitor, &[], &["contractor"]),
                zones(&["surgery"]),
            )
        },
        RulePlan {
            // Nights, every day.
            when: vec![Window {
                weekdays: Window::EVERY_DAY,
                from_s: 22 * 3_600,
                until_s: 5 * 3_600,
            }],
            priority: AlarmPriority::Low,
            ..enters(
                "night-logistics-entry",
                "A contractor is in the basement's logistics at night",
                who(Visitor, &["contractor"], &[]),
                zones(&["logistics"]),
            )
        },
        RulePlan { priority: AlarmPriority::Medium, ..lingers() },
    ]
}

/// Standing for a minute where only the ward's door is.
fn lingers() -> RulePlan {
    RulePlan {
        gates: Some(entry_gates()),
        ..rule(
            "dementia-loitering",
            "A patient with dementia lingers at the ward's exit",
            who(SubjectClass::Patient, &["dementia"], &["escorted"]),
            zones(&["dementia-exit"]),
            What::Stays { after_ns: MINUTE_NS },
        )
    }
}

fn tags() -> Vec<RulePlan> {
    use SubjectClass::{Asset, Patient, Staff};
    let anywhere = WherePlan::default;
    let with = |priority, plan: RulePlan| RulePlan { priority, ..plan };
    vec![
        rule("duress", "Duress", who(Staff, &[], &[]), anywhere(), What::ButtonPressed),
        rule("band-cut", "A band was cut", who(Patient, &[], &[]), anywhere(), What::BandCut),
        with(
            AlarmPriority::Medium,
            rule(
                "asset-tamper",
                "A tag was torn off equipment",
                who(Asset, &[], &[]),
                anywhere(),
                What::BandCut,
            ),
        ),
        with(
            AlarmPriority::Medium,
            rule(
                "protected-tag-silent",
                "A protected patient's tag is silent",
                who(Patient, PROTECTED, &[]),
                anywhere(),
                What::TagSilent { after_ns: 2 * MINUTE_NS },
            ),
        ),
        with(
            AlarmPriority::Low,
            rule(
                "tag-silent",
                "A tag is silent",
                // Those of protected patients have been told of long before.
                WhoPlan { not_labels: names(PROTECTED), ..WhoPlan::default() },
                anywhere(),
                What::TagSilent { after_ns: 15 * MINUTE_NS },
            ),
        ),
        with(
            AlarmPriority::Low,
            rule(
                "battery-low",
                "A tag's battery is low",
                WhoPlan::default(),
                anywhere(),
                What::BatteryLow { percent: 10 },
            ),
        ),
    ]
}

fn places() -> Vec<RulePlan> {
    vec![RulePlan {
        priority: AlarmPriority::Low,
        ..rule(
            "cafeteria-full",
            "The cafeteria is over its capacity",
            WhoPlan {
                classes: vec![SubjectClass::Patient, SubjectClass::Staff, SubjectClass::Visitor],
                ..WhoPlan::default()
            },
            zones(&["cafeteria"]),
            What::OverCapacity,
        )
    }]
}
