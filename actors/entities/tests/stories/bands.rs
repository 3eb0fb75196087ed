//! One subject made of several tags: p wears 1 at the wrist and 2 at the ankle.

use ach_actors_model::{AlarmKind, Condition, RuleConfig, SiteConfig, SubjectClass, TagId};

use crate::hospital::{WARD, for_class, hospital, hours, rule};
use crate::world::World;

#[track_caller]
fn check(rules: Vec<RuleConfig>, story: &str) {
    let config = hospital(rules);
    World::restful(&config).check(story);
    World::new(&config).check(story);
}

fn elopes(zones: Vec<u32>, lines: Vec<u32>) -> RuleConfig {
    let condition = Condition::Leaves { zones, lines };
    for_class(SubjectClass::Patient, rule("elope", AlarmKind::Elopement, condition))
}

fn contradict() -> RuleConfig {
    let condition = Condition::TagsContradict;
    for_class(SubjectClass::Patient, rule("left", AlarmKind::TagsContradict, condition))
}

#[test]
fn two_bands_on_one_body_tell_one_story() {
    check(
        vec![elopes(vec![WARD], vec![0])],
        "
        1    ping 1 3,8     | +p ward 1
        1.5  ping 2 3.5,8   |
        2.5  ping 1 6,8     |
        3    ping 2 7,8     |
        4    ping 1 9,8     |
        4.5  ping 2 10.5,8  |
        5    ping 1 12,8    | RAISED Elopement p ward, -p ward 0, +p lobby 1
        5.5  ping 2 13.5,8  |
        6    ping 1 16,8    |
        6.5  ping 2 17,8    |
        7    ping 1 19,8    |
        7.5  ping 2 20.5,8  |
        8    ping 1 21,8    | RAISED Elopement p fence, -p lobby 0, +p garden 1
        8.5  ping 2 22,8    |
        ",
    );
}

/// The band is cut off and left in bed. Before the other one has walked further than the two may
/// be wrong by, nobody can tell; from then on it is one elopement, whatever the bed says.
#[test]
fn a_band_left_in_bed_does_not_hide_who_walks_out() {
    check(
        vec![elopes(vec![WARD], vec![])],
        "
        1    ping 1 5,5     | +p ward 1
        1.5  ping 2 5.5,5   |
        2    ping 1 5,5     |
        2.5  ping 2 9,5     |
        3    ping 1 5,5     |
        3.5  ping 2 13,5    | RAISED Elopement p ward, -p ward 0, +p lobby 1
        4    ping 1 5,5     |
        4.5  ping 2 16,5    |
        5    ping 1 5.2,5   |
        5.5  ping 2 16,6    |
        6    ping 1 5,5     |
        60   ping 1 5,5     |
        61   ping 2 12,5    |
        62   ping 2 8,5     | CLEARED Elopement p ward: ConditionEnded, -p lobby 0, +p ward 1
        ",
    );
    check(
        vec![elopes(vec![], vec![0])],
        "
        1    ping 1 17,8    | +p lobby 1
        1.5  ping 2 17,8    |
        2    ping 1 17,8    |
        2.5  ping 2 20.5,8  |
        3    ping 1 17,8    |
        3.5  ping 2 23,8    | RAISED Elopement p fence, -p lobby 0, +p garden 1
        4    ping 1 17,8    |
        4.5  ping 2 26,8    |
        5    ping 1 17,8    |
        ",
    );
}

#[test]
fn a_spare_tag_in_a_drawer_says_nothing_once_the_patient_has_walked() {
    check(
        vec![elopes(vec![WARD], vec![0])],
        "
        1    ping 2 15,8    | +p lobby 1
        1.5  ping 1 5,8     |
        2    ping 2 15,8    |
        2.5  ping 1 5,2     | -p lobby 0, +p ward 1
        3    ping 2 15,8    |
        40   ping 2 15,8    |
        75   ping 2 15,8    |
        80   ping 1 5,3     |
        ",
    );
}

#[test]
fn a_band_that_falls_silent_gives_way_to_the_one_beside_it() {
    check(
        vec![],
        "
        1    ping 1 9,5     | +p ward 1
        1.5  ping 2 9,5     |
        3.9  ping 2 10.5,5  |
        4    ping 2 10.5,5  | -p ward 0, +p lobby 1
        ",
    );
}

#[test]
fn of_two_that_lie_apart_and_still_the_one_that_speaks_goes_on_until_it_is_lost() {
    check(
        vec![],
        "
        1    ping 1 5,5     | +p ward 1
        2    ping 2 15,5    |
        11   ping 1 5,5     |
        12   ping 2 15,5    |
        40   ping 2 15,5    |
        41   ping 2 15,5    | -p ward 0, +p lobby 1
        42   ping 1 5,5     |
        ",
    );
}

#[test]
fn a_much_less_accurate_tag_waits_until_the_better_one_is_lost_or_left_behind() {
    check(
        vec![],
        "
        1    ping 1 5,5 acc=300      | +p ward 1
        2    ping 2 15,5 acc=1300    |
        4    ping 2 15,5 acc=1300    |
        31   ping 2 15,5 acc=1300    | -p ward 0, +p lobby 1
        32   ping 1 5,5 acc=300      | -p lobby 0, +p ward 1
        33   ping 2 15,5 acc=1200    |
        34   ping 2 22,5 acc=1300    | -p ward 0, +p garden 1
        35   ping 1 5,5 acc=300      |
        ",
    );
}

/// Its feed is three seconds slower than that of the band in bed.
#[test]
fn a_slow_feed_is_heard_beside_a_fast_one() {
    let mut world = World::new(&hospital(vec![elopes(vec![WARD], vec![])]));
    world.check(
        "
        1    ping 1 5,5             | +p ward 1
        4    ping 2 5,5 obs=1       |
        5    ping 1 5,5             |
        6    ping 2 9,5 obs=3       |
        7    ping 1 5,5             |
        8    ping 2 15,5 obs=5      | RAISED Elopement p ward, -p ward 0, +p lobby 1
        9    ping 1 5,5             |
        10   ping 2 16,5 obs=7      |
        ",
    );
    let fix = world.subject("p").fix().expect("a fix");
    assert_eq!((Some(fix.tag), fix.position.x_mm), (world.site.tag(TagId(2)), 16_000));
    let zones: Vec<_> = world.subject("p").zones(&world.site).collect();
    assert_eq!(zones, [world.site.zone("lobby").expect("a zone")]);
}

/// One is on somebody else, or in a drawer: nobody knows which of them to believe.
#[test]
fn tags_that_contradict_each_other_for_a_minute_are_one_alarm() {
    check(
        vec![contradict()],
        "
        1     ping 1 5,5     | +p ward 1
        1.5   ping 2 25,5    |
        21    ping 1 5,5     |
        21.5  ping 2 25,5    |
        41    ping 1 5,5     |
        41.5  ping 2 25,5    |
        61    ping 1 5,5     |
        61.4  ping 2 25,5    |
        61.5  ping 2 25,6    | RAISED TagsContradict p tag2
        71    ping 1 5,5     |
        71.5  ping 2 25,5    |
        91    ping 1 5,5     |
        91.5  ping 2 8,5     | CLEARED TagsContradict p tag2: ConditionEnded
        101   ping 1 5,5     |
        101.5 ping 2 25,5    | -p ward 0, +p garden 1
        121.5 ping 2 25,5    |
        122   ping 1 5,5     |
        161   ping 2 25,5    |
        161.4 ping 1 5,5     |
        161.5 ping 1 5,6     | RAISED TagsContradict p tag1
        ",
    );
}

#[test]
fn tags_that_are_near_now_and_then_or_never_heard_together_do_not_contradict() {
    check(
        vec![contradict()],
        "
        1     ping 1 5,5     | +p ward 1
        1.5   ping 2 25,5    |
        41    ping 1 5,5     |
        41.5  ping 2 25,5    |
        51    ping 1 5,5     |
        51.5  ping 2 8,5     |
        61    ping 1 5,5     |
        61.5  ping 2 25,5    | -p ward 0, +p garden 1
        81.5  ping 2 25,5    |
        82    ping 1 5,5     |
        ",
    );
    // Ten seconds apart, in which he may have walked from one place to the other.
    check(
        vec![contradict()],
        "
        1     ping 1 5,5     | +p ward 1
        11    ping 2 25,5    |
        31    ping 1 5,5     |
        41    ping 2 25,5    |
        61    ping 1 5,5     |
        71    ping 2 25,5    |
        91    ping 1 5,5     |
        101   ping 2 25,5    |
        ",
    );
}

#[test]
fn tags_that_are_on_one_body_no_more_do_not_contradict() {
    let config = hospital(vec![contradict()]);
    let mut world = World::new(&config);
    world.check(
        "
        1     ping 1 5,5     | +p ward 1
        1.5   ping 2 25,5    |
        31    ping 1 5,5     |
        31.5  ping 2 25,5    |
        61    ping 1 5,5     |
        61.5  ping 2 25,5    | RAISED TagsContradict p tag2
        ",
    );
    let edited = SiteConfig { version: 2, ..config.clone() };
    let told = world.change(&edited);
    assert!(told.is_empty(), "an edit of something else: {told:?}");
    let mut config = SiteConfig { version: 3, ..config };
    config.tags[1].subject = None;
    assert_eq!(world.change(&config), ["CLEARED TagsContradict p tag2: TagRemoved"]);
    assert_eq!(world.notices.iter().filter(|notice| notice.episode == 1).count(), 2);
}

/// 1 and 3 are on him, 2 is in the drawer: he walks away from it, and where he goes next nothing
/// hears those he wears for half a minute.
fn three_tags() -> SiteConfig {
    let mut config = hospital(vec![contradict()]);
    config.tags[2].subject = Some(0);
    config
}

const WALKS_AWAY_FROM_TAG_2: &str = "
    1     ping 1 5,5     | +p ward 1
    1.2   ping 2 5,5     |
    1.4   ping 3 5,5     |
    3     ping 1 9,5     |
    3.4   ping 3 9,5     |
    5     ping 1 17,5    | -p ward 0, +p lobby 1
    5.2   ping 2 5,5     |
    5.4   ping 3 17,5    |
    35    ping 1 17,5    |
    35.2  ping 2 5,5     |
    35.4  ping 3 17,5    |
    65    ping 1 17,5    |
    65.2  ping 2 5,5     | RAISED TagsContradict p tag2
";

#[test]
fn a_speaker_not_heard_for_a_while_does_not_end_a_contradiction() {
    let config = three_tags();
    for mut world in [World::new(&config), World::restful(&config)] {
        world.check(WALKS_AWAY_FROM_TAG_2);
        world.check(
            "
            96    ping 2 5,5     |
            100   ping 1 17,5    |
            100.4 ping 3 17,5    |
            130   ping 2 5,5     |
            160   ping 1 17,5    |
            161   ping 2 5,5     |
            170   ping 1 8,5     | -p lobby 0, +p ward 1
            171   ping 2 7,5     | CLEARED TagsContradict p tag2: ConditionEnded
            ",
        );
    }
}

#[test]
fn tags_do_not_contradict_one_that_speaks_no_more() {
    let config = three_tags();
    let mut world = World::new(&config);
    world.check(WALKS_AWAY_FROM_TAG_2);
    let mut config = SiteConfig { version: 2, ..config };
    config.tags[0].subject = None;
    assert_eq!(world.change(&config), ["CLEARED TagsContradict p tag2: TagRemoved"]);
    // The one in the drawer is never heard again, and the other is no contradiction.
    world.check("66 ping 3 17,5 |\n 140 ping 3 17,5 |");
    let mut config = SiteConfig { version: 3, ..config };
    config.tags[2].subject = None;
    assert_eq!(world.change(&config), Vec::<String>::new());
}

/// In an atrium one system takes the wrist for the ground floor and the other the ankle for the
/// first: on a plan they lie beside each other.
#[test]
fn tags_one_above_the_other_do_not_contradict() {
    let story = |second: &str, told: &str| {
        format!(
            "
            1     ping 1 5,5 f1          | +p ward 1
            1.5   ping 2 {second}        |
            31    ping 1 5,5 f1          |
            31.5  ping 2 {second}        |
            61    ping 1 5,5 f1          |
            61.5  ping 2 {second}        | {told}
            "
        )
    };
    check(vec![contradict()], &story("5.5,5 f3", ""));
    check(vec![contradict()], &story("25,5 f3", "RAISED TagsContradict p tag2"));
}

const LIE_APART_FOR_A_MINUTE: &str = "
    10:00:01    ping 1 5,5     | +p ward 1
    10:00:01.5  ping 2 25,5    |
    10:00:31    ping 1 5,5     |
    10:00:31.5  ping 2 25,5    |
    10:01:01    ping 1 5,5     |
";

/// A spare tag in a drawer is nobody's business unless a rule says so.
#[test]
fn who_is_under_no_rule_about_it_may_leave_a_tag_in_a_drawer() {
    let staff = for_class(SubjectClass::Staff, contradict());
    let story = format!("{LIE_APART_FOR_A_MINUTE} 10:01:01.5 ping 2 25,5 |");
    for rules in [vec![], vec![staff], vec![hours(20, 22, contradict())]] {
        check(rules, &story);
    }
}

#[test]
fn tags_contradict_in_the_hours_of_the_rule_and_under_it() {
    let config = hospital(vec![hours(8, 18, contradict())]);
    for mut world in [World::new(&config), World::restful(&config)] {
        world.check(LIE_APART_FOR_A_MINUTE);
        world.check(
            "
            10:01:01.5  ping 2 25,5    | RAISED TagsContradict p tag2
            17:59:59    ping 1 5,5     |
            18:00       tick           | CLEARED TagsContradict p tag2: RuleRemoved
            18:00:01    ping 1 5,5     |
            18:00:01.5  ping 2 25,5    |
            32:00       tick           |
            32:00:01    ping 1 5,5     |
            32:00:01.5  ping 2 25,5    | RAISED TagsContradict p tag2
            ",
        );
        let config = SiteConfig { version: 2, rules: vec![], ..config.clone() };
        assert_eq!(world.change(&config), ["CLEARED TagsContradict p tag2: RuleRemoved"]);
    }
}
