//! `fleet`: loads a running node by a scenario and writes down what came of it.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ach_clients_rust::{Bundle, Client, ClientConfig, Filter, PublisherOptions};
use ach_engine_site::{SampleHospital, SampleOptions};
use ach_load_tests_fleet::{Ledger, LoadResult, LoadTag, Scenario, World, listen, load};
use clap::Parser;

/// Load a running node and report what it held.
///
/// Write the site with `fleet --write-site DIR`, serve it with `ach serve --site DIR --data DATA`,
/// enrol a vendor under the feed's id and a receiver, then run a scenario.
#[derive(Debug, Parser)]
struct Arguments {
    /// Write the site to be served to a new directory, and end
    #[arg(long, value_name = "DIR")]
    write_site: Option<PathBuf>,
    /// People and things in the site, half of them things
    #[arg(long, default_value_t = 20_000)]
    tags: u32,
    /// The scenario
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// The node
    #[arg(long, default_value = "127.0.0.1:7400")]
    node: SocketAddr,
    /// The name its certificate bears
    #[arg(long, default_value = "localhost")]
    server_name: String,
    /// Directory of the vendor's credentials
    #[arg(long, value_name = "DIR", default_value = "vendor")]
    vendor: PathBuf,
    /// Directory of the receiver's credentials
    #[arg(long, value_name = "DIR", default_value = "receiver")]
    receiver: PathBuf,
    /// Where to write the result as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let sample = SampleHospital::new(&SampleOptions {
        patient_count: arguments.tags / 4,
        staff_count: arguments.tags / 4,
        visitor_count: 0,
        asset_count: arguments.tags / 2,
        ..SampleOptions::default()
    });
    if let Some(site) = &arguments.write_site {
        sample.directory.write(site)?;
        println!("wrote {}", site.display());
        return Ok(());
    }
    let Some(path) = &arguments.scenario else {
        return Err("nothing to do: name a --scenario, or --write-site first".into());
    };
    let scenario: Scenario = toml::from_str(&std::fs::read_to_string(path)?)?;
    println!("{}", scenario.goal);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let config = sample.directory.config(1).map_err(|findings| format!("{findings:?}"))?;
    let world = World::of_sample(&sample, config);
    let mut results = Vec::new();
    for run in 1..=scenario.runs {
        let result = one_run(&runtime, &arguments, &scenario, &world)?;
        print_run(run, &result);
        results.push(result);
    }
    let is_held = judge(&scenario, &results);
    if let Some(out) = &arguments.out {
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let report = serde_json::json!({
            "scenario": scenario, "machine": machine.trim(), "runs": results, "held": is_held,
        });
        std::fs::write(out, serde_json::to_string_pretty(&report)?)?;
    }
    if is_held { Ok(()) } else { Err("a limit of the scenario was not held".into()) }
}

/// Connects anew, so that runs do not lean on each other.
fn one_run(
    runtime: &tokio::runtime::Runtime,
    arguments: &Arguments,
    scenario: &Scenario,
    world: &World,
) -> Result<LoadResult, Box<dyn Error>> {
    let connect = |bundle: &Path| -> Result<ClientConfig, Box<dyn Error>> {
        let bundle = Bundle::load(bundle)?;
        Ok(ClientConfig::new(arguments.node, &arguments.server_name, bundle))
    };
    let (vendor, receiver) = (connect(&arguments.vendor)?, connect(&arguments.receiver)?);
    let ledger = Arc::new(Mutex::new(Ledger::new()));
    let tags = load_tags(world);
    let (publisher, prober, listener) = runtime.block_on(async {
        let receiver = Client::connect(receiver).await?;
        let alarms = receiver.subscriber().alarms(Filter::default(), None).await?;
        let prober = alarms.prober();
        let listener = tokio::spawn(listen(alarms, Arc::clone(&ledger)));
        let publisher = Client::connect(vendor).await?.publisher(PublisherOptions::default())?;
        let ids: Vec<_> = tags.iter().map(|tag| tag.tag).collect();
        publisher.intern_tags(&ids).await?;
        Ok::<_, Box<dyn Error>>((publisher, prober, listener))
    })?;
    let source = world.config.sources.first().map(|source| source.id.as_str()).unwrap_or_default();
    let result = load(scenario, source, &tags, &publisher, &prober, &ledger)?;
    runtime.block_on(publisher.close())?;
    listener.abort();
    Ok(result)
}

/// Every tag of the first feed, at its home.
fn load_tags(world: &World) -> Vec<LoadTag> {
    let config = &world.config;
    config
        .tags
        .iter()
        .filter(|tag| tag.source == 0)
        .filter_map(|tag| {
            let subject = usize::try_from(tag.subject?).ok()?;
            let spot = world.graph.spot(world.residences.get(subject)?.home)?;
            Some(LoadTag { tag: tag.id, at_mm: spot.at_mm(), floor: spot.place.floor })
        })
        .collect()
}

fn print_run(run: u32, result: &LoadResult) {
    let (alarm, floor) = (&result.alarm_latency_us, &result.floor_latency_us);
    println!(
        "run {run}: {} pings, {:.0} durable/s, {} alarms, alarm µs {:?} / {:?}, echo µs {:?} / {:?}, \
         sender late µs {:?}",
        result.pings_sent,
        result.durable_pings_per_s,
        result.alarms,
        alarm.p50,
        alarm.p99,
        floor.p50,
        floor.p99,
        result.send_lateness_us.p50,
    );
}

/// Medians over the runs with the range that holds the middle seven of nine, and the limits.
fn judge(scenario: &Scenario, results: &[LoadResult]) -> bool {
    let ratio = |a: Option<f64>, b: Option<f64>| Some(a? / b?);
    let limits = &scenario.limits;
    let mut is_held = true;
    let mut line = |what: &str, values: Vec<f64>, holds: &dyn Fn(f64) -> bool| {
        let Some((low, median, high)) = spread(values) else { return };
        let verdict = if holds(median) { "held" } else { "NOT HELD" };
        is_held &= holds(median);
        println!("{what}: median {median:.2}, {low:.2} to {high:.2}: {verdict}");
    };
    let p50 = |it: &LoadResult| ratio(it.alarm_latency_us.p50, it.floor_latency_us.p50);
    let p99 = |it: &LoadResult| ratio(it.alarm_latency_us.p99, it.floor_latency_us.p99);
    line("alarm over echo, p50", results.iter().filter_map(p50).collect(), &|value| {
        limits.p50_ratio_max.is_none_or(|most| value <= most)
    });
    line("alarm over echo, p99", results.iter().filter_map(p99).collect(), &|value| {
        limits.p99_ratio_max.is_none_or(|most| value <= most)
    });
    let rates = results.iter().map(|it| it.durable_pings_per_s).collect();
    line("durable pings a second", rates, &|value| {
        limits.durable_pings_per_s_min.is_none_or(|least| value >= least)
    });
    is_held
}

fn spread(mut values: Vec<f64>) -> Option<(f64, f64, f64)> {
    values.sort_by(f64::total_cmp);
    let trimmed = values.len() / 9;
    let last = values.len().checked_sub(1 + trimmed)?;
    Some((*values.get(trimmed)?, *values.get(values.len() / 2)?, *values.get(last)?))
}
