//! What is typed about rules.

use std::path::PathBuf;

use ach_actors_model::Timestamp;
use clap::{Args, Subcommand};

use crate::moment;

/// `ach rules`.
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Tell which alarms other rules would have raised, out of what was recorded
    Rehearse(Rehearse),
}

/// `ach rules rehearse`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach rules rehearse new-rules.toml --data my-data
  ach rules rehearse new-rules.toml --data my-data --from '2026-11-16 00:00' --to '2026-11-23 00:00'
  ach rules rehearse new-rules.toml --data my-data --json > differences.jsonl

Journal and archives are decided once more, twice at a time: by the rules that were in force, and by those of \
the file in their place. Nothing is changed, and a node may be running. What it takes goes by how much was \
recorded; beside a running node, give it a low priority (nice). Alarms of both are put together by what they \
are about and when: docs/specs/rehearsal.md says how.

Exit code 3 when not all of that time could be read.")]
pub(crate) struct Rehearse {
    /// The rules, as in a site directory's rules.toml
    pub(crate) file: PathBuf,
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Alarms raised from this moment on; without it, from the first there is
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) from: Option<Timestamp>,
    /// Alarms raised before this moment; without it, to the last there is
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    pub(crate) to: Option<Timestamp>,
    /// How many alarms to show of each rule and difference
    #[arg(long, value_name = "NUMBER", default_value_t = 3, conflicts_with = "json")]
    pub(crate) examples: usize,
    /// Print one JSON object a line: the counts, then every alarm that differs
    #[arg(long)]
    pub(crate) json: bool,
}
