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
        11   tick                 | uwb silent, RAISED FeedSilent - uwb, ward blind without uwb
        20   tick                 |
        35   tick                 | ble silent, RAISED FeedSilent - ble, garden blind without ble, lobby blind without ble
        40   tick                 |
        50   ping 5 25,5 by=ble   | CLEARED FeedSilent - ble: ConditionEnded, ble heard, garden sighted, lobby sighted
        60   ping 1 5,5           | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard, ward sighted
        61   ping 1 5,5           |
        ",
    );
}

#[test]
fn a_zone_is_seen_as_soon_as_another_feed_that_sees_it_speaks_for_the_first_time() {
    check(
        &two_feeds(),
        "
        1    ping 1 5,5           | +p ward 1
        11   tick                 | uwb silent, RAISED FeedSilent - uwb, lobby blind without uwb, ward blind without uwb
        20   ping 5 25,5 by=ble   | lobby sighted, +v garden 1
        21   ping 5 25,5 by=ble   |
        60   ping 1 5,5           | ble silent, RAISED FeedSilent - ble, garden blind without ble, lobby blind without ble, CLEARED FeedSilent - uwb: ConditionEnded, uwb heard, lobby sighted, ward sighted
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
        12   tick         | uwb silent, RAISED FeedSilent - uwb, lobby blind without uwb
        20   ping 1 5,5   | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard, lobby sighted
        21   alive a1     | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted
        31   tick         | uwb silent, RAISED FeedSilent - uwb, lobby blind without uwb, ward blind without uwb
        32   lost a1      | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard, lobby sighted, ward sighted, RAISED ZoneBlind - a1, ward blind
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
        11   tick         | uwb silent, RAISED FeedSilent - uwb, lobby blind without uwb, ward blind without uwb
        ",
    );
    let mut config = SiteConfig { version: 2, ..config };
    config.sources[0].zones = vec![LOBBY, GARDEN];
    assert_eq!(world.change(&config), ["ward sighted", "garden blind without uwb"]);
    let mut config = SiteConfig { version: 3, ..config };
    config.sources[0].silence_ns = None;
    let told = world.change(&config);
    assert_eq!(
        told,
        ["CLEARED FeedSilent - uwb: RuleRemoved", "uwb heard", "garden sighted", "lobby sighted"]
    );
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
    world.check("11 tick | uwb silent, RAISED FeedSilent - uwb, lobby blind without uwb, ward blind without uwb");
}
