//! `fleet history`: each scenario in pairs of runs, one on a node that remembers and one on a node that does
//! not. Writing history must cost little of what becomes durable.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use ach_clients_rust::now;
use ach_load_tests_fleet::{Provenance, Spread};
use serde::Serialize;

use crate::arguments::HistoryCost;
use crate::chart::{Bar, bars};
use crate::failure::Failure;
use crate::host::{Host, HostPlan, Remembers};
use crate::node_numbers::NodeNumbers;
use crate::outcome::Outcome;
use crate::page::Page;
use crate::results;
use crate::run::Load;
use crate::scenario::Scenario;
use crate::series::{Ending, campus, read};

/// Of what becomes durable without history, so much must with it.
const KEPT_PART_MIN: f64 = 0.85;

/// History that is behind when a load ends has all in twice the time of a load of a minute, or it never will.
const CATCH_UP_WITHIN: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A run on a node that remembers, and how far history was behind when the load ended.
#[derive(Debug, Serialize)]
struct Remembering {
    outcome: Outcome,
    lag_entries: f64,
    lag_s: f64,
    /// How long it then took to have everything, with nothing else to do; none if it took too long.
    caught_up_s: Option<f64>,
}

/// A pair of runs.
#[derive(Debug, Serialize)]
struct Pair {
    without: Outcome,
    with: Remembering,
}

/// What the pairs of a scenario show.
#[derive(Debug, Serialize)]
struct Cost<'a> {
    name: &'a str,
    scenario: &'a Scenario,
    provenance: &'a Provenance,
    /// Durable pings a second with history over those without, pair by pair.
    kept: Option<Spread>,
    is_held: bool,
    pairs: Vec<Pair>,
}

/// `fleet history`.
pub(crate) fn history_cost(asked: &HistoryCost) -> Result<Ending, Failure> {
    let series = read(&asked.plan)?;
    let provenance = Provenance::find("fleet");
    let mut ending = Ending::Held;
    for one in &series {
        let (name, scenario) = (format!("{}-history", one.name), &one.scenario);
        let mut pairs = Vec::new();
        for number in 0..scenario.runs {
            // Who goes first takes turns: an hour's drift falls on both.
            let is_with_first = number % 2 == 1;
            let pair = if is_with_first {
                let with = remembering(asked, scenario)?;
                Pair { without: forgetting(asked, scenario)?, with }
            } else {
                let without = forgetting(asked, scenario)?;
                Pair { without, with: remembering(asked, scenario)? }
            };
            println!("{name}, pair {}: {}", number + 1, pair.line());
            pairs.push(pair);
        }
        let cost = Cost::of(&name, scenario, &provenance, pairs);
        println!("\n{}", cost.text());
        if !cost.is_held {
            ending = Ending::NotHeld;
        }
        if let Some(out) = &asked.plan.out {
            results::write(out, &provenance, &name, &cost.text(), &cost, Some(&cost.page()?))?;
        }
    }
    Ok(ending)
}

/// A run on a node of its own: what history is behind with would be the next run's load.
fn run(
    asked: &HistoryCost,
    scenario: &Scenario,
    remembers: Remembers,
) -> Result<(Host, Outcome), Failure> {
    let campus = campus([scenario].into_iter());
    let own = HostPlan::process(&asked.below, asked.ach.as_deref())?;
    let plan = HostPlan { threads: asked.threads, remembers, ..own };
    let host = Host::start(&plan, &campus.directory)?;
    let load = Load {
        campus: &campus,
        vendor: host.vendor.clone(),
        receiver: host.receiver.clone(),
        pacing: asked.plan.pacing,
        node_process: host.process(),
        metrics: host.metrics,
    };
    let outcome = load.run(scenario)?;
    Ok((host, outcome))
}

fn forgetting(asked: &HistoryCost, scenario: &Scenario) -> Result<Outcome, Failure> {
    let (host, outcome) = run(asked, scenario, Remembers::JournalAlone)?;
    host.end()?;
    Ok(outcome)
}

fn remembering(asked: &HistoryCost, scenario: &Scenario) -> Result<Remembering, Failure> {
    let (host, outcome) = run(asked, scenario, Remembers::History)?;
    let metrics = host.metrics.ok_or_else(|| Failure::new("the node tells no numbers"))?;
    let numbers = NodeNumbers::fetch(metrics)?;
    let lag_entries = numbers.get("ach_history_lag_entries")?;
    let lag_s = numbers.get("ach_history_lag_seconds")?;
    let caught_up_s = caught_up(metrics)?;
    host.end()?;
    Ok(Remembering { outcome, lag_entries, lag_s, caught_up_s })
}

/// Waits until history has everything, and says how long that took.
fn caught_up(metrics: SocketAddr) -> Result<Option<f64>, Failure> {
    let begun_at = now();
    loop {
        let took = Duration::from_nanos(now().since_ns(begun_at));
        if NodeNumbers::fetch(metrics)?.get("ach_history_lag_entries")? <= 0.0 {
            return Ok(Some(took.as_secs_f64()));
        }
        if took > CATCH_UP_WITHIN {
            return Ok(None);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

impl Pair {
    fn kept(&self) -> f64 {
        self.with.outcome.durable_pings_per_s / self.without.durable_pings_per_s
    }

    fn line(&self) -> String {
        let mut text = format!(
            "{:.0} durable pings/s with history, {:.0} without: {:.2}; history {:.1} s behind, {}",
            self.with.outcome.durable_pings_per_s,
            self.without.durable_pings_per_s,
            self.kept(),
            self.with.lag_s,
            match self.with.caught_up_s {
                Some(after_s) => format!("whole {after_s:.1} s after the load"),
                None => format!("not whole {CATCH_UP_WITHIN:?} after the load"),
            }
        );
        for reason in self.without.void.iter().chain(&self.with.outcome.void) {
            text = format!("{text}; VOID: {reason}");
        }
        text
    }
}

impl Cost<'_> {
    fn of<'a>(
        name: &'a str,
        scenario: &'a Scenario,
        provenance: &'a Provenance,
        pairs: Vec<Pair>,
    ) -> Cost<'a> {
        let kept = Spread::of(pairs.iter().map(Pair::kept).collect());
        let is_sound =
            pairs.iter().all(|it| it.without.void.is_empty() && it.with.outcome.void.is_empty());
        // What is never written costs nothing.
        let is_written = pairs.iter().all(|it| it.with.caught_up_s.is_some());
        let is_held =
            is_sound && is_written && kept.is_some_and(|kept| kept.median >= KEPT_PART_MIN);
        Cost { name, scenario, provenance, kept, is_held, pairs }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.put(&mut text);
        text
    }

    fn put(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "{}: what writing history costs of what becomes durable\n", self.name)?;
        writeln!(text, "{}", self.provenance.text())?;
        for (number, pair) in (1..).zip(&self.pairs) {
            writeln!(text, "{number:>3} {}", pair.line())?;
        }
        match self.kept {
            Some(Spread { low, median, high, coverage }) => writeln!(
                text,
                "\nwith history over without {median:.2}   {low:.2} to {high:.2} ({:.0} %), at least \
                 {KEPT_PART_MIN}",
                coverage * 100.0
            )?,
            None => writeln!(text, "\nwith history over without: not said")?,
        }
        writeln!(text, "{}", if self.is_held { "HELD" } else { "NOT HELD" })
    }

    fn page(&self) -> Result<String, Failure> {
        let mut page = Page::new(self.name);
        page.preformatted(&self.text());
        let mut rates = Vec::new();
        for (number, pair) in (1..).zip(&self.pairs) {
            let bar = |word: &str, value| Bar { name: format!("{number} {word}"), value };
            rates.push(bar("without", pair.without.durable_pings_per_s));
            rates.push(bar("with", pair.with.outcome.durable_pings_per_s));
        }
        page.figure("Durable pings a second, pair by pair.", &bars("pings a second", &rates)?);
        Ok(page.html())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Limits;

    fn outcome(rate: f64, void: &[&str]) -> Outcome {
        let void = void.iter().map(|reason| (*reason).to_owned()).collect();
        Outcome { durable_pings_per_s: rate, void, ..Outcome::default() }
    }

    #[track_caller]
    fn check(with: [f64; 3], void: &[&str], caught_up_s: Option<f64>, expected: bool) {
        let scenario = Scenario {
            goal: String::new(),
            tags: 100,
            zones: 100,
            pings_per_s: None,
            alarms_per_s: 0,
            batch_pings: 64,
            runs: 3,
            run_s: 1,
            limits: Limits::default(),
        };
        let pair = |rate| {
            let outcome_with = outcome(rate, void);
            let with =
                Remembering { outcome: outcome_with, lag_entries: 0.0, lag_s: 0.0, caught_up_s };
            Pair { without: outcome(100.0, &[]), with }
        };
        let found = Provenance::find("fleet");
        let cost = Cost::of("it", &scenario, &found, with.map(pair).into_iter().collect());
        assert_eq!(cost.is_held, expected, "{}", cost.text());
    }

    #[test]
    fn the_median_of_the_pairs_counts_and_a_void_run_shows_nothing() {
        check([50.0, 85.0, 120.0], &[], Some(2.0), true);
        check([50.0, 84.0, 120.0], &[], Some(2.0), false);
        check([90.0, 90.0, 90.0], &["it was stopped"], Some(2.0), false);
        check([90.0, 90.0, 90.0], &[], None, false);
    }
}
