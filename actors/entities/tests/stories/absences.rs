//! What has not been where it belongs for too long.

use ach_actors_model::{AlarmKind, Condition, NS_PER_S, RuleConfig, SiteConfig, SubjectClass};
use ach_actors_runtime::Cell;
use ach_geo::{Confirm, Gates};

use crate::hospital::{GARDEN, LOBBY, WARD, for_class, hospital, hours, name, rule};
use crate::world::World;

/// Equipment belongs into the zones, and may be out of them for so many seconds.
fn returned(zones: Vec<u32>, after_s: u64) -> RuleConfig {
    let condition = Condition::Away { zones, after_ns: after_s * NS_PER_S };
    for_class(SubjectClass::Asset, rule("back", AlarmKind::AssetNotReturned, condition))
}

#[track_caller]
fn check(config: &SiteConfig, story: &str) {
    World::restful(config).check(story);
    World::new(config).check(story);
}

fn ward() -> SiteConfig {
    hospital(vec![returned(vec![WARD], 600)])
}

#[test]
fn a_pump_that_is_not_brought_back_in_time_alarms_until_it_is() {
    check(
        &ward(),
        "
        1     ping 4 5,5    | +a ward 1
        100   ping 4 15,5   | -a ward 0, +a lobby 1
        300   ping 4 25,5   | -a lobby 0, +a garden 1
        699   tick          |
        700   tick          | RAISED AssetNotReturned a ward
        800   ping 4 15,5   | -a garden 0, +a lobby 1
        900   ping 4 5,5    | CLEARED AssetNotReturned a ward: ConditionEnded, -a lobby 0, +a ward 1
        5000  tick          |
        ",
    );
}

#[test]
fn one_that_is_away_again_before_its_alarm_is_over_is_told_of_once() {
    let mut rule = returned(vec![WARD], 20);
    rule.answer.delays.off_ns = 60 * NS_PER_S;
    check(
        &hospital(vec![rule]),
        "
        1     ping 4 5,5    | +a ward 1
        10    ping 4 15,5   | -a ward 0, +a lobby 1
        30    tick          | RAISED AssetNotReturned a ward
        100   ping 4 5,5    | -a lobby 0, +a ward 1
        105   ping 4 15,5   | -a ward 0, +a lobby 1
        125   tick          |
        200   ping 4 5,5    | -a lobby 0, +a ward 1
        260   tick          | CLEARED AssetNotReturned a ward: ConditionEnded
        ",
    );
}

#[test]
fn one_that_comes_back_begins_anew_and_orders_one_call() {
    let mut world = World::new(&ward());
    for minute in 0..40_u32 {
        let second = (1 + minute * 60).to_string();
        let place = if minute % 2 == 0 { "5,5" } else { "15,5" };
        world.play(&[&second, "ping", "4", place]);
        assert!(world.deadline_count() <= 1, "after {minute} min");
    }
    assert!(world.notices.is_empty());
}

#[test]
fn one_that_was_out_for_a_moment_keeps_nothing_of_it_a_minute_later() {
    let mut world = World::new(&hospital(vec![returned(vec![WARD], 86_400)]));
    let is_plain = |world: &World| world.subject("a").pack(&mut Vec::new());
    for (second, place, expected, name) in [
        ("1", "15,5", false, "heard for the first time, outside"),
        ("3", "5,5", false, "home, and a call is still under way"),
        ("62", "5,5", true, "a minute later"),
        ("70", "15,5", false, "outside again"),
        ("200", "15,5", false, "for long"),
        ("300", "5,5", false, "home, and called when the day is over"),
        ("400", "5,5", false, "still"),
        ("86500", "5,5", true, "the day is over"),
    ] {
        world.play(&[second, "tick"]);
        world.play(&[second, "ping", "4", place]);
        assert_eq!(is_plain(&world), expected, "{name}");
        assert!(world.deadline_count() <= 1, "{name}");
    }
}

#[test]
fn one_that_was_never_seen_where_it_belongs_is_away_from_its_first_position_on() {
    check(
        &ward(),
        "
        50    ping 4 15,5   | +a lobby 1
        649   tick          |
        650   tick          | RAISED AssetNotReturned a ward
        ",
    );
}

#[test]
fn nobody_else_is_asked_to_come_back() {
    check(
        &ward(),
        "
        1     ping 5 5,5    | +v ward 1
        2     ping 5 15,5   | -v ward 0, +v lobby 1
        5000  tick          |
        ",
    );
}

#[test]
fn any_of_its_zones_will_do() {
    check(
        &hospital(vec![returned(vec![WARD, GARDEN], 600)]),
        "
        1     ping 4 5,5    | +a ward 1
        10    ping 4 15,5   | -a ward 0, +a lobby 1
        20    ping 4 25,5   | -a lobby 0, +a garden 1
        900   tick          |
        1000  ping 4 15,5   | -a garden 0, +a lobby 1
        1600  tick          | RAISED AssetNotReturned a garden
        1700  ping 4 5,5    | CLEARED AssetNotReturned a garden: ConditionEnded, -a lobby 0, +a ward 1
        ",
    );
}

#[test]
fn silence_is_neither_leaving_nor_coming_back() {
    let mut config = ward();
    // The ward forgets whoever is not heard; where something belongs does not.
    config.zones[0].gates = Gates { fence_timeout_ns: Some(60 * NS_PER_S), ..Gates::default() };
    check(
        &config,
        "
        1     ping 4 5,5    | +a ward 1
        61    tick          | -a ward 0
        9000  tick          |
        9001  ping 4 5,5    | +a ward 1
        9002  ping 4 15,5   | -a ward 0, +a lobby 1
        9602  tick          | RAISED AssetNotReturned a ward
        ",
    );
}

#[test]
fn gates_say_when_it_has_left_and_when_it_is_back() {
    let gates = Gates { confirm: Confirm { needed: 2, of: 2 }, ..Gates::default() };
    let config = hospital(vec![RuleConfig { gates: Some(gates), ..returned(vec![WARD], 600) }]);
    check(
        &config,
        "
        1     ping 4 5,5    | +a ward 1
        2     ping 4 5,5    |
        100   ping 4 15,5   | -a ward 0, +a lobby 1
        101   ping 4 5,5    | -a lobby 0, +a ward 1
        200   ping 4 15,5   | -a ward 0, +a lobby 1
        210   ping 4 15,5   |
        809   tick          |
        810   tick          | RAISED AssetNotReturned a ward
        820   ping 4 5,5    | -a lobby 0, +a ward 1
        830   ping 4 5,5    | CLEARED AssetNotReturned a ward: ConditionEnded
        ",
    );
}

#[test]
fn while_nobody_could_see_it_come_back_nothing_is_said() {
    let mut config = ward();
    config.sources[0].silence_ns = Some(100 * NS_PER_S);
    let left = "
        1     ping 4 5,5    | +a ward 1
        100   ping 4 15,5   | -a ward 0, +a lobby 1
        ";
    // The feed is silent when the time is over, and heard again much later.
    check(
        &config,
        &format!(
            "{left}
        200   tick          | uwb silent, RAISED FeedSilent - uwb late
        700   tick          |
        5000  tick          |
        5001  ping 5 25,5   | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard, +v garden 1
        5060  ping 5 25,5   | RAISED AssetNotReturned a ward
        "
        ),
    );
    check(
        &config,
        &format!(
            "{left}
        200   tick          | uwb silent, RAISED FeedSilent - uwb late
        5001  ping 4 5,5    | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard, -a lobby 0, +a ward 1
        5060  tick          |
        "
        ),
    );
    // The place it belongs to is blind.
    check(
        &ward(),
        &format!(
            "{left}
        600   lost a1       | RAISED ZoneBlind - a1, ward blind
        700   tick          |
        755   alive a1      | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted
        759   tick          |
        760   tick          | RAISED AssetNotReturned a ward
        "
        ),
    );
}

#[test]
fn a_time_that_was_over_while_the_node_was_away_gives_tags_a_minute_to_tell() {
    let left = "
        1     ping 4 5,5    | +a ward 1
        100   ping 4 15,5   | -a ward 0, +a lobby 1
        5000  away 200      |
        ";
    check(
        &ward(),
        &format!(
            "{left}
        5059  tick          |
        5060  tick          | RAISED AssetNotReturned a ward
        "
        ),
    );
    check(
        &ward(),
        &format!(
            "{left}
        5010  ping 4 5,5    | -a lobby 0, +a ward 1
        9000  tick          |
        "
        ),
    );
}

#[test]
fn it_alarms_in_the_hours_of_its_rule_and_its_time_goes_on_before_them() {
    check(
        &hospital(vec![hours(6, 18, returned(vec![WARD], 3_600))]),
        "
        01:00     ping 4 5,5    | +a ward 1
        02:00     ping 4 15,5   | -a ward 0, +a lobby 1
        03:00     tick          |
        06:00     tick          | RAISED AssetNotReturned a ward
        18:00     tick          | CLEARED AssetNotReturned a ward: RuleRemoved
        30:00     tick          | RAISED AssetNotReturned a ward
        ",
    );
}

#[test]
fn a_change_of_the_site_goes_on_with_the_time_of_a_rule_that_stays() {
    let config = |version, zones: Vec<u32>, after_s| SiteConfig {
        version,
        ..hospital(vec![returned(zones, after_s)])
    };
    let mut world = World::new(&config(1, vec![WARD], 600));
    world.check(
        "
        1     ping 4 5,5    | +a ward 1
        100   ping 4 15,5   | -a ward 0, +a lobby 1
        200   tick          |
        ",
    );
    assert!(world.change(&config(2, vec![WARD], 300)).is_empty());
    world.check("400 tick | RAISED AssetNotReturned a ward");
    // It may be away for longer now: not long enough yet.
    let longer = world.change(&config(3, vec![WARD], 900));
    assert_eq!(longer, ["CLEARED AssetNotReturned a ward: RuleRemoved"]);
    world.check("999 tick |\n1000 tick | RAISED AssetNotReturned a ward");
    // It belongs where it is.
    let back = world.change(&config(4, vec![WARD, LOBBY], 900));
    assert_eq!(back, ["CLEARED AssetNotReturned a ward: ConditionEnded"]);
    // It belongs elsewhere: away from now on.
    world.check("1100 tick |");
    assert!(world.change(&config(5, vec![GARDEN], 900)).is_empty());
    world.check("1999 tick |\n2000 tick | RAISED AssetNotReturned a garden");
    let gone = world.change(&SiteConfig { version: 6, ..hospital(vec![]) });
    assert_eq!(gone, ["CLEARED AssetNotReturned a garden: RuleRemoved"]);
    // The rule comes back, and finds it away.
    assert!(world.change(&config(7, vec![GARDEN], 900)).is_empty());
    world.check("2899 tick |\n2900 tick | RAISED AssetNotReturned a garden");
}

#[test]
fn what_loses_its_tag_is_not_waited_for() {
    let mut world = World::new(&ward());
    world.check("1 ping 4 15,5 | +a lobby 1\n601 tick | RAISED AssetNotReturned a ward");
    let mut config = SiteConfig { version: 2, ..ward() };
    config.tags.retain(|tag| tag.subject != Some(2));
    let told = world.change(&config);
    assert_eq!(told, ["CLEARED AssetNotReturned a ward: TagRemoved", "-a lobby 0"]);
    world.check("5000 tick |");
    // It is found again: away from its first position on.
    world.change(&SiteConfig { version: 3, ..ward() });
    world.check(
        "
        6000  ping 4 15,5   | +a lobby 1
        6599  tick          |
        6600  tick          | RAISED AssetNotReturned a ward
        ",
    );
    assert_eq!(world.notices.last().map(|notice| notice.episode), Some(2));
    assert_eq!(
        world.site.rule_name(world.notices[0].rule.expect("a rule")),
        Some(name("back").as_str())
    );
}
