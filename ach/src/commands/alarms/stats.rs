//! A review of alarms, to read and for programs.

use ach_actors_model::{AlarmPriority, NS_PER_S};
use ach_engine_review::{BadActor, Peak, Review};
use owo_colors::OwoColorize;
use serde_json::{Value, json};

use super::{Past, alarm_line, alarm_object};
use crate::exit::Failure;
use crate::moment::{iso, length, local};
use crate::notes::{place_words, snake, spaced};

/// Bad actors that are shown: ISA-18.2 asks for the ten most frequent.
const ACTORS_MAX: usize = 10;
/// Floods and alarms that stand or chatter, of each: more fill a screen.
const SHOWN_MAX: usize = 10;

/// Priorities, the most urgent first.
pub(super) const PRIORITIES: [AlarmPriority; 3] =
    [AlarmPriority::High, AlarmPriority::Medium, AlarmPriority::Low];

/// Prints it.
pub(super) fn print(past: &Past, review: &Review<'_>) -> Result<(), Failure> {
    say!("{}", format!("{} to {}", local(review.from), local(review.to)).bold());
    let (raised, span_ns) = (review.raised_count, review.to.since_ns(review.from).max(1));
    how_many(review, span_ns);
    let put = |what: &str, text: String| say!("{what:<20}{text}");
    put(
        "retracted",
        format!("{}  {}", review.retracted_count, share(review.retracted_count, raised)),
    );
    put(
        "over in a minute",
        format!("{}  {}", review.brief_count, share(review.brief_count, raised)),
    );
    put("busiest 10 minutes", peak_words(review.ten_minutes));
    put("busiest hour", peak_words(review.hour));
    let flooded_ns = review.flooded_ns();
    let permille = u128::from(flooded_ns) * 1_000 / u128::from(span_ns);
    put(
        "floods",
        format!(
            "{}, {} in all: {}.{} % of the time",
            review.floods.len(),
            span_words(flooded_ns),
            permille / 10,
            permille % 10
        ),
    );
    for flood in review.floods.iter().take(SHOWN_MAX) {
        let lasted = span_words(flood.to.since_ns(flood.from));
        say!("  {}  {} alarms in {lasted}", local(flood.from), flood.count);
    }
    more(review.floods.len());
    for (what, episodes) in
        [("open for a day", &review.standing), ("unanswered", &review.unanswered)]
    {
        put(what, episodes.len().to_string());
        for episode in episodes.iter().take(SHOWN_MAX) {
            say!("  {}", alarm_line(past, episode)?);
        }
        more(episodes.len());
    }
    let chattering: Vec<&BadActor> = review.chattering().collect();
    put("chattering", chattering.len().to_string());
    for actor in chattering.iter().take(SHOWN_MAX) {
        let most = actor.minute_count_max;
        say!("  {}, {} times, {most} of them within a minute", words(past, actor)?, actor.count);
    }
    more(chattering.len());
    if !review.actors.is_empty() {
        say!("\n{}", "most frequent".bold());
    }
    for actor in review.actors.iter().take(ACTORS_MAX) {
        say!("{:>8}  {:>6}  {}", actor.count, share(actor.count, raised), words(past, actor)?);
    }
    Ok(())
}

/// Says how many alarms were raised, how often, and how urgent they were.
fn how_many(review: &Review<'_>, span_ns: u64) {
    let raised = review.raised_count;
    let alarms = if raised == 1 { "alarm was" } else { "alarms were" };
    // A rate over more than was looked at would be made up.
    let rates: Vec<String> = [(86_400, "day"), (3_600, "hour")]
        .iter()
        .filter(|(unit_s, _)| span_ns >= unit_s * NS_PER_S)
        .map(|(unit_s, unit)| format!("{} every {unit}", tenths(raised, *unit_s, span_ns)))
        .collect();
    let rates = if rates.is_empty() { String::new() } else { format!(": {}", rates.join(", ")) };
    let quietly = match review.quiet_count {
        0 => String::new(),
        count => format!("; {count} more quietly, which count below only where they wait"),
    };
    let drills = match review.drill_count {
        0 => String::new(),
        count => format!(
            "; {count} more at doors that a drill moved, which count below only where they wait"
        ),
    };
    say!("{raised} {alarms} raised{rates}{quietly}{drills}");
    if review.incident_count < raised {
        say!(
            "of {} incidents, the largest of {} alarms",
            review.incident_count,
            review.largest_incident
        );
    }
    for priority in PRIORITIES {
        let count = review.by_priority.get(&priority).copied().unwrap_or_default();
        say!("  {:<8}{count:>8}  {}", snake(priority), share(count, raised));
    }
}

/// Says how many there are that are not shown.
fn more(count: usize) {
    if let Some(left) = count.checked_sub(SHOWN_MAX).filter(|left| *left > 0) {
        say!("  and {left} more");
    }
}

/// Prints it for programs: the counts, then each flood, bad actor and alarm that stands or is unanswered.
pub(super) fn print_objects(past: &Past, review: &Review<'_>) -> Result<(), Failure> {
    say!("{}", object(review, "alarm_review"));
    for flood in &review.floods {
        let (from, to) = (iso(flood.from), iso(flood.to));
        say!("{}", json!({ "event": "flood", "from": from, "to": to, "count": flood.count }));
    }
    for actor in &review.actors {
        let (kind, id) = past.place(actor.about.place)?;
        say!(
            "{}",
            json!({
                "event": "bad_actor",
                "rule": actor.about.rule.as_deref(),
                "kind": snake(actor.about.kind),
                "subject": past.subject(actor.about.subject)?,
                "place": json!({ "kind": kind, "id": id }),
                "count": actor.count,
                "retracted_count": actor.retracted_count,
                "minute_count_max": actor.minute_count_max,
                "is_chattering": actor.is_chattering(),
            })
        );
    }
    for episode in &review.standing {
        say!("{}", alarm_object(past, episode, "standing_alarm")?);
    }
    for episode in &review.unanswered {
        say!("{}", alarm_object(past, episode, "unanswered_alarm")?);
    }
    Ok(())
}

/// The counts of a review for programs; `event` is what they know it by.
pub(crate) fn object(review: &Review<'_>, event: &str) -> Value {
    let of = |priority| review.by_priority.get(&priority).copied().unwrap_or_default();
    let peak = |peak: Option<Peak>| {
        peak.map(|peak| json!({ "from": iso(peak.from), "count": peak.count }))
    };
    json!({
        "event": event,
        "from": iso(review.from),
        "to": iso(review.to),
        "raised": review.raised_count,
        "quietly_raised": review.quiet_count,
        "raised_in_drills": review.drill_count,
        "incidents": review.incident_count,
        "largest_incident": review.largest_incident,
        "high": of(AlarmPriority::High),
        "medium": of(AlarmPriority::Medium),
        "low": of(AlarmPriority::Low),
        "retracted": review.retracted_count,
        "over_in_a_minute": review.brief_count,
        "busiest_ten_minutes": peak(review.ten_minutes),
        "busiest_hour": peak(review.hour),
        "floods": review.floods.len(),
        "flooded_ms": review.flooded_ns() / 1_000_000,
        "chattering": review.chattering().count(),
        "standing": review.standing.len(),
        "unanswered": review.unanswered.len(),
    })
}

fn words(past: &Past, actor: &BadActor) -> Result<String, Failure> {
    let rule = actor.about.rule.as_deref().unwrap_or("(no rule)");
    let who = past.subject(actor.about.subject)?.map(|who| format!("{who}, ")).unwrap_or_default();
    let place = place_words(past.place(actor.about.place)?);
    Ok(format!("{} by {rule}: {who}{place}", spaced(actor.about.kind)))
}

fn peak_words(peak: Option<Peak>) -> String {
    peak.map_or_else(|| "-".to_owned(), |peak| format!("{}, from {}", peak.count, local(peak.from)))
}

/// `12 %`.
pub(super) fn share(part: usize, whole: usize) -> String {
    let percent = part.saturating_mul(100).checked_div(whole);
    percent.map_or_else(String::new, |percent| format!("{percent} %"))
}

/// How many in a unit of time, to a tenth.
fn tenths(count: usize, unit_s: u64, span_ns: u64) -> String {
    let count = u128::try_from(count).unwrap_or(u128::MAX);
    let unit = u128::from(unit_s) * u128::from(NS_PER_S);
    let tenths = count.saturating_mul(10).saturating_mul(unit) / u128::from(span_ns.max(1));
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// `3 h 20 min`, `14 min`, `2 min 5 s`, `12.0 s`.
pub(super) fn span_words(ns: u64) -> String {
    let (minutes, seconds) = (ns / (60 * NS_PER_S), ns / NS_PER_S % 60);
    match minutes {
        0 => length(ns / 1_000),
        1..10 if seconds > 0 => format!("{minutes} min {seconds} s"),
        1..60 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}
