//! Leaving: zones, perimeter lines, unknown floors.

use ach_actors_model::{AlarmKind, Condition, RuleConfig, SubjectClass};
use ach_geo::{Confirm, Gates};

use crate::hospital::{S, WARD, for_class, hospital, hours, rule, tentative};
use crate::world::World;

#[track_caller]
pub(crate) fn check(rules: Vec<RuleConfig>, story: &str) {
    let config = hospital(rules);
    let mut restful = World::restful(&config);
    restful.check(story);
    assert!(restful.rest_count > 0, "somebody must have rested");
    assert!(restful.packed_count > 0, "and as bytes");
    World::new(&config).check(story);
}

fn leaves() -> RuleConfig {
    let condition = Condition::Leaves { zones: vec![WARD], lines: Vec::new() };
    for_class(SubjectClass::Patient, rule("elope", AlarmKind::Elopement, condition))
}

pub(crate) fn crosses() -> RuleConfig {
    let condition = Condition::Leaves { zones: Vec::new(), lines: vec![0] };
    for_class(SubjectClass::Patient, rule("perimeter", AlarmKind::Elopement, condition))
}

/// Half a metre of tolerance, and five seconds beyond it.
fn patient_gates() -> Gates {
    Gates { exit_tolerance_mm: 500, exit_delay_ns: 5 * S, ..Gates::default() }
}

#[test]
fn leaving_the_ward_alarms_until_the_patient_is_back() {
    check(
        vec![leaves()],
        "
        1  ping 1 5,5    | +p ward 1
        2  ping 1 15,5   | RAISED Elopement p ward, -p ward 0, +p lobby 1
        3  ping 1 16,5   |
        4  ping 1 5,5    | CLEARED Elopement p ward: ConditionEnded, -p lobby 0, +p ward 1
        5  ping 1 15,5   | RAISED Elopement p ward, -p ward 0, +p lobby 1
        ",
    );
}

#[test]
fn who_was_never_in_has_not_left_and_others_may_go() {
    check(
        vec![leaves()],
        "
        1  ping 1 15,5   | +p lobby 1
        2  ping 3 5,5    | +s ward 1
        3  ping 3 15,5   | -s ward 0, +s lobby 2
        ",
    );
}

#[test]
fn a_tentative_elopement_is_upheld_when_the_delay_is_over() {
    check(
        vec![tentative(patient_gates(), leaves())],
        "
        1    ping 1 5,5    | +p ward 1
        2    ping 1 15,5   | RAISED Elopement p ward tentative, -p ward 0, +p lobby 1
        6.9  tick          |
        7    tick          | UPHELD Elopement p ward
        60   ping 1 5,5    | CLEARED Elopement p ward: ConditionEnded, -p lobby 0, +p ward 1
        ",
    );
}

#[test]
fn a_tentative_elopement_is_retracted_when_the_patient_comes_back_in_time() {
    check(
        vec![tentative(patient_gates(), leaves())],
        "
        1    ping 1 5,5    | +p ward 1
        2    ping 1 15,5   | RAISED Elopement p ward tentative, -p ward 0, +p lobby 1
        4    ping 1 5,5    | RETRACTED Elopement p ward: CameBack, -p lobby 0, +p ward 1
        30   tick          |
        31   ping 1 15,5   | RAISED Elopement p ward tentative, -p ward 0, +p lobby 1
        ",
    );
}

#[test]
fn jitter_within_the_tolerance_alarms_nobody() {
    check(
        vec![tentative(patient_gates(), leaves())],
        "
        1  ping 1 9.8,5    | +p ward 1
        2  ping 1 10.3,5   | -p ward 0, +p lobby 1
        3  ping 1 9.9,5    | -p lobby 0, +p ward 1
        4  ping 1 10.4,5   | -p ward 0, +p lobby 1
        60 tick            |
        ",
    );
}

#[test]
fn without_tentative_the_gates_speak_first() {
    let gates = Gates { confirm: Confirm { needed: 2, of: 3 }, ..Gates::default() };
    let quiet = RuleConfig { gates: Some(gates), ..leaves() };
    check(
        vec![quiet],
        "
        1  ping 1 5,5    | +p ward 1
        2  ping 1 5,6    |
        3  ping 1 15,5   | -p ward 0, +p lobby 1
        4  ping 1 16,5   | RAISED Elopement p ward
        ",
    );
}

#[test]
fn leaving_counts_in_the_hours_of_the_rule_and_stays_an_alarm_after_them() {
    check(
        vec![hours(20, 6, leaves())],
        "
        19:00     ping 1 5,5    | +p ward 1
        19:30     ping 1 15,5   | -p ward 0, +p lobby 1
        20:00     tick          |
        20:30     ping 1 5,5    | -p lobby 0, +p ward 1
        21:00     ping 1 15,5   | RAISED Elopement p ward, -p ward 0, +p lobby 1
        30:30     tick          |
        31:00     ping 1 5,5    | CLEARED Elopement p ward: ConditionEnded, -p lobby 0, +p ward 1
        ",
    );
}

/// The floor was told once, a lift ride ago: nobody can say on which floor the patient is.
#[test]
fn an_unknown_floor_alone_is_no_elopement() {
    check(
        vec![leaves()],
        "
        1    ping 1 5,5 f1    | +p ward 1
        70   ping 1 15,5 f?   | -p ward 0, +p lobby 1
        71   ping 1 15,6 f?   |
        72   ping 1 15,5 f1   | RAISED Elopement p ward
        ",
    );
    check(
        vec![leaves()],
        "
        1    ping 1 5,5 f1    | +p ward 1
        70   ping 1 15,5 f?   | -p ward 0, +p lobby 1
        71   ping 1 5,6 f?    | -p lobby 0, +p ward 1, +p attic 1
        72   ping 1 5,5 f1    | -p attic 0
        ",
    );
}

#[test]
fn crossing_the_perimeter_outward_alarms_and_coming_back_ends_it() {
    check(
        vec![crosses()],
        "
        1  ping 1 19,8     | +p lobby 1
        2  ping 1 21,8     | RAISED Elopement p fence, -p lobby 0, +p garden 1
        3  ping 1 22,8     |
        4  ping 1 19,8     | CLEARED Elopement p fence: ConditionEnded, -p garden 0, +p lobby 1
        5  ping 3 19,8     | +s lobby 2
        6  ping 3 21,8     | -s lobby 1, +s garden 1
        ",
    );
}

#[test]
fn a_path_longer_than_the_largest_gap_crosses_nothing() {
    check(
        vec![crosses()],
        "
        1    ping 1 19,5   | +p lobby 1
        3.1  ping 1 21,5   | -p lobby 0, +p garden 1
        5.1  ping 1 19,5   | p through exit, -p garden 0, +p lobby 1
        7.1  ping 1 21,5   | RAISED Elopement p fence, p through exit, -p lobby 0, +p garden 1
        ",
    );
}

#[test]
fn a_tolerance_beyond_the_line_holds_jitter_back() {
    let gates = Gates { exit_tolerance_mm: 1_000, ..Gates::default() };
    check(
        vec![tentative(gates, crosses())],
        "
        1  ping 1 19.8,8   | +p lobby 1
        2  ping 1 20.3,8   | RAISED Elopement p fence tentative, -p lobby 0, +p garden 1
        3  ping 1 19.9,8   | RETRACTED Elopement p fence: CameBack, -p garden 0, +p lobby 1
        4  ping 1 20.3,8   | RAISED Elopement p fence tentative, -p lobby 0, +p garden 1
        5  ping 1 20.9,8   |
        6  ping 1 21.1,8   | UPHELD Elopement p fence
        ",
    );
    let quiet = RuleConfig { gates: Some(gates), ..crosses() };
    check(
        vec![quiet],
        "
        1  ping 1 19.8,8   | +p lobby 1
        2  ping 1 20.3,8   | -p lobby 0, +p garden 1
        3  ping 1 19.9,8   | -p garden 0, +p lobby 1
        4  ping 1 20.3,8   | -p lobby 0, +p garden 1
        6  ping 1 21.1,8   | RAISED Elopement p fence
        ",
    );
}

#[test]
fn who_is_found_well_inside_the_line_has_not_left() {
    let gates = Gates { exit_tolerance_mm: 1_000, ..Gates::default() };
    check(
        vec![tentative(gates, crosses())],
        "
        1   ping 1 19.8,8   | +p lobby 1
        2   ping 1 20.3,8   | RAISED Elopement p fence tentative, -p lobby 0, +p garden 1
        6   ping 1 15,8     | RETRACTED Elopement p fence: CameBack, -p garden 0, +p lobby 1
        7   ping 1 19.8,8   |
        8   ping 1 20.3,8   | RAISED Elopement p fence tentative, -p lobby 0, +p garden 1
        12  ping 1 25,8     | UPHELD Elopement p fence
        ",
    );
}

/// Past the end of a line its inner side may be round a corner of the building as well.
#[test]
fn past_the_end_of_a_line_a_position_decides_nothing_on_the_inner_side() {
    let gates = Gates { exit_tolerance_mm: 1_000, ..Gates::default() };
    check(
        vec![tentative(gates, crosses())],
        "
        1   ping 1 19.8,9   | +p lobby 1
        2   ping 1 20.3,9   | RAISED Elopement p fence tentative, -p lobby 0, +p garden 1
        6   ping 1 19,13    | -p garden 0
        7   ping 1 19,12    |
        8   ping 1 22,12    | UPHELD Elopement p fence
        ",
    );
}

#[test]
fn a_line_crossed_on_an_unknown_floor_waits_for_a_floor() {
    check(
        vec![crosses()],
        "
        1    ping 1 19,8 f?   | +p lobby 1
        2    ping 1 21,8 f?   | -p lobby 0, +p garden 1
        3    ping 1 22,8 f1   | RAISED Elopement p fence
        ",
    );
    check(
        vec![crosses()],
        "
        1    ping 1 19,8 f?   | +p lobby 1
        2    ping 1 21,8 f?   | -p lobby 0, +p garden 1
        3    ping 1 22,8 f2   | -p garden 0
        4    ping 1 22,8 f2   |
        ",
    );
}

#[test]
fn a_rule_with_lines_and_zones_ends_at_the_zone() {
    let condition = Condition::Leaves { zones: vec![WARD], lines: vec![0] };
    let both = for_class(SubjectClass::Patient, rule("both", AlarmKind::Elopement, condition));
    check(
        vec![both],
        "
        1   ping 1 9,8      | +p ward 1
        2   ping 1 19,8     | RAISED Elopement p ward, -p ward 0, +p lobby 1
        3   ping 1 21,8     | RAISED Elopement p fence, -p lobby 0, +p garden 1
        30  ping 1 9,8      | CLEARED Elopement p ward: ConditionEnded, CLEARED Elopement p fence: ConditionEnded, -p garden 0, +p ward 1
        ",
    );
}

/// Not to be heard is no evidence of having left; to be heard outside afterwards is.
#[test]
fn a_mover_not_heard_for_the_fence_timeout_has_not_left_before_it_is_heard_outside() {
    let gates = Gates { fence_timeout_ns: Some(20 * S), ..Gates::default() };
    let timed = RuleConfig { gates: Some(gates), ..leaves() };
    check(
        vec![timed],
        "
        1     ping 1 5,5   | +p ward 1
        35    tick         |
        36    ping 1 5,5   |
        90    ping 1 15,5  | RAISED Elopement p ward, -p ward 0, +p lobby 1
        91    ping 1 5,5   | CLEARED Elopement p ward: ConditionEnded, -p lobby 0, +p ward 1
        ",
    );
}

/// The patient is upstairs for more than a minute with a tag that does not know its floor, walks
/// about above the ward, and is not back in it.
#[test]
fn an_unknown_floor_alone_is_no_return() {
    check(
        vec![leaves()],
        "
        1    ping 1 5,5 f1    | +p ward 1
        2    ping 1 15,5 f1   | RAISED Elopement p ward, -p ward 0, +p lobby 1
        80   ping 1 5,5 f?    | -p lobby 0, +p ward 1, +p attic 1
        81   ping 1 5,5 f2    | -p ward 0
        82   ping 1 6,5 f2    |
        150  ping 1 5,5 f?    | +p ward 1
        151  ping 1 5,5 f1    | CLEARED Elopement p ward: ConditionEnded, -p attic 0
        ",
    );
    check(
        vec![crosses()],
        "
        1    ping 1 19,8 f1   | +p lobby 1
        2    ping 1 21,8 f1   | RAISED Elopement p fence, -p lobby 0, +p garden 1
        80   ping 1 21,8 f?   |
        81   ping 1 19,8 f?   | -p garden 0, +p lobby 1
        82   ping 1 19,7 f2   | -p lobby 0
        83   ping 1 19,8 f2   |
        150  ping 1 21,8 f?   | +p garden 1
        151  ping 1 19,8 f?   | -p garden 0, +p lobby 1
        152  ping 1 18,8 f1   | CLEARED Elopement p fence: ConditionEnded
        ",
    );
}

/// The first position took twenty seconds; the second is stamped with the very moment at which that
/// arrived, and took none.
#[test]
fn an_elopement_is_not_late_because_its_stamp_is_that_of_a_late_arrival() {
    let mut world = World::new(&hospital(vec![leaves()]));
    world.check(
        "
        21    ping 1 5,5 obs=1     | +p ward 1
        21.2  ping 1 15,5 obs=21   | RAISED Elopement p ward, -p ward 0, +p lobby 1
        ",
    );
    assert_eq!(world.notices.iter().map(|notice| notice.is_late).collect::<Vec<_>>(), [false]);
}
