//! Tags, anchors and feeds that fall silent.

use ach_actors_model::{AlarmKind, Condition, RuleConfig, SiteConfig};

use crate::hospital::{LOBBY, S, WARD, hospital, hours, rule};
use crate::world::World;

/// Every tag may be silent for a minute, the feed for `feed_s` seconds once it has spoken.
pub(crate) fn ward(feed_s: Option<u64>) -> SiteConfig {
    let condition = Condition::TagSilent { after_ns: 60 * S };
    let mut config = hospital(vec![rule("silent", AlarmKind::TagSilent, condition)]);
    config.sources[0].silence_ns = feed_s.map(|seconds| seconds * S);
    config
}

#[track_caller]
pub(crate) fn check(config: &SiteConfig, story: &str) {
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
fn a_second_silence_is_noticed_in_time_though_a_longer_limit_is_under_way() {
    let silent = |after_s| Condition::TagSilent { after_ns: after_s * S };
    let config = hospital(vec![
        rule("short", AlarmKind::TagSilent, silent(60)),
        rule("long", AlarmKind::TagSilent, silent(900)),
    ]);
    check(
        &config,
        "
        1    ping 1 5,5   | +p ward 1
        61   tick         | RAISED TagSilent p tag1
        70   ping 1 5,5   | CLEARED TagSilent p tag1: ConditionEnded, tag 1 heard
        129  tick         |
        130  tick         | RAISED TagSilent p tag1
        901  tick         |
        970  tick         | RAISED TagSilent p tag1
        971  ping 1 5,5   | CLEARED TagSilent p tag1: ConditionEnded, CLEARED TagSilent p tag1: ConditionEnded, tag 1 heard
        1031 tick         | RAISED TagSilent p tag1
        ",
    );
}

#[test]
fn a_tag_that_never_spoke_and_one_on_nobody_are_not_silent() {
    check(
        &ward(None),
        "1 ping 6 5,5 |\n 2 ping 1 5,5 | +p ward 1\n 62 tick | RAISED TagSilent p tag1",
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

#[test]
fn a_silence_that_is_told_long_after_it_was_due_is_called_late() {
    check(&ward(None), "1 ping 1 5,5 | +p ward 1\n 72 tick | RAISED TagSilent p tag1 late");
    check(&ward(None), "1 ping 1 5,5 | +p ward 1\n 70 tick | RAISED TagSilent p tag1");
}

#[test]
fn a_tag_whose_clock_was_set_back_is_not_silent_while_it_is_heard() {
    let mut config = ward(None);
    config.anchors[0].silence_ns = Some(30 * S);
    check(
        &config,
        "
        4000  ping 1 5,5           | +p ward 1
        4000  alive a1             |
        4020  ping 1 5,5 obs=420   | late
        4020  alive a1 obs=420     | late
        4040  ping 1 5,5 obs=440   | late
        4050  tick                 | RAISED ZoneBlind - a1, ward blind
        4051  alive a1 obs=451     | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted, late
        4060  tick                 |
        4081  tick                 | RAISED ZoneBlind - a1, ward blind
        4082  lost a1              |
        4083  alive a1 obs=483     | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted, late
        4084  lost a1              | RAISED ZoneBlind - a1, ward blind
        4085  alive a1 obs=485     | late
        4086  alive a1             | CLEARED ZoneBlind - a1: ConditionEnded, ward sighted
        4099  tick                 |
        4100  tick                 | RAISED TagSilent p tag1
        4110  ping 1 5,5 obs=510   | CLEARED TagSilent p tag1: ConditionEnded, tag 1 heard, late
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

/// What is told of a feed that may be silent for longer than its tags: it is heard every `gap_ms`,
/// then not at all for `pause_s`, while the node looks once a second, then as before.
fn told_after_a_pause(gap_ms: u64, pause_s: u64) -> Vec<String> {
    let mut world = World::new(&ward(Some(300)));
    let tags = ["1", "3", "4", "5"];
    let clock = |now_ms: u64| format!("{}.{:03}", now_ms / 1_000, now_ms % 1_000);
    let (mut now_ms, mut turn) = (1_000, 0);
    let mut speak = |world: &mut World, now_ms: u64| {
        turn += 1;
        world.play(&[&clock(now_ms), "ping", tags[turn % tags.len()], "5,5"])
    };
    for _ in 0..60 {
        now_ms += gap_ms;
        speak(&mut world, now_ms);
    }
    let mut told = Vec::new();
    for _ in 0..pause_s {
        now_ms += 1_000;
        told.extend(world.play(&[&clock(now_ms), "tick"]));
    }
    for _ in 0..60 {
        now_ms += gap_ms;
        told.extend(speak(&mut world, now_ms));
    }
    told
}

#[test]
fn a_pause_of_a_feed_is_no_silence_of_its_tags() {
    for gap_ms in [50, 500, 2_000] {
        for pause_s in 180..290 {
            let told = told_after_a_pause(gap_ms, pause_s);
            assert_eq!(told, Vec::<String>::new(), "heard every {gap_ms} ms, pause {pause_s} s");
        }
    }
}

#[test]
fn a_feed_that_is_heard_seldom_listens_all_the_time() {
    let mut world = World::new(&ward(Some(300)));
    let mut told = Vec::new();
    world.play(&["1", "ping", "1", "5,5"]);
    // A quarter of a minute apart, as few tags are that move seldom.
    for second in (15..600).step_by(15) {
        let line = world.play(&[&second.to_string(), "ping", "3", "6,5"]);
        told.extend(line.into_iter().map(|words| (second, words)));
    }
    let silent: Vec<_> = told.iter().filter(|(_, words)| words.contains("TagSilent")).collect();
    assert_eq!(silent.len(), 1, "{told:?}");
    assert!((75..=90).contains(&silent[0].0), "{silent:?}");
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
