//! The hospital of the stories.
//!
//! ```text
//!   y 10 +--------+--------+--------+
//!        |  ward  |  lobby ‖ garden |   floor 1; ‖ is the line "fence" with the door "exit" from
//!      0 +--------+--------+--------+   y 4 to 6; above the ward on floor 2 lies "attic"
//!       x 0      10       20       30
//! ```

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnchorConfig, AnswerConfig, Condition, DoorConfig, LineConfig, Name,
    RuleConfig, SiteConfig, SourceConfig, SubjectClass, SubjectConfig, TagConfig, TagId, Timestamp,
    UtcOffset, Who, Window, ZoneConfig,
};
use ach_geo::{Floor, Gates, Outline};

pub(crate) const S: u64 = 1_000_000_000;

/// Indexes of zones.
pub(crate) const WARD: u32 = 0;
pub(crate) const LOBBY: u32 = 1;
pub(crate) const GARDEN: u32 = 2;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Patient p (tags 1 and 2), staff s (3), asset a (4), visitor v (5); tag 6 is on nobody.
pub(crate) fn hospital(rules: Vec<RuleConfig>) -> SiteConfig {
    let subject = |id: &str, class, labels: &[&str]| SubjectConfig {
        id: name(id),
        class,
        labels: labels.iter().map(|label| name(label)).collect(),
    };
    let tag = |id, subject| TagConfig { id: TagId(id), source: 0, subject };
    SiteConfig {
        site: name("st-anna"),
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: Vec::new(),
        sources: vec![SourceConfig { id: name("uwb"), silence_ns: None, zones: vec![] }],
        anchors: vec![AnchorConfig {
            id: name("a1"),
            source: 0,
            zones: vec![WARD],
            silence_ns: None,
        }],
        zones: vec![
            zone("ward", 100, 0, 10),
            zone("lobby", 100, 10, 20),
            zone("garden", 100, 20, 30),
            zone("attic", 200, 0, 10),
        ],
        doors: vec![DoorConfig {
            id: name("exit"),
            labels: Vec::new(),
            source: Some(0),
            floor: Floor(100),
            sill_mm: ((20_000, 4_000), (20_000, 6_000)),
            control: None,
        }],
        lines: vec![LineConfig {
            id: name("fence"),
            labels: Vec::new(),
            floor: Floor(100),
            points_mm: vec![(20_000, 0), (20_000, 10_000)],
        }],
        subjects: vec![
            subject("p", SubjectClass::Patient, &["dementia"]),
            subject("s", SubjectClass::Staff, &[]),
            subject("a", SubjectClass::Asset, &["pump"]),
            subject("v", SubjectClass::Visitor, &[]),
        ],
        tags: vec![
            tag(1, Some(0)),
            tag(2, Some(0)),
            tag(3, Some(1)),
            tag(4, Some(2)),
            tag(5, Some(3)),
            tag(6, None),
        ],
        rules,
        largest_gap_ns: 2 * S,
        holidays: Vec::new(),
        badges: Vec::new(),
    }
}

pub(crate) fn zone(id: &str, floor: i16, west_m: i32, east_m: i32) -> ZoneConfig {
    let (west, east) = (west_m * 1_000, east_m * 1_000);
    ZoneConfig {
        id: name(id),
        labels: Vec::new(),
        floor: Some(Floor(floor)),
        outline: Outline::Polygon {
            outer_mm: vec![(west, 0), (east, 0), (east, 10_000), (west, 10_000)],
            holes_mm: Vec::new(),
        },
        height: None,
        capacity: None,
        motion_source: None,
        gates: Gates::default(),
    }
}

/// A rule for everybody at all hours, upheld from the start.
pub(crate) fn rule(id: &str, alarm: AlarmKind, condition: Condition) -> RuleConfig {
    RuleConfig {
        id: name(id),
        who: Who::default(),
        when: Vec::new(),
        condition,
        alarm,
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
    }
}

pub(crate) fn for_class(class: SubjectClass, rule: RuleConfig) -> RuleConfig {
    RuleConfig { who: Who { classes: vec![class], ..Who::default() }, ..rule }
}

pub(crate) fn tentative(gates: Gates, rule: RuleConfig) -> RuleConfig {
    RuleConfig { gates: Some(gates), is_tentative: true, ..rule }
}

/// Every day that is no holiday, from one hour to another.
pub(crate) fn hours(from_h: u32, until_h: u32, rule: RuleConfig) -> RuleConfig {
    let window = Window { weekdays: 127, from_s: from_h * 3_600, until_s: until_h * 3_600 };
    RuleConfig { when: vec![window], ..rule }
}
