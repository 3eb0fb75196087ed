//! The simulated hospital keeps its rules, plays its script and repeats itself.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

use std::sync::Arc;

use ach_actors_model::{AlarmKind, NS_PER_S, ReportKind, Timestamp};
use ach_load_tests_fleet::{
    Breach, Hospital, Observation, Observed, Options, Scale, World, synthetic,
};

fn world() -> Arc<World> {
    Arc::new(synthetic(Scale { tags: 300, zones: 100 }))
}

fn options() -> Options {
    Options { start_at: Timestamp(1_800_000_000 * NS_PER_S), ..Options::default() }
}

fn run(
    world: &Arc<World>,
    seed: u64,
    options: Options,
    seconds: u64,
) -> (Hospital, Vec<Observation>) {
    let mut hospital = Hospital::new(Arc::clone(world), seed, options);
    let sent = hospital.advance(seconds * NS_PER_S);
    (hospital, sent)
}

fn kind_of(world: &World, breach: &Breach) -> AlarmKind {
    world.config.rules[usize::try_from(breach.rule).expect("small")].alarm
}

#[test]
fn a_seed_repeats_itself_however_time_is_cut() {
    let world = world();
    let (_, whole) = run(&world, 42, options(), 20);
    let mut hospital = Hospital::new(Arc::clone(&world), 42, options());
    let mut cut = Vec::new();
    for step in 1..=2_000 {
        cut.extend(hospital.advance(step * 10_000_000));
    }
    assert_eq!(whole.len(), cut.len());
    assert_eq!(whole, cut);
    let (_, other) = run(&world, 43, options(), 20);
    assert_ne!(whole, other);
}

#[test]
fn observations_come_in_order_of_sending_and_are_never_sent_before_they_are_made() {
    let (_, sent) = run(&world(), 42, options(), 20);
    assert!(sent.windows(2).all(|pair| pair[0].send_at <= pair[1].send_at));
    assert!(sent.iter().all(|observation| observation.observed_at < observation.send_at));
    assert!(sent.len() > 3_000, "{} observations", sent.len());
}

#[test]
fn nobody_breaks_a_rule_unless_the_script_says_so() {
    let world = world();
    for seed in 0..3 {
        let (hospital, _) = run(&world, seed, options(), 120);
        let unscripted: Vec<_> =
            hospital.truth().breaches().iter().filter(|breach| !breach.is_scripted).collect();
        assert_eq!(unscripted, Vec::<&Breach>::new(), "seed {seed}");
        assert_eq!(hospital.truth().lost_count(), 0);
    }
}

#[test]
fn without_a_script_nothing_is_ever_wrong_and_people_move() {
    let world = world();
    let options = Options { has_incidents: false, ..options() };
    let (hospital, sent) = run(&world, 42, options, 300);
    assert_eq!(hospital.truth().breaches(), []);
    let start = Hospital::new(Arc::clone(&world), 42, options);
    let moved =
        (0..300).filter(|subject| start.place_of(*subject) != hospital.place_of(*subject)).count();
    assert!(moved > 100, "{moved} of 300 moved");
    let opened = |observation: &&Observation| {
        matches!(observation.what, Observed::Report(ReportKind::DoorOpened { .. }))
    };
    assert!(sent.iter().filter(opened).count() > 20, "doors are used");
}

#[test]
fn the_five_opening_incidents_begin_in_time_whatever_the_seed() {
    let world = world();
    for seed in 0..10 {
        let (hospital, _) = run(&world, seed, options(), 30);
        for kind in [
            AlarmKind::Elopement,
            AlarmKind::AssetTheft,
            AlarmKind::UnauthorisedEntry,
            AlarmKind::Duress,
            AlarmKind::DoorForced,
        ] {
            let opening = hospital.incidents().iter().filter(|it| it.is_opening && it.kind == kind);
            assert_eq!(opening.count(), 1, "seed {seed}: {kind:?}");
            let breach = hospital
                .truth()
                .breaches()
                .iter()
                .find(|breach| kind_of(&world, breach) == kind)
                .unwrap_or_else(|| panic!("seed {seed}: {kind:?} did not happen"));
            assert!(breach.began_ns >= NS_PER_S, "seed {seed}: {kind:?} at {}", breach.began_ns);
            assert!(breach.began_ns <= 4_600_000_000, "seed {seed}: {kind:?} {}", breach.began_ns);
            assert!(breach.clear_ns >= 5 * NS_PER_S, "seed {seed}: {kind:?} {breach:?}");
        }
    }
}

#[test]
fn incidents_go_on_through_a_long_run_and_everybody_comes_home() {
    let world = world();
    let (hospital, _) = run(&world, 42, options(), 900);
    let later = hospital.incidents().iter().filter(|it| !it.is_opening).count();
    assert!(later > 30, "{later} later incidents in 900 s");
    for breach in hospital.truth().breaches() {
        let age_ns = 900 * NS_PER_S - breach.began_ns;
        assert!(breach.ended_ns.is_some() || age_ns < 200 * NS_PER_S, "{breach:?} never ended");
    }
}
