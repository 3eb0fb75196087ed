//! Grants that say whose badge it was, from the report of a controller to the alarm.

use ach_actors_model::{AlarmKind, AlarmNotice, AlarmTransition, BadgeConfig, Condition, Who};

use super::hospital::{hospital, name};
use super::play::{Played, play};
use super::script::Script;

/// A day on which every badge is looked at: sam has card-1, and the exit is at 5.5,0.
fn told(story: &str) -> Played {
    let mut config = hospital();
    let condition = Condition::BadgeElsewhere { doors: vec![0], within_mm: 3_000 };
    let mut rule = config.rules[0].clone();
    (rule.id, rule.who, rule.when) = (name("badge"), Who::default(), Vec::new());
    (rule.condition, rule.alarm, rule.gates) = (condition, AlarmKind::BadgeElsewhere, None);
    rule.is_tentative = false;
    config.rules.push(rule);
    config.badges = vec![BadgeConfig { id: name("card-1"), subject: 3 }];
    let mut script = Script::new(config);
    script.tell(story);
    play(&script.entries)
}

/// What was said of badges and of forced doors.
#[track_caller]
fn check(story: &str, expected: &[&str]) {
    let played = told(story);
    let site = played.shard.site().expect("a site");
    let is_told = |it: &&AlarmNotice| {
        matches!(it.kind, AlarmKind::BadgeElsewhere | AlarmKind::DoorForced)
            && matches!(it.transition, AlarmTransition::Raised | AlarmTransition::Cleared)
    };
    let words = |it: &AlarmNotice| {
        let whom = it.subject.and_then(|subject| site.subject_name(subject)).unwrap_or("-");
        format!("{:?} {:?} {whom}", it.transition, it.kind)
    };
    let told: Vec<String> = played.notices().filter(is_told).map(words).collect();
    assert_eq!(told, expected, "of the story{story}");
}

#[test]
fn a_grant_to_somebody_who_is_elsewhere_alarms_and_counts() {
    check(
        "10 sam at 5,19
         11 door exit grants=5 card-1
         12 door exit opens
         13 door exit closes",
        &["Raised BadgeElsewhere sam"],
    );
    check(
        "10 sam at 5,1
         11 door exit grants=5 card-1
         12 door exit opens",
        &[],
    );
    check(
        "10 sam at 5,19
         11 door exit grants=5
         12 door exit opens",
        &[],
    );
}

#[test]
fn a_grant_counts_though_its_holder_is_set_aside_and_nobody_can_say_where_he_was() {
    // Sam is number 4.
    let held = "10 sam at 5,19
         11 hold subject=4
         12 door exit grants=5 card-1
         13 door exit opens
         14 door exit closes
         15 release subject=4
         16 sam at 5,19";
    check(held, &[]);
    check(&format!("{held}\n17 door exit grants=5 card-1"), &["Raised BadgeElsewhere sam"]);
}

#[test]
fn of_a_door_that_is_set_aside_no_badge_is_judged() {
    check(
        "10 sam at 5,19
         11 hold door=0
         12 door exit grants=5 card-1",
        &[],
    );
}

#[test]
fn an_alarm_about_a_badge_that_was_to_end_while_the_node_was_away_ends_when_it_is_back() {
    check(
        "10 sam at 5,19
         11 door exit grants=5 card-1
         5000 away since=20
         5001 tick",
        &["Raised BadgeElsewhere sam", "Cleared BadgeElsewhere sam"],
    );
}
