//! What is typed about doors, lockdowns and evacuations.

use std::time::Duration;

use ach_actors_model::{Name, Remark};
use clap::{Args, Subcommand};

use super::Connect;
use super::alarms::remark;
use crate::span;

/// `ach door`.
#[derive(Debug, Subcommand)]
pub(crate) enum Door {
    /// List doors: how they stand, what they are told, whether they do it
    #[command(after_help = "\
Examples:
  ach door list --credentials operator-credentials
  ach door list --astray --credentials operator-credentials --json

Exit code 3 when a door is not as it was told to be.")]
    List {
        /// Only doors that are not as they were told to be
        #[arg(long)]
        astray: bool,
        /// Which node, and as whom.
        #[command(flatten)]
        connect: Connect,
    },
    /// Tell how one door stands
    #[command(
        after_help = "Example:\n  ach door show exit-east --credentials operator-credentials"
    )]
    Show {
        /// The door
        #[arg(value_parser = Name::new)]
        door: Name,
        /// Which node, and as whom.
        #[command(flatten)]
        connect: Connect,
    },
    /// Unlock a door for a time: anybody may pass
    #[command(after_help = "\
Example:
  ach door unlock exit-east --for 10m --reason 'bed delivery' --credentials operator-credentials

A lockdown, an evacuation, a key switch at the door and fire count for more. Exit code 3 when the door does not follow \
within --wait.")]
    Unlock(Move),
    /// Lock a door for a time: who has a grant may come in
    #[command(
        after_help = "Example:\n  ach door lock exit-east --for 8h --reason 'night' --credentials operator-credentials"
    )]
    Lock(Move),
    /// Block a door for a time: nobody comes in. Who may leave may leave
    #[command(
        after_help = "Example:\n  ach door block exit-east --for 1h --reason 'spill' --credentials operator-credentials"
    )]
    Block(Move),
    /// Give a door back that was moved: its hours, or what it does by itself, count again
    #[command(
        after_help = "Example:\n  ach door give-back exit-east --credentials operator-credentials"
    )]
    GiveBack(OnDoor),
    /// Let people out by a door, whatever else is said, until `end-release`
    #[command(after_help = "\
Example:
  ach door release exit-east --credentials operator-credentials

It waits for no disk, and nothing counts for more. The way out that is built into the door is the safe one: this one \
may fail with the machine it runs on.")]
    Release(OnDoor),
    /// Take a release back; a fire goes on releasing
    #[command(
        after_help = "Example:\n  ach door end-release exit-east --credentials operator-credentials"
    )]
    EndRelease(OnDoor),
    /// Say that the fire told at a door is over, where its fire input cannot say so any more
    #[command(
        after_help = "Example:\n  ach door end-fire exit-east --reason burnt --credentials operator-credentials"
    )]
    EndFire(OnDoor),
}

/// A door to be moved.
#[derive(Debug, Args)]
pub(crate) struct Move {
    /// For how long, 24h at most: 30m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    pub(crate) length: Duration,
    /// Which door, and as whom.
    #[command(flatten)]
    pub(crate) on: OnDoor,
}

/// Which door is meant, and as whom.
#[derive(Debug, Args)]
pub(crate) struct OnDoor {
    /// The door
    #[arg(value_parser = Name::new)]
    pub(crate) door: Name,
    /// Why, on one line; people by their ids, for it is never erased. To move a door or end a fire it is needed
    #[arg(long, value_name = "TEXT", value_parser = remark)]
    pub(crate) reason: Option<Remark>,
    /// The person for whom a program does it, by id
    #[arg(long, value_name = "ID", value_parser = Name::new)]
    pub(crate) person: Option<Name>,
    /// How long to wait for the door to follow; 0s does not wait
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = span::parse_or_zero)]
    pub(crate) wait: Duration,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
}

/// `ach lockdown` and `ach evacuate`.
#[derive(Debug, Subcommand)]
pub(crate) enum Emergency {
    /// Begin it, or let it last longer
    #[command(after_help = "\
Examples:
  ach lockdown start --site --for 1h --reason 'armed man at the entrance' --credentials operator-credentials
  ach lockdown start --zone ward-3 --for 30m --reason 'aggressive visitor' --credentials operator-credentials
  ach evacuate start --label tower-b --for 2h --reason 'smoke' --credentials operator-credentials
  ach evacuate start --site --for 30m --drill --reason 'drill of the quarter' --credentials operator-credentials

A lockdown lets nobody in, and everybody out who may leave. An evacuation unlocks. What a door does in either is said in \
site.toml, [[door_control]]. A drill moves doors, but for those that stay as they are in drills; an exercise moves none. \
Fire counts for more than either. Exit code 3 when a door does not follow within --wait.")]
    Start(Start),
    /// End it
    #[command(
        after_help = "Example:\n  ach lockdown end --zone ward-3 --credentials operator-credentials"
    )]
    End(Declared),
    /// List what runs
    #[command(after_help = "Example:\n  ach lockdown list --credentials operator-credentials")]
    List(Connect),
}

/// What is to begin.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// For how long, 24h at most: 30m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    pub(crate) length: Duration,
    /// How long to wait for doors to follow; 0s does not wait
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = span::parse_or_zero)]
    pub(crate) wait: Duration,
    /// What of it, and as whom.
    #[command(flatten)]
    pub(crate) what: Declared,
}

/// Which lockdown or evacuation is meant, and as whom.
#[derive(Debug, Args)]
#[group(id = "scope", required = true, multiple = false, args = ["site", "zone", "label"])]
pub(crate) struct Declared {
    /// Of all doors that are moved
    #[arg(long)]
    pub(crate) site: bool,
    /// Of the doors at this zone
    #[arg(long, value_name = "ID", value_parser = Name::new)]
    pub(crate) zone: Option<Name>,
    /// Of the doors with this label
    #[arg(long, value_name = "LABEL", value_parser = Name::new)]
    pub(crate) label: Option<Name>,
    /// A drill: doors move, but for those that stay as they are in drills
    #[arg(long)]
    pub(crate) drill: bool,
    /// An exercise at the desk: no door moves
    #[arg(long, conflicts_with = "drill")]
    pub(crate) exercise: bool,
    /// Why, on one line; to begin it, it is needed
    #[arg(long, value_name = "TEXT", value_parser = remark)]
    pub(crate) reason: Option<Remark>,
    /// The person for whom a program does it, by id
    #[arg(long, value_name = "ID", value_parser = Name::new)]
    pub(crate) person: Option<Name>,
    /// Which node, and as whom.
    #[command(flatten)]
    pub(crate) connect: Connect,
}
