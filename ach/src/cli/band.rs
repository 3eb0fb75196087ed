//! What is typed about bands.

use std::path::PathBuf;
use std::time::Duration;

use ach_actors_model::{Name, Remark, TagId};
use clap::{Args, Subcommand};

use super::Connect;
use super::alarms::remark;
use super::history::tag;
use crate::span;

/// `ach band`.
#[derive(Debug, Subcommand)]
pub(crate) enum Band {
    /// Say that a band comes off for a time: that it is cut or silent is no alarm meanwhile
    #[command(after_help = "\
Example:
  ach band off patient-8 --tag 0200AC00000000A7 --for 10m --reason bath --credentials desk-credentials

For 60 minutes at most. When the time is over, a band that is still cut or silent raises its alarm. A duress call is told as \
ever. docs/specs/bands.md says it in full.")]
    Off {
        /// Whose band, and as whom.
        #[command(flatten)]
        of: Of,
        /// For how long: 10m, 1h
        #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
        length: Duration,
        /// Why, on one line; people by their ids, for it is never erased
        #[arg(long, value_name = "TEXT", value_parser = remark)]
        reason: Remark,
    },
    /// Say that a band is on: what is wrong with it is an alarm from now on
    #[command(
        after_help = "Example:\n  ach band on patient-8 --tag 0200AC00000000A7 --credentials desk-credentials"
    )]
    On(Of),
    /// Put another tag on a subject in the place of one, in the site directory and on the node
    Change(Change),
}

/// Whose band, which, and as whom.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// Whose, by id
    #[arg(value_parser = Name::new)]
    pub(crate) subject: Name,
    /// The tag (EUI-64)
    #[arg(long, value_name = "TAG", value_parser = tag)]
    pub(crate) tag: TagId,
    /// The person for whom a program says it, by id
    #[arg(long, value_name = "ID", value_parser = Name::new)]
    pub(crate) person: Option<Name>,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
}

/// `ach band change`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ach band change patient-8 --from 0200AC00000000A7 --to 0200AC00000000B8 --site my-site --credentials desk

The new tag is written in the place of the old one, and the directory is put in force. Then the new band is said to be on: if \
it is never heard, it is silent. What is open about the old band ends only with --strand. When the node refuses, the file is as \
it was. Whoever cuts the old band before that says so first with `ach band off`.")]
pub(crate) struct Change {
    /// Whose, by id
    #[arg(value_parser = Name::new)]
    pub(crate) subject: Name,
    /// The tag that comes off (EUI-64)
    #[arg(long, value_name = "TAG", value_parser = tag)]
    pub(crate) from: TagId,
    /// The tag that is put on, of the same feed
    #[arg(long, value_name = "TAG", value_parser = tag)]
    pub(crate) to: TagId,
    /// The site directory
    #[arg(long, value_name = "DIR")]
    pub(crate) site: PathBuf,
    /// End what is open about the old tag
    #[arg(long)]
    pub(crate) strand: bool,
    /// The version the directory was made from, when it does not say so
    #[arg(long, value_name = "VERSION")]
    pub(crate) made_from: Option<u32>,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
}
