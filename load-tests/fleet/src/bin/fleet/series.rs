//! The runs of one command: scenarios take turns, so that an hour's mood of the machine falls on all.

use std::path::{Path, PathBuf};

use ach_clients_rust::{Bundle, ClientConfig};
use ach_load_tests_fleet::Provenance;

use crate::arguments::{Local, Plan, Run, Site};
use crate::campus::Campus;
use crate::cores::Cores;
use crate::failure::Failure;
use crate::host::{Host, HostPlan, Remembers, Threads, program_beside};
use crate::outcome::Outcome;
use crate::report::Report;
use crate::report_page::ReportPage;
use crate::run::Load;
use crate::scenario::Scenario;
use crate::verdict::Verdict;

/// How a command ended that could be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every limit of every scenario was held.
    Held,
    /// One was not, or could not be shown.
    NotHeld,
    /// A use case went otherwise than expected.
    Otherwise,
}

/// A scenario and what came of its runs so far.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) scenario: Scenario,
    outcomes: Vec<Outcome>,
}

/// `fleet local`.
pub(crate) fn local(local: &Local) -> Result<Ending, Failure> {
    let mut series = read(&local.plan)?;
    let campus = campus_for(&series);
    let program = match (&local.ach, local.in_process) {
        (_, true) => None,
        (Some(program), false) => Some(program.clone()),
        (None, false) => Some(program_beside()?),
    };
    let node = if program.is_some() { "a process of its own" } else { "within the generator" };
    let plan = HostPlan {
        below: local.below.clone(),
        cores: cores_for(&series, program.is_some())?,
        program,
        threads: local.threads,
        remembers: Remembers::History,
        measures_residence: true,
    };
    // Said before anything runs: a flag's default satisfies `requires`, and nothing would have stalled.
    if local.stall_ms.is_some() && !local.in_process {
        return Err(Failure::new(
            "--stall-ms stalls the disk of a node in this process; add --in-process",
        ));
    }
    let host = Host::start(&plan, &campus.directory)?;
    let load = Load {
        campus: &campus,
        vendor: host.vendor.clone(),
        receiver: host.receiver.clone(),
        pacing: local.plan.pacing,
        node_process: host.process(),
        metrics: host.metrics,
    };
    if let (Some(stall_ms), Some(stall)) = (local.stall_ms, &host.stall) {
        let mut ending = Ending::Held;
        for Series { name, scenario, .. } in &series {
            let of = crate::stall::pairs(&load, (name, scenario), stall, stall_ms, &local.plan)?;
            ending = if of == Ending::Held { ending } else { of };
        }
        host.end()?;
        return Ok(ending);
    }
    run_all(&load, &mut series)?;
    host.end()?;
    tell(&local.plan, &series, node, Some(local.threads))
}

/// `fleet run`.
pub(crate) fn remote(run: &Run) -> Result<Ending, Failure> {
    let mut series = read(&run.plan)?;
    let campus = campus_for(&series);
    let config = |directory: &Path| -> Result<ClientConfig, Failure> {
        Ok(ClientConfig::new(run.node, &run.server_name, Bundle::load(directory)?))
    };
    let load = Load {
        campus: &campus,
        vendor: config(&run.vendor)?,
        receiver: config(&run.receiver)?,
        pacing: run.plan.pacing,
        node_process: None,
        metrics: None,
    };
    run_all(&load, &mut series)?;
    tell(&run.plan, &series, &format!("at {}", run.node), None)
}

/// `fleet site`.
pub(crate) fn write_site(site: &Site) -> Result<Ending, Failure> {
    let scenarios: Vec<Scenario> =
        site.scenarios.iter().map(|path| Scenario::read(path)).collect::<Result<_, _>>()?;
    campus(scenarios.iter()).directory.write(&site.out)?;
    println!("wrote {}", site.out.display());
    Ok(Ending::Held)
}

/// The scenarios of a plan, without outcomes yet.
pub(crate) fn read(plan: &Plan) -> Result<Vec<Series>, Failure> {
    let read = |path: &PathBuf| {
        let mut scenario = Scenario::read(path)?;
        scenario.runs = plan.runs.unwrap_or(scenario.runs).max(1);
        scenario.run_s = plan.run_s.unwrap_or(scenario.run_s).max(1);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = match &plan.suffix {
            Some(suffix) => format!("{stem}-{suffix}"),
            None => stem,
        };
        Ok(Series { name, scenario, outcomes: Vec::new() })
    };
    plan.scenarios.iter().map(read).collect()
}

/// Splits the cores where residence is judged: what the load takes of the node's core is not the node's to hold.
fn cores_for(series: &[Series], is_apart: bool) -> Result<Option<Cores>, Failure> {
    let is_judged = series.iter().any(|one| one.scenario.limits.residence_p99_9_us_max.is_some());
    if !is_judged || !is_apart {
        return Ok(None);
    }
    let cores = Cores::split()?;
    cores.leave_node_core()?;
    Ok(Some(cores))
}

fn campus_for(series: &[Series]) -> Campus {
    campus(series.iter().map(|series| &series.scenario))
}

/// One campus for all: as large as the largest scenario wants it.
pub(crate) fn campus<'a>(scenarios: impl Iterator<Item = &'a Scenario>) -> Campus {
    let (mut zones, mut tags) = (2, 1);
    for scenario in scenarios {
        zones = scenario.zones.max(zones);
        tags = scenario.tags.max(tags);
    }
    Campus::new(zones, tags)
}

fn run_all(load: &Load<'_>, series: &mut [Series]) -> Result<(), Failure> {
    let rounds = series.iter().map(|series| series.scenario.runs).max().unwrap_or(0);
    for round in 0..rounds {
        for series in series.iter_mut().filter(|series| round < series.scenario.runs) {
            let outcome = load.run(&series.scenario)?;
            println!("{}, run {}: {}", series.name, round + 1, brief(&outcome));
            series.outcomes.push(outcome);
        }
    }
    Ok(())
}

fn brief(outcome: &Outcome) -> String {
    let mut text = format!("{:.0} durable pings/s", outcome.durable_pings_per_s);
    if let (Some(alarm), Some(echo)) = (outcome.alarm_latency_us.p50, outcome.echo_latency_us.p50) {
        text = format!("{text}, alarm p50 {alarm:.0} us, echo p50 {echo:.0} us");
    }
    for reason in &outcome.void {
        text = format!("{text}; VOID: {reason}");
    }
    text
}

fn tell(
    plan: &Plan,
    series: &[Series],
    node: &str,
    threads: Option<Threads>,
) -> Result<Ending, Failure> {
    let provenance = Provenance::find("fleet");
    let mut ending = Ending::Held;
    let mut page = ReportPage::new();
    for series in series {
        let report = Report {
            name: &series.name,
            scenario: &series.scenario,
            provenance: &provenance,
            node: node.to_owned(),
            threads,
            pacing: plan.pacing,
            verdict: Verdict::of(&series.outcomes, &series.scenario.limits),
            runs: &series.outcomes,
        };
        println!("\n{}", report.text());
        if !report.verdict.is_held {
            ending = Ending::NotHeld;
        }
        if let Some(out) = &plan.out {
            let folder = out.join(provenance.folder());
            report.write(&folder)?;
            page.add(&report)?;
        }
    }
    if let Some(out) = &plan.out {
        let folder = out.join(provenance.folder());
        page.write(&folder)?;
        println!("written to {}", folder.display());
    }
    Ok(ending)
}
