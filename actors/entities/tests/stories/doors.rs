//! Doors: opened, forced, and reports that overtake each other.

use ach_actors_model::{AlarmKind, Condition, RuleConfig};

use crate::hospital::{hospital, hours, rule};
use crate::world::World;

fn forced() -> RuleConfig {
    rule("forced", AlarmKind::DoorForced, Condition::DoorForced { doors: vec![0] })
}

#[track_caller]
fn check(rules: Vec<RuleConfig>, story: &str) {
    World::new(&hospital(rules)).check(story);
}

#[test]
fn a_door_opened_without_leave_is_forced_until_it_is_closed() {
    check(
        vec![forced()],
        "
        1  open exit    | exit forced, RAISED DoorForced - exit
        2  open exit    |
        3  close exit   | exit closed, CLEARED DoorForced - exit: ConditionEnded
        4  close exit   |
        5  open exit    | exit forced, RAISED DoorForced - exit
        ",
    );
}

#[test]
fn a_grant_or_a_request_to_exit_covers_an_opening_while_it_is_valid() {
    check(
        vec![forced()],
        "
        1    grant exit 5000  |
        5.9  open exit        | exit opened
        7    close exit       | exit closed
        10   rex exit 3000    |
        12   open exit        | exit opened
        13   close exit       | exit closed
        13.1 open exit        | exit forced, RAISED DoorForced - exit
        ",
    );
}

#[test]
fn an_expired_grant_covers_nothing() {
    check(
        vec![forced()],
        "
        1      grant exit 5000  |
        6.001  open exit        | exit forced, RAISED DoorForced - exit
        ",
    );
}

#[test]
fn a_grant_that_was_overtaken_by_the_opening_ends_the_alarm() {
    check(
        vec![forced()],
        "
        2    open exit                  | exit forced, RAISED DoorForced - exit
        2.1  grant exit 5000 obs=1.9    | CLEARED DoorForced - exit: ConditionEnded
        ",
    );
}

#[test]
fn a_card_shown_after_the_door_was_forced_excuses_nothing() {
    check(
        vec![forced()],
        "
        2    open exit          | exit forced, RAISED DoorForced - exit
        2.2  grant exit 5000    |
        ",
    );
}

#[test]
fn stamps_of_two_boards_may_differ_by_a_tenth_of_a_second() {
    check(
        vec![forced()],
        "
        2      open exit                  | exit forced, RAISED DoorForced - exit
        2.15   rex exit 5000 obs=2.1      | CLEARED DoorForced - exit: ConditionEnded
        ",
    );
}

#[test]
fn a_late_opening_is_judged_by_the_leave_of_its_time() {
    check(
        vec![forced()],
        "
        1    grant exit 1000        |
        5    close exit             | exit closed
        6    open exit obs=1.5      | exit opened, late
        7    open exit obs=3        | exit forced, RAISED DoorForced - exit late, CLEARED DoorForced - exit: ConditionEnded, late
        8    open exit obs=3        | duplicate
        9    close exit obs=4       | late
        ",
    );
}

#[test]
fn an_open_door_does_not_open_again() {
    check(
        vec![forced()],
        "
        1    grant exit 1000       |
        2    open exit             | exit opened
        9    open exit             |
        10   open exit obs=8       | late
        11   close exit            | exit closed
        ",
    );
}

#[test]
fn the_lock_is_a_fact_of_its_own() {
    check(
        vec![forced()],
        "
        1  unlock exit         | exit unlocked
        2  unlock exit         |
        3  lock exit           | exit locked
        4  unlock exit obs=2.5 | late
        5  open exit           | exit forced, RAISED DoorForced - exit
        ",
    );
}

#[test]
fn a_door_whose_lock_is_drawn_back_is_not_forced() {
    check(
        vec![forced()],
        "
        1      unlock exit             | exit unlocked
        5      open exit               | exit opened
        6      close exit              | exit closed
        10     lock exit               | exit locked
        11     close exit              |
        12     open exit obs=9         | exit opened, late
        13     open exit obs=10.5      | exit forced, RAISED DoorForced - exit late, CLEARED DoorForced - exit: ConditionEnded, late
        20     open exit               | exit forced, RAISED DoorForced - exit
        20.2   unlock exit obs=19.9    | exit unlocked, CLEARED DoorForced - exit: ConditionEnded
        21     close exit              | exit closed
        22     lock exit               | exit locked
        30     open exit               | exit forced, RAISED DoorForced - exit
        30.2   unlock exit             | exit unlocked
        ",
    );
}

#[test]
fn a_long_pass_outlasts_later_short_ones() {
    check(
        vec![forced()],
        "
        1    rex exit 3000000   |
        2    grant exit 5000    |
        3    grant exit 5000    |
        4    grant exit 5000    |
        5    grant exit 5000    |
        6    grant exit 5000    |
        7    grant exit 5000    |
        8    grant exit 5000    |
        9    grant exit 5000    |
        60   open exit          | exit opened
        ",
    );
}

#[test]
fn a_pass_is_valid_for_an_hour_at_most() {
    check(
        vec![forced()],
        "
        1:00     grant exit 4294967295  |
        2:00     open exit              | exit opened
        2:00:01  close exit             | exit closed
        2:00:02  open exit              | exit forced, RAISED DoorForced - exit
        ",
    );
}

#[test]
fn a_door_that_opens_again_long_after_its_closing_was_lost_is_judged() {
    check(
        vec![forced()],
        "
        14:00     grant exit 5000   |
        14:00:01  open exit         | exit opened
        14:05     open exit         |
        14:14     open exit         |
        23:00     open exit         | exit forced, RAISED DoorForced - exit
        23:05     open exit         |
        26:00     open exit         | CLEARED DoorForced - exit: ConditionEnded, exit forced, RAISED DoorForced - exit
        26:01     close exit        | exit closed, CLEARED DoorForced - exit: ConditionEnded
        ",
    );
}

#[test]
fn a_door_that_opens_twice_within_the_second_it_is_stamped_with_is_open() {
    check(
        vec![forced()],
        "
        1.2  open exit obs=1            | exit forced, RAISED DoorForced - exit
        1.4  close exit obs=1           | exit closed, CLEARED DoorForced - exit: ConditionEnded
        1.6  open exit obs=1            | exit forced, RAISED DoorForced - exit
        2    open exit obs=1 epoch=2    | duplicate
        2    close exit obs=1 epoch=2   | duplicate
        2    open exit obs=1 epoch=2    | duplicate
        3    close exit                 | exit closed, CLEARED DoorForced - exit: ConditionEnded
        ",
    );
}

#[test]
fn the_first_word_of_a_door_may_be_that_it_is_forced() {
    check(vec![forced()], "1 open exit | exit forced, RAISED DoorForced - exit");
}

#[test]
fn a_door_nobody_watches_tells_but_does_not_alarm() {
    check(vec![], "1 open exit | exit forced\n 2 close exit | exit closed");
    check(
        vec![hours(20, 6, forced())],
        "
        12:00  open exit    | exit forced
        12:01  close exit   | exit closed
        21:00  open exit    | exit forced, RAISED DoorForced - exit
        30:01  tick         |
        30:02  close exit   | exit closed, CLEARED DoorForced - exit: ConditionEnded
        ",
    );
}

#[test]
fn an_unknown_door_is_refused() {
    check(vec![], "1 open attic | refused");
}
