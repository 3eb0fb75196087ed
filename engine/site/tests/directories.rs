//! Site directories as files: the example, the sample hospital, and writing and reading back.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test panics"
)]

use std::fs;
use std::path::Path;

use ach_actors_model::{Condition, ControlConfig, DoorMode, Name, SubjectClass, Window};
use ach_engine_site::{
    ControlPlan, Georeference, SampleHospital, SampleOptions, SiteDirectory, WriteError,
    sample_hospital, write_example,
};
use tempfile::tempdir;

fn read(root: &Path) -> SiteDirectory {
    let reading = SiteDirectory::read(root).unwrap_or_else(|findings| panic!("{findings}"));
    assert!(reading.warnings.is_empty(), "{}", reading.warnings);
    reading.directory
}

#[test]
fn the_example_passes_its_own_check_and_survives_a_round_trip() {
    let folder = tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    write_example(&first).unwrap();
    let directory = read(&first);
    assert_eq!(directory.rules.len(), 15);
    directory.write(&second).unwrap();
    assert_eq!(read(&second), directory);
}

#[test]
fn the_sample_hospital_has_no_findings_and_survives_a_round_trip() {
    let folder = tempdir().unwrap();
    let sample = sample_hospital();
    assert!(sample.directory.check().is_empty(), "{}", sample.directory.check());
    sample.directory.write(folder.path()).unwrap();
    assert_eq!(read(folder.path()), sample.directory);
}

#[test]
fn the_sample_hospital_is_the_same_every_time_and_grows_with_its_options() {
    assert_eq!(sample_hospital(), sample_hospital());
    let options = SampleOptions {
        patient_count: 1_000,
        staff_count: 900,
        visitor_count: 300,
        asset_count: 2_000,
        seed: 7,
    };
    let sample = SampleHospital::new(&options);
    assert_eq!(sample.directory.people.len(), 2_200);
    assert_eq!(sample.directory.equipment.len(), 2_000);
    assert!(!sample.directory.check().has_errors());
    let none = SampleOptions {
        patient_count: 0,
        staff_count: 0,
        visitor_count: 0,
        asset_count: 0,
        seed: 7,
    };
    assert!(!SampleHospital::new(&none).directory.check().has_errors());
}

#[test]
fn a_feed_carries_the_zones_it_names_and_no_others() {
    let mut directory = sample_hospital().directory;
    let seen = |directory: &SiteDirectory| -> Vec<(String, usize)> {
        let config = directory.config(1).unwrap_or_else(|findings| panic!("{findings}"));
        assert!(config.zones.len() > 100);
        let sources = config.sources.iter();
        sources.map(|source| (source.id.to_string(), source.zones.len())).collect()
    };
    let none_named = [("rtls".to_owned(), 0), ("doors".to_owned(), 0)];
    assert_eq!(seen(&directory), none_named, "one that names none may see a hundred thousand");
    directory.feeds[0].zones = vec![directory.floors[0].zones[1].id.clone()];
    assert_eq!(seen(&directory)[0].1, 1);
    let folder = tempdir().unwrap();
    directory.write(folder.path()).unwrap();
    assert_eq!(read(folder.path()), directory);
}

#[test]
fn a_feed_of_watched_tags_that_names_no_silence_is_watched_as_closely_as_they_are() {
    let mut directory = sample_hospital().directory;
    for feed in &mut directory.feeds {
        feed.silence_ns = None;
    }
    let silences = |directory: &SiteDirectory| -> Vec<(String, Option<u64>)> {
        let config = directory.config(1).unwrap_or_else(|findings| panic!("{findings}"));
        let told = |source: &ach_actors_model::SourceConfig| {
            (source.id.to_string(), source.silence_ns.map(|ns| ns / 1_000_000_000))
        };
        config.sources.iter().map(told).collect()
    };
    let expected = [("rtls".to_owned(), Some(120)), ("doors".to_owned(), Some(600))];
    assert_eq!(silences(&directory), expected);
    directory.feeds[0].silence_ns = Some(30_000_000_000);
    assert_eq!(silences(&directory)[0].1, Some(30), "what its owner says holds");
    directory.feeds[0].silence_ns = None;
    for rule in &mut directory.rules {
        if matches!(rule.what, ach_engine_site::What::TagSilent { .. }) {
            rule.who.labels = vec![Name::new("nobody-has-it").unwrap()];
        }
    }
    assert_eq!(silences(&directory)[0].1, None, "no tag of it is watched");
}

#[test]
fn the_sample_hospital_is_as_large_as_promised() {
    let directory = sample_hospital().directory;
    let rooms = directory
        .floors
        .iter()
        .flat_map(|floor| &floor.zones)
        .filter(|zone| zone.kind == ach_engine_site::ZoneKind::Room);
    assert!(rooms.count() >= 130);
    assert!(directory.floors.len() >= 4);
    let count = |class, label: &str| {
        let label = Name::new(label).unwrap();
        let subjects = directory.subjects();
        subjects.filter(|s| s.class == class && s.labels.contains(&label)).count()
    };
    assert_eq!(count(SubjectClass::Patient, "dementia"), 30);
    assert_eq!(count(SubjectClass::Patient, "newborn"), 12);
    assert_eq!(count(SubjectClass::Patient, "psychiatric"), 15);
    for (class, expected) in [
        (SubjectClass::Patient, 220),
        (SubjectClass::Staff, 180),
        (SubjectClass::Visitor, 60),
        (SubjectClass::Asset, 160),
    ] {
        assert_eq!(directory.subjects().filter(|s| s.class == class).count(), expected);
    }
    assert!(directory.subjects().any(|subject| subject.tags.len() > 1));
}

/// An independent reader of `GeoJSON` accepts what is written, and finds as many features.
#[test]
fn floors_are_geojson_for_others_too() {
    let folder = tempdir().unwrap();
    let directory = sample_hospital().directory;
    directory.write(folder.path()).unwrap();
    for plan in &directory.floors {
        let path = folder.path().join(format!("floors/{}.geojson", plan.id));
        let text = fs::read_to_string(path).unwrap();
        let collection: geojson::FeatureCollection = text.parse().unwrap();
        let expected = plan.zones.len() + plan.doors.len() + plan.lines.len() + plan.anchors.len();
        assert_eq!(collection.features.len(), expected);
        for feature in &collection.features {
            if let geojson::GeometryValue::Polygon { coordinates } =
                &feature.geometry.as_ref().unwrap().value
            {
                for ring in coordinates {
                    assert_eq!(ring.first(), ring.last(), "rings are closed");
                }
            }
        }
    }
}

#[test]
fn a_site_is_never_written_over_another() {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let again = write_example(folder.path());
    assert!(matches!(again, Err(WriteError::NotEmpty { .. })), "{again:?}");
}

#[test]
fn names_of_people_are_in_the_name_book_and_not_in_the_configuration() {
    let directory = sample_hospital().directory;
    let config = format!("{:?}", directory.config(1).unwrap());
    let book = directory.name_book();
    for subject in &directory.people {
        let name = book.subject(&subject.id);
        assert_eq!(name, subject.name.0);
        assert!(!config.contains(name), "{name}");
    }
    let debugged = format!("{directory:?}{book:?}");
    assert!(!debugged.contains(&directory.people[0].name.0));
}

#[test]
fn the_configuration_points_at_what_the_directory_names() {
    let directory = sample_hospital().directory;
    let config = directory.config(3).unwrap();
    assert_eq!((config.site.as_str(), config.version), ("st-elisabeth", 3));
    let rule = |id: &str| config.rules.iter().find(|rule| rule.id.as_str() == id).unwrap();
    let Condition::Leaves { zones, lines } = &rule("dementia-elopement").condition else {
        panic!("a rule about leaving")
    };
    let zone = &config.zones[usize::try_from(zones[0]).unwrap()];
    assert_eq!((zone.id.as_str(), zones.len(), lines.len()), ("dementia-ward", 1, 0));
    let Condition::DoorForced { doors } = &rule("door-forced").condition else {
        panic!("a rule about doors")
    };
    assert!(
        doors.iter().all(|&door| config.doors[usize::try_from(door).unwrap()].source.is_some())
    );
    assert!(doors.iter().any(|&door| {
        config.doors[usize::try_from(door).unwrap()].id.as_str() == "door-drug-store"
    }));
    for tag in &config.tags {
        let subject = &config.subjects[usize::try_from(tag.subject.unwrap()).unwrap()];
        let plan = directory.subjects().find(|plan| plan.id == subject.id).unwrap();
        assert!(plan.tags.iter().any(|known| known.id == tag.id));
    }
    assert!(config.utc_offsets.len() > 100);
}

#[test]
fn holidays_are_read_written_and_compiled_to_local_days() {
    let folder = tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    write_example(&first).unwrap();
    let edit = |file: &str, from: &str, to: &str| {
        let text = fs::read_to_string(first.join(file)).unwrap();
        assert!(text.contains(from));
        fs::write(first.join(file), text.replacen(from, to, 1)).unwrap();
    };
    let holidays = "holidays = [\n  \"2026-12-26\", \"12-25\",\n  \
                    { date = \"2027-01-01\", name = \"New \\\"Year\\\"\" },\n  { date = \"1999-05-01\" },\n]\n";
    edit("site.toml", "largest_gap", &format!("{holidays}largest_gap"));
    let when = "when = [{ days = [\"sat\", \"holidays\"], from = \"20:00\", to = \"06:00\" }, \
                { days = [\"weekdays\", \"sun\", \"sat\"], from = \"22:00\" }]";
    edit("rules.toml", "when = [{ from = \"20:00\", to = \"06:00\" }]", when);
    let directory = read(&first);
    directory.write(&second).unwrap();
    assert_eq!(read(&second), directory);
    let config = directory.config(1).unwrap();
    assert_eq!(config.holidays.len(), 91 + 3);
    // New Year's Day of 2027, the two days after Christmas Eve of 2026, and the first ones of all.
    assert!([20_819, 20_812, 20_813, 10_712, 358].iter().all(|day| config.holidays.contains(day)));
    assert!(config.holidays.is_sorted_by(|a, b| a < b));
    let windows = config.rules.iter().flat_map(|rule| &rule.when);
    let weekdays: Vec<u8> = windows.map(|window| window.weekdays).collect();
    assert_eq!(weekdays, [0b1010_0000, 0b0111_1111, 0xFF]);
}

/// Editors of other systems end lines with two characters and begin a file with a mark.
#[test]
fn files_of_other_systems_read_the_same() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_example(root).unwrap();
    let expected = read(root);
    let files =
        ["site.toml", "people.toml", "equipment.toml", "rules.toml", "floors/ground.geojson"];
    for file in files {
        let text = fs::read_to_string(root.join(file)).unwrap();
        fs::write(root.join(file), format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    }
    assert_eq!(read(root), expected);
}

/// Turns local metres into degrees, at any depth.
fn convert(value: &mut serde_json::Value, frame: &ach_geo::SiteFrame) {
    let Some(items) = value.as_array_mut() else { return };
    if let [x, y] = items.as_mut_slice()
        && let (Some(x_m), Some(y_m)) = (x.as_f64(), y.as_f64())
    {
        let (lon_deg, lat_deg) = frame.to_wgs84_deg(x_m, y_m).unwrap();
        (*x, *y) = (lon_deg.into(), lat_deg.into());
        return;
    }
    for item in items {
        convert(item, frame);
    }
}

/// The same floor drawn in degrees lies where it lay in metres, to the millimetre's rounding.
#[test]
fn a_floor_in_degrees_is_converted_by_the_sites_frame() {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let local = read(folder.path());
    let Georeference::Origin { .. } = local.georeference else { panic!("an origin") };
    let frame = local.georeference.frame().unwrap().unwrap();
    let path = folder.path().join("floors/ground.geojson");
    let mut floor: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    floor["crs"] = "EPSG:4326".into();
    for feature in floor["features"].as_array_mut().unwrap() {
        convert(&mut feature["geometry"]["coordinates"], &frame);
    }
    fs::write(&path, floor.to_string()).unwrap();
    assert_eq!(read(folder.path()), local);
}

#[test]
fn people_can_come_from_csv() {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let expected = read(folder.path());
    fs::remove_file(folder.path().join("people.toml")).unwrap();
    let csv = "id,name,class,labels,tags,badges,feed\n\
               patient-001,Ada Example,patient,dementia,0200AC0000000001,,rtls\n\
               # a comment\n\
               nurse-001,\"Jan Example\",staff,nurse,02:00:AC:00:00:00:00:02 0200ac0000000003,card-4711,rtls\n\
               visitor-001,Eva Example,visitor,,02-00-AC-00-00-00-00-04,,rtls\n";
    fs::write(folder.path().join("people.csv"), csv).unwrap();
    assert_eq!(read(folder.path()), expected);
}

#[test]
fn how_doors_are_moved_is_read_written_and_compiled() {
    let folder = tempdir().unwrap();
    let name = |text: &str| Name::new(text).unwrap();
    let mut site = sample_hospital().directory;
    let entrance = site.controls.iter_mut().find(|way| way.id.as_str() == "entrance").unwrap();
    let day = Window { weekdays: 0x1F, from_s: 25_200, until_s: 68_400 };
    *entrance = ControlPlan {
        rests: DoorMode::Unlocked,
        unlocked_when: vec![day],
        on_lockdown: Some(DoorMode::Locked),
        opens_on_evacuation: false,
        opens_on_fire: true,
        moves_in_drill: Some(false),
        fire_area: Some(name("tower-a")),
        interlock: Some(name("airlock")),
        ..ControlPlan::new(name("entrance"))
    };
    site.controls.iter_mut().find(|way| way.id.as_str() == "ward").unwrap().on_lockdown = None;
    site.kept_in_drills = vec![name("quiet")];
    site.write(folder.path()).unwrap();
    let again = SiteDirectory::read(folder.path()).unwrap().directory;
    assert_eq!(again, site);
    let config = again.config(1).unwrap();
    let has_control = |door: &ach_actors_model::DoorConfig| {
        let labels = door.labels.iter().map(Name::as_str).collect::<Vec<_>>();
        labels.contains(&"entrance").then(|| door.control.clone().unwrap())
    };
    let control = config.doors.iter().find_map(has_control).unwrap();
    assert!(!control.zones.is_empty(), "a door lies at zones");
    let expected = ControlConfig {
        rests: DoorMode::Unlocked,
        unlocked_when: vec![day],
        on_lockdown: Some(DoorMode::Locked),
        opens_on_evacuation: false,
        opens_on_fire: true,
        moves_in_drill: false,
        fire_area: Some(name("tower-a")),
        interlock: Some(name("airlock")),
        zones: control.zones.clone(),
    };
    assert_eq!(control, expected);
}

#[test]
fn a_drill_in_the_sample_hospital_opens_no_ward_that_nobody_may_leave() {
    let config = sample_hospital().directory.config(1).unwrap();
    let is_secured = |zone: u32| {
        let labels = &config.zones[usize::try_from(zone).unwrap()].labels;
        labels.iter().any(|label| matches!(label.as_str(), "high-risk" | "secured"))
    };
    let (mut moving, mut staying) = (0, 0);
    for door in &config.doors {
        let Some(control) = &door.control else { continue };
        let is_at_secured = control.zones.iter().any(|&zone| is_secured(zone));
        assert_eq!(control.moves_in_drill, !is_at_secured, "door {}", door.id);
        *(if control.moves_in_drill { &mut moving } else { &mut staying }) += 1;
    }
    assert!(moving > 0 && staying > 0, "{moving} doors move in a drill, {staying} stay");
}
