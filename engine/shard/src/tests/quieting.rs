//! What is quiet, by whose wish, and until when.

use ach_actors_entities::Effect;
use ach_actors_model::{
    AlarmTransition, Command, CommandKind, NS_PER_S, QuietKind, QuietScope, QuietWish, Remark,
    TagRef,
};

use super::desk::{asking, check, rule_of};
use super::hospital::{MONDAY, name};
use super::play::play;
use super::script::Script;
use crate::{Input, SHELVED_MAX_NS};

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

#[test]
fn what_is_quiet_is_told_with_both_names_and_what_waits() {
    let mut script = Script::new(asking());
    let mut wish = |second: u64, by: &str, words: Option<&str>| {
        script.tell(&format!("{second} tick"));
        let scope = QuietScope::Rule(rule_of("forced"));
        let (kind, for_ns) = (QuietKind::Suppressed, (100 - second) * NS_PER_S);
        let remark = words.map(|text| Remark::new(text).expect("words"));
        let wish = QuietWish { scope, kind, for_ns, person: None, remark };
        script.add(Input::Command(Command { by: name(by), kind: CommandKind::Quiet(wish) }));
        let played = play(&script.entries);
        let things = played.shard.quiet_things().into_iter().map(|it| {
            let until = it.until.since_ns(MONDAY) / NS_PER_S;
            let waits_s = it.waits_for_ns.map(|ns| ns / NS_PER_S);
            let names = (it.asked_by.map(|it| it.to_string()), it.by.to_string());
            (until, waits_s, names, it.remark.map(|it| it.to_string()))
        });
        (things.collect::<Vec<_>>(), played.shard.quiet_revision())
    };
    let (told, first) = wish(1, "nora", Some("drill"));
    assert_eq!(told, [(601, Some(99), (None, "nora".into()), Some("drill".into()))]);
    // Who asks twice waits from then on.
    let (told, again) = wish(2, "nora", None);
    assert_eq!(told, [(602, Some(98), (None, "nora".into()), Some("drill".into()))]);
    let (told, both) = wish(3, "otto", None);
    let names = (Some("nora".into()), "otto".into());
    assert_eq!(told, [(100, None, names, Some("drill".into()))]);
    assert!(first < again && again < both, "each change is seen");
}

#[test]
fn what_changes_nothing_is_no_change_of_what_is_quiet() {
    let mut script = Script::new(asking());
    let mut revision = |second: u64, by: &str, for_s: u64| {
        script.tell(&format!("{second} tick"));
        let scope = QuietScope::Rule(rule_of("forced"));
        let (kind, for_ns) = (QuietKind::Suppressed, for_s * NS_PER_S);
        let wish = QuietWish { scope, kind, for_ns, person: None, remark: None };
        script.add(Input::Command(Command { by: name(by), kind: CommandKind::Quiet(wish) }));
        play(&script.entries).shard.quiet_revision()
    };
    assert_eq!(revision(1, "nora", 0), 0, "it was not quiet");
    let asked = revision(2, "nora", 100);
    assert!(asked > 0, "it waits for a second");
    let withdrawn = revision(3, "nora", 0);
    assert!(withdrawn > asked, "it waits no more");
    assert_eq!(revision(4, "nora", 0), withdrawn);
    revision(5, "nora", 100);
    let muted = revision(6, "otto", 100);
    let ended = revision(7, "otto", 0);
    assert!(withdrawn < muted && muted < ended);
    assert_eq!(revision(8, "nora", 0), ended);
}
