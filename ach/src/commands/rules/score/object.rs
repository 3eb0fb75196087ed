//! A score for programs.

use ach_engine_score::{Contest, EXTRA_PINGS_MAX, Held, Judged, RATIO_MAX, SOON_PERCENT_MIN};
use serde_json::{Value, json};

use super::Account;

/// Prints the score, then each table.
pub(super) fn print(account: &Account<'_>) {
    let score = &account.score;
    let whole = json!({
        "event": "score",
        "seed": score.seed,
        "tag_hours": score.tag_s / 3_600,
        "lives": score.life_count,
        "pings": score.ping_count,
        "zones_left_out": score.left_out,
        "took_ms": account.took_ns / 1_000_000,
        "noise": account.noise,
        "limits": {
            "ratio_max": RATIO_MAX,
            "extra_pings_max": EXTRA_PINGS_MAX,
            "soon_percent_min": SOON_PERCENT_MIN,
        },
        "held": {
            "zones": held(score.zones_held()),
            "rules": held(score.rules_held()),
            "tentative": held(score.tentative_held()),
            "tentative_delay": held(score.delay_held()),
        },
        "is_held": score.is_held(),
    });
    say!("{whole}");
    let tables =
        [("zones", &score.zones), ("rules", &score.rules), ("tentative", &score.tentative)];
    for (of, table) in tables {
        say!("{}", contest(of, None, table));
    }
    for (rule, last, first) in &score.by_rule {
        say!("{}", contest("rules", Some(rule), last));
        if let Some(first) = first {
            say!("{}", contest("tentative", Some(rule), first));
        }
    }
}

/// True and false, or null where there was nothing to hold a limit by.
fn held(held: Held) -> Option<bool> {
    match held {
        Held::Yes => Some(true),
        Held::No => Some(false),
        Held::Untried => None,
    }
}

fn contest(of: &str, rule: Option<&str>, contest: &Contest) -> Value {
    let judge = |judged| judged_object(judged, contest.tag_s);
    json!({
        "event": "contest",
        "of": of,
        "rule": rule,
        "tag_hours": contest.tag_s / 3_600,
        "plain": judge(&contest.plain),
        "omlox": judge(&contest.omlox),
        "ours": judge(&contest.ours),
        "ratio": contest.ratio.map(|it| json!({ "is": it.is, "low": it.low, "high": it.high })),
        "extra": contest.extra.map(|extra| json!({
            "mean_pings": extra.mean_pings,
            "p50_pings": extra.p50_pings,
            "p95_pings": extra.p95_pings,
            "soon_percent": extra.soon_percent,
        })),
    })
}

fn judged_object(judged: &Judged, tag_s: u64) -> Value {
    json!({
        "false": judged.false_count,
        "false_per_hour": judged.false_per_hour(tag_s),
        "due": judged.due_count,
        "missed": judged.missed_count,
        "delay": judged.delays.map(|(half, most)| json!({
            "p50_pings": half.pings,
            "p50_ms": half.ns / 1_000_000,
            "p95_pings": most.pings,
            "p95_ms": most.ns / 1_000_000,
        })),
    })
}
