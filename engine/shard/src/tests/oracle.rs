//! The alarms of random walks against a model that knows no actors, gates, index or messages: it
//! holds everybody's last place and asks rectangles.

use std::collections::BTreeMap;

use ach_actors_model::{AlarmKind, AlarmTransition, Place};

use super::hospital::{SUBJECTS, ZONES};
use super::play::play;
use super::random::{at_own_time, entries_of, walks};
use crate::Input;

/// `kind subject zone raised` in the order told.
type Told = Vec<(AlarmKind, Option<&'static str>, &'static str, bool)>;

fn is_in((x_mm, y_mm): (i32, i32), zone: &str) -> bool {
    let (_, [west, south, east, north]) = ZONES.iter().find(|(id, _)| *id == zone).expect("a zone");
    let metres = |low: i32, high: i32, at: i32| low * 1_000 < at && at < high * 1_000;
    metres(*west, *east, x_mm) && metres(*south, *north, y_mm)
}

/// What the rules say, from places alone.
fn model(inputs: &[Input]) -> Told {
    let mut places: BTreeMap<usize, (i32, i32)> = BTreeMap::new();
    let (mut told, mut is_full) = (vec![], false);
    let lobby = |places: &BTreeMap<usize, (i32, i32)>| {
        places.values().filter(|place| is_in(**place, "lobby")).count()
    };
    for input in inputs {
        let Input::Pings(batch) = input else { continue };
        for ping in &batch.pings {
            let who = ping.tag.index();
            let now = (ping.position.x_mm, ping.position.y_mm);
            let before = places.insert(who, now);
            let was_in = |zone| before.is_some_and(|place| is_in(place, zone));
            let subject = SUBJECTS[who].0;
            let leaves = |kind, told: &mut Told| {
                let has_left = told.iter().rev().find(|it| (it.0, it.1) == (kind, Some(subject)));
                match (was_in("ward"), is_in(now, "ward"), has_left.is_some_and(|it| it.3)) {
                    (true, false, false) => told.push((kind, Some(subject), "ward", true)),
                    (false, true, true) => told.push((kind, Some(subject), "ward", false)),
                    _ => {}
                }
            };
            match subject {
                "anna" => leaves(AlarmKind::Elopement, &mut told),
                "pump" => leaves(AlarmKind::AssetTheft, &mut told),
                "vera" | "victor" if was_in("drugs") != is_in(now, "drugs") => {
                    let kind = AlarmKind::UnauthorisedEntry;
                    told.push((kind, Some(subject), "drugs", is_in(now, "drugs")));
                }
                _ => {}
            }
            if (lobby(&places) > 2) != is_full {
                is_full = !is_full;
                told.push((AlarmKind::OverCapacity, None, "lobby", is_full));
            }
        }
    }
    told
}

/// What the shard says of the same rules and places.
fn shard(inputs: &[Input]) -> Told {
    let played = play(&entries_of(&at_own_time(inputs)));
    let site = played.shard.site().expect("a site");
    let told = played.notices().filter_map(|notice| {
        let Place::Zone(zone) = notice.place else { return None };
        let zone = site.zone_name(zone)?;
        let (zone, _) = ZONES.iter().find(|(id, _)| *id == zone)?;
        let subject = notice.subject.and_then(|subject| site.subject_name(subject));
        let subject = subject.and_then(|name| SUBJECTS.iter().find(|(id, ..)| *id == name));
        let is_modelled = matches!(
            (notice.kind, *zone),
            (AlarmKind::Elopement | AlarmKind::AssetTheft, "ward")
                | (AlarmKind::UnauthorisedEntry, "drugs")
                | (AlarmKind::OverCapacity, "lobby")
        );
        let is_raised = notice.transition == AlarmTransition::Raised;
        is_modelled.then_some((notice.kind, subject.map(|it| it.0), *zone, is_raised))
    });
    told.collect()
}

#[test]
fn a_shard_says_what_places_alone_would_say() {
    let mut told_count = 0;
    for seed in 100..130 {
        println!("seed {seed}");
        let inputs = walks(seed);
        let expected = model(&inputs);
        assert_eq!(shard(&inputs), expected);
        told_count += expected.len();
    }
    assert!(told_count > 300, "the walks are worth it: {told_count} changes of alarms");
}
