//! Doors that the node moves: who says what, whose word counts, and when it is said.

use ach_actors_entities::{DoorInput, Effect};
use ach_actors_model::{
    DoorMode, DoorRef, DoorSlot, NS_PER_S, Practice, ResponseConfig, UtcOffset,
};

use super::door_stories::{AT_REST, check, check_with, moved, told, words};
use super::hospital::{MONDAY, name};
use super::play::{play, run};
use crate::Shard;
use crate::call::Call;

const EXIT: u32 = 0;

/// Seconds after midnight.
const DAWN: u64 = 6 * 3_600;
const DUSK: u64 = 19 * 3_600;

#[test]
fn a_door_does_what_an_operator_says_until_the_time_is_over_or_it_is_given_back() {
    check(
        "10 nora unlocks exit for=60
         & nora locks hatch for=20
         30 tick
         70 tick
         80 nora blocks exit for=60
         90 nora gives-back exit
         91 nora gives-back exit",
        &[
            "10 exit unlocked Operator",
            "10 hatch locked Operator",
            "30 hatch locked rest",
            "70 exit locked rest",
            "80 exit blocked Operator",
            "90 exit locked rest",
            "91 exit locked rest",
        ],
    );
}

#[test]
fn hours_begin_and_end_at_their_minute_and_show_again_when_an_operators_word_is_over() {
    let (dawn, dusk) = (DAWN, DUSK);
    check(
        &format!(
            "{before} tick
             {dawn} tick
             {noon} nora locks exit for=60
             {later} tick
             {eve} tick
             {dusk} tick",
            before = dawn - 1,
            noon = dawn + 100,
            later = dawn + 160,
            eve = dusk - 1
        ),
        &[
            "21600 exit unlocked Schedule",
            "21700 exit locked Operator",
            "21760 exit unlocked Schedule",
            "68400 exit locked rest",
        ],
    );
}

#[test]
fn hours_are_those_of_the_wall_on_holidays_and_when_clocks_change_too() {
    let mut config = moved();
    // From noon on the clocks go an hour behind; Tuesday is a holiday, which its windows leave out.
    let noon = MONDAY.plus_ns(12 * 3_600 * NS_PER_S);
    config.utc_offsets.push(UtcOffset { from: noon, offset_s: -3_600 });
    let monday = u32::try_from(MONDAY.0 / (86_400 * NS_PER_S)).expect("a day");
    config.holidays = vec![monday + 1];
    let day = 86_400;
    check_with(
        config,
        |_| {},
        &format!(
            "{DAWN} tick
             {DUSK} tick
             {} tick
             {} tick
             {} tick
             {} tick",
            DUSK + 3_600,
            day + DAWN + 3_600,
            day + DUSK + 3_600,
            2 * day + DAWN + 3_600,
        ),
        &[
            "0 exit locked rest",
            "0 hatch locked rest",
            "21600 exit unlocked Schedule",
            "72000 exit locked rest",
            "198000 exit unlocked Schedule",
        ],
    );
}

#[test]
fn hours_that_ended_while_the_node_was_away_end_when_it_is_back() {
    check(
        "21600 tick
         70000 away since=30000",
        &["21600 exit unlocked Schedule", "70000 exit locked rest"],
    );
}

#[test]
fn an_earlier_slot_counts_and_the_later_ones_come_to_light_one_after_the_other() {
    check(
        "21600 tick
         21601 nora locks exit for=1000
         21602 nora begins evacuation site for=900
         21603 nora begins lockdown site for=800
         21604 door exit key=unlocked
         21605 door hatch burns
         21606 nora lets-out exit
         21607 door hatch burns-no-more
         21608 nora keeps-in exit
         21609 door exit key=back
         21610 nora ends lockdown site
         21611 nora ends evacuation site
         21612 nora gives-back exit",
        &[
            "21600 exit unlocked Schedule",
            "21601 exit locked Operator",
            "21602 exit unlocked Evacuation",
            "21603 exit blocked Lockdown",
            "21604 exit unlocked LocalOverride",
            "21605 exit unlocked LifeSafety at-once",
            "21605 hatch unlocked LifeSafety at-once",
            "21607 hatch locked rest",
            "21608 exit unlocked LocalOverride",
            "21609 exit blocked Lockdown",
            "21610 exit unlocked Evacuation",
            "21611 exit locked Operator",
            "21612 exit unlocked Schedule",
        ],
    );
}

#[test]
fn a_fire_outranks_a_lockdown_whichever_came_first() {
    check(
        "5 nora begins lockdown site for=600
         10 door hatch burns
         11 nora begins lockdown site for=900
         12 nora blocks exit for=60
         20 door hatch burns
         30 door hatch burns seen=9
         40 door hatch burns-no-more seen=8",
        &[
            "5 exit blocked Lockdown",
            "10 exit unlocked LifeSafety at-once",
            "10 hatch unlocked LifeSafety at-once",
            "40 exit blocked Lockdown",
            "40 hatch locked rest",
        ],
    );
}

#[test]
fn a_door_that_is_set_aside_lets_people_out_all_the_same_until_it_works_again() {
    check_with(
        moved(),
        |shard: &mut Shard| {
            shard.stage.actors.bug =
                Some(|call| matches!(call, Call::Door(DoorRef(EXIT), DoorInput::Locked(_))));
        },
        "5 door exit locks
         6 nora unlocks exit for=60
         10 door hatch burns
         20 door hatch burns-no-more
         30 nora lets-out exit
         & nora blocks exit for=60
         31 release door=0
         32 nora keeps-in exit",
        &[
            "0 exit locked rest",
            "0 hatch locked rest",
            "6 refused: SetAside",
            "10 exit unlocked LifeSafety at-once",
            "10 hatch unlocked LifeSafety at-once",
            "20 hatch locked rest",
            "30 refused: SetAside",
            "31 exit unlocked LifeSafety at-once",
            "32 exit locked rest",
        ],
    );
}

#[test]
fn a_fire_concerns_the_doors_of_its_area_and_those_without_one() {
    for (told_at, other, opens, is_released) in [
        (None, None, true, true),
        (Some("a"), None, true, true),
        (None, Some("b"), true, true),
        (Some("a"), Some("a"), true, true),
        (Some("a"), Some("b"), true, false),
        (Some("a"), Some("a"), false, false),
    ] {
        let mut config = moved();
        for (door, area) in config.doors.iter_mut().zip([told_at, other]) {
            door.control.as_mut().expect("moved").fire_area = area.map(name);
        }
        config.doors[1].control.as_mut().expect("moved").opens_on_fire = opens;
        let played = play(&told(config, "5 door exit burns").entries);
        let slot = played.shard.door_standings()[1].order.expect("told").slot;
        let case = format!("told at {told_at:?}, of {other:?}, opens {opens}");
        assert_eq!(slot == Some(DoorSlot::LifeSafety), is_released, "{case}");
    }
}

#[test]
fn lockdowns_are_of_a_zone_a_label_or_the_site_and_each_ends_by_itself() {
    check(
        "5 nora begins lockdown zone=drugs for=60
         6 sam begins lockdown label=front for=20
         7 sam begins lockdown site for=50
         26 tick
         57 tick
         60 sam begins lockdown label=nowhere for=60
         65 tick",
        // The hatch stays as it is in a lockdown.
        &["6 exit blocked Lockdown", "7 exit blocked Lockdown", "57 exit locked rest"],
    );
}

#[test]
fn a_drill_moves_what_moves_in_drills_is_marked_and_gives_way_to_what_is_meant() {
    let mut config = moved();
    let hatch = config.doors[1].control.as_mut().expect("moved");
    (hatch.opens_on_evacuation, hatch.on_lockdown) = (true, Some(DoorMode::Locked));
    check_with(
        config,
        |_| {},
        "5 nora begins evacuation site for=60 drill
         6 nora begins lockdown site for=60 exercise
         7 sam begins evacuation site for=20
         8 sam ends evacuation site
         9 sam ends evacuation site drill",
        &[
            &AT_REST[..],
            &[
                "5 exit unlocked Evacuation drill",
                "7 exit unlocked Evacuation",
                "7 hatch unlocked Evacuation",
                "8 exit unlocked Evacuation drill",
                "8 hatch locked rest",
                "9 exit locked rest",
            ],
        ]
        .concat(),
    );
}

#[test]
fn a_drill_goes_on_with_one_order_when_the_real_thing_ends_by_itself() {
    check(
        "5 nora begins lockdown site for=60 drill
         6 nora begins lockdown site for=20
         26 tick
         65 tick",
        &[
            "5 exit blocked Lockdown drill",
            "6 exit blocked Lockdown",
            "26 exit blocked Lockdown drill",
            "65 exit locked rest",
        ],
    );
}

#[test]
fn an_exercise_moves_nothing_and_says_how_many_doors_it_would_have_moved() {
    let played = check("5 nora begins evacuation site for=60 exercise", &[]);
    let running = played.shard.emergencies();
    assert_eq!(running.len(), 1);
    assert_eq!((running[0].practice, running[0].door_count), (Practice::Exercise, 1));
}

#[test]
fn a_real_word_counts_before_a_drill_whatever_its_slot() {
    check(
        "1 nora begins lockdown site for=600 drill
         2 nora begins evacuation site for=60
         3 nora ends evacuation site
         4 nora unlocks exit for=10
         14 tick",
        &[
            "1 exit blocked Lockdown drill",
            "2 exit unlocked Evacuation",
            "3 exit blocked Lockdown drill",
            "4 exit unlocked Operator",
            "14 exit blocked Lockdown drill",
        ],
    );
}

#[test]
fn a_thousand_fire_inputs_tell_each_door_once() {
    let mut script = told(moved(), "5 door hatch burns");
    for _ in 0..1_000 {
        script.tell("& door exit burns\n& door exit burns-no-more");
    }
    let played = run(&script.entries, |_| {});
    let orders = played.effects.last().expect("an entry").iter();
    let orders = orders.filter(|effect| matches!(effect, Effect::Door(it) if it.order.is_some()));
    // The exit tells of its own fire besides.
    assert!(orders.count() <= 2_000 + 3, "what fires come to is told once an entry");
    let standings = played.shard.door_standings();
    assert_eq!(standings[0].order.expect("told").number, standings[1].order.expect("told").number);
}

#[test]
fn of_doors_that_interlock_one_alone_is_unlocked_but_for_those_who_must_get_out() {
    let mut config = moved();
    for door in &mut config.doors {
        door.control.as_mut().expect("moved").interlock = Some(name("airlock"));
    }
    check_with(
        config,
        |_| {},
        "1 door hatch opens
         2 nora unlocks exit for=60
         3 door hatch closes
         4 nora unlocks exit for=60
         5 nora unlocks hatch for=60
         6 nora lets-out hatch",
        &[
            &AT_REST[..],
            &[
                "2 refused: Interlocked",
                "4 exit unlocked Operator",
                "5 refused: Interlocked",
                "6 hatch unlocked LifeSafety at-once",
            ],
        ]
        .concat(),
    );
}

#[test]
fn a_change_of_the_site_moves_doors_as_it_says_and_lets_go_of_the_others() {
    let mut script = told(moved(), "1 nora begins lockdown site for=600");
    let mut config = moved();
    config.version = 2;
    config.doors[0].control.as_mut().expect("moved").on_lockdown = Some(DoorMode::Locked);
    config.doors[1].control = None;
    script.push_site(5, config);
    let mut config = moved();
    config.version = 3;
    config.doors[1].control.as_mut().expect("moved").rests = DoorMode::Unlocked;
    script.push_site(6, config);
    let played = play(&script.entries);
    assert_eq!(
        words(&played, &script.entries),
        [
            "0 exit locked rest",
            "0 hatch locked rest",
            "1 exit blocked Lockdown",
            "5 exit locked Lockdown",
            "6 hatch unlocked rest",
            "6 exit blocked Lockdown",
        ]
    );
}

/// Every sequence of so many acts is played.
const DEPTH: u32 = 3;

#[test]
fn no_sequence_of_acts_keeps_anybody_in_while_people_are_to_get_out() {
    let acts = [
        "nora blocks exit for=9",
        "nora gives-back exit",
        "nora lets-out exit",
        "nora keeps-in exit",
        "door hatch burns",
        "door hatch burns-no-more",
        "door exit key=locked",
        "door exit key=back",
        "nora begins lockdown site for=9",
        "nora begins lockdown site for=2 drill",
        "nora ends lockdown site",
        "nora begins evacuation site for=9",
        "door exit locks",
        "anna is-cut",
        "anna is-whole",
        "tick",
    ];
    let config = || {
        let mut config = moved();
        let id = name("holds");
        let (doors, mode, for_ns) = (vec![EXIT], DoorMode::Blocked, 2 * NS_PER_S);
        for rule in config.rules.iter_mut().filter(|rule| rule.id.as_str() == "cut") {
            let (id, doors, tell) = (id.clone(), doors.clone(), vec![]);
            rule.answer.responses = vec![ResponseConfig { id, doors, mode, for_ns, tell }];
        }
        config
    };
    let count = u32::try_from(acts.len()).expect("few");
    for number in 0..count.pow(DEPTH) {
        let act = |place| usize::try_from(number / count.pow(place) % count).expect("few");
        let sequence = (0..DEPTH).map(act);
        let lines: Vec<String> =
            sequence.zip(1..).map(|(act, second)| format!("{second} {}", acts[act])).collect();
        let story = lines.join("\n");
        let script = told(config(), &story);
        let played = run(&script.entries, |_| {});
        let (mut is_let_out, mut burns) = (false, false);
        for line in &lines {
            is_let_out = (is_let_out || line.contains("lets-out")) && !line.contains("keeps-in");
            burns = (burns || line.ends_with("burns")) && !line.contains("no-more");
        }
        let order = played.shard.door_standings()[0].order.expect("told");
        let released = (order.slot, order.mode) == (Some(DoorSlot::LifeSafety), DoorMode::Unlocked);
        assert_eq!(released, is_let_out || burns, "{story}");
    }
}
