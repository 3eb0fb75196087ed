//! Stories of many: a feed of a thousand tags.

use ach_actors_entities::{Effect, Turn};
use ach_actors_model::{
    AlarmKind, AnchorConfig, AnchorRef, EventKind, Lane, NS_PER_S, Ping, ReportKind, SiteConfig,
    SubjectClass, SubjectConfig, TagConfig, TagId, TagRef, ZoneConfig, ZoneRef,
};
use ach_geo::{Floor, Outline, Position};

use super::hospital::{MONDAY, hospital, name};
use super::play::{play, run};
use super::script::{RTLS, Script, batch, report};
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

/// The hospital with so many more zones, side by side, far from where anybody is.
fn spacious(count: i32) -> SiteConfig {
    let mut config = crowded(1);
    for at in 0..count {
        let (west, east) = (100_000 + at * 1_000, 101_000 + at * 1_000);
        let outer_mm = vec![(west, 0), (east, 0), (east, 1_000), (west, 1_000)];
        let outline = Outline::Polygon { outer_mm, holes_mm: vec![] };
        let id = name(&format!("far{at:05}"));
        config.zones.push(ZoneConfig { id, outline, ..config.zones[0].clone() });
    }
    config
}

/// As many effects and actors as with one zone.
#[test]
fn a_feed_of_ten_thousand_zones_that_stops_is_no_more_work_than_one_of_a_few() {
    let mut told = vec![];
    for count in [1, 10_000] {
        let mut script = Script::new(spacious(count));
        let mut first_seq = 1;
        ping(&mut script, &mut first_seq, 1, 1);
        let cells = run(&script.entries, |_| {}).shard.status();
        script.push(MONDAY.plus_ns(30 * NS_PER_S), Input::Tick);
        let silent = run(&script.entries, |_| {});
        let site = silent.shard.site().expect("a site");
        let turn = Turn { site, health: &silent.shard.stage.health, now: silent.shard.entry_at() };
        let zone_count = u32::try_from(site.zone_ref_count()).expect("some");
        assert!((0..zone_count).map(ZoneRef).all(|zone| turn.is_blind(zone)), "all are blind");
        ping(&mut script, &mut first_seq, 40, 1);
        let played = if count == 1 { play(&script.entries) } else { run(&script.entries, |_| {}) };
        let status = played.shard.status();
        assert_eq!(
            status.hot_cell_count + status.cold_cell_count,
            cells.hot_cell_count + cells.cold_cell_count,
            "no zone was told"
        );
        told.push(played.effects[2..].to_vec());
    }
    assert_eq!(told[0].len(), 2);
    assert_eq!(told[0][0].len(), 2, "an event and an alarm: {:?}", told[0][0]);
    let in_words = |effects: &[Effect]| effects.iter().filter(|it| is_of_feed(it)).count();
    assert_eq!(in_words(&told[0][0]), 2);
    assert_eq!(in_words(&told[0][1]), 2, "the alarm ends and the feed is heard: {:?}", told[0][1]);
    for (few, many) in told[0].iter().zip(&told[1]) {
        assert_eq!(few.len(), many.len(), "{few:?} and {many:?}");
        assert_eq!(in_words(few), in_words(many));
    }
}

fn is_of_feed(effect: &Effect) -> bool {
    match effect {
        Effect::Alarm(notice) => notice.kind == AlarmKind::FeedSilent,
        Effect::Event(event) => matches!(
            event.kind,
            EventKind::FeedFellSilent { source: RTLS } | EventKind::FeedRestored { source: RTLS }
        ),
        _ => false,
    }
}

/// Each tells a thousand zones, so an entry fires two of them and no more.
#[test]
fn a_call_for_help_does_not_wait_for_anchors_that_are_lost_at_once() {
    const ANCHORS: u32 = 20;
    let mut config = spacious(1_000);
    config.sources[0].silence_ns = None;
    let zones: Vec<u32> = (5..1_005).collect();
    config.anchors = (0..ANCHORS)
        .map(|at| AnchorConfig {
            id: name(&format!("a{at:02}")),
            source: 0,
            zones: zones.clone(),
            silence_ns: Some(10 * NS_PER_S),
        })
        .collect();
    let mut script = Script::new(config);
    let alive_at = MONDAY.plus_ns(NS_PER_S);
    script.push(alive_at, Input::Tick);
    for at in 0..ANCHORS {
        let kind = ReportKind::AnchorAlive { anchor: AnchorRef(at) };
        script.add(Input::Report(report(RTLS, Lane::Door, 1, u64::from(at) + 1, alive_at, kind)));
    }
    let late = MONDAY.plus_ns(60 * NS_PER_S);
    let before = script.entries.len();
    let press = script.button_of(TagRef(0), late);
    script.push(late, press);
    for _ in 0..ANCHORS {
        script.push(late, Input::Tick);
    }
    let played = run(&script.entries, |_| {});
    let told = |at: usize, kind: AlarmKind| {
        let of_kind = |effect: &&Effect| matches!(effect, Effect::Alarm(told) if told.kind == kind);
        played.effects[at].iter().filter(of_kind).count()
    };
    let lost: Vec<usize> =
        (0..script.entries.len()).map(|at| told(at, AlarmKind::ZoneBlind)).collect();
    assert_eq!(lost.iter().sum::<usize>(), 20, "none is forgotten: {lost:?}");
    assert_eq!(lost.iter().max(), Some(&2), "two of them are 2,002 steps: {lost:?}");
    assert_eq!(told(before, AlarmKind::Duress), 1, "the call is heard in its own entry");
}
