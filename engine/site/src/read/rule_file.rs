//! Reads `rules.toml`.

use std::sync::Arc;

use ach_actors_model::{AlarmKind, AlarmPriority, Name, Window};

use super::subject_file::CLASSES;
use super::{answer_fields, badge_fields, gates_table, meeting_fields, response_tables};
use crate::finding::FindingKind;
use crate::text::{Fields, Node, Origin, Report, Value, parse_clock};
use crate::{ResponsePlan, RulePlan, What, WherePlan, WhoPlan};

/// Most rules, as a node takes: a rule for each bed of a large hospital, and spare.
pub(crate) const RULES_MAX: usize = 4_096;

/// Most windows of one rule: four a day, and spare.
pub(crate) const WINDOWS_MAX: usize = 32;

/// The words for alarms a rule may raise.
pub(crate) const ALARMS: &[(&str, AlarmKind)] = &[
    ("elopement", AlarmKind::Elopement),
    ("asset_theft", AlarmKind::AssetTheft),
    ("unauthorised_entry", AlarmKind::UnauthorisedEntry),
    ("loitering", AlarmKind::Loitering),
    ("tag_silent", AlarmKind::TagSilent),
    ("battery_low", AlarmKind::BatteryLow),
    ("band_cut", AlarmKind::BandCut),
    ("duress", AlarmKind::Duress),
    ("over_capacity", AlarmKind::OverCapacity),
    ("door_forced", AlarmKind::DoorForced),
    ("tags_contradict", AlarmKind::TagsContradict),
    ("door_held", AlarmKind::DoorHeld),
    ("door_tampered", AlarmKind::DoorTampered),
    ("reader_tampered", AlarmKind::ReaderTampered),
    ("door_lost", AlarmKind::DoorLost),
    ("door_battery_low", AlarmKind::DoorBatteryLow),
    ("door_not_following", AlarmKind::DoorNotFollowing),
    ("asset_not_returned", AlarmKind::AssetNotReturned),
    ("lone_worker", AlarmKind::LoneWorker),
    ("forbidden_meeting", AlarmKind::ForbiddenMeeting),
    ("tailgating", AlarmKind::Tailgating),
    ("badge_elsewhere", AlarmKind::BadgeElsewhere),
    ("unexplained_motion", AlarmKind::UnexplainedMotion),
];

/// The words for priorities.
pub(crate) const PRIORITIES: &[(&str, AlarmPriority)] = &[
    ("high", AlarmPriority::High),
    ("medium", AlarmPriority::Medium),
    ("low", AlarmPriority::Low),
];

/// The words for conditions; `after`, `percent` and `also_unlocked` are filled in later.
pub(crate) const CONDITIONS: &[(&str, What)] = &[
    ("inside", What::Inside),
    ("leaves", What::Leaves),
    ("stays", What::Stays { after_ns: 0 }),
    ("tag_silent", What::TagSilent { after_ns: 0 }),
    ("battery_low", What::BatteryLow { percent: 0 }),
    ("band_cut", What::BandCut),
    ("button_pressed", What::ButtonPressed),
    ("over_capacity", What::OverCapacity),
    ("door_forced", What::DoorForced),
    ("tags_contradict", What::TagsContradict),
    ("door_held", What::DoorHeld { after_ns: 0, also_unlocked: false }),
    ("door_tampered", What::DoorTampered),
    ("reader_tampered", What::ReaderTampered),
    ("door_lost", What::DoorLost { after_ns: 0 }),
    ("door_battery_low", What::DoorBatteryLow { percent: 0 }),
    ("door_not_following", What::DoorNotFollowing { after_ns: 0 }),
    ("away", What::Away { after_ns: 0 }),
    ("alone", What::Alone { after_ns: 0 }),
    ("meets", What::Meets { within_mm: 0, apart_mm: 0, after_ns: 0 }),
    ("tailgating", What::Tailgating),
    ("badge_elsewhere", What::BadgeElsewhere { within_mm: 0 }),
    ("motion", What::Motion { after_ns: 0 }),
];

/// The words for days, as the bits of a window. All but `daily` leave holidays out.
pub(crate) const DAYS: &[(&str, u8)] = &[
    ("mon", 1),
    ("tue", 2),
    ("wed", 4),
    ("thu", 8),
    ("fri", 16),
    ("sat", 32),
    ("sun", 64),
    ("weekdays", 31),
    ("weekends", 96),
    ("daily", Window::EVERY_DAY),
    ("holidays", Window::HOLIDAYS),
];

/// What a file says, and where it says each.
#[derive(Debug, Default)]
pub(crate) struct RuleFile {
    pub(crate) rules: Vec<(RulePlan, Origin)>,
    pub(crate) responses: Vec<(ResponsePlan, Origin)>,
}

/// Reads the tree of `rules.toml`.
pub(super) fn read(node: &Node, file: &Arc<str>, report: &Report) -> RuleFile {
    let origin = Origin::new(file, None, "");
    let Some(fields) = Fields::new(node, &origin, report) else { return RuleFile::default() };
    let nodes = fields.list("rule");
    let responses = response_tables::read(&fields, file);
    fields.finish();
    if nodes.len() > RULES_MAX {
        let problem = format!("there are {} rules, at most {RULES_MAX}", nodes.len());
        report.error(FindingKind::TooLarge, &origin, &problem, "select by label instead");
        return RuleFile::default();
    }
    let mut rules = Vec::new();
    for (number, node) in (1..).zip(nodes) {
        let at = Origin::new(file, None, format!("rule {number}"));
        let Some(fields) = Fields::new(node, &at, report) else { continue };
        let id = fields.id("id = \"dementia-elopement\"");
        let place = id.as_ref().map_or(at.place, |id| format!("rule {id}"));
        let fields = fields.placed(place);
        let plan = read_rule(&fields, id);
        fields.finish();
        rules.extend(plan.map(|plan| (plan, fields.origin)));
    }
    RuleFile { rules, responses }
}

/// A rule. One without an id, or without a condition that is known, is read for its other mistakes
/// and goes no further.
fn read_rule(fields: &Fields<'_>, id: Option<Name>) -> Option<RulePlan> {
    let is_known = id.is_some();
    let id = id.or_else(Fields::nameless)?;
    let what = read_what(fields);
    let alarm = read_alarm(fields, what);
    let priority = fields.need("priority", "priority = \"high\"");
    let plan = RulePlan {
        name: fields.display(&id),
        who: fields.table("who").map(|who| read_who(&who)).unwrap_or_default(),
        place: fields.table("where").map(|place| read_where(&place)).unwrap_or_default(),
        when: read_windows(fields, "when"),
        what: what.unwrap_or(What::Inside),
        alarm,
        priority: priority
            .and_then(|node| fields.as_word("priority", node, PRIORITIES))
            .unwrap_or(AlarmPriority::High),
        gates: fields.table("gates").map(|gates| gates_table::read(&gates)),
        is_tentative: fields.flag("tentative"),
        answer: answer_fields::read(fields),
        others: read_others(fields, what),
        responses: fields.names("responses"),
        id,
    };
    (is_known && what.is_some()).then_some(plan)
}

fn read_what(fields: &Fields<'_>) -> Option<What> {
    let node = fields.need("what", "what = \"leaves\"");
    let what = node.and_then(|node| fields.as_word("what", node, CONDITIONS));
    if what.is_none() {
        // What belongs to a condition that is not known is not held against the rule.
        for key in ["after", "percent", "also_unlocked", "with", "whom", "within_m", "apart_m"] {
            let _ = fields.get(key);
        }
    }
    Some(match what? {
        What::Stays { .. } => What::Stays { after_ns: need_after(fields) },
        What::TagSilent { .. } => What::TagSilent { after_ns: need_after(fields) },
        What::BatteryLow { .. } => What::BatteryLow { percent: need_percent(fields) },
        What::DoorHeld { .. } => What::DoorHeld {
            after_ns: need_after(fields),
            also_unlocked: fields.flag("also_unlocked"),
        },
        What::DoorLost { .. } => What::DoorLost { after_ns: need_after(fields) },
        What::DoorBatteryLow { .. } => What::DoorBatteryLow { percent: need_percent(fields) },
        What::DoorNotFollowing { .. } => What::DoorNotFollowing { after_ns: need_after(fields) },
        What::Away { .. } => What::Away { after_ns: need_after(fields) },
        What::Alone { .. } => What::Alone { after_ns: need_after(fields) },
        What::Meets { .. } => meeting_fields::read(fields, need_after(fields)),
        What::BadgeElsewhere { .. } => badge_fields::read(fields),
        What::Motion { .. } => What::Motion { after_ns: need_after(fields) },
        what => what,
    })
}

/// Whom else a rule is about, if it says so.
fn read_others(fields: &Fields<'_>, what: Option<What>) -> Option<WhoPlan> {
    match what? {
        What::Alone { .. } | What::Tailgating | What::Motion { .. } => {
            fields.table("with").map(|with| read_who(&with))
        }
        What::Meets { .. } => {
            let _ = fields.need("whom", "whom = { classes = [\"visitor\"] }");
            fields.table("whom").map(|whom| read_who(&whom))
        }
        _ => None,
    }
}

fn need_percent(fields: &Fields<'_>) -> u8 {
    let _ = fields.need("percent", "percent = 10");
    let percent = fields.whole("percent", 1..=99).unwrap_or_default();
    u8::try_from(percent).unwrap_or_default()
}

fn need_after(fields: &Fields<'_>) -> u64 {
    let _ = fields.need("after", "after = \"5 min\"");
    fields.lasting_span("after").unwrap_or_default()
}

fn read_alarm(fields: &Fields<'_>, what: Option<What>) -> AlarmKind {
    let named = fields.word("alarm", ALARMS);
    match (named, what.unwrap_or(What::Inside).alarms()) {
        (Some(alarm), _) => alarm,
        (None, [only]) => *only,
        (None, choices) => {
            // Where the word was wrong, that has been said.
            if fields.get("alarm").is_none() {
                let _ = fields.need("alarm", "alarm = \"elopement\" or alarm = \"asset_theft\"");
            }
            choices.first().copied().unwrap_or(AlarmKind::Elopement)
        }
    }
}

fn read_who(fields: &Fields<'_>) -> WhoPlan {
    let classes = fields.list("classes").iter();
    let who = WhoPlan {
        classes: classes.filter_map(|node| fields.as_word("classes", node, CLASSES)).collect(),
        labels: fields.names("labels"),
        not_labels: fields.names("not_labels"),
        subjects: fields.names("subjects"),
    };
    fields.finish();
    who
}

fn read_where(fields: &Fields<'_>) -> WherePlan {
    let place = WherePlan {
        zones: fields.names("zones"),
        zones_labelled: fields.names("zones_labelled"),
        doors: fields.names("doors"),
        doors_labelled: fields.names("doors_labelled"),
        lines: fields.names("lines"),
        lines_labelled: fields.names("lines_labelled"),
    };
    fields.finish();
    place
}

/// Reads the windows of a field.
pub(super) fn read_windows<'a>(fields: &Fields<'a>, key: &'a str) -> Vec<Window> {
    let nodes = fields.list(key);
    if let Some(one_too_many) = nodes.get(WINDOWS_MAX) {
        let problem = format!("has {} windows, at most {WINDOWS_MAX}", nodes.len());
        fields.bad(key, one_too_many, &problem, "join windows that touch, or make two rules of it");
    }
    nodes.iter().take(WINDOWS_MAX).filter_map(|node| read_window(fields, key, node)).collect()
}

fn read_window<'a>(rule: &Fields<'a>, key: &str, node: &'a Node) -> Option<Window> {
    let mut origin = rule.origin.clone();
    origin.place.push_str(", ");
    origin.place.push_str(key);
    let fields = Fields::new(node, &origin, rule.report)?;
    let window = read_hours(&fields);
    fields.finish();
    window
}

fn read_hours(fields: &Fields<'_>) -> Option<Window> {
    let days = fields.list("days").iter();
    let days = days.filter_map(|node| fields.as_word("days", node, DAYS));
    let weekdays = days.fold(0, |week, day| week | day);
    let has_none = |node: &&Node| matches!(&node.value, Value::List(days) if days.is_empty());
    let is_empty = fields.get("days").filter(has_none);
    if let Some(node) = is_empty {
        fields.bad("days", node, "are none", "name days, or leave `days` out for all");
    }
    let weekdays = if fields.get("days").is_some() { weekdays } else { Window::EVERY_DAY };
    let clock = |key, absent: u32, most: u32| {
        let Some(node) = fields.get(key) else { return Some(absent) };
        let text = fields.as_text(key, node)?;
        let seconds = parse_clock(text).filter(|&seconds| seconds <= most);
        if seconds.is_none() {
            let problem = format!("is `{}`, which is no time of day", text.escape_debug());
            fields.bad(key, node, &problem, "write for example \"22:00\"");
        }
        seconds
    };
    let (from_s, until_s) = (clock("from", 0, 86_399), clock("to", 86_400, 86_400));
    let window = Window { weekdays, from_s: from_s?, until_s: until_s? };
    is_empty.is_none().then_some(window)
}

/// The keys that are asked for in a table of the file: `rule` with such a `what`, `who`, `where` or
/// `when`.
#[cfg(test)]
pub(crate) fn keys_read(table: &str, what: &str) -> std::collections::BTreeSet<String> {
    let report = Report::default();
    let what = Node { value: Value::Text(what.to_owned()), line: None };
    // Most of a response is read only if it locks something.
    let lock = Node { value: Value::Table(Vec::new()), line: None };
    let fields = match table {
        "rule" => vec![("what".to_owned(), what)],
        "response" => vec![("lock".to_owned(), lock)],
        _ => Vec::new(),
    };
    let node = Node { value: Value::Table(fields), line: None };
    let origin = Origin::new(&Arc::from("rules.toml"), None, "");
    let fields = Fields::new(&node, &origin, &report).unwrap();
    match table {
        "rule" => {
            let id = fields.id("id = \"a\"");
            drop(read_rule(&fields, id));
        }
        "who" => drop(read_who(&fields)),
        "where" => drop(read_where(&fields)),
        "when" => drop(read_hours(&fields)),
        "response" => {
            let id = fields.id("id = \"a\"");
            drop(response_tables::read_response(&fields, id));
        }
        "lock" => drop(response_tables::read_lock(&fields)),
        "gates" => {
            gates_table::read(&fields);
        }
        _ => panic!("there is no table {table}"),
    }
    fields.known()
}
