//! The story of a use case, for people and for programs.

use std::fmt::Write;

use ach_actors_model::Timestamp;
use serde_json::{Value, json};

use super::hours::Hours;
use super::judgement::Judgement;
use super::performance::{Line, Story, change_words, is_alike};
use super::told::{alarm_words, order_words, place_of};

/// Names of doors on one line at most.
const DOORS_SHOWN: usize = 6;

/// A line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    at: Timestamp,
    what: &'static str,
    text: String,
    /// Whether it was expected; nothing of what nobody has to expect.
    is_expected: Option<bool>,
}

/// What came of one file.
#[derive(Debug)]
pub(crate) struct Report {
    goal: String,
    lines: Vec<Shown>,
    hours: Hours,
    differences: Vec<String>,
}

impl Report {
    /// Puts the story in the order of time.
    pub(crate) fn new(goal: &str, hours: &Hours, story: Story, judgement: &Judgement) -> Report {
        let mut lines: Vec<Shown> = Vec::new();
        let mut orders: Vec<(usize, Vec<usize>)> = Vec::new();
        for (at, line) in &story.lines {
            match line {
                Line::Step(text) => lines.push(Shown {
                    at: *at,
                    what: "step",
                    text: text.clone(),
                    is_expected: None,
                }),
                Line::Alarm(note) => {
                    let what = (note.priority, note.kind);
                    let (place, rule) = (place_of(&note.place), note.rule.as_ref());
                    let words = alarm_words(what, note.subject.as_ref(), place.as_ref(), rule);
                    let name = judgement.named.get(&note.id);
                    let named = name.map(|name| format!("{name}: ")).unwrap_or_default();
                    let change = change_words(note);
                    lines.push(Shown {
                        at: *at,
                        what: "alarm",
                        text: format!("{named}{words}: {change}"),
                        is_expected: Some(name.is_some()),
                    });
                }
                Line::Order(index) => join(&mut orders, *index, &story),
            }
        }
        for (first, doors) in orders {
            let Some(order) = story.told.orders.get(first) else { continue };
            let is_expected = doors.iter().all(|it| judgement.orders.contains(it));
            let is_of_no_note = doors.iter().all(|it| judgement.by_themselves.contains(it));
            lines.push(Shown {
                at: order.given_at,
                what: "order",
                text: format!("{}: {}", order_words(order), door_names(&doors, &story)),
                is_expected: (!is_of_no_note).then_some(is_expected),
            });
        }
        lines.sort_by_key(|line| line.at);
        let mut differences = story.differences;
        differences.extend(judgement.differences.iter().cloned());
        Report { goal: goal.to_owned(), lines, hours: hours.clone(), differences }
    }

    /// Whether all went as expected.
    pub(crate) fn is_as_expected(&self) -> bool {
        self.differences.is_empty()
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n", self.goal);
        for line in &self.lines {
            let mark = match line.is_expected {
                Some(true) => "   (expected)",
                Some(false) => "   NOT EXPECTED",
                None => "",
            };
            let at = self.hours.time_of(line.at);
            // Writing to a text does not fail.
            let _ = writeln!(text, "  {at}  {:<5}  {}{mark}", line.what, line.text);
        }
        if self.is_as_expected() {
            text.push_str("as expected\n");
        } else {
            let _ = writeln!(text, "{} otherwise than expected:", self.differences.len());
            for difference in &self.differences {
                let _ = writeln!(text, "  {difference}");
            }
        }
        text
    }

    /// For programs.
    pub(crate) fn object(&self, file: &str) -> Value {
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|line| {
                json!({
                    "at": self.hours.time_of(line.at),
                    "at_ns": line.at.0,
                    "what": line.what,
                    "text": line.text,
                    "is_expected": line.is_expected,
                })
            })
            .collect();
        json!({
            "file": file,
            "goal": self.goal,
            "as_expected": self.is_as_expected(),
            "timeline": lines,
            "differences": self.differences,
        })
    }
}

/// Puts an order to those that say the same at the same time.
fn join(orders: &mut Vec<(usize, Vec<usize>)>, index: usize, story: &Story) {
    let told = &story.told.orders;
    let alike = orders.iter_mut().rev().find(|(first, _)| {
        told.get(*first).zip(told.get(index)).is_some_and(|(a, b)| is_alike(a, b))
    });
    match alike {
        Some((_, doors)) => doors.push(index),
        None => orders.push((index, vec![index])),
    }
}

fn door_names(indexes: &[usize], story: &Story) -> String {
    let mut names: Vec<&str> = indexes
        .iter()
        .filter_map(|index| story.told.orders.get(*index))
        .map(|order| order.door.as_str())
        .collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(DOORS_SHOWN);
    names.truncate(DOORS_SHOWN);
    let shown = names.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
