//! What people do with alarms, and what becomes of alarms that nobody answers.

use ach_actors_model::{AlarmAct, AlarmWish, Command, CommandKind, Escalation, NS_PER_S, Remark};

use super::desk::{asking, check, raised, told, words};
use super::hospital::name;
use super::play::{play, play_with};
use crate::Input;

#[test]
fn an_alarm_that_must_be_closed_is_over_when_it_is() {
    let played = check(
        "1 sam at 3,1
         2 sam presses
         3 nora closes 1
         4 nora acks 1
         5 otto acks 1
         6 sam resets
         7 nora closes 1
         8 nora resets 1
         9 nora closes 1",
        &[
            "2 raised Duress sam",
            "refused: NotAcknowledged",
            "4 acknowledged Duress sam by nora",
            "6 cleared Duress sam (ConditionEnded)",
            "7 closed Duress sam by nora",
            "8 reset Duress sam by nora and is over",
            "refused: NotOpen",
        ],
    );
    assert!(played.shard.open_alarms().is_empty());
}

#[test]
fn a_rule_that_asks_nothing_has_alarms_that_end_with_their_condition() {
    check(
        "1 door exit opens
         2 nora acks 1
         3 door exit closes
         4 nora confirms 1",
        &[
            "1 raised DoorForced - exit",
            "2 acknowledged DoorForced - exit by nora",
            "3 cleared DoorForced - exit (ConditionEnded)",
            "refused: NotOpen",
        ],
    );
}

#[test]
fn what_nobody_answers_is_passed_on_and_what_holds_calls_again() {
    check(
        "1 sam at 3,1
         2 sam is-cut
         10 tick
         25 tick
         90 tick
         91 nora acks 1
         150 tick
         200 tick
         219 tick
         219.5 nora acks 1
         231 sam is-whole
         400 tick",
        &[
            "2 raised BandCut sam",
            "25 escalated BandCut sam to charge-nurse",
            "90 escalated BandCut sam to security",
            "91 acknowledged BandCut sam by nora",
            "200 realarmed BandCut sam",
            "219.500 acknowledged BandCut sam by nora",
            "231 cleared BandCut sam (ConditionEnded)",
        ],
    );
}

#[test]
fn a_condition_that_ended_unseen_is_passed_on_all_the_same() {
    check(
        "1 sam at 3,1
         2 sam is-cut
         3 sam is-whole
         30 tick
         31 nora acks 1",
        &[
            "2 raised BandCut sam",
            "3 cleared BandCut sam (ConditionEnded)",
            "30 escalated BandCut sam to charge-nurse",
            "31 acknowledged BandCut sam by nora and is over",
        ],
    );
}

#[test]
fn words_that_come_with_what_is_so_already_are_told() {
    let mut script = told("1 door exit opens\n2 nora acks 1");
    let alarm = raised(&script, 1);
    let remark = Some(Remark::new("me too").expect("plain"));
    let wish = AlarmWish { alarm, act: AlarmAct::Acknowledge, person: None, remark };
    script.tell("3 tick");
    script.add(Input::Command(Command { by: name("otto"), kind: CommandKind::Act(wish) }));
    let played = play(&script.entries);
    assert_eq!(
        words(&played),
        [
            "1 raised DoorForced - exit",
            "2 acknowledged DoorForced - exit by nora",
            "3 commented DoorForced - exit by otto",
        ]
    );
}

#[test]
fn a_rule_that_changes_asks_the_open_alarms_too() {
    let mut script = told("1 sam at 3,1\n2 sam is-cut");
    let mut config = asking();
    config.version += 1;
    let cut = config.rules.iter_mut().find(|rule| rule.id.as_str() == "cut").expect("a rule");
    cut.answer.escalations = vec![Escalation { after_ns: 5 * NS_PER_S, to: name("porter") }];
    script.push_site(3, config);
    script.tell("3.5 tick\n8 tick\n30 tick");
    let played = play(&script.entries);
    assert_eq!(words(&played), ["2 raised BandCut sam", "8 escalated BandCut sam to porter"]);
}

#[test]
fn a_call_of_an_actor_that_is_set_aside_asks_what_the_rules_about_calls_ask() {
    check(
        "1 sam at 3,1
         2 hold tag=3
         3 sam is-cut
         30 tick
         31 release tag=3
         32 nora acks 2",
        &[
            "2 raised ActorQuarantined sam",
            "3 raised BandCut sam",
            "30 escalated BandCut sam to charge-nurse",
            "31 cleared ActorQuarantined sam (Released)",
            "31 cleared BandCut sam (Released)",
            "32 acknowledged BandCut sam by nora and is over",
        ],
    );
}

/// The oldest of those that wait for people is given up, and never one whose condition holds.
#[test]
fn there_is_an_end_to_what_waits_for_people() {
    let script = told(
        "1 sam at 3,1
         2 sam is-cut
         3 sam is-whole
         4 sam is-cut
         5 sam is-whole
         6 sam is-cut
         7 sam is-whole
         8 sam is-cut
         9 nora acks 1",
    );
    let played = play_with(&script.entries, |shard| shard.board.ended_count_max = 2);
    assert_eq!(
        words(&played),
        [
            "2 raised BandCut sam",
            "3 cleared BandCut sam (ConditionEnded)",
            "4 raised BandCut sam",
            "5 cleared BandCut sam (ConditionEnded)",
            "6 raised BandCut sam",
            "7 cleared BandCut sam (ConditionEnded)",
            "7 dropped BandCut sam and is over",
            "8 raised BandCut sam",
            "refused: NotOpen",
        ]
    );
    assert_eq!(played.shard.open_alarms().len(), 3, "two that wait and one that holds");
}
