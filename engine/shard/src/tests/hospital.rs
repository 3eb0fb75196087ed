//! A small hospital to tell stories about.
//!
//! ```text
//!   y 40 +-----------+
//!        |  nursery  |            on the ground floor, metres; above it all an attic
//!   y 20 +-----------+
//!        |   ward    +-------+ y 10
//!        |           | drugs |
//!   y  0 +--exit-----+-------+
//!        |   lobby   |
//!  y -10 +===front===+            the perimeter: inside is north of it
//!      x 0           20      30
//! ```

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnchorConfig, AnswerConfig, Condition, DoorConfig, LineConfig,
    NS_PER_S, Name, RuleConfig, SiteConfig, SourceConfig, SpeedLimit, SubjectClass, SubjectConfig,
    TagConfig, TagId, Timestamp, UtcOffset, Who, Window, ZoneConfig,
};
use ach_geo::{Confirm, Floor, Gates, Outline};

/// The first moment of every story: Monday, 23 November 2026, midnight in UTC.
pub(crate) const MONDAY: Timestamp = Timestamp(1_795_392_000 * NS_PER_S);

pub(crate) const SUBJECTS: [(&str, SubjectClass, &str); 7] = [
    ("anna", SubjectClass::Patient, "dementia"),
    ("baby", SubjectClass::Patient, "newborn"),
    ("nora", SubjectClass::Patient, "confined_at_night"),
    ("sam", SubjectClass::Staff, "nurse"),
    ("vera", SubjectClass::Visitor, "guest"),
    ("victor", SubjectClass::Visitor, "guest"),
    ("pump", SubjectClass::Asset, "infusion"),
];

pub(crate) const ZONES: [(&str, [i32; 4]); 5] = [
    ("ward", [0, 0, 20, 20]),
    ("drugs", [20, 0, 30, 10]),
    ("lobby", [0, -10, 20, 0]),
    ("nursery", [0, 20, 20, 40]),
    ("attic", [0, 0, 20, 20]),
];

const WARD: u32 = 0;
pub(crate) const DRUGS: u32 = 1;
const LOBBY: u32 = 2;
const NURSERY: u32 = 3;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a plain id")
}

/// The site in its first version.
pub(crate) fn hospital() -> SiteConfig {
    let limit = |class, metres: u32| SpeedLimit { class, mm_per_s: metres * 1_000 };
    SiteConfig {
        site: name("st-jude"),
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: vec![
            limit(SubjectClass::Patient, 10),
            limit(SubjectClass::Staff, 10),
            limit(SubjectClass::Visitor, 10),
            limit(SubjectClass::Asset, 10),
        ],
        sources: vec![
            SourceConfig { id: name("rtls"), silence_ns: Some(20 * NS_PER_S), zones: vec![] },
            SourceConfig { id: name("doors"), silence_ns: None, zones: vec![] },
        ],
        anchors: vec![AnchorConfig {
            id: name("a1"),
            source: 0,
            zones: vec![DRUGS],
            silence_ns: None,
        }],
        zones: ZONES.iter().map(|&(id, corners)| zone(id, corners)).collect(),
        doors: vec![door("exit", ((5, 0), (6, 0))), door("hatch", ((20, 4), (20, 5)))],
        lines: vec![LineConfig {
            id: name("front"),
            labels: vec![],
            floor: Floor(0),
            points_mm: vec![(0, -10_000), (20_000, -10_000)],
        }],
        subjects: SUBJECTS
            .iter()
            .map(|&(id, class, label)| SubjectConfig {
                id: name(id),
                class,
                labels: vec![name(label)],
            })
            .collect(),
        tags: (0..7)
            .map(|at| TagConfig { id: TagId(0xA0 + u64::from(at)), source: 0, subject: Some(at) })
            .collect(),
        rules: rules(),
        largest_gap_ns: 2 * NS_PER_S,
        holidays: Vec::new(),
        badges: Vec::new(),
    }
}

fn zone(id: &str, [west, south, east, north]: [i32; 4]) -> ZoneConfig {
    let [west, south, east, north] = [west, south, east, north].map(|metres| metres * 1_000);
    let mut gates = Gates::default();
    if id == "nursery" {
        gates.exit_tolerance_mm = 1_000;
        gates.exit_delay_ns = 3 * NS_PER_S;
        gates.confirm = Confirm { needed: 1, of: 1 };
    }
    ZoneConfig {
        id: name(id),
        labels: vec![],
        floor: Some(Floor(if id == "attic" { 100 } else { 0 })),
        outline: Outline::Polygon {
            outer_mm: vec![(west, south), (east, south), (east, north), (west, north)],
            holes_mm: vec![],
        },
        height: None,
        capacity: (id == "lobby").then_some(2),
        motion_source: None,
        gates,
    }
}

fn door(id: &str, ((ax, ay), (bx, by)): ((i32, i32), (i32, i32))) -> DoorConfig {
    DoorConfig {
        id: name(id),
        labels: vec![],
        source: Some(1),
        floor: Floor(0),
        sill_mm: ((ax * 1_000, ay * 1_000), (bx * 1_000, by * 1_000)),
        control: None,
    }
}

fn rule(id: &str, who: Who, condition: Condition, alarm: AlarmKind) -> RuleConfig {
    RuleConfig {
        id: name(id),
        who,
        when: vec![],
        condition,
        alarm,
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
    }
}

/// A rule about doors.
pub(crate) fn door_rule(id: &str, alarm: AlarmKind, condition: Condition) -> RuleConfig {
    rule(id, Who::default(), condition, alarm)
}

fn label(text: &str) -> Who {
    Who { labels_any: vec![name(text)], ..Who::default() }
}

fn class(class: SubjectClass) -> Who {
    Who { classes: vec![class], ..Who::default() }
}

fn rules() -> Vec<RuleConfig> {
    let mut rules = subject_rules();
    rules.extend(door_rules());
    rules
}

fn subject_rules() -> Vec<RuleConfig> {
    let leaves = |zones, lines| Condition::Leaves { zones, lines };
    let stays = Condition::Stays { zones: vec![LOBBY], after_ns: 60 * NS_PER_S };
    vec![
        rule("wander", label("dementia"), leaves(vec![WARD], vec![0]), AlarmKind::Elopement),
        RuleConfig {
            is_tentative: true,
            ..rule("snatch", label("newborn"), leaves(vec![NURSERY], vec![]), AlarmKind::Elopement)
        },
        RuleConfig {
            when: vec![Window { weekdays: 0b111_1111, from_s: 22 * 3_600, until_s: 6 * 3_600 }],
            ..rule(
                "night",
                label("confined_at_night"),
                Condition::Inside { zones: vec![LOBBY] },
                AlarmKind::UnauthorisedEntry,
            )
        },
        rule("keep", class(SubjectClass::Asset), leaves(vec![WARD], vec![]), AlarmKind::AssetTheft),
        rule(
            "no-guests",
            class(SubjectClass::Visitor),
            Condition::Inside { zones: vec![DRUGS] },
            AlarmKind::UnauthorisedEntry,
        ),
        rule("loiter", class(SubjectClass::Visitor), stays, AlarmKind::Loitering),
        rule(
            "hush",
            class(SubjectClass::Patient),
            Condition::TagSilent { after_ns: 30 * NS_PER_S },
            AlarmKind::TagSilent,
        ),
        rule("flat", Who::default(), Condition::BatteryLow { percent: 20 }, AlarmKind::BatteryLow),
        rule("cut", Who::default(), Condition::BandCut, AlarmKind::BandCut),
        rule("help", Who::default(), Condition::ButtonPressed, AlarmKind::Duress),
        rule(
            "full",
            Who::default(),
            Condition::OverCapacity { zones: vec![LOBBY] },
            AlarmKind::OverCapacity,
        ),
    ]
}

fn door_rules() -> Vec<RuleConfig> {
    vec![
        rule(
            "forced",
            Who::default(),
            Condition::DoorForced { doors: vec![0, 1] },
            AlarmKind::DoorForced,
        ),
        rule(
            "held",
            Who::default(),
            Condition::DoorHeld {
                doors: vec![0, 1],
                after_ns: 40 * NS_PER_S,
                also_unlocked: false,
            },
            AlarmKind::DoorHeld,
        ),
        rule(
            "pried",
            Who::default(),
            Condition::DoorTampered { doors: vec![0] },
            AlarmKind::DoorTampered,
        ),
        rule(
            "reader",
            Who::default(),
            Condition::ReaderTampered { doors: vec![0] },
            AlarmKind::ReaderTampered,
        ),
        rule(
            "lost",
            Who::default(),
            Condition::DoorLost { doors: vec![1], after_ns: 50 * NS_PER_S },
            AlarmKind::DoorLost,
        ),
        rule(
            "weak",
            Who::default(),
            Condition::DoorBatteryLow { doors: vec![0, 1], percent: 20 },
            AlarmKind::DoorBatteryLow,
        ),
    ]
}
