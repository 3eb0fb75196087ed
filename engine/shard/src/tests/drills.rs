//! Alarms of doors that a drill moves, against `docs/specs/doors.md`.

use ach_actors_model::{AlarmKind, NS_PER_S, Place};

use super::door_stories::{told, watched};
use super::play::play;

/// What is told of alarms at doors, each with whether it bears the mark.
#[track_caller]
fn check(story: &str, expected: &[&str]) {
    let played = play(&told(watched(), story).entries);
    let site = played.shard.site().expect("a site");
    let said: Vec<String> = played
        .notices()
        .filter_map(|notice| {
            let Place::Door(door) = notice.place else { return None };
            let mark = if notice.is_drill { " drill" } else { "" };
            let quiet = if notice.state.is_quiet() { " quiet" } else { "" };
            let door = site.door_name(door).expect("a door");
            Some(format!("{:?} {:?} {door}{mark}{quiet}", notice.transition, notice.kind))
        })
        .collect();
    assert_eq!(said, expected, "of the story\n{story}");
}

#[test]
fn what_is_wrong_with_a_door_in_a_drill_bears_its_mark_to_the_end() {
    check(
        "4 door exit locks
         5 nora begins lockdown site for=600 drill
         6 door exit opens
         8 nora ends lockdown site drill
         9 door exit closes",
        &["Raised DoorForced exit drill", "Cleared DoorForced exit drill"],
    );
    // Its lock turns, and it does not do as it was told.
    check(
        "4 door exit locks
         5 nora begins evacuation site for=600 drill
         6 door exit lives
         15 tick
         16 door exit unlocks",
        &["Raised DoorNotFollowing exit drill", "Cleared DoorNotFollowing exit drill"],
    );
    // It is pried, and low.
    check(
        "5 nora begins lockdown site for=600 drill
         6 door exit is-pried
         7 door exit has=10",
        &["Raised DoorTampered exit drill", "Raised DoorBatteryLow exit drill"],
    );
}

/// The mark is that of the moment at which it is raised.
#[test]
fn what_waits_is_marked_as_its_door_is_told_when_it_is_raised() {
    for (story, expected) in [
        ("5 nora begins lockdown site for=600 drill\n6 door exit has=10\n30 tick", true),
        ("5 nora begins lockdown site for=4 drill\n6 door exit has=10\n10 tick\n30 tick", false),
        ("5 door exit has=10\n6 nora begins lockdown site for=600 drill\n30 tick", true),
    ] {
        let mut config = watched();
        let weak = config.rules.iter_mut().find(|rule| rule.id.as_str() == "weak");
        weak.expect("a rule").answer.delays.on_ns = 20 * NS_PER_S;
        let played = play(&told(config, story).entries);
        let low = played.notices().filter(|notice| notice.kind == AlarmKind::DoorBatteryLow);
        let marks: Vec<bool> = low.map(|notice| notice.is_drill).collect();
        assert_eq!(marks, [expected], "of the story\n{story}");
    }
}

#[test]
fn what_no_drill_tells_a_door_bears_no_mark() {
    for (story, expected) in [
        // It stays as it is in drills.
        (
            "5 nora begins lockdown site for=600 drill\n10 door hatch opens",
            "Raised DoorForced hatch",
        ),
        ("5 nora begins lockdown site for=600\n10 door exit opens", "Raised DoorForced exit"),
        (
            "5 nora begins lockdown site for=600 exercise\n10 door exit opens",
            "Raised DoorForced exit",
        ),
        (
            "5 nora begins lockdown site for=4 drill\n9 tick\n10 door exit opens",
            "Raised DoorForced exit",
        ),
        // What is meant counts before the drill.
        (
            "5 nora begins lockdown site for=600 drill
             6 nora locks exit for=600
             10 door exit opens",
            "Raised DoorForced exit",
        ),
    ] {
        check(&format!("2 door exit locks\n3 door hatch locks\n{story}"), &[expected]);
    }
    // Raised before it began.
    check(
        "3 door exit locks\n4 door exit opens\n5 nora begins lockdown site for=600 drill\n6 door exit closes",
        &["Raised DoorForced exit", "Cleared DoorForced exit"],
    );
}
