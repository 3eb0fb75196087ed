//! The demo's hospital: everybody keeps its rules and the five incidents happen, whatever the seed.

use std::sync::Arc;

use ach_actors_model::{AlarmKind, NS_PER_S, SubjectClass, Timestamp};
use ach_engine_site::{ClassSet, sample_hospital};
use ach_load_tests_fleet::{Hospital, Options, World};

#[expect(clippy::panic, reason = "a helper of tests")]
fn world() -> Arc<World> {
    let sample = sample_hospital();
    let config = sample.directory.config(1);
    let config = config.unwrap_or_else(|findings| panic!("{findings:?}"));
    Arc::new(World::of_sample(&sample, config))
}

/// Sunday 2026-11-22, noon in Berlin.
fn options() -> Options {
    Options { start_at: Timestamp(1_795_345_200 * NS_PER_S), ..Options::default() }
}

#[test]
fn nobody_breaks_a_rule_unless_the_script_says_so() {
    let world = world();
    for seed in 0..2 {
        let mut hospital = Hospital::new(Arc::clone(&world), seed, options());
        let sent = hospital.advance(60 * NS_PER_S);
        assert!(sent.len() > 20_000, "{} observations", sent.len());
        let breaches = hospital.truth().breaches();
        if let Some(breach) = breaches.iter().find(|breach| !breach.is_scripted) {
            let rule = &world.config.rules[usize::try_from(breach.rule).expect("small")].id;
            let subject = breach.subject.map(|it| {
                world.config.subjects[usize::try_from(it).expect("small")].id.to_string()
            });
            panic!("seed {seed}: {subject:?} broke {rule} without a script: {breach:?}");
        }
    }
}

#[test]
fn the_five_opening_incidents_begin_in_time_whatever_the_seed() {
    let world = world();
    for seed in 0..4 {
        let mut hospital = Hospital::new(Arc::clone(&world), seed, options());
        hospital.advance(20 * NS_PER_S);
        for kind in [
            AlarmKind::Elopement,
            AlarmKind::AssetTheft,
            AlarmKind::UnauthorisedEntry,
            AlarmKind::Duress,
            AlarmKind::DoorForced,
        ] {
            let breach = hospital
                .truth()
                .breaches()
                .iter()
                .find(|it| {
                    world.config.rules[usize::try_from(it.rule).expect("small")].alarm == kind
                })
                .unwrap_or_else(|| panic!("seed {seed}: {kind:?} did not happen"));
            assert!(breach.began_ns >= NS_PER_S, "seed {seed}: {kind:?} at {}", breach.began_ns);
            assert!(breach.began_ns <= 4_600_000_000, "seed {seed}: {kind:?} {}", breach.began_ns);
            assert!(breach.clear_ns >= 5 * NS_PER_S, "seed {seed}: {kind:?} {breach:?}");
        }
    }
}

/// Nobody takes escape stairs of right: a way for nobody is not one for everybody.
#[test]
fn everybody_walks_the_ways_that_are_his_of_right_and_no_other() {
    use SubjectClass::{Asset, Patient, Staff, Visitor};
    let (sample, world) = (sample_hospital(), world());
    let mut nobodys = 0;
    for edge in sample.walkway.edges() {
        let (a, b) = (u32::try_from(edge.a).expect("small"), u32::try_from(edge.b).expect("small"));
        let link = world.graph.links(a).iter().find(|link| link.to == b).expect("a way");
        for class in [Patient, Staff, Visitor, Asset] {
            assert_eq!(link.is_for(class), edge.classes.contains(class), "{a} to {b}: {class:?}");
        }
        nobodys += usize::from(edge.classes == ClassSet::NONE);
    }
    assert!(nobodys > 0, "the sample has escape stairs");
}
