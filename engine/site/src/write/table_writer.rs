//! Writes `site.toml`, `people.toml`, `equipment.toml` and `rules.toml`.

use std::mem::discriminant;

use ach_actors_model::{AnswerConfig, Escalation, Name, StaysUntil, SubjectClass, TagId, Window};

use super::alarm_word;
use super::toml_text::{Toml, gates_fields, list_text, names_field, quoted};
use crate::read::{
    CLASSES, CONDITIONS, DRILLS, LOCKDOWNS, LOCKS, PRIORITIES, RESTS, STAYS_UNTIL, WAYS_OUT,
};
use crate::site_directory::kept_in_drills_default;
use crate::text::{clock_text, metres_text, span_text};
use crate::{
    ControlPlan, Georeference, HolidayPlan, ResponsePlan, RulePlan, SiteDirectory, SubjectPlan,
    What, WhoPlan,
};

pub(super) fn site(directory: &SiteDirectory) -> String {
    let mut toml = Toml::default();
    toml.comment("The site: what it is called, where it lies, and who reports to it.");
    toml.text("id", directory.id.as_str());
    toml.text("name", &directory.name);
    toml.text("time_zone", &directory.time_zone);
    toml.comment("Longest time between two positions over which a crossing is believed.");
    toml.span("largest_gap", Some(directory.largest_gap_ns));
    if !directory.holidays.is_empty() {
        toml.comment("Days that are no weekdays for the windows of rules.");
        let holidays: Vec<String> = directory.holidays.iter().map(holiday_text).collect();
        toml.line(&format!("holidays = [{}]", holidays.join(", ")));
    }
    if directory.kept_in_drills != kept_in_drills_default() {
        toml.comment("Labels of zones whose doors stay as they are in a drill.");
        let labels = list_text(directory.kept_in_drills.iter().map(Name::as_str));
        toml.line(&format!("kept_in_drills = {labels}"));
    }
    match &directory.georeference {
        Georeference::None => {}
        Georeference::Origin { lon_deg, lat_deg, rotation_deg } => {
            toml.header("[origin]");
            toml.number("lon_deg", *lon_deg);
            toml.number("lat_deg", *lat_deg);
            toml.number("rotation_deg", *rotation_deg);
        }
        Georeference::Points(points) => {
            for point in points {
                toml.header("[[ground_control_point]]");
                toml.number("lon_deg", point.lon_deg);
                toml.number("lat_deg", point.lat_deg);
                toml.number("x_m", point.x_m);
                toml.number("y_m", point.y_m);
            }
        }
    }
    toml.header("[speed_limits_m_per_s]");
    for limit in &directory.speed_limits {
        let metres = metres_text(i64::from(limit.mm_per_s));
        toml.line(&format!("{} = {metres}", class_word(limit.class)));
    }
    let gates = gates_fields(&directory.gates);
    if !gates.is_empty() {
        toml.blank();
        toml.comment("Gates of zones that have none of their own.");
        toml.line("[gates]");
        for field in gates {
            toml.line(&field);
        }
    }
    controls(&mut toml, directory);
    for feed in &directory.feeds {
        toml.header("[[feed]]");
        toml.text("id", feed.id.as_str());
        toml.text("name", &feed.name);
        toml.span("silence", feed.silence_ns);
        toml.words("zones", feed.zones.iter().map(Name::as_str));
        let tags: Vec<String> = feed.spare_tags.iter().map(TagId::to_string).collect();
        toml.words("spare_tags", tags.iter().map(String::as_str));
    }
    toml.into_text()
}

pub(super) fn people(directory: &SiteDirectory) -> String {
    let mut toml = Toml::default();
    toml.comment("Patients, staff and visitors. Names of people are here and nowhere else.");
    subjects(&mut toml, "person", &directory.people);
    toml.into_text()
}

pub(super) fn equipment(directory: &SiteDirectory) -> String {
    let mut toml = Toml::default();
    toml.comment("Things that carry tags.");
    subjects(&mut toml, "equipment", &directory.equipment);
    toml.into_text()
}

fn subjects(toml: &mut Toml, table: &str, subjects: &[SubjectPlan]) {
    for subject in subjects {
        toml.header(&format!("[[{table}]]"));
        toml.text("id", subject.id.as_str());
        toml.text("name", &subject.name.0);
        if subject.class != SubjectClass::Asset {
            toml.text("class", class_word(subject.class));
        }
        toml.words("labels", subject.labels.iter().map(Name::as_str));
        // Tags of one subject may belong to several feeds; most belong to one.
        let feeds: Vec<&Name> = subject.tags.iter().map(|tag| &tag.feed).collect();
        if let Some(first) = feeds.first()
            && feeds.iter().all(|feed| feed == first)
        {
            toml.text("feed", first.as_str());
            let tags: Vec<String> = subject.tags.iter().map(|tag| tag.id.to_string()).collect();
            toml.words("tags", tags.iter().map(String::as_str));
        } else if !feeds.is_empty() {
            let tags = subject.tags.iter();
            let tags: Vec<String> = tags
                .map(|tag| format!("{{ id = \"{}\", feed = \"{}\" }}", tag.id, tag.feed))
                .collect();
            toml.line(&format!("tags = [{}]", tags.join(", ")));
        }
        toml.words("badges", subject.badges.iter().map(Name::as_str));
    }
}

/// How doors are moved, as far as it is not as a plain door.
fn controls(toml: &mut Toml, directory: &SiteDirectory) {
    for control in &directory.controls {
        toml.header("[[door_control]]");
        toml.text("id", control.id.as_str());
        let plain = ControlPlan::new(control.id.clone());
        if control.rests != plain.rests {
            toml.text("rests", word_of(RESTS, control.rests));
        }
        if !control.unlocked_when.is_empty() {
            let windows: Vec<String> = control.unlocked_when.iter().map(window_text).collect();
            toml.line(&format!("unlocked_when = [{}]", windows.join(", ")));
        }
        if control.on_lockdown != plain.on_lockdown {
            toml.text("lockdown", word_of(LOCKDOWNS, control.on_lockdown));
        }
        if !control.opens_on_evacuation {
            toml.text("evacuation", word_of(WAYS_OUT, false));
        }
        if !control.opens_on_fire {
            toml.text("fire", word_of(WAYS_OUT, false));
        }
        if let Some(moves) = control.moves_in_drill {
            toml.text("drill", word_of(DRILLS, moves));
        }
        if let Some(area) = &control.fire_area {
            toml.text("fire_area", area.as_str());
        }
        if let Some(interlock) = &control.interlock {
            toml.text("interlock", interlock.as_str());
        }
    }
}

/// The word for a value; a list of words has one for each.
fn word_of<T: PartialEq + Copy>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}

pub(super) fn rules(directory: &SiteDirectory) -> String {
    let mut toml = Toml::default();
    toml.comment("Rules: whom they are about, where and when, and what they raise.");
    for rule in &directory.rules {
        toml.header("[[rule]]");
        toml.text("id", rule.id.as_str());
        toml.text("name", &rule.name);
        toml.table("who", &who_fields(&rule.who));
        toml.table("where", &where_fields(rule));
        if !rule.when.is_empty() {
            let windows: Vec<String> = rule.when.iter().map(window_text).collect();
            toml.line(&format!("when = [{}]", windows.join(", ")));
        }
        what(&mut toml, rule.what);
        if let Some(others) = &rule.others {
            // Empty it is everybody, which is not the same as none.
            let key = if matches!(rule.what, What::Meets { .. }) { "whom" } else { "with" };
            toml.line(&format!("{key} = {{ {} }}", who_fields(others).join(", ")));
        }
        toml.text("alarm", alarm_word(rule.alarm));
        let priority = PRIORITIES.iter().find(|(_, priority)| *priority == rule.priority);
        toml.text("priority", priority.map_or("high", |(word, _)| word));
        if let Some(gates) = &rule.gates {
            // The plain test is an empty table, which is not the same as none.
            toml.line(&format!("gates = {{ {} }}", gates_fields(gates).join(", ")));
        }
        if rule.is_tentative {
            toml.line("tentative = true");
        }
        answer(&mut toml, &rule.answer);
        toml.words("responses", rule.responses.iter().map(Name::as_str));
    }
    responses(&mut toml, &directory.responses);
    toml.into_text()
}

/// What rules name as their responses.
fn responses(toml: &mut Toml, responses: &[ResponsePlan]) {
    for response in responses {
        toml.header("[[response]]");
        toml.text("id", response.id.as_str());
        if response.locks() {
            let doors = [("doors", &response.doors), ("doors_labelled", &response.doors_labelled)];
            let fields = doors.into_iter().filter_map(|(key, names)| names_field(key, names));
            toml.table("lock", &fields.collect::<Vec<String>>());
            toml.text("as", word_of(LOCKS, response.mode));
            toml.span("for", Some(response.for_ns));
            if response.also_exits {
                toml.line("also_exits = true");
            }
        }
        toml.words("tell", response.tell.iter().map(Name::as_str));
    }
}

/// What people owe the alarms of a rule, as far as it is more than nothing.
fn answer(toml: &mut Toml, answer: &AnswerConfig) {
    if answer.stays_until != StaysUntil::default() {
        let word = STAYS_UNTIL.iter().find(|(_, until)| *until == answer.stays_until);
        toml.text("stays_until", word.map_or("acknowledged", |(word, _)| word));
    }
    if answer.latches {
        toml.line("latches = true");
    }
    if answer.is_life_safety {
        toml.line("life_safety = true");
    }
    if !answer.escalations.is_empty() {
        let step = |step: &Escalation| {
            format!("{{ after = \"{}\", to = \"{}\" }}", span_text(step.after_ns), step.to)
        };
        let steps: Vec<String> = answer.escalations.iter().map(step).collect();
        toml.line(&format!("escalate = [{}]", steps.join(", ")));
    }
    toml.span("calls_again", answer.again_after_ns);
    let delay = |ns: u64| (ns > 0).then_some(ns);
    toml.span("on_delay", delay(answer.delays.on_ns));
    toml.span("off_delay", delay(answer.delays.off_ns));
}

fn who_fields(who: &WhoPlan) -> Vec<String> {
    let classes = (!who.classes.is_empty()).then(|| {
        let words = who.classes.iter().map(|&class| class_word(class));
        format!("classes = {}", list_text(words))
    });
    classes
        .into_iter()
        .chain(names_field("labels", &who.labels))
        .chain(names_field("not_labels", &who.not_labels))
        .chain(names_field("subjects", &who.subjects))
        .collect()
}

fn where_fields(rule: &RulePlan) -> Vec<String> {
    let place = &rule.place;
    [
        ("zones", &place.zones),
        ("zones_labelled", &place.zones_labelled),
        ("doors", &place.doors),
        ("doors_labelled", &place.doors_labelled),
        ("lines", &place.lines),
        ("lines_labelled", &place.lines_labelled),
    ]
    .into_iter()
    .filter_map(|(key, names)| names_field(key, names))
    .collect()
}

fn what(toml: &mut Toml, what: What) {
    let is_same = |known: &What| discriminant(&what) == discriminant(known);
    let word = CONDITIONS.iter().find(|(_, known)| is_same(known));
    toml.text("what", word.map_or("inside", |(word, _)| word));
    match what {
        What::Stays { after_ns }
        | What::TagSilent { after_ns }
        | What::DoorLost { after_ns }
        | What::DoorNotFollowing { after_ns }
        | What::Away { after_ns }
        | What::Alone { after_ns }
        | What::Motion { after_ns } => {
            toml.span("after", Some(after_ns));
        }
        What::Meets { within_mm, apart_mm, after_ns } => {
            for (key, mm) in [("within_m", within_mm), ("apart_m", apart_mm)] {
                toml.line(&format!("{key} = {}", metres_text(i64::from(mm))));
            }
            toml.span("after", Some(after_ns));
        }
        What::DoorHeld { after_ns, also_unlocked } => {
            toml.span("after", Some(after_ns));
            if also_unlocked {
                toml.line("also_unlocked = true");
            }
        }
        What::BadgeElsewhere { within_mm } => {
            toml.line(&format!("within_m = {}", metres_text(i64::from(within_mm))));
        }
        What::BatteryLow { percent } | What::DoorBatteryLow { percent } => {
            toml.line(&format!("percent = {percent}"));
        }
        _ => {}
    }
}

fn window_text(window: &Window) -> String {
    const DAYS: [&str; 8] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holidays"];
    let days = DAYS.iter().enumerate().filter(|(day, _)| window.weekdays >> day & 1 == 1);
    let mut fields = Vec::new();
    if window.weekdays != Window::EVERY_DAY {
        fields.push(format!("days = {}", list_text(days.map(|(_, word)| *word))));
    }
    fields.push(format!("from = \"{}\"", clock_text(window.from_s)));
    fields.push(format!("to = \"{}\"", clock_text(window.until_s)));
    format!("{{ {} }}", fields.join(", "))
}

fn holiday_text(holiday: &HolidayPlan) -> String {
    let date = quoted(&holiday.date.to_string());
    match holiday.name.as_str() {
        "" => date,
        name => format!("{{ date = {date}, name = {} }}", quoted(name)),
    }
}

fn class_word(class: SubjectClass) -> &'static str {
    CLASSES.iter().find(|(_, known)| *known == class).map_or("patient", |(word, _)| word)
}
