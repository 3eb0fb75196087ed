//! How soon people answered alarms and what those turned out to be, to read and for programs.

use ach_actors_model::AlarmPriority;
use ach_engine_review::{Answers, Causes, Lengths, Response, Truth};
use owo_colors::OwoColorize;
use serde_json::{Value, json};

use super::stats::{PRIORITIES, share, span_words};
use crate::notes::{snake, spaced};

/// Rules that are shown: as many as bad actors.
const RULES_MAX: usize = 10;

/// Prints it, if anybody was called at all.
pub(super) fn print(response: &Response) {
    if response.all.asked_count == 0 {
        return;
    }
    let target = format!("in {}", span_words(response.target_ns));
    let head = row(
        "acknowledged",
        ["", "of", "median", "95 %", "longest", &target, "never", "waiting", "passed on"],
    );
    say!("\n{}", head.bold());
    for priority in PRIORITIES {
        if let Some(answers) = response.by_priority.get(&priority) {
            say!("{}", answers_row(&format!("  {}", snake(priority)), answers));
        }
    }
    say!("{}", answers_row("  all", &response.all));
    let closed = response.all.closed.map_or_else(String::new, |lengths| {
        let Lengths { median_ns, p95_ns, max_ns, .. } = lengths;
        let [median, p95, longest] = [median_ns, p95_ns, max_ns].map(span_words);
        format!(", after {median} (median), {p95} (95 %), {longest} (longest)")
    });
    say!("{:<20}{}{closed}", "closed", response.causes.closed_count());
    if response.causes.closed_count() > 0 {
        say!("{:<20}{}", "  in all", causes_words(&response.causes));
    }
    // The rule that called most people in vain comes first.
    let mut rules: Vec<(&str, &Causes)> = response
        .by_rule
        .iter()
        .filter(|(_, causes)| causes.closed_count() > 0)
        .map(|(rule, causes)| (rule.as_deref().unwrap_or("(no rule)"), causes))
        .collect();
    rules.sort_by_key(|(_, causes)| std::cmp::Reverse(causes.count(Truth::False)));
    for (rule, causes) in rules.iter().take(RULES_MAX) {
        say!("  {rule:<18}{}", causes_words(causes));
    }
    if let Some(left) = rules.len().checked_sub(RULES_MAX).filter(|left| *left > 0) {
        say!("  and {left} more");
    }
}

fn row(
    name: &str,
    [count, asked, median, p95, longest, share, never, waiting, on]: [&str; 9],
) -> String {
    format!(
        "{name:<14}{count:>6}{asked:>6}{median:>12}{p95:>12}{longest:>12}{share:>12}{never:>7}\
         {waiting:>9}{on:>11}"
    )
}

fn answers_row(name: &str, answers: &Answers) -> String {
    let length = |of: fn(&Lengths) -> u64| {
        answers.acknowledged.as_ref().map_or_else(|| "-".to_owned(), |it| span_words(of(it)))
    };
    let count = answers.acknowledged_count();
    row(
        name,
        [
            &count.to_string(),
            &answers.asked_count.to_string(),
            &length(|it| it.median_ns),
            &length(|it| it.p95_ns),
            &length(|it| it.max_ns),
            &share(answers.in_time_count, count),
            &answers.never_count.to_string(),
            &answers.waiting_count.to_string(),
            &answers.escalation_count.to_string(),
        ],
    )
}

/// `4 of 7 closed: 1 real, 3 false (75 %), 0 neither; wrong position 2, rule too strict 1, real 1`.
fn causes_words(causes: &Causes) -> String {
    let [real, false_, neither] =
        [Truth::Real, Truth::False, Truth::Neither].map(|truth| causes.count(truth));
    let part = match share(false_, real + false_) {
        empty if empty.is_empty() => empty,
        part => format!(" ({part})"),
    };
    let mut by_cause: Vec<(usize, String)> =
        causes.by_cause.iter().map(|(cause, count)| (*count, spaced(*cause))).collect();
    by_cause.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let by_cause: Vec<String> =
        by_cause.into_iter().map(|(count, cause)| format!("{cause} {count}")).collect();
    format!(
        "{} of {}: {real} real, {false_} false{part}, {neither} neither; {}",
        causes.closed_count(),
        causes.alarm_count,
        by_cause.join(", ")
    )
}

/// Prints it for programs: the answers to all and to each priority, then the causes of all and of each rule.
pub(super) fn print_objects(response: &Response) {
    let target_ms = response.target_ns / 1_000_000;
    let told = |priority: Option<AlarmPriority>, answers: &Answers| {
        say!("{}", answers_object(priority, answers, target_ms));
    };
    told(None, &response.all);
    for priority in PRIORITIES {
        if let Some(answers) = response.by_priority.get(&priority) {
            told(Some(priority), answers);
        }
    }
    say!("{}", causes_object("causes", &response.causes));
    for (rule, causes) in &response.by_rule {
        let mut object = causes_object("rule_causes", causes);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("rule".to_owned(), json!(rule.as_deref()));
        }
        say!("{object}");
    }
}

fn answers_object(priority: Option<AlarmPriority>, answers: &Answers, target_ms: u64) -> Value {
    json!({
        "event": "answers",
        "priority": priority.map(snake),
        "asked": answers.asked_count,
        "acknowledged": answers.acknowledged_count(),
        "acknowledged_after": lengths_object(answers.acknowledged),
        "target_ms": target_ms,
        "in_time": answers.in_time_count,
        "never_acknowledged": answers.never_count,
        "waiting": answers.waiting_count,
        "passed_on": answers.passed_on_count,
        "escalations": answers.escalation_count,
        "closed_after": lengths_object(answers.closed),
    })
}

fn lengths_object(lengths: Option<Lengths>) -> Option<Value> {
    lengths.map(|lengths| {
        let Lengths { count, median_ns, p95_ns, max_ns } = lengths;
        let [median_ms, p95_ms, max_ms] = [median_ns, p95_ns, max_ns].map(|ns| ns / 1_000_000);
        json!({ "count": count, "median_ms": median_ms, "p95_ms": p95_ms, "max_ms": max_ms })
    })
}

fn causes_object(event: &str, causes: &Causes) -> Value {
    let by_cause: serde_json::Map<String, Value> =
        causes.by_cause.iter().map(|(cause, count)| (snake(*cause), json!(count))).collect();
    json!({
        "event": event,
        "alarms": causes.alarm_count,
        "closed": causes.closed_count(),
        "real": causes.count(Truth::Real),
        "false": causes.count(Truth::False),
        "neither": causes.count(Truth::Neither),
        "by_cause": by_cause,
    })
}
