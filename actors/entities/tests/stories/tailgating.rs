//! More go through a door than there was leave for.
//!
//! The door is at x 20 and y 4 to 6. Patient p has tags 1 and 2, staff s 3, asset a 4, visitor v 5.

use ach_actors_model::{AlarmKind, Condition, RuleConfig, SiteConfig, SubjectClass, Who};

use crate::hospital::{for_class, hospital, hours, rule};
use crate::world::World;

/// Whoever goes through counts.
fn anybody() -> RuleConfig {
    let condition = Condition::Tailgating { doors: vec![0], with: None };
    rule("tail", AlarmKind::Tailgating, condition)
}

/// Patients who go through on what staff was granted.
fn patients_behind_staff() -> RuleConfig {
    let staff = Who { classes: vec![SubjectClass::Staff], ..Who::default() };
    let condition = Condition::Tailgating { doors: vec![0], with: Some(staff) };
    for_class(SubjectClass::Patient, rule("tail", AlarmKind::Tailgating, condition))
}

#[track_caller]
fn check(rules: RuleConfig, story: &str) {
    World::new(&hospital(vec![rules])).check_alarms(story);
}

/// The site with another rule, in its next version.
fn next(rules: Vec<RuleConfig>) -> SiteConfig {
    SiteConfig { version: 2, ..hospital(rules) }
}

#[test]
fn a_second_one_on_one_grant_is_one_too_many_until_the_door_is_closed() {
    check(
        anybody(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 3 19,5      |
        2.6  ping 1 18.5,5    |
        3.5  ping 3 21,5      |
        3.6  ping 1 19.5,5    |
        4.6  ping 1 21,5      | RAISED Tailgating p exit
        5.6  ping 1 22,5      |
        6    close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
}

#[test]
fn two_who_go_side_by_side_are_two() {
    check(
        anybody(),
        "
        1    rex exit 5000    |
        2    open exit        |
        2.5  ping 3 19,5.2    |
        2.5  ping 1 19,4.8    |
        3.5  ping 3 21,5.2    |
        3.5  ping 1 21,4.8    | RAISED Tailgating p exit
        ",
    );
}

#[test]
fn each_pass_lets_one_through_also_while_the_door_stands_open() {
    check(
        anybody(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 3 19,5      |
        3    rex exit 5000    |
        3.2  ping 1 19,5      |
        3.5  ping 3 21,5      |
        4.2  ping 1 21,5      |
        5    ping 5 19,5      |
        6    ping 5 21,5      | RAISED Tailgating v exit
        7    rex exit 5000    |
        8    close exit       | CLEARED Tailgating v exit: ConditionEnded
        ",
    );
}

#[test]
fn a_grant_in_time_that_is_told_late_takes_the_alarm_back() {
    let story = |stamped: &str, told: &str| {
        format!(
            "
            1    grant exit 5000  |
            2    open exit        |
            2.5  ping 3 19,5      |
            2.5  ping 1 19,5.5    |
            3.5  ping 3 21,5      |
            3.5  ping 1 21,5.5    | RAISED Tailgating p exit
            4    grant exit 5000 obs={stamped} | {told}
            "
        )
    };
    for (stamped, told) in [
        ("3.4", "CLEARED Tailgating p exit: ConditionEnded"),
        ("3.6", "CLEARED Tailgating p exit: ConditionEnded"),
        ("3.601", ""),
    ] {
        check(anybody(), &story(stamped, told));
    }
}

#[test]
fn without_leave_the_first_is_one_too_many() {
    check(
        anybody(),
        "
        2    open exit        |
        2.5  ping 1 19,5      |
        3.5  ping 1 21,5      | RAISED Tailgating p exit
        5    close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
}

#[test]
fn a_lock_that_is_drawn_back_lets_any_number_through() {
    check(
        anybody(),
        "
        0    unlock exit      |
        2    open exit        |
        2.5  ping 3 19,5      |
        2.5  ping 1 19,5.5    |
        3.5  ping 3 21,5      |
        3.5  ping 1 21,5.5    |
        4    lock exit        |
        6    ping 5 19,5      |
        7    ping 5 21,5      | RAISED Tailgating v exit
        ",
    );
}

#[test]
fn in_a_fire_anybody_may_go_through() {
    check(
        anybody(),
        "
        1    fire exit        |
        2    open exit        |
        2.5  ping 3 19,5      |
        2.5  ping 1 19,5.5    |
        3.5  ping 3 21,5      |
        3.5  ping 1 21,5.5    |
        4    close exit       |
        ",
    );
}

#[test]
fn a_lock_that_draws_back_for_a_grant_is_leave_for_one() {
    check(
        anybody(),
        "
        1    grant exit 5000  |
        1.1  unlock exit      |
        2    open exit        |
        2.5  ping 3 19,5      |
        2.5  ping 1 19,5.5    |
        3.5  ping 3 21,5      |
        3.5  ping 1 21,5.5    | RAISED Tailgating p exit
        4    close exit       | CLEARED Tailgating p exit: ConditionEnded
        4.1  lock exit        |
        ",
    );
    // It stays back for a second grant, and nothing new is told of it.
    check(
        anybody(),
        "
        1    grant exit 5000  |
        1.1  unlock exit      |
        5    grant exit 5000  |
        7    open exit        |
        7.5  ping 3 19,5      |
        7.5  ping 1 19,5.5    |
        8.5  ping 3 21,5      |
        8.5  ping 1 21,5.5    | RAISED Tailgating p exit
        9    close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
    // The same lock, still drawn back long after: somebody has unlocked the door.
    check(
        anybody(),
        "
        1    grant exit 5000  |
        1.1  unlock exit      |
        60   open exit        |
        60.5 ping 1 19,5      |
        61.5 ping 1 21,5      |
        ",
    );
}

#[test]
fn a_patient_is_found_behind_a_nurse_and_before_one() {
    check(
        patients_behind_staff(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 3 19,5      |
        2.6  ping 1 18.5,5    |
        3.5  ping 3 21,5      |
        3.6  ping 1 19.5,5    |
        4.6  ping 1 21,5      | RAISED Tailgating p exit
        ",
    );
    check(
        patients_behind_staff(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 1 19,5      |
        3.5  ping 1 21,5      |
        3.6  ping 3 19.5,5    |
        4.6  ping 3 21,5      | RAISED Tailgating p exit
        5    close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
    // A visitor is neither whom it is about nor one who makes use of leave.
    check(
        patients_behind_staff(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 5 19,5      |
        2.5  ping 3 19,5      |
        3.5  ping 5 21,5      |
        3.5  ping 3 21,5      |
        ",
    );
}

#[test]
fn one_counts_once_an_opening_however_many_tags_and_however_much_jitter() {
    check(
        anybody(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 1 19,5      |
        2.6  ping 2 19,5      |
        3.5  ping 1 20.3,5    |
        3.6  ping 2 20.3,5    |
        4.5  ping 1 19.8,5    |
        5.5  ping 1 20.4,5    |
        6.5  ping 1 19.9,5    |
        7.5  ping 1 21,5      |
        9    close exit       |
        ",
    );
}

#[test]
fn who_goes_back_through_the_sill_has_not_gone_through() {
    check(
        anybody(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 3 19,5      |
        2.5  ping 1 19.8,5    |
        3.5  ping 3 21,5      |
        3.5  ping 1 20.1,5    | RAISED Tailgating p exit
        4.5  ping 1 19.7,5    | CLEARED Tailgating p exit: ConditionEnded
        5.5  ping 1 20.1,5    | RAISED Tailgating p exit
        ",
    );
}

#[test]
fn things_coarse_positions_and_long_gaps_do_not_count() {
    let story = |pings: &str| {
        let pings = pings.replace(';', "|\n");
        format!("2 open exit |\n{pings} |\n9 close exit |")
    };
    for pings in [
        "2.5 ping 4 19,5; 3.5 ping 4 21,5",
        "2.5 ping 1 19,5 acc=2001; 3.5 ping 1 21,5",
        "2.5 ping 1 19,5; 3.5 ping 1 21,5 acc=2001",
        "2.5 ping 1 19,5; 4.6 ping 1 21,5",
        "2.5 ping 1 19,5 f?; 3.5 ping 1 21,5 f?",
        "2.5 ping 1 19,7; 3.5 ping 1 21,7",
    ] {
        check(anybody(), &story(pings));
    }
    let pings = "2.5 ping 1 19,5 acc=2000;\n3.5 ping 1 21,5 acc=2000 | RAISED Tailgating p exit";
    World::new(&hospital(vec![anybody()]))
        .check_alarms(&format!("2 open exit |\n{}", pings.replace(';', "|")));
}

#[test]
fn a_passage_that_is_told_late_falls_into_the_opening_of_its_time() {
    // The door is faster than the tags.
    check(
        anybody(),
        "
        1    grant exit 5000         |
        2    open exit               |
        4    close exit              |
        5    ping 3 19,5 obs=2.5     |
        6    ping 3 21,5 obs=3.5     |
        6    ping 1 19,5 obs=2.5     |
        7    ping 1 21,5 obs=3.5     | RAISED Tailgating p exit, CLEARED Tailgating p exit: ConditionEnded
        8    ping 1 22,5 obs=4.5     |
        ",
    );
    // Tags are faster than the door.
    check(
        anybody(),
        "
        2.5  ping 3 19,5             |
        2.5  ping 1 19,5             |
        3.5  ping 3 21,5             |
        3.5  ping 1 21,5             |
        8    grant exit 5000 obs=1   |
        8.1  open exit obs=2         | RAISED Tailgating p exit
        8.2  close exit obs=4        | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
    // The next opening has begun meanwhile, and is not meant.
    check(
        anybody(),
        "
        1    grant exit 1000         |
        2    open exit               |
        4    close exit              |
        6    rex exit 1000           |
        7    open exit               |
        7.5  ping 3 19,5 obs=2.5     |
        7.5  ping 1 19,5 obs=2.5     |
        8    ping 3 21,5 obs=3.5     |
        8    ping 1 21,5 obs=3.5     | RAISED Tailgating p exit, CLEARED Tailgating p exit: ConditionEnded
        8.5  ping 5 19,5             |
        9.5  ping 5 21,5             |
        ",
    );
}

/// The nurse's tag is told late, and what she used was her own: the patient had none.
#[test]
fn who_is_told_late_takes_her_pass_from_whoever_went_on_it() {
    check(
        anybody(),
        "
        1    grant exit 9000     |
        2    open exit           |
        3    close exit          |
        4    open exit           |
        4.4  ping 1 19,5         |
        5    ping 1 21,5         |
        5.2  ping 3 19,5 obs=2.2 |
        5.5  ping 3 21,5 obs=2.8 | RAISED Tailgating p exit
        9    close exit          | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
}

#[test]
fn half_a_minute_after_the_closing_nothing_is_put_into_an_opening() {
    for (told, expected) in [
        ("34", "RAISED Tailgating p exit late, CLEARED Tailgating p exit: ConditionEnded"),
        ("34.1", ""),
    ] {
        let story = format!(
            "
            2      open exit               |
            4      close exit              |
            33     ping 1 19,5 obs=2.5     |
            {told} ping 1 21,5 obs=3.5     | {expected}
            "
        );
        check(anybody(), &story);
    }
    for (told, expected) in [("33", "RAISED Tailgating p exit late"), ("33.6", "")] {
        let story = format!(
            "
            2.5    ping 1 19,5             |
            3.5    ping 1 21,5             |
            {told} open exit obs=2         | {expected}
            "
        );
        check(anybody(), &story);
    }
}

#[test]
fn a_pass_that_nobody_used_is_good_for_the_next_opening_and_a_used_one_is_not() {
    check(
        anybody(),
        "
        1    grant exit 9000  |
        2    open exit        |
        3    close exit       |
        4    open exit        |
        4.5  ping 3 19,5      |
        5.5  ping 3 21,5      |
        6    close exit       |
        7    open exit        |
        7.5  ping 1 19,5      |
        8.5  ping 1 21,5      | RAISED Tailgating p exit
        ",
    );
}

#[test]
fn a_rule_holds_in_its_hours_by_when_somebody_went_through() {
    check(
        hours(10, 18, anybody()),
        "
        09:00     open exit        |
        09:00:01  ping 1 19,5      |
        09:00:02  ping 1 21,5      |
        09:00:05  close exit       |
        10:00     open exit        |
        10:00:01  ping 1 21,5      |
        10:00:02  ping 1 19,5      | RAISED Tailgating p exit
        18:00     close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
}

const PIGGYBACK: &str = "
    1    grant exit 5000  |
    2    open exit        |
    2.5  ping 3 19,5      |
    2.5  ping 1 19,5.5    |
    3.5  ping 3 21,5      |
    3.5  ping 1 21,5.5    | RAISED Tailgating p exit
    ";

#[test]
fn a_change_of_the_site_ends_what_no_rule_says_any_more() {
    let for_staff = for_class(SubjectClass::Staff, anybody());
    for (rules, told) in [
        (vec![anybody()], vec![]),
        (vec![], vec!["CLEARED Tailgating p exit: RuleRemoved"]),
        (vec![for_staff], vec!["CLEARED Tailgating p exit: RuleRemoved"]),
    ] {
        let mut world = World::new(&hospital(vec![anybody()]));
        world.check_alarms(PIGGYBACK);
        assert_eq!(world.change(&next(rules)), told);
    }
    // Who went through before anybody asked is not counted; who was given leave before is.
    let mut world = World::new(&hospital(vec![]));
    world.check_alarms("1 grant exit 5000 |");
    assert!(world.change(&next(vec![anybody()])).is_empty());
    world.check_alarms(
        "
        2    open exit        |
        2.5  ping 3 19,5      |
        2.5  ping 1 19,5.5    |
        3.5  ping 3 21,5      |
        3.5  ping 1 21,5.5    | RAISED Tailgating p exit
        ",
    );
}

#[test]
fn the_alarm_says_where_who_was_seen_and_what_leave_there_was() {
    let mut world = World::new(&hospital(vec![anybody()]));
    world.check_alarms(PIGGYBACK);
    let notice = world.notices.last().expect("an alarm");
    assert_eq!(notice.tag, world.site.tag(ach_actors_model::TagId(1)));
    assert_eq!(notice.position.map(|position| position.x_mm), Some(21_000));
    let door = notice.door.as_ref().expect("what is known of the door");
    assert!(door.granted.is_some() && door.requested.is_none() && door.lock.is_none());
}
