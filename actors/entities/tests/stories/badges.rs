//! Badges that are granted access where their holder cannot have been.

use ach_actors_model::{
    AlarmKind, BadgeConfig, Condition, RuleConfig, SiteConfig, SpeedLimit, SubjectClass,
};

use crate::hospital::{for_class, hospital, hours, name, rule};
use crate::world::World;

/// Whoever shows a badge at the exit is within 3 m of it; a position that says nothing of it may be a metre off.
fn elsewhere() -> RuleConfig {
    let condition = Condition::BadgeElsewhere { doors: vec![0], within_mm: 3_000 };
    rule("badge", AlarmKind::BadgeElsewhere, condition)
}

/// Staff s has card-s and goes 5 m/s at most, patient p has card-p; the exit is at 20,5.
fn house(rules: Vec<RuleConfig>) -> SiteConfig {
    let badge = |id: &str, subject| BadgeConfig { id: name(id), subject };
    let limit = |class| SpeedLimit { class, mm_per_s: 5_000 };
    SiteConfig {
        badges: vec![badge("card-s", 1), badge("card-p", 0)],
        speed_limits: vec![limit(SubjectClass::Staff), limit(SubjectClass::Patient)],
        ..hospital(rules)
    }
}

fn staff() -> SiteConfig {
    house(vec![for_class(SubjectClass::Staff, elsewhere())])
}

/// Another rule, to which whoever is within 30 m is at the door.
fn wide() -> RuleConfig {
    let condition = Condition::BadgeElsewhere { doors: vec![0], within_mm: 30_000 };
    for_class(SubjectClass::Staff, rule("wide", AlarmKind::BadgeElsewhere, condition))
}

/// Both for staff.
fn strict_and_wide() -> SiteConfig {
    house(vec![for_class(SubjectClass::Staff, elsewhere()), wide()])
}

#[track_caller]
fn check(config: &SiteConfig, story: &str) {
    World::restful(config).check(story);
    World::new(config).check(story);
}

#[test]
fn a_badge_that_is_used_far_from_its_holder_alarms_for_ten_minutes_after_the_last_time() {
    check(
        &staff(),
        "
        10    ping 3 5,5                    | +s ward 1
        11    grant exit 5000 badge=card-s  | RAISED BadgeElsewhere s exit
        300   ping 3 5,5                    |
        301   grant exit 5000 badge=card-s  |
        900   tick                          |
        901   tick                          | CLEARED BadgeElsewhere s exit: ConditionEnded
        1000  ping 3 5,5                    |
        1001  grant exit 5000 badge=card-s  | RAISED BadgeElsewhere s exit
        ",
    );
}

#[test]
fn it_takes_a_position_of_the_holder_from_which_he_cannot_have_come() {
    for (position, grant, told) in [
        ("ping 3 5,5", "11 grant exit 5000 badge=card-s", "RAISED BadgeElsewhere s exit"),
        // Time enough to go there, or back.
        ("ping 3 5,5", "14 grant exit 5000 badge=card-s", ""),
        ("ping 3 5,5", "14 grant exit 5000 badge=card-s obs=7", ""),
        ("ping 3 5,5", "14 grant exit 5000 badge=card-s obs=9", "RAISED BadgeElsewhere s exit"),
        // Nobody's, the badge of somebody the rule is not about, one that nobody has.
        ("ping 3 5,5", "11 grant exit 5000", ""),
        ("ping 3 5,5", "11 grant exit 5000 badge=card-p", ""),
        ("ping 3 5,5", "11 grant exit 5000 badge=card-x", ""),
        // As far off as it says it may be.
        ("ping 3 5,5 acc=8000", "11 grant exit 5000 badge=card-s", ""),
        ("ping 3 5,5 acc=5000", "11 grant exit 5000 badge=card-s", "RAISED BadgeElsewhere s exit"),
        // Another tag's.
        ("ping 1 5,5", "11 grant exit 5000 badge=card-s", ""),
        // The one above may be the wrong storey; eight are too many.
        ("ping 3 19,5 f2", "11 grant exit 5000 badge=card-s", ""),
        ("ping 3 19,5 f9", "11 grant exit 5000 badge=card-s", "RAISED BadgeElsewhere s exit"),
        ("ping 3 19,5 f?", "11 grant exit 5000 badge=card-s", ""),
        ("ping 3 5,5 f?", "11 grant exit 5000 badge=card-s", "RAISED BadgeElsewhere s exit"),
    ] {
        for mut world in [World::new(&staff()), World::restful(&staff())] {
            let position: Vec<&str> = ["10"].into_iter().chain(position.split(' ')).collect();
            world.play(&position);
            let words: Vec<&str> = grant.split(' ').collect();
            assert_eq!(world.play(&words).join(", "), told, "{position:?}, {grant}");
        }
    }
}

#[test]
fn the_positions_of_the_next_minute_are_held_against_a_grant_too() {
    check(
        &staff(),
        "
        10    ping 3 5,5                    | +s ward 1
        20    grant exit 5000 badge=card-s  |
        21    ping 3 5,5                    | RAISED BadgeElsewhere s exit
        ",
    );
    // Where nothing is said of the time of the grant nothing is made up for.
    check(
        &staff(),
        "
        10    ping 3 5,5                    | +s ward 1
        20    grant exit 5000 badge=card-s  |
        24    ping 3 5,5                    |
        81    ping 3 5,5                    |
        ",
    );
}

#[test]
fn who_is_seen_at_the_door_has_shown_the_badge_himself() {
    check(
        &staff(),
        "
        10    ping 3 18,5                   | +s lobby 1
        11    grant exit 5000 badge=card-s  |
        12    ping 3 14,5                   |
        13    ping 3 10.5,5                 |
        ",
    );
    // A clock that is slow makes a grant of before; within a minute he is there.
    check(
        &staff(),
        "
        10    ping 3 5,5                           | +s ward 1
        14    grant exit 5000 badge=card-s obs=11  | RAISED BadgeElsewhere s exit
        15    ping 3 18,5                          | CLEARED BadgeElsewhere s exit: ConditionEnded, -s ward 0, +s lobby 1
        ",
    );
}

#[test]
fn each_rule_judges_a_grant_for_itself() {
    check(
        &strict_and_wide(),
        "
        10    ping 3 5,5                    | +s ward 1
        14    grant exit 5000 badge=card-s  |
        15    ping 3 5,5                    | RAISED BadgeElsewhere s exit
        ",
    );
}

/// By any rule alike: only the first of them cannot be his, and it is forgotten when eight came after it.
#[test]
fn eight_grants_wait_and_the_oldest_gives_way() {
    for config in [staff(), strict_and_wide()] {
        for (others, told) in [(7, "RAISED BadgeElsewhere s exit"), (8, "")] {
            let mut world = World::new(&config);
            world.check("30 grant exit 5000 badge=card-s |");
            for number in 0..others {
                let seen_at = 10 + number;
                let grant = format!("30 grant exit 5000 badge=card-s obs={seen_at}");
                world.check(&format!("{grant} | late"));
            }
            world.check_alarms(&format!("31 ping 3 5,5 | {told}"));
        }
    }
}

#[test]
fn what_is_told_late_is_held_against_the_positions_of_its_time_alone() {
    let mut world = World::new(&staff());
    world.check(
        "
        10    ping 3 5,5                           | +s ward 1
        100   grant exit 5000 badge=card-s obs=11  | RAISED BadgeElsewhere s exit late
        ",
    );
    assert!(world.notices[0].is_late, "told 89 s late");
    // Also when the next position says so.
    check(
        &staff(),
        "
        100   grant exit 5000 badge=card-s obs=89  |
        101   ping 3 -80,5                         | RAISED BadgeElsewhere s exit late
        ",
    );
    check(
        &staff(),
        "
        10    ping 3 5,5                           | +s ward 1
        99    ping 3 5,5                           |
        100   grant exit 5000 badge=card-s obs=11  |
        ",
    );
    // The same again is the same grant.
    check(
        &staff(),
        "
        10    ping 3 18,5                          | +s lobby 1
        11    grant exit 5000 badge=card-s         |
        15    ping 3 5,5                           | -s lobby 0, +s ward 1
        16    grant exit 5000 badge=card-s obs=11  | duplicate
        ",
    );
}

#[test]
fn a_door_opened_on_a_grant_is_not_forced_whoever_has_the_badge() {
    let forced = rule("forced", AlarmKind::DoorForced, Condition::DoorForced { doors: vec![0] });
    for badge in ["badge=card-s", "badge=card-x", ""] {
        let config = house(vec![elsewhere(), forced.clone()]);
        let mut world = World::new(&config);
        world.check(&format!("10 grant exit 5000 {badge} |\n11 open exit | exit opened"));
    }
}

#[test]
fn who_had_been_granted_access_last_is_told_of_a_forced_door() {
    let forced = rule("forced", AlarmKind::DoorForced, Condition::DoorForced { doors: vec![0] });
    let mut world = World::new(&house(vec![forced]));
    world.check(
        "
        10    grant exit 5000 badge=card-p  |
        11    grant exit 5000 badge=card-s  |
        30    open exit                     | exit forced, RAISED DoorForced - exit
        ",
    );
    let known = world.notices[0].door.as_ref().expect("what was known of the door");
    assert_eq!(known.granted_to, world.site.subject("s"));
}

#[test]
fn nothing_is_said_where_nobody_sees() {
    check(
        &staff(),
        "
        1     alive a1                      |
        9     lost a1                       | RAISED ZoneBlind - a1, ward blind
        10    ping 3 5,5                    | +s ward 1
        11    grant exit 5000 badge=card-s  |
        ",
    );
}

#[test]
fn the_hours_of_the_rule_are_those_of_the_grant() {
    let config = house(vec![hours(20, 6, elsewhere())]);
    check(
        &config,
        "
        19:59:58  ping 3 5,5                    | +s ward 1
        19:59:59  grant exit 5000 badge=card-s  |
        20:01:30  ping 3 5,5                    |
        20:01:31  grant exit 5000 badge=card-s  | RAISED BadgeElsewhere s exit
        29:59:30  ping 3 5,5                    | CLEARED BadgeElsewhere s exit: ConditionEnded
        29:59:31  grant exit 5000 badge=card-s  | RAISED BadgeElsewhere s exit
        30:09:30  tick                          |
        30:09:31  tick                          | CLEARED BadgeElsewhere s exit: ConditionEnded
        ",
    );
}

#[test]
fn another_version_of_the_site_ends_what_it_does_not_say_any_more() {
    let story = "10 ping 3 5,5 | +s ward 1\n\
                 11 grant exit 5000 badge=card-s | RAISED BadgeElsewhere s exit";
    let removed = ["CLEARED BadgeElsewhere s exit: RuleRemoved"];
    let for_patients = for_class(SubjectClass::Patient, elsewhere());
    for (rules, told) in [
        (Vec::new(), &removed[..]),
        (vec![for_patients], &removed),
        (vec![RuleConfig { id: name("badge"), ..wide() }], &[]),
        (vec![elsewhere()], &[]),
    ] {
        let mut world = World::new(&staff());
        world.check(story);
        let changed = world.change(&SiteConfig { version: 2, ..house(rules) });
        assert_eq!(changed, told);
    }
    // A badge that was taken away: what was told of it stands, and the next grant is nobody's.
    let mut world = World::new(&staff());
    world.check(story);
    let config = SiteConfig { version: 2, badges: Vec::new(), ..staff() };
    assert_eq!(world.change(&config), [""; 0]);
    world.check(
        "
        610   ping 3 5,5                    |
        611   grant exit 5000 badge=card-s  | CLEARED BadgeElsewhere s exit: ConditionEnded
        ",
    );
    // Given to somebody else it is his, under the number that it had.
    let mut badges = staff().badges;
    badges[0].subject = 0;
    let rules = vec![elsewhere()];
    assert_eq!(world.change(&SiteConfig { version: 3, badges, ..house(rules) }), [""; 0]);
    world.check(
        "
        700   ping 1 5,5                    | +p ward 2
        701   grant exit 5000 badge=card-s  | RAISED BadgeElsewhere p exit
        ",
    );
}
