//! Reads people and equipment, from TOML and from CSV.

use std::path::Path;

use ach_actors_model::{Name, SubjectClass, TagId};

use crate::finding::FindingKind;
use crate::text::{Fields, Node, Origin, Report, Text, Value, parse_csv, parse_toml, read_text};
use crate::{PersonalName, SubjectPlan, TagPlan};

/// Most subjects of a file. The largest hospitals have some ten thousand people in the house.
pub(crate) const SUBJECTS_MAX: usize = 1_000_000;

/// The words for classes.
pub(crate) const CLASSES: &[(&str, SubjectClass)] = &[
    ("patient", SubjectClass::Patient),
    ("staff", SubjectClass::Staff),
    ("visitor", SubjectClass::Visitor),
    ("asset", SubjectClass::Asset),
];

/// The words for classes of people.
const PEOPLE: &[(&str, SubjectClass)] = &[
    ("patient", SubjectClass::Patient),
    ("staff", SubjectClass::Staff),
    ("visitor", SubjectClass::Visitor),
];

type Read = Vec<(SubjectPlan, Origin)>;

/// Patients, staff and visitors.
pub(super) fn read_people(root: &Path, feeds: &[Name], report: &Report) -> Read {
    read(root, "people", "person", None, feeds, report)
}

/// Things.
pub(super) fn read_equipment(root: &Path, feeds: &[Name], report: &Report) -> Read {
    read(root, "equipment", "equipment", Some(SubjectClass::Asset), feeds, report)
}

/// Reads `<stem>.toml` and `<stem>.csv`, whichever are there.
fn read(
    root: &Path,
    stem: &str,
    table: &'static str,
    class: Option<SubjectClass>,
    feeds: &[Name],
    report: &Report,
) -> Read {
    let mut subjects = Read::new();
    let only_feed = if let [feed] = feeds { Some(feed.clone()) } else { None };
    let toml_file = format!("{stem}.toml");
    if root.join(&toml_file).exists()
        && let Some(text) = read_text(root, &toml_file, report)
        && let Some(node) = parse_toml(&text, report)
    {
        let origin = Origin::new(&text.file, None, "");
        if let Some(fields) = Fields::new(&node, &origin, report) {
            let feed = fields.name("feed").or_else(|| only_feed.clone());
            let nodes = fields.list(table);
            fields.finish();
            read_subjects(nodes, &text, class, feed.as_ref(), report, &mut subjects);
        }
    }
    let csv_file = format!("{stem}.csv");
    if root.join(&csv_file).exists()
        && let Some(text) = read_text(root, &csv_file, report)
    {
        let nodes = parse_csv(&text, &["labels", "tags", "badges"], report);
        read_subjects(&nodes, &text, class, only_feed.as_ref(), report, &mut subjects);
    }
    subjects
}

fn read_subjects(
    nodes: &[Node],
    text: &Text,
    class: Option<SubjectClass>,
    feed: Option<&Name>,
    report: &Report,
    subjects: &mut Read,
) {
    let origin = Origin::new(&text.file, None, "");
    if nodes.len() > SUBJECTS_MAX {
        let problem = format!("there are {} subjects, at most {SUBJECTS_MAX}", nodes.len());
        report.error(FindingKind::TooLarge, &origin, &problem, "split the site");
        return;
    }
    for (number, node) in (1..).zip(nodes) {
        let at = Origin::new(&text.file, None, format!("subject {number}"));
        let Some(fields) = Fields::new(node, &at, report) else { continue };
        let id = fields.id("id = \"patient-001\"");
        let place = id.as_ref().map_or(at.place, ToString::to_string);
        let fields = fields.placed(place);
        // Without an id the rest is read all the same: its mistakes are told too.
        let is_known = id.is_some();
        let Some(id) = id.or_else(Fields::nameless) else { continue };
        let plan = read_subject(&fields, id, class, feed);
        fields.finish();
        if is_known {
            subjects.push((plan, fields.origin));
        }
    }
}

fn read_subject(
    fields: &Fields<'_>,
    id: Name,
    class: Option<SubjectClass>,
    feed: Option<&Name>,
) -> SubjectPlan {
    // Nothing but a person shows a badge.
    let badges = if class.is_none() { fields.names("badges") } else { Vec::new() };
    let class = class.or_else(|| {
        let node = fields.need("class", "class = \"patient\"")?;
        fields.as_word("class", node, PEOPLE)
    });
    let nodes = fields.list("tags");
    let feed = fields.name("feed").or_else(|| feed.cloned());
    let tags: Vec<TagPlan> =
        nodes.iter().filter_map(|node| read_tag(fields, node, feed.as_ref())).collect();
    SubjectPlan {
        name: PersonalName(fields.display(&id)),
        class: class.unwrap_or(SubjectClass::Patient),
        labels: fields.names("labels"),
        tags,
        badges,
        id,
    }
}

/// A tag: its number alone, or a table of number and feed.
fn read_tag<'a>(fields: &Fields<'a>, node: &'a Node, feed: Option<&Name>) -> Option<TagPlan> {
    let (id, own_feed) = if matches!(node.value, Value::Table(_)) {
        let tag = Fields::new(node, &fields.origin, fields.report)?;
        let id = tag.need("id", "id = \"0200AC0000000001\"")?;
        let (id, feed) = (parse_tag(&tag, "id", id), tag.name("feed"));
        tag.finish();
        (id?, feed)
    } else {
        (parse_tag(fields, "tags", node)?, None)
    };
    let feed = own_feed.or_else(|| feed.cloned());
    if feed.is_none() {
        fields.report.error(
            FindingKind::MissingField,
            &fields.origin.at(node.line),
            &format!("`feed` is missing: nobody may report tag {id}"),
            "add feed = \"...\" here or at the head of the file",
        );
    }
    Some(TagPlan { id, feed: feed? })
}

/// Reads an EUI-64: 16 hexadecimal digits, with or without `:` or `-` between pairs.
pub(super) fn parse_tag<'a>(fields: &Fields<'a>, key: &str, node: &'a Node) -> Option<TagId> {
    let text = fields.as_text(key, node)?;
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    let is_hex = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let tag = u64::from_str_radix(&digits, 16).ok().filter(|_| is_hex).map(TagId);
    if tag.is_none() {
        let problem = format!("has `{}`, which is no EUI-64", text.escape_debug());
        let remedy = "write the 16 hexadecimal digits printed on the tag";
        fields.bad(key, node, &problem, remedy);
    }
    tag
}
