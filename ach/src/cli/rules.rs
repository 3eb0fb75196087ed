//! What is typed to see what the rules of a site really say.

use std::path::PathBuf;

use ach_actors_model::Timestamp;
use ach_engine_score::{HOURS_MAX, Options};
use clap::{Args, Subcommand};

use crate::moment;

/// `ach rules`.
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Find conflicts, rules that never alarm, and holes
    #[command(after_help = "\
Examples:
  ach rules check my-site
  ach rules check my-site --json

Tells what `ach site check` tells about rules, and nothing else: two alarms for one cause, rules that another \
one covers, high-risk zones, exits and people that no rule watches. Mistakes in other files are told too, \
for they keep rules from being looked at together. Exit code 3 when there is a mistake; warnings \
alone leave it 0.")]
    Check {
        /// The site directory
        dir: PathBuf,
        /// Print one JSON object a finding
        #[arg(long)]
        json: bool,
    },
    /// Tell in plain English whom each rule is about, where, when, and what it raises
    #[command(after_help = "\
Examples:
  ach rules explain my-site
  ach rules explain my-site dementia-elopement
  ach rules explain my-site --json

What is told is made from the rule's fields, never from its name.")]
    Explain {
        /// The site directory
        dir: PathBuf,
        /// Only the rule of this id
        rule: Option<String>,
        /// Print one JSON object a rule
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of rules.toml, for an editor that completes and checks
    #[command(after_help = "\
Example:
  ach rules schema > my-site/rules.schema.json

With this first line in my-site/rules.toml, editors that use taplo (Even Better TOML for VS Code, and \
others) complete words, show what they mean and underline what is wrong:

  #:schema ./rules.schema.json")]
    Schema,
    /// Tell which alarms other rules would have raised, out of what was recorded
    Rehearse(Rehearse),
    /// Measure false alarms and delays on walks whose truth is known, beside the plain test and omlox
    Score(Score),
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

/// `ach rules score`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach rules score my-site
  ach rules score my-site --rules new-rules.toml --seed 7
  ach rules score my-site --hours 20000 --noise wifi.toml --json > score.jsonl

People and things of the site walk about its zones: they rest, keep to the walls, leave and come back. What a \
locating system makes of where they are goes to the plain inside or outside test of each ping, to a fence \
of omlox, and to a shard with the site's own gates and rules. Told are false transitions for an hour of a tag, \
missed ones, and delays. Nothing is recorded and no node is needed. The same seed gives the same score.

The noise is fitted to a UWB recording; --noise takes other numbers from a TOML file with any of the fields \
sigma_mm, drift_mm, drift_memory_s, wall_mm, wall_reach_mm, wall_memory_s, jump_begins, jump_goes_on, \
jump_median_mm, jump_spread, loss_begins, loss_goes_on, gaps_per_hour and gap_mean_s. docs/specs/score.md says \
what they are, what is counted, and what the limits are.

Exit code 3 when a limit is not held.")]
pub(crate) struct Score {
    /// The site directory
    pub(crate) dir: PathBuf,
    /// Other rules in the place of the site's own
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// How many hours tags are watched, together; each life is one
    #[arg(long, value_name = "NUMBER", default_value_t = Options::default().hours,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(HOURS_MAX)))]
    pub(crate) hours: u32,
    /// What all chance comes from
    #[arg(long, value_name = "NUMBER", default_value_t = Options::default().seed)]
    pub(crate) seed: u64,
    /// What the locating system gets wrong
    #[arg(long, value_name = "FILE")]
    pub(crate) noise: Option<PathBuf>,
    /// Print one JSON object a line: the score, then each table
    #[arg(long)]
    pub(crate) json: bool,
}
