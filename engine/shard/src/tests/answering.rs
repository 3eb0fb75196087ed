//! What people do with alarms, and what becomes of alarms that nobody answers.

use ach_actors_entities::Effect;
use ach_actors_model::{
    AlarmAct, AlarmCause, AlarmId, AlarmTransition, AlarmWish, AnswerConfig, Command, CommandKind,
    DoorRef, Escalation, NS_PER_S, Place, QuietKind, QuietScope, QuietWish, Remark, StaysUntil,
    TagRef, ZoneRef,
};

use super::hospital::{DRUGS, hospital, name};
use super::play::{Played, play, play_with, run};
use super::render;
use super::script::{Script, tag_of};
use crate::{Input, SHELVED_MAX_NS};

/// What the rules ask here: `help` must be closed and latches, `cut` and `flat` be acknowledged; `cut` is
/// passed on after 20 s and 60 s and calls again after 100 s; a life hangs on `flat`, of all things.
fn asking() -> ach_actors_model::SiteConfig {
    let mut config = hospital();
    for rule in &mut config.rules {
        let step =
            |after_s: u64, to: &str| Escalation { after_ns: after_s * NS_PER_S, to: name(to) };
        rule.answer = match rule.id.as_str() {
            "help" => AnswerConfig {
                stays_until: StaysUntil::Closed,
                latches: true,
                ..AnswerConfig::default()
            },
            "cut" => AnswerConfig {
                stays_until: StaysUntil::Acknowledged,
                escalations: vec![step(20, "charge-nurse"), step(60, "security")],
                again_after_ns: Some(100 * NS_PER_S),
                ..AnswerConfig::default()
            },
            "flat" => AnswerConfig {
                stays_until: StaysUntil::Acknowledged,
                is_life_safety: true,
                ..AnswerConfig::default()
            },
            _ => AnswerConfig::default(),
        };
    }
    config
}

/// Stories with further lines: `5 nora acks 1`, of the first alarm that was raised; confirms, resets,
/// unshelves; `shelves 1 for=60`, `assigns 1 to=bob`, `says 1 something`, `closes 1`; and
/// `mutes zone=drugs for=60`, `unmutes`, `takes-out`, `puts-back`; rule, zone, door or tag.
fn told(lines: &str) -> Script {
    let mut script = Script::new(asking());
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let kind = match words[..] {
            [_, _, verb, which, ref more @ ..] => wished(&script, verb, which, more),
            _ => None,
        };
        match kind {
            None => script.tell(line),
            Some(kind) => {
                // The time, as the script reads it.
                script.tell(&format!("{} tick", words[0]));
                script.add(Input::Command(Command { by: name(words[1]), kind }));
            }
        }
    }
    script
}

fn seconds(more: &[&str]) -> u64 {
    let span = more.iter().find_map(|word| word.strip_prefix("for="));
    span.map_or(0, |span| span.parse::<u64>().expect("seconds") * NS_PER_S)
}

fn wished(script: &Script, verb: &str, which: &str, more: &[&str]) -> Option<CommandKind> {
    let to = || more.iter().find_map(|word| word.strip_prefix("to=")).map(name);
    let act = match verb {
        "acks" => AlarmAct::Acknowledge,
        "confirms" => AlarmAct::Confirm,
        "assigns" => AlarmAct::Assign { to: to() },
        "says" => AlarmAct::Comment,
        "shelves" => AlarmAct::Shelve { for_ns: seconds(more) },
        "unshelves" => AlarmAct::Unshelve,
        "resets" if !which.contains('=') => AlarmAct::Reset,
        "closes" => AlarmAct::Close { cause: AlarmCause::Allowed },
        _ => return quiet(verb, which, more).map(CommandKind::Quiet),
    };
    let alarm = raised(script, which.parse().ok()?);
    let remark = (verb == "says").then(|| Remark::new(&more.join(" ")).expect("words"));
    Some(CommandKind::Act(AlarmWish { alarm, act, person: None, remark }))
}

fn quiet(verb: &str, which: &str, more: &[&str]) -> Option<QuietWish> {
    let (kind, is_loud) = match verb {
        "mutes" => (QuietKind::Suppressed, false),
        "unmutes" => (QuietKind::Suppressed, true),
        "takes-out" => (QuietKind::OutOfService, false),
        "puts-back" => (QuietKind::OutOfService, true),
        _ => return None,
    };
    let scope = match which {
        "zone=drugs" => QuietScope::Place(Place::Zone(ZoneRef(DRUGS))),
        "door=exit" => QuietScope::Place(Place::Door(DoorRef(0))),
        "tag=sam" => QuietScope::Place(Place::Tag(tag_of("sam"))),
        rule => QuietScope::Rule(rule_of(rule.strip_prefix("rule=").expect("a scope"))),
    };
    let for_ns = if is_loud { 0 } else { seconds(more) };
    Some(QuietWish { scope, kind, for_ns, person: None, remark: None })
}

fn rule_of(id: &str) -> ach_actors_model::RuleRef {
    let site = ach_actors_entities::Site::compile(None, &asking()).expect("sound");
    site.rule_named(id).expect("a rule")
}

/// The id of the alarm that was raised at this place among all.
fn raised(script: &Script, place: usize) -> AlarmId {
    let played = run(&script.entries, |_| {});
    let is_raised =
        |notice: &&ach_actors_model::AlarmNotice| notice.transition == AlarmTransition::Raised;
    played.notices().filter(is_raised).nth(place - 1).map_or(AlarmId(99), |notice| notice.id)
}

/// Alarms and refusals in words.
fn words(played: &Played) -> Vec<String> {
    let site = played.shard.site().expect("a site");
    let tell = |effect: &Effect| match effect {
        Effect::WishRefused { why, .. } => Some(format!("refused: {why:?}")),
        Effect::Alarm(notice) => {
            let mut text = render::alarm(notice, site);
            let Some(life) =
                notice.life.as_ref().filter(|_| !notice.transition.is_of_the_condition())
            else {
                let quiet = if notice.state.is_quiet() { " quietly" } else { "" };
                return Some(text + quiet);
            };
            text.extend(life.by.iter().map(|by| format!(" by {by}")));
            if notice.transition == AlarmTransition::Escalated {
                text.extend(life.escalated_to.iter().map(|to| format!(" to {to}")));
            }
            if !notice.state.is_retained() {
                text.push_str(" and is over");
            }
            Some(text)
        }
        _ => None,
    };
    let told = played.effects.iter().flatten().filter_map(tell);
    // Nobody walks about in these stories, and doors give no sign of life.
    told.filter(|words| !words.contains("Silent") && !words.contains("Lost")).collect()
}

#[track_caller]
fn check(story: &str, expected: &[&str]) -> Played {
    let played = play(&told(story).entries);
    assert_eq!(words(&played), expected, "of the story{story}");
    played
}

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
fn a_shelved_condition_is_quiet_until_its_time_is_over() {
    check(
        "1 door exit opens
         2 nora shelves 1 for=60
         3 door exit closes
         4 door exit opens
         40 tick
         70 tick",
        &[
            "1 raised DoorForced - exit",
            "2 shelved DoorForced - exit by nora",
            "3 cleared DoorForced - exit (ConditionEnded) quietly",
            "4 raised DoorForced - exit quietly",
            "70 unshelved DoorForced - exit",
        ],
    );
    check(
        "1 door exit opens
         2 nora shelves 1 for=60
         3 otto unshelves 1
         4 otto unshelves 1
         5 nora shelves 1 for=50000
         6 nora shelves 1 for=0",
        &[
            "1 raised DoorForced - exit",
            "2 shelved DoorForced - exit by nora",
            "3 unshelved DoorForced - exit by otto",
            "refused: TooLong",
            "refused: TooLong",
        ],
    );
    assert_eq!(SHELVED_MAX_NS, 43_200 * NS_PER_S);
}

#[test]
fn what_a_life_may_hang_on_is_never_quiet() {
    check(
        "1 sam at 3,1
         2 sam presses
         3 nora shelves 1 for=60
         4 sam at 3,1 battery=5
         5 nora shelves 2 for=60
         6 nora takes-out rule=flat for=60
         7 nora takes-out tag=sam for=60
         7.5 tick
         8 sam resets
         9 sam presses",
        &[
            "2 raised Duress sam",
            "refused: LifeSafety",
            "4 raised BatteryLow sam",
            "refused: LifeSafety",
            "refused: LifeSafety",
            "8 cleared Duress sam (ConditionEnded)",
            "9 raised Duress sam",
        ],
    );
}

#[test]
fn two_persons_mute_a_place_and_one_makes_it_loud() {
    check(
        "1 nora mutes door=exit for=500
         2 nora mutes door=exit for=500
         3 door exit opens
         4 otto mutes door=exit for=100
         5 door exit closes
         6 door exit opens
         7 nora unmutes door=exit
         8 nora mutes door=exit for=50
         700 otto mutes door=exit for=50
         701 nora mutes door=exit for=50
         702 tick
         760 tick",
        &[
            "refused: NeedsSecondPerson",
            "refused: SamePerson",
            "3 raised DoorForced - exit",
            // With the next entry, for it may be ten thousand alarms.
            "5 suppressed DoorForced - exit by otto",
            "5 cleared DoorForced - exit (ConditionEnded) quietly",
            "6 raised DoorForced - exit quietly",
            "8 unsuppressed DoorForced - exit by nora",
            "refused: NeedsSecondPerson",
            // Ten minutes are over.
            "refused: NeedsSecondPerson",
            "702 suppressed DoorForced - exit by nora",
            "760 unsuppressed DoorForced - exit",
        ],
    );
}

#[test]
fn a_rule_out_of_service_is_quiet_wherever_it_watches() {
    check(
        "1 door exit opens
         2 nora takes-out rule=forced for=30
         2.1 otto takes-out rule=forced for=60
         2.5 tick
         3 door hatch opens
         40 tick",
        &[
            "1 raised DoorForced - exit",
            // A rule may watch everywhere, a zone may be a ward: that takes two, whatever it is called.
            "refused: NeedsSecondPerson",
            "2.500 taken-out DoorForced - exit by otto",
            "3 raised DoorForced - hatch quietly",
            // By their ids.
            "40 put-back DoorForced - hatch",
            "40 put-back DoorForced - exit",
        ],
    );
}

#[test]
fn one_person_takes_a_door_out_of_service_and_no_zone_and_nothing_that_is_not_there() {
    check(
        "1 nora takes-out zone=drugs for=30
         2 nora mutes zone=drugs for=30
         3 nora takes-out door=exit for=30
         3.5 tick
         4 door exit opens
         5 nora puts-back door=exit
         5.5 tick",
        &[
            "refused: NeedsSecondPerson",
            // Another way of being quiet is another wish.
            "refused: NeedsSecondPerson",
            "4 raised DoorForced - exit quietly",
            "5.500 put-back DoorForced - exit by nora",
        ],
    );
}

#[test]
fn who_thinks_better_of_it_takes_the_wish_back() {
    check(
        "1 nora mutes door=exit for=60
         2 nora unmutes door=exit
         3 otto mutes door=exit for=60
         4 door exit opens",
        &["refused: NeedsSecondPerson", "refused: NeedsSecondPerson", "4 raised DoorForced - exit"],
    );
}

#[test]
fn a_shelved_condition_is_unshelved_also_when_its_alarm_is_over() {
    check(
        "1 door exit opens
         2 nora shelves 1 for=3600
         3 door exit closes
         4 otto unshelves 1
         5 door exit opens
         6 otto unshelves 1",
        &[
            "1 raised DoorForced - exit",
            "2 shelved DoorForced - exit by nora",
            "3 cleared DoorForced - exit (ConditionEnded) quietly",
            "5 raised DoorForced - exit",
            "refused: NotOpen",
        ],
    );
}

#[test]
fn what_is_quiet_in_two_ways_is_loud_when_both_are_over_and_told_once_each() {
    let played = check(
        "1 door exit opens
         2 nora shelves 1 for=100
         3 nora takes-out door=exit for=50
         4 tick
         5 door hatch opens
         6 nora shelves 2 for=10
         7 tick
         20 tick
         60 tick
         110 tick",
        &[
            "1 raised DoorForced - exit",
            "2 shelved DoorForced - exit by nora",
            "4 taken-out DoorForced - exit by nora",
            "5 raised DoorForced - hatch",
            "6 shelved DoorForced - hatch by nora",
            "20 unshelved DoorForced - hatch",
            "60 put-back DoorForced - exit",
            "110 unshelved DoorForced - exit",
        ],
    );
    let until = |index: usize| {
        let notice = played.notices().nth(index).expect("told");
        notice.life.as_ref().and_then(|life| life.quiet_until)
    };
    assert_eq!(until(1), until(2), "until all that is quiet about it is over");
    let last = played.notices().last().and_then(|notice| notice.life.as_ref()?.quiet_until);
    assert_eq!(last, None);
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

#[test]
fn many_open_alarms_are_made_quiet_a_few_an_entry() {
    let mut config = asking();
    let tags = 600;
    let subject = config.subjects[0].clone();
    config.subjects = (0..tags)
        .map(|at| ach_actors_model::SubjectConfig {
            id: name(&format!("s{at}")),
            ..subject.clone()
        })
        .collect();
    config.tags = (0..tags)
        .map(|at| ach_actors_model::TagConfig {
            id: ach_actors_model::TagId(0x1000 + u64::from(at)),
            source: 0,
            subject: Some(at),
        })
        .collect();
    let mut script = Script::new(config);
    script.tell("1 tick");
    for at in 0..tags {
        let band = ach_actors_model::ReportKind::BandCut { tag: TagRef(at) };
        let seq = u64::from(at) + 1;
        let (lane, now) = (ach_actors_model::Lane::Duress, script.now());
        script.add(Input::Report(super::script::report(
            super::script::RTLS,
            lane,
            1,
            seq,
            now,
            band,
        )));
    }
    script.tell("2 tick");
    let for_ns = 3_600 * NS_PER_S;
    let wish = |by: &str| {
        let scope = QuietScope::Rule(rule_of("cut"));
        let kind = QuietKind::OutOfService;
        let wish = QuietWish { scope, kind, for_ns, person: None, remark: None };
        Input::Command(Command { by: name(by), kind: CommandKind::Quiet(wish) })
    };
    script.add(wish("nora"));
    script.add(wish("otto"));
    script.tell("2 tick\n2 tick\n2 tick\n2 tick");
    let played = play(&script.entries);
    let taken_out = |effects: &Vec<Effect>| {
        let is_taken_out = |effect: &&Effect| matches!(effect, Effect::Alarm(told) if told.transition == AlarmTransition::TakenOut);
        effects.iter().filter(is_taken_out).count()
    };
    let counts: Vec<usize> = played.effects.iter().map(taken_out).skip(2).collect();
    assert_eq!(counts, [0, 256, 256, 88, 0]);
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
