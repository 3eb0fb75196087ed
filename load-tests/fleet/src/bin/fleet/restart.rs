//! `fleet restart`: a node that is loaded as fast as it takes pings is killed, and started again on what it
//! left. How long it is away is how long a hospital is without alarms.

use std::fmt::Write as _;
use std::time::Duration;

use ach_actors_model::NS_PER_S;
use ach_clients_rust::{Publisher, PublisherOptions, now};
use ach_load_tests_fleet::Provenance;
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::arguments::Restart;
use crate::campus::Campus;
use crate::failure::Failure;
use crate::host::{Host, HostPlan};
use crate::outcome::float;
use crate::results;
use crate::run::met;
use crate::scenario::{Limits, Scenario};
use crate::sender::closed_loop;
use crate::series::Ending;

/// A node with checkpoints as they come by default is back within.
const BACK_WITHIN: Duration = Duration::from_secs(2);
/// Pings handed over at once.
const BATCH_PINGS: u32 = 64;

/// One kill, and the start after it.
#[derive(Debug, Serialize)]
struct Killed {
    /// Durable pings before it, a second.
    durable_pings_per_s: f64,
    /// From the start of the process until it said that it listens.
    back_after_ms: f64,
}

/// What the kills show.
#[derive(Debug, Serialize)]
struct Restarted<'a> {
    provenance: &'a Provenance,
    tags: u32,
    zones: u32,
    load_s: u32,
    kills: Vec<Killed>,
    is_held: bool,
}

/// `fleet restart`.
pub(crate) fn restart(asked: &Restart) -> Result<Ending, Failure> {
    let with = &asked.with;
    let provenance = Provenance::find("fleet");
    let campus = Campus::new(with.zones, with.tags);
    let plan = HostPlan::process(&with.below, with.ach.as_deref())?;
    let mut host = Host::start(&plan, &campus.directory)?;
    let mut kills = Vec::new();
    for number in 1..=asked.kills {
        let durable_pings_per_s = loaded(&host, &campus, asked, || host.kill())?;
        let back_after = host.start_again(&plan)?;
        let killed = Killed { durable_pings_per_s, back_after_ms: back_after.as_secs_f64() * 1e3 };
        println!("kill {number}: {}", killed.line());
        kills.push(killed);
    }
    host.end()?;
    let longest_ms = kills.iter().map(|killed| killed.back_after_ms).fold(0.0, f64::max);
    let is_held = !kills.is_empty() && longest_ms <= BACK_WITHIN.as_secs_f64() * 1e3;
    let restarted = Restarted {
        provenance: &provenance,
        tags: with.tags,
        zones: with.zones,
        load_s: asked.load_s,
        kills,
        is_held,
    };
    println!("\n{}", restarted.text());
    if let Some(out) = &with.out {
        results::write(out, &provenance, "restart", &restarted.text(), &restarted, None)?;
    }
    Ok(if is_held { Ending::Held } else { Ending::NotHeld })
}

/// Loads a node, has it killed in the midst of it, and says how many pings a second were durable by then.
fn loaded(
    host: &Host,
    campus: &Campus,
    asked: &Restart,
    kill: impl FnOnce() -> Result<(), Failure>,
) -> Result<f64, Failure> {
    let vendor: Runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("vendor")
        .enable_all()
        .build()?;
    let options = PublisherOptions::default().keeping_every_position();
    let meeting = met(host.vendor.clone(), &campus.tags, &[], options);
    let publisher: Publisher = vendor.block_on(meeting)?;
    let scenario = Scenario {
        goal: String::new(),
        tags: asked.with.tags,
        zones: asked.with.zones,
        pings_per_s: None,
        alarms_per_s: 0,
        batch_pings: BATCH_PINGS,
        runs: 1,
        run_s: asked.load_s,
        limits: Limits::default(),
    };
    let durable_before = publisher.durable_through();
    let begun_at = now();
    let until = begun_at.plus_ns(u64::from(asked.load_s) * NS_PER_S);
    closed_loop(&scenario, &campus.tags, &publisher, until)?;
    let durable = publisher.durable_through().saturating_sub(durable_before);
    let seconds = float(now().since_ns(begun_at)) / 1e9;
    kill()?;
    Ok(float(durable) / seconds)
}

impl Killed {
    fn line(&self) -> String {
        format!(
            "back after {:.0} ms; {:.0} durable pings/s before it",
            self.back_after_ms, self.durable_pings_per_s
        )
    }
}

impl Restarted<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.put(&mut text);
        text
    }

    fn put(&self, text: &mut String) -> std::fmt::Result {
        let (tags, zones, load_s) = (self.tags, self.zones, self.load_s);
        writeln!(text, "restart: {tags} tags, {zones} zones, killed after {load_s} s of load\n")?;
        writeln!(text, "{}", self.provenance.text())?;
        for (number, killed) in (1..).zip(&self.kills) {
            writeln!(text, "{number:>3} {}", killed.line())?;
        }
        let held = if self.is_held { "HELD" } else { "NOT HELD" };
        writeln!(text, "\nback within {BACK_WITHIN:?} each time: {held}")
    }
}
