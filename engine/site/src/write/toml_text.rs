//! Lines of TOML.

use std::fmt::Write;

use ach_actors_model::Name;
use ach_geo::{Confirm, Gates};

use crate::text::{metres_text, span_text};

/// A TOML file that grows line by line.
#[derive(Debug, Default)]
pub(super) struct Toml(String);

impl Toml {
    pub(super) fn comment(&mut self, text: &str) {
        self.line(&format!("# {text}"));
    }

    pub(super) fn blank(&mut self) {
        self.line("");
    }

    pub(super) fn header(&mut self, header: &str) {
        self.blank();
        self.line(header);
    }

    pub(super) fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.line(&format!("{key} = {}", quoted(text)));
    }

    pub(super) fn span(&mut self, key: &str, ns: Option<u64>) {
        if let Some(ns) = ns {
            self.text(key, &span_text(ns));
        }
    }

    pub(super) fn number(&mut self, key: &str, number: f64) {
        // `{:?}` writes the shortest text that reads back as the same number.
        self.line(&format!("{key} = {number:?}"));
    }

    /// A list of words, left out where it is empty.
    pub(super) fn words<'w>(&mut self, key: &str, words: impl Iterator<Item = &'w str>) {
        let list = list_text(words);
        if list != "[]" {
            self.line(&format!("{key} = {list}"));
        }
    }

    /// An inline table, left out where it is empty.
    pub(super) fn table(&mut self, key: &str, fields: &[String]) {
        if !fields.is_empty() {
            self.line(&format!("{key} = {{ {} }}", fields.join(", ")));
        }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// `["a", "b"]`.
pub(super) fn list_text<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.map(quoted).collect();
    format!("[{}]", words.join(", "))
}

/// `key = ["a", "b"]`, or nothing for no names.
pub(super) fn names_field(key: &str, names: &[Name]) -> Option<String> {
    let list = list_text(names.iter().map(Name::as_str));
    (!names.is_empty()).then(|| format!("{key} = {list}"))
}

/// A basic string; control characters are escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

/// The fields of gates that differ from the plain test.
pub(super) fn gates_fields(gates: &Gates) -> Vec<String> {
    let mut fields = Vec::new();
    let length = |mm: u32| metres_text(i64::from(mm));
    if gates.entry_margin_mm > 0 {
        fields.push(format!("entry_margin_m = {}", length(gates.entry_margin_mm)));
    }
    if gates.exit_tolerance_mm > 0 {
        fields.push(format!("exit_tolerance_m = {}", length(gates.exit_tolerance_mm)));
    }
    let exit_delay_ns = (gates.exit_delay_ns > 0).then_some(gates.exit_delay_ns);
    for (key, ns) in [
        ("tolerance_timeout", gates.tolerance_timeout_ns),
        ("exit_delay", exit_delay_ns),
        ("fence_timeout", gates.fence_timeout_ns),
        ("dwell", gates.dwell_ns),
    ] {
        fields.extend(ns.map(|ns| format!("{key} = {}", quoted(&span_text(ns)))));
    }
    let Confirm { needed, of } = gates.confirm;
    if gates.confirm != Confirm::default() {
        fields.push(format!("confirm = \"{needed} of {of}\""));
    }
    if gates.error_circle {
        fields.push("error_circle = true".to_owned());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let check = |text, expected| assert_eq!(quoted(text), expected);
        check("Zoë \"Zo\" Müller", "\"Zoë \\\"Zo\\\" Müller\"");
        check("a\\b\n", "\"a\\\\b\\u000A\"");
    }
}
