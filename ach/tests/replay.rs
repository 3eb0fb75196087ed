//! A real recording through the whole product: vendor client, wire, shard, journal, subscriber. Its
//! crossings agree with models that share no code with it: plain containment without gates, and a
//! naive timer for each walk and zone with gates.
//!
//! The recording is looked for in `$ACH_RECORDINGS`; without it the tests say so and pass.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use ach_actors_model::{Name, SpeedLimit, SubjectClass, TagId};
use ach_engine_site::{
    FeedPlan, FloorPlan, PersonalName, SiteDirectory, SubjectPlan, TagPlan, ZoneKind, ZonePlan,
};
use ach_geo::{Floor, Gates, Outline};
use geo::{Distance, Euclidean, Intersects, Point, Polygon};

const FLOORS: [i16; 3] = [0, 100, 200];
const TOLERANCE_MM: u32 = 1_500;
const DELAY_MS: u64 = 8_000;
const COLUMNS: &str = "time=t_s,tag=walk,x=x_m,y=y_m,z=z_m,floor=floor";

/// A point of a walk, in the product's units.
#[derive(Debug, Clone, Copy)]
struct Step {
    at_ms: f64,
    x_mm: f64,
    y_mm: f64,
    floor: i16,
}

/// Walks by name, each in order of time.
type Walks = BTreeMap<String, Vec<Step>>;
/// What happened to a walk at a zone, in order: true is entered.
type Crossings = BTreeMap<(String, String), Vec<bool>>;

fn recording() -> Option<PathBuf> {
    let folder = std::env::var_os("ACH_RECORDINGS").map(PathBuf::from);
    let path = folder.map(|folder| folder.join("wifine/walks.csv")).filter(|path| path.exists());
    if path.is_none() {
        println!("SKIPPED: no recording; set ACH_RECORDINGS");
    }
    path
}

fn walks(path: &Path) -> Walks {
    let mut walks = Walks::new();
    let mut reader = csv::Reader::from_path(path).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let number = |column: usize| record[column].parse::<f64>().unwrap();
        let step = Step {
            at_ms: number(1) * 1_000.0,
            x_mm: (number(2) * 1_000.0).round(),
            y_mm: (number(3) * 1_000.0).round(),
            floor: FLOORS[record[5].parse::<usize>().unwrap()],
        };
        walks.entry(record[0].to_owned()).or_default().push(step);
    }
    for walk in walks.values_mut() {
        believe_floors(walk);
    }
    walks
}

/// A floor that a single position tells of is no evidence: the product waits for a second one.
fn believe_floors(walk: &mut Vec<Step>) {
    let runs: Vec<Vec<Step>> =
        walk.chunk_by(|a, b| a.floor == b.floor).map(<[Step]>::to_vec).collect();
    let first = walk[0].floor;
    let mut believed: Vec<Step> = Vec::new();
    for run in runs {
        let current = believed.last().map_or(first, |step| step.floor);
        if run.len() > 1 || run[0].floor == current {
            believed.extend(run);
        }
    }
    *walk = believed;
}

/// A zone's id, floor and corners.
type Square = (String, i16, [(i32, i32); 4]);

/// Squares of 8 m with 2 m between them, on every floor.
fn zones() -> Vec<Square> {
    let mut zones = Vec::new();
    for floor in FLOORS {
        for column in 0..9 {
            for row in 0..4 {
                let (x, y) = (column * 10_000, row * 10_000);
                let corners = [(x, y), (x + 8_000, y), (x + 8_000, y + 8_000), (x, y + 8_000)];
                zones.push((format!("f{}-{column}-{row}", floor / 100), floor, corners));
            }
        }
    }
    zones
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn site(walks: &Walks, gates: Gates) -> SiteDirectory {
    let mut site = SiteDirectory::new(name("walks"), "Walks", "UTC");
    // Nobody in the recording is too fast to be believed.
    site.speed_limits = vec![SpeedLimit { class: SubjectClass::Asset, mm_per_s: 50_000 }];
    site.gates = gates;
    site.feeds = vec![FeedPlan {
        id: name("wifi"),
        name: "Wi-Fi".to_owned(),
        silence_ns: None,
        zones: Vec::new(),
        spare_tags: Vec::new(),
    }];
    for floor in FLOORS {
        let on_floor = zones().into_iter().filter(|(_, of, _)| *of == floor);
        let zones = on_floor.map(|(id, _, corners)| ZonePlan {
            id: name(&id),
            name: id.clone(),
            kind: ZoneKind::Zone,
            labels: Vec::new(),
            is_on_every_floor: false,
            outline: Outline::Polygon { outer_mm: corners.to_vec(), holes_mm: Vec::new() },
            height: None,
            capacity: None,
            motion_feed: None,
            gates: None,
        });
        site.floors.push(FloorPlan {
            id: name(&format!("floor-{}", floor / 100)),
            name: format!("Floor {}", floor / 100),
            floor: Floor(floor),
            zones: zones.collect(),
            doors: Vec::new(),
            lines: Vec::new(),
            anchors: Vec::new(),
        });
    }
    site.equipment = walks
        .keys()
        .map(|walk| SubjectPlan {
            id: name(walk),
            name: PersonalName(walk.clone()),
            class: SubjectClass::Asset,
            labels: Vec::new(),
            tags: vec![TagPlan { id: tag(walk), feed: name("wifi") }],
            badges: Vec::new(),
        })
        .collect();
    site
}

/// As the product's help says: a tag that is no EUI-64 stands for the hash of its name.
fn tag(walk: &str) -> TagId {
    TagId(twox_hash::XxHash3_64::oneshot(walk.as_bytes()))
}

/// What the product says.
fn heard(recording: &Path, walks: &Walks, gates: Gates) -> Crossings {
    let folder = tempfile::tempdir().unwrap();
    let site_dir = folder.path().join("site");
    site(walks, gates).write(&site_dir).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ach"))
        .arg("replay")
        .arg(recording)
        .args(["--columns", COLUMNS, "--speed", "max", "--events", "--json", "--site"])
        .arg(&site_dir)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let mut crossings = Crossings::new();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let (mut counted, mut summary) = (0, None);
    for line in lines {
        let is_entered = match line["event"].as_str().unwrap() {
            "zone_entered" => true,
            "zone_exited" => false,
            _ => {
                summary = Some(line);
                continue;
            }
        };
        let word = |field: &str| line[field].as_str().unwrap().to_owned();
        crossings.entry((word("subject"), word("zone"))).or_default().push(is_entered);
        counted += 1;
    }
    let summary = summary.expect("a summary");
    assert_eq!(summary["pings_sent"], summary["pings_durable"], "{summary}");
    let told =
        summary["zones_entered"].as_u64().unwrap() + summary["zones_exited"].as_u64().unwrap();
    assert_eq!(told, counted, "{summary}");
    crossings
}

/// How far outside a zone a step is, in millimetres; 0 is in, infinity is another floor.
fn outside_mm(step: &Step, floor: i16, corners: &[(i32, i32); 4]) -> f64 {
    if step.floor != floor {
        return f64::INFINITY;
    }
    let ring: Vec<(f64, f64)> =
        corners.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
    let zone = Polygon::new(ring.into(), Vec::new());
    let point = Point::new(step.x_mm, step.y_mm);
    if zone.intersects(&point) { 0.0 } else { Euclidean.distance(&point, &zone) }
}

fn expected(
    walks: &Walks,
    judge: impl Fn(&[Step], &dyn Fn(&Step) -> f64) -> Vec<bool>,
) -> Crossings {
    let mut crossings = Crossings::new();
    for (walk, steps) in walks {
        for (zone, floor, corners) in zones() {
            let found = judge(steps, &|step| outside_mm(step, floor, &corners));
            if !found.is_empty() {
                crossings.insert((walk.clone(), zone), found);
            }
        }
    }
    crossings
}

/// In is in and out is out.
fn plainly(steps: &[Step], outside_mm: &dyn Fn(&Step) -> f64) -> Vec<bool> {
    let mut is_in = false;
    let mut found = Vec::new();
    for step in steps {
        let is_now = outside_mm(step) <= 0.0;
        if is_now != is_in {
            found.push(is_now);
            is_in = is_now;
        }
    }
    found
}

/// Out once the walk has been beyond the tolerance for the delay without coming back within it.
fn with_gates(steps: &[Step], outside_mm: &dyn Fn(&Step) -> f64) -> Vec<bool> {
    let mut found = Vec::new();
    let mut is_in = false;
    let mut leaves_at_ms: Option<f64> = None;
    for step in steps {
        if leaves_at_ms.is_some_and(|at_ms| at_ms <= step.at_ms) {
            found.push(false);
            (is_in, leaves_at_ms) = (false, None);
        }
        let far_mm = outside_mm(step);
        if is_in && far_mm > f64::from(TOLERANCE_MM) {
            leaves_at_ms = leaves_at_ms.or(Some(step.at_ms + DELAY_MS as f64));
        } else if is_in {
            leaves_at_ms = None;
        } else if far_mm <= 0.0 {
            found.push(true);
            is_in = true;
        }
    }
    if leaves_at_ms.is_some() {
        found.push(false);
    }
    found
}

#[track_caller]
fn check(found: &Crossings, expected: &Crossings) {
    let total: usize = expected.values().map(Vec::len).sum();
    assert!(total > 500, "the recording crosses zones often, the model found {total}");
    for key in expected.keys().chain(found.keys()) {
        assert_eq!(found.get(key), expected.get(key), "{key:?}");
    }
}

#[test]
fn without_gates_a_recording_crosses_zones_as_brute_force_says() {
    let Some(path) = recording() else { return };
    let walks = walks(&path);
    check(&heard(&path, &walks, Gates::default()), &expected(&walks, plainly));
}

#[test]
fn with_gates_a_recording_crosses_zones_as_a_naive_timer_says() {
    let Some(path) = recording() else { return };
    let walks = walks(&path);
    let gates = Gates {
        exit_tolerance_mm: TOLERANCE_MM,
        exit_delay_ns: DELAY_MS * 1_000_000,
        ..Gates::default()
    };
    check(&heard(&path, &walks, gates), &expected(&walks, with_gates));
}
