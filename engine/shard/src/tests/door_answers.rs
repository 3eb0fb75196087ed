//! Doors that the node moves: what is refused, what is known by its key, and who does not follow.

use ach_actors_entities::DoorInput;
use ach_actors_model::{AlarmKind, Condition, DoorRef};

use super::door_stories::{check, check_watched, check_with, moved, told, words};
use super::hospital::door_rule;
use super::play::play;
use crate::Shard;
use crate::call::Call;

const EXIT: u32 = 0;

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    check(
        "1 nora unlocks nothing for=60
         2 nora unlocks exit for=0
         3 nora unlocks exit for=86401
         4 nora unlocks exit for=60 why=none
         5 nora begins lockdown site for=86401
         6 nora begins lockdown site for=60 why=none
         7 nora ends lockdown site
         8 nora unlocks exit for=60 void=8
         9 nora begins lockdown site for=60 key=7
         10 nora unlocks exit for=60 key=7
         11 nora begins lockdown site for=60 key=7
         12 nora lets-out exit why=none void=3",
        &[
            "1 refused: NoSuchThing",
            "2 refused: NotForSoLong",
            "3 refused: NotForSoLong",
            "4 refused: NoReason",
            "5 refused: NotForSoLong",
            "6 refused: NoReason",
            "7 refused: NotDeclared",
            "8 refused: TooLate",
            "9 exit blocked Lockdown",
            "10 refused: KeyReused",
            "12 exit unlocked LifeSafety at-once",
        ],
    );
    let mut config = moved();
    config.doors[1].control = None;
    check_with(
        config,
        |_| {},
        "1 nora unlocks hatch for=60
         2 nora lets-out hatch",
        &["0 exit locked rest", "1 refused: NoOrders", "2 refused: NoOrders"],
    );
}

#[test]
fn a_controller_that_did_a_later_order_than_is_known_is_told_anew_unless_it_lets_people_out() {
    let mut script = told(moved(), "1 door exit locks\n2 door exit does=late");
    script.tell("3 door exit unlocks\n4 door exit does=later\n5 tick");
    let played = play(&script.entries);
    assert_eq!(
        words(&played, &script.entries),
        ["0 exit locked rest", "0 hatch locked rest", "2 exit locked rest"]
    );
}

#[test]
fn a_door_is_told_anew_when_it_is_given_back_or_works_again() {
    check_with(
        moved(),
        |shard: &mut Shard| {
            shard.stage.actors.bug =
                Some(|call| matches!(call, Call::Door(DoorRef(EXIT), DoorInput::Locked(_))));
        },
        "5 nora gives-back exit
         6 door exit locks
         10 door hatch burns
         20 door hatch burns-no-more
         31 release door=0",
        &[
            "0 exit locked rest",
            "0 hatch locked rest",
            "5 exit locked rest",
            "10 exit unlocked LifeSafety at-once",
            "10 hatch unlocked LifeSafety at-once",
            "20 hatch locked rest",
            "31 exit locked rest",
        ],
    );
}

#[test]
fn a_fire_whose_input_is_silent_is_ended_by_an_operator() {
    check(
        "5 door hatch burns
         6 nora ends-fire hatch why=none
         7 nora ends-fire hatch",
        &[
            "5 exit unlocked LifeSafety at-once",
            "5 hatch unlocked LifeSafety at-once",
            "6 refused: NoReason",
            "7 exit locked rest",
            "7 hatch locked rest",
        ],
    );
}

#[test]
fn a_command_with_a_key_is_done_once_for_ten_minutes() {
    check(
        "1 nora unlocks exit for=100 key=7
         2 nora gives-back exit
         3 nora unlocks exit for=100 key=7
         602 nora unlocks exit for=100 key=7",
        &["1 exit unlocked Operator", "2 exit locked rest", "602 exit unlocked Operator"],
    );
}

#[test]
fn a_door_that_is_not_as_it_was_told_is_an_alarm_until_it_is() {
    check_watched(
        "1 door exit locks
         & door hatch locks
         2 nora unlocks exit for=600
         11 tick
         12 tick
         13 door exit unlocks
         20 door exit locks
         29 tick
         30 tick
         31 nora gives-back exit
         40 door exit grants=8
         41 door exit unlocks
         50 door exit locks",
        &[
            "2 exit unlocked Operator",
            "12 raised DoorNotFollowing - exit",
            "13 cleared DoorNotFollowing - exit (ConditionEnded)",
            "30 raised DoorNotFollowing - exit",
            "31 cleared DoorNotFollowing - exit (ConditionEnded)",
            "31 exit locked rest",
        ],
    );
}

#[test]
fn a_door_that_ignores_the_end_of_a_word_or_of_its_hours_is_an_alarm() {
    check_watched(
        "1 door exit locks
         2 nora unlocks exit for=20
         3 door exit unlocks
         22 tick
         31 tick
         32 tick
         33 door exit locks
         21600 tick
         21601 door exit unlocks
         68400 tick
         68410 tick",
        &[
            "2 exit unlocked Operator",
            "22 exit locked rest",
            "32 raised DoorNotFollowing - exit",
            "33 cleared DoorNotFollowing - exit (ConditionEnded)",
            "21600 exit unlocked Schedule",
            "68400 exit locked rest",
            "68410 raised DoorNotFollowing - exit",
        ],
    );
}

#[test]
fn a_controller_that_refuses_is_an_alarm_at_once_and_one_that_says_nothing_after_its_time() {
    check_watched(
        "1 door exit locks
         & door hatch closes
         2 nora blocks exit for=600
         3 door exit refuses
         4 door exit does
         5 nora gives-back exit
         6 nora blocks exit for=600
         15 tick
         16 tick
         17 door exit does",
        &[
            "2 exit blocked Operator",
            "3 raised DoorNotFollowing - exit",
            "4 cleared DoorNotFollowing - exit (ConditionEnded)",
            "5 exit locked rest",
            "6 exit blocked Operator",
            // The hatch never said that it is locked.
            "15 raised DoorNotFollowing - hatch",
            "16 raised DoorNotFollowing - exit",
            "17 cleared DoorNotFollowing - exit (ConditionEnded)",
        ],
    );
}

#[test]
fn an_order_that_says_the_same_anew_gives_a_door_that_does_not_follow_no_new_time() {
    // A lock that sticks, and a lockdown that is declared again and again.
    check_watched(
        "1 door exit locks
         & door hatch locks
         2 nora unlocks exit for=20
         3 door exit unlocks
         22 tick
         25 nora begins lockdown site for=60
         28 nora begins lockdown site for=70
         33 nora gives-back exit
         35 tick
         36 door exit locks
         & door exit does",
        &[
            "2 exit unlocked Operator",
            "22 exit locked rest",
            "25 exit blocked Lockdown",
            "28 exit blocked Lockdown",
            "33 exit blocked Lockdown",
            "35 raised DoorNotFollowing - exit",
            "36 cleared DoorNotFollowing - exit (ConditionEnded)",
        ],
    );
    // One that did as it was told is given its time for what it is told anew.
    check_watched(
        "1 door exit locks
         & door hatch locks
         2 nora blocks exit for=600
         3 door exit does
         30 nora blocks exit for=900
         39 tick
         40 tick",
        &[
            "2 exit blocked Operator",
            "30 exit blocked Operator",
            "40 raised DoorNotFollowing - exit",
        ],
    );
}

#[test]
fn what_happened_while_a_door_was_to_be_unlocked_is_judged_so_whenever_it_is_told() {
    let mut config = moved();
    let condition = Condition::Tailgating { doors: vec![EXIT], with: None };
    config.rules.push(door_rule("tail", AlarmKind::Tailgating, condition));
    let raised = |story: &str, kind: AlarmKind| {
        let played = play(&told(config.clone(), story).entries);
        played.notices().any(|notice| notice.kind == kind)
    };
    let ends = [
        // It is locked by somebody, its hours end, or another says that it is unlocked.
        ("21700 nora locks exit for=60", 21_600, 21_700),
        ("68400 tick", 21_600, 68_400),
        ("21700 nora unlocks exit for=60\n21710 nora locks exit for=60", 21_600, 21_710),
    ];
    for (end, from, until) in ends {
        for (seen, is_forced) in [(from - 5, true), (from + 5, false), (until - 1, false)] {
            let story = format!("21600 tick\n{end}\n{} door exit opens seen={seen}", until + 1);
            assert_eq!(raised(&story, AlarmKind::DoorForced), is_forced, "{story}");
            let story = format!("21600 tick\n{end}\n{} door exit opens", until + 1);
            assert!(raised(&story, AlarmKind::DoorForced), "{story}");
        }
    }
    for (seen, is_one_too_many) in [("21612.1", false), ("21612.6", true)] {
        let story = format!(
            "21600 tick
             21611 door exit opens
             21611.6 anna at 5.6,1
             21612.2 nora locks exit for=60
             21612.8 anna at 5.6,-1 seen={seen}"
        );
        assert_eq!(raised(&story, AlarmKind::Tailgating), is_one_too_many, "{story}");
    }
}
