//! Other rules over a recorded past, told as days in a small hospital.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

mod hospital;
mod random;

use ach_actors_model::{NS_PER_S, RuleConfig, SiteConfig, Timestamp};
use ach_engine_rehearsal::{Difference, Pair, Rehearsal, RehearsalError, compare};
use ach_engine_review::{Episode, Fate};
use ach_engine_shard::{Input, Shard};

use hospital::{MONDAY, Recorder, at, inside, lingers, silent, site, with};

const ALWAYS: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(u64::MAX));

/// A patient in the corridor for so long, twice.
fn two_walks() -> Recorder {
    let mut recorder = Recorder::new(site(1, vec![inside("corridor"), lingers("lingering", 20)]));
    for start in [10, 100] {
        recorder.sees(start, 0, 5);
        for second in 1..=30 {
            recorder.sees(start + second, 0, 25);
        }
        recorder.sees(start + 31, 0, 5);
    }
    recorder
}

/// `rule patient: second it was raised at, second it would have been, difference`.
fn told(pair: &Pair<'_>) -> String {
    let second = |episode: Option<&Episode>| {
        episode.map_or("-".to_owned(), |episode| {
            (episode.raised_at.since_ns(MONDAY) / NS_PER_S).to_string()
        })
    };
    let shown = pair.would.or(pair.was).unwrap();
    let rule = shown.rule.as_deref().unwrap_or("-");
    let word = match pair.difference() {
        Difference::Same => "same".to_owned(),
        Difference::Altered => "altered".to_owned(),
        Difference::Earlier { ns } => format!("{} s sooner", ns / NS_PER_S),
        Difference::Later { ns } => format!("{} s later", ns / NS_PER_S),
        Difference::Gone => "gone".to_owned(),
        Difference::Come => "new".to_owned(),
    };
    format!("{rule}: {} {} {word}", second(pair.was), second(pair.would))
}

#[track_caller]
fn check(recorder: &Recorder, rules: &[RuleConfig], expected: &[&str]) {
    let rehearsed = recorder.rehearsed(rules);
    let comparison = compare(&rehearsed.was, &rehearsed.would, ALWAYS);
    let found: Vec<String> = comparison.pairs().iter().map(told).collect();
    assert_eq!(found, expected);
}

#[test]
fn other_rules_raise_other_alarms() {
    let recorder = two_walks();
    let was = [inside("corridor"), lingers("lingering", 20)];
    check(
        &recorder,
        &was,
        &[
            "corridor: 11 11 same",
            "lingering: 31 31 same",
            "corridor: 101 101 same",
            "lingering: 121 121 same",
        ],
    );
    check(
        &recorder,
        &[inside("corridor"), lingers("lingering", 25)],
        &[
            "corridor: 11 11 same",
            "lingering: 31 36 5 s later",
            "corridor: 101 101 same",
            "lingering: 121 126 5 s later",
        ],
    );
    check(
        &recorder,
        &[lingers("lingering", 5)],
        &[
            "corridor: 11 - gone",
            "lingering: 31 16 15 s sooner",
            "corridor: 101 - gone",
            "lingering: 121 106 15 s sooner",
        ],
    );
    check(
        &recorder,
        &[inside("passage"), lingers("lingering", 20), lingers("for-long", 29)],
        &[
            "passage: 11 11 altered",
            "lingering: 31 31 same",
            "for-long: - 40 new",
            "passage: 101 101 altered",
            "lingering: 121 121 same",
            "for-long: - 130 new",
        ],
    );
    check(
        &recorder,
        &[],
        &[
            "corridor: 11 - gone",
            "lingering: 31 - gone",
            "corridor: 101 - gone",
            "lingering: 121 - gone",
        ],
    );
}

#[test]
fn a_deadline_that_nobody_waited_for_falls_due_at_its_moment() {
    // Nothing is recorded between second 1 and second 500, and nobody waited for anything.
    let mut recorder = Recorder::new(site(1, vec![]));
    recorder.sees(1, 0, 5);
    recorder.sees(500, 1, 5);
    check(&recorder, &[silent("hush", 60)], &["hush: - 61 new"]);
}

#[test]
fn a_deadline_behind_the_last_entry_falls_due_if_the_span_goes_on() {
    let mut recorder = Recorder::new(site(1, vec![]));
    recorder.sees(1, 0, 5);
    recorder.sees(500, 0, 5);
    for (until, next_is_away, expected) in [(60, false, 0), (62, false, 1), (499, true, 0)] {
        let mut rehearsal = Rehearsal::new(Shard::new(), Shard::new()).unwrap();
        let rules = [silent("hush", 60)];
        let (last, before) = recorder.entries.split_last().unwrap();
        for entry in before {
            rehearsal.step(entry.clone(), &mut |config| with(config, &rules)).unwrap();
        }
        let mut next = last.clone();
        if next_is_away {
            next.inputs = vec![Input::Resumed { away_since: at(20) }];
        }
        rehearsal.play_on::<String>(at(until), Some(&next)).unwrap();
        assert_eq!(rehearsal.finish().would.len(), expected, "until second {until}");
    }
}

#[test]
fn nobody_is_silent_while_the_node_is_away() {
    let mut recorder = Recorder::new(site(1, vec![]));
    recorder.sees(1, 0, 5);
    let away_since = at(21);
    recorder.sees(20, 1, 5);
    recorder.hear(at(1_000), vec![Input::Resumed { away_since }]);
    recorder.sees(1_030, 1, 5);
    recorder.sees(1_060, 1, 5);
    // Twenty seconds of the sixty had gone by before.
    check(&recorder, &[silent("hush", 60)], &["hush: - 1040 new"]);
}

#[test]
fn an_alarm_that_is_open_when_the_rules_change_goes_on_or_ends() {
    let mut recorder = Recorder::new(site(1, vec![inside("corridor")]));
    recorder.sees(1, 0, 5);
    recorder.sees(2, 0, 25);
    let begun = recorder.entries.len();
    recorder.sees(3, 0, 26);
    let play = |rules: &[RuleConfig]| {
        let [mut was, mut would] = [Shard::new(), Shard::new()];
        for entry in &recorder.entries[..begun] {
            was.step(entry, &mut vec![]);
            would.step(entry, &mut vec![]);
        }
        let mut rehearsal = Rehearsal::new(was, would).unwrap();
        let config = with(&site(1, vec![]), rules).unwrap();
        rehearsal.change::<String>(config).unwrap();
        for entry in &recorder.entries[begun..] {
            rehearsal.step(entry.clone(), &mut |config| with(config, rules)).unwrap();
        }
        rehearsal.finish()
    };
    let kept = play(&[inside("corridor")]);
    assert_eq!(kept.was, kept.would);
    assert_eq!(kept.was.len(), 1);
    let ended = play(&[]);
    assert_eq!(ended.was[0].fate, Fate::Open);
    assert!(matches!(ended.would[0].fate, Fate::Cleared { .. }), "{:?}", ended.would);
    // Before the span nothing differs that was raised before it.
    let comparison = compare(&ended.was, &ended.would, (at(3), at(4)));
    assert!(comparison.pairs().is_empty());
}

#[test]
fn a_site_that_changes_meanwhile_changes_under_the_other_rules_too() {
    let mut recorder = Recorder::new(site(1, vec![]));
    recorder.sees(1, 0, 5);
    let narrow = |version| {
        let mut config = site(version, vec![]);
        config.zones.truncate(1);
        config
    };
    let mut wide = site(3, vec![]);
    wide.zones[1].id = hospital::name("passage");
    recorder.hear(at(2), vec![Input::SiteChange(Box::new(wide))]);
    // Refused: its version is not greater.
    recorder.hear(at(3), vec![Input::SiteChange(Box::new(narrow(3)))]);
    recorder.sees(4, 0, 25);
    let rehearsed = recorder.rehearsed(&[inside("corridor")]);
    let [alarm] = &rehearsed.would[..] else { panic!("{:?}", rehearsed.would) };
    assert_eq!(alarm.raised_at, at(4));
    let place = rehearsed.site.unwrap();
    assert_eq!(place.zone("passage").map(ach_actors_model::Place::Zone), Some(alarm.place));
}

#[test]
fn what_does_not_fit_ends_the_rehearsal() {
    let mut recorder = two_walks();
    recorder.hear(at(200), vec![Input::SiteChange(Box::new(site(2, vec![])))]);
    let play = |spoil: &dyn Fn(usize, &mut ach_engine_shard::Entry), may_swap: bool| {
        let mut rehearsal = Rehearsal::new(Shard::new(), Shard::new()).unwrap();
        let mut swap = |config: &SiteConfig| match config.version {
            2 if !may_swap => Err("the zone is gone".to_owned()),
            _ => with(config, &[]),
        };
        for (number, entry) in recorder.entries.iter().enumerate() {
            let mut entry = entry.clone();
            spoil(number, &mut entry);
            rehearsal.step(entry, &mut swap)?;
        }
        Ok::<(), RehearsalError<String>>(())
    };
    assert!(play(&|_, _| {}, true).is_ok());
    let flip = |number, entry: &mut ach_engine_shard::Entry| {
        if number == 5 {
            entry.effects_hash ^= 1;
        }
    };
    assert!(matches!(play(&flip, true), Err(RehearsalError::Diverged { index: 6 })));
    let unfit = play(&|_, _| {}, false).unwrap_err();
    assert!(matches!(&unfit, RehearsalError::Unfit { version: 2, .. }), "{unfit}");
}

#[test]
fn rules_that_are_no_rules_are_not_put_in_force() {
    let mut rehearsal = Rehearsal::new(Shard::new(), Shard::new()).unwrap();
    let mut config = site(1, vec![inside("corridor")]);
    config.rules.push(inside("corridor"));
    let refused = rehearsal.change::<String>(config).unwrap_err();
    assert!(matches!(refused, RehearsalError::Site(_)), "{refused}");
}
