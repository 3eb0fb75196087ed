//! Random days: what is rehearsed is what a node with those rules would have raised.

use ach_actors_model::{Condition, NS_PER_S, RuleConfig};
use ach_engine_rehearsal::{Comparison, Difference, Rehearsal, Rehearsed, compare};
use ach_engine_review::Episode;
use ach_engine_shard::{Input, Shard};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ALWAYS;
use super::hospital::{PATIENTS, Recorder, inside, lingers, rule, silent, site, with};

/// Rules with delays of their own, so that few deadlines of two sets fall together.
fn rules(rng: &mut ChaCha8Rng) -> Vec<RuleConfig> {
    let mut rules = vec![];
    if rng.random_bool(0.7) {
        rules.push(inside("corridor"));
    }
    if rng.random_bool(0.7) {
        rules.push(lingers("lingering", rng.random_range(3..40)));
    }
    if rng.random_bool(0.7) {
        rules.push(silent("hush", rng.random_range(5..40)));
    }
    if rng.random_bool(0.7) {
        let leaves = Condition::Leaves { zones: vec![0], lines: vec![] };
        let mut away = rule("away", leaves);
        away.is_tentative = true;
        let gates = ach_geo::Gates {
            exit_tolerance_mm: 1_000,
            exit_delay_ns: rng.random_range(1..9) * NS_PER_S,
            ..ach_geo::Gates::default()
        };
        away.gates = Some(gates);
        rules.push(away);
    }
    rules
}

/// Patients who walk about and now and then are not heard. `at_noon` is called in the middle of the day.
fn day(recorder: &mut Recorder, rng: &mut ChaCha8Rng, at_noon: &mut dyn FnMut(&mut Recorder)) {
    let mut second = 1;
    let mut is_noon = false;
    let mut places = [5; PATIENTS];
    while second < 600 {
        if second >= 300 && !std::mem::replace(&mut is_noon, true) {
            at_noon(recorder);
        }
        let patient = rng.random_range(0..PATIENTS);
        let place = &mut places[patient];
        if rng.random_bool(0.2) {
            *place = rng.random_range(1..39);
        }
        recorder.sees(second, u32::try_from(patient).unwrap(), *place);
        second +=
            if rng.random_bool(0.05) { rng.random_range(10..60) } else { rng.random_range(1..3) };
    }
}

fn seeds() -> impl Iterator<Item = (u64, ChaCha8Rng)> {
    (0..80).map(|seed| (seed, ChaCha8Rng::seed_from_u64(seed)))
}

fn check_whole(seed: u64, rehearsed: &Rehearsed, comparison: &Comparison<'_>) {
    let score = comparison.score();
    let count = |count: usize| u64::try_from(count).unwrap();
    assert_eq!(score.was, count(rehearsed.was.len()), "seed {seed}");
    assert_eq!(score.would, count(rehearsed.would.len()), "seed {seed}");
    let paired =
        comparison.pairs().iter().filter(|pair| pair.was.is_some() && pair.would.is_some());
    let paired = count(paired.count());
    assert_eq!(score.was, paired + score.gone, "seed {seed}");
    assert_eq!(score.would, paired + score.come, "seed {seed}");
    for by in [comparison.by(|episode| episode.rule.clone()).into_values().collect::<Vec<_>>(), {
        comparison.by(|episode| episode.place).into_values().collect()
    }] {
        let sum = |part: fn(&ach_engine_rehearsal::Score) -> u64| by.iter().map(part).sum::<u64>();
        assert_eq!(sum(|score| score.was), score.was, "seed {seed}");
        assert_eq!(sum(|score| score.would), score.would, "seed {seed}");
        assert_eq!(sum(|score| score.gone), score.gone, "seed {seed}");
        assert_eq!(sum(|score| score.come), score.come, "seed {seed}");
    }
}

#[test]
fn the_same_rules_raise_the_same_alarms() {
    for (seed, mut rng) in seeds() {
        let rules = rules(&mut rng);
        let mut recorder = Recorder::new(site(1, rules.clone()));
        day(&mut recorder, &mut rng, &mut |_| {});
        let rehearsed = recorder.rehearsed(&rules);
        assert_eq!(rehearsed.was, rehearsed.would, "seed {seed}");
        let comparison = compare(&rehearsed.was, &rehearsed.would, ALWAYS);
        let is_same = |pair: &ach_engine_rehearsal::Pair<'_>| pair.difference() == Difference::Same;
        assert!(comparison.pairs().iter().all(is_same), "seed {seed}");
        check_whole(seed, &rehearsed, &comparison);
    }
}

#[test]
fn other_rules_raise_what_a_node_that_has_them_raises() {
    let mut alarms = 0;
    for (seed, mut rng) in seeds() {
        let (was, would) = (rules(&mut rng), rules(&mut rng));
        let mut walks = rng.clone();
        let mut recorder = Recorder::new(site(1, was));
        day(&mut recorder, &mut rng, &mut |_| {});
        // The same day at a node that had the other rules from the beginning.
        let mut oracle = Recorder::new(site(1, would.clone()));
        day(&mut oracle, &mut walks, &mut |_| {});
        let lived = oracle.rehearsed(&would).was;
        let rehearsed = recorder.rehearsed(&would);
        let told = |episodes: &[Episode]| {
            let told = episodes.iter().map(|it| {
                (
                    it.raised_at,
                    it.rule.clone(),
                    it.kind,
                    it.subject,
                    it.place,
                    it.upheld_at,
                    it.fate,
                )
            });
            told.collect::<Vec<_>>()
        };
        assert_eq!(told(&rehearsed.would), told(&lived), "seed {seed}");
        alarms += lived.len();
        check_whole(seed, &rehearsed, &compare(&rehearsed.was, &rehearsed.would, ALWAYS));
    }
    assert!(alarms > 1_000, "days in which nothing happens prove nothing: {alarms} alarms");
}

/// As a rehearsal that begins at a checkpoint, with stays, gates and silences half run.
#[test]
fn rules_that_are_exchanged_at_noon_raise_what_a_node_raises_whose_rules_change_then() {
    let mut alarms = 0;
    for (seed, mut rng) in seeds() {
        let (was, would) = (rules(&mut rng), rules(&mut rng));
        let mut walks = rng.clone();
        let mut recorder = Recorder::new(site(1, was.clone()));
        let mut noon = 0;
        day(&mut recorder, &mut rng, &mut |recorder| noon = recorder.entries.len());
        let mut oracle = Recorder::new(site(1, was));
        day(&mut oracle, &mut walks, &mut |oracle| {
            assert_eq!(oracle.entries.len(), noon, "seed {seed}: until noon the days are one");
            let now = oracle.entries.last().unwrap().at;
            oracle.push(now, vec![Input::SiteChange(Box::new(site(2, would.clone())))]);
        });
        let [mut one, mut other] = [Shard::new(), Shard::new()];
        for entry in &recorder.entries[..noon] {
            one.step(entry, &mut vec![]);
            other.step(entry, &mut vec![]);
        }
        let mut rehearsal = Rehearsal::new(one, other).unwrap();
        rehearsal.change::<String>(site(1, would.clone())).unwrap();
        for entry in &recorder.entries[noon..] {
            rehearsal.step(entry.clone(), &mut |config| with(config, &would)).unwrap();
        }
        let end = recorder.entries.last().unwrap().at;
        let lived = oracle.rehearsed_as_lived();
        let after_noon = |episodes: &[Episode]| {
            let noon_at = recorder.entries[noon - 1].at;
            let later = episodes.iter().filter(|it| it.raised_at >= noon_at);
            later.map(|it| (it.raised_at, it.rule.clone(), it.subject, it.fate)).collect::<Vec<_>>()
        };
        let rehearsed = rehearsal.finish();
        assert_eq!(after_noon(&rehearsed.would), after_noon(&lived.was), "seed {seed}, to {end:?}");
        alarms += after_noon(&lived.was).len();
    }
    assert!(alarms > 300, "{alarms}");
}
