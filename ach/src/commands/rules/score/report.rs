//! A score as a page to read.

use ach_actors_model::NS_PER_S;
use ach_engine_score::{
    Contest, Delay, EXTRA_PINGS_MAX, Extra, Held, Judged, RATIO_MAX, Ratio, SOON_PERCENT_MIN, Score,
};
use owo_colors::OwoColorize;

use super::Account;
use crate::moment::length;

/// Prints it.
pub(super) fn print(account: &Account<'_>) {
    let Account { wish, score, .. } = account;
    let noise = wish.noise.as_ref().map_or("the noise fitted to UWB".to_owned(), |file| {
        format!("the noise of {}", file.display())
    });
    say!("{} with {noise}, seed {}", wish.dir.display().bold(), score.seed);
    say!(
        "{} tag-hours in {} lives, {} pings, in {}",
        score.tag_s / 3_600,
        score.life_count,
        score.ping_count,
        length(account.took_ns / 1_000)
    );
    if score.left_out > 0 {
        say!("{} zones are too narrow to walk about, or have no way out", score.left_out);
    }
    say!("");
    contest("zones, by their gates", &score.zones);
    contest("alarms of rules about entering and leaving, raised or upheld", &score.rules);
    contest("tentative alarms, as they are raised", &score.tentative);
    by_rule(score);
    verdict(score);
}

fn contest(title: &str, contest: &Contest) {
    if contest.tag_s == 0 {
        return;
    }
    say!("{}", format!("{title}: {} tag-hours", contest.tag_s / 3_600).bold());
    let head = format!(
        "{:<8} {:>9} {:>8} {:>14} {:>16} {:>16}",
        "judge", "false", "an hour", "missed of due", "half within", "95 % within"
    );
    say!("{}", head.dimmed());
    let judges = [("plain", &contest.plain), ("omlox", &contest.omlox), ("ours", &contest.ours)];
    for (name, judged) in judges {
        say!("{name:<8} {}", row(judged, contest.tag_s));
    }
    if let Some(ratio) = contest.ratio {
        say!("ours for each of the plain test's: {}", ratio_words(&ratio));
    }
    if let Some(extra) = contest.extra {
        say!("ours comes later than the plain test: {}", extra_words(&extra));
    }
    say!("");
}

fn row(judged: &Judged, tag_s: u64) -> String {
    let Judged { false_count, due_count, missed_count, delays } = judged;
    let missed = format!("{missed_count} of {due_count}");
    let within = |delay: Option<Delay>| delay.map_or("-".to_owned(), delay_words);
    let (half, most) = (delays.map(|delays| delays.0), delays.map(|delays| delays.1));
    let (half, most) = (within(half), within(most));
    let per_hour = judged.false_per_hour(tag_s);
    format!("{false_count:>9} {per_hour:>8.3} {missed:>14} {half:>16} {most:>16}")
}

fn delay_words(delay: Delay) -> String {
    let pings =
        if delay.pings == 1 { "1 ping".to_owned() } else { format!("{} pings", delay.pings) };
    format!("{pings}, {}.{} s", delay.ns / NS_PER_S, delay.ns % NS_PER_S * 10 / NS_PER_S)
}

fn ratio_words(ratio: &Ratio) -> String {
    format!("{:.4} (95 %: {:.4} to {:.4})", ratio.is, ratio.low, ratio.high)
}

fn extra_words(extra: &Extra) -> String {
    format!(
        "by {:.2} pings on average, half of them by at most {}, 95 % by at most {}; {:.1} % by at most {}",
        extra.mean_pings, extra.p50_pings, extra.p95_pings, extra.soon_percent, EXTRA_PINGS_MAX
    )
}

fn by_rule(score: &Score) {
    if score.by_rule.is_empty() {
        return;
    }
    let wide = score.by_rule.iter().map(|(rule, ..)| rule.len()).max().unwrap_or(0).max(4);
    let head = format!(
        "{:<wide$} {:>6} {:>9} {:>9} {:>9} {:>8} {:>8} {:>12}",
        "rule", "hours", "plain /h", "omlox /h", "ours /h", "ratio", "at most", "tentative /h"
    );
    say!("{}", head.dimmed());
    for (rule, last, first) in &score.by_rule {
        let hourly = |judged: &Judged| judged.false_per_hour(last.tag_s);
        let (plain, omlox) = (hourly(&last.plain), hourly(&last.omlox));
        let ours = hourly(&last.ours);
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.3}"));
        let (is, high) = (last.ratio.map(|ratio| ratio.is), last.ratio.map(|ratio| ratio.high));
        let first = first.as_ref().map(|first| first.ours.false_per_hour(first.tag_s));
        say!(
            "{rule:<wide$} {:>6} {plain:>9.2} {omlox:>9.2} {ours:>9.3} {:>8} {:>8} {:>12}",
            last.tag_s / 3_600,
            number(is),
            number(high),
            number(first)
        );
    }
    say!("");
}

fn verdict(score: &Score) {
    let ratio_limit = format!("may be {RATIO_MAX}");
    let ratios = [
        (score.zones_held(), "false transitions of zones", &score.zones),
        (score.rules_held(), "false alarms of rules", &score.rules),
        (score.tentative_held(), "false tentative alarms", &score.tentative),
    ];
    for (held, what, contest) in ratios {
        let is = contest.ratio.map(|ratio| {
            let is_wide = held == Held::No && ratio.is <= RATIO_MAX;
            let more = if is_wide { "; more --hours make that sharper" } else { "" };
            format!("{:.4} of the plain test's at most, {ratio_limit}{more}", ratio.high)
        });
        line(held, what, is);
    }
    let is = score
        .tentative
        .extra
        .map(|extra| format!("{:.1} %, must be {SOON_PERCENT_MIN:.0} %", extra.soon_percent));
    line(score.delay_held(), "tentative alarms that come a ping later at most", is);
}

fn line(held: Held, what: &str, is: Option<String>) {
    let is = is.unwrap_or_else(|| "nothing to tell it by".to_owned());
    match held {
        Held::Yes => say!("{}      {what}: {is}", "held".green()),
        Held::No => say!("{}  {what}: {is}", "NOT HELD".red().bold()),
        Held::Untried => say!("{}   {what}: {is}", "untried".dimmed()),
    }
}
