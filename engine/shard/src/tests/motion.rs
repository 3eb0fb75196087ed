//! What moves where nobody is, from the report of a detector to the alarm.

use ach_actors_model::{AlarmKind, AlarmNotice, Condition, NS_PER_S, Who};

use super::hospital::{hospital, name};
use super::play::play;
use super::script::Script;

/// What was said of motion in the lobby, which the system of doors tells of. Anybody accounts for it.
#[track_caller]
fn check(story: &str, expected: &[&str]) {
    let mut config = hospital();
    let lobby = config.zones.iter().position(|zone| zone.id.as_str() == "lobby").expect("a lobby");
    config.zones[lobby].motion_source = Some(1);
    let zones = vec![u32::try_from(lobby).expect("few")];
    let with = Who::default();
    let condition = Condition::Motion { zones, with, after_ns: 10 * NS_PER_S };
    let mut rule = config.rules[0].clone();
    (rule.id, rule.who, rule.when) = (name("motion"), Who::default(), Vec::new());
    (rule.condition, rule.alarm, rule.gates) = (condition, AlarmKind::UnexplainedMotion, None);
    rule.is_tentative = false;
    config.rules.push(rule);
    let mut script = Script::new(config);
    script.tell(story);
    let played = play(&script.entries);
    let of_kind = |it: &&AlarmNotice| {
        matches!(it.kind, AlarmKind::UnexplainedMotion | AlarmKind::ActorQuarantined)
    };
    let words = |it: &AlarmNotice| format!("{:?} {:?}", it.transition, it.kind);
    let told: Vec<String> = played.notices().filter(of_kind).map(words).collect();
    assert_eq!(told, expected, "of the story{story}");
}

#[test]
fn what_moves_where_nobody_is_alarms() {
    let raised = "Raised UnexplainedMotion";
    check("10 zone lobby moves\n19 tick", &[]);
    check("10 zone lobby moves\n20 tick", &[raised]);
    check("10 zone lobby moves\n20 tick\n620 tick", &[raised, "Cleared UnexplainedMotion"]);
    check("10 zone lobby moves\n19 sam at 5,5\n620 tick", &[]);
}

#[test]
fn a_detector_that_the_site_does_not_have_is_not_heard() {
    check("10 zone ward moves\n20 tick", &[]);
}

#[test]
fn of_a_zone_that_is_set_aside_nothing_is_said_but_that() {
    let held = "
        10 hold zone=2
        11 zone lobby moves
        30 tick
        40 release zone=2";
    let told = ["Raised ActorQuarantined", "Cleared ActorQuarantined"];
    check(&format!("{held}\n60 tick"), &told);
    let (again, raised) =
        (format!("{held}\n60 zone lobby moves\n70 tick"), "Raised UnexplainedMotion");
    check(&again, &[told[0], told[1], raised]);
}

#[test]
fn what_waits_outlasts_an_outage_of_the_node() {
    check(
        "10 zone lobby moves
         500 away since=12
         559 tick
         560 tick",
        &["Raised UnexplainedMotion"],
    );
}
