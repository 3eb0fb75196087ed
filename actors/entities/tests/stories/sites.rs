//! Changes of the site, and configurations that cannot be put in force.

use ach_actors_model::{AlarmKind, Condition, RuleConfig, SiteConfig, SubjectClass};
use ach_geo::Gates;

use crate::hospital::{LOBBY, S, WARD, for_class, hospital, hours, name, rule, zone};
use crate::meetings;
use crate::world::World;

fn rules() -> Vec<RuleConfig> {
    let leaves = Condition::Leaves { zones: vec![WARD], lines: vec![0] };
    let inside = Condition::Inside { zones: vec![LOBBY] };
    let silent = Condition::TagSilent { after_ns: 60 * S };
    vec![
        for_class(SubjectClass::Patient, rule("elope", AlarmKind::Elopement, leaves)),
        for_class(SubjectClass::Visitor, rule("keep-out", AlarmKind::UnauthorisedEntry, inside)),
        rule("duress", AlarmKind::Duress, Condition::ButtonPressed),
        rule("silent", AlarmKind::TagSilent, silent),
    ]
}

/// Plays `before`, changes the site by `edit`, demands `told` of the change, and plays `after`.
#[track_caller]
fn check(before: &str, edit: impl FnOnce(&mut SiteConfig), told: &str, after: &str) {
    let mut config = hospital(rules());
    let (mut world, mut restful) = (World::new(&config), World::restful(&config));
    world.check(before);
    restful.check(before);
    config.version = 2;
    edit(&mut config);
    assert_eq!(world.change(&config).join(", "), told);
    assert_eq!(restful.change(&config).join(", "), told);
    world.check(after);
    restful.check(after);
}

const OPEN: &str = "
    1  ping 1 5,5     | +p ward 1
    2  ping 1 15,5    | RAISED Elopement p ward, -p ward 0, +p lobby 1
    3  ping 5 15,5    | RAISED UnauthorisedEntry v lobby, +v lobby 2
    4  press 3        | RAISED Duress s tag3
    ";

#[test]
fn episodes_outlive_edits_of_their_rule() {
    check(
        OPEN,
        |config| {
            config.rules.reverse();
            for rule in &mut config.rules {
                rule.priority = ach_actors_model::AlarmPriority::Low;
            }
        },
        "",
        "
        5  ping 1 5,5     | CLEARED Elopement p ward: ConditionEnded, -p lobby 1, +p ward 1
        6  ping 5 5,5     | CLEARED UnauthorisedEntry v lobby: ConditionEnded, -v lobby 0, +v ward 2
        7  reset 3        | CLEARED Duress s tag3: ConditionEnded
        ",
    );
}

#[test]
fn other_gates_invent_no_crossing() {
    check(
        OPEN,
        |config| {
            let gates = Gates { exit_tolerance_mm: 300, entry_margin_mm: 100, ..Gates::default() };
            for zone in &mut config.zones {
                zone.gates = gates;
            }
            config.rules[0].gates = Some(gates);
        },
        "",
        "
        5  ping 1 15,5    |
        6  ping 1 5,5     | CLEARED Elopement p ward: ConditionEnded, -p lobby 1, +p ward 1
        ",
    );
}

/// The zone's own gates stay those of somebody, so the watch of the rule is another from now on:
/// who is in it already must be known to it.
#[test]
fn a_rule_with_gates_of_its_own_from_now_on_knows_who_is_inside() {
    let own = Gates { exit_tolerance_mm: 300, ..Gates::default() };
    check(
        OPEN,
        |config| config.rules[1].gates = Some(own),
        "",
        "6  ping 5 5,5  | CLEARED UnauthorisedEntry v lobby: ConditionEnded, -v lobby 1, +v ward 1",
    );
    check(
        "1 ping 1 5,5 | +p ward 1",
        |config| config.rules[0].gates = Some(own),
        "",
        "2 ping 1 15,5 | RAISED Elopement p ward, -p ward 0, +p lobby 1",
    );
    check(
        OPEN,
        |config| {
            let inside = Condition::Inside { zones: vec![LOBBY] };
            let new = rule("nobody", AlarmKind::UnauthorisedEntry, inside);
            let new = RuleConfig { gates: Some(own), ..new };
            config.rules.push(for_class(SubjectClass::Patient, new));
        },
        "RAISED UnauthorisedEntry p lobby",
        "5 ping 1 5,5 | CLEARED UnauthorisedEntry p lobby: ConditionEnded, CLEARED Elopement p ward: ConditionEnded, -p lobby 1, +p ward 1",
    );
}

#[test]
fn a_zone_whose_former_gates_a_rule_keeps_invents_no_crossing() {
    check(
        OPEN,
        |config| {
            let former = config.zones[0].gates;
            for rule in &mut config.rules[..2] {
                rule.gates = Some(former);
            }
            for zone in &mut config.zones {
                zone.gates = Gates { exit_tolerance_mm: 300, ..Gates::default() };
            }
        },
        "",
        "
        5  ping 1 5,5     | CLEARED Elopement p ward: ConditionEnded, -p lobby 1, +p ward 1
        6  ping 5 5,5     | CLEARED UnauthorisedEntry v lobby: ConditionEnded, -v lobby 0, +v ward 2
        ",
    );
}

#[test]
fn a_rule_made_another_ends_what_it_said_and_watches_anew() {
    check(
        OPEN,
        |config| {
            let leaves = Condition::Leaves { zones: vec![LOBBY], lines: Vec::new() };
            config.rules[1].condition = leaves;
        },
        "CLEARED UnauthorisedEntry v lobby: RuleRemoved",
        "6  ping 5 5,5  | RAISED UnauthorisedEntry v lobby, -v lobby 1, +v ward 1",
    );
    check(
        "3  ping 5 15,5  | RAISED UnauthorisedEntry v lobby, +v lobby 1",
        |config| {
            config.rules.truncate(2);
            config.rules[1].condition = Condition::Stays { zones: vec![LOBBY], after_ns: 60 * S };
        },
        "CLEARED UnauthorisedEntry v lobby: RuleRemoved",
        "62.9  tick  |\n 63 tick | RAISED UnauthorisedEntry v lobby",
    );
    check(
        OPEN,
        |config| config.rules[0].alarm = AlarmKind::AssetTheft,
        "CLEARED Elopement p ward: RuleRemoved, RAISED AssetTheft p ward",
        "5  ping 1 5,5  | CLEARED AssetTheft p ward: ConditionEnded, -p lobby 1, +p ward 1",
    );
}

#[test]
fn a_rule_with_other_hours_alarms_in_those() {
    // The story begins at midnight.
    check(
        OPEN,
        |config| config.rules[1] = hours(8, 20, config.rules[1].clone()),
        "CLEARED UnauthorisedEntry v lobby: RuleRemoved",
        "6  ping 5 5,5  | -v lobby 1, +v ward 1",
    );
    check(
        "3  ping 5 15,5  | RAISED UnauthorisedEntry v lobby, +v lobby 1",
        |config| {
            config.rules.truncate(2);
            config.rules[1] = hours(0, 1, config.rules[1].clone());
        },
        "",
        "01:00 tick | CLEARED UnauthorisedEntry v lobby: RuleRemoved",
    );
    // The day of the story, Monday, 12 January 2026, is made a holiday.
    check(
        "3  ping 5 15,5  | RAISED UnauthorisedEntry v lobby, +v lobby 1",
        |config| {
            config.rules.truncate(2);
            config.rules[1] = hours(0, 24, config.rules[1].clone());
            config.holidays = vec![20_465];
        },
        "CLEARED UnauthorisedEntry v lobby: RuleRemoved",
        "23:59 tick |\n 24:00 tick | RAISED UnauthorisedEntry v lobby",
    );
}

#[test]
fn a_removed_rule_ends_its_alarms() {
    check(
        OPEN,
        |config| config.rules.clear(),
        "CLEARED Duress s tag3: RuleRemoved, CLEARED Elopement p ward: RuleRemoved, \
         CLEARED UnauthorisedEntry v lobby: RuleRemoved",
        "5 ping 1 5,5 | -p lobby 1, +p ward 1",
    );
}

#[test]
fn a_rule_that_no_longer_names_the_zone_or_the_subject_ends_its_alarms() {
    check(
        OPEN,
        |config| {
            config.rules[0].condition = Condition::Leaves { zones: vec![LOBBY], lines: vec![0] };
            config.rules[1].who.classes = vec![SubjectClass::Staff];
        },
        "CLEARED Elopement p ward: RuleRemoved, CLEARED UnauthorisedEntry v lobby: RuleRemoved",
        "5 ping 1 5,5 | RAISED Elopement p lobby, -p lobby 1, +p ward 1",
    );
}

#[test]
fn a_new_rule_finds_who_is_inside_already() {
    check(
        OPEN,
        |config| {
            let inside = Condition::Inside { zones: vec![LOBBY] };
            let new = rule("nobody", AlarmKind::UnauthorisedEntry, inside);
            config.rules.push(for_class(SubjectClass::Patient, new));
        },
        "RAISED UnauthorisedEntry p lobby",
        "5 ping 1 5,5 | CLEARED Elopement p ward: ConditionEnded, CLEARED UnauthorisedEntry p lobby: ConditionEnded, -p lobby 1, +p ward 1"
            .replace("CLEARED Elopement p ward: ConditionEnded, CLEARED UnauthorisedEntry p lobby: ConditionEnded",
                     "CLEARED UnauthorisedEntry p lobby: ConditionEnded, CLEARED Elopement p ward: ConditionEnded")
            .as_str(),
    );
}

#[test]
fn a_removed_zone_ends_its_alarms_and_empties() {
    check(
        OPEN,
        |config| {
            config.zones.remove(1);
            config.rules.remove(1);
        },
        "CLEARED UnauthorisedEntry v lobby: RuleRemoved",
        "5 ping 1 5,5 | CLEARED Elopement p ward: ConditionEnded, +p ward 1",
    );
}

#[test]
fn a_zone_that_comes_back_has_its_ref_and_its_ordinals() {
    let config = hospital(rules());
    let mut world = World::new(&config);
    world.check(OPEN);
    let ward = world.site.zone("ward").expect("a zone");
    let mut without = config.clone();
    without.version = 2;
    without.zones[0] = zone("other", 100, 40, 50);
    let told = world.change(&without).join(", ");
    assert_eq!(told, "CLEARED Elopement p ward: RuleRemoved");
    assert_eq!(world.site.zone("ward"), None);
    assert_eq!(world.site.zone_name(ward), Some("ward"));
    let mut again = config;
    again.version = 3;
    world.change(&again);
    assert_eq!(world.site.zone("ward"), Some(ward));
    world.check(
        "
        10  ping 1 5,5     | -p lobby 1, +p ward 1
        11  ping 1 15,5    | RAISED Elopement p ward, -p ward 0, +p lobby 2
        ",
    );
    assert_eq!(world.notices.last().map(|notice| notice.episode), Some(2));
}

#[test]
fn a_tag_taken_off_ends_what_only_it_could_tell() {
    check(
        OPEN,
        |config| {
            config.tags[0].subject = None;
            config.tags[1].subject = None;
            config.tags.remove(4);
            config.tags[2].subject = Some(3);
        },
        "CLEARED Duress s tag3: TagRemoved, CLEARED Elopement p ward: TagRemoved, -p lobby 1, \
         CLEARED UnauthorisedEntry v lobby: ConditionEnded, -v lobby 0"
            .replace(", CLEARED UnauthorisedEntry v lobby: ConditionEnded, -v lobby 0", "")
            .as_str(),
        "
        5  ping 5 15,5   | refused
        6  ping 3 5,5    | CLEARED UnauthorisedEntry v lobby: ConditionEnded, -v lobby 0, +v ward 1
        7  press 1       | RAISED Duress - tag1
        ",
    );
}

#[test]
fn a_removed_subject_leaves_its_zones() {
    check(
        OPEN,
        |config| {
            config.subjects.remove(3);
            config.tags.remove(4);
        },
        "CLEARED UnauthorisedEntry v lobby: TagRemoved, -v lobby 1",
        "5 ping 1 5,5 | CLEARED Elopement p ward: ConditionEnded, -p lobby 0, +p ward 1",
    );
}

#[test]
fn a_shorter_silence_counts_from_when_the_tag_was_last_heard() {
    check(
        "1 ping 1 5,5 | +p ward 1\n 5 tick |",
        |config| config.rules[3].condition = Condition::TagSilent { after_ns: 10 * S },
        "",
        "10.9 tick |\n 11 tick | RAISED TagSilent p tag1\n 61 tick |",
    );
}

#[test]
fn a_change_of_the_site_is_no_sign_of_life() {
    let mut config = hospital(rules());
    config.anchors[0].silence_ns = Some(50 * S);
    let (mut world, mut restful) = (World::new(&config), World::restful(&config));
    for world in [&mut world, &mut restful] {
        world.check("1 ping 1 5,5 | +p ward 1\n 1 alive a1 |");
        let mut config = config.clone();
        let mut change = |world: &mut World, second: &str| {
            world.check(&format!("{second} tick |"));
            config.version += 1;
            config.zones[2].labels = vec![name("edited")];
            assert_eq!(world.change(&config), Vec::<String>::new());
        };
        change(world, "20");
        change(world, "40");
        world.check("51 tick | RAISED ZoneBlind - a1, ward blind\n 52 alive a1 | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted");
        change(world, "55");
        world.check("60.9 tick |\n 61 tick | RAISED TagSilent p tag1");
        change(world, "62");
        world.check("63 ping 1 5,5 | CLEARED TagSilent p tag1: ConditionEnded, tag 1 heard");
    }
}

#[test]
fn a_silence_longer_than_its_new_limit_alarms_at_once_and_a_shorter_one_ends() {
    let silent = |after_s| Condition::TagSilent { after_ns: after_s * S };
    check(
        "1 ping 1 5,5 | +p ward 1\n 31 tick |",
        |config| config.rules[3].condition = silent(20),
        "RAISED TagSilent p tag1",
        "32 ping 1 5,5 | CLEARED TagSilent p tag1: ConditionEnded, tag 1 heard",
    );
    check(
        "1 ping 1 5,5 | +p ward 1\n 61 tick | RAISED TagSilent p tag1",
        |config| config.rules[3].condition = silent(90),
        "CLEARED TagSilent p tag1: RuleRemoved",
        "90 tick |\n 91 tick | RAISED TagSilent p tag1",
    );
}

#[test]
fn who_is_watched_for_silence_only_now_is_silent_from_now() {
    check(
        "1 ping 6 5,5 |\n 100 press 6 | RAISED Duress - tag6",
        |config| config.tags[5].subject = Some(2),
        "CLEARED Duress - tag6: TagRemoved",
        "159 tick |\n 160 tick | RAISED TagSilent a tag6",
    );
}

#[test]
fn a_rule_that_watches_something_else_or_calls_it_otherwise_begins_anew() {
    let band = || rule("tag", AlarmKind::BandCut, Condition::BandCut);
    let mut config = hospital(vec![band()]);
    let mut world = World::new(&config);
    world.check("1 ping 1 5,5 bat=10 | +p ward 1\n 2 cut 1 | RAISED BandCut p tag1");
    config.version = 2;
    config.rules[0].alarm = AlarmKind::Elopement;
    let told = world.change(&config).join(", ");
    assert_eq!(told, "CLEARED BandCut p tag1: RuleRemoved, RAISED Elopement p tag1");
    config.version = 3;
    config.rules[0].condition = Condition::BatteryLow { percent: 20 };
    config.rules[0].alarm = AlarmKind::BatteryLow;
    let told = world.change(&config).join(", ");
    assert_eq!(told, "CLEARED Elopement p tag1: RuleRemoved, RAISED BatteryLow p tag1");
    world.check("3 whole 1 |\n 4 ping 1 5,5 bat=90 | CLEARED BatteryLow p tag1: ConditionEnded");
}

#[test]
fn a_cut_band_is_not_handed_on_to_the_next_bearer() {
    let mut config = hospital(vec![for_class(
        SubjectClass::Patient,
        rule("band", AlarmKind::BandCut, Condition::BandCut),
    )]);
    config.tags[0].subject = None;
    let mut world = World::new(&config);
    world.check("1 cut 1 |");
    config.version = 2;
    config.tags[0].subject = Some(0);
    assert_eq!(world.change(&config), Vec::<String>::new());
    world.check("2 cut 1 | RAISED BandCut p tag1");
}

#[test]
fn hours_that_are_edited_hold_for_what_is_open() {
    let battery = || rule("battery", AlarmKind::BatteryLow, Condition::BatteryLow { percent: 20 });
    let silent = || rule("silent", AlarmKind::TagSilent, Condition::TagSilent { after_ns: 60 * S });
    let mut config = hospital(vec![battery(), silent()]);
    let mut world = World::new(&config);
    world.check(
        "
        10:00     ping 1 5,5 bat=20   | RAISED BatteryLow p tag1, +p ward 1
        10:00:01  ping 1 5,5 bat=22   |
        10:01:01  tick                | RAISED TagSilent p tag1
        ",
    );
    // Both go on by hours that still run, and end with them though nothing is heard.
    config.version = 2;
    config.rules = vec![hours(8, 18, battery()), hours(8, 19, silent())];
    assert_eq!(world.change(&config), Vec::<String>::new());
    world.check(
        "
        17:59  tick   |
        18:00  tick   | CLEARED BatteryLow p tag1: RuleRemoved
        19:00  tick   | CLEARED TagSilent p tag1: RuleRemoved
        32:00  tick   | RAISED TagSilent p tag1
        ",
    );
    // And by hours that do not run they end at once.
    config.version = 3;
    config.rules = vec![hours(8, 18, battery()), hours(20, 22, silent())];
    assert_eq!(world.change(&config).join(", "), "CLEARED TagSilent p tag1: RuleRemoved");
}

#[test]
fn a_source_without_a_limit_any_more_is_not_silent() {
    let mut config = hospital(rules());
    config.sources[0].silence_ns = Some(10 * S);
    let mut world = World::new(&config);
    world.check(
        "
        1   ping 1 5,5   | +p ward 1
        11  tick         | uwb silent, RAISED FeedSilent - uwb
        ",
    );
    config.version = 2;
    config.sources[0].silence_ns = None;
    let told = world.change(&config).join(", ");
    assert_eq!(told, "CLEARED FeedSilent - uwb: RuleRemoved, uwb heard");
}

#[test]
fn an_anchor_that_covers_another_zone_blinds_that_one() {
    let mut config = hospital(rules());
    let mut world = World::new(&config);
    world.check("1 lost a1 | RAISED ZoneBlind - a1, ward blind");
    config.version = 2;
    config.anchors[0].zones = vec![LOBBY];
    assert_eq!(world.change(&config).join(", "), "ward sighted, lobby blind");
    config.version = 3;
    config.anchors.clear();
    assert_eq!(
        world.change(&config).join(", "),
        "CLEARED ZoneBlind - a1: RuleRemoved, lobby sighted"
    );
}

/// Whoever lies still is found as those are looked for by then: one by one, or by where they are.
#[test]
fn one_who_lies_still_is_found_when_few_become_many_or_many_few() {
    let few = meetings::ward();
    let many = meetings::with_many_unseen(&meetings::ward());
    for (before, after) in [(&few, &many), (&many, &few)] {
        let mut world = World::new(before);
        world.check("1 ping 5 6,5 | +v ward 1\n2 ping 1 1,9 | +p ward 2");
        let after = SiteConfig { version: before.version + 1, ..after.clone() };
        assert!(world.change(&after).is_empty());
        world.check("10 ping 1 5,5 |\n20 tick | RAISED ForbiddenMeeting p v");
    }
}
