//! Every kind of mistake is told with its file, its place and a remedy.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test panics"
)]

mod delays;
mod floors;
mod responses;
mod review;
mod rules;

use std::fs;
use std::path::Path;

use ach_engine_site::{Finding, FindingKind, Findings, Severity, SiteDirectory, write_example};
use tempfile::{TempDir, tempdir};

use FindingKind as Kind;

/// What is expected of one finding.
struct Expected {
    severity: Severity,
    kind: FindingKind,
    /// A text that stands on the line the finding must name; empty where there are no lines.
    line_of: &'static str,
    place: &'static str,
    remedy: &'static str,
}

fn error(
    kind: FindingKind,
    line_of: &'static str,
    place: &'static str,
    remedy: &'static str,
) -> Expected {
    Expected { severity: Severity::Error, kind, line_of, place, remedy }
}

fn warning(
    kind: FindingKind,
    line_of: &'static str,
    place: &'static str,
    remedy: &'static str,
) -> Expected {
    Expected { severity: Severity::Warning, ..error(kind, line_of, place, remedy) }
}

fn findings(root: &Path) -> Findings {
    match SiteDirectory::read(root) {
        Ok(reading) => reading.warnings,
        Err(findings) => findings,
    }
}

fn edited(file: &str, from: &str, to: &str) -> TempDir {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    folder
}

/// Edits one file of the example and expects exactly these findings, all in that file.
#[track_caller]
fn check(file: &str, from: &str, to: &str, expected: &[Expected]) {
    let folder = edited(file, from, to);
    let text = fs::read_to_string(folder.path().join(file)).unwrap();
    let found = findings(folder.path());
    let listing = found.to_string();
    assert_eq!(found.iter().count(), expected.len(), "\n{listing}");
    for (finding, expected) in found.iter().zip(expected) {
        assert_eq!(finding.file, file, "\n{listing}");
        assert_eq!(
            (finding.severity, finding.kind),
            (expected.severity, expected.kind),
            "\n{listing}"
        );
        if !expected.line_of.is_empty() {
            let at = text
                .lines()
                .position(|line| !line.starts_with('#') && line.contains(expected.line_of))
                .unwrap()
                + 1;
            assert_eq!(finding.line, Some(u32::try_from(at).unwrap()), "\n{listing}");
        }
        assert_eq!(finding.place, expected.place, "\n{listing}");
        assert!(finding.remedy.contains(expected.remedy), "\n{listing}");
        assert!(!finding.problem.is_empty());
    }
}

#[test]
fn holidays_are_days_that_there_are_each_once() {
    let gap = "largest_gap = \"2 s\"";
    let holidays = |list: &str, expected: &[Expected]| {
        check("site.toml", gap, &format!("{gap}\nholidays = [{list}]"), expected);
    };
    let bad = |place, remedy| error(Kind::BadValue, "holidays =", place, remedy);
    // Those that are past are nobody's mistake.
    holidays("\"2026-12-25\", \"1999-12-25\", \"02-29\"", &[]);
    holidays("\"2026-02-29\"", &[bad("", "2026-12-25")]);
    holidays("\"2061-01-01\"", &[bad("", "for every year")]);
    holidays("2026-12-25", &[bad("", "2026-12-25")]);
    holidays("\"12-25\", \"2026-12-25\"", &[bad("holiday 2026-12-25", "remove one")]);
    holidays(
        "\"12-25\", { date = \"12-25\", name = \"Christmas\" }",
        &[bad("holiday 12-25", "remove")],
    );
    holidays("{ name = \"x\" }", &[error(Kind::MissingField, "holidays =", "holidays", "date =")]);
    holidays(
        "{ date = \"12-24\", nmae = \"x\" }",
        &[error(Kind::UnknownField, "holidays =", "holidays", "did you mean `name`?")],
    );
    let first_days = (1..=12).flat_map(|month| (1..=4).map(move |day| (month, day)));
    let days: Vec<String> =
        first_days.map(|(month, day)| format!("\"{month:02}-{day:02}\"")).collect();
    let too_many = error(Kind::TooLarge, "holidays =", "holiday 01-01", "single years");
    holidays(&days.join(", "), &[too_many]);
}

#[test]
fn site_file() {
    let file = "site.toml";
    check(file, "id = \"example\"\n", "", &[error(Kind::MissingField, "", "", "id = ")]);
    let not_toml = "id = = \"example\"";
    let syntax = || error(Kind::Syntax, not_toml, "", "correct");
    check(file, "id = \"example\"", not_toml, &[syntax(), syntax()]);
    check(
        file,
        "largest_gap = \"2 s\"",
        "largest_gap = 2\nlargets_gap = \"2 s\"",
        &[
            error(Kind::WrongType, "largest_gap = 2", "", "a text"),
            error(Kind::UnknownField, "largets_gap", "", "did you mean `largest_gap`?"),
        ],
    );
    check(
        file,
        "silence = \"30 s\"",
        "silence = \"30 s\"\nzones = [\"wardd\"]",
        &[error(Kind::UnknownZone, "[[feed]]", "feed rtls", "did you mean `ward`?")],
    );
    check(
        file,
        "largest_gap = \"2 s\"",
        "largest_gap = \"soon\"",
        &[error(Kind::BadValue, "soon", "", "\"2 s\"")],
    );
    check(
        file,
        "Europe/Berlin",
        "Europe/Berlim",
        &[error(Kind::UnknownTimeZone, "Berlim", "", "IANA")],
    );
    check(
        file,
        "lat_deg = 47.9959\nrotation",
        "lat_deg = nan\nrotation",
        &[error(Kind::BadValue, "nan", "origin", "plain number")],
    );
    check(
        file,
        "patient = 3.0",
        "patient = 3000.0",
        &[error(Kind::BadValue, "3000", "speed_limits_m_per_s", "0.1 to 100")],
    );
    check(
        file,
        "exit_tolerance_m = 0.8",
        "exit_tolerance_m = 800",
        &[error(Kind::BadValue, "800", "gates", "0 to 100 m")],
    );
    check(
        file,
        "silence = \"30 s\"",
        "silence = \"0 s\"",
        &[error(Kind::BadValue, "\"0 s\"", "feed", "2 s")],
    );
    check(
        file,
        "confirm = \"2 of 3\"",
        "confirm = \"3 of 2\"",
        &[error(Kind::BadValue, "3 of 2", "gates", "2 of 3")],
    );
    check(
        file,
        "id = \"doors\"",
        "id = \"doors\"\n[[feed]]\nid = \"rtls\"",
        &[error(Kind::DuplicateId, "", "feed rtls", "own id")],
    );
}

#[test]
fn georeference() {
    let file = "site.toml";
    let origin = "[origin]\nlon_deg = 7.8421\nlat_deg = 47.9959\nrotation_deg = 0.0\n";
    let point = |lon: f64, lat: f64, x: f64, y: f64| {
        format!(
            "[[ground_control_point]]\nlon_deg = {lon:?}\nlat_deg = {lat:?}\nx_m = {x:?}\ny_m = {y:?}\n"
        )
    };
    let bad = |remedy| [error(Kind::BadGeoreference, "[[ground_control_point]]", "", remedy)];
    // One point says nothing of direction.
    check(file, origin, &point(7.0, 48.0, 0.0, 0.0), &bad("correct the control points"));
    // A degree east is 74.6 km.
    let ground = |points: [(f64, f64, f64, f64); 3]| -> String {
        points.into_iter().map(|(lon, lat, x, y)| point(lon, lat, x, y)).collect()
    };
    let centimetres =
        ground([(7.0, 48.0, 0.0, 0.0), (7.01, 48.0, 74_600.0, 0.0), (7.0, 48.01, 0.0, 111_200.0)]);
    check(file, origin, &centimetres, &bad("in metres"));
    let swapped =
        ground([(7.0, 48.0, 0.0, 0.0), (7.01, 48.0, 0.0, 746.0), (7.0, 48.01, 1_112.0, 0.0)]);
    check(file, origin, &swapped, &bad("swap x and y"));
    let both = format!("{origin}{}", point(7.0, 48.0, 0.0, 0.0));
    check(file, origin, &both, &[error(Kind::BadGeoreference, "", "", "keep the control points")]);
}

#[test]
fn badges_are_one_persons_each() {
    let file = "people.toml";
    check(
        file,
        "class = \"visitor\"",
        "class = \"visitor\"\nbadges = [\"card-1\", \"card-4711\"]",
        &[error(Kind::DuplicateBadge, "", "visitor-001", "from one of them")],
    );
    check(
        file,
        "badges = [\"card-4711\"]",
        "badges = [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]",
        &[error(Kind::TooLarge, "", "nurse-001", "open no door any more")],
    );
    check(
        file,
        "badges = [\"card-4711\"]",
        "badges = [\"card-1\", \"no blanks\"]",
        &[error(Kind::BadValue, "no blanks", "nurse-001", "plain id")],
    );
}

#[test]
fn people_and_equipment() {
    let file = "people.toml";
    check(
        file,
        "class = \"patient\"",
        "class = \"guest\"\ncapacity = 3",
        &[
            error(Kind::BadValue, "guest", "patient-001", "patient, staff, visitor"),
            error(Kind::UnknownField, "capacity", "patient-001", "remove"),
        ],
    );
    check(
        file,
        "id = \"visitor-001\"",
        "id = \"visitor-001\"\nclass = \"visitor\"\n[[person]]\nid = \"Eva Secret\"",
        &[error(Kind::BadValue, "Eva Secret", "subject 4", "plain id")],
    );
    check(
        file,
        "id = \"visitor-001\"",
        "id = \"patient-001\"",
        &[error(Kind::DuplicateId, "", "patient-001", "own id")],
    );
    check(
        file,
        "0200AC0000000004",
        "0200AC0000000001",
        &[error(Kind::DuplicateTag, "", "visitor-001", "take it off")],
    );
    check(
        file,
        "0200AC0000000004",
        "4711",
        &[error(Kind::BadValue, "[\"4711\"]", "visitor-001", "16 hexadecimal digits")],
    );
    check(
        file,
        "class = \"visitor\"",
        "class = \"visitor\"\nfeed = \"rtsl\"",
        &[error(Kind::UnknownFeed, "", "visitor-001", "did you mean `rtls`?")],
    );
    check(
        file,
        "feed = \"rtls\"\n\n[[person]]\nid = \"patient-001\"",
        "\n[[person]]\nfeed = \"rtls\"\nid = \"patient-001\"",
        &[
            error(Kind::MissingField, "0200AC0000000002", "nurse-001", "feed ="),
            error(Kind::MissingField, "0200AC0000000002", "nurse-001", "feed ="),
            error(Kind::MissingField, "0200AC0000000004", "visitor-001", "feed ="),
        ],
    );
    check(
        file,
        "name = \"Eva Example\"",
        "name = \"Eva\\u001B[31m\"",
        &[error(Kind::BadValue, "u001B", "visitor-001", "one line")],
    );
    check(
        "equipment.toml",
        "labels = [\"pump\"]",
        "labels = [\"pump\", \"for Müller\"]",
        &[error(Kind::BadValue, "Müller", "pump-001", "plain id")],
    );
}

/// A finding must not carry a person's name into a log.
#[test]
fn findings_do_not_repeat_names_of_people() {
    let folder = edited("people.toml", "Eva Example", "Eva\\nSecret");
    assert!(!findings(folder.path()).to_string().contains("Secret"));
    let folder = edited("people.toml", "\"visitor-001\"", "\"Eva Secret\"");
    assert!(!findings(folder.path()).to_string().contains("Secret"));
}

/// A rule about leaving a building without a line is told; the example has no building.
#[test]
fn leaving_a_building_without_a_line() {
    let folder = edited(
        "floors/ground.geojson",
        "\"kind\": \"ward\", \"id\": \"ward\"",
        "\"kind\": \"building\", \"id\": \"ward\"",
    );
    let path = folder.path().join("rules.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen(", lines = [\"perimeter\"]", "", 1)).unwrap();
    let found = findings(folder.path());
    let kinds: Vec<FindingKind> = found.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [Kind::NoPerimeter], "{found}");
}

#[test]
fn degrees_without_a_georeference() {
    let folder = edited("floors/ground.geojson", "\"crs\": \"local\"", "\"crs\": \"EPSG:4326\"");
    let path = folder.path().join("site.toml");
    let text = fs::read_to_string(&path).unwrap();
    let origin = "[origin]\nlon_deg = 7.8421\nlat_deg = 47.9959\nrotation_deg = 0.0\n";
    fs::write(&path, text.replacen(origin, "", 1)).unwrap();
    let found = findings(folder.path());
    assert!(found.iter().any(|finding| finding.kind == Kind::NoGeoreference), "{found}");
}

#[test]
fn two_files_for_one_floor_and_no_files_at_all() {
    let folder = edited("site.toml", "example", "example");
    let floors = folder.path().join("floors");
    fs::write(
        floors.join("second.geojson"),
        r#"{"type": "FeatureCollection", "floor": 0, "features": []}"#,
    )
    .unwrap();
    let found = findings(folder.path());
    let first = found.iter().next().unwrap();
    assert_eq!((first.kind, first.file.as_str()), (Kind::DuplicateId, "floors/second.geojson"));

    fs::remove_dir_all(&floors).unwrap();
    let found = findings(folder.path());
    assert!(
        found.iter().any(|finding| finding.kind == Kind::Unreadable && finding.file == "floors")
    );
}

/// Rules in a file that nobody reads raise no alarm.
#[test]
fn files_that_are_not_read() {
    let folder = edited("site.toml", "example", "example");
    let root = folder.path();
    fs::rename(root.join("rules.toml"), root.join("rule.toml")).unwrap();
    fs::write(root.join("floors/first.json"), "").unwrap();
    for kept in ["README.md", ".hidden.toml", "floors/plan.dwg", "floors/.ground.geojson.swp"] {
        fs::write(root.join(kept), "").unwrap();
    }
    let found = findings(root);
    let told: Vec<String> =
        found.iter().map(|it| format!("{} {:?} {}", it.file, it.kind, it.remedy)).collect();
    assert_eq!(
        told,
        [
            "floors/first.json UnknownFile let its name end in .geojson, or remove it",
            "rule.toml UnknownFile did you mean `rules.toml`?",
        ]
    );
    assert!(!found.has_errors());
}

/// Not the first mistake alone: one in every file, told at once and sorted by file.
#[test]
fn mistakes_in_all_files_are_told_together() {
    let folder = edited("site.toml", "Europe/Berlin", "Atlantis");
    for file in ["people.toml", "equipment.toml", "rules.toml", "floors/ground.geojson"] {
        fs::write(folder.path().join(file), "x = = [").unwrap();
    }
    let found = findings(folder.path());
    let files: Vec<&str> = found.iter().map(|finding| finding.file.as_str()).collect();
    for file in
        ["site.toml", "people.toml", "equipment.toml", "rules.toml", "floors/ground.geojson"]
    {
        assert!(files.contains(&file), "{found}");
    }
    assert!(found.has_errors());
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempdir().unwrap();
    let found = findings(folder.path());
    assert!(found.iter().all(|finding| finding.kind == Kind::Unreadable), "{found}");
    assert_eq!(found.count(Severity::Error), 2, "site.toml and floors: {found}");

    let folder = edited("site.toml", "example", "example");
    fs::write(folder.path().join("site.toml"), [0x66, 0xFF, 0xFE]).unwrap();
    let found = findings(folder.path());
    let first = found.iter().next().unwrap();
    assert_eq!((first.kind, first.problem.contains("byte 1")), (Kind::Unreadable, true), "{found}");

    fs::remove_file(folder.path().join("site.toml")).unwrap();
    fs::create_dir(folder.path().join("site.toml")).unwrap();
    assert_eq!(findings(folder.path()).iter().next().unwrap().kind, Kind::Unreadable);
}

/// A sparse file of 65 MiB is refused by its size; JSON of 10,000 levels by its depth.
#[test]
fn too_much_is_refused() {
    let folder = edited("site.toml", "example", "example");
    let big = fs::File::create(folder.path().join("people.toml")).unwrap();
    big.set_len(65 * 1024 * 1024).unwrap();
    let found = findings(folder.path());
    assert!(found.iter().any(|finding| {
        (finding.kind, finding.file.as_str()) == (Kind::TooLarge, "people.toml")
    }));

    fs::write(folder.path().join("floors/ground.geojson"), "[".repeat(10_000)).unwrap();
    let found = findings(folder.path());
    assert!(found.iter().any(|finding| {
        (finding.kind, finding.file.as_str()) == (Kind::Syntax, "floors/ground.geojson")
    }));
}

#[test]
fn a_finding_prints_for_people_and_for_machines() {
    let folder = edited("rules.toml", "percent = 10", "percent = 100");
    let found = findings(folder.path());
    let finding: &Finding = found.iter().next().unwrap();
    let line = finding.line.unwrap();
    assert_eq!(
        finding.to_string(),
        format!("rules.toml:{line}: error: rule battery: `percent` is 100\n  remedy: give 1 to 99")
    );
    let json: serde_json::Value = serde_json::to_value(&found).unwrap();
    assert_eq!(json[0]["severity"], "error");
    assert_eq!(json[0]["kind"], "bad_value");
    assert_eq!(json[0]["file"], "rules.toml");
    assert_eq!(json[0]["line"], line);
    assert_eq!(json[0]["remedy"], "give 1 to 99");
}
