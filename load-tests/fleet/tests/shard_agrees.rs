//! The shard itself, fed with what the demo's devices send: it raises what is true, in time, and
//! nothing else.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use ach_actors_entities::{Effect, Site};
use ach_actors_model::{
    AlarmNotice, AlarmTransition, BadgeRef, DoorRef, Lane, NS_PER_S, Ping, PingBatch, Place,
    Report, ReportKind, SourceRef, TagRef, Timestamp,
};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_engine_site::sample_hospital;
use ach_load_tests_fleet::{
    HeardAlarm, Hospital, OPENING_NS, Observation, Observed, Options, World, judge,
};

/// Sunday 2026-11-22, noon in Berlin.
const START_AT: Timestamp = Timestamp(1_795_345_200 * NS_PER_S);
const SEEDS: u64 = 4;
const RUN_NS: u64 = 40 * NS_PER_S;

/// A shard with the site in force, and the numbers its lanes have come to.
struct Node<'a> {
    world: &'a World,
    site: Site,
    shard: Shard,
    index: u64,
    seqs: BTreeMap<(u32, Lane), u64>,
    /// What was raised, and when.
    alarms: Vec<(HeardAlarm, Timestamp)>,
}

impl<'a> Node<'a> {
    fn new(world: &'a World) -> Node<'a> {
        let site = Site::compile(None, &world.config).expect("a site without mistakes");
        let shard = Shard::new();
        let seqs = BTreeMap::new();
        let mut node = Node { world, site, shard, index: 0, seqs, alarms: Vec::new() };
        node.step(START_AT, Input::SiteChange(Box::new(world.config.clone())));
        for source in &world.config.sources {
            let source = node.site.source(source.id.as_str()).expect("a feed");
            node.step(START_AT, Input::OpenEpoch { source, epoch: 1 });
        }
        node
    }

    fn hear(&mut self, observation: &Observation) {
        let lane = match &observation.what {
            Observed::Ping { .. } => Lane::Ping,
            Observed::Report(
                ReportKind::ButtonPressed { .. }
                | ReportKind::ButtonReset { .. }
                | ReportKind::BandCut { .. }
                | ReportKind::BandWhole { .. },
            ) => Lane::Duress,
            Observed::Report(_) => Lane::Door,
        };
        let seq = self.seqs.entry((observation.source, lane)).or_default();
        *seq += 1;
        let seq = *seq;
        let source = self.source(observation.source);
        let received_at = observation.send_at;
        let observed_at = observation.observed_at;
        let input = match &observation.what {
            Observed::Ping { tag, position, accuracy_mm, battery_percent } => {
                let ping = Ping {
                    tag: self.tag(TagRef(*tag)),
                    seq_offset: 0,
                    observed_at,
                    position: *position,
                    accuracy_mm: *accuracy_mm,
                    battery_percent: *battery_percent,
                };
                Input::Pings(PingBatch {
                    source,
                    epoch: 1,
                    first_seq: seq,
                    last_seq: seq,
                    received_at,
                    conflated_count: 0,
                    refused_count: 0,
                    pings: vec![ping],
                })
            }
            Observed::Report(kind) => {
                let kind = self.kind(*kind);
                Input::Report(Report {
                    source,
                    lane,
                    epoch: 1,
                    seq,
                    observed_at,
                    received_at,
                    kind,
                })
            }
        };
        self.step(received_at, input);
    }

    fn step(&mut self, at: Timestamp, input: Input) {
        self.index += 1;
        let entry = Entry {
            index: self.index,
            at,
            site_version: u32::from(self.index > 1),
            logic_version: LOGIC_VERSION,
            inputs: vec![input],
            effects_hash: 0,
        };
        let mut effects = Vec::new();
        self.shard.step(&entry, &mut effects);
        for effect in effects {
            if let Effect::Alarm(notice) = effect
                && notice.transition == AlarmTransition::Raised
            {
                self.alarms.push((self.heard(&notice), notice.changed_at));
            }
        }
    }

    fn heard(&self, notice: &AlarmNotice) -> HeardAlarm {
        let place = match notice.place {
            Place::Zone(zone) => self.site.zone_name(zone),
            Place::Door(door) => self.site.door_name(door),
            Place::Line(line) => self.site.line_name(line),
            _ => None,
        };
        let subject = notice.subject.and_then(|subject| self.site.subject_name(subject));
        HeardAlarm {
            id: notice.id.0,
            rule: notice.rule.and_then(|rule| self.site.rule_name(rule)).map(str::to_owned),
            subject: subject.map(str::to_owned),
            place: place.map(str::to_owned),
            observed_at: notice.observed_at,
        }
    }

    /// Refs of the simulator are indexes of the configuration; the shard has its own.
    fn tag(&self, tag: TagRef) -> TagRef {
        self.site.tag(self.world.config.tags[tag.index()].id).expect("a tag")
    }

    fn door(&self, door: DoorRef) -> DoorRef {
        self.site.door(self.world.config.doors[door.index()].id.as_str()).expect("a door")
    }

    fn badge(&self, badge: BadgeRef) -> Option<BadgeRef> {
        self.site.badge(self.world.config.badges[badge.index()].id.as_str())
    }

    fn source(&self, source: u32) -> SourceRef {
        let source = &self.world.config.sources[SourceRef(source).index()];
        self.site.source(source.id.as_str()).expect("a feed")
    }

    fn kind(&self, kind: ReportKind) -> ReportKind {
        use ReportKind as Kind;
        match kind {
            Kind::ButtonPressed { tag } => Kind::ButtonPressed { tag: self.tag(tag) },
            Kind::ButtonReset { tag } => Kind::ButtonReset { tag: self.tag(tag) },
            Kind::BandCut { tag } => Kind::BandCut { tag: self.tag(tag) },
            Kind::BandWhole { tag } => Kind::BandWhole { tag: self.tag(tag) },
            Kind::DoorOpened { door } => Kind::DoorOpened { door: self.door(door) },
            Kind::DoorClosed { door } => Kind::DoorClosed { door: self.door(door) },
            Kind::DoorAlive { door } => Kind::DoorAlive { door: self.door(door) },
            Kind::AccessGranted { door, valid_ms, badge } => {
                let badge = badge.and_then(|badge| self.badge(badge));
                Kind::AccessGranted { door: self.door(door), valid_ms, badge }
            }
            Kind::ExitRequested { door, valid_ms } => {
                Kind::ExitRequested { door: self.door(door), valid_ms }
            }
            other => other,
        }
    }
}

#[test]
fn the_shard_raises_what_is_true_in_time_and_nothing_else() {
    let sample = sample_hospital();
    let mut config = sample.directory.config(1).expect("a site without mistakes");
    // Nobody hears here what doors are told: a shard alone has no vendors.
    config.doors.iter_mut().for_each(|door| door.control = None);
    let world = Arc::new(World::of_sample(&sample, config));
    for seed in 0..SEEDS {
        let options = Options { start_at: START_AT, ..Options::default() };
        let mut hospital = Hospital::new(Arc::clone(&world), seed, options);
        let mut node = Node::new(&world);
        for observation in hospital.advance(RUN_NS) {
            node.hear(&observation);
        }
        let alarms: Vec<HeardAlarm> = node.alarms.iter().map(|(alarm, _)| alarm.clone()).collect();
        let verdict = judge(&world.config, hospital.truth(), &alarms, RUN_NS);
        let wrong: Vec<_> = verdict.wrong.iter().map(|number| &alarms[*number]).collect();
        assert!(wrong.is_empty(), "seed {seed}: false alarms {wrong:#?}");
        let breaches = hospital.truth().breaches();
        let missed: Vec<_> = verdict.missed.iter().map(|number| &breaches[*number]).collect();
        assert!(missed.is_empty(), "seed {seed}: missed {missed:#?}");
        assert!(verdict.repeated.is_empty(), "seed {seed}: repeated {:?}", verdict.repeated);
        let opening =
            node.alarms.iter().filter(|(_, at)| at.since_ns(START_AT) < OPENING_NS).count();
        assert!(opening >= 5, "seed {seed}: {opening} alarms in the first eight seconds");
        let pings = node.shard.status().pings;
        assert_eq!(pings.refused_count, 0, "seed {seed}: {pings:?}");
        assert!(pings.duplicate_count > 0 && pings.late_count > 0, "seed {seed}: {pings:?}");
    }
}
