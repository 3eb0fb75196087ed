//! In which opening of a door somebody went through, and what of its leave is left for the next.
//!
//! The door is at x 20 and y 4 to 6. Patient p has tags 1 and 2, staff s 3, visitor v 5.

use ach_actors_model::{RuleConfig, SubjectClass};

use crate::hospital::{for_class, hospital, name};
use crate::tailgating::{anybody, check, play};
use crate::world::World;

#[test]
fn a_passage_that_is_told_late_falls_into_the_opening_of_its_time() {
    let told = "RAISED Tailgating p exit, CLEARED Tailgating p exit: ConditionEnded";
    // The door is faster than the tags.
    let faster = format!(
        "
        1    grant exit 5000         |
        2    open exit               |
        4    close exit              |
        6    go 3 obs=3.5            |
        7    go 1 obs=3.5            | {told}
        8    ping 1 22,5 obs=4.5     |
        "
    );
    check(anybody(), &faster);
    // Tags are faster than the door.
    check(
        anybody(),
        "
        3.5  go 3 1                  |
        8    grant exit 5000 obs=1   |
        8.1  open exit obs=2         | RAISED Tailgating p exit
        8.2  close exit obs=4        | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
    // The next opening has begun meanwhile, and is not meant.
    let next = format!(
        "
        1    grant exit 1000         |
        2    open exit               |
        4    close exit              |
        6    rex exit 1000           |
        7    open exit               |
        8    go 3 1 obs=3.5          | {told}
        9.5  go 5                    |
        "
    );
    check(anybody(), &next);
}

#[test]
fn who_may_have_gone_in_two_openings_went_in_the_one_that_lasted_longer_meanwhile() {
    // He has none of the pass that was given for the second.
    check(
        anybody(),
        "
        1    grant exit 2000  |
        2    open exit        |
        3.9  ping 1 19,5      |
        4.6  close exit       |
        4.8  grant exit 1000  |
        5    open exit        |
        5.4  ping 1 21,5      |
        6.2  go 5             |
        ",
    );
    // The first was over when he was seen before the sill, but for what clocks may differ by.
    check(
        anybody(),
        "
        1    grant exit 2000  |
        2    open exit        |
        3.5  go 3             |
        4    close exit       |
        4.3  ping 1 19,5      |
        4.8  grant exit 1000  |
        4.9  open exit        |
        5.9  ping 1 21,5      |
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
        5    go 1                |
        5.5  go 3 obs=2.8        | RAISED Tailgating p exit
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
            {told} go 1 obs=3.5            | {expected}
            "
        );
        check(anybody(), &story);
    }
    for (told, expected) in [("33", "RAISED Tailgating p exit late"), ("33.6", "")] {
        let story = format!(
            "
            3.5    go 1                    |
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
        5.5  go 3             |
        6    close exit       |
        7    open exit        |
        8.5  go 1             | RAISED Tailgating p exit
        ",
    );
}

/// A contact that chatters while the grant is valid.
#[test]
fn a_used_pass_stays_used_when_its_opening_is_forgotten() {
    let visitors = for_class(SubjectClass::Visitor, anybody());
    let visitors = RuleConfig { id: name("tail-2"), ..visitors };
    for (rules, who, told) in [
        (vec![anybody()], "1", "RAISED Tailgating p exit"),
        // To a rule that does not select the nurse it is still good.
        (vec![anybody(), visitors.clone()], "5", "RAISED Tailgating v exit"),
        (vec![visitors], "5", ""),
    ] {
        let mut world = World::new(&hospital(rules));
        play(&mut world, "1 grant exit 30000 |\n2 open exit |\n3.5 go 3 |\n4 close exit |");
        for number in 0..6 {
            play(&mut world, &format!("4.{number}2 open exit |\n4.{number}5 close exit |"));
        }
        play(&mut world, &format!("6 open exit |\n7.5 go {who} | {told}"));
    }
}
