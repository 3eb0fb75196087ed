//! Coming back over a perimeter line, seen or not.

use ach_actors_model::{
    AlarmKind, AlarmTransition, Condition, LineConfig, NS_PER_S, RuleConfig, SubjectClass,
};
use ach_geo::{Confirm, Floor, Gates};

use crate::exits::{check, crosses};
use crate::hospital::{for_class, hospital, name, rule};
use crate::world::World;

/// Three pings are lost on the way back in: the straight path over such a gap proves nothing, but
/// whoever crosses the line outward again has come back.
#[test]
fn who_goes_out_again_after_an_unseen_return_is_another_elopement() {
    check(
        vec![crosses()],
        "
        1   ping 1 19,8   | +p lobby 1
        2   ping 1 21,8   | RAISED Elopement p fence, -p lobby 0, +p garden 1
        9   ping 1 15,8   | -p garden 0, +p lobby 1
        10  ping 1 19,8   |
        11  ping 1 21,8   | CLEARED Elopement p fence: ConditionEnded, RAISED Elopement p fence, -p lobby 0, +p garden 1
        ",
    );
    let gates = Gates { exit_tolerance_mm: 1_000, ..Gates::default() };
    check(
        vec![RuleConfig { gates: Some(gates), ..crosses() }],
        "
        1   ping 1 19,8     | +p lobby 1
        2   ping 1 21.5,8   | RAISED Elopement p fence, -p lobby 0, +p garden 1
        9   ping 1 19,8     | -p garden 0, +p lobby 1
        10  ping 1 20.3,8   | -p lobby 0, +p garden 1
        11  ping 1 21.5,8   | CLEARED Elopement p fence: ConditionEnded, RAISED Elopement p fence
        ",
    );
}

/// Nor is it the same because its rule waits before it says that one is over.
#[test]
fn who_goes_out_again_after_an_unseen_return_is_another_whatever_its_rule_waits_for() {
    let mut patient = crosses();
    patient.answer.delays.off_ns = 30 * NS_PER_S;
    check(
        vec![patient.clone()],
        "
        1   ping 1 19,8   | +p lobby 1
        2   ping 1 21,8   | RAISED Elopement p fence, -p lobby 0, +p garden 1
        9   ping 1 15,8   | -p garden 0, +p lobby 1
        10  ping 1 19,8   |
        11  ping 1 21,8   | CLEARED Elopement p fence: ConditionEnded, RAISED Elopement p fence, -p lobby 0, +p garden 1
        ",
    );
    // What nobody was told of yet waits on.
    patient.answer.delays.on_ns = 10 * NS_PER_S;
    check(
        vec![patient],
        "
        1   ping 1 19,8   | +p lobby 1
        2   ping 1 21,8   | -p lobby 0, +p garden 1
        9   ping 1 15,8   | -p garden 0, +p lobby 1
        10  ping 1 19,8   |
        11  ping 1 21,8   | -p lobby 0, +p garden 1
        12  tick          | RAISED Elopement p fence
        ",
    );
}

/// Nobody saw the way back: too much time passed between the positions. Three in a row that are
/// further in than the tolerance and their accuracy, here an unknown one, say it all the same.
#[test]
fn who_is_well_inside_the_line_again_after_a_gap_has_come_back() {
    let gates = Gates {
        exit_tolerance_mm: 1_000,
        confirm: Confirm { needed: 3, of: 4 },
        ..Gates::default()
    };
    check(
        vec![RuleConfig { gates: Some(gates), ..crosses() }],
        "
        1    ping 1 19,8     | +p lobby 1
        2    ping 1 21.5,8   | RAISED Elopement p fence, -p lobby 0, +p garden 1
        30   ping 1 15,8     | -p garden 0, +p lobby 1
        31   ping 1 18.5,8   |
        32   ping 1 17.9,8   |
        33   ping 1 17.9,8   | CLEARED Elopement p fence: ConditionEnded
        34   ping 1 19,8     |
        35   ping 1 21.5,8   | RAISED Elopement p fence, -p lobby 0, +p garden 1
        60   ping 1 15,8     | -p garden 0, +p lobby 1
        61   ping 1 18.5,8   |
        62   ping 1 18.5,8   |
        63   ping 1 17,8     |
        64   ping 1 17,8     |
        65   ping 1 17,8     | CLEARED Elopement p fence: ConditionEnded
        ",
    );
    check(
        vec![crosses()],
        "
        1    ping 1 19,8     | +p lobby 1
        2    ping 1 21,8     | RAISED Elopement p fence, -p lobby 0, +p garden 1
        30   ping 1 22,8     |
        60   ping 1 18,8 f2  |
        61   ping 1 18,8 f2  | -p garden 0
        130  ping 1 18,8 f1  | +p lobby 1
        131  ping 1 18,8 f1  |
        132  ping 1 18,8 f1  | CLEARED Elopement p fence: ConditionEnded
        ",
    );
}

/// He is outside and is heard every three seconds, more seldom than a path is believed over.
#[test]
fn one_position_that_errs_inward_ends_no_elopement() {
    check(
        vec![crosses()],
        "
        1    ping 1 19,8            | +p lobby 1
        2    ping 1 21,8            | RAISED Elopement p fence, -p lobby 0, +p garden 1
        5    ping 1 22,8            |
        8    ping 1 19.9,8          | -p garden 0, +p lobby 1
        11   ping 1 23,8            | -p lobby 0, +p garden 1
        14   ping 1 16,8 acc=5000   | -p garden 0, +p lobby 1
        17   ping 1 16,8 acc=5000   |
        20   ping 1 16,8 acc=5000   |
        23   ping 1 15,8            |
        26   ping 1 15,8            |
        29   ping 1 23,8            | -p lobby 0, +p garden 1
        ",
    );
}

#[test]
fn who_is_found_outside_soon_after_he_was_taken_to_be_back_has_left() {
    check(
        vec![crosses()],
        "
        1    ping 1 19,8     | +p lobby 1
        2    ping 1 21,8     | RAISED Elopement p fence, -p lobby 0, +p garden 1
        8    ping 1 18,8     | -p garden 0, +p lobby 1
        11   ping 1 18,8     |
        14   ping 1 18,8     | CLEARED Elopement p fence: ConditionEnded
        70   ping 1 19.5,8   |
        129  ping 1 18,8     |
        132  ping 1 23,8     | RAISED Elopement p fence, -p lobby 0, +p garden 1
        ",
    );
    // He was well inside for a minute: nobody saw him leave afterwards, and he was back.
    check(
        vec![crosses()],
        "
        1    ping 1 19,8     | +p lobby 1
        2    ping 1 21,8     | RAISED Elopement p fence, -p lobby 0, +p garden 1
        8    ping 1 18,8     | -p garden 0, +p lobby 1
        11   ping 1 18,8     |
        14   ping 1 18,8     | CLEARED Elopement p fence: ConditionEnded
        40   ping 1 17,8     |
        74   ping 1 17,8     |
        77   ping 1 23,8     | -p lobby 0, +p garden 1
        ",
    );
}

/// Heard again a metre outside, less than the margin it takes to be inside. From there on every
/// step is seen, and he goes round the end of the line.
#[test]
fn who_is_heard_again_outside_and_walks_round_the_end_of_a_line_is_not_back() {
    let gates = Gates { entry_margin_mm: 2_000, ..Gates::default() };
    check(
        vec![RuleConfig { gates: Some(gates), ..crosses() }],
        "
        1    ping 1 19,9     | +p lobby 1
        2    ping 1 21,9     | RAISED Elopement p fence, -p lobby 0, +p garden 1
        30   ping 1 21,9     |
        31   ping 1 21,10.5  | -p garden 0
        32   ping 1 19,10.5  |
        33   ping 1 16,9     | +p lobby 1
        34   ping 1 15,8     |
        35   ping 1 14,8     |
        36   ping 1 13,8     |
        37   ping 1 12,8     |
        ",
    );
}

/// He was seen to cross the line outward again, but not to come in before, nor after.
#[test]
fn one_position_inside_after_another_crossing_outward_ends_no_elopement() {
    let gates = Gates { exit_tolerance_mm: 1_000, ..Gates::default() };
    check(
        vec![RuleConfig { gates: Some(gates), ..crosses() }],
        "
        1    ping 1 19,8     | +p lobby 1
        2    ping 1 21.5,8   | RAISED Elopement p fence, -p lobby 0, +p garden 1
        9    ping 1 19.5,8   | -p garden 0, +p lobby 1
        10   ping 1 20.5,8   | -p lobby 0, +p garden 1
        17   ping 1 17,8     | -p garden 0, +p lobby 1
        24   ping 1 22,8     | -p lobby 0, +p garden 1
        ",
    );
}

/// Every step was seen, and none led through the line: he walks round the building.
#[test]
fn who_walks_round_the_end_of_a_line_is_not_back() {
    check(
        vec![crosses()],
        "
        1    ping 1 19,9     | +p lobby 1
        2    ping 1 21,9     | RAISED Elopement p fence, -p lobby 0, +p garden 1
        3    ping 1 21,11    | -p garden 0
        4    ping 1 19,11    |
        5    ping 1 17,10.5  |
        6    ping 1 17,9     | +p lobby 1
        7    ping 1 16,8     |
        ",
    );
}

/// Fence and hedge are of one rule, and he is found within both by the same positions.
#[test]
fn who_was_taken_to_be_back_within_two_lines_may_have_left_by_both() {
    let condition = Condition::Leaves { zones: Vec::new(), lines: vec![0, 1] };
    let grounds = for_class(SubjectClass::Patient, rule("out", AlarmKind::Elopement, condition));
    let mut config = hospital(vec![grounds]);
    config.lines.push(LineConfig {
        id: name("hedge"),
        labels: Vec::new(),
        floor: Floor(100),
        points_mm: vec![(21_000, 0), (21_000, 10_000)],
    });
    let mut world = World::new(&config);
    let count = |world: &World, transition: AlarmTransition| {
        world.notices.iter().filter(|notice| notice.transition == transition).count()
    };
    for (second, place) in [("1", "19,8"), ("2", "22,8"), ("8", "18,8"), ("11", "18,8")] {
        world.play(&[second, "ping", "1", place]);
    }
    assert_eq!(count(&world, AlarmTransition::Cleared), 0);
    world.play(&["14", "ping", "1", "18,8"]);
    assert_eq!(count(&world, AlarmTransition::Cleared), 2);
    world.play(&["17", "ping", "1", "23,8"]);
    assert_eq!(count(&world, AlarmTransition::Raised), 4);
}
