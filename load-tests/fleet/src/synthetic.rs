//! A plain hospital of any size: one corridor a floor with rooms on both sides, wards of twelve
//! rooms, stairs at the east end, a fire exit at the west end. For load tests and for tests of the
//! simulator; the demo has a finer one.

use ach_actors_model::{
    AlarmKind, AlarmPriority, AnswerConfig, Condition, DoorConfig, LineConfig, NS_PER_S, Name,
    RuleConfig, SiteConfig, SourceConfig, SpeedLimit, SubjectClass, SubjectConfig, TagConfig,
    TagId, Timestamp, UtcOffset, Who, ZoneConfig,
};
use ach_engine_site::ClassSet;
use ach_geo::{Confirm, Floor, Gates, Outline};

use crate::walk_graph::{WalkGraph, Way};
use crate::world::{Residence, World};

/// A room is this wide and deep, the corridor this broad.
const ROOM_WIDE_MM: i32 = 5_000;
const ROOM_DEEP_MM: i32 = 6_000;
const CORRIDOR_MM: i32 = 3_000;
/// Room columns of a ward; a column has a room to the north and one to the south.
const WARD_COLUMNS: i32 = 6;
/// Wards on a floor.
const WARDS: i32 = 4;
/// Zones of a floor: wards with their rooms.
const ZONES_PER_FLOOR: u32 = 4 * (1 + 2 * 6);
/// Floors at most; floors are hundredths in an `i16`.
const FLOORS_MAX: u32 = 300;
/// First factory number of the tags.
const FIRST_TAG: u64 = 0x00AC_4800_0000_0000;

/// How large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Tags, one on each subject.
    pub tags: u32,
    /// Zones, at least; filled up to whole floors.
    pub zones: u32,
}

/// Builds it. The same scale gives the same hospital.
pub fn synthetic(scale: Scale) -> World {
    let floors = scale.zones.div_ceil(ZONES_PER_FLOOR).clamp(1, FLOORS_MAX);
    let mut plan = Plan::default();
    for storey in 0..floors {
        plan.add_floor(Floor(i16::try_from(storey * 100).unwrap_or(i16::MAX)));
    }
    plan.add_grounds();
    let (subjects, tags, homes) = plan.people(scale.tags);
    let config = SiteConfig {
        site: name("synthetic"),
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: speed_limits(),
        sources: ["rtls", "doors"]
            .map(|id| SourceConfig { id: name(id), silence_ns: Some(30 * NS_PER_S), zones: vec![] })
            .to_vec(),
        anchors: Vec::new(),
        zones: plan.zones,
        doors: plan.doors,
        lines: plan.lines,
        subjects,
        tags,
        rules: rules(&plan.exits),
        largest_gap_ns: 2 * NS_PER_S,
        holidays: Vec::new(),
        badges: Vec::new(),
    };
    let graph = WalkGraph::new(&plan.spots, &plan.ways, &config);
    let residences = homes
        .into_iter()
        .map(|(home, ward)| {
            let near = |spot: &u32| ward.is_none_or(|ward| plan.ward_of.get(spot) == Some(&ward));
            let targets = plan.rooms.iter().copied().filter(near).collect();
            Residence { home, targets }
        })
        .collect();
    World { config, graph, residences }
}

/// A plan being drawn.
#[derive(Debug, Default)]
struct Plan {
    zones: Vec<ZoneConfig>,
    doors: Vec<DoorConfig>,
    lines: Vec<LineConfig>,
    spots: Vec<(i32, i32, Floor)>,
    ways: Vec<Way>,
    rooms: Vec<u32>,
    ward_of: std::collections::BTreeMap<u32, u32>,
    exits: Vec<u32>,
    stairs: Option<usize>,
}

impl Plan {
    fn add_floor(&mut self, floor: Floor) {
        let mut before = None;
        for ward in 0..WARDS {
            self.add_ward(floor, ward);
            let ward_number = u32::try_from(ward).unwrap_or(0);
            for column in 0..WARD_COLUMNS {
                let middle_mm = (ward * WARD_COLUMNS + column) * ROOM_WIDE_MM + ROOM_WIDE_MM / 2;
                let passing = self.add_spot(middle_mm, CORRIDOR_MM / 2, floor);
                if let Some(before) = before {
                    self.join(before, passing);
                }
                before = Some(passing);
                for y_mm in [CORRIDOR_MM, 0] {
                    let beyond_mm = if y_mm == 0 { -ROOM_DEEP_MM / 2 } else { ROOM_DEEP_MM / 2 };
                    let doorway = self.add_spot(middle_mm, y_mm, floor);
                    let room = self.add_spot(middle_mm, y_mm + beyond_mm, floor);
                    self.join(passing, doorway);
                    self.join(doorway, room);
                    self.add_door(floor, (middle_mm, y_mm), None);
                    if let Ok(room) = u32::try_from(room) {
                        self.rooms.push(room);
                        self.ward_of.insert(room, ward_number);
                    }
                }
            }
        }
        let Some(east) = before else { return };
        let east_mm = WARDS * WARD_COLUMNS * ROOM_WIDE_MM;
        let landing = self.add_spot(east_mm + 2_000, CORRIDOR_MM / 2, floor);
        self.join(east, landing);
        if let Some(below) = self.stairs.replace(landing) {
            self.join(below, landing);
        }
    }

    /// A ward over the whole width of the building, and its rooms.
    fn add_ward(&mut self, floor: Floor, ward: i32) {
        let west_mm = ward * WARD_COLUMNS * ROOM_WIDE_MM;
        let east_mm = west_mm + WARD_COLUMNS * ROOM_WIDE_MM;
        let top_mm = CORRIDOR_MM + ROOM_DEEP_MM;
        let id = format!("f{}-ward-{ward}", floor.0);
        self.add_zone(&id, floor, (west_mm, -ROOM_DEEP_MM), (east_mm, top_mm), None);
        for column in 0..WARD_COLUMNS {
            let (a_mm, b_mm) = (column * ROOM_WIDE_MM, (column + 1) * ROOM_WIDE_MM);
            let (a_mm, b_mm) = (west_mm + a_mm, west_mm + b_mm);
            let capacity = (ward == 3 && column == 0).then_some(8);
            let id = format!("f{}-room-{ward}{column}", floor.0);
            let north = (a_mm, CORRIDOR_MM);
            self.add_zone(&format!("{id}n"), floor, north, (b_mm, top_mm), capacity);
            self.add_zone(&format!("{id}s"), floor, (a_mm, -ROOM_DEEP_MM), (b_mm, 0), None);
        }
        if ward > 0 {
            self.add_door(floor, (west_mm, CORRIDOR_MM / 2), Some(1));
        }
    }

    /// Outside, west of the ground floor, behind a perimeter line and a fire exit.
    fn add_grounds(&mut self) {
        let floor = Floor(0);
        let doorway = self.add_spot(0, CORRIDOR_MM / 2, floor);
        let outside = self.add_spot(-8_000, CORRIDOR_MM / 2, floor);
        let far = self.add_spot(-25_000, CORRIDOR_MM / 2, floor);
        self.join(0, doorway);
        self.join(doorway, outside);
        self.join(outside, far);
        self.exits.push(u32::try_from(self.doors.len()).unwrap_or(0));
        self.add_door(floor, (0, CORRIDOR_MM / 2), Some(1));
        self.lines.push(LineConfig {
            id: name("west-perimeter"),
            labels: Vec::new(),
            floor,
            points_mm: vec![(-1_500, 20_000), (-1_500, -20_000)],
        });
    }

    fn add_zone(
        &mut self,
        id: &str,
        floor: Floor,
        low: (i32, i32),
        high: (i32, i32),
        capacity: Option<u32>,
    ) {
        let outer_mm = vec![low, (high.0, low.1), high, (low.0, high.1)];
        self.zones.push(ZoneConfig {
            id: name(id),
            labels: Vec::new(),
            floor: Some(floor),
            outline: Outline::Polygon { outer_mm, holes_mm: Vec::new() },
            height: None,
            capacity,
            motion_source: None,
            gates: gates(),
        });
    }

    /// A door in a wall along the corridor, or, when wired, across it.
    fn add_door(&mut self, floor: Floor, (x_mm, y_mm): (i32, i32), source: Option<u32>) {
        let sill_mm = if source.is_some() {
            ((x_mm, y_mm - 1_000), (x_mm, y_mm + 1_000))
        } else {
            ((x_mm - 500, y_mm), (x_mm + 500, y_mm))
        };
        let id = name(&format!("door-{}", self.doors.len()));
        let labels = Vec::new();
        self.doors.push(DoorConfig { id, labels, source, floor, sill_mm, control: None });
    }

    fn add_spot(&mut self, x_mm: i32, y_mm: i32, floor: Floor) -> usize {
        self.spots.push((x_mm, y_mm, floor));
        self.spots.len() - 1
    }

    fn join(&mut self, a: usize, b: usize) {
        self.ways.push(Way { a, b, classes: ClassSet::ALL });
    }

    /// Subjects with their tags, and home and ward of each.
    fn people(&self, count: u32) -> People {
        let (mut subjects, mut tags, mut homes) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let (class, label, ward) = role(number);
            let rooms: Vec<u32> = self
                .rooms
                .iter()
                .copied()
                .filter(|room| ward.is_none_or(|ward| self.ward_of.get(room) == Some(&ward)))
                .collect();
            let turn = usize::try_from(number / 10).unwrap_or(0) % rooms.len().max(1);
            let home = rooms.get(turn).copied().unwrap_or(0);
            subjects.push(SubjectConfig {
                id: name(&format!("{label}-{number}")),
                class,
                labels: vec![name(label)],
            });
            let id = TagId(FIRST_TAG + u64::from(number));
            tags.push(TagConfig { id, source: 0, subject: Some(number) });
            homes.push((home, ward));
        }
        (subjects, tags, homes)
    }
}

type People = (Vec<SubjectConfig>, Vec<TagConfig>, Vec<(u32, Option<u32>)>);

/// What the subject of that number is, and the ward it keeps to.
fn role(number: u32) -> (SubjectClass, &'static str, Option<u32>) {
    match number % 10 {
        0 => (SubjectClass::Patient, "dementia", Some(0)),
        1 => (SubjectClass::Asset, "pump", Some(2)),
        2 => (SubjectClass::Visitor, "visitor", Some(3)),
        3..=5 => (SubjectClass::Staff, "staff", None),
        6 => (SubjectClass::Asset, "bed", None),
        7 => (SubjectClass::Patient, "psychiatric", Some(1)),
        _ => (SubjectClass::Patient, "patient", Some(3)),
    }
}

fn gates() -> Gates {
    Gates {
        entry_margin_mm: 300,
        exit_tolerance_mm: 800,
        tolerance_timeout_ns: None,
        confirm: Confirm { needed: 2, of: 3 },
        ..Gates::default()
    }
}

fn speed_limits() -> Vec<SpeedLimit> {
    [SubjectClass::Patient, SubjectClass::Staff, SubjectClass::Visitor, SubjectClass::Asset]
        .map(|class| SpeedLimit { class, mm_per_s: 4_000 })
        .to_vec()
}

fn rules(exits: &[u32]) -> Vec<RuleConfig> {
    use AlarmKind as Kind;
    let who = |class: &[SubjectClass], labels: &[&str]| Who {
        classes: class.to_vec(),
        labels_any: labels.iter().map(|label| name(label)).collect(),
        ..Who::default()
    };
    let rule = |id: &str, who: Who, condition: Condition, alarm: AlarmKind| RuleConfig {
        id: name(id),
        who,
        when: Vec::new(),
        condition,
        alarm,
        priority: AlarmPriority::High,
        gates: None,
        is_tentative: false,
        answer: AnswerConfig::default(),
    };
    // Ward 0 of the ground floor is zone 0; each ward is followed by its twelve rooms.
    let (dementia, psychiatric, store) = (0, 13, 26);
    let leaves = |zone: u32, lines: Vec<u32>| Condition::Leaves { zones: vec![zone], lines };
    let forbidden = Condition::Inside { zones: vec![psychiatric] };
    let everybody = Who::default;
    vec![
        rule("elopement", who(&[], &["dementia"]), leaves(dementia, vec![0]), Kind::Elopement),
        rule("pump-leaves", who(&[], &["pump"]), leaves(store, Vec::new()), Kind::AssetTheft),
        rule("visitor", who(&[SubjectClass::Visitor], &[]), forbidden, Kind::UnauthorisedEntry),
        rule("duress", who(&[SubjectClass::Staff], &[]), Condition::ButtonPressed, Kind::Duress),
        rule("band-cut", who(&[], &["dementia"]), Condition::BandCut, Kind::BandCut),
        rule(
            "fire-exit",
            everybody(),
            Condition::DoorForced { doors: exits.to_vec() },
            Kind::DoorForced,
        ),
        rule("crowd", everybody(), Condition::OverCapacity { zones: vec![40] }, Kind::OverCapacity),
        rule(
            "silent",
            everybody(),
            Condition::TagSilent { after_ns: 60 * NS_PER_S },
            Kind::TagSilent,
        ),
        rule("battery", everybody(), Condition::BatteryLow { percent: 10 }, Kind::BatteryLow),
    ]
}

/// A name made of letters and numbers here.
fn name(id: &str) -> Name {
    #[expect(clippy::expect_used, reason = "made of literals and numbers, far below the limit")]
    Name::new(id).expect("a short plain id")
}
