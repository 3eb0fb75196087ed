//! What is typed about alarms that were.

use std::path::PathBuf;

use ach_actors_model::Timestamp;
use clap::{Args, Subcommand};

use crate::moment;

/// `ach alarms`.
#[derive(Debug, Subcommand)]
pub(crate) enum Alarms {
    /// List the alarms of a time, each with what became of it
    #[command(after_help = "\
Examples:
  ach alarms list --data my-data --from '2026-11-16 00:00' --to '2026-11-23 00:00'
  ach alarms list --data my-data --json > alarms.jsonl")]
    List(AlarmsOf),
    /// Tell what alarms were like for those who answer them: how many, floods, chatter, what stands open
    #[command(after_help = "\
Examples:
  ach alarms stats --data my-data --from '2026-11-16 00:00' --to '2026-11-23 00:00'
  ach alarms stats --data my-data --json

Counted as ISA-18.2 (IEC 62682) has it: more than ten alarms in ten minutes are a flood, an alarm that is raised \
three times in a minute chatters, one that is open for more than a day stands. docs/specs/alarm-review.md says it in \
full. All of it can be counted again from what `ach alarms list --json` prints.")]
    Stats(AlarmsOf),
}

/// Which alarms.
#[derive(Debug, Args)]
pub(crate) struct AlarmsOf {
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Raised from this moment on; without it, from the first that is remembered
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) from: Option<Timestamp>,
    /// Raised before this moment; without it, to the last
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) to: Option<Timestamp>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}
