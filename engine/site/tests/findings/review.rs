//! What rules say together: conflicts, rules that say nothing, and holes. Nothing of it is an error.

use std::fs;

use ach_actors_model::Window;
use ach_engine_site::{HolidayDate, HolidayPlan, What, WhoPlan, sample_hospital};

use super::{Kind, check, edited, findings, warning};

const FILE: &str = "rules.toml";
/// Where further rules are put.
const FIRST: &str = "[[rule]]\nid = \"elopement\"";

/// Puts a rule before the others of the example; the file then begins with its warning, if it has one.
#[track_caller]
fn with_rule(rule: &str, expected: &[(Kind, &'static str, &'static str)]) {
    let text = format!("[[rule]]\n{rule}\n\n{FIRST}");
    let expected: Vec<super::Expected> =
        expected.iter().map(|&(kind, place, remedy)| warning(kind, "", place, remedy)).collect();
    check(FILE, FIRST, &text, &expected);
}

const DEMENTIA_LEAVES: &str = "\
who = { classes = [\"patient\"], labels = [\"dementia\"] }
where = { zones = [\"ward\"], lines = [\"perimeter\"] }
what = \"leaves\"
alarm = \"elopement\"
gates = { entry_margin_m = 0.3, exit_tolerance_m = 0.7, confirm = \"2 of 3\" }
";

#[test]
fn rules_that_say_the_same() {
    let same = format!("id = \"again\"\npriority = \"high\"\ntentative = true\n{DEMENTIA_LEAVES}");
    with_rule(&same, &[(Kind::RepeatedRule, "rule elopement", "remove one")]);
    // In other words: the union of the labels is the same.
    let same = "id = \"again\"\nwho = { classes = [\"staff\", \"staff\"] }\nwhat = \"button_pressed\"\n\
                priority = \"high\"";
    with_rule(same, &[(Kind::RepeatedRule, "rule duress", "remove one")]);
    // The tentative one has the first word; the other one adds nothing to it.
    let sure = format!("id = \"sure\"\npriority = \"high\"\n{DEMENTIA_LEAVES}");
    with_rule(&sure, &[(Kind::CoveredRule, "rule sure", "leave out of `elopement`")]);
}

/// The example lets an exit stand open for a minute, by `held-open`, of medium priority.
#[test]
fn rules_about_doors_are_held_against_each_other() {
    let held = |after: &str, priority: &str| {
        format!(
            "id = \"other\"\nwhere = {{ doors = [\"entrance\"] }}\nwhat = \"door_held\"\n\
             after = \"{after}\"\npriority = \"{priority}\""
        )
    };
    let covered = [(Kind::CoveredRule, "rule other", "`held-open`")];
    with_rule(&held("5 min", "medium"), &covered);
    // A ladder: who holds it open for longer is worse.
    with_rule(&held("5 min", "high"), &[]);
    with_rule(
        &held("30 s", "high"),
        &[(Kind::ConflictingRules, "rule held-open", "make one rule")],
    );
    // It says more: also while the lock is drawn back.
    with_rule(&format!("{}\nalso_unlocked = true", held("5 min", "medium")), &[]);
    let tampered = "id = \"other\"\nwhere = { doors = [\"entrance\"] }\nwhat = \"door_tampered\"\n\
                    priority = \"high\"";
    with_rule(tampered, &[]);
}

#[test]
fn rules_that_another_one_covers() {
    let covered = |rule: &str, place, by| with_rule(rule, &[(Kind::CoveredRule, place, by)]);
    // People, places, hours and evidence, each narrower in turn.
    covered(
        "id = \"nurses\"\nwho = { classes = [\"staff\"], labels = [\"nurse\"] }\n\
         what = \"button_pressed\"\npriority = \"high\"",
        "rule nurses",
        "`duress`",
    );
    covered(
        "id = \"one\"\nwho = { classes = [\"patient\"], subjects = [\"patient-001\"] }\n\
         what = \"band_cut\"\npriority = \"high\"",
        "rule one",
        "`band-cut`",
    );
    covered(
        "id = \"late\"\nwho = { classes = [\"visitor\"] }\nwhere = { zones = [\"store\"] }\n\
         when = [{ from = \"22:00\", to = \"05:00\" }]\nwhat = \"inside\"\npriority = \"high\"",
        "rule late",
        "`store-at-night`",
    );
    covered(
        "id = \"slow\"\nwho = { classes = [\"patient\"] }\nwhat = \"tag_silent\"\nafter = \"6 min\"\n\
         priority = \"medium\"",
        "rule slow",
        "`silent`",
    );
    covered(
        "id = \"empty\"\nwhat = \"battery_low\"\npercent = 5\npriority = \"low\"",
        "rule empty",
        "`battery`",
    );
    covered(
        "id = \"twice\"\nwho = { classes = [\"asset\"], labels = [\"pump\"] }\n\
         where = { zones = [\"ward\"] }\nwhat = \"leaves\"\nalarm = \"asset_theft\"\n\
         priority = \"medium\"\n\
         gates = { exit_tolerance_m = 2.0, confirm = \"3 of 3\", exit_delay = \"5 s\" }",
        "rule twice",
        "`pump-theft`",
    );
    // At a line, of all gates only the tolerance counts.
    covered(
        "id = \"at-line\"\nwho = { classes = [\"patient\"], labels = [\"dementia\"] }\n\
         where = { lines = [\"perimeter\"] }\nwhat = \"leaves\"\nalarm = \"elopement\"\npriority = \"high\"\n\
         gates = { exit_tolerance_m = 2.0, confirm = \"3 of 5\" }",
        "rule at-line",
        "`elopement`",
    );
    let alone = |rule: &str| with_rule(rule, &[]);
    // Other hours, other people, another place, less evidence.
    alone(
        "id = \"day\"\nwho = { classes = [\"visitor\"] }\nwhere = { zones = [\"store\"] }\n\
         when = [{ from = \"06:00\", to = \"20:00\" }]\nwhat = \"inside\"\npriority = \"high\"",
    );
    alone(
        "id = \"visitors\"\nwho = { classes = [\"visitor\"] }\nwhat = \"button_pressed\"\npriority = \"high\"",
    );
    alone(
        "id = \"room\"\nwho = { classes = [\"visitor\"] }\nwhere = { zones = [\"room-1\"] }\n\
         when = [{ from = \"20:00\", to = \"06:00\" }]\nwhat = \"inside\"\npriority = \"high\"",
    );
    alone(
        "id = \"quick\"\nwho = { labels = [\"dementia\"] }\nwhat = \"tag_silent\"\nafter = \"1 min\"\n\
         priority = \"medium\"",
    );
}

#[test]
fn rules_that_alarm_twice_for_one_cause() {
    with_rule(
        "id = \"silent-dementia\"\nwho = { labels = [\"dementia\"] }\nwhat = \"tag_silent\"\n\
         after = \"5 min\"\npriority = \"high\"",
        &[(Kind::ConflictingRules, "rule silent", "not_labels = [\"dementia\"]")],
    );
    // At other hours too, the first must be watched by somebody.
    with_rule(
        "id = \"silent-dementia\"\nwho = { labels = [\"dementia\"] }\nwhat = \"tag_silent\"\n\
         when = [{ from = \"20:00\", to = \"06:00\" }]\nafter = \"5 min\"\npriority = \"high\"",
        &[(Kind::ConflictingRules, "rule silent", "make one rule of both")],
    );
    // A thing that carries the label, too: left out of the first, nobody would watch it.
    let battery = |who: &str| {
        format!(
            "id = \"flat\"\nwho = {{ {who} }}\nwhat = \"battery_low\"\npercent = 10\npriority = \"high\""
        )
    };
    with_rule(
        &battery("labels = [\"dementia\"]"),
        &[(Kind::ConflictingRules, "rule battery", "not_labels = [\"dementia\"]")],
    );
    with_rule(
        &battery("classes = [\"patient\"], labels = [\"dementia\"]"),
        &[(Kind::ConflictingRules, "rule battery", "make one rule of both")],
    );
    // What lasts longer is worse: that is a ladder, and the other way round it is not.
    let lingers = |after: &str, priority: &str| {
        format!(
            "id = \"long\"\nwho = {{ classes = [\"patient\"] }}\nwhere = {{ zones = [\"corridor\"] }}\n\
             what = \"stays\"\nafter = \"{after}\"\npriority = \"{priority}\""
        )
    };
    with_rule(&lingers("30 min", "high"), &[]);
    with_rule(
        &lingers("5 min", "high"),
        &[(Kind::ConflictingRules, "rule lingering", "make one rule of both")],
    );
    with_rule("id = \"empty\"\nwhat = \"battery_low\"\npercent = 5\npriority = \"medium\"", &[]);
    // Fuller of some is not the same as full of all.
    let full = "id = \"full\"\nwho = { classes = [\"patient\"] }\nwhere = { zones = [\"day-room\"] }\n\
                what = \"over_capacity\"\npriority = \"high\"";
    with_rule(full, &[]);
}

#[test]
fn the_sample_would_alarm_twice_if_silence_of_all_were_that_of_the_protected_too() {
    let mut site = sample_hospital().directory;
    for rule in site.rules.iter_mut().filter(|rule| rule.id.as_str() == "tag-silent") {
        rule.who = WhoPlan::default();
    }
    let found = site.check();
    let found: Vec<Kind> = found.iter().map(|finding| finding.kind).collect();
    assert_eq!(found, [Kind::ConflictingRules]);
}

#[test]
fn rules_that_can_never_alarm() {
    with_rule(
        "id = \"deep\"\nwho = { classes = [\"patient\"] }\nwhere = { zones = [\"corridor\"] }\n\
         what = \"stays\"\nafter = \"1 h\"\npriority = \"low\"\ngates = { entry_margin_m = 1.2 }",
        &[(Kind::NarrowZone, "rule deep", "entry_margin_m")],
    );
    with_rule(
        "id = \"deep\"\nwho = { classes = [\"patient\"] }\nwhere = { zones = [\"corridor\"] }\n\
         what = \"stays\"\nafter = \"1 h\"\npriority = \"low\"\ngates = { entry_margin_m = 1.0 }",
        &[],
    );
}

#[test]
fn rules_about_people_without_tags() {
    let folder = edited("people.toml", "tags = [\"0200AC0000000004\"]", "");
    let found = findings(folder.path());
    let found: Vec<_> =
        found.iter().map(|finding| (finding.kind, finding.place.as_str())).collect();
    assert_eq!(found, [(Kind::DeadRule, "rule store-at-night")]);
}

/// Spare tags are under rules for all, and their silence is none.
#[test]
fn silence_of_all_is_dead_where_only_spare_tags_are_heard() {
    let mut site = sample_hospital().directory;
    site.feeds[0].spare_tags = vec![ach_actors_model::TagId(0xF00D)];
    for subject in site.people.iter_mut().chain(&mut site.equipment) {
        subject.tags.clear();
    }
    site.rules.retain(|rule| matches!(rule.what, What::TagSilent { .. } | What::BatteryLow { .. }));
    for rule in &mut site.rules {
        rule.who = WhoPlan::default();
    }
    let found = site.check();
    let dead: Vec<&str> = found
        .iter()
        .filter(|finding| finding.kind == Kind::DeadRule)
        .map(|finding| finding.place.as_str())
        .collect();
    let is_silent = |what: What| matches!(what, What::TagSilent { .. });
    let rules = (1..).zip(&site.rules);
    let silent = rules.filter(|(_, rule)| is_silent(rule.what));
    let silent: Vec<String> = silent.map(|(number, _)| format!("rule {number}")).collect();
    assert!(!silent.is_empty() && silent.len() < site.rules.len());
    assert_eq!(dead, silent, "{found}");
}

#[test]
fn a_rule_without_a_day_is_dead() {
    let mut site = sample_hospital().directory;
    for window in site.rules.iter_mut().flat_map(|rule| &mut rule.when) {
        window.weekdays = 0;
    }
    let found = site.check();
    let found: Vec<_> =
        found.iter().map(|finding| (finding.kind, finding.place.as_str())).collect();
    let dead = ["rule 12", "rule 32", "rule 33"].map(|place| (Kind::DeadRule, place));
    assert_eq!(found, dead);
}

/// Edits the example's rules and expects warnings wherever they are.
#[track_caller]
fn holes(edits: &[(&str, &str)], expected: &[(Kind, &str, &str)]) {
    let folder = edited(FILE, edits[0].0, edits[0].1);
    let path = folder.path().join(FILE);
    let mut text = fs::read_to_string(&path).unwrap();
    for (from, to) in &edits[1..] {
        assert!(text.contains(from), "no {from}");
        text = text.replacen(from, to, 1);
    }
    fs::write(&path, text).unwrap();
    let found = findings(folder.path());
    assert_eq!(found.iter().count(), expected.len(), "\n{found}");
    for (finding, (kind, file, problem)) in found.iter().zip(expected) {
        assert_eq!((finding.kind, finding.file.as_str()), (*kind, *file), "\n{found}");
        assert!(finding.problem.contains(problem), "\n{found}");
    }
}

#[test]
fn high_risk_zones_want_a_rule_at_every_hour() {
    let floor = "floors/ground.geojson";
    let leaves = "where = { zones = [\"ward\"], lines = [\"perimeter\"] }";
    holes(
        &[(leaves, "where = { lines = [\"perimeter\"] }")],
        &[(Kind::UnguardedZone, floor, "no rule raises `elopement`")],
    );
    let by_day = "where = { zones = [\"ward\"] }\n\
                  when = [{ days = [\"weekdays\"], from = \"07:00\", to = \"19:00\" }]";
    holes(
        &[(leaves, by_day)],
        &[(
            Kind::UnguardedHours,
            floor,
            "on Mondays, Tuesdays, Wednesdays and Thursdays from 19:00 to 07:00 the next day, and \
             from Friday 19:00 to Monday 07:00",
        )],
    );
    // Two rules share the week.
    let by_night = format!(
        "[[rule]]\nid = \"night\"\npriority = \"high\"\n{DEMENTIA_LEAVES}\
         when = [{{ from = \"20:00\", to = \"06:00\" }}]\n\n{FIRST}"
    );
    let by_day = "where = { zones = [\"ward\"] }\nwhen = [{ from = \"06:00\", to = \"20:00\" }]";
    holes(
        &[
            (FIRST, &by_night),
            (
                "where = { zones = [\"ward\"], lines = [\"perimeter\"] }\nwhat = \"leaves\"\nalarm = \"elopement\"\npriority",
                &format!("{by_day}\nwhat = \"leaves\"\nalarm = \"elopement\"\npriority"),
            ),
        ],
        &[],
    );
}

/// Whoever asks for holidays wants some, and whoever asks for weekdays is told what is left open.
#[test]
fn rules_are_reviewed_on_holidays_too() {
    let night = "when = [{ from = \"20:00\", to = \"06:00\" }]";
    let asks =
        |days: &str| format!("when = [{{ days = [{days}], from = \"20:00\", to = \"06:00\" }}]");
    for days in ["\"holidays\"", "\"weekdays\", \"holidays\""] {
        holes(&[(night, &asks(days))], &[(Kind::NoHolidays, FILE, "the site has none")]);
    }
    holes(&[(night, &asks("\"daily\""))], &[]);
    let found = |when: &str, expected: &[(Kind, &str)]| {
        let mut site = sample_hospital().directory;
        let date = HolidayDate::parse("12-25").unwrap();
        site.holidays = vec![HolidayPlan { date, name: String::new() }];
        let rule = site.rules.iter_mut().find(|rule| rule.id.as_str() == "dementia-elopement");
        rule.unwrap().when = when
            .split_whitespace()
            .map(|days| Window {
                weekdays: u8::from_str_radix(days, 2).unwrap(),
                from_s: 0,
                until_s: 86_400,
            })
            .collect();
        let findings = site.check();
        let hours = findings.iter().filter(|finding| finding.kind == Kind::UnguardedHours);
        let told: Vec<(Kind, &str)> =
            hours.map(|finding| (finding.kind, finding.problem.as_str())).collect();
        assert_eq!(told.len(), expected.len(), "{findings}");
        for ((kind, problem), (expected, words)) in told.iter().zip(expected) {
            assert_eq!(kind, expected);
            assert!(problem.ends_with(words), "{problem}");
        }
    };
    found("11111111", &[]);
    found("00011111 11100000", &[]);
    found("01111111", &[(Kind::UnguardedHours, " leaves it on holidays all day")]);
}

/// A zone is guarded by rules about patients with tags, and at every hour for the same people.
#[test]
fn high_risk_zones_are_guarded_for_patients() {
    let who = "who = { classes = [\"patient\"], labels = [\"dementia\"] }\nwhere = { zones = [\"ward\"], lines = [\"perimeter\"] }";
    let floor = "floors/ground.geojson";
    let of_visitors = who.replace(
        "{ classes = [\"patient\"], labels = [\"dementia\"] }",
        "{ classes = [\"visitor\"] }",
    );
    holes(&[(who, &of_visitors)], &[(Kind::UnguardedZone, floor, "no rule raises `elopement`")]);
    let of_others = who.replace(
        "[\"patient\"], labels = [\"dementia\"]",
        "[\"patient\", \"staff\"], subjects = [\"nurse-001\"]",
    );
    holes(&[(who, &of_others)], &[(Kind::UnguardedZone, floor, "no rule raises `elopement`")]);
    let by_day = format!("{who}\nwhen = [{{ from = \"06:00\", to = \"20:00\" }}]");
    let by_night = |who: &str| {
        format!(
            "[[rule]]\nid = \"night\"\npriority = \"high\"\nwho = {{ {who} }}\nwhere = {{ zones = [\"ward\"] }}\n\
             when = [{{ from = \"20:00\", to = \"06:00\" }}]\nwhat = \"leaves\"\nalarm = \"elopement\"\n\n{FIRST}"
        )
    };
    // All patients are these and others.
    holes(&[(who, &by_day), (FIRST, &by_night("classes = [\"patient\"]"))], &[]);
    holes(
        &[
            (who, &by_day),
            (FIRST, &by_night("classes = [\"patient\"], not_labels = [\"dementia\"]")),
        ],
        &[
            (Kind::UnguardedHours, floor, "nobody is watched at every hour"),
            (Kind::EmptySelection, FILE, "about nobody"),
        ],
    );
}

/// Twenty of them, and how many more there are.
#[test]
fn so_many_zones_without_a_rule_are_told() {
    let mut site = sample_hospital().directory;
    let high_risk = ach_actors_model::Name::new("high-risk").unwrap();
    let zones = site.floors.iter_mut().flat_map(|floor| &mut floor.zones).take(23);
    for zone in zones {
        zone.labels = vec![high_risk.clone()];
    }
    site.rules.retain(|rule| rule.what != What::Leaves);
    let found = site.check();
    let unguarded: Vec<&str> = found
        .iter()
        .filter(|finding| finding.kind == Kind::UnguardedZone)
        .map(|finding| finding.problem.as_str())
        .collect();
    assert_eq!(unguarded.len(), 21, "{unguarded:?}");
    let more = unguarded.iter().filter(|problem| problem.contains(" more zones are high-risk"));
    assert_eq!(more.count(), 1, "{unguarded:?}");
}

#[test]
fn people_exits_buttons_and_bands_want_a_rule() {
    let who =
        "who = { classes = [\"patient\"], labels = [\"dementia\"] }\nwhere = { zones = [\"ward\"]";
    let of_staff = who.replace("[\"patient\"]", "[\"patient\", \"staff\"]");
    holes(&[(who, &of_staff)], &[]);
    let visitors = who.replace("[\"patient\"]", "[\"visitor\", \"staff\"]");
    holes(
        &[(who, &visitors)],
        &[
            // It is about nobody, nobody of its classes is a patient, and the one it names by label is under no
            // other.
            (Kind::UnguardedZone, "floors/ground.geojson", "no rule raises `elopement`"),
            (Kind::EmptySelection, FILE, "about nobody"),
            (Kind::UnguardedPeople, FILE, "1 patient carries the label `dementia`"),
        ],
    );
    // Exceptions are meant.
    let excepted = who.replace("labels", "not_labels = [\"dementia\"], labels");
    holes(&[(who, &excepted)], &[(Kind::EmptySelection, FILE, "about nobody")]);
    holes(
        &[("where = { doors_labelled = [\"exit\"] }", "where = { doors = [\"door-store\"] }")],
        &[(Kind::UnguardedDoor, "floors/ground.geojson", "`entrance`")],
    );
    let duress = "id = \"duress\"\nname = \"Duress\"\nwho = { classes = [\"staff\"] }";
    let of_visitors = duress.replace("staff", "visitor");
    holes(&[(duress, &of_visitors)], &[(Kind::NoDuressRule, FILE, "a member of staff carries")]);
    let cut = "what = \"band_cut\"\npriority = \"high\"";
    let alike = "what = \"tag_silent\"\nafter = \"1 min\"\npriority = \"high\"";
    holes(
        &[(cut, alike)],
        &[
            (Kind::NoBandRule, FILE, "the only protected patient with a tag is not under"),
            (Kind::ConflictingRules, FILE, "`band-cut`"),
        ],
    );
}

#[test]
fn labels_say_which_tags_have_no_button_and_which_are_no_bands() {
    let mut site = sample_hospital().directory;
    site.rules.retain(|rule| !matches!(rule.what, What::ButtonPressed | What::BandCut));
    let kinds = |site: &ach_engine_site::SiteDirectory| -> Vec<Kind> {
        site.check().iter().map(|finding| finding.kind).collect()
    };
    assert_eq!(kinds(&site), [Kind::NoDuressRule, Kind::NoBandRule]);
    for person in &mut site.people {
        let label = match person.class {
            ach_actors_model::SubjectClass::Staff => "no-button",
            _ => "no-band",
        };
        person.labels.push(ach_actors_model::Name::new(label).unwrap());
    }
    assert_eq!(kinds(&site), []);
}
