//! Which alarms are said to chatter, and what a storm does to the order of things.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmKind, AlarmNotice, AlarmState, AlarmTransition, NS_PER_S};

use super::desk;
use super::hospital::hospital;
use super::play::{Played, play};
use super::render;
use super::script::Script;

/// Every alarm that was raised, and whether it is said to chatter.
fn words(played: &Played) -> Vec<String> {
    let site = played.shard.site().expect("a site");
    let raised = played.notices().filter(|notice| notice.transition == AlarmTransition::Raised);
    let tell = |notice: &AlarmNotice| {
        let chatters = notice.state.is_any(AlarmState::CHATTERS);
        format!("{}{}", render::alarm(notice, site), if chatters { ", chatters" } else { "" })
    };
    raised.map(tell).collect()
}

#[track_caller]
fn check(story: &str, expected: &[&str]) {
    let played = play(&Script::told(story).entries);
    assert_eq!(words(&played), expected, "of the story{story}");
}

#[test]
fn a_condition_that_is_raised_for_the_third_time_within_a_minute_chatters() {
    check(
        "1 door exit opens
         2 door exit closes
         20 door exit opens
         21 door exit closes
         30 door hatch opens
         60.999 door exit opens
         62 door exit closes
         79.999 door exit opens
         80 door exit closes
         80.999 door exit opens",
        &[
            "1 raised DoorForced - exit",
            "20 raised DoorForced - exit",
            "30 raised DoorForced - hatch",
            "60.999 raised DoorForced - exit, chatters",
            // The one before the last was not a minute ago.
            "79.999 raised DoorForced - exit, chatters",
            "80 raised DoorLost - hatch",
            "80.999 raised DoorForced - exit, chatters",
        ],
    );
    check(
        "1 door exit opens
         2 door exit closes
         20 door exit opens
         21 door exit closes
         61 door exit opens",
        &[
            "1 raised DoorForced - exit",
            "20 raised DoorForced - exit",
            // A minute to the moment: the first does not count any more.
            "61 raised DoorForced - exit",
        ],
    );
}

#[test]
fn a_backlog_that_is_told_within_a_second_is_no_chatter() {
    check(
        "1 anna at 3,1
         600.1 door exit opens seen=100
         600.2 door exit closes seen=101
         600.3 door exit opens seen=300
         600.4 door exit closes seen=301
         600.5 door exit opens seen=500
         600.6 door exit closes seen=501
         601 door exit opens
         602 door exit closes
         603 door exit opens
         604 door exit closes
         605 door exit opens",
        &[
            "600.100 raised FeedSilent - rtls late",
            "600.100 raised DoorForced - exit late",
            "600.300 raised DoorForced - exit late",
            "600.500 raised DoorForced - exit late",
            "601 raised DoorForced - exit",
            // The third of now, after three of then.
            "603 raised DoorForced - exit",
            "605 raised DoorForced - exit, chatters",
        ],
    );
}

#[test]
fn what_a_life_may_hang_on_never_chatters() {
    let mut script = Script::told("1 sam at 3,1");
    for second in [2, 4, 6, 8] {
        script.tell(&format!("{second} sam presses\n{} sam resets", second + 1));
    }
    let played = play(&script.entries);
    let expected = [2, 4, 6, 8].map(|second| format!("{second} raised Duress sam"));
    assert_eq!(words(&played), expected);
}

#[test]
fn what_chatters_quietly_is_counted_and_answered_like_any_other() {
    use AlarmTransition::{Acknowledged, Cleared, Raised, Unshelved};
    let script = desk::told(
        "1 door exit opens
         2 nora shelves 1 for=20
         3 door exit closes
         4 door exit opens
         5 door exit closes
         6 door exit opens
         30 tick
         31 nora acks 3
         32 door exit closes",
    );
    let played = play(&script.entries);
    let of_the_third: Vec<_> = played.notices().filter(|it| it.episode == 3).collect();
    let flags: Vec<_> = of_the_third
        .iter()
        .map(|it| (it.transition, it.state.is_any(AlarmState::CHATTERS), it.state.is_quiet()))
        .collect();
    // Until it is over.
    let expected = [
        (Raised, true, true),
        (Unshelved, true, false),
        (Acknowledged, true, false),
        (Cleared, true, false),
    ];
    assert_eq!(flags, expected);
}

/// What is said to chatter is what `ach alarms stats` counts: three within a minute, the first moment with it.
#[test]
fn what_is_said_live_is_what_is_counted_afterwards() {
    let mut config = hospital();
    config.rules.retain(|rule| rule.id.as_str() == "forced");
    let mut script = Script::new(config);
    let mut at_ms = 1_000_u64;
    for step in 0..400_u64 {
        // Between a second and a minute apart, at either door.
        at_ms += 1_000 + (step * step * 7_919) % 59_000;
        let door = if step % 3 == 0 { "hatch" } else { "exit" };
        script.tell(&format!("{}.{:03} door {door} opens", at_ms / 1_000, at_ms % 1_000));
        script.tell(&format!("& door {door} closes"));
    }
    let played = play(&script.entries);
    let mut raised: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    let (mut chatters, mut count) = (0, 0);
    for notice in played.notices().filter(|it| it.transition == AlarmTransition::Raised) {
        let at = notice.changed_at.0;
        let moments = raised.entry(notice.place).or_default();
        moments.push(at);
        let within = moments.iter().filter(|&&before| at - before < 60 * NS_PER_S).count();
        let is_said = notice.state.is_any(AlarmState::CHATTERS);
        assert_eq!(is_said, within >= 3, "{} of {:?}", within, notice.place);
        assert_eq!(notice.kind, AlarmKind::DoorForced);
        count += 1;
        chatters += usize::from(is_said);
    }
    assert!(count == 400 && chatters > 20 && chatters < 380, "{chatters} of {count} chatter");
}
