//! The tables of `rules.toml`, with what each field and word means.

use ach_actors_model::{AlarmKind, AlarmPriority, NAME_BYTES_MAX, SubjectClass};
use serde_json::{Value, json};

use crate::What;
use crate::read::{ALARMS, CLASSES, CONDITIONS, DAYS, MARGIN_M_MAX, PRIORITIES, WINDOWS_MAX};

/// Most positions that are asked to agree.
const CONFIRM_MAX: u8 = 8;

/// The fields of `[[rule]]`.
pub(super) fn rule_fields() -> Value {
    json!({
        "id": {
            "description": "Its stable id: alarms are known by it. Short and plain, no personal data.",
            "$ref": "#/$defs/id",
            "examples": ["dementia-elopement"],
        },
        "name": {
            "description": "What people call it; without it, its id.",
            "type": "string",
        },
        "who": {
            "description": "Whom it is about: those for whom all of its fields are true. Without it, all.",
            "$ref": "#/$defs/who",
        },
        "where": {
            "description": "Where it watches: all that is named or labelled.",
            "$ref": "#/$defs/where",
        },
        "when": {
            "description": "When it holds, in the site's local time. Without it, always.",
            "type": "array",
            "maxItems": WINDOWS_MAX,
            "items": { "$ref": "#/$defs/window" },
        },
        "what": words("What it watches.", CONDITIONS, |what| condition_meaning(*what)),
        "alarm": words(
            "Which alarm it raises; needed for `leaves` alone.",
            ALARMS,
            |alarm| alarm_meaning(*alarm),
        ),
        "priority": words("How soon a person must respond.", PRIORITIES, |priority| match priority {
            AlarmPriority::High => "At once.",
            AlarmPriority::Medium => "Promptly.",
            AlarmPriority::Low => "To be aware of.",
        }),
        "gates": {
            "description": "How sure it must be. Without it, each zone's own gates; `{}` is the plain test.",
            "$ref": "#/$defs/gates",
        },
        "tentative": {
            "description": "Raise the alarm at the first sign, and uphold or retract it when the gates have \
                            spoken.",
            "type": "boolean",
            "default": false,
        },
        "after": {
            "description": "How long it must last, for `stays`, `tag_silent`, `door_held`, `door_lost`, \
                            `door_not_following`, `away`, `alone` and `meets`.",
            "$ref": "#/$defs/span",
            "examples": ["5 min"],
        },
        "percent": {
            "description": "The charge at or below which a battery is low, for `battery_low` and \
                            `door_battery_low`.",
            "type": "integer",
            "minimum": 1,
            "maximum": 99,
        },
        "also_unlocked": {
            "description": "For `door_held`: a door may not stand open even while its lock is drawn back.",
            "type": "boolean",
            "default": false,
        },
    })
}

/// The table `who`.
pub(super) fn who() -> Value {
    table(&json!({
        "classes": {
            "description": "Any of these classes.",
            "type": "array",
            "items": words("A class.", CLASSES, |class| match class {
                SubjectClass::Patient => "A patient.",
                SubjectClass::Staff => "A member of staff.",
                SubjectClass::Visitor => "A visitor or contractor.",
                SubjectClass::Asset => "A thing.",
            }),
        },
        "labels": ids("Any of these labels."),
        "not_labels": ids("None of these labels."),
        "subjects": ids("Any of these people or things, by id."),
    }))
}

/// The table `where`.
pub(super) fn places() -> Value {
    table(&json!({
        "zones": ids("Zones, by id."),
        "zones_labelled": ids("Zones that carry one of these labels."),
        "doors": ids("Doors, by id."),
        "doors_labelled": ids("Doors that carry one of these labels."),
        "lines": ids("Perimeter lines, by id."),
        "lines_labelled": ids("Perimeter lines that carry one of these labels."),
    }))
}

/// A window of `when`.
pub(super) fn window() -> Value {
    let days = words("A day, or several.", DAYS, |days| match days {
        31 => "Monday to Friday, but not on holidays.",
        96 => "Saturday and Sunday, but not on holidays.",
        255 => "Every day, holidays too.",
        128 => "The holidays of site.toml, whatever weekday they fall on.",
        _ => "The day on which the window begins, unless it is a holiday.",
    });
    table(&json!({
        "days": {
            "description": "The days on which it begins. Without it, every day, holidays too.",
            "type": "array",
            "minItems": 1,
            "items": days,
        },
        "from": {
            "description": "When it begins. Without it, at midnight.",
            "type": "string",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
            "examples": ["22:00"],
        },
        "to": {
            "description": "When it ends; on the next day if that is not after `from`. Without it, at midnight.",
            "type": "string",
            "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$",
            "examples": ["06:00", "24:00"],
        },
    }))
}

/// The table `gates`.
pub(super) fn gates() -> Value {
    let metres = |words: &str| json!({ "description": words, "type": "number", "minimum": 0, "maximum": MARGIN_M_MAX });
    let span = |words: &str| json!({ "description": words, "$ref": "#/$defs/span" });
    let votes =
        (1..=CONFIRM_MAX).flat_map(|of| (1..=of).map(move |needed| format!("{needed} of {of}")));
    table(&json!({
        "entry_margin_m": metres("Metres inside the outline that count as in."),
        "exit_tolerance_m": metres("Metres outside the outline, or beyond a line, that still count as in."),
        "tolerance_timeout": span("How long somebody may be outside but within the tolerance."),
        "exit_delay": span("How long somebody must be beyond the tolerance to have left."),
        "fence_timeout": span("Who is not heard for this long has left; at least 1 s. Rules about leaving do \
                               not ask for it."),
        "dwell": span("For `inside`: how long somebody must be in."),
        "confirm": {
            "description": "How many of the latest positions must agree.",
            "enum": votes.collect::<Vec<String>>(),
            "default": "1 of 1",
            "examples": ["2 of 3"],
        },
        "error_circle": {
            "description": "Demand that the whole circle of accuracy is in, or out.",
            "type": "boolean",
            "default": false,
        },
    }))
}

/// An id or label.
pub(super) fn id() -> Value {
    json!({
        "type": "string",
        "pattern": format!("^[A-Za-z0-9._:-]{{1,{NAME_BYTES_MAX}}}$"),
    })
}

/// A span of time. What is one only the reader knows.
pub(super) fn span() -> Value {
    json!({
        "type": "string",
        "pattern": "[0-9]",
        "examples": ["500 ms", "2 s", "5 min", "1 h 30 min"],
    })
}

fn ids(words: &str) -> Value {
    json!({ "description": words, "$ref": "#/$defs/ids" })
}

pub(super) fn table(fields: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": fields })
}

/// One of a few words, each with what it means; taplo shows that beside the word.
pub(super) fn words<T>(
    description: &str,
    words: &[(&str, T)],
    meaning: impl Fn(&T) -> &'static str,
) -> Value {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let meanings: Vec<&str> = words.iter().map(|(_, value)| meaning(value)).collect();
    json!({
        "description": description,
        "enum": names,
        "x-taplo": { "docs": { "enumValues": meanings } },
    })
}

fn condition_meaning(what: What) -> &'static str {
    match what {
        What::Inside => "Somebody is in a zone.",
        What::Leaves => "Somebody leaves a zone, or crosses a line outward; needs `alarm`.",
        What::Stays { .. } => "Somebody stays in a zone for longer than `after`.",
        What::TagSilent { .. } => "A tag is not heard for longer than `after`.",
        What::BatteryLow { .. } => "A battery is at or below `percent`.",
        What::BandCut => "A band is cut, or a tag torn off.",
        What::ButtonPressed => "Somebody presses the button of a tag.",
        What::OverCapacity => "More are in a zone than its capacity.",
        What::DoorForced => "A door is opened without a grant or a request to exit.",
        What::TagsContradict => "Tags of one subject are too far apart to be on one body.",
        What::DoorHeld { .. } => "A door stands open for longer than `after`.",
        What::DoorTampered => "A door's housing, or its controller's, is opened or torn off.",
        What::ReaderTampered => "A door's reader is opened or torn off.",
        What::DoorLost { .. } => "A door is lost, or says nothing for longer than `after`.",
        What::DoorBatteryLow { .. } => "A door's battery is at or below `percent`.",
        What::DoorNotFollowing { .. } => {
            "A door is not as it was told to be for longer than `after`."
        }
        What::Away { .. } => {
            "Something is outside all zones it belongs to for longer than `after`."
        }
        What::Alone { .. } => "Somebody is in a zone without company for longer than `after`.",
        What::Meets { .. } => "Somebody is near one of `whom` for longer than `after`.",
        What::Tailgating => "More go through a door than there was leave for.",
        What::Motion { .. } => {
            "Something moves in a zone in which nobody is, nor was or comes within `after`."
        }
        What::BadgeElsewhere { .. } => {
            "A badge is granted access at a door while the tag of its holder is elsewhere."
        }
    }
}

fn alarm_meaning(alarm: AlarmKind) -> &'static str {
    match alarm {
        AlarmKind::Elopement => "A protected person leaves without leave.",
        AlarmKind::AssetTheft => "A thing leaves the place it must stay in.",
        AlarmKind::UnauthorisedEntry => "Somebody is where he may not be.",
        AlarmKind::Loitering => "Somebody has stayed too long.",
        AlarmKind::TagSilent => "A tag has not been heard for too long.",
        AlarmKind::BatteryLow => "A battery is nearly empty.",
        AlarmKind::BandCut => "A band was cut, or a tag torn off.",
        AlarmKind::Duress => "A duress button was pressed.",
        AlarmKind::OverCapacity => "More are in a zone than it may hold.",
        AlarmKind::DoorForced => "A door was forced.",
        AlarmKind::TagsContradict => "Tags of one subject are not on one body.",
        AlarmKind::DoorHeld => "A door stands open for too long.",
        AlarmKind::DoorTampered => "A door's housing was opened or torn off.",
        AlarmKind::ReaderTampered => "A door's reader was opened or torn off.",
        AlarmKind::DoorLost => "A door is not heard.",
        AlarmKind::DoorBatteryLow => "A door's battery is nearly empty.",
        AlarmKind::DoorNotFollowing => "A door is not as it was told to be.",
        AlarmKind::AssetNotReturned => "Something has not been where it belongs for too long.",
        AlarmKind::LoneWorker => "Somebody has been without company for too long.",
        AlarmKind::ForbiddenMeeting => "Two who must be kept apart are near each other.",
        AlarmKind::Tailgating => "Somebody went through a door on another's leave.",
        AlarmKind::UnexplainedMotion => "Something moved in a zone in which nobody was.",
        AlarmKind::BadgeElsewhere => "A badge was used where its holder cannot have been.",
        // Rules raise no other.
        _ => "",
    }
}
