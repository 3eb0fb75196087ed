//! What ties alarms to each other, against the tables of `docs/specs/incidents.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything here is a test, also what is not marked as one"
)]

use ach_actors_entities::{Clue, Clues, Site};
use ach_actors_model::{
    AlarmId, AlarmKind, AlarmNotice, AlarmPriority, AlarmState, AlarmTransition, AnchorConfig,
    AnchorRef, Cause, DoorConfig, DoorRef, LineRef, NS_PER_S, Name, Place, SiteConfig,
    SourceConfig, SourceRef, SubjectClass, SubjectConfig, SubjectRef, TagConfig, TagId, TagRef,
    Timestamp, UtcOffset, ZoneConfig, ZoneRef,
};
use ach_geo::{Floor, Gates, Outline, Position};

const SPEC: &str = include_str!("../../../docs/specs/incidents.md");

/// By their ids: `doors`, `rtls`.
const DOORS: SourceRef = SourceRef(0);
const RTLS: SourceRef = SourceRef(1);
/// By their ids: `exit`, `far`, `inner`, `upper`.
const EXIT: DoorRef = DoorRef(0);
const INNER: DoorRef = DoorRef(2);
/// By their ids: `house`, `lobby`, `ward`.
const LOBBY: ZoneRef = ZoneRef(1);
const WARD: ZoneRef = ZoneRef(2);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// ```text
///   y 10 +--------+--------+      metres; on floor 0, in a house that is 20 by 60;
///        |  ward  ‖ lobby  ‖      ‖ are the doors "inner" at x 10 and "exit" at x 20, "far" is at
///      0 +--------+--------+      x 50; above "inner" on floor 1 lies "upper"
///       x 0      10       20
/// ```
fn site() -> Site {
    let zone = |id: &str, west: i32, east: i32, south: i32| ZoneConfig {
        id: name(id),
        labels: Vec::new(),
        floor: Some(Floor(0)),
        outline: Outline::Polygon {
            outer_mm: vec![(west, south), (east, south), (east, 10_000), (west, 10_000)],
            holes_mm: Vec::new(),
        },
        height: None,
        capacity: None,
        motion_source: None,
        gates: Gates::default(),
    };
    let door = |id: &str, x_mm: i32, floor: i16| DoorConfig {
        id: name(id),
        labels: Vec::new(),
        source: Some(1),
        floor: Floor(floor),
        sill_mm: ((x_mm, 4_000), (x_mm, 6_000)),
        control: None,
    };
    let source = |id: &str| SourceConfig { id: name(id), silence_ns: None, zones: Vec::new() };
    let class = SubjectClass::Patient;
    let config = SiteConfig {
        site: name("st-anna"),
        version: 1,
        utc_offsets: vec![UtcOffset { from: Timestamp(0), offset_s: 0 }],
        speed_limits: Vec::new(),
        sources: vec![source("rtls"), source("doors")],
        anchors: vec![AnchorConfig {
            id: name("a1"),
            source: 0,
            zones: vec![0, 1],
            silence_ns: None,
        }],
        zones: vec![
            zone("ward", 0, 10_000, 0),
            zone("lobby", 10_000, 20_000, 0),
            zone("house", 0, 20_000, -50_000),
        ],
        doors: vec![
            door("inner", 10_000, 0),
            door("exit", 20_000, 0),
            door("far", 50_000, 0),
            door("upper", 10_000, 100),
        ],
        lines: Vec::new(),
        subjects: vec![SubjectConfig { id: name("anna"), class, labels: Vec::new() }],
        tags: vec![TagConfig { id: TagId(1), source: 0, subject: Some(0) }],
        rules: Vec::new(),
        largest_gap_ns: 2 * NS_PER_S,
        holidays: Vec::new(),
        badges: Vec::new(),
    };
    Site::compile(None, &config).expect("a sound site")
}

/// An alarm of a kind about what such alarms are about: a door, a feed, an anchor; or about anna, who was seen in
/// the lobby at the exit after she left the ward.
fn alarm(kind: AlarmKind) -> AlarmNotice {
    use AlarmKind::{
        ClockSkewed, DoorBatteryLow, DoorForced, DoorHeld, DoorLost, DoorTampered, FeedSilent,
        ReaderTampered, TagSilent, ZoneBlind,
    };
    let place = match kind {
        DoorForced | DoorHeld | DoorTampered | ReaderTampered | DoorLost | DoorBatteryLow => {
            Place::Door(INNER)
        }
        FeedSilent | ClockSkewed => Place::Source(RTLS),
        ZoneBlind => Place::Anchor(AnchorRef(0)),
        TagSilent => Place::Tag(TagRef(0)),
        _ => Place::Zone(WARD),
    };
    let is_about_somebody = matches!(place, Place::Zone(_) | Place::Tag(_));
    let position = Position { x_mm: 18_000, y_mm: 5_000, z_mm: None, floor: Some(Floor(0)) };
    AlarmNotice {
        id: AlarmId(7),
        transition: AlarmTransition::Raised,
        reason: None,
        kind,
        priority: AlarmPriority::High,
        rule: None,
        site_version: 1,
        episode: 1,
        subject: is_about_somebody.then_some(SubjectRef(0)),
        tag: is_about_somebody.then_some(TagRef(0)),
        place,
        is_tentative: false,
        is_late: false,
        is_drill: false,
        cause: Cause::SiteChange,
        observed_at: Timestamp(0),
        received_at: Timestamp(0),
        changed_at: Timestamp(0),
        position: is_about_somebody.then_some(position),
        accuracy_mm: 0,
        gates_passed: 0,
        state: AlarmState::ACTIVE.with(AlarmState::RETAINED),
        life: None,
        incident: None,
        door: None,
        response: None,
        certain_at: Timestamp(0),
    }
}

/// What a word of the table is in this hospital.
fn expected(word: &str, place: Place) -> Vec<Clue> {
    match (word, place) {
        ("subject", Place::Zone(_) | Place::Tag(_)) => vec![Clue::Subject(SubjectRef(0))],
        // Two metres to the exit, eight to the door of the ward; the others are too far, or on another floor.
        ("doors near", _) => vec![Clue::Door(EXIT), Clue::Door(INNER)],
        ("door", Place::Door(door)) => vec![Clue::Door(door)],
        ("zone", Place::Zone(zone)) => vec![Clue::Zone(zone)],
        // The house is round both.
        ("zone", Place::Door(_)) => vec![Clue::Zone(LOBBY), Clue::Zone(WARD)],
        ("feed", Place::Door(_)) => vec![Clue::Source(DOORS)],
        ("feed", _) => vec![Clue::Source(RTLS)],
        ("blind", _) => vec![Clue::Blind(LOBBY), Clue::Blind(WARD)],
        ("door", Place::Zone(_)) => Vec::new(),
        other => panic!("no such clue: {other:?}"),
    }
}

/// The rows of the table that begins with a word.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let rows = SPEC.lines().skip_while(|line| !line.starts_with(&format!("| {head} |")));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn words(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn kind(word: &str) -> AlarmKind {
    let word = word.replace(' ', "_");
    serde::Deserialize::deserialize(
        serde::de::value::StrDeserializer::<serde::de::value::Error>::new(&word),
    )
    .unwrap_or_else(|_| panic!("no such alarm: {word}"))
}

#[test]
fn alarms_are_tied_as_the_table_says() {
    let site = site();
    let rows = table("alarms");
    assert!(rows.len() > 8, "the table was found");
    for row in rows {
        let [kinds, joins_by, joined_by] = row[..] else { panic!("{row:?}") };
        let kinds = match kinds {
            "any other" => "loitering, over capacity, tags contradict",
            kinds => kinds,
        };
        for word in words(kinds) {
            let notice = alarm(kind(word));
            let all = |cell| words(cell).flat_map(|word| expected(word, notice.place)).collect();
            let clues = Clues { joins_by: all(joins_by), joined_by: all(joined_by) };
            assert_eq!(Clues::of(&notice, &site), clues, "{word}");
            let state = notice.state.with(AlarmState::LIFE_SAFETY);
            let of_a_life = Clues::of(&AlarmNotice { state, ..notice }, &site);
            let clues = Clues { joins_by: Vec::new(), ..clues };
            assert_eq!(of_a_life, clues, "{word}: a life never waits");
        }
    }
}

#[test]
fn a_clue_is_found_for_as_long_as_the_table_says() {
    let clues = |word: &str| match word {
        "subject" => Clue::Subject(SubjectRef(0)),
        "door" | "doors near" => Clue::Door(EXIT),
        "zone" => Clue::Zone(WARD),
        "feed" => Clue::Source(RTLS),
        "blind" => Clue::Blind(WARD),
        other => panic!("no such clue: {other}"),
    };
    for row in table("clue") {
        let [word, _, span] = row[..] else { panic!("{row:?}") };
        let minutes: u64 = span.strip_suffix(" min").unwrap().parse().unwrap();
        assert_eq!(clues(word).span_ns(), minutes * 60 * NS_PER_S, "{word}");
    }
}

#[test]
fn doors_are_near_within_ten_metres_on_the_same_floor() {
    let site = site();
    let near = |x_mm: i32, y_mm: i32, floor: Option<i16>| {
        let position = Position { x_mm, y_mm, z_mm: None, floor: floor.map(Floor) };
        let notice = AlarmNotice {
            position: Some(position),
            place: Place::Line(LineRef(0)),
            subject: None,
            ..alarm(AlarmKind::Elopement)
        };
        let clues = Clues::of(&notice, &site).joins_by.into_iter();
        let name = |clue| match clue {
            Clue::Door(door) => site.door_name(door).unwrap(),
            other => panic!("{other:?}"),
        };
        clues.map(name).collect::<Vec<_>>()
    };
    assert_eq!(near(10_000, 5_000, Some(0)), ["inner", "exit"], "the nearest first");
    assert_eq!(near(15_000, 5_000, Some(0)), ["exit", "inner"], "as near: the first by its number");
    assert_eq!(near(30_000, 5_000, Some(0)), ["exit"], "ten metres are near");
    assert_eq!(near(30_001, 5_000, Some(0)), [""; 0], "and no more");
    assert_eq!(near(16_000, 13_500, Some(0)), ["exit"], "as the crow flies");
    assert_eq!(near(10_000, 5_000, Some(100)), ["upper"]);
    assert_eq!(near(10_000, 5_000, None), [""; 0], "of several floors it may be any");
    assert_eq!(near(i32::MAX, i32::MIN, Some(0)), [""; 0]);
}
