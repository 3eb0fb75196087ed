//! Mistakes in rules.

use super::{Kind, check, error, warning};

#[test]
fn what_a_rule_points_at() {
    let file = "rules.toml";
    check(
        file,
        "zones = [\"ward\"], lines = [\"perimeter\"]",
        "zones = [\"wart\"], lines = [\"perimetre\"]",
        &[
            error(Kind::UnknownZone, "[[rule]]", "rule elopement", "did you mean `ward`?"),
            error(Kind::UnknownLine, "[[rule]]", "rule elopement", "did you mean `perimeter`?"),
        ],
    );
    check(
        file,
        "where = { doors_labelled = [\"exit\"] }",
        "where = { doors = [\"exit-7\"] }",
        &[error(Kind::UnknownDoor, "", "rule forced", "remove its id")],
    );
    check(
        file,
        "where = { doors_labelled = [\"exit\"] }",
        "where = { doors_labelled = [\"exits\"] }",
        &[
            warning(Kind::EmptySelection, "", "rule forced", "did you mean `exit`?"),
            error(Kind::EmptySelection, "", "rule forced", "name doors"),
        ],
    );
    check(
        file,
        "where = { doors_labelled = [\"exit\"] }",
        "where = { doors = [\"door-1\", \"entrance\"] }",
        &[warning(Kind::UnwiredDoor, "", "rule forced", "add \"feed\"")],
    );
    check(
        file,
        "where = { zones = [\"day-room\"] }",
        "where = { zones = [\"room-1\"] }",
        &[error(Kind::NoCapacity, "", "rule crowded", "add \"capacity\"")],
    );
    check(
        file,
        "labels = [\"dementia\"] }\nwhere = { zones = [\"corridor\"] }",
        "labels = [\"dementai\"] }\nwhere = { zones = [\"corridor\"] }",
        &[warning(Kind::EmptySelection, "", "rule lingering", "did you mean `dementia`?")],
    );
    check(
        file,
        "who = { classes = [\"staff\"] }",
        "who = { subjects = [\"nurse-002\"] }",
        &[error(Kind::UnknownSubject, "", "rule duress", "did you mean `nurse-001`?")],
    );
    check(
        file,
        "who = { classes = [\"staff\"] }",
        "who = { classes = [\"staff\"], labels = [\"dementia\"] }",
        &[
            warning(Kind::NoDuressRule, "", "", "what = \"button_pressed\""),
            warning(Kind::EmptySelection, "", "rule duress", "check `classes`"),
        ],
    );
}

#[test]
fn how_a_rule_about_doors_is_made() {
    let file = "rules.toml";
    let held = "what = \"door_held\"\nafter = \"1 min\"";
    let held_exits = "where = { doors_labelled = [\"exit\"] }\nwhat = \"door_held\"";
    let wrong =
        |from: &str, to: &str, expected: super::Expected| check(file, from, to, &[expected]);
    let of = |kind, line, remedy| error(kind, line, "rule held-open", remedy);
    wrong(held, "what = \"door_held\"", of(Kind::MissingField, "", "after = "));
    wrong(held, "what = \"door_lost\"", of(Kind::MissingField, "", "after = "));
    wrong(held, "what = \"door_battery_low\"", of(Kind::MissingField, "", "percent = 10"));
    wrong(held, &format!("{held}\ngates = {{}}"), of(Kind::UnfitRule, "", "remove `gates`"));
    wrong(
        held_exits,
        "where = { zones = [\"ward\"], doors_labelled = [\"exit\"] }\nwhat = \"door_held\"",
        of(Kind::UnfitRule, "", "remove the zones"),
    );
    wrong(held_exits, "what = \"door_held\"", of(Kind::EmptySelection, "", "name doors"));
    wrong(
        held,
        &format!("who = {{ classes = [\"staff\"] }}\n{held}"),
        of(Kind::UnfitRule, "", "`who`"),
    );
    check(
        file,
        held_exits,
        "where = { doors = [\"door-1\", \"entrance\"] }\nwhat = \"door_held\"",
        &[warning(Kind::UnwiredDoor, "", "rule held-open", "add \"feed\"")],
    );
    // A field of another condition is of no use to it.
    check(
        file,
        held,
        "what = \"door_tampered\"\nalso_unlocked = true",
        &[error(Kind::UnknownField, "also_unlocked", "rule held-open", "")],
    );
}

#[test]
fn how_a_rule_is_made() {
    let file = "rules.toml";
    check(
        file,
        "alarm = \"elopement\"",
        "alarm = \"duress\"",
        &[error(Kind::UnfitRule, "", "rule elopement", "elopement or asset_theft")],
    );
    check(
        file,
        "alarm = \"elopement\"\n",
        "",
        &[error(Kind::MissingField, "", "rule elopement", "asset_theft")],
    );
    check(
        file,
        "what = \"band_cut\"",
        "what = \"band_cut\"\ntentative = true\nwhere = { zones = [\"ward\"] }",
        &[
            error(Kind::UnfitRule, "", "rule band-cut", "remove the zones"),
            error(Kind::UnfitRule, "", "rule band-cut", "remove `gates` and `tentative`"),
        ],
    );
    check(
        file,
        "after = \"15 min\"\n",
        "",
        &[error(Kind::MissingField, "", "rule lingering", "after = ")],
    );
    check(
        file,
        "after = \"15 min\"",
        "after = \"0 s\"",
        &[error(Kind::BadValue, "\"0 s\"", "rule lingering", "\"5 min\"")],
    );
    check(
        file,
        "after = \"15 min\"",
        "after = \"9000 h\"",
        &[error(Kind::BadValue, "9000 h", "rule lingering", "\"5 min\"")],
    );
    // A condition that is not known is one mistake, not also a rule that watches nothing.
    check(
        file,
        "what = \"stays\"",
        "what = \"stayes\"",
        &[error(Kind::BadValue, "stayes", "rule lingering", "stays")],
    );
    check(
        file,
        "id = \"battery\"\n",
        "percnt = 5\n",
        &[
            error(Kind::MissingField, "", "rule 14", "id = "),
            error(Kind::UnknownField, "percnt", "rule 14", "did you mean `percent`?"),
        ],
    );
}

#[test]
fn limits_hours_and_names_of_rules() {
    let file = "rules.toml";
    let rule = "[[rule]]\nid = \"elopement\"";
    check(
        file,
        "percent = 10",
        "percent = 100",
        &[error(Kind::BadValue, "percent = 100", "rule battery", "1 to 99")],
    );
    check(
        file,
        "from = \"20:00\"",
        "days = [\"sunday\"], from = \"8 pm\"",
        &[
            error(Kind::BadValue, "8 pm", "rule store-at-night, when", "mon"),
            error(Kind::BadValue, "8 pm", "rule store-at-night, when", "22:00"),
        ],
    );
    check(
        file,
        rule,
        "[[rule]]\nid = \"pump-theft\"",
        &[error(Kind::DuplicateId, "", "rule pump-theft", "own id")],
    );
    check(
        file,
        rule,
        "[[rules]]\n\n[[rule]]\nid = \"elopement\"",
        &[error(Kind::UnknownField, "[[rules]]", "", "did you mean `rule`?")],
    );
}

/// What the node would refuse is told by the checker, with the place.
#[test]
fn spans_that_would_switch_the_watch_off() {
    let gate = "gates = { exit_tolerance_m = 1.0, confirm = \"2 of 3\", exit_delay = \"5 s\" }";
    check(
        "rules.toml",
        gate,
        "gates = { fence_timeout = \"500 ms\" }",
        &[error(Kind::BadValue, "fence_timeout", "rule pump-theft, gates", "\"1 s\" or more")],
    );
    check("rules.toml", gate, "gates = { fence_timeout = \"1 s\" }", &[]);
    for (gap, findings) in [
        ("60 s", &[][..]),
        ("61 s", &[error(Kind::BadValue, "61 s", "", "\"1 min\" or less")]),
        ("0 s", &[error(Kind::BadValue, "0 s", "", "\"5 min\"")]),
    ] {
        let gap = format!("largest_gap = \"{gap}\"");
        check("site.toml", "largest_gap = \"2 s\"", &gap, findings);
    }
}

#[test]
fn more_rules_and_windows_than_a_node_takes_are_too_many() {
    let file = "rules.toml";
    let rule = "\n[[rule]]\nid = \"one\"\nwhat = \"band_cut\"\npriority = \"low\"\n";
    // Three hours every day, each in a window of its own.
    let window = "{ from = \"01:00\", to = \"04:00\" }, ";
    let end = "percent = 10\npriority = \"low\"";
    let when = |count| format!("{end}\nwhen = [{}]", window.repeat(count));
    check(file, end, &when(32), &[]);
    check(file, end, &when(33), &[error(Kind::BadValue, "", "rule battery", "join windows")]);
    let rules = format!("{end}\n{}", rule.repeat(100_000));
    check(file, end, &rules, &[error(Kind::TooLarge, "", "", "select by label")]);
}

#[test]
fn how_a_door_is_moved() {
    let site = "site.toml";
    let way = |more: &str| format!("[[door_control]]\nid = \"way\"\n{more}\n\n[[feed]]");
    for (more, kind, remedy) in [
        ("rests = \"blocked\"", Kind::BadValue, "locked"),
        ("lockdown = \"unlocked\"", Kind::BadValue, "blocked"),
        ("drill = true", Kind::WrongType, ""),
        ("colour = \"red\"", Kind::UnknownField, ""),
    ] {
        check(site, "[[feed]]", &way(more), &[error(kind, "", "door_control", remedy)]);
    }
}

#[test]
fn how_a_rule_about_company_is_made() {
    let file = "rules.toml";
    let away = "what = \"away\"\nafter = \"24 h\"";
    let of = |kind, line, remedy| error(kind, line, "rule pump-away", remedy);
    let wrong = |to: &str, expected: &[super::Expected]| check(file, away, to, expected);
    wrong("what = \"away\"", &[of(Kind::MissingField, "", "after = ")]);
    wrong(&format!("{away}\nwith = {{}}"), &[of(Kind::UnknownField, "with = {}", "")]);
    wrong(
        &format!("{away}\nalarm = \"asset_theft\""),
        &[of(Kind::UnfitRule, "", "asset_not_returned")],
    );
    let alone = "what = \"alone\"\nafter = \"15 min\"";
    wrong(&format!("{alone}\ngates = {{}}"), &[of(Kind::UnfitRule, "", "remove `gates`")]);
    wrong(
        &format!("{alone}\nwith = {{ subjects = [\"nurse-002\"] }}"),
        &[of(Kind::UnknownSubject, "", "did you mean `nurse-001`?")],
    );
    let warned = |remedy| warning(Kind::EmptySelection, "", "rule pump-away", remedy);
    wrong(
        &format!("{alone}\nwith = {{ labels = [\"dementai\"] }}"),
        &[warned("did you mean `dementia`?")],
    );
    wrong(
        &format!("{alone}\nwith = {{ classes = [\"staff\"], labels = [\"dementia\"] }}"),
        &[warned("check `with`")],
    );
    check(
        file,
        &format!("where = {{ zones = [\"ward\", \"store\"] }}\n{away}"),
        away,
        &[of(Kind::EmptySelection, "", "name zones")],
    );
    let meets = "what = \"meets\"\nwithin_m = 2.0\nafter = \"10 s\"";
    let none = format!("where = {{ zones = [\"ward\", \"store\"] }}\n{away}");
    let met = |to: &str, expected: &[super::Expected]| check(file, &none, to, expected);
    met(meets, &[of(Kind::MissingField, "", "whom = ")]);
    let whom = "whom = { classes = [\"visitor\"] }";
    met(
        &format!("{meets}\n{whom}\napart_m = 1.5"),
        &[of(Kind::BadValue, "apart_m", "make it larger")],
    );
    met(
        &format!("{meets}\nwhom = {{ classes = [\"staff\"], labels = [\"dementia\"] }}"),
        &[warned("check `whom`")],
    );
}

#[test]
fn how_a_rule_about_tailgating_is_made() {
    let file = "rules.toml";
    let away = "where = { zones = [\"ward\", \"store\"] }\nwhat = \"away\"\nafter = \"24 h\"";
    let who = "who = { classes = [\"asset\"], labels = [\"pump\"] }\n";
    let at = "what = \"tailgating\"\nwhere = { doors = [\"entrance\"] }";
    let of = |kind, line, remedy| error(kind, line, "rule pump-away", remedy);
    let wrong =
        |from: &str, to: &str, expected: &[super::Expected]| check(file, from, to, expected);
    let both = format!("{who}{away}");
    wrong(&both, at, &[]);
    wrong(&both, &format!("{at}\nwith = {{ classes = [\"staff\"] }}"), &[]);
    // Equipment never counts.
    let things = "who = { classes = [\"asset\"] }\n";
    wrong(&both, &format!("{things}{at}"), &[of(Kind::UnfitRule, "", "select people")]);
    wrong(&both, "what = \"tailgating\"", &[of(Kind::EmptySelection, "", "name doors")]);
    wrong(
        &both,
        &at.replace("doors = [\"entrance\"]", "doors = [\"entrance\"], zones = [\"ward\"]"),
        &[of(Kind::UnfitRule, "", "remove the zones")],
    );
    wrong(
        &both,
        &format!("{at}\nafter = \"5 s\""),
        &[of(Kind::UnknownField, "after = \"5 s\"", "")],
    );
    wrong(&both, &format!("{at}\ntentative = true"), &[of(Kind::UnfitRule, "", "`tentative`")]);
    wrong(
        &both,
        &format!("{at}\nalarm = \"door_forced\""),
        &[of(Kind::UnfitRule, "", "set `alarm` to tailgating")],
    );
    let warned = |kind, remedy| warning(kind, "", "rule pump-away", remedy);
    wrong(
        &both,
        &format!("{at}\nwith = {{ classes = [\"staff\"], labels = [\"dementia\"] }}"),
        &[warned(Kind::EmptySelection, "check `with`")],
    );
    // A door that nobody reports is never seen to open.
    wrong(
        &both,
        "what = \"tailgating\"\nwhere = { doors = [\"door-1\"] }",
        &[warned(Kind::UnwiredDoor, "add \"feed\"")],
    );
}

#[test]
fn how_a_rule_about_motion_is_made() {
    let file = "rules.toml";
    let what = "what = \"motion\"\nafter = \"10 s\"";
    let of = |kind, line, remedy| error(kind, line, "rule store-motion", remedy);
    let warned = |kind, remedy| warning(kind, "", "rule store-motion", remedy);
    let wrong = |to: &str, expected: &[super::Expected]| {
        check(file, what, &format!("what = \"motion\"\n{to}"), expected);
    };
    wrong("after = \"10 s\"\nwith = { classes = [\"staff\"] }", &[]);
    wrong("", &[of(Kind::MissingField, "", "after")]);
    wrong("after = \"0 s\"", &[of(Kind::BadValue, "after = \"0 s\"", "")]);
    wrong("after = \"10 s\"\ngates = {}", &[of(Kind::UnfitRule, "", "remove `gates`")]);
    let who = "after = \"10 s\"\nwho = { classes = [\"patient\"] }";
    wrong(who, &[of(Kind::UnfitRule, "", "remove `who`")]);
    wrong(
        "after = \"10 s\"\nalarm = \"loitering\"",
        &[of(Kind::UnfitRule, "", "unexplained_motion")],
    );
    let nobody = "after = \"10 s\"\nwith = { subjects = [], labels = [\"newborn\"] }";
    wrong(nobody, &[warned(Kind::EmptySelection, "label a subject")]);
    let place = "where = { zones_labelled = [\"store\"] }\nwhen = [{ from = \"20:00\", to = \"06:00\" }]\nwhat = \"motion\"";
    check(file, place, "what = \"motion\"", &[of(Kind::EmptySelection, "", "name zones")]);
    check(
        file,
        place,
        "where = { zones = [\"room-1\"] }\nwhat = \"motion\"",
        &[warned(Kind::UnwiredZone, "add \"motion_feed\"")],
    );
    check(
        file,
        place,
        "where = { doors = [\"entrance\"], zones = [\"store\"] }\nwhat = \"motion\"",
        &[of(Kind::UnfitRule, "", "remove the doors")],
    );
    let floor = "floors/ground.geojson";
    let feed = "\"motion_feed\": \"doors\"";
    check(
        floor,
        feed,
        "\"motion_feed\": \"door\"",
        &[error(Kind::UnknownFeed, "", "feature 6 (store)", "did you mean `doors`?")],
    );
}

#[test]
fn how_a_rule_about_badges_is_made() {
    let file = "rules.toml";
    let what = "what = \"badge_elsewhere\"\nwithin_m = 10.0";
    let of = |kind, line, remedy| error(kind, line, "rule badge-elsewhere", remedy);
    let warned = |kind, remedy| warning(kind, "", "rule badge-elsewhere", remedy);
    let wrong = |to: &str, expected: &[super::Expected]| {
        check(file, what, &format!("what = \"badge_elsewhere\"\n{to}"), expected);
    };
    wrong("", &[]);
    wrong("within_m = 0.0", &[of(Kind::BadValue, "within_m", "")]);
    wrong("within_m = 201", &[of(Kind::BadValue, "within_m", "")]);
    wrong("apart_m = 20", &[of(Kind::UnknownField, "apart_m", "")]);
    wrong("after = \"9 min\"", &[of(Kind::UnknownField, "after = \"9 min\"", "")]);
    wrong("gates = {}", &[of(Kind::UnfitRule, "", "remove `gates`")]);
    wrong("alarm = \"door_forced\"", &[of(Kind::UnfitRule, "", "badge_elsewhere")]);
    let place = "where = { doors_labelled = [\"exit\"] }\nwhat = \"badge_elsewhere\"";
    check(file, place, "what = \"badge_elsewhere\"", &[of(Kind::EmptySelection, "", "name doors")]);
    check(
        file,
        place,
        "where = { zones = [\"ward\"], doors_labelled = [\"exit\"] }\nwhat = \"badge_elsewhere\"",
        &[of(Kind::UnfitRule, "", "remove the zones")],
    );
    check(
        file,
        place,
        "where = { doors = [\"door-1\", \"entrance\"] }\nwhat = \"badge_elsewhere\"",
        &[warned(Kind::UnwiredDoor, "add \"feed\"")],
    );
    // Nobody it is about has a badge.
    check(
        file,
        &format!("who = {{ classes = [\"staff\"] }}\n{place}"),
        &format!("who = {{ classes = [\"visitor\"] }}\n{place}"),
        &[warned(Kind::EmptySelection, "add `badges`")],
    );
}
