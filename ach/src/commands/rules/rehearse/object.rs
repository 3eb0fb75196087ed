//! A rehearsal for programs.

use ach_engine_rehearsal::{Difference, Pair, Score};
use ach_engine_review::Episode;
use serde_json::{Value, json};

use super::Account;
use super::told::Told;
use crate::commands::alarms::review_object;
use crate::moment::iso;
use crate::notes::episode_object;

/// Prints the counts, then every alarm that differs.
pub(super) fn print(account: &Account<'_>) {
    let comparison = account.comparison;
    let mut whole = scored("rehearsal", &comparison.score());
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("from".to_owned(), json!(iso(account.from)));
        fields.insert("to".to_owned(), json!(iso(account.to)));
        fields.insert("entries".to_owned(), json!(account.entries));
        fields.insert("pings".to_owned(), json!(account.pings));
        fields.insert("happened_ms".to_owned(), json!(account.happened_ns / 1_000_000));
        fields.insert("took_ms".to_owned(), json!(account.took_ns / 1_000_000));
        fields.insert("left_out_was".to_owned(), json!(account.left_out.was));
        fields.insert("left_out_would".to_owned(), json!(account.left_out.would));
    }
    say!("{whole}");
    say!("{}", review_object(&account.was, "was_review"));
    say!("{}", review_object(&account.would, "would_review"));
    for (rule, score) in comparison.by(|episode| episode.rule.clone()) {
        say!("{}", with("rule_score", &score, "rule", json!(rule.as_deref())));
    }
    for ((kind, id), score) in comparison.by(|episode| account.told.place(episode)) {
        say!("{}", with("place_score", &score, "place", json!({ "kind": kind, "id": id })));
    }
    for (hour, score) in comparison.by(|episode| account.told.hour(episode)) {
        say!("{}", with("hour_score", &score, "hour", json!(hour)));
    }
    for pair in comparison.pairs().iter().filter(|pair| pair.difference() != Difference::Same) {
        say!("{}", difference(pair, account.told));
    }
}

fn with(event: &str, score: &Score, key: &str, value: Value) -> Value {
    let mut object = scored(event, score);
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
    object
}

fn scored(event: &str, score: &Score) -> Value {
    let Score { was, would, gone, come, earlier, later, altered } = *score;
    json!({
        "event": event, "was": was, "would": would, "gone": gone, "new": come, "earlier": earlier,
        "later": later, "altered": altered,
    })
}

fn difference(pair: &Pair<'_>, told: &Told<'_>) -> Value {
    let (word, by_ns) = match pair.difference() {
        Difference::Same => ("same", None),
        Difference::Altered => ("altered", None),
        Difference::Earlier { ns } => ("earlier", Some(ns)),
        Difference::Later { ns } => ("later", Some(ns)),
        Difference::Gone => ("gone", None),
        Difference::Come => ("new", None),
    };
    json!({
        "event": "difference",
        "difference": word,
        "by_ms": by_ns.map(|ns| ns / 1_000_000),
        "was": pair.was.map(|was| alarm(was, told)),
        "would": pair.would.map(|would| alarm(would, told)),
    })
}

fn alarm(episode: &Episode, told: &Told<'_>) -> Value {
    episode_object(episode, told.subject(episode).as_deref(), told.place(episode))
}
