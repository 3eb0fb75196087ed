//! Doors that alarms lock by themselves: from when, until when, and whose word counts before.

use ach_actors_model::{
    AlarmNotice, AlarmReason, AlarmTransition, DoorMode, DoorRef, NS_PER_S, Name, ResponseConfig,
    SiteConfig, StaysUntil, Timestamp,
};

use super::door_words::check_words;
use super::hospital::{MONDAY, name};
use super::play::{Played, Setup, play_with};
use super::script::Script;
use super::tailgating::leave;
use super::{desk, door_stories};
use crate::Input;
use crate::responses::WordsMax;

const EXIT: u32 = 0;
const HATCH: u32 = 1;

fn locks(doors: &[u32], mode: DoorMode, for_s: u64, tell: &[&str]) -> ResponseConfig {
    ResponseConfig {
        id: name("holds"),
        doors: doors.to_vec(),
        mode,
        for_ns: for_s * NS_PER_S,
        tell: tell.iter().map(|id| name(id)).collect(),
    }
}

/// A hospital whose doors are moved: the exit is unlocked from six in the morning. A cut band locks the exit for a minute;
/// a newborn that leaves, first told as tentative, blocks both doors for 30 s; who wanders off locks the exit for
/// 100 s, and a duress call the hatch for 50 s.
fn responding() -> SiteConfig {
    let (mut config, asking) = (door_stories::moved(), desk::asking());
    for (rule, asking) in config.rules.iter_mut().zip(asking.rules) {
        rule.answer = asking.answer;
        rule.answer.responses = match rule.id.as_str() {
            "cut" => vec![locks(&[EXIT], DoorMode::Locked, 60, &[])],
            "snatch" => vec![locks(&[HATCH, EXIT], DoorMode::Blocked, 30, &["gate", "camera-4"])],
            "wander" => vec![locks(&[EXIT], DoorMode::Locked, 100, &["gate"])],
            "help" => vec![locks(&[HATCH], DoorMode::Locked, 50, &[])],
            _ => vec![],
        };
    }
    config
}

/// Stories in the words of doors and of people at work with alarms.
fn told(config: SiteConfig, lines: &str) -> Script {
    let mut script = Script::new(config);
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let kind = match words[..] {
            [_, _, verb, which, ref more @ ..] => desk::wished(&script, verb, which, more)
                .or_else(|| door_stories::wished(verb, which, more)),
            _ => None,
        };
        match kind {
            None => script.tell(line),
            Some(kind) => {
                script.tell(&format!("{} tick", words[0]));
                let by = name(words[1]);
                script.add(Input::Command(ach_actors_model::Command { by, kind }));
            }
        }
    }
    script
}

#[track_caller]
fn check_with(config: SiteConfig, setup: Setup, story: &str, expected: &[&str]) -> Played {
    let script = told(config, story);
    let played = play_with(&script.entries, setup);
    let begin = ["0 exit locked rest", "0 hatch locked rest", "21600 exit unlocked Schedule"];
    let expected: Vec<&str> = begin.iter().chain(expected).copied().collect();
    assert_eq!(door_stories::words(&played, &script.entries), expected, "of the story{story}");
    check_words(&script.entries);
    played
}

#[track_caller]
pub(super) fn check(story: &str, expected: &[&str]) -> Played {
    check_with(responding(), |_| {}, &format!("21600 tick\n{story}"), expected)
}

#[test]
fn a_door_is_locked_until_the_alarm_is_over_and_somebody_has_taken_notice() {
    let locked = "21610 exit locked Response";
    let check = |story: &str, given_back: &str| {
        check(&format!("21610 anna is-cut\n{story}"), &[locked, given_back]);
    };
    check("21612 sam acks 1\n21620 anna is-whole", "21620 exit unlocked Schedule");
    check("21612 anna is-whole\n21620 sam acks 1", "21620 exit unlocked Schedule");
    check("21612 sam acks 1\n21614 sam closes 1", "21614 exit unlocked Schedule");
    // Nobody does anything: its time is over.
    check("21669 tick\n21670 tick", "21670 exit unlocked Schedule");
    check("21612 anna is-whole\n21670 tick", "21670 exit unlocked Schedule");
}

#[test]
fn an_alarm_that_asks_nothing_of_anybody_gives_its_doors_back_when_its_condition_ends() {
    check(
        "21601 anna at 5,5
         21602 anna at 10,-1
         21610 anna at 10,1",
        &["21602 exit locked Response", "21610 exit unlocked Schedule"],
    );
}

#[test]
fn who_gives_leave_has_seen_it_and_the_doors_are_given_back() {
    let mut config = responding();
    for rule in config.rules.iter_mut().filter(|rule| rule.id.as_str() == "wander") {
        rule.answer.stays_until = StaysUntil::Acknowledged;
    }
    let played = |before: &str, after: &str| {
        let mut script = told(config.clone(), &format!("21600 tick\n{before}\n21620 tick"));
        script.add(leave());
        for line in after.lines() {
            script.tell(line.trim());
        }
        check_words(&script.entries);
        let played = play_with(&script.entries, |_| {});
        let open = played.shard.open_alarms();
        let waits = |it: &AlarmNotice| it.reason == Some(AlarmReason::Authorised);
        assert!(open.iter().any(waits), "somebody is to acknowledge it: {open:?}");
        let is_called_for = played.notices().any(|notice| notice.response.is_some());
        (door_stories::words(&played, &script.entries)[3..].to_vec(), is_called_for)
    };
    let leaves = "21601 anna at 5,5\n21602 anna at 10,-1";
    let orders = ["21602 exit locked Response", "21620 exit unlocked Schedule"];
    assert_eq!(played(leaves, "21640 tick"), (orders.map(str::to_owned).to_vec(), true));
    // Nobody was to hear of it before, and when somebody is it is seen already.
    let muted = "21600 ivan mutes rule=wander for=30\n21600 olga mutes rule=wander for=30";
    let (words, is_called_for) = played(&format!("{muted}\n{leaves}"), "21640 tick\n21641 tick");
    assert_eq!((words.len(), is_called_for), (1, false), "{words:?}");
}

#[test]
fn what_is_only_suspected_locks_nothing() {
    let story = "21601 baby at 10,24
                 21602 baby at 10,18";
    check(&format!("{story}\n21603 baby at 10,24"), &[]);
    check(
        &format!("{story}\n21606 baby at 10,18\n21620 baby at 10,24"),
        &[
            "21606 exit blocked Response",
            "21606 hatch blocked Response",
            "21620 exit unlocked Schedule",
            "21620 hatch locked rest",
        ],
    );
    // Its time counts from when it was certain, and not from the suspicion; what is told of that late, from then.
    let slow = |borne_out: &str, expected: &[&str]| {
        let mut config = responding();
        of_rule(&mut config, "snatch", vec![locks(&[EXIT], DoorMode::Blocked, 3, &[])]);
        check_with(config, |_| {}, &format!("21600 tick\n{story}\n{borne_out}"), expected);
    };
    slow(
        "21606 baby at 10,18\n21608 tick",
        &["21606 exit blocked Response", "21608 exit unlocked Schedule"],
    );
    slow("21609 baby at 10,18 seen=21606", &[]);
}

#[test]
fn what_nobody_is_to_hear_of_locks_nothing_and_does_when_it_is_loud_again() {
    // Muted before, by two.
    check(
        "21601 ivan mutes rule=cut for=30
         21602 olga mutes rule=cut for=30
         21610 anna is-cut
         21632 tick",
        &["21601 refused: NeedsSecondPerson", "21632 exit locked Response"],
    );
    // Shelved while it holds the door; it counts from when the band was cut all the same.
    check(
        "21610 anna is-cut
         21615 sam shelves 1 for=20
         21635 tick
         21670 tick",
        &[
            "21610 exit locked Response",
            "21615 exit unlocked Schedule",
            "21635 exit locked Response",
            "21670 exit unlocked Schedule",
        ],
    );
    // Taken out of service for longer than it would last.
    check(
        "21601 ivan takes-out tag=sam for=100
         21610 sam is-cut
         21701 tick",
        &[],
    );
    // What a life may hang on cannot be muted.
    check(
        "21601 ivan takes-out tag=sam for=100
         21610 sam presses",
        &["21610 hatch locked Response"],
    );
}

#[test]
fn what_is_told_late_locks_for_what_is_left_of_its_time() {
    check("21700 anna is-cut seen=21639", &[]);
    check(
        "21700 anna is-cut seen=21690
         21750 tick",
        &["21700 exit locked Response", "21750 exit unlocked Schedule"],
    );
}

#[test]
fn the_last_of_several_alarms_that_ends_gives_a_door_back() {
    check(
        "21610 anna is-cut
         21620 vera is-cut
         21625 sam acks 1
         21626 anna is-whole
         21630 sam acks 2
         21631 vera is-whole",
        // The second keeps it for longer, so the door is told anew.
        &[
            "21610 exit locked Response",
            "21620 exit locked Response",
            "21631 exit unlocked Schedule",
        ],
    );
    check(
        "21610 anna is-cut
         21611 baby at 10,24
         21612 baby at 10,18
         21615 baby at 10,18
         21620 baby at 10,24",
        &[
            "21610 exit locked Response",
            "21615 exit blocked Response",
            "21615 hatch blocked Response",
            "21620 exit locked Response",
            "21620 hatch locked rest",
        ],
    );
}

#[test]
fn what_lasts_longer_takes_over_from_what_ends_with_one_order() {
    check(
        "21601 anna is-cut
         & baby at 10,24
         21602 baby at 10,18
         21606 baby at 10,18
         21635 tick
         21661 tick",
        &[
            "21601 exit locked Response",
            "21606 exit blocked Response",
            "21606 hatch blocked Response",
            "21635 exit locked Response",
            "21635 hatch locked rest",
            "21661 exit unlocked Schedule",
        ],
    );
}

#[test]
fn people_overrule_a_machine_and_the_way_out_overrules_all() {
    check(
        "21610 anna is-cut
         21612 nora unlocks exit for=10
         21622 tick
         21623 nora begins evacuation site for=4
         21627 tick
         21628 nora begins lockdown site for=4
         21632 tick
         21633 door exit key=unlocked
         21634 door exit key=back
         21635 door exit burns
         21636 door exit burns-no-more
         21637 nora lets-out exit
         21638 nora keeps-in exit",
        &[
            "21610 exit locked Response",
            "21612 exit unlocked Operator",
            "21622 exit locked Response",
            "21623 exit unlocked Evacuation",
            "21627 exit locked Response",
            "21628 exit blocked Lockdown",
            "21632 exit locked Response",
            "21633 exit unlocked LocalOverride",
            "21634 exit locked Response",
            "21635 exit unlocked LifeSafety at-once",
            "21635 hatch unlocked LifeSafety at-once",
            "21636 exit locked Response",
            "21636 hatch locked rest",
            "21637 exit unlocked LifeSafety at-once",
            "21638 exit locked Response",
        ],
    );
    // Who was there before stays, too: somebody has decided about this door.
    check(
        "21605 nora unlocks exit for=20
         21610 anna is-cut
         21625 tick",
        &["21605 exit unlocked Operator", "21625 exit locked Response"],
    );
}

#[test]
fn it_is_meant_and_so_counts_before_a_drill_and_an_exercise_changes_nothing() {
    check(
        "21605 nora begins evacuation site for=90 drill
         21606 nora begins lockdown site for=90 exercise
         21610 anna is-cut
         21670 tick",
        &[
            "21605 exit unlocked Evacuation drill",
            "21610 exit locked Response",
            "21670 exit unlocked Evacuation drill",
        ],
    );
}

#[test]
fn a_door_that_stands_open_is_told_all_the_same() {
    check("21605 door exit opens\n21610 anna is-cut", &["21610 exit locked Response"]);
}

#[test]
fn a_door_that_is_set_aside_learns_it_when_it_works_again() {
    check(
        "21605 hold door=0
         21610 anna is-cut
         21620 release door=0",
        &["21620 exit locked Response"],
    );
    check(
        "21605 hold door=0
         21610 anna is-cut
         21680 release door=0",
        &[],
    );
    // Whoever raised it may be set aside: the alarm stays, and its time runs.
    check(
        "21610 anna is-cut
         21611 hold tag=0
         21670 tick",
        &["21610 exit locked Response", "21670 exit unlocked Schedule"],
    );
}

fn of_cut(config: &mut SiteConfig, responses: Vec<ResponseConfig>) {
    of_rule(config, "cut", responses);
}

fn of_rule(config: &mut SiteConfig, id: &str, responses: Vec<ResponseConfig>) {
    let rule = config.rules.iter_mut().find(|rule| rule.id.as_str() == id);
    rule.expect("a rule").answer.responses = responses;
}

#[test]
fn a_change_of_the_site_changes_which_doors_an_open_alarm_locks() {
    let after = |edit: fn(&mut SiteConfig)| {
        let mut script = told(responding(), "21600 tick\n21610 anna is-cut");
        let mut config = responding();
        config.version = 2;
        edit(&mut config);
        script.push_site(21_620, config);
        script.tell("21621 tick");
        let played = play_with(&script.entries, |_| {});
        door_stories::words(&played, &script.entries)[4..].to_vec()
    };
    let none: [&str; 0] = [];
    assert_eq!(after(|_| {}), none);
    let given_back = ["21620 exit unlocked Schedule"];
    assert_eq!(after(|config| config.rules.retain(|rule| rule.id.as_str() != "cut")), given_back);
    assert_eq!(after(|config| of_cut(config, vec![])), given_back);
    let moved = after(|config| of_cut(config, vec![locks(&[HATCH], DoorMode::Blocked, 90, &[])]));
    assert_eq!(moved, ["21620 exit unlocked Schedule", "21620 hatch blocked Response"]);
    // A door that the node moves no more is told to rest.
    assert_eq!(after(|config| config.doors[0].control = None), ["21620 exit locked rest"]);
}

#[test]
fn a_rule_that_gets_a_response_locks_for_alarms_that_are_open() {
    let mut plain = responding();
    for rule in &mut plain.rules {
        rule.answer.responses.clear();
    }
    let mut script = told(plain, "21600 tick\n21610 anna is-cut");
    let mut config = responding();
    config.version = 2;
    of_cut(&mut config, vec![locks(&[EXIT], DoorMode::Locked, 60, &["gate"])]);
    script.push_site(21_620, config);
    script.tell("21621 tick\n21622 tick");
    let played = play_with(&script.entries, |_| {});
    let words = door_stories::words(&played, &script.entries);
    assert_eq!(words[3..], ["21621 exit locked Response"]);
    // It is said with the order, and once.
    let said = played.notices().map(|notice| {
        let response = notice.response.as_deref();
        (notice.transition, response.map(|it| (it.tell.clone(), it.doors.clone(), it.until)))
    });
    let until = Timestamp(MONDAY.0 + 21_670 * NS_PER_S);
    let called_for = (vec![name("gate")], vec![DoorRef(EXIT)], until);
    assert_eq!(
        said.collect::<Vec<_>>(),
        [(AlarmTransition::Raised, None), (AlarmTransition::Responded, Some(called_for))]
    );
}

#[test]
fn of_too_many_words_those_go_that_say_nothing_then_the_oldest() {
    let check = |few: Setup, story: &str, expected: &[&str]| {
        let played = check_with(responding(), few, &format!("21600 tick\n{story}"), expected);
        assert_eq!(played.shard.status().door_words_dropped_count, 1);
    };
    // What comes last locks its door, though it is for a shorter time.
    check(
        |shard| shard.door_desk.responses.words_max = WordsMax(1),
        "21601 anna at 5,5
         21602 anna at 10,-1
         21640 sam presses",
        &[
            "21602 exit locked Response",
            "21640 exit unlocked Schedule",
            "21640 hatch locked Response",
        ],
    );
    // The second keeps the exit for longer, so the first is not missed.
    check(
        |shard| shard.door_desk.responses.words_max = WordsMax(2),
        "21610 anna is-cut
         21620 vera is-cut
         21640 sam presses
         21680 tick",
        &[
            "21610 exit locked Response",
            "21620 exit locked Response",
            "21640 hatch locked Response",
            "21680 exit unlocked Schedule",
        ],
    );
}

#[test]
fn an_alarm_tells_what_its_responses_came_to_and_keeps_it() {
    let story = "21601 baby at 10,24
                 21602 baby at 10,18
                 21606 baby at 10,18
                 21607 sam acks 1
                 21620 baby at 10,24";
    let played = check(
        story,
        &[
            "21606 exit blocked Response",
            "21606 hatch blocked Response",
            "21620 exit unlocked Schedule",
            "21620 hatch locked rest",
        ],
    );
    let said: Vec<_> = played
        .notices()
        .filter(|notice| notice.tag.is_some_and(|tag| tag == super::script::tag_of("baby")))
        .map(|notice| {
            let response = notice.response.as_deref();
            let tell = |names: &[Name]| names.iter().map(Name::to_string).collect::<Vec<_>>();
            (notice.transition, response.map(|it| (tell(&it.tell), it.doors.len(), it.until)))
        })
        .collect();
    let until = Timestamp(MONDAY.0 + 21_635 * NS_PER_S);
    let handed = Some((vec!["gate".to_owned(), "camera-4".to_owned()], 2, until));
    assert_eq!(
        said,
        [
            (AlarmTransition::Raised, None),
            (AlarmTransition::Upheld, handed.clone()),
            (AlarmTransition::Acknowledged, handed.clone()),
            (AlarmTransition::Cleared, handed),
        ]
    );
}
