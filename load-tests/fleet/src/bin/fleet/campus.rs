//! The site of the load tests: a campus of rooms along corridors, as large as wanted, with rules
//! armed that nobody breaks unless the load wants an alarm.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, NS_PER_S, Name, SubjectClass, TagId, Timestamp,
};
use ach_clients_rust::Ping;
use ach_engine_site::{
    FeedPlan, FloorPlan, PersonalName, RulePlan, SiteDirectory, SubjectPlan, TagPlan, What,
    WherePlan, WhoPlan, ZoneKind, ZonePlan,
};
use ach_geo::{Confirm, Floor, Gates, Outline};

/// The feed that reports all tags.
pub(crate) const FEED: &str = "rtls";
/// Tags whose silence is an alarm after [`QUIET_NS`]: they make the alarms of deadlines.
pub(crate) const QUIET_TAGS: u32 = 100;
/// How long a quiet tag may be silent.
pub(crate) const QUIET_NS: u64 = NS_PER_S;

/// A room is 5 m by 6 m with 3 m of corridor before it.
pub(crate) const ROOM_MM: (i32, i32) = (5_000, 6_000);
const ROW_MM: i32 = 9_000;
/// Rooms in a row, and on a floor: four rows of 25, as a large hospital has them.
const COLUMNS: u32 = 25;
pub(crate) const FLOOR_ROOMS: u32 = 100;
/// One room in so many, the second first, is closed to visitors; nobody lives there.
const CLOSED_EVERY: u32 = 500;
/// One room in so many is for short stays of patients.
const SHORT_STAY_EVERY: u32 = 50;
/// First factory number of the tags.
const FIRST_TAG: u64 = 0x00AC_4C00_0000_0000;
/// People walk at this speed, out of their room to the middle of the corridor and back.
const WALK_MM_PER_S: u64 = 1_200;
const WALK_MM: u64 = 4_500;
const MINUTE_NS: u64 = 60 * NS_PER_S;

/// A tag to load with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoadTag {
    pub(crate) id: TagId,
    home_mm: (i32, i32),
    floor: Floor,
    phase_mm: u64,
}

impl LoadTag {
    /// A report of it: where it is at that moment, on its way through its door and back.
    pub(crate) fn ping(&self, observed_at: Timestamp, battery_percent: Option<u8>) -> Ping {
        // Whole milliseconds: the product stays far below 2^64 until the year 10000.
        let walked_mm = observed_at.0 / 1_000_000 * WALK_MM_PER_S / 1_000 + self.phase_mm;
        let along_mm = walked_mm % (2 * WALK_MM);
        let away_mm = i32::try_from(along_mm.min(2 * WALK_MM - along_mm)).unwrap_or(0);
        let (x_mm, y_mm) = self.home_mm;
        let ping = Ping::local(self.id, observed_at, x_mm, y_mm + away_mm);
        Ping { battery_percent, ..ping.on_floor(self.floor).within_mm(300) }
    }
}

/// The campus and its tags.
#[derive(Debug)]
pub(crate) struct Campus {
    pub(crate) directory: SiteDirectory,
    pub(crate) tags: Vec<LoadTag>,
    pub(crate) quiet: Vec<LoadTag>,
}

impl Campus {
    /// A campus of that many rooms and tags.
    pub(crate) fn new(zones: u32, tags: u32) -> Campus {
        let mut directory = SiteDirectory::new(name("load-test"), "Load test", "UTC");
        directory.gates = gates();
        directory.feeds = vec![FeedPlan {
            id: name(FEED),
            name: "Locating system".to_owned(),
            silence_ns: None,
            zones: Vec::new(),
            spare_tags: Vec::new(),
        }];
        directory.floors = floors(zones);
        directory.rules = rules();
        let all: Vec<LoadTag> =
            (0..tags + QUIET_TAGS).map(|number| load_tag(number, zones)).collect();
        for (number, tag) in (0..).zip(&all) {
            let subject = subject(number, tag.id, number >= tags);
            if subject.class == SubjectClass::Asset {
                directory.equipment.push(subject);
            } else {
                directory.people.push(subject);
            }
        }
        let count = usize::try_from(tags).unwrap_or(usize::MAX);
        let (tags, quiet) = all.split_at(count.min(all.len()));
        Campus { directory, tags: tags.to_vec(), quiet: quiet.to_vec() }
    }
}

fn load_tag(number: u32, zones: u32) -> LoadTag {
    let room = number % zones;
    // The room before a closed one takes those who would live in it.
    let room = if is_closed(room) { room - 1 } else { room };
    let (x_mm, y_mm) = corner_mm(room);
    LoadTag {
        id: TagId(FIRST_TAG + u64::from(number)),
        home_mm: (x_mm + ROOM_MM.0 / 2, y_mm + ROOM_MM.1 / 2),
        floor: storey(room),
        phase_mm: u64::from(number) * 37 % (2 * WALK_MM),
    }
}

fn is_closed(room: u32) -> bool {
    room % CLOSED_EVERY == 1
}

/// The lower left corner of a room.
pub(crate) fn corner_mm(room: u32) -> (i32, i32) {
    let place = room % FLOOR_ROOMS;
    let at = |count: u32| i32::try_from(count).unwrap_or(0);
    (at(place % COLUMNS) * ROOM_MM.0, at(place / COLUMNS) * ROW_MM)
}

fn storey(room: u32) -> Floor {
    Floor(i16::try_from(room / FLOOR_ROOMS * 100).unwrap_or(i16::MAX))
}

fn floors(zones: u32) -> Vec<FloorPlan> {
    (0..zones.div_ceil(FLOOR_ROOMS))
        .map(|floor| {
            let first = floor * FLOOR_ROOMS;
            FloorPlan {
                id: name(&format!("floor-{floor}")),
                name: format!("Floor {floor}"),
                floor: storey(first),
                zones: (first..zones.min(first + FLOOR_ROOMS)).map(room).collect(),
                doors: Vec::new(),
                lines: Vec::new(),
                anchors: Vec::new(),
            }
        })
        .collect()
}

fn room(room: u32) -> ZonePlan {
    let (x, y) = corner_mm(room);
    let mut labels = Vec::new();
    if is_closed(room) {
        labels.push(name("closed"));
    }
    if room.is_multiple_of(SHORT_STAY_EVERY) {
        labels.push(name("short-stay"));
    }
    let (right, top) = (x + ROOM_MM.0, y + ROOM_MM.1);
    ZonePlan {
        id: name(&format!("room-{room}")),
        name: format!("Room {room}"),
        kind: ZoneKind::Room,
        labels,
        is_on_every_floor: false,
        outline: Outline::Polygon {
            outer_mm: vec![(x, y), (right, y), (right, top), (x, top)],
            holes_mm: Vec::new(),
        },
        height: None,
        capacity: None,
        motion_feed: None,
        gates: None,
    }
}

fn subject(number: u32, tag: TagId, is_quiet: bool) -> SubjectPlan {
    let class = match number % 10 {
        _ if is_quiet => SubjectClass::Asset,
        0 => SubjectClass::Visitor,
        1..=3 => SubjectClass::Staff,
        4..=6 => SubjectClass::Asset,
        _ => SubjectClass::Patient,
    };
    SubjectPlan {
        id: name(&format!("subject-{number}")),
        name: PersonalName(format!("Subject {number}")),
        class,
        labels: if is_quiet { vec![name("quiet")] } else { Vec::new() },
        tags: vec![TagPlan { id: tag, feed: name(FEED) }],
        badges: Vec::new(),
    }
}

fn gates() -> Gates {
    Gates {
        entry_margin_mm: 300,
        exit_tolerance_mm: 800,
        tolerance_timeout_ns: Some(20 * NS_PER_S),
        confirm: Confirm { needed: 2, of: 3 },
        ..Gates::default()
    }
}

fn rules() -> Vec<RulePlan> {
    use AlarmKind::{BatteryLow, Loitering, TagSilent, UnauthorisedEntry};
    let rule = |id: &str, who: WhoPlan, labelled: &[&str], what: What, alarm: AlarmKind| RulePlan {
        id: name(id),
        name: id.to_owned(),
        who,
        place: WherePlan {
            zones_labelled: labelled.iter().map(|label| name(label)).collect(),
            ..WherePlan::default()
        },
        when: Vec::new(),
        what,
        alarm,
        priority: AlarmPriority::Medium,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
        others: None,
        responses: Vec::new(),
    };
    let class = |class| WhoPlan { classes: vec![class], ..WhoPlan::default() };
    let quiet = WhoPlan { labels: vec![name("quiet")], ..WhoPlan::default() };
    let short = What::Stays { after_ns: 10 * MINUTE_NS };
    let silent = |after_ns| What::TagSilent { after_ns };
    let everybody = WhoPlan::default;
    vec![
        rule("battery", everybody(), &[], What::BatteryLow { percent: 10 }, BatteryLow),
        rule("quiet", quiet, &[], silent(QUIET_NS), TagSilent),
        rule("silent", everybody(), &[], silent(15 * MINUTE_NS), TagSilent),
        rule("short-stay", class(SubjectClass::Patient), &["short-stay"], short, Loitering),
        rule(
            "closed-room",
            class(SubjectClass::Visitor),
            &["closed"],
            What::Inside,
            UnauthorisedEntry,
        ),
    ]
}

/// A name made of letters and numbers here.
pub(crate) fn name(id: &str) -> Name {
    #[expect(clippy::expect_used, reason = "made of literals and numbers, far below the limit")]
    Name::new(id).expect("a short plain id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_campus_passes_the_check_that_a_user_would_run() {
        for (zones, tags) in [(600, 1_200), (10, 10), (2, 3)] {
            let campus = Campus::new(zones, tags);
            let config = campus.directory.config(1).expect("a site without mistakes");
            assert_eq!(config.zones.len(), usize::try_from(zones).expect("small"));
            let all = campus.tags.len() + campus.quiet.len();
            assert_eq!(config.tags.len(), all, "{tags} tags and the quiet ones");
        }
    }

    #[test]
    fn tags_walk_at_walking_speed_and_come_home() {
        let campus = Campus::new(600, 1_200);
        for tag in &campus.tags {
            let mut way_mm = 0;
            let place = |ms: u64| match tag.ping(Timestamp(ms * 1_000_000), None).coordinates {
                ach_engine_wire::Coordinates::Local { y_mm, .. } => y_mm,
                other @ ach_engine_wire::Coordinates::Wgs84 { .. } => panic!("{other:?}"),
            };
            for ms in (0..7_500).step_by(100) {
                let step_mm = (place(ms + 100) - place(ms)).abs();
                assert!(step_mm <= 121, "{step_mm} mm in 100 ms");
                way_mm += step_mm;
            }
            assert!((8_500..=9_001).contains(&way_mm), "{way_mm} mm there and back");
        }
    }
}
