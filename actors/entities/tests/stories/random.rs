//! Properties of any story, told to random ones.

use std::collections::BTreeMap;

use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmTransition, Condition, RuleConfig, SiteConfig,
    SubjectClass, Who,
};
use ach_geo::{Confirm, Gates};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::hospital::{GARDEN, LOBBY, S, WARD, hospital, hours, name, rule, tentative};
use crate::world::World;

/// Rules of every condition, with every gate.
fn all_rules() -> Vec<RuleConfig> {
    let gates = Gates {
        entry_margin_mm: 200,
        exit_tolerance_mm: 500,
        tolerance_timeout_ns: Some(8 * S),
        exit_delay_ns: 3 * S,
        fence_timeout_ns: Some(40 * S),
        confirm: Confirm { needed: 2, of: 3 },
        dwell_ns: None,
        error_circle: true,
    };
    let leaves = Condition::Leaves { zones: vec![WARD, LOBBY], lines: vec![0] };
    let inside = Condition::Inside { zones: vec![LOBBY, GARDEN] };
    let stays = Condition::Stays { zones: vec![LOBBY, WARD], after_ns: 20 * S };
    let silent = Condition::TagSilent { after_ns: 15 * S };
    let full = Condition::OverCapacity { zones: vec![LOBBY, WARD] };
    let doors = || vec![0];
    let forced = Condition::DoorForced { doors: doors() };
    let held = Condition::DoorHeld { doors: doors(), after_ns: 5 * S, also_unlocked: false };
    let never = Condition::DoorHeld { doors: doors(), after_ns: 9 * S, also_unlocked: true };
    let lost = Condition::DoorLost { doors: doors(), after_ns: 12 * S };
    let low = Condition::DoorBatteryLow { doors: doors(), percent: 20 };
    let away = Condition::Away { zones: vec![WARD], after_ns: 30 * S };
    let with = Who { classes: vec![SubjectClass::Staff], ..Who::default() };
    let (whom, within_mm) = (Who::default(), 3_000);
    let meets =
        Condition::Meets { zones: Vec::new(), whom, within_mm, apart_mm: 4_000, after_ns: 2 * S };
    let after_ns = 4 * S;
    let motion = Condition::Motion { zones: vec![LOBBY, WARD], with: with.clone(), after_ns };
    let alone = Condition::Alone { zones: vec![LOBBY, WARD], with, after_ns: 9 * S };
    vec![
        tentative(gates, rule("elope", AlarmKind::Elopement, leaves.clone())),
        rule("theft", AlarmKind::AssetTheft, leaves),
        tentative(gates, rule("enter", AlarmKind::UnauthorisedEntry, inside.clone())),
        hours(0, 1, rule("night", AlarmKind::UnauthorisedEntry, inside)),
        rule("linger", AlarmKind::Loitering, stays),
        rule("silent", AlarmKind::TagSilent, silent),
        rule("battery", AlarmKind::BatteryLow, Condition::BatteryLow { percent: 20 }),
        rule("band", AlarmKind::BandCut, Condition::BandCut),
        rule("duress", AlarmKind::Duress, Condition::ButtonPressed),
        rule("full", AlarmKind::OverCapacity, full),
        hours(0, 1, rule("forced", AlarmKind::DoorForced, forced)),
        rule("held", AlarmKind::DoorHeld, held),
        hours(1, 5, rule("never", AlarmKind::DoorHeld, never)),
        rule("housing", AlarmKind::DoorTampered, Condition::DoorTampered { doors: doors() }),
        rule("reader", AlarmKind::ReaderTampered, Condition::ReaderTampered { doors: doors() }),
        rule("lost", AlarmKind::DoorLost, lost),
        rule("flat", AlarmKind::DoorBatteryLow, low),
        RuleConfig {
            gates: Some(gates),
            ..rule("away", AlarmKind::AssetNotReturned, away.clone())
        },
        hours(0, 1, rule("away-at-night", AlarmKind::AssetNotReturned, away)),
        rule("alone", AlarmKind::LoneWorker, alone),
        rule("motion", AlarmKind::UnexplainedMotion, motion),
        rule("apart", AlarmKind::ForbiddenMeeting, meets),
        rule("tail", AlarmKind::Tailgating, Condition::Tailgating { doors: doors(), with: None }),
    ]
}

fn config() -> SiteConfig {
    let mut config = hospital(all_rules());
    config.sources[0].silence_ns = Some(10 * S);
    config.anchors[0].silence_ns = Some(30 * S);
    config.zones[0].capacity = Some(1);
    config.zones[1].capacity = Some(1);
    config.zones[0].motion_source = Some(0);
    config.zones[1].motion_source = Some(0);
    config
}

/// One random line: mostly pings of walkers, some wild ones, reports, pauses and outages.
fn line(random: &mut ChaCha8Rng, second: &mut f64, places: &mut [(f64, f64); 7]) -> Vec<String> {
    let before = *second;
    *second += match random.random_range(0..40_u8) {
        0 => 25.0,
        1 => 700.0,
        2..=9 => 0.0,
        _ => 0.4,
    };
    let now = format!("{second:.3}");
    let tag = random.random_range(1..=6_usize);
    let place = &mut places[tag];
    place.0 = (place.0 + random.random_range(-4.0..4.2)).clamp(-3.0, 33.0);
    place.1 = (place.1 + random.random_range(-2.0..2.0)).clamp(-1.0, 11.0);
    let floor = ["f1", "f1", "f1", "f1", "f1", "f1", "f?", "f2"][random.random_range(0..8_usize)];
    let age = [0.0, 0.0, 0.0, 0.0, 0.3, 2.0, -30.0][random.random_range(0..7_usize)];
    let observed = format!("obs={:.3}", (*second - age).max(0.0));
    let words: Vec<String> = match random.random_range(0..37_u8) {
        0 => vec!["press".into(), tag.to_string(), observed],
        1 => vec!["reset".into(), tag.to_string(), observed],
        2 => vec!["cut".into(), tag.to_string(), observed],
        3 => vec!["whole".into(), tag.to_string(), observed],
        4 => vec!["open".into(), "exit".into(), observed],
        5 => vec!["close".into(), "exit".into(), observed],
        6 => vec!["grant".into(), "exit".into(), "3000".into(), observed],
        7 => vec!["alive".into(), "a1".into(), observed],
        8 => vec!["lost".into(), "a1".into(), observed],
        9 if *second > before + 1.0 => vec!["away".into(), format!("{before:.3}")],
        10 => vec!["tick".into()],
        11 => vec!["unlock".into(), "exit".into(), observed],
        12 => vec!["lock".into(), "exit".into(), observed],
        14..18 => {
            let word = ["pry", "mend", "prise", "refit", "up", "down", "charge"]
                [random.random_range(0..7_usize)];
            let percent = random.random_range(10..40_u8).to_string();
            vec![word.into(), "exit".into(), percent, observed]
        }
        18 => {
            let zone = ["ward", "lobby"][random.random_range(0..2_usize)];
            vec!["moves".into(), zone.into(), observed]
        }
        wild => {
            let x = if wild == 13 { 1.0e5 } else { place.0 };
            let battery = format!("bat={}", random.random_range(10..40_u8));
            let accuracy = format!("acc={}", random.random_range(0..900_u32));
            let at = format!("{x:.3},{:.3}", place.1);
            vec!["ping".into(), tag.to_string(), at, floor.into(), observed, battery, accuracy]
        }
    };
    [vec![now], words].concat()
}

fn story(seed: u64, length: usize) -> Vec<Vec<String>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut second, mut places) = (0.0, [(5.0, 5.0); 7]);
    (0..length).map(|_| line(&mut random, &mut second, &mut places)).collect()
}

fn play(world: &mut World, line: &[String]) -> Vec<String> {
    world.play(&line.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Raised first, upheld at most once and only if tentative, ended at most once; one open episode
/// for a rule, subject and place; ordinals without gaps.
fn check_lives(notices: &[AlarmNotice]) {
    let mut lives: BTreeMap<AlarmId, Vec<AlarmNotice>> = BTreeMap::new();
    let mut open = BTreeMap::new();
    let mut ordinals = BTreeMap::new();
    for notice in notices {
        let key = (notice.rule, notice.subject, notice.place);
        match notice.transition {
            AlarmTransition::Raised => {
                assert!(!lives.contains_key(&notice.id), "raised twice: {notice:?}");
                assert_eq!(open.insert(key, notice.id), None, "a second episode: {notice:?}");
                let ordinal: &mut u32 =
                    ordinals.entry((notice.rule, notice.place, key.1)).or_default();
                assert!(notice.episode > *ordinal, "an ordinal again: {notice:?}");
                *ordinal = notice.episode;
            }
            AlarmTransition::Upheld => {
                let life = &lives[&notice.id];
                assert!(life.len() == 1 && life[0].is_tentative, "upheld: {notice:?}");
            }
            AlarmTransition::Retracted | AlarmTransition::Cleared => {
                let last = lives[&notice.id].last().cloned().expect("raised before");
                let is_retracted = notice.transition == AlarmTransition::Retracted;
                assert_eq!(last.is_tentative, is_retracted, "{notice:?}");
                assert_eq!(open.remove(&key), Some(notice.id), "ended twice: {notice:?}");
            }
            _ => panic!("an actor says nothing of people: {notice:?}"),
        }
        assert!(notice.observed_at <= notice.received_at, "{notice:?}");
        assert!(notice.received_at <= notice.changed_at, "{notice:?}");
        lives.entry(notice.id).or_default().push(notice.clone());
    }
}

#[test]
fn alarms_live_once_and_rest_is_not_noticed() {
    let mut kinds = BTreeMap::new();
    let mut rest_count = 0;
    for seed in 0..12 {
        println!("seed {seed}");
        let config = config();
        let (mut world, mut restful) = (World::new(&config), World::restful(&config));
        for (number, line) in story(seed, 1_500).iter().enumerate() {
            let told = play(&mut world, line);
            assert_eq!(told, play(&mut restful, line), "seed {seed}, line {number}: {line:?}");
        }
        check_lives(&world.notices);
        assert_eq!(world.notices, restful.notices);
        rest_count += restful.rest_count;
        for notice in &world.notices {
            *kinds.entry((notice.kind, notice.transition)).or_insert(0) += 1;
        }
    }
    println!("{rest_count} rests, {kinds:?}");
    assert!(rest_count > 1_000, "{rest_count} rests");
    for kind in [
        AlarmKind::Elopement,
        AlarmKind::AssetTheft,
        AlarmKind::UnauthorisedEntry,
        AlarmKind::Loitering,
        AlarmKind::TagSilent,
        AlarmKind::FeedSilent,
        AlarmKind::ZoneBlind,
        AlarmKind::BatteryLow,
        AlarmKind::BandCut,
        AlarmKind::Duress,
        AlarmKind::OverCapacity,
        AlarmKind::DoorForced,
        AlarmKind::DoorHeld,
        AlarmKind::DoorTampered,
        AlarmKind::ReaderTampered,
        AlarmKind::DoorLost,
        AlarmKind::DoorBatteryLow,
        AlarmKind::AssetNotReturned,
        AlarmKind::LoneWorker,
        AlarmKind::ForbiddenMeeting,
        AlarmKind::UnexplainedMotion,
    ] {
        let raised = kinds.get(&(kind, AlarmTransition::Raised)).copied().unwrap_or(0);
        let ended = kinds.get(&(kind, AlarmTransition::Cleared)).copied().unwrap_or(0);
        assert!(raised > 0 && ended > 0, "{kind:?}: {raised} raised, {ended} cleared");
    }
    let upheld = kinds.get(&(AlarmKind::Elopement, AlarmTransition::Upheld));
    let retracted = kinds.get(&(AlarmKind::Elopement, AlarmTransition::Retracted));
    assert!(upheld.is_some() && retracted.is_some(), "{upheld:?} upheld, {retracted:?} retracted");
}

#[test]
fn every_input_sent_twice_tells_what_it_tells_once() {
    for seed in 100..106 {
        println!("seed {seed}");
        let config = config();
        let (mut once, mut twice) = (World::new(&config), World::new(&config));
        for (number, line) in story(seed, 1_500).iter().enumerate() {
            let told = play(&mut once, line);
            assert_eq!(told, play(&mut twice, line), "seed {seed}, line {number}: {line:?}");
            if line[1] != "away" {
                let again = play(&mut twice, line);
                let is_quiet = again.iter().all(|words| words == "duplicate" || words == "late");
                assert!(is_quiet, "seed {seed}, line {number}: {line:?} told {again:?}");
            }
        }
        let ids = |world: &World| -> Vec<_> {
            world.notices.iter().map(|notice| (notice.id, notice.transition)).collect()
        };
        assert_eq!(ids(&once), ids(&twice));
    }
}

#[test]
fn any_change_of_the_site_leaves_no_alarm_without_its_rule() {
    for seed in 200..210 {
        println!("seed {seed}");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut now = config();
        let mut world = World::new(&now);
        let mut open: BTreeMap<AlarmId, AlarmNotice> = BTreeMap::new();
        for (number, line) in story(seed, 1_500).iter().enumerate() {
            play(&mut world, line);
            if number % 50 == 49 {
                now = edited(&mut random, now.version + 1);
                world.change(&now);
                settle(&mut open, &world);
                for notice in open.values() {
                    let rule = notice.rule.and_then(|rule| world.site.rule_name(rule));
                    let is_in_force = rule.is_none_or(|rule| {
                        now.rules.iter().any(|config| config.id.as_str() == rule)
                    });
                    assert!(is_in_force, "seed {seed}, line {number}: {notice:?}");
                }
            }
        }
        check_lives(&world.notices);
    }
}

/// What is open after all that was told.
fn settle(open: &mut BTreeMap<AlarmId, AlarmNotice>, world: &World) {
    open.clear();
    for notice in &world.notices {
        match notice.transition {
            AlarmTransition::Raised | AlarmTransition::Upheld => {
                open.insert(notice.id, notice.clone())
            }
            _ => open.remove(&notice.id),
        };
    }
}

/// The site with some of its rules, zones, tags and gates, in some order.
fn edited(random: &mut ChaCha8Rng, version: u32) -> SiteConfig {
    let mut config = SiteConfig { version, ..config() };
    config.rules.retain(|_| random.random_range(0..4_u8) > 0);
    config.tags.retain(|_| random.random_range(0..6_u8) > 0);
    if random.random_range(0..3_u8) == 0 {
        // The garden gives way to another zone, at the same place in the list.
        config.zones[2].id = name("park");
    }
    if random.random_range(0..3_u8) == 0 {
        config.zones[0].gates.exit_tolerance_mm = 700;
    }
    if random.random_range(0..4_u8) == 0 {
        config.anchors.clear();
    }
    if random.random_range(0..6_u8) == 0 {
        config.rules.retain(|rule| rule.condition.doors().is_empty());
        config.doors.clear();
    }
    if random.random_range(0..4_u8) == 0 {
        config.sources[0].silence_ns = None;
    }
    for tag in &mut config.tags {
        if random.random_range(0..8_u8) == 0 {
            tag.subject = Some(random.random_range(0..4_u32));
        }
    }
    config
}
