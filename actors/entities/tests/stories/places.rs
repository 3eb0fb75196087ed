//! Being somewhere: forbidden, for too long, with too many.

use ach_actors_model::{
    AlarmKind, Condition, NS_PER_S, RuleConfig, SiteConfig, SubjectClass, TagId, Who,
};
use ach_geo::{Confirm, Gates};

use crate::hospital::{
    GARDEN, LOBBY, S, WARD, for_class, hospital, hours, name, rule, tentative, zone,
};
use crate::world::World;

#[track_caller]
fn check(rules: Vec<RuleConfig>, story: &str) {
    let config = hospital(rules);
    World::restful(&config).check(story);
    World::new(&config).check(story);
}

fn forbidden() -> RuleConfig {
    let condition = Condition::Inside { zones: vec![WARD] };
    for_class(SubjectClass::Visitor, rule("keep-out", AlarmKind::UnauthorisedEntry, condition))
}

fn lingers(zones: Vec<u32>) -> RuleConfig {
    rule("linger", AlarmKind::Loitering, Condition::Stays { zones, after_ns: 60 * S })
}

#[test]
fn a_forbidden_entry_alarms_while_it_lasts() {
    check(
        vec![forbidden()],
        "
        1  ping 5 15,5   | +v lobby 1
        2  ping 5 5,5    | RAISED UnauthorisedEntry v ward, -v lobby 0, +v ward 1
        3  ping 5 6,5    |
        4  ping 1 5,5    | +p ward 2
        5  ping 5 15,5   | CLEARED UnauthorisedEntry v ward: ConditionEnded, -v ward 1, +v lobby 1
        ",
    );
}

#[test]
fn a_tentative_entry_waits_for_its_positions() {
    let gates = Gates { confirm: Confirm { needed: 2, of: 2 }, ..Gates::default() };
    check(
        vec![tentative(gates, forbidden())],
        "
        1  ping 5 5,5    | RAISED UnauthorisedEntry v ward tentative, +v ward 1
        2  ping 5 6,5    | UPHELD UnauthorisedEntry v ward
        3  ping 5 15,5   | -v ward 0, +v lobby 1
        4  ping 5 16,5   | CLEARED UnauthorisedEntry v ward: ConditionEnded
        5  ping 5 6,5    | RAISED UnauthorisedEntry v ward tentative, -v lobby 0, +v ward 1
        6  ping 5 15,5   | -v ward 0, +v lobby 1
        7  ping 5 15,5   | RETRACTED UnauthorisedEntry v ward: CameBack
        ",
    );
}

#[test]
fn labels_choose_whom_a_rule_is_about() {
    let condition = Condition::Inside { zones: vec![LOBBY] };
    let who = Who { labels_any: vec![name("dementia"), name("pump")], ..Who::default() };
    let but = Who { labels_none: vec![name("pump")], ..who.clone() };
    let lobby = |id: &str, who| RuleConfig {
        who,
        ..rule(id, AlarmKind::UnauthorisedEntry, condition.clone())
    };
    check(
        vec![lobby("any", who), lobby("but", but)],
        "
        1  ping 4 15,5   | RAISED UnauthorisedEntry a lobby, +a lobby 1
        2  ping 3 15,5   | +s lobby 2
        3  ping 1 15,5   | RAISED UnauthorisedEntry p lobby, RAISED UnauthorisedEntry p lobby, +p lobby 3
        ",
    );
    let named = Who { subjects: vec![3], ..Who::default() };
    check(
        vec![lobby("named", named)],
        "1 ping 4 15,5 | +a lobby 1\n 2 ping 5 15,5 | RAISED UnauthorisedEntry v lobby, +v lobby 2",
    );
}

#[test]
fn visiting_hours_open_and_close_an_alarm_of_who_stays() {
    check(
        vec![hours(20, 8, forbidden())],
        "
        19:00  ping 5 5,5    | +v ward 1
        19:59  tick          |
        20:00  tick          | RAISED UnauthorisedEntry v ward
        32:00  tick          | CLEARED UnauthorisedEntry v ward: RuleRemoved
        33:00  ping 5 15,5   | -v ward 0, +v lobby 1
        44:01  tick          |
        45:00  ping 5 5,5    | RAISED UnauthorisedEntry v ward, -v lobby 0, +v ward 1
        ",
    );
}

/// The story begins on Monday, 12 January 2026; Tuesday is a holiday. Monday's night runs into it, and
/// its own night is none of a weekday.
#[test]
fn hours_of_weekdays_leave_holidays_out() {
    let config = SiteConfig { holidays: vec![20_466], ..hospital(vec![hours(20, 8, forbidden())]) };
    for mut world in [World::restful(&config), World::new(&config)] {
        world.check(
            "
            19:00  ping 5 5,5    | +v ward 1
            20:00  tick          | RAISED UnauthorisedEntry v ward
            31:59  tick          |
            32:00  tick          | CLEARED UnauthorisedEntry v ward: RuleRemoved
            44:00  tick          |
            55:00  tick          |
            67:59  tick          |
            68:00  tick          | RAISED UnauthorisedEntry v ward
            ",
        );
    }
}

#[test]
fn a_tentative_entry_ends_with_the_hours() {
    let gates = Gates { confirm: Confirm { needed: 2, of: 4 }, ..Gates::default() };
    check(
        vec![hours(20, 21, tentative(gates, forbidden()))],
        "
        20:59:59  ping 5 9,5    | RAISED UnauthorisedEntry v ward tentative, +v ward 1
        21:00     tick          | RETRACTED UnauthorisedEntry v ward: RuleRemoved
        21:00:01  ping 5 8,5    |
        21:30     tick          |
        ",
    );
}

#[test]
fn one_call_is_ordered_for_the_hours_however_often_somebody_comes_and_goes() {
    let mut world = World::new(&hospital(vec![hours(20, 8, forbidden())]));
    for second in 1..200_u32 {
        let place = if second % 2 == 0 { "5,5" } else { "15,5" };
        world.play(&[&second.to_string(), "ping", "5", place]);
        assert!(world.deadline_count() <= 1, "after {second} s");
    }
}

#[test]
fn staying_too_long_alarms_without_a_further_ping() {
    check(
        vec![lingers(vec![LOBBY])],
        "
        1      ping 5 15,5   | +v lobby 1
        30     ping 5 16,5   |
        60.9   tick          |
        61     tick          | RAISED Loitering v lobby
        90     ping 5 17,5   |
        100    ping 5 5,5    | CLEARED Loitering v lobby: ConditionEnded, -v lobby 0, +v ward 1
        110    ping 5 15,5   | -v ward 0, +v lobby 1
        150    ping 5 5,5    | -v lobby 0, +v ward 1
        180    tick          |
        ",
    );
}

#[test]
fn a_long_stay_is_ordered_once_whatever_short_gates_open_meanwhile() {
    let mut config = hospital(vec![lingers(vec![LOBBY])]);
    config.zones[0].gates = Gates { exit_delay_ns: S, ..Gates::default() };
    config.zones[0].outline = zone("ward", 100, 10, 19).outline;
    let config_of = |version| SiteConfig { version, ..config.clone() };
    let mut world = World::new(&config);
    world.check("1 ping 5 15,5 f1 | +v ward 1, +v lobby 1");
    for version in 2..20 {
        world.change(&config_of(version));
        assert!(world.deadline_count() <= 1, "in version {version}");
    }
    // The ward, one metre narrower, has a gate that opens with every step.
    for second in 2..50_u32 {
        let place = if second % 2 == 0 { "19.5,5" } else { "15,5" };
        world.play(&[&second.to_string(), "ping", "5", place]);
        assert!(world.deadline_count() <= 2, "after {second} s");
    }
    world.check("61 tick | RAISED Loitering v lobby");
}

#[test]
fn a_stay_that_was_too_long_before_the_hours_alarms_when_they_begin() {
    check(
        vec![hours(20, 8, lingers(vec![LOBBY]))],
        "
        19:00     ping 5 15,5   | +v lobby 1
        19:59:30  ping 3 15,5   | +s lobby 2
        20:00     tick          | RAISED Loitering v lobby
        20:00:30  tick          | RAISED Loitering s lobby
        ",
    );
}

/// Told at once, for it was too long already; and late, as it was reported.
#[test]
fn a_stay_that_was_over_when_it_was_reported_late_is_called_late() {
    check(
        vec![lingers(vec![LOBBY])],
        "
        100    ping 5 15,5 obs=20   | +v lobby 1
        100    tick                 | RAISED Loitering v lobby late
        ",
    );
    // The next position of the same batch finds it over before its deadline could be fired.
    check(
        vec![lingers(vec![LOBBY])],
        "
        100    ping 5 15,5 obs=20   | +v lobby 1
        100    ping 5 15,5 obs=95   | RAISED Loitering v lobby late
        ",
    );
    check(
        vec![lingers(vec![LOBBY])],
        "
        30     ping 5 15,5 obs=10   | +v lobby 1
        69     tick                 |
        70     tick                 | RAISED Loitering v lobby
        ",
    );
}

#[test]
fn a_deadline_that_fell_into_an_outage_is_called_late() {
    check(
        vec![lingers(vec![LOBBY])],
        "
        1      ping 5 15,5   | +v lobby 1
        300    away 2        | RAISED Loitering v lobby late
        ",
    );
}

#[test]
fn an_over_full_zone_alarms_until_it_is_full_no_more() {
    let condition = Condition::OverCapacity { zones: vec![GARDEN] };
    let mut config = hospital(vec![rule("full", AlarmKind::OverCapacity, condition)]);
    config.zones[2].capacity = Some(2);
    let story = "
        1  ping 1 25,5   | +p garden 1
        2  ping 3 25,5   | +s garden 2
        3  ping 5 25,5   | +v garden 3, RAISED OverCapacity - garden
        4  ping 4 25,5   | +a garden 4
        5  ping 4 15,8   | -a garden 3, +a lobby 1
        6  ping 5 15,8   | -v garden 2, CLEARED OverCapacity - garden: ConditionEnded, +v lobby 2
        ";
    World::new(&config).check(&story.replace("15,8", "15,9"));
    // Only people count: the asset is nobody's company.
    let who = Who { classes: vec![SubjectClass::Patient, SubjectClass::Staff], ..Who::default() };
    config.rules[0].who = who;
    config.zones[2].capacity = Some(1);
    World::new(&config).check(
        "
        1  ping 1 25,5   | +p garden 1
        2  ping 4 25,5   | +a garden 2
        3  ping 3 25,5   | +s garden 3, RAISED OverCapacity - garden
        ",
    );
}

#[test]
fn a_tenth_of_a_large_zone_must_be_free_again() {
    let condition = Condition::OverCapacity { zones: vec![GARDEN] };
    let mut config = hospital(vec![rule("full", AlarmKind::OverCapacity, condition)]);
    config.zones[2].capacity = Some(20);
    config.largest_gap_ns = NS_PER_S / 2;
    let extra = |number: u32| ach_actors_model::SubjectConfig {
        id: name(&format!("x{number}")),
        class: SubjectClass::Visitor,
        labels: Vec::new(),
    };
    let tag = |number: u32| ach_actors_model::TagConfig {
        id: TagId(u64::from(100 + number)),
        source: 0,
        subject: Some(4 + number),
    };
    config.subjects.extend((0..21).map(extra));
    config.tags.extend((0..21).map(tag));
    let mut world = World::new(&config);
    let mut alarms = Vec::new();
    let mut walk = |second: u32, number: u32, place: &str| {
        let told = world.play(&[&second.to_string(), "ping", &(100 + number).to_string(), place]);
        let of_alarm = told.into_iter().filter(|words| words.contains("OverCapacity"));
        alarms.extend(of_alarm.map(|words| (second, words)));
    };
    for number in 0..21 {
        walk(1 + number, number, "25,5");
    }
    // Down to 19, up to 21, down to 18: one alarm.
    for (second, number, place) in [
        (40, 0, "15,5"),
        (41, 1, "15,5"),
        (50, 0, "25,5"),
        (51, 1, "25,5"),
        (60, 0, "15,5"),
        (61, 1, "15,5"),
        (62, 2, "15,5"),
    ] {
        walk(second, number, place);
    }
    let told: Vec<String> =
        alarms.iter().map(|(second, words)| format!("{second} {words}")).collect();
    assert_eq!(
        told,
        ["21 RAISED OverCapacity - garden", "62 CLEARED OverCapacity - garden: ConditionEnded"]
    );
}

#[test]
fn a_door_is_passed_in_either_direction() {
    check(
        vec![],
        "
        1  ping 1 19,5   | +p lobby 1
        2  ping 1 21,5   | p through exit, -p lobby 0, +p garden 1
        3  ping 1 19,5   | p through exit, -p garden 0, +p lobby 1
        4  ping 1 19,8   |
        5  ping 1 21,8   | -p lobby 0, +p garden 1
        ",
    );
}
