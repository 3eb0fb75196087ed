//! A site for the shard's benchmark: a campus with a subject for each tag, and rules armed.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, Name, RuleConfig, SiteConfig, SourceConfig,
    SpeedLimit, SubjectClass, SubjectConfig, TagConfig, TagId, Timestamp, UtcOffset, Who,
    ZoneConfig,
};
use ach_geo::{Confirm, Gates};

use crate::Campus;

/// Every so manyth subject is a visitor, every so manyth room closed to visitors.
const VISITOR_EVERY: usize = 10;
const CLOSED_ROOM_EVERY: usize = 500;
/// Rooms in which patients may stay for ten minutes only.
const SHORT_STAY_EVERY: usize = 50;
const MINUTE_NS: u64 = 60_000_000_000;

/// The site.
pub(crate) fn site(campus: &Campus, tags: usize) -> SiteConfig {
    SiteConfig {
        site: name("campus"),
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 3_600 }],
        speed_limits: [
            SubjectClass::Patient,
            SubjectClass::Staff,
            SubjectClass::Visitor,
            SubjectClass::Asset,
        ]
        .map(|class| SpeedLimit { class, mm_per_s: 4_000 })
        .to_vec(),
        sources: vec![SourceConfig {
            id: name("rtls"),
            silence_ns: Some(MINUTE_NS),
            zones: vec![],
        }],
        anchors: Vec::new(),
        zones: zones(campus),
        doors: Vec::new(),
        lines: Vec::new(),
        subjects: (0..tags).map(subject).collect(),
        tags: (0_u32..).take(tags).map(tag).collect(),
        rules: rules(campus.rooms.len()),
        largest_gap_ns: 2_000_000_000,
        holidays: Vec::new(),
        badges: Vec::new(),
    }
}

fn zones(campus: &Campus) -> Vec<ZoneConfig> {
    let zone =
        |(number, (outline, floor)): (usize, &(ach_geo::Outline, ach_geo::Floor))| ZoneConfig {
            id: name(&format!("room-{number}")),
            labels: Vec::new(),
            floor: Some(*floor),
            outline: outline.clone(),
            height: None,
            capacity: None,
            motion_source: None,
            gates: gates(),
        };
    campus.rooms.iter().enumerate().map(zone).collect()
}

fn subject(number: usize) -> SubjectConfig {
    let class = match number % VISITOR_EVERY {
        0 => SubjectClass::Visitor,
        1..=3 => SubjectClass::Staff,
        4..=6 => SubjectClass::Asset,
        _ => SubjectClass::Patient,
    };
    SubjectConfig { id: name(&format!("subject-{number}")), class, labels: Vec::new() }
}

fn tag(number: u32) -> TagConfig {
    TagConfig { id: TagId(1 + u64::from(number)), source: 0, subject: Some(number) }
}

pub(crate) fn gates() -> Gates {
    Gates {
        entry_margin_mm: 300,
        exit_tolerance_mm: 800,
        tolerance_timeout_ns: Some(20_000_000_000),
        confirm: Confirm { needed: 2, of: 3 },
        ..Gates::default()
    }
}

fn rules(rooms: usize) -> Vec<RuleConfig> {
    let every = |step: usize| {
        (0..rooms).step_by(step).filter_map(|room| u32::try_from(room).ok()).collect::<Vec<u32>>()
    };
    let rule = |id: &str, classes: &[SubjectClass], condition, alarm| RuleConfig {
        id: name(id),
        who: Who { classes: classes.to_vec(), ..Who::default() },
        when: Vec::new(),
        condition,
        alarm,
        priority: AlarmPriority::Medium,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
    };
    let (visitors, patients) = ([SubjectClass::Visitor], [SubjectClass::Patient]);
    let closed = Condition::Inside { zones: every(CLOSED_ROOM_EVERY) };
    let short = Condition::Stays { zones: every(SHORT_STAY_EVERY), after_ns: 10 * MINUTE_NS };
    let silent = Condition::TagSilent { after_ns: 5 * MINUTE_NS };
    vec![
        rule("closed-room", &visitors, closed, AlarmKind::UnauthorisedEntry),
        rule("short-stay", &patients, short, AlarmKind::Loitering),
        rule("silent", &[], silent, AlarmKind::TagSilent),
        rule("battery", &[], Condition::BatteryLow { percent: 10 }, AlarmKind::BatteryLow),
    ]
}

pub(crate) fn name(id: &str) -> Name {
    #[expect(clippy::expect_used, reason = "made of literals and numbers, far below the limit")]
    Name::new(id).expect("a short plain id")
}
