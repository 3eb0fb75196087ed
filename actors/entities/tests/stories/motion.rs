//! What moves where nobody is.

use ach_actors_model::{AlarmKind, Condition, NS_PER_S, RuleConfig, SiteConfig, SubjectClass, Who};

use crate::hospital::{WARD, hospital, hours, rule};
use crate::world::World;

fn people() -> Who {
    let classes = vec![SubjectClass::Patient, SubjectClass::Staff, SubjectClass::Visitor];
    Who { classes, ..Who::default() }
}

/// Whoever is in the ward, or was or comes within ten seconds, accounts for what moves there.
fn motion(with: Who) -> RuleConfig {
    let condition = Condition::Motion { zones: vec![WARD], with, after_ns: 10 * NS_PER_S };
    rule("motion", AlarmKind::UnexplainedMotion, condition)
}

fn ward(rules: Vec<RuleConfig>) -> SiteConfig {
    let mut config = hospital(rules);
    config.zones[0].motion_source = Some(0);
    config
}

#[track_caller]
fn check(config: &SiteConfig, story: &str) {
    World::restful(config).check(story);
    World::new(config).check(story);
}

/// What is told of a story's alarms, in one line.
fn alarms(config: &SiteConfig, story: &str) -> String {
    let mut world = World::new(config);
    let lines = story.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = lines.flat_map(|line| world.play(&line.split_whitespace().collect::<Vec<_>>()));
    told.filter(|it| it.contains("UnexplainedMotion")).collect::<Vec<_>>().join(", ")
}

const RAISED: &str = "RAISED UnexplainedMotion - ward";
const ENDED: &str =
    "RAISED UnexplainedMotion - ward, CLEARED UnexplainedMotion - ward: ConditionEnded";

#[test]
fn what_moves_where_nobody_is_alarms_unless_somebody_comes_and_ends_ten_minutes_after_the_last() {
    check(
        &ward(vec![motion(people())]),
        "
        100   moves ward    |
        109   tick          |
        110   tick          | RAISED UnexplainedMotion - ward
        300   moves ward    |
        710   tick          |
        899   tick          |
        900   tick          | CLEARED UnexplainedMotion - ward: ConditionEnded
        1000  moves ward    |
        1010  tick          | RAISED UnexplainedMotion - ward
        ",
    );
}

#[test]
fn who_comes_after_the_alarm_accounts_for_what_moves_then_and_not_for_what_moved() {
    check(
        &ward(vec![motion(people())]),
        "
        100   moves ward    |
        110   tick          | RAISED UnexplainedMotion - ward
        200   ping 3 5,5    | +s ward 1
        300   moves ward    |
        709   tick          |
        710   tick          | CLEARED UnexplainedMotion - ward: ConditionEnded
        ",
    );
}

#[test]
fn whoever_is_there_was_or_comes_accounts_for_what_moves() {
    for (story, told) in [
        ("100 ping 3 5,5\n200 moves ward\n900 tick", ""),
        // He comes in time, and just too late.
        ("100 moves ward\n109 ping 3 5,5\n900 tick", ""),
        ("100 moves ward\n111 ping 3 5,5\n900 tick", ENDED),
        // He left in time, and just too early.
        ("100 ping 3 5,5\n200 ping 3 15,5\n209 moves ward\n900 tick", ""),
        ("100 ping 3 5,5\n200 ping 3 15,5\n211 moves ward\n230 tick\n900 tick", ENDED),
        // Another one stays.
        ("100 ping 3 5,5\n110 ping 1 5,5\n200 ping 3 15,5\n250 moves ward\n900 tick", ""),
        // A pump does not move by itself.
        ("100 ping 4 5,5\n200 moves ward\n215 tick", RAISED),
        // Who is elsewhere says nothing.
        ("100 ping 3 15,5\n200 moves ward\n215 tick", RAISED),
    ] {
        assert_eq!(alarms(&ward(vec![motion(people())]), story), told, "{story}");
    }
    let staff = Who { classes: vec![SubjectClass::Staff], ..Who::default() };
    let patient = "100 ping 1 5,5\n200 moves ward\n215 tick";
    assert_eq!(alarms(&ward(vec![motion(staff)]), patient), RAISED, "a patient is no staff");
}

#[test]
fn pulses_are_one_alarm_also_when_they_are_told_late() {
    let rules = || ward(vec![motion(people())]);
    check(
        &rules(),
        "
        100   moves ward            |
        102   moves ward            |
        104   moves ward            |
        110   tick                  | RAISED UnexplainedMotion - ward
        ",
    );
    check(
        &rules(),
        "
        500   moves ward obs=100    | RAISED UnexplainedMotion - ward late
        500   moves ward obs=104    |
        501   moves ward obs=102    |
        501   moves ward obs=102    |
        1101  tick                  | CLEARED UnexplainedMotion - ward: ConditionEnded
        ",
    );
}

#[test]
fn what_is_told_late_is_held_against_who_was_there_then() {
    for (story, told) in [
        // He has come since.
        (
            "300 ping 3 5,5\n500 moves ward obs=100\n900 tick",
            "RAISED UnexplainedMotion - ward late",
        ),
        ("300 ping 3 5,5\n500 moves ward obs=291\n900 tick", ""),
        // He has gone since.
        ("50 ping 3 5,5\n300 ping 3 15,5\n500 moves ward obs=100\n900 tick", ""),
        // What was before he came is not kept once he has gone again.
        ("200 ping 3 5,5\n300 ping 3 15,5\n500 moves ward obs=100\n900 tick", ""),
        // Not yet, and by a clock that is ahead.
        ("500 moves ward obs=496\n505 tick", ""),
        ("500 moves ward obs=496\n506 tick", RAISED),
        ("500 moves ward obs=900\n510 tick", RAISED),
    ] {
        assert_eq!(alarms(&ward(vec![motion(people())]), story), told, "{story}");
    }
}

#[test]
fn who_is_known_only_later_to_have_been_there_or_not_counts_from_when_he_was() {
    let config = ward(vec![motion(people())]);
    check(
        &config,
        "
        100   moves ward            |
        110   tick                  | RAISED UnexplainedMotion - ward
        112   ping 3 5,5 obs=105    | +s ward 1, CLEARED UnexplainedMotion - ward: ConditionEnded
        ",
    );
    check(
        &config,
        "
        100   moves ward            |
        110   tick                  | RAISED UnexplainedMotion - ward
        115   ping 3 5,5 obs=110    | +s ward 1
        710   tick                  | CLEARED UnexplainedMotion - ward: ConditionEnded
        ",
    );
    check(
        &config,
        "
        100   ping 3 5,5            | +s ward 1
        220   moves ward            |
        230   moves ward            |
        250   ping 3 15,5 obs=220   | -s ward 0, RAISED UnexplainedMotion - ward, +s lobby 1
        ",
    );
    check(
        &config,
        "
        100   ping 3 5,5            | +s ward 1
        230   moves ward            |
        250   ping 3 15,5 obs=221   | -s ward 0, +s lobby 1
        900   tick                  |
        ",
    );
}

#[test]
fn hours_are_those_when_it_moved() {
    let config = ward(vec![hours(20, 6, motion(people()))]);
    check(
        &config,
        "
        19:59:55  moves ward              |
        20:00:30  tick                    |
        20:01     moves ward obs=19:59:50 |
        20:02     moves ward              |
        20:02:10  tick                    | RAISED UnexplainedMotion - ward
        20:12:10  tick                    | CLEARED UnexplainedMotion - ward: ConditionEnded
        29:59:55  moves ward              |
        30:00:05  tick                    | RAISED UnexplainedMotion - ward
        30:10:05  tick                    | CLEARED UnexplainedMotion - ward: ConditionEnded
        30:20     moves ward              |
        30:21     moves ward obs=29:58    | RAISED UnexplainedMotion - ward late
        ",
    );
}

#[test]
fn while_the_zone_is_blind_nothing_is_said_and_it_is_looked_at_again() {
    let config = ward(vec![motion(people())]);
    let blind = "
        100   lost a1       | RAISED ZoneBlind - a1, ward blind
        200   moves ward    |
        400   tick          |
        500   alive a1      | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted";
    check(&config, &format!("{blind}\n560 tick | RAISED UnexplainedMotion - ward late"));
    check(&config, &format!("{blind}\n505 ping 3 5,5 | +s ward 1\n900 tick |"));
}

#[test]
fn after_an_outage_tags_have_a_minute_to_tell_who_was_there() {
    let config = ward(vec![motion(people())]);
    let outage = "
        100   moves ward    |
        900   away 105      |
        959   tick          |";
    check(&config, &format!("{outage}\n960 tick | RAISED UnexplainedMotion - ward late"));
    check(&config, &format!("{outage}\n959 ping 3 5,5 | +s ward 1\n2000 tick |"));
}

#[test]
fn rules_that_come_go_and_change_say_nothing_of_what_moved_before() {
    let removed = ["CLEARED UnexplainedMotion - ward: RuleRemoved"];
    let version = |version, rules| SiteConfig { version, ..ward(rules) };
    // Somebody has been there once, so that the zone knows when the rule comes.
    let mut world = World::new(&version(1, vec![]));
    world.check(
        "
        1     ping 3 5,5    | +s ward 1
        10    ping 3 15,5   | -s ward 0, +s lobby 1
        100   moves ward    |
        ",
    );
    assert!(world.change(&version(2, vec![motion(people())])).is_empty());
    world.check(
        "
        200   tick                |
        210   moves ward obs=99   |
        300   moves ward          |
        310   tick                | RAISED UnexplainedMotion - ward
        ",
    );
    assert_eq!(world.change(&version(3, vec![])), removed);
    assert!(world.change(&version(4, vec![motion(people())])).is_empty());
    world.check(
        "
        400   moves ward    |
        410   tick          | RAISED UnexplainedMotion - ward
        ",
    );
    // The alarm stands through a change that is not about it.
    let mut other = motion(people());
    other.when = Vec::new();
    assert!(world.change(&version(5, vec![other])).is_empty());
    world.check("1010 tick | CLEARED UnexplainedMotion - ward: ConditionEnded");
}

#[test]
fn who_counts_by_another_version_accounts_from_then_on() {
    let staff = Who { classes: vec![SubjectClass::Staff], ..Who::default() };
    let version = |version, with| SiteConfig { version, ..ward(vec![motion(with)]) };
    let mut world = World::new(&version(1, staff.clone()));
    world.check(
        "
        1     ping 1 5,5    | +p ward 1
        100   moves ward    |
        105   tick          |
        ",
    );
    // The patient was there all along.
    assert!(world.change(&version(2, people())).is_empty());
    world.check("200 moves ward |\n300 tick |");
    assert!(world.change(&version(3, staff)).is_empty());
    world.check(
        "
        305   moves ward    |
        312   tick          |
        320   moves ward    |
        330   tick          | RAISED UnexplainedMotion - ward
        ",
    );
}

#[test]
fn a_zone_that_is_gone_says_nothing_more() {
    let mut world = World::new(&ward(vec![motion(people())]));
    world.check("100 moves ward |\n110 tick | RAISED UnexplainedMotion - ward\n200 moves ward |");
    let mut gone = hospital(vec![]);
    gone.version = 2;
    gone.zones.remove(0);
    gone.anchors.clear();
    assert_eq!(world.change(&gone), ["CLEARED UnexplainedMotion - ward: RuleRemoved"]);
    world.check("900 tick |");
}

#[test]
fn what_waits_and_what_stands_goes_on_without_the_feed_that_told_of_it() {
    let mut world = World::new(&ward(vec![motion(people())]));
    world.check("100 moves ward |\n110 tick | RAISED UnexplainedMotion - ward\n710 tick | CLEARED UnexplainedMotion - ward: ConditionEnded\n800 moves ward |");
    let mut without = ward(vec![motion(people())]);
    without.version = 2;
    without.zones[0].motion_source = None;
    assert!(world.change(&without).is_empty());
    world.check("810 tick | RAISED UnexplainedMotion - ward");
    without.version = 3;
    assert!(world.change(&without).is_empty());
    world.check("1410 tick | CLEARED UnexplainedMotion - ward: ConditionEnded");
}

#[test]
fn what_is_judged_late_gives_tags_a_minute_to_tell_who_was_there() {
    let config = ward(vec![motion(people())]);
    let late = "
        100   moves ward    |
        121   tick          |
        180   tick          |";
    check(&config, &format!("{late}\n181 tick | RAISED UnexplainedMotion - ward late"));
    check(&config, &format!("{late}\n180 ping 3 5,5 | +s ward 1\n900 tick |"));
}
