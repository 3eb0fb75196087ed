//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::host::Threads;
use crate::pacer::Pacing;

/// Load a node as vendors, receivers and probes do, and report what it held.
#[derive(Debug, Parser)]
#[command(name = "fleet", max_term_width = 100)]
#[command(after_help = "\
Examples:
  fleet local load-tests/scenarios/alarms-20k.toml
  fleet local load-tests/scenarios/durable-64.toml load-tests/scenarios/durable-256.toml --runs 3
  fleet overload --seconds 30
  fleet soak --hours 0.05
  fleet standing --tags 100000
  fleet storm
  fleet play load-tests/scenarios/use-cases/*.toml
  fleet history load-tests/scenarios/durable-64.toml --runs 5 --run-s 5

On two machines:
  fleet site load-tests/scenarios/alarms-20k.toml --out site
  ach serve --site site --data data --listen 0.0.0.0:7400 --host node.example
  ach vendor enrol rtls --data data --out vendor
  ach receiver enrol load-test --data data --out receiver
  fleet run load-tests/scenarios/alarms-20k.toml --node 10.0.0.7:7400 --server-name node.example \\
      --vendor vendor --receiver receiver

Exit codes: 0 all limits were held; 1 the test could not be made, or a use case went otherwise than expected; 2 the command was not understood; \
3 a limit was not held or could not be shown.")]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Job,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Job {
    /// Start a node on this machine, load it, end it
    Local(Local),
    /// Load a node with three times what it carries on one core, and see what is untouched
    Overload(Overload),
    /// Load a node with half of what it carries on one core, for hours, and see whether its memory grows
    Soak(Soak),
    /// Load nodes with and without history in turns, and see what writing it costs
    History(HistoryCost),
    /// Kill a node in the midst of its load, and see how soon it is back
    Restart(Restart),
    /// Have an alarm stand for each tag, and see what they take of the node's memory
    Standing(Standing),
    /// Raise ten thousand alarms at once, press buttons in the midst of them, and see that these overtake
    Storm(Storm),
    /// Play use cases on a node of their own, and see that it says what it is to say, and nothing else
    Play(Play),
    /// Load a node that runs already
    Run(Run),
    /// Write the site that a node must serve for these scenarios
    Site(Site),
}

/// What all loads share.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The scenarios; their runs take turns
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Runs of each, instead of what the scenario says
    #[arg(long)]
    pub(crate) runs: Option<u32>,
    /// Seconds a run, instead of what the scenario says
    #[arg(long, value_name = "SECONDS")]
    pub(crate) run_s: Option<u32>,
    /// How the sender waits for the next ping
    #[arg(long, value_enum, default_value_t)]
    pub(crate) pacing: Pacing,
    /// Folder for the results; a folder of day and machine is made in it
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Added to the names of the results
    #[arg(long, value_name = "WORD")]
    pub(crate) suffix: Option<String>,
}

/// `fleet local`.
#[derive(Debug, Args)]
pub(crate) struct Local {
    #[command(flatten)]
    pub(crate) plan: Plan,
    /// The `ach` program; without it, the one beside this program
    #[arg(long, value_name = "FILE", conflicts_with = "in_process")]
    pub(crate) ach: Option<PathBuf>,
    /// Run the node within this process
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Run each scenario in pairs, with and without a disk that stalls for so long every two seconds
    /// (with --in-process)
    #[arg(long, value_name = "MILLISECONDS",
        value_parser = clap::value_parser!(u64).range(1..=5_000))]
    pub(crate) stall_ms: Option<u64>,
    /// Which threads the node has
    #[arg(long, value_enum, default_value_t)]
    pub(crate) threads: Threads,
    /// Folder on the disk to measure; the node's data are made and removed in it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) below: PathBuf,
}

/// A node on this machine, and its load.
#[derive(Debug, Args)]
pub(crate) struct OneCore {
    /// The `ach` program; without it, the one beside this program
    #[arg(long, value_name = "FILE")]
    pub(crate) ach: Option<PathBuf>,
    /// Tags that report
    #[arg(long, default_value_t = 20_000,
        value_parser = clap::value_parser!(u32).range(200..=1_000_000))]
    pub(crate) tags: u32,
    /// Zones of the campus they walk in
    #[arg(long, default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(100..=32_000))]
    pub(crate) zones: u32,
    /// Folder on the disk to use; the node's data are made and removed in it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) below: PathBuf,
    /// Folder for the results; a folder of day and machine is made in it
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// `fleet overload`.
#[derive(Debug, Args)]
pub(crate) struct Overload {
    #[command(flatten)]
    pub(crate) with: OneCore,
    /// How long three times the load lasts; half of it lasts a quarter as long
    #[arg(long, value_name = "SECONDS", default_value_t = 600,
        value_parser = clap::value_parser!(u32).range(5..=36_000))]
    pub(crate) seconds: u32,
    /// Judge counts and memory; tell of speed, but do not judge it: for machines that others use too
    #[arg(long)]
    pub(crate) counts_only: bool,
}

/// `fleet soak`.
#[derive(Debug, Args)]
pub(crate) struct Soak {
    #[command(flatten)]
    pub(crate) with: OneCore,
    /// How long
    #[arg(long, default_value_t = 2.0, value_parser = hours)]
    pub(crate) hours: f64,
    /// The node keeps no archives of its journal: three quarters of what a soak takes of the disk
    #[arg(long)]
    pub(crate) without_archives: bool,
}

/// From half a minute to a month.
fn hours(text: &str) -> Result<f64, String> {
    let hours: f64 = text.parse().map_err(|_| format!("`{text}` is no number of hours"))?;
    if (0.008..=744.0).contains(&hours) {
        return Ok(hours);
    }
    Err("a soak lasts from 0.008 to 744 hours".to_owned())
}

/// `fleet history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryCost {
    #[command(flatten)]
    pub(crate) plan: Plan,
    /// The `ach` program; without it, the one beside this program
    #[arg(long, value_name = "FILE")]
    pub(crate) ach: Option<PathBuf>,
    /// Which threads the nodes have
    #[arg(long, value_enum, default_value_t)]
    pub(crate) threads: Threads,
    /// Folder on the disk to use; the nodes' data are made and removed in it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) below: PathBuf,
}

/// `fleet restart`.
#[derive(Debug, Args)]
pub(crate) struct Restart {
    #[command(flatten)]
    pub(crate) with: OneCore,
    /// How often it is killed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) kills: u32,
    /// Seconds of load before each
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub(crate) load_s: u32,
}

/// `fleet standing`.
#[derive(Debug, Args)]
pub(crate) struct Standing {
    #[command(flatten)]
    pub(crate) with: OneCore,
}

/// `fleet storm`.
#[derive(Debug, Args)]
pub(crate) struct Storm {
    #[command(flatten)]
    pub(crate) with: OneCore,
    /// Storms
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) storms: u32,
    /// Alarms in each, of as many tags; at most as many as there are
    #[arg(long, default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    pub(crate) alarms: u32,
    /// Judge counts and order; tell of speed, but do not judge it: for machines that others use too
    #[arg(long)]
    pub(crate) counts_only: bool,
}

/// `fleet play`.
#[derive(Debug, Args)]
pub(crate) struct Play {
    /// The use cases
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// One JSON object a file, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// `fleet run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) plan: Plan,
    /// The node
    #[arg(long, default_value = "127.0.0.1:7400")]
    pub(crate) node: SocketAddr,
    /// The name its certificate bears
    #[arg(long, default_value = "localhost")]
    pub(crate) server_name: String,
    /// Directory of the credentials of vendor `rtls`
    #[arg(long, value_name = "DIR")]
    pub(crate) vendor: PathBuf,
    /// Directory of a receiver's credentials
    #[arg(long, value_name = "DIR")]
    pub(crate) receiver: PathBuf,
}

/// `fleet site`.
#[derive(Debug, Args)]
pub(crate) struct Site {
    /// The scenarios it must serve
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// A directory that does not exist yet
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}
