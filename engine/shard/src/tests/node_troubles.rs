//! What is wrong with the node itself: one alarm while it is so, however often it is said.

use ach_actors_model::AlarmPriority;

use super::play::check;

#[test]
fn a_trouble_is_one_alarm_until_it_is_over() {
    let played = check(
        "1 trouble audit off
         2 trouble audit on
         3 trouble audit on
         & trouble clock on
         & trouble clock on
         4 trouble audit off
         5 trouble audit off
         & trouble audit on
         & trouble audit off
         & trouble audit on
         6 trouble clock off
         7 trouble selftest on
         8 trouble audit off
         & trouble selftest off",
        &[
            "2 raised AuditTrouble -",
            "3 raised NodeClockOff -",
            "4 cleared AuditTrouble - (ConditionEnded)",
            "5 raised AuditTrouble -",
            "5 cleared AuditTrouble - (ConditionEnded)",
            "5 raised AuditTrouble -",
            "6 cleared NodeClockOff - (ConditionEnded)",
            "7 raised SelftestFailed -",
            "8 cleared AuditTrouble - (ConditionEnded)",
            "8 cleared SelftestFailed - (ConditionEnded)",
        ],
    );
    assert!(played.shard.open_alarms().is_empty());
    let raised = played.raised_of_the_site();
    let episodes: Vec<_> = raised.iter().map(|notice| notice.episode).collect();
    assert_eq!(episodes, [1, 1, 2, 3, 1], "each kind counts its own");
    for notice in raised {
        assert_eq!(notice.priority, AlarmPriority::Medium);
    }
}

/// Nor does another version of the site, or a self-test, or the end of one.
#[test]
fn an_end_of_a_trouble_ends_nothing_else_and_nothing_else_ends_it() {
    let played = check(
        "1 anna at 3,1
         2 sam presses
         3 selftest begin
         4 trouble selftest on
         5 selftest end
         6 site no-wander
         7 trouble selftest off",
        &[
            "2 raised Duress sam",
            "3 raised SelfTest -",
            "4 raised SelftestFailed -",
            "5 cleared SelfTest - (ConditionEnded)",
            "7 cleared SelftestFailed - (ConditionEnded)",
        ],
    );
    assert_eq!(played.shard.open_alarms().len(), 1);
}
