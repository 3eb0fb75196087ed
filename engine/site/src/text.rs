//! Reading text so that every mistake is told: one tree for TOML, JSON and CSV, and fields that
//! are taken from it one by one.

mod fields;
mod file;
mod json_lines;
mod node;
mod quantity;
mod report;

pub(crate) use fields::{Fields, SPAN_NS_MAX, nearest};
pub(crate) use file::{Text, read_text};
pub(crate) use node::{Node, Value, parse_csv, parse_json, parse_toml};
pub(crate) use quantity::{
    clock_text, metres_text, parse_clock, parse_confirm, parse_span, span_text,
};
pub(crate) use report::{Origin, Report};
