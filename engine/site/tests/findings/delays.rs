//! Rules that wait: which may, and for how long.

use super::{Expected, Kind, check, error, warning};

/// A rule of the example gets a line more.
#[track_caller]
fn rule(id: &str, more: &str, expected: &[Expected]) {
    let head = format!("id = \"{id}\"");
    check("rules.toml", &head, &format!("{head}\n{more}"), expected);
}

#[test]
fn what_lasts_may_wait() {
    for (id, more) in [
        ("pump-theft", "on_delay = \"1 s\"\noff_delay = \"1 h\""),
        ("store-at-night", "on_delay = \"5 s\""),
        ("crowded", "on_delay = \"30 s\"\noff_delay = \"1 min\""),
        ("battery", "on_delay = \"10 min\"\noff_delay = \"10 min\""),
        ("elopement", "off_delay = \"30 s\""),
        ("lingering", "off_delay = \"30 s\""),
        ("pump-away", "off_delay = \"30 s\""),
        ("held-open", "off_delay = \"30 s\""),
        ("silent", "off_delay = \"30 s\""),
    ] {
        rule(id, more, &[]);
    }
}

#[test]
fn what_cannot_wait_is_told_with_what_to_say_instead() {
    let unfit = |id, remedy| [error(Kind::UnfitRule, "[[rule]]", id, remedy)];
    for (id, place) in
        [("forced", "rule forced"), ("duress", "rule duress"), ("band-cut", "rule band-cut")]
    {
        let head = format!("id = \"{id}\"");
        for (more, remedy) in [
            ("on_delay = \"2 s\"", "remove `on_delay`"),
            ("off_delay = \"2 s\"", "remove `off_delay`"),
        ] {
            let with = format!("{head}\n{more}");
            check("rules.toml", &head, &with, &[error(Kind::UnfitRule, "", place, remedy)]);
        }
    }
    let no_line = |place, remedy| [error(Kind::UnfitRule, "", place, remedy)];
    rule("badge-elsewhere", "off_delay = \"2 s\"", &no_line("rule badge-elsewhere", "off_delay"));
    rule("store-motion", "off_delay = \"2 s\"", &no_line("rule store-motion", "off_delay"));
    rule("store-motion", "on_delay = \"2 s\"", &no_line("rule store-motion", "on_delay"));
    rule("band-left", "off_delay = \"2 s\"", &no_line("rule band-left", "off_delay"));
    for (id, place) in [
        ("lingering", "rule lingering"),
        ("pump-away", "rule pump-away"),
        ("held-open", "rule held-open"),
        ("silent", "rule silent"),
    ] {
        rule(id, "on_delay = \"2 s\"", &no_line(place, "say so in `after`"));
    }
    let dwell = "on_delay = \"2 s\"\ngates = { dwell = \"5 s\" }";
    rule("store-at-night", dwell, &no_line("rule store-at-night", "`dwell` of `gates`"));
    rule("elopement", "on_delay = \"2 s\"", &unfit("rule elopement", "remove `tentative`"));
    let life = "life_safety = true\noff_delay = \"2 s\"";
    rule("pump-theft", life, &no_line("rule pump-theft", "`life_safety`"));
    let check_tampering = |what: &str, place, remedy| {
        let from = "what = \"door_forced\"";
        let to = format!("what = \"{what}\"\non_delay = \"2 s\"");
        check("rules.toml", from, &to, &[error(Kind::UnfitRule, "", place, remedy)]);
    };
    check_tampering("door_tampered", "rule forced", "say `off_delay`");
    check_tampering("reader_tampered", "rule forced", "say `off_delay`");
}

#[test]
fn delays_have_limits() {
    let bad = |word, remedy| [error(Kind::BadValue, word, "rule pump-theft", remedy)];
    rule("pump-theft", "on_delay = \"999 ms\"", &bad("on_delay", "\"1 s\" or more"));
    rule("pump-theft", "on_delay = \"0 s\"", &bad("on_delay", ""));
    rule("pump-theft", "on_delay = \"61 min\"", &bad("on_delay", "\"1 h\" or less"));
    rule("pump-theft", "off_delay = \"2 h\"", &bad("off_delay", "\"1 h\" or less"));
}

#[test]
fn who_leaves_is_not_to_be_told_of_late() {
    let late = |wait: &str, expected: &[Expected]| {
        let to = format!("on_delay = \"{wait}\" # raised");
        check("rules.toml", "tentative = true # raised", &to, expected);
    };
    late("5 s", &[]);
    late("6 s", &[warning(Kind::LateAlarm, "", "rule elopement", "`on_delay` down to 5 s")]);
    // What is stolen is looked for.
    rule("pump-theft", "on_delay = \"6 s\"", &[]);
}
