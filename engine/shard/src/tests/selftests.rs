//! The test alarm: one episode a test, ended by command, whatever a crash left open.

use ach_actors_model::{AlarmKind, AlarmPriority};

use super::play::check;

#[test]
fn each_test_is_an_episode_of_its_own_that_is_ended_once() {
    check(
        "1 selftest begin
         2 selftest end
         3 selftest end
         4 selftest begin
         & selftest end
         5 selftest begin
         5.5 tick",
        &[
            "1 raised SelfTest -",
            "2 cleared SelfTest - (ConditionEnded)",
            "4 raised SelfTest -",
            "4 cleared SelfTest - (ConditionEnded)",
            "5 raised SelfTest -",
        ],
    );
}

/// As after a crash, or two operators at once: also within one entry.
#[test]
fn a_test_that_was_left_open_is_ended_by_the_next_one() {
    let played = check(
        "1 selftest begin
         2 selftest begin
         & selftest begin
         3 selftest end",
        &[
            "1 raised SelfTest -",
            "2 cleared SelfTest - (ConditionEnded)",
            "2 raised SelfTest -",
            "2 cleared SelfTest - (ConditionEnded)",
            "2 raised SelfTest -",
            "3 cleared SelfTest - (ConditionEnded)",
        ],
    );
    assert!(played.shard.open_alarms().is_empty());
    let raised = played.raised_of_the_site();
    assert_eq!(raised.iter().map(|notice| notice.episode).collect::<Vec<_>>(), [1, 2, 3]);
    let notice = raised[0];
    assert_eq!((notice.kind, notice.priority), (AlarmKind::SelfTest, AlarmPriority::Low));
}

/// An end that belongs to nobody's test, and alarms of people, are left as they are.
#[test]
fn the_end_of_a_test_ends_nothing_else() {
    check(
        "1 anna at 3,1
         2 sam presses
         3 selftest begin
         4 selftest end",
        &["2 raised Duress sam", "3 raised SelfTest -", "4 cleared SelfTest - (ConditionEnded)"],
    );
}
