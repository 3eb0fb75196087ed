//! The simulated site: a doll's house, in which nothing is further away than a ping is believed.
//!
//! Everything lies within two metres, because a position further than two and a half metres from the
//! last may have to be borne out by a second one, which is not what is simulated here.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, DoorConfig, NS_PER_S, Name, RuleConfig,
    SiteConfig, SourceConfig, SpeedLimit, SubjectClass, SubjectConfig, TagConfig, TagId, Timestamp,
    UtcOffset, Who, ZoneConfig,
};
use ach_geo::{Floor, Gates, Outline};

/// The site's id.
pub(crate) const SITE: &str = "doll-house";
/// The node's name.
pub(crate) const NODE: &str = "node-1";
/// The only feed.
pub(crate) const VENDOR: &str = "uwb";
/// Who follows the alarms.
pub(crate) const RECEIVER: &str = "desk";
/// Tags, one on each subject.
pub(crate) const TAG_COUNT: u32 = 5;
/// Doors.
pub(crate) const DOOR_COUNT: u32 = 2;
/// How long somebody may stay in the lobby.
pub(crate) const STAY_NS: u64 = 6 * NS_PER_S;
/// How long a tag may be silent.
pub(crate) const SILENCE_NS: u64 = 15 * NS_PER_S;
/// How long a door may stand open.
pub(crate) const HELD_NS: u64 = 4 * NS_PER_S;
/// How long a door may be silent by the one rule about it.
pub(crate) const MUTE_NS: u64 = 12 * NS_PER_S;
/// And by the other one: no run lasts that long, so that it tells only what is said of the door.
const LOST_NS: u64 = 1_000 * 3_600 * NS_PER_S;
/// The only floor.
pub(crate) const FLOOR: Floor = Floor(0);

/// The zones, as squares: west, south, east and north in millimetres.
pub(crate) const ZONES: [(&str, [i32; 4]); 3] =
    [("vault", [0, 0, 500, 500]), ("ward", [700, 0, 1_200, 500]), ("lobby", [0, 700, 500, 1_200])];

/// A name of the simulated site.
#[expect(clippy::expect_used, reason = "the names are constants of this crate")]
pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name of the simulated site is a name")
}

/// The number of a tag.
pub(crate) fn tag_id(index: u32) -> TagId {
    TagId(u64::from(index) + 1)
}

/// The name of whom a tag is on.
pub(crate) fn subject_name(index: u32) -> Name {
    name(&format!("patient-{}", index.saturating_add(1)))
}

/// The name of a door.
pub(crate) fn door_name(index: u32) -> Name {
    name(&format!("door-{}", index.saturating_add(1)))
}

fn zone((id, [west, south, east, north]): (&str, [i32; 4])) -> ZoneConfig {
    ZoneConfig {
        id: name(id),
        labels: Vec::new(),
        floor: Some(FLOOR),
        outline: Outline::Polygon {
            outer_mm: vec![(west, south), (east, south), (east, north), (west, north)],
            holes_mm: Vec::new(),
        },
        height: None,
        capacity: None,
        motion_source: None,
        gates: Gates::default(),
    }
}

fn rule(id: &str, condition: Condition, alarm: AlarmKind) -> RuleConfig {
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

/// The site's configuration.
pub(crate) fn site() -> SiteConfig {
    let door = |index: u32| {
        // Sills lie where nobody walks: what is simulated of doors is what they report.
        let west = 100_000 + 2_000 * i32::try_from(index).unwrap_or(0);
        DoorConfig {
            id: door_name(index),
            labels: Vec::new(),
            source: Some(0),
            floor: FLOOR,
            sill_mm: ((west, 0), (west + 1_000, 0)),
            control: None,
        }
    };
    let doors = || (0..DOOR_COUNT).collect::<Vec<u32>>();
    let lost = |after_ns| Condition::DoorLost { doors: doors(), after_ns };
    SiteConfig {
        site: name(SITE),
        version: 0,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: vec![SpeedLimit { class: SubjectClass::Patient, mm_per_s: 4_000 }],
        sources: vec![SourceConfig { id: name(VENDOR), silence_ns: None, zones: Vec::new() }],
        anchors: Vec::new(),
        zones: ZONES.into_iter().map(zone).collect(),
        doors: (0..DOOR_COUNT).map(door).collect(),
        lines: Vec::new(),
        subjects: (0..TAG_COUNT)
            .map(|index| SubjectConfig {
                id: subject_name(index),
                class: SubjectClass::Patient,
                labels: Vec::new(),
            })
            .collect(),
        tags: (0..TAG_COUNT)
            .map(|index| TagConfig { id: tag_id(index), source: 0, subject: Some(index) })
            .collect(),
        rules: vec![
            rule("entry", Condition::Inside { zones: vec![0] }, AlarmKind::UnauthorisedEntry),
            rule(
                "exit",
                Condition::Leaves { zones: vec![1], lines: Vec::new() },
                AlarmKind::Elopement,
            ),
            rule(
                "stay",
                Condition::Stays { zones: vec![2], after_ns: STAY_NS },
                AlarmKind::Loitering,
            ),
            rule("duress", Condition::ButtonPressed, AlarmKind::Duress),
            rule("band", Condition::BandCut, AlarmKind::BandCut),
            rule("forced", Condition::DoorForced { doors: doors() }, AlarmKind::DoorForced),
            rule(
                "held",
                Condition::DoorHeld { doors: doors(), after_ns: HELD_NS, also_unlocked: false },
                AlarmKind::DoorHeld,
            ),
            rule("pried", Condition::DoorTampered { doors: doors() }, AlarmKind::DoorTampered),
            rule("mute", lost(MUTE_NS), AlarmKind::DoorLost),
            rule("lost", lost(LOST_NS), AlarmKind::DoorLost),
            rule("silent", Condition::TagSilent { after_ns: SILENCE_NS }, AlarmKind::TagSilent),
        ],
        largest_gap_ns: 2 * NS_PER_S,
        holidays: Vec::new(),
        badges: Vec::new(),
    }
}
