//! What is typed about a walk with a tag.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ach_actors_model::{Name, TagId};
use clap::{Args, Subcommand};

use super::Connect;
use super::history::tag;
use crate::span;

/// `ach walk-test`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  ach walk-test --tag 0200AC00000000A7 --doors door-east,door-west --zones ward --for 30m \\
      --out today.json --credentials desk-credentials
  ach walk-test --tag 0200AC00000000A7 --for 30m --out today.json --credentials desk-credentials
  ach walk-test verify today.json --ca desk-credentials/ca.pem

Carry the tag through each door and into each zone and out again. A door has answered when it was opened, the tag went \
through, and it was closed; a zone when the tag came in and left. Without --doors and --zones it is every door that has \
ever told the node that it is open or closed; the others are named. Wait until it says that you are to walk. The alarms that the tag causes are real: put it on a subject of its own, with a label that \
your rules leave out. Exit code 1 when something did not answer; docs/specs/walk-test.md says it in full.")]
pub(crate) struct WalkTest {
    /// Something else than a walk.
    #[command(subcommand)]
    pub(crate) act: Option<WalkTestAct>,
    /// The tag that is carried (EUI-64)
    #[arg(long, value_name = "TAG", required = true, value_parser = tag)]
    tag: Option<TagId>,
    /// Doors to go through, by id, with commas between
    #[arg(long, value_name = "DOORS", value_delimiter = ',', value_parser = Name::new)]
    doors: Vec<Name>,
    /// Zones to go into and out of, by id, with commas between
    #[arg(long, value_name = "ZONES", value_delimiter = ',', value_parser = Name::new)]
    zones: Vec<Name>,
    /// How long there is at most: 30m, 2h
    #[arg(long = "for", value_name = "TIME", required = true, value_parser = span::parse)]
    length: Option<Duration>,
    /// Where the protocol is written; must not be there yet
    #[arg(long, value_name = "FILE", required = true)]
    out: Option<PathBuf>,
    /// Address of the node
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7400")]
    node: SocketAddr,
    /// The name the node's certificate must bear
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    server_name: String,
    /// Directory written by `enrol`
    #[arg(long, value_name = "DIR", required = true)]
    credentials: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// What can be done with the protocol of a walk.
#[derive(Debug, Subcommand)]
pub(crate) enum WalkTestAct {
    /// Tell whether a protocol is as it was signed, and who signed it
    #[command(after_help = "\
Example:
  ach walk-test verify today.json --ca desk-credentials/ca.pem

Exit code 3 when it was changed, or signed by nobody of that site.")]
    Verify {
        /// The protocol
        file: PathBuf,
        /// The certificate of the site's authority, as `enrol` writes it into each directory of credentials
        #[arg(long, value_name = "FILE")]
        ca: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// A walk.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) tag: TagId,
    pub(crate) doors: Vec<Name>,
    pub(crate) zones: Vec<Name>,
    pub(crate) length: Duration,
    pub(crate) out: PathBuf,
    pub(crate) connect: Connect,
}

impl WalkTest {
    /// The walk, if one was asked for. Beside another act its words may be missing, which flattened they may not.
    pub(crate) fn walk(&self) -> Option<Walk> {
        Some(Walk {
            tag: self.tag?,
            doors: self.doors.clone(),
            zones: self.zones.clone(),
            length: self.length?,
            out: self.out.clone()?,
            connect: Connect {
                node: self.node,
                server_name: self.server_name.clone(),
                credentials: self.credentials.clone()?,
                json: self.json,
            },
        })
    }
}
