//! Rules that wait before they tell, and before they say that it is over, against `docs/specs/alarm-life.md`.

use ach_actors_model::{
    AlarmTransition, Cause, Command, CommandKind, DelayConfig, Gate, NS_PER_S, PassWish, Remark,
    SiteConfig, SubjectRef, Timestamp,
};

use super::hospital::{MONDAY, hospital, name};
use super::play::{Played, play};
use super::script::Script;
use crate::Input;

/// Who waits for so many seconds before it is told, and before it is over.
const DELAYS: [(&str, u64, u64); 10] = [
    ("wander", 5, 10),
    ("snatch", 0, 30),
    ("no-guests", 4, 0),
    ("night", 10, 30),
    ("loiter", 0, 10),
    ("flat", 60, 30),
    ("full", 5, 5),
    ("held", 0, 20),
    ("pried", 0, 15),
    ("weak", 8, 12),
];

/// The hospital with rules that wait.
fn delayed() -> SiteConfig {
    let mut config = hospital();
    for (id, on_s, off_s) in DELAYS {
        wait(&mut config, id, on_s, off_s);
    }
    config
}

/// Its second version.
fn next(edit: impl FnOnce(&mut SiteConfig)) -> SiteConfig {
    let mut config = delayed();
    edit(&mut config);
    config.version = 2;
    config
}

fn wait(config: &mut SiteConfig, id: &str, on_s: u64, off_s: u64) {
    let rule = config.rules.iter_mut().find(|rule| rule.id.as_str() == id).expect("a rule");
    rule.answer.delays = DelayConfig { on_ns: on_s * NS_PER_S, off_ns: off_s * NS_PER_S };
}

/// Stories with further lines: `5 wander waits 2 8`, a version of the site in which it does, `5 wander gone`, in which it
/// is not, `5 nurse gives anna`, leave for ten minutes.
fn told(story: &str) -> Script {
    let mut script = Script::new(delayed());
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let second = || words[0].parse().expect("whole seconds");
        match words[..] {
            [_, id, "waits", on, off] => {
                let (on, off) = (on.parse().expect("seconds"), off.parse().expect("seconds"));
                let edit = |config: &mut SiteConfig| wait(config, id, on, off);
                script.push_site(second(), next(edit));
            }
            [_, id, "gone"] => {
                let drop = |config: &mut SiteConfig| {
                    config.rules.retain(|rule| rule.id.as_str() != id);
                };
                script.push_site(second(), next(drop));
            }
            [_, "nurse", "gives", "anna"] => {
                let wish = PassWish {
                    subject: SubjectRef(0),
                    for_ns: Some(600 * NS_PER_S),
                    places: vec![],
                    is_until_back: false,
                    escort: None,
                    person: None,
                    reason: Remark::new("to the garden").ok(),
                };
                script.tell(&format!("{} tick", words[0]));
                let kind = CommandKind::Pass(wish);
                script.add(Input::Command(Command { by: name("nurse"), kind }));
            }
            _ => script.tell(line),
        }
    }
    script
}

/// What is told of alarms, but for feeds that are silent.
#[track_caller]
fn check(story: &str, expected: &[&str]) -> Played {
    let played = play(&told(story).entries);
    let said: Vec<String> =
        played.alarms().into_iter().filter(|alarm| !alarm.contains("Silent")).collect();
    assert_eq!(said, expected, "of the story\n{story}");
    played
}

const RAISED: &str = "7 raised Elopement anna ward";

/// Gone from second 2 on.
fn out(rest: &str) -> String {
    format!("1 anna at 3,1\n2 anna at 3,-1\n{rest}")
}

/// Gone from second 2 on, told at 7, and back at 20.
fn back(rest: &str) -> String {
    out(&format!("7 tick\n15 anna at 3,-2\n20 anna at 3,1\n{rest}"))
}

#[test]
fn what_is_over_sooner_nobody_is_told_of() {
    check(&out("6.9 anna at 3,1\n30 tick"), &[]);
    check(&out("6 anna at 3,-2\n7 tick"), &[RAISED]);
    // Each time it begins anew.
    check(
        &out("5 anna at 3,1\n6 anna at 3,-1\n10 tick\n11 tick"),
        &["11 raised Elopement anna ward"],
    );
}

#[test]
fn it_tells_that_it_waited_and_when_it_was_due() {
    let played = check(&out("6 anna at 3,-2\n7 tick"), &[RAISED]);
    let notice = played.notices().next().expect("raised");
    let due_at = Timestamp(MONDAY.0 + 7 * NS_PER_S);
    assert_eq!(notice.cause, Cause::Deadline { due_at });
    assert_eq!([notice.observed_at, notice.received_at, notice.certain_at], [due_at; 3]);
    #[expect(clippy::as_conversions, reason = "the enum's values are the bits")]
    let (waited, on_the_line) = (Gate::OnDelay as u16, Gate::Line as u16);
    assert_eq!(notice.gates_passed & waited, waited);
    assert_eq!(notice.gates_passed & on_the_line, on_the_line, "what it began with");
    assert_eq!(notice.position.expect("where she is").y_mm, -2_000, "what is known by now");
    assert_eq!((notice.episode, notice.transition), (1, AlarmTransition::Raised));
}

#[test]
fn what_holds_again_before_it_is_over_is_the_same_alarm() {
    let played = check(
        &back("25 anna at 3,-1\n40 anna at 3,1\n49 tick\n50 tick"),
        &[RAISED, "50 cleared Elopement anna ward (ConditionEnded)"],
    );
    let ids: Vec<_> = played.notices().filter(|it| it.rule.is_some()).map(|it| it.id).collect();
    assert_eq!(ids[0], ids[1]);
    // Later it is another, and waits.
    check(
        &back("30 tick\n31 anna at 3,-1\n36 tick"),
        &[
            RAISED,
            "30 cleared Elopement anna ward (ConditionEnded)",
            "36 raised Elopement anna ward",
        ],
    );
}

/// What is only suspected neither keeps an alarm that is to end nor ends it sooner.
#[test]
fn a_suspicion_changes_nothing_about_what_waits_to_end() {
    let (raised, upheld, cleared) = (
        "2 raised Elopement baby nursery tentative",
        "5 upheld Elopement baby nursery",
        "cleared Elopement baby nursery (ConditionEnded)",
    );
    let begin = "1 baby at 3,25\n2 baby at 3,18\n5 tick\n6 baby at 3,25";
    check(
        &format!("{begin}\n10 baby at 3,18\n11 baby at 3,25\n35 tick\n36 tick"),
        &[raised, upheld, &format!("36 {cleared}")],
    );
    // Borne out it is the same alarm.
    check(
        &format!("{begin}\n10 baby at 3,18\n13 tick\n25 baby at 3,25\n54 tick\n55 tick"),
        &[raised, upheld, &format!("55 {cleared}")],
    );
}

#[test]
fn each_kind_that_lasts_can_wait() {
    for (story, expected) in [
        (
            "1 vera at 19,5\n2 vera at 25,5\n6 tick\n10 vera at 19,5",
            &[
                "6 raised UnauthorisedEntry vera drugs",
                "10 cleared UnauthorisedEntry vera drugs (ConditionEnded)",
            ][..],
        ),
        ("1 vera at 19,5\n2 vera at 25,5\n5 vera at 19,5\n9 tick", &[]),
        (
            "1 anna at 3,1 battery=15\n31 anna at 3,1 battery=15\n61 tick\n70 anna at 3,1 battery=90\n100 tick",
            &["61 raised BatteryLow anna", "100 cleared BatteryLow anna (ConditionEnded)"],
        ),
        // A little above the limit is not over, but does not hold either.
        ("1 anna at 3,1 battery=15\n31 anna at 3,1 battery=22\n100 tick", &[]),
        ("1 door exit has=10\n5 door exit has=22\n20 tick", &[]),
        (
            "1 vera at 5,-5\n2 victor at 6,-5\n3 sam at 7,-5\n8 tick\n9 sam at 7,5\n14 tick",
            &["8 raised OverCapacity - lobby", "14 cleared OverCapacity - lobby (ConditionEnded)"],
        ),
        ("1 vera at 5,-5\n2 victor at 6,-5\n3 sam at 7,-5\n7 sam at 7,5\n14 tick", &[]),
        (
            "1 door exit has=10\n9 tick\n20 door exit has=90\n32 tick",
            &["9 raised DoorBatteryLow - exit", "32 cleared DoorBatteryLow - exit (ConditionEnded)"],
        ),
        (
            "1 door exit is-pried\n5 door exit is-mended\n10 door exit is-pried\n12 door exit is-mended\n27 tick",
            &["1 raised DoorTampered - exit", "27 cleared DoorTampered - exit (ConditionEnded)"],
        ),
        (
            "1 door exit asks=5\n2 door exit opens\n42 tick\n50 door exit closes\n51 door exit asks=5
             52 door exit opens\n70 tick",
            &["42 raised DoorHeld - exit", "70 cleared DoorHeld - exit (ConditionEnded)"],
        ),
    ] {
        check(story, expected);
    }
}

#[test]
fn what_fell_due_while_the_node_was_away_is_told_late() {
    check(&out("30 away since=26"), &["30 raised Elopement anna ward late"]);
    check(&back("60 away since=38"), &[RAISED, "60 cleared Elopement anna ward (ConditionEnded)"]);
}

#[test]
fn what_is_told_late_has_waited_already() {
    // Seen at 3, told at 9: it has held for longer than the rule waits.
    check("1 anna at 3,1\n9 anna at 3,-1 seen=3", &["9 raised Elopement anna ward"]);
    check("1 anna at 3,1\n6 anna at 3,-1 seen=3\n8 tick", &["8 raised Elopement anna ward"]);
}

#[test]
fn another_version_of_the_site_is_judged_by_its_own_delays() {
    for (story, expected) in [
        (out("4 wander waits 2 10\n20 tick"), &["4 raised Elopement anna ward"][..]),
        (out("4 wander waits 0 10\n20 tick"), &["4 raised Elopement anna ward"]),
        (out("4 wander waits 3 10\n5 tick"), &["5 raised Elopement anna ward"]),
        (out("4 wander waits 9 10\n7 tick\n11 tick"), &["11 raised Elopement anna ward"]),
        (out("4 wander gone\n20 tick"), &[]),
        (
            back("22 wander waits 5 0\n23 tick"),
            &[RAISED, "22 cleared Elopement anna ward (ConditionEnded)"],
        ),
        (
            back("22 wander waits 5 20\n30 tick\n40 tick"),
            &[RAISED, "40 cleared Elopement anna ward (ConditionEnded)"],
        ),
        (
            back("22 wander gone\n23 tick"),
            &[RAISED, "22 cleared Elopement anna ward (ConditionEnded)"],
        ),
    ] {
        check(&story, expected);
    }
}

/// Whatever else another version of the site changes.
#[test]
fn what_waits_to_end_waits_on_over_a_change_of_the_site() {
    for (story, expected) in [
        (
            "21480 nora at 5,5\n21500 nora at 5,-5\n21510 tick\n21515 nora at 5,5\n21520 wander waits 5 9\n21545 tick",
            [
                "21510 raised UnauthorisedEntry nora lobby",
                "21545 cleared UnauthorisedEntry nora lobby (ConditionEnded)",
            ],
        ),
        (
            "1 door exit asks=5\n2 door exit opens\n42 tick\n50 door exit closes\n55 wander waits 5 9\n70 tick",
            ["42 raised DoorHeld - exit", "70 cleared DoorHeld - exit (ConditionEnded)"],
        ),
    ] {
        check(story, &expected);
    }
}

/// However often a condition comes and goes, one call is under way.
#[test]
fn what_comes_and_goes_orders_no_call_each_time() {
    let lines = (0..200).map(|turn| {
        let y = if turn % 2 == 0 { -2 } else { 2 };
        format!("{} anna at 3,{y}\n", 10 + turn * 2)
    });
    let story = "1 anna at 3,1\n2 wander waits 3000 10\n".to_owned() + &lines.collect::<String>();
    let played = play(&told(&story).entries);
    let waiting = played.shard.status().deadline_count;
    assert!(waiting <= 40, "{waiting} deadlines wait");
}

#[test]
fn leave_and_tags_that_are_gone_end_it_at_once() {
    for (story, expected) in [
        (out("4 nurse gives anna\n20 tick"), &[][..]),
        (
            out("7 tick\n9 nurse gives anna\n20 tick"),
            &[RAISED, "9 cleared Elopement anna ward (Authorised)"],
        ),
        (out("4 site no-anna-tag\n20 tick"), &[]),
        (
            back("21 site no-anna-tag\n40 tick"),
            &[RAISED, "21 cleared Elopement anna ward (ConditionEnded)"],
        ),
    ] {
        check(&story, expected);
    }
}

/// Whoever was seen outside and is heard no more is outside.
#[test]
fn not_to_be_heard_is_no_reason_to_wait_for_longer() {
    check(&out("70 tick"), &["70 raised Elopement anna ward late"]);
    check(&out("6 sam at 3,5\n7 sam at 3,6\n40 sam at 3,5"), &[RAISED]);
}

#[test]
fn the_hours_of_a_rule_end_what_waits() {
    let story = |out: &str| format!("21580 nora at 5,5\n{out}");
    check(&story("21595 nora at 5,-5\n21600 tick\n21610 tick"), &[]);
    check(
        &story("21585 nora at 5,-5\n21595 tick\n21598 nora at 5,5\n21600 tick\n21630 tick"),
        &[
            "21595 raised UnauthorisedEntry nora lobby",
            "21600 cleared UnauthorisedEntry nora lobby (ConditionEnded)",
        ],
    );
}

/// Longer than a checkpoint takes, which [`play`] takes all along, with something waiting all the while.
#[test]
fn what_waits_is_in_checkpoints() {
    let lines = (10..60).map(|second| {
        let y = if second % 12 < 6 { -2 } else { 2 };
        format!("{second} anna at 3,{y} battery=15\n& vera at 25,{}\n", 5 + y)
    });
    let story = out("3 anna at 3,-1\n") + &lines.collect::<String>();
    let played = play(&told(&story).entries);
    let told = played.alarms().iter().filter(|alarm| alarm.contains("Elopement")).count();
    assert_eq!(told, 1, "one alarm that never was over for ten seconds: {:?}", played.alarms());
}
