//! A rehearsal as a page to read.

use std::collections::BTreeMap;
use std::path::Path;

use ach_actors_model::NS_PER_S;
use ach_engine_rehearsal::{Difference, Pair, Score};
use ach_engine_review::{BRIEF_NS, Episode, Peak, Review};
use owo_colors::OwoColorize;

use super::Account;
use super::told::Told;
use crate::moment::length;
use crate::notes::snake;

/// Places that are told by name: a screen has room for them.
const PLACES_MAX: usize = 10;
/// The longest bar of an hour.
const BAR_MAX: u64 = 24;

/// Prints it.
pub(super) fn print(account: &Account<'_>, file: &Path, examples: usize) {
    let comparison = account.comparison;
    let told = account.told;
    let took_ns = account.took_ns.max(1);
    say!(
        "{} against {} to {}, by the clocks of the site ({})",
        file.display().bold(),
        told.wall(account.from),
        told.wall(account.to),
        told.offset(account.to)
    );
    say!(
        "{} pings decided twice in {}, {} times as fast as they came\n",
        account.pings,
        length(account.took_ns / 1_000),
        account.happened_ns / took_ns
    );
    let score = comparison.score();
    say!("{}\n", summary(&score).bold());
    if let Some(words) = account.left_out.words() {
        say!("{words}\n");
    }
    if score.was + score.would == 0 {
        return;
    }
    table("rule", &rows(comparison.by(Told::rule)), usize::MAX);
    if score.is_unchanged() {
        return;
    }
    burden(&account.was, &account.would);
    table("place", &rows(comparison.by(|episode| told.place_words(episode))), PLACES_MAX);
    hours(&comparison.by(|episode| told.hour(episode)));
    for shown in [Shown::Gone, Shown::New, Shown::Moved, Shown::Altered] {
        list(account, shown, examples);
    }
}

fn summary(score: &Score) -> String {
    let Score { was, would, gone, come, earlier, later, altered } = *score;
    if was == 0 && would == 0 {
        return "No alarm was raised in that time, and none would have been.".to_owned();
    }
    if score.is_unchanged() {
        return format!("{} raised, and the same would have been.", alarms(was));
    }
    let parts = [
        (gone, "gone"),
        (come, "new"),
        (earlier, "sooner"),
        (later, "later"),
        (altered, "otherwise altered"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("{} raised; {would} would have been: {}.", alarms(was), parts.join(", "))
}

fn alarms(count: u64) -> String {
    if count == 1 { "1 alarm was".to_owned() } else { format!("{count} alarms were") }
}

/// The rows of a table, what changed most first.
fn rows(scores: BTreeMap<String, Score>) -> Vec<(String, Score)> {
    let mut rows: Vec<(String, Score)> = scores.into_iter().collect();
    let weight = |score: &Score| {
        let changed = score.gone + score.come + score.earlier + score.later + score.altered;
        (changed, score.was.max(score.would))
    };
    rows.sort_by_key(|(_, score)| std::cmp::Reverse(weight(score)));
    rows
}

fn table(title: &str, rows: &[(String, Score)], most: usize) {
    let wide = rows.iter().take(most).map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let wide = wide.max(title.len());
    let head = format!(
        "{title:<wide$}  {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "was", "would", "gone", "new", "sooner", "later", "other"
    );
    say!("{}", head.dimmed());
    for (name, score) in rows.iter().take(most) {
        let Score { was, would, gone, come, earlier, later, altered } = *score;
        let cells = [gone, come, earlier, later, altered].map(|count| cell(count, 7));
        say!("{name:<wide$}  {was:>7} {would:>7} {}", cells.join(" "));
    }
    if rows.len() > most {
        say!("{}", format!("and {} more", rows.len() - most).dimmed());
    }
    say!("");
}

/// What it would be like for those who answer alarms.
fn burden(was: &Review<'_>, would: &Review<'_>) {
    let minutes = |review: &Review<'_>| review.flooded_ns() / (60 * NS_PER_S);
    let most = |peak: Option<Peak>| peak.map_or(0, |peak| peak.count).to_string();
    let row = |what: &str, was: String, would: String| say!("{what:<28}  {was:>7} {would:>7}");
    say!("{}", format!("{:<28}  {:>7} {:>7}", "burden", "was", "would").dimmed());
    row("most in ten minutes", most(was.ten_minutes), most(would.ten_minutes));
    row("floods", was.floods.len().to_string(), would.floods.len().to_string());
    row("minutes of flood", minutes(was).to_string(), minutes(would).to_string());
    let chatter = |review: &Review<'_>| review.chattering().count().to_string();
    row("alarms that chatter", chatter(was), chatter(would));
    row("over within a minute", was.brief_count.to_string(), would.brief_count.to_string());
    row("open for a day", was.standing.len().to_string(), would.standing.len().to_string());
    say!("");
}

/// A count; none is a dot, so that what there is stands out.
fn cell(count: u64, wide: usize) -> String {
    if count == 0 { format!("{:>wide$}", "·") } else { format!("{count:>wide$}") }
}

fn hours(scores: &BTreeMap<i64, Score>) {
    let most = scores.values().map(|score| score.was.max(score.would)).max().unwrap_or(1).max(1);
    // Rounded up: one alarm is not none.
    let bar = |count: u64| {
        let cells = (count * BAR_MAX).div_ceil(most);
        "█".repeat(usize::try_from(cells).unwrap_or_default())
    };
    let wide = usize::try_from(BAR_MAX).unwrap_or_default();
    say!("{}", format!("{:<5}  {:<w$}  would", "hour", "was", w = wide + 5).dimmed());
    for (hour, score) in scores {
        let was = format!("{} {}", cell(score.was, 4), bar(score.was));
        let would = format!("{} {}", cell(score.would, 4), bar(score.would));
        say!("{hour:02}     {was:<w$}  {would}", w = wide + 5);
    }
    say!("");
}

/// A difference that is shown with examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Gone,
    New,
    Moved,
    Altered,
}

impl Shown {
    fn of(pair: &Pair<'_>) -> Option<Shown> {
        match pair.difference() {
            Difference::Same => None,
            Difference::Altered => Some(Shown::Altered),
            Difference::Earlier { .. } | Difference::Later { .. } => Some(Shown::Moved),
            Difference::Gone => Some(Shown::Gone),
            Difference::Come => Some(Shown::New),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Shown::Gone => "Gone",
            Shown::New => "New",
            Shown::Moved => "Sooner or later",
            Shown::Altered => "Otherwise altered",
        }
    }
}

fn list(account: &Account<'_>, shown: Shown, examples: usize) {
    let mut by_rule: BTreeMap<String, Vec<&Pair<'_>>> = BTreeMap::new();
    for pair in account.comparison.pairs().iter().filter(|pair| Shown::of(pair) == Some(shown)) {
        let rule = pair.would.or(pair.was).map(Told::rule).unwrap_or_default();
        by_rule.entry(rule).or_default().push(pair);
    }
    if by_rule.is_empty() || examples == 0 {
        return;
    }
    let count: usize = by_rule.values().map(Vec::len).sum();
    say!("{}", format!("{}: {count}", shown.title()).bold());
    let mut rules: Vec<(String, Vec<&Pair<'_>>)> = by_rule.into_iter().collect();
    rules.sort_by_key(|(_, pairs)| std::cmp::Reverse(pairs.len()));
    for (rule, pairs) in rules {
        say!("  {rule}, {}{}", pairs.len(), brief(&pairs));
        for pair in pairs.iter().take(examples) {
            say!("    {}", line(pair, account.told));
        }
        if pairs.len() > examples {
            say!("    {}", format!("and {} more", pairs.len() - examples).dimmed());
        }
    }
    say!("");
}

/// How many were over before anybody could have come.
fn brief(pairs: &[&Pair<'_>]) -> String {
    let is_brief = |pair: &&&Pair<'_>| {
        let lasted_ns = pair.would.or(pair.was).and_then(Episode::lasted_ns);
        lasted_ns.is_some_and(|ns| ns < BRIEF_NS)
    };
    match pairs.iter().filter(is_brief).count() {
        0 => String::new(),
        count => format!(", {count} of them over within a minute"),
    }
}

/// What it would have been, or was, and what that changes.
fn line(pair: &Pair<'_>, told: &Told<'_>) -> String {
    let shown = pair.would.or(pair.was).map(|shown| told.line(shown)).unwrap_or_default();
    let (Some(was), Some(would)) = (pair.was, pair.would) else { return shown };
    let mut changes = Vec::new();
    match pair.difference() {
        Difference::Earlier { ns } => changes.push(format!("{} sooner", length(ns / 1_000))),
        Difference::Later { ns } => changes.push(format!("{} later", length(ns / 1_000))),
        _ => {}
    }
    if was.rule != would.rule {
        changes.push(format!("by rule {} until now", Told::rule(was)));
    }
    if was.place != would.place {
        changes.push(format!("at {} until now", told.place_words(was)));
    }
    if was.priority != would.priority {
        changes.push(format!("{} until now", snake(was.priority)));
    }
    if was.was_retracted() != would.was_retracted() {
        let fate = if was.was_retracted() { "retracted" } else { "upheld" };
        changes.push(format!("{fate} until now"));
    }
    if was.ended_at() != would.ended_at() {
        changes.push(match was.lasted_ns() {
            Some(ns) => format!("over after {} until now", length(ns / 1_000)),
            None => "open at the end until now".to_owned(),
        });
    }
    format!("{shown}  <- {}", changes.join(", "))
}
