//! A corridor, a ward and three patients, recorded by a node that wakes up for every deadline.

use ach_actors_entities::Effect;
use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, NS_PER_S, Name, Ping, PingBatch, RuleConfig,
    SiteConfig, SourceConfig, SourceRef, SpeedLimit, SubjectClass, SubjectConfig, TagConfig, TagId,
    TagRef, Timestamp, UtcOffset, Who, ZoneConfig,
};
use ach_engine_rehearsal::{Rehearsal, Rehearsed};
use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
use ach_geo::{Floor, Gates, Outline, Position};

/// Monday, 23 November 2026, midnight in UTC.
pub(crate) const MONDAY: Timestamp = Timestamp(1_795_392_000 * NS_PER_S);

pub(crate) const PATIENTS: usize = 3;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    MONDAY.plus_ns(seconds * NS_PER_S)
}

/// The ward is west of 20 m, the corridor east of it.
pub(crate) fn site(version: u32, rules: Vec<RuleConfig>) -> SiteConfig {
    let zone = |id: &str, west: i32, east: i32| ZoneConfig {
        id: name(id),
        labels: vec![],
        floor: Some(Floor(0)),
        outline: Outline::Polygon {
            outer_mm: vec![(west, 0), (east, 0), (east, 20_000), (west, 20_000)],
            holes_mm: vec![],
        },
        height: None,
        capacity: None,
        motion_source: None,
        gates: Gates::default(),
    };
    SiteConfig {
        site: name("st-jude"),
        version,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: vec![SpeedLimit { class: SubjectClass::Patient, mm_per_s: 100_000 }],
        sources: vec![SourceConfig { id: name("rtls"), silence_ns: None, zones: vec![] }],
        anchors: vec![],
        zones: vec![zone("ward", 0, 20_000), zone("corridor", 20_000, 40_000)],
        doors: vec![],
        lines: vec![],
        subjects: (0..PATIENTS)
            .map(|number| SubjectConfig {
                id: name(&format!("patient-{number}")),
                class: SubjectClass::Patient,
                labels: vec![],
            })
            .collect(),
        tags: (0..)
            .take(PATIENTS)
            .map(|number: u32| TagConfig {
                id: TagId(u64::from(number) + 1),
                source: 0,
                subject: Some(number),
            })
            .collect(),
        rules,
        largest_gap_ns: 2 * NS_PER_S,
        holidays: Vec::new(),
        badges: Vec::new(),
    }
}

pub(crate) fn rule(id: &str, condition: Condition) -> RuleConfig {
    let alarm = match condition {
        Condition::Leaves { .. } => AlarmKind::Elopement,
        Condition::Stays { .. } => AlarmKind::Loitering,
        Condition::TagSilent { .. } => AlarmKind::TagSilent,
        _ => AlarmKind::UnauthorisedEntry,
    };
    RuleConfig {
        id: name(id),
        who: Who::default(),
        when: vec![],
        condition,
        alarm,
        priority: AlarmPriority::Medium,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
    }
}

/// Being in the corridor.
pub(crate) fn inside(id: &str) -> RuleConfig {
    rule(id, Condition::Inside { zones: vec![1] })
}

/// Staying in the corridor.
pub(crate) fn lingers(id: &str, seconds: u64) -> RuleConfig {
    rule(id, Condition::Stays { zones: vec![1], after_ns: seconds * NS_PER_S })
}

/// Not being heard.
pub(crate) fn silent(id: &str, seconds: u64) -> RuleConfig {
    rule(id, Condition::TagSilent { after_ns: seconds * NS_PER_S })
}

/// A shard that is recorded.
pub(crate) struct Recorder {
    shard: Shard,
    pub(crate) entries: Vec<Entry>,
    seq: u64,
}

impl Recorder {
    /// One that hears of a site first.
    pub(crate) fn new(config: SiteConfig) -> Recorder {
        let mut recorder = Recorder { shard: Shard::new(), entries: vec![], seq: 0 };
        let source = SourceRef(0);
        recorder.push(
            MONDAY,
            vec![Input::SiteChange(Box::new(config)), Input::OpenEpoch { source, epoch: 1 }],
        );
        recorder
    }

    /// A position of a patient.
    pub(crate) fn sees(&mut self, seconds: u64, patient: u32, x_m: i32) {
        let now = at(seconds);
        let ping = Ping {
            tag: TagRef(patient),
            seq_offset: 0,
            observed_at: now,
            position: Position {
                x_mm: x_m * 1_000,
                y_mm: 5_000,
                z_mm: None,
                floor: Some(Floor(0)),
            },
            accuracy_mm: 0,
            battery_percent: None,
        };
        self.seq += 1;
        let batch = PingBatch {
            source: SourceRef(0),
            epoch: 1,
            first_seq: self.seq,
            last_seq: self.seq,
            received_at: now,
            conflated_count: 0,
            refused_count: 0,
            pings: vec![ping],
        };
        self.hear(now, vec![Input::Pings(batch)]);
    }

    /// Anything, after the node has woken up for what was due before.
    pub(crate) fn hear(&mut self, now: Timestamp, inputs: Vec<Input>) {
        let until = inputs.iter().find_map(|input| match input {
            Input::Resumed { away_since } => Some(*away_since),
            _ => None,
        });
        let until = until.unwrap_or(now);
        while let Some(due_at) = self.shard.next_due().filter(|due_at| *due_at < until) {
            let due_at = due_at.max(self.shard.entry_at());
            self.push(due_at, vec![Input::Tick]);
        }
        self.push(now, inputs);
    }

    pub(crate) fn push(&mut self, now: Timestamp, inputs: Vec<Input>) {
        let mut entry = Entry {
            index: self.shard.entry_index() + 1,
            at: now,
            site_version: self.shard.site().map_or(0, |site| site.version()),
            logic_version: LOGIC_VERSION,
            inputs,
            effects_hash: 0,
        };
        let mut effects: Vec<Effect> = vec![];
        entry.effects_hash = self.shard.step(&entry, &mut effects);
        self.entries.push(entry);
    }

    /// What was recorded, rehearsed with the rules it has.
    pub(crate) fn rehearsed_as_lived(&self) -> Rehearsed {
        let mut rehearsal = Rehearsal::new(Shard::new(), Shard::new()).unwrap();
        for entry in &self.entries {
            rehearsal.step(entry.clone(), &mut |config| Ok::<_, String>(config.clone())).unwrap();
        }
        rehearsal.finish()
    }

    /// What was recorded, rehearsed with other rules from the beginning.
    pub(crate) fn rehearsed(&self, rules: &[RuleConfig]) -> Rehearsed {
        let mut rehearsal = Rehearsal::new(Shard::new(), Shard::new()).unwrap();
        for entry in &self.entries {
            let swapped = rehearsal.step(entry.clone(), &mut |config| with(config, rules));
            swapped.unwrap();
        }
        rehearsal.finish()
    }
}

/// A site with other rules.
#[expect(clippy::unnecessary_wraps, reason = "the caller may refuse")]
pub(crate) fn with(config: &SiteConfig, rules: &[RuleConfig]) -> Result<SiteConfig, String> {
    Ok(SiteConfig { rules: rules.to_vec(), ..config.clone() })
}
