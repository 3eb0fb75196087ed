//! What is typed to make, check and apply a site directory.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Connect;

/// `ach site`.
#[derive(Debug, Subcommand)]
pub(crate) enum Site {
    /// Write a small commented example to start from
    #[command(after_help = "Example:\n  ach site new my-site")]
    New {
        /// A directory that does not exist yet
        dir: PathBuf,
    },
    /// Tell every mistake with file, place and remedy
    #[command(after_help = "\
Examples:
  ach site check my-site
  ach site check my-site --json

Exit code 3 when there is a mistake; warnings alone leave it 0.")]
    Check {
        /// The site directory
        dir: PathBuf,
        /// Print one JSON object a finding
        #[arg(long)]
        json: bool,
    },
    /// Put a site directory in force on a running node
    Apply(Apply),
    /// Write the sample hospital of the demo
    #[command(after_help = "Example:\n  ach site sample sample-hospital")]
    Sample {
        /// A directory that does not exist yet
        dir: PathBuf,
    },
}

/// `ach site apply`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach site apply my-site --credentials desk-credentials --dry-run
  ach site apply my-site --credentials desk-credentials

The directory is checked here and judged by the node. It comes into force between two entries, and the \
command returns when that is on disk. DIR/.in-force keeps which version the directory was made from; a \
node that has another one in force refuses. So it does when open alarms would end or a connected feed \
would be cut, unless --strand. Exit code 3 when it was refused.")]
pub(crate) struct Apply {
    /// The site directory
    pub(crate) dir: PathBuf,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// Only tell whether the node would take it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The version it was made from, when the directory does not say so
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<u32>,
    /// End open alarms and cut connected feeds whose rules, tags, places or feeds are gone
    #[arg(long)]
    pub(crate) strand: bool,
}
