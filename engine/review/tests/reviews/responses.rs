//! How soon people answered, and what it was: told in words, and at random against counting one by one.

use std::sync::Arc;

use ach_actors_model::{AlarmCause, AlarmKind, AlarmPriority, NS_PER_S, Name, Timestamp};
use ach_engine_review::{Answers, Episode, Lengths, Response, Review, Truth};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::told::{answered, at};

/// What was done with an alarm: `acknowledged 5, closed 9 as Real, passed on 2, over 30`.
#[track_caller]
fn check_life(told: &str, expected: &str) {
    let it = answered("r", AlarmPriority::Low, told);
    let second = |at: Option<Timestamp>| {
        at.map_or("-".to_owned(), |at| (at.since_ns(self::at(0)) / NS_PER_S).to_string())
    };
    let by = |who: &Option<Name>| who.as_ref().map_or("-".to_owned(), Name::to_string);
    assert_eq!(by(&it.acknowledged_by) == "-", it.acknowledged_at.is_none());
    assert_eq!(by(&it.closed_by) == "-", it.closed_at.is_none());
    let cause = it.cause.map_or("-".to_owned(), |cause| format!("{cause:?}"));
    let found = format!(
        "acknowledged {}, closed {} as {cause}, passed on {}, over {}",
        second(it.acknowledged_at),
        second(it.closed_at),
        it.escalated_count,
        second(it.over_at)
    );
    assert_eq!(found, expected, "{told}");
}

#[test]
fn what_people_did_is_kept_with_the_alarm() {
    let nothing = "acknowledged -, closed - as -, passed on 0, over";
    check_life("raised@0", &format!("{nothing} -"));
    check_life("raised@0 over@9", &format!("{nothing} 9"));
    check_life("raised@0 cleared@9", &format!("{nothing} -"));
    check_life(
        "raised@0 acknowledged@5 real@9 over@30",
        "acknowledged 5, closed 9 as Real, passed on 0, over 30",
    );
    // Who first took notice took notice; what was said last is what it was.
    check_life(
        "raised@0 escalated@2 acknowledged@5 again@60 escalated@62 escalated@64 acknowledged@70",
        "acknowledged 5, closed - as -, passed on 3, over -",
    );
    check_life(
        "raised@0 acknowledged@5 real@9 allowed@11 over@30",
        "acknowledged 5, closed 9 as Allowed, passed on 0, over 30",
    );
    // What was done before anything was heard is known too.
    check_life("acknowledged@5 over@30", "acknowledged 5, closed - as -, passed on 0, over 30");
}

fn seconds_of(lengths: Option<Lengths>) -> Option<(usize, u64, u64, u64)> {
    let s = |ns: u64| ns / NS_PER_S;
    lengths.map(|it| (it.count, s(it.median_ns), s(it.p95_ns), s(it.max_ns)))
}

#[test]
fn how_soon_people_answered_is_told_by_priority() {
    use AlarmPriority::{High, Low};
    let mut test = answered("r", High, "raised@1 over@2");
    test.kind = AlarmKind::SelfTest;
    let episodes = [
        answered("door", High, "raised@0 acknowledged@60 real@100 over@200"),
        answered("door", High, "raised@1 acknowledged@62 wrong_position@90 over@200"),
        answered("door", High, "raised@2 over@9"),
        answered("door", Low, "raised@3 escalated@63 escalated@123"),
        answered("walk", Low, "raised@4 retracted@9"),
        answered("walk", Low, "raised@5 acknowledged@8 test@9"),
        answered("walk", Low, "quiet raised@6 acknowledged@7 real@8 over@9"),
        answered("walk", Low, "raised@5000 acknowledged@5001"),
        test,
    ];
    let found = Response::of(&episodes, (at(0), at(5_000)), 60 * NS_PER_S);
    let told = |it: &Answers| {
        (it.asked_count, it.in_time_count, it.never_count, it.waiting_count, it.escalation_count)
    };
    assert_eq!(told(&found.all), (6, 2, 2, 1, 2));
    assert_eq!(told(&found.by_priority[&High]), (3, 1, 1, 0, 0));
    assert_eq!(told(&found.by_priority[&Low]), (3, 1, 1, 1, 2));
    assert_eq!(found.all.passed_on_count, 1);
    assert!(!found.by_priority.contains_key(&AlarmPriority::Medium));
    assert_eq!(seconds_of(found.all.acknowledged), Some((3, 60, 61, 61)));
    assert_eq!(seconds_of(found.all.closed), Some((3, 89, 100, 100)));
    let causes = |rule: &str| {
        let it = &found.by_rule[&Some(Arc::from(rule))];
        let truths = [Truth::Real, Truth::False, Truth::Neither].map(|truth| it.count(truth));
        (it.alarm_count, it.closed_count(), truths)
    };
    assert_eq!(causes("door"), (4, 2, [1, 1, 0]));
    assert_eq!(causes("walk"), (2, 1, [0, 0, 1]));
    assert_eq!(found.causes.closed_count(), 3);
    assert_eq!(found.causes.by_cause[&AlarmCause::WrongPosition], 1);
    let nobody = Response::of(&[], (at(0), at(1)), 1);
    assert_eq!((nobody.all.asked_count, nobody.all.acknowledged), (0, None));
}

#[test]
fn what_is_raised_quietly_calls_nobody_and_is_told_apart() {
    let low = AlarmPriority::Low;
    let mut episodes: Vec<Episode> = (0..30)
        .map(|second| {
            answered("shelved", low, &format!("quiet raised@{second} over@{}", second + 5))
        })
        .collect();
    episodes.push(answered("r", low, "raised@40 over@50"));
    episodes.push(answered("shelved", low, "quiet raised@60"));
    let review = Review::of(&episodes, (at(0), at(100 + 86_400)));
    assert_eq!((review.raised_count, review.quiet_count, review.brief_count), (1, 31, 1));
    assert_eq!((review.floods.len(), review.actors.len(), review.chattering().count()), (0, 1, 0));
    assert_eq!(review.ten_minutes.unwrap().count, 1);
    // It is open all the same.
    assert_eq!(review.standing.len(), 1);
}

#[test]
fn what_has_ended_and_waits_for_people_is_unanswered_until_it_is_over() {
    let check = |told: &str, second: u64, is_unanswered: bool| {
        let episodes = [answered("r", AlarmPriority::Low, told)];
        let review = Review::of(&episodes, (at(0), at(second)));
        assert_eq!(review.unanswered.len(), usize::from(is_unanswered), "{told} at {second}");
    };
    for (second, is_unanswered) in [(9, false), (10, false), (11, true), (99_999, true)] {
        check("raised@0 cleared@10", second, is_unanswered);
        check("raised@0 acknowledged@5 cleared@10", second, is_unanswered);
        check("raised@0 over@10", second, false);
        check("raised@0 retracted@10", second, false);
        check("raised@0", second, false);
    }
    check("raised@0 cleared@10 acknowledged@15 reset@20", 20, true);
    check("raised@0 cleared@10 acknowledged@15 reset@20", 21, false);
    check("raised@50 cleared@60", 30, false);
}

/// The least length that at most so many are longer than, by trying each.
fn least_of(lengths: &[u64], percent: usize) -> Option<u64> {
    let holds = |most: &&u64| {
        let short = lengths.iter().filter(|it| it <= most).count();
        short * 100 >= lengths.len() * percent
    };
    lengths.iter().filter(holds).min().copied()
}

const CAUSES: [&str; 8] = [
    "real",
    "allowed",
    "wrong_position",
    "device_fault",
    "rule_too_strict",
    "test",
    "duplicate",
    "other",
];

/// What somebody makes up of an alarm: in words, and what is to be counted of it.
struct Made {
    told: String,
    raised: u64,
    is_quiet: bool,
    passed_count: usize,
    acknowledged_after: Option<u64>,
    closed: Option<(u64, &'static str)>,
    is_over: bool,
}

fn made(rng: &mut ChaCha8Rng) -> Made {
    let raised = rng.random_range(0..1_000);
    let is_quiet = rng.random_bool(0.2);
    let mut words = vec![format!("{}raised@{raised}", if is_quiet { "quiet " } else { "" })];
    let (mut now, mut passed_count) = (raised, 0);
    while rng.random_bool(0.3) {
        now += rng.random_range(1..100);
        words.push(format!("escalated@{now}"));
        passed_count += 1;
    }
    let acknowledged_after = rng.random_bool(0.6).then(|| {
        now += rng.random_range(0..300);
        words.push(format!("acknowledged@{now}"));
        now - raised
    });
    let closed = (acknowledged_after.is_some() && rng.random_bool(0.5)).then(|| {
        now += rng.random_range(0..300);
        let cause = CAUSES[rng.random_range(0..CAUSES.len())];
        words.push(format!("{cause}@{now}"));
        (now - raised, cause)
    });
    let is_over = rng.random_bool(0.6);
    let end = now + rng.random_range(0..50);
    words.push(format!("{}@{end}", if is_over { "over" } else { "cleared" }));
    let told = words.join(" ");
    Made { told, raised, is_quiet, passed_count, acknowledged_after, closed, is_over }
}

#[test]
fn random_answers_are_counted_as_one_by_one() {
    use AlarmPriority::{High, Low, Medium};
    let mut closed_count = 0;
    for seed in 0..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let target = rng.random_range(1..200);
        let all: Vec<Made> = (0..rng.random_range(0..60)).map(|_| made(&mut rng)).collect();
        let mut episodes: Vec<Episode> = all
            .iter()
            .map(|it| answered("r", [High, Medium, Low][rng.random_range(0..3)], &it.told))
            .collect();
        episodes.sort_by_key(|episode| episode.raised_at);
        let found = Response::of(&episodes, (at(100), at(5_000)), target * NS_PER_S);

        let asked: Vec<&Made> = all.iter().filter(|it| it.raised >= 100 && !it.is_quiet).collect();
        let count = |holds: &dyn Fn(&Made) -> bool| asked.iter().filter(|it| holds(it)).count();
        let is_closed_as = |it: &Made, causes: &[&str]| {
            it.closed.is_some_and(|(_, cause)| causes.contains(&cause))
        };
        let expected = [
            asked.len(),
            count(&|it| it.acknowledged_after.is_some_and(|after| after <= target)),
            count(&|it| it.acknowledged_after.is_none() && it.is_over),
            count(&|it| it.acknowledged_after.is_none() && !it.is_over),
            count(&|it| it.passed_count > 0),
            asked.iter().map(|it| it.passed_count).sum(),
            count(&|it| is_closed_as(it, &CAUSES[..1])),
            count(&|it| is_closed_as(it, &CAUSES[1..5])),
            count(&|it| is_closed_as(it, &CAUSES[5..])),
        ];
        let Response { all: told, causes, .. } = &found;
        let counted = [
            told.asked_count,
            told.in_time_count,
            told.never_count,
            told.waiting_count,
            told.passed_on_count,
            usize::try_from(told.escalation_count).unwrap(),
            causes.count(Truth::Real),
            causes.count(Truth::False),
            causes.count(Truth::Neither),
        ];
        assert_eq!(counted, expected, "seed {seed}");
        let lengths = |of: &dyn Fn(&Made) -> Option<u64>| {
            let lengths: Vec<u64> = asked.iter().filter_map(|it| of(it)).collect();
            let least = |percent| least_of(&lengths, percent);
            Some((lengths.len(), least(50)?, least(95)?, *lengths.iter().max()?))
        };
        let took = lengths(&|it| it.acknowledged_after);
        assert_eq!(seconds_of(told.acknowledged), took, "seed {seed}");
        let closed = lengths(&|it| it.closed.map(|(after, _)| after));
        assert_eq!(seconds_of(told.closed), closed, "seed {seed}");
        let by_priority = found.by_priority.values().map(|it| it.asked_count);
        assert_eq!(by_priority.sum::<usize>(), asked.len(), "seed {seed}");
        closed_count += causes.closed_count();
    }
    assert!(closed_count > 500, "{closed_count}");
}
