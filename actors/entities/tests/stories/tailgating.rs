//! More go through a door than there was leave for.
//!
//! The door is at x 20 and y 4 to 6. Patient p has tags 1 and 2, staff s 3, asset a 4, visitor v 5.

use ach_actors_model::{AlarmKind, Condition, RuleConfig, SiteConfig, SubjectClass, TagId, Who};

use crate::hospital::{for_class, hospital, hours, name, rule};
use crate::world::World;

/// Whoever goes through counts.
pub(crate) fn anybody() -> RuleConfig {
    let condition = Condition::Tailgating { doors: vec![0], with: None };
    rule("tail", AlarmKind::Tailgating, condition)
}

/// Patients who go through on what staff was granted.
fn patients_behind_staff() -> RuleConfig {
    let staff = Who { classes: vec![SubjectClass::Staff], ..Who::default() };
    let condition = Condition::Tailgating { doors: vec![0], with: Some(staff) };
    for_class(SubjectClass::Patient, rule("tail", AlarmKind::Tailgating, condition))
}

/// Plays a story with a word of its own: `T go TAG .. [obs=O] | TOLD`, these go out through the door side by
/// side, a metre before it a second ago (or before `O`, all told at `T`) and a metre behind it now. What is
/// told after the bar is told with the last of them.
#[track_caller]
pub(crate) fn play(world: &mut World, story: &str) {
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (words, expected) = line.split_once('|').expect("a bar");
        let words: Vec<&str> = words.split_whitespace().collect();
        let [at, "go", who @ ..] = words.as_slice() else {
            world.check_alarms(line);
            continue;
        };
        let (tags, seen_at) = match who.split_last() {
            Some((last, tags)) if last.starts_with("obs=") => (tags, Some(&last["obs=".len()..])),
            _ => (who, None),
        };
        let second_before = |at: &str| format!("{:.3}", at.parse::<f64>().expect("seconds") - 1.0);
        let before_at = seen_at.map_or(second_before(at), |_| (*at).to_owned());
        let stamp = |seen_at: String| format!("obs={seen_at}");
        let (before, behind) = match seen_at {
            None => (String::new(), String::new()),
            Some(seen_at) => (stamp(second_before(seen_at)), stamp(seen_at.to_owned())),
        };
        for tag in tags {
            world.check_alarms(&format!("{before_at} ping {tag} 19,5 {before} |"));
        }
        let (last, others) = tags.split_last().expect("somebody");
        for tag in others {
            world.check_alarms(&format!("{at} ping {tag} 21,5 {behind} |"));
        }
        world.check_alarms(&format!("{at} ping {last} 21,5 {behind} | {expected}"));
    }
}

#[track_caller]
pub(crate) fn check(rules: RuleConfig, story: &str) {
    play(&mut World::new(&hospital(vec![rules])), story);
}

/// The site with another rule, in its next version.
fn next(rules: Vec<RuleConfig>) -> SiteConfig {
    SiteConfig { version: 2, ..hospital(rules) }
}

#[test]
fn a_second_one_on_one_grant_is_one_too_many_until_the_door_is_closed() {
    check(
        anybody(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 3 19,5      |
        2.6  ping 1 18.5,5    |
        3.5  ping 3 21,5      |
        3.6  ping 1 19.5,5    |
        4.6  ping 1 21,5      | RAISED Tailgating p exit
        5.6  ping 1 22,5      |
        6    close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
}

#[test]
fn each_pass_lets_one_through_of_those_who_go_together_or_one_by_one() {
    check(
        anybody(),
        "
        1    rex exit 5000    |
        2    open exit        |
        3.5  go 3 1           | RAISED Tailgating p exit
        ",
    );
    check(
        anybody(),
        "
        1    grant exit 5000  |
        2    open exit        |
        3    rex exit 5000    |
        4    go 3 1           |
        6    go 5             | RAISED Tailgating v exit
        7    rex exit 5000    |
        8    close exit       | CLEARED Tailgating v exit: ConditionEnded
        ",
    );
    // Without leave the first is one too many.
    check(
        anybody(),
        "
        2    open exit        |
        3.5  go 1             | RAISED Tailgating p exit
        5    close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
}

#[test]
fn a_grant_in_time_that_is_told_late_takes_the_alarm_back() {
    for (stamped, told) in [
        ("3.4", "CLEARED Tailgating p exit: ConditionEnded"),
        ("3.6", "CLEARED Tailgating p exit: ConditionEnded"),
        ("3.601", ""),
    ] {
        let late = format!("4 grant exit 5000 obs={stamped} | {told}");
        check(anybody(), &format!("{PIGGYBACK}{late}"));
    }
}

#[test]
fn while_the_lock_is_drawn_back_or_in_a_fire_anybody_may_go_through() {
    check(
        anybody(),
        "
        0    unlock exit      |
        2    open exit        |
        3.5  go 3 1           |
        4    lock exit        |
        7    go 5             | RAISED Tailgating v exit
        ",
    );
    check(
        anybody(),
        "
        1    fire exit        |
        2    open exit        |
        3.5  go 3 1           |
        4    close exit       |
        ",
    );
}

#[test]
fn a_lock_that_draws_back_for_a_grant_is_leave_for_one() {
    check(
        anybody(),
        "
        1    grant exit 5000  |
        1.1  unlock exit      |
        2    open exit        |
        3.5  go 3 1           | RAISED Tailgating p exit
        4    close exit       | CLEARED Tailgating p exit: ConditionEnded
        4.1  lock exit        |
        ",
    );
    // It stays back for a second grant, and nothing new is told of it.
    check(
        anybody(),
        "
        1    grant exit 5000  |
        1.1  unlock exit      |
        5    grant exit 5000  |
        7    open exit        |
        8.5  go 3 1           | RAISED Tailgating p exit
        9    close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
    // The same lock, still drawn back long after: somebody has unlocked the door.
    check(
        anybody(),
        "
        1    grant exit 5000  |
        1.1  unlock exit      |
        60   open exit        |
        61.5 go 1             |
        ",
    );
}

/// More than are remembered beside the lock, while the alarm stands and afterwards.
#[test]
fn the_pass_for_which_the_lock_drew_back_is_not_forgotten_for_those_that_follow() {
    let mut world = World::new(&hospital(vec![anybody()]));
    play(
        &mut world,
        "
        1    grant exit 5000  |
        1.1  unlock exit      |
        2    open exit        |
        3.5  go 3 1           | RAISED Tailgating p exit
        ",
    );
    for number in 0..20 {
        play(&mut world, &format!("{} rex exit 1000 |", 7 + number));
    }
    // The same with passes that follow each other, by which the lock is held back.
    check(
        anybody(),
        "
        1    grant exit 5000  |
        1.1  unlock exit      |
        5    grant exit 5000  |
        9    grant exit 5000  |
        13   grant exit 5000  |
        17   grant exit 5000  |
        21   grant exit 5000  |
        25   grant exit 5000  |
        29   grant exit 5000  |
        33   grant exit 5000  |
        37   grant exit 5000  |
        41   open exit        |
        42.5 go 3 1           | RAISED Tailgating p exit
        ",
    );
}

#[test]
fn a_patient_is_found_behind_a_nurse_and_before_one() {
    check(
        patients_behind_staff(),
        "
        1    grant exit 5000  |
        2    open exit        |
        3.5  go 3             |
        4.6  go 1             | RAISED Tailgating p exit
        ",
    );
    check(
        patients_behind_staff(),
        "
        1    grant exit 5000  |
        2    open exit        |
        3.5  go 1             |
        4.6  go 3             | RAISED Tailgating p exit
        5    close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
    // A visitor is neither whom it is about nor one who makes use of leave.
    check(
        patients_behind_staff(),
        "
        1    grant exit 5000  |
        2    open exit        |
        3.5  go 5 3           |
        ",
    );
}

#[test]
fn one_counts_once_an_opening_however_many_tags_and_however_much_jitter() {
    check(
        anybody(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 1 19,5      |
        2.6  ping 2 19,5      |
        3.5  ping 1 20.3,5    |
        3.6  ping 2 20.3,5    |
        4.5  ping 1 19.8,5    |
        5.5  ping 1 20.4,5    |
        6.5  ping 1 19.9,5    |
        7.5  ping 1 21,5      |
        9    close exit       |
        ",
    );
}

#[test]
fn who_goes_back_through_the_sill_has_not_gone_through() {
    check(
        anybody(),
        "
        1    grant exit 5000  |
        2    open exit        |
        2.5  ping 3 19,5      |
        2.5  ping 1 19.8,5    |
        3.5  ping 3 21,5      |
        3.5  ping 1 20.1,5    | RAISED Tailgating p exit
        4.5  ping 1 19.7,5    | CLEARED Tailgating p exit: ConditionEnded
        5.5  ping 1 20.1,5    | RAISED Tailgating p exit
        ",
    );
}

#[test]
fn things_coarse_positions_and_long_gaps_do_not_count() {
    let story = |pings: &str| {
        let pings = pings.replace(';', "|\n");
        format!("2 open exit |\n{pings} |\n9 close exit |")
    };
    for pings in [
        "2.5 ping 4 19,5; 3.5 ping 4 21,5",
        "2.5 ping 1 19,5 acc=2001; 3.5 ping 1 21,5",
        "2.5 ping 1 19,5; 3.5 ping 1 21,5 acc=2001",
        "2.5 ping 1 19,5; 4.6 ping 1 21,5",
        "2.5 ping 1 19,5 f?; 3.5 ping 1 21,5 f?",
        "2.5 ping 1 19,7; 3.5 ping 1 21,7",
    ] {
        check(anybody(), &story(pings));
    }
    let pings = "2.5 ping 1 19,5 acc=2000;\n3.5 ping 1 21,5 acc=2000 | RAISED Tailgating p exit";
    World::new(&hospital(vec![anybody()]))
        .check_alarms(&format!("2 open exit |\n{}", pings.replace(';', "|")));
}

#[test]
fn a_rule_holds_in_its_hours_by_when_somebody_went_through() {
    check(
        hours(10, 18, anybody()),
        "
        09:00     open exit        |
        09:00:01  ping 1 19,5      |
        09:00:02  ping 1 21,5      |
        09:00:05  close exit       |
        10:00     open exit        |
        10:00:01  ping 1 21,5      |
        10:00:02  ping 1 19,5      | RAISED Tailgating p exit
        18:00     close exit       | CLEARED Tailgating p exit: ConditionEnded
        ",
    );
}

const PIGGYBACK: &str = "
    1    grant exit 5000  |
    2    open exit        |
    3.5  go 3 1           | RAISED Tailgating p exit
    ";

#[test]
fn a_change_of_the_site_ends_what_no_rule_says_any_more() {
    let for_staff = for_class(SubjectClass::Staff, anybody());
    for (rules, told) in [
        (vec![anybody()], vec![]),
        (vec![], vec!["CLEARED Tailgating p exit: RuleRemoved"]),
        (vec![for_staff], vec!["CLEARED Tailgating p exit: RuleRemoved"]),
    ] {
        let mut world = World::new(&hospital(vec![anybody()]));
        play(&mut world, PIGGYBACK);
        assert_eq!(world.change(&next(rules)), told);
    }
    // Who was given leave before anybody asked is counted.
    let mut world = World::new(&hospital(vec![]));
    world.check_alarms("1 grant exit 5000 |");
    assert!(world.change(&next(vec![anybody()])).is_empty());
    play(&mut world, "2 open exit |\n3.5 go 3 1 | RAISED Tailgating p exit");
}

#[test]
fn a_rule_that_is_new_counts_from_the_next_opening_on_also_beside_another_one() {
    let visitors = for_class(SubjectClass::Visitor, anybody());
    let new = RuleConfig { id: name("tail-2"), ..anybody() };
    let for_staff = for_class(SubjectClass::Staff, anybody());
    for (before, after) in [
        (vec![], vec![anybody()]),
        (vec![visitors.clone()], vec![visitors, new]),
        // It is the same, and about more people.
        (vec![for_staff], vec![anybody()]),
    ] {
        let mut world = World::new(&hospital(before));
        play(&mut world, &PIGGYBACK.replace("RAISED Tailgating p exit", ""));
        assert_eq!(world.change(&next(after)), [""; 0]);
        play(
            &mut world,
            "
            4    lock exit        |
            4.2  rex exit 2000    |
            5.5  go 5             |
            6    close exit       |
            7    open exit        |
            8.5  go 1             | RAISED Tailgating p exit
            ",
        );
    }
}

#[test]
fn whose_last_tag_is_taken_off_is_told_of_no_more_and_has_used_his_leave_all_the_same() {
    for (subject, told) in [(0, vec!["CLEARED Tailgating p exit: RuleRemoved"]), (1, vec![])] {
        let mut world = World::new(&hospital(vec![anybody()]));
        play(&mut world, PIGGYBACK);
        let mut config = next(vec![anybody()]);
        config.tags.retain(|tag| tag.subject != Some(subject));
        let mut changed = world.change(&config);
        changed.retain(|words| words.contains("Tailgating"));
        assert_eq!(changed, told);
        play(&mut world, "4 lock exit |\n5 rex exit 5000 |");
    }
}

#[test]
fn the_alarm_says_where_who_was_seen_and_what_leave_there_was() {
    let mut world = World::new(&hospital(vec![anybody()]));
    play(&mut world, PIGGYBACK);
    let notice = world.notices.last().expect("an alarm");
    assert_eq!(notice.tag, world.site.tag(TagId(1)));
    assert_eq!(notice.position.map(|position| position.x_mm), Some(21_000));
    let door = notice.door.as_ref().expect("what is known of the door");
    assert!(door.granted.is_some() && door.requested.is_none() && door.lock.is_none());
}
