//! `fleet local --in-process --stall-ms`: each scenario in pairs of runs, one on the disk as it is and one on
//! the same disk that stalls every three seconds. An alarm must not notice.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ach_engine_journal::Stall;
use ach_load_tests_fleet::{Latencies, Provenance, Spread};
use serde::Serialize;

use crate::arguments::Plan;
use crate::chart::{Line, percentiles};
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::page::Page;
use crate::results;
use crate::run::Load;
use crate::scenario::Scenario;
use crate::series::Ending;

/// The disk works this long between two stalls.
const WORKS: Duration = Duration::from_secs(2);

/// A pair of runs.
#[derive(Debug, Serialize)]
struct Pair {
    plain: Outcome,
    stalled: Outcome,
}

/// What the pairs of a scenario show.
#[derive(Debug, Serialize)]
struct Stalled<'a> {
    name: &'a str,
    scenario: &'a Scenario,
    provenance: &'a Provenance,
    stall_ms: u64,
    /// Alarm latency with stalls over that without, pair by pair.
    p50_ratio: Option<Spread>,
    p99_ratio: Option<Spread>,
    is_held: bool,
    pairs: Vec<Pair>,
}

/// Runs a scenario's pairs, tells and writes what they show.
pub(crate) fn pairs(
    load: &Load<'_>,
    (name, scenario): (&str, &Scenario),
    stall: &Stall,
    stall_ms: u64,
    told: &Plan,
) -> Result<Ending, Failure> {
    let mut pairs = Vec::new();
    for number in 0..scenario.runs {
        // Who goes first takes turns: an hour's drift falls on both.
        let is_stalled_first = number % 2 == 1;
        let first = run(load, scenario, stall, is_stalled_first.then_some(stall_ms))?;
        let second = run(load, scenario, stall, (!is_stalled_first).then_some(stall_ms))?;
        let (plain, stalled) = if is_stalled_first { (second, first) } else { (first, second) };
        println!("{name}, pair {}: {}", number + 1, line(&plain, &stalled));
        pairs.push(Pair { plain, stalled });
    }
    let provenance = Provenance::find("fleet");
    let name = format!("{name}-stalled");
    let stalled = Stalled::of(&name, scenario, &provenance, stall_ms, pairs);
    println!("\n{}", stalled.text());
    if let Some(out) = &told.out {
        results::write(out, &provenance, &name, &stalled.text(), &stalled, Some(&stalled.page()?))?;
    }
    Ok(if stalled.is_held { Ending::Held } else { Ending::NotHeld })
}

/// One run, on a disk that stalls or does not.
fn run(
    load: &Load<'_>,
    scenario: &Scenario,
    stall: &Stall,
    stall_ms: Option<u64>,
) -> Result<Outcome, Failure> {
    let Some(stall_ms) = stall_ms else { return load.run(scenario) };
    let is_over = Arc::new(AtomicBool::new(false));
    let (ends, stall) = (Arc::clone(&is_over), stall.clone());
    let stalling = std::thread::Builder::new().name("staller".to_owned()).spawn(move || {
        while !ends.load(Ordering::Relaxed) {
            std::thread::sleep(WORKS);
            stall.begin();
            std::thread::sleep(Duration::from_millis(stall_ms));
            stall.end();
        }
    })?;
    let outcome = load.run(scenario);
    is_over.store(true, Ordering::Relaxed);
    stalling.join().map_err(|_| Failure::new("the thread that stalls the disk failed"))?;
    outcome
}

fn line(plain: &Outcome, stalled: &Outcome) -> String {
    let said = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.0}"));
    let (before, with) = (&plain.alarm_latency_us, &stalled.alarm_latency_us);
    let mut text = format!(
        "alarm p50 {} us, with stalls {}; p99 {}, with stalls {}",
        said(before.p50),
        said(with.p50),
        said(before.p99),
        said(with.p99)
    );
    for reason in plain.void.iter().chain(&stalled.void) {
        text = format!("{text}; VOID: {reason}");
    }
    text
}

impl Stalled<'_> {
    fn of<'a>(
        name: &'a str,
        scenario: &'a Scenario,
        provenance: &'a Provenance,
        stall_ms: u64,
        pairs: Vec<Pair>,
    ) -> Stalled<'a> {
        let ratios = |of: &dyn Fn(&Outcome) -> Option<f64>| -> Option<Spread> {
            let ratio = |pair: &Pair| Some(of(&pair.stalled)? / of(&pair.plain)?);
            let all: Option<Vec<f64>> = pairs.iter().map(ratio).collect();
            Spread::of(all?)
        };
        let p50_ratio = ratios(&|outcome| outcome.alarm_latency_us.p50);
        let p99_ratio = ratios(&|outcome| outcome.alarm_latency_us.p99);
        let is_sound =
            pairs.iter().all(|pair| pair.plain.void.is_empty() && pair.stalled.void.is_empty());
        // Unchanged: that it is as fast lies within the spread.
        let is_unchanged = |ratio: Option<Spread>| ratio.is_some_and(|ratio| ratio.low <= 1.0);
        let is_held = is_sound && is_unchanged(p50_ratio) && is_unchanged(p99_ratio);
        Stalled { name, scenario, provenance, stall_ms, p50_ratio, p99_ratio, is_held, pairs }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.put(&mut text);
        text
    }

    fn put(&self, text: &mut String) -> std::fmt::Result {
        let (name, stall_ms) = (self.name, self.stall_ms);
        writeln!(text, "{name}: the disk stalls for {stall_ms} ms, every {WORKS:?} between\n")?;
        writeln!(text, "{}", self.provenance.text())?;
        for (number, pair) in (1..).zip(&self.pairs) {
            writeln!(text, "{number:>3} {}", line(&pair.plain, &pair.stalled))?;
        }
        writeln!(text, "\nwith stalls over without, pair by pair")?;
        for (what, ratio) in [("p50", self.p50_ratio), ("p99", self.p99_ratio)] {
            match ratio {
                Some(Spread { low, median, high, coverage }) => writeln!(
                    text,
                    "{what} {median:.2}   {low:.2} to {high:.2} ({:.0} %)",
                    coverage * 100.0
                )?,
                None => writeln!(text, "{what} not said")?,
            }
        }
        writeln!(text, "{}", if self.is_held { "HELD" } else { "NOT HELD" })
    }

    fn page(&self) -> Result<String, Failure> {
        let mut page = Page::new(self.name);
        page.preformatted(&self.text());
        let merged = |of: &dyn Fn(&Pair) -> &Outcome| {
            let mut all = Latencies::default();
            for pair in &self.pairs {
                all.merge(&of(pair).latencies.alarms);
            }
            all
        };
        let (plain, stalled) = (merged(&|pair| &pair.plain), merged(&|pair| &pair.stalled));
        let lines =
            [Line::of_latencies("alarm", &plain), Line::of_latencies("with stalls", &stalled)];
        page.figure("Alarm latency of all pairs together.", &percentiles(&lines)?);
        Ok(page.html())
    }
}

#[cfg(test)]
mod tests {
    use ach_load_tests_fleet::Percentiles;

    use super::*;
    use crate::scenario::Limits;

    fn outcome(us: f64) -> Outcome {
        let alarm_latency_us =
            Percentiles { p50: Some(us), p99: Some(10.0 * us), ..Percentiles::default() };
        Outcome { alarm_latency_us, ..Outcome::default() }
    }

    #[track_caller]
    fn check(stalled_us: [f64; 9], expected: bool) {
        let scenario = Scenario {
            goal: String::new(),
            tags: 100,
            zones: 100,
            pings_per_s: Some(100),
            alarms_per_s: 10,
            batch_pings: 64,
            runs: 9,
            run_s: 10,
            limits: Limits::default(),
        };
        let pair = |us| Pair { plain: outcome(100.0), stalled: outcome(us) };
        let pairs = stalled_us.map(pair).into_iter().collect();
        let found = Provenance::find("fleet");
        let stalled = Stalled::of("it", &scenario, &found, 1_000, pairs);
        assert_eq!(stalled.is_held, expected, "{}", stalled.text());
    }

    #[test]
    fn a_stall_is_noticed_when_all_pairs_but_one_say_so() {
        check([95.0, 98.0, 99.0, 100.0, 101.0, 102.0, 103.0, 104.0, 105.0], true);
        check([90.0, 101.0, 105.0, 105.0, 105.0, 105.0, 105.0, 105.0, 105.0], false);
        check([200.0; 9], false);
    }
}
