//! What can be asked of history.

use std::path::PathBuf;

use ach_actors_model::{AlarmId, TagId, Timestamp};
use clap::{Args, Subcommand, ValueEnum};

use crate::moment;

/// `ach where`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach where 00124B0001A2B3C4 --data my-data
  ach where 00124B0001A2B3C4 --at 2026-11-22T14:30:00Z --data my-data
  ach where 00124B0001A2B3C4 --at '2026-11-22 14:30' --data my-data --json

Times without an offset are in the machine's time zone. Reads a data directory whether or not a node \
is running. Exit code 3 when nothing is known of the tag by then.")]
pub(crate) struct Where {
    /// The tag (EUI-64)
    #[arg(value_parser = tag)]
    pub(crate) tag: TagId,
    /// At which moment; without it, the last that is known
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) at: Option<Timestamp>,
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `ach visits`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach visits dementia-ward --from 2026-11-22T14:00:00Z --to 2026-11-22T15:00:00Z --data my-data
  ach visits pharmacy --from '2026-11-22 08:00' --to '2026-11-22 20:00' --data my-data --json

Tells everybody who was in the zone at any moment of the time, those who came before and left after \
it too.")]
pub(crate) struct Visits {
    /// The zone's id
    pub(crate) zone: String,
    /// From this moment on
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) from: Timestamp,
    /// Before this moment
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) to: Timestamp,
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Print one JSON object a visit
    #[arg(long)]
    pub(crate) json: bool,
}

/// `ach explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach explain 5f0c2d4be8a96b1d2c1f0a97be3d1e55 --data my-data
  ach explain 5f0c2d4be8a96b1d2c1f0a97be3d1e55 --data my-data --json

Tells what opened the alarm, the gates it passed, the rule and the version of the site, and how old \
its evidence was. Exit code 3 when there is no such alarm.")]
pub(crate) struct Explain {
    /// The alarm's id, as in `ach tail alarms --json`
    #[arg(value_parser = alarm)]
    pub(crate) alarm: AlarmId,
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Print one JSON object a change
    #[arg(long)]
    pub(crate) json: bool,
}

/// `ach history`.
#[derive(Debug, Subcommand)]
pub(crate) enum History {
    /// Write positions as a table
    Export(Export),
    /// Derive the history of a data directory anew from its journal
    #[command(after_help = "\
Example:
  ach history build --data my-data

The node must not be running. What is there already and sound is gone on with.")]
    Build {
        /// The node's data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// `ach history export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach history export --data my-data --from 2026-11-22T00:00:00Z --to 2026-11-23T00:00:00Z > day.csv
  ach history export --data my-data --from '2026-11-22 08:00' --to '2026-11-22 20:00' \\
    --tag 00124B0001A2B3C4,00124B0001A2B3C5 --format parquet --out walks.parquet

Rows are by tag, in the order in which positions came. Moments are UTC.")]
pub(crate) struct Export {
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Measured from this moment on
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) from: Timestamp,
    /// Measured before this moment
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) to: Timestamp,
    /// Only these tags (EUI-64), with commas between
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = tag)]
    pub(crate) tag: Vec<TagId>,
    /// How
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Write to this file, which must not exist yet; without it, to stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Say what was written as one JSON object (with --out)
    #[arg(long, requires = "out")]
    pub(crate) json: bool,
}

/// A kind of table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub(crate) enum Format {
    /// Comma-separated values with a header line
    #[default]
    Csv,
    /// Apache Parquet
    Parquet,
}

fn tag(text: &str) -> Result<TagId, String> {
    let number = u64::from_str_radix(text, 16).ok().filter(|_| text.len() == 16);
    number
        .map(TagId)
        .ok_or_else(|| format!("`{text}` is no EUI-64; write its 16 hexadecimal digits"))
}

fn alarm(text: &str) -> Result<AlarmId, String> {
    let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32);
    number
        .map(AlarmId)
        .ok_or_else(|| format!("`{text}` is no id of an alarm; write its 32 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_full_only() {
        assert_eq!(tag("00124B0001A2B3C4"), Ok(TagId(0x0012_4B00_01A2_B3C4)));
        assert!(tag("124B0001A2B3C4").is_err());
        assert!(alarm("5f0c").is_err());
        assert_eq!(alarm("000000000000000000000000000000ff"), Ok(AlarmId(255)));
    }
}
