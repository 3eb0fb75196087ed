//! Doors that are supervised: held open, tampered with, lost, low on battery.

use ach_actors_model::{AlarmKind, Condition, RuleConfig, SiteConfig};

use crate::hospital::{S, hospital, hours, rule};
use crate::world::World;

const DOORS: [u32; 1] = [0];

fn held_unless(after_s: u64, also_unlocked: bool) -> RuleConfig {
    let condition =
        Condition::DoorHeld { doors: DOORS.to_vec(), after_ns: after_s * S, also_unlocked };
    rule("held", AlarmKind::DoorHeld, condition)
}

fn held(after_s: u64) -> RuleConfig {
    held_unless(after_s, false)
}

fn forced() -> RuleConfig {
    rule("forced", AlarmKind::DoorForced, Condition::DoorForced { doors: DOORS.to_vec() })
}

fn tampered() -> Vec<RuleConfig> {
    let doors = DOORS.to_vec();
    vec![
        rule("housing", AlarmKind::DoorTampered, Condition::DoorTampered { doors: doors.clone() }),
        rule("reader", AlarmKind::ReaderTampered, Condition::ReaderTampered { doors }),
    ]
}

fn lost(after_s: u64) -> RuleConfig {
    let condition = Condition::DoorLost { doors: DOORS.to_vec(), after_ns: after_s * S };
    rule("lost", AlarmKind::DoorLost, condition)
}

fn battery(percent: u8) -> RuleConfig {
    let condition = Condition::DoorBatteryLow { doors: DOORS.to_vec(), percent };
    rule("battery", AlarmKind::DoorBatteryLow, condition)
}

#[track_caller]
fn check(rules: Vec<RuleConfig>, story: &str) {
    World::new(&hospital(rules)).check(story);
}

/// The site with other rules, in its next version.
fn next(rules: Vec<RuleConfig>) -> SiteConfig {
    SiteConfig { version: 2, ..hospital(rules) }
}

#[test]
fn a_door_that_stands_open_is_held_after_its_time_until_it_is_closed() {
    check(
        vec![held(30)],
        "
        1    open exit    | exit forced
        30   open exit    |
        31   tick         | RAISED DoorHeld - exit
        60   tick         |
        61   close exit   | exit closed, CLEARED DoorHeld - exit: ConditionEnded
        62   open exit    | exit forced
        70   close exit   | exit closed
        80   open exit    | exit forced
        92   tick         |
        109  tick         |
        110  tick         | RAISED DoorHeld - exit
        ",
    );
}

#[test]
fn leave_to_open_a_door_is_no_leave_to_hold_it_open() {
    check(
        vec![held(30), forced()],
        "
        1    grant exit 5000  |
        2    open exit        | exit opened
        32   tick             | RAISED DoorHeld - exit
        33   close exit       | exit closed, CLEARED DoorHeld - exit: ConditionEnded
        ",
    );
}

#[test]
fn a_forced_opening_is_not_held_besides() {
    check(
        vec![held(30), forced()],
        "
        1    open exit                  | exit forced, RAISED DoorForced - exit
        60   tick                       |
        61   close exit                 | exit closed, CLEARED DoorForced - exit: ConditionEnded
        70   open exit                  | exit forced, RAISED DoorForced - exit
        71   grant exit 5000 obs=69     | CLEARED DoorForced - exit: ConditionEnded
        99   tick                       |
        100  tick                       | RAISED DoorHeld - exit
        110  close exit                 | exit closed, CLEARED DoorHeld - exit: ConditionEnded
        120  open exit                  | exit forced, RAISED DoorForced - exit
        160  grant exit 5000 obs=119    | CLEARED DoorForced - exit: ConditionEnded, RAISED DoorHeld - exit late
        ",
    );
}

#[test]
fn a_door_whose_lock_is_drawn_back_may_stand_open_until_it_throws() {
    check(
        vec![held(30)],
        "
        1    unlock exit    | exit unlocked
        2    open exit      | exit opened
        500  tick           |
        600  lock exit      | exit locked
        601  lock exit      |
        629  tick           |
        630  tick           | RAISED DoorHeld - exit
        640  unlock exit    | exit unlocked, CLEARED DoorHeld - exit: ConditionEnded
        650  close exit     | exit closed
        651  lock exit      | exit locked
        660  open exit      | exit forced
        689  tick           |
        690  tick           | RAISED DoorHeld - exit
        ",
    );
}

#[test]
fn a_fire_door_may_not_stand_open_though_its_lock_is_drawn_back() {
    check(
        vec![held_unless(30, true)],
        "
        1    unlock exit    | exit unlocked
        2    open exit      | exit opened
        31   lock exit      | exit locked
        32   tick           | RAISED DoorHeld - exit
        33   unlock exit    | exit unlocked
        34   close exit     | exit closed, CLEARED DoorHeld - exit: ConditionEnded
        ",
    );
}

#[test]
fn an_opening_that_is_told_late_counts_from_when_it_was() {
    check(
        vec![held(30)],
        "
        20   open exit obs=5     | exit forced
        35   tick                | RAISED DoorHeld - exit
        36   close exit obs=20   | exit closed, CLEARED DoorHeld - exit: ConditionEnded
        100  open exit obs=50    | exit forced, RAISED DoorHeld - exit late
        101  open exit obs=50    | duplicate
        102  close exit obs=60   | exit closed, CLEARED DoorHeld - exit: ConditionEnded
        ",
    );
}

#[test]
fn a_closing_that_overtakes_its_opening_leaves_nothing_held() {
    check(
        vec![held(30)],
        "
        10   close exit          | exit closed
        50   open exit obs=5     | exit forced, late
        500  tick                |
        ",
    );
}

#[test]
fn a_door_that_opens_again_after_its_closing_was_lost_begins_anew() {
    check(
        vec![held(30)],
        "
        1     open exit    | exit forced
        31    tick         | RAISED DoorHeld - exit
        1000  open exit    | CLEARED DoorHeld - exit: ConditionEnded, exit forced
        1030  tick         | RAISED DoorHeld - exit
        ",
    );
}

#[test]
fn the_time_a_door_may_stand_open_goes_on_while_the_node_is_away() {
    check(
        vec![held(30)],
        "
        1    open exit       | exit forced
        100  away 10         | RAISED DoorHeld - exit late
        101  close exit obs=20   | exit closed, CLEARED DoorHeld - exit: ConditionEnded
        110  open exit       | exit forced
        130  away 120        |
        140  tick            | RAISED DoorHeld - exit
        ",
    );
}

#[test]
fn a_door_is_held_by_each_rule_in_its_time_and_its_hours() {
    let long = RuleConfig { id: crate::hospital::name("long"), ..held(120) };
    check(
        vec![held(30), long],
        "
        1    open exit    | exit forced
        31   tick         | RAISED DoorHeld - exit
        121  tick         | RAISED DoorHeld - exit
        122  close exit   | exit closed, CLEARED DoorHeld - exit: ConditionEnded, CLEARED DoorHeld - exit: ConditionEnded
        ",
    );
    check(
        vec![hours(20, 6, held(60))],
        "
        12:00     open exit    | exit forced
        19:59     open exit    | exit forced
        20:00     tick         | RAISED DoorHeld - exit
        30:00     tick         | CLEARED DoorHeld - exit: RuleRemoved
        30:01     close exit   | exit closed
        43:59:30  open exit    | exit forced
        44:00     tick         |
        44:00:30  tick         | RAISED DoorHeld - exit
        ",
    );
}

#[test]
fn one_call_is_under_way_however_often_a_door_opens() {
    let mut world = World::new(&hospital(vec![held(3_000), lost(3_000)]));
    for second in 1..300 {
        let verb = if second % 2 == 1 { "open" } else { "close" };
        world.play(&[&second.to_string(), verb, "exit"]);
        assert_eq!(world.deadline_count(), 2, "after {second} s");
    }
}

#[test]
fn a_change_of_the_rules_while_a_door_stands_open_is_heeded() {
    for (before, after, at_change, story) in [
        (
            vec![held(30)],
            vec![],
            vec!["CLEARED DoorHeld - exit: RuleRemoved"],
            "99 close exit | exit closed",
        ),
        (
            vec![held(30)],
            vec![held(90)],
            vec!["CLEARED DoorHeld - exit: RuleRemoved"],
            "90 tick |\n91 tick | RAISED DoorHeld - exit",
        ),
        (
            vec![held(30)],
            vec![held(20)],
            vec![],
            "99 close exit | exit closed, CLEARED DoorHeld - exit: ConditionEnded",
        ),
        (vec![], vec![held(20)], vec!["RAISED DoorHeld - exit"], "99 tick |"),
        (vec![], vec![held(60)], vec![], "60 tick |\n 61 tick | RAISED DoorHeld - exit"),
        (vec![held(90)], vec![held(60)], vec![], "60 tick |\n 61 tick | RAISED DoorHeld - exit"),
        (
            vec![held(30)],
            tampered(),
            vec!["CLEARED DoorHeld - exit: RuleRemoved"],
            "99 pry exit | RAISED DoorTampered - exit",
        ),
    ] {
        let mut world = World::new(&hospital(before));
        world.play(&["1", "open", "exit"]);
        world.play(&["40", "tick"]);
        assert_eq!(world.change(&next(after)), at_change);
        world.check(story);
    }
}

#[test]
fn a_door_that_is_gone_is_held_no_more() {
    let mut world = World::new(&hospital(vec![held(30)]));
    world.check("1 open exit | exit forced\n 31 tick | RAISED DoorHeld - exit");
    let mut gone = next(vec![]);
    gone.doors.clear();
    assert_eq!(world.change(&gone), ["CLEARED DoorHeld - exit: RuleRemoved"]);
    world.check("60 tick |\n 61 up exit | refused");
    assert_eq!(world.change(&SiteConfig { version: 3, ..hospital(vec![held(30)]) }), [""; 0]);
    world.check("70 tick |\n 71 open exit | exit forced\n 101 tick | RAISED DoorHeld - exit");
}

#[test]
fn tampering_is_told_at_once_and_until_all_is_whole() {
    check(
        tampered(),
        "
        1    pry exit               | RAISED DoorTampered - exit
        2    pry exit               |
        2    pry exit obs=2         | duplicate
        3    prise exit             | RAISED ReaderTampered - exit
        4    mend exit              | CLEARED DoorTampered - exit: ConditionEnded
        5    refit exit             | CLEARED ReaderTampered - exit: ConditionEnded
        6    refit exit             |
        ",
    );
}

#[test]
fn tampering_that_is_told_late_still_alarms() {
    check(
        tampered(),
        "
        10   mend exit          |
        11   pry exit obs=5     | RAISED DoorTampered - exit late, CLEARED DoorTampered - exit: ConditionEnded, late
        12   pry exit obs=5     | duplicate
        20   refit exit         |
        21   prise exit         | RAISED ReaderTampered - exit
        22   refit exit obs=15  | late
        23   refit exit         | CLEARED ReaderTampered - exit: ConditionEnded
        ",
    );
}

#[test]
fn tampering_before_the_hours_of_a_rule_is_told_when_they_begin() {
    let rules = tampered().into_iter().map(|rule| hours(20, 6, rule)).collect();
    check(
        rules,
        "
        12:00  pry exit     |
        20:00  tick         | RAISED DoorTampered - exit
        30:00  tick         | CLEARED DoorTampered - exit: RuleRemoved
        31:00  mend exit    |
        44:00  tick         |
        ",
    );
}

#[test]
fn a_door_that_gives_no_sign_of_life_is_lost_until_it_does() {
    check(
        vec![lost(60)],
        "
        30   tick          |
        31   up exit       |
        60   open exit     | exit forced
        100  close exit    | exit closed
        159  tick          |
        160  tick          | RAISED DoorLost - exit
        200  up exit       | CLEARED DoorLost - exit: ConditionEnded
        201  up exit obs=200  | duplicate
        259  tick          |
        260  tick          | RAISED DoorLost - exit
        261  open exit obs=250     | exit forced, CLEARED DoorLost - exit: ConditionEnded
        ",
    );
}

#[test]
fn a_door_that_its_system_has_lost_is_lost_at_once() {
    check(
        vec![lost(60)],
        "
        1    down exit             | RAISED DoorLost - exit
        2    down exit             |
        3    close exit obs=0.5    | exit closed
        4    up exit obs=1         | late
        5    up exit               | CLEARED DoorLost - exit: ConditionEnded
        6    down exit obs=4       | late
        7    down exit             | RAISED DoorLost - exit
        500  tick                  |
        501  close exit            | CLEARED DoorLost - exit: ConditionEnded
        560  tick                  |
        561  tick                  | RAISED DoorLost - exit
        ",
    );
}

#[test]
fn an_outage_of_the_node_is_not_a_doors_silence() {
    check(
        vec![lost(60)],
        "
        1    up exit    |
        500  away 21    |
        539  tick       |
        540  tick       | RAISED DoorLost - exit
        ",
    );
}

#[test]
fn a_feed_that_stops_is_one_alarm_and_no_lost_door() {
    let mut config = hospital(vec![lost(60)]);
    config.sources[0].silence_ns = Some(10 * S);
    let mut world = World::new(&config);
    world.check(
        "
        1    up exit       |
        2    ping 1 5,5    | +p ward 1
        11   tick          |
        12   tick          | uwb silent, RAISED FeedSilent - uwb
        900  tick          |
        901  ping 1 5,5    | CLEARED FeedSilent - uwb: ConditionEnded, uwb heard
        ",
    );
    let mut told = Vec::new();
    for second in 902..1_000 {
        let line = world.play(&[&second.to_string(), "ping", "1", "5,5"]);
        told.extend(line.into_iter().map(|words| (second, words)));
    }
    // A minute of listening after it was last heard, silence of the feed left out.
    assert_eq!(told.len(), 1, "{told:?}");
    assert!((959..=962).contains(&told[0].0), "{told:?}");
    assert_eq!(told[0].1, "RAISED DoorLost - exit");
}

#[test]
fn a_longer_silence_ends_a_lost_door_and_a_shorter_one_counts_from_its_last_word() {
    let mut world = World::new(&hospital(vec![lost(60)]));
    world.check("1 up exit |\n 61 tick | RAISED DoorLost - exit");
    let told = world.change(&next(vec![lost(90)]));
    assert_eq!(told, ["CLEARED DoorLost - exit: RuleRemoved"]);
    world.check("90 tick |\n 91 tick | RAISED DoorLost - exit");
    world.check("100 up exit | CLEARED DoorLost - exit: ConditionEnded");
    assert_eq!(world.change(&SiteConfig { version: 3, ..next(vec![lost(20)]) }), [""; 0]);
    world.check("119 tick |\n 120 tick | RAISED DoorLost - exit");
}

#[test]
fn a_battery_is_low_until_it_is_plainly_charged() {
    check(
        vec![battery(20)],
        "
        1    charge exit 50          |
        2    charge exit 20          | RAISED DoorBatteryLow - exit
        3    charge exit 24          |
        4    charge exit 24 obs=3    | duplicate
        5    charge exit 90 obs=1    | late
        6    charge exit 25          | CLEARED DoorBatteryLow - exit: ConditionEnded
        7    charge exit 22          |
        8    charge exit 0           | RAISED DoorBatteryLow - exit
        ",
    );
}
