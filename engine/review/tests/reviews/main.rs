//! Weeks of alarms, told in lines and counted by hand, and at random against counting moment by moment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

mod responses;
mod told;

use ach_actors_model::{
    AlarmId, AlarmNotice, AlarmPriority, AlarmState, AlarmTransition, IncidentMark, NS_PER_S,
    Timestamp,
};
use ach_engine_review::{
    AlarmLog, CHATTER_COUNT_MIN, CHATTER_NS, EPISODES_MAX, FLOOD_COUNT_MAX, FLOOD_NS,
    FLOOD_OVER_COUNT, Fate, Response, Review, TooManyAlarms,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::told::{alarm, alarms, answered, at, notice};

const WEEK: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(u64::MAX / 2));

#[test]
fn what_is_said_of_alarms_becomes_episodes() {
    use AlarmTransition::{Cleared, Raised, Retracted, Upheld};
    let mut log = AlarmLog::kept_from(at(100));
    for (id, transition, second) in [
        (1, Raised, 10),
        (2, Raised, 20),
        (1, Cleared, 30),
        (2, Upheld, 40),
        (3, Raised, 50),
        (3, Retracted, 120),
        (2, Cleared, 130),
        // One that was raised before anything was heard.
        (4, Cleared, 140),
        (5, Raised, 150),
    ] {
        log.hear(&notice(id, transition, second), None).unwrap();
    }
    let told: Vec<String> = log
        .finish()
        .iter()
        .map(|it| {
            let second = |at: Timestamp| at.since_ns(self::at(0)) / NS_PER_S;
            let ended = it.ended_at().map_or("open".to_owned(), |at| second(at).to_string());
            format!("{} {}-{ended} {:?}", it.id.0, second(it.raised_at), it.upheld_at.map(second))
        })
        .collect();
    // The first had ended before anybody asks for it.
    assert_eq!(told, ["2 20-130 Some(40)", "3 50-120 None", "4 140-140 None", "5 150-open None"]);
}

#[test]
fn more_alarms_than_anybody_reads_are_too_many() {
    let mut log = AlarmLog::default();
    let most = u128::try_from(EPISODES_MAX).unwrap();
    for id in 0..most {
        log.hear(&notice(id, AlarmTransition::Raised, 1), None).unwrap();
    }
    let one_more = notice(most, AlarmTransition::Raised, 1);
    assert_eq!(log.hear(&one_more, None), Err(TooManyAlarms));
    // What is known goes on.
    log.hear(&notice(0, AlarmTransition::Cleared, 2), None).unwrap();
    assert_eq!(log.finish().len(), EPISODES_MAX);
}

#[test]
fn incidents_are_counted_beside_alarms() {
    let mut log = AlarmLog::default();
    // Three of one cause, one alone, one as an older node recorded it, and one of the first incident that called nobody.
    for (id, incident, is_quiet) in [
        (1, Some(1), false),
        (2, Some(1), false),
        (3, Some(3), false),
        (4, Some(1), false),
        (5, None, false),
        (6, Some(1), true),
    ] {
        let mut told = notice(id, AlarmTransition::Raised, 10);
        told.incident =
            incident.map(|id| IncidentMark { id: AlarmId(id), place: 1, is_raising: false });
        if is_quiet {
            told.state = told.state.with(AlarmState::SHELVED);
        }
        log.hear(&told, None).unwrap();
    }
    let episodes = log.finish();
    let review = Review::of(&episodes, WEEK);
    assert_eq!((review.raised_count, review.quiet_count), (5, 1));
    assert_eq!((review.incident_count, review.largest_incident), (3, 3));
}

/// They are no flood, no bad actor and no answer's measure; whoever still owes them something does.
#[test]
fn what_doors_did_in_a_drill_is_counted_apart() {
    let mut log = AlarmLog::default();
    for id in 0..20 {
        let told = notice(id, AlarmTransition::Raised, 10 + u64::try_from(id).unwrap());
        log.hear(&AlarmNotice { is_drill: id > 0, ..told }, None).unwrap();
    }
    let episodes = log.finish();
    let review = Review::of(&episodes, (at(0), at(10 + 86_400 + 20)));
    assert_eq!((review.raised_count, review.quiet_count, review.drill_count), (1, 0, 19));
    assert_eq!((review.floods.len(), review.incident_count), (0, 1));
    assert_eq!(review.ten_minutes.map(|peak| peak.count), Some(1));
    assert_eq!(review.actors.iter().map(|actor| actor.count).sum::<usize>(), 1);
    assert_eq!(review.by_priority.values().sum::<usize>(), 1);
    assert_eq!(review.standing.len(), 20);
    let response = Response::of(&episodes, (at(0), at(5_000)), NS_PER_S);
    assert_eq!(response.by_rule.len(), 1);
}

/// Floods as `from-to count`, in seconds.
#[track_caller]
fn check_floods(seconds: &[u64], end: u64, expected: &[&str]) {
    let episodes = alarms(seconds);
    let review = Review::of(&episodes, (at(0), at(end)));
    let second = |at: Timestamp| at.since_ns(self::at(0)) / NS_PER_S;
    let floods = review.floods.iter();
    let found: Vec<String> = floods
        .map(|flood| format!("{}-{} {}", second(flood.from), second(flood.to), flood.count))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn more_than_ten_alarms_in_ten_minutes_are_a_flood_until_fewer_than_five_are() {
    let ten: Vec<u64> = (0..10).map(|number| number * 10).collect();
    check_floods(&ten, 9_000, &[]);
    let eleven: Vec<u64> = (0..11).map(|number| number * 10).collect();
    // Of the eleven four are left when the seventh is ten minutes old.
    check_floods(&eleven, 9_000, &["0-660 11"]);
    check_floods(&eleven, 300, &["0-300 11"]);
    // It goes on while at least five come in ten minutes.
    let mut long = eleven.clone();
    long.extend((1..=20).map(|number| 100 + number * 120));
    check_floods(&long, 9_000, &["0-2620 31"]);
    // A moment more between them, and five never come in ten minutes.
    let mut short = eleven.clone();
    short.extend((1..=20).map(|number| 100 + number * 130));
    check_floods(&short, 9_000, &["0-700 15"]);
    // Eleven of which never more than ten within ten minutes.
    let spread: Vec<u64> = (0..11).map(|number| number * 60).collect();
    check_floods(&spread, 9_000, &[]);
    let mut two = eleven.clone();
    two.extend(eleven.iter().map(|second| second + 5_000));
    check_floods(&two, 9_000, &["0-660 11", "5000-5660 11"]);
    // One that begins while alarms of the one before are younger than ten minutes has none of those.
    let mut close = eleven.clone();
    close.extend(661..=668);
    check_floods(&close, 9_000, &["0-660 11", "661-1264 8"]);
}

#[test]
fn what_comes_most_is_first_and_what_chatters_is_told() {
    let mut episodes = alarms(&[0, 500, 1_000, 1_500]);
    for second in [100, 120, 159, 2_000] {
        episodes.push(alarm("chatters", second, Some(second + 5)));
    }
    // Three times, but not within a minute.
    for second in [200, 230, 260] {
        episodes.push(alarm("does-not", second, Some(second + 5)));
    }
    episodes.push(alarm("stands", 10, None));
    episodes.sort_by_key(|episode| episode.raised_at);
    let review = Review::of(&episodes, (at(0), at(10 + 86_400)));
    let told: Vec<(String, usize, bool)> = review
        .actors
        .iter()
        .map(|actor| {
            (actor.about.rule.as_deref().unwrap().to_owned(), actor.count, actor.is_chattering())
        })
        .collect();
    let row = |rule: &str, count, chatters| (rule.to_owned(), count, chatters);
    let expected = [
        row("chatters", 4, true),
        row("r", 4, false),
        row("does-not", 3, false),
        row("stands", 1, false),
    ];
    assert_eq!(told, expected);
    assert_eq!((review.raised_count, review.brief_count, review.retracted_count), (12, 7, 0));
    assert_eq!(review.standing.len(), 1);
    assert_eq!(review.standing[0].fate, Fate::Open);
    let a_second_less = Review::of(&episodes, (at(0), at(9 + 86_400)));
    assert!(a_second_less.standing.is_empty());
    // What was raised before still stands, and does not count again.
    let later = Review::of(&episodes, (at(3_000), at(10 + 86_400)));
    assert_eq!((later.raised_count, later.standing.len()), (0, 1));
}

#[test]
fn the_busiest_stretch_is_found() {
    let episodes = alarms(&[0, 3_000, 3_100, 3_599, 4_000, 9_000]);
    let review = Review::of(&episodes, WEEK);
    let (ten, hour) = (review.ten_minutes.unwrap(), review.hour.unwrap());
    assert_eq!((ten.from, ten.count), (at(3_000), 3));
    assert_eq!((hour.from, hour.count), (at(0), 4));
    let nothing = Review::of(&[], WEEK);
    assert_eq!((nothing.ten_minutes, nothing.hour, nothing.floods.len()), (None, None, 0));
}

/// Seconds in which there is a flood, each looked at by itself.
fn flooded(seconds: &[u64], end: u64) -> Vec<bool> {
    let length = FLOOD_NS / NS_PER_S;
    let mut is_flood = false;
    (0..end)
        .map(|now| {
            let recent = |second: &&u64| **second <= now && now < **second + length;
            let count = seconds.iter().filter(recent).count();
            is_flood = count > FLOOD_COUNT_MAX || (is_flood && count >= FLOOD_OVER_COUNT);
            is_flood
        })
        .collect()
}

#[test]
fn random_days_are_counted_as_moment_by_moment() {
    let mut flood_count = 0;
    for seed in 0..100 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let end = 20_000;
        let mut seconds: Vec<u64> =
            (0..rng.random_range(0..60)).map(|_| rng.random_range(0..end)).collect();
        let burst = rng.random_range(0..end - 500);
        seconds.extend((0..rng.random_range(0..20)).map(|_| burst + rng.random_range(0..500)));
        seconds.sort_unstable();
        let mut episodes = alarms(&seconds);
        // What is raised quietly between them changes nothing.
        let quiet_count = rng.random_range(0..50);
        for _ in 0..quiet_count {
            let second = rng.random_range(0..end);
            let told = format!("quiet raised@{second} over@{}", second + 90);
            episodes.push(answered("r", AlarmPriority::Low, &told));
        }
        episodes.sort_by_key(|episode| episode.raised_at);
        let review = Review::of(&episodes, (at(0), at(end)));
        assert_eq!(review.quiet_count, quiet_count, "seed {seed}");
        assert_eq!(review.raised_count, seconds.len(), "seed {seed}");
        let by_second = flooded(&seconds, end);
        let is_apart = |pair: &[ach_engine_review::Flood]| pair[0].to < pair[1].from;
        assert!(review.floods.windows(2).all(is_apart), "seed {seed}: {:?}", review.floods);
        let second = |at: Timestamp| at.since_ns(self::at(0)) / NS_PER_S;
        for flood in &review.floods {
            // From the alarm that was one too many on; the flood itself began with the first of those.
            let crest =
                (second(flood.from)..end).find(|&now| by_second[usize::try_from(now).unwrap()]);
            let crest = crest.unwrap();
            let is_flood = |now: u64| by_second[usize::try_from(now).unwrap()];
            assert!((crest..second(flood.to)).all(is_flood), "seed {seed}: {flood:?}");
        }
        let begins = |now: &usize| by_second[*now] && (*now == 0 || !by_second[*now - 1]);
        let begun = (0..by_second.len()).filter(begins).count();
        assert_eq!(review.floods.len(), begun, "seed {seed}");
        flood_count += begun;
        let minute = CHATTER_NS / NS_PER_S;
        let within =
            |from: u64| seconds.iter().filter(|it| from <= **it && **it < from + minute).count();
        let most = seconds.iter().map(|&from| within(from)).max().unwrap_or(0);
        let found = review.actors.first().map_or(0, |actor| actor.minute_count_max);
        assert_eq!(found, most, "seed {seed}");
        let chatters = review.chattering().count() == 1;
        assert_eq!(chatters, most >= CHATTER_COUNT_MIN, "seed {seed}");
    }
    assert!(flood_count > 50, "{flood_count}");
}
