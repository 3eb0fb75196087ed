//! Tags: order, doubt, battery, band and button.

use ach_actors_model::{AlarmKind, Cause, Condition, Gate, RuleConfig};

use crate::hospital::{for_class, hospital, hours, rule};
use crate::world::{World, at};

#[track_caller]
fn check(rules: Vec<RuleConfig>, story: &str) -> World {
    let config = hospital(rules);
    // Told twice: the second time everybody rests before every line, which nobody may notice.
    World::restful(&config).check(story);
    let mut world = World::new(&config);
    world.check(story);
    world
}

fn duress() -> RuleConfig {
    rule("duress", AlarmKind::Duress, Condition::ButtonPressed)
}

fn band() -> RuleConfig {
    rule("band", AlarmKind::BandCut, Condition::BandCut)
}

fn battery() -> RuleConfig {
    rule("battery", AlarmKind::BatteryLow, Condition::BatteryLow { percent: 20 })
}

#[test]
fn a_repeated_ping_changes_nothing() {
    check(
        vec![],
        "
        1  ping 1 5,5         | +p ward 1
        2  ping 1 5,5 obs=1   | duplicate
        3  ping 1 6,5         |
        4  ping 1 5,5 obs=1   | duplicate
        4  ping 1 6,5 obs=3   | duplicate
        ",
    );
}

#[test]
fn a_late_ping_moves_nothing_backwards() {
    let world = check(
        vec![],
        "
        1  ping 1 5,5          | +p ward 1
        3  ping 1 15,5         | -p ward 0, +p lobby 1
        4  ping 1 5,5 obs=2    | late
        5  ping 1 6,5 obs=3    | late
        ",
    );
    let tag = world.site.tag(ach_actors_model::TagId(1)).expect("a tag");
    assert_eq!(world.tag(1).fix(tag).expect("a fix").position.x_mm, 15_000);
}

#[test]
fn a_ping_of_the_same_moment_keeps_what_is_there() {
    check(
        vec![],
        "
        1  ping 1 5,5          | +p ward 1
        1  ping 1 15,5         | late
        ",
    );
}

#[test]
fn a_ping_from_the_future_counts_from_its_arrival() {
    let world = check(
        vec![],
        "
        1  ping 1 5,5 obs=900    | +p ward 1
        1  ping 1 5,5 obs=900    | duplicate
        1  ping 1 6,5 obs=900.1  |
        2  ping 1 15,5 obs=901   | -p ward 0, +p lobby 1
        3  ping 1 16,5           |
        ",
    );
    let tag = world.site.tag(ach_actors_model::TagId(1)).expect("a tag");
    let fix = world.tag(1).fix(tag).expect("a fix");
    assert_eq!((fix.observed_at, fix.received_at), (at("3"), at("3")));
}

#[test]
fn pings_whose_clock_is_ahead_are_known_when_they_are_sent_again() {
    check(
        vec![],
        "
        1   ping 1 5,5 obs=61    | +p ward 1
        2   ping 1 9,5 obs=62    |
        3   ping 1 11,5 obs=63   | -p ward 0, +p lobby 1
        4   ping 1 5,5 obs=61    | duplicate
        4   ping 1 9,5 obs=62    | duplicate
        4   ping 1 11,5 obs=63   | duplicate
        62  ping 1 9,5 obs=62    | duplicate
        63  ping 1 12,5          |
        64  ping 1 11,5 obs=63   | duplicate
        64  ping 1 10,5 obs=63   | late
        ",
    );
}

#[test]
fn an_unknown_tag_is_refused() {
    check(vec![duress()], "1  ping 77 5,5 | refused\n 2 press 77 | refused\n 3 cut 77 | refused");
}

#[test]
fn a_jump_waits_until_a_second_ping_bears_it_out() {
    check(
        vec![],
        "
        1    ping 1 5,5     | +p ward 1
        1.5  ping 1 28,5    |
        2    ping 1 28,6    | -p ward 0, +p garden 1
        ",
    );
}

#[test]
fn a_jump_out_and_back_never_was() {
    check(
        vec![],
        "
        1  ping 1 5,5     | +p ward 1
        2  ping 1 28,5    |
        3  ping 1 5,6     |
        4  ping 1 28,5    |
        5  ping 1 5,5     |
        ",
    );
}

#[test]
fn two_wild_pings_never_were() {
    check(
        vec![],
        "
        1  ping 1 5,5     | +p ward 1
        2  ping 1 28,5    |
        3  ping 1 5,70    |
        4  ping 1 5,6     |
        5  ping 1 70,5    |
        6  ping 1 5,70    |
        7  ping 1 5,5     |
        ",
    );
}

#[test]
fn who_runs_faster_than_he_should_is_seen_with_the_third_ping() {
    let leaves = Condition::Leaves { zones: vec![], lines: vec![0] };
    let mut config = hospital(vec![rule("elope", AlarmKind::Elopement, leaves)]);
    let class = ach_actors_model::SubjectClass::Patient;
    config.speed_limits = vec![ach_actors_model::SpeedLimit { class, mm_per_s: 3_000 }];
    let story = "
        1  ping 1 5,8 acc=300     | +p ward 1
        2  ping 1 15,8 acc=300    |
        3  ping 1 25,8 acc=300    |
        4  ping 1 35,8 acc=300    | RAISED Elopement p fence, -p ward 0, +p lobby 1, -p lobby 0, +p garden 1, -p garden 0
        5  ping 1 45,8 acc=300    |
        6  ping 1 55,8 acc=300    |
        7  ping 1 65,8 acc=300    |
        8  ping 1 65,8 acc=300    |
        ";
    World::restful(&config).check(story);
    let mut world = World::new(&config);
    world.check(story);
    assert_ne!(world.notices[0].gates_passed & 1024, 0, "{:?}", world.notices[0]);
    assert_eq!(world.notices[0].observed_at, at("3"));
}

#[test]
fn an_honest_error_circle_explains_a_jump() {
    check(
        vec![],
        "
        1  ping 1 5,8             | +p ward 1
        2  ping 1 28,8 acc=20000  | -p ward 0, +p garden 1
        ",
    );
}

#[test]
fn time_explains_a_distance() {
    check(
        vec![],
        "
        1  ping 1 5,5     | +p ward 1
        5  ping 1 28,5    | -p ward 0, +p garden 1
        ",
    );
}

#[test]
fn another_floor_needs_a_second_ping() {
    check(
        vec![],
        "
        1  ping 1 5,5 f1   | +p ward 1
        2  ping 1 5,5 f2   |
        3  ping 1 5,5 f1   |
        4  ping 1 5,5 f2   |
        5  ping 1 5,6 f2   | -p ward 0, +p attic 1
        ",
    );
}

#[test]
fn a_floor_not_told_is_the_last_one_for_a_minute() {
    check(
        vec![],
        "
        1    ping 1 5,5 f1   | +p ward 1
        2    ping 1 5,6 f?   |
        59   ping 1 5,6 f?   |
        61   ping 1 5,6 f?   | +p attic 1
        62   ping 1 5,6 f1   | -p attic 0
        ",
    );
}

#[test]
fn after_a_minute_another_floor_is_believed_at_once() {
    check(
        vec![],
        "
        1    ping 1 5,5 f1   | +p ward 1
        61   ping 1 5,5 f2   | -p ward 0, +p attic 1
        ",
    );
}

#[test]
fn a_duress_opens_on_the_press_and_ends_on_the_reset() {
    check(
        vec![duress()],
        "
        1  press 3   | RAISED Duress s tag3
        2  press 3   |
        3  reset 3   | CLEARED Duress s tag3: ConditionEnded
        4  press 3   | RAISED Duress s tag3
        ",
    );
}

#[test]
fn a_press_told_late_that_was_followed_by_another_stays() {
    check(
        vec![duress()],
        "
        5  reset 3         |
        6  press 3         | RAISED Duress s tag3
        7  press 3 obs=4   | late
        8  reset 3         | CLEARED Duress s tag3: ConditionEnded
        ",
    );
}

#[test]
fn a_button_pressed_again_within_the_second_it_is_stamped_with_alarms_again() {
    check(
        vec![duress(), band()],
        "
        1.1  press 3 obs=1           | RAISED Duress s tag3
        1.2  press 3 obs=1           | duplicate
        1.4  reset 3 obs=1           | CLEARED Duress s tag3: ConditionEnded
        1.6  press 3 obs=1           | RAISED Duress s tag3
        1.7  reset 3 obs=1           | CLEARED Duress s tag3: ConditionEnded
        1.8  cut 3 obs=1             | RAISED BandCut s tag3
        1.8  whole 3 obs=1           | CLEARED BandCut s tag3: ConditionEnded
        1.8  cut 3 obs=1             | RAISED BandCut s tag3
        2    press 3 obs=1 epoch=2   | duplicate
        2    reset 3 obs=1 epoch=2   | duplicate
        2    press 3 obs=1 epoch=2   | duplicate
        2    whole 3 obs=1 epoch=2   | duplicate
        ",
    );
}

#[test]
fn a_press_stamped_by_a_clock_that_is_ahead_is_known_when_it_is_sent_again() {
    check(
        vec![duress()],
        "
        1  press 3 obs=61           | RAISED Duress s tag3
        2  reset 3 obs=62           | CLEARED Duress s tag3: ConditionEnded
        5  press 3 obs=61 epoch=2   | duplicate
        ",
    );
}

#[test]
fn a_repeated_press_after_the_reset_alarms_nobody() {
    check(
        vec![duress()],
        "
        1  press 3         | RAISED Duress s tag3
        2  reset 3         | CLEARED Duress s tag3: ConditionEnded
        3  press 3 obs=1   | duplicate
        4  reset 3 obs=2   | duplicate
        ",
    );
}

#[test]
fn a_late_duress_still_alarms_and_is_called_late() {
    check(
        vec![duress()],
        "
        5  reset 3         |
        6  press 3 obs=4   | RAISED Duress s tag3 late, CLEARED Duress s tag3: ConditionEnded, late
        7  press 3 obs=6   | RAISED Duress s tag3
        8  reset 3         | CLEARED Duress s tag3: ConditionEnded
        ",
    );
    check(vec![duress()], "60  press 3 obs=30  | RAISED Duress s tag3 late");
}

#[test]
fn a_reset_from_before_the_press_does_not_end_it() {
    check(
        vec![duress()],
        "
        1  press 3          | RAISED Duress s tag3
        5  press 3          |
        6  reset 3 obs=3    | late
        7  reset 3          | CLEARED Duress s tag3: ConditionEnded
        ",
    );
}

#[test]
fn a_tag_on_nobody_alarms_by_the_rules_for_everybody() {
    let staff = for_class(ach_actors_model::SubjectClass::Staff, duress());
    check(
        vec![duress(), band()],
        "1 press 6 | RAISED Duress - tag6\n 2 cut 6 | RAISED BandCut - tag6",
    );
    check(vec![staff], "1 press 6 |\n 2 press 3 | RAISED Duress s tag3");
}

#[test]
fn a_cut_band_alarms_until_it_is_whole() {
    check(
        vec![band()],
        "
        1  cut 1           | RAISED BandCut p tag1
        2  cut 1           |
        3  whole 1         | CLEARED BandCut p tag1: ConditionEnded
        4  cut 1 obs=2.5   | RAISED BandCut p tag1 late, CLEARED BandCut p tag1: ConditionEnded, late
        5  whole 1 obs=2.6 | late
        6  cut 1 obs=1     | duplicate
        ",
    );
}

#[test]
fn a_late_mending_does_not_hide_a_newer_cut() {
    check(
        vec![band()],
        "
        5  cut 1           | RAISED BandCut p tag1
        6  whole 1 obs=4   | late
        7  whole 1         | CLEARED BandCut p tag1: ConditionEnded
        ",
    );
}

#[test]
fn a_battery_alarms_at_its_limit_and_is_charged_five_points_above() {
    check(
        vec![battery()],
        "
        1  ping 4 5,5 bat=21   | +a ward 1
        2  ping 4 5,5 bat=20   | RAISED BatteryLow a tag4
        3  ping 4 5,5 bat=19   |
        4  ping 4 5,5 bat=24   |
        5  ping 4 5,5          |
        6  ping 4 5,5 bat=25   | CLEARED BatteryLow a tag4: ConditionEnded
        7  ping 4 5,5 bat=3    | RAISED BatteryLow a tag4
        ",
    );
}

#[test]
fn a_battery_is_judged_by_the_hours_of_its_rule() {
    check(
        vec![hours(8, 18, battery())],
        "
        7:00  ping 4 5,5 bat=10  | +a ward 1
        8:00  tick               | RAISED BatteryLow a tag4
        18:00 tick               | CLEARED BatteryLow a tag4: RuleRemoved
        20:00 ping 4 5,5 bat=50  |
        32:00 tick               |
        ",
    );
}

#[test]
fn a_duress_outlives_the_hours_of_its_rule() {
    check(
        vec![hours(8, 18, duress())],
        "
        7:00  press 3   |
        17:59 press 3   | RAISED Duress s tag3
        18:01 tick      |
        18:02 reset 3   | CLEARED Duress s tag3: ConditionEnded
        18:03 press 3   |
        ",
    );
}

#[test]
fn an_alarm_carries_its_evidence() {
    let mut world = World::new(&hospital(vec![duress(), battery()]));
    world.check(
        "
        1    ping 3 5,5 acc=300         | +s ward 1
        1.5  ping 3 28,5 acc=300        |
        2    ping 3 28,6 acc=300 bat=5  | RAISED BatteryLow s tag3, -s ward 0, +s garden 1
        4  press 3 obs=3.5              | RAISED Duress s tag3
        ",
    );
    let notice = &world.notices[1];
    assert_eq!((notice.observed_at, notice.received_at), (at("3.5"), at("4")));
    let position = notice.position.expect("where");
    assert_eq!((position.x_mm, position.y_mm, notice.accuracy_mm), (28_000, 6_000, 300));
    assert_eq!((notice.episode, notice.site_version), (1, 1));
    assert!(matches!(notice.cause, Cause::Input { seq: 4, .. }), "{:?}", notice.cause);
    assert_eq!(notice.gates_passed & 1024, 0, "bit {:?} is not for buttons", Gate::JumpConfirmed);
}

#[test]
fn ids_tell_episodes_apart_and_are_the_same_everywhere() {
    let story = "
        1  press 3   | RAISED Duress s tag3
        2  reset 3   | CLEARED Duress s tag3: ConditionEnded
        3  press 3   | RAISED Duress s tag3
        4  press 1   | RAISED Duress p tag1
        ";
    let (mut here, mut there) =
        (World::new(&hospital(vec![duress()])), World::new(&hospital(vec![battery(), duress()])));
    here.check(story);
    there.check(story);
    let ids = |world: &World| -> Vec<_> {
        world.notices.iter().map(|notice| (notice.id, notice.transition)).collect()
    };
    assert_eq!(ids(&here), ids(&there), "refs of rules differ, ids do not");
    assert_eq!(here.notices[0].id, here.notices[1].id);
    assert_ne!(here.notices[0].id, here.notices[2].id);
    assert_ne!(here.notices[2].id, here.notices[3].id);
    assert_eq!(here.notices[2].episode, 2);
}
