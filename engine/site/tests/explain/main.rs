//! Rules in plain English: every condition, with gates and hours.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test panics"
)]

mod doors;

use std::fs;

use ach_actors_model::Timestamp;
use ach_engine_site::{Explainer, SiteDirectory, sample_hospital, write_example};
use tempfile::tempdir;

/// 23 November 2026, seven o'clock UTC.
const NOW: Timestamp = Timestamp(1_795_417_200_000_000_000);

/// What is told of one rule in the example site.
#[track_caller]
fn told(rule: &str) -> String {
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let text = format!("[[rule]]\nid = \"one\"\nname = \"A misleading name\"\n{rule}\n");
    fs::write(folder.path().join("rules.toml"), text).unwrap();
    let site =
        SiteDirectory::read(folder.path()).unwrap_or_else(|found| panic!("{found}")).directory;
    let text = Explainer::new(&site, NOW).rule("one").unwrap().text;
    assert!(!text.contains("misleading"), "{text}");
    text
}

#[track_caller]
fn check(rule: &str, expected: &str) {
    assert_eq!(told(rule), expected);
}

const WARD: &str = "where = { zones = [\"ward\"] }";
const LATE: &str = "when = [{ days = [\"weekdays\"], from = \"08:00\", to = \"18:00\" }]";

#[test]
fn conditions_about_zones_are_told() {
    check(
        "who = { classes = [\"patient\"], labels = [\"dementia\"], not_labels = [\"escorted\"] }\n\
         where = { zones = [\"ward\"] }\nwhat = \"leaves\"\nalarm = \"elopement\"\npriority = \"high\"\n\
         tentative = true\ngates = { exit_tolerance_m = 1.0, confirm = \"2 of 3\" }",
        "It is about patients labelled dementia, except those labelled escorted: 1 person today. At all \
         hours, when one of them leaves the zone \"Ward\" by more than 1.0 m or to another floor, in \
         2 of the latest 3 positions, it raises a high-priority elopement alarm. It is raised tentatively at the first \
         sign, and upheld or retracted as the next positions decide. Only somebody who was inside \
         before (in 2 of the latest 3 positions) can leave.",
    );
    check(
        &format!(
            "{WARD}\n{LATE}\nwhat = \"leaves\"\nalarm = \"asset_theft\"\npriority = \"low\"\ngates = {{}}\ntentative = true"
        ),
        "It is about everybody and everything: 4 people and pieces of equipment today. On \
         weekdays from 08:00 to 18:00 (Europe/Berlin time), when one of them leaves the zone \"Ward\", \
         it raises a low-priority theft alarm. Whoever leaves at other hours raises nothing, not even \
         when these hours begin.",
    );
    check(
        "who = { classes = [\"visitor\", \"staff\"] }\nwhere = { zones_labelled = [\"store\"] }\n\
         when = [{ from = \"20:00\", to = \"06:00\" }]\nwhat = \"inside\"\npriority = \"medium\"",
        "It is about visitors and staff: 2 people today. Every day from 20:00 to 06:00 (Europe/Berlin \
         time), when one of them is in the only zone labelled store (\"Store\"), at least 0.5 m \
         inside, in 2 of the latest 3 positions, it raises a medium-priority unauthorised-entry \
         alarm. No alarm is raised before that is certain. Somebody who is already there when these \
         hours begin raises it then, and the alarm ends with these hours. In the night to 28 March \
         2027, when clocks go forward, these hours last 9 h instead of 10 h; in the night to 31 \
         October 2027, when they go back, 11 h instead of 10 h.",
    );
    check(
        &format!(
            "{WARD}\nwho = {{ subjects = [\"nurse-001\"] }}\nwhat = \"inside\"\npriority = \"low\"\ngates = {{ dwell = \"90 s\" }}\ntentative = true"
        ),
        "It is about nurse-001: 1 person or piece of equipment today. At all hours, when one of them \
         has been in the zone \"Ward\" for 90 s, it raises a low-priority unauthorised-entry alarm. No \
         alarm is raised before that is certain.",
    );
    check(
        "who = { classes = [\"patient\"] }\nwhere = { zones = [\"corridor\", \"store\"] }\nwhat = \"stays\"\n\
         after = \"15 min\"\npriority = \"low\"",
        "It is about patients: 1 person today. At all hours, when one of them stays in one of the zones \
         \"Corridor\" or \"Store\" for 15 min, it raises a low-priority loitering alarm. The time \
         counts from entering by the zone's own gates, and begins anew for whoever leaves.",
    );
    check(
        "who = { classes = [\"patient\", \"visitor\"] }\nwhere = { zones = [\"day-room\"] }\n\
         what = \"over_capacity\"\npriority = \"low\"",
        "It is about patients and visitors: 2 people today. At all hours, when more than 12 of them are \
         in the zone \"Day room\", it raises a low-priority over-capacity alarm.",
    );
}

/// Silence ends being there, and with it the time that counts.
#[test]
fn who_is_not_heard_is_there_no_more() {
    for (rule, expected) in [
        (
            "what = \"stays\"\nafter = \"15 min\"\ngates = { fence_timeout = \"1 min\" }",
            "begins anew for whoever leaves or is not heard for 1 min.",
        ),
        (
            "what = \"inside\"\ngates = { fence_timeout = \"1 min\" }",
            "Whoever leaves or is not heard for 1 min is there no more.",
        ),
    ] {
        let text = told(&format!("{WARD}\n{rule}\npriority = \"low\""));
        assert!(text.contains(expected), "{rule}: {text}");
    }
}

/// By how long somebody has been there, if the rule asks for how long.
#[test]
fn what_began_before_the_hours_is_told() {
    let before = "The time before these hours counts: somebody who has been there for so long when they \
                  begin raises it then, and the alarm ends with these hours.";
    let already = "Somebody who is already there when these hours begin raises it then, and the alarm \
                   ends with these hours.";
    for (what, expected) in [
        ("what = \"inside\"", already),
        ("what = \"inside\"\ngates = { dwell = \"90 s\" }", before),
        ("what = \"stays\"\nafter = \"15 min\"", before),
    ] {
        let text = told(&format!("{WARD}\n{LATE}\n{what}\npriority = \"low\""));
        assert!(text.contains(expected), "{what}: {text}");
    }
}

#[test]
fn conditions_about_lines_and_doors_are_told() {
    let crosses = "who = { classes = [\"patient\"] }\nwhere = { lines = [\"perimeter\"] }\nwhat = \"leaves\"\n\
                   alarm = \"elopement\"\npriority = \"high\"\ntentative = true";
    check(
        crosses,
        "It is about patients: 1 person today. At all hours, when one of them crosses the line \
         \"Perimeter\" outward, it raises a high-priority elopement alarm. A crossing is believed only \
         between two positions at most 2 s apart.",
    );
    check(
        &format!("{crosses}\ngates = {{ exit_tolerance_m = 1.5 }}"),
        "It is about patients: 1 person today. At all hours, when one of them crosses the line \
         \"Perimeter\" outward and is then more than 1.5 m beyond it, it raises a high-priority \
         elopement alarm. It is raised tentatively at the first sign, and upheld or retracted as the \
         next positions decide. A crossing is believed only between two positions at most 2 s apart.",
    );
    check(
        "where = { doors_labelled = [\"exit\"], doors = [\"door-1\"] }\nwhat = \"door_forced\"\npriority = \"high\"",
        "At all hours, when one of 2 doors, named or labelled exit (\"Door of room 1\" and \
         \"Entrance\") is opened without a grant or a request to exit and its lock is not drawn back, \
         it raises a high-priority forced-door alarm. No feed reports 1 of them, which is not watched.",
    );
}

#[test]
fn conditions_about_tags_are_told() {
    let of = |what: &str, expected: &str| {
        let about = "It is about patients: 1 person today";
        check(
            &format!("who = {{ classes = [\"patient\"] }}\n{what}\npriority = \"high\""),
            &format!("{about}{expected}"),
        );
    };
    of(
        "what = \"tag_silent\"\nafter = \"5 min\"",
        ". At all hours, when a tag of one of them is not heard for 5 min, it raises a high-priority \
         silent-tag alarm. While its whole feed is silent, that is one alarm about the feed instead. \
         A tag that was never heard raises nothing.",
    );
    of(
        "what = \"battery_low\"\npercent = 10",
        ". At all hours, when the battery of a tag of one of them is at 10 % or less, it raises a \
         high-priority low-battery alarm.",
    );
    of(
        "what = \"band_cut\"",
        ". At all hours, when the band of one of them is cut, or a tag torn off, it raises a \
         high-priority cut-band alarm.",
    );
    of(
        "what = \"button_pressed\"\nwhen = [{ days = [\"sun\"], from = \"02:00\", to = \"03:00\" }]",
        ". On Sundays from 02:00 to 03:00 (Europe/Berlin time), when one of them presses the button on a \
         tag, it raises a high-priority duress alarm. At other hours nothing is raised, and nothing is \
         made up for later. On 28 March 2027, when clocks go forward, these hours do not come at all; \
         on 31 October 2027, when they go back, 2 h instead of 1 h.",
    );
    of(
        "what = \"tags_contradict\"\nwhen = [{ days = [\"mon\", \"tue\"] }, { days = [\"fri\"], to = \"12:00\" }]",
        ", and none of them carries two tags, as this takes. On Mondays and Tuesdays all day, and on \
         Fridays from 00:00 to 12:00 (Europe/Berlin time), when the tags of one of them have been too \
         far apart for 1 min to be on one body, it raises a high-priority contradicting-tags alarm. If \
         it is already so when these hours begin, it is raised when the tags are next heard, and the \
         alarm ends with these hours.",
    );
}

#[test]
fn what_is_away_and_who_is_alone_is_told() {
    check(
        "who = { classes = [\"asset\"] }\nwhere = { zones = [\"ward\", \"store\"] }\nwhat = \"away\"\n\
         after = \"24 h\"\npriority = \"low\"\ngates = { exit_tolerance_m = 1.0 }",
        "It is about equipment: 1 piece today. At all hours, when one of them has not been in any of the zones \"Ward\" or \
         \"Store\" for 24 h, it raises a low-priority not-returned alarm. The time counts from leaving the last of them by \
         more than 1.0 m or to another floor; for what was never seen there, from its first position. The time goes on \
         while a tag is silent. While its feed is silent or a zone it belongs to is blind, nothing is raised.",
    );
    check(
        &format!(
            "{WARD}\nwho = {{ classes = [\"staff\"] }}\nwhat = \"alone\"\nafter = \"15 min\"\npriority = \"medium\""
        ),
        "It is about staff: 1 person today. At all hours, when one of them has been in the zone \"Ward\" without company for \
         15 min, it raises a medium-priority lone-worker alarm. Company is: staff. Whoever carries no tag is not seen as \
         company. While a zone is blind, nothing is raised about it.",
    );
    check(
        "where = { zones = [\"ward\", \"store\"] }\nwhat = \"alone\"\nafter = \"15 min\"\npriority = \"medium\"\n\
         who = { classes = [\"staff\"] }\nwith = { labels = [\"nurse\"], not_labels = [\"student\"] }",
        "It is about staff: 1 person today. At all hours, when one of them has been in one of the zones \"Ward\" or \"Store\" \
         without company for 15 min, it raises a medium-priority lone-worker alarm. Company is: people and equipment \
         labelled nurse, except those labelled student. Whoever carries no tag is not seen as company. Each zone is \
         looked at on its own. While a zone is blind, nothing is raised about it.",
    );
}

#[test]
fn who_may_not_meet_whom_is_told() {
    check(
        "who = { classes = [\"patient\"] }\nwhom = { classes = [\"visitor\"], not_labels = [\"family\"] }\n\
         what = \"meets\"\nwithin_m = 2\nafter = \"10 s\"\npriority = \"high\"",
        "It is about patients: 1 person today. At all hours, when one of them has been within 2.0 m of somebody they are \
         kept apart from for 10 s, it raises a high-priority forbidden-meeting alarm. They are kept apart from visitors, \
         except those labelled family: 1 person today. It ends when the two are surely more than 3.0 m apart, or on \
         different floors. Walls between them are not looked at. A position that is older than 1 min, less exact than \
         2.0 m, or of an unknown floor brings nobody near.",
    );
    let told = told(
        "who = { classes = [\"patient\"] }\nwhom = { classes = [\"visitor\"] }\nwhat = \"meets\"\nwithin_m = 2\n\
         where = { zones = [\"ward\", \"store\"] }\nafter = \"10 s\"\npriority = \"high\"",
    );
    let place = "apart from in one of the zones \"Ward\" or \"Store\" for 10 s, it raises";
    assert!(told.contains(place), "{told}");
    assert!(told.contains("floors. Two in different zones do not begin to meet."), "{told}");
}

/// Gates, and words that tell of them.
const GATES: &[(&str, &str)] = &[
    ("", ""),
    ("gates = {}", ""),
    ("gates = { entry_margin_m = 0.3 }", "0.3 m"),
    ("gates = { exit_tolerance_m = 1.0, tolerance_timeout = \"20 s\" }", ""),
    ("gates = { exit_delay = \"5 s\", error_circle = true }", "circle of accuracy"),
    ("gates = { confirm = \"3 of 3\" }", "in 3 positions in a row"),
    (
        "gates = { confirm = \"2 of 5\", fence_timeout = \"1 min\" }",
        "in 2 of the latest 5 positions",
    ),
];

/// Where those about doors watch, and most of the others.
const DOORS: &str = "where = { doors = [\"entrance\"] }";
const ZONES: &str = "where = { zones = [\"ward\", \"lobby\"] }";

/// Conditions, where they watch, and whether they have gates.
const CONDITIONS: &[(&str, &str, bool)] = &[
    ("what = \"inside\"", ZONES, true),
    ("what = \"leaves\"\nalarm = \"elopement\"", ZONES, true),
    (
        "what = \"leaves\"\nalarm = \"asset_theft\"",
        "where = { zones = [\"ward\"], lines = [\"perimeter\"] }",
        true,
    ),
    ("what = \"stays\"\nafter = \"1 min\"", ZONES, true),
    ("what = \"over_capacity\"", "where = { zones = [\"day-room\"] }", false),
    ("what = \"away\"\nafter = \"24 h\"", ZONES, true),
    ("what = \"alone\"\nafter = \"15 min\"", ZONES, false),
    (
        "what = \"alone\"\nafter = \"15 min\"\nwith = { classes = [\"staff\", \"visitor\"] }",
        ZONES,
        false,
    ),
    (
        "what = \"meets\"\nwhom = { classes = [\"visitor\"] }\nwithin_m = 2.5\nafter = \"10 s\"",
        ZONES,
        false,
    ),
    ("what = \"door_forced\"", DOORS, false),
    ("what = \"tailgating\"", DOORS, false),
    ("what = \"tailgating\"\nwith = { classes = [\"staff\"] }", DOORS, false),
    ("what = \"door_held\"\nafter = \"1 min\"", DOORS, false),
    ("what = \"door_held\"\nafter = \"1 min\"\nalso_unlocked = true", DOORS, false),
    ("what = \"door_tampered\"", DOORS, false),
    ("what = \"reader_tampered\"", DOORS, false),
    ("what = \"door_lost\"\nafter = \"5 min\"", DOORS, false),
    ("what = \"door_battery_low\"\npercent = 5", DOORS, false),
    ("what = \"tag_silent\"\nafter = \"1 min\"", "", false),
    ("what = \"battery_low\"\npercent = 5", "", false),
    ("what = \"band_cut\"", "", false),
    ("what = \"button_pressed\"", "", false),
    ("what = \"tags_contradict\"", "", false),
];

/// Hours, and the words for them.
const WINDOWS: &[(&str, &str)] = &[
    ("", "At all hours, when "),
    (LATE, "On weekdays from 08:00 to 18:00 (Europe/Berlin time), when "),
    (
        "when = [{ from = \"22:00\", to = \"06:00\" }]",
        "Every day from 22:00 to 06:00 (Europe/Berlin time), when ",
    ),
];

/// Whatever is combined, what comes out are whole sentences that name what was asked for.
#[test]
fn what_waits_is_told() {
    check(
        &format!(
            "{WARD}\nwho = {{ classes = [\"asset\"] }}\nwhat = \"leaves\"\nalarm = \"asset_theft\"\npriority = \"low\"\n\
             gates = {{}}\non_delay = \"3 s\"\noff_delay = \"1 min\""
        ),
        "It is about equipment: 1 piece today. At all hours, when one of them leaves the zone \"Ward\", it raises a \
         low-priority theft alarm. It is raised only when that has held \
         for 3 s; what is over sooner nobody is told of. It ends when that has been over for 1 min; if it holds again \
         sooner, it is the same alarm.",
    );
}

#[test]
fn every_condition_with_every_gate_and_every_window_is_told_in_sentences() {
    let mut rules: Vec<(String, &str, &str)> = Vec::new();
    for &(what, place, has_gates) in CONDITIONS {
        for &(gate, gate_words) in GATES.iter().take(if has_gates { GATES.len() } else { 1 }) {
            for &(window, words) in WINDOWS {
                for tentative in if has_gates { &["", "tentative = true"][..] } else { &[""] } {
                    rules.push((
                        format!("{what}\n{place}\n{gate}\n{window}\n{tentative}"),
                        gate_words,
                        words,
                    ));
                }
            }
        }
    }
    assert!(rules.len() > 180, "{}", rules.len());
    let folder = tempdir().unwrap();
    write_example(folder.path()).unwrap();
    let heads = rules.iter().enumerate().map(|(number, (rule, ..))| {
        format!("[[rule]]\nid = \"rule-{number}\"\npriority = \"medium\"\n{rule}\n")
    });
    fs::write(folder.path().join("rules.toml"), heads.collect::<String>()).unwrap();
    let site =
        SiteDirectory::read(folder.path()).unwrap_or_else(|found| panic!("{found}")).directory;
    let explainer = Explainer::new(&site, NOW);
    let told = explainer.all();
    for (explanation, (rule, gate_words, window_words)) in told.zip(&rules) {
        let text = &explanation.text;
        let is_whole = text.ends_with('.')
            && !["  ", " ,", ",,", "..", "()", " .", "no zone"]
                .iter()
                .any(|slip| text.contains(slip));
        assert!(is_whole, "{rule}: {text}");
        for words in [*gate_words, *window_words, "it raises a medium-priority "] {
            assert!(text.contains(words), "{rule}: no {words} in {text}");
        }
    }
}

/// Where there are holidays, a window tells what it does on them, and which comes next.
#[test]
fn holidays_are_told_where_they_matter() {
    let check = |holidays: &str, days: &str, expected: &[&str], holds_no: &str| {
        let folder = tempdir().unwrap();
        write_example(folder.path()).unwrap();
        let edit = |file: &str, from: &str, to: &str| {
            let text = fs::read_to_string(folder.path().join(file)).unwrap();
            assert!(text.contains(from));
            fs::write(folder.path().join(file), text.replacen(from, to, 1)).unwrap();
        };
        edit("site.toml", "largest_gap", &format!("{holidays}\nlargest_gap"));
        edit("rules.toml", "when = [{ from", &format!("when = [{{ {days}from"));
        let site = SiteDirectory::read(folder.path()).unwrap().directory;
        let text = Explainer::new(&site, NOW).rule("store-at-night").unwrap().text;
        for words in expected {
            assert!(text.contains(words), "no {words} in {text}");
        }
        assert!(!text.contains(holds_no), "{holds_no} in {text}");
    };
    let coming = "holidays = [\"2026-05-01\", \"12-25\"]";
    let weekdays = "days = [\"weekdays\"], ";
    check(
        coming,
        weekdays,
        &[
            "On weekdays that are no holidays from 20:00 to 06:00 the next day (Europe/Berlin time), when ",
            " The next holiday is 25 December 2026.",
        ],
        "past",
    );
    check(
        "holidays = [\"2026-05-01\"]",
        "days = [\"weekdays\", \"holidays\"], ",
        &[
            "On weekdays and on holidays from 20:00 to 06:00 the next day (Europe/Berlin time), when ",
            " All holidays of the site are past.",
        ],
        "next holiday",
    );
    check(coming, "", &["Every day from 20:00 to 06:00 (Europe/Berlin time), when "], "holiday");
    check("", weekdays, &["On weekdays from 20:00 to 06:00 the next day"], "holiday");
}

#[test]
fn whoever_carries_no_tag_is_told_of() {
    let mut site = sample_hospital().directory;
    for person in site.people.iter_mut().take(3) {
        person.tags.clear();
    }
    let explanation = Explainer::new(&site, NOW).rule("dementia-elopement").unwrap();
    assert_eq!((explanation.subject_count, explanation.untagged_count), (30, 3));
    let words = ": 30 people today, of whom 3 carry no tag and are never heard.";
    assert!(explanation.text.contains(words), "{}", explanation.text);
}

#[test]
fn a_rule_that_is_not_there_is_told_with_the_nearest() {
    let site = sample_hospital().directory;
    let explainer = Explainer::new(&site, NOW);
    let near = explainer.rule("dementia-elopment").unwrap_err().unwrap();
    assert_eq!(near.as_str(), "dementia-elopement");
    assert_eq!(explainer.rule("x-y-z-0"), Err(None));
    assert_eq!(explainer.all().count(), site.rules.len());
}
