//! A patient goes through a door on a nurse's leave, as the whole shard tells it: with leave to be out, after
//! an outage, and while actors are set aside. Every story is replayed and restored besides.

use ach_actors_entities::Effect;
use ach_actors_model::{
    AlarmKind, AlarmTransition, Command, CommandKind, Condition, NS_PER_S, PassWish, Remark,
    SubjectClass, SubjectRef, Who,
};

use super::hospital::{door_rule, hospital, name};
use super::play::{Played, play};
use super::script::Script;
use crate::Input;

fn class(class: SubjectClass) -> Who {
    Who { classes: vec![class], ..Who::default() }
}

/// A story under a rule about patients who go out behind staff. `5 leave` gives anna leave.
fn played(story: &str) -> Played {
    let mut config = hospital();
    let with = Some(class(SubjectClass::Staff));
    let mut rule =
        door_rule("tail", AlarmKind::Tailgating, Condition::Tailgating { doors: vec![0], with });
    rule.who = class(SubjectClass::Patient);
    config.rules.push(rule);
    let mut script = Script::new(config);
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(" leave") {
            None => script.tell(line),
            Some((at, _)) => {
                script.tell(&format!("{at} tick"));
                script.add(leave());
            }
        }
    }
    play(&script.entries)
}

/// Leave for anna.
pub(super) fn leave() -> Input {
    let kind = CommandKind::Pass(PassWish {
        subject: SubjectRef(0),
        for_ns: Some(600 * NS_PER_S),
        places: Vec::new(),
        is_until_back: false,
        escort: None,
        person: None,
        reason: Some(Remark::new("to the garden").expect("words")),
    });
    Input::Command(Command { by: name("nurse"), kind })
}

/// What is told of tailgating alone, without its time.
fn told(story: &str) -> Vec<String> {
    let is_it = |words: &String| words.contains("Tailgating");
    let alarms = played(story).alarms().into_iter().filter(is_it);
    alarms.map(|words| words.split_once(' ').map_or("", |(_, rest)| rest).to_owned()).collect()
}

const RAISED: &str = "raised Tailgating anna exit";
const CLEARED: &str = "cleared Tailgating anna exit (ConditionEnded)";

/// Sam is let out, and anna goes out behind him.
const PIGGYBACK: &str = "
    10    sam at 5.4,1
    10.1  anna at 5.6,2
    10.5  door exit grants=5
    11    door exit opens
    11.5  sam at 5.4,-1
    11.6  anna at 5.6,1
    12.6  anna at 5.6,-1
    ";

#[test]
fn a_patient_behind_a_nurse_is_told_with_what_was_known() {
    assert_eq!(told(&format!("{PIGGYBACK}\n14 door exit closes")), [RAISED, CLEARED]);
    let played = played(PIGGYBACK);
    let tail = |notice: &&ach_actors_model::AlarmNotice| notice.kind == AlarmKind::Tailgating;
    let notice = played.notices().find(tail).expect("an alarm");
    let door = notice.door.as_deref().expect("what was known of the door");
    assert!(door.granted.is_some() && !door.near.is_empty(), "{door:?}");
    // Who is gone and how she got out is one incident.
    let gone = played.notices().find(|it| it.kind == AlarmKind::Elopement).expect("an alarm");
    let incident = |it: &ach_actors_model::AlarmNotice| it.incident.map(|mark| mark.id);
    assert!(incident(notice).is_some() && incident(notice) == incident(gone));
}

#[test]
fn whoever_has_leave_does_not_count() {
    assert_eq!(told(&format!("5 leave\n{PIGGYBACK}")), [""; 0]);
    // It comes too late for her who is through.
    assert_eq!(told(&format!("{PIGGYBACK}\n13 leave")), [RAISED]);
}

#[test]
fn an_outage_forgets_nobody() {
    let story = PIGGYBACK.replace("12.6  anna", "12.2 away since=11.8\n12.6 anna");
    assert_eq!(told(&story), [RAISED]);
}

#[test]
fn while_its_actor_is_set_aside_nobody_is_counted() {
    // Anna is number 0 and sam number 4.
    for actor in ["door=0", "subject=0", "subject=4"] {
        let story = format!("9 hold {actor}\n{PIGGYBACK}\n13 release {actor}\n14 door exit closes");
        assert_eq!(told(&story), [""; 0], "{actor}");
    }
    // What was counted before is kept.
    let story =
        PIGGYBACK.replace("11.6  anna", "11.55 hold door=0\n11.58 release door=0\n11.6 anna");
    assert_eq!(told(&story), [RAISED]);
}

#[test]
fn an_alarm_that_is_open_ends_with_the_last_tag_of_whom_it_is_about() {
    let played = played(&format!("{PIGGYBACK}\n13 site no-anna-tag"));
    let ended = played.effects.last().into_iter().flatten().filter_map(|effect| match effect {
        Effect::Alarm(notice) if notice.kind == AlarmKind::Tailgating => Some(notice.transition),
        _ => None,
    });
    assert_eq!(ended.collect::<Vec<_>>(), [AlarmTransition::Cleared]);
}
