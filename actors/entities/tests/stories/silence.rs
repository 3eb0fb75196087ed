//! Tags, anchors and feeds that fall silent.

use ach_actors_model::{AlarmKind, Condition, RuleConfig, SiteConfig};

use crate::hospital::{LOBBY, S, WARD, hospital, hours, rule};
use crate::world::World;

/// Every tag may be silent for a minute, the feed for `feed_s` seconds once it has spoken.
fn ward(feed_s: Option<u64>) -> SiteConfig {
    let condition = Condition::TagSilent { after_ns: 60 * S };
    let mut config = hospital(vec![rule("silent", AlarmKind::TagSilent, condition)]);
    config.sources[0].silence_ns = feed_s.map(|seconds| seconds * S);
    config
}

#[track_caller]
fn check(config: &SiteConfig, story: &str) {
    World::restful(config).check(story);
    World::new(config).check(story);
}

#[test]
fn a_tag_that_has_spoken_alarms_after_its_time_and_is_heard_again() {
    check(
        &ward(None),
        "
        1    ping 1 5,5   | +p ward 1
        60   ping 1 5,5   |
        119  tick         |
        120  tick         | RAISED TagSilent p tag1
        500  tick         |
        501  ping 1 5,5   | CLEARED TagSilent p tag1: ConditionEnded, tag 1 heard
        561  tick         | RAISED TagSilent p tag1
        ",
    );
}

#[test]
fn a_tag_that_never_spoke_and_one_on_nobody_are_not_silent() {
    check(
        &ward(None),
        "1 ping 6 5,5 |\n 2 ping 1 5,5 | +p ward 1\n 90 tick | RAISED TagSilent p tag1",
    );
}

#[test]
fn a_button_is_a_sign_of_life() {
    check(
        &ward(None),
        "
        1    ping 3 5,5   | +s ward 1
        50   press 3      |
        109  tick         |
        110  tick         | RAISED TagSilent s tag3
        111  reset 3      | CLEARED TagSilent s tag3: ConditionEnded, tag 3 heard
        ",
    );
}

#[test]
fn one_deadline_is_under_way_however_often_a_tag_is_heard() {
    let mut world = World::new(&ward(None));
    for second in 1..300 {
        let told = world.play(&[&second.to_string(), "ping", "1", "5,5"]);
        assert_eq!(told.len(), usize::from(second == 1), "{told:?}");
        assert_eq!(world.deadline_count(), 1, "after {second} s");
    }
}

#[test]
fn a_feed_that_stops_is_one_alarm_and_no_silent_tag() {
    check(
        &ward(Some(10)),
        "
        1    ping 1 5,5   | +p ward 1
        2    ping 3 6,5   | +s ward 2
        3    ping 4 7,5   | +a ward 3
        12   tick         |
        13   tick         | uwb silent, RAISED FeedSilent - uwb
        200  tick         |
        900  tick         |
        1000 ping 1 5,5   | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard
        1001 ping 1 5,5   |
        1011 tick         | uwb silent, RAISED FeedSilent - uwb
        1030 ping 1 5,5   | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard
        ",
    );
}

#[test]
fn a_tag_that_stays_away_when_its_feed_is_back_is_silent_after_all() {
    let mut world = World::new(&ward(Some(10)));
    world.check(
        "
        1    ping 1 5,5   | +p ward 1
        1    ping 3 6,5   | +s ward 2
        11   tick         | uwb silent, RAISED FeedSilent - uwb
        500  ping 3 6,5   | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard
        ",
    );
    let mut told = Vec::new();
    for second in 501..600 {
        let line = world.play(&[&second.to_string(), "ping", "3", "6,5"]);
        told.extend(line.into_iter().map(|words| (second, words)));
    }
    // A minute of listening after it was last heard, silence of the feed left out.
    assert_eq!(told.len(), 1, "{told:?}");
    assert!((560..=562).contains(&told[0].0), "{told:?}");
    assert_eq!(told[0].1, "RAISED TagSilent p tag1");
}

#[test]
fn an_outage_of_the_node_is_nobodys_silence() {
    check(
        &ward(Some(10)),
        "
        1    ping 1 5,5   | +p ward 1
        900  away 2       |
        905  ping 3 6,5   | +s ward 2
        914  tick         |
        915  tick         | uwb silent, RAISED FeedSilent - uwb
        ",
    );
    check(
        &ward(None),
        "
        1    ping 1 5,5   | +p ward 1
        900  away 2       |
        958  tick         |
        959  tick         | RAISED TagSilent p tag1
        ",
    );
}

#[test]
fn a_lost_anchor_blinds_its_zones_where_no_tag_falls_silent() {
    check(
        &ward(None),
        "
        1    ping 1 5,5    | +p ward 1
        1    ping 3 15,5   | +s lobby 1
        2    lost a1       | RAISED ZoneBlind - a1, ward blind
        3    lost a1       |
        61   tick          | RAISED TagSilent s tag3
        121  tick          |
        150  alive a1      | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted
        180  tick          |
        181  tick          | RAISED TagSilent p tag1
        ",
    );
}

#[test]
fn reports_of_an_anchor_are_ordered_by_when_they_happened() {
    check(
        &ward(None),
        "
        5    lost a1          | RAISED ZoneBlind - a1, ward blind
        6    alive a1 obs=4   | late
        7    lost a1 obs=5    | duplicate
        8    alive a1         | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted
        9    lost a1 obs=7    | late
        9    lost zz          | refused
        ",
    );
}

#[test]
fn an_anchor_without_signs_of_life_is_lost() {
    let mut config = ward(None);
    config.anchors[0].silence_ns = Some(30 * S);
    check(
        &config,
        "
        1    alive a1   |
        20   alive a1   |
        49   tick       |
        60   tick       | RAISED ZoneBlind - a1, ward blind
        61   alive a1   | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted
        ",
    );
}

#[test]
fn silence_is_judged_by_the_hours_of_its_rule() {
    let condition = Condition::TagSilent { after_ns: 60 * S };
    let config = hospital(vec![hours(8, 18, rule("silent", AlarmKind::TagSilent, condition))]);
    check(
        &config,
        "
        7:00  ping 1 5,5   | +p ward 1
        7:30  tick         |
        8:00  tick         | RAISED TagSilent p tag1
        18:00 tick         | CLEARED TagSilent p tag1: RuleRemoved
        19:00 ping 1 5,5   |
        31:59 tick         |
        32:00 tick         | RAISED TagSilent p tag1
        ",
    );
}

/// Whoever is not heard for 20 s is in no zone any more; leaving the ward is an alarm.
fn timed_ward(feed_s: Option<u64>) -> SiteConfig {
    let leaves = Condition::Leaves { zones: vec![WARD], lines: Vec::new() };
    let mut config = hospital(vec![rule("elope", AlarmKind::Elopement, leaves)]);
    for zone in &mut config.zones {
        zone.gates.fence_timeout_ns = Some(20 * S);
    }
    config.sources[0].silence_ns = feed_s.map(|seconds| seconds * S);
    config
}

#[test]
fn who_is_not_heard_for_the_fence_timeout_is_no_longer_in_the_zone() {
    check(
        &timed_ward(None),
        "
        1     ping 1 5,5   | +p ward 1
        15    ping 1 5,5   |
        34.9  tick         |
        35    tick         | -p ward 0
        ",
    );
}

#[test]
fn nobody_leaves_a_zone_while_the_node_is_away() {
    check(
        &timed_ward(None),
        "
        1     ping 1 5,5   | +p ward 1
        2     ping 3 5,5   | +s ward 2
        80    away 10      |
        85    ping 3 5,5   |
        92    tick         | -p ward 1
        104.9 tick         |
        105   tick         | -s ward 0
        ",
    );
}

#[test]
fn nobody_leaves_a_zone_while_the_feed_is_silent() {
    check(
        &timed_ward(Some(10)),
        "
        1     ping 1 5,5   | +p ward 1
        11    tick         | uwb silent, RAISED FeedSilent - uwb
        21    tick         |
        900   tick         |
        901   ping 3 5,5   | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard, +s ward 2
        910   ping 3 5,5   |
        919   ping 3 5,5   |
        920   tick         |
        922   ping 3 5,5   |
        925   tick         | -p ward 1
        ",
    );
}

#[test]
fn nobody_leaves_a_blind_zone() {
    check(
        &timed_ward(None),
        "
        1     ping 1 5,5   | +p ward 1
        2     lost a1      | RAISED ZoneBlind - a1, ward blind
        90    tick         |
        95    alive a1     | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted
        109   tick         |
        115   tick         | -p ward 0
        ",
    );
}

/// While the feed is silent nobody can tell who stays.
#[test]
fn a_silent_feed_makes_nobody_stay_too_long() {
    let stays = Condition::Stays { zones: vec![LOBBY], after_ns: 60 * S };
    let lingers: RuleConfig = rule("linger", AlarmKind::Loitering, stays);
    let mut config = hospital(vec![lingers]);
    config.sources[0].silence_ns = Some(10 * S);
    check(
        &config,
        "
        1      ping 5 15,5   | +v lobby 1
        2      ping 3 15,5   | +s lobby 2
        12     tick          | uwb silent, RAISED FeedSilent - uwb
        500    tick          |
        500.5  ping 5 5,5    | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard, -v lobby 1, +v ward 1
        500.6  ping 3 15,5   |
        502    tick          | RAISED Loitering s lobby
        ",
    );
}
