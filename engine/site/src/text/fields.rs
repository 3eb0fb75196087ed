//! Takes fields from a table one by one; what is missing, wrong or left over is reported.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use ach_actors_model::Name;

use super::{Node, Origin, Report, Value, parse_span, span_text};
use crate::finding::FindingKind;

/// Longest display name in characters.
const DISPLAY_CHARS_MAX: usize = 200;
/// Longest span of time: 366 days. Nobody waits longer for an alarm, and moments far from now would
/// not fit into 64 bits of nanoseconds.
pub(crate) const SPAN_NS_MAX: u64 = 366 * 24 * 3_600 * 1_000_000_000;
/// Greatest distance from the site's origin in metres, as `ach_geo::RANGE_MM`.
const RANGE_M: f64 = 1_000_000.0;

/// The fields of one table.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    entries: &'a [(String, Node)],
    known: RefCell<Vec<&'a str>>,
    pub(crate) report: &'a Report,
    pub(crate) origin: Origin,
}

impl<'a> Fields<'a> {
    /// The fields of a node; reports a node that is no table, and keys given twice.
    pub(crate) fn new(node: &'a Node, origin: &Origin, report: &'a Report) -> Option<Fields<'a>> {
        let origin = origin.at(node.line);
        let Value::Table(entries) = &node.value else {
            let problem = format!("this is {} where a table is wanted", node.value.word());
            report.error(FindingKind::WrongType, &origin, &problem, "write a table");
            return None;
        };
        let mut seen = BTreeSet::new();
        for (key, again) in entries {
            if !seen.insert(key.as_str()) {
                let problem = format!("`{key}` is given twice");
                let origin = origin.at(again.line);
                report.error(FindingKind::RepeatedField, &origin, &problem, "remove one");
            }
        }
        Some(Fields { entries, known: RefCell::new(Vec::new()), report, origin })
    }

    /// The same fields under a better name, once their id is known.
    pub(crate) fn placed(mut self, place: String) -> Fields<'a> {
        self.origin.place = place;
        self
    }

    /// The field, if it is there; `null` counts as absent.
    pub(crate) fn get(&self, key: &'a str) -> Option<&'a Node> {
        self.known.borrow_mut().push(key);
        let (_, node) = self.entries.iter().find(|(name, _)| name == key)?;
        (node.value != Value::Null).then_some(node)
    }

    /// The field, which must be there; `example` says how it may look.
    pub(crate) fn need(&self, key: &'a str, example: &str) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            let problem = format!("`{key}` is missing");
            let remedy = format!("add it, for example {example}");
            self.report.error(FindingKind::MissingField, &self.origin, &problem, &remedy);
        }
        node
    }

    /// Reports a value that is outside what is allowed.
    pub(crate) fn bad(&self, key: &str, node: &Node, problem: &str, remedy: &str) {
        let problem = format!("`{key}` {problem}");
        self.report.error(FindingKind::BadValue, &self.origin.at(node.line), &problem, remedy);
    }

    fn wrong(&self, key: &str, node: &Node, wanted: &str) {
        let problem = format!("`{key}` is {} where {wanted} is wanted", node.value.word());
        let remedy = format!("write {wanted}");
        let origin = self.origin.at(node.line);
        self.report.error(FindingKind::WrongType, &origin, &problem, &remedy);
    }

    /// An id of its own that must be there.
    pub(crate) fn id(&self, example: &str) -> Option<Name> {
        let node = self.need("id", example)?;
        self.as_name("id", node)
    }

    /// Stands in for an id that could not be read, so that the other fields can be; what carries it
    /// goes no further.
    pub(crate) fn nameless() -> Option<Name> {
        Name::new("nameless").ok()
    }

    /// An id of something else.
    pub(crate) fn name(&self, key: &'a str) -> Option<Name> {
        let node = self.get(key)?;
        self.as_name(key, node)
    }

    /// A list of ids or labels; empty where it is absent.
    pub(crate) fn names(&self, key: &'a str) -> Vec<Name> {
        self.list(key).iter().filter_map(|node| self.as_name(key, node)).collect()
    }

    fn as_name(&self, key: &str, node: &'a Node) -> Option<Name> {
        let text = self.as_text(key, node)?;
        match Name::new(text) {
            Ok(name) => Some(name),
            Err(error) => {
                // The text itself may be a person's name in the wrong place.
                let problem = format!("holds a text that is no id: {error}");
                self.bad(key, node, &problem, "give a short, plain id and put words into `name`");
                None
            }
        }
    }

    /// A text.
    pub(crate) fn as_text(&self, key: &str, node: &'a Node) -> Option<&'a str> {
        if let Value::Text(text) = &node.value {
            return Some(text);
        }
        self.wrong(key, node, "a text");
        None
    }

    /// A name for people, `fallback` where it is absent. The text itself is never repeated in a
    /// finding: it may be a person's.
    pub(crate) fn display(&self, fallback: &Name) -> String {
        self.display_or("id").unwrap_or_else(|| fallback.as_str().to_owned())
    }

    /// A name for people, if there is one. `instead` is what is shown of a thing without.
    pub(crate) fn display_or(&self, instead: &str) -> Option<String> {
        let node = self.get("name")?;
        let text = self.as_text("name", node)?;
        if text.chars().any(char::is_control) {
            self.bad("name", node, "has control characters", "write it on one line");
            return None;
        }
        if text.trim().is_empty() || text.chars().count() > DISPLAY_CHARS_MAX {
            let problem = format!("is empty or longer than {DISPLAY_CHARS_MAX} characters");
            let remedy = format!("shorten it, or leave it out to show the {instead}");
            self.bad("name", node, &problem, &remedy);
            return None;
        }
        Some(text.to_owned())
    }

    /// Yes or no; no where it is absent.
    pub(crate) fn flag(&self, key: &'a str) -> bool {
        match self.get(key) {
            None => false,
            Some(Node { value: Value::Bool(flag), .. }) => *flag,
            Some(node) => {
                self.wrong(key, node, "true or false");
                false
            }
        }
    }

    /// A finite number.
    pub(crate) fn as_number(&self, key: &str, node: &Node) -> Option<f64> {
        match node.value {
            Value::Integer(number) => {
                #[expect(
                    clippy::as_conversions,
                    clippy::cast_precision_loss,
                    reason = "all fields are far below 2^53, and what is not is out of range anyway"
                )]
                let number = number as f64;
                Some(number)
            }
            Value::Float(number) if number.is_finite() => Some(number),
            Value::Float(_) => {
                self.bad(key, node, "is not a finite number", "write a plain number");
                None
            }
            _ => {
                self.wrong(key, node, "a number");
                None
            }
        }
    }

    /// A number within a range.
    pub(crate) fn number_in(
        &self,
        key: &'a str,
        range: RangeInclusive<f64>,
        unit: &str,
    ) -> Option<f64> {
        let node = self.get(key)?;
        let number = self.as_number(key, node)?;
        if range.contains(&number) {
            return Some(number);
        }
        let problem = format!("is {number} {unit}");
        let remedy = format!("give {} to {} {unit}", range.start(), range.end());
        self.bad(key, node, &problem, &remedy);
        None
    }

    /// Metres, as whole millimetres.
    pub(crate) fn metres(&self, key: &'a str) -> Option<i32> {
        let node = self.get(key)?;
        self.as_metres(key, node)
    }

    pub(crate) fn as_metres(&self, key: &str, node: &Node) -> Option<i32> {
        let metres = self.as_number(key, node)?;
        let mm = to_mm(metres);
        if mm.is_none() {
            let problem = format!("is {metres} m from the origin");
            let remedy = "give metres in the local frame, at most 1,000 km, or set `crs` to \
                          EPSG:4326 for degrees";
            self.bad(key, node, &problem, remedy);
        }
        mm
    }

    /// Metres that are a length.
    pub(crate) fn length(&self, key: &'a str) -> Option<u32> {
        let mm = self.metres(key)?;
        let length = u32::try_from(mm).ok();
        if length.is_none()
            && let Some(node) = self.get(key)
        {
            self.bad(key, node, "is negative", "give a length in metres");
        }
        length
    }

    /// A whole number within a range.
    pub(crate) fn whole(&self, key: &'a str, range: RangeInclusive<u32>) -> Option<u32> {
        let node = self.get(key)?;
        let Value::Integer(whole) = node.value else {
            self.wrong(key, node, "a whole number");
            return None;
        };
        let number = u32::try_from(whole).ok().filter(|number| range.contains(number));
        if number.is_none() {
            let problem = format!("is {whole}");
            let remedy = format!("give {} to {}", range.start(), range.end());
            self.bad(key, node, &problem, &remedy);
        }
        number
    }

    /// A span of time in nanoseconds, which may be none.
    pub(crate) fn span(&self, key: &'a str) -> Option<u64> {
        self.span_in(key, 0..=SPAN_NS_MAX)
    }

    /// A span of time in nanoseconds, and not none: a limit of silence of no time at all would be
    /// reached at once.
    pub(crate) fn lasting_span(&self, key: &'a str) -> Option<u64> {
        self.span_in(key, 1..=SPAN_NS_MAX)
    }

    /// A span of time in nanoseconds, within bounds.
    pub(crate) fn span_in(&self, key: &'a str, bounds_ns: RangeInclusive<u64>) -> Option<u64> {
        let node = self.get(key)?;
        let text = self.as_text(key, node)?;
        let span = parse_span(text);
        let (least_ns, most_ns) = (*bounds_ns.start(), *bounds_ns.end());
        let mut remedy = "write for example \"500 ms\", \"2 s\" or \"5 min\"".to_owned();
        let problem = match span {
            Some(0) if least_ns > 0 => "is no time at all".to_owned(),
            Some(span) if span > SPAN_NS_MAX => "is longer than a year".to_owned(),
            Some(span) if span < least_ns => {
                remedy = format!("write \"{}\" or more", span_text(least_ns));
                "is too short".to_owned()
            }
            Some(span) if span > most_ns => {
                remedy = format!("write \"{}\" or less", span_text(most_ns));
                "is too long".to_owned()
            }
            Some(span) => return Some(span),
            None => format!("is `{}`, which is no span of time", text.escape_debug()),
        };
        self.bad(key, node, &problem, &remedy);
        None
    }

    /// A list; empty where it is absent.
    pub(crate) fn list(&self, key: &'a str) -> &'a [Node] {
        match self.get(key) {
            None => &[],
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => {
                self.wrong(key, node, "a list");
                &[]
            }
        }
    }

    /// A table within.
    pub(crate) fn table(&self, key: &'a str) -> Option<Fields<'a>> {
        let node = self.get(key)?;
        let mut origin = self.origin.clone();
        origin.place = if origin.place.is_empty() {
            key.to_owned()
        } else {
            format!("{}, {key}", origin.place)
        };
        Fields::new(node, &origin, self.report)
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, key: &'a str, words: &[(&str, T)]) -> Option<T> {
        let node = self.get(key)?;
        self.as_word(key, node, words)
    }

    pub(crate) fn as_word<T: Copy>(
        &self,
        key: &str,
        node: &'a Node,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.as_text(key, node)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let problem = format!("is `{}`", text.escape_debug());
        self.bad(key, node, &problem, &format!("write one of {}", names.join(", ")));
        None
    }

    /// The keys that were asked for.
    #[cfg(test)]
    pub(crate) fn known(&self) -> BTreeSet<String> {
        self.known.borrow().iter().map(|key| (*key).to_owned()).collect()
    }

    /// Reports fields nobody asked for, as errors.
    pub(crate) fn finish(&self) {
        self.leftovers(
            |_| false,
            |origin, problem, remedy| {
                self.report.error(FindingKind::UnknownField, origin, problem, remedy);
            },
        );
    }

    /// Reports fields nobody asked for, as warnings: drawing programs add their own.
    pub(crate) fn finish_leniently(&self, is_foreign: impl Fn(&str) -> bool) {
        self.leftovers(is_foreign, |origin, problem, remedy| {
            self.report.warning(FindingKind::UnknownField, origin, problem, remedy);
        });
    }

    fn leftovers(&self, skip: impl Fn(&str) -> bool, tell: impl Fn(&Origin, &str, &str)) {
        let known = self.known.borrow();
        for (key, node) in self.entries {
            if known.contains(&key.as_str()) || skip(key) {
                continue;
            }
            let remedy = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it".to_owned(),
            };
            let problem = format!("`{}` means nothing here", key.escape_debug());
            tell(&self.origin.at(node.line), &problem, &remedy);
        }
    }
}

/// Metres as whole millimetres, if they are within the range of a site.
pub(crate) fn to_mm(metres: f64) -> Option<i32> {
    if !metres.is_finite() || metres.abs() > RANGE_M {
        return None;
    }
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "the range was checked a line before"
    )]
    let mm = (metres * 1_000.0).round() as i32;
    Some(mm)
}

/// The word that differs least from `wrong`, if it differs little.
pub(crate) fn nearest<'w>(wrong: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let limit = wrong.chars().count() / 3 + 1;
    words
        .map(|word| (distance(wrong, word), word))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, word)| word)
}

/// Edits between two words (Levenshtein 1966), one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above, letter) in a.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (other, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let change = diagonal + usize::from(*other != letter);
            diagonal = *cell;
            *cell = change.min(left + 1).min(*cell + 1);
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_recognised() {
        let words = ["capacity", "labels", "id", "gates"];
        let check = |wrong, expected| assert_eq!(nearest(wrong, words.into_iter()), expected);
        check("capcity", Some("capacity"));
        check("label", Some("labels"));
        check("colour", None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn metres_become_the_nearest_millimetre() {
        let check = |metres, expected| assert_eq!(to_mm(metres), expected);
        check(0.1, Some(100));
        check(-1.0005, Some(-1_001));
        check(1_000_000.0, Some(1_000_000_000));
        check(1_000_001.0, None);
        check(f64::NAN, None);
        check(f64::INFINITY, None);
    }
}
