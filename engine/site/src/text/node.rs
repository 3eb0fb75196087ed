//! The tree that TOML, JSON and CSV become, with lines where the format has them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::de::{DeTable, DeValue};

use super::json_lines::note_lines;
use super::{Origin, Report, Text};
use crate::finding::FindingKind;

/// A value and the line it stands on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) line: Option<u32>,
}

/// A value. Keys of a table may repeat; `Fields` reports it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// A date or time of TOML, which no field has.
    Moment,
}

impl Value {
    /// What it is called in findings.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Moment => "a date or time",
        }
    }
}

/// Reads TOML; every syntax error is reported with its line.
pub(crate) fn parse_toml(text: &Text, report: &Report) -> Option<Node> {
    let lines = Lines::new(&text.text);
    let (root, errors) = DeTable::parse_recoverable(&text.text);
    for error in &errors {
        let line = error.span().map(|span| lines.at(span.start));
        let origin = Origin::new(&text.file, line, "");
        let problem = format!("this is not TOML: {}", error.message().trim());
        report.error(FindingKind::Syntax, &origin, &problem, "correct the line");
    }
    if !errors.is_empty() {
        return None;
    }
    let table = from_table(root.get_ref(), &lines);
    Some(Node { value: table, line: Some(1) })
}

fn from_table(table: &DeTable<'_>, lines: &Lines) -> Value {
    let mut entries: Vec<(String, Node)> = Vec::with_capacity(table.len());
    for (key, value) in table {
        let line = lines.at(key.span().start);
        let mut node = from_value(value.get_ref(), line, lines);
        node.line = Some(line);
        entries.push((key.get_ref().to_string(), node));
    }
    entries.sort_by_key(|(_, node)| node.line);
    Value::Table(entries)
}

fn from_value(value: &DeValue<'_>, line: u32, lines: &Lines) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Float(f64::INFINITY), Value::Integer),
        DeValue::Float(number) => {
            Value::Float(number.as_str().replace('_', "").parse().unwrap_or(f64::NAN))
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(_) => Value::Moment,
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| from_value(item.get_ref(), lines.at(item.span().start), lines))
                .collect(),
        ),
        DeValue::Table(table) => from_table(table, lines),
    };
    Node { value, line: Some(line) }
}

/// Byte offsets at which lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Lines {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// The line of a byte offset, from 1.
    fn at(&self, offset: usize) -> u32 {
        let before = self.0.partition_point(|&begin| begin <= offset);
        u32::try_from(before).unwrap_or(u32::MAX)
    }
}

/// Reads JSON; a syntax error is reported with its line. Nesting beyond 128 is one.
pub(crate) fn parse_json(text: &Text, report: &Report) -> Option<Node> {
    match serde_json::from_str::<Node>(&text.text) {
        Ok(mut node) => {
            note_lines(&mut node, &text.text);
            Some(node)
        }
        Err(error) => {
            let line = u32::try_from(error.line()).ok();
            let origin = Origin::new(&text.file, line, "");
            let problem = format!("this is not JSON: {error}");
            report.error(FindingKind::Syntax, &origin, &problem, "correct the line");
            None
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(leaf(Value::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(leaf(Value::Bool(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(leaf(Value::Integer(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        let number = i64::try_from(number).map_or(Value::Float(f64::INFINITY), Value::Integer);
        Ok(leaf(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(leaf(Value::Float(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(leaf(Value::Text(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(leaf(Value::Text(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(leaf(Value::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(leaf(Value::Table(table)))
    }
}

fn leaf(value: Value) -> Node {
    Node { value, line: None }
}

/// Reads CSV with a header; each record becomes a table of texts. Fields named in `lists` are split
/// at blanks; empty fields are left out.
pub(crate) fn parse_csv(text: &Text, lists: &[&str], report: &Report) -> Vec<Node> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.text.as_bytes());
    let syntax = |line: Option<u32>, error: &csv::Error| {
        let origin = Origin::new(&text.file, line, "");
        let problem = format!("this is not CSV: {error}");
        report.error(FindingKind::Syntax, &origin, &problem, "correct the line");
    };
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => {
            syntax(Some(1), &error);
            return Vec::new();
        }
    };
    let mut records = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().and_then(|at| u32::try_from(at.line()).ok());
                syntax(line, &error);
                continue;
            }
        };
        let line = record.position().and_then(|at| u32::try_from(at.line()).ok());
        let mut table = Vec::new();
        for (key, field) in headers.iter().zip(&record).filter(|(_, field)| !field.is_empty()) {
            let value = if lists.contains(&key) {
                let words = field.split_whitespace();
                Value::List(
                    words.map(|word| Node { value: Value::Text(word.to_owned()), line }).collect(),
                )
            } else {
                Value::Text(field.to_owned())
            };
            table.push((key.to_owned(), Node { value, line }));
        }
        records.push(Node { value: Value::Table(table), line });
    }
    records
}
