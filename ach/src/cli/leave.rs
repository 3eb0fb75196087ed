//! What is typed about leave.

use std::time::Duration;

use ach_actors_model::{Name, Remark};
use clap::{Args, Subcommand};

use super::Connect;
use super::alarms::remark;
use crate::span;

/// `ach leave`.
#[derive(Debug, Subcommand)]
pub(crate) enum Leave {
    /// Give somebody leave for a time: no alarm says that he is out
    Give(Give),
    /// End somebody's leave: if he is out, the alarm comes now
    #[command(after_help = "Example:\n  ach leave end patient-8 --credentials desk-credentials")]
    End {
        /// Who, by id
        #[arg(value_parser = Name::new)]
        subject: Name,
        /// The person for whom a program does it, by id
        #[arg(long, value_name = "ID", value_parser = Name::new)]
        person: Option<Name>,
        /// Which node, and as whom.
        #[command(flatten)]
        connect: Connect,
    },
    /// List who has leave, until when, and who gave it
    #[command(after_help = "\
Examples:
  ach leave list --credentials desk-credentials
  ach leave list --credentials desk-credentials --json")]
    List {
        /// Which node, and as whom.
        #[command(flatten)]
        connect: Connect,
    },
}

/// `ach leave give`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ach leave give patient-8 --for 2h --reason 'visit of the family' --credentials desk-credentials
  ach leave give patient-8 --for 30m --until-back --zone ward-3 --escort nurse-7 \\
      --reason 'x-ray' --credentials desk-credentials

For 24 hours at most. Rules about leaving say nothing of the subject meanwhile, at the zones and lines that are named or, \
without any, at all; rules about being somewhere only at zones that are named. Cut bands, silent tags and duress calls are \
told as ever. Five minutes before the end an alarm of low priority tells who is not back; at the end the rule's own alarm \
does. Whoever has leave already has this one instead. With --escort it holds only while both are together. \
docs/specs/leave.md says it in full.")]
pub(crate) struct Give {
    /// Who, by id
    #[arg(value_parser = Name::new)]
    pub(crate) subject: Name,
    /// For how long: 30m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    pub(crate) length: Duration,
    /// Why, on one line; people by their ids, for it is never erased
    #[arg(long, value_name = "TEXT", value_parser = remark)]
    pub(crate) reason: Remark,
    /// A zone that may be left, or been in; may be repeated. Without zones and lines: all may be left
    #[arg(long = "zone", value_name = "ID", value_parser = Name::new)]
    pub(crate) zones: Vec<Name>,
    /// A perimeter line that may be crossed; may be repeated
    #[arg(long = "line", value_name = "ID", value_parser = Name::new)]
    pub(crate) lines: Vec<Name>,
    /// It is over, too, once he is back
    #[arg(long)]
    pub(crate) until_back: bool,
    /// Who must be with him, by id
    #[arg(long, value_name = "ID", value_parser = Name::new)]
    pub(crate) escort: Option<Name>,
    /// How many metres they may be apart, 1 to 100; 10 if nothing is said
    #[arg(long, value_name = "METRES", requires = "escort", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) within: Option<u32>,
    /// For how long the escort may be missed, 1s to 10m; 30s if nothing is said
    #[arg(long, value_name = "TIME", requires = "escort", value_parser = span::parse)]
    pub(crate) missed_for: Option<Duration>,
    /// The person for whom a program does it, by id
    #[arg(long, value_name = "ID", value_parser = Name::new)]
    pub(crate) person: Option<Name>,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
}
