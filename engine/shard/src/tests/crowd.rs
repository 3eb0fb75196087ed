//! Stories of many: a feed of a thousand tags.

use ach_actors_entities::Effect;
use ach_actors_model::{
    AlarmKind, EventKind, NS_PER_S, Ping, SiteConfig, SubjectClass, SubjectConfig, TagConfig,
    TagId, TagRef,
};
use ach_geo::{Floor, Position};

use super::hospital::{MONDAY, hospital, name};
use super::play::play;
use super::script::{Script, batch};
use crate::Input;

const CROWD: u32 = 1_000;
const WARD_CROWD: u32 = 100;

/// A hundred patients in a ward that one is out of when not heard for twenty seconds, half of them
/// with two tags. The node is away for a minute, then the feed: nobody has left.
#[test]
fn a_ward_is_not_empty_because_nobody_listened() {
    let mut config = hospital();
    config.subjects.clear();
    config.tags.clear();
    config.zones[0].gates.fence_timeout_ns = Some(20 * NS_PER_S);
    for at in 0..WARD_CROWD {
        config.subjects.push(SubjectConfig {
            id: name(&format!("p{at:04}")),
            class: SubjectClass::Patient,
            labels: vec![name("dementia")],
        });
    }
    for at in 0..WARD_CROWD * 3 / 2 {
        let subject = Some(at % WARD_CROWD);
        config.tags.push(TagConfig { id: TagId(u64::from(at) + 1), source: 0, subject });
    }
    let tag_count = WARD_CROWD * 3 / 2;
    let mut script = Script::new(config);
    let mut first_seq = 1;
    let mut all_ping = |script: &mut Script, second: u64| {
        let now = MONDAY.plus_ns(second * NS_PER_S);
        let pings = (0..tag_count).map(|at| Ping {
            tag: TagRef(at),
            seq_offset: at,
            observed_at: now,
            position: Position {
                x_mm: 5_000 + 100 * i32::try_from(second % 7).expect("small"),
                y_mm: 5_000,
                z_mm: None,
                floor: Some(Floor(0)),
            },
            accuracy_mm: 0,
            battery_percent: None,
        });
        let batch = batch(1, first_seq, now, pings.collect());
        first_seq = batch.last_seq + 1;
        script.push(now, Input::Pings(batch));
    };
    for second in 1..10 {
        all_ping(&mut script, second);
    }
    let since = MONDAY.plus_ns(9 * NS_PER_S);
    script.push(MONDAY.plus_ns(70 * NS_PER_S), Input::Resumed { away_since: since });
    for second in 72..80 {
        all_ping(&mut script, second);
    }
    for second in 80..140 {
        script.push(MONDAY.plus_ns(second * NS_PER_S), Input::Tick);
    }
    for second in 140..145 {
        all_ping(&mut script, second);
    }
    let played = play(&script.entries);
    assert_eq!(
        played.alarms(),
        ["99 raised FeedSilent - rtls", "140 cleared FeedSilent - rtls (ConditionEnded)"]
    );
    let ward = played.shard.site().and_then(|site| site.zone("ward")).expect("a zone");
    assert_eq!(played.shard.occupants(ward).len(), 100);
    let moves = played.effects.iter().flatten().filter(|effect| match effect {
        Effect::Event(event) => {
            matches!(event.kind, EventKind::ZoneEntered { .. } | EventKind::ZoneExited { .. })
        }
        _ => false,
    });
    assert_eq!(moves.count(), 100, "everybody came and nobody left");
}

/// The hospital with so many patients and nobody else, all of one feed.
fn crowded(count: u32) -> SiteConfig {
    let mut config = hospital();
    config.subjects.clear();
    config.tags.clear();
    for at in 0..count {
        config.subjects.push(SubjectConfig {
            id: name(&format!("p{at:04}")),
            class: SubjectClass::Patient,
            labels: vec![],
        });
        let id = TagId(u64::from(at) + 1);
        config.tags.push(TagConfig { id, source: 0, subject: Some(at) });
    }
    config
}

/// The tags up to a number ping, all in the ward.
fn ping(script: &mut Script, first_seq: &mut u64, second: u64, count: u32) {
    let now = MONDAY.plus_ns(second * NS_PER_S);
    let pings = (0..count).map(|at| Ping {
        tag: TagRef(at),
        seq_offset: at,
        observed_at: now,
        position: Position {
            x_mm: 5_000 + i32::try_from(second).expect("a day"),
            y_mm: 5_000,
            z_mm: None,
            floor: Some(Floor(0)),
        },
        accuracy_mm: 0,
        battery_percent: None,
    });
    let batch = batch(1, *first_seq, now, pings.collect());
    *first_seq = batch.last_seq + 1;
    script.push(now, Input::Pings(batch));
}

#[test]
fn a_feed_of_a_thousand_tags_that_stops_is_one_alarm() {
    let mut script = Script::new(crowded(CROWD));
    let mut first_seq = 1;
    for second in 1..15 {
        ping(&mut script, &mut first_seq, second, CROWD);
    }
    for second in 15..400 {
        script.push(MONDAY.plus_ns(second * NS_PER_S), Input::Tick);
    }
    for second in 400..410 {
        ping(&mut script, &mut first_seq, second, CROWD);
    }
    let played = play(&script.entries);
    assert_eq!(
        played.alarms(),
        ["34 raised FeedSilent - rtls", "400 cleared FeedSilent - rtls (ConditionEnded)"]
    );
    let raised = played.shard.status().alarms_raised;
    assert_eq!(raised.get(&AlarmKind::TagSilent), None);
    assert_eq!(played.shard.status().pings.accepted_count, 24 * u64::from(CROWD));
}

#[test]
fn a_call_for_help_does_not_wait_for_thousands_that_fall_silent_at_once() {
    let count = 2_500;
    let mut script = Script::new(crowded(count));
    let mut first_seq = 1;
    ping(&mut script, &mut first_seq, 1, count);
    // One tag goes on, so the feed lives, and all others are silent at the same moment.
    for second in 2..40 {
        ping(&mut script, &mut first_seq, second, 1);
    }
    let before = script.entries.len();
    let late = MONDAY.plus_ns(3_600 * NS_PER_S);
    let press = script.button_of(TagRef(0), late);
    script.push(late, press);
    for _ in 0..4 {
        script.push(late, Input::Tick);
    }
    let played = play(&script.entries);
    let told = |at: usize, kind: AlarmKind| {
        let of_kind = |effect: &&Effect| matches!(effect, Effect::Alarm(told) if told.kind == kind);
        played.effects[at].iter().filter(of_kind).count()
    };
    let silent: Vec<usize> =
        (0..script.entries.len()).map(|at| told(at, AlarmKind::TagSilent)).collect();
    assert_eq!(silent.iter().sum::<usize>(), 2_499, "nobody is forgotten");
    let most = silent.iter().max().copied().unwrap_or_default();
    assert!(most <= 1_024, "at most so many in one entry, not {most}");
    let help = (before..script.entries.len()).find(|&at| told(at, AlarmKind::Duress) == 1);
    assert_eq!(help, Some(before), "the call is heard in its own entry");
}
