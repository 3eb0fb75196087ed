//! The judge against a simple product: two of three pings beyond the gates, no other cleverness.

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_model::{NS_PER_S, ReportKind, RuleConfig};
use ach_geo::Position;

use super::*;
use crate::plane::{TruePlace, depth_mm};
use crate::rule_book::is_about;
use crate::{Hospital, Observation, Observed, Options, Scale, World, synthetic};

/// A product simple enough to be believed.
struct Plain<'a> {
    world: &'a World,
    seen: BTreeMap<u32, (Timestamp, Vec<TruePlace>)>,
    inside: BTreeMap<(u32, u32), bool>,
    raised: BTreeMap<(u32, u32), bool>,
    granted_until: BTreeMap<u32, Timestamp>,
    alarms: Vec<HeardAlarm>,
}

impl<'a> Plain<'a> {
    fn new(world: &'a World) -> Plain<'a> {
        Plain {
            world,
            seen: BTreeMap::new(),
            inside: BTreeMap::new(),
            raised: BTreeMap::new(),
            granted_until: BTreeMap::new(),
            alarms: Vec::new(),
        }
    }

    fn hear(&mut self, observation: &Observation) {
        match &observation.what {
            Observed::Ping { tag, position, .. } => self.ping(observation, *tag, *position),
            Observed::Report(kind) => self.report(observation, kind),
        }
    }

    fn ping(&mut self, observation: &Observation, tag: u32, position: Position) {
        let config = &self.world.config;
        let (last, places) = self.seen.entry(tag).or_default();
        let Some(floor) = position.floor else { return };
        if observation.observed_at <= *last {
            return;
        }
        *last = observation.observed_at;
        let (x_mm, y_mm) = (f64::from(position.x_mm), f64::from(position.y_mm));
        places.push(TruePlace { x_mm, y_mm, floor });
        let latest: Vec<TruePlace> = places.iter().rev().take(3).copied().collect();
        let twice = |zone: u32, test: &dyn Fn(f64) -> bool| {
            let zone = &config.zones[usize::try_from(zone).expect("small")];
            latest.iter().filter(|place| test(depth_mm(zone, place))).count() >= 2
        };
        let subject = config.tags[usize::try_from(tag).expect("small")].subject.expect("worn");
        for (index, rule) in (0_u32..).zip(&config.rules) {
            let (Condition::Inside { zones } | Condition::Leaves { zones, .. }) = &rule.condition
            else {
                continue;
            };
            if !is_about(rule, config, subject) {
                continue;
            }
            let zone = zones[0];
            let is_in = twice(zone, &|depth| depth > 300.0);
            let is_out = twice(zone, &|depth| depth < -800.0);
            let holds = if let Condition::Inside { .. } = rule.condition {
                is_in
            } else {
                let was_in = self.inside.entry((index, subject)).or_default();
                *was_in |= is_in;
                *was_in && is_out
            };
            let was_raised = self.raised.insert((index, subject), holds) == Some(true);
            if holds && !was_raised {
                let place = config.zones[usize::try_from(zone).expect("small")].id.to_string();
                self.raise(rule, Some(subject), Some(place), observation.observed_at);
            }
        }
    }

    fn report(&mut self, observation: &Observation, kind: &ReportKind) {
        let config = &self.world.config;
        let at = observation.observed_at;
        match kind {
            ReportKind::AccessGranted { door, valid_ms, .. }
            | ReportKind::ExitRequested { door, valid_ms } => {
                self.granted_until.insert(door.0, at.plus_ns(u64::from(*valid_ms) * 1_000_000));
            }
            ReportKind::DoorOpened { door } => {
                let granted = self.granted_until.get(&door.0).is_some_and(|until| at <= *until);
                for rule in config.rules.iter().filter(|_| !granted) {
                    if matches!(&rule.condition, Condition::DoorForced { doors } if doors.contains(&door.0))
                    {
                        let place = config.doors[door.index()].id.to_string();
                        self.raise(rule, None, Some(place), at);
                    }
                }
            }
            ReportKind::ButtonPressed { tag } | ReportKind::BandCut { tag } => {
                let is_button = matches!(kind, ReportKind::ButtonPressed { .. });
                let subject = config.tags[tag.index()].subject.expect("worn");
                for rule in config.rules.iter().filter(|rule| is_about(rule, config, subject)) {
                    match rule.condition {
                        Condition::ButtonPressed if is_button => {}
                        Condition::BandCut if !is_button => {}
                        _ => continue,
                    }
                    self.raise(rule, Some(subject), None, at);
                }
            }
            _ => {}
        }
    }

    fn raise(
        &mut self,
        rule: &RuleConfig,
        subject: Option<u32>,
        place: Option<String>,
        at: Timestamp,
    ) {
        let name = |it: u32| {
            self.world.config.subjects[usize::try_from(it).expect("small")].id.to_string()
        };
        self.alarms.push(HeardAlarm {
            id: u128::try_from(self.alarms.len()).expect("small"),
            rule: Some(rule.id.to_string()),
            subject: subject.map(name),
            place,
            observed_at: at,
        });
    }
}

/// A run of two minutes without the perimeter line, which the plain product does not watch.
fn run(seed: u64) -> (Arc<World>, Hospital, Vec<HeardAlarm>) {
    let mut world = synthetic(Scale { tags: 300, zones: 100 });
    for rule in &mut world.config.rules {
        if let Condition::Leaves { lines, .. } = &mut rule.condition {
            lines.clear();
        }
    }
    let world = Arc::new(world);
    let options = Options { start_at: Timestamp(1_800_000_000 * NS_PER_S), ..Options::default() };
    let mut hospital = Hospital::new(Arc::clone(&world), seed, options);
    let sent = hospital.advance(RUN_NS);
    let mut plain = Plain::new(&world);
    for observation in &sent {
        plain.hear(observation);
    }
    let alarms = plain.alarms;
    (world, hospital, alarms)
}

const RUN_NS: u64 = 120 * NS_PER_S;

#[test]
fn a_plain_product_misses_nothing_and_raises_nothing_wrong() {
    for seed in 0..6 {
        let (world, hospital, alarms) = run(seed);
        let verdict = judge(&world.config, hospital.truth(), &alarms, RUN_NS);
        assert!(alarms.len() >= 5, "seed {seed}: {} alarms", alarms.len());
        assert!(verdict.wrong.is_empty(), "seed {seed}: wrong {:?}", alarms[verdict.wrong[0]]);
        let breach = verdict.missed.first().map(|missed| &hospital.truth().breaches()[*missed]);
        assert_eq!(breach, None, "seed {seed}");
    }
}

#[test]
fn every_alarm_left_out_is_missed() {
    let (world, hospital, alarms) = run(42);
    let mut missed_count = 0;
    for left_out in 0..alarms.len() {
        let mut fewer = alarms.clone();
        fewer.remove(left_out);
        let verdict = judge(&world.config, hospital.truth(), &fewer, RUN_NS);
        missed_count += verdict.missed.len();
        assert!(verdict.missed.len() <= 1);
    }
    // The last incident may be too young to be owed an alarm.
    assert!(missed_count + 1 >= alarms.len(), "{missed_count} of {}", alarms.len());
}

#[test]
fn an_alarm_of_the_wrong_rule_subject_place_or_time_is_wrong() {
    let (world, hospital, alarms) = run(42);
    let truth = hospital.truth();
    let zone = alarms.iter().find(|alarm| alarm.place.is_some()).expect("a zone alarm");
    let check = |alarm: HeardAlarm| {
        let verdict = judge(&world.config, truth, &[alarm], RUN_NS);
        assert_eq!(verdict.wrong, [0]);
    };
    assert_eq!(judge(&world.config, truth, std::slice::from_ref(zone), RUN_NS).wrong, [0; 0]);
    check(HeardAlarm { rule: Some("battery".to_owned()), ..zone.clone() });
    check(HeardAlarm { rule: None, ..zone.clone() });
    check(HeardAlarm { subject: Some("patient-8".to_owned()), ..zone.clone() });
    check(HeardAlarm { place: Some("f0-ward-3".to_owned()), ..zone.clone() });
    check(HeardAlarm { observed_at: truth.start_at(), ..zone.clone() });
}

#[test]
fn one_breach_owes_one_alarm() {
    let (world, hospital, alarms) = run(42);
    let again = HeardAlarm { id: u128::MAX, ..alarms[0].clone() };
    let twice = [alarms[0].clone(), alarms[0].clone(), again];
    let verdict = judge(&world.config, hospital.truth(), &twice, RUN_NS);
    assert_eq!((verdict.wrong, verdict.repeated), (vec![], vec![2]));
}
