//! Mistakes in floor files.

use super::{Kind, check, edited, error, findings, warning};

#[test]
fn the_head_of_a_floor_file() {
    let file = "floors/ground.geojson";
    check(file, "\"floor\": 0,", "", &[error(Kind::MissingField, "", "", "\"floor\": 0")]);
    check(file, "\"floor\": 0,", "\"floor\": NaN,", &[error(Kind::Syntax, "NaN", "", "correct")]);
    check(
        file,
        "\"floor\": 0,",
        "\"floor\": 0.125,",
        &[error(Kind::BadValue, "", "", "two decimals")],
    );
    check(
        file,
        "\"floor\": 0,",
        "\"floor\": 0, \"floor\": 1,",
        &[error(Kind::RepeatedField, "", "", "remove one")],
    );
    check(
        file,
        "\"crs\": \"local\"",
        "\"crs\": \"EPSG:25832\"",
        &[error(Kind::BadValue, "", "", "EPSG:4326")],
    );
}

#[test]
fn outlines_of_rooms() {
    let file = "floors/ground.geojson";
    let icu = "[[[0, 0], [6, 0], [6, 5], [0, 5], [0, 0]]]";
    let room = "feature 4 (room-1)";
    check(
        file,
        icu,
        "[[[0, 0], [6, 5], [6, 0], [0, 5], [0, 0]]]",
        &[error(Kind::BadOutline, "room-1", room, "walks round")],
    );
    check(
        file,
        icu,
        "[[[0, 0], [6, 0], [0, 0]]]",
        &[error(Kind::BadOutline, "room-1", room, "at least three")],
    );
    check(
        file,
        icu,
        "[[[0, 0], [6, 0], [6, 5], [0, 5]]]",
        &[warning(Kind::BadOutline, "room-1", room, "end each ring with its first point")],
    );
    check(
        file,
        icu,
        "[[[0, 0], [6, 0], [6, 5], [0, 5], [0, 0]], [[7, 1], [8, 1], [8, 2], [7, 1]]]",
        &[error(Kind::BadOutline, "room-1", room, "move the hole")],
    );
    // Outlines may be wound either way.
    check(file, icu, "[[[0, 0], [0, 5], [6, 5], [6, 0], [0, 0]]]", &[]);
    check(
        file,
        icu,
        "[[[0, 0], [6, 0], [6, 5, 1, 1], [0, 1e7], [0, 0]]]",
        &[
            error(Kind::BadValue, "", room, "write [x, y]"),
            error(Kind::BadValue, "", room, "1,000 km"),
        ],
    );
    check(
        file,
        icu,
        "[[[100, 100], [106, 100], [106, 105], [100, 105], [100, 100]]]",
        &[error(Kind::OutsideFloor, "", room, "its floor's file")],
    );
    check(
        file,
        icu,
        "[[[0, 0], [6, 0], [6, 5], [-20, 5], [0, 0]]]",
        &[warning(Kind::OutsideFloor, "", room, "widen")],
    );
}

#[test]
fn where_doors_stand() {
    let file = "floors/ground.geojson";
    check(
        file,
        "[[2.5, 5], [3.7, 5]]",
        "[[2.5, 2.4], [3.7, 2.4]]",
        &[warning(Kind::DoorAfar, "", "feature 9 (door-1)", "two zones meet")],
    );
    check(
        file,
        "[[2.5, 5], [3.7, 5]]",
        "[[2.5, 5], [2.5, 5]]",
        &[error(Kind::BadOutline, "door-1", "feature 9 (door-1)", "one jamb to the other")],
    );
    check(
        file,
        "[[2.5, 5], [3.7, 5]]",
        "[[2.5, 5], [3, 5], [3.7, 5]]",
        &[error(Kind::BadOutline, "", "feature 9 (door-1)", "two points")],
    );
}

/// Inside is on the left: this one would call those who come in the ones who leave.
#[test]
fn a_perimeter_that_is_inside_out() {
    let file = "floors/ground.geojson";
    let perimeter = "[[-3, -3], [28, -3], [28, 15], [-3, 15], [-3, -3]]";
    let place = "feature 15 (perimeter)";
    check(
        file,
        perimeter,
        "[[-3, -3], [-3, 15], [28, 15], [28, -3], [-3, -3]]",
        &[warning(Kind::InsideOut, "perimeter", place, "in the other order")],
    );
    // Of a line that is open nobody can tell.
    check(file, perimeter, "[[-3, -3], [-3, 15], [28, 15], [28, -3]]", &[]);
}

/// What cannot be used is read to its end: its other mistakes are told in the same breath.
#[test]
fn a_feature_with_several_mistakes() {
    let file = "floors/ground.geojson";
    check(
        file,
        "\"id\": \"room-1\", \"name\": \"Room 1\"}, \"geometry\": {\"type\": \"Polygon\"",
        "\"labels\": 7}, \"geometry\": {\"type\": \"MultiPolygon\"",
        &[
            error(Kind::MissingField, "MultiPolygon", "feature 4", "\"id\": \"icu\""),
            error(Kind::WrongType, "MultiPolygon", "feature 4", "a list"),
            error(Kind::BadOutline, "MultiPolygon", "feature 4", "draw a Polygon"),
        ],
    );
    check(
        file,
        "\"name\": \"Room 1\"}, \"geometry\": {\"type\": \"Polygon\", \"coordinates\": [[[0, 0], [6, 0]",
        "\"height\": {\"low_m\": 3, \"high_m\": 1}}, \"geometry\": {\"type\": \"Polygon\", \
         \"coordinates\": [[[0, 0], [6, 9]",
        &[
            error(Kind::BadOutline, "room-1", "feature 4 (room-1)", "swap low_m and high_m"),
            error(Kind::BadOutline, "room-1", "feature 4 (room-1)", "walks round"),
        ],
    );
}

#[test]
fn features() {
    let file = "floors/ground.geojson";
    let day_room = "feature 7 (day-room)";
    check(
        file,
        "\"kind\": \"room\", \"id\": \"room-2\"",
        "\"kind\": \"chamber\", \"id\": \"room-2\"",
        &[error(Kind::BadValue, "", "feature 5", "room")],
    );
    check(
        file,
        "\"id\": \"room-2\"",
        "\"id\": \"room-1\"",
        &[error(Kind::DuplicateId, "", "feature 5 (room-1)", "own id")],
    );
    check(
        file,
        "\"name\": \"Day room\"",
        "\"name\": \"Day room\", \"capcity\": 3, \"stroke-width\": 2",
        &[warning(Kind::UnknownField, "", day_room, "did you mean `capacity`?")],
    );
    check(
        file,
        "\"capacity\": 12",
        "\"capacity\": -12",
        &[error(Kind::BadValue, "", day_room, "0 to 1000000")],
    );
    check(
        file,
        "\"feed\": \"rtls\", \"zones\": [\"ward\"]",
        "\"feed\": \"rlts\", \"zones\": [\"wrad\"]",
        &[
            error(Kind::UnknownFeed, "", "feature 16 (anchor-ward)", "did you mean `rtls`?"),
            error(Kind::UnknownZone, "", "feature 16 (anchor-ward)", "did you mean `ward`?"),
        ],
    );
    check(
        file,
        "[10, 6]}",
        "[10]}",
        &[error(Kind::BadValue, "", "feature 16 (anchor-ward)", "write [x, y]")],
    );
}

/// The example with a way of moving doors, and its entrance moved by it.
fn moved(way: &str, control: &str, rule: &str) -> Vec<(Kind, String)> {
    let folder = edited("site.toml", "[[feed]]", &format!("{way}\n[[feed]]"));
    let edit = |file: &str, from: &str, to: &str| {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    };
    let entrance = "\"name\": \"Entrance\", ";
    edit("floors/ground.geojson", entrance, &format!("{entrance}{control}"));
    edit("rules.toml", "[[rule]]", &format!("{rule}\n[[rule]]"));
    findings(folder.path()).iter().map(|it| (it.kind, it.place.clone())).collect()
}

#[test]
fn doors_that_are_moved() {
    let way = "[[door_control]]\nid = \"front\"";
    let stays = "[[door_control]]\nid = \"front\"\nfire = \"stays\"";
    let control = "\"control\": \"front\", ";
    let rule = "[[rule]]\nid = \"astray\"\nwhat = \"door_not_following\"\nafter = \"10 s\"\n\
                where = { doors = [\"entrance\"] }\npriority = \"high\"\n";
    let entrance = || "feature 14 (entrance)".to_owned();
    assert_eq!(moved(way, control, rule), []);
    assert_eq!(moved(way, control, ""), [(Kind::UnwatchedOrders, String::new())]);
    assert_eq!(moved(stays, control, rule), [(Kind::LockedExit, entrance())]);
    assert_eq!(moved(way, "\"control\": \"frond\", ", rule), [(Kind::UnknownControl, entrance())]);
    assert_eq!(moved(way, "", rule), [(Kind::UnwiredDoor, "rule astray".to_owned())]);
}
