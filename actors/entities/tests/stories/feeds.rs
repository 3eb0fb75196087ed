//! Feeds: the zones they see, and their clocks.

use ach_actors_model::{SiteConfig, SourceConfig};

use crate::hospital::{GARDEN, LOBBY, S, WARD, name};
use crate::silence::{check, ward};
use crate::world::World;

/// Two locating systems: "uwb" sees ward and lobby, "ble" (tag 5) lobby and garden.
fn two_feeds() -> SiteConfig {
    let mut config = ward(Some(10));
    config.sources[0].zones = vec![WARD, LOBBY];
    let zones = vec![LOBBY, GARDEN];
    let ble = SourceConfig { id: name("ble"), silence_ns: Some(30 * S), zones };
    config.sources.push(ble);
    config.tags[4].source = 1;
    config
}

#[test]
fn a_silent_feed_blinds_the_zones_that_no_other_heard_feed_sees() {
    check(
        &two_feeds(),
        "
        1    ping 1 5,5           | +p ward 1
        5    ping 5 25,5 by=ble   | +v garden 1
        6    look                 | blind:
        11   tick                 | uwb silent, RAISED FeedSilent - uwb
        11   look                 | blind: ward
        35   tick                 | ble silent, RAISED FeedSilent - ble
        40   look                 | blind: garden lobby ward
        50   ping 5 25,5 by=ble   | CLEARED FeedSilent - ble: ConditionEnded, ble heard
        50   look                 | blind: ward
        60   ping 1 5,5           | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard
        61   look                 | blind:
        ",
    );
}

#[test]
fn a_zone_is_seen_as_soon_as_another_feed_that_sees_it_speaks_for_the_first_time() {
    check(
        &two_feeds(),
        "
        1    ping 1 5,5           | +p ward 1
        11   tick                 | uwb silent, RAISED FeedSilent - uwb
        11   look                 | blind: lobby ward
        20   ping 5 25,5 by=ble   | ble heard, +v garden 1
        20   look                 | blind: ward
        21   ping 5 25,5 by=ble   |
        60   ping 1 5,5           | ble silent, RAISED FeedSilent - ble, CLEARED FeedSilent - uwb: ConditionEnded, uwb heard
        60   look                 | blind: garden
        ",
    );
}

#[test]
fn a_feed_with_tags_that_names_no_zone_sees_every_one() {
    let mut config = two_feeds();
    config.sources[0].zones.clear();
    config.sources.push(SourceConfig { id: name("doors"), silence_ns: None, zones: vec![] });
    check(
        &config,
        "
        1    press 5 by=ble       |
        11   ping 1 5,5           | +p ward 1
        20   ping 1 5,5           |
        31   tick                 | uwb silent, RAISED FeedSilent - uwb, ble silent, RAISED FeedSilent - ble
        31   look                 | blind: attic garden lobby ward
        32   ping 5 25,5 by=ble   | CLEARED FeedSilent - ble: ConditionEnded, ble heard, +v garden 1
        32   look                 | blind: attic ward
        33   ping 1 5,5           | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard
        34   look                 | blind:
        ",
    );
}

#[test]
fn a_feed_without_tags_that_names_no_zone_sees_none() {
    let mut config = ward(Some(10));
    let doors = SourceConfig { id: name("doors"), silence_ns: Some(5 * S), zones: vec![] };
    config.sources.push(doors);
    config.doors[0].source = Some(1);
    check(
        &config,
        "
        1    ping 1 5,5           | +p ward 1
        2    open exit by=doors   | exit forced
        7    tick                 | doors silent, RAISED FeedSilent - doors
        7    look                 | blind:
        11   tick                 | uwb silent, RAISED FeedSilent - uwb
        12   close exit by=doors  | CLEARED FeedSilent - doors: ConditionEnded, doors heard, exit closed
        12   look                 | blind: attic garden lobby ward
        ",
    );
}

#[test]
fn a_zone_blind_by_its_feed_and_by_an_anchor_sees_when_both_are_back() {
    check(
        &two_feeds(),
        "
        1    ping 1 5,5   | +p ward 1
        2    lost a1      | RAISED ZoneBlind - a1, ward blind
        12   tick         | uwb silent, RAISED FeedSilent - uwb
        12   look         | blind: lobby ward
        20   ping 1 5,5   | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard
        20   look         | blind: ward
        21   alive a1     | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted
        21   look         | blind:
        31   tick         | uwb silent, RAISED FeedSilent - uwb
        31   look         | blind: lobby ward
        32   lost a1      | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard, RAISED ZoneBlind - a1, ward blind
        32   look         | blind: ward
        ",
    );
}

#[test]
fn what_a_silent_feed_sees_changes_with_the_site() {
    let config = two_feeds();
    let mut world = World::new(&config);
    world.check(
        "
        1    ping 1 5,5   | +p ward 1
        11   tick         | uwb silent, RAISED FeedSilent - uwb
        11   look         | blind: lobby ward
        ",
    );
    let mut config = SiteConfig { version: 2, ..config };
    config.sources[0].zones = vec![LOBBY, GARDEN];
    assert_eq!(world.change(&config), Vec::<String>::new());
    world.check("12 look | blind: garden lobby");
    let mut config = SiteConfig { version: 3, ..config };
    config.sources[0].zones.clear();
    assert_eq!(world.change(&config), Vec::<String>::new());
    world.check("13 look | blind: attic garden lobby ward");
    let mut config = SiteConfig { version: 4, ..config };
    config.sources[0].silence_ns = None;
    let told = world.change(&config);
    assert_eq!(told, ["CLEARED FeedSilent - uwb: RuleRemoved", "uwb heard"]);
    world.check("14 look | blind:");
}

/// Raised over half a second, over at a quarter, and nothing between.
#[test]
fn a_clock_that_is_off_is_one_alarm_until_it_is_plainly_right() {
    check(
        &ward(None),
        "
        1    clock 500    |
        2    clock 501    | RAISED ClockSkewed - uwb
        3    clock 3600000 |
        4    clock 400    |
        5    clock -600   |
        6    clock -251   |
        7    clock 250    | CLEARED ClockSkewed - uwb: ConditionEnded
        8    clock -400   |
        9    clock -501   | RAISED ClockSkewed - uwb
        10   clock 0      | CLEARED ClockSkewed - uwb: ConditionEnded
        11   clock 0      |
        ",
    );
}

#[test]
fn a_feed_may_be_silent_while_its_clock_is_off() {
    check(
        &ward(Some(10)),
        "
        1    ping 1 5,5   | +p ward 1
        2    clock 900    | RAISED ClockSkewed - uwb
        11   tick         | uwb silent, RAISED FeedSilent - uwb
        12   clock 0      | CLEARED ClockSkewed - uwb: ConditionEnded
        13   ping 1 5,5   | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard
        ",
    );
}

#[test]
fn a_feed_that_was_removed_and_came_back_has_not_spoken() {
    let config = two_feeds();
    let mut world = World::new(&config);
    world.check("1 ping 1 5,5 | +p ward 1\n 2 ping 5 25,5 by=ble | +v garden 1");
    let mut without = SiteConfig { version: 2, ..config.clone() };
    without.sources.truncate(1);
    without.tags[4].source = 0;
    assert_eq!(world.change(&without), Vec::<String>::new());
    assert_eq!(world.change(&SiteConfig { version: 3, ..config }), Vec::<String>::new());
    world.check("11 tick | uwb silent, RAISED FeedSilent - uwb\n 12 look | blind: lobby ward");
}
