//! What is typed to see what the rules of a site really say.

use std::path::PathBuf;

use ach_actors_model::Timestamp;
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
