//! What an operator types to look after a node.

use std::net::SocketAddr;
use std::path::PathBuf;

use ach_actors_model::Name;
use ach_engine_node::DayMinute;
use clap::Args;

use super::Connect;

/// `ach selftest`.
#[derive(Debug, Args)]
pub(crate) struct Selftest {
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// A receiver that is gone for good: it is missed no more. May be repeated
    #[arg(long, value_name = "NAME", value_parser = Name::new)]
    pub(crate) without: Vec<Name>,
}

/// `ach doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach doctor --data my-data
  ach doctor --data my-data --credentials desk-credentials --json

It writes and syncs a file of 1 MiB in the data directory for at most 3 s, and lets one core decide for \
half a second: on a node that is at work, both are felt. Exit code 3 when something is wrong; warnings \
alone leave it 0.")]
pub(crate) struct Doctor {
    /// The node's data directory; without it, the current directory's disk is looked at
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Directory written by `enrol`, whose certificate is looked at too. May be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) credentials: Vec<PathBuf>,
    /// Print one JSON object a finding
    #[arg(long)]
    pub(crate) json: bool,
}

/// `ach capacity`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach capacity --tags 5000 --rate 0.5 --days 30
  ach capacity --tags 20000 --rate 1 --days 7 --batch 64 --json

The figures come from constants that were measured; docs/operate/sizing.md names each one's source.")]
pub(crate) struct Capacity {
    /// Tags that report
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    pub(crate) tags: u32,
    /// Pings a second of one tag, on the average
    #[arg(long, value_name = "PER SECOND", value_parser = per_second)]
    pub(crate) rate: f64,
    /// Days that can be asked about, in history and archives
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub(crate) days: u32,
    /// Pings the vendor sends together; 1 when each leaves at once
    #[arg(long, value_name = "NUMBER", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) batch: u32,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A minute of the day, `06:30`.
pub(super) fn day_minute(text: &str) -> Result<DayMinute, String> {
    let number = |digits: &str| {
        let is_one =
            (1..=2).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
        is_one.then(|| digits.parse().ok()).flatten()
    };
    let read = text.split_once(':').and_then(|(hour, minute)| {
        DayMinute::new(number(hour)?, number(minute).filter(|_| minute.len() == 2)?)
    });
    read.ok_or_else(|| format!("`{text}` is no time of the day; write for example 06:30"))
}

/// A rate between one ping a day and a thousand a second.
fn per_second(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if (1e-5..=1_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("a tag pings between 0.00001 and 1000 times a second".to_owned())
    }
}

/// `ach support-bundle`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach support-bundle --data my-data --out support.tar.gz
  ach support-bundle --data my-data --site my-site --metrics 127.0.0.1:7401 --out support.tar.gz

Inside are counts, sizes, versions and what the doctor finds. There are no logs, no positions, no keys, \
and no names: not of people, tags, places, the site or the machine. Look into it before you send it: \
`tar -xzOf support.tar.gz | less`.")]
pub(crate) struct SupportBundle {
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The site directory, of which the bundle tells how many of everything there are
    #[arg(long, value_name = "DIR")]
    pub(crate) site: Option<PathBuf>,
    /// Where a running node serves its metrics
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Where to write; must not exist yet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}
