//! What can be asked of history.

use std::path::PathBuf;

use ach_actors_model::{AlarmId, TagId, Timestamp};
use ach_engine_store::Day;
use clap::{Args, Subcommand, ValueEnum};

use crate::moment;

/// What `ach serve` remembers.
#[derive(Debug, Args)]
pub(crate) struct Remember {
    /// Where history is kept, or `off`; without it, in the data directory
    #[arg(long, value_name = "DIR|off", value_parser = history_place)]
    pub(crate) history: Option<HistoryPlace>,
    /// Days that can be asked about, today with them
    #[arg(long, value_name = "DAYS", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub(crate) history_days: u32,
    /// Days of which the journal is archived, 0 for none; without it, those of history
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=3_650))]
    pub(crate) archive_days: Option<u32>,
    /// Keep the journal for ever, though history, archives and checkpoints have all of it
    #[arg(long, hide_short_help = true)]
    pub(crate) keep_journal: bool,
    /// With `--history off`: remove the journal that no start needs any more. Nobody can tell of what
    /// was in it
    #[arg(long, hide_short_help = true, conflicts_with = "keep_journal")]
    pub(crate) forget_journal: bool,
}

/// Where history is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HistoryPlace {
    /// Nowhere.
    Off,
    /// In this directory, on another disk perhaps.
    At(PathBuf),
}

fn history_place(text: &str) -> Result<HistoryPlace, String> {
    match text {
        "off" => Ok(HistoryPlace::Off),
        "" => Err("name a directory, or write `off`".to_owned()),
        dir => Ok(HistoryPlace::At(PathBuf::from(dir))),
    }
}

/// `ach where`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach where 00124B0001A2B3C4 --data my-data
  ach where 00124B0001A2B3C4 --at 2026-11-22T14:30:00Z --data my-data
  ach where 00124B0001A2B3C4 --at '2026-11-22 14:30' --data my-data --json

Times without an offset are in the machine's time zone. Asks a data directory whether or not a node is \
running on it: one that runs writes first what it has just heard. Exit code 3 when nothing is known of the tag by then.")]
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

Tells what opened the alarm, the gates it passed, the rule and the version of the site, how old its \
evidence was, and where history has a gap in which more may have become of it. Exit code 3 when there is no \
such alarm.")]
pub(crate) struct Explain {
    /// The alarm's id, as in `ach tail alarms --json`
    #[arg(value_parser = alarm)]
    pub(crate) alarm: AlarmId,
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Print one JSON object a change, and one a gap
    #[arg(long)]
    pub(crate) json: bool,
}

/// `ach history`.
#[derive(Debug, Subcommand)]
pub(crate) enum History {
    /// Write positions as a table
    Export(Export),
    /// Derive the history of a data directory anew from its journal, archives and checkpoints
    #[command(after_help = "\
Example:
  ach history build --data my-data

The node must not be running; one that runs does this by itself. What is there already and sound is gone \
on with; what is damaged, or not the history of this journal, is moved to history.damaged.")]
    Build {
        /// The node's data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Keep days though their time is over: a legal hold
    #[command(after_help = "\
Examples:
  ach history hold case-17 --data my-data --from 2026-11-20 --through 2026-11-22 --reason 'case 17'
  ach history hold inspection --data my-data --from 2026-11-20 --reason 'until told otherwise'
  ach history hold case-18 --data my-data --from 2026-11-20 --subject patient-17 --reason 'case 18'

Days of UTC. The node need not be told; it looks before it drops anything. Which of the days there are is \
told. With --subject that person is not erased either while the hold stands, nor is what is known about \
them replaced. Write no names into the reason. It is in the audit log.")]
    Hold(Hold),
    /// End a hold: days whose time is over go within minutes
    #[command(after_help = "\
Example:
  ach history release case-17 --data my-data

It is in the audit log.")]
    Release {
        /// The hold
        id: String,
        /// The node's data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Tell all holds
    #[command(after_help = "Example:\n  ach history holds --data my-data --json")]
    Holds {
        /// The node's data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Print one JSON object a hold
        #[arg(long)]
        json: bool,
    },
}

/// `ach history hold`.
#[derive(Debug, Args)]
pub(crate) struct Hold {
    /// What the hold is called
    pub(crate) id: String,
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The first day
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) from: Day,
    /// The last day; without it, every day to come
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub(crate) through: Option<Day>,
    /// A person, by id, who is not erased while the hold stands
    #[arg(long, value_name = "ID")]
    pub(crate) subject: Option<String>,
    /// Hold the person though nobody of that id is known yet
    #[arg(long, requires = "subject")]
    pub(crate) yes: bool,
    /// Why, in a line
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

fn day(text: &str) -> Result<Day, String> {
    text.parse().map_err(|error: ach_engine_store::NoDay| error.to_string())
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

pub(crate) fn tag(text: &str) -> Result<TagId, String> {
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
